/* SPDX-License-Identifier: Apache-2.0
 * The data set's own images as a training run would be shown them in the course of the schedule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/file.h"
#include "image/shrink.h"
#include "report/page.h"
#include "train/preview.h"

enum { IMAGES = 8, COLUMNS = 5, CELLS = COLUMNS + 1, SIDE_MAX = 128, SIDE_SMALL = 64 };

static int shrink_factor(const pba_image *image)
{
    int side = image->width > image->height ? image->width : image->height;
    return (side - 1) / SIDE_MAX + 1;
}

/* Where there is no content the page's checkerboard shows through. */
static void write_cell(report_text *out, const pba_image *image, const image_coded *coded,
                       const char *alt)
{
    bool few = image->width <= SIDE_SMALL && image->height <= SIDE_SMALL;
    report_add(out, "<td><img%s width=\"%d\" height=\"%d\" alt=\"", few ? " class=\"small\"" : "",
               image->width, image->height);
    report_say(out, "%s", alt);
    report_add(out, "\" src=\"data:image/png;base64,");
    report_base64(out, coded->bytes, coded->size);
    report_add(out, "\"/></td>");
}

static void class_name(const preview *preview, int index, char name[PBA_CLASS_MAX])
{
    const char *found = pba_dataset_class(preview->dataset, preview->labels[index]);
    if (found[0]) {
        snprintf(name, PBA_CLASS_MAX, "%s", found);
    } else {
        snprintf(name, PBA_CLASS_MAX, "class %d", preview->labels[index]);
    }
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

/* What is shown, row by row: an original and what becomes of it. */
typedef struct drawing {
    const preview *preview;
    pba_image cells[IMAGES * CELLS]; /* shrunk */
    image_coded coded[IMAGES * CELLS];
} drawing;

/* Column 0 of cells is the originals, column c + 1 the preview's column c. */
static pba_status shrink_column(drawing *drawing, int column, uint8_t *pixels, uint8_t *masks)
{
    pba_status status = PBA_OK;
    for (int i = 0; i < drawing->preview->count && status == PBA_OK; i++) {
        pba_image image = preview_image(drawing->preview, pixels, masks, i);
        status = image_shrink(&image, shrink_factor(&image), &drawing->cells[i * CELLS + column]);
    }
    return status;
}

static pba_status draw(drawing *drawing, const char *baseline)
{
    const preview *preview = drawing->preview;
    pba_augmenter *augmenter = NULL;
    pba_status status = preview_augmenter(preview, baseline, &augmenter);
    if (status == PBA_OK) {
        status = shrink_column(drawing, 0, preview->pixels, NULL);
    }
    for (int column = 0; column < COLUMNS && status == PBA_OK; column++) {
        status = preview_draw(preview, augmenter, preview_epoch(preview, column), preview->drawn,
                              preview->mask);
        if (status == PBA_OK) {
            status = shrink_column(drawing, column + 1, preview->drawn, preview->mask);
        }
    }
    pba_augmenter_free(augmenter);
    return status == PBA_OK ? image_encode_all("images.png", drawing->cells, preview->count * CELLS,
                                               true, drawing->coded)
                            : status;
}

static void write_table(report_text *out, const drawing *drawing)
{
    const preview *preview = drawing->preview;
    write_head(out, preview);
    for (int i = 0; i < preview->count * CELLS; i++) {
        char name[PBA_CLASS_MAX], alt[PBA_CLASS_MAX + 32];
        int column = i % CELLS;
        class_name(preview, i / CELLS, name);
        snprintf(alt, sizeof alt, column ? "%s in epoch %d" : "%s", name,
                 column ? preview_epoch(preview, column - 1) : 0);
        report_add(out, column ? "" : "<tr>");
        write_cell(out, &drawing->cells[i], &drawing->coded[i], alt);
        report_add(out, column == CELLS - 1 ? "</tr>\n" : "");
    }
    report_add(out, "</tbody></table>\n");
}

static pba_status draw_table(report_text *out, const preview *preview, const char *baseline)
{
    drawing *drawing = memory_new(1, sizeof *drawing);
    if (!drawing) {
        return PBA_MEMORY;
    }
    drawing->preview = preview;
    pba_status status = draw(drawing, baseline);
    if (status == PBA_OK) {
        write_table(out, drawing);
    }
    for (int i = 0; i < IMAGES * CELLS; i++) {
        pba_image_free(&drawing->cells[i]);
        free(drawing->coded[i].bytes);
    }
    free(drawing);
    return status;
}

static int size_setting(const report_run *run, const char *name)
{
    return (int)strtol(report_setting(run, name), NULL, 10);
}

/* As the run opened it. */
static pba_status open_data(const report_run *run, const char *path, pba_dataset **dataset)
{
    pba_dataset_options options = {0};
    size_t count;
    const pba_setting *rows = pba_dataset_settings(&count);
    pba_status status = PBA_OK;
    pba_settings_init(&options, rows, count);
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        const char *text = report_setting(run, rows[i].name);
        status = *text ? pba_settings_set(&options, rows, count, rows[i].name, text) : PBA_OK;
    }
    if (status == PBA_OK) {
        status = pba_dataset_open_with(path, &options, dataset);
    }
    return status == PBA_OK
               ? pba_dataset_split(*dataset, size_setting(run, "train-size"),
                                   size_setting(run, "val-size"),
                                   strtoull(report_setting(run, "split-seed"), NULL, 10))
               : status;
}

static pba_status write_images(report_text *out, const report_run *run, const pba_dataset *dataset)
{
    preview preview = {.dataset = dataset,
                       .schedule = run->schedule,
                       .seed = strtoull(report_setting(run, "seed"), NULL, 10),
                       .count = IMAGES,
                       .columns = COLUMNS};
    pba_status status = preview_pick(&preview);
    if (status == PBA_OK) {
        const char *baseline = report_setting(run, "baseline");
        bool given = baseline[0] && strcmp(baseline, "auto") != 0;
        status = draw_table(out, &preview, given ? baseline : preview.info.baseline);
    }
    preview_free(&preview);
    return status;
}

static pba_status find_images(report_text *out, const report_run *run, const char *path,
                              const pba_dataset *opened)
{
    pba_dataset *own = NULL;
    pba_status status = opened ? PBA_OK : open_data(run, path, &own);
    if (status == PBA_OK) {
        status = write_images(out, run, opened ? opened : own);
    }
    pba_dataset_free(own);
    return status;
}

void page_images(report_text *out, const report_run *run, const char *path,
                 const pba_dataset *opened)
{
    report_text images = {0};
    pba_status status = find_images(&images, run, path, opened);
    if (status == PBA_OK) {
        report_add(out, "<figure>");
        text_add_bytes(out, images.data, images.size);
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
    out->failed |= images.failed || status == PBA_MEMORY;
    free(images.data);
}
