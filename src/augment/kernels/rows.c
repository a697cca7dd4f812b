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

static void ramp(uint8_t *restrict table, double scale, double offset)
{
    for (int v = 0; v < 256; v++) {
        int value = (int)(v * scale + offset);
        table[v] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
}

/* By the reciprocal, a little too large: n * 2^-48 of error is less than what lies between n / step
 * and the next whole number, 1 / step. */
static void divide(uint8_t *restrict table, const uint32_t *restrict n, uint32_t step)
{
    double reciprocal = (1.0 + 0x1p-48) / step;
    for (int v = 0; v < 256; v++) {
        int value = (int)((double)(int32_t)n[v] * reciprocal);
        table[v] = (uint8_t)(value > 255 ? 255 : value);
    }
}

/* In lanes of whole pixels of either kind, so that the inner loop is one of vectors. */
enum { LANES = 192 };

static void range(uint8_t low[3], uint8_t high[3], const uint8_t *src, size_t pixels, int channels)
{
    size_t bytes = pixels * (size_t)channels, whole = bytes - bytes % LANES;
    uint8_t least[LANES], most[LANES];
    memset(least, 255, sizeof least);
    memset(most, 0, sizeof most);
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t j = 0; j < LANES; j++) {
            uint8_t v = src[i + j];
            least[j] = v < least[j] ? v : least[j];
            most[j] = v > most[j] ? v : most[j];
        }
    }
    for (size_t j = 0; j < bytes - whole; j++) {
        uint8_t v = src[whole + j];
        least[j] = v < least[j] ? v : least[j];
        most[j] = v > most[j] ? v : most[j];
    }
    for (size_t n = LANES / 2; n >= 3; n /= 2) { /* 96, 48 ... 3: channels stay apart */
        for (size_t j = 0; j < n; j++) {
            least[j] = least[j + n] < least[j] ? least[j + n] : least[j];
            most[j] = most[j + n] > most[j] ? most[j + n] : most[j];
        }
    }
    for (size_t j = 1; channels == 1 && j < 3; j++) {
        least[0] = least[j] < least[0] ? least[j] : least[0];
        most[0] = most[j] > most[0] ? most[j] : most[0];
    }
    memcpy(low, least, 3);
    memcpy(high, most, 3);
}

/* Sums are kept in 16 bits, which hold 16 bytes' and are twice as many a vector as 32. They are
 * made for a stretch of a row at a time: first over the rows, then over the neighbours. */
enum { STRETCH = 512 };

/* Pillow's SMOOTH: (1 1 1, 1 5 1, 1 1 1) / 13, rounded: (2 S + 13) / 26 in integers, which is
 * (S + 6) / 13, and that by 5042 / 2^16 for all S up to 13 * 255. */
