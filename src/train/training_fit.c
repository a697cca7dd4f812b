/* SPDX-License-Identifier: Apache-2.0
 * pba_training_fit: as many epochs as a time budget allows. */
#include <stdio.h>
#include <string.h>

#include "train/fit.h"
#include "train/training.h"

/* The longest training of the paper (Shake-Shake and PyramidNet). */
enum { EPOCHS_MOST = 1800 };

/* Of all seeds. */
static double seconds_of(const pba_training *training, int epochs)
{
    const measure *measure = &training->measure;
    int seeds = training->options.seeds;
    int turns = (seeds + training->workers - 1) / training->workers;
    double network = (double)epochs * task_steps(training->task) * measure->step_seconds +
                     training->task->counts[PBA_TEST] * measure->evaluation_seconds;
    return measure->create_seconds + turns * network;
}

static pba_status choose_epochs(pba_training *training, fit *fit, double gain, int *epochs)
{
    double left = fit_left(fit);
    double one = seconds_of(training, 1), each = seconds_of(training, 2) - one;
    char what[128];
    if (one > left) {
        snprintf(what, sizeof what, "%d x %s for 1 epoch", training->options.seeds,
                 training->options.recipe.model);
        return fit_refuse(fit, one, what);
    }
    double most = 1 + (left - one) / each;
    *epochs = most < EPOCHS_MOST ? (int)most : EPOCHS_MOST;
    fit_precision(fit, training->task->recipe.precision, gain);
    fit_number(fit, "epochs", *epochs,
               *epochs < EPOCHS_MOST ? "as many as fit, with %d seed%s"
                                     : "more than in the longest training of the paper would not "
                                       "help; %d seed%s",
               training->options.seeds, training->options.seeds == 1 ? "" : "s");
    fit_end(fit, seconds_of(training, *epochs));
    return PBA_OK;
}

/* A task of the same images in the other precision takes the place of the training's. */
static void exchange(pba_training *training, task *other, const measure *measure)
{
    other->owned = training->task->owned;
    training->task->owned = (task_data){0};
    task_free(training->task);
    training->task = other;
    training->measure = *measure;
    memcpy(training->options.recipe.precision, other->recipe.precision,
           sizeof other->recipe.precision);
}

/* Measures the other precision too, and takes the faster one. */
static pba_status compare(pba_training *training, fit *fit, const pba_observer *observer,
                          double *gain)
{
    pba_recipe recipe = training->task->recipe;
    task *other;
    measure measure;
    recipe.val_size = recipe.val_size ? recipe.val_size : -1;
    snprintf(recipe.precision, sizeof recipe.precision, FIT_OTHER);
    pba_status status = task_open_on(&recipe, &training->task->owned, &training->choice, &other);
    if (status != PBA_OK) {
        return status;
    }
    status = measure_run(other, training->workers, training->threads, fit_measuring(fit), observer,
                         &measure);
    *gain = status == PBA_OK ? measure.step_seconds / training->measure.step_seconds : 1;
    if (*gain < 1) {
        *gain = 1 / *gain;
        exchange(training, other, &measure);
    } else {
        task_free(other);
    }
    return status;
}

static pba_status measure_and_choose(pba_training *training, fit *fit, const pba_observer *observer,
                                     int *epochs)
{
    double gain = 0;
    pba_status status = measure_run(training->task, training->workers, training->threads,
                                    fit_measuring(fit), observer, &training->measure);
    if (status == PBA_OK && fit_compares(fit, training->task->recipe.precision)) {
        status = compare(training, fit, observer, &gain);
    }
    return status == PBA_OK ? choose_epochs(training, fit, gain, epochs) : status;
}

pba_status pba_training_fit(pba_train_options *options, const char *const *kept, size_t kept_count,
                            const pba_observer *observer, pba_budget *budget, pba_training **result)
{
    if (!options || !budget || !result) {
        return status_null(__func__);
    }
    fit fit;
    pba_train_options chosen = *options;
    int epochs = 0;
    *result = NULL;
    pba_status status = fit_begin(&fit, options->budget, kept, kept_count, budget);
    if (status == PBA_OK && fit_keeps(&fit, "epochs")) {
        status =
            status_set(PBA_USAGE, "budget: chooses the epochs; leave out --epochs or --budget");
    }
    if (status == PBA_OK && !fit_keeps(&fit, "precision")) {
        snprintf(chosen.recipe.precision, sizeof chosen.recipe.precision, "auto");
    }
    if (status == PBA_OK) {
        status = pba_training_create_with(&chosen, observer, result);
    }
    if (status == PBA_OK) {
        status = measure_and_choose(*result, &fit, observer, &epochs);
    }
    if (status != PBA_OK) {
        pba_training_free(*result);
        *result = NULL;
        return status;
    }
    (*result)->options.recipe.epochs = (*result)->task->recipe.epochs = epochs;
    options->recipe = (*result)->options.recipe;
    return PBA_OK;
}
