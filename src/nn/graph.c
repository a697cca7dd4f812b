/* SPDX-License-Identifier: Apache-2.0
 *
 * The builder of network descriptions: shapes, TensorFlow's SAME padding, the layout of the flat
 * block. The first failure sticks, so that a model is written without a check per line. */
#include "nn/graph.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGN_FLOATS = 16, MAX_NODES = 1 << 16, LABEL_BYTES = 160 };

/* Largest tensor or part of the block in floats: four such parts of doubles fit a size_t. */
#define MAX_FLOATS (SIZE_MAX / 64)

static bool graph_failed(const nn_graph *graph)
{
    return graph->status != PBA_OK;
}

/* A model that builds nonsense: a mistake of ours, not of the user. */
static int graph_misuse(nn_graph *graph, const char *call, const char *what)
{
    graph->status = status_set(PBA_INTERNAL, "%s: %s", call, what);
    return 0;
}

static bool graph_is_node(const nn_graph *graph, int node)
{
    return node >= 0 && node < graph->node_count;
}

/* Arrays double at powers of two, so that the counts alone say when. */
static void *graph_room(nn_graph *graph, void *items, int count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return items;
    }
    void *grown = memory_grow(items, count > 0 ? 2 * (size_t)count : 1, size);
    if (grown == NULL) {
        graph->status = PBA_MEMORY;
        return items;
    }
    return grown;
}

static bool graph_shape_fits(const nn_shape *shape)
{
    int elements;
    return shape->channels > 0 && shape->height > 0 && shape->width > 0 &&
           !__builtin_mul_overflow(shape->channels, shape->height, &elements) &&
           !__builtin_mul_overflow(elements, shape->width, &elements);
}

static int graph_add_node(nn_graph *graph, const nn_node *node)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_shape_fits(&node->shape)) {
        graph->status = status_set(PBA_USAGE,
                                   "node %d: %d channels of %d x %d pixels are too few or too many "
                                   "for this network; choose another image size or width",
                                   graph->node_count, node->shape.channels, node->shape.height,
                                   node->shape.width);
        return 0;
    }
    if (graph->node_count >= MAX_NODES) {
        graph->status = status_set(
            PBA_USAGE, "the network has more than %d nodes; choose less depth", MAX_NODES);
        return 0;
    }
    graph->nodes = graph_room(graph, graph->nodes, graph->node_count, sizeof(nn_node));
    if (graph_failed(graph)) {
        return 0;
    }
    graph->nodes[graph->node_count] = *node;
    return graph->node_count++;
}

static nn_node graph_blank(nn_kind kind, int a, int b)
{
    nn_node node = {.kind = kind,
                    .inputs = {a, b},
                    .kernel = 1,
                    .stride = 1,
                    .tensors = {NN_NONE, NN_NONE, NN_NONE, NN_NONE}};
    return node;
}

