/* SPDX-License-Identifier: Apache-2.0
 * Epochs of one network. A task is what a recipe opens (data, network, augmentation), shared and
 * read-only; a trainer is one thread's executor, which runs any member's block through its plans.
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include "augment/pipeline.h"
#include "nn/backend.h"
#include "nn/model.h"
#include "nn/optimizer.h"

/* Data sets that are open: of one task, or of several, one after the other. */
typedef struct task_data {
    pba_dataset *dataset;
    pba_dataset *other; /* whose images are scored on; NULL: the data set's own */
    bool drawn;         /* the splits stand as all tasks want them: several may be open at a time */
} task_data;

typedef struct task {
    pba_recipe recipe; /* "auto" and 0 replaced by what they stand for */
    pba_dataset *dataset;
    task_data owned;    /* what task_open opened; nothing where they are somebody else's */
    bool other_stored;  /* of another data set: its stored validation images are scored on */
    int other_left_out; /* images drawn from it that are training or test images here */
    double other_bytes;
    pba_dataset_info info;
    pipeline *pipeline; /* with the baseline augmentation */
    nn_graph *graph;
    const nn_backend *backend;
    nn_rate rate;
    const uint8_t **images[3]; /* by pba_split: the pixels of each image, owned by the data set */
    uint32_t *ids[3];          /* its stored number, which keys its augmentation */
    int *labels[3];
    int counts[3];
} task;

/* Opens data, draws splits, builds the network; checks every setting against them (PBA_USAGE: fewer
 * training images than a batch). `choice` as in pipeline_options. recipe->val_size -1: none set
 * apart. The observer (may be NULL) is told of the opening. */
pba_status task_open(const pba_recipe *recipe, const char *dataset, const augment_choice *choice,
                     const pba_observer *observer, task **task);
void task_free(task *task);

/* The two halves of task_open. The data sets, `other` (NULL or "": none) at the size that the first
 * one has, must outlive the tasks; a task draws their splits anew, unless they are `drawn`. With
 * another data set, its images are the validation images, and none are set apart from the first. */
pba_status task_data_open(const pba_recipe *recipe, const char *dataset, const char *other,
                          const pba_observer *observer, task_data *data);
void task_data_free(task_data *data);
pba_status task_open_on(const pba_recipe *recipe, const task_data *data,
                        const augment_choice *choice, task **task);

/* Room for a split's images; its count. */
pba_status task_allocate_split(task *task, pba_split split, int count);
/* other.c: images of another data set become the validation split. PBA_USAGE where they do not fit
 * (the message does not name the data set). */
pba_status task_score_on(task *task, pba_dataset *other);

/* A data set alone, with what a recipe or an evaluation says of it in `options`. */
pba_status task_open_dataset(const char *path, const pba_dataset_options *options,
                             const pba_observer *observer, pba_dataset **dataset);

/* What the task itself holds: mostly the pixels. */
double task_bytes(const task *task);

typedef struct trainer trainer;

/* Compiles the plans. Sets OpenMP's thread count of the calling thread, which must be the one that
 * uses the trainer. The number of threads decides about the last bits of what is computed, the
 * number of cores does not. */
pba_status trainer_create(const task *task, int threads, trainer **trainer);
void trainer_free(trainer *trainer);
size_t trainer_bytes(const trainer *trainer);
int trainer_evaluation_batch(const trainer *trainer); /* images between two asks of stop */

/* Where a trainer's time went since it was created: seconds by part, image passes. */
typedef struct trainer_times {
    double augment;                    /* training images into the network's input */
    double load, forward, backward;    /* the network; load: weights into its layouts */
    double loss, optimize;             /* cross-entropy; clipping, decay and step */
    double normalize, evaluate, score; /* evaluation: input, forward passes, answers */
    int64_t trained, evaluated;        /* images, the padding of a last batch included */
} trainer_times;

const trainer_times *trainer_spent(const trainer *trainer);

typedef struct trainer_epoch {
    uint64_t seed;
    uint32_t member;
    int epoch, epochs;        /* epoch 0..epochs-1 */
    const pba_policy *policy; /* NULL: what the task's choice draws by itself, if anything */
    const pba_schedule *pool; /* instead of `policy`, for each image the one of a random epoch */
    int max_steps;            /* 0: the whole epoch; otherwise stop after so many */
} trainer_epoch;

typedef struct trainer_figures {
    double loss, accuracy; /* means over the epoch's training images as they were seen */
    int64_t images;
    /* Where the epoch stands: steps done and their sums. All 0 before an epoch. */
    int steps;
    double loss_sum;
    int64_t correct;
} trainer_figures;

/* Trains one epoch from where `figures` stand: floor(train/batch) steps, images reshuffled, tail
 * dropped. PBA_INTERRUPTED when observer->stop says so, between two steps; called again with block
 * and figures as they are then, it goes on as if nothing had been. A loss that is NaN or infinite
 * ends the epoch early with that loss and PBA_OK. */
pba_status trainer_run_epoch(trainer *trainer, float *block, const trainer_epoch *epoch,
                             const pba_observer *observer, trainer_figures *figures);

/* Steps of an epoch: floor(train/batch). */
int task_steps(const task *task);

/* Error (share of wrong answers, 0..1) and mean loss on a whole split, without augmentation. */
pba_status trainer_evaluate(trainer *trainer, const float *block, pba_split split,
                            const pba_observer *observer, double *error, double *loss);

#endif
