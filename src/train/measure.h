/* SPDX-License-Identifier: Apache-2.0
 * How long steps take and how much memory they need, measured before a job starts on blocks that
 * belong to no member: nothing that the job computes depends on it. */
#ifndef TRAIN_MEASURE_H
#define TRAIN_MEASURE_H

#include "train/trainer.h"

typedef struct measure {
    double create_seconds;     /* until the trainers are compiled */
    double step_seconds;       /* one training step of a batch */
    double evaluation_seconds; /* one image */
    double trainer_bytes;      /* plans and buffers of one trainer */
    double other_bytes; /* what the process has without them: data, libraries, compiled code */
} measure;

/* A policy in which every operation is as likely as another, at a middling level. */
pba_policy measure_policy(void);

/* Runs `workers` trainers of `threads` threads at once, as the job will: a few steps, and as many
 * as take `seconds`; means without the slowest and the fastest ones. PBA_INTERRUPTED when
 * observer->stop says so, which is asked before every step. `measure` is left as it was but with
 * PBA_OK. */
pba_status measure_run(const task *task, int workers, int threads, double seconds,
                       const pba_observer *observer, measure *measure);

#endif
