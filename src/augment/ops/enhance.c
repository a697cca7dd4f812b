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
    augment_copy_mask(dst, src);
}

/* A filter that leaves a frame of `margin` pixels as it is. All lines between are one long one to
 * it: what it makes of pixels beside the frame's, which it takes from the other end of the line
 * above or below, is replaced by what was there. */
typedef struct filter {
    size_t margin;
    void (*run)(uint8_t *dst, const uint8_t *src, size_t line, size_t bytes, size_t step,
                double factor, const augment_kernels *kernels);
} filter;

static void smooth_lines(uint8_t *dst, const uint8_t *src, size_t line, size_t bytes, size_t step,
                         double unused, const augment_kernels *kernels)
{
    kernels->smooth(dst, src, line, bytes, step);
}

static void sharpen_lines(uint8_t *dst, const uint8_t *src, size_t line, size_t bytes, size_t step,
                          double factor, const augment_kernels *kernels)
{
    kernels->sharpen(dst, src, line, bytes, step, (float)factor);
}

static void blur_lines(uint8_t *dst, const uint8_t *src, size_t line, size_t bytes, size_t step,
                       double unused, const augment_kernels *kernels)
{
    kernels->blur(dst, src, line, bytes, step);
}

static const filter smoothing = {1, smooth_lines}, sharpening = {1, sharpen_lines},
                    blurring = {2, blur_lines};

static void filter_plane(uint8_t *dst, const uint8_t *src, const pba_image *shape, size_t step,
                         const filter *filter, double factor, const augment_kernels *kernels)
{
    size_t width = (size_t)shape->width, height = (size_t)shape->height, margin = filter->margin;
    size_t line = width * step, bytes = line * height, edge = margin * line, side = margin * step;
    if (width <= 2 * margin || height <= 2 * margin) {
        memcpy(dst, src, bytes);
        return;
    }
    memcpy(dst, src, edge + side);
    filter->run(dst + edge + side, src + edge + side, line, bytes - 2 * (edge + side), step, factor,
                kernels);
    for (size_t y = margin + 1; y < height - margin; y++) {
        memcpy(dst + y * line - side, src + y * line - side, 2 * side);
    }
    memcpy(dst + bytes - edge - side, src + bytes - edge - side, edge + side);
}

static void filter_pixels(pba_image *dst, const pba_image *src, const filter *filter, double factor,
                          const augment_context *context)
{
    filter_plane(dst->pixels, src->pixels, src, (size_t)src->channels, filter, factor,
                 context->kernels);
}

/* Where everything is content, so is every average. */
static void filter_mask(pba_image *dst, const pba_image *src, const filter *filter,
                        const augment_context *context)
{
    if (src->mask) {
        filter_plane(dst->mask, src->mask, src, 1, filter, 0.0, context->kernels);
    } else {
        augment_copy_mask(dst, src);
    }
}

static void sharpness(pba_image *dst, const pba_image *src, double factor, augment_context *context)
{
    filter_pixels(dst, src, &sharpening, factor, context);
    augment_copy_mask(dst, src);
}

static void blur(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    filter_pixels(dst, src, &blurring, unused, context);
    filter_mask(dst, src, &blurring, context);
}

static void smooth(pba_image *dst, const pba_image *src, double unused, augment_context *context)
{
    filter_pixels(dst, src, &smoothing, unused, context);
    filter_mask(dst, src, &smoothing, context);
}

static const augment_op rows[] = {
    {.name = "Color",
     .sentence = "Blends with grey: 0 is grey, 1 changes nothing, above 1 is more colourful.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .identity = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_KEEPS_FULL,
     .source = "Pillow ImageEnhance.Color",
     .apply = color},
    {.name = "Sharpness",
     .sentence = "Blends with a smoothed copy: 0 is smooth, 1 changes nothing, above 1 sharpens.",
     .parameter = "factor",
     .min = 0,
     .max = 10,
     .identity = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_KEEPS_FULL,
     .source = "Pillow ImageEnhance.Sharpness",
     .apply = sharpness},
    {.name = "Blur",
     .sentence = "Averages the outline of a 5x5 square; the mask is filtered too.",
     .parameter = "",
     .flags = AUGMENT_KEEPS_FULL,
     .source = "Pillow ImageFilter.BLUR",
     .apply = blur},
    {.name = "Smooth",
     .sentence = "Averages a 3x3 square with more weight in the middle; the mask is filtered too.",
     .parameter = "",
     .flags = AUGMENT_KEEPS_FULL,
     .source = "Pillow ImageFilter.SMOOTH",
     .apply = smooth},
};

const augment_ops augment_enhance = {rows, sizeof rows / sizeof *rows};
