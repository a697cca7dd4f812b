/* SPDX-License-Identifier: Apache-2.0 */
#include "image/shrink.h"

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
