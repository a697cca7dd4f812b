/* SPDX-License-Identifier: Apache-2.0
 * A training run: one network per seed from scratch under one kind of augmentation, scored on the
 * test split after its last epoch (never at its best one). One network uses all cores; several run
 * one per core, unless told otherwise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/plugin.h"
#include "core/file.h"
#include "core/memory.h"
#include "train/run.h"
#include "train/settings.h"
#include "train/training.h"

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
    PLUGIN_SETTING(pba_train_options),
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
    {"budget", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, budget), 0, 0, "", "TIME", NULL,
     "Fits the training of all seeds into TIME (90s, 45m, 1h30m, 2h): measures this machine for "
     "some seconds, then chooses the epochs, and the precision where it is not given.",
     false},
    {"seeds", PBA_SETTING_INT, SETTING_FIELD(pba_train_options, seeds), 1, TRAIN_SEEDS_MAX, "1",
     "N", NULL, "Trains N networks, with seed, seed + 1 and so on, and gives mean and range.",
     false},
    THREADS_ROWS(pba_train_options),
    {"out", PBA_SETTING_TEXT, SETTING_FIELD(pba_train_options, out), 0, 0, "", "RUN", NULL,
     "Folder for figures and weights, made anew.", true},
    TENSORBOARD_ROW(pba_train_options),
};

const pba_setting *pba_train_settings(size_t *count)
{
    if (count) {
        *count = sizeof rows / sizeof *rows;
    }
    return rows;
}

/* ------------------------------------------------------------------ opening */

/* A schedule, a run folder or a policy file is read once: the run keeps a copy, which holds when it
 * is resumed, whatever became of the file. */
static pba_status read_augmentation(pba_training *training)
{
    char copy[PBA_PATH_MAX];
    const char *augment = training->options.augment;
    if (training->resumed && file_join(copy, training->options.out, "schedule.json") == PBA_OK &&
        file_exists(copy)) {
        augment = copy;
    }
    return augment_choice_parse(augment, &training->choice);
}

static pba_status open_augmentation(pba_training *training)
{
    const pba_train_options *options = &training->options;
    training->order =
        options->schedule_order[0] ? order_find(options->schedule_order) : order_at(0);
    if (!training->order) {
        return status_set(PBA_USAGE, "schedule-order '%s': use one of " ORDER_NAMES,
                          options->schedule_order);
    }
    pba_status status = training->resumed ? PBA_OK : augment_plugins_load(options->plugin);
    if (status == PBA_OK && !training->resumed) {
        status = augment_plugins_settle(training->options.plugin, sizeof options->plugin);
    }
    if (status == PBA_OK) {
        status = read_augmentation(training);
    }
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
    pba_status status =
        training->opened
            ? task_open_on(&recipe, training->opened, &training->choice, &training->task)
            : task_open(&recipe, training->options.dataset, &training->choice, training->observer,
                        &training->task);
    if (status == PBA_OK) { /* a resumed run keeps what auto found */
        memcpy(training->options.recipe.precision, training->task->recipe.precision,
               sizeof recipe.precision);
    }
    return status;
}

/* So that the run can be resumed from another folder. */
static pba_status settle_path(char path[PBA_PATH_MAX])
{
    return file_exists(path) ? file_full_path(path, path) : PBA_OK;
}

static pba_status check_options(const pba_training *training)
{
    pba_preset preset;
    const pba_train_options *options = &training->options;
    pba_status status = options->out[0] && !training->resumed ? run_check(options->out) : PBA_OK;
    if (status == PBA_OK && options->preset[0]) {
        status = pba_preset_find("train", options->preset, &preset);
    }
    if (status == PBA_OK && !options->dataset[0]) {
        status = status_set(PBA_USAGE, "no data set was named; give a path, or demo");
    }
    return status;
}

static pba_status open_all(pba_training *training)
{
    pba_train_options *options = &training->options;
    pba_status status = check_options(training);
    if (status == PBA_OK) {
        status = open_augmentation(training);
    }
    if (status == PBA_OK) {
        status = open_task(training);
    }
    if (status == PBA_OK && !training->task->counts[PBA_TEST]) {
        status = status_set(PBA_USAGE, "%s: there are no test images", options->dataset);
    }
    if (status == PBA_OK && strcmp(training->task->info.format, "demo") != 0) {
        status = settle_path(options->dataset);
    }
    if (status == PBA_OK && training->choice.schedule) {
        status = settle_path(options->augment);
    }
    return status;
}

/* What it has reached, and whether it can go on. */
static pba_status open_resumed(pba_training *training)
{
    pba_status status = training_folder_read(training);
    return status == PBA_OK && !training->complete
               ? run_check_made_of(training->options.out, training->task, &training->note)
               : status;
}

int training_threads(int asked, int seeds)
{
    return asked ? asked : seeds == 1 ? pba_cores() : 1;
}

int training_workers(int asked, int threads, int networks)
{
    int room = pba_cores() / threads > 1 ? pba_cores() / threads : 1;
    int workers = asked && (threads == 1 || asked < room) ? asked : room;
    return workers < networks ? workers : networks;
}

