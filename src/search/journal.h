/* SPDX-License-Identifier: Apache-2.0
 * journal.jsonl, the truth about a search: one JSON object per line, appended and synced, never
 * changed. A line that stands there already is compared instead of written again, so that a resumed
 * search either continues the same story or stops with an error. */
#ifndef SEARCH_JOURNAL_H
#define SEARCH_JOURNAL_H

#include <jansson.h>

#include "core/status.h"

enum { JOURNAL_MAX = 1 << 30 }; /* bytes; a longer one is not read */

typedef struct journal journal;

/* Opens or creates, and keeps other processes out until it is closed (PBA_EXISTS: one is in there).
 * A torn last line, left by a crash, is cut off. */
pba_status journal_open(const char *path, journal **journal);
void journal_close(journal *journal);

/* Lines read from the file that are not consumed yet; the oldest of them, NULL at the end. */
const json_t *journal_peek(const journal *journal);
void journal_skip(journal *journal);

/* Refuses the oldest line that is not consumed yet: PBA_FORMAT with file, line and reason. */
pba_status journal_refuse(const journal *journal, const char *reason);

/* Consumes the oldest line, which must equal this one, or appends where all are consumed. Takes
 * over the line; NULL stands for one that could not be made. */
pba_status journal_commit(journal *journal, json_t *line);

/* A number as JSON, null where it is infinite or none. */
json_t *journal_real(double value);

#endif
