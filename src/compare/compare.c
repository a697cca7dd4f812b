/* SPDX-License-Identifier: Apache-2.0
 * Opening a comparison, and what it will do. */
#include "compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/plugin.h"
#include "core/file.h"
#include "core/memory.h"
#include "train/run.h"
#include "train/settings.h"

static const pba_setting rows[] = {
    RECIPE_ROWS("wrn-28-10", "200",
                "Images kept out of training, as a search of the same split seed would; 0: none."),
    {"dataset", PBA_SETTING_TEXT, SETTING_FIELD(pba_compare_options, dataset), 0, 0, "", "DATASET",
     NULL, "Path of the data, recognized by content, or demo.", false},
    {"arms", PBA_SETTING_TEXT, SETTING_FIELD(pba_compare_options, arms), 0, 0, "", "ARM,ARM...",
     NULL,
     "What is compared: kinds of augmentation as pba train --augment takes them (pba policies "
     "lists "
     "them), with commas between. Digits between two commas belong to the kind before, so that "
     "baseline,randaugment:2,9,RUN are three arms; a comma in a path is written \\,.",
     false},
    PLUGIN_SETTING(pba_compare_options),
    {"seeds", PBA_SETTING_INT, SETTING_FIELD(pba_compare_options, seeds), 1, TRAIN_SEEDS_MAX, "5",
     "N", NULL, "Networks of each arm, with seed, seed + 1 and so on, the same in all arms.",
     false},
    THREADS_ROWS(pba_compare_options),
    {"out", PBA_SETTING_TEXT, SETTING_FIELD(pba_compare_options, out), 0, 0, "", "DIR", NULL,
     "Folder for the arms' runs and what came of them, made anew.", true},
    TENSORBOARD_ROW(pba_compare_options),
};

const pba_setting *pba_compare_settings(size_t *count)
{
    if (count) {
        *count = sizeof rows / sizeof *rows;
    }
    return rows;
}

/* ------------------------------------------------------------------- opening */

bool compare_is_finished(const compare_arm *arm)
{
    char path[PBA_PATH_MAX];
    return file_join(path, arm->run, "result.json") == PBA_OK && file_exists(path);
}

/* Then its folder has all that it needs: the run or file that it names may be gone. */
static bool has_begun(const pba_comparison *comparison, const compare_arm *arm)
{
    char config[PBA_PATH_MAX];
    return comparison->resumed && file_join(config, arm->run, "config.json") == PBA_OK &&
           file_exists(config);
}

pba_status compare_open_arm(const pba_comparison *comparison, compare_arm *arm,
                            const pba_observer *observer)
{
    const pba_compare_options *options = &comparison->options;
    const task_data *shared = comparison->data.dataset ? &comparison->data : NULL;
    size_t count;
    const pba_setting *train_rows = pba_train_settings(&count);
    pba_train_options train;
    if (has_begun(comparison, arm)) {
        return training_resume_on(shared, arm->run, options->workers, observer, &arm->training);
    }
    pba_settings_init(&train, train_rows, count);
    train.recipe = options->recipe;
    train.seeds = options->seeds;
    train.workers = options->workers;
    train.threads = options->threads;
    train.tensorboard = options->tensorboard;
    memcpy(train.dataset, options->dataset, sizeof train.dataset);
    memcpy(train.augment, arm->augment, sizeof train.augment);
    memcpy(train.plugin, options->plugin, sizeof train.plugin);
    memcpy(train.out, arm->run, sizeof train.out);
    return training_create_on(shared, &train, observer, &arm->training);
}

/* The first arm that is not finished is opened at once, so that what is wrong with data, network or
 * recipe is said now; the others share its data set. */
