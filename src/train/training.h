/* SPDX-License-Identifier: Apache-2.0
 * A training run inside: training.c opens it, training_run.c runs it on workers, training_folder.c
 * keeps what it has reached. */
#ifndef TRAIN_TRAINING_H
#define TRAIN_TRAINING_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "train/checkpoint.h"
#include "train/measure.h"
#include "train/order.h"
#include "train/run.h"
#include "train/tensorboard.h"

struct pba_training {
    pba_train_options options;
    task *task;
    augment_choice choice; /* with the schedule as it was found */
    const order *order;
    int workers, threads;
    measure measure; /* of the task's steps; 0: not measured yet */
    pba_training_result *results;
    bool *finished; /* by seed: its result stands */
    bool resumed;   /* its folder is a run's already */
    bool complete;
    const char *note;        /* to be said once as it goes on; NULL: nothing */
    const task_data *opened; /* by somebody else; NULL: the run opens its own */
    tensorboard *board;      /* NULL: none is wanted */
    int lock_file;           /* of run_hold: while running, and from when a run is resumed */

    /* While running. */
    const pba_observer *observer;
    atomic_bool stopping; /* it said so */
    pthread_mutex_t lock; /* next seed, events, figures of progress */
    int next;
    double start, reported, done; /* seconds, seconds since the start, image passes */
    run_spent spent;              /* in all sittings, up to the last save */
    double counted;               /* up to when its wall time is in there */
};

/* One network on its way. */
typedef struct training_state {
    int index; /* of the seed */
    uint64_t seed;
    float *block;
    int epoch;               /* that runs, or is next */
    trainer_figures figures; /* of that epoch so far; of the last one at the end */
    double saved;            /* when the last checkpoint was written */
    double counted;          /* up to when its time is in training->spent */
    char note[1024];         /* what was to be said of it as it was loaded, or "" */
} training_state;

double training_total(const pba_training *training); /* image passes of the whole run */

/* Threads of each network: the weights depend on it, so it is settled once, when a run begins. */
int training_threads(int asked, int seeds);
/* Networks at a time, on which nothing depends but the time: where each has several threads never
 * more than there are cores for, whatever was asked. */
int training_workers(int asked, int threads, int networks);

/* training.c: as pba_training_create_with and resume_with, on data that are open already, with
 * splits as the options say, and outlive the run. NULL: the run opens its own. */
pba_status training_create_on(const task_data *opened, const pba_train_options *options,
                              const pba_observer *observer, pba_training **training);
pba_status training_resume_on(const task_data *opened, const char *run, int workers,
                              const pba_observer *observer, pba_training **training);

/* training_run.c: a run whose seeds are shared out by somebody else. Begins; takes seeds on the
 * calling thread until none is left (any number of threads at once); ends, once all are back, with
 * the status of the worst of them. */
pba_status training_begin(pba_training *training, const pba_observer *observer);
pba_status training_work(pba_training *training);
pba_status training_end(pba_training *training, pba_status status);

/* training_folder.c. Without a folder (options.out "") all of these do nothing and return PBA_OK.
 */
pba_status training_folder_begin(pba_training *training); /* makes and locks it */
void training_folder_end(pba_training *training);
/* The results of finished seeds; `complete` where the whole run was finished, else holds it. */
pba_status training_folder_read(pba_training *training);
/* The state of a seed that was under way, or a fresh network. A checkpoint that is damaged gives
 * way to the one before it, with a note. */
pba_status training_folder_load(const pba_training *training, training_state *state);
pba_status training_folder_save(const pba_training *training, training_state *state);
/* Weights first, then the result, which is the mark that the seed is finished. */
pba_status training_folder_finish_seed(const pba_training *training, const training_state *state);
pba_status training_folder_finish(const pba_training *training);
/* Removes what lies in checkpoint/ of a finished run, whose result.json has it all; a crash just
 * before the end may have left it, half written files, too. */
void training_folder_drop(const char *run, uint64_t first_seed, int seeds);

#endif
