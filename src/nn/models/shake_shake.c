/* SPDX-License-Identifier: Apache-2.0
 *
 * Shake-Shake (Gastaldi: "Shake-Shake regularization", 2017), shake-shake-D-2xWd: (D-2)/6 blocks
 * per stage, widths W, 2W, 4W, two branches ReLU-conv3-BN-ReLU-conv3-BN per block whose sum has
 * random weights per image. Where the width changes the shortcut is two 1x1 convolutions of half
 * the width each on the subsampled raw input, the second from the input shifted by (1, 1), side by
 * side and normalized together. The stem is conv-BN, the end ReLU-mean, without a norm. */
#include "nn/model.h"

#include <limits.h>
#include <string.h>

enum { STAGES = 3, STEM_WIDTH = 16 };

static const char prefix[] = "shake-shake-";

typedef struct shake_block {
    const char *name; /* "stage1.block0" */
    int in_width, width, stride;
} shake_block;

static int shake_branch(nn_graph *graph, const shake_block *block, int number, int activated)
{
    const char *name = nn_label(graph, "%s.branch%d", block->name, number);
    int x = nn_conv(graph, nn_label(graph, "%s.conv1", name), activated, block->width, 3,
                    block->stride);
    x = nn_norm(graph, nn_label(graph, "%s.bn1", name), x, true);
    x = nn_conv(graph, nn_label(graph, "%s.conv2", name), x, block->width, 3, 1);
    return nn_norm(graph, nn_label(graph, "%s.bn2", name), x, false);
}

static int shake_shortcut(nn_graph *graph, const shake_block *block, int raw)
{
    if (block->in_width == block->width) {
        return raw;
    }
    const char *name = nn_label(graph, "%s.shortcut", block->name);
    int a =
        nn_conv(graph, nn_label(graph, "%s.conv1", name), raw, block->width / 2, 1, block->stride);
    int b = nn_conv(graph, nn_label(graph, "%s.conv2", name),
                    nn_subsample(graph, raw, block->stride, 1), block->width / 2, 1, 1);
    return nn_norm(graph, nn_label(graph, "%s.bn", name), nn_concat(graph, a, b), false);
}

static int shake_add_block(nn_graph *graph, const shake_block *block, int raw)
{
    int activated = nn_relu(graph, raw);
    int a = shake_branch(graph, block, 1, activated);
    int b = shake_branch(graph, block, 2, activated);
    int mixed = nn_mix(graph, a, b);
    return nn_add(graph, mixed, shake_shortcut(graph, block, raw));
}

/* "DEPTH-2xWIDTHd" */
static bool shake_parse(const char *text, int *depth, int *width)
{
    const char *rest = nn_model_number(text, depth);
    if (rest == NULL || strncmp(rest, "-2x", 3) != 0) {
        return false;
    }
    rest = nn_model_number(rest + 3, width);
    return rest != NULL && strcmp(rest, "d") == 0;
}

static pba_status shake_check(const char *name, int depth, int width)
{
    if (depth < 8 || depth % 6 != 2) {
        return status_set(PBA_USAGE,
                          "model %s: a depth of %d; it must be 6n + 2 with n at least 1: 8, 14, "
                          "20, 26, ...",
                          name, depth);
    }
    if (width % 2 != 0 || width > INT_MAX >> (STAGES - 1)) {
        return status_set(PBA_USAGE, "model %s: a width of %d; it must be even and not so large",
                          name, width);
    }
    return PBA_OK;
}

static int shake_add_blocks(nn_graph *graph, int depth, int first_width, int x)
{
    for (int i = 0, before = STEM_WIDTH, per_stage = (depth - 2) / 6;
         i < STAGES * per_stage && graph->status == PBA_OK; i++) {
        int stage = i / per_stage;
        shake_block block = {
            .name = nn_label(graph, "stage%d.block%d", stage + 1, i % per_stage),
            .in_width = before,
            .width = first_width << stage,
            .stride = stage > 0 && i % per_stage == 0 ? 2 : 1,
        };
        x = shake_add_block(graph, &block, x);
        before = block.width;
    }
    return x;
}

static pba_status shake_build(const char *name, nn_graph *graph)
{
    if (strncmp(name, prefix, strlen(prefix)) != 0) {
        return PBA_NOT_FOUND;
    }
    int depth, width;
    if (!shake_parse(name + strlen(prefix), &depth, &width)) {
        return status_set(PBA_USAGE,
                          "model %s: not of the form shake-shake-DEPTH-2xWIDTHd, such as "
                          "shake-shake-26-2x32d",
                          name);
    }
    pba_status status = shake_check(name, depth, width);
    if (status != PBA_OK) {
        return status;
    }
    int x = nn_conv(graph, "stem.conv", nn_input(graph), STEM_WIDTH, 3, 1);
    x = nn_norm(graph, "stem.bn", x, false);
    x = shake_add_blocks(graph, depth, width, x);
    nn_linear(graph, "fc", nn_mean(graph, nn_relu(graph, x)), graph->classes);
    return PBA_OK;
}

const nn_model nn_shake_shake = {
    .pattern = "shake-shake-D-2xWd",
    .sentence = "Shake-Shake of depth D = 6n + 2 (the paper's: 26) and first width W, even (the "
                "paper's: 32, 96, 112).",
    .example = "shake-shake-26-2x32d",
    .build = shake_build,
};
