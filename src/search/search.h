/* SPDX-License-Identifier: Apache-2.0
 * A search: a population driven by worker threads, with everything that it decides in the journal.
 * Workers run any member; what a member is lives in its block. */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/clock.h"
#include "search/directory.h"
#include "train/measure.h"
#include "train/run.h"
#include "train/tensorboard.h"

/* A member's task whose checkpoint turned out to be lost or damaged: its epochs are trained again
 * from the checkpoint before it, which lies in blocks[slot]. Where several slots need it, the first
 * one is trained, and the others copy its block. */
typedef struct search_repair {
    pba_task task;
    int slot, source; /* source == slot: trained */
} search_repair;

struct pba_search {
    pba_search_options options; /* dataset: an absolute path, or "demo" */
    char dataset[256];          /* what the schedule calls it: the last part of the path */
    char notes[2048];           /* for the plan and the first event */
    int workers;
    const char *ops[PBA_POLICY_MAX]; /* that policies are made of */
    int op_count;
    schedule_counts counts;
    task_data data;
    task *task;         /* NULL where a finished run was opened */
    measure measure;    /* of the task's steps; 0: not measured yet */
    pba_schedule *from; /* that members start from; NULL: from nothing */
    pba_population *population;
    journal *journal; /* NULL until the run directory is there */
    float **blocks;   /* of each member */

    /* The round: its tasks, in member order, and those of the round before. */
    pba_task *tasks, *before;
    int round, rounds;
    bool *scored; /* by member */
    bool *begun;  /* its task of this round was handed out in the round before */
    bool *early;  /* its task of the next round is handed out already */
    int scored_count, lost_count;
    int best; /* member of the last round that ended */
    double best_error;

    /* Of a search that goes on: done before any task is handed out. */
    search_repair *repairs;
    int repair_count, repair_next, repairs_left; /* left: to be trained */

    /* The end. */
    pba_schedule *schedule;
    double val_error;
    bool finished;

    /* While running, guarded by `lock`. */
    const pba_observer *observer;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    int next; /* task to hand out */
    bool started, over, ran;
    atomic_bool stopping;
    pba_status status; /* of the first failure, and its message */
    char message[1024];
    double start, reported;  /* seconds */
    double done, first_done; /* units of work: 1 a trained image, EVALUATION_WORK a scored one */
    pba_search_times times;  /* added to by workers that end */
    run_spent spent;         /* in the sittings before this one */
    tensorboard *board;      /* NULL: none is wanted */
};

#define EVALUATION_WORK (1.0 / 3) /* of a forward and backward pass */

/* What a score line says, beside who and when. */
typedef struct search_score {
    double error, val_loss, loss, accuracy;
} search_score;

/* search.c */
double search_training_work(const pba_search *search, const pba_task *task); /* no evaluation */
double search_task_work(const pba_search *search, const pba_task *task);
double search_work(const pba_search *search);
bool search_drifts(const pba_search *search); /* no selection: policies change, nobody copies */
/* Adds to what is said of the plan. */
void search_note(pba_search *search, const char *format, ...) __attribute__((format(printf, 2, 3)));
pba_status search_allocate_blocks(pba_search *search);
pba_status search_check_options(const pba_search_options *options);
/* The observer is told while the task is opened. */
pba_status search_new(const pba_search_options *options, bool resumed, const pba_observer *observer,
                      pba_search **search);
/* On search->data, where they are open already. */
pba_status search_open_task(pba_search *search);

/* rounds.c: the population's side, the same for a run and for a replay of its journal. */
pba_status search_open_round(pba_search *search); /* tasks of the next round; none at the end */
bool search_at_end(const pba_search *search);
json_t *search_score_line(const pba_task *task, const search_score *score);
json_t *search_copy_line(const pba_task *task);
/* A task of the next round that follows from what is told already. Under the lock. */
bool search_early_task(pba_search *search, pba_task *task);
/* Tells the population; at the end of a round, commits its copies and opens the next one. */
pba_status search_tell(pba_search *search, int member, double error, bool *turned);
pba_status search_finish(pba_search *search);
/* What all sittings have taken up to now; kept in the folder for the next one. */
run_spent search_spent(const pba_search *search);
pba_status search_keep_spent(const pba_search *search);

/* resume.c: tells a fresh population what the journal says. */
pba_status search_replay(pba_search *search);

/* files.c: PBA_USAGE where a file could grow beyond what is read back; the most bytes of a journal
 * of so many lines, the policies of which have so many entries. */
pba_status search_check_files(const pba_search *search);
double search_journal_most(double scores, double changes, int entries);

/* events.c: all under the lock. */
void search_report(pba_search *search, pba_event event);

#endif
