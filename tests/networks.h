/* SPDX-License-Identifier: Apache-2.0
 * Small networks, at least one for every kind of node, that serve the finite differences of the
 * reference backend and the comparison of the other backends with it. To try a new kind, or a new
 * situation of an old one: a builder and a row. */
#ifndef TESTS_NETWORKS_H
#define TESTS_NETWORKS_H

#include "check.h"

#include "core/rng.h"
#include "nn/backend.h"
#include "nn/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct network {
    const char *name; /* of the case, or of a model where there is no builder */
    int width, height;
    /* Adds nodes behind `input` and returns the last one; network_create adds a tail behind it
     * whose gradients are not uniform over the image. */
    int (*build)(nn_graph *graph, int input);
    bool bare; /* `input` is the image itself, not a convolution of it */
} network;

static int build_conv3(nn_graph *graph, int x)
{
    return nn_conv(graph, "node", x, 5, 3, 1);
}

static int build_conv3_stride2(nn_graph *graph, int x)
{
    return nn_conv(graph, "node", x, 5, 3, 2);
}

static int build_conv1(nn_graph *graph, int x)
{
    return nn_conv(graph, "node", x, 5, 1, 1);
}

static int build_conv1_stride2(nn_graph *graph, int x)
{
    return nn_conv(graph, "node", x, 5, 1, 2);
}

static int build_conv5_stride2(nn_graph *graph, int x)
{
    return nn_conv(graph, "node", x, 2, 5, 2);
}

static int build_norm(nn_graph *graph, int x)
{
    return nn_norm(graph, "node", x, false);
}

static int build_norm_relu(nn_graph *graph, int x)
{
    return nn_norm(graph, "node", x, true);
}

static int build_relu(nn_graph *graph, int x)
{
    return nn_relu(graph, x);
}

static int build_pool1(nn_graph *graph, int x)
{
    return nn_pool(graph, x, 1);
}

static int build_pool2(nn_graph *graph, int x)
{
    return nn_pool(graph, x, 2);
}

static int build_pool4(nn_graph *graph, int x)
{
    return nn_pool(graph, x, 4);
}

static int build_pad(nn_graph *graph, int x)
{
    return nn_pad(graph, x, 2, 3);
}

static int build_pad_wide(nn_graph *graph, int x)
{
    return nn_pad(graph, nn_conv(graph, "node", x, 16, 3, 1), 16, 16);
}

static int build_pad_nothing(nn_graph *graph, int x)
{
    return nn_pad(graph, x, 0, 0);
}

static int build_add(nn_graph *graph, int x)
{
    return nn_add(graph, nn_conv(graph, "left", x, 4, 3, 1), nn_conv(graph, "right", x, 4, 1, 1));
}

static int build_add_itself(nn_graph *graph, int x)
{
    return nn_add(graph, x, x);
}

static int build_conv3_centred(nn_graph *graph, int x)
{
    return nn_conv_centred(graph, "node", x, 5, 3, 2);
}

static int build_subsample(nn_graph *graph, int x)
{
    return nn_subsample(graph, x, 2, 0);
}

static int build_subsample_shifted(nn_graph *graph, int x)
{
    return nn_subsample(graph, x, 2, 1);
}

static int build_subsample_wide(nn_graph *graph, int x)
{
    return nn_subsample(graph, nn_conv(graph, "node", x, 20, 3, 1), 1, 1);
}

static int build_concat(nn_graph *graph, int x)
{
    return nn_concat(graph, nn_conv(graph, "left", x, 3, 3, 1), x);
}

static int build_concat_itself(nn_graph *graph, int x)
{
    return nn_concat(graph, x, x);
}

/* Neither part ends with a block of channels. */
static int build_concat_wide(nn_graph *graph, int x)
{
    return nn_concat(graph, nn_conv(graph, "left", x, 24, 3, 1),
                     nn_conv(graph, "right", x, 40, 1, 1));
}

static int build_mix(nn_graph *graph, int x)
{
    return nn_mix(graph, nn_conv(graph, "left", x, 4, 3, 1), x);
}

/* A backend may mix in place of a norm, but not where others read it too. */
static int build_mix_norms(nn_graph *graph, int x)
{
    int a = nn_norm(graph, "a", nn_conv(graph, "left", x, 20, 3, 1), false);
    int b = nn_norm(graph, "b", nn_conv(graph, "right", x, 20, 1, 1), true);
    return nn_mix(graph, nn_mix(graph, a, nn_norm(graph, "c", b, false)), b);
}

