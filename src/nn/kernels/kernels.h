/* SPDX-License-Identifier: Apache-2.0
 * Passes over activations that are bound by memory, behind a table chosen by instruction set.
 * norm.c holds them in plain C and is compiled once per set.
 *
 * A panel is `rows` rows of `width` channels, one behind the other: an image with channels last, or
 * one block of channels of an image. Numbers are float32, or bf16 where `bf16` says so. Vectors
 * hold one float per channel and may be read up to NN_VECTOR floats from each channel on. */
#ifndef NN_KERNELS_H
#define NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { NN_VECTOR = 16 };

typedef struct nn_panel {
    size_t rows, width;
    bool bf16;
} nn_panel;

/* Batch norm is y = (x - mean) * scale + shift with scale = gamma / deviation, and 0 below 0 where
 * there is a ReLU behind it. Its gradient is
 *     dx = scale * dy - (x - mean) * slope - offset
 * where dy counts as 0 at every place at which the ReLU did. */
typedef struct nn_norm_terms {
    const float *mean, *scale, *shift, *slope, *offset;
    bool relu;
} nn_norm_terms;

typedef struct nn_kernels {
    const char *name;
    /* Adds the sums over the rows of x - mean and of its square to a number per channel. `mean` may
     * be any vector near the channels' means: it keeps the sums short. */
    void (*sums)(nn_panel panel, const void *x, const float *mean, double *sum, double *square);
    /* y may be x. */
    void (*norm)(nn_panel panel, const void *x, const nn_norm_terms *norm, void *y);
    /* Adds the sums of dy and of dy * (x - mean). */
    void (*gradient_sums)(nn_panel panel, const void *x, const void *dy, const nn_norm_terms *norm,
                          double *sum, double *product);
    /* dx, plus `more` unless that is NULL. dx may be dy or `more`. */
    void (*gradient)(nn_panel panel, const void *x, const void *dy, const nn_norm_terms *norm,
                     const void *more, void *dx);
} nn_kernels;

/* The sets that this processor has, the best first; NULL behind the last. There is always one. */
const nn_kernels *nn_kernels_at(size_t index);

#endif
