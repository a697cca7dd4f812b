/* SPDX-License-Identifier: Apache-2.0
 * An image that the library allocates: pixels and mask. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/codec.h"

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
