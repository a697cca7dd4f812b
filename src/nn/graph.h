/* SPDX-License-Identifier: Apache-2.0
 * A network described once: nodes in execution order, and the tensors of its flat block. The graph
 * knows no backend; a backend compiles it into a plan (backend.h), the backward pass follows from
 * the nodes.
 *
 * A member's whole state is one block of floats in plain layout:
 *     trainables | momentum | running statistics
 * Each tensor starts on a 64-byte boundary (16 floats) and the padding is always zero, so that
 * clipping, decay, the step and memcpy are single passes. */
#ifndef NN_GRAPH_H
#define NN_GRAPH_H

#include "core/memory.h"
#include "core/status.h"

typedef enum nn_kind {
    NN_INPUT,
    NN_CONV, /* kernel x kernel, no bias, TensorFlow's SAME padding or centred */
    NN_NORM, /* batch normalization, decay 0.9, epsilon 1e-5; `relu`: ReLU behind it */
    NN_RELU,
    NN_ADD,       /* inputs[0] + inputs[1], same shape */
    NN_POOL,      /* average over kernel x kernel, stride = kernel, no padding, remainder dropped */
    NN_PAD,       /* zero channels: `before` in front, the rest behind */
    NN_MEAN,      /* mean over height and width: channels x 1 x 1 */
    NN_LINEAR,    /* fully connected with bias: classes x 1 x 1 */
    NN_SUBSAMPLE, /* output (y, x) is input (y*stride + shift, x*stride + shift), 0 outside it */
    NN_CONCAT,    /* the channels of inputs[0], then those of inputs[1] */
    NN_MIX,       /* Shake-Shake: a * inputs[0] + b * inputs[1], a + b = 1, drawn per image */
    NN_SCALE      /* ShakeDrop: inputs[0] times a number drawn per image (draw.h, both) */
} nn_kind;

typedef struct nn_shape {
    int channels, height, width;
} nn_shape;

enum { NN_NONE = -1 };

typedef struct nn_node {
    nn_kind kind;
    int inputs[2];  /* node numbers, lower than this node's; NN_NONE */
    nn_shape shape; /* of the output, per image */
    int kernel, stride;
    int pad_before, pad_after; /* conv: zeros above and below */
    int pad_left, pad_right; /* conv: zeros left and right; differ from those where the sides do */
    int before;              /* pad: zero channels in front */
    int shift;               /* subsample */
    double keep;             /* scale: probability that an image passes unchanged */
    bool relu;               /* norm */
    /* Numbers of tensors; NN_NONE. conv: weight. linear: weight, bias.
     * norm: scale, shift, running mean, running variance. */
    int tensors[4];
} nn_node;

typedef enum nn_role { NN_TRAINABLE, NN_RUNNING } nn_role;
typedef enum nn_init { NN_INIT_CONV, NN_INIT_LINEAR, NN_INIT_ZERO, NN_INIT_ONE } nn_init;

typedef struct nn_tensor {
    char *name; /* PyTorch's manner: "stage1.block0.conv1.weight" */
    int dims;   /* conv weight: out, in, kernel, kernel (OIHW); linear: out, in; others: channels */
    int shape[4];
    nn_role role;
    nn_init init;
    size_t
        offset; /* in floats: from the block's start (trainable), from its running part (running) */
    size_t count; /* floats, padding not counted */
} nn_tensor;

typedef struct nn_graph {
    arena *arena;
    nn_node *nodes;
    int node_count;
    nn_tensor *tensors;
    int tensor_count;
    int classes;
    /* In floats, padding included. Momentum starts at `trainable`, running at 2 * trainable. */
    size_t trainable, running, block;
    int64_t parameters; /* trainable, padding not counted */
    pba_status status;  /* first failure of a builder call; later calls do nothing */
} nn_graph;

/* Building. A function that adds a node returns its number; after a failure (graph->status, message
 * set) it returns 0, so that a model is written without a check per line. `name` is the stem of the
 * tensors' names, copied. */
pba_status nn_graph_create(int width, int height, int channels, int classes, nn_graph **graph);
void nn_graph_free(nn_graph *graph);
int nn_input(nn_graph *graph); /* node 0 */
int nn_conv(nn_graph *graph, const char *name, int input, int out, int kernel, int stride);
/* The same size of output with (kernel-1)/2 zeros above and left, as PyTorch's padding = kernel/2:
 * at a stride of 2 and an even size the window then lies one pixel further up and left. */
int nn_conv_centred(nn_graph *graph, const char *name, int input, int out, int kernel, int stride);
int nn_norm(nn_graph *graph, const char *name, int input, bool relu);
int nn_relu(nn_graph *graph, int input);
int nn_add(nn_graph *graph, int a, int b);
int nn_pool(nn_graph *graph, int input, int kernel);
int nn_pad(nn_graph *graph, int input, int before, int after);
int nn_subsample(nn_graph *graph, int input, int stride, int shift);
int nn_concat(nn_graph *graph, int a, int b);
int nn_mix(nn_graph *graph, int a, int b);
int nn_scale(nn_graph *graph, int input, double keep);
int nn_mean(nn_graph *graph, int input);
int nn_linear(nn_graph *graph, const char *name, int input, int out);
const char *nn_label(nn_graph *graph, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* text in the graph's arena */

double nn_forward_macs(const nn_graph *graph);  /* of one image, convolutions and linear */
double nn_training_macs(const nn_graph *graph); /* the same, forward and backward */

/* Fresh weights, zero momentum, running mean 0 and variance 1. Convolution: normal, standard
 * deviation sqrt(2 / (k*k*out)); linear: uniform +-1/sqrt(classes), bias 0 (facts: the reference).
 */
void nn_initialize(const nn_graph *graph, float *block, uint64_t seed, uint32_t member);

#endif
