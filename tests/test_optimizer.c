/* SPDX-License-Identifier: Apache-2.0
 * Loss, step and learning rates, against formulas written a second time, in other words. */
#include "check.h"

#include "core/rng.h"
#include "nn/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------- loss */

enum { ROWS = 5, CLASSES = 7 };

static void draw_rows(float *logits, int *labels)
{
    rng draws = rng_at(1, RNG_DEMO, 0, 0, 0);
    for (int i = 0; i < ROWS * CLASSES; i++) {
        logits[i] = (float)(3 * rng_normal(&draws));
    }
    for (int i = 0; i < ROWS; i++) {
        labels[i] = (int)rng_below(&draws, CLASSES);
    }
}

/* By the definition, without guarding against overflow. */
static double plain_loss(const double *logits, const int *labels)
{
    double loss = 0;
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            sum += exp(logits[i * CLASSES + c]);
        }
        loss -= log(exp(logits[i * CLASSES + labels[i]]) / sum);
    }
    return loss / ROWS;
}

static void test_loss(void **state)
{
    float logits[ROWS * CLASSES], gradient[ROWS * CLASSES];
    double exact[ROWS * CLASSES];
    int labels[ROWS], correct;
    draw_rows(logits, labels);
    for (int i = 0; i < ROWS * CLASSES; i++) {
        exact[i] = (double)logits[i];
    }
    double loss = nn_cross_entropy(logits, labels, ROWS, CLASSES, gradient, &correct);
    assert_true(fabs(loss - plain_loss(exact, labels)) < 1e-12);
    for (int i = 0; i < ROWS * CLASSES; i++) {
        const double step = 1e-5, value = exact[i];
        exact[i] = value + step;
        double above = plain_loss(exact, labels);
        exact[i] = value - step;
        double below = plain_loss(exact, labels);
        exact[i] = value;
        assert_true(fabs((above - below) / (2 * step) - (double)gradient[i]) < 1e-7);
    }
    assert_true(nn_cross_entropy(logits, labels, ROWS, CLASSES, NULL, &correct) == loss);
}

static void test_loss_extremes(void **state)
{
    const float large[] = {1e4F, -1e4F, 1e4F, -3e38F, 3e38F, 0};
    float gradient[6];
    int labels[] = {0, 1}, correct;
    double loss = nn_cross_entropy(large, labels, 2, 3, gradient, &correct);
    assert_true(fabs(loss - log(2.0) / 2) < 1e-9);
    assert_int_equal(correct, 2);
    for (int i = 0; i < 6; i++) {
        assert_true(isfinite(gradient[i]));
    }
    /* The first of equals is the answer. */
    labels[0] = 2;
    nn_cross_entropy(large, labels, 1, 3, NULL, &correct);
    assert_int_equal(correct, 0);
    const float broken[] = {NAN, 1, 2};
    labels[0] = 0;
    assert_true(isnan(nn_cross_entropy(broken, labels, 1, 3, NULL, &correct)));
    assert_int_equal(correct, 0);
    const float endless[] = {INFINITY, 1, 2};
    assert_false(isfinite(nn_cross_entropy(endless, labels, 1, 3, NULL, &correct)));
}

/* -------------------------------------------------------------------- step */

/* A block with tensors of 27, 3, 3, 6 and 2 floats: padding in every one. */
static nn_graph *small_graph(void)
{
    nn_graph *graph;
    assert_ok(nn_graph_create(4, 4, 1, 2, &graph));
    int x = nn_norm(graph, "bn", nn_conv(graph, "conv", nn_input(graph), 3, 3, 1), true);
    nn_linear(graph, "fc", nn_mean(graph, x), 2);
    assert_int_equal(graph->status, PBA_OK);
    return graph;
}

/* Nesterov SGD on one tensor, in double: weights and momentum. `scale`: of the clipping. */
static void plain_step(double *weights, double *speed, const double *gradient, size_t count,
                       double scale, const nn_step *step)
{
    for (size_t i = 0; i < count; i++) {
        double g = (gradient[i] + step->weight_decay * weights[i]) * scale;
        speed[i] = step->momentum * speed[i] + g;
        weights[i] = weights[i] - step->lr * g - step->lr * step->momentum * speed[i];
    }
}

static double plain_norm(const double *weights, const double *gradient, size_t count, double decay)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += pow(gradient[i] + decay * weights[i], 2);
    }
    return sqrt(sum);
}

static void draw_gradient(const nn_graph *graph, int number, float *gradient, double *exact)
{
    memset(gradient, 0, graph->trainable * sizeof(float));
    for (int t = 0; t < graph->tensor_count; t++) {
        const nn_tensor *tensor = &graph->tensors[t];
        rng draws = rng_at(2, RNG_DEMO, 0, (uint32_t)number, (uint32_t)t);
        for (size_t i = 0; i < tensor->count && tensor->role == NN_TRAINABLE; i++) {
            gradient[tensor->offset + i] = (float)rng_normal(&draws);
        }
    }
    for (size_t i = 0; i < graph->trainable; i++) {
        exact[i] = (double)gradient[i];
    }
}

