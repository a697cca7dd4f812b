/* SPDX-License-Identifier: Apache-2.0
 * The fast backend: oneDNN through its C API (2.6), all of it in this file. A plan is three lists
 * of steps (load, forward, backward), compiled once: primitives with their arguments bound. The
 * layouts that the convolutions choose are kept from node to node; weights are reordered from the
 * block's plain layout by load() and gradients back by backward(). Must agree with reference.c.
 *
 * Fused: ReLU into batch norm (both ways), a residual add into the convolution in front of it. */
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#include "nn/backend.h"

enum { ARGS_MAX = 12 };
static const float NORM_EPSILON = 1e-5F;
static const float NORM_DECAY = 0.9F;

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
    STEP_BLEND      /* target = source times a factor per image, plus other times another */
} step_kind;

typedef struct step {
    struct step *next;
    step_kind kind;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[ARGS_MAX];
    int arg_count;
    tensor source, other, target;
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
    dnnl_primitive_desc_t forward;    /* hint of the backward primitives; NULL */
    tensor mean, variance, workspace; /* norm: statistics of the batch, which outputs were cut */
    nn_factors *factors;              /* random node: per image */
    int readers;                      /* uses of the value that are not yet compiled */
    int fused_into;                   /* convolution: the add that it computes too; NN_NONE */
    bool learns;                      /* something trainable lies in it or before it */
} node_plan;

struct nn_plan {
    const nn_graph *graph;
    int batch;
    bool training;
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
    tensor logits, logit_gradient; /* plain, batch x classes */
    pba_status status;             /* first failure while compiling */
};

/* ------------------------------------------------------------------ plumbing */

static bool good(nn_plan *plan, dnnl_status_t code, const char *what)
{
    if (plan->status == PBA_OK && code != dnnl_success) {
        plan->status = status_set(code == dnnl_out_of_memory ? PBA_MEMORY : PBA_INTERNAL,
                                  "onednn: %s failed with status %d", what, (int)code);
    }
    return plan->status == PBA_OK;
}

static void *plan_new(nn_plan *plan, size_t size)
{
    void *block = arena_new(plan->arena, 1, size);
    if (!block && plan->status == PBA_OK) {
        plan->status = PBA_MEMORY;
    }
    return block;
}

static buffer *buffer_fitting(nn_plan *plan, size_t bytes)
{
    buffer *best = NULL;
    for (buffer *each = plan->buffers; each; each = each->next) {
        if (!each->users && each->bytes >= bytes && (!best || each->bytes < best->bytes)) {
            best = each;
        }
    }
    return best;
}

static buffer *buffer_make(nn_plan *plan, size_t bytes)
{
    buffer *fresh = plan_new(plan, sizeof *fresh);
    void *data = fresh ? memory_aligned(bytes, 1) : NULL;
    if (!data) {
        plan->status = PBA_MEMORY;
        return NULL;
    }
    *fresh = (buffer){.next = plan->buffers, .data = data, .bytes = bytes};
    plan->buffers = fresh;
    plan->bytes += bytes;
    return fresh;
}

/* `fixed`: a buffer that nobody had before, since it is written outside the order of the steps. */
static buffer *buffer_take(nn_plan *plan, size_t bytes, bool fixed)
{
    buffer *found = fixed ? NULL : buffer_fitting(plan, bytes);
    found = found ? found : buffer_make(plan, bytes);
    if (found) {
        found->users++;
    }
    return found;
}

static void tensor_release(tensor *tensor)
{
    if (tensor->buffer) {
        tensor->buffer->users--;
        tensor->buffer = NULL;
    }
}

static dnnl_memory_t memory_at(nn_plan *plan, const dnnl_memory_desc_t *layout, void *data,
                               bool scratch)
{
    owned *entry = plan_new(plan, sizeof *entry);
    if (!entry || !good(plan, dnnl_memory_create(&entry->memory, layout, plan->engine, data),
                        "creating a memory")) {
        return NULL;
    }
    entry->scratch = scratch;
    entry->next = plan->memories;
    plan->memories = entry;
    return entry->memory;
}

static tensor tensor_make(nn_plan *plan, const dnnl_memory_desc_t *layout, bool fixed)
{
    tensor fresh = {.layout = *layout};
    if (plan->status == PBA_OK) {
        fresh.buffer = buffer_take(plan, dnnl_memory_desc_get_size(layout), fixed);
    }
    if (fresh.buffer) {
        fresh.memory = memory_at(plan, layout, fresh.buffer->data, false);
    }
    return fresh;
}

/* A fresh tensor with a buffer that is its own until tensor_release. */
static tensor tensor_new(nn_plan *plan, const dnnl_memory_desc_t *layout)
{
    return tensor_make(plan, layout, false);
}

static dnnl_memory_desc_t plain(int dims, const dnnl_dims_t sizes)
{
    static const dnnl_format_tag_t tags[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc,
                                             dnnl_abcd};
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, dims, sizes, dnnl_f32, tags[dims]);
    return layout;
}

static dnnl_memory_desc_t any(int dims, const dnnl_dims_t sizes)
{
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, dims, sizes, dnnl_f32, dnnl_format_tag_any);
    return layout;
}

/* The output of a node: plain, or the primitive's choice. */
static dnnl_memory_desc_t shaped(const nn_plan *plan, int node, bool choice)
{
    const nn_shape *shape = &plan->graph->nodes[node].shape;
    dnnl_dims_t sizes = {plan->batch, shape->channels, shape->height, shape->width};
    return choice ? any(4, sizes) : plain(4, sizes);
}

static dnnl_memory_desc_t wanted(dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return *dnnl_primitive_desc_query_md(desc, what, 0);
}

static dnnl_prop_kind_t direction(const nn_plan *plan)
{
    return plan->training ? dnnl_forward_training : dnnl_forward_inference;
}

static const tensor *input_of(const nn_plan *plan, int number)
{
    return &plan->nodes[plan->graph->nodes[number].inputs[0]].value;
}

/* ------------------------------------------------------------------ steps */

static step *step_append(nn_plan *plan, steps *list, step_kind kind)
{
    step *fresh = plan_new(plan, sizeof *fresh);
    if (!fresh) {
        return NULL;
    }
    fresh->kind = kind;
    if (list->last) {
        list->last->next = fresh;
    } else {
        list->first = fresh;
    }
    list->last = fresh;
    return fresh;
}

static dnnl_primitive_attr_t attributes(nn_plan *plan)
{
    dnnl_primitive_attr_t attr = NULL;
    if (good(plan, dnnl_primitive_attr_create(&attr), "creating attributes")) {
        good(plan, dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
             "choosing the scratchpad");
    }
    return attr;
}

/* A primitive descriptor with the plan's scratchpad; NULL after a failure. */
static dnnl_primitive_desc_t described(nn_plan *plan, const void *operation,
                                       dnnl_primitive_desc_t hint, const char *what)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = plan->status == PBA_OK ? attributes(plan) : NULL;
    if (attr) {
        good(plan, dnnl_primitive_desc_create(&desc, operation, attr, plan->engine, hint), what);
        dnnl_primitive_attr_destroy(attr);
    }
    return desc;
}

