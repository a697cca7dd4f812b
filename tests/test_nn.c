/* SPDX-License-Identifier: Apache-2.0
 * Network descriptions: layout of the block, padding, models, initial weights. */
#include "check.h"

#include "nn/draw.h"
#include "nn/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ models */

typedef struct known_model {
    const char *name;
    int64_t parameters;
    double million_macs; /* rounded to a tenth */
} known_model;

/* 10 classes, 32x32x3. */
static const known_model known_models[] = {
    {"wrn-40-2", 2232794, 326.0},
    {"wrn-40-2:standard", 2243546, 327.6},
    {"wrn-28-2", 1456858, 212.8},
    {"wrn-28-2:standard", 1467610, 214.4},
    {"wrn-28-10", 36220634, 5214.5},
    {"wrn-28-10:standard", 36479194, 5243.3},
    {"wrn-16-1", 172506, 26.4},
    {"wrn-16-1:standard", 175066, 26.7},
    {"wrn-16-2", 680922, 99.5},
    {"wrn-16-2:standard", 691674, 101.1},
    {"shake-shake-26-2x32d", 2923162, 426.7},
    {"shake-shake-26-2x96d", 26192922, 3776.9},
    {"shake-shake-26-2x112d", 35640442, 5134.8},
    {"pyramid-272-200", 26210842, 4488.8},
    {"resnet-v2-20", 1085226, 163.4},
};

static void test_model_table(void **state)
{
    for (size_t i = 0; i < sizeof known_models / sizeof known_models[0]; i++) {
        const known_model *known = &known_models[i];
        pba_model_info info;
        assert_ok(pba_model_describe(known->name, 32, 32, 3, 10, &info));
        assert_string_equal(info.name, known->name);
        assert_int_equal(info.parameters, known->parameters);
        assert_int_equal(lround(info.forward_macs / 1e5), lround(known->million_macs * 10));
    }
}

static int count_kind(const nn_graph *graph, nn_kind kind)
{
    int count = 0;
    for (int i = 0; i < graph->node_count; i++) {
        count += graph->nodes[i].kind == kind;
    }
    return count;
}