static void smooth_stretch(uint8_t *restrict dst, const uint8_t *restrict above,
                           const uint8_t *restrict here, const uint8_t *restrict below,
                           size_t count, size_t step)
{
    uint16_t sums[STRETCH + 2 * 3];
    for (size_t i = 0; i < count + 2 * step; i++) {
        sums[i] = (uint16_t)(above[i] + here[i] + below[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t s = (uint16_t)(sums[i] + sums[i + step] + sums[i + 2 * step]);
        s = (uint16_t)(s + 4 * here[i + step] + 6);
        dst[i] = (uint8_t)((uint32_t)s * 5042U >> 16);
    }
}

static void smooth(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes,
                   size_t step)
{
    for (size_t i = 0; i < bytes; i += STRETCH) {
        const uint8_t *at = src + i - step;
        smooth_stretch(dst + i, at - line, at, at + line, bytes - i < STRETCH ? bytes - i : STRETCH,
                       step);
    }
}

/* Pillow's BLUR: the 16 pixels of the outline of a 5x5 square, / 16, rounded. */
static void blur_stretch(uint8_t *restrict dst, const uint8_t *const rows[5], size_t count,
                         size_t step)
{
    const uint8_t *restrict top = rows[0], *restrict a = rows[1], *restrict b = rows[2];
    const uint8_t *restrict c = rows[3], *restrict bottom = rows[4];
    uint16_t outer[STRETCH + 4 * 3], inner[STRETCH + 4 * 3];
    for (size_t i = 0; i < count + 4 * step; i++) {
        outer[i] = (uint16_t)(top[i] + bottom[i]);
        inner[i] = (uint16_t)(a[i] + b[i] + c[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t s = (uint16_t)(outer[i] + outer[i + step] + outer[i + 2 * step]);
        s = (uint16_t)(s + outer[i + 3 * step] + outer[i + 4 * step]);
        s = (uint16_t)(s + inner[i] + inner[i + 4 * step] + 8);
        dst[i] = (uint8_t)(s >> 4);
    }
}

static void blur(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes, size_t step)
{
    for (size_t i = 0; i < bytes; i += STRETCH) {
        const uint8_t *at = src + i - 2 * step;
        const uint8_t *rows[5] = {at - 2 * line, at - line, at, at + line, at + 2 * line};
        blur_stretch(dst + i, rows, bytes - i < STRETCH ? bytes - i : STRETCH, step);
    }
}

/* `planes` known where this is compiled: a pixel is then a vector. Taps behind the line are 0, what
 * stands in for their pixels does not matter. */
static inline void across_pixels(uint8_t *restrict dst, const uint8_t *restrict src,
                                 const augment_columns *columns, size_t pixels, size_t planes)
{
    for (size_t x = 0; x < pixels; x++, dst += planes) {
        const uint8_t *from = src + (size_t)columns->start[x] * planes;
        int left = columns->in - columns->start[x];
        size_t second = left > 1 ? planes : 0, third = left > 2 ? 2 * planes : second;
        int32_t a = columns->tap[0][x], b = columns->tap[1][x], c = columns->tap[2][x];
        for (size_t p = 0; p < planes; p++) {
            int32_t sum = from[p] * a + from[second + p] * b + from[third + p] * c;
            dst[p] = (uint8_t)((sum + (1 << (AUGMENT_PRECISION - 1))) >> AUGMENT_PRECISION);
        }
    }
}

static void across(uint8_t *restrict dst, const uint8_t *restrict src,
                   const augment_columns *columns, size_t pixels, size_t planes)
{
    if (planes == 4) {
        across_pixels(dst, src, columns, pixels, 4);
    } else if (planes == 3) {
        across_pixels(dst, src, columns, pixels, 3);
    } else {
        across_pixels(dst, src, columns, pixels, planes);
    }
}

static void down(uint8_t *restrict dst, const uint8_t *restrict src, size_t line,
                 const augment_weights *weights)
{
    const uint8_t *restrict a = src + (size_t)weights->start * line;
    const uint8_t *restrict b = a + (weights->count > 1 ? line : 0);
    const uint8_t *restrict c = a + (weights->count > 2 ? 2 * line : 0);
    const int32_t *tap = weights->tap;
    for (size_t i = 0; i < line; i++) {
        int32_t sum =
            a[i] * tap[0] + b[i] * tap[1] + c[i] * tap[2] + (1 << (AUGMENT_PRECISION - 1));
        dst[i] = (uint8_t)(sum >> AUGMENT_PRECISION);
    }
}

static inline void gather_pixels(uint8_t *restrict dst, uint8_t *restrict dst_mask, size_t count,
                                 const pba_image *src, augment_walk at, size_t channels)
{
    for (size_t i = 0; i < count; i++, at.x += at.step_x, at.y += at.step_y) {
        size_t from = (size_t)(at.y >> 16) * (size_t)src->width + (size_t)(at.x >> 16);
        dst_mask[i] = src->mask ? src->mask[from] : 255;
        memcpy(dst + i * channels, src->pixels + from * channels, channels);
    }
}

static void gather_row(uint8_t *restrict dst, uint8_t *restrict dst_mask, size_t count,
                       const pba_image *src, augment_walk walk)
{
    if (src->channels == 1) {
        gather_pixels(dst, dst_mask, count, src, walk, 1);
    } else {
        gather_pixels(dst, dst_mask, count, src, walk, 3);
    }
}

static void slide_runs(uint8_t *restrict dst, const uint8_t *restrict src, size_t line,
                       const augment_run *runs, size_t count, size_t step)
{
    for (const augment_run *run = runs; run < runs + count; run++) {
        size_t at = (size_t)run->x * step;
        memcpy(dst + at, src + (ptrdiff_t)run->dy * (ptrdiff_t)line + at,
               (size_t)run->count * step);
    }
}

static inline void mirror_pixels(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                                 size_t channels)
{
    for (size_t i = 0; i < pixels; i++) {
        memcpy(dst + i * channels, src + (pixels - 1 - i) * channels, channels);
    }
}

static void mirror_row(uint8_t *restrict dst, const uint8_t *restrict src, size_t pixels,
                       int channels)
{
    if (channels == 1) {
        mirror_pixels(dst, src, pixels, 1);
    } else {
        mirror_pixels(dst, src, pixels, 3);
    }
}

/* The numbers of one channel in a row, `step` apart in source and result. */
typedef struct line {
    const uint8_t *pixels,
        *mask; /* of the result's first number; mask NULL: all of it is content */
    int64_t pixel_step, mask_step;
    size_t count, step;
    const uint8_t *table;
    float scale, shift;
} line;

static inline float number(const line *line, size_t i)
{
    uint8_t v = line->pixels[(int64_t)i * line->pixel_step];
    v = line->table ? line->table[v] : v;
    bool content = !line->mask || line->mask[(int64_t)i * line->mask_step];
    float value = (float)v * line->scale + line->shift;
    return content ? value : 0.0F;
}

/* The common case, with what a compiler must know to make vectors of it: planes of floats, no
 * table, steps that are constants. */
static inline void finish_floats(float *restrict to, const line *line, int64_t step,
                                 int64_t mask_step)
{
    const uint8_t *pixels = line->pixels, *mask = line->mask;
    float scale = line->scale, shift = line->shift;
    int64_t count = (int64_t)line->count;
    for (int64_t i = 0; i < count && !mask; i++) {
        to[i] = (float)pixels[i * step] * scale + shift;
    }
    for (int64_t i = 0; i < count && mask; i++) {
        float value = (float)pixels[i * step] * scale + shift;
        to[i] = mask[i * mask_step] ? value : 0.0F;
    }
}

static bool finish_common(float *restrict to, const line *line)
{
    if (line->table || line->step != 1) {
        return false;
    }
    switch (line->pixel_step) {
    case 1:
        finish_floats(to, line, 1, 1);
        return true;
    case 3:
        finish_floats(to, line, 3, 1);
        return true;
    case -1:
        finish_floats(to, line, -1, -1);
        return true;
    case -3:
        finish_floats(to, line, -3, -1);
        return true;
    default:
        return false;
    }
}

static void finish_line(void *restrict out, size_t at, const line *line, bool bf16)
{
    if (bf16) {
        uint16_t *to = (uint16_t *)out + at;
        for (size_t i = 0; i < line->count; i++) {
            to[i * line->step] = augment_bf16(number(line, i));
        }
    } else if (!finish_common((float *)out + at, line)) {
        float *to = (float *)out + at;
        for (size_t i = 0; i < line->count; i++) {
            to[i * line->step] = number(line, i);
        }
    }
}

static void clear_line(void *restrict out, size_t at, size_t count, size_t step, bool bf16)
{
    for (size_t i = 0; i < count; i++) {
        if (bf16) {
            ((uint16_t *)out)[at + i * step] = 0;
        } else {
            ((float *)out)[at + i * step] = 0.0F;
        }
    }
}

/* Row y of one channel: what comes from the source's row, nothing on either side, nothing in the
 * hole. */
static void finish_channel(void *restrict out, const pba_image *src, const augment_tail *tail,
                           const augment_form *form, int y, size_t c)
{
    int width = src->width, from_y = y + tail->dy;
    size_t channels = (size_t)src->channels, step = form->interleaved ? channels : 1;
    size_t row = (size_t)y * (size_t)width;
    size_t at =
        form->interleaved ? row * channels + c : c * (size_t)width * (size_t)src->height + row;
    /* columns of the window that the source has; mirrored, they stand the other way round */
    int least = tail->dx < 0 ? -tail->dx : 0, most = width - (tail->dx > 0 ? tail->dx : 0);
    if (from_y < 0 || from_y >= src->height || least >= most) {
        clear_line(out, at, (size_t)width, step, form->bf16);
        return;
    }
    int from = tail->mirror ? width - most : least, to = tail->mirror ? width - least : most;
    int first = (tail->mirror ? most - 1 : least) + tail->dx;
    size_t source = (size_t)from_y * (size_t)width + (size_t)first;
    line line = {.pixels = src->pixels + source * channels + c,
                 .mask = src->mask ? src->mask + source : NULL,
                 .pixel_step = tail->mirror ? -(int64_t)channels : (int64_t)channels,
                 .mask_step = tail->mirror ? -1 : 1,
                 .count = (size_t)(to - from),
                 .step = step,
                 .table = tail->table,
                 .scale = form->scale[c],
                 .shift = form->shift[c]};
    clear_line(out, at, (size_t)from, step, form->bf16);
    finish_line(out, at + (size_t)from * step, &line, form->bf16);
    clear_line(out, at + (size_t)to * step, (size_t)(width - to), step, form->bf16);
    if (y >= tail->top && y < tail->bottom && tail->left < tail->right) {
        clear_line(out, at + (size_t)tail->left * step, (size_t)(tail->right - tail->left), step,
                   form->bf16);
    }
}

static void finish(void *restrict out, const pba_image *src, const augment_tail *tail,
                   const augment_form *form)
{
    for (size_t c = 0; c < (size_t)src->channels; c++) {
        for (int y = 0; y < src->height; y++) {
            finish_channel(out, src, tail, form, y, c);
        }
    }
}

/* A kernel by hand takes the place of a plain one, which stays: as its meaning, and for the other
 * sets. */
#ifdef __AVX512VBMI__
#include "augment/kernels/vbmi.h"
#define CHOICE(plain, vbmi) (1 ? (vbmi) : (plain))
#else
#define CHOICE(plain, vbmi) (plain)
#endif

/* Stretch by stretch, so that what is smoothed need not go through memory. */
static void sharpen(uint8_t *restrict dst, const uint8_t *src, size_t line, size_t bytes,
                    size_t step, float factor)
{
    uint8_t smoothed[STRETCH];
    for (size_t i = 0; i < bytes; i += STRETCH) {
        size_t count = bytes - i < STRETCH ? bytes - i : STRETCH;
        smooth(smoothed, src + i, line, count, step);
        CHOICE(blend_row, vbmi_blend)(dst + i, smoothed, src + i, count, factor);
    }
}

extern const augment_kernels AUGMENT_KERNELS;
const augment_kernels AUGMENT_KERNELS = {
    .name = AUGMENT_ISA,
    .table = CHOICE(table_row, vbmi_table),
    .tables = CHOICE(tables_row, vbmi_tables),
    .ramp = ramp,
    .divide = divide,
    .range = range,
    .luma_sum = CHOICE(luma_sum, vbmi_luma_sum),
    .sum = sum,
    .blend = CHOICE(blend_row, vbmi_blend),
    .blend_luma = CHOICE(blend_luma_row, vbmi_blend_luma),
    .smooth = smooth,
    .blur = blur,
    .sharpen = sharpen,
    .across = CHOICE(across, vbmi_across),
    .down = down,
    .gather = CHOICE(gather_row, vbmi_gather),
    .slide = CHOICE(slide_runs, vbmi_slide),
    .mirror = mirror_row,
    .finish = CHOICE(finish, vbmi_finish),
};