/* Appends a primitive with its arguments and scratchpad; the descriptor stays the caller's. */
static void run_step(nn_plan *plan, steps *list, dnnl_primitive_desc_t desc,
                     const dnnl_exec_arg_t *args, int count)
{
    step *fresh = plan->status == PBA_OK ? step_append(plan, list, STEP_PRIMITIVE) : NULL;
    if (!fresh ||
        !good(plan, dnnl_primitive_create(&fresh->primitive, desc), "creating a primitive")) {
        return;
    }
    memcpy(fresh->args, args, (size_t)count * sizeof *args);
    fresh->arg_count = count;
    dnnl_memory_desc_t scratch = wanted(desc, dnnl_query_scratchpad_md);
    size_t bytes = dnnl_memory_desc_get_size(&scratch);
    if (bytes) {
        dnnl_memory_t memory = memory_at(plan, &scratch, DNNL_MEMORY_NONE, true);
        fresh->args[fresh->arg_count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, memory};
        plan->scratch_bytes = bytes > plan->scratch_bytes ? bytes : plan->scratch_bytes;
    }
}

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

static void reorder_step(nn_plan *plan, steps *list, const tensor *from, const tensor *to)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = plan->status == PBA_OK ? attributes(plan) : NULL;
    if (attr && good(plan,
                     dnnl_reorder_primitive_desc_create(&desc, &from->layout, plan->engine,
                                                        &to->layout, plan->engine, attr),
                     "describing a reorder")) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from->memory}, {DNNL_ARG_TO, to->memory}};
        run_step(plan, list, desc, args, COUNT(args));
        dnnl_primitive_desc_destroy(desc);
    }
    dnnl_primitive_attr_destroy(attr);
}

/* The tensor itself, or a reordered copy where the layout differs; to be released either way. */
static tensor tensor_as(nn_plan *plan, steps *list, const tensor *source,
                        const dnnl_memory_desc_t *layout)
{
    if (plan->status != PBA_OK || dnnl_memory_desc_equal(&source->layout, layout)) {
        if (source->buffer) {
            source->buffer->users++;
        }
        return *source;
    }
    tensor copy = tensor_new(plan, layout);
    reorder_step(plan, list, source, &copy);
    return copy;
}

/* out = a + b; out NULL: a fresh tensor. out may be a or b. */
static tensor add_step(nn_plan *plan, steps *list, const tensor *a, const tensor *b,
                       const tensor *out)
{
    tensor target = out ? *out : tensor_new(plan, &a->layout);
    tensor second = tensor_as(plan, list, b, &a->layout);
    dnnl_binary_desc_t operation;
    if (plan->status == PBA_OK &&
        good(plan,
             dnnl_binary_desc_init(&operation, dnnl_binary_add, &a->layout, &second.layout,
                                   &target.layout),
             "describing an add")) {
        dnnl_primitive_desc_t desc = described(plan, &operation, NULL, "an add");
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC_0, a->memory},
                                  {DNNL_ARG_SRC_1, second.memory},
                                  {DNNL_ARG_DST, target.memory}};
        run_step(plan, list, desc, args, COUNT(args));
        dnnl_primitive_desc_destroy(desc);
    }
    tensor_release(&second);
    return target;
}

/* Takes over `more`, buffer included, as a part of the gradient of a node. Where two parts meet
 * they are added in place, but never in a buffer that others read too (an add hands one to both
 * inputs). */
static void give(nn_plan *plan, int number, tensor more)
{
    tensor *gradient = &plan->nodes[number].gradient;
    if (plan->status != PBA_OK || !plan->nodes[number].learns) {
        tensor_release(&more);
        return;
    }
    if (!gradient->memory) {
        *gradient = more;
        return;
    }
    tensor *free_one = more.buffer->users == 1        ? &more
                       : gradient->buffer->users == 1 ? gradient
                                                      : NULL;
    tensor sum = add_step(plan, &plan->backward, gradient, &more, free_one);
    if (free_one != &more) {
        tensor_release(&more);
    }
    if (free_one != gradient) {
        tensor_release(gradient);
    }
    *gradient = sum;
}

/* ------------------------------------------------------------------ parameters */

/* A tensor over a parameter in the block, or over its place in the gradient: plain layout, shown
 * with `dims` dimensions. */
static tensor parameter(nn_plan *plan, int number, bool gradient, int dims)
{
    const nn_tensor *each = &plan->graph->tensors[number];
    dnnl_dims_t sizes = {1, 1, 1, 1};
    for (int i = 0; i < each->dims; i++) {
        sizes[i] = each->shape[i];
    }
    tensor result = {.layout = plain(dims, sizes)};
    outside *entry = plan_new(plan, sizeof *entry);
    if (!entry) {
        return result;
    }
    result.memory = memory_at(plan, &result.layout, DNNL_MEMORY_NONE, false);
    outside **list = gradient ? &plan->to_gradient : &plan->from_block;
    size_t start = each->role == NN_RUNNING ? 2 * plan->graph->trainable : 0;
    *entry = (outside){*list, result.memory, start + each->offset};
    *list = entry;
    return result;
}

/* A weight in the layout that a primitive wants, brought there by load(). */
static tensor weight_in(nn_plan *plan, int number, const dnnl_memory_desc_t *layout)
{
    tensor source = parameter(plan, number, false, layout->ndims);
    if (plan->status != PBA_OK || dnnl_memory_desc_equal(&source.layout, layout)) {
        return source;
    }
    tensor copy = tensor_make(plan, layout, true);
    reorder_step(plan, &plan->load, &source, &copy);
    return copy;
}

/* Where a primitive writes a weight's gradient; finish_gradient brings it to `target`, plain. */
static tensor gradient_out(nn_plan *plan, int number, const dnnl_memory_desc_t *layout,
                           tensor *target)
{
    *target = parameter(plan, number, true, layout->ndims);
    return dnnl_memory_desc_equal(&target->layout, layout) ? *target : tensor_new(plan, layout);
}

static void finish_gradient(nn_plan *plan, tensor *written, const tensor *target)
{
    if (plan->status == PBA_OK && written->memory != target->memory) {
        reorder_step(plan, &plan->backward, written, target);
    }
    tensor_release(written);
}

/* ------------------------------------------------------------------ convolution */

typedef struct geometry {
    dnnl_dims_t strides, before, after, weights;
} geometry;

static geometry conv_geometry(const nn_plan *plan, const nn_node *node)
{
    int in = plan->graph->nodes[node->inputs[0]].shape.channels;
    return (geometry){.strides = {node->stride, node->stride},
                      .before = {node->pad_before, node->pad_left},
                      .after = {node->pad_after, node->pad_right},
                      .weights = {node->shape.channels, in, node->kernel, node->kernel}};
}

