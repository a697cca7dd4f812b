/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled once per instruction set (meson.build), so that everything but the table at the end is
 * static. Rows are walked in blocks that stay in the first cache; sums are kept in registers over a
 * block and added up in double. */
#include <stdint.h>
#include <string.h>

#include "nn/kernels/kernels.h"

#if defined(__AVX512F__)
enum { LANES = 16 };
typedef float vector __attribute__((vector_size(64)));
typedef uint32_t vector_bits __attribute__((vector_size(64)));
typedef uint16_t vector_half __attribute__((vector_size(32)));
#else
enum { LANES = 8 };
typedef float vector __attribute__((vector_size(32)));
typedef uint32_t vector_bits __attribute__((vector_size(32)));
typedef uint16_t vector_half __attribute__((vector_size(16)));
#endif

#define INLINE static inline __attribute__((always_inline))

enum { BLOCK_BYTES = 16384, BLOCK_MOST = 256, BLOCK_LEAST = 16 };

/* `count` numbers from number `at` on, 0 in the lanes behind them. */
INLINE vector take(const void *data, size_t at, size_t count, bool bf16)
{
    if (bf16) {
        vector_half half = {0};
        memcpy(&half, (const uint16_t *)data + at, count * sizeof(uint16_t));
        return (vector)(__builtin_convertvector(half, vector_bits) << 16);
    }
    vector value = {0};
    memcpy(&value, (const float *)data + at, count * sizeof(float));
    return value;
}

/* bf16: to the nearest, ties to even; NaN stays NaN. */
INLINE void put(void *data, size_t at, size_t count, bool bf16, vector value)
{
    if (bf16) {
        vector_bits bits = (vector_bits)value, nan = (vector_bits)(value != value);
        bits = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
        vector_half half = __builtin_convertvector((bits & ~nan) | (nan & 0x7fc0U), vector_half);
        memcpy((uint16_t *)data + at, &half, count * sizeof(uint16_t));
        return;
    }
    memcpy((float *)data + at, &value, count * sizeof(float));
}

INLINE vector at_channel(const float *values, size_t channel)
{
    vector value;
    memcpy(&value, values + channel, sizeof value);
    return value;
}

/* `value` where `sign` is above 0, otherwise 0; NaN in `sign` passes. */
INLINE vector where_positive(vector sign, vector value)
{
    return (vector)((vector_bits)value & ~(vector_bits)(sign <= 0.0F));
}

/* Rows of a panel from `first` on that are walked at once. */
INLINE size_t block_rows(nn_panel panel, size_t first)
{
    size_t rows = BLOCK_BYTES / (panel.width * sizeof(float));
    rows = rows < BLOCK_LEAST ? BLOCK_LEAST : rows > BLOCK_MOST ? BLOCK_MOST : rows;
    return panel.rows - first < rows ? panel.rows - first : rows;
}

/* Calls CHUNK for the channels of every block: with a constant count, so that the compiler knows
 * it, and for the channels that are left. */
#define EACH_CHUNK(PANEL, CHUNK)                                                                   \
    for (size_t first = 0, rows; first < (PANEL).rows; first += rows) {                            \
        rows = block_rows(PANEL, first);                                                           \
        size_t c = 0;                                                                              \
        for (; c + LANES <= (PANEL).width; c += LANES) {                                           \
            CHUNK(first *(PANEL).width + c, rows, c, LANES);                                       \
        }                                                                                          \
        if (c < (PANEL).width) {                                                                   \
            CHUNK(first *(PANEL).width + c, rows, c, (PANEL).width - c);                           \
        }                                                                                          \
    }

INLINE void add_lanes(double *sums, vector value, size_t count)
{
    for (size_t k = 0; k < count; k++) {
        sums[k] += (double)value[k];
    }
}

INLINE void sums_chunk(const void *x, size_t at, size_t stride, size_t rows, size_t count,
                       bool bf16, vector mean, double *sum, double *square)
{
    vector s[2] = {{0}, {0}}, q[2] = {{0}, {0}};
    for (size_t r = 0; r < rows; r++) {
        vector value = take(x, at + r * stride, count, bf16) - mean;
        s[r % 2] += value;
        q[r % 2] += value * value;
    }
    add_lanes(sum, s[0] + s[1], count);
    add_lanes(square, q[0] + q[1], count);
}

INLINE void sums_of(nn_panel panel, const void *x, const float *mean, double *sum, double *square,
                    bool bf16)
{
#define CHUNK(AT, ROWS, C, COUNT)                                                                  \
    sums_chunk(x, AT, panel.width, ROWS, COUNT, bf16, at_channel(mean, C), sum + (C), square + (C))
    EACH_CHUNK(panel, CHUNK)
#undef CHUNK
}

static void sums(nn_panel panel, const void *x, const float *mean, double *sum, double *square)
{
    if (panel.bf16) {
        sums_of(panel, x, mean, sum, square, true);
    } else {
        sums_of(panel, x, mean, sum, square, false);
    }
}

