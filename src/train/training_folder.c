/* SPDX-License-Identifier: Apache-2.0
 * The folder of a training run: config.json, the schedule as it was found, checkpoint/ with the
 * last two states of each seed that is under way and a result per seed that is finished, weights,
 * and result.json, which is written last. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/locale.h"
#include "schedule/fields.h"
#include "train/run.h"
#include "train/training.h"

static const char SCHEDULE_COPY[] = "schedule.json";
static const char RESULT[] = "checkpoint/seed-%llu.json"; /* of a seed that is finished */

static pba_status seed_path(const pba_training *training, uint64_t seed, const char *pattern,
                            char path[PBA_PATH_MAX])
{
    char name[PBA_NAME_MAX];
    snprintf(name, sizeof name, pattern, (unsigned long long)seed);
    return file_join(path, training->options.out, name);
}

/* ------------------------------------------------------------------ begin and end */

static void drop_seeds(const char *run, uint64_t first, int seeds)
{
    static const char *const patterns[] = {"seed-%llu", "seed-%llu.new", "seed-%llu.before",
                                           "seed-%llu.json", "seed-%llu.json.new"};
    enum { PATTERNS = sizeof patterns / sizeof *patterns };
    char folder[PBA_PATH_MAX], path[PBA_PATH_MAX], name[PBA_NAME_MAX];
    if (file_join(folder, run, "checkpoint") != PBA_OK) {
        return;
    }
    for (int i = 0; i < PATTERNS * seeds; i++) {
        uint64_t seed = first + (uint64_t)(i / PATTERNS);
        snprintf(name, sizeof name, patterns[i % PATTERNS], (unsigned long long)seed);
        if (file_join(path, folder, name) == PBA_OK) {
            unlink(path);
        }
    }
    run_drop_spent(run);
}

void training_folder_drop(const char *run, uint64_t first, int seeds)
{
    drop_seeds(run, first, seeds);
    run_drop_lock(run);
}

static void drop_checkpoints(const pba_training *training)
{
    const pba_train_options *options = &training->options;
    training_folder_drop(options->out, options->recipe.seed, options->seeds);
}

/* Of a fresh run. Checkpoints of another one, whose config.json was removed, are not its own. */
static pba_status fill_folder(const pba_training *training)
{
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    const pba_train_options *options = &training->options;
    char path[PBA_PATH_MAX];
    pba_status status = run_check(options->out); /* again: nobody else is in there now */
    if (status != PBA_OK) {
        return status;
    }
    drop_seeds(options->out, options->recipe.seed, options->seeds);
    if (training->choice.schedule) {
        status = file_join(path, options->out, SCHEDULE_COPY);
        status = status == PBA_OK ? pba_schedule_save(training->choice.schedule, path) : status;
    }
    return status == PBA_OK
               ? run_write_config(options->out, "train", options, rows, count, training->task)
               : status;
}

pba_status training_folder_begin(pba_training *training)
{
    const char *out = training->options.out;
    if (!out[0]) {
        return PBA_OK;
    }
    pba_status status = PBA_OK;
    if (training->lock_file < 0) {
        status = run_hold(out, &training->lock_file);
    }
    if (status == PBA_OK && !training->resumed) {
        status = fill_folder(training);
        if (status == PBA_OK) {
            training->resumed = true; /* run once more, it goes on from its checkpoints */
        } else if (status != PBA_EXISTS) {
            run_drop_lock(out);
        }
    }
    if (status != PBA_OK) {
        training_folder_end(training);
    }
    return status;
}

void training_folder_end(pba_training *training)
{
    run_let_go(&training->lock_file);
}

/* ------------------------------------------------------------------ results */

static json_t *result_json(const pba_training_result *result)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f}", "seed", (json_int_t)result->seed, "test_error",
                     result->test_error, "train_accuracy", result->train_accuracy, "train_loss",
                     result->train_loss, "seconds", result->seconds);
}

static bool parse_number(const json_t *object, const char *key, double *number)
{
    const json_t *value = json_object_get(object, key);
    *number = json_number_value(value);
    return json_is_number(value);
}

static bool parse_result(const json_t *object, uint64_t seed, pba_training_result *result)
{
    const json_t *found = json_object_get(object, "seed");
    result->seed = (uint64_t)json_integer_value(found);
    return json_is_integer(found) && result->seed == seed &&
           parse_number(object, "test_error", &result->test_error) &&
           parse_number(object, "train_accuracy", &result->train_accuracy) &&
           parse_number(object, "train_loss", &result->train_loss) &&
           parse_number(object, "seconds", &result->seconds);
}