static dnnl_primitive_desc_t conv_described(nn_plan *plan, int number, const tensor *shortcut)
{
    const nn_node *node = &plan->graph->nodes[number];
    geometry shape = conv_geometry(plan, node);
    /* The image stays plain; everything behind it is the convolution's choice. */
    bool choice = plan->graph->nodes[node->inputs[0]].kind != NN_INPUT;
    dnnl_memory_desc_t source = shaped(plan, node->inputs[0], choice);
    dnnl_memory_desc_t weights = any(4, shape.weights);
    dnnl_memory_desc_t target = shortcut ? shortcut->layout : shaped(plan, number, true);
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = attributes(plan);
    dnnl_post_ops_t post = NULL;
    if (shortcut && good(plan, dnnl_post_ops_create(&post), "creating post-ops")) {
        good(plan, dnnl_post_ops_append_binary(post, dnnl_binary_add, &shortcut->layout),
             "appending an add");
        dnnl_primitive_attr_set_post_ops(attr, post);
    }
    if (good(plan,
             dnnl_convolution_forward_desc_init(&operation, direction(plan),
                                                dnnl_convolution_direct, &source, &weights, NULL,
                                                &target, shape.strides, shape.before, shape.after),
             "describing a convolution")) {
        good(plan, dnnl_primitive_desc_create(&desc, &operation, attr, plan->engine, NULL),
             "a convolution");
    }
    dnnl_post_ops_destroy(post);
    dnnl_primitive_attr_destroy(attr);
    return desc;
}

/* Whether oneDNN has nothing but its plain loops for it. */
static bool is_slow(dnnl_primitive_desc_t desc)
{
    const char *name = NULL;
    return dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, (void *)&name) ==
               dnnl_success &&
           strncmp(name, "ref", strlen("ref")) == 0;
}

/* Computes `number` into the value of node `target`: itself, or the add that takes its output and
 * the shortcut. Evaluation of 1x1 convolutions knows no fused add (2.6): it then follows, in place.
 */
static void conv_forward(nn_plan *plan, int number, int target, const tensor *shortcut)
{
    node_plan *self = &plan->nodes[number];
    const tensor *fused = shortcut;
    self->forward = conv_described(plan, number, fused);
    if (plan->status == PBA_OK && fused && is_slow(self->forward)) {
        dnnl_primitive_desc_destroy(self->forward);
        fused = NULL;
        self->forward = conv_described(plan, number, NULL);
    }
    if (plan->status != PBA_OK) {
        return;
    }
    dnnl_memory_desc_t source = wanted(self->forward, dnnl_query_src_md);
    dnnl_memory_desc_t weights = wanted(self->forward, dnnl_query_weights_md);
    dnnl_memory_desc_t out = wanted(self->forward, dnnl_query_dst_md);
    tensor input = tensor_as(plan, &plan->forward, input_of(plan, number), &source);
    tensor weight = weight_in(plan, plan->graph->nodes[number].tensors[0], &weights);
    tensor value = tensor_new(plan, &out);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input.memory},
        {DNNL_ARG_WEIGHTS, weight.memory},
        {DNNL_ARG_DST, value.memory},
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, fused ? fused->memory : NULL}};
    run_step(plan, &plan->forward, self->forward, args, fused ? 4 : 3);
    if (shortcut && !fused) {
        add_step(plan, &plan->forward, &value, shortcut, &value);
    }
    tensor_release(&input);
    self->value.layout = value.layout; /* the gradient's, even where the value is the add's */
    plan->nodes[target].value = value;
}

static void conv_backward_weights(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    geometry shape = conv_geometry(plan, node);
    const tensor *input = input_of(plan, number);
    dnnl_memory_desc_t weights = any(4, shape.weights);
    dnnl_convolution_desc_t operation;
    if (!good(plan,
              dnnl_convolution_backward_weights_desc_init(
                  &operation, dnnl_convolution_direct, &input->layout, &weights, NULL,
                  &gradient->layout, shape.strides, shape.before, shape.after),
              "describing a convolution's weight gradient")) {
        return;
    }
    dnnl_primitive_desc_t desc =
        described(plan, &operation, plan->nodes[number].forward, "a convolution's weight gradient");
    if (desc) {
        dnnl_memory_desc_t layout = wanted(desc, dnnl_query_diff_weights_md);
        tensor target, written = gradient_out(plan, node->tensors[0], &layout, &target);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                                  {DNNL_ARG_DIFF_DST, gradient->memory},
                                  {DNNL_ARG_DIFF_WEIGHTS, written.memory}};
        run_step(plan, &plan->backward, desc, args, COUNT(args));
        finish_gradient(plan, &written, &target);
    }
    dnnl_primitive_desc_destroy(desc);
}

static tensor conv_backward_data(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    geometry shape = conv_geometry(plan, node);
    const dnnl_memory_desc_t *source = &input_of(plan, number)->layout;
    dnnl_memory_desc_t weights = any(4, shape.weights);
    dnnl_convolution_desc_t operation;
    tensor result = {0};
    if (!good(plan,
              dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, source,
                                                       &weights, &gradient->layout, shape.strides,
                                                       shape.before, shape.after),
              "describing a convolution's data gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        described(plan, &operation, plan->nodes[number].forward, "a convolution's data gradient");
    if (desc) {
        dnnl_memory_desc_t layout = wanted(desc, dnnl_query_weights_md);
        tensor weight = weight_in(plan, node->tensors[0], &layout);
        result = tensor_new(plan, source);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                                  {DNNL_ARG_WEIGHTS, weight.memory},
                                  {DNNL_ARG_DIFF_SRC, result.memory}};
        run_step(plan, &plan->backward, desc, args, COUNT(args));
    }
    dnnl_primitive_desc_destroy(desc);
    return result;
}

/* ------------------------------------------------------------------ batch norm */

static unsigned norm_flags(const nn_plan *plan, const nn_node *node)
{
    return dnnl_use_scale | dnnl_use_shift | (node->relu ? dnnl_fuse_norm_relu : 0U) |
           (plan->training ? 0U : dnnl_use_global_stats);
}

static tensor norm_statistic(nn_plan *plan, const nn_node *node, int which)
{
    if (!plan->training) {
        return parameter(plan, node->tensors[which], false, 1);
    }
    dnnl_dims_t channels = {node->shape.channels};
    dnnl_memory_desc_t layout = plain(1, channels);
    return tensor_new(plan, &layout);
}

static void norm_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    const tensor *input = input_of(plan, number);
    dnnl_batch_normalization_desc_t operation;
    if (!good(plan,
              dnnl_batch_normalization_forward_desc_init(&operation, direction(plan),
                                                         &input->layout, NORM_EPSILON,
                                                         norm_flags(plan, node)),
              "describing a batch norm")) {
        return;
    }
    self->forward = described(plan, &operation, NULL, "a batch norm");
    if (!self->forward) {
        return;
    }
    self->mean = norm_statistic(plan, node, 2);
    self->variance = norm_statistic(plan, node, 3);
    dnnl_memory_desc_t workspace = wanted(self->forward, dnnl_query_workspace_md);
    if (dnnl_memory_desc_get_size(&workspace)) {
        self->workspace = tensor_new(plan, &workspace);
    }
    self->value = tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                              {DNNL_ARG_DST, self->value.memory},
                              {DNNL_ARG_SCALE, parameter(plan, node->tensors[0], false, 1).memory},
                              {DNNL_ARG_SHIFT, parameter(plan, node->tensors[1], false, 1).memory},
                              {DNNL_ARG_MEAN, self->mean.memory},
                              {DNNL_ARG_VARIANCE, self->variance.memory},
                              {DNNL_ARG_WORKSPACE, self->workspace.memory}};
    run_step(plan, &plan->forward, self->forward, args, self->workspace.memory ? 7 : 6);
}

