/* SPDX-License-Identifier: Apache-2.0
 * Families of networks by name. A model is a file in models/ that ends with its row. */
#ifndef NN_MODEL_H
#define NN_MODEL_H

#include "nn/graph.h"

typedef struct nn_model {
    const char *pattern, *sentence, *example; /* "wrn-D-K[:standard]", ..., "wrn-16-1" */
    /* Adds the whole network behind node 0. PBA_NOT_FOUND: the name is not of this family (no
     * message needed). PBA_USAGE: it is, but its numbers or the image size do not fit. */
    pba_status (*build)(const char *name, nn_graph *graph);
} nn_model;

extern const nn_model nn_wide_resnet; /* models/wide_resnet.c */
extern const nn_model nn_shake_shake; /* models/shake_shake.c */
extern const nn_model nn_pyramid_net; /* models/pyramid_net.c */
extern const nn_model nn_resnet_v2;   /* models/resnet_v2.c */

/* For names: digits without leading zeros, 1..INT_MAX; the text behind them, or NULL. */
const char *nn_model_number(const char *text, int *number);

/* The finished graph; PBA_USAGE for an unknown name (the message lists the patterns). */
pba_status nn_model_build(const char *name, int width, int height, int channels, int classes,
                          nn_graph **graph);

#endif