/* Elements of a tensor, and the floats that the part of the block then takes. */
static bool graph_measure(nn_tensor *tensor, size_t part, size_t *end)
{
    tensor->count = 1;
    for (int i = 0; i < tensor->dims; i++) {
        if (__builtin_mul_overflow(tensor->count, (size_t)tensor->shape[i], &tensor->count)) {
            return false;
        }
    }
    if (tensor->count > MAX_FLOATS) {
        return false;
    }
    size_t padded = (tensor->count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
    *end = part + padded;
    return *end <= MAX_FLOATS;
}

/* Puts the tensor at the end of its part of the block; its number, or NN_NONE. */
static int graph_add_tensor(nn_graph *graph, nn_tensor tensor, const char *stem, const char *leaf)
{
    if (graph_failed(graph)) {
        return NN_NONE;
    }
    size_t *part = tensor.role == NN_TRAINABLE ? &graph->trainable : &graph->running;
    size_t end;
    if (!graph_measure(&tensor, *part, &end)) {
        graph->status = status_set(
            PBA_USAGE, "%s.%s: the network is too large to address; choose less width", stem, leaf);
        return NN_NONE;
    }
    graph->tensors = graph_room(graph, graph->tensors, graph->tensor_count, sizeof(nn_tensor));
    tensor.name = (char *)nn_label(graph, "%s.%s", stem, leaf);
    if (graph_failed(graph)) {
        return NN_NONE;
    }
    tensor.offset = *part;
    *part = end;
    graph->block = 2 * graph->trainable + graph->running;
    graph->parameters += tensor.role == NN_TRAINABLE ? (int64_t)tensor.count : 0;
    graph->tensors[graph->tensor_count] = tensor;
    return graph->tensor_count++;
}

static int graph_add_vector(nn_graph *graph, const char *stem, const char *leaf, int length,
                            nn_role role, nn_init init)
{
    nn_tensor tensor = {.dims = 1, .shape = {length, 1, 1, 1}, .role = role, .init = init};
    return graph_add_tensor(graph, tensor, stem, leaf);
}

pba_status nn_graph_create(int width, int height, int channels, int classes, nn_graph **graph)
{
    *graph = NULL;
    if (width < 1 || height < 1 || channels < 1 || classes < 1) {
        return status_set(
            PBA_USAGE, "network: %d x %d pixels, %d channels, %d classes: each must be at least 1",
            width, height, channels, classes);
    }
    nn_graph *fresh = memory_new(1, sizeof(nn_graph));
    if (fresh == NULL) {
        return PBA_MEMORY;
    }
    fresh->classes = classes;
    fresh->arena = arena_create();
    nn_node input = graph_blank(NN_INPUT, NN_NONE, NN_NONE);
    input.shape = (nn_shape){channels, height, width};
    if (fresh->arena == NULL) {
        fresh->status = PBA_MEMORY;
    }
    graph_add_node(fresh, &input);
    pba_status status = fresh->status;
    if (status != PBA_OK) {
        nn_graph_free(fresh);
        return status;
    }
    *graph = fresh;
    return PBA_OK;
}

void nn_graph_free(nn_graph *graph)
{
    if (graph != NULL) {
        free(graph->nodes);
        free(graph->tensors);
        arena_free(graph->arena);
        free(graph);
    }
}

int nn_input(nn_graph *graph)
{
    (void)graph;
    return 0;
}

/* TensorFlow's SAME: out = ceil(in / stride); of an odd number of zeros the greater half is behind.
 * Never more than kernel - 1 zeros in all. */
static void graph_same(int in, int kernel, int stride, int *out, int *before, int *after)
{
    *out = in / stride + (in % stride != 0);
    int64_t total = (int64_t)(*out - 1) * stride + kernel - in;
    total = total > 0 ? total : 0;
    *before = (int)(total / 2);
    *after = (int)(total - total / 2);
}

/* (kernel-1)/2 zeros in front; behind, what the last window then reaches for. */
static void graph_centred(int in, int kernel, int stride, int *out, int *before, int *after)
{
    *out = in / stride + (in % stride != 0);
    *before = (kernel - 1) / 2;
    int64_t behind = (int64_t)(*out - 1) * stride + kernel - in - *before;
    *after = behind > 0 ? (int)behind : 0;
}

typedef void (*graph_padding)(int in, int kernel, int stride, int *out, int *before, int *after);

static int graph_conv(nn_graph *graph, const char *name, int input, int out, int kernel, int stride,
                      graph_padding padding)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || out < 1 || kernel < 1 || stride < 1) {
        return graph_misuse(graph, "nn_conv", "no such input, or a number below 1");
    }
    nn_shape in = graph->nodes[input].shape;
    nn_node node = graph_blank(NN_CONV, input, NN_NONE);
    node.kernel = kernel;
    node.stride = stride;
    node.shape.channels = out;
    padding(in.height, kernel, stride, &node.shape.height, &node.pad_before, &node.pad_after);
    padding(in.width, kernel, stride, &node.shape.width, &node.pad_left, &node.pad_right);
    nn_tensor weight = {.dims = 4,
                        .shape = {out, in.channels, kernel, kernel},
                        .role = NN_TRAINABLE,
                        .init = NN_INIT_CONV};
    node.tensors[0] = graph_add_tensor(graph, weight, name, "weight");
    return graph_add_node(graph, &node);
}

