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

augment_box augment_cut_box(rng *rng, double side, int width, int height)
{
    augment_box box;
    int row = (int)rng_below(rng, (uint32_t)height), column = (int)rng_below(rng, (uint32_t)width);
    span(row, llround(side), height, &box.top, &box.bottom);
    span(column, llround(side), width, &box.left, &box.right);
    return box;
}

/* The first row pixel by pixel, the others as copies of it. */
static void fill(pba_image *image, const augment_box *box)
{
    static const uint8_t color[3] = {125, 122, 113};
    size_t channels = (size_t)image->channels, width = (size_t)image->width;
    size_t at = (size_t)box->top * width + (size_t)box->left;
    size_t count = (size_t)(box->right - box->left);
    uint8_t *first = image->pixels + at * channels;
    for (size_t i = 0; i < count; i++) {
        memcpy(first + i * channels, color, channels);
    }
    memset(image->mask + at, 0, count);
    for (int y = box->top + 1; y < box->bottom; y++) {
        at += width;
        memcpy(image->pixels + at * channels, first, count * channels);
        memset(image->mask + at, 0, count);
    }
}

static void cutout(pba_image *dst, const pba_image *src, double side, augment_context *context)
{
    augment_box box = augment_cut_box(context->rng, side, src->width, src->height);
    memcpy(dst->pixels, src->pixels, augment_bytes(src));
    augment_copy_mask(dst, src);
    if (box.top < box.bottom && box.left < box.right) {
        fill(dst, &box);
    }
}

static const augment_op rows[] = {
    {.name = "Cutout",
     .sentence = "Removes the content of a square at a random place.",
     .parameter = "side",
     .min = 0,
     .max = 64,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_PIXELS | AUGMENT_DRAWS,
     .source = "DeVries and Taylor 2017",
     .apply = cutout},
};

const augment_ops augment_cut = {rows, sizeof rows / sizeof *rows};
