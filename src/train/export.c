/* SPDX-License-Identifier: Apache-2.0
 * Images of one epoch for other trainers: a split, augmented with the draws of a training run, as
 * arrays that NumPy reads. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "data/dataset.h"
#include "data/npz_writer.h"

typedef struct exporter {
    const pba_dataset *dataset;
    pba_dataset_info info;
    pba_split split;
    size_t count;
    int epoch;
    pba_augmenter *augmenter;
    npz_writer *writer;
    uint8_t *pixels, *mask;   /* of one image */
    const uint8_t **partners; /* of the training split, as a training run has them */
    uint32_t *partner_ids;
} exporter;

/* ------------------------------------------------------------------- images */

static pba_status draw(exporter *exporter, size_t index)
{
    pba_image view;
    int label;
    uint32_t id = dataset_number(exporter->dataset, exporter->split, (int)index);
    pba_status status =
        pba_dataset_image(exporter->dataset, exporter->split, (int)index, &view, &label);
    return status == PBA_OK ? pba_augment_images(exporter->augmenter, view.pixels, &id, 1,
                                                 exporter->epoch, exporter->pixels, exporter->mask)
                            : status;
}

static pba_status write_images(exporter *exporter)
{
    const pba_dataset_info *info = &exporter->info;
    npz_array array = {.name = "images",
                       .type = "|u1",
                       .item = 1,
                       .shape = {exporter->count, (size_t)info->height, (size_t)info->width,
                                 (size_t)info->channels},
                       .dimensions = 4};
    size_t bytes = array.shape[1] * array.shape[2] * array.shape[3];
    pba_status status = npz_writer_begin(exporter->writer, &array);
    for (size_t i = 0; i < exporter->count && status == PBA_OK; i++) {
        status = draw(exporter, i);
        if (status == PBA_OK) {
            status = npz_writer_add(exporter->writer, exporter->pixels, bytes);
        }
    }
    return status;
}

/* Drawn a second time, the same, rather than kept. */
static pba_status write_masks(exporter *exporter)
{
    npz_array array = {
        .name = "masks",
        .type = "|u1",
        .item = 1,
        .shape = {exporter->count, (size_t)exporter->info.height, (size_t)exporter->info.width},
        .dimensions = 3};
    pba_status status = npz_writer_begin(exporter->writer, &array);
    for (size_t i = 0; i < exporter->count && status == PBA_OK; i++) {
        status = draw(exporter, i);
        if (status == PBA_OK) {
            status =
                npz_writer_add(exporter->writer, exporter->mask, array.shape[1] * array.shape[2]);
        }
    }
    return status;
}

/* ------------------------------------------------------------------- labels */

