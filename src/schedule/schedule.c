/* SPDX-License-Identifier: Apache-2.0
 * The public face of schedules: built, stretched, read and asked. */
#include "schedule/schedule.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"

pba_status schedule_create(const char *const *ops, int op_count, int copies,
                           pba_schedule **schedule)
{
    *schedule = NULL;
    pba_status status = schedule_ops_check(ops, op_count, copies);
    if (status != PBA_OK) {
        return status;
    }
    pba_schedule *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->names = memory_new((size_t)op_count, sizeof *fresh->names);
    fresh->ops = memory_new((size_t)op_count, sizeof *fresh->ops);
    fresh->origins = memory_new((size_t)op_count, sizeof *fresh->origins);
    if (!fresh->names || !fresh->ops || !fresh->origins) {
        pba_schedule_free(fresh);
        return PBA_MEMORY;
    }
    for (int i = 0; i < op_count; i++) {
        memcpy(fresh->names[i], ops[i], strlen(ops[i]) + 1);
        fresh->ops[i] = fresh->names[i];
    }
    fresh->op_count = op_count;
    fresh->copies = copies;
    fresh->counts = schedule_pba_counts;
    fresh->source.val_error = -1;
    *schedule = fresh;
    return PBA_OK;
}

pba_status schedule_create_like(const pba_schedule *model, pba_schedule **schedule)
{
    pba_status status = schedule_create(model->ops, model->op_count, model->copies, schedule);
    if (status == PBA_OK) {
        pba_schedule *fresh = *schedule;
        memcpy(fresh->origins, model->origins, (size_t)model->op_count * sizeof *model->origins);
        fresh->counts = model->counts;
        fresh->source = model->source;
    }
    return status;
}

void pba_schedule_free(pba_schedule *schedule)
{
    if (schedule) {
        free(schedule->names);
        free(schedule->ops);
        free(schedule->origins);
        free(schedule->segments);
        free(schedule->lineage);
        free(schedule);
    }
}

bool schedule_event_name(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        unsigned char letter = (unsigned char)name[i];
        if (letter < 32 || letter > 126 || strchr("'\"\\", letter)) {
            return false;
        }
    }
    return length > 0 && length < PBA_NAME_MAX;
}

static pba_status event_check(const pba_schedule *schedule, const schedule_event *event)
{
    if (!event) {
        return schedule->lineage ? status_set(PBA_USAGE, "a segment lacks its lineage") : PBA_OK;
    }
    if (schedule->segment_count == 0 || (schedule->segment_count > 1 && !schedule->lineage)) {
        return status_set(PBA_USAGE, "lineage: its event %d begins no segment",
                          schedule->segment_count);
    }
    if (!schedule_event_name(event->target) || !schedule_event_name(event->source)) {
        return status_set(PBA_USAGE, "lineage: a name needs 1 to %d printable letters, no quotes",
                          PBA_NAME_MAX - 1);
    }
    if (event->source_epoch != schedule->epochs || event->target_epoch < 0 ||
        event->target_epoch > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_USAGE, "lineage: source_epoch %d, but its segment begins at epoch %d",
                          event->source_epoch, schedule->epochs);
    }
    return PBA_OK;
}

/* Room for one more of each. */
static pba_status grow(pba_schedule *schedule, bool lineage)
{
    size_t count = (size_t)schedule->segment_count;
    if (count & (count - 1)) { /* 0, 1, 2, 4 ...: doubled there */
        return PBA_OK;
    }
    count = count ? 2 * count : 1;
    void *segments = memory_grow(schedule->segments, count, sizeof *schedule->segments);
    if (!segments) {
        return PBA_MEMORY;
    }
    schedule->segments = segments;
    if (lineage) {
        void *events = memory_grow(schedule->lineage, count, sizeof *schedule->lineage);
        if (!events) {
            return PBA_MEMORY;
        }
        schedule->lineage = events;
    }
    return PBA_OK;
}

pba_status schedule_append(pba_schedule *schedule, int epochs, const pba_policy *policy,
                           const schedule_event *event)
{
    if (epochs < 0 || epochs > SCHEDULE_EPOCHS_MAX - schedule->epochs) {
        return status_set(PBA_USAGE, "a schedule has at most %d epochs", SCHEDULE_EPOCHS_MAX);
    }
    pba_status status = schedule_policy_check(policy, schedule->op_count * schedule->copies);
    if (status == PBA_OK) {
        status = event_check(schedule, event);
    }
    if (status == PBA_OK) {
        status = grow(schedule, event != NULL);
    }
    if (status == PBA_OK) {
        if (event) {
            schedule->lineage[schedule->segment_count - 1] = *event;
        }
        schedule->segments[schedule->segment_count++] = (schedule_segment){epochs, *policy};
        schedule->epochs += epochs;
    }
    return status;
}

