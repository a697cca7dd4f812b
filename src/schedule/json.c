/* SPDX-License-Identifier: Apache-2.0
 * schedule.json, version 1. The text follows from the schedule alone: no time, host or path. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "schedule/fields.h"
#include "schedule/schedule.h"

static const char format[] = "pba-schedule";
static const char space[] = "pba";
enum { VERSION = 1 };

/* ------------------------------------------------------------------ writing */

static void write_ops(text_buffer *out, const pba_schedule *schedule)
{
    text_add(out, " \"ops\": [");
    for (int i = 0; i < schedule->op_count; i++) {
        text_add(out, "%s\"%s\"", i ? ", " : "", schedule->ops[i]);
    }
    text_add(out, "],\n");
}

static void write_plugins(text_buffer *out, const pba_schedule *schedule)
{
    int written = 0;
    for (int i = 0; i < schedule->op_count; i++) {
        const schedule_origin *origin = &schedule->origins[i];
        if (origin->version) {
            text_add(out, "%s\n  {\"op\": \"%s\", \"version\": %d, \"plugin\": \"%s\"}",
                     written++ ? "," : " \"plugins\": [", schedule->ops[i], origin->version,
                     origin->plugin);
        }
    }
    text_add(out, written ? "\n ],\n" : "");
}

/* Left out where they are PBA's. */
static void write_counts(text_buffer *out, const schedule_counts *counts)
{
    if (schedule_counts_equal(counts, &schedule_pba_counts)) {
        return;
    }
    for (int i = 0; i < counts->count; i++) {
        text_add(out, i ? ", " : " \"count_probs\": [");
        schedule_write_real(out, (double)counts->weights[i] / counts->total);
    }
    text_add(out, "],\n");
}

static void write_segments(text_buffer *out, const pba_schedule *schedule)
{
    text_add(out, " \"segments\": [");
    for (int i = 0; i < schedule->segment_count; i++) {
        const schedule_segment *segment = &schedule->segments[i];
        text_add(out, "%s\n  {\"epochs\": %d, \"policy\": [", i ? "," : "", segment->epochs);
        for (int j = 0; j < 2 * segment->policy.entries; j++) {
            text_add(out, "%s%d", j ? ", " : "", segment->policy.values[j]);
        }
        text_add(out, "]}");
    }
    text_add(out, "\n ]");
}

static void write_lineage(text_buffer *out, const pba_schedule *schedule)
{
    text_add(out, ",\n \"lineage\": [");
    for (int i = 0; i < schedule->segment_count - 1; i++) {
        const schedule_event *event = &schedule->lineage[i];
        text_add(out,
                 "%s\n  {\"target\": \"%s\", \"source\": \"%s\", \"target_epoch\": %d, "
                 "\"source_epoch\": %d}",
                 i ? "," : "", event->target, event->source, event->target_epoch,
                 event->source_epoch);
    }
    text_add(out, "\n ]");
}

static void write_real(text_buffer *out, const char *key, double value)
{
    text_add(out, ", \"%s\": ", key);
    schedule_write_real(out, value);
}

static void write_source(text_buffer *out, const schedule_source *source)
{
    text_add(out, ",\n \"source\": {");
    if (*source->dataset) {
        text_add(out, "\"dataset\": ");
        schedule_write_text(out, source->dataset);
        text_add(out, ", ");
    }
    if (*source->model) {
        text_add(out, "\"model\": ");
        schedule_write_text(out, source->model);
        text_add(out, ", ");
    }
    text_add(out, "\"seed\": ");
    schedule_write_seed(out, source->seed);
    text_add(out, ", \"population\": %d, \"interval\": %d", source->population, source->interval);
    if (source->pixel_scale > 0) {
        write_real(out, "pixel_scale", source->pixel_scale);
    }
    if (source->val_error >= 0) {
        write_real(out, "val_error", source->val_error);
    }
    text_add(out, "}");
}

