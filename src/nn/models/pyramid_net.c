/* SPDX-License-Identifier: Apache-2.0
 *
 * PyramidNet (Han, Kim, Kim: "Deep pyramidal residual networks", CVPR 2017) with bottlenecks and
 * ShakeDrop (Yamada, Iwamura, Akiba, Kise, 2018), pyramid-D-ALPHA: n = (D-2)/9 blocks per stage,
 * N = 3n in all; block i = 1..N is floor(16 + ALPHA*i/N + 0.5) wide and puts out four times that:
 * BN-1x1-BN-ReLU-3x3-BN-ReLU-1x1-BN, passed with probability 1 - i/(2N). The shortcut is averaged
 * over 2x2 at a stride of 2 and filled up with zero channels behind. */
#include "nn/model.h"

#include <limits.h>
#include <string.h>

enum { STAGES = 3, STEM_WIDTH = 16, EXPANSION = 4 };

static const char prefix[] = "pyramid-";

typedef struct pyramid_block {
    const char *name; /* "stage1.block0" */
    int in_width, width, stride;
    double keep;
} pyramid_block;

static int pyramid_shortcut(nn_graph *graph, const pyramid_block *block, int raw)
{
    int x = block->stride > 1 ? nn_pool(graph, raw, block->stride) : raw;
    int missing = EXPANSION * block->width - block->in_width;
    return missing > 0 ? nn_pad(graph, x, 0, missing) : x;
}

static int pyramid_add_block(nn_graph *graph, const pyramid_block *block, int raw)
{
    const char *name = block->name;
    int x = nn_norm(graph, nn_label(graph, "%s.bn1", name), raw, false);
    x = nn_conv(graph, nn_label(graph, "%s.conv1", name), x, block->width, 1, 1);
    x = nn_norm(graph, nn_label(graph, "%s.bn2", name), x, true);
    x = nn_conv(graph, nn_label(graph, "%s.conv2", name), x, block->width, 3, block->stride);
    x = nn_norm(graph, nn_label(graph, "%s.bn3", name), x, true);
    x = nn_conv(graph, nn_label(graph, "%s.conv3", name), x, EXPANSION * block->width, 1, 1);
    x = nn_norm(graph, nn_label(graph, "%s.bn4", name), x, false);
    x = nn_scale(graph, x, block->keep);
    return nn_add(graph, x, pyramid_shortcut(graph, block, raw));
}

static pba_status pyramid_parse(const char *name, int *depth, int *alpha)
{
    const char *rest = nn_model_number(name + strlen(prefix), depth);
    rest = rest != NULL && *rest == '-' ? nn_model_number(rest + 1, alpha) : NULL;
    if (rest == NULL || *rest != '\0') {
        return status_set(PBA_USAGE,
                          "model %s: not of the form pyramid-DEPTH-ALPHA, such as pyramid-272-200",
                          name);
    }
    return PBA_OK;
}

static pba_status pyramid_check(const char *name, int depth, int alpha, const nn_shape *image)
{
    if (depth < 11 || depth % 9 != 2) {
        return status_set(PBA_USAGE,
                          "model %s: a depth of %d; it must be 9n + 2 with n at least 1: 11, 20, "
                          "29, ..., 272, ...",
                          name, depth);
    }
    if (alpha > INT_MAX / EXPANSION - STEM_WIDTH - 1) {
        return status_set(PBA_USAGE, "model %s: an alpha of %d is too large", name, alpha);
    }
    if (image->width % 4 != 0 || image->height % 4 != 0) {
        return status_set(PBA_USAGE,
                          "model %s: takes images with sides divisible by 4, these are %d x %d; "
                          "resize them or choose another model",
                          name, image->width, image->height);
    }
    return PBA_OK;
}

static int pyramid_add_blocks(nn_graph *graph, int depth, int alpha, int x)
{
    const int per_stage = (depth - 2) / 9, blocks = STAGES * per_stage;
    for (int i = 1, before = STEM_WIDTH; i <= blocks && graph->status == PBA_OK; i++) {
        int stage = (i - 1) / per_stage, within = (i - 1) % per_stage;
        pyramid_block block = {
            .name = nn_label(graph, "stage%d.block%d", stage + 1, within),
            .in_width = before,
            .width = STEM_WIDTH + (int)((2 * (int64_t)alpha * i + blocks) / (2 * (int64_t)blocks)),
            .stride = stage > 0 && within == 0 ? 2 : 1,
            .keep = 1 - 0.5 * i / blocks,
        };
        x = pyramid_add_block(graph, &block, x);
        before = EXPANSION * block.width;
    }
    return x;
}

static pba_status pyramid_build(const char *name, nn_graph *graph)
{
    if (strncmp(name, prefix, strlen(prefix)) != 0) {
        return PBA_NOT_FOUND;
    }
    int depth, alpha;
    pba_status status = pyramid_parse(name, &depth, &alpha);
    if (status == PBA_OK) {
        status = pyramid_check(name, depth, alpha, &graph->nodes[0].shape);
    }
    if (status != PBA_OK) {
        return status;
    }
    int x = nn_conv(graph, "stem.conv", nn_input(graph), STEM_WIDTH, 3, 1);
    x = nn_norm(graph, "stem.bn", x, false);
    x = pyramid_add_blocks(graph, depth, alpha, x);
    x = nn_mean(graph, nn_norm(graph, "bn", x, true));
    nn_linear(graph, "fc", x, graph->classes);
    return PBA_OK;
}

const nn_model nn_pyramid_net = {
    .pattern = "pyramid-D-ALPHA",
    .sentence = "PyramidNet of depth D = 9n + 2 with bottlenecks, widened by ALPHA, and ShakeDrop "
                "(the paper's: 272, 200; image sides divisible by 4).",
    .example = "pyramid-272-200",
    .build = pyramid_build,
};
