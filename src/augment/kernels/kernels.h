/* SPDX-License-Identifier: Apache-2.0
 * Row kernels: what is done to many bytes at once, behind a table chosen by instruction set.
 * rows.c holds them in plain C and is compiled once per set; every set gives identical bytes. */
#ifndef AUGMENT_KERNELS_H
#define AUGMENT_KERNELS_H

#include <string.h>

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

/* Where one pixel of an enlargement comes from: `count` pixels from `start`, in fixed point. Taps
 * behind them are 0. The weights add up to one, give or take what rounding leaves, which is too
 * little to bring a sum above 255. */
enum { AUGMENT_PRECISION = 22, AUGMENT_TAPS = 3 };
typedef struct augment_weights {
    int32_t start, count, tap[AUGMENT_TAPS];
} augment_weights;

/* The same for the columns of a line of `in` pixels. */
typedef struct augment_columns {
    int in;
    const int32_t *start, *tap[AUGMENT_TAPS];
} augment_columns;

/* Columns x .. x + count - 1 come from as many columns of the line that is `dy` further down. */
typedef struct augment_run {
    int32_t x, count, dy;
} augment_run;

/* What stands at the end for every image: a window on it, mirrored or not, a hole, a table. */
typedef struct augment_tail {
    int dx, dy;  /* result (x, y) comes from (x' + dx, y + dy), nothing where that lies outside; */
    bool mirror; /* x' = width - 1 - x, or x */
    int left, right, top, bottom; /* the hole in the result; none where right <= left */
    const uint8_t *table;         /* of all channels; NULL: none */
} augment_tail;

/* A network's input: value * scale + shift of each channel, exactly 0 where there is nothing. */
typedef struct augment_form {
    float scale[3], shift[3];
    bool interleaved; /* height x width x channels; otherwise channels x height x width */
    bool bf16;        /* rounded to nearest, halves to even; otherwise float32 */
} augment_form;

/* To bf16; every finite number this module makes is far from infinity. */
static inline uint16_t augment_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

/* No destination overlaps a source. */
typedef struct augment_kernels {
    const char *name;
    /* dst[i] = table[src[i]] */
    void (*table)(uint8_t *restrict dst, const uint8_t *restrict src, size_t bytes,
                  const uint8_t *restrict table);
    /* The same with a table per channel, 3 channels. */
    void (*tables)(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                   const uint8_t (*restrict tables)[256]);
    /* table[v] = v * scale + offset in double, cut towards 0, kept within 0..255. */
    void (*ramp)(uint8_t *restrict table, double scale, double offset);
    /* table[v] = n[v] / step, at most 255; n below 2^31, step at least 1. */
    void (*divide)(uint8_t *restrict table, const uint32_t *restrict n, uint32_t step);
    /* Least and greatest value of each channel. */
    void (*range)(uint8_t low[3], uint8_t high[3], const uint8_t *src, size_t pixels, int channels);
    uint64_t (*luma_sum)(const uint8_t *rgb, size_t pixels);
    uint64_t (*sum)(const uint8_t *src, size_t bytes);
    /* dst = blend(from, src): `from` is where factor 0 leads; factor is 0 to 100. */
    void (*blend)(uint8_t *restrict dst, const uint8_t *restrict from, const uint8_t *restrict src,
                  size_t bytes, float factor);
    /* dst = blend(luma of the pixel, src), 3 channels. */
    void (*blend_luma)(uint8_t *restrict dst, const uint8_t *restrict rgb, size_t pixels,
                       float factor);
    /* Filters of `bytes` neighbouring bytes, which may run over many lines: a line is `line` bytes,
     * a pixel `step`. smooth reads one pixel and line to all sides, blur two. */
    void (*smooth)(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes,
                   size_t step);
    void (*blur)(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes, size_t step);
    /* dst = blend(smooth(src), src) */
    void (*sharpen)(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes,
                    size_t step, float factor);
    /* A weighted sum of pixels next to each other, or of bytes in lines below each other, to the
     * precision of Pillow's resize. */
    void (*across)(uint8_t *restrict dst, const uint8_t *restrict src,
                   const augment_columns *columns, size_t pixels, size_t planes);
    void (*down)(uint8_t *restrict dst, const uint8_t *restrict src, size_t line,
                 const augment_weights *weights);
    /* `count` pixels and their mask along a walk that stays inside the source. */
    void (*gather)(uint8_t *restrict dst, uint8_t *restrict dst_mask, size_t count,
                   const pba_image *src, augment_walk walk);
    /* Runs of a line of `step` bytes a pixel; src is the same place in the source. */
    void (*slide)(uint8_t *restrict dst, const uint8_t *restrict src, size_t line,
                  const augment_run *runs, size_t count, size_t step);
    /* The pixels of a row, last first. */
    void (*mirror)(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels, int channels);
    /* Window, mirror, hole, table and normalization in one pass. src->mask may be NULL. */
    void (*finish)(void *restrict out, const pba_image *src, const augment_tail *tail,
                   const augment_form *form);
} augment_kernels;

/* The best set that this processor has; environment variable PBA_ISA=base|avx2|avx512|avx512vbmi
 * forces one.
 * PBA_USAGE for another name, PBA_UNSUPPORTED where build or processor lacks it. */
pba_status augment_kernels_choose(const augment_kernels **kernels);

/* The sets that this processor has, the best first; NULL behind the end. */
const augment_kernels *augment_kernels_at(size_t index);

#endif