static pba_status training_new(const task_data *opened, const pba_train_options *options,
                               bool resumed, const pba_observer *observer, pba_training **result)
{
    pba_training *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->options = *options;
    fresh->resumed = resumed;
    fresh->opened = opened;
    fresh->observer = observer;
    fresh->lock_file = -1;
    pthread_mutex_init(&fresh->lock, NULL);
    fresh->threads = training_threads(options->threads, options->seeds);
    fresh->options.threads = fresh->threads; /* for config.json, from which a resumed run has it */
    fresh->workers = training_workers(options->workers, fresh->threads, options->seeds);
    fresh->results = memory_new((size_t)options->seeds, sizeof *fresh->results);
    fresh->finished = memory_new((size_t)options->seeds, sizeof *fresh->finished);
    pba_status status = fresh->results && fresh->finished ? open_all(fresh) : PBA_MEMORY;
    if (status == PBA_OK && resumed) {
        status = open_resumed(fresh);
    }
    if (status != PBA_OK) {
        pba_training_free(fresh);
        return status;
    }
    fresh->observer = NULL;
    *result = fresh;
    return PBA_OK;
}

pba_status pba_training_create(const pba_train_options *options, pba_training **result)
{
    return pba_training_create_with(options, NULL, result);
}

pba_status pba_training_create_with(const pba_train_options *options, const pba_observer *observer,
                                    pba_training **result)
{
    return training_create_on(NULL, options, observer, result);
}

pba_status training_create_on(const task_data *opened, const pba_train_options *options,
                              const pba_observer *observer, pba_training **result)
{
    if (!options || !result) {
        return status_null("pba_training_create");
    }
    *result = NULL;
    size_t count;
    const pba_setting *all = pba_train_settings(&count);
    pba_train_options own = *options, scratch = *options;
    if (!own.schedule_order[0]) {
        snprintf(own.schedule_order, sizeof own.schedule_order, "%s", order_at(0)->name);
    }
    pba_status status = run_check_settings(&own, &scratch, all, count);
    return status == PBA_OK ? training_new(opened, &own, false, observer, result) : status;
}

pba_status pba_training_resume(const char *run, int workers, pba_training **result)
{
    return pba_training_resume_with(run, workers, NULL, result);
}

pba_status pba_training_resume_with(const char *run, int workers, const pba_observer *observer,
                                    pba_training **result)
{
    return training_resume_on(NULL, run, workers, observer, result);
}

pba_status training_resume_on(const task_data *opened, const char *run, int workers,
                              const pba_observer *observer, pba_training **result)
{
    if (!run || !result) {
        return status_null("pba_training_resume");
    }
    size_t count;
    const pba_setting *all = pba_train_settings(&count);
    pba_train_options options;
    *result = NULL;
    if (workers < 0 || strlen(run) >= sizeof options.out) {
        return status_set(PBA_USAGE, "%s",
                          workers < 0 ? "workers: must not be negative"
                                      : "the path of the run is too long");
    }
    pba_settings_init(&options, all, count);
    pba_status status = run_read_config(run, "train", &options, all, count);
    if (status != PBA_OK) {
        return status;
    }
    snprintf(options.out, sizeof options.out, "%s", run);
    options.workers = workers;
    return training_new(opened, &options, true, observer, result);
}

void pba_training_free(pba_training *training)
{
    if (!training) {
        return;
    }
    training_folder_end(training);
    pthread_mutex_destroy(&training->lock);
    augment_choice_free(&training->choice);
    task_free(training->task);
    tensorboard_close(training->board);
    free(training->results);
    free(training->finished);
    free(training);
}

/* ------------------------------------------------------------------ plan */

pba_status pba_training_plan_with(pba_training *training, const pba_observer *observer,
                                  pba_plan *plan)
{
    if (!training || !plan) {
        return status_null(__func__);
    }
    const task *task = training->task;
    const pba_train_options *options = &training->options;
    int left = options->seeds;
    for (int i = 0; i < options->seeds; i++) {
        left -= training->finished[i];
    }
    measure *measure = &training->measure;
    pba_status status =
        left && !measure->step_seconds
            ? measure_run(task, training->workers, training->threads, 0, observer, measure)
            : PBA_OK;
    int turns = (left + training->workers - 1) / training->workers;
    *plan = (pba_plan){.members = options->seeds,
                       .rounds = 1,
                       .epochs = options->recipe.epochs,
                       .workers = training->workers,
                       .threads = training->threads,
                       .train_images = task->counts[PBA_TRAIN],
                       .val_images = task->counts[PBA_VALIDATION],
                       .test_images = task->counts[PBA_TEST],
                       .parameters = task->graph->parameters,
                       .image_passes = training_total(training) / options->seeds * left,
                       .model = task->recipe.model,
                       .baseline = task->recipe.baseline,
                       .precision = task->recipe.precision,
                       .notes = task->info.notes};
    plan->seconds = turns * (measure->step_seconds * task_steps(task) * plan->epochs +
                             measure->evaluation_seconds * plan->test_images);
    plan->bytes =
        training->workers * (measure->trainer_bytes + (double)task->graph->block * sizeof(float)) +
        measure->other_bytes;
    return status;
}

pba_status pba_training_plan(pba_training *training, pba_plan *plan)
{
    return pba_training_plan_with(training, NULL, plan);
}

size_t pba_training_results(const pba_training *training, const pba_training_result **results)
{
    if (results) {
        *results = training ? training->results : NULL;
    }
    return training && training->complete ? (size_t)training->options.seeds : 0;
}

const char *pba_training_directory(const pba_training *training)
{
    return training ? training->options.out : "";
}

const pba_train_options *pba_training_options(const pba_training *training)
{
    return training ? &training->options : NULL;
}
