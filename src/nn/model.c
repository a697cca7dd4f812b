/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks by name: walks the rows that the files in models/ end with. */
#include "nn/model.h"

#include <stdio.h>
#include <string.h>

static const nn_model *const models[] = {
    &nn_wide_resnet,
    &nn_shake_shake,
    &nn_pyramid_net,
    &nn_resnet_v2,
};

enum { MODEL_COUNT = sizeof models / sizeof models[0] };

const char *nn_model_number(const char *text, int *number)
{
    if (*text < '1' || *text > '9') {
        return NULL;
    }
    *number = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *text - '0', number)) {
            return NULL;
        }
    }
    return text;
}

static pba_status model_unknown(const char *name)
{
    char patterns[512] = "";
    size_t used = 0;
    for (int i = 0; i < MODEL_COUNT && used < sizeof patterns; i++) {
        int more = snprintf(patterns + used, sizeof patterns - used, "%s%s (such as %s)",
                            i > 0 ? ", " : "", models[i]->pattern, models[i]->example);
        used += more > 0 ? (size_t)more : 0;
    }
    return status_set(PBA_USAGE, "model %s: unknown; there are: %s", name, patterns);
}

/* Behind the last node of a finished network are one logit per class. */
static pba_status model_check(const char *name, const nn_graph *graph)
{
    const nn_node *last = &graph->nodes[graph->node_count - 1];
    if (last->kind != NN_LINEAR || last->shape.channels != graph->classes) {
        return status_set(PBA_INTERNAL, "model %s: does not end with its classes", name);
    }
    return PBA_OK;
}

static pba_status model_fill(const char *name, nn_graph *graph)
{
    for (int i = 0; i < MODEL_COUNT; i++) {
        pba_status status = models[i]->build(name, graph);
        if (status == PBA_NOT_FOUND) {
            continue;
        }
        if (status != PBA_OK) {
            return status;
        }
        if (graph->status != PBA_OK) {
            return status_prefix(graph->status, "model %s", name);
        }
        return model_check(name, graph);
    }
    return model_unknown(name);
}

pba_status nn_model_build(const char *name, int width, int height, int channels, int classes,
                          nn_graph **graph)
{
    *graph = NULL;
    nn_graph *fresh;
    pba_status status = nn_graph_create(width, height, channels, classes, &fresh);
    if (status != PBA_OK) {
        return status;
    }
    status = model_fill(name, fresh);
    if (status != PBA_OK) {
        nn_graph_free(fresh);
        return status;
    }
    *graph = fresh;
    return PBA_OK;
}

size_t pba_model_family_count(void)
{
    return MODEL_COUNT;
}

pba_status pba_model_family(size_t index, const char **pattern, const char **sentence,
                            const char **example)
{
    if (!pattern || !sentence || !example) {
        return status_null(__func__);
    }
    if (index >= MODEL_COUNT) {
        return status_set(PBA_USAGE, "model family %zu: there are %d", index, MODEL_COUNT);
    }
    *pattern = models[index]->pattern;
    *sentence = models[index]->sentence;
    *example = models[index]->example;
    return PBA_OK;
}

pba_status pba_model_describe(const char *name, int width, int height, int channels, int classes,
                              pba_model_info *info)
{
    if (!name || !info) {
        return status_null(__func__);
    }
    if (strlen(name) >= sizeof info->name) {
        return status_set(PBA_USAGE, "model: a name of %zu characters; at most %zu are allowed",
                          strlen(name), sizeof info->name - 1);
    }
    nn_graph *graph;
    pba_status status = nn_model_build(name, width, height, channels, classes, &graph);
    if (status != PBA_OK) {
        return status;
    }
    memset(info, 0, sizeof *info);
    memcpy(info->name, name, strlen(name) + 1);
    info->parameters = graph->parameters;
    info->forward_macs = nn_forward_macs(graph);
    info->training_macs = nn_training_macs(graph);
    nn_graph_free(graph);
    return PBA_OK;
}
