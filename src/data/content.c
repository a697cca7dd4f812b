/* SPDX-License-Identifier: Apache-2.0
 * The store that formats fill: one growing array of pixels and one of labels. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/note.h"
#include "core/printable.h"
#include "core/threads.h"
#include "data/format.h"

enum { LABELS = UINT16_MAX + 1 };

size_t data_image_bytes(const data_content *content)
{
    return (size_t)content->width * (size_t)content->height * (size_t)content->channels;
}

size_t data_images(const data_content *content)
{
    size_t images = 0;
    for (int split = 0; split < DATA_SPLITS; split++) {
        images += (size_t)content->counts[split];
    }
    return images;
}

static pba_status check_room(const data_content *content, size_t more)
{
    size_t bytes;
    if (__builtin_mul_overflow(more, data_image_bytes(content), &bytes)) {
        bytes = SIZE_MAX;
    }
    return threads_memory_check(bytes) == PBA_OK
               ? PBA_OK
               : status_prefix(PBA_MEMORY, "%zu images of %d x %d pixels", more, content->width,
                               content->height);
}

pba_status data_reserve(data_content *content, size_t more)
{
    size_t images = data_images(content) + more;
    if (more > INT32_MAX || images > INT32_MAX) {
        return status_set(PBA_UNSUPPORTED, "%zu images are more than a data set can hold", images);
    }
    pba_status status = check_room(content, more);
    if (status != PBA_OK) {
        return status;
    }
    uint8_t *pixels = memory_grow(content->pixels, images, data_image_bytes(content));
    if (!pixels) {
        return PBA_MEMORY;
    }
    content->pixels = pixels;
    uint16_t *labels = memory_grow(content->labels, images, sizeof *labels);
    if (!labels) {
        return PBA_MEMORY;
    }
    content->labels = labels;
    return PBA_OK;
}

static void gather_image(const data_content *content, const uint8_t *bytes, const size_t steps[4],
                         uint8_t *pixels)
{
    for (int y = 0; y < content->height; y++) {
        for (int x = 0; x < content->width; x++) {
            const uint8_t *pixel = bytes + (size_t)y * steps[1] + (size_t)x * steps[2];
            for (int c = 0; c < content->channels; c++) {
                *pixels++ = pixel[(size_t)c * steps[3]];
            }
        }
    }
}

void data_gather(data_content *content, size_t first, size_t count, const uint8_t *bytes,
                 const size_t steps[4])
{
    size_t size = data_image_bytes(content), width = (size_t)content->width,
           channels = (size_t)content->channels;
    uint8_t *pixels = content->pixels + first * size;
    if (steps[0] == size && steps[1] == width * channels && steps[2] == channels && steps[3] == 1) {
        memcpy(pixels, bytes, count * size);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        gather_image(content, bytes + i * steps[0], steps, pixels + i * size);
    }
}

void data_default_baseline(data_content *content, bool flip)
{
    int side = content->width < content->height ? content->width : content->height;
    char crop[32] = "", cutout[32] = "";
    if (side / 8) {
        snprintf(crop, sizeof crop, "crop:%d", side / 8);
    }
    if (side / 2) {
        snprintf(cutout, sizeof cutout, "cutout:%d", side / 2);
    }
    const char *parts[] = {crop, flip ? "flip" : "", cutout};
    content->baseline[0] = 0;
    for (int i = 0; i < 3; i++) {
        size_t used = strlen(content->baseline);
        snprintf(content->baseline + used, sizeof content->baseline - used, "%s%s",
                 used && *parts[i] ? "," : "", parts[i]);
    }
    if (!*content->baseline) {
        snprintf(content->baseline, sizeof content->baseline, "none");
    }
}

pba_status data_number_names(data_content *content, int classes)
{
    content->classes = classes;
    free(content->names);
    content->names = memory_new((size_t)classes, sizeof *content->names);
    if (!content->names) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < classes; i++) {
        snprintf(content->names[i], sizeof *content->names, "%d", i);
    }
    return PBA_OK;
}

static pba_status name_by_label(data_content *content, const char *path, const uint16_t *label_of,
                                int classes)
{
    if (classes < 2) {
        return status_set(PBA_FORMAT, "%s: all images have label %d; there is nothing to learn",
                          path, label_of[0]);
    }
    pba_status status = data_number_names(content, classes);
    for (int i = 0; i < classes && status == PBA_OK; i++) {
        snprintf(content->names[i], sizeof *content->names, "%d", label_of[i]);
    }
    int last = label_of[classes - 1];
    if (classes <= last) {
        data_note(content, "of the labels 0 to %d, %d have no image and are no classes", last,
                  last + 1 - classes);
    }
    return status;
}

pba_status data_settle_classes(data_content *content, const char *path, uint16_t **label_of)
{
    size_t images = data_images(content);
    uint16_t *class_of = memory_new(LABELS, sizeof *class_of);
    uint16_t *labels = memory_new(LABELS, sizeof *labels);
    pba_status status = class_of && labels ? PBA_OK : PBA_MEMORY;
    int classes = 0;
    for (size_t i = 0; i < images && status == PBA_OK; i++) {
        class_of[content->labels[i]] = 1;
    }
    for (int label = 0; label < LABELS && status == PBA_OK; label++) {
        if (class_of[label]) {
            labels[classes] = (uint16_t)label;
            class_of[label] = (uint16_t)classes++;
        }
    }
    if (status == PBA_OK) {
        status = name_by_label(content, path, labels, classes);
    }
    for (size_t i = 0; i < images && status == PBA_OK; i++) {
        content->labels[i] = class_of[content->labels[i]];
    }
    free(class_of);
    if (label_of && status == PBA_OK) {
        *label_of = labels;
    } else {
        free(labels);
    }
    return status;
}

void data_note(data_content *content, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_add(content->notes, sizeof content->notes, format, arguments);
    va_end(arguments);
    printable_make(content->notes);
}

void data_content_free(data_content *content)
{
    free(content->pixels);
    free(content->labels);
    free(content->names);
    *content = (data_content){0};
}