static tensor norm_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    const tensor *input = input_of(plan, number);
    dnnl_batch_normalization_desc_t operation;
    tensor result = {0};
    if (!good(plan,
              dnnl_batch_normalization_backward_desc_init(&operation, dnnl_backward, &input->layout,
                                                          &input->layout, NORM_EPSILON,
                                                          norm_flags(plan, node)),
              "describing a batch norm's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        described(plan, &operation, self->forward, "a batch norm's gradient");
    result = tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input->memory},
        {DNNL_ARG_DIFF_DST, gradient->memory},
        {DNNL_ARG_DIFF_SRC, result.memory},
        {DNNL_ARG_SCALE, parameter(plan, node->tensors[0], false, 1).memory},
        {DNNL_ARG_SHIFT, parameter(plan, node->tensors[1], false, 1).memory}, /* 2.6 counts it */
        {DNNL_ARG_DIFF_SCALE, parameter(plan, node->tensors[0], true, 1).memory},
        {DNNL_ARG_DIFF_SHIFT, parameter(plan, node->tensors[1], true, 1).memory},
        {DNNL_ARG_MEAN, self->mean.memory},
        {DNNL_ARG_VARIANCE, self->variance.memory},
        {DNNL_ARG_WORKSPACE, self->workspace.memory}};
    run_step(plan, &plan->backward, desc, args, self->workspace.memory ? 10 : 9);
    dnnl_primitive_desc_destroy(desc);
    return result;
}

/* r = 0.9 r + 0.1 batch's; the variance is the unbiased one (times N/(N-1)). */
static void norm_update(const nn_plan *plan, int number, float *block)
{
    const nn_node *node = &plan->graph->nodes[number];
    double count = (double)plan->batch * node->shape.height * node->shape.width;
    float unbias = count > 1 ? (float)(count / (count - 1)) : 1.0F;
    float *running = block + 2 * plan->graph->trainable;
    float *mean = running + plan->graph->tensors[node->tensors[2]].offset;
    float *variance = running + plan->graph->tensors[node->tensors[3]].offset;
    const float *batch_mean = plan->nodes[number].mean.buffer->data;
    const float *batch_variance = plan->nodes[number].variance.buffer->data;
    for (int c = 0; c < node->shape.channels; c++) {
        mean[c] = NORM_DECAY * mean[c] + (1 - NORM_DECAY) * batch_mean[c];
        variance[c] = NORM_DECAY * variance[c] + (1 - NORM_DECAY) * (batch_variance[c] * unbias);
    }
}

/* ------------------------------------------------------------------ pooling, relu */

static void pool_forward(nn_plan *plan, int number, const dnnl_dims_t kernel)
{
    static const dnnl_dims_t none = {0, 0};
    node_plan *self = &plan->nodes[number];
    const tensor *input = input_of(plan, number);
    dnnl_memory_desc_t target = shaped(plan, number, true);
    dnnl_pooling_desc_t operation;
    if (!good(plan,
              dnnl_pooling_forward_desc_init(&operation, direction(plan),
                                             dnnl_pooling_avg_exclude_padding, &input->layout,
                                             &target, kernel, kernel, none, none),
              "describing a pooling")) {
        return;
    }
    self->forward = described(plan, &operation, NULL, "a pooling");
    if (self->forward) {
        target = wanted(self->forward, dnnl_query_dst_md);
        self->value = tensor_new(plan, &target);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                                  {DNNL_ARG_DST, self->value.memory}};
        run_step(plan, &plan->forward, self->forward, args, COUNT(args));
    }
}

static tensor pool_backward(nn_plan *plan, int number, const tensor *gradient,
                            const dnnl_dims_t kernel)
{
    static const dnnl_dims_t none = {0, 0};
    const tensor *input = input_of(plan, number);
    dnnl_pooling_desc_t operation;
    tensor result = {0};
    if (!good(plan,
              dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_avg_exclude_padding,
                                              &input->layout, &gradient->layout, kernel, kernel,
                                              none, none),
              "describing a pooling's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        described(plan, &operation, plan->nodes[number].forward, "a pooling's gradient");
    result = tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                              {DNNL_ARG_DIFF_SRC, result.memory}};
    run_step(plan, &plan->backward, desc, args, COUNT(args));
    dnnl_primitive_desc_destroy(desc);
    return result;
}

static void relu_forward(nn_plan *plan, int number)
{
    node_plan *self = &plan->nodes[number];
    const tensor *input = input_of(plan, number);
    dnnl_eltwise_desc_t operation;
    if (!good(plan,
              dnnl_eltwise_forward_desc_init(&operation, direction(plan), dnnl_eltwise_relu,
                                             &input->layout, 0, 0),
              "describing a relu")) {
        return;
    }
    self->forward = described(plan, &operation, NULL, "a relu");
    self->value = tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory}, {DNNL_ARG_DST, self->value.memory}};
    run_step(plan, &plan->forward, self->forward, args, COUNT(args));
}

static tensor relu_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const tensor *input = input_of(plan, number);
    dnnl_eltwise_desc_t operation;
    tensor result = {0};
    if (!good(plan,
              dnnl_eltwise_backward_desc_init(&operation, dnnl_eltwise_relu, &gradient->layout,
                                              &input->layout, 0, 0),
              "describing a relu's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        described(plan, &operation, plan->nodes[number].forward, "a relu's gradient");
    result = tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                              {DNNL_ARG_DIFF_DST, gradient->memory},
                              {DNNL_ARG_DIFF_SRC, result.memory}};
    run_step(plan, &plan->backward, desc, args, COUNT(args));
    dnnl_primitive_desc_destroy(desc);
    return result;
}

/* ------------------------------------------------------------------ channels */

/* A layout that groups channels in blocks of `block` (1: plain): channel c, row y, column x of
 * image n lies at n*image + c/block*group + y*row + x*column + c%block. */
typedef struct walk {
    int64_t block, image, group, row, column;
} walk;

static walk walk_of(const dnnl_memory_desc_t *layout)
{
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    return (walk){blocking->inner_nblks ? blocking->inner_blks[0] : 1, blocking->strides[0],
                  blocking->strides[1], blocking->strides[2], blocking->strides[3]};
}

static bool walkable(const dnnl_memory_desc_t *layout)
{
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    return layout->format_kind == dnnl_blocked && layout->ndims == 4 &&
           (blocking->inner_nblks == 0 ||
            (blocking->inner_nblks == 1 && blocking->inner_idxs[0] == 1));
}

/* `run` neighbouring channels of one image that lie in one block on both sides. */
static void copy_run(const float *source, const walk *from, float *target, const walk *to,
                     const dnnl_dim_t *sizes, int64_t run)
{
    for (int64_t y = 0; y < sizes[2]; y++) {
        for (int64_t x = 0; x < sizes[3]; x++) {
            memcpy(target + y * to->row + x * to->column, source + y * from->row + x * from->column,
                   (size_t)run * sizeof *source);
        }
    }
}

