/* SPDX-License-Identifier: Apache-2.0 */
#include "search/journal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "schedule/fields.h"

struct journal {
    char path[PBA_PATH_MAX];
    int descriptor;
    json_t *lines; /* those read from the file */
    size_t next;   /* of them, the first that is not consumed */
};

/* How many bytes of the text are whole lines that hold an object each; they are added to `lines`.
 * Only the end of a file can be torn: something else further up is damage. */
static pba_status read_lines(journal *journal, const char *text, size_t size, size_t *whole)
{
    *whole = 0;
    while (*whole < size) {
        const char *line = text + *whole, *end = memchr(line, '\n', size - *whole);
        if (!end) {
            return PBA_OK;
        }
        size_t next = (size_t)(end - text) + 1;
        json_t *object;
        pba_status status = schedule_json_parse(line, (size_t)(end - line), &object);
        if (status == PBA_MEMORY) { /* not torn: it must not be cut off */
            return status_prefix(status, "%s", journal->path);
        }
        if (status != PBA_OK) {
            return next == size ? PBA_OK
                                : status_set(PBA_FORMAT, "%s: line %zu: is damaged", journal->path,
                                             json_array_size(journal->lines) + 1);
        }
        if (json_array_append_new(journal->lines, object) != 0) {
            return status_set(PBA_MEMORY, "%s: out of memory", journal->path);
        }
        *whole = next;
    }
    return PBA_OK;
}

static pba_status read_file(journal *journal)
{
    char *text;
    size_t size, whole;
    pba_status status = file_read(journal->path, JOURNAL_MAX, &text, &size);
    if (status != PBA_OK) {
        return status;
    }
    status = read_lines(journal, text, size, &whole);
    free(text);
    return status == PBA_OK && whole < size ? file_cut(journal->descriptor, journal->path, whole)
                                            : status;
}

static pba_status open_locked(journal *journal)
{
    pba_status status = file_append_open(journal->path, &journal->descriptor);
    if (status != PBA_OK) {
        return status;
    }
    status = file_hold(journal->descriptor, journal->path);
    return status == PBA_OK ? read_file(journal) : status;
}

pba_status journal_open(const char *path, journal **result)
{
    *result = NULL;
    journal *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->descriptor = -1;
    fresh->lines = json_array();
    snprintf(fresh->path, sizeof fresh->path, "%s", path);
    pba_status status =
        fresh->lines ? open_locked(fresh) : status_set(PBA_MEMORY, "%s: out of memory", path);
    if (status != PBA_OK) {
        journal_close(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void journal_close(journal *journal)
{
    if (journal) {
        if (journal->descriptor >= 0) {
            close(journal->descriptor);
        }
        json_decref(journal->lines);
        free(journal);
    }
}

const json_t *journal_peek(const journal *journal)
{
    return json_array_get(journal->lines, journal->next);
}

void journal_skip(journal *journal)
{
    journal->next++;
}

pba_status journal_refuse(const journal *journal, const char *reason)
{
    return status_set(PBA_FORMAT, "%s: line %zu: %s", journal->path, journal->next + 1, reason);
}

/* A line that a resumed search comes to again. */
static pba_status repeat(journal *journal, const json_t *line)
{
    if (!json_equal(journal_peek(journal), line)) {
        return journal_refuse(journal, "is not what this search says at that point; was it made by "
                                       "other data or another version?");
    }
    journal_skip(journal);
    return PBA_OK;
}

pba_status journal_commit(journal *journal, json_t *line)
{
    char *text;
    pba_status status =
        schedule_json_dump(line, JSON_COMPACT | JSON_REAL_PRECISION(17), journal->path, &text);
    if (status == PBA_OK) {
        status = journal_peek(journal) ? repeat(journal, line)
                                       : file_append(journal->descriptor, journal->path, text);
    }
    free(text);
    json_decref(line);
    return status;
}

json_t *journal_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