static int build_mix_itself(nn_graph *graph, int x)
{
    return nn_mix(graph, x, x);
}

static int build_scale(nn_graph *graph, int x)
{
    return nn_scale(graph, x, 0.3);
}

static int build_scale_norms(nn_graph *graph, int x)
{
    int a = nn_norm(graph, "a", x, false), b = nn_norm(graph, "b", x, true);
    return nn_add(graph, nn_scale(graph, a, 0.5), nn_add(graph, b, nn_scale(graph, b, 0.5)));
}

/* One node read by a convolution, a norm, a pool and two sums: the gradients of all add up. */
static int build_fan_out(nn_graph *graph, int x)
{
    int a = nn_norm(graph, "norm", x, true);
    int b = nn_conv(graph, "conv", x, 4, 3, 1);
    int sum = nn_add(graph, nn_add(graph, a, b), x);
    int small = nn_pool(graph, x, 2);
    return nn_add(graph, nn_pool(graph, sum, 2), small);
}

/* A residual block of each variant in small: the shortcut behind the norm, and before it. */
static int build_blocks(nn_graph *graph, int x)
{
    int shared = nn_norm(graph, "a.bn1", x, true);
    int y = nn_conv(graph, "a.conv1", shared, 6, 3, 1);
    y = nn_conv(graph, "a.conv2", nn_norm(graph, "a.bn2", y, true), 6, 3, 1);
    int first = nn_add(graph, y, nn_pad(graph, shared, 1, 1));
    y = nn_conv(graph, "b.conv1", nn_norm(graph, "b.bn1", first, true), 8, 3, 2);
    y = nn_add(graph, y, nn_pad(graph, nn_pool(graph, first, 2), 1, 1));
    int z = nn_norm(graph, "c.bn1", y, true);
    return nn_add(graph, nn_conv(graph, "c.conv1", z, 5, 3, 2),
                  nn_conv(graph, "c.shortcut", z, 5, 1, 2));
}

static const network networks[] = {
    {"conv 3", 8, 8, build_conv3, false},
    {"conv 3, 7 x 5", 7, 5, build_conv3, false},
    {"conv 3, 1 x 1", 1, 1, build_conv3, false},
    {"conv 3, on the image", 6, 6, build_conv3, true},
    {"conv 3, stride 2", 8, 8, build_conv3_stride2, false},
    {"conv 3, stride 2, 7 x 5", 7, 5, build_conv3_stride2, false},
    {"conv 3, stride 2, 8 x 5", 8, 5, build_conv3_stride2, false},
    {"conv 3, stride 2, 5 x 8", 5, 8, build_conv3_stride2, false},
    {"conv 1", 6, 6, build_conv1, false},
    {"conv 1, stride 2", 6, 6, build_conv1_stride2, false},
    {"conv 1, stride 2, 7 x 5", 7, 5, build_conv1_stride2, false},
    {"conv 5, stride 2", 9, 8, build_conv5_stride2, false},
    {"norm", 6, 6, build_norm, false},
    {"norm, on the image", 6, 6, build_norm, true},
    {"norm and ReLU", 6, 6, build_norm_relu, false},
    {"norm and ReLU, on the image", 6, 6, build_norm_relu, true},
    {"ReLU", 6, 6, build_relu, false},
    {"ReLU, on the image", 6, 6, build_relu, true},
    {"pool 1", 6, 6, build_pool1, false},
    {"pool 2", 8, 6, build_pool2, false},
    {"pool 2, 7 x 5", 7, 5, build_pool2, false},
    {"pool 4", 8, 12, build_pool4, false},
    {"pool 2, on the image", 8, 8, build_pool2, true},
    {"pad", 6, 6, build_pad, false},
    {"pad, on the image", 6, 6, build_pad, true},
    {"pad, whole vectors", 6, 6, build_pad_wide, false},
    {"pad nothing", 6, 6, build_pad_nothing, false},
    {"add", 6, 6, build_add, false},
    {"add, on the image", 6, 6, build_add, true},
    {"add itself", 6, 6, build_add_itself, false},
    {"add itself, on the image", 6, 6, build_add_itself, true},
    {"conv 3, centred", 8, 8, build_conv3_centred, false},
    {"conv 3, centred, 7 x 6", 7, 6, build_conv3_centred, false},
    {"conv 3, centred, 1 x 2", 1, 2, build_conv3_centred, false},
    {"subsample", 8, 6, build_subsample, false},
    {"subsample, 7 x 5", 7, 5, build_subsample, false},
    {"subsample, shifted", 8, 6, build_subsample_shifted, false},
    {"subsample, shifted, 7 x 5", 7, 5, build_subsample_shifted, false},
    {"subsample, shifted, 2 x 3", 2, 3, build_subsample_shifted, false},
    {"subsample, on the image", 8, 6, build_subsample_shifted, true},
    {"shift, whole vectors and four", 5, 6, build_subsample_wide, false},
    {"concat", 6, 6, build_concat, false},
    {"concat, on the image", 6, 6, build_concat, true},
    {"concat itself", 6, 6, build_concat_itself, false},
    {"concat, vectors and halves", 6, 6, build_concat_wide, false},
    {"mix", 6, 6, build_mix, false},
    {"mix, on the image", 6, 6, build_mix, true},
    {"mix norms", 6, 6, build_mix_norms, false},
    {"mix itself", 6, 6, build_mix_itself, false},
    {"scale", 6, 6, build_scale, false},
    {"scale, on the image", 6, 6, build_scale, true},
    {"scale norms", 6, 6, build_scale_norms, false},
    {"fan-out", 6, 8, build_fan_out, false},
    {"fan-out, on the image", 6, 8, build_fan_out, true},
    {"residual blocks", 12, 8, build_blocks, false},
};

