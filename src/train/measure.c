/* SPDX-License-Identifier: Apache-2.0 */
#include "train/measure.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/observer.h"
#include "core/threads.h"

enum { WARM_STEPS = 2, STEPS = 7, STEPS_MOST = 512, EVALUATION_BATCHES = 3 };
static const double ENOUGH_SECONDS = 3;

typedef struct trial {
    const task *task;
    int threads;
    double seconds;
    const pba_observer *observer;
    atomic_bool stopping;
    measure *results; /* one per worker */
} trial;

static bool wants_stop(void *user)
{
    trial *trial = user;
    return observer_stops_all(trial->observer, &trial->stopping);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

pba_policy measure_policy(void)
{
    pba_policy policy = {.entries = 30};
    for (int i = 0; i < policy.entries; i++) {
        policy.values[2 * i] = 5;
        policy.values[2 * i + 1] = 4;
    }
    return policy;
}

/* An eighth is left out at either end. */
static double middle_mean(double *times, int count)
{
    int cut = (count + 7) / 8 < count / 2 ? (count + 7) / 8 : 0;
    double sum = 0;
    qsort(times, (size_t)count, sizeof *times, ascending);
    for (int i = cut; i < count - cut; i++) {
        sum += times[i];
    }
    return sum / (count - 2 * cut);
}

/* A first step compiles and warms up; where it alone takes seconds, it is the measurement. */
static pba_status time_steps(trial *trial, trainer *trainer, float *block, double *result)
{
    pba_policy policy = measure_policy();
    pba_observer observer = {.stop = wants_stop, .user = trial};
    trainer_epoch epoch = {.epochs = 1, .policy = &policy, .max_steps = 1};
    double times[STEPS_MOST], spent = 0, seconds = trial->seconds;
    double most = seconds > ENOUGH_SECONDS ? seconds : ENOUGH_SECONDS;
    int count = 0;
    for (int i = 0; count < STEPS_MOST && (count < STEPS || spent < seconds); i++) {
        trainer_figures figures = {0};
        double start = clock_now();
        pba_status status = trainer_run_epoch(trainer, block, &epoch, &observer, &figures);
        if (status != PBA_OK) {
            return status;
        }
        double took = clock_now() - start;
        spent += took;
        if (i >= WARM_STEPS || spent > most) {
            times[count++] = took;
        }
        if (spent > most) {
            break;
        }
    }
    *result = middle_mean(times, count);
    return PBA_OK;
}

/* Asked before every batch of an evaluation; ends it after a few. */
typedef struct stopwatch {
    trial *trial;
    double last, shortest;
    int asked;
} stopwatch;

static bool stopwatch_ask(void *user)
{
    stopwatch *watch = user;
    double time = clock_now();
    if (watch->asked++ && (watch->asked == 2 || time - watch->last < watch->shortest)) {
        watch->shortest = time - watch->last;
    }
    watch->last = time;
    return watch->asked > EVALUATION_BATCHES || wants_stop(watch->trial);
}

static pba_status time_evaluation(trial *trial, trainer *trainer, const float *block,
                                  double *seconds)
{
    const task *task = trial->task;
    pba_split split = task->counts[PBA_VALIDATION] ? PBA_VALIDATION : PBA_TEST;
    stopwatch watch = {.trial = trial};
    pba_observer observer = {.stop = stopwatch_ask, .user = &watch};
    double error, loss, start = clock_now();
    *seconds = 0;
    if (!task->counts[split]) {
        return PBA_OK;
    }
    pba_status status = trainer_evaluate(trainer, block, split, &observer, &error, &loss);
    if (status != PBA_OK && (status != PBA_INTERRUPTED || trial->stopping)) {
        return status;
    }
    *seconds = watch.asked > 1 ? watch.shortest / trainer_evaluation_batch(trainer)
                               : (clock_now() - start) / task->counts[split];
    return PBA_OK;
}

static pba_status measure_worker(void *context, int index)
{
    trial *trial = context;
    const nn_graph *graph = trial->task->graph;
    measure *result = &trial->results[index];
    trainer *trainer = NULL;
    float *block = memory_aligned(graph->block, sizeof *block);
    double start = clock_now();
    pba_status status = block ? trainer_create(trial->task, trial->threads, &trainer) : PBA_MEMORY;
    result->create_seconds = clock_now() - start;
    if (status == PBA_OK) {
        nn_initialize(graph, block, 0, 0);
        result->trainer_bytes = (double)trainer_bytes(trainer);
        status = time_steps(trial, trainer, block, &result->step_seconds);
    }
    if (status == PBA_OK) {
        status = time_evaluation(trial, trainer, block, &result->evaluation_seconds);
    }
    trainer_free(trainer);
    free(block);
    return status;
}

static void take_means(const trial *trial, int workers, measure *measure)
{
    double used = (double)threads_memory_used(), data = task_bytes(trial->task);
    *measure = trial->results[0];
    for (int i = 1; i < workers; i++) {
        measure->create_seconds += trial->results[i].create_seconds;
        measure->step_seconds += trial->results[i].step_seconds;
        measure->evaluation_seconds += trial->results[i].evaluation_seconds;
    }
    measure->create_seconds /= workers;
    measure->step_seconds /= workers;
    measure->evaluation_seconds /= workers;
    measure->other_bytes = used > data ? used : data;
}

pba_status measure_run(const task *task, int workers, int threads, double seconds,
                       const pba_observer *observer, measure *measure)
{
    trial trial = {.task = task, .threads = threads, .seconds = seconds, .observer = observer};
    trial.results = memory_new((size_t)workers, sizeof *trial.results);
    if (!trial.results) {
        return PBA_MEMORY;
    }
    pba_status status = threads_run(workers, measure_worker, &trial);
    if (status == PBA_OK) {
        take_means(&trial, workers, measure);
    }
    free(trial.results);
    return status;
}