static void assert_padding_zero(const nn_graph *graph, const float *part, nn_role role, size_t end)
{
    size_t next = 0;
    for (int t = 0; t <= graph->tensor_count; t++) {
        if (t < graph->tensor_count && graph->tensors[t].role != role) {
            continue;
        }
        size_t start = t < graph->tensor_count ? graph->tensors[t].offset : end;
        for (size_t i = next; i < start; i++) {
            assert_true(part[i] == 0.0F);
        }
        next = t < graph->tensor_count ? start + graph->tensors[t].count : end;
    }
}

static void test_step(void **state)
{
    nn_graph *graph = small_graph();
    const size_t count = graph->trainable;
    float *block = calloc(graph->block, sizeof(float)), *gradient = calloc(count, sizeof(float));
    double *weights = calloc(count, sizeof(double)), *speed = calloc(count, sizeof(double));
    double *exact = calloc(count, sizeof(double));
    nn_initialize(graph, block, 3, 0);
    for (size_t i = 0; i < count; i++) {
        weights[i] = (double)block[i];
    }
    int clipped = 0;
    for (int number = 0; number < 12; number++) {
        /* Every setting changes between steps. */
        nn_step step = {.lr = 0.1 / (1 + number),
                        .momentum = 0.9 - 0.01 * number,
                        .weight_decay = 0.005 * (number % 3),
                        .clip = number % 4 == 3 ? 0 : 5.5};
        draw_gradient(graph, number, gradient, exact);
        double norm = plain_norm(weights, exact, count, step.weight_decay);
        double scale = step.clip > 0 ? fmin(1, step.clip / norm) : 1;
        clipped += scale < 1;
        plain_step(weights, speed, exact, count, scale, &step);
        assert_true(fabs(nn_optimize(graph, block, gradient, &step) - norm) < 1e-5 * norm);
        for (size_t i = 0; i < count; i++) {
            assert_true(fabs((double)block[i] - weights[i]) < 1e-5);
            assert_true(fabs((double)block[count + i] - speed[i]) < 1e-5);
        }
    }
    assert_in_range(clipped, 3, 8); /* both ways were gone */
    assert_padding_zero(graph, block, NN_TRAINABLE, count);
    assert_padding_zero(graph, block + count, NN_TRAINABLE, count);
    /* The running statistics are not the optimizer's. */
    float *fresh = calloc(graph->block, sizeof(float));
    nn_initialize(graph, fresh, 3, 0);
    assert_memory_equal(block + 2 * count, fresh + 2 * count, graph->running * sizeof(float));
    free(fresh), free(block), free(gradient), free(weights), free(speed), free(exact);
    nn_graph_free(graph);
}

/* ------------------------------------------------------------------- rates */

static double rate(const char *text, int epoch, int epochs, int step, int steps)
{
    nn_rate parsed;
    assert_ok(nn_rate_parse(text, &parsed));
    return nn_rate_at(&parsed, 0.1, epoch, epochs, step, steps);
}

static void test_rates(void **state)
{
    /* 31 steps an epoch over 200 epochs: t runs from 1 to 6200. */
    assert_true(fabs(rate("cosine", 0, 200, 0, 31) -
                     0.05 * (1 + cos(3.14159265358979323846 / 6200))) < 1e-15);
    assert_true(fabs(rate("cosine", 99, 200, 30, 31) - 0.05) < 1e-15);
    assert_true(fabs(rate("cosine", 49, 200, 30, 31) - 0.085355339059327376) < 1e-15);
    assert_true(fabs(rate("cosine", 199, 200, 30, 31)) < 1e-15);
    assert_true(rate("step:80,120", 0, 160, 0, 7) == 0.1);
    assert_true(rate("step:80,120", 79, 160, 6, 7) == 0.1);
    assert_true(rate("step:80,120", 80, 160, 0, 7) == 0.1 * 0.1);
    assert_true(rate("step:80,120", 119, 160, 6, 7) == 0.1 * 0.1);
    assert_true(rate("step:80,120", 120, 160, 0, 7) == 0.1 * 0.01);
    assert_true(rate("step:80,120", 159, 160, 6, 7) == 0.1 * 0.01);
    assert_true(rate("step:1,2,3,4,5,6,7,8", 9, 10, 0, 1) == 0.1 * 1e-8);
    assert_true(rate("constant", 3, 4, 5, 6) == 0.1);
}

static void test_rate_refusals(void **state)
{
    const char *refused[] = {"",
                             "cos",
                             "cosine ",
                             "step",
                             "step:",
                             "step:80,",
                             "step:,80",
                             "step:80;90",
                             "step:90,80",
                             "step:80,80",
                             "step:-1",
                             "step: 80",
                             "step:0",
                             "step:1e2",
                             "step:80 ",
                             "step:99999999999999999999",
                             "step:1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        nn_rate parsed;
        assert_int_equal(nn_rate_parse(refused[i], &parsed), PBA_USAGE);
        assert_non_null(strstr(pba_error_message(), "cosine, constant, step:"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss),          cmocka_unit_test(test_loss_extremes),
        cmocka_unit_test(test_step),          cmocka_unit_test(test_rates),
        cmocka_unit_test(test_rate_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