pba_status pba_schedule_constant(const pba_policy *policy, const char *const *ops, int op_count,
                                 int epochs, pba_schedule **schedule)
{
    if (!policy || !ops || !schedule) {
        return status_null(__func__);
    }
    *schedule = NULL;
    if (epochs < 1 || epochs > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_USAGE, "epochs: %d is outside 1..%d", epochs, SCHEDULE_EPOCHS_MAX);
    }
    if (op_count < 1 || policy->entries < 1 || policy->entries % op_count != 0) {
        return status_set(PBA_USAGE, "a policy of %d entries is no multiple of %d operations",
                          policy->entries, op_count);
    }
    pba_schedule *fresh;
    pba_status status = schedule_create(ops, op_count, policy->entries / op_count, &fresh);
    if (status != PBA_OK) {
        return status;
    }
    status = schedule_append(fresh, epochs, policy, NULL);
    if (status != PBA_OK) {
        pba_schedule_free(fresh);
        return status;
    }
    *schedule = fresh;
    return PBA_OK;
}

/* Recognized by its first letter: an object is schedule.json, a list begins a line of the log. */
static pba_status read_text(const char *path, const char *text, size_t size, int epochs,
                            pba_schedule **schedule)
{
    const char *first = text;
    while (isspace((unsigned char)*first)) {
        first++;
    }
    if (*first == '{') {
        if (epochs != 0) {
            return status_set(PBA_USAGE, "%s: says its length itself; leave out --epochs", path);
        }
        return schedule_json_read(path, text, size, schedule);
    }
    if (*first != '[') {
        return status_set(PBA_FORMAT, "%s: is neither a schedule.json nor a log of a search", path);
    }
    if (epochs == 0) {
        return status_set(PBA_USAGE,
                          "%s: a log does not say how many epochs its search had; give --epochs N",
                          path);
    }
    if (strlen(text) != size) {
        return status_set(PBA_FORMAT, "%s: a zero byte at %zu", path, strlen(text));
    }
    return schedule_log_read(path, text, epochs, schedule);
}

pba_status pba_schedule_load(const char *path, int epochs, pba_schedule **schedule)
{
    if (!path || !schedule) {
        return status_null(__func__);
    }
    *schedule = NULL;
    if (epochs < 0 || epochs > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_USAGE, "epochs: %d is outside 0..%d", epochs, SCHEDULE_EPOCHS_MAX);
    }
    char *text;
    size_t size;
    pba_status status = file_read(path, SCHEDULE_FILE_MAX, &text, &size);
    if (status == PBA_OK) {
        status = read_text(path, text, size, epochs, schedule);
        free(text);
    }
    return status;
}

/* A line of the log, with two policies, is longer than a segment and its lineage in JSON. */
double schedule_file_most(double segments, int entries)
{
    enum { HEAD = 1 << 16, SEGMENT = 150, ENTRY = sizeof "10, 9, " - 1 };
    return HEAD + segments * (SEGMENT + 2.0 * ENTRY * entries);
}

pba_status pba_schedule_save(const pba_schedule *schedule, const char *path)
{
    if (!schedule || !path) {
        return status_null(__func__);
    }
    size_t length = strlen(path), size;
    bool log = length > 4 && strcmp(path + length - 4, ".txt") == 0;
    char *text;
    pba_status status = log ? schedule_log_write(schedule, &text, &size)
                            : schedule_json_write(schedule, &text, &size);
    if (status != PBA_OK) {
        return status_prefix(status, "%s", path);
    }
    status = size <= SCHEDULE_FILE_MAX
                 ? file_write(path, text, size)
                 : status_set(PBA_UNSUPPORTED,
                              "%s: %zu bytes of %d segments are more than the %d that can be read "
                              "back",
                              path, size, schedule->segment_count, SCHEDULE_FILE_MAX);
    free(text);
    return status;
}

/* Segments of new lengths under the old policies. The lineage belongs to the epochs of the search
 * and is not carried over; the search that it came from is. */