static void copy_channels(const step *step)
{
    walk from = walk_of(&step->source.layout), to = walk_of(&step->target.layout);
    const float *source = step->source.buffer->data;
    float *target = step->target.buffer->data;
    const dnnl_dim_t *sizes = step->source.layout.dims;
    if (!step->keep) {
        memset(target, 0, dnnl_memory_desc_get_size(&step->target.layout));
    }
    for (int64_t n = 0; n < sizes[0]; n++) {
        for (int64_t done = 0, run; done < step->count; done += run) {
            int64_t a = step->from + done, b = step->to + done;
            run = step->count - done;
            run = run < from.block - a % from.block ? run : from.block - a % from.block;
            run = run < to.block - b % to.block ? run : to.block - b % to.block;
            copy_run(source + n * from.image + a / from.block * from.group + a % from.block, &from,
                     target + n * to.image + b / to.block * to.group + b % to.block, &to, sizes,
                     run);
        }
    }
}

/* A step that walks over channel blocks; NULL after a failure. */
static step *walk_step(nn_plan *plan, steps *list, step_kind kind, const tensor *source,
                       const tensor *target)
{
    step *fresh = plan->status == PBA_OK ? step_append(plan, list, kind) : NULL;
    if (!fresh) {
        return NULL;
    }
    if (!walkable(&source->layout) || !walkable(&target->layout)) {
        plan->status = status_set(PBA_INTERNAL, "onednn: a layout without plain channel blocks");
        return NULL;
    }
    fresh->source = *source, fresh->target = *target;
    return fresh;
}

static step *channels_step(nn_plan *plan, steps *list, const tensor *source, const tensor *target,
                           int from, int to, int count)
{
    step *fresh = walk_step(plan, list, STEP_CHANNELS, source, target);
    if (fresh) {
        fresh->from = from, fresh->to = to, fresh->count = count;
    }
    return fresh;
}

/* The output of `node` with the channel blocks of another tensor. */
static dnnl_memory_desc_t layout_like(const nn_plan *plan, int node, const tensor *other)
{
    const nn_shape *shape = &plan->graph->nodes[node].shape;
    dnnl_dims_t sizes = {plan->batch, shape->channels, shape->height, shape->width};
    int64_t block = walk_of(&other->layout).block;
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, 4, sizes, dnnl_f32,
                                 block == 16  ? dnnl_aBcd16b
                                 : block == 8 ? dnnl_aBcd8b
                                              : dnnl_abcd);
    return layout;
}

static void pad_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    const tensor *input = input_of(plan, number);
    dnnl_memory_desc_t layout = layout_like(plan, number, input);
    plan->nodes[number].value = tensor_new(plan, &layout);
    channels_step(plan, &plan->forward, input, &plan->nodes[number].value, 0, node->before,
                  plan->graph->nodes[node->inputs[0]].shape.channels);
}

static tensor pad_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    tensor result = tensor_new(plan, &input_of(plan, number)->layout);
    channels_step(plan, &plan->backward, gradient, &result, node->before, 0,
                  plan->graph->nodes[node->inputs[0]].shape.channels);
    return result;
}

static void concat_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    dnnl_memory_desc_t layout = layout_like(plan, number, input_of(plan, number));
    tensor *value = &plan->nodes[number].value;
    *value = tensor_new(plan, &layout);
    for (int k = 0, first = 0; k < 2; k++) {
        int count = plan->graph->nodes[node->inputs[k]].shape.channels;
        step *copy = channels_step(plan, &plan->forward, &plan->nodes[node->inputs[k]].value, value,
                                   0, first, count);
        if (copy) {
            copy->keep = k > 0;
        }
        first += count;
    }
}

static void concat_backward(nn_plan *plan, const nn_node *node, const tensor *gradient)
{
    for (int k = 0, first = 0; k < 2; k++) {
        int input = node->inputs[k], count = plan->graph->nodes[input].shape.channels;
        if (plan->nodes[input].learns) {
            tensor part = tensor_new(plan, &plan->nodes[input].value.layout);
            channels_step(plan, &plan->backward, gradient, &part, first, 0, count);
            give(plan, input, part);
        }
        first += count;
    }
}

/* ------------------------------------------------------------------ subsampling */

/* `run` neighbouring channels of one image: large (y*stride + shift, ...) to small (y, x), or back.
 */
static void subsample_run(const step *step, float *large, const walk *wide, float *small,
                          const walk *narrow, int64_t run)
{
    const dnnl_dim_t *in = (step->back ? &step->target : &step->source)->layout.dims;
    const dnnl_dim_t *out = (step->back ? &step->source : &step->target)->layout.dims;
    for (int64_t y = 0, ly = step->from; y < out[2] && ly < in[2]; y++, ly += step->stride) {
        for (int64_t x = 0, lx = step->from; x < out[3] && lx < in[3]; x++, lx += step->stride) {
            float *there = large + ly * wide->row + lx * wide->column;
            float *here = small + y * narrow->row + x * narrow->column;
            memcpy(step->back ? there : here, step->back ? here : there,
                   (size_t)run * sizeof *here);
        }
    }
}

static void subsample(const step *step)
{
    const tensor *large = step->back ? &step->target : &step->source;
    const tensor *small = step->back ? &step->source : &step->target;
    walk wide = walk_of(&large->layout), narrow = walk_of(&small->layout);
    int64_t block = wide.block < narrow.block ? wide.block : narrow.block;
    const dnnl_dim_t *sizes = small->layout.dims;
    float *from = large->buffer->data, *to = small->buffer->data;
    memset(step->target.buffer->data, 0, dnnl_memory_desc_get_size(&step->target.layout));
    for (int64_t n = 0; n < sizes[0]; n++) {
        for (int64_t c = 0; c < sizes[1]; c += block) {
            subsample_run(
                step, from + n * wide.image + c / wide.block * wide.group + c % wide.block, &wide,
                to + n * narrow.image + c / narrow.block * narrow.group + c % narrow.block, &narrow,
                sizes[1] - c < block ? sizes[1] - c : block);
        }
    }
}

static void subsample_step(nn_plan *plan, steps *list, const nn_node *node, const tensor *source,
                           const tensor *target)
{
    step *fresh = walk_step(plan, list, STEP_SUBSAMPLE, source, target);
    if (fresh) {
        fresh->from = node->shift, fresh->stride = node->stride;
        fresh->back = list == &plan->backward;
    }
}

static void subsample_forward(nn_plan *plan, int number)
{
    const tensor *input = input_of(plan, number);
    dnnl_memory_desc_t layout = layout_like(plan, number, input);
    plan->nodes[number].value = tensor_new(plan, &layout);
    subsample_step(plan, &plan->forward, &plan->graph->nodes[number], input,
                   &plan->nodes[number].value);
}

static tensor subsample_backward(nn_plan *plan, int number, const tensor *gradient)
{
    tensor result = tensor_new(plan, &input_of(plan, number)->layout);
    subsample_step(plan, &plan->backward, &plan->graph->nodes[number], gradient, &result);
    return result;
}

/* ------------------------------------------------------------------ random nodes */

static void blend_image(const float *a, float weight_a, const float *b, float weight_b, float *out,
                        size_t count)
{
    for (size_t i = 0; b && i < count; i++) {
        out[i] = weight_a * a[i] + weight_b * b[i];
    }
    for (size_t i = 0; !b && i < count; i++) {
        out[i] = weight_a * a[i];
    }
}

