/* SPDX-License-Identifier: Apache-2.0
 * The fast backend: oneDNN through its C API (2.6), all of it in this folder. A plan is three lists
 * of steps (load, forward, backward), compiled once: primitives with their arguments bound. The
 * layouts that the convolutions choose are kept from node to node; weights are reordered from the
 * block's plain layout by load() and gradients back by backward(). Must agree with reference.c.
 *
 * Values and their gradients are float32 or bf16; parameters, their gradients, the statistics of
 * batch norm and the fully connected layer are float32 in any case.
 *
 * Batch norm with the ReLU behind it is our own (nn/kernels) and adds the gradient that comes past
 * a residual block; a residual add goes into a direct convolution in front of it. Outputs of norms
 * are not kept for the backward pass but computed again. While a plan is compiled, its status keeps
 * the first failure and later calls do nothing. */
#ifndef NN_BACKENDS_ONEDNN_PLAN_H
#define NN_BACKENDS_ONEDNN_PLAN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/backend.h"
#include "nn/kernels/kernels.h"

enum { ARGS_MAX = 12 };

/* A piece of memory that tensors whose lives do not overlap use one after the other. */
typedef struct buffer {
    struct buffer *next;
    void *data;
    size_t bytes;
    int users;
} buffer;

typedef struct tensor {
    dnnl_memory_t memory; /* NULL: none */
    dnnl_memory_desc_t layout;
    buffer *buffer; /* NULL: the memory is somebody else's */
} tensor;

typedef enum step_kind {
    STEP_PRIMITIVE,
    STEP_CHANNELS,  /* copies `count` channels, from number `from` of source to `to` of target */
    STEP_SUBSAMPLE, /* copies every stride-th pixel from `from` on; back: to there */
    STEP_NORM,      /* target = norm of source; back: its gradient from `other`, plus `more` */
    STEP_BLEND      /* target = source times a factor per image, plus other times another */
} step_kind;

typedef struct step {
    struct step *next;
    step_kind kind;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[ARGS_MAX];
    int arg_count;
    tensor source, other, more, target;
    struct norm_state *norm;
    bool again; /* norm: by the statistics that are there */
    int from, to, count;
    bool keep; /* what is not copied to stays as it is; otherwise it becomes 0 */
    int stride;
    bool back;
    const nn_factors *factors; /* per image; of the pass that `back` says */
    int side;                  /* the factor of source */
} step;

typedef struct steps {
    step *first, *last;
} steps;

/* A memory whose data lies in the block or the gradient, bound anew by every load or backward. */
typedef struct outside {
    struct outside *next;
    dnnl_memory_t memory;
    size_t offset; /* in floats */
} outside;

typedef struct owned {
    struct owned *next;
    dnnl_memory_t memory;
    bool scratch; /* its data is the plan's scratch */
} owned;

typedef struct node_plan {
    tensor value, gradient;
    dnnl_primitive_desc_t forward; /* hint of the backward primitives; NULL */
    struct norm_state *norm;       /* norm.c */
    nn_factors *factors;           /* random node: per image */
    bool winograd;                 /* convolution: forward and backward */
    int readers;                   /* uses of the value that are not yet compiled */
    int fused_into;                /* convolution: the add that it computes too; NN_NONE */
    bool asked;                    /* the backward pass reads the value */
    bool learns;                   /* something trainable lies in it or before it */
} node_plan;

struct nn_plan {
    const nn_graph *graph;
    int batch;
    int threads;
    const nn_kernels *kernels;
    bool training;
    dnnl_data_type_t type; /* of values, their gradients and the weights that are multiplied */
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    arena *arena;
    node_plan *nodes;
    steps load, forward, backward;
    outside *from_block, *to_gradient;
    owned *memories;
    buffer *buffers;
    void *scratch;
    size_t scratch_bytes, bytes;
    tensor image;                  /* float32, plain, as the caller writes it */
    tensor logits, logit_gradient; /* float32, plain, batch x classes */
    pba_status status;             /* first failure while compiling */
};

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

/* A layout that groups channels in blocks of `block` (1: plain; all of them: channels last):
 * channel c, row y, column x of image n lies at n*image + c/block*group + y*row + x*column +
 * c%block, in numbers of `size` bytes. */
typedef struct walk {
    int64_t block, image, group, row, column;
    size_t size;
} walk;

/* plan.c */
walk onednn_walk_of(const dnnl_memory_desc_t *layout);
bool onednn_walkable(const dnnl_memory_desc_t *layout);
/* Whether a team of so many threads is to be had, which training needs: with fewer, kernels that
 * wait for each other would do so for ever. PBA_USAGE. */
