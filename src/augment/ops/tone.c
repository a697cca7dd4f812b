/* SPDX-License-Identifier: Apache-2.0
 * Operations that are one table for all pixels and channels: Pillow's ImageEnhance.Brightness and
 * Contrast (mask kept), ImageOps.invert, posterize and solarize (through RGB: mask reset). */
#include "augment/op.h"

#include <string.h>

static void keep_mask(pba_image *dst, const pba_image *src)
{
    memcpy(dst->mask, src->mask, augment_pixels(src));
}

static void reset_mask(pba_image *dst)
{
    memset(dst->mask, 255, augment_pixels(dst));
}

/* dst = blend(level, src), `level` being one grey for the whole image. */
static void blend_with(pba_image *dst, const pba_image *src, int level, double factor,
                       const augment_context *context)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++) {
        table[v] = augment_blend(level, v, (float)factor);
    }
    context->kernels->table(dst->pixels, src->pixels, augment_bytes(src), table);
    keep_mask(dst, src);
}

static void brightness(pba_image *dst, const pba_image *src, double factor,
                       augment_context *context)
{
    blend_with(dst, src, 0, factor, context);
}

/* The mean counts every pixel, those without content included. */
static void contrast(pba_image *dst, const pba_image *src, double factor, augment_context *context)
{
    size_t pixels = augment_pixels(src);
    uint64_t sum = src->channels == 1 ? context->kernels->sum(src->pixels, pixels)
                                      : context->kernels->luma_sum(src->pixels, pixels);
    int mean = (int)((double)sum / (double)pixels + 0.5);
    blend_with(dst, src, mean, factor, context);
}

static void invert(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)(255 - v);
    }
    context->kernels->table(dst->pixels, src->pixels, augment_bytes(src), table);
    reset_mask(dst);
}

static void posterize(pba_image *dst, const pba_image *src, double bits, augment_context *context)
{
    uint8_t table[256];
    int keep = 0xFF00 >> (int)bits & 0xFF;
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)(v & keep);
    }
    context->kernels->table(dst->pixels, src->pixels, augment_bytes(src), table);
    reset_mask(dst);
}

static void solarize(pba_image *dst, const pba_image *src, double threshold,
                     augment_context *context)
{
    uint8_t table[256];
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)(v < threshold ? v : 255 - v);
    }
    context->kernels->table(dst->pixels, src->pixels, augment_bytes(src), table);
    reset_mask(dst);
}

static const augment_op rows[] = {
    {.abi = AUGMENT_OP_ABI,
     .name = "Brightness",
     .sentence = "Blends with black: 0 is black, 1 changes nothing, above 1 is brighter.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .flags = AUGMENT_SEARCHED,
     .source = "Pillow ImageEnhance.Brightness",
     .apply = brightness},
    {.abi = AUGMENT_OP_ABI,
     .name = "Contrast",
     .sentence = "Blends with the image's mean grey: 0 is flat, 1 changes nothing.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .flags = AUGMENT_SEARCHED,
     .source = "Pillow ImageEnhance.Contrast",
     .apply = contrast},
    {.abi = AUGMENT_OP_ABI,
     .name = "Invert",
     .sentence = "Makes every value its negative.",
     .parameter = "",
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.invert",
     .apply = invert},
    {.abi = AUGMENT_OP_ABI,
     .name = "Posterize",
     .sentence = "Keeps the highest bits of every value; 0 bits is black.",
     .parameter = "bits",
     .min = 0,
     .max = 8,
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.posterize",
     .apply = posterize},
    {.abi = AUGMENT_OP_ABI,
     .name = "Solarize",
     .sentence = "Inverts the values at or above a threshold; 256 changes none.",
     .parameter = "threshold",
     .min = 0,
     .max = 256,
     .flags = AUGMENT_SEARCHED | AUGMENT_RESETS_MASK,
     .source = "Pillow ImageOps.solarize",
     .apply = solarize},
};

const augment_ops augment_tone = {rows, sizeof rows / sizeof *rows};
