/* SPDX-License-Identifier: Apache-2.0
 * The row kernels in plain C, compiled once per instruction set (AUGMENT_KERNELS names the table).
 * Everything but the table is static: with external functions the linker could hand one set's copy
 * to everybody. `restrict` is safe throughout: kernels.h promises that no destination overlaps a
 * source. No fused multiply-add (-ffp-contract=off): the bytes are the same for every set. */
#include "augment/kernels/kernels.h"

#include <string.h>

static void table_row(uint8_t *restrict dst, const uint8_t *restrict src, size_t bytes,
                      const uint8_t *restrict table)
{
    for (size_t i = 0; i < bytes; i++) {
        dst[i] = table[src[i]];
    }
}

static void tables_row(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                       const uint8_t (*restrict tables)[256])
{
    for (size_t i = 0; i < 3 * pixels; i += 3) {
        dst[i] = tables[0][src[i]];
        dst[i + 1] = tables[1][src[i + 1]];
        dst[i + 2] = tables[2][src[i + 2]];
    }
}

/* In runs short enough for 32 bits: 2^16 * 255 < 2^24. */
enum { RUN = 1 << 16 };

static uint64_t luma_sum(const uint8_t *rgb, size_t pixels)
{
    uint64_t total = 0;
    for (size_t start = 0; start < pixels; start += RUN) {
        size_t count = pixels - start < RUN ? pixels - start : RUN;
        uint32_t part = 0;
        for (size_t i = 0; i < count; i++) {
            part += augment_luma(rgb + 3 * (start + i));
        }
        total += part;
    }
    return total;
}

static uint64_t sum(const uint8_t *src, size_t bytes)
{
    uint64_t total = 0;
    for (size_t start = 0; start < bytes; start += RUN) {
        size_t count = bytes - start < RUN ? bytes - start : RUN;
        uint32_t part = 0;
        for (size_t i = 0; i < count; i++) {
            part += src[start + i];
        }
        total += part;
    }
    return total;
}

static void blend_row(uint8_t *restrict dst, const uint8_t *restrict from,
                      const uint8_t *restrict src, size_t bytes, float factor)
{
    for (size_t i = 0; i < bytes; i++) {
        dst[i] = augment_blend(from[i], src[i], factor);
    }
}

static void blend_luma_row(uint8_t *restrict dst, const uint8_t *restrict rgb, size_t pixels,
                           float factor)
{
    for (size_t i = 0; i < pixels; i++) {
        int grey = (int)augment_luma(rgb + 3 * i);
        dst[3 * i] = augment_blend(grey, rgb[3 * i], factor);
        dst[3 * i + 1] = augment_blend(grey, rgb[3 * i + 1], factor);
        dst[3 * i + 2] = augment_blend(grey, rgb[3 * i + 2], factor);
    }
}

/* Pillow's SMOOTH: (1 1 1, 1 5 1, 1 1 1) / 13, rounded: (2 S + 13) / 26 in integers. */
static void smooth_row(uint8_t *restrict dst, const uint8_t *const rows[3], size_t bytes,
                       size_t step)
{
    const uint8_t *above = rows[0], *here = rows[1], *below = rows[2];
    memcpy(dst, here, step);
    for (size_t i = step; i < bytes - step; i++) {
        uint32_t s = 4U * here[i];
        s += (uint32_t)above[i - step] + above[i] + above[i + step];
        s += (uint32_t)here[i - step] + here[i] + here[i + step];
        s += (uint32_t)below[i - step] + below[i] + below[i + step];
        dst[i] = (uint8_t)((2 * s + 13) / 26);
    }
    memcpy(dst + bytes - step, here + bytes - step, step);
}

static inline uint32_t five(const uint8_t *row, size_t i, size_t step)
{
    return (uint32_t)row[i - 2 * step] + row[i - step] + row[i] + row[i + step] + row[i + 2 * step];
}

/* Pillow's BLUR: the 16 pixels of the outline of a 5x5 square, / 16, rounded. */
static void blur_row(uint8_t *restrict dst, const uint8_t *const rows[5], size_t bytes, size_t step)
{
    const uint8_t *top = rows[0], *a = rows[1], *b = rows[2], *c = rows[3], *bottom = rows[4];
    size_t far = 2 * step;
    memcpy(dst, b, far);
    for (size_t i = far; i < bytes - far; i++) {
        uint32_t s = five(top, i, step) + five(bottom, i, step);
        s += (uint32_t)a[i - far] + a[i + far] + b[i - far] + b[i + far] + c[i - far] + c[i + far];
        dst[i] = (uint8_t)((s + 8) >> 4);
    }
    memcpy(dst + bytes - far, b + bytes - far, far);
}

static inline void affine_walk(uint8_t *restrict dst, uint8_t *restrict dst_mask, int width,
                               const pba_image *src, augment_walk at, int channels)
{
    for (int i = 0; i < width; i++, at.x += at.step_x, at.y += at.step_y) {
        int64_t x = at.x >> 16, y = at.y >> 16;
        bool inside = x >= 0 && x < src->width && y >= 0 && y < src->height;
        size_t from = inside ? (size_t)y * (size_t)src->width + (size_t)x : 0;
        dst_mask[i] = inside ? src->mask[from] : 0;
        for (int c = 0; c < channels; c++) {
            dst[i * channels + c] = inside ? src->pixels[from * (size_t)channels + (size_t)c] : 0;
        }
    }
}

static void affine_row(uint8_t *restrict dst, uint8_t *restrict dst_mask, int width,
                       const pba_image *src, augment_walk walk)
{
    if (src->channels == 1) {
        affine_walk(dst, dst_mask, width, src, walk, 1);
    } else {
        affine_walk(dst, dst_mask, width, src, walk, 3);
    }
}

static inline void normalize(float *restrict plane, const uint8_t *restrict pixels,
                             const uint8_t *restrict mask, size_t count, size_t channels,
                             float scale, float shift)
{
    for (size_t i = 0; i < count; i++) {
        float value = (float)pixels[i * channels] * scale + shift;
        plane[i] = mask[i] ? value : 0.0F;
    }
}

static void normalize_row(float *restrict plane, const uint8_t *restrict pixels,
                          const uint8_t *restrict mask, size_t count, int channels, float scale,
                          float shift)
{
    if (channels == 1) {
        normalize(plane, pixels, mask, count, 1, scale, shift);
    } else {
        normalize(plane, pixels, mask, count, 3, scale, shift);
    }
}

extern const augment_kernels AUGMENT_KERNELS;
const augment_kernels AUGMENT_KERNELS = {
    .name = AUGMENT_ISA,
    .table = table_row,
    .tables = tables_row,
    .luma_sum = luma_sum,
    .sum = sum,
    .blend = blend_row,
    .blend_luma = blend_luma_row,
    .smooth = smooth_row,
    .blur = blur_row,
    .affine = affine_row,
    .normalize = normalize_row,
};
