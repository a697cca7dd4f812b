/* SPDX-License-Identifier: Apache-2.0
 * An image that the library allocates: pixels and mask. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/codec.h"

pba_status image_check_sizes(int width, int height, int channels)
{
    if (width < 1 || height < 1 || (channels != 1 && channels != 3)) {
        return status_set(
            PBA_USAGE,
            "an image of %d x %d pixels in %d channels: sides are at least 1, channels "
            "1 or 3",
            width, height, channels);
    }
    return (int64_t)width * height <= IMAGE_AREA_MAX
               ? PBA_OK
               : status_set(PBA_UNSUPPORTED, "an image of %d x %d pixels: more than %d are refused",
                            width, height, IMAGE_AREA_MAX);
}

pba_status pba_image_create(int width, int height, int channels, pba_image *image)
{
    if (!image) {
        return status_null(__func__);
    }
    *image = (pba_image){0};
    pba_status status = image_check_sizes(width, height, channels);
    if (status != PBA_OK) {
        return status;
    }
    size_t area = (size_t)width * (size_t)height;
    image->pixels = memory_new(area, (size_t)channels);
    image->mask = memory_new(area, 1);
    if (!image->pixels || !image->mask) {
        pba_image_free(image);
        return PBA_MEMORY;
    }
    memset(image->mask, 255, area);
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