/* The parameterless shortcuts leave no trace in the counts above. */
static void test_model_shortcuts(void **state)
{
    nn_graph *graph;
    /* Blocks 3; stages 3; stem 1. Width changes in stages 1, 2, 3, twice each, and once at the end;
     * the pools of stage 1 would be over one pixel. */
    assert_ok(nn_model_build("wrn-10-2", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 3 + 3 + 1);
    assert_int_equal(count_kind(graph, NN_PAD), 7);
    assert_int_equal(count_kind(graph, NN_POOL), 5);
    assert_int_equal(count_kind(graph, NN_CONV), 7);
    nn_graph_free(graph);
    /* The stem is as wide as stage 1. */
    assert_ok(nn_model_build("wrn-10-1", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 7);
    assert_int_equal(count_kind(graph, NN_PAD), 5);
    assert_int_equal(count_kind(graph, NN_POOL), 5);
    nn_graph_free(graph);
    assert_ok(nn_model_build("wrn-10-2:standard", 30, 33, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 3);
    assert_int_equal(count_kind(graph, NN_PAD) + count_kind(graph, NN_POOL), 0);
    assert_int_equal(count_kind(graph, NN_CONV), 10);
    nn_graph_free(graph);
}

/* As above: what has no parameters. */
static void test_new_models(void **state)
{
    nn_graph *graph;
    assert_ok(nn_model_build("shake-shake-26-2x32d", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_MIX), 12);
    assert_int_equal(count_kind(graph, NN_ADD), 12);
    assert_int_equal(count_kind(graph, NN_CONCAT), 3);
    assert_int_equal(count_kind(graph, NN_SUBSAMPLE), 3);
    assert_int_equal(count_kind(graph, NN_RELU), 12 + 1);
    nn_graph_free(graph);
    /* The stem is as wide as stage 1. */
    assert_ok(nn_model_build("shake-shake-8-2x16d", 15, 13, 1, 10, &graph));
    assert_int_equal(count_kind(graph, NN_CONCAT), 2);
    nn_graph_free(graph);
    assert_ok(nn_model_build("pyramid-272-200", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_SCALE), 90);
    assert_int_equal(count_kind(graph, NN_PAD), 90);
    assert_int_equal(count_kind(graph, NN_POOL), 2);
    const nn_node *last = NULL;
    for (int i = 0, block = 0; i < graph->node_count; i++) {
        const nn_node *node = &graph->nodes[i];
        if (node->kind == NN_SCALE) {
            block++;
            /* floor(16 + 200 i / 90 + 0.5), times four */
            assert_int_equal(node->shape.channels, (16 * 180 + 400 * block + 90) / 180 * 4);
            assert_true(fabs(node->keep - (1 - block / 180.0)) < 1e-15);
            last = node;
        } else if (node->kind == NN_PAD) {
            assert_int_equal(node->before, 0);
        }
    }
    assert_int_equal(last->shape.channels, 864);
    nn_graph_free(graph);
    assert_ok(nn_model_build("resnet-v2-20", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 9);
    assert_int_equal(count_kind(graph, NN_CONV), 1 + 18 + 3);
    nn_graph_free(graph);
}

static void refused(const char *name, int width, int height, pba_status status, const char *says)
{
    nn_graph *graph;
    assert_int_equal(nn_model_build(name, width, height, 3, 10, &graph), status);
    assert_null(graph);
    if (strstr(pba_error_message(), says) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", name, pba_error_message(), says);
    }
}

static void test_model_refusals(void **state)
{
    refused("wrn-16-2", 30, 32, PBA_USAGE, "wrn-16-2:standard");
    refused("wrn-16-2", 32, 30, PBA_USAGE, "wrn-16-2:standard");
    refused("resnext", 32, 32, PBA_USAGE, "wrn-D-K");
    refused("", 32, 32, PBA_USAGE, "wrn-D-K");
    const char *malformed[] = {
        "wrn-",      "wrn-16",   "wrn-16-",   "wrn-16-1:",    "wrn-16-1x", "wrn--16-1",
        "wrn-016-1", "wrn-16-0", "wrn-16--1", "wrn-16-1:std", "wrn-16-1 ", "wrn-99999999999-1",
        "wrn-1e1-1"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        refused(malformed[i], 32, 32, PBA_USAGE, "wrn-40-2");
    }
    static const char *const more[] = {"shake-shake-",          "shake-shake-26",
                                       "shake-shake-26-2x",     "shake-shake-26-2x32",
                                       "shake-shake-26-3x32d",  "shake-shake-26-2x32d ",
                                       "shake-shake-26-2x0d",   "shake-shake-26-2x032d",
                                       "shake-shake-26-2x-32d", "pyramid-",
                                       "pyramid-272",           "pyramid-272-",
                                       "pyramid-272-0",         "pyramid-272-200x",
                                       "pyramid-272-1.5",       "resnet-v2-",
                                       "resnet-v2-x",           "resnet-v2-20-1",
                                       "resnet-v2-99999999999", "shake-shake-26-2x9999999999d"};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        refused(more[i], 32, 32, PBA_USAGE, "not of the form");
    }
    refused("shake-shake-20x", 32, 32, PBA_USAGE, "shake-shake-26-2x32d");
    refused("shake-shake-25-2x32d", 32, 32, PBA_USAGE, "6n + 2");
    refused("shake-shake-2-2x32d", 32, 32, PBA_USAGE, "6n + 2");
    refused("shake-shake-26-2x33d", 32, 32, PBA_USAGE, "even");
    refused("shake-shake-26-2x2000000000d", 32, 32, PBA_USAGE, "not so large");
    refused("shake-shake-1000000004-2x2d", 32, 32, PBA_USAGE, "less depth");
    refused("pyramid-270-200", 32, 32, PBA_USAGE, "9n + 2");
    refused("pyramid-2-200", 32, 32, PBA_USAGE, "9n + 2");
    refused("pyramid-272-2147483647", 32, 32, PBA_USAGE, "too large");
    refused("pyramid-272-400000000", 32, 32, PBA_USAGE, "few or too many");
    refused("pyramid-1000000001-1", 32, 32, PBA_USAGE, "less depth");
    refused("pyramid-272-200", 30, 32, PBA_USAGE, "divisible by 4");
    refused("pyramid-272-200", 32, 30, PBA_USAGE, "divisible by 4");
    refused("resnet-v2-18", 32, 32, PBA_USAGE, "6n + 2");
    refused("resnet-v2-2", 32, 32, PBA_USAGE, "6n + 2");
    refused("resnet-v2-1000000004", 32, 32, PBA_USAGE, "less depth");
    refused("resnet-18", 32, 32, PBA_USAGE, "resnet-v2-D");
    refused("wrn-17-1", 32, 32, PBA_USAGE, "6n + 4");
    refused("wrn-4-1", 32, 32, PBA_USAGE, "6n + 4");
    refused("wrn-16-99999999", 32, 32, PBA_USAGE, "too large");
    refused("wrn-16-30000000", 32, 32, PBA_USAGE, "few or too many");
    refused("wrn-1000000000-1", 32, 32, PBA_USAGE, "less depth");
    refused("wrn-16-1", 0, 32, PBA_USAGE, "at least 1");
    refused("wrn-16-1", 1 << 20, 1 << 20, PBA_USAGE, "too many");
    pba_model_info info;
    char longest[2 * PBA_NAME_MAX];
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "wrn-", 4);
    assert_int_equal(pba_model_describe(longest, 32, 32, 3, 10, &info), PBA_USAGE);
    const char *texts[3];
    assert_int_equal(pba_model_family(pba_model_family_count(), &texts[0], &texts[1], &texts[2]),
                     PBA_USAGE);
}

static void test_model_families(void **state)
{
    for (size_t i = 0; i < pba_model_family_count(); i++) {
        const char *pattern, *sentence, *example;
        assert_ok(pba_model_family(i, &pattern, &sentence, &example));
        assert_true(strlen(pattern) > 0 && strlen(sentence) > 0);
        pba_model_info info;
        assert_ok(pba_model_describe(example, 32, 32, 3, 10, &info));
        assert_true(info.parameters > 0 && info.forward_macs > 0);
    }
}

/* ------------------------------------------------------------------ layout */

static const nn_tensor *named(const nn_graph *graph, const char *name)
{
    for (int t = 0; t < graph->tensor_count; t++) {
        if (strcmp(graph->tensors[t].name, name) == 0) {
            return &graph->tensors[t];
        }
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static void test_names(void **state)
{
    nn_graph *graph;
    assert_ok(nn_model_build("wrn-10-2:standard", 32, 32, 3, 10, &graph));
    const nn_tensor *stem = named(graph, "stem.weight");
    assert_int_equal(stem->dims, 4);
    const int shape[] = {16, 3, 3, 3};
    assert_memory_equal(stem->shape, shape, sizeof shape);
    const char *leaves[] = {"bn1.weight",       "bn1.bias",       "bn1.running_mean",
                            "bn1.running_var",  "conv1.weight",   "bn2.weight",
                            "bn2.bias",         "conv2.weight",   "shortcut.weight",
                            "bn2.running_mean", "bn2.running_var"};
    for (int stage = 1; stage <= 3; stage++) {
        for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
            char name[64];
            snprintf(name, sizeof name, "stage%d.block0.%s", stage, leaves[i]);
            const nn_tensor *tensor = named(graph, name);
            assert_int_equal(tensor->role,
                             strstr(leaves[i], "running") ? NN_RUNNING : NN_TRAINABLE);
        }
    }
    assert_int_equal(named(graph, "stage2.block0.shortcut.weight")->count, 32 * 64);
    assert_int_equal(named(graph, "bn.running_var")->count, 128);
    assert_int_equal(named(graph, "fc.weight")->count, 1280);
    assert_int_equal(named(graph, "fc.bias")->count, 10);
    /* stem, three blocks of 11, the last norm, the last layer */
    assert_int_equal(graph->tensor_count, 1 + 3 * 11 + 4 + 2);
    nn_graph_free(graph);
}

/* Tensors follow each other at steps of 64 bytes, and the parts of the block contain them all. */
static void test_layout(void **state)
{
    nn_graph *graph;
    assert_ok(nn_model_build("wrn-16-1", 32, 32, 3, 10, &graph));
    size_t next[2] = {0, 0};
    int64_t parameters = 0;
    for (int t = 0; t < graph->tensor_count; t++) {
        const nn_tensor *tensor = &graph->tensors[t];
        size_t count = 1;
        for (int i = 0; i < tensor->dims; i++) {
            count *= (size_t)tensor->shape[i];
        }
        assert_int_equal(tensor->count, count);
        assert_int_equal(tensor->offset, next[tensor->role]);
        next[tensor->role] += (count + 15) / 16 * 16;
        parameters += tensor->role == NN_TRAINABLE ? (int64_t)count : 0;
        for (int other = 0; other < t; other++) {
            assert_string_not_equal(tensor->name, graph->tensors[other].name);
        }
    }
    assert_int_equal(graph->trainable, next[NN_TRAINABLE]);
    assert_int_equal(graph->running, next[NN_RUNNING]);
    assert_int_equal(graph->block, 2 * graph->trainable + graph->running);
    assert_int_equal(graph->parameters, parameters);
    nn_graph_free(graph);
}

typedef struct same_row {
    int in, kernel, stride, out, before, after;
} same_row;

/* TensorFlow's rule, worked out by hand. */
static const same_row same_rows[] = {
    {32, 3, 1, 32, 1, 1}, {32, 3, 2, 16, 0, 1}, {7, 3, 2, 4, 1, 1}, {1, 3, 1, 1, 1, 1},
    {1, 3, 2, 1, 1, 1},   {2, 3, 2, 1, 0, 1},   {8, 1, 1, 8, 0, 0}, {8, 1, 2, 4, 0, 0},
    {7, 1, 2, 4, 0, 0},   {8, 5, 2, 4, 1, 2},   {9, 5, 2, 5, 2, 2}, {8, 4, 1, 8, 1, 2},
    {8, 2, 3, 3, 0, 0},   {10, 3, 4, 3, 0, 1},
};

static void test_same_padding(void **state)
{
    for (size_t i = 0; i < sizeof same_rows / sizeof same_rows[0]; i++) {
        const same_row *row = &same_rows[i];
        nn_graph *graph;
        for (int turned = 0; turned < 2; turned++) {
            assert_ok(nn_graph_create(turned ? 5 : row->in, turned ? row->in : 5, 1, 1, &graph));
            const int conv = nn_conv(graph, "conv", 0, 1, row->kernel, row->stride);
            const nn_node *node = &graph->nodes[conv];
            assert_int_equal(turned ? node->shape.height : node->shape.width, row->out);
            assert_int_equal(turned ? node->pad_before : node->pad_left, row->before);
            assert_int_equal(turned ? node->pad_after : node->pad_right, row->after);
            nn_graph_free(graph);
        }
    }
}

/* ------------------------------------------------------------------ misuse */

typedef int (*misuse)(nn_graph *graph);

static int misuse_conv_input(nn_graph *graph)
{
    return nn_conv(graph, "x", 5, 1, 3, 1);
}
static int misuse_conv_negative(nn_graph *graph)
{
    return nn_conv(graph, "x", -1, 1, 3, 1);
}
static int misuse_conv_kernel(nn_graph *graph)
{
    return nn_conv(graph, "x", 0, 1, 0, 1);
}
static int misuse_conv_stride(nn_graph *graph)
{
    return nn_conv(graph, "x", 0, 1, 3, 0);
}
static int misuse_conv_out(nn_graph *graph)
{
    return nn_conv(graph, "x", 0, 0, 3, 1);
}
static int misuse_norm(nn_graph *graph)
{
    return nn_norm(graph, "x", 1, true);
}
static int misuse_relu(nn_graph *graph)
{
    return nn_relu(graph, 1);
}
static int misuse_add_input(nn_graph *graph)
{
    return nn_add(graph, 0, 1);
}
static int misuse_add_channels(nn_graph *graph)
{
    return nn_add(graph, 0, nn_pad(graph, 0, 0, 1));
}
static int misuse_add_size(nn_graph *graph)
{
    return nn_add(graph, 0, nn_pool(graph, 0, 2));
}
static int misuse_pool(nn_graph *graph)
{
    return nn_pool(graph, 0, 0);
}
static int misuse_pad(nn_graph *graph)
{
    return nn_pad(graph, 0, -1, 0);
}
static int misuse_pad_overflow(nn_graph *graph)
{
    return nn_pad(graph, 0, 2147483647, 2147483647);
}
static int misuse_mean(nn_graph *graph)
{
    return nn_mean(graph, -1);
}
static int misuse_subsample(nn_graph *graph)
{
    return nn_subsample(graph, 0, 0, 0);
}
static int misuse_subsample_shift(nn_graph *graph)
{
    return nn_subsample(graph, 0, 2, -1);
}
static int misuse_concat(nn_graph *graph)
{
    return nn_concat(graph, 0, nn_pool(graph, 0, 2));
}
static int misuse_concat_input(nn_graph *graph)
{
    return nn_concat(graph, 0, 1);
}
static int misuse_mix(nn_graph *graph)
{
    return nn_mix(graph, 0, nn_pad(graph, 0, 1, 1));
}
static int misuse_mix_input(nn_graph *graph)
{
    return nn_mix(graph, -1, 0);
}
static int misuse_scale(nn_graph *graph)
{
    return nn_scale(graph, 0, 1.5);
}
static int misuse_scale_nan(nn_graph *graph)
{
    return nn_scale(graph, 0, (double)NAN);
}
static int misuse_linear(nn_graph *graph)
{
    return nn_linear(graph, "x", 0, 3); /* the image has height and width */
}
static int misuse_linear_out(nn_graph *graph)
{
    return nn_linear(graph, "x", nn_mean(graph, 0), 0);
}

/* The first failure stays; what follows adds nothing and breaks nothing. */
static void check_sticky(nn_graph *graph, pba_status status)
{
    int nodes = graph->node_count, tensors = graph->tensor_count;
    assert_int_equal(graph->status, status);
    assert_true(strlen(pba_error_message()) > 0);
    assert_int_equal(nn_conv(graph, "y", 0, 1, 3, 1), 0);
    assert_int_equal(nn_norm(graph, "y", 0, true), 0);
    assert_int_equal(nn_relu(graph, 99), 0);
    assert_int_equal(nn_add(graph, 0, 99), 0);
    assert_int_equal(nn_pool(graph, 0, 0), 0);
    assert_int_equal(nn_pad(graph, 0, 1, 1), 0);
    assert_int_equal(nn_mean(graph, 0), 0);
    assert_int_equal(nn_linear(graph, "y", 0, 1), 0);
    assert_string_equal(nn_label(graph, "%d", 1), "");
    assert_int_equal(graph->status, status);
    assert_int_equal(graph->node_count, nodes);
    assert_int_equal(graph->tensor_count, tensors);
    nn_graph_free(graph);
}

static void test_builder_misuse(void **state)
{
    static const misuse misuses[] = {
        misuse_conv_input,   misuse_conv_negative, misuse_conv_kernel,
        misuse_conv_stride,  misuse_conv_out,      misuse_norm,
        misuse_relu,         misuse_add_input,     misuse_add_channels,
        misuse_add_size,     misuse_pool,          misuse_pad,
        misuse_pad_overflow, misuse_mean,          misuse_linear,
        misuse_linear_out,   misuse_subsample,     misuse_subsample_shift,
        misuse_concat,       misuse_concat_input,  misuse_mix,
        misuse_mix_input,    misuse_scale,         misuse_scale_nan};
    nn_graph *graph;
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        assert_ok(nn_graph_create(4, 4, 2, 3, &graph));
        assert_int_equal(misuses[i](graph), 0);
        check_sticky(graph, PBA_INTERNAL);
    }
}

/* Sizes that a caller may have asked for: refused, without overflow. */
static void test_builder_limits(void **state)
{
    nn_graph *graph;
    assert_int_equal(nn_graph_create(4, 4, 0, 3, &graph), PBA_USAGE);
    assert_int_equal(nn_graph_create(4, -4, 1, 3, &graph), PBA_USAGE);
    assert_int_equal(nn_graph_create(4, 4, 1, 0, &graph), PBA_USAGE);
    assert_int_equal(nn_graph_create(65536, 65536, 1, 1, &graph), PBA_USAGE);
    assert_null(graph);
    assert_ok(nn_graph_create(4, 4, 2, 3, &graph));
    nn_pool(graph, 0, 5); /* nothing left */
    check_sticky(graph, PBA_USAGE);
    assert_ok(nn_graph_create(1, 1, 2, 3, &graph));
    nn_conv(graph, "x", 0, 2147483647, 2147483647, 1);
    check_sticky(graph, PBA_USAGE);
    assert_ok(nn_graph_create(1, 1, 1000000, 3, &graph));
    for (int i = 0; i < 4 && graph->status == PBA_OK; i++) {
        nn_conv(graph, "x", 0, 2147483647, 11, 1);
    }
    check_sticky(graph, PBA_USAGE);
    assert_ok(nn_graph_create(1, 1, 1, 1, &graph));
    for (int i = 0; i < 100000 && graph->status == PBA_OK; i++) {
        nn_relu(graph, nn_input(graph));
    }
    check_sticky(graph, PBA_USAGE);
    nn_graph_free(NULL);
}

/* -------------------------------------------------------------- random draws */

enum { DRAWS = 20000 };

/* A mix and two scales behind an image; what they drew for DRAWS images. */
static nn_graph *random_graph(int *mix, int *scale)
{
    nn_graph *graph;
    assert_ok(nn_graph_create(1, 1, 1, 1, &graph));
    *mix = nn_mix(graph, 0, 0);
    *scale = nn_scale(graph, *mix, 0.7);
    nn_scale(graph, *scale, 0.7);
    assert_int_equal(graph->status, PBA_OK);
    return graph;
}

/* u / (u + v) of two uniform numbers: mean 1/2, below 1/4 where u < v/3, in a sixth of all. */
static void test_draws_of_mix(void **state)
{
    int mix, scale;
    nn_graph *graph = random_graph(&mix, &scale);
    nn_factors *drawn = malloc(DRAWS * sizeof *drawn);
    nn_draw_factors(graph, mix, DRAWS, &(nn_draw){.seed = 1}, drawn);
    double sum[2] = {0}, low[2] = {0}, product = 0;
    for (int n = 0; n < DRAWS; n++) {
        const double *passes[] = {drawn[n].forward, drawn[n].backward};
        for (int pass = 0; pass < 2; pass++) {
            assert_true(passes[pass][0] >= 0 && passes[pass][1] >= 0);
            assert_true(fabs(passes[pass][0] + passes[pass][1] - 1) < 1e-15);
            sum[pass] += passes[pass][0];
            low[pass] += passes[pass][0] < 0.25;
        }
        product += (passes[0][0] - 0.5) * (passes[1][0] - 0.5);
    }
    for (int pass = 0; pass < 2; pass++) {
        assert_true(fabs(sum[pass] / DRAWS - 0.5) < 0.01);
        assert_true(fabs(low[pass] / DRAWS - 1.0 / 6) < 0.015);
    }
    assert_true(fabs(product / DRAWS) < 0.002); /* the passes draw apart: variance is 0.057 */
    free(drawn);
    nn_graph_free(graph);
}

/* 70 in 100 pass unchanged in both passes; the others are -1..1 forward, 0..1 backward. */
static void test_draws_of_scale(void **state)
{
    int mix, scale;
    nn_graph *graph = random_graph(&mix, &scale);
    nn_factors *drawn = malloc(DRAWS * sizeof *drawn);
    nn_draw_factors(graph, scale, DRAWS, &(nn_draw){.seed = 1}, drawn);
    double kept = 0, sum = 0, negative = 0, below = 0;
    for (int n = 0; n < DRAWS; n++) {
        const double forward = drawn[n].forward[0], backward = drawn[n].backward[0];
        assert_int_equal(forward == 1, backward == 1);
        assert_true(forward >= -1 && forward <= 1 && backward >= 0 && backward <= 1);
        kept += forward == 1;
        sum += forward;
        negative += forward < 0;
        below += backward < 0.5;
    }
    assert_true(fabs(kept / DRAWS - 0.7) < 0.015);
    assert_true(fabs(sum / DRAWS - 0.7) < 0.015); /* what evaluation takes */
    assert_true(fabs(negative / DRAWS - 0.15) < 0.015);
    assert_true(fabs(below / DRAWS - 0.15) < 0.015);
    free(drawn);
    nn_graph_free(graph);
}

static void test_draws_by_name(void **state)
{
    int mix, scale;
    nn_graph *graph = random_graph(&mix, &scale);
    nn_factors first[8], other[8];
    const nn_draw draw = {.seed = 1, .member = 2, .step = 3};
    nn_draw_factors(graph, scale, 8, &draw, first);
    nn_draw_factors(graph, scale, 5, &draw, other); /* of any size of batch */
    assert_memory_equal(first, other, 5 * sizeof first[0]);
    const nn_draw others[] = {{.seed = 2, .member = 2, .step = 3},
                              {.seed = 1, .member = 1, .step = 3},
                              {.seed = 1, .member = 2, .step = 4}};
    for (int i = 0; i < 3; i++) {
        nn_draw_factors(graph, scale, 8, &others[i], other);
        assert_memory_not_equal(first, other, sizeof first);
    }
    nn_draw_factors(graph, scale + 1, 8, &draw, other); /* the other node of the kind */
    assert_memory_not_equal(first, other, sizeof first);
    nn_draw_factors(graph, mix, 8, NULL, first);
    nn_draw_factors(graph, scale, 8, NULL, other);
    for (int n = 0; n < 8; n++) {
        assert_true(first[n].forward[0] == 0.5 && first[n].forward[1] == 0.5);
        assert_true(other[n].forward[0] == 0.7);
    }
    assert_true(nn_is_random(&graph->nodes[mix]) && nn_is_random(&graph->nodes[scale]));
    assert_false(nn_is_random(&graph->nodes[0]));
    nn_graph_free(graph);
}

/* ---------------------------------------------------------- initial weights */

static void check_moments(const nn_tensor *tensor, const float *values)
{
    double sum = 0, squares = 0, largest = 0;
    const double count = (double)tensor->count;
    for (size_t i = 0; i < tensor->count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
        largest = fmax(largest, fabs((double)values[i]));
    }
    double mean = sum / count, deviation = sqrt(squares / count - mean * mean);
    /* Weights out, in, k, k: k*k*out counts; the last layer is uniform within 1/sqrt(classes). */
    bool conv = tensor->dims == 4;
    double expected = conv ? sqrt(2.0 / (tensor->shape[0] * tensor->shape[2] * tensor->shape[3]))
                           : 1 / sqrt(3.0 * tensor->shape[0]);
    assert_true(fabs(mean) < 5 * expected / sqrt(count));
    assert_true(fabs(deviation / expected - 1) < 5 / sqrt(2 * count));
    if (!conv) {
        double bound = 1 / sqrt(tensor->shape[0]);
        assert_true(largest <= bound * (1 + 1e-6) && largest > 0.95 * bound);
    } else if (tensor->count > 2000) {
        assert_true(largest > 3 * expected); /* normal, not uniform */
    }
}

static void check_start(const nn_graph *graph, const float *block)
{
    size_t ones = 0, zeros = 0, drawn = 0;
    for (int t = 0; t < graph->tensor_count; t++) {
        const nn_tensor *tensor = &graph->tensors[t];
        const float *values =
            block + tensor->offset + (tensor->role == NN_RUNNING ? 2 * graph->trainable : 0);
        if (tensor->dims > 1) {
            check_moments(tensor, values);
            drawn += tensor->count;
            continue;
        }
        const char *leaf = strrchr(tensor->name, '.') + 1;
        bool one = strcmp(leaf, "weight") == 0 || strcmp(leaf, "running_var") == 0;
        ones += one ? tensor->count : 0;
        for (size_t i = 0; i < tensor->count; i++) {
            assert_true(values[i] == (one ? 1.0F : 0.0F));
        }
    }
    /* All else: biases, means, momentum, padding. */
    for (size_t i = 0; i < graph->block; i++) {
        zeros += block[i] == 0.0F;
    }
    assert_int_equal(ones + drawn + zeros, graph->block);
}

static void test_initialize(void **state)
{
    nn_graph *graph;
    assert_ok(nn_model_build("wrn-16-2:standard", 32, 32, 3, 10, &graph));
    const size_t bytes = graph->block * sizeof(float);
    float *a = malloc(bytes), *b = malloc(bytes);
    memset(a, 0x55, bytes);
    nn_initialize(graph, a, 1, 0);
    check_start(graph, a);
    nn_initialize(graph, b, 1, 0);
    assert_memory_equal(a, b, bytes);
    nn_initialize(graph, b, 1, 1);
    check_start(graph, b);
    assert_memory_not_equal(a, b, bytes);
    nn_initialize(graph, b, 2, 0);
    assert_memory_not_equal(a, b, bytes);
    /* Two tensors of one shape are drawn apart. */
    assert_memory_not_equal(a + named(graph, "stage1.block0.conv2.weight")->offset,
                            a + named(graph, "stage1.block1.conv2.weight")->offset, 1000);
    free(a), free(b);
    nn_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_table),    cmocka_unit_test(test_model_shortcuts),
        cmocka_unit_test(test_new_models),     cmocka_unit_test(test_draws_of_mix),
        cmocka_unit_test(test_draws_of_scale), cmocka_unit_test(test_draws_by_name),
        cmocka_unit_test(test_model_refusals), cmocka_unit_test(test_model_families),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_layout),
        cmocka_unit_test(test_same_padding),   cmocka_unit_test(test_builder_misuse),
        cmocka_unit_test(test_builder_limits), cmocka_unit_test(test_initialize),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
