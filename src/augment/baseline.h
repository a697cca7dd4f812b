/* SPDX-License-Identifier: Apache-2.0
 * The baseline augmentation of a data set: what every image gets behind the policy. */
#ifndef AUGMENT_BASELINE_H
#define AUGMENT_BASELINE_H

#include "augment/op.h"

typedef struct augment_baseline {
    int crop; /* pixels of padding on each side before a random crop back to size; 0: none */
    const augment_op *flip; /* NULL: none */
    const augment_op *cut;  /* NULL: none */
    int cutout;             /* side of the square that `cut` removes */
} augment_baseline;

/* "none" (or NULL, or ""), or a list of crop:P, flip, cutout:S, each at most once and in any order.
 * PBA_USAGE for anything else; P up to the shorter side, S up to twice the longer one. */
pba_status augment_baseline_parse(const char *text, int width, int height,
                                  augment_baseline *baseline);

/* Crop, flip with probability 1/2, cutout, in this order. */
void augment_baseline_apply(const augment_baseline *baseline, augment_frame *frame,
                            augment_context *context);

/* The same draws, for the kernel that does all of it in one pass with the normalization. */
augment_tail augment_baseline_draw(const augment_baseline *baseline, int width, int height,
                                   rng *rng);

#endif
