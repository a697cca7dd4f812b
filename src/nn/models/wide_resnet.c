/* SPDX-License-Identifier: Apache-2.0
 *
 * Wide-ResNet (Zagoruyko, Komodakis: "Wide Residual Networks", BMVC 2016), pre-activation, in two
 * variants that differ in their shortcuts:
 *
 *   wrn-D-K           as in the reference implementation of PBA. Where the width changes, the
 *                     shortcut is average-pooled (kernel = stride) and zero-padded, half of the new
 *                     channels on each side. The first block of stage 1 takes its shortcut behind
 *                     its BN-ReLU. Besides, each stage adds its pooled and padded input to its
 *                     output, and the stem's output is added before the last BN.
 *   wrn-D-K:standard  as in the paper: a 1x1 convolution of the activated input where width or
 *                     stride change, the raw input elsewhere.
 */
#include "nn/model.h"

#include <limits.h>
#include <string.h>

enum { STAGES = 3, STEM_WIDTH = 16 };

typedef struct wrn {
    int depth, factor;
    bool standard;
} wrn;

static bool wrn_parse(const char *name, wrn *model)
{
    const char *rest = nn_model_number(name + strlen("wrn-"), &model->depth);
    if (rest == NULL || *rest != '-') {
        return false;
    }
    rest = nn_model_number(rest + 1, &model->factor);
    if (rest == NULL) {
        return false;
    }
    model->standard = strcmp(rest, ":standard") == 0;
    return model->standard || *rest == '\0';
}

static pba_status wrn_check(const char *name, const wrn *model, const nn_graph *graph)
{
    if (model->depth < 10 || model->depth % 6 != 4) {
        return status_set(PBA_USAGE,
                          "model %s: a depth of %d; it must be 6n + 4 with n at least 1: 10, 16, "
                          "22, 28, 34, 40, ...",
                          name, model->depth);
    }
    if (model->factor > INT_MAX / (STEM_WIDTH << (STAGES - 1))) {
        return status_set(PBA_USAGE, "model %s: a widening factor of %d is too large", name,
                          model->factor);
    }
    nn_shape image = graph->nodes[0].shape;
    if (!model->standard && (image.width % 4 != 0 || image.height % 4 != 0)) {
        return status_set(PBA_USAGE,
                          "model %s: takes images with sides divisible by 4, these are %d x %d; "
                          "use wrn-%d-%d:standard",
                          name, image.width, image.height, model->depth, model->factor);
    }
    return PBA_OK;
}

/* A shortcut without weights: average-pooled and zero-padded to `width` channels. */
static int wrn_bridge(nn_graph *graph, int input, int in_width, int width, int stride)
{
    if (in_width == width) {
        return input;
    }
    int node = stride > 1 ? nn_pool(graph, input, stride) : input;
    int before = (width - in_width) / 2;
    return nn_pad(graph, node, before, width - in_width - before);
}

typedef struct wrn_block {
    const char *name; /* "stage1.block0" */
    int in_width, width, stride;
    bool first; /* of the whole network */
} wrn_block;

static int wrn_shortcut(nn_graph *graph, const wrn *model, const wrn_block *block, int raw,
                        int activated)
{
    if (!model->standard) {
        return wrn_bridge(graph, block->first ? activated : raw, block->in_width, block->width,
                          block->stride);
    }
    if (block->in_width == block->width && block->stride == 1) {
        return raw;
    }
    return nn_conv(graph, nn_label(graph, "%s.shortcut", block->name), activated, block->width, 1,
                   block->stride);
}

static int wrn_add_block(nn_graph *graph, const wrn *model, const wrn_block *block, int raw)
{
    const char *name = block->name;
    int activated = nn_norm(graph, nn_label(graph, "%s.bn1", name), raw, true);
    int x = nn_conv(graph, nn_label(graph, "%s.conv1", name), activated, block->width, 3,
                    block->stride);
    x = nn_norm(graph, nn_label(graph, "%s.bn2", name), x, true);
    x = nn_conv(graph, nn_label(graph, "%s.conv2", name), x, block->width, 3, 1);
    return nn_add(graph, x, wrn_shortcut(graph, model, block, raw, activated));
}

static int wrn_add_stage(nn_graph *graph, const wrn *model, int stage, int in_width, int input)
{
    int stride = stage == 0 ? 1 : 2;
    int width = (STEM_WIDTH * model->factor) << stage;
    int x = input;
    for (int i = 0; i < (model->depth - 4) / 6 && graph->status == PBA_OK; i++) {
        wrn_block block = {.name = nn_label(graph, "stage%d.block%d", stage + 1, i),
                           .in_width = i == 0 ? in_width : width,
                           .width = width,
                           .stride = i == 0 ? stride : 1,
                           .first = stage == 0 && i == 0};
        x = wrn_add_block(graph, model, &block, x);
    }
    return model->standard ? x
                           : nn_add(graph, x, wrn_bridge(graph, input, in_width, width, stride));
}

static pba_status wrn_build(const char *name, nn_graph *graph)
{
    if (strncmp(name, "wrn-", strlen("wrn-")) != 0) {
        return PBA_NOT_FOUND;
    }
    wrn model;
    if (!wrn_parse(name, &model)) {
        return status_set(
            PBA_USAGE,
            "model %s: not of the form wrn-DEPTH-FACTOR or wrn-DEPTH-FACTOR:standard, "
            "such as wrn-40-2",
            name);
    }
    pba_status status = wrn_check(name, &model, graph);
    if (status != PBA_OK) {
        return status;
    }
    int stem = nn_conv(graph, "stem", nn_input(graph), STEM_WIDTH, 3, 1);
    int x = stem, width = STEM_WIDTH;
    for (int stage = 0; stage < STAGES; stage++) {
        x = wrn_add_stage(graph, &model, stage, width, x);
        width = (STEM_WIDTH * model.factor) << stage;
    }
    if (!model.standard) {
        x = nn_add(graph, x, wrn_bridge(graph, stem, STEM_WIDTH, width, 4));
    }
    x = nn_mean(graph, nn_norm(graph, "bn", x, true));
    nn_linear(graph, "fc", x, graph->classes);
    return PBA_OK;
}

const nn_model nn_wide_resnet = {
    .pattern = "wrn-D-K[:standard]",
    .sentence =
        "Wide-ResNet of depth D = 6n + 4 and widening factor K. Plain: the variant of PBA's "
        "reference implementation, without 1x1 projections (image sides divisible by 4); "
        ":standard: the paper's, with 1x1 projections.",
    .example = "wrn-40-2",
    .build = wrn_build,
};
