/* SPDX-License-Identifier: Apache-2.0
 * The store that formats fill: one growing array of pixels and one of labels. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/note.h"
#include "core/threads.h"
#include "data/format.h"

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

void data_note(data_content *content, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_add(content->notes, sizeof content->notes, format, arguments);
    va_end(arguments);
}

void data_content_free(data_content *content)
{
    free(content->pixels);
    free(content->labels);
    free(content->names);
    *content = (data_content){0};
}
