/* SPDX-License-Identifier: Apache-2.0
 * Weights of a network of a convolution, its normalization and a linear layer. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "train/checkpoint.h"

static nn_graph *build(void)
{
    nn_graph *graph;
    fuzz_check(nn_graph_create(2, 2, 1, 2, &graph) == PBA_OK);
    int x = nn_conv(graph, "c", nn_input(graph), 1, 1, 1);
    x = nn_norm(graph, "n", x, true);
    nn_linear(graph, "f", nn_mean(graph, x), 2);
    fuzz_check(graph->status == PBA_OK);
    return graph;
}

static void read_metadata(const char *path)
{
    static const char *const keys[] = {"model", "size", "fit", "mean", "deviation"};
    char text[PBA_NAME_MAX];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (fuzz_done(weights_metadata(path, keys[i], text, sizeof text))) {
            fuzz_check(strlen(text) < sizeof text);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static nn_graph *graph;
    static float *block;
    if (!graph) {
        graph = build();
        block = memory_aligned(graph->block, sizeof *block);
        fuzz_check(block);
    }
    const char *path = fuzz_file(data, size);
    read_metadata(path);
    fuzz_done(weights_load(path, graph, block));
    return 0;
}