static pba_status read_result(pba_training *training, int index)
{
    char name[PBA_NAME_MAX], path[PBA_PATH_MAX];
    json_t *object;
    uint64_t seed = training->options.recipe.seed + (uint64_t)index;
    snprintf(name, sizeof name, RESULT, (unsigned long long)seed);
    pba_status status = file_join(path, training->options.out, name);
    if (status != PBA_OK || !file_exists(path)) {
        return status;
    }
    status = run_read_json(training->options.out, name, &object);
    if (status == PBA_OK) {
        training->finished[index] = parse_result(object, seed, &training->results[index]);
        json_decref(object);
    }
    if (status == PBA_FORMAT || (status == PBA_OK && !training->finished[index])) {
        status = status_set(PBA_FORMAT,
                            "%s: is not the result of this seed; remove it to train "
                            "the seed anew",
                            path);
    }
    return status;
}

static pba_status parse_all(pba_training *training, const char *path, const json_t *root)
{
    json_t *seeds = json_object_get(root, "seeds");
    if (json_array_size(seeds) != (size_t)training->options.seeds) {
        return status_set(PBA_FORMAT, "%s: does not hold the results of this run", path);
    }
    for (int i = 0; i < training->options.seeds; i++) {
        uint64_t seed = training->options.recipe.seed + (uint64_t)i;
        if (!parse_result(json_array_get(seeds, (size_t)i), seed, &training->results[i])) {
            return status_set(PBA_FORMAT, "%s: does not hold the result of seed %llu", path,
                              (unsigned long long)seed);
        }
        training->finished[i] = true;
    }
    training->complete = true;
    return PBA_OK;
}

pba_status training_folder_read(pba_training *training)
{
    char path[PBA_PATH_MAX];
    json_t *root;
    pba_status status = file_join(path, training->options.out, "result.json");
    if (status == PBA_OK && !file_exists(path)) {
        status = run_hold(training->options.out, &training->lock_file);
    }
    if (status == PBA_OK && file_exists(path)) {
        status = run_read_json(training->options.out, "result.json", &root);
        if (status == PBA_OK) {
            status = parse_all(training, path, root);
            json_decref(root);
        }
        if (status == PBA_OK) { /* a crash just before the end of all may have left them */
            drop_checkpoints(training);
        }
        return status;
    }
    for (int i = 0; i < training->options.seeds && status == PBA_OK; i++) {
        status = read_result(training, i);
    }
    return status == PBA_OK ? run_read_spent(training->options.out, &training->spent) : status;
}

/* ------------------------------------------------------------------ checkpoints */

static pba_status load_checkpoint(const pba_training *training, const char *path,
                                  training_state *state)
{
    checkpoint_place place;
    int batch = training->task->recipe.batch;
    pba_status status =
        checkpoint_read(path, state->block, training->task->graph->block, -1, &place);
    if (status != PBA_OK) {
        return status;
    }
    if (place.epoch > training->options.recipe.epochs || place.step > task_steps(training->task)) {
        return status_set(PBA_FORMAT, "%s: stands at epoch %d, step %d, behind the end of this run",
                          path, place.epoch, place.step);
    }
    state->epoch = place.epoch;
    state->figures = (trainer_figures){.steps = place.step,
                                       .loss_sum = place.loss_sum,
                                       .correct = place.correct,
                                       .images = (int64_t)place.step * batch};
    if (place.step) {
        state->figures.loss = place.loss_sum / place.step;
        state->figures.accuracy = (double)place.correct / (double)state->figures.images;
    }
    return PBA_OK;
}

static const char CHECKPOINT[] = "checkpoint/seed-%llu", BEFORE[] = "checkpoint/seed-%llu.before";

/* The last checkpoint, or the one before it where that is damaged or gone; PBA_NOT_FOUND where
 * there is neither. */
static pba_status load_last(const pba_training *training, training_state *state)
{
    char path[PBA_PATH_MAX], before[PBA_PATH_MAX], reason[sizeof state->note - 64];
    pba_status status = seed_path(training, state->seed, CHECKPOINT, path);
    if (status == PBA_OK) {
        status = seed_path(training, state->seed, BEFORE, before);
    }
    if (status == PBA_OK) {
        status = load_checkpoint(training, path, state);
    }
    bool damaged = status == PBA_FORMAT;
    if ((!damaged && status != PBA_NOT_FOUND) || !file_exists(before)) {
        return damaged
                   ? status_set(status, "%s; remove it to train the seed anew", pba_error_message())
                   : status;
    }
    snprintf(reason, sizeof reason, "%s", damaged ? pba_error_message() : "");
    status = load_checkpoint(training, before, state);
    if (status == PBA_FORMAT) {
        return status_set(status, "%s%s%s; remove %s to train the seed anew", reason,
                          damaged ? "; " : "", pba_error_message(), damaged ? "both" : "it");
    }
    if (status == PBA_OK && damaged) {
        unlink(path); /* or it would take the place of the good one */
        snprintf(state->note, sizeof state->note, "%s: going on from the checkpoint before it",
                 reason);
    }
    return status;
}

