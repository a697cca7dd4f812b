/* SPDX-License-Identifier: Apache-2.0
 * Images of one epoch for other trainers: a split, augmented with the draws of a training run, as
 * arrays that NumPy reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "data/dataset.h"
#include "data/npz_writer.h"

typedef struct export
{
    const pba_dataset *dataset;
    pba_dataset_info info;
    pba_split split;
    size_t count;
    int epoch;
    pba_augmenter *augmenter;
    npz_writer *writer;
    uint8_t *pixels, *mask; /* of one image */
}
export;

/* ------------------------------------------------------------------- images */

static pba_status draw(export *export, size_t index)
{
    pba_image view;
    int label;
    uint32_t id = dataset_number(export->dataset, export->split, (int)index);
    pba_status status =
        pba_dataset_image(export->dataset, export->split, (int)index, &view, &label);
    return status == PBA_OK ? pba_augment_images(export->augmenter, view.pixels, &id, 1,
                                                 export->epoch, export->pixels, export->mask)
                            : status;
}

static pba_status write_images(export *export)
{
    const pba_dataset_info *info = &export->info;
    npz_array array = {
        .name = "images",
        .type = "|u1",
        .item = 1,
        .shape = {export->count, (size_t)info->height, (size_t)info->width, (size_t)info->channels},
        .dimensions = 4};
    size_t bytes = array.shape[1] * array.shape[2] * array.shape[3];
    pba_status status = npz_writer_begin(export->writer, &array);
    for (size_t i = 0; i < export->count && status == PBA_OK; i++) {
        status = draw(export, i);
        if (status == PBA_OK) {
            status = npz_writer_add(export->writer, export->pixels, bytes);
        }
    }
    return status;
}

/* Drawn a second time, the same, rather than kept. */
static pba_status write_masks(export *export)
{
    npz_array array = {
        .name = "masks",
        .type = "|u1",
        .item = 1,
        .shape = {export->count, (size_t) export->info.height, (size_t) export->info.width},
        .dimensions = 3};
    pba_status status = npz_writer_begin(export->writer, &array);
    for (size_t i = 0; i < export->count && status == PBA_OK; i++) {
        status = draw(export, i);
        if (status == PBA_OK) {
            status = npz_writer_add(export->writer, export->mask, array.shape[1] * array.shape[2]);
        }
    }
    return status;
}

/* ------------------------------------------------------------------- labels */

static pba_status write_labels(export *export)
{
    npz_array array = {
        .name = "labels", .type = "<i8", .item = 8, .shape = {export->count}, .dimensions = 1};
    pba_status status = npz_writer_begin(export->writer, &array);
    for (size_t i = 0; i < export->count && status == PBA_OK; i++) {
        pba_image view;
        int label;
        uint8_t bytes[8] = {0};
        status = pba_dataset_image(export->dataset, export->split, (int)i, &view, &label);
        for (int byte = 0; byte < 4 && status == PBA_OK; byte++) {
            bytes[byte] = (uint8_t)((unsigned)label >> (8 * byte));
        }
        if (status == PBA_OK) {
            status = npz_writer_add(export->writer, bytes, sizeof bytes);
        }
    }
    return status;
}

/* The character at *text, which moves behind it; U+FFFD for what is none. */
static uint32_t next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    int more = at[0] < 0x80       ? 0
               : at[0] >> 5 == 6  ? 1
               : at[0] >> 4 == 14 ? 2
               : at[0] >> 3 == 30 ? 3
                                  : -1;
    uint32_t value = more > 0 ? at[0] & (0x3fu >> more) : at[0];
    for (int i = 1; i <= more; i++) {
        if (at[i] >> 6 != 2) {
            more = -1;
            break;
        }
        value = value << 6 | (at[i] & 0x3f);
    }
    bool none = more < 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000);
    *text += more < 0 ? 1 : more + 1;
    return none ? 0xfffd : value;
}

static size_t character_count(const char *text)
{
    size_t count = 0;
    while (*text) {
        next_character(&text);
        count++;
    }
    return count;
}

/* Name i belongs to label i: texts of four bytes a character, as long as the longest. */
static pba_status write_names(export *export)
{
    size_t longest = 1;
    for (int i = 0; i < export->info.classes; i++) {
        size_t length = character_count(pba_dataset_class(export->dataset, i));
        longest = length > longest ? length : longest;
    }
    char type[16];
    snprintf(type, sizeof type, "<U%zu", longest);
    npz_array array = {.name = "class_names",
                       .type = type,
                       .item = 4 * longest,
                       .shape = {(size_t) export->info.classes},
                       .dimensions = 1};
    pba_status status = npz_writer_begin(export->writer, &array);
    for (int i = 0; i < export->info.classes && status == PBA_OK; i++) {
        const char *name = pba_dataset_class(export->dataset, i);
        uint8_t bytes[4 * PBA_NAME_MAX] = {0};
        for (size_t at = 0; *name; at += 4) {
            uint32_t character = next_character(&name);
            for (int byte = 0; byte < 4; byte++) {
                bytes[at + (size_t)byte] = (uint8_t)(character >> (8 * byte));
            }
        }
        status = npz_writer_add(export->writer, bytes, array.item);
    }
    return status;
}

/* --------------------------------------------------------------------- file */

static pba_status write_arrays(export *export, bool masks)
{
    pba_status status = write_images(export);
    if (status == PBA_OK) {
        status = write_labels(export);
    }
    if (status == PBA_OK) {
        status = write_names(export);
    }
    return status == PBA_OK && masks ? write_masks(export) : status;
}

static pba_status write_file(export *export, const char *path, bool masks)
{
    size_t area = (size_t) export->info.width * (size_t) export->info.height;
    export->pixels = memory_new(area, (size_t) export->info.channels);
    export->mask = memory_new(area, 1);
    pba_status status = export->pixels && export->mask ? PBA_OK : PBA_MEMORY;
    if (status == PBA_OK) {
        status = npz_writer_open(path, &export->writer);
    }
    if (status == PBA_OK) {
        status = write_arrays(export, masks);
        if (status == PBA_OK) {
            status = npz_writer_close(export->writer);
        } else {
            npz_writer_abandon(export->writer);
        }
    }
    free(export->pixels);
    free(export->mask);
    return status;
}

pba_status pba_augment_write(const pba_dataset *dataset, pba_split split, int count,
                             const pba_augmenter_options *options, int epoch, bool masks,
                             const char *path)
{
    pba_augmenter_options own = *options;
    export export = {.dataset = dataset, .split = split, .epoch = epoch};
    int there = pba_dataset_count(dataset, split);
    if (count < 0 || count > there || !there) {
        return there ? status_set(PBA_NOT_FOUND, "count: %d; the split has %d images", count, there)
                     : status_set(PBA_NOT_FOUND, "the split has no images");
    }
    export.count = (size_t)(count ? count : there);
    pba_status status = pba_dataset_describe(dataset, &export.info);
    own.width = export.info.width;
    own.height = export.info.height;
    own.channels = export.info.channels;
    if (own.baseline && strcmp(own.baseline, "auto") == 0) {
        own.baseline = export.info.baseline;
    }
    if (status == PBA_OK) {
        status = pba_augmenter_create(&own, &export.augmenter);
    }
    if (status == PBA_OK) {
        status = write_file(&export, path, masks);
    }
    pba_augmenter_free(export.augmenter);
    return status;
}
