/* SPDX-License-Identifier: Apache-2.0
 * What a recipe opens: data and splits, network, augmentation; shared by all trainers, read-only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/observer.h"
#include "data/dataset.h"
#include "train/trainer.h"

pba_status task_allocate_split(task *task, pba_split split, int count)
{
    free(task->images[split]);
    free(task->ids[split]);
    free(task->labels[split]);
    task->counts[split] = count;
    task->images[split] = memory_new((size_t)count, sizeof **task->images);
    task->ids[split] = memory_new((size_t)count, sizeof **task->ids);
    task->labels[split] = memory_new((size_t)count, sizeof **task->labels);
    return task->images[split] && task->ids[split] && task->labels[split] ? PBA_OK : PBA_MEMORY;
}

static pba_status open_split(task *task, pba_split split)
{
    pba_status status = task_allocate_split(task, split, pba_dataset_count(task->dataset, split));
    for (int i = 0; i < task->counts[split] && status == PBA_OK; i++) {
        pba_image view;
        status = pba_dataset_image(task->dataset, split, i, &view, &task->labels[split][i]);
        if (status == PBA_OK) {
            task->images[split][i] = view.pixels;
            task->ids[split][i] = dataset_number(task->dataset, split, i);
        }
    }
    return status;
}

static bool tell_opening(void *user, const char *what, int64_t done, int64_t total)
{
    const pba_observer *observer = user;
    const pba_event event = {
        .kind = PBA_EVENT_OPENING, .text = what, .done = (double)done, .total = (double)total};
    if (observer->event) {
        observer->event(observer->user, &event);
    }
    return !observer_stops(observer);
}

pba_status task_open_dataset(const char *path, const pba_dataset_options *options,
                             const pba_observer *observer, pba_dataset **dataset)
{
    pba_dataset_options told = *options;
    pba_observer copy = observer ? *observer : (pba_observer){0};
    told.progress = tell_opening;
    told.user = &copy;
    return pba_dataset_open_with(path, &told, dataset);
}

static pba_status open_other(const pba_dataset *dataset, const char *path,
                             pba_dataset_options *options, const pba_observer *observer,
                             pba_dataset **other)
{
    pba_dataset_info info;
    pba_status status = pba_dataset_describe(dataset, &info);
    snprintf(options->size, sizeof options->size, "%dx%d", info.width, info.height);
    return status == PBA_OK ? task_open_dataset(path, options, observer, other) : status;
}

/* What needs no data is checked first: opening them may take long. */
pba_status task_data_open(const pba_recipe *recipe, const char *dataset, const char *other,
                          const pba_observer *observer, task_data *data)
{
    const nn_backend *backend;
    const char *chosen;
    nn_rate rate;
    pba_dataset_options options = {.skip_bad = recipe->skip_bad};
    memcpy(options.size, recipe->size, sizeof options.size);
    memcpy(options.fit, recipe->fit, sizeof options.fit);
    *data = (task_data){0};
    pba_status status = nn_backend_choose(recipe->backend, recipe->precision, &chosen, &backend);
    if (status == PBA_OK) {
        status = nn_rate_parse(recipe->lr_schedule, &rate);
    }
    if (status == PBA_OK) {
        status = task_open_dataset(dataset, &options, observer, &data->dataset);
    }
    if (status == PBA_OK && other && other[0]) {
        status = open_other(data->dataset, other, &options, observer, &data->other);
        status = status == PBA_OK ? status : status_prefix(status, "val");
    }
    if (status != PBA_OK) {
        task_data_free(data);
    }
    return status;
}

void task_data_free(task_data *data)
{
    pba_dataset_free(data->dataset);
    pba_dataset_free(data->other);
    *data = (task_data){0};
}