static void write_all(text_buffer *out, const pba_schedule *schedule)
{
    text_add(out, "{\n \"format\": \"%s\",\n \"version\": %d,\n \"space\": \"%s\",\n", format,
             VERSION, space);
    write_ops(out, schedule);
    write_plugins(out, schedule);
    text_add(out, " \"copies\": %d,\n", schedule->copies);
    write_counts(out, &schedule->counts);
    text_add(out, " \"epochs\": %d,\n", schedule->epochs);
    write_segments(out, schedule);
    if (schedule->lineage) {
        write_lineage(out, schedule);
    }
    if (schedule->source.known) {
        write_source(out, &schedule->source);
    }
    text_add(out, "\n}\n");
}

pba_status schedule_json_write(const pba_schedule *schedule, char **text, size_t *size)
{
    text_buffer out = {0};
    write_all(&out, schedule);
    return text_end(&out, "a schedule's text", text, size);
}

/* ------------------------------------------------------------------ reading */

static pba_status read_space(const json_t *root)
{
    char name[PBA_NAME_MAX];
    pba_status status = schedule_field_text(root, "space", name, sizeof name);
    if (status == PBA_OK && strcmp(name, space) != 0) {
        status =
            status_set(PBA_FORMAT, "field 'space': \"%s\" is unknown; known: \"%s\"", name, space);
    }
    return status;
}

static pba_status read_ops(const json_t *root, pba_schedule **schedule)
{
    json_t *list;
    int copies;
    pba_status status = schedule_field_list(root, "ops", &list);
    if (status == PBA_OK) {
        status = schedule_field_int(root, "copies", 1, PBA_POLICY_MAX, &copies);
    }
    if (status != PBA_OK) {
        return status;
    }
    if (json_array_size(list) > PBA_POLICY_MAX) {
        return status_set(PBA_FORMAT, "field 'ops': at most %d operations", PBA_POLICY_MAX);
    }
    const char *ops[PBA_POLICY_MAX];
    int count = (int)json_array_size(list);
    for (int i = 0; i < count; i++) {
        ops[i] = json_string_value(json_array_get(list, (size_t)i));
        if (!ops[i]) {
            return status_set(PBA_FORMAT, "field 'ops': item %d is no text", i);
        }
    }
    status = schedule_create(ops, count, copies, schedule);
    return status == PBA_USAGE ? PBA_FORMAT : status;
}

static int find_op(const pba_schedule *schedule, const char *name)
{
    int i = 0;
    while (i < schedule->op_count && strcmp(schedule->ops[i], name) != 0) {
        i++;
    }
    return i < schedule->op_count ? i : -1;
}

static pba_status read_origin(const json_t *item, pba_schedule *schedule)
{
    static const char *const keys[] = {"op", "version", "plugin", NULL};
    schedule_origin origin = {.version = 0};
    char op[PBA_NAME_MAX];
    if (!json_is_object(item)) {
        return status_set(PBA_FORMAT, "is no object");
    }
    pba_status status = schedule_fields_known(item, keys);
    if (status == PBA_OK) {
        status = schedule_field_text(item, "op", op, sizeof op);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(item, "version", 1, 1 << 30, &origin.version);
    }
    if (status == PBA_OK) {
        status = schedule_field_text(item, "plugin", origin.plugin, sizeof origin.plugin);
    }
    if (status == PBA_OK && !schedule_name_is_legal(origin.plugin)) {
        status = status_set(PBA_FORMAT, "field 'plugin': is no name of a plug-in");
    }
    int index = status == PBA_OK ? find_op(schedule, op) : -1;
    if (status == PBA_OK && (index < 0 || schedule->origins[index].version)) {
        status = status_set(PBA_FORMAT, "field 'op': %s is %s", op,
                            index < 0 ? "none of the schedule's" : "there twice");
    }
    if (status == PBA_OK) {
        schedule->origins[index] = origin;
    }
    return status;
}

