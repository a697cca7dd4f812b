/* SPDX-License-Identifier: Apache-2.0
 * Loss, learning rate and step: what happens between a plan's logits and the block. */
#ifndef NN_OPTIMIZER_H
#define NN_OPTIMIZER_H

#include "nn/graph.h"

/* Mean cross-entropy of `count` rows of logits (count x classes). gradient: d mean loss / d logits,
 * or NULL. correct: how many rows have their largest logit (the first of equals) at the label.
 * Returns the loss; NaN and infinity come through. */
double nn_cross_entropy(const float *logits, const int *labels, int count, int classes,
                        float *gradient, int *correct);

/* Read before every step, so that any of it may change mid-run. */
typedef struct nn_step {
    double lr, momentum, weight_decay, clip; /* clip: largest global norm; 0: none */
} nn_step;

/* Nesterov SGD as in facts: g += decay * w; g scaled to norm <= clip; a = momentum a + g;
 * w -= lr (g + momentum a). `gradient` is changed. Returns the norm before clipping. */
double nn_optimize(const nn_graph *graph, float *block, float *gradient, const nn_step *step);

/* Learning-rate schedules: "cosine": 0.5 lr (1 + cos(pi t/T)), t = epoch * steps + step with step
 * counted from 1, T = epochs * steps. "step:80,120": lr x 0.1 from epoch 80 (0-based), x 0.01 from
 * epoch 120. "constant". */
typedef struct nn_rate {
    enum { NN_RATE_COSINE, NN_RATE_STEP, NN_RATE_CONSTANT } kind;
    int marks[8], mark_count;
} nn_rate;

/* PBA_USAGE where the text is none of these. */
pba_status nn_rate_parse(const char *text, nn_rate *rate);

/* The rate of step 0..steps-1 of an epoch 0..epochs-1. */
double nn_rate_at(const nn_rate *rate, double lr, int epoch, int epochs, int step, int steps);

#endif
