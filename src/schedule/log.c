/* SPDX-License-Identifier: Apache-2.0
 * The reference implementation's log of a winner's lineage: one copy per line,
 *     [target, source, target_epochs, source_epochs, old_policy, new_policy]
 * as JSON or as a Python literal, policies as lists or as objects with the key hp_policy (the
 * published files are Python literals with lists, and so is what is written here). It must agree
 * with the reference's parse_log: the first segment lasts source_epochs of line 1 under its old
 * policy, the new policy of line i until source_epochs of line i+1, the last to the end. An old
 * policy of a later line says nothing that is not known already and is not looked at. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "schedule/fields.h"
#include "schedule/schedule.h"

typedef struct log_line {
    int number; /* in the file, from 1 */
    schedule_event event;
    pba_policy old, fresh;
} log_line;

/* ------------------------------------------------- Python literals to JSON */

/* Copies a quoted text as a JSON string; returns the letter behind it, NULL where it does not end.
 */
static const char *quote(const char *from, text_buffer *out)
{
    char mark = *from++;
    text_add_letter(out, '"');
    for (; *from && *from != mark; from++) {
        if (*from == '"') {
            text_add(out, "\\\"");
        } else if (*from == '\\' && from[1] == '\'') {
            text_add_letter(out, *++from);
        } else if (*from == '\\' && from[1]) {
            text_add_letter(out, *from++);
            text_add_letter(out, *from);
        } else {
            text_add_letter(out, *from);
        }
    }
    text_add_letter(out, '"');
    return *from ? from + 1 : NULL;
}

static const char *const words[][2] = {{"True", "true"}, {"False", "false"}, {"None", "null"}};

/* One token outside of texts: a Python word is replaced, the u of u'...' dropped. */
static const char *token(const char *from, text_buffer *out)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i][0]);
        if (strncmp(from, words[i][0], length) == 0) {
            text_add(out, "%s", words[i][1]);
            return from + length;
        }
    }
    if (*from == 'u' && (from[1] == '\'' || from[1] == '"')) {
        return from + 1;
    }
    text_add_letter(out, *from);
    return from + 1;
}

/* The literal of one line as JSON text, for free(). JSON comes through unchanged. */
static pba_status to_json(const char *line, char **text)
{
    text_buffer out = {0};
    const char *each = line;
    while (each && *each) {
        each = *each == '\'' || *each == '"' ? quote(each, &out) : token(each, &out);
    }
    return text_end(&out, "a line", text, NULL);
}

/* ------------------------------------------------------------------ reading */

static pba_status read_name(const json_t *item, const char *what, char *name)
{
    const char *text = json_string_value(item);
    if (!text || !schedule_event_name(text)) {
        return status_set(PBA_FORMAT, "%s: must be a short text of printable letters, no quotes",
                          what);
    }
    memcpy(name, text, strlen(text) + 1);
    return PBA_OK;
}

static pba_status read_epoch(const json_t *item, const char *what, int *epoch)
{
    json_int_t value = json_integer_value(item);
    if (!json_is_integer(item) || value < 0 || value > SCHEDULE_EPOCHS_MAX) {
        return status_set(PBA_FORMAT, "%s: must be an integer 0..%d", what, SCHEDULE_EPOCHS_MAX);
    }
    *epoch = (int)value;
    return PBA_OK;
}

static pba_status read_policy(const json_t *item, const char *what, pba_policy *policy)
{
    const json_t *list = json_is_object(item) ? json_object_get(item, "hp_policy") : item;
    pba_status status = schedule_policy_parse(list, schedule_pba_ops, SCHEDULE_PBA_OPS,
                                              SCHEDULE_PBA_COPIES, policy);
    return status == PBA_OK ? status : status_prefix(status, "%s", what);
}

static pba_status read_items(const json_t *list, log_line *line)
{
    if (!json_is_array(list) || json_array_size(list) != 6) {
        return status_set(PBA_FORMAT, "must be a list of 6: target, source, target epochs, source "
                                      "epochs, old policy, new policy");
    }
    pba_status status = read_name(json_array_get(list, 0), "target", line->event.target);
    if (status == PBA_OK) {
        status = read_name(json_array_get(list, 1), "source", line->event.source);
    }
    if (status == PBA_OK) {
        status = read_epoch(json_array_get(list, 2), "target epochs", &line->event.target_epoch);
    }
    if (status == PBA_OK) {
        status = read_epoch(json_array_get(list, 3), "source epochs", &line->event.source_epoch);
    }
    if (status == PBA_OK) {
        status = read_policy(json_array_get(list, 4), "old policy", &line->old);
    }
    if (status == PBA_OK) {
        status = read_policy(json_array_get(list, 5), "new policy", &line->fresh);
    }
    return status;
}

static pba_status read_line(const char *text, log_line *line)
{
    char *json;
    pba_status status = to_json(text, &json);
    if (status != PBA_OK) {
        return status;
    }
    json_t *list;
    status = schedule_json_load(json, strlen(json), JSON_REJECT_DUPLICATES, &list);
    free(json);
    if (status != PBA_OK) {
        return status == PBA_MEMORY ? status
                                    : status_prefix(status, "neither JSON nor a Python literal");
    }
    status = read_items(list, line);
    json_decref(list);
    return status;
}

static bool blank(const char *line)
{
    return line[strspn(line, " \t\r")] == 0;
}

/* `text` is cut into lines in place. */
static pba_status read_lines(char *text, log_line **lines, int *count)
{
    size_t room = 0;
    int number = 0;
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) {
            *next++ = 0;
        }
        number++;
        if (blank(line)) {
            continue;
        }
        if ((size_t)*count == room) {
            room = room ? 2 * room : 16;
            void *more = memory_grow(*lines, room, sizeof **lines);
            if (!more) {
                return PBA_MEMORY;
            }
            *lines = more;
        }
        (*lines)[*count] = (log_line){.number = number};
        pba_status status = read_line(line, &(*lines)[*count]);
        if (status != PBA_OK) {
            return status_prefix(status, "line %d", number);
        }
        (*count)++;
    }
    return PBA_OK;
}

