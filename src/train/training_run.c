/* SPDX-License-Identifier: Apache-2.0
 * Running a training: workers take seeds in order; a network is checkpointed by time, between two
 * steps, and at the end of an epoch, so that a run can be stopped anywhere and goes on to the same
 * bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/observer.h"
#include "core/threads.h"
#include "train/training.h"

static const double REPORT_SECONDS = 0.2;
/* A checkpoint this old is renewed within an epoch, and at an epoch's end. */
static const double SAVE_SECONDS = 300, SAVE_EPOCH_SECONDS = 15;

double training_total(const pba_training *training)
{
    const pba_train_options *options = &training->options;
    return (double)options->seeds * options->recipe.epochs * task_steps(training->task) *
           training->task->recipe.batch;
}

static void report(pba_training *training, pba_event event)
{
    const pba_observer *observer = training->observer;
    double total = training_total(training);
    event.done = training->done;
    event.total = total;
    event.seconds = clock_now() - training->start;
    training->reported = event.seconds;
    event.seconds_left =
        training->done > 0 ? event.seconds / training->done * (total - training->done) : -1;
    if (observer && observer->event) {
        observer->event(observer->user, &event);
    }
}

static bool wants_stop(void *user)
{
    pba_training *training = user;
    return observer_stops_all(training->observer, &training->stopping);
}

/* What a trainer asks before every step whether to stop: the pulse of the progress line, and of the
 * checkpoints. */
typedef struct pulse {
    pba_training *training;
    const training_state *state;
    double own;   /* image passes of this call that are in training->done */
    bool began;   /* the first ask comes before the first step */
    bool stopped; /* the observer said so, not the time */
} pulse;

static bool on_step(void *user)
{
    pulse *pulse = user;
    pba_training *training = pulse->training;
    pthread_mutex_lock(&training->lock);
    if (pulse->began) {
        pulse->own += training->options.recipe.batch;
        training->done += training->options.recipe.batch;
    }
    pulse->began = true;
    if (clock_now() - training->start - training->reported >= REPORT_SECONDS) {
        report(training, (pba_event){.kind = PBA_EVENT_PROGRESS});
    }
    pthread_mutex_unlock(&training->lock);
    pulse->stopped = wants_stop(training);
    return pulse->stopped ||
           (training->options.out[0] && clock_now() - pulse->state->saved >= SAVE_SECONDS);
}

static void report_epoch(pba_training *training, const training_state *state)
{
    pthread_mutex_lock(&training->lock);
    report(training, (pba_event){.kind = PBA_EVENT_EPOCH,
                                 .member = state->index,
                                 .epoch = state->epoch,
                                 .epochs = training->options.recipe.epochs,
                                 .loss = state->figures.loss,
                                 .accuracy = state->figures.accuracy});
    pthread_mutex_unlock(&training->lock);
}

/* The time of a network since it was counted last. Under the lock, which the file needs too. */
static pba_status count_time(pba_training *training, training_state *state)
{
    double now = clock_now();
    int cores = pba_cores(); /* which may be fewer than where the run was begun */
    cores = training->threads < cores ? training->threads : cores;
    training->spent.core_seconds += cores * (now - state->counted);
    training->spent.seconds += now - training->counted;
    training->counted = now;
    state->counted = now;
    return training->options.out[0] ? run_write_spent(training->options.out, &training->spent)
                                    : PBA_OK;
}

static pba_status save(pba_training *training, training_state *state)
{
    pba_status status = training_folder_save(training, state);
    pthread_mutex_lock(&training->lock);
    status = status == PBA_OK ? count_time(training, state) : status;
    pthread_mutex_unlock(&training->lock);
    return status;
}