int nn_conv(nn_graph *graph, const char *name, int input, int out, int kernel, int stride)
{
    return graph_conv(graph, name, input, out, kernel, stride, graph_same);
}

int nn_conv_centred(nn_graph *graph, const char *name, int input, int out, int kernel, int stride)
{
    return graph_conv(graph, name, input, out, kernel, stride, graph_centred);
}

int nn_norm(nn_graph *graph, const char *name, int input, bool relu)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input)) {
        return graph_misuse(graph, "nn_norm", "no such input");
    }
    nn_node node = graph_blank(NN_NORM, input, NN_NONE);
    node.shape = graph->nodes[input].shape;
    node.relu = relu;
    int length = node.shape.channels;
    node.tensors[0] = graph_add_vector(graph, name, "weight", length, NN_TRAINABLE, NN_INIT_ONE);
    node.tensors[1] = graph_add_vector(graph, name, "bias", length, NN_TRAINABLE, NN_INIT_ZERO);
    node.tensors[2] =
        graph_add_vector(graph, name, "running_mean", length, NN_RUNNING, NN_INIT_ZERO);
    node.tensors[3] = graph_add_vector(graph, name, "running_var", length, NN_RUNNING, NN_INIT_ONE);
    return graph_add_node(graph, &node);
}

int nn_relu(nn_graph *graph, int input)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input)) {
        return graph_misuse(graph, "nn_relu", "no such input");
    }
    nn_node node = graph_blank(NN_RELU, input, NN_NONE);
    node.shape = graph->nodes[input].shape;
    return graph_add_node(graph, &node);
}

/* Equal height and width. */
static bool graph_same_image(const nn_graph *graph, int a, int b)
{
    nn_shape left = graph->nodes[a].shape, right = graph->nodes[b].shape;
    return left.height == right.height && left.width == right.width;
}

/* A node of two inputs of one shape, which is its own too. */
static int graph_pair(nn_graph *graph, nn_kind kind, const char *call, int a, int b)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, a) || !graph_is_node(graph, b)) {
        return graph_misuse(graph, call, "no such input");
    }
    if (!graph_same_image(graph, a, b) ||
        graph->nodes[a].shape.channels != graph->nodes[b].shape.channels) {
        return graph_misuse(graph, call, "the inputs differ in shape");
    }
    nn_node node = graph_blank(kind, a, b);
    node.shape = graph->nodes[a].shape;
    return graph_add_node(graph, &node);
}

int nn_add(nn_graph *graph, int a, int b)
{
    return graph_pair(graph, NN_ADD, "nn_add", a, b);
}

int nn_mix(nn_graph *graph, int a, int b)
{
    return graph_pair(graph, NN_MIX, "nn_mix", a, b);
}

int nn_pool(nn_graph *graph, int input, int kernel)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || kernel < 1) {
        return graph_misuse(graph, "nn_pool", "no such input, or a kernel below 1");
    }
    nn_node node = graph_blank(NN_POOL, input, NN_NONE);
    nn_shape in = graph->nodes[input].shape;
    node.kernel = node.stride = kernel;
    node.shape = (nn_shape){in.channels, in.height / kernel, in.width / kernel};
    return graph_add_node(graph, &node);
}

int nn_pad(nn_graph *graph, int input, int before, int after)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || before < 0 || after < 0) {
        return graph_misuse(graph, "nn_pad", "no such input, or a number below 0");
    }
    nn_node node = graph_blank(NN_PAD, input, NN_NONE);
    node.shape = graph->nodes[input].shape;
    node.before = before;
    if (__builtin_add_overflow(node.shape.channels, before, &node.shape.channels) ||
        __builtin_add_overflow(node.shape.channels, after, &node.shape.channels)) {
        return graph_misuse(graph, "nn_pad", "too many channels");
    }
    return graph_add_node(graph, &node);
}