static pba_status read_plugins(const json_t *root, pba_schedule *schedule)
{
    json_t *list = NULL;
    pba_status status = schedule_field_list(root, "plugins", &list);
    for (size_t i = 0; status == PBA_OK && i < json_array_size(list); i++) {
        status = read_origin(json_array_get(list, i), schedule);
        if (status != PBA_OK) {
            status_prefix(status, "field 'plugins': item %zu", i);
        }
    }
    return status;
}

static pba_status read_counts(const json_t *root, schedule_counts *counts)
{
    json_t *list = NULL;
    double shares[SCHEDULE_COUNTS_MAX];
    pba_status status = schedule_field_list(root, "count_probs", &list);
    size_t count = json_array_size(list);
    if (status != PBA_OK) {
        return status;
    }
    if (count < 1 || count > SCHEDULE_COUNTS_MAX) {
        return status_set(PBA_FORMAT, "field 'count_probs': must be 1 to %d numbers",
                          SCHEDULE_COUNTS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_number(item)) {
            return status_set(PBA_FORMAT, "field 'count_probs': item %zu is no number", i);
        }
        shares[i] = json_number_value(item);
    }
    status = schedule_counts_set(shares, (int)count, counts);
    return status == PBA_USAGE ? PBA_FORMAT : status;
}

static pba_status read_event(const json_t *item, schedule_event *event)
{
    static const char *const keys[] = {"target", "source", "target_epoch", "source_epoch", NULL};
    if (!json_is_object(item)) {
        return status_set(PBA_FORMAT, "is no object");
    }
    pba_status status = schedule_fields_known(item, keys);
    if (status == PBA_OK) {
        status = schedule_field_text(item, "target", event->target, sizeof event->target);
    }
    if (status == PBA_OK) {
        status = schedule_field_text(item, "source", event->source, sizeof event->source);
    }
    if (status == PBA_OK) {
        status =
            schedule_field_int(item, "target_epoch", 0, SCHEDULE_EPOCHS_MAX, &event->target_epoch);
    }
    if (status == PBA_OK) {
        status =
            schedule_field_int(item, "source_epoch", 0, SCHEDULE_EPOCHS_MAX, &event->source_epoch);
    }
    return status;
}

static pba_status read_segment(pba_schedule *schedule, const json_t *item, const json_t *event_item)
{
    static const char *const keys[] = {"epochs", "policy", NULL};
    int epochs;
    pba_policy policy;
    schedule_event event;
    if (!json_is_object(item)) {
        return status_set(PBA_FORMAT, "is no object");
    }
    pba_status status = schedule_fields_known(item, keys);
    if (status == PBA_OK) {
        status = schedule_field_int(item, "epochs", 0, SCHEDULE_EPOCHS_MAX, &epochs);
    }
    if (status == PBA_OK) {
        status = schedule_policy_parse(json_object_get(item, "policy"), schedule->ops,
                                       schedule->op_count, schedule->copies, &policy);
    }
    if (status == PBA_OK && event_item) {
        status = read_event(event_item, &event);
        if (status != PBA_OK) {
            return status_prefix(status, "its lineage");
        }
    }
    if (status == PBA_OK) {
        status = schedule_append(schedule, epochs, &policy, event_item ? &event : NULL);
    }
    return status == PBA_USAGE ? PBA_FORMAT : status;
}

static pba_status read_segments(const json_t *root, pba_schedule *schedule)
{
    json_t *list;
    pba_status status = schedule_field_list(root, "segments", &list);
    if (status != PBA_OK) {
        return status;
    }
    const json_t *lineage = json_object_get(root, "lineage");
    size_t count = json_array_size(list);
    if (count == 0 || count > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_FORMAT, "field 'segments': %zu segments; 1..%d are possible", count,
                          SCHEDULE_EPOCHS_MAX);
    }
    if (lineage && (!json_is_array(lineage) || json_array_size(lineage) != count - 1)) {
        return status_set(PBA_FORMAT,
                          "field 'lineage': must be a list of %zu events, one for each "
                          "segment but the first",
                          count - 1);
    }
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        const json_t *event = lineage && i > 0 ? json_array_get(lineage, i - 1) : NULL;
        status = read_segment(schedule, json_array_get(list, i), event);
        if (status != PBA_OK) {
            status_prefix(status, "segment %zu", i);
        }
    }
    return status;
}

