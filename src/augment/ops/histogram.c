/* SPDX-License-Identifier: Apache-2.0
 * Operations whose table follows from a channel's histogram: Pillow's ImageOps.equalize and
 * autocontrast (cutoff 0). They go through RGB: pixels without content count with the colour that
 * they have, and the mask is reset. */
#include "augment/op.h"

#include <string.h>

/* Counting goes round two sets of bins: neighbours resemble each other, and adding twice to one bin
 * in a row would wait for the memory. */
typedef struct histogram {
    uint32_t bins[2][3][256];
} histogram;

static inline void count_pixels(histogram *all, const pba_image *src, size_t channels)
{
    size_t pixels = augment_pixels(src);
    const uint8_t *at = src->pixels;
    for (size_t i = 0; i + 1 < pixels; i += 2, at += 2 * channels) {
        for (size_t c = 0; c < channels; c++) {
            all->bins[0][c][at[c]]++;
            all->bins[1][c][at[channels + c]]++;
        }
    }
    for (size_t c = 0; pixels % 2 && c < channels; c++) {
        all->bins[0][c][at[c]]++;
    }
    for (size_t c = 0; c < channels; c++) {
        for (size_t v = 0; v < 256; v++) {
            all->bins[0][c][v] += all->bins[1][c][v];
        }
    }
}

static void identity(uint8_t table[256])
{
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)v;
    }
}

static void equalize_table(const uint32_t bins[256], size_t total, uint8_t table[256],
                           const augment_kernels *kernels)
{
    uint32_t n[256];
    int last = 255;
    while (!bins[last]) {
        last--;
    }
    uint32_t step = ((uint32_t)total - bins[last]) / 255; /* 0 too where there is one value only */
    if (!step) {
        identity(table);
        return;
    }
    n[0] = step / 2;
    for (int v = 1; v < 256; v++) {
        n[v] = n[v - 1] + bins[v - 1];
    }
    kernels->divide(table, n, step); /* above 255 only behind the last value that occurs */
}

static int equalize(uint8_t tables[3][256], const pba_image *src, double unused,
                    augment_context *context)
{
    histogram all;
    memset(&all, 0, sizeof all);
    if (src->channels == 1) {
        count_pixels(&all, src, 1);
    } else {
        count_pixels(&all, src, 3);
    }
    for (int c = 0; c < src->channels; c++) {
        equalize_table(all.bins[0][c], augment_pixels(src), tables[c], context->kernels);
    }
    return src->channels;
}

static int autocontrast(uint8_t tables[3][256], const pba_image *src, double unused,
                        augment_context *context)
{
    uint8_t low[3], high[3];
    context->kernels->range(low, high, src->pixels, augment_pixels(src), src->channels);
    for (int c = 0; c < src->channels; c++) {
        if (high[c] <= low[c]) {
            identity(tables[c]);
        } else {
            double scale = 255.0 / (high[c] - low[c]);
            context->kernels->ramp(tables[c], scale, -low[c] * scale);
        }
    }
    return src->channels;
}

static const augment_op rows[] = {
    {.name = "Equalize",
     .sentence = "Spreads each channel's values so that all occur about equally often.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK | AUGMENT_STATISTICS,
     .source = "Pillow ImageOps.equalize",
     .tables = equalize},
    {.name = "AutoContrast",
     .sentence = "Stretches each channel so that its darkest value is 0 and its lightest 255.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK | AUGMENT_STATISTICS,
     .source = "Pillow ImageOps.autocontrast",
     .tables = autocontrast},
};

const augment_ops augment_histogram = {rows, sizeof rows / sizeof *rows};
