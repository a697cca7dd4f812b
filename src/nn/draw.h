/* SPDX-License-Identifier: Apache-2.0
 * The numbers that random nodes draw, one set per image of a batch. All backends take them from
 * here, so that they draw the same; seed, member, step and node decide, and nothing else does. */
#ifndef NN_DRAW_H
#define NN_DRAW_H

#include "nn/graph.h"

typedef struct nn_draw {
    uint64_t seed;
    uint32_t member;
    uint32_t step; /* of the whole training, not of the epoch */
    bool tied;     /* the backward pass uses the forward factors: then it is the true gradient, as
                      finite differences ask for; no network is trained so */
} nn_draw;

/* What inputs[0] and inputs[1] of one image are multiplied by, and what their gradients are. */
typedef struct nn_factors {
    double forward[2], backward[2];
} nn_factors;

bool nn_is_random(const nn_node *node);

/* The factors of random node `number` for images 0..batch-1; draw NULL: those of evaluation.
 *   NN_MIX    two uniform numbers divided by their sum, for each pass anew; evaluation: 0.5
 *   NN_SCALE  b + a - b*a forward, b + c - b*c backward, b = floor(keep + U) shared,
 *             a ~ U[-1, 1], c ~ U[0, 1]; evaluation: keep */
void nn_draw_factors(const nn_graph *graph, int number, int batch, const nn_draw *draw,
                     nn_factors *factors);

#endif
