/* SPDX-License-Identifier: Apache-2.0
 * Mean and deviation of the training split. The sums are exact integers, so that the result does
 * not depend on the order of the images. */
#include <math.h>

#include "data/dataset.h"

typedef struct sums {
    uint64_t value[3], square[3];
} sums;

static void add_image(const uint8_t *pixels, size_t count, int channels, sums *sums)
{
    for (size_t i = 0; i < count; i++) {
        for (int c = 0; c < channels; c++) {
            uint32_t value = *pixels++;
            sums->value[c] += value;
            sums->square[c] += value * value;
        }
    }
}

pba_status pba_dataset_statistics(const pba_dataset *dataset, double mean[3], double deviation[3])
{
    if (!dataset || !mean || !deviation) {
        return status_null(__func__);
    }
    const data_content *content = &dataset->content;
    if (!dataset->counts[PBA_TRAIN]) {
        return status_set(PBA_USAGE, "statistics: no training images yet; draw the splits first");
    }
    sums sums = {0};
    size_t area = (size_t)content->width * (size_t)content->height;
    for (int i = 0; i < dataset->counts[PBA_TRAIN]; i++) {
        size_t number = dataset_number(dataset, PBA_TRAIN, i);
        add_image(content->pixels + number * data_image_bytes(content), area, content->channels,
                  &sums);
    }
    unsigned __int128 n = (unsigned __int128)area * (unsigned)dataset->counts[PBA_TRAIN];
    for (int c = 0; c < 3; c++) {
        unsigned __int128 value = sums.value[c];
        double spread = (double)(n * sums.square[c] - value * value);
        mean[c] = (double)sums.value[c] / (255.0 * (double)n);
        deviation[c] = spread > 0 ? sqrt(spread) / (255.0 * (double)n) : 1.0;
    }
    return PBA_OK;
}