pba_status onednn_team_check(int threads);
/* Calls work(context, part, parts) for every part, each on a thread of OpenMP. */
void onednn_parallel(int parts, void (*work)(void *context, int part, int parts), void *context);
/* Notes a failed call of oneDNN; whether all is well so far. */
bool onednn_good(nn_plan *plan, dnnl_status_t code, const char *what);
void onednn_tensor_release(tensor *tensor);
/* A fresh tensor with a buffer that is its own until it is released. */
tensor onednn_tensor_new(nn_plan *plan, const dnnl_memory_desc_t *layout);
/* Plain layout, float32. */
dnnl_memory_desc_t onednn_plain(int dims, const dnnl_dims_t sizes);
/* The primitive's choice of a layout. */
dnnl_memory_desc_t onednn_any(int dims, const dnnl_dims_t sizes, dnnl_data_type_t type);
/* The output of a node in the primitive's choice. */
dnnl_memory_desc_t onednn_shaped(const nn_plan *plan, int node);
dnnl_memory_desc_t onednn_wanted(dnnl_primitive_desc_t desc, dnnl_query_t what);
dnnl_prop_kind_t onednn_direction(const nn_plan *plan);
const tensor *onednn_input_of(const nn_plan *plan, int number);
step *onednn_step_append(nn_plan *plan, steps *list, step_kind kind);
dnnl_primitive_attr_t onednn_attributes(nn_plan *plan);
/* A primitive descriptor with the plan's scratchpad; NULL after a failure. */
dnnl_primitive_desc_t onednn_described(nn_plan *plan, const void *operation,
                                       dnnl_primitive_desc_t hint, const char *what);
/* Appends a primitive with its arguments and scratchpad; the descriptor stays the caller's. */
void onednn_run_step(nn_plan *plan, steps *list, dnnl_primitive_desc_t desc,
                     const dnnl_exec_arg_t *args, int count);
void onednn_reorder_step(nn_plan *plan, steps *list, const tensor *from, const tensor *to);
/* The tensor itself, or a copy where layout or type differ; to be released either way. */
tensor onednn_tensor_as(nn_plan *plan, steps *list, const tensor *source,
                        const dnnl_memory_desc_t *layout);
/* out = a + b; out NULL: a fresh tensor. out may be a or b. */
tensor onednn_add_step(nn_plan *plan, steps *list, const tensor *a, const tensor *b,
                       const tensor *out);
/* Takes over `more`, buffer included, as a part of the gradient of a node. */
void onednn_give(nn_plan *plan, int number, tensor more);
/* A tensor over a parameter in the block, or over its place in the gradient: plain layout, shown
 * with `dims` dimensions. */
tensor onednn_parameter(nn_plan *plan, int number, bool gradient, int dims);
/* A weight in the layout that a primitive wants, brought there by load(). */
tensor onednn_weight_in(nn_plan *plan, int number, const dnnl_memory_desc_t *layout);
/* Where a primitive writes a weight's gradient; finish_gradient brings it to `target`, plain. */
tensor onednn_gradient_out(nn_plan *plan, int number, const dnnl_memory_desc_t *layout,
                           tensor *target);
void onednn_finish_gradient(nn_plan *plan, tensor *written, const tensor *target);

/* convolution.c */
/* Computes `number` into the value of node `target`: itself, or the add that takes its output and
 * the shortcut. */
void onednn_conv_forward(nn_plan *plan, int number, int target, const tensor *shortcut);
void onednn_conv_backward_weights(nn_plan *plan, int number, const tensor *gradient);
tensor onednn_conv_backward_data(nn_plan *plan, int number, const tensor *gradient);

/* norm.c */
void onednn_norm_forward(nn_plan *plan, int number);
/* Gives the input of the norm its gradient. */
void onednn_norm_backward(nn_plan *plan, int number, const tensor *gradient);
/* The value of a node for the backward pass. That of a norm is not kept, but computed again. */
const tensor *onednn_value_again(nn_plan *plan, int number);
void onednn_norm(const nn_plan *plan, const step *step);
void onednn_norm_update(const nn_plan *plan, int number, float *block);

/* layers.c */
void onednn_pool_forward(nn_plan *plan, int number, const dnnl_dims_t kernel);
tensor onednn_pool_backward(nn_plan *plan, int number, const tensor *gradient,
                            const dnnl_dims_t kernel);
void onednn_relu_forward(nn_plan *plan, int number);
tensor onednn_relu_backward(nn_plan *plan, int number, const tensor *gradient);
void onednn_linear_forward(nn_plan *plan, int number);
void onednn_linear_backward_weights(nn_plan *plan, int number, const tensor *gradient);
tensor onednn_linear_backward_data(nn_plan *plan, int number, const tensor *gradient);

/* channels.c */
/* Steps, run. */
void onednn_copy_channels(const step *step);
void onednn_pad_forward(nn_plan *plan, int number);
tensor onednn_pad_backward(nn_plan *plan, int number, const tensor *gradient);
void onednn_concat_forward(nn_plan *plan, int number);
void onednn_concat_backward(nn_plan *plan, const nn_node *node, const tensor *gradient);
void onednn_subsample(const step *step);
void onednn_subsample_forward(nn_plan *plan, int number);
tensor onednn_subsample_backward(nn_plan *plan, int number, const tensor *gradient);
void onednn_blend(const step *step);
void onednn_random_forward(nn_plan *plan, int number);
void onednn_random_backward(nn_plan *plan, int number, const tensor *gradient);
/* NULL: what evaluation takes. */
void onednn_fill_factors(nn_plan *plan, const nn_draw *draw);

#endif