/* Goes on with an epoch until it ends, or the run is stopped; checkpoints on the way. */
static pba_status run_epoch(pba_training *training, trainer *trainer, training_state *state,
                            const trainer_epoch *epoch)
{
    for (;;) {
        int64_t before = (int64_t)state->figures.steps * training->options.recipe.batch;
        pulse pulse = {.training = training, .state = state};
        pba_observer observer = {.stop = on_step, .user = &pulse};
        pba_status status =
            trainer_run_epoch(trainer, state->block, epoch, &observer, &state->figures);
        pthread_mutex_lock(&training->lock);
        training->done += (double)(state->figures.images - before) - pulse.own;
        pthread_mutex_unlock(&training->lock);
        if (status != PBA_INTERRUPTED) {
            return status;
        }
        status = save(training, state);
        if (status != PBA_OK || pulse.stopped) {
            return status == PBA_OK ? status_set(PBA_INTERRUPTED, "interrupted") : status;
        }
    }
}

static pba_status write_figures(pba_training *training, const training_state *state,
                                const tensorboard_value *values, int count)
{
    char name[PBA_NAME_MAX];
    snprintf(name, sizeof name, "seed-%llu", (unsigned long long)state->seed);
    return tensorboard_write(training->board, state->index, name, state->epoch, values, count);
}

/* Of the epoch that has just been counted. */
static pba_status write_epoch(pba_training *training, const training_state *state)
{
    const task *task = training->task;
    double rate = nn_rate_at(&task->rate, task->recipe.lr, state->epoch - 1,
                             training->options.recipe.epochs, 0, task_steps(task));
    const tensorboard_value values[] = {{"training/loss", state->figures.loss},
                                        {"training/accuracy", state->figures.accuracy},
                                        {"learning-rate", rate}};
    return write_figures(training, state, values, 3);
}

static pba_status end_epoch(pba_training *training, training_state *state)
{
    report_epoch(training, state);
    if (!(state->figures.loss <= 1e30)) {
        const char *out = training->options.out;
        return status_set(PBA_DIVERGED,
                          "%s%sthe loss of seed %llu became infinite or no number in epoch %d; "
                          "start again with a smaller --lr",
                          out, *out ? ": " : "", (unsigned long long)state->seed, state->epoch + 1);
    }
    state->epoch++;
    pba_status status = write_epoch(training, state);
    if (status != PBA_OK || state->epoch == training->options.recipe.epochs) {
        return status; /* the figures stay the last epoch's */
    }
    state->figures = (trainer_figures){0};
    return clock_now() - state->saved >= SAVE_EPOCH_SECONDS ? save(training, state) : PBA_OK;
}

static pba_status train_epochs(pba_training *training, trainer *trainer, training_state *state)
{
    int epochs = training->options.recipe.epochs;
    order_policies policies;
    pba_status status =
        order_begin(training->order, &training->choice, state->seed, epochs, &policies);
    while (status == PBA_OK && state->epoch < epochs) {
        trainer_epoch epoch = {.seed = state->seed, .epoch = state->epoch, .epochs = epochs};
        status = order_epoch(&policies, &epoch);
        if (status == PBA_OK) {
            status = run_epoch(training, trainer, state, &epoch);
        }
        if (status == PBA_OK) {
            status = end_epoch(training, state);
        }
    }
    order_end(&policies);
    return status;
}

static double passes_done(const pba_training *training, const training_state *state)
{
    /* behind the end the figures are those of the last epoch, which is counted already */
    int begun = state->epoch < training->options.recipe.epochs ? state->figures.steps : 0;
    return ((double)state->epoch * task_steps(training->task) + begun) *
           training->task->recipe.batch;
}

static pba_status start_seed(pba_training *training, training_state *state)
{
    state->seed = training->options.recipe.seed + (uint64_t)state->index;
    state->saved = state->counted = clock_now();
    pba_status status = training_folder_load(training, state);
    pthread_mutex_lock(&training->lock);
    training->done += passes_done(training, state);
    if (state->note[0]) {
        report(training, (pba_event){.kind = PBA_EVENT_NOTE, .text = state->note});
    }
    pthread_mutex_unlock(&training->lock);
    if (status == PBA_OK && state->epoch == training->options.recipe.epochs) {
        status = write_epoch(training, state); /* what is written next voids this epoch's */
    }
    return status;
}

