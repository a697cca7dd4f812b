/* SPDX-License-Identifier: Apache-2.0
 * The kernels of batch norm, every instruction set of this processor, against the formulas of
 * nn/kernels/kernels.h in double. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nn/kernels/kernels.h"

enum { ROWS = 300, WIDTH = 40, VECTOR = WIDTH + NN_VECTOR, GUARD = 8 };

/* Numbers in float or bf16, with some behind them that must stay. */
typedef struct numbers {
    bool bf16;
    size_t count;
    union {
        float single[ROWS * WIDTH + GUARD];
        uint16_t half[ROWS * WIDTH + GUARD];
    } data;
} numbers;

static double get(const numbers *numbers, size_t i)
{
    float value = numbers->data.single[numbers->bf16 ? 0 : i];
    if (numbers->bf16) {
        uint32_t bits = (uint32_t)numbers->data.half[i] << 16;
        memcpy(&value, &bits, sizeof value);
    }
    return (double)value;
}

static void draw(numbers *numbers, nn_panel panel, uint32_t stream)
{
    rng draws = rng_at(3, RNG_DEMO, 0, 0, stream);
    numbers->bf16 = panel.bf16;
    numbers->count = panel.rows * panel.width;
    for (size_t i = 0; i < numbers->count + GUARD; i++) {
        float value = (float)(2 + 3 * rng_normal(&draws));
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (panel.bf16) {
            numbers->data.half[i] = (uint16_t)(bits >> 16);
        } else {
            numbers->data.single[i] = value;
        }
    }
}

typedef struct vectors {
    float mean[VECTOR], scale[VECTOR], shift[VECTOR], slope[VECTOR], offset[VECTOR];
} vectors;

static nn_norm_terms terms_of(vectors *vectors, bool relu)
{
    rng draws = rng_at(4, RNG_DEMO, 0, 0, 0);
    for (int i = 0; i < 5 * VECTOR; i++) {
        ((float *)vectors)[i] = (float)rng_normal(&draws);
    }
    return (nn_norm_terms){vectors->mean,  vectors->scale,  vectors->shift,
                           vectors->slope, vectors->offset, relu};
}

/* What float32 or the 8 bits of bf16 leave of a number of this size. */
static void check_near(double found, double right, double size, bool bf16)
{
    if (!(fabs(found - right) <= (bf16 ? 1.0 / 256 : 1e-6) * (fabs(right) + size))) {
        fail_msg("%.9g instead of %.9g", found, right);
    }
}

static double centred(const numbers *x, const nn_norm_terms *norm, size_t i, size_t c)
{
    return get(x, i) - (double)norm->mean[c];
}

static double normed(const numbers *x, const nn_norm_terms *norm, size_t i, size_t c)
{
    return centred(x, norm, i, c) * (double)norm->scale[c] + (double)norm->shift[c];
}

/* Near 0 the sides may differ about the ReLU. */
static bool on_the_edge(double value)
{
    return fabs(value) < 1e-5;
}

static void check_sums(const nn_kernels *kernels, nn_panel panel, const numbers *x,
                       const numbers *dy, const nn_norm_terms *norm)
{
    double sums[4][WIDTH] = {{0}}, right[4][WIDTH] = {{0}};
    kernels->sums(panel, &x->data, norm->mean, sums[0], sums[1]);
    kernels->gradient_sums(panel, &x->data, &dy->data, norm, sums[2], sums[3]);
    for (size_t i = 0; i < x->count; i++) {
        size_t c = i % panel.width;
        double value = centred(x, norm, i, c);
        double g = norm->relu && normed(x, norm, i, c) <= 0 ? 0 : get(dy, i);
        right[0][c] += value;
        right[1][c] += value * value;
        right[2][c] += g;
        right[3][c] += g * value;
    }
    for (size_t c = 0; c < panel.width; c++) {
        for (int s = 0; s < 4; s++) {
            check_near(sums[s][c], right[s][c], 30 * (double)panel.rows, false);
        }
    }
}

/* `out` starts as a copy of what it may be computed over. */
static void check_values(const nn_kernels *kernels, nn_panel panel, const numbers *x,
                         const numbers *dy, const nn_norm_terms *norm, bool add)
{
    numbers y = *x, dx = *dy;
    kernels->norm(panel, &y.data, norm, &y.data);
    kernels->gradient(panel, &x->data, &dx.data, norm, add ? &x->data : NULL, &dx.data);
    for (size_t i = 0; i < x->count + GUARD; i++) {
        size_t c = i % panel.width;
        double value = centred(x, norm, i, c), out = normed(x, norm, i, c);
        double g = norm->relu && out <= 0 ? 0 : get(dy, i);
        double right = (double)norm->scale[c] * g - value * (double)norm->slope[c] -
                       (double)norm->offset[c] + (add ? get(x, i) : 0);
        if (i >= x->count) {
            assert_true(get(&y, i) == get(x, i) && get(&dx, i) == get(dy, i));
        } else if (!on_the_edge(out)) {
            check_near(get(&y, i), norm->relu ? fmax(out, 0) : out, 10, panel.bf16);
            check_near(get(&dx, i), right, 30, panel.bf16);
        }
    }
}

static void test_formulas(void **state)
{
    static const size_t widths[] = {1, 3, 8, 16, 17, 40};
    static const size_t rows[] = {1, 7, ROWS};
    const nn_kernels *kernels;
    for (size_t set = 0; (kernels = nn_kernels_at(set)); set++) {
        for (int i = 0; i < 6 * 3 * 8; i++) {
            nn_panel panel = {rows[i / 6 % 3], widths[i % 6], i / 18 % 2};
            numbers x, dy;
            vectors vectors;
            nn_norm_terms norm = terms_of(&vectors, i / 36 % 2);
            draw(&x, panel, 0);
            draw(&dy, panel, 1);
            check_sums(kernels, panel, &x, &dy, &norm);
            check_values(kernels, panel, &x, &dy, &norm, i / 72 % 2);
        }
    }
}

/* A lost network must show: nothing turns NaN or infinity into a number. */
static void test_not_finite(void **state)
{
    const nn_kernels *kernels;
    vectors vectors = {.scale = {[0 ... VECTOR - 1] = 1}};
    const nn_norm_terms norm = {vectors.mean,  vectors.scale,  vectors.shift,
                                vectors.slope, vectors.offset, true};
    for (size_t set = 0; (kernels = nn_kernels_at(set)); set++) {
        const uint16_t half[] = {0x7fff, 0xffff, 0x7f80, 0xff80}; /* NaN, -NaN, inf, -inf */
        const float single[] = {(float)NAN, -(float)NAN, (float)INFINITY, -(float)INFINITY};
        uint16_t short_out[4];
        float out[4];
        kernels->norm((nn_panel){4, 1, true}, half, &norm, short_out);
        kernels->norm((nn_panel){4, 1, false}, single, &norm, out);
        assert_true(isnan(out[0]) && isnan(out[1]) && isinf(out[2]) && out[3] == 0.0F);
        assert_true((short_out[0] & 0x7fff) > 0x7f80 && (short_out[1] & 0x7fff) > 0x7f80);
        assert_true(short_out[2] == 0x7f80 && short_out[3] == 0);
    }
    assert_true(nn_kernels_at(0) != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formulas),
        cmocka_unit_test(test_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