static void blend(const step *step)
{
    const dnnl_memory_desc_t *layout = &step->target.layout;
    size_t image = (size_t)layout->format_desc.blocking.strides[0];
    const float *a = step->source.buffer->data;
    const float *b = step->other.memory ? step->other.buffer->data : NULL;
    float *out = step->target.buffer->data;
    for (int64_t n = 0; n < layout->dims[0]; n++) {
        const double *factors = step->back ? step->factors[n].backward : step->factors[n].forward;
        size_t start = (size_t)n * image;
        blend_image(a + start, (float)factors[step->side], b ? b + start : NULL, (float)factors[1],
                    out + start, image);
    }
}

/* Images must lie one behind the other, padding included. */
static bool images_apart(const dnnl_memory_desc_t *layout)
{
    size_t image = (size_t)layout->format_desc.blocking.strides[0] * sizeof(float);
    return layout->format_kind == dnnl_blocked &&
           dnnl_memory_desc_get_size(layout) == (size_t)layout->dims[0] * image;
}

static step *blend_step(nn_plan *plan, steps *list, int number, const tensor *source,
                        const tensor *target)
{
    step *fresh = plan->status == PBA_OK ? step_append(plan, list, STEP_BLEND) : NULL;
    if (!fresh) {
        return NULL;
    }
    if (!images_apart(&target->layout)) {
        plan->status = status_set(PBA_INTERNAL, "onednn: a layout that interleaves images");
        return NULL;
    }
    fresh->source = *source, fresh->target = *target;
    fresh->factors = plan->nodes[number].factors;
    fresh->back = list == &plan->backward;
    return fresh;
}

/* In place of the input where nobody else reads it: a norm's gradient asks for the norm's input,
 * not for its output, and a random node's for neither. */
static void random_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number], *first = &plan->nodes[node->inputs[0]];
    self->factors = arena_new(plan->arena, (size_t)plan->batch, sizeof *self->factors);
    if (!self->factors) {
        plan->status = PBA_MEMORY;
        return;
    }
    bool in_place = plan->graph->nodes[node->inputs[0]].kind == NN_NORM && first->readers == 1 &&
                    first->value.buffer->users == 1;
    self->value = in_place ? first->value : tensor_new(plan, &first->value.layout);
    if (plan->status != PBA_OK) {
        return;
    }
    self->value.buffer->users += in_place;
    tensor second = {0};
    if (node->kind == NN_MIX) {
        second = tensor_as(plan, &plan->forward, &plan->nodes[node->inputs[1]].value,
                           &first->value.layout);
    }
    step *fresh = blend_step(plan, &plan->forward, number, &first->value, &self->value);
    if (fresh) {
        fresh->other = second;
    }
    tensor_release(&second);
}

/* The gradient times the factors of an input; in place where nobody else reads it any more. */
static tensor random_scaled(nn_plan *plan, int number, int side, const tensor *gradient, bool last)
{
    bool in_place = last && gradient->buffer->users == 1;
    tensor scaled = in_place ? *gradient : tensor_new(plan, &gradient->layout);
    if (plan->status != PBA_OK) {
        return scaled;
    }
    scaled.buffer->users += in_place;
    step *fresh = blend_step(plan, &plan->backward, number, gradient, &scaled);
    if (fresh) {
        fresh->side = side;
    }
    return scaled;
}

static void random_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int k = 0; k < 2 && node->inputs[k] != NN_NONE; k++) {
        node_plan *input = &plan->nodes[node->inputs[k]];
        if (plan->status == PBA_OK && input->learns) {
            bool last = k == 1 || node->inputs[1] == NN_NONE;
            tensor scaled = random_scaled(plan, number, k, gradient, last);
            give(plan, node->inputs[k],
                 tensor_as(plan, &plan->backward, &scaled, &input->value.layout));
            tensor_release(&scaled);
        }
    }
}

/* NULL: what evaluation takes. */
static void fill_factors(nn_plan *plan, const nn_draw *draw)
{
    for (int i = 0; i < plan->graph->node_count; i++) {
        if (plan->nodes[i].factors) {
            nn_draw_factors(plan->graph, i, plan->batch, draw, plan->nodes[i].factors);
        }
    }
}

/* ------------------------------------------------------------------ fully connected */

typedef struct linear_shape {
    dnnl_memory_desc_t source, weights, bias, target;
} linear_shape;

static linear_shape linear_layouts(const nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    const nn_shape *in = &plan->graph->nodes[node->inputs[0]].shape;
    dnnl_dim_t out = node->shape.channels;
    dnnl_dims_t bias = {out}, target = {plan->batch, out};
    dnnl_dims_t source = {plan->batch, in->channels, in->height, in->width};
    dnnl_dims_t weights = {out, in->channels, in->height, in->width};
    return (linear_shape){any(4, source), any(4, weights), plain(1, bias), plain(2, target)};
}

static void linear_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    if (!good(plan,
              dnnl_inner_product_forward_desc_init(&operation, direction(plan), &layouts.source,
                                                   &layouts.weights, &layouts.bias,
                                                   &layouts.target),
              "describing a fully connected layer")) {
        return;
    }
    self->forward = described(plan, &operation, NULL, "a fully connected layer");
    if (!self->forward) {
        return;
    }
    dnnl_memory_desc_t source = wanted(self->forward, dnnl_query_src_md);
    dnnl_memory_desc_t weights = wanted(self->forward, dnnl_query_weights_md);
    tensor input = tensor_as(plan, &plan->forward, input_of(plan, number), &source);
    tensor weight = weight_in(plan, node->tensors[0], &weights);
    self->value = tensor_new(plan, &layouts.target);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input.memory},
                              {DNNL_ARG_WEIGHTS, weight.memory},
                              {DNNL_ARG_BIAS, parameter(plan, node->tensors[1], false, 1).memory},
                              {DNNL_ARG_DST, self->value.memory}};
    run_step(plan, &plan->forward, self->forward, args, COUNT(args));
    tensor_release(&input);
}

static void linear_backward_weights(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    if (!good(plan,
              dnnl_inner_product_backward_weights_desc_init(
                  &operation, &layouts.source, &layouts.weights, &layouts.bias, &gradient->layout),
              "describing a fully connected layer's weight gradient")) {
        return;
    }
    dnnl_primitive_desc_t desc = described(plan, &operation, plan->nodes[number].forward,
                                           "a fully connected layer's weight gradient");
    if (desc) {
        dnnl_memory_desc_t source = wanted(desc, dnnl_query_src_md);
        dnnl_memory_desc_t weights = wanted(desc, dnnl_query_diff_weights_md);
        tensor input = tensor_as(plan, &plan->backward, input_of(plan, number), &source);
        tensor target, written = gradient_out(plan, node->tensors[0], &weights, &target);
        dnnl_exec_arg_t args[] = {
            {DNNL_ARG_SRC, input.memory},
            {DNNL_ARG_DIFF_DST, gradient->memory},
            {DNNL_ARG_DIFF_WEIGHTS, written.memory},
            {DNNL_ARG_DIFF_BIAS, parameter(plan, node->tensors[1], true, 1).memory}};
        run_step(plan, &plan->backward, desc, args, COUNT(args));
        finish_gradient(plan, &written, &target);
        tensor_release(&input);
    }
    dnnl_primitive_desc_destroy(desc);
}

