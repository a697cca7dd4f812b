/* SPDX-License-Identifier: Apache-2.0
 * A comparison inside: arms.c reads the list of arms, compare.c opens, run.c trains, result.c tells
 * what came of it. Its folder holds config.json, a training run's folder for each arm and, at the
 * end, report.html, comparison.svg and, written last, result.json. */
#ifndef COMPARE_COMPARE_H
#define COMPARE_COMPARE_H

#include <stdatomic.h>

#include "train/training.h"

typedef struct compare_arm {
    char augment[PBA_PATH_MAX];
    char name[PBA_NAME_MAX]; /* of its folder: "2-randaugment-2-9" */
    char run[PBA_PATH_MAX];

    /* Guarded by the comparison's lock. */
    pba_training *training; /* open from when it is needed until it is done; else NULL */
    int at_work;            /* workers that take seeds of it */
    bool begun, finished;
    pba_status status; /* the first failure of those workers */

    /* Guarded by `telling`: image passes of its run, at its first event and now. */
    double first, done;
    bool told;
    pba_observer observer; /* its run's */
    pba_comparison *comparison;
    int index;
} compare_arm;

struct pba_comparison {
    pba_compare_options options; /* paths are absolute */
    compare_arm *arms;
    int arm_count, workers;
    bool resumed, ran, complete;
    const char *note; /* to be said as it goes on, for all arms; NULL: nothing */
    task_data data;   /* of all arms */
    int lock_file;    /* of run_hold: while running, and from when it is resumed */

    /* While running. */
    const pba_observer *observer;
    pthread_mutex_t lock;    /* the arms' state */
    pthread_mutex_t telling; /* events come from several runs at once */
    atomic_bool failed;
    pba_status status; /* of the first failure, and its message */
    char message[1024];
    double start, passes; /* seconds; image passes of one arm */

    /* The end. */
    pba_arm *results;
    double *errors;
    char *texts;
};

/* arms.c: the list as text into `arms` (malloc'd), with paths made absolute; and back. PBA_USAGE
 * for a list that is none, and for one that is too long with full paths. */
pba_status compare_read_arms(const char *text, compare_arm **arms, int *count);
pba_status compare_arms_text(const compare_arm *arms, int count, char text[PBA_PATH_MAX]);

/* PBA_USAGE and so on for an arm that is no kind of augmentation, run or schedule. */
pba_status compare_check_arm(const compare_arm *arm);

/* compare.c: the arm's training run, fresh or gone on with. */
pba_status compare_open_arm(const pba_comparison *comparison, compare_arm *arm,
                            const pba_observer *observer);
/* Of the first arm that is open; NULL: none is, since all are finished. */
pba_training *compare_open_training(const pba_comparison *comparison);
bool compare_is_finished(const compare_arm *arm);

/* result.c: fills `results`; writes the files. */
pba_status compare_read_results(pba_comparison *comparison);
pba_status compare_write_results(const pba_comparison *comparison);

#endif
