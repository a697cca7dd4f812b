/* SPDX-License-Identifier: Apache-2.0
 * A training run: one network per seed from scratch under one kind of augmentation, scored on the
 * test split after its last epoch (never at its best one). One network uses all cores; several run
 * one per core. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/threads.h"
#include "train/checkpoint.h"
#include "train/measure.h"
#include "train/order.h"
#include "train/run.h"
#include "train/settings.h"

static const pba_setting rows[] = {
    RECIPE_ROWS("wrn-28-10", "200",
                "Images kept out of training, as a search of the same split seed would; 0: none."),
    {"dataset", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, dataset), 0, 0, "", "DATASET",
     NULL, "Path of the data, recognized by content, or demo.", false},
    {"augment", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, augment), 0, 0, "baseline",
     "KIND", NULL,
     "How training images are augmented: none, baseline, autoaugment:cifar10, the run folder of a "
     "search and so on; pba policies lists the kinds.",
     false},
    {"schedule-order", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, schedule_order), 0, 0,
     "in-order", ORDER_NAMES, ORDER_NAMES,
     "What is kept of a schedule, to see what matters in it: all of it; its last policy "
     "throughout; its segments in random order; for each image the policy of a random epoch; "
     "nothing but one random policy throughout; nothing but its segments' lengths, each under a "
     "random policy. What is random is drawn from each network's seed.",
     false},
    {"preset", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, preset), 0, 0, "", "NAME", NULL,
     "Starts from the settings of a published experiment (pba presets lists them); options that "
     "are "
     "given beside it win.",
     false},
    {"seeds", PBA_SETTING_INT, SETTING_FIELD(pba_train_options, seeds), 1, 1000, "1", "N", NULL,
     "Trains N networks, with seed, seed + 1 and so on, and gives mean and range.", false},
    {"workers", PBA_SETTING_INT, SETTING_FIELD(pba_train_options, workers), 0, 1024, "0", "N", NULL,
     "Networks that train at the same time; 0: one per core.", true},
    {"out", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, out), 0, 0, "", "RUN", NULL,
     "Folder for figures and weights, made anew.", true},
};

struct pba_training {
    pba_train_options options;
    task *task;
    augment_choice choice; /* with the schedule as it was found */
    const order *order;
    int workers, threads;
    pba_training_result *results;
    int finished;

    /* While running. */
    const pba_observer *observer;
    pthread_mutex_t lock; /* next seed, events, figures of progress */
    int next;
    double start, reported, done; /* seconds, seconds since the start, image passes */
};

static const double REPORT_SECONDS = 0.2;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

const pba_setting *pba_train_settings(size_t *count)
{
    *count = sizeof rows / sizeof *rows;
    return rows;
}

/* ------------------------------------------------------------------ opening */

static pba_status open_augmentation(pba_training *training)
{
    const pba_train_options *options = &training->options;
    training->order =
        options->schedule_order[0] ? order_find(options->schedule_order) : order_at(0);
    if (!training->order) {
        return status_set(PBA_USAGE, "schedule-order '%s': use one of " ORDER_NAMES,
                          options->schedule_order);
    }
    pba_status status = augment_choice_parse(options->augment, &training->choice);
    if (status == PBA_OK && training->order != order_at(0) && !training->choice.schedule) {
        status = status_set(PBA_USAGE,
                            "schedule-order %s: augmentation '%s' has no schedule; name a run or a "
                            "schedule file",
                            options->schedule_order, options->augment);
    }
    return status;
}

static pba_status open_task(pba_training *training)
{
    pba_recipe recipe = training->options.recipe;
    recipe.val_size = recipe.val_size ? recipe.val_size : -1;
    return task_open(&recipe, training->options.dataset, &training->choice, &training->task);
}

/* An error of 0 and more where the settings started from a published experiment. */
static double published_error(const pba_train_options *options)
{
    pba_preset preset;
    return options->preset[0] && pba_preset_find("train", options->preset, &preset) == PBA_OK
               ? preset.published_error
               : -1;
}

