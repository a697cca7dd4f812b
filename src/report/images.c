/* SPDX-License-Identifier: Apache-2.0
 * The data set's own images as a training run would be shown them in the course of the schedule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/file.h"
#include "report/page.h"
#include "train/preview.h"

enum { IMAGES = 8, COLUMNS = 5, SIDE_MAX = 128, SIDE_SMALL = 64 };

static int shrink_factor(const pba_image *image)
{
    int side = image->width > image->height ? image->width : image->height;
    return (side - 1) / SIDE_MAX + 1;
}

/* Where there is no content the page's checkerboard shows through. */
static pba_status write_cell(report_text *out, const pba_image *image, const char *alt)
{
    pba_image small;
    uint8_t *bytes = NULL;
    size_t size;
    pba_status status = image_shrink(image, shrink_factor(image), &small);
    if (status == PBA_OK) {
        status = image_png(&small, image->mask != NULL, &bytes, &size);
    }
    if (status == PBA_OK) {
        bool few = small.width <= SIDE_SMALL && small.height <= SIDE_SMALL;
        report_add(out, "<td><img%s width=\"%d\" height=\"%d\" alt=\"",
                   few ? " class=\"small\"" : "", small.width, small.height);
        report_say(out, "%s", alt);
        report_add(out, "\" src=\"data:image/png;base64,");
        report_base64(out, bytes, size);
        report_add(out, "\"/></td>");
    }
    free(bytes);
    pba_image_free(&small);
    return status;
}

static void class_name(const preview *preview, int index, char name[PBA_NAME_MAX + 16])
{
    const char *found = pba_dataset_class(preview->dataset, preview->labels[index]);
    if (found[0]) {
        snprintf(name, PBA_NAME_MAX + 16, "%s", found);
    } else {
        snprintf(name, PBA_NAME_MAX + 16, "class %d", preview->labels[index]);
    }
}

/* What the schedule makes of the images: columns after each other. */
typedef struct drawing {
    uint8_t *pixels, *masks;
    size_t column, mask_column; /* bytes of a column */
} drawing;

static pba_status write_row(report_text *out, const preview *preview, const drawing *drawing,
                            int index)
{
    char name[PBA_NAME_MAX + 16], alt[PBA_NAME_MAX + 64];
    class_name(preview, index, name);
    report_add(out, "<tr>");
    pba_image image = preview_image(preview, preview->pixels, NULL, index);
    pba_status status = write_cell(out, &image, name);
    for (size_t column = 0; column < COLUMNS && status == PBA_OK; column++) {
        image = preview_image(preview, drawing->pixels + column * drawing->column,
                              drawing->masks + column * drawing->mask_column, index);
        snprintf(alt, sizeof alt, "%s in epoch %d", name, preview_epoch(preview, (int)column));
        status = write_cell(out, &image, alt);
    }
    report_add(out, "</tr>\n");
    return status;
}

static void write_head(report_text *out, const preview *preview)
{
    report_add(out, "<table class=\"images\"><thead><tr><th>original</th>");
    for (int column = 0; column < COLUMNS; column++) {
        report_add(out, "<th>%d %%<br/><span class=\"soft\">epoch %d</span></th>",
                   100 * column / (COLUMNS - 1), preview_epoch(preview, column));
    }
    report_add(out, "</tr></thead>\n<tbody>\n");
}

static pba_status draw(const preview *preview, const char *baseline, drawing *drawing)
{
    size_t area = (size_t)preview->info.width * (size_t)preview->info.height;
    drawing->column = (size_t)preview->count * preview->bytes;
    drawing->mask_column = (size_t)preview->count * area;
    drawing->pixels = memory_new(COLUMNS, drawing->column);
    drawing->masks = memory_new(COLUMNS, drawing->mask_column);
    if (!drawing->pixels || !drawing->masks) {
        return PBA_MEMORY;
    }
    pba_augmenter *augmenter = NULL;
    pba_status status = preview_augmenter(preview, baseline, &augmenter);
    for (size_t column = 0; column < COLUMNS && status == PBA_OK; column++) {
        status = preview_draw(preview, augmenter, preview_epoch(preview, (int)column),
                              drawing->pixels + column * drawing->column,
                              drawing->masks + column * drawing->mask_column);
    }
    pba_augmenter_free(augmenter);
    return status;
}

static pba_status write_table(report_text *out, const preview *preview, const char *baseline)
{
    drawing drawing = {0};
    pba_status status = draw(preview, baseline, &drawing);
    write_head(out, preview);
    for (int i = 0; i < preview->count && status == PBA_OK; i++) {
        status = write_row(out, preview, &drawing, i);
    }
    report_add(out, "</tbody></table>\n");
    free(drawing.pixels);
    free(drawing.masks);
    return status;
}

static int size_setting(const report_run *run, const char *name)
{
    return (int)strtol(report_setting(run, name), NULL, 10);
}

static pba_status write_images(report_text *out, const report_run *run, const char *path)
{
    pba_dataset *dataset = NULL;
    pba_status status = pba_dataset_open(path, &dataset);
    if (status == PBA_OK) {
        status = pba_dataset_split(dataset, size_setting(run, "train-size"),
                                   size_setting(run, "val-size"),
                                   strtoull(report_setting(run, "split-seed"), NULL, 10));
    }
    preview preview = {.dataset = dataset,
                       .schedule = run->schedule,
                       .seed = strtoull(report_setting(run, "seed"), NULL, 10),
                       .count = IMAGES,
                       .columns = COLUMNS};
    if (status == PBA_OK) {
        status = preview_pick(&preview);
    }
    if (status == PBA_OK) {
        const char *baseline = report_setting(run, "baseline");
        bool given = baseline[0] && strcmp(baseline, "auto") != 0;
        status = write_table(out, &preview, given ? baseline : preview.info.baseline);
    }
    preview_free(&preview);
    pba_dataset_free(dataset);
    return status;
}

void page_images(report_text *out, const report_run *run, const char *dataset)
{
    const char *path = dataset ? dataset : report_setting(run, "dataset");
    report_text images = {0};
    if (!path[0] || !run->schedule) {
        return;
    }
    pba_status status = write_images(&images, run, path);
    if (status == PBA_OK) {
        report_add(out, "<figure>");
        report_add_bytes(out, images.data, images.size);
        report_add(out, "<figcaption>Training images, the classes in turn, as a network is shown "
                        "them at 0, 25, 50, 75 and 100 %% of the schedule: policy and baseline "
                        "augmentation (crop, flip, cut-out square) together. A checkerboard stands "
                        "where nothing is left of the image; networks see zeros there. Another "
                        "seed draws other pictures.</figcaption></figure>\n");
    } else {
        report_add(out, "<p>The images are left out, since the data cannot be used now: ");
        report_say(out, "%s", pba_error_message());
        report_add(out, "</p>\n");
    }
    out->failed |= images.failed;
    free(images.data);
}