/* Lines up to and including the last one whose target is not the next one's source belong to
 * another lineage. */
static int chain_start(const log_line *lines, int count)
{
    int start = 0;
    for (int i = 0; i + 1 < count; i++) {
        if (strcmp(lines[i].event.target, lines[i + 1].event.source) != 0) {
            start = i + 1;
        }
    }
    return start;
}

static pba_status append_lines(pba_schedule *schedule, const log_line *lines, int count, int epochs)
{
    pba_status status = schedule_append(schedule, lines[0].event.source_epoch, &lines[0].old, NULL);
    for (int i = 0; i < count && status == PBA_OK; i++) {
        int begin = lines[i].event.source_epoch;
        int end = i + 1 < count ? lines[i + 1].event.source_epoch : epochs;
        status = schedule_append(schedule, end - begin, &lines[i].fresh, &lines[i].event);
    }
    return status;
}

static pba_status check_epochs(const log_line *lines, int count, int epochs)
{
    for (int i = 0; i < count; i++) {
        int at = lines[i].event.source_epoch;
        if (i > 0 && at < lines[i - 1].event.source_epoch) {
            return status_set(PBA_FORMAT, "line %d: source epochs go back from %d to %d",
                              lines[i].number, lines[i - 1].event.source_epoch, at);
        }
        if (at > epochs) {
            return status_set(PBA_FORMAT,
                              "line %d: source epochs %d, but the search is said to have had %d",
                              lines[i].number, at, epochs);
        }
    }
    return PBA_OK;
}

static pba_status build(const log_line *lines, int count, int epochs, pba_schedule **schedule)
{
    int start = chain_start(lines, count);
    pba_status status = check_epochs(lines + start, count - start, epochs);
    if (status == PBA_OK) {
        status = schedule_create(schedule_pba_ops, SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES, schedule);
    }
    if (status == PBA_OK) {
        status = append_lines(*schedule, lines + start, count - start, epochs);
    }
    if (status != PBA_OK) {
        pba_schedule_free(*schedule);
        *schedule = NULL;
    }
    return status;
}

pba_status schedule_log_read(const char *path, const char *text, int epochs,
                             pba_schedule **schedule)
{
    *schedule = NULL;
    char *copy = memory_text(text);
    if (!copy) {
        return PBA_MEMORY;
    }
    log_line *lines = NULL;
    int count = 0;
    pba_status status = read_lines(copy, &lines, &count);
    if (status == PBA_OK && count == 0) {
        status = status_set(PBA_FORMAT, "holds no line");
    }
    if (status == PBA_OK) {
        status = build(lines, count, epochs, schedule);
    }
    free(lines);
    free(copy);
    return status == PBA_OK ? status : status_prefix(status, "%s", path);
}

/* ------------------------------------------------------------------ writing */

static void write_policy(text_buffer *out, const pba_policy *policy)
{
    text_add_letter(out, '[');
    for (int i = 0; i < 2 * policy->entries; i++) {
        text_add(out, "%s%d", i ? ", " : "", policy->values[i]);
    }
    text_add_letter(out, ']');
}

static void write_line(text_buffer *out, const schedule_event *event, const pba_policy *old,
                       const pba_policy *fresh)
{
    text_add(out, "['%s', '%s', %d, %d, ", event->target, event->source, event->target_epoch,
             event->source_epoch);
    write_policy(out, old);
    text_add(out, ", ");
    write_policy(out, fresh);
    text_add(out, "]\n");
}

/* A schedule without lineage is written as one member that goes on from itself. */
static schedule_event event_of(const pba_schedule *schedule, int index, int epoch)
{
    if (schedule->lineage) {
        return schedule->lineage[index];
    }
    return (schedule_event){"0", "0", epoch, epoch};
}

static void write_lines(text_buffer *out, const pba_schedule *schedule)
{
    const schedule_segment *segments = schedule->segments;
    int epoch = segments[0].epochs;
    for (int i = 1; i < schedule->segment_count; i++) {
        schedule_event event = event_of(schedule, i - 1, epoch);
        write_line(out, &event, &segments[i - 1].policy, &segments[i].policy);
        epoch += segments[i].epochs;
    }
    if (schedule->segment_count == 1) {
        /* A log without a line would hold no policy: the only one goes on from itself at the end,
         * which reads back as a segment of no length behind it. */
        schedule_event event = {"0", "0", epoch, epoch};
        write_line(out, &event, &segments[0].policy, &segments[0].policy);
    }
}

bool schedule_log_fits(const pba_schedule *schedule)
{
    bool same = schedule->op_count == SCHEDULE_PBA_OPS && schedule->copies == SCHEDULE_PBA_COPIES &&
                schedule_counts_equal(&schedule->counts, &schedule_pba_counts);
    for (int i = 0; same && i < SCHEDULE_PBA_OPS; i++) {
        same = strcmp(schedule->ops[i], schedule_pba_ops[i]) == 0;
    }
    return same;
}

pba_status schedule_log_write(const pba_schedule *schedule, char **text, size_t *size)
{
    *text = NULL;
    if (!schedule_log_fits(schedule)) {
        return status_set(PBA_UNSUPPORTED,
                          "a log can hold only PBA's fifteen operations, twice, and its "
                          "probabilities of 0, 1 and 2 operations; write a .json file");
    }
    text_buffer out = {0};
    write_lines(&out, schedule);
    return text_end(&out, "a log", text, size);
}
