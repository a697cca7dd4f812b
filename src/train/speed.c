/* SPDX-License-Identifier: Apache-2.0
 * pba_training_measure: several networks train and are evaluated at once, as a search's workers
 * would, in repetitions that begin together. What they compute is thrown away. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "core/memory.h"
#include "core/observer.h"
#include "core/threads.h"
#include "train/measure.h"
#include "train/training.h"

enum { MEMBERS_MAX = 1024, REPETITIONS_MAX = 1000, STEPS_MAX = 10000 };

/* Images per second of one repetition. */
typedef struct rates {
    double training, network, evaluation;
} rates;

typedef struct trial {
    const pba_training *training;
    const pba_observer *observer;
    pba_measure_options options;
    rates *rates; /* members x repetitions */
    pthread_barrier_t barrier;
    atomic_bool failed; /* some member's: the others end with it, at the same barrier */
    atomic_bool stopping;
    double plan_bytes;
    int evaluation_batch;
} trial;

typedef struct runner {
    trial *trial;
    trainer *trainer;
    float *block;
    uint32_t member;
    int epoch, batches; /* batches: of evaluation that are still to do */
} runner;

static bool wants_stop(void *user)
{
    trial *trial = user;
    return observer_stops_all(trial->observer, &trial->stopping);
}

/* Every epoch starts at the same weights' rate: `epochs` is out of reach. */
static pba_status train_steps(runner *runner, int steps)
{
    pba_policy policy = measure_policy();
    pba_observer observer = {.stop = wants_stop, .user = runner->trial};
    pba_status status = PBA_OK;
    while (steps > 0 && status == PBA_OK) {
        trainer_figures figures = {0};
        trainer_epoch epoch = {.member = runner->member,
                               .epoch = runner->epoch++,
                               .epochs = 1 << 20,
                               .policy = &policy,
                               .max_steps = steps};
        status = trainer_run_epoch(runner->trainer, runner->block, &epoch, &observer, &figures);
        int done = figures.steps;
        if (status == PBA_OK && (!done || figures.loss - figures.loss != 0)) {
            return status_set(PBA_DIVERGED, "the network that was to be measured diverged; give a "
                                            "smaller --lr");
        }
        steps -= done;
    }
    return status;
}

static bool enough_batches(void *user)
{
    runner *runner = user;
    return runner->batches-- <= 0 || wants_stop(runner->trial);
}

/* Batches of one pass over the split at a time. */
static pba_status evaluate_batches(runner *runner, int batches)
{
    const task *task = runner->trial->training->task;
    pba_observer observer = {.stop = enough_batches, .user = runner};
    int batch = trainer_evaluation_batch(runner->trainer);
    int whole = (task->counts[PBA_TEST] + batch - 1) / batch;
    for (; batches > 0; batches -= whole) {
        double error, loss;
        runner->batches = batches;
        pba_status status =
            trainer_evaluate(runner->trainer, runner->block, PBA_TEST, &observer, &error, &loss);
        if (status != PBA_OK && (status != PBA_INTERRUPTED || runner->trial->stopping)) {
            return status;
        }
    }
    return PBA_OK;
}

/* Waits for all members; false where one of them has failed. */
static bool together(trial *trial, pba_status status)
{
    if (status != PBA_OK) {
        trial->failed = true;
    }
    pthread_barrier_wait(&trial->barrier);
    return !trial->failed;
}

/* How many fill a repetition, from the time of one. */
static int count_for(const runner *runner, double seconds)
{
    double count = runner->trial->options.seconds / seconds;
    return count < 1 ? 1 : count > STEPS_MAX ? STEPS_MAX : (int)count;
}

static pba_status step_of_each(runner *runner, double *training, double *evaluation)
{
    double start = clock_now();
    pba_status status = train_steps(runner, 1);
    *training = clock_now() - start;
    if (status == PBA_OK) {
        status = evaluate_batches(runner, 1);
    }
    *evaluation = clock_now() - start - *training;
    return status;
}

/* The first step touches memory for the first time; the second is timed, where it matters. */
static pba_status calibrate(runner *runner, int *steps, int *batches)
{
    double training, evaluation;
    pba_status status = step_of_each(runner, &training, &evaluation);
    if (status == PBA_OK && runner->trial->options.seconds > 0) {
        status = step_of_each(runner, &training, &evaluation);
        *steps = count_for(runner, training);
        *batches = count_for(runner, evaluation);
    }
    return status;
}

static pba_status time_training(runner *runner, int steps, rates *rates)
{
    double images = (double)steps * runner->trial->training->task->recipe.batch;
    double before = trainer_spent(runner->trainer)->augment, start = clock_now();
    pba_status status = train_steps(runner, steps);
    double seconds = clock_now() - start;
    rates->training = images / seconds;
    rates->network = images / (seconds - (trainer_spent(runner->trainer)->augment - before));
    return status;
}

static pba_status time_evaluation(runner *runner, int batches, rates *rates)
{
    int64_t before = trainer_spent(runner->trainer)->evaluated;
    double start = clock_now();
    pba_status status = evaluate_batches(runner, batches);
    rates->evaluation =
        (double)(trainer_spent(runner->trainer)->evaluated - before) / (clock_now() - start);
    return status;
}

