/* SPDX-License-Identifier: Apache-2.0
 * A run as a report sees it: read from its folder, whatever state that is in, without touching it.
 * Agrees with search/directory.h, search/journal.h and train/training.h on what lies there. */
#ifndef REPORT_RUN_H
#define REPORT_RUN_H

#include <jansson.h>
#include <limits.h>

#include "schedule/schedule.h"

typedef enum report_kind { REPORT_SEARCH, REPORT_TRAINING, REPORT_SCHEDULE } report_kind;

/* A member in a round: what it began with, and how it was scored at the end. */
typedef struct report_cell {
    bool scored;
    double error;          /* 0..1; not finite: its loss became no number */
    double train_accuracy; /* of its last epoch; not finite: not known */
    int source;            /* whose network it began with; its own number: its own */
    const json_t *policy;  /* that it began with, in run->lines; NULL: the one it had */
    bool wins;             /* an ancestor of the best member, or that itself */
    bool lives;            /* an ancestor of a member of the last whole round, or later */
} report_cell;

/* A network of a training run: what it came to, once it is done. */
typedef struct report_seed {
    bool done;
    double error, loss, accuracy; /* test error; of training in its last epoch */
} report_seed;

typedef struct report_run {
    report_kind kind;
    char path[PBA_PATH_MAX];
    char name[NAME_MAX + 1]; /* the path's last part */
    json_t *config;          /* config.json; NULL for a schedule alone */
    json_t *settings;        /* in it: texts by name; an object without members for a schedule */
    json_t *result;          /* result.json; NULL where there is none yet */

    /* A search. Rounds that were begun: cells[round * population + member]. */
    int population, interval, epochs;
    int rounds;       /* of the whole search */
    int begun, whole; /* rounds with a line in the journal; with all of their scores */
    report_cell *cells;
    json_t *lines; /* of the journal */
    int best;      /* the best member of the last whole round; -1: none yet */
    double best_error;

    pba_schedule *schedule; /* of the best member's ancestry; NULL: none yet */

    /* A training run: test errors of the seeds that are done. */
    int seeds, done;
    double *errors;
    uint64_t first_seed;
    report_seed *trained; /* by seed, from the first on */
    uint64_t *numbers;     /* of the seeds that are done */
    double core_seconds;   /* its cost; negative: not known */
    double search_seconds; /* that of the search whose schedule it trained under */
} report_run;

/* A run folder or a schedule file. `epochs`: of a schedule in the log format, else 0. */
pba_status report_run_open(const char *path, int epochs, report_run **run);
void report_run_free(report_run *run);

/* The setting's text; "" where the run has none of that name. */
const char *report_setting(const report_run *run, const char *name);
bool report_finished(const report_run *run);

report_cell *report_cell_at(const report_run *run, int round, int member);
/* Epochs trained at the end of a round. */
int report_round_epoch(const report_run *run, int round);
/* Epochs of the round. */
int report_round_length(const report_run *run, int round);

/* comparison.c: whether the folder is that of a comparison; the folders of its arms that have
 * begun, into PBA_REPORT_RUNS_MAX paths that are empty before, and stay so where there is none. */
pba_status report_is_comparison(const char *path, bool *found);
void report_list_arms(const char *folder, char (*paths)[PBA_PATH_MAX]);

/* journal.c */
pba_status report_read_journal(report_run *run);
/* ancestry.c: marks who wins and lives, and finds the schedule of a search that is not finished. */
pba_status report_trace(report_run *run);
/* And there, the schedule that it fills: no segments yet, but the run's operations. */
pba_status report_create_schedule(report_run *run);
/* training.c */
pba_status report_read_training(report_run *run);

/* Mean of the seeds that are done, and half the width of its 95 % interval (Student's t); negative
 * for fewer than two seeds. */
double report_mean(const report_run *run);
double report_half_width(const report_run *run);

#endif