static pba_status train_seed(pba_training *training, trainer *trainer, float *block, int index)
{
    pba_training_result *result = &training->results[index];
    training_state state = {.index = index, .block = block};
    pba_observer observer = {.stop = wants_stop, .user = training};
    double started = clock_now(), loss;
    pba_status status = start_seed(training, &state);
    if (status == PBA_OK) {
        status = train_epochs(training, trainer, &state);
    }
    if (status == PBA_OK) {
        status = trainer_evaluate(trainer, block, PBA_TEST, &observer, &result->test_error, &loss);
    }
    if (status == PBA_OK) {
        const tensorboard_value value = {"test/error", result->test_error};
        status = write_figures(training, &state, &value, 1);
    }
    if (status == PBA_INTERRUPTED && state.epoch == training->options.recipe.epochs) {
        pba_status saved = save(training, &state);
        status = saved == PBA_OK ? status : saved;
    }
    if (status != PBA_OK) {
        return status;
    }
    result->seed = state.seed;
    result->train_accuracy = state.figures.accuracy;
    result->train_loss = state.figures.loss;
    result->seconds = clock_now() - started;
    status = training_folder_finish_seed(training, &state);
    pthread_mutex_lock(&training->lock);
    training->finished[index] = status == PBA_OK;
    status = status == PBA_OK ? count_time(training, &state) : status;
    pthread_mutex_unlock(&training->lock);
    return status;
}

/* The next seed that is not finished; -1: none. */
static int take_seed(pba_training *training)
{
    pthread_mutex_lock(&training->lock);
    while (training->next < training->options.seeds && training->finished[training->next]) {
        training->next++;
    }
    int index = training->next < training->options.seeds ? training->next++ : -1;
    pthread_mutex_unlock(&training->lock);
    return index;
}

pba_status training_work(pba_training *training)
{
    int index = take_seed(training);
    if (index < 0) {
        return PBA_OK;
    }
    trainer *trainer = NULL;
    float *block = memory_aligned(training->task->graph->block, sizeof *block);
    pba_status status =
        block ? trainer_create(training->task, training->threads, &trainer) : PBA_MEMORY;
    while (status == PBA_OK && index >= 0) {
        status = train_seed(training, trainer, block, index);
        index = status == PBA_OK ? take_seed(training) : -1;
    }
    if (status != PBA_OK) { /* the others stop at their next seed */
        pthread_mutex_lock(&training->lock);
        training->next = training->options.seeds;
        pthread_mutex_unlock(&training->lock);
    }
    trainer_free(trainer);
    free(block);
    return status;
}

static pba_status train_worker(void *context, int number)
{
    (void)number;
    return training_work(context);
}

pba_status training_begin(pba_training *training, const pba_observer *observer)
{
    double seed = training_total(training) / training->options.seeds;
    training->observer = observer;
    training->start = training->counted = clock_now();
    training->reported = training->done = 0;
    training->next = 0;
    training->stopping = false;
    for (int i = 0; i < training->options.seeds; i++) {
        training->done += training->finished[i] ? seed : 0;
    }
    pba_status status = training_folder_begin(training);
    const pba_train_options *options = &training->options;
    if (status == PBA_OK && options->tensorboard && options->out[0] && !training->board) {
        status = tensorboard_open(options->out, options->seeds, &training->board);
    }
    if (status != PBA_OK) {
        training_folder_end(training);
    }
    return status;
}

pba_status training_end(pba_training *training, pba_status status)
{
    if (status == PBA_OK) {
        status = training_folder_finish(training);
    }
    training->complete = status == PBA_OK;
    training_folder_end(training);
    return status;
}

/* Before the workers start. */
static void say_note(pba_training *training)
{
    if (training->note) {
        report(training, (pba_event){.kind = PBA_EVENT_NOTE, .text = training->note});
        training->note = NULL;
    }
}

pba_status pba_training_run(pba_training *training, const pba_observer *observer)
{
    if (!training) {
        return status_null(__func__);
    }
    if (training->complete) {
        return PBA_OK;
    }
    pba_status status = training_begin(training, observer);
    if (status != PBA_OK) {
        return status;
    }
    say_note(training);
    status = training_end(training, threads_run(training->workers, train_worker, training));
    return training->options.out[0] ? run_kept(status, training->options.out) : status;
}
