/* SPDX-License-Identifier: Apache-2.0
 * An image that the library allocates: pixels and mask. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/file.h"

pba_status pba_image_create(int width, int height, int channels, pba_image *image)
{
    *image = (pba_image){0};
    if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
        return status_set(
            PBA_USAGE,
            "an image of %d x %d pixels in %d channels: sides are at least 1, channels "
            "1 or 3",
            width, height, channels);
    }
    int64_t area = (int64_t)width * height;
    if (area > IMAGE_AREA_MAX) {
        return status_set(PBA_UNSUPPORTED, "an image of %d x %d pixels: more than %d are refused",
                          width, height, IMAGE_AREA_MAX);
    }
    image->pixels = memory_new((size_t)area, (size_t)channels);
    image->mask = memory_new((size_t)area, 1);
    if (!image->pixels || !image->mask) {
        pba_image_free(image);
        return PBA_MEMORY;
    }
    memset(image->mask, 255, (size_t)area);
    image->width = width;
    image->height = height;
    image->channels = channels;
    return PBA_OK;
}

void pba_image_free(pba_image *image)
{
    if (!image) {
        return;
    }
    free(image->pixels);
    free(image->mask);
    *image = (pba_image){0};
}

/* The means of one square of `image`, whose upper left corner is (left, top). */
static void average(const pba_image *image, int left, int top, int factor, uint8_t *pixel,
                    uint8_t *mask)
{
    uint64_t sums[3] = {0}, count = 0, area = 0, alpha = 0;
    for (int y = top; y < top + factor && y < image->height; y++) {
        for (int x = left; x < left + factor && x < image->width; x++) {
            size_t at = (size_t)y * (size_t)image->width + (size_t)x;
            area++;
            alpha += image->mask ? image->mask[at] : 255;
            if (image->mask && !image->mask[at]) {
                continue;
            }
            count++;
            for (int c = 0; c < image->channels; c++) {
                sums[c] += image->pixels[at * (size_t)image->channels + (size_t)c];
            }
        }
    }
    for (int c = 0; c < image->channels; c++) {
        pixel[c] = count ? (uint8_t)((sums[c] + count / 2) / count) : 0;
    }
    *mask = (uint8_t)((alpha + area / 2) / area);
}

pba_status image_shrink(const pba_image *image, int factor, pba_image *small)
{
    int width = (image->width - 1) / factor + 1, height = (image->height - 1) / factor + 1;
    pba_status status = pba_image_create(width, height, image->channels, small);
    for (int y = 0; y < height && status == PBA_OK; y++) {
        for (int x = 0; x < width; x++) {
            size_t at = (size_t)y * (size_t)width + (size_t)x;
            average(image, x * factor, y * factor, factor,
                    small->pixels + at * (size_t)image->channels, &small->mask[at]);
        }
    }
    return status;
}
