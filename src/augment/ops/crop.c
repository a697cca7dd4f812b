/* SPDX-License-Identifier: Apache-2.0
 * CropBilinear: Pillow's crop((p, p, W - p, H - p)) and resize((W, H), BILINEAR). Pillow multiplies
 * by alpha, resizes, and divides again, all in bytes, so that masks between 0 and 255 appear.
 *
 * Where p leaves nothing of a side (2p >= side), Pillow has no result; here each side is cropped by
 * at most (side - 1) / 2, so that one or two pixels of it remain. */
#include "augment/op.h"

#include <math.h>
#include <string.h>

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Pillow's precompute_coeffs for an enlargement: support 1 pixel, weights normalized, then fixed in
 * 32 bits - 8 of the value - 2 of headroom. */
static augment_weights weights_of(int i, int in, int out)
{
    double centre = (i + 0.5) * ((double)in / out), tap[AUGMENT_TAPS] = {0}, total = 0.0;
    int from = (int)(centre - 0.5), until = (int)(centre + 1.5);
    from = from < 0 ? 0 : from;
    until = until > in ? in : until;
    augment_weights w = {.start = from, .count = until - from};
    for (int t = 0; t < w.count; t++) {
        tap[t] = triangle(t + from - centre + 0.5);
        total += tap[t];
    }
    for (int t = 0; t < w.count; t++) {
        w.tap[t] = (int32_t)(0.5 + tap[t] / total * (1 << AUGMENT_PRECISION));
    }
    return w;
}

/* Pillow's MULDIV255: a * b / 255 rounded. */
static uint8_t times(uint32_t a, uint32_t b)
{
    uint32_t product = a * b + 128;
    return (uint8_t)((product + (product >> 8)) >> 8);
}

/* Rows of pixels with their alpha behind them: planes = channels + 1 bytes each. */
static void multiply_row(uint8_t *dst, const pba_image *src, size_t at, int count)
{
    size_t channels = (size_t)src->channels;
    for (size_t i = at; i < at + (size_t)count; i++) {
        uint8_t alpha = src->mask[i];
        for (size_t c = 0; c < channels; c++) {
            *dst++ = times(src->pixels[i * channels + c], alpha);
        }
        *dst++ = alpha;
    }
}

static void divide_row(pba_image *dst, size_t at, const uint8_t *src)
{
    size_t channels = (size_t)dst->channels;
    for (size_t i = at; i < at + (size_t)dst->width; i++) {
        uint32_t alpha = src[channels];
        for (size_t c = 0; c < channels; c++) {
            uint32_t v = alpha == 0 || alpha == 255 ? src[c] : 255U * src[c] / alpha;
            dst->pixels[i * channels + c] = (uint8_t)(v > 255 ? 255 : v);
        }
        dst->mask[i] = (uint8_t)alpha;
        src += channels + 1;
    }
}

static int margin(double pixels, int side)
{
    return (int)lround(fmin(fmax(pixels, 0), (side - 1) / 2));
}

/* The weights of all columns, into scratch: 4 numbers a column. */
static augment_columns columns_of(int in, int out, int32_t *room)
{
    size_t width = (size_t)out;
    int32_t *start = room, *tap[AUGMENT_TAPS] = {room + width, room + 2 * width, room + 3 * width};
    for (int x = 0; x < out; x++) {
        augment_weights w = weights_of(x, in, out);
        start[x] = w.start;
        for (int t = 0; t < AUGMENT_TAPS; t++) {
            tap[t][x] = w.tap[t];
        }
    }
    return (augment_columns){in, start, {tap[0], tap[1], tap[2]}};
}

/* Cut and enlarged, where there is a mask: multiplied by it, it beside them, and divided again. */
static void enlarge_masked(pba_image *dst, const pba_image *src, int left, int top,
                           const augment_columns *columns, uint8_t *scratch,
                           const augment_kernels *kernels)
{
    int in_width = src->width - 2 * left, in_height = src->height - 2 * top;
    size_t width = (size_t)src->width, planes = (size_t)src->channels + 1, line = planes * width;
    uint8_t *one = scratch, *kept = scratch + line;
    for (int y = 0; y < in_height; y++) {
        multiply_row(one, src, (size_t)(y + top) * width + (size_t)left, in_width);
        kernels->across(kept + (size_t)y * line, one, columns, width, planes);
    }
    for (int y = 0; y < src->height; y++) {
        augment_weights w = weights_of(y, in_height, src->height);
        kernels->down(one, kept, line, &w);
        divide_row(dst, (size_t)y * width, one);
    }
}

/* Where everything is content, multiplying by 255 and dividing by it change nothing. */
static void enlarge(pba_image *dst, const pba_image *src, int left, int top,
                    const augment_columns *columns, uint8_t *scratch,
                    const augment_kernels *kernels)
{
    int in_height = src->height - 2 * top;
    size_t width = (size_t)src->width, channels = (size_t)src->channels, line = channels * width;
    for (int y = 0; y < in_height; y++) {
        size_t at = (size_t)(y + top) * width + (size_t)left;
        kernels->across(scratch + (size_t)y * line, src->pixels + at * channels, columns, width,
                        channels);
    }
    for (int y = 0; y < src->height; y++) {
        augment_weights w = weights_of(y, in_height, src->height);
        kernels->down(dst->pixels + (size_t)y * line, scratch, line, &w);
    }
    augment_copy_mask(dst, src);
}

/* Scratch: a weight per column, then lines. */
static void crop_bilinear(pba_image *dst, const pba_image *src, double pixels,
                          augment_context *context)
{
    int left = margin(pixels, src->width), top = margin(pixels, src->height);
    if (!left && !top) {
        memcpy(dst->pixels, src->pixels, augment_bytes(src));
        augment_copy_mask(dst, src);
        return;
    }
    augment_columns columns =
        columns_of(src->width - 2 * left, src->width, (int32_t *)context->scratch);
    uint8_t *lines = context->scratch + 4 * sizeof(int32_t) * (size_t)src->width;
    if (src->mask) {
        enlarge_masked(dst, src, left, top, &columns, lines, context->kernels);
    } else {
        enlarge(dst, src, left, top, &columns, lines, context->kernels);
    }
}

static const augment_op rows[] = {
    {.name = "CropBilinear",
     .sentence = "Cuts a margin off each side (a pixel at least stays), enlarges the rest to size.",
     .parameter = "pixels",
     .min = 0,
     .max = 15,
     .flags = AUGMENT_IDENTITY | AUGMENT_PIXELS | AUGMENT_SCRATCH | AUGMENT_KEEPS_FULL,
     .source = "Pillow Image.crop and Image.resize, BILINEAR",
     .apply = crop_bilinear},
};

const augment_ops augment_crop = {rows, sizeof rows / sizeof *rows};
