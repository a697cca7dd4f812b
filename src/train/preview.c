/* SPDX-License-Identifier: Apache-2.0
 * Looking at what a network is shown: training images as they are, or beside what a schedule makes
 * of them in the course of training, by the same draws as a training run with that seed. */
#include "train/preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "data/dataset.h"
#include "image/sheet.h"

enum { IMAGES_MAX = 10000, COLUMNS_MAX = 100, COLUMNS_SCHEDULE = 5, COLUMNS_DATA = 10 };

/* The classes in turn, of each the first images of the training split. */
static pba_status pick(preview *preview)
{
    int classes = preview->info.classes, train = pba_dataset_count(preview->dataset, PBA_TRAIN);
    uint8_t *taken = memory_new((size_t)train, 1);
    if (!taken) {
        return PBA_MEMORY;
    }
    int found = 0;
    for (int wanted = 0; found < preview->count; wanted = (wanted + 1) % classes) {
        for (int i = 0; i < train; i++) {
            pba_image view;
            int label;
            pba_dataset_image(preview->dataset, PBA_TRAIN, i, &view, &label);
            if (taken[i] || label != wanted) {
                continue;
            }
            taken[i] = 1;
            memcpy(preview->pixels + (size_t)found * preview->bytes, view.pixels, preview->bytes);
            preview->ids[found] = dataset_number(preview->dataset, PBA_TRAIN, i);
            preview->labels[found++] = label;
            break;
        }
    }
    free(taken);
    return PBA_OK;
}

/* All of the training split: any of its images may be another one's partner. */
static pba_status list_partners(preview *preview)
{
    int train = pba_dataset_count(preview->dataset, PBA_TRAIN);
    preview->partners = memory_new((size_t)train, sizeof *preview->partners);
    preview->partner_ids = memory_new((size_t)train, sizeof *preview->partner_ids);
    if (!preview->partners || !preview->partner_ids) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < train; i++) {
        pba_image view;
        int label;
        pba_dataset_image(preview->dataset, PBA_TRAIN, i, &view, &label);
        preview->partners[i] = view.pixels;
        preview->partner_ids[i] = dataset_number(preview->dataset, PBA_TRAIN, i);
    }
    return PBA_OK;
}

static pba_status allocate(preview *preview)
{
    size_t count = (size_t)preview->count;
    size_t area = (size_t)preview->info.width * (size_t)preview->info.height;
    preview->bytes = area * (size_t)preview->info.channels;
    preview->pixels = memory_new(count, preview->bytes);
    preview->drawn = memory_new(count, preview->bytes);
    preview->mask = memory_new(count, area);
    preview->ids = memory_new(count, sizeof *preview->ids);
    preview->labels = memory_new(count, sizeof *preview->labels);
    bool whole =
        preview->pixels && preview->drawn && preview->mask && preview->ids && preview->labels;
    return whole ? PBA_OK : PBA_MEMORY;
}

pba_status preview_pick(preview *preview)
{
    int train = pba_dataset_count(preview->dataset, PBA_TRAIN);
    pba_dataset_describe(preview->dataset, &preview->info);
    preview->count = preview->count < train ? preview->count : train;
    pba_status status = allocate(preview);
    if (status == PBA_OK) {
        status = list_partners(preview);
    }
    return status == PBA_OK ? pick(preview) : status;
}

void preview_free(preview *preview)
{
    free(preview->pixels);
    free(preview->drawn);
    free(preview->mask);
    free(preview->ids);
    free(preview->labels);
    free(preview->partners);
    free(preview->partner_ids);
}

pba_status preview_augmenter(const preview *preview, const char *baseline,
                             pba_augmenter **augmenter)
{
    pba_augmenter_options options = {.schedule = preview->schedule,
                                     .baseline = baseline,
                                     .width = preview->info.width,
                                     .height = preview->info.height,
                                     .channels = preview->info.channels,
                                     .scale_pixels = true,
                                     .seed = preview->seed,
                                     .partners = preview->partners,
                                     .partner_ids = preview->partner_ids,
                                     .partner_count =
                                         (size_t)pba_dataset_count(preview->dataset, PBA_TRAIN)};
    return pba_augmenter_create(&options, augmenter);
}

int preview_epoch(const preview *preview, int column)
{
    int last = pba_schedule_epochs(preview->schedule) - 1, steps = preview->columns - 1;
    return steps ? (int)((int64_t)last * column / steps) : last;
}

pba_status preview_draw(const preview *preview, const pba_augmenter *augmenter, int epoch,
                        uint8_t *drawn, uint8_t *mask)
{
    return pba_augment_images(augmenter, preview->pixels, preview->ids, (size_t)preview->count,
                              epoch, drawn, mask);
}

pba_image preview_image(const preview *preview, uint8_t *pixels, uint8_t *mask, int index)
{
    size_t area = (size_t)preview->info.width * (size_t)preview->info.height;
    return (pba_image){.pixels = pixels + (size_t)index * preview->bytes,
                       .mask = mask ? mask + (size_t)index * area : NULL,
                       .width = preview->info.width,
                       .height = preview->info.height,
                       .channels = preview->info.channels};
}

