/* SPDX-License-Identifier: Apache-2.0
 *
 * ResNet with pre-activation (He, Zhang, Ren, Sun: "Identity mappings in deep residual networks",
 * ECCV 2016) for small images: (D-2)/6 blocks per stage, widths 32, 64, 128, a stem of 32. The
 * first block of every stage, of the first one too, takes its shortcut by a 1x1 convolution of the
 * activated input; the others take the raw input. The convolutions of stride 2 are centred, as in
 * the paper's networks: the one model here without TensorFlow's SAME. */
#include "nn/model.h"

#include <string.h>

enum { STAGES = 3, STEM_WIDTH = 32 };

static const char prefix[] = "resnet-v2-";

typedef struct resnet_block {
    const char *name; /* "stage1.block0" */
    int width, stride;
    bool first; /* of its stage */
} resnet_block;

static int resnet_add_block(nn_graph *graph, const resnet_block *block, int raw)
{
    const char *name = block->name;
    int activated = nn_norm(graph, nn_label(graph, "%s.bn1", name), raw, true);
    int x = nn_conv_centred(graph, nn_label(graph, "%s.conv1", name), activated, block->width, 3,
                            block->stride);
    x = nn_norm(graph, nn_label(graph, "%s.bn2", name), x, true);
    x = nn_conv_centred(graph, nn_label(graph, "%s.conv2", name), x, block->width, 3, 1);
    if (!block->first) {
        return nn_add(graph, x, raw);
    }
    int shortcut = nn_conv(graph, nn_label(graph, "%s.shortcut", name), activated, block->width, 1,
                           block->stride);
    return nn_add(graph, x, shortcut);
}

static pba_status resnet_parse(const char *name, int *depth)
{
    const char *rest = nn_model_number(name + strlen(prefix), depth);
    if (rest == NULL || *rest != '\0') {
        return status_set(PBA_USAGE,
                          "model %s: not of the form resnet-v2-DEPTH, such as resnet-v2-20", name);
    }
    if (*depth < 8 || *depth % 6 != 2) {
        return status_set(PBA_USAGE,
                          "model %s: a depth of %d; it must be 6n + 2 with n at least 1: 8, 14, "
                          "20, 26, 32, ...",
                          name, *depth);
    }
    return PBA_OK;
}

static pba_status resnet_build(const char *name, nn_graph *graph)
{
    if (strncmp(name, prefix, strlen(prefix)) != 0) {
        return PBA_NOT_FOUND;
    }
    int depth;
    pba_status status = resnet_parse(name, &depth);
    if (status != PBA_OK) {
        return status;
    }
    int x = nn_conv(graph, "stem", nn_input(graph), STEM_WIDTH, 3, 1);
    for (int i = 0, per_stage = (depth - 2) / 6; i < STAGES * per_stage && graph->status == PBA_OK;
         i++) {
        int stage = i / per_stage;
        bool first = i % per_stage == 0;
        resnet_block block = {
            .name = nn_label(graph, "stage%d.block%d", stage + 1, i % per_stage),
            .width = STEM_WIDTH << stage,
            .stride = first && stage > 0 ? 2 : 1,
            .first = first,
        };
        x = resnet_add_block(graph, &block, x);
    }
    x = nn_mean(graph, nn_norm(graph, "bn", x, true));
    nn_linear(graph, "fc", x, graph->classes);
    return PBA_OK;
}

const nn_model nn_resnet_v2 = {
    .pattern = "resnet-v2-D",
    .sentence = "Pre-activation ResNet of depth D = 6n + 2, widths 32, 64, 128, with a 1x1 "
                "projection in the first block of each stage.",
    .example = "resnet-v2-20",
    .build = resnet_build,
};