/* All members pass every barrier, or none: whoever fails says so at the next one. */
static pba_status run_repetitions(runner *runner, pba_status status)
{
    trial *trial = runner->trial;
    rates *rates = trial->rates + (size_t)runner->member * (size_t)trial->options.repetitions;
    int steps = 1, batches = 1;
    if (status == PBA_OK) {
        status = calibrate(runner, &steps, &batches);
    }
    for (int i = 0; i < trial->options.repetitions; i++) {
        if (!together(trial, status)) {
            return status;
        }
        status = time_training(runner, steps, &rates[i]);
        if (!together(trial, status)) {
            return status;
        }
        status = time_evaluation(runner, batches, &rates[i]);
    }
    return status;
}

static pba_status run_member(void *context, int index)
{
    trial *trial = context;
    const task *task = trial->training->task;
    runner runner = {.trial = trial, .member = (uint32_t)index};
    runner.block = memory_aligned(task->graph->block, sizeof *runner.block);
    pba_status status =
        runner.block ? trainer_create(task, trial->options.threads, &runner.trainer) : PBA_MEMORY;
    if (status == PBA_OK) {
        nn_initialize(task->graph, runner.block, 0, runner.member);
    }
    status = run_repetitions(&runner, status);
    if (status == PBA_OK && index == 0) {
        trial->plan_bytes = (double)trainer_bytes(runner.trainer);
        trial->evaluation_batch = trainer_evaluation_batch(runner.trainer);
    }
    trainer_free(runner.trainer);
    free(runner.block);
    return status;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Over repetitions, of the members' sum. `offset`: of the figure in rates. */
static pba_status spread(const trial *trial, size_t offset, pba_spread *result)
{
    int count = trial->options.repetitions;
    double *sums = memory_new((size_t)count, sizeof *sums);
    if (!sums) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < trial->options.members * count; i++) {
        sums[i % count] += *(const double *)((const char *)&trial->rates[i] + offset);
    }
    qsort(sums, (size_t)count, sizeof *sums, ascending);
    *result = (pba_spread){.median = (sums[(count - 1) / 2] + sums[count / 2]) / 2,
                           .min = sums[0],
                           .max = sums[count - 1]};
    free(sums);
    return PBA_OK;
}

static pba_status fill_speed(const trial *trial, pba_training_speed *speed)
{
    const task *task = trial->training->task;
    speed->model = task->recipe.model;
    speed->baseline = task->recipe.baseline;
    speed->precision = task->recipe.precision;
    speed->batch = task->recipe.batch;
    speed->evaluation_batch = trial->evaluation_batch;
    speed->training_flops = 2 * nn_training_macs(task->graph);
    speed->evaluation_flops = 2 * nn_forward_macs(task->graph);
    speed->plan_bytes = trial->plan_bytes;
    speed->block_bytes = (double)(task->graph->block * sizeof(float));
    pba_status status = spread(trial, offsetof(rates, training), &speed->training);
    if (status == PBA_OK) {
        status = spread(trial, offsetof(rates, network), &speed->network);
    }
    return status == PBA_OK ? spread(trial, offsetof(rates, evaluation), &speed->evaluation)
                            : status;
}

static pba_status run_trial(trial *trial, pba_training_speed *speed)
{
    size_t count = (size_t)trial->options.members * (size_t)trial->options.repetitions;
    trial->rates = memory_new(count, sizeof *trial->rates);
    if (!trial->rates) {
        return PBA_MEMORY;
    }
    if (pthread_barrier_init(&trial->barrier, NULL, (unsigned)trial->options.members) != 0) {
        return status_set(PBA_MEMORY, "a barrier could not be made");
    }
    pba_status status = threads_run(trial->options.members, run_member, trial);
    pthread_barrier_destroy(&trial->barrier);
    return status == PBA_OK ? fill_speed(trial, speed) : status;
}

static pba_status check_options(const pba_measure_options *options)
{
    int64_t cores = (int64_t)options->members * options->threads;
    if (options->members < 1 || options->members > MEMBERS_MAX || options->threads < 1 ||
        options->threads > MEMBERS_MAX || cores > MEMBERS_MAX || options->repetitions < 1 ||
        options->repetitions > REPETITIONS_MAX || !(options->seconds >= 0)) {
        return status_set(PBA_USAGE,
                          "members times threads must be 1..%d, repetitions 1..%d, seconds 0 or "
                          "more",
                          MEMBERS_MAX, REPETITIONS_MAX);
    }
    return PBA_OK;
}

pba_status pba_training_measure(pba_training *training, const pba_measure_options *options,
                                const pba_observer *observer, pba_training_speed *speed)
{
    if (!training || !options || !speed) {
        return status_null(__func__);
    }
    trial trial = {.training = training, .observer = observer, .options = *options};
    trial.options.members = options->members ? options->members : pba_cores();
    pba_status status = check_options(&trial.options);
    if (status != PBA_OK) {
        return status;
    }
    *speed = (pba_training_speed){.members = trial.options.members,
                                  .threads = options->threads,
                                  .repetitions = options->repetitions};
    status = pba_peak_measure(speed->members * speed->threads, &speed->peak);
    if (status == PBA_OK) {
        status = run_trial(&trial, speed);
    }
    free(trial.rates);
    return status;
}