static pba_status open_all(pba_training *training)
{
    pba_preset preset;
    const pba_train_options *options = &training->options;
    pba_status status = options->out[0] ? run_check(options->out) : PBA_OK;
    if (status == PBA_OK && options->preset[0]) {
        status = pba_preset_find("train", options->preset, &preset);
    }
    if (status == PBA_OK && !options->dataset[0]) {
        status = status_set(PBA_USAGE, "no data set was named; give a path, or demo");
    }
    if (status == PBA_OK) {
        status = open_augmentation(training);
    }
    if (status == PBA_OK) {
        status = open_task(training);
    }
    if (status == PBA_OK && !training->task->counts[PBA_TEST]) {
        status = status_set(PBA_USAGE, "%s: there are no test images", options->dataset);
    }
    return status;
}

pba_status pba_training_create(const pba_train_options *options, pba_training **result)
{
    if (!options || !result) {
        return status_set(PBA_USAGE, "pba_training_create: an argument is NULL");
    }
    pba_training *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->options = *options;
    int cores = pba_cores(), workers = options->workers ? options->workers : cores;
    fresh->workers = workers < options->seeds ? workers : options->seeds;
    fresh->threads = options->seeds == 1 ? cores : 1;
    pba_status status = pthread_mutex_init(&fresh->lock, NULL) == 0 ? open_all(fresh) : PBA_MEMORY;
    fresh->results = memory_new((size_t)options->seeds, sizeof *fresh->results);
    if (status == PBA_OK && !fresh->results) {
        status = PBA_MEMORY;
    }
    if (status != PBA_OK) {
        pba_training_free(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void pba_training_free(pba_training *training)
{
    if (!training) {
        return;
    }
    pthread_mutex_destroy(&training->lock);
    augment_choice_free(&training->choice);
    task_free(training->task);
    free(training->results);
    free(training);
}

/* ------------------------------------------------------------------ plan */

static double total_passes(const pba_training *training)
{
    const pba_train_options *options = &training->options;
    return (double)options->seeds * options->recipe.epochs * task_steps(training->task) *
           training->task->recipe.batch;
}

pba_status pba_training_plan(pba_training *training, pba_plan *plan)
{
    const task *task = training->task;
    const pba_train_options *options = &training->options;
    measure measure;
    pba_status status = measure_run(task, training->workers, training->threads, &measure);
    int turns = (options->seeds + training->workers - 1) / training->workers;
    *plan = (pba_plan){.members = options->seeds,
                       .rounds = 1,
                       .epochs = options->recipe.epochs,
                       .workers = training->workers,
                       .threads = training->threads,
                       .train_images = task->counts[PBA_TRAIN],
                       .val_images = task->counts[PBA_VALIDATION],
                       .test_images = task->counts[PBA_TEST],
                       .parameters = task->graph->parameters,
                       .image_passes = total_passes(training),
                       .model = task->recipe.model,
                       .baseline = task->recipe.baseline,
                       .notes = task->info.notes};
    plan->seconds = turns * (measure.step_seconds * task_steps(task) * plan->epochs +
                             measure.evaluation_seconds * plan->test_images);
    plan->bytes =
        training->workers * (measure.trainer_bytes + (double)task->graph->block * sizeof(float)) +
        task_bytes(task);
    return status;
}

/* ------------------------------------------------------------------ running */

static void report(pba_training *training, pba_event event)
{
    const pba_observer *observer = training->observer;
    double total = total_passes(training);
    event.done = training->done;
    event.total = total;
    event.seconds = now() - training->start;
    training->reported = event.seconds;
    event.seconds_left =
        training->done > 0 ? event.seconds / training->done * (total - training->done) : -1;
    if (observer && observer->event) {
        observer->event(observer->user, &event);
    }
}

/* One network's epoch as its trainer asks before every step whether to stop: the pulse of the
 * progress line. */
typedef struct pulse {
    pba_training *training;
    double own; /* image passes of this epoch that are in training->done */
    bool began;
} pulse;

static bool on_step(void *user)
{
    pulse *pulse = user;
    pba_training *training = pulse->training;
    const pba_observer *observer = training->observer;
    pthread_mutex_lock(&training->lock);
    if (pulse->began) {
        pulse->own += training->options.recipe.batch;
        training->done += training->options.recipe.batch;
    }
    pulse->began = true;
    if (now() - training->start - training->reported >= REPORT_SECONDS) {
        report(training, (pba_event){.kind = PBA_EVENT_PROGRESS});
    }
    pthread_mutex_unlock(&training->lock);
    return observer && observer->stop && observer->stop(observer->user);
}

static void report_epoch(const pulse *pulse, int index, int epoch, const trainer_figures *figures)
{
    pba_training *training = pulse->training;
    pthread_mutex_lock(&training->lock);
    training->done += (double)figures->images - pulse->own;
    report(training, (pba_event){.kind = PBA_EVENT_EPOCH,
                                 .member = index,
                                 .epoch = epoch,
                                 .epochs = training->options.recipe.epochs,
                                 .loss = figures->loss,
                                 .accuracy = figures->accuracy});
    pthread_mutex_unlock(&training->lock);
}

static pba_status train_epoch(pba_training *training, trainer *trainer, float *block, int index,
                              const trainer_epoch *epoch, trainer_figures *figures)
{
    pulse pulse = {.training = training};
    pba_observer observer = {.stop = on_step, .user = &pulse};
    pba_status status = trainer_run_epoch(trainer, block, epoch, &observer, figures);
    if (status != PBA_OK) {
        return status;
    }
    report_epoch(&pulse, index, epoch->epoch, figures);
    if (!(figures->loss <= 1e30)) {
        return status_set(PBA_DIVERGED,
                          "the loss of seed %llu became infinite or no number in epoch %d; a "
                          "smaller --lr may help",
                          (unsigned long long)epoch->seed, epoch->epoch + 1);
    }
    return PBA_OK;
}

static pba_status train_epochs(pba_training *training, trainer *trainer, float *block, int index,
                               trainer_figures *figures)
{
    const pba_recipe *recipe = &training->options.recipe;
    uint64_t seed = recipe->seed + (uint64_t)index;
    order_policies policies;
    pba_status status =
        order_begin(training->order, &training->choice, seed, recipe->epochs, &policies);
    for (int e = 0; e < recipe->epochs && status == PBA_OK; e++) {
        trainer_epoch epoch = {.seed = seed, .epoch = e, .epochs = recipe->epochs};
        status = order_epoch(&policies, &epoch);
        if (status == PBA_OK) {
            status = train_epoch(training, trainer, block, index, &epoch, figures);
        }
    }
    order_end(&policies);
    return status;
}

static pba_status save_weights(const pba_training *training, const float *block, uint64_t seed)
{
    char name[PBA_NAME_MAX], path[PBA_PATH_MAX];
    const pba_train_options *options = &training->options;
    double mean[3], deviation[3];
    if (!options->out[0]) {
        return PBA_OK;
    }
    snprintf(name, sizeof name, "weights-%llu.safetensors", (unsigned long long)seed);
    pba_status status = file_join(path, options->out, name);
    if (status == PBA_OK) {
        status = pba_dataset_statistics(training->task->dataset, mean, deviation);
    }
    if (status != PBA_OK) {
        return status;
    }
    char means[128], deviations[128];
    snprintf(means, sizeof means, "%.17g %.17g %.17g", mean[0], mean[1], mean[2]);
    snprintf(deviations, sizeof deviations, "%.17g %.17g %.17g", deviation[0], deviation[1],
             deviation[2]);
    const char *metadata[] = {"model",     options->recipe.model,
                              "augment",   options->augment,
                              "dataset",   options->dataset,
                              "mean",      means,
                              "deviation", deviations,
                              NULL};
    return weights_save(path, training->task->graph, block, metadata);
}

static pba_status train_seed(pba_training *training, trainer *trainer, float *block, int index)
{
    pba_training_result *result = &training->results[index];
    trainer_figures figures = {0};
    double started = now(), loss;
    result->seed = training->options.recipe.seed + (uint64_t)index;
    memset(block, 0, training->task->graph->block * sizeof *block);
    nn_initialize(training->task->graph, block, result->seed, 0);
    pba_status status = train_epochs(training, trainer, block, index, &figures);
    if (status == PBA_OK) {
        status = trainer_evaluate(trainer, block, PBA_TEST, training->observer, &result->test_error,
                                  &loss);
    }
    if (status == PBA_OK) {
        status = save_weights(training, block, result->seed);
    }
    result->train_accuracy = figures.accuracy;
    result->train_loss = figures.loss;
    result->seconds = now() - started;
    return status;
}

static int take_seed(pba_training *training)
{
    pthread_mutex_lock(&training->lock);
    int index = training->next < training->options.seeds ? training->next++ : -1;
    pthread_mutex_unlock(&training->lock);
    return index;
}

static pba_status train_worker(void *context, int number)
{
    (void)number;
    pba_training *training = context;
    trainer *trainer = NULL;
    float *block = memory_aligned(training->task->graph->block, sizeof *block);
    pba_status status =
        block ? trainer_create(training->task, training->threads, &trainer) : PBA_MEMORY;
    for (int index; status == PBA_OK && (index = take_seed(training)) >= 0;) {
        status = train_seed(training, trainer, block, index);
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

static pba_status write_result(const pba_training *training)
{
    const pba_train_options *options = &training->options;
    json_t *seeds = json_array();
    double sum = 0;
    for (int i = 0; i < options->seeds; i++) {
        const pba_training_result *each = &training->results[i];
        sum += each->test_error;
        json_array_append_new(
            seeds, json_pack("{s:I, s:f, s:f, s:f, s:f}", "seed", (json_int_t)each->seed,
                             "test_error", each->test_error, "train_accuracy", each->train_accuracy,
                             "train_loss", each->train_loss, "seconds", each->seconds));
    }
    double published = published_error(options);
    json_t *error = published >= 0 ? json_real(published) : NULL;
    return run_write_json(
        options->out, "result.json",
        json_pack("{s:s*, s:o*, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:o}", "preset",
                  options->preset[0] ? options->preset : NULL, "published_error", error, "model",
                  options->recipe.model, "augment", options->augment, "epochs",
                  options->recipe.epochs, "train_images", training->task->counts[PBA_TRAIN],
                  "test_images", training->task->counts[PBA_TEST], "threads", training->threads,
                  "mean_test_error", sum / options->seeds, "seeds", seeds));
}

static pba_status prepare_folder(const pba_training *training)
{
    const char *out = training->options.out;
    pba_status status = file_make_folder(out);
    return status == PBA_OK ? run_write_config(out, "train", &training->options, rows,
                                               sizeof rows / sizeof *rows)
                            : status;
}

pba_status pba_training_run(pba_training *training, const pba_observer *observer)
{
    pba_status status = training->options.out[0] ? prepare_folder(training) : PBA_OK;
    if (status != PBA_OK) {
        return status;
    }
    training->observer = observer;
    training->start = now();
    training->reported = 0;
    training->done = 0;
    training->next = 0;
    status = threads_run(training->workers, train_worker, training);
    if (status == PBA_OK) {
        training->finished = training->options.seeds;
    }
    return status == PBA_OK && training->options.out[0] ? write_result(training) : status;
}

size_t pba_training_results(const pba_training *training, const pba_training_result **results)
{
    *results = training->results;
    return (size_t)training->finished;
}

const char *pba_training_directory(const pba_training *training)
{
    return training->options.out;
}
