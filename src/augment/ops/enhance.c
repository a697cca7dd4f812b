/* SPDX-License-Identifier: Apache-2.0
 * Operations that mix a pixel with its grey or its neighbours: Pillow's ImageEnhance.Color and
 * Sharpness (mask kept), ImageFilter.BLUR and SMOOTH (mask filtered too, as alpha). */
#include "augment/op.h"

#include <string.h>

static void color(pba_image *dst, const pba_image *src, double factor, augment_context *context)
{
    if (src->channels == 1) { /* grey blended with itself */
        memcpy(dst->pixels, src->pixels, augment_bytes(src));
    } else {
        context->kernels->blend_luma(dst->pixels, src->pixels, augment_pixels(src), (float)factor);
    }
    memcpy(dst->mask, src->mask, augment_pixels(src));
}

static const uint8_t *row_at(const uint8_t *src, size_t bytes, int row)
{
    return src + (size_t)row * bytes;
}

/* One line of a filter's result. Lines near the border are copied, and all of them where a side is
 * shorter than the filter. */
typedef void filter_line(uint8_t *dst, const uint8_t *src, size_t bytes, size_t step, int y,
                         int width, int height, const augment_kernels *kernels);

static void smooth_line(uint8_t *dst, const uint8_t *src, size_t bytes, size_t step, int y,
                        int width, int height, const augment_kernels *kernels)
{
    if (width < 3 || height < 3 || y < 1 || y >= height - 1) {
        memcpy(dst, row_at(src, bytes, y), bytes);
        return;
    }
    const uint8_t *rows[3] = {row_at(src, bytes, y - 1), row_at(src, bytes, y),
                              row_at(src, bytes, y + 1)};
    kernels->smooth(dst, rows, bytes, step);
}

static void blur_line(uint8_t *dst, const uint8_t *src, size_t bytes, size_t step, int y, int width,
                      int height, const augment_kernels *kernels)
{
    if (width < 5 || height < 5 || y < 2 || y >= height - 2) {
        memcpy(dst, row_at(src, bytes, y), bytes);
        return;
    }
    const uint8_t *rows[5] = {row_at(src, bytes, y - 2), row_at(src, bytes, y - 1),
                              row_at(src, bytes, y), row_at(src, bytes, y + 1),
                              row_at(src, bytes, y + 2)};
    kernels->blur(dst, rows, bytes, step);
}

/* SMOOTH into a scratch line, then blended; lines that SMOOTH leaves alone blend with themselves.
 */
static void sharpness(pba_image *dst, const pba_image *src, double factor, augment_context *context)
{
    size_t step = (size_t)src->channels, bytes = step * (size_t)src->width;
    for (int y = 0; y < src->height; y++) {
        smooth_line(context->scratch, src->pixels, bytes, step, y, src->width, src->height,
                    context->kernels);
        context->kernels->blend(dst->pixels + (size_t)y * bytes, context->scratch,
                                row_at(src->pixels, bytes, y), bytes, (float)factor);
    }
    memcpy(dst->mask, src->mask, augment_pixels(src));
}

static void filter(pba_image *dst, const pba_image *src, const augment_context *context,
                   filter_line *line)
{
    size_t width = (size_t)src->width, step = (size_t)src->channels;
    for (int y = 0; y < src->height; y++) {
        line(dst->pixels + (size_t)y * width * step, src->pixels, width * step, step, y, src->width,
             src->height, context->kernels);
        line(dst->mask + (size_t)y * width, src->mask, width, 1, y, src->width, src->height,
             context->kernels);
    }
}

static void blur(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    filter(dst, src, context, blur_line);
}

static void smooth(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    filter(dst, src, context, smooth_line);
}

static const augment_op rows[] = {
    {.abi = AUGMENT_OP_ABI,
     .name = "Color",
     .sentence = "Blends with grey: 0 is grey, 1 changes nothing, above 1 is more colourful.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .flags = AUGMENT_SEARCHED,
     .source = "Pillow ImageEnhance.Color",
     .apply = color},
    {.abi = AUGMENT_OP_ABI,
     .name = "Sharpness",
     .sentence = "Blends with a smoothed copy: 0 is smooth, 1 changes nothing, above 1 sharpens.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .flags = AUGMENT_SEARCHED,
     .source = "Pillow ImageEnhance.Sharpness",
     .apply = sharpness},
    {.abi = AUGMENT_OP_ABI,
     .name = "Blur",
     .sentence = "Averages the outline of a 5x5 square; the mask is filtered too.",
     .parameter = "",
     .source = "Pillow ImageFilter.BLUR",
     .apply = blur},
    {.abi = AUGMENT_OP_ABI,
     .name = "Smooth",
     .sentence = "Averages a 3x3 square with more weight in the middle; the mask is filtered too.",
     .parameter = "",
     .source = "Pillow ImageFilter.SMOOTH",
     .apply = smooth},
};

const augment_ops augment_enhance = {rows, sizeof rows / sizeof *rows};
