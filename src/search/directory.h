/* SPDX-License-Identifier: Apache-2.0
 * The run directory: config.json, journal.jsonl, checkpoint/, and at the end schedule.json,
 * schedule.txt and, last of all, result.json, which says that the search is finished. */
#ifndef SEARCH_DIRECTORY_H
#define SEARCH_DIRECTORY_H

#include "search/journal.h"
#include "train/run.h"

/* Whether a search may be started in this folder; leaves nothing behind. */
pba_status directory_check(const char *run);

/* The copy of the schedule that a search was started from, in its folder. */
#define DIRECTORY_FROM "from.json"

/* Creates the folder with config.json (`task`: what it is made of), an empty journal and the copy
 * of `from` (NULL: none), all or nothing. */
pba_status directory_create(const char *run, const pba_search_options *options,
                            const pba_schedule *from, const task *task, journal **journal);

/* Options as config.json has them. */
pba_status directory_read(const char *run, pba_search_options *options);
/* As it was left; PBA_NOT_FOUND where it is not there. */
pba_status directory_reopen_journal(const char *run, journal **journal);

/* One file per member and round. */
pba_status directory_checkpoint(const char *run, int round, int member, char path[PBA_PATH_MAX]);
/* Removes the checkpoints of rounds below `rounds`; of all rounds and their folder, at the end. As
 * far as possible: nothing depends on it. */
void directory_drop_checkpoints(const char *run, int rounds);
void directory_end_checkpoints(const char *run);

bool directory_finished(const char *run);
pba_status directory_write_result(const char *run, const pba_schedule *schedule, int member,
                                  double error, const run_spent *spent);
pba_status directory_read_result(const char *run, pba_schedule **schedule, double *error);

#endif