static pba_status with_lengths(const pba_schedule *schedule, const int *lengths,
                               pba_schedule **stretched)
{
    pba_schedule *fresh;
    pba_status status = schedule_create_like(schedule, &fresh);
    if (status != PBA_OK) {
        return status;
    }
    for (int i = 0; i < schedule->segment_count && status == PBA_OK; i++) {
        status = schedule_append(fresh, lengths[i], &schedule->segments[i].policy, NULL);
    }
    if (status != PBA_OK) {
        pba_schedule_free(fresh);
        return status;
    }
    *stretched = fresh;
    return PBA_OK;
}

typedef void (*length_rule)(const pba_schedule *schedule, int epochs, int *lengths);

static pba_status stretch(const pba_schedule *schedule, int epochs, length_rule rule,
                          pba_schedule **stretched)
{
    *stretched = NULL;
    if (epochs < 1 || epochs > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_USAGE, "epochs: %d is outside 1..%d", epochs, SCHEDULE_EPOCHS_MAX);
    }
    int *lengths = memory_new((size_t)schedule->segment_count, sizeof *lengths);
    if (!lengths) {
        return PBA_MEMORY;
    }
    rule(schedule, epochs, lengths);
    pba_status status = with_lengths(schedule, lengths, stretched);
    free(lengths);
    return status;
}

/* The first epoch e with floor(e * own / epochs) >= begin is ceil(begin * epochs / own). */
static void proportional(const pba_schedule *schedule, int epochs, int *lengths)
{
    int64_t own = schedule->epochs, begin = 0;
    int done = 0;
    for (int i = 0; i < schedule->segment_count; i++) {
        begin += schedule->segments[i].epochs;
        int end = (int)((begin * epochs + own - 1) / own);
        lengths[i] = end - done;
        done = end;
    }
}

/* int(len * (E/S)) epochs each and the rest to the last, in integers. */
static void as_reference(const pba_schedule *schedule, int epochs, int *lengths)
{
    int last = schedule->segment_count - 1, done = 0;
    for (int i = 0; i <= last; i++) {
        lengths[i] = (int)((int64_t)schedule->segments[i].epochs * epochs / schedule->epochs);
        done += lengths[i];
    }
    lengths[last] += epochs - done;
}

pba_status pba_schedule_stretch(const pba_schedule *schedule, int epochs, pba_schedule **stretched)
{
    if (!schedule || !stretched) {
        return status_null(__func__);
    }
    return stretch(schedule, epochs, proportional, stretched);
}

pba_status pba_schedule_stretch_reference(const pba_schedule *schedule, int epochs,
                                          pba_schedule **stretched)
{
    if (!schedule || !stretched) {
        return status_null(__func__);
    }
    return stretch(schedule, epochs, as_reference, stretched);
}

int pba_schedule_epochs(const pba_schedule *schedule)
{
    return schedule ? schedule->epochs : 0;
}

int pba_schedule_segments(const pba_schedule *schedule)
{
    return schedule ? schedule->segment_count : 0;
}

int pba_schedule_op_count(const pba_schedule *schedule)
{
    return schedule ? schedule->op_count : 0;
}

const char *pba_schedule_op(const pba_schedule *schedule, int index)
{
    return index >= 0 && index < pba_schedule_op_count(schedule) ? schedule->ops[index] : NULL;
}

pba_status pba_schedule_segment(const pba_schedule *schedule, int index, int *epochs,
                                pba_policy *policy)
{
    if (!schedule || !epochs || !policy) {
        return status_null(__func__);
    }
    if (index < 0 || index >= schedule->segment_count) {
        return status_set(PBA_USAGE, "segment %d is outside 0..%d", index,
                          schedule->segment_count - 1);
    }
    *epochs = schedule->segments[index].epochs;
    *policy = schedule->segments[index].policy;
    return PBA_OK;
}

pba_status pba_schedule_at(const pba_schedule *schedule, int epoch, pba_policy *policy)
{
    if (!schedule || !policy) {
        return status_null(__func__);
    }
    if (epoch < 0 || epoch >= schedule->epochs) {
        return status_set(PBA_USAGE, "epoch %d is outside 0..%d", epoch, schedule->epochs - 1);
    }
    int segment = 0, end = schedule->segments[0].epochs;
    while (epoch >= end) {
        end += schedule->segments[++segment].epochs;
    }
    *policy = schedule->segments[segment].policy;
    return PBA_OK;
}
