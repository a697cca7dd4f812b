/* SPDX-License-Identifier: Apache-2.0
 * Operations whose table follows from a channel's histogram: Pillow's ImageOps.equalize and
 * autocontrast (cutoff 0). They go through RGB: pixels without content count with the colour that
 * they have, and the mask is reset. */
#include "augment/op.h"

#include <string.h>

static void count_values(const pba_image *src, int channel, uint32_t bins[256])
{
    size_t bytes = augment_bytes(src), step = (size_t)src->channels;
    memset(bins, 0, 256 * sizeof *bins);
    for (size_t i = (size_t)channel; i < bytes; i += step) {
        bins[src->pixels[i]]++;
    }
}

static void identity(uint8_t table[256])
{
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)v;
    }
}

static void equalize_table(const uint32_t bins[256], uint8_t table[256])
{
    uint32_t total = 0, last = 0;
    for (int v = 0; v < 256; v++) {
        total += bins[v];
        last = bins[v] ? bins[v] : last;
    }
    uint32_t step = (total - last) / 255; /* 0 as well where there is one value only */
    if (!step) {
        identity(table);
        return;
    }
    uint32_t n = step / 2;
    for (int v = 0; v < 256; v++) {
        uint32_t value = n / step; /* above 255 only behind the last value that occurs */
        table[v] = (uint8_t)(value > 255 ? 255 : value);
        n += bins[v];
    }
}

static void autocontrast_table(const uint32_t bins[256], uint8_t table[256])
{
    int low = 0, high = 255;
    while (low < 255 && !bins[low]) {
        low++;
    }
    while (high > 0 && !bins[high]) {
        high--;
    }
    if (high <= low) {
        identity(table);
        return;
    }
    double scale = 255.0 / (high - low), offset = -low * scale;
    for (int v = 0; v < 256; v++) {
        int value = (int)(v * scale + offset);
        table[v] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

static void per_channel(pba_image *dst, const pba_image *src, const augment_context *context,
                        void (*fill)(const uint32_t bins[256], uint8_t table[256]))
{
    uint32_t bins[256];
    uint8_t tables[3][256];
    for (int c = 0; c < src->channels; c++) {
        count_values(src, c, bins);
        fill(bins, tables[c]);
    }
    if (src->channels == 1) {
        context->kernels->table(dst->pixels, src->pixels, augment_bytes(src), tables[0]);
    } else {
        context->kernels->tables(dst->pixels, src->pixels, augment_pixels(src), tables);
    }
    memset(dst->mask, 255, augment_pixels(dst));
}

static void equalize(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    per_channel(dst, src, context, equalize_table);
}

static void autocontrast(pba_image *dst, const pba_image *src, double unused,
                         augment_context *context)
{
    per_channel(dst, src, context, autocontrast_table);
}

static const augment_op rows[] = {
    {.abi = AUGMENT_OP_ABI,
     .name = "Equalize",
     .sentence = "Spreads each channel's values so that all occur about equally often.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.equalize",
     .apply = equalize},
    {.abi = AUGMENT_OP_ABI,
     .name = "AutoContrast",
     .sentence = "Stretches each channel so that its darkest value is 0 and its lightest 255.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.autocontrast",
     .apply = autocontrast},
};

const augment_ops augment_histogram = {rows, sizeof rows / sizeof *rows};
