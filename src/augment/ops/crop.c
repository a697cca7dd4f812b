/* SPDX-License-Identifier: Apache-2.0
 * CropBilinear: Pillow's crop((p, p, W - p, H - p)) and resize((W, H), BILINEAR). Pillow multiplies
 * by alpha, resizes, and divides again, all in bytes, so that masks between 0 and 255 appear.
 *
 * Where p leaves nothing of a side (2p >= side), Pillow has no result; here each side is cropped by
 * at most (side - 1) / 2, so that one or two pixels of it remain. */
#include "augment/op.h"

#include <math.h>
#include <string.h>

enum { PRECISION = 22, TAPS = 3 }; /* Pillow: 32 bits - 8 of the value - 2 of headroom */

typedef struct weights {
    int32_t start, count, tap[TAPS];
} weights;

static double triangle(double x)
{
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Pillow's precompute_coeffs for an enlargement: support 1 pixel, weights normalized, then fixed.
 */
static weights weights_at(int i, int in, int out)
{
    double centre = (i + 0.5) * ((double)in / out), tap[TAPS] = {0}, total = 0.0;
    int from = (int)(centre - 0.5), until = (int)(centre + 1.5);
    from = from < 0 ? 0 : from;
    until = until > in ? in : until;
    weights w = {.start = from, .count = until - from};
    for (int t = 0; t < w.count; t++) {
        tap[t] = triangle(t + from - centre + 0.5);
        total += tap[t];
    }
    for (int t = 0; t < w.count; t++) {
        w.tap[t] = (int32_t)(0.5 + tap[t] / total * (1 << PRECISION));
    }
    return w;
}

/* The weighted sum of bytes `step` apart. */
static uint8_t weighted(const uint8_t *from, size_t step, const weights *w)
{
    int32_t sum = 1 << (PRECISION - 1);
    for (int t = 0; t < w->count; t++) {
        sum += from[((size_t)w->start + (size_t)t) * step] * w->tap[t];
    }
    sum >>= PRECISION;
    return (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
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
        for (size_t c = 0; c < channels; c++) {
            *dst++ = times(src->pixels[i * channels + c], src->mask[i]);
        }
        *dst++ = src->mask[i];
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

static void across_row(uint8_t *dst, const uint8_t *src, const weights *columns, int width,
                       size_t planes)
{
    for (int x = 0; x < width; x++) {
        for (size_t p = 0; p < planes; p++) {
            *dst++ = weighted(src + p, planes, &columns[x]);
        }
    }
}

static int margin(double pixels, int side)
{
    return (int)lround(fmin(fmax(pixels, 0), (side - 1) / 2));
}

/* Scratch: a weight per column, one line, then the kept rows at full width. */
static void crop_bilinear(pba_image *dst, const pba_image *src, double pixels,
                          augment_context *context)
{
    int left = margin(pixels, src->width), top = margin(pixels, src->height);
    int in_width = src->width - 2 * left, in_height = src->height - 2 * top;
    size_t planes = (size_t)src->channels + 1, line = planes * (size_t)src->width;
    if (!left && !top) {
        memcpy(dst->pixels, src->pixels, augment_bytes(src));
        memcpy(dst->mask, src->mask, augment_pixels(src));
        return;
    }
    weights *columns = (weights *)context->scratch;
    uint8_t *one = context->scratch + (size_t)src->width * sizeof *columns, *kept = one + line;
    for (int x = 0; x < src->width; x++) {
        columns[x] = weights_at(x, in_width, src->width);
    }
    for (int y = 0; y < in_height; y++) {
        multiply_row(one, src, (size_t)(y + top) * (size_t)src->width + (size_t)left, in_width);
        across_row(kept + (size_t)y * line, one, columns, src->width, planes);
    }
    for (int y = 0; y < src->height; y++) {
        weights w = weights_at(y, in_height, src->height);
        for (size_t i = 0; i < line; i++) {
            one[i] = weighted(kept + i, line, &w);
        }
        divide_row(dst, (size_t)y * (size_t)src->width, one);
    }
}

static const augment_op rows[] = {
    {.abi = AUGMENT_OP_ABI,
     .name = "CropBilinear",
     .sentence = "Cuts a margin off each side (a pixel at least stays), enlarges the rest to size.",
     .parameter = "pixels",
     .min = 0,
     .max = 15,
     .flags = AUGMENT_PIXELS,
     .source = "Pillow Image.crop and Image.resize, BILINEAR",
     .apply = crop_bilinear},
};

const augment_ops augment_crop = {rows, sizeof rows / sizeof *rows};