static pba_status read_length(const json_t *root, const pba_schedule *schedule)
{
    int epochs;
    pba_status status = schedule_field_int(root, "epochs", 1, SCHEDULE_EPOCHS_MAX, &epochs);
    if (status == PBA_OK && epochs != schedule->epochs) {
        status = status_set(PBA_FORMAT, "field 'epochs': %d, but the segments add up to %d", epochs,
                            schedule->epochs);
    }
    return status;
}

static bool has(const json_t *object, const char *key)
{
    return json_object_get(object, key) != NULL;
}

static pba_status read_source(const json_t *item, schedule_source *source)
{
    static const char *const keys[] = {"dataset",  "model",       "seed",      "population",
                                       "interval", "pixel_scale", "val_error", NULL};
    if (!json_is_object(item)) {
        return status_set(PBA_FORMAT, "is no object");
    }
    pba_status status = schedule_fields_known(item, keys);
    if (has(item, "dataset") && status == PBA_OK) {
        status = schedule_field_text(item, "dataset", source->dataset, sizeof source->dataset);
    }
    if (has(item, "model") && status == PBA_OK) {
        status = schedule_field_text(item, "model", source->model, sizeof source->model);
    }
    if (has(item, "seed") && status == PBA_OK) {
        status = schedule_field_seed(item, "seed", &source->seed);
    }
    if (has(item, "population") && status == PBA_OK) {
        status = schedule_field_int(item, "population", 0, 1000000, &source->population);
    }
    if (has(item, "interval") && status == PBA_OK) {
        status = schedule_field_int(item, "interval", 0, SCHEDULE_EPOCHS_MAX, &source->interval);
    }
    if (has(item, "pixel_scale") && status == PBA_OK) {
        status = schedule_field_real(item, "pixel_scale", 0, 1e6, &source->pixel_scale);
    }
    if (has(item, "val_error") && status == PBA_OK) {
        status = schedule_field_real(item, "val_error", 0, 1, &source->val_error);
    }
    source->known = true;
    return status;
}

static pba_status read_fields(const json_t *root, pba_schedule **schedule)
{
    static const char *const keys[] = {"format",   "version", "space",       "ops",
                                       "plugins",  "copies",  "count_probs", "epochs",
                                       "segments", "lineage", "source",      NULL};
    pba_status status = schedule_field_format(root, format, VERSION);
    if (status == PBA_OK) {
        status = schedule_fields_known(root, keys);
    }
    if (status == PBA_OK) {
        status = read_space(root);
    }
    if (status == PBA_OK) {
        status = read_ops(root, schedule);
    }
    if (status == PBA_OK && has(root, "plugins")) {
        status = read_plugins(root, *schedule);
    }
    if (status == PBA_OK && has(root, "count_probs")) {
        status = read_counts(root, &(*schedule)->counts);
    }
    if (status == PBA_OK) {
        status = read_segments(root, *schedule);
    }
    if (status == PBA_OK) {
        status = read_length(root, *schedule);
    }
    if (status == PBA_OK && has(root, "source")) {
        status = read_source(json_object_get(root, "source"), &(*schedule)->source);
        if (status != PBA_OK) {
            status_prefix(status, "field 'source'");
        }
    }
    return status;
}

pba_status schedule_json_read(const char *path, const char *text, size_t size,
                              pba_schedule **schedule)
{
    json_t *root;
    *schedule = NULL;
    pba_status status = schedule_json_parse(text, size, &root);
    if (status == PBA_OK) {
        status = read_fields(root, schedule);
        json_decref(root);
    }
    if (status != PBA_OK) {
        pba_schedule_free(*schedule);
        *schedule = NULL;
        return status_prefix(status, "%s", path);
    }
    return PBA_OK;
}