INLINE void norm_chunk(const void *x, void *y, size_t at, size_t stride, size_t rows, size_t count,
                       bool bf16, size_t c, const nn_norm_terms *norm)
{
    vector mean = at_channel(norm->mean, c), scale = at_channel(norm->scale, c);
    vector shift = at_channel(norm->shift, c);
    const bool relu = norm->relu; /* what is stored may lie anywhere, as the compiler sees it */
    for (size_t r = 0; r < rows; r++) {
        vector value = (take(x, at + r * stride, count, bf16) - mean) * scale + shift;
        put(y, at + r * stride, count, bf16, relu ? where_positive(value, value) : value);
    }
}

INLINE void norm_of(nn_panel panel, const void *x, const nn_norm_terms *norm, void *y, bool bf16)
{
#define CHUNK(AT, ROWS, C, COUNT) norm_chunk(x, y, AT, panel.width, ROWS, COUNT, bf16, C, norm)
    EACH_CHUNK(panel, CHUNK)
#undef CHUNK
}

static void norm_panel(nn_panel panel, const void *x, const nn_norm_terms *norm, void *y)
{
    if (panel.bf16) {
        norm_of(panel, x, norm, y, true);
    } else {
        norm_of(panel, x, norm, y, false);
    }
}

/* dy behind the ReLU; `x` less the mean. */
INLINE vector gradient_at(const void *dy, size_t at, size_t count, bool bf16, vector x, bool relu,
                          vector scale, vector shift)
{
    vector value = take(dy, at, count, bf16);
    return relu ? where_positive(x * scale + shift, value) : value;
}

INLINE void gradient_sums_chunk(const void *x, const void *dy, size_t at, size_t stride,
                                size_t rows, size_t count, bool bf16, size_t c,
                                const nn_norm_terms *norm, double *sum, double *product)
{
    vector mean = at_channel(norm->mean, c), scale = at_channel(norm->scale, c);
    vector shift = at_channel(norm->shift, c), s[2] = {{0}, {0}}, p[2] = {{0}, {0}};
    const bool relu = norm->relu;
    for (size_t r = 0; r < rows; r++) {
        vector value = take(x, at + r * stride, count, bf16) - mean;
        vector g = gradient_at(dy, at + r * stride, count, bf16, value, relu, scale, shift);
        s[r % 2] += g;
        p[r % 2] += g * value;
    }
    add_lanes(sum + c, s[0] + s[1], count);
    add_lanes(product + c, p[0] + p[1], count);
}

INLINE void gradient_sums_of(nn_panel panel, const void *x, const void *dy,
                             const nn_norm_terms *norm, double *sum, double *product, bool bf16)
{
#define CHUNK(AT, ROWS, C, COUNT)                                                                  \
    gradient_sums_chunk(x, dy, AT, panel.width, ROWS, COUNT, bf16, C, norm, sum, product)
    EACH_CHUNK(panel, CHUNK)
#undef CHUNK
}

static void gradient_sums(nn_panel panel, const void *x, const void *dy, const nn_norm_terms *norm,
                          double *sum, double *product)
{
    if (panel.bf16) {
        gradient_sums_of(panel, x, dy, norm, sum, product, true);
    } else {
        gradient_sums_of(panel, x, dy, norm, sum, product, false);
    }
}

INLINE void gradient_chunk(const void *x, const void *dy, const void *more, void *dx, size_t at,
                           size_t stride, size_t rows, size_t count, bool bf16, size_t c,
                           const nn_norm_terms *norm)
{
    vector mean = at_channel(norm->mean, c), scale = at_channel(norm->scale, c);
    vector shift = at_channel(norm->shift, c), slope = at_channel(norm->slope, c);
    vector offset = at_channel(norm->offset, c);
    const bool relu = norm->relu;
    for (size_t r = 0; r < rows; r++) {
        size_t i = at + r * stride;
        vector value = take(x, i, count, bf16) - mean;
        vector g = gradient_at(dy, i, count, bf16, value, relu, scale, shift);
        vector result = scale * g - value * slope - offset;
        put(dx, i, count, bf16, more ? result + take(more, i, count, bf16) : result);
    }
}

INLINE void gradient_of(nn_panel panel, const void *x, const void *dy, const nn_norm_terms *norm,
                        const void *more, void *dx, bool bf16)
{
#define CHUNK(AT, ROWS, C, COUNT)                                                                  \
    gradient_chunk(x, dy, more, dx, AT, panel.width, ROWS, COUNT, bf16, C, norm)
    EACH_CHUNK(panel, CHUNK)
#undef CHUNK
}

static void gradient(nn_panel panel, const void *x, const void *dy, const nn_norm_terms *norm,
                     const void *more, void *dx)
{
    if (panel.bf16) {
        gradient_of(panel, x, dy, norm, more, dx, true);
    } else {
        gradient_of(panel, x, dy, norm, more, dx, false);
    }
}

extern const nn_kernels NN_KERNELS;
const nn_kernels NN_KERNELS = {
    .name = NN_ISA,
    .sums = sums,
    .norm = norm_panel,
    .gradient_sums = gradient_sums,
    .gradient = gradient,
};