static pba_status open_first(pba_comparison *comparison)
{
    const pba_compare_options *options = &comparison->options;
    for (int i = 0; i < comparison->arm_count; i++) {
        compare_arm *arm = &comparison->arms[i];
        arm->finished = comparison->resumed && compare_is_finished(arm);
        if (arm->finished) {
            training_folder_drop(arm->run, options->recipe.seed, options->seeds);
        }
        if (!arm->finished && !comparison->passes) {
            pba_status status = compare_open_arm(comparison, arm, comparison->observer);
            if (status == PBA_OK && comparison->resumed) {
                status = run_check_made_of(comparison->options.out, arm->training->task,
                                           &comparison->note);
            }
            if (status != PBA_OK) {
                return status;
            }
            comparison->passes = training_total(arm->training);
            comparison->data = arm->training->task->owned; /* from now on */
            comparison->data.drawn = true;
            arm->training->task->owned = (task_data){0};
            memcpy(comparison->options.dataset, arm->training->options.dataset,
                   sizeof comparison->options.dataset);
            memcpy(comparison->options.recipe.precision, arm->training->options.recipe.precision,
                   sizeof comparison->options.recipe.precision);
        }
    }
    return PBA_OK;
}

/* Those of a comparison that goes on are loaded by now, from where config.json says or, where they
 * have moved, from elsewhere: then arms that have not begun cannot name their files. */
static pba_status open_plugins(pba_comparison *comparison)
{
    pba_compare_options *options = &comparison->options;
    pba_status status = augment_plugins_load(options->plugin);
    if (comparison->resumed) {
        options->plugin[0] = status == PBA_OK ? options->plugin[0] : 0;
        return PBA_OK;
    }
    return status == PBA_OK ? augment_plugins_settle(options->plugin, sizeof options->plugin)
                            : status;
}

static pba_status open_arms(pba_comparison *comparison)
{
    pba_compare_options *options = &comparison->options;
    pba_status status = open_plugins(comparison);
    if (status == PBA_OK) {
        status = compare_read_arms(options->arms, &comparison->arms, &comparison->arm_count);
    }
    if (status == PBA_OK) {
        status = compare_arms_text(comparison->arms, comparison->arm_count, options->arms);
    }
    for (int i = 0; i < comparison->arm_count && status == PBA_OK; i++) {
        compare_arm *arm = &comparison->arms[i];
        arm->comparison = comparison;
        status = file_join(arm->run, options->out, arm->name);
        if (status == PBA_OK && !has_begun(comparison, arm)) {
            status = compare_check_arm(arm);
        }
    }
    return status == PBA_OK ? open_first(comparison) : status;
}

static pba_status comparison_new(const pba_compare_options *options, bool resumed,
                                 const pba_observer *observer, pba_comparison **result)
{
    pba_comparison *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->options = *options;
    fresh->options.threads = training_threads(options->threads, options->seeds);
    fresh->resumed = resumed;
    fresh->observer = observer;
    fresh->lock_file = -1;
    pthread_mutex_init(&fresh->lock, NULL);
    pthread_mutex_init(&fresh->telling, NULL);
    pba_status status = resumed ? run_hold(options->out, &fresh->lock_file) : PBA_OK;
    if (status == PBA_OK) {
        status = open_arms(fresh);
    }
    if (status == PBA_OK) {
        fresh->workers = training_workers(options->workers, fresh->options.threads,
                                          options->seeds * fresh->arm_count);
        fresh->observer = NULL;
        *result = fresh;
        return PBA_OK;
    }
    pba_comparison_free(fresh);
    return status;
}

pba_status pba_comparison_create_with(const pba_compare_options *options,
                                      const pba_observer *observer, pba_comparison **result)
{
    if (!options || !result) {
        return status_null(__func__);
    }
    *result = NULL;
    pba_compare_options scratch = *options;
    pba_status status = run_check_settings(options, &scratch, rows, sizeof rows / sizeof *rows);
    if (status == PBA_OK && !options->out[0]) {
        status = status_set(PBA_USAGE, "out: a comparison needs a folder; give --out");
    }
    if (status == PBA_OK) {
        status = run_check(options->out);
    }
    return status == PBA_OK ? comparison_new(options, false, observer, result) : status;
}