enum { NETWORK_COUNT = sizeof networks / sizeof networks[0], NETWORK_CLASSES = 3 };

/* Images of `channels` channels; fan-out and sums need 4 where they read the image. */
static nn_graph *network_create(const network *network, int channels)
{
    nn_graph *graph;
    if (network->build == NULL) {
        assert_ok(nn_model_build(network->name, network->width, network->height, channels,
                                 NETWORK_CLASSES, &graph));
        return graph;
    }
    assert_ok(nn_graph_create(network->width, network->height, network->bare ? 4 : channels,
                              NETWORK_CLASSES, &graph));
    int x = nn_input(graph);
    x = network->build(graph, network->bare ? x : nn_conv(graph, "stem", x, 4, 3, 1));
    x = nn_conv(graph, "tail.conv", nn_relu(graph, x), 4, 3, 1);
    x = nn_mean(graph, nn_norm(graph, "tail.bn", x, true));
    nn_linear(graph, "fc", x, NETWORK_CLASSES);
    assert_int_equal(graph->status, PBA_OK);
    return graph;
}

static float *tensor_at(const nn_graph *graph, float *block, int t)
{
    const nn_tensor *tensor = &graph->tensors[t];
    return block + (tensor->role == NN_RUNNING ? 2 * graph->trainable : 0) + tensor->offset;
}

/* A block as after some training: no scale, shift or statistic at its first value. */
static float *network_block(const nn_graph *graph, uint64_t seed)
{
    float *block = memory_aligned(graph->block, sizeof(float));
    assert_non_null(block);
    nn_initialize(graph, block, seed, 0);
    for (int t = 0; t < graph->tensor_count; t++) {
        float *values = tensor_at(graph, block, t);
        rng draws = rng_at(seed, RNG_DEMO, 1, 0, (uint32_t)t);
        for (size_t i = 0; i < graph->tensors[t].count && graph->tensors[t].dims == 1; i++) {
            bool positive = graph->tensors[t].init == NN_INIT_ONE;
            values[i] = (float)(positive ? 0.5 + rng_unit(&draws) : 0.3 * rng_normal(&draws));
        }
    }
    return block;
}

/* Values around 0.5 with deviation 1: images whose mean is not quite 0. */
static void draw_values(double *values, size_t count, uint64_t seed, uint32_t stream)
{
    rng draws = rng_at(seed, RNG_DEMO, 2, 0, stream);
    for (size_t i = 0; i < count; i++) {
        values[i] = 0.5 + rng_normal(&draws);
    }
}

static size_t image_elements(const nn_graph *graph)
{
    const nn_shape *shape = &graph->nodes[0].shape;
    return (size_t)shape->channels * (size_t)shape->height * (size_t)shape->width;
}

#endif