static tensor linear_backward_data(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    tensor result = {0};
    if (!good(plan,
              dnnl_inner_product_backward_data_desc_init(&operation, &layouts.source,
                                                         &layouts.weights, &gradient->layout),
              "describing a fully connected layer's data gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc = described(plan, &operation, plan->nodes[number].forward,
                                           "a fully connected layer's data gradient");
    if (desc) {
        dnnl_memory_desc_t source = wanted(desc, dnnl_query_diff_src_md);
        dnnl_memory_desc_t weights = wanted(desc, dnnl_query_weights_md);
        tensor weight = weight_in(plan, node->tensors[0], &weights);
        tensor written = tensor_new(plan, &source);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                                  {DNNL_ARG_WEIGHTS, weight.memory},
                                  {DNNL_ARG_DIFF_SRC, written.memory}};
        run_step(plan, &plan->backward, desc, args, COUNT(args));
        result = tensor_as(plan, &plan->backward, &written, &input_of(plan, number)->layout);
        tensor_release(&written);
    }
    dnnl_primitive_desc_destroy(desc);
    return result;
}

/* ------------------------------------------------------------------ forward pass */

/* The input of an add that the convolution in front of it can compute too: one read by nothing
 * else. The later input first, since the shortcut must be there before it. */
static int fusible(const nn_plan *plan, const nn_node *add)
{
    int late = add->inputs[1] > add->inputs[0];
    for (int i = 0; i < 2; i++) {
        int input = add->inputs[i == 0 ? late : !late];
        if (plan->graph->nodes[input].kind == NN_CONV && plan->nodes[input].readers == 1) {
            return input;
        }
    }
    return NN_NONE;
}

static void survey(nn_plan *plan)
{
    const nn_graph *graph = plan->graph;
    for (int i = 0; i < graph->node_count; i++) {
        const nn_node *node = &graph->nodes[i];
        plan->nodes[i].fused_into = NN_NONE;
        plan->nodes[i].learns = node->tensors[0] != NN_NONE;
        for (int k = 0; k < 2 && node->inputs[k] != NN_NONE; k++) {
            plan->nodes[node->inputs[k]].readers++;
            plan->nodes[i].learns |= plan->nodes[node->inputs[k]].learns;
        }
    }
    for (int i = 0; i < graph->node_count; i++) {
        int conv = graph->nodes[i].kind == NN_ADD ? fusible(plan, &graph->nodes[i]) : NN_NONE;
        if (conv != NN_NONE) {
            plan->nodes[conv].fused_into = i;
        }
    }
}

/* Evaluation keeps no value longer than somebody is still to read it. The image stays. */
static void values_read(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int k = 0; k < 2 && node->inputs[k] != NN_NONE; k++) {
        node_plan *input = &plan->nodes[node->inputs[k]];
        if (!--input->readers && !plan->training &&
            plan->graph->nodes[node->inputs[k]].kind != NN_INPUT) {
            tensor_release(&input->value);
        }
    }
}

static void add_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int i = 0; i < 2; i++) {
        if (plan->nodes[node->inputs[i]].fused_into == number) {
            conv_forward(plan, node->inputs[i], number, &plan->nodes[node->inputs[1 - i]].value);
            values_read(plan, node->inputs[i]);
            return;
        }
    }
    plan->nodes[number].value = add_step(plan, &plan->forward, &plan->nodes[node->inputs[0]].value,
                                         &plan->nodes[node->inputs[1]].value, NULL);
}

/* What a node averages over: a pooling's window, or the whole image. */
static const dnnl_dim_t *window(const nn_plan *plan, int number, dnnl_dims_t size)
{
    const nn_node *node = &plan->graph->nodes[number];
    const nn_shape *in = &plan->graph->nodes[node->inputs[0]].shape;
    size[0] = node->kind == NN_MEAN ? in->height : node->kernel;
    size[1] = node->kind == NN_MEAN ? in->width : node->kernel;
    return size;
}

static void node_forward(nn_plan *plan, int number)
{
    dnnl_dims_t size = {0};
    dnnl_memory_desc_t layout;
    switch (plan->graph->nodes[number].kind) {
    case NN_INPUT:
        layout = shaped(plan, number, false);
        plan->nodes[number].value = tensor_new(plan, &layout);
        break;
    case NN_CONV:
        conv_forward(plan, number, number, NULL);
        break;
    case NN_NORM:
        norm_forward(plan, number);
        break;
    case NN_RELU:
        relu_forward(plan, number);
        break;
    case NN_ADD:
        add_forward(plan, number);
        break;
    case NN_POOL:
    case NN_MEAN:
        pool_forward(plan, number, window(plan, number, size));
        break;
    case NN_PAD:
        pad_forward(plan, number);
        break;
    case NN_LINEAR:
        linear_forward(plan, number);
        break;
    case NN_SUBSAMPLE:
        subsample_forward(plan, number);
        break;
    case NN_CONCAT:
        concat_forward(plan, number);
        break;
    case NN_MIX:
    case NN_SCALE:
        random_forward(plan, number);
        break;
    }
}

static void compile_forward(nn_plan *plan)
{
    int last = plan->graph->node_count - 1;
    for (int i = 0; i <= last && plan->status == PBA_OK; i++) {
        if (plan->nodes[i].fused_into == NN_NONE) {
            node_forward(plan, i);
            values_read(plan, i);
        }
    }
    plan->logits = plan->nodes[last].value;
}

/* ------------------------------------------------------------------ backward pass */

/* The same gradient to both inputs, without a copy. */
static void add_backward(nn_plan *plan, const nn_node *node, const tensor *gradient)
{
    for (int k = 0; k < 2; k++) {
        int input = node->inputs[k];
        if (plan->nodes[input].learns) {
            give(plan, input,
                 tensor_as(plan, &plan->backward, gradient, &plan->nodes[input].value.layout));
        }
    }
}

static void node_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    int input = node->inputs[0];
    bool below = input != NN_NONE && plan->nodes[input].learns;
    dnnl_dims_t size = {0};
    if (node->kind == NN_CONV) {
        conv_backward_weights(plan, number, gradient);
    } else if (node->kind == NN_LINEAR) {
        linear_backward_weights(plan, number, gradient);
    } else if (node->kind == NN_ADD) {
        add_backward(plan, node, gradient);
    } else if (node->kind == NN_CONCAT) {
        concat_backward(plan, node, gradient);
    } else if (nn_is_random(node)) {
        random_backward(plan, number, gradient);
    } else if (node->kind == NN_NORM) { /* its own scale and shift need it in any case */
        give(plan, input, norm_backward(plan, number, gradient));
    }
    if (!below) {
        return;
    }
    switch (node->kind) {
    case NN_CONV:
        give(plan, input, conv_backward_data(plan, number, gradient));
        break;
    case NN_LINEAR:
        give(plan, input, linear_backward_data(plan, number, gradient));
        break;
    case NN_RELU:
        give(plan, input, relu_backward(plan, number, gradient));
        break;
    case NN_POOL:
    case NN_MEAN:
        give(plan, input, pool_backward(plan, number, gradient, window(plan, number, size)));
        break;
    case NN_PAD:
        give(plan, input, pad_backward(plan, number, gradient));
        break;
    case NN_SUBSAMPLE:
        give(plan, input, subsample_backward(plan, number, gradient));
        break;
    case NN_INPUT:
    case NN_NORM:
    case NN_ADD:
    case NN_CONCAT:
    case NN_MIX:
    case NN_SCALE:
        break;
    }
}

