/* SPDX-License-Identifier: Apache-2.0
 * What the folders of searches and training runs have in common: where they may be, and
 * config.json, which is enough to run the job again. */
#ifndef TRAIN_RUN_H
#define TRAIN_RUN_H

#include <jansson.h>

#include "train/trainer.h"

/* Whether a job may create `path`, without leaving anything behind: PBA_EXISTS where a run is there
 * already (the message names --resume), PBA_IO where the folder could not be created or written. */
pba_status run_check(const char *path);

/* Writes config.json: format, version, kind ("search", "train", "compare"), versions of the
 * libraries, and the recipe's settings as text (rows that say only where or how fast are left out,
 * the data set's path is kept); the operations of plug-ins that are loaded, with their versions;
 * and the sums of what the task is made of. */
pba_status run_write_config(const char *folder, const char *kind, const void *options,
                            const pba_setting *rows, size_t count, const task *task);

/* Reads config.json back into options (already initialized). PBA_FORMAT for another format or kind,
 * or a version newer than this program's. Loads the run's plug-ins, whose operations must be the
 * same; those that are loaded already do. */
pba_status run_read_config(const char *folder, const char *kind, void *options,
                           const pba_setting *rows, size_t count);

/* Keeps other processes out of the folder of a training run or a comparison, which is made where it
 * is not there, by a lock on a file in its checkpoint/, until let go (or the process ends). What
 * the folder holds is to be looked at behind this. `descriptor` is -1 where nothing is held.
 * PBA_EXISTS: somebody is in there. */
pba_status run_hold(const char *folder, int *descriptor);
void run_let_go(int *descriptor);
#define RUN_LOCK "checkpoint/lock"
/* The file, and checkpoint/ if it is empty then; of a job that is finished, before it lets go. */
void run_drop_lock(const char *folder);

/* Whether a run that goes on is made of what it began with, as fingerprint_check says. `note`: what
 * is to be said as it goes on, where it was begun by another build or on another kind of processor;
 * else NULL. */
pba_status run_check_made_of(const char *folder, const task *task, const char **note);

/* Values set by hand go through the same rows as those from a command line. `scratch`: a copy of
 * the options. PBA_USAGE. */
pba_status run_check_settings(const void *options, void *scratch, const pba_setting *rows,
                              size_t count);

/* Reads a file of at most 1 MiB that holds a JSON object; messages name file, line and column. Free
 * with json_decref. */
pba_status run_read_json(const char *folder, const char *name, json_t **root);

/* Writes an object as an indented file, whole or not at all; gives the object back. */
pba_status run_write_json(const char *folder, const char *name, json_t *object);

/* What a run has taken in all its sittings: wall time, and that times the cores that it held. */
typedef struct run_spent {
    double seconds, core_seconds;
} run_spent;

/* Kept in the folder's checkpoint/ until the result has it; zeros where nothing is kept, or what is
 * kept is damaged: it is no reason to lose the run. What a killed process took since it last saved
 * is lost. PBA_MEMORY. */
pba_status run_read_spent(const char *folder, run_spent *spent);
pba_status run_write_spent(const char *folder, const run_spent *spent);
void run_drop_spent(const char *folder);

/* Of a job that had begun: where a file could not be written, its message tells how to go on. */
pba_status run_kept(pba_status status, const char *folder);

#endif