pba_status training_folder_load(const pba_training *training, training_state *state)
{
    const nn_graph *graph = training->task->graph;
    pba_status status = training->resumed ? load_last(training, state) : PBA_NOT_FOUND;
    if (status == PBA_NOT_FOUND) {
        memset(state->block, 0, graph->block * sizeof *state->block);
        nn_initialize(graph, state->block, state->seed, 0);
        return PBA_OK;
    }
    return status;
}

pba_status training_folder_save(const pba_training *training, training_state *state)
{
    char path[PBA_PATH_MAX], before[PBA_PATH_MAX];
    if (!training->options.out[0]) {
        return PBA_OK;
    }
    checkpoint_place place = {.epoch = state->epoch,
                              .step = state->figures.steps,
                              .correct = state->figures.correct,
                              .loss_sum = state->figures.loss_sum};
    pba_status status = seed_path(training, state->seed, CHECKPOINT, path);
    if (status == PBA_OK) {
        status = seed_path(training, state->seed, BEFORE, before);
    }
    if (status == PBA_OK) {
        status = checkpoint_write(path, before, state->block, training->task->graph->block, &place);
    }
    state->saved = clock_now();
    return status;
}

/* ------------------------------------------------------------------ finishing */

static pba_status save_weights(const pba_training *training, const training_state *state)
{
    char path[PBA_PATH_MAX], means[128], deviations[128], size[PBA_NAME_MAX];
    const pba_dataset_info *info = &training->task->info;
    const pba_train_options *options = &training->options;
    double mean[3], deviation[3];
    pba_status status = seed_path(training, state->seed, "weights-%llu.safetensors", path);
    if (status == PBA_OK) {
        status = pba_dataset_statistics(training->task->dataset, mean, deviation);
    }
    if (status != PBA_OK) {
        return status;
    }
    locale_plain held = locale_enter();
    snprintf(means, sizeof means, "%.17g %.17g %.17g", mean[0], mean[1], mean[2]);
    snprintf(deviations, sizeof deviations, "%.17g %.17g %.17g", deviation[0], deviation[1],
             deviation[2]);
    locale_leave(&held);
    snprintf(size, sizeof size, "%dx%d", info->width, info->height);
    const char *metadata[] = {"model",     options->recipe.model,
                              "size",      size,
                              "fit",       options->recipe.fit,
                              "augment",   options->augment,
                              "dataset",   options->dataset,
                              "mean",      means,
                              "deviation", deviations,
                              NULL};
    return weights_save(path, training->task->graph, state->block, metadata);
}

pba_status training_folder_finish_seed(const pba_training *training, const training_state *state)
{
    char path[PBA_PATH_MAX], name[PBA_NAME_MAX];
    if (!training->options.out[0]) {
        return PBA_OK;
    }
    pba_status status = save_weights(training, state);
    snprintf(name, sizeof name, RESULT, (unsigned long long)state->seed);
    if (status == PBA_OK) {
        status = run_write_json(training->options.out, name,
                                result_json(&training->results[state->index]));
    }
    for (int i = 0; i < 2 && status == PBA_OK; i++) {
        status = seed_path(training, state->seed, i ? BEFORE : CHECKPOINT, path);
        if (status == PBA_OK) {
            unlink(path);
        }
    }
    return status;
}

static pba_status write_result(const pba_training *training)
{
    const pba_train_options *options = &training->options;
    json_t *seeds = json_array();
    double sum = 0;
    for (int i = 0; i < options->seeds; i++) {
        sum += training->results[i].test_error;
        if (json_array_append_new(seeds, result_json(&training->results[i])) != 0) {
            json_decref(seeds);
            seeds = NULL; /* which makes no result below */
        }
    }
    pba_preset preset;
    bool known = options->preset[0] && pba_preset_find("train", options->preset, &preset) == PBA_OK;
    known = known && preset.published_error >= 0;
    json_t *published = known ? json_real(preset.published_error) : NULL;
    if (known && !published) {
        json_decref(seeds);
        seeds = NULL;
    }
    return run_write_json(options->out, "result.json",
                          json_pack("{s:s*, s:o*, s:s, s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:o}",
                                    "preset", options->preset[0] ? options->preset : NULL,
                                    "published_error", published, "model", options->recipe.model,
                                    "augment", options->augment, "epochs", options->recipe.epochs,
                                    "train_images", training->task->counts[PBA_TRAIN],
                                    "test_images", training->task->counts[PBA_TEST], "threads",
                                    training->threads, "core_seconds", training->spent.core_seconds,
                                    "mean_test_error", sum / options->seeds, "seeds", seeds));
}

pba_status training_folder_finish(const pba_training *training)
{
    if (!training->options.out[0]) {
        return PBA_OK;
    }
    pba_status status = write_result(training);
    if (status == PBA_OK) {
        drop_checkpoints(training);
    }
    return status;
}
