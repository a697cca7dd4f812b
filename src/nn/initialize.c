/* SPDX-License-Identifier: Apache-2.0
 *
 * Fresh weights. The distributions are the reference implementation's; the draws depend on seed,
 * member and the tensor's number alone. */
#include "core/rng.h"
#include "nn/graph.h"

#include <math.h>
#include <string.h>

static void initialize_constant(float *values, size_t count, float value)
{
    for (size_t i = 0; i < count; i++) {
        values[i] = value;
    }
}

/* Normal, standard deviation sqrt(2 / (k*k*out)). */
static void initialize_conv(const nn_tensor *tensor, float *values, rng *draws)
{
    double fan = (double)tensor->shape[0] * tensor->shape[2] * tensor->shape[3];
    double deviation = sqrt(2.0 / fan);
    for (size_t i = 0; i < tensor->count; i++) {
        values[i] = (float)(deviation * rng_normal(draws));
    }
}

/* Uniform in +-1/sqrt(classes). */
static void initialize_linear(const nn_tensor *tensor, float *values, rng *draws)
{
    double bound = 1.0 / sqrt((double)tensor->shape[0]);
    for (size_t i = 0; i < tensor->count; i++) {
        values[i] = (float)(bound * (2.0 * rng_unit(draws) - 1.0));
    }
}

void nn_initialize(const nn_graph *graph, float *block, uint64_t seed, uint32_t member)
{
    memset(block, 0, graph->block * sizeof(float));
    for (int i = 0; i < graph->tensor_count; i++) {
        const nn_tensor *tensor = &graph->tensors[i];
        size_t start = tensor->role == NN_RUNNING ? 2 * graph->trainable : 0;
        float *values = block + start + tensor->offset;
        rng draws = rng_at(seed, RNG_INIT, member, 0, (uint32_t)i);
        switch (tensor->init) {
        case NN_INIT_CONV:
            initialize_conv(tensor, values, &draws);
            break;
        case NN_INIT_LINEAR:
            initialize_linear(tensor, values, &draws);
            break;
        case NN_INIT_ZERO:
            break;
        case NN_INIT_ONE:
            initialize_constant(values, tensor->count, 1.0F);
            break;
        }
    }
}