static void compile_backward(nn_plan *plan)
{
    int last = plan->graph->node_count - 1;
    plan->logit_gradient = tensor_new(plan, &plan->logits.layout);
    if (plan->status != PBA_OK) {
        return;
    }
    plan->logit_gradient.buffer->users++; /* written from outside: stays when released below */
    plan->nodes[last].gradient = plan->logit_gradient;
    for (int i = last; i >= 0 && plan->status == PBA_OK; i--) {
        tensor gradient = plan->nodes[i].gradient;
        if (gradient.memory && plan->nodes[i].learns) {
            node_backward(plan, i, &gradient);
        }
        tensor_release(&plan->nodes[i].gradient);
    }
}

/* ------------------------------------------------------------------ the boundary */

static void destroy_steps(const steps *list)
{
    for (step *each = list->first; each; each = each->next) {
        dnnl_primitive_destroy(each->primitive);
    }
}

static void plan_free(nn_plan *plan)
{
    if (!plan) {
        return;
    }
    destroy_steps(&plan->load);
    destroy_steps(&plan->forward);
    destroy_steps(&plan->backward);
    for (int i = 0; plan->nodes && i < plan->graph->node_count; i++) {
        dnnl_primitive_desc_destroy(plan->nodes[i].forward);
    }
    for (owned *each = plan->memories; each; each = each->next) {
        dnnl_memory_destroy(each->memory);
    }
    for (buffer *each = plan->buffers; each; each = each->next) {
        free(each->data);
    }
    dnnl_stream_destroy(plan->stream);
    dnnl_engine_destroy(plan->engine);
    arena_free(plan->arena);
    free(plan->scratch);
    free(plan);
}

static void bind_scratch(nn_plan *plan)
{
    if (plan->status != PBA_OK || !plan->scratch_bytes) {
        return;
    }
    plan->scratch = memory_aligned(plan->scratch_bytes, 1);
    if (!plan->scratch) {
        plan->status = PBA_MEMORY;
        return;
    }
    plan->bytes += plan->scratch_bytes;
    for (owned *each = plan->memories; each; each = each->next) {
        if (each->scratch) {
            dnnl_memory_set_data_handle(each->memory, plan->scratch);
        }
    }
}

static void compile(nn_plan *plan)
{
    size_t count = (size_t)plan->graph->node_count;
    plan->arena = arena_create();
    plan->nodes = plan->arena ? arena_new(plan->arena, count, sizeof *plan->nodes) : NULL;
    if (!plan->nodes) {
        plan->status = PBA_MEMORY;
        return;
    }
    good(plan, dnnl_engine_create(&plan->engine, dnnl_cpu, 0), "creating an engine");
    if (!good(plan, dnnl_stream_create(&plan->stream, plan->engine, dnnl_stream_default_flags),
              "creating a stream")) {
        return;
    }
    survey(plan);
    compile_forward(plan);
    if (plan->training && plan->status == PBA_OK) {
        compile_backward(plan);
    }
    bind_scratch(plan);
    const nn_draw zeros = {0};
    fill_factors(plan, plan->training ? &zeros : NULL);
}

static pba_status plan_create(const nn_graph *graph, int batch, bool training, nn_plan **plan)
{
    *plan = NULL;
    if (batch < 1) {
        return status_set(PBA_USAGE, "batch %d: must be at least 1", batch);
    }
    nn_plan *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    *fresh = (nn_plan){.graph = graph, .batch = batch, .training = training};
    compile(fresh);
    pba_status status = fresh->status;
    if (status != PBA_OK) {
        plan_free(fresh);
        return status;
    }
    *plan = fresh;
    return PBA_OK;
}

static size_t plan_bytes(const nn_plan *plan)
{
    return plan->bytes;
}

static void *plan_input(nn_plan *plan)
{
    return plan->nodes[0].value.buffer->data;
}

static dnnl_status_t execute_step(nn_plan *plan, const step *step)
{
    switch (step->kind) {
    case STEP_CHANNELS:
        copy_channels(step);
        return dnnl_success;
    case STEP_SUBSAMPLE:
        subsample(step);
        return dnnl_success;
    case STEP_BLEND:
        blend(step);
        return dnnl_success;
    case STEP_PRIMITIVE:
        break;
    }
    return dnnl_primitive_execute(step->primitive, plan->stream, step->arg_count, step->args);
}

static pba_status execute(nn_plan *plan, const steps *list)
{
    for (const step *each = list->first; each; each = each->next) {
        dnnl_status_t code = execute_step(plan, each);
        if (code != dnnl_success) {
            return status_set(PBA_INTERNAL, "onednn: a primitive failed with status %d", (int)code);
        }
    }
    return dnnl_stream_wait(plan->stream) == dnnl_success
               ? PBA_OK
               : status_set(PBA_INTERNAL, "onednn: waiting for the stream failed");
}

static void bind(const outside *list, float *base)
{
    for (; list; list = list->next) {
        dnnl_memory_set_data_handle(list->memory, base + list->offset);
    }
}

static pba_status plan_load(nn_plan *plan, const void *block)
{
    bind(plan->from_block, (float *)block); /* oneDNN's memories know no const; these are read */
    return execute(plan, &plan->load);
}

static void plan_draw(nn_plan *plan, const nn_draw *draw)
{
    if (plan->training) {
        fill_factors(plan, draw);
    }
}

static pba_status plan_forward(nn_plan *plan, void *block, const void **logits)
{
    pba_status status = execute(plan, &plan->forward);
    for (int i = 0; status == PBA_OK && plan->training && i < plan->graph->node_count; i++) {
        if (plan->graph->nodes[i].kind == NN_NORM) {
            norm_update(plan, i, block);
        }
    }
    *logits = plan->logits.buffer->data;
    return status;
}

/* Primitives write a tensor's numbers; what lies between two tensors is for us to clear. */
static void clear_padding(const nn_graph *graph, float *gradient)
{
    for (int i = 0; i < graph->tensor_count; i++) {
        const nn_tensor *each = &graph->tensors[i];
        size_t tail = (16 - each->count % 16) % 16;
        if (each->role == NN_TRAINABLE) {
            memset(gradient + each->offset + each->count, 0, tail * sizeof *gradient);
        }
    }
}

static pba_status plan_backward(nn_plan *plan, const void *logit_gradient, void *gradient)
{
    if (!plan->training) {
        return status_set(PBA_INTERNAL, "backward: the plan was made for evaluation");
    }
    clear_padding(plan->graph, gradient);
    size_t bytes = (size_t)plan->batch * (size_t)plan->graph->classes * sizeof(float);
    memcpy(plan->logit_gradient.buffer->data, logit_gradient, bytes);
    bind(plan->to_gradient, gradient);
    return execute(plan, &plan->backward);
}

const nn_backend nn_backend_onednn = {
    .name = "onednn",
    .sentence = "oneDNN's kernels for the processor at hand, float32",
    .real = sizeof(float),
    .plan_create = plan_create,
    .plan_free = plan_free,
    .plan_bytes = plan_bytes,
    .input = plan_input,
    .load = plan_load,
    .draw = plan_draw,
    .forward = plan_forward,
    .backward = plan_backward,
};
