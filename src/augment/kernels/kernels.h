/* SPDX-License-Identifier: Apache-2.0
 * Row kernels: what is done to many bytes at once, behind a table chosen by instruction set.
 * rows.c holds them in plain C and is compiled once per set; every set gives identical bytes. */
#ifndef AUGMENT_KERNELS_H
#define AUGMENT_KERNELS_H

#include "core/status.h"

/* Pillow's Image.blend: from d (factor 0) to s (factor 1) and beyond, in float, truncated. Between
 * 0 and 1 the result lies between d and s, so that clamping changes nothing there. */
static inline uint8_t augment_blend(int d, int s, float factor)
{
    float value = (float)d + factor * (float)(s - d);
    return (uint8_t)(int)(value <= 0.0F ? 0.0F : value >= 255.0F ? 255.0F : value);
}

/* Pillow's conversion to "L". The weights add up to 65536: grey stays as it is. */
static inline uint32_t augment_luma(const uint8_t *rgb)
{
    return (19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 32768U) >> 16;
}

/* A walk over the source in 16.16 fixed point: where it starts and what a step to the right adds.
 */
typedef struct augment_walk {
    int64_t x, y, step_x, step_y;
} augment_walk;

/* No destination overlaps a source. */
typedef struct augment_kernels {
    const char *name;
    /* dst[i] = table[src[i]] */
    void (*table)(uint8_t *restrict dst, const uint8_t *restrict src, size_t bytes,
                  const uint8_t *restrict table);
    /* The same with a table per channel, 3 channels. */
    void (*tables)(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                   const uint8_t (*restrict tables)[256]);
    uint64_t (*luma_sum)(const uint8_t *rgb, size_t pixels);
    uint64_t (*sum)(const uint8_t *src, size_t bytes);
    /* dst = blend(from, src): `from` is where factor 0 leads. */
    void (*blend)(uint8_t *restrict dst, const uint8_t *restrict from, const uint8_t *restrict src,
                  size_t bytes, float factor);
    /* dst = blend(luma of the pixel, src), 3 channels. */
    void (*blend_luma)(uint8_t *restrict dst, const uint8_t *restrict rgb, size_t pixels,
                       float factor);
    /* Rows above, at and below; a pixel's neighbours are `step` bytes away. The first and last
     * `margin` pixels are copied from the middle row: margin 1 for smooth, 2 for blur. */
    void (*smooth)(uint8_t *restrict dst, const uint8_t *const rows[3], size_t bytes, size_t step);
    void (*blur)(uint8_t *restrict dst, const uint8_t *const rows[5], size_t bytes, size_t step);
    /* One row of pixels and mask, nearest neighbour; 0 where the walk is outside the source. */
    void (*affine)(uint8_t *restrict dst, uint8_t *restrict dst_mask, int width,
                   const pba_image *src, augment_walk walk);
    /* One plane of a network's input: plane[i] = value * scale + shift of one channel, and exactly
     * 0 where the mask is. `pixels` points at the channel's first byte. */
    void (*normalize)(float *restrict plane, const uint8_t *restrict pixels,
                      const uint8_t *restrict mask, size_t count, int channels, float scale,
                      float shift);
} augment_kernels;

/* The best set that this processor has; environment variable PBA_ISA=base|avx2|avx512 forces one.
 * PBA_USAGE for another name, PBA_UNSUPPORTED where build or processor lacks it. */
pba_status augment_kernels_choose(const augment_kernels **kernels);

#endif
