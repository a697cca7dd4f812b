/* SPDX-License-Identifier: Apache-2.0
 * The boundary behind which networks are computed. A backend compiles a graph for one batch size
 * into a plan: primitives, activations, gradients, scratch. A plan belongs to one thread and runs
 * any member's block; it keeps no member's state but the weights of the last load. */
#ifndef NN_BACKEND_H
#define NN_BACKEND_H

#include "nn/draw.h"

typedef struct nn_plan nn_plan;

typedef struct nn_backend {
    const char *name, *sentence;
    size_t real; /* bytes of the numbers in blocks, inputs and gradients: 4; the double oracle: 8 */
    const struct nn_backend *bf16; /* the same with activations in bf16; NULL: none */
    pba_status (*available)(void); /* on this processor; PBA_USAGE: not. NULL: everywhere */

    /* `training`: batch statistics, backward possible. Otherwise running statistics. Uses as many
     * threads as OpenMP is set to on the calling thread; the same thread must run the plan. */
    pba_status (*plan_create)(const nn_graph *graph, int batch, bool training, nn_plan **plan);
    void (*plan_free)(nn_plan *plan);
    size_t (*plan_bytes)(const nn_plan *plan);

    /* Where the caller writes a batch before forward: batch x channels x height x width (NCHW). */
    void *(*input)(nn_plan *plan);

    /* Brings the weights (and, for evaluation, running statistics) of a block into the plan. To be
     * called after every change of the block and before forward. */
    pba_status (*load)(nn_plan *plan, const void *block);

    /* Draws for the random nodes of a training plan, for every forward and backward until the next
     * call; a fresh plan has those of an nn_draw of zeros. Nothing where there is no such node, or
     * in evaluation. */
    void (*draw)(nn_plan *plan, const nn_draw *draw);

    /* Computes the logits, batch x classes, valid until the next forward. A training plan also
     * updates the block's running statistics: r = 0.9 r + 0.1 batch's, variance times N/(N-1). */
    pba_status (*forward)(nn_plan *plan, void *block, const void **logits);

    /* From d loss / d logits (batch x classes) of the last forward to d loss / d trainables, in the
     * block's layout (graph->trainable numbers, padding zero), overwritten. */
    pba_status (*backward)(nn_plan *plan, const void *logit_gradient, void *gradient);
} nn_backend;

extern const nn_backend nn_backend_reference;        /* backends/reference.c */
extern const nn_backend nn_backend_reference_double; /* the same in double, for the tests */
extern const nn_backend nn_backend_onednn;           /* backends/onednn/ */
extern const nn_backend nn_backend_onednn_bf16;

/* By name; PBA_USAGE where there is none (the message lists them). */
pba_status nn_backend_find(const char *name, const nn_backend **backend);

/* By name and precision: "f32", "bf16" (PBA_USAGE where backend or processor have none) or "auto",
 * which is bf16 where there is one. `chosen`: "f32" or "bf16", never "auto". */
pba_status nn_backend_choose(const char *name, const char *precision, const char **chosen,
                             const nn_backend **backend);

#endif