int nn_subsample(nn_graph *graph, int input, int stride, int shift)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || stride < 1 || shift < 0) {
        return graph_misuse(graph, "nn_subsample", "no such input, or a number too low");
    }
    nn_node node = graph_blank(NN_SUBSAMPLE, input, NN_NONE);
    nn_shape in = graph->nodes[input].shape;
    node.stride = stride;
    node.shift = shift;
    node.shape = (nn_shape){in.channels, in.height / stride + (in.height % stride != 0),
                            in.width / stride + (in.width % stride != 0)};
    return graph_add_node(graph, &node);
}

int nn_concat(nn_graph *graph, int a, int b)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, a) || !graph_is_node(graph, b) || !graph_same_image(graph, a, b)) {
        return graph_misuse(graph, "nn_concat", "no such input, or inputs of different sizes");
    }
    nn_node node = graph_blank(NN_CONCAT, a, b);
    node.shape = graph->nodes[a].shape;
    if (__builtin_add_overflow(node.shape.channels, graph->nodes[b].shape.channels,
                               &node.shape.channels)) {
        return graph_misuse(graph, "nn_concat", "too many channels");
    }
    return graph_add_node(graph, &node);
}

int nn_scale(nn_graph *graph, int input, double keep)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || !(keep >= 0 && keep <= 1)) {
        return graph_misuse(graph, "nn_scale", "no such input, or no probability");
    }
    nn_node node = graph_blank(NN_SCALE, input, NN_NONE);
    node.shape = graph->nodes[input].shape;
    node.keep = keep;
    return graph_add_node(graph, &node);
}

int nn_mean(nn_graph *graph, int input)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input)) {
        return graph_misuse(graph, "nn_mean", "no such input");
    }
    nn_node node = graph_blank(NN_MEAN, input, NN_NONE);
    node.shape = (nn_shape){graph->nodes[input].shape.channels, 1, 1};
    return graph_add_node(graph, &node);
}

int nn_linear(nn_graph *graph, const char *name, int input, int out)
{
    if (graph_failed(graph)) {
        return 0;
    }
    if (!graph_is_node(graph, input) || out < 1) {
        return graph_misuse(graph, "nn_linear", "no such input, or an output below 1");
    }
    nn_shape in = graph->nodes[input].shape;
    if (in.height != 1 || in.width != 1) {
        return graph_misuse(graph, "nn_linear", "the input has height or width; nn_mean first");
    }
    nn_node node = graph_blank(NN_LINEAR, input, NN_NONE);
    node.shape = (nn_shape){out, 1, 1};
    nn_tensor weight = {
        .dims = 2, .shape = {out, in.channels, 1, 1}, .role = NN_TRAINABLE, .init = NN_INIT_LINEAR};
    node.tensors[0] = graph_add_tensor(graph, weight, name, "weight");
    node.tensors[1] = graph_add_vector(graph, name, "bias", out, NN_TRAINABLE, NN_INIT_ZERO);
    return graph_add_node(graph, &node);
}

const char *nn_label(nn_graph *graph, const char *format, ...)
{
    if (graph_failed(graph)) {
        return "";
    }
    char text[LABEL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    char *copy = arena_text(graph->arena, text);
    if (copy == NULL) {
        graph->status = PBA_MEMORY;
    }
    return copy ? copy : "";
}

static double graph_node_macs(const nn_graph *graph, const nn_node *node)
{
    const nn_shape *out = &node->shape;
    switch (node->kind) {
    case NN_CONV:
    case NN_LINEAR:
        return (double)graph->tensors[node->tensors[0]].count * out->height * out->width;
    default:
        return 0;
    }
}

/* Backward costs the forward pass twice, for the gradients of the weights and of the input; nobody
 * needs that of the images. */
double nn_training_macs(const nn_graph *graph)
{
    double macs = 0;
    for (int i = 0; i < graph->node_count; i++) {
        const nn_node *node = &graph->nodes[i];
        macs += (node->inputs[0] == 0 ? 2 : 3) * graph_node_macs(graph, node);
    }
    return macs;
}

double nn_forward_macs(const nn_graph *graph)
{
    double macs = 0;
    for (int i = 0; i < graph->node_count; i++) {
        macs += graph_node_macs(graph, &graph->nodes[i]);
    }
    return macs;
}
