/* SPDX-License-Identifier: Apache-2.0
 * The journal of a search, read beside a process that may be writing it: without a lock, and
 * without its last line where that is torn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "report/run.h"
#include "schedule/fields.h"
#include "search/journal.h"

static pba_status parse_lines(report_run *run, const char *path, const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        size_t next = end ? (size_t)(end - text) + 1 : size;
        json_t *line;
        pba_status status = end ? schedule_json_parse(text + at, next - 1 - at, &line) : PBA_FORMAT;
        if (status == PBA_MEMORY) {
            return status_prefix(status, "%s", path);
        }
        if (status != PBA_OK) {
            return next == size ? PBA_OK
                                : status_set(PBA_FORMAT, "%s: line %zu: is damaged", path,
                                             json_array_size(run->lines) + 1);
        }
        if (json_array_append_new(run->lines, line) != 0) {
            return status_set(PBA_MEMORY, "%s: out of memory", path);
        }
        at = next;
    }
    return PBA_OK;
}

static bool has_type(const json_t *line, const char *type)
{
    const char *found = json_string_value(json_object_get(line, "type"));
    return found && strcmp(found, type) == 0;
}

/* Members move in lockstep, so a journal of so many scores cannot have begun more rounds. */
static pba_status make_cells(report_run *run)
{
    size_t index, scores = 0;
    json_t *line;
    json_array_foreach(run->lines, index, line)
    {
        scores += has_type(line, "score");
    }
    size_t rounds = scores / (size_t)run->population + 1;
    run->begun = rounds < (size_t)run->rounds ? (int)rounds : run->rounds;
    run->cells = memory_new((size_t)run->begun * (size_t)run->population, sizeof *run->cells);
    if (!run->cells) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < run->begun * run->population; i++) {
        run->cells[i].source = i % run->population;
    }
    return PBA_OK;
}

/* A share from 0 to 1; NaN where the field is null or missing. */
static pba_status take_share(const json_t *line, const char *key, double *share)
{
    const json_t *value = json_object_get(line, key);
    *share = (double)NAN;
    return value && !json_is_null(value) ? schedule_field_real(line, key, 0, 1, share) : PBA_OK;
}

static pba_status take_score(report_run *run, const json_t *line)
{
    int round, member;
    pba_status status = schedule_field_int(line, "round", 0, run->begun - 1, &round);
    if (status == PBA_OK) {
        status = schedule_field_int(line, "member", 0, run->population - 1, &member);
    }
    if (status == PBA_OK) {
        report_cell *cell = report_cell_at(run, round, member);
        cell->scored = true;
        status = take_share(line, "error", &cell->error);
        if (status == PBA_OK) {
            status = take_share(line, "train_accuracy", &cell->train_accuracy);
        }
    }
    return status;
}

/* What follows round `round` begins the next one; the lines of one that no score has reached yet
 * are of no use. */
static pba_status take_change(report_run *run, const json_t *line, bool copies)
{
    int round, member, source;
    const json_t *policy = json_object_get(line, "policy");
    pba_status status = schedule_field_int(line, "round", 0, run->rounds - 2, &round);
    if (status == PBA_OK) {
        status = schedule_field_int(line, "member", 0, run->population - 1, &member);
    }
    if (status == PBA_OK) {
        source = member;
        status =
            copies ? schedule_field_int(line, "source", 0, run->population - 1, &source) : PBA_OK;
    }
    if (status != PBA_OK) {
        return status;
    }
    if (round + 1 < run->begun) {
        report_cell *cell = report_cell_at(run, round + 1, member);
        cell->source = source;
        cell->policy = policy;
    }
    return PBA_OK;
}

/* Warm start: what a member began the first round with. */
static pba_status take_start(report_run *run, const json_t *line)
{
    int member;
    pba_status status = schedule_field_int(line, "member", 0, run->population - 1, &member);
    if (status == PBA_OK && run->begun) {
        report_cell_at(run, 0, member)->policy = json_object_get(line, "policy");
    }
    return status;
}

static pba_status take_lines(report_run *run, const char *path)
{
    size_t index;
    json_t *line;
    json_array_foreach(run->lines, index, line)
    {
        pba_status status = PBA_OK;
        if (has_type(line, "score")) {
            status = take_score(run, line);
        } else if (has_type(line, "start")) {
            status = take_start(run, line);
        } else if (has_type(line, "exploit") || has_type(line, "explore")) {
            status = take_change(run, line, has_type(line, "exploit"));
        }
        if (status != PBA_OK) {
            return status_prefix(status, "%s: line %zu", path, index + 1);
        }
    }
    return PBA_OK;
}

static bool round_is_whole(const report_run *run, int round)
{
    for (int member = 0; member < run->population; member++) {
        if (!report_cell_at(run, round, member)->scored) {
            return false;
        }
    }
    return true;
}

pba_status report_read_journal(report_run *run)
{
    char path[PBA_PATH_MAX], *text = NULL;
    size_t size;
    pba_status status = file_join(path, run->path, "journal.jsonl");
    if (status == PBA_OK) {
        status = file_read(path, JOURNAL_MAX, &text, &size);
    }
    run->lines = json_array();
    if (status == PBA_OK) {
        status = run->lines ? parse_lines(run, path, text, size) : PBA_MEMORY;
    }
    free(text);
    if (status == PBA_OK) {
        status = make_cells(run);
    }
    if (status == PBA_OK) {
        status = take_lines(run, path);
    }
    while (status == PBA_OK && run->whole < run->begun && round_is_whole(run, run->whole)) {
        run->whole++;
    }
    return status;
}
