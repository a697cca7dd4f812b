/* SPDX-License-Identifier: Apache-2.0
 * Operations that are one table for all pixels and channels: Pillow's ImageEnhance.Brightness and
 * Contrast (mask kept), ImageOps.invert, posterize and solarize (through RGB: mask reset). */
#include "augment/op.h"

#include <math.h>
#include <string.h>

static const uint8_t values[256] = {
#define VALUES_4(v) v, v + 1, v + 2, v + 3
#define VALUES_16(v) VALUES_4(v), VALUES_4(v + 4), VALUES_4(v + 8), VALUES_4(v + 12)
#define VALUES_64(v) VALUES_16(v), VALUES_16(v + 16), VALUES_16(v + 32), VALUES_16(v + 48)
    VALUES_64(0), VALUES_64(64), VALUES_64(128), VALUES_64(192)};

/* blend(level, v), `level` being one grey for the whole image. */
static void blend_with(uint8_t table[256], int level, double factor, const augment_context *context)
{
    uint8_t from[256];
    memset(from, level, sizeof from);
    context->kernels->blend(table, from, values, 256, (float)factor);
}

static int brightness(uint8_t tables[3][256], const pba_image *src, double factor,
                      augment_context *context)
{
    blend_with(tables[0], 0, factor, context);
    return 1;
}

/* The mean counts every pixel, those without content included. */
static int contrast(uint8_t tables[3][256], const pba_image *src, double factor,
                    augment_context *context)
{
    size_t pixels = augment_pixels(src);
    uint64_t sum = src->channels == 1 ? context->kernels->sum(src->pixels, pixels)
                                      : context->kernels->luma_sum(src->pixels, pixels);
    blend_with(tables[0], (int)((double)sum / (double)pixels + 0.5), factor, context);
    return 1;
}

static int invert(uint8_t tables[3][256], const pba_image *src, double unused,
                  augment_context *context)
{
    for (int v = 0; v < 256; v++) {
        tables[0][v] = (uint8_t)(255 - v);
    }
    return 1;
}

static int posterize(uint8_t tables[3][256], const pba_image *src, double bits,
                     augment_context *context)
{
    int keep = 0xFF00 >> (int)bits & 0xFF;
    for (int v = 0; v < 256; v++) {
        tables[0][v] = (uint8_t)(v & keep);
    }
    return 1;
}

/* v < threshold for whole v: v < ceil(threshold). */
static int solarize(uint8_t tables[3][256], const pba_image *src, double threshold,
                    augment_context *context)
{
    int from = (int)ceil(fmin(fmax(threshold, 0.0), 256.0));
    for (int v = 0; v < 256; v++) {
        tables[0][v] = (uint8_t)(v < from ? v : 255 - v);
    }
    return 1;
}

static const augment_op rows[] = {
    {.name = "Brightness",
     .sentence = "Blends with black: 0 is black, 1 changes nothing, above 1 is brighter.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .identity = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED,
     .source = "Pillow ImageEnhance.Brightness",
     .tables = brightness},
    {.name = "Contrast",
     .sentence = "Blends with the image's mean grey: 0 is flat, 1 changes nothing.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .identity = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_STATISTICS,
     .source = "Pillow ImageEnhance.Contrast",
     .tables = contrast},
    {.name = "Invert",
     .sentence = "Makes every value its negative.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.invert",
     .tables = invert},
    {.name = "Posterize",
     .sentence = "Keeps the highest bits of every value; 0 bits is black.",
     .parameter = "bits",
     .min = 0,
     .max = 8,
     .identity = 8,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.posterize",
     .tables = posterize},
    {.name = "Solarize",
     .sentence = "Inverts the values at or above a threshold; 256 changes none.",
     .parameter = "threshold",
     .min = 0,
     .max = 256,
     .identity = 256,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.solarize",
     .tables = solarize},
};

const augment_ops augment_tone = {rows, sizeof rows / sizeof *rows};