pba_status pba_comparison_resume_with(const char *folder, int workers, const pba_observer *observer,
                                      pba_comparison **result)
{
    if (!folder || !result) {
        return status_null(__func__);
    }
    pba_compare_options options;
    *result = NULL;
    if (workers < 0 || strlen(folder) >= sizeof options.out) {
        return status_set(PBA_USAGE, "%s",
                          workers < 0 ? "workers: must not be negative"
                                      : "the path of the comparison is too long");
    }
    pba_settings_init(&options, rows, sizeof rows / sizeof *rows);
    pba_status status =
        run_read_config(folder, "compare", &options, rows, sizeof rows / sizeof *rows);
    snprintf(options.out, sizeof options.out, "%s", folder);
    options.workers = workers;
    return status == PBA_OK ? comparison_new(&options, true, observer, result) : status;
}

void pba_comparison_free(pba_comparison *comparison)
{
    if (!comparison) {
        return;
    }
    for (int i = 0; i < comparison->arm_count; i++) {
        pba_training_free(comparison->arms[i].training);
    }
    char result[PBA_PATH_MAX];
    if (comparison->lock_file >= 0 &&
        file_join(result, comparison->options.out, "result.json") == PBA_OK &&
        file_exists(result)) {
        run_drop_lock(comparison->options.out); /* nobody goes on with it */
    }
    run_let_go(&comparison->lock_file);
    task_data_free(&comparison->data);
    free(comparison->arms);
    free(comparison->results);
    free(comparison->errors);
    free(comparison->texts);
    pthread_mutex_destroy(&comparison->lock);
    pthread_mutex_destroy(&comparison->telling);
    free(comparison);
}

const char *pba_comparison_directory(const pba_comparison *comparison)
{
    return comparison ? comparison->options.out : "";
}

const pba_compare_options *pba_comparison_options(const pba_comparison *comparison)
{
    return comparison ? &comparison->options : NULL;
}

/* ---------------------------------------------------------------------- plan */

/* Networks that are left of the arm that is open, and of those that no worker has come to. */
static int networks_left(const pba_comparison *comparison)
{
    int left = 0, seeds = comparison->options.seeds;
    for (int i = 0; i < comparison->arm_count; i++) {
        const compare_arm *arm = &comparison->arms[i];
        for (int seed = 0; seed < seeds && !arm->finished; seed++) {
            left += !arm->training || !arm->training->finished[seed];
        }
    }
    return left;
}

pba_training *compare_open_training(const pba_comparison *comparison)
{
    for (int i = 0; i < comparison->arm_count; i++) {
        if (comparison->arms[i].training) {
            return comparison->arms[i].training;
        }
    }
    return NULL;
}

pba_status pba_comparison_plan_with(pba_comparison *comparison, const pba_observer *observer,
                                    pba_plan *plan)
{
    if (!comparison || !plan) {
        return status_null(__func__);
    }
    const pba_compare_options *options = &comparison->options;
    pba_training *training = compare_open_training(comparison);
    *plan = (pba_plan){.rounds = 1,
                       .epochs = options->recipe.epochs,
                       .workers = comparison->workers,
                       .model = options->recipe.model,
                       .baseline = options->recipe.baseline,
                       .precision = options->recipe.precision,
                       .notes = "this comparison is finished already"};
    if (!training) {
        return PBA_OK;
    }
    pba_status status = pba_training_plan_with(training, observer, plan);
    double network = comparison->passes / options->seeds;
    int own = (int)lround(plan->image_passes / network), left = networks_left(comparison);
    int turns = (own + plan->workers - 1) / plan->workers;
    plan->seconds *=
        turns ? (double)((left + comparison->workers - 1) / comparison->workers) / turns : 0;
    plan->members = options->seeds * comparison->arm_count;
    plan->workers = comparison->workers;
    plan->image_passes = network * left;
    return status;
}

pba_status pba_comparison_plan(pba_comparison *comparison, pba_plan *plan)
{
    return pba_comparison_plan_with(comparison, NULL, plan);
}