static pba_status write_labels(exporter *exporter)
{
    npz_array array = {
        .name = "labels", .type = "<i8", .item = 8, .shape = {exporter->count}, .dimensions = 1};
    pba_status status = npz_writer_begin(exporter->writer, &array);
    for (size_t i = 0; i < exporter->count && status == PBA_OK; i++) {
        pba_image view;
        int label;
        uint8_t bytes[8] = {0};
        status = pba_dataset_image(exporter->dataset, exporter->split, (int)i, &view, &label);
        for (int byte = 0; byte < 4 && status == PBA_OK; byte++) {
            bytes[byte] = (uint8_t)((unsigned)label >> (8 * byte));
        }
        if (status == PBA_OK) {
            status = npz_writer_add(exporter->writer, bytes, sizeof bytes);
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
static pba_status write_names(exporter *exporter)
{
    size_t longest = 1;
    for (int i = 0; i < exporter->info.classes; i++) {
        size_t length = character_count(pba_dataset_class(exporter->dataset, i));
        longest = length > longest ? length : longest;
    }
    char type[16];
    snprintf(type, sizeof type, "<U%zu", longest);
    npz_array array = {.name = "class_names",
                       .type = type,
                       .item = 4 * longest,
                       .shape = {(size_t)exporter->info.classes},
                       .dimensions = 1};
    pba_status status = npz_writer_begin(exporter->writer, &array);
    for (int i = 0; i < exporter->info.classes && status == PBA_OK; i++) {
        const char *name = pba_dataset_class(exporter->dataset, i);
        uint8_t bytes[4 * PBA_CLASS_MAX] = {0};
        for (size_t at = 0; *name; at += 4) {
            uint32_t character = next_character(&name);
            for (int byte = 0; byte < 4; byte++) {
                bytes[at + (size_t)byte] = (uint8_t)(character >> (8 * byte));
            }
        }
        status = npz_writer_add(exporter->writer, bytes, array.item);
    }
    return status;
}

/* --------------------------------------------------------------------- file */

static pba_status write_arrays(exporter *exporter, bool masks)
{
    pba_status status = write_images(exporter);
    if (status == PBA_OK) {
        status = write_labels(exporter);
    }
    if (status == PBA_OK) {
        status = write_names(exporter);
    }
    return status == PBA_OK && masks ? write_masks(exporter) : status;
}

static pba_status write_file(exporter *exporter, const char *path, bool masks)
{
    size_t area = (size_t)exporter->info.width * (size_t)exporter->info.height;
    exporter->pixels = memory_new(area, (size_t)exporter->info.channels);
    exporter->mask = memory_new(area, 1);
    pba_status status = exporter->pixels && exporter->mask ? PBA_OK : PBA_MEMORY;
    if (status == PBA_OK) {
        status = npz_writer_open(path, &exporter->writer);
    }
    if (status == PBA_OK) {
        status = write_arrays(exporter, masks);
        if (status == PBA_OK) {
            status = npz_writer_close(exporter->writer);
        } else {
            npz_writer_abandon(exporter->writer);
        }
    }
    free(exporter->pixels);
    free(exporter->mask);
    return status;
}

static pba_status list_partners(exporter *exporter)
{
    int count = pba_dataset_count(exporter->dataset, PBA_TRAIN);
    exporter->partners = memory_new((size_t)count, sizeof *exporter->partners);
    exporter->partner_ids = memory_new((size_t)count, sizeof *exporter->partner_ids);
    pba_status status = exporter->partners && exporter->partner_ids ? PBA_OK : PBA_MEMORY;
    for (int i = 0; i < count && status == PBA_OK; i++) {
        pba_image view;
        int label;
        status = pba_dataset_image(exporter->dataset, PBA_TRAIN, i, &view, &label);
        exporter->partners[i] = view.pixels;
        exporter->partner_ids[i] = dataset_number(exporter->dataset, PBA_TRAIN, i);
    }
    return status;
}

static pba_status create_augmenter(exporter *exporter, const pba_augmenter_options *options)
{
    pba_augmenter_options own = *options;
    const pba_dataset_info *info = &exporter->info;
    pba_status status = list_partners(exporter);
    own.width = info->width;
    own.height = info->height;
    own.channels = info->channels;
    own.partners = exporter->partners;
    own.partner_ids = exporter->partner_ids;
    own.partner_count = (size_t)pba_dataset_count(exporter->dataset, PBA_TRAIN);
    if (own.baseline && strcmp(own.baseline, "auto") == 0) {
        own.baseline = info->baseline;
    }
    return status == PBA_OK ? pba_augmenter_create(&own, &exporter->augmenter) : status;
}

pba_status pba_augment_write(const pba_dataset *dataset, pba_split split, int count,
                             const pba_augmenter_options *options, int epoch, bool masks,
                             const char *path)
{
    if (!dataset || !options || !path) {
        return status_null(__func__);
    }
    exporter exporter = {.dataset = dataset, .split = split, .epoch = epoch};
    int there = pba_dataset_count(dataset, split);
    if (count < 0 || count > there || !there) {
        return there ? status_set(PBA_NOT_FOUND, "count: %d; the split has %d images", count, there)
                     : status_set(PBA_NOT_FOUND, "the split has no images");
    }
    exporter.count = (size_t)(count ? count : there);
    pba_status status = pba_dataset_describe(dataset, &exporter.info);
    if (status == PBA_OK) {
        status = create_augmenter(&exporter, options);
    }
    if (status == PBA_OK) {
        status = write_file(&exporter, path, masks);
    }
    pba_augmenter_free(exporter.augmenter);
    free(exporter.partners);
    free(exporter.partner_ids);
    return status;
}