static pba_status open_data(task *task, const task_data *data)
{
    pba_recipe *recipe = &task->recipe;
    pba_dataset *other = data->other;
    pba_status status = PBA_OK;
    if (!data->drawn) {
        status = pba_dataset_split(task->dataset, recipe->train_size, other ? -1 : recipe->val_size,
                                   recipe->split_seed);
    }
    if (status == PBA_OK) {
        status = pba_dataset_describe(task->dataset, &task->info);
    }
    for (int split = 0; split < 3 && status == PBA_OK; split++) {
        status = open_split(task, (pba_split)split);
    }
    if (status == PBA_OK && task->counts[PBA_TRAIN] < recipe->batch) {
        status = status_set(PBA_USAGE,
                            "%d training images are fewer than a batch of %d; give a smaller "
                            "--batch or a larger --train-size",
                            task->counts[PBA_TRAIN], recipe->batch);
    }
    if (status == PBA_OK && other) {
        status = task_score_on(task, other);
        status = status == PBA_OK ? status : status_prefix(status, "val");
    }
    recipe->train_size = task->counts[PBA_TRAIN];
    recipe->val_size = task->counts[PBA_VALIDATION];
    return status;
}

static pba_status open_pipeline(task *task, const augment_choice *choice)
{
    pba_recipe *recipe = &task->recipe;
    if (strcmp(recipe->baseline, "auto") == 0) {
        snprintf(recipe->baseline, sizeof recipe->baseline, "%s", task->info.baseline);
    }
    pipeline_options options = {.width = task->info.width,
                                .height = task->info.height,
                                .channels = task->info.channels,
                                .baseline = recipe->baseline,
                                .choice = choice,
                                .scale_pixels = true};
    pba_status status = pba_dataset_statistics(task->dataset, options.mean, options.deviation);
    return status == PBA_OK ? pipeline_create(&options, &task->pipeline) : status;
}

static double content_bytes(const pba_dataset_info *info)
{
    return ((double)info->train_images + info->val_images + info->test_images) * info->width *
           info->height * info->channels;
}

static pba_status open_all(task *task, const task_data *data, const augment_choice *choice)
{
    pba_recipe *recipe = &task->recipe;
    const char *chosen;
    pba_dataset_info other;
    pba_status status =
        nn_backend_choose(recipe->backend, recipe->precision, &chosen, &task->backend);
    if (status == PBA_OK) {
        snprintf(recipe->precision, sizeof recipe->precision, "%s", chosen);
    }
    if (status == PBA_OK) {
        status = nn_rate_parse(recipe->lr_schedule, &task->rate);
    }
    if (status == PBA_OK) {
        status = open_data(task, data);
    }
    if (status == PBA_OK && data->other) {
        status = pba_dataset_describe(data->other, &other);
        task->other_bytes = content_bytes(&other);
    }
    if (status == PBA_OK) {
        status = nn_model_build(recipe->model, task->info.width, task->info.height,
                                task->info.channels, task->info.classes, &task->graph);
    }
    return status == PBA_OK ? open_pipeline(task, choice) : status;
}

pba_status task_open_on(const pba_recipe *recipe, const task_data *data,
                        const augment_choice *choice, task **result)
{
    task *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->recipe = *recipe;
    fresh->dataset = data->dataset;
    pba_status status = open_all(fresh, data, choice);
    if (status != PBA_OK) {
        task_free(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

pba_status task_open(const pba_recipe *recipe, const char *dataset, const augment_choice *choice,
                     const pba_observer *observer, task **result)
{
    task_data data;
    *result = NULL;
    pba_status status = task_data_open(recipe, dataset, NULL, observer, &data);
    if (status == PBA_OK) {
        status = task_open_on(recipe, &data, choice, result);
    }
    if (status != PBA_OK) {
        task_data_free(&data);
        return status;
    }
    (*result)->owned = data;
    return PBA_OK;
}

void task_free(task *task)
{
    if (!task) {
        return;
    }
    for (int split = 0; split < 3; split++) {
        free(task->images[split]);
        free(task->ids[split]);
        free(task->labels[split]);
    }
    pipeline_free(task->pipeline);
    nn_graph_free(task->graph);
    task_data_free(&task->owned);
    free(task);
}

int task_steps(const task *task)
{
    return task->counts[PBA_TRAIN] / task->recipe.batch;
}

double task_bytes(const task *task)
{
    return content_bytes(&task->info) + task->other_bytes;
}
