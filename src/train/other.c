/* SPDX-License-Identifier: Apache-2.0
 * Another data set to score on: the distribution that matters, where that is not the one that there
 * are training images of. It takes the place of a task's validation split. Its own test split stays
 * unseen, and so do the task's test and training images, should any be among its images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "train/trainer.h"

enum { OTHER_MOST = 5000 }; /* images, where no number is asked for: as for a drawn split */

/* An image known by its bytes. */
typedef struct known {
    uint64_t hash;
    const uint8_t *pixels;
} known;

static uint64_t hash_bytes(const uint8_t *bytes, size_t count)
{
    uint64_t hash = 0x9e3779b97f4a7c15u, word;
    for (; count >= sizeof word; bytes += sizeof word, count -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    for (; count; count--) {
        hash = (hash ^ *bytes++) * 0xff51afd7ed558ccdu;
    }
    return hash ^ hash >> 29;
}

static int by_hash(const void *a, const void *b)
{
    const known *left = a, *right = b;
    return (left->hash > right->hash) - (left->hash < right->hash);
}

/* The task's training and test images, sorted; for free(). */
static known *list_known(const task *task, size_t bytes, size_t *count)
{
    size_t train = (size_t)task->counts[PBA_TRAIN], test = (size_t)task->counts[PBA_TEST];
    known *list = memory_new(train + test, sizeof *list);
    for (size_t i = 0; list && i < train + test; i++) {
        const uint8_t *pixels =
            i < train ? task->images[PBA_TRAIN][i] : task->images[PBA_TEST][i - train];
        list[i] = (known){hash_bytes(pixels, bytes), pixels};
    }
    if (list) {
        qsort(list, train + test, sizeof *list, by_hash);
    }
    *count = train + test;
    return list;
}

static bool is_known(const known *list, size_t count, const uint8_t *pixels, size_t bytes)
{
    known wanted = {hash_bytes(pixels, bytes), pixels};
    const known *found = bsearch(&wanted, list, count, sizeof *list, by_hash);
    return found && memcmp(found->pixels, pixels, bytes) == 0;
}

/* ------------------------------------------------------------------ what fits */

static pba_status check_shape(const task *task, const pba_dataset_info *other)
{
    const pba_dataset_info *own = &task->info;
    if (other->channels != own->channels) {
        return status_set(PBA_USAGE, "its images have %d channel%s, those to train on %d",
                          other->channels, other->channels == 1 ? "" : "s", own->channels);
    }
    return other->width == own->width && other->height == own->height
               ? PBA_OK
               : status_set(PBA_USAGE, "its images have %d x %d pixels, those to train on %d x %d",
                            other->width, other->height, own->width, own->height);
}

static int find_class(const pba_dataset *dataset, int classes, const char *name)
{
    int label = 0;
    while (label < classes && strcmp(pba_dataset_class(dataset, label), name) != 0) {
        label++;
    }
    return label < classes ? label : -1;
}

/* Classes that have no names of their own are called by their numbers. */
static bool has_names(const pba_dataset *dataset, int classes)
{
    char number[PBA_NAME_MAX];
    for (int label = 0; label < classes; label++) {
        snprintf(number, sizeof number, "%d", label);
        if (strcmp(pba_dataset_class(dataset, label), number) != 0) {
            return true;
        }
    }
    return false;
}

/* labels[i]: what class i of the other data set is called here. */
static pba_status match_classes(const task *task, const pba_dataset *other, int classes,
                                int *labels)
{
    int own = task->info.classes;
    if (classes != own) {
        return status_set(PBA_USAGE, "it has %d classes, the data to train on %d", classes, own);
    }
    bool named = has_names(other, classes) && has_names(task->dataset, own);
    for (int label = 0; label < classes; label++) {
        const char *name = pba_dataset_class(other, label);
        labels[label] = named ? find_class(task->dataset, own, name) : label;
        if (labels[label] < 0) {
            return status_set(PBA_USAGE,
                              "its class %s is none of the data to train on; the classes of both "
                              "must have the same names",
                              name);
        }
    }
    return PBA_OK;
}

/* ------------------------------------------------------------------ the split */

/* Its validation images, where it stores some; else those that its test split leaves. */
static pba_status draw(task *task, pba_dataset *other, const pba_dataset_info *info,
                       pba_split *split)
{
    const pba_recipe *recipe = &task->recipe;
    int size = recipe->val_size;
    *split = info->val_images ? PBA_VALIDATION : PBA_TRAIN;
    task->other_stored = info->val_images > 0;
    if (task->other_stored) {
        return pba_dataset_split(other, 0, size, recipe->split_seed);
    }
    pba_status status = pba_dataset_split(other, 0, -1, recipe->split_seed);
    int left = pba_dataset_count(other, PBA_TRAIN);
    if (status == PBA_OK && size > left) {
        status = status_set(PBA_NOT_FOUND,
                            "%d images to score on were asked for, its test split leaves %d; ask "
                            "for fewer",
                            size, left);
    }
    size = size ? size : left < OTHER_MOST ? left : OTHER_MOST;
    return status == PBA_OK ? pba_dataset_split(other, size, -1, recipe->split_seed) : status;
}

static pba_status take_images(task *task, const pba_dataset *other, pba_split split,
                              const int *labels)
{
    size_t count,
        bytes = (size_t)task->info.width * (size_t)task->info.height * (size_t)task->info.channels;
    known *list = list_known(task, bytes, &count);
    int drawn = pba_dataset_count(other, split), kept = 0;
    pba_status status = list ? PBA_OK : PBA_MEMORY;
    for (int i = 0; i < drawn && status == PBA_OK; i++) {
        pba_image view;
        int label;
        status = pba_dataset_image(other, split, i, &view, &label);
        if (status == PBA_OK && !is_known(list, count, view.pixels, bytes)) {
            task->images[PBA_VALIDATION][kept] = view.pixels;
            task->ids[PBA_VALIDATION][kept] = (uint32_t)i;
            task->labels[PBA_VALIDATION][kept++] = labels[label];
        }
    }
    free(list);
    task->counts[PBA_VALIDATION] = kept;
    task->other_left_out = drawn - kept;
    return status == PBA_OK && !kept
               ? status_set(PBA_USAGE,
                            "all of the %d images that were drawn from it are training or test "
                            "images of the data to train on",
                            drawn)
               : status;
}

static pba_status use(task *task, pba_dataset *other, int *labels, const pba_dataset_info *info)
{
    pba_split split;
    pba_status status = match_classes(task, other, info->classes, labels);
    if (status == PBA_OK) {
        status = draw(task, other, info, &split);
    }
    if (status == PBA_OK) {
        status = task_allocate_split(task, PBA_VALIDATION, pba_dataset_count(other, split));
    }
    return status == PBA_OK ? take_images(task, other, split, labels) : status;
}

pba_status task_score_on(task *task, pba_dataset *other)
{
    pba_dataset_info info;
    pba_status status = pba_dataset_describe(other, &info);
    if (status == PBA_OK) {
        status = check_shape(task, &info);
    }
    int *labels = status == PBA_OK ? memory_new((size_t)info.classes, sizeof *labels) : NULL;
    if (status == PBA_OK) {
        status = labels ? use(task, other, labels, &info) : PBA_MEMORY;
    }
    free(labels);
    return status;
}
