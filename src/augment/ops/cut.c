/* SPDX-License-Identifier: Apache-2.0
 * Cutout (DeVries, Taylor: "Improved Regularization of Convolutional Neural Networks with Cutout",
 * 2017) as in the reference: a square about a centre drawn uniformly over the pixels, clipped at
 * the border. It takes the reference's fill colour, which a later operation through RGB brings to
 * light, and loses its content. */
#include "augment/op.h"

#include <math.h>
#include <string.h>

/* [centre - side/2, centre - side/2 + side) within 0..length. The reference halves its sides first
 * and so rounds odd ones down; here an odd side is what it says. */
static void span(int centre, int64_t side, int length, int *from, int *to)
{
    int64_t start = centre - side / 2, end = start + side;
    *from = (int)(start < 0 ? 0 : start);
    *to = (int)(end > length ? length : end);
}

static void fill_row(pba_image *image, int y, int left, int right)
{
    static const uint8_t color[3] = {125, 122, 113};
    size_t channels = (size_t)image->channels;
    for (int x = left; x < right; x++) {
        size_t at = (size_t)y * (size_t)image->width + (size_t)x;
        memcpy(image->pixels + at * channels, color, channels);
        image->mask[at] = 0;
    }
}

static void cutout(pba_image *dst, const pba_image *src, double side, augment_context *context)
{
    memcpy(dst->pixels, src->pixels, augment_bytes(src));
    memcpy(dst->mask, src->mask, augment_pixels(src));
    int row = (int)rng_below(context->rng, (uint32_t)src->height);
    int column = (int)rng_below(context->rng, (uint32_t)src->width);
    int top, bottom, left, right;
    span(row, llround(side), src->height, &top, &bottom);
    span(column, llround(side), src->width, &left, &right);
    for (int y = top; y < bottom; y++) {
        fill_row(dst, y, left, right);
    }
}

static const augment_op rows[] = {
    {.abi = AUGMENT_OP_ABI,
     .name = "Cutout",
     .sentence = "Removes the content of a square at a random place.",
     .parameter = "side",
     .min = 0,
     .max = 64,
     .flags = AUGMENT_SEARCHED | AUGMENT_PIXELS | AUGMENT_DRAWS,
     .source = "DeVries and Taylor 2017",
     .apply = cutout},
};

const augment_ops augment_cut = {rows, sizeof rows / sizeof *rows};