static const char *class_of(const preview *preview, int index)
{
    return pba_dataset_class(preview->dataset, preview->labels[index]);
}

static sheet plan_sheet(const preview *preview)
{
    return (sheet){.width = preview->info.width,
                   .height = preview->info.height,
                   .zoom = sheet_zoom(preview->info.width, preview->info.height)};
}

/* Images as they are, under each the name of its class. */
static pba_status draw_data(preview *preview, sheet *sheet)
{
    sheet->columns = preview->count < preview->columns ? preview->count : preview->columns;
    sheet->rows = (preview->count + sheet->columns - 1) / sheet->columns;
    sheet->below = SHEET_LINE;
    pba_status status = sheet_create(sheet);
    for (int i = 0; i < preview->count && status == PBA_OK; i++) {
        pba_image image = preview_image(preview, preview->pixels, NULL, i);
        sheet_place(sheet, i / sheet->columns, i % sheet->columns, &image);
        status = sheet_caption_image(sheet, i / sheet->columns, i % sheet->columns,
                                     class_of(preview, i));
    }
    return status;
}

static pba_status draw_column(preview *preview, sheet *sheet, int column,
                              const pba_augmenter *augmenter)
{
    int epoch = preview_epoch(preview, column);
    char text[32];
    snprintf(text, sizeof text, "epoch %d", epoch);
    pba_status status = sheet_caption_column(sheet, column + 1, text);
    if (status == PBA_OK) {
        status = preview_draw(preview, augmenter, epoch, preview->drawn, preview->mask);
    }
    for (int i = 0; i < preview->count && status == PBA_OK; i++) {
        pba_image image = preview_image(preview, preview->drawn, preview->mask, i);
        sheet_place(sheet, i, column + 1, &image);
    }
    return status;
}

static pba_status draw_originals(preview *preview, sheet *sheet)
{
    pba_status status = sheet_caption_column(sheet, 0, "original");
    for (int i = 0; i < preview->count && status == PBA_OK; i++) {
        pba_image image = preview_image(preview, preview->pixels, NULL, i);
        sheet_place(sheet, i, 0, &image);
        status = sheet_caption_row(sheet, i, class_of(preview, i));
    }
    return status;
}

static int caption_width(const preview *preview)
{
    size_t longest = 0;
    for (int i = 0; i < preview->count; i++) {
        size_t length = strlen(class_of(preview, i));
        longest = length > longest ? length : longest;
    }
    return (int)longest * SHEET_FONT * 2 / 3 + 2 * SHEET_GAP;
}

/* Images by epochs. */
static pba_status draw_schedule(preview *preview, sheet *sheet)
{
    pba_augmenter *augmenter = NULL;
    pba_status status = preview_augmenter(preview, preview->info.baseline, &augmenter);
    sheet->columns = preview->columns + 1;
    sheet->rows = preview->count;
    sheet->top = SHEET_LINE;
    sheet->left = caption_width(preview);
    if (status == PBA_OK) {
        status = sheet_create(sheet);
    }
    if (status == PBA_OK) {
        status = draw_originals(preview, sheet);
    }
    for (int column = 0; column < preview->columns && status == PBA_OK; column++) {
        status = draw_column(preview, sheet, column, augmenter);
    }
    pba_augmenter_free(augmenter);
    return status;
}

static pba_status draw(preview *preview, const char *path)
{
    pba_status status = preview_pick(preview);
    sheet sheet = plan_sheet(preview);
    if (status == PBA_OK) {
        status = preview->schedule ? draw_schedule(preview, &sheet) : draw_data(preview, &sheet);
    }
    if (status == PBA_OK) {
        status = sheet_finish(&sheet);
    }
    if (status == PBA_OK) {
        status = pba_image_write(path, &sheet.canvas, false);
    }
    sheet_free(&sheet);
    return status;
}

pba_status pba_preview_write(const pba_dataset *dataset, const pba_schedule *schedule,
                             const char *path, int images, int columns, uint64_t seed)
{
    if (!dataset || !path) {
        return status_null(__func__);
    }
    int train = pba_dataset_count(dataset, PBA_TRAIN);
    if (!train) {
        return status_set(PBA_USAGE, "preview: no training images yet; draw the splits first");
    }
    if (images < 1 || images > IMAGES_MAX || columns < 0 || columns > COLUMNS_MAX) {
        return status_set(PBA_USAGE,
                          "preview: %d images in %d columns; images are 1 to %d, columns 1 to %d "
                          "(0: default)",
                          images, columns, IMAGES_MAX, COLUMNS_MAX);
    }
    preview preview = {.dataset = dataset,
                       .schedule = schedule,
                       .seed = seed,
                       .count = images,
                       .columns = columns    ? columns
                                  : schedule ? COLUMNS_SCHEDULE
                                             : COLUMNS_DATA};
    pba_status status = draw(&preview, path);
    preview_free(&preview);
    return status;
}
