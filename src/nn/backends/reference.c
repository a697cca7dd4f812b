/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks in plain loops: the readable meaning of every node, and the oracle of the other
 * backends. Each node keeps its output, and for training the gradient of its output; the backward
 * pass walks the nodes in reverse and adds into the gradients of their inputs. All sums are formed
 * in double and stored in `real`: float here, double where reference_double.c includes this file
 * (for finite differences, which float is too coarse for). */
#include "nn/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifndef REFERENCE_REAL
#define REFERENCE_REAL float
#define REFERENCE_BACKEND nn_backend_reference
#define REFERENCE_NAME "reference"
#define REFERENCE_SENTENCE "plain loops in C, one thread: slow, for checking the others"
#endif

typedef REFERENCE_REAL real;

static const double decay = 0.9, epsilon = 1e-5; /* of batch normalization */

struct nn_plan {
    arena *arena;
    size_t bytes;
    const nn_graph *graph; /* outlives the plan */
    int batch;
    bool training;
    real *weights, *running; /* of the last load */
    real **values;           /* per node: batch x channels x height x width */
    real **gradients;        /* of the values, in training; NULL: nobody asks for it */
    double **means;          /* per norm, per channel: mean and 1 / deviation of the last forward */
    double **inverses;
    nn_factors **factors; /* per random node, per image */
    double *sums;         /* one plane of the largest node */
};

/* ------------------------------------------------------------------ access */

static size_t plane_of(const nn_shape *shape)
{
    return (size_t)shape->height * (size_t)shape->width;
}

static size_t elements_of(const nn_shape *shape)
{
    return (size_t)shape->channels * plane_of(shape);
}

static const nn_node *input_of(const nn_plan *plan, const nn_node *node)
{
    return &plan->graph->nodes[node->inputs[0]];
}

/* A plane of channel `channel` of image `image` in a buffer of that shape. */
static real *plane_at(real *buffer, const nn_shape *shape, int image, int channel)
{
    size_t index = (size_t)image * (size_t)shape->channels + (size_t)channel;
    return buffer + index * plane_of(shape);
}

static size_t offset_of(const nn_plan *plan, const nn_node *node, int tensor)
{
    return plan->graph->tensors[node->tensors[tensor]].offset;
}

/* ------------------------------------------------------------- convolution */

/* One tap of a kernel: output row oy meets input row oy*stride + dy, for the outputs whose input
 * lies inside the image: ys..ye-1 and xs..xe-1. */
typedef struct tap {
    int dy, dx, ys, ye, xs, xe;
} tap;

static void tap_range(int shift, int stride, int in, int out, int *start, int *end)
{
    *start = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int last = in - 1 - shift;
    int count = last < 0 ? 0 : last / stride + 1;
    *end = count < out ? count : out;
}

static tap tap_at(const nn_node *node, const nn_shape *in, int ky, int kx)
{
    tap t = {.dy = ky - node->pad_before, .dx = kx - node->pad_left};
    tap_range(t.dy, node->stride, in->height, node->shape.height, &t.ys, &t.ye);
    tap_range(t.dx, node->stride, in->width, node->shape.width, &t.xs, &t.xe);
    return t;
}

/* Where output row oy's tap begins to read in an input plane (to be indexed by ox * stride). */
static ptrdiff_t tap_row(const tap *t, const nn_node *node, const nn_shape *in, int oy)
{
    return ((ptrdiff_t)oy * node->stride + t->dy) * in->width + t->dx;
}

static void conv_tap_forward(const nn_node *node, const nn_shape *in, const tap *t, double weight,
                             const real *restrict x, double *restrict sums)
{
    for (int oy = t->ys; oy < t->ye; oy++) {
        const ptrdiff_t row = tap_row(t, node, in, oy);
        double *out = sums + (size_t)oy * (size_t)node->shape.width;
        for (int ox = t->xs; ox < t->xe; ox++) {
            out[ox] += weight * (double)x[row + (ptrdiff_t)ox * node->stride];
        }
    }
}

static void conv_forward(nn_plan *plan, const nn_node *node, int index)
{
    const nn_shape *in = &input_of(plan, node)->shape, *out = &node->shape;
    const int k = node->kernel;
    for (int n = 0; n < plan->batch; n++) {
        for (int oc = 0; oc < out->channels; oc++) {
            const real *w = plan->weights + offset_of(plan, node, 0) +
                            (size_t)oc * (size_t)in->channels * (size_t)(k * k);
            memset(plan->sums, 0, plane_of(out) * sizeof(double));
            for (int i = 0; i < in->channels * k * k; i++) {
                tap t = tap_at(node, in, i / k % k, i % k);
                conv_tap_forward(node, in, &t, (double)w[i],
                                 plane_at(plan->values[node->inputs[0]], in, n, i / (k * k)),
                                 plan->sums);
            }
            real *y = plane_at(plan->values[index], out, n, oc);
            for (size_t i = 0; i < plane_of(out); i++) {
                y[i] = (real)plan->sums[i];
            }
        }
    }
}

static void conv_tap_backward(const nn_node *node, const nn_shape *in, const tap *t, double weight,
                              const real *restrict g, double *restrict sums)
{
    for (int oy = t->ys; oy < t->ye; oy++) {
        const ptrdiff_t row = tap_row(t, node, in, oy);
        const real *out = g + (size_t)oy * (size_t)node->shape.width;
        for (int ox = t->xs; ox < t->xe; ox++) {
            sums[row + (ptrdiff_t)ox * node->stride] += weight * (double)out[ox];
        }
    }
}

/* d loss / d input: every tap in the opposite direction. */
static void conv_backward_data(nn_plan *plan, const nn_node *node, int index)
{
    const nn_shape *in = &input_of(plan, node)->shape, *out = &node->shape;
    const int k = node->kernel;
    for (int n = 0; n < plan->batch; n++) {
        for (int ic = 0; ic < in->channels; ic++) {
            memset(plan->sums, 0, plane_of(in) * sizeof(double));
            for (int i = 0; i < out->channels * k * k; i++) {
                int oc = i / (k * k), at = i % (k * k);
                size_t weight = ((size_t)oc * (size_t)in->channels + (size_t)ic) * (size_t)(k * k);
                tap t = tap_at(node, in, at / k, at % k);
                conv_tap_backward(
                    node, in, &t,
                    (double)plan->weights[offset_of(plan, node, 0) + weight + (size_t)at],
                    plane_at(plan->gradients[index], out, n, oc), plan->sums);
            }
            real *gx = plane_at(plan->gradients[node->inputs[0]], in, n, ic);
            for (size_t i = 0; i < plane_of(in); i++) {
                gx[i] = (real)((double)gx[i] + plan->sums[i]);
            }
        }
    }
}

/* sums[ox] += gradient times input, over all rows of one image. */
static void conv_tap_weights(const nn_node *node, const nn_shape *in, const tap *t,
                             const real *restrict x, const real *restrict g, double *restrict sums)
{
    for (int oy = t->ys; oy < t->ye; oy++) {
        const ptrdiff_t row = tap_row(t, node, in, oy);
        const real *out = g + (size_t)oy * (size_t)node->shape.width;
        for (int ox = t->xs; ox < t->xe; ox++) {
            sums[ox] += (double)out[ox] * (double)x[row + (ptrdiff_t)ox * node->stride];
        }
    }
}

static void conv_backward_weights(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    const nn_shape *in = &input_of(plan, node)->shape, *out = &node->shape;
    const int k = node->kernel, row = in->channels * k * k;
    for (int oc = 0; oc < out->channels; oc++) {
        real *gw = gradient + offset_of(plan, node, 0) + (size_t)oc * (size_t)row;
        for (int i = 0; i < row; i++) {
            tap t = tap_at(node, in, i / k % k, i % k);
            memset(plan->sums, 0, (size_t)out->width * sizeof(double));
            for (int n = 0; n < plan->batch; n++) {
                conv_tap_weights(node, in, &t,
                                 plane_at(plan->values[node->inputs[0]], in, n, i / (k * k)),
                                 plane_at(plan->gradients[index], out, n, oc), plan->sums);
            }
            double sum = 0;
            for (int ox = 0; ox < out->width; ox++) {
                sum += plan->sums[ox];
            }
            gw[i] = (real)sum;
        }
    }
}

static void conv_backward(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    conv_backward_weights(plan, node, index, gradient);
    if (plan->gradients[node->inputs[0]] != NULL) {
        conv_backward_data(plan, node, index);
    }
}

/* ----------------------------------------------------- batch normalization */

/* Mean and biased variance of a channel over the batch. */
static void norm_measure(nn_plan *plan, const nn_node *node, int channel, double *mean,
                         double *variance)
{
    const double count = (double)plan->batch * (double)plane_of(&node->shape);
    real *values = plan->values[node->inputs[0]];
    double sum = 0;
    for (int n = 0; n < plan->batch; n++) {
        const real *x = plane_at(values, &node->shape, n, channel);
        for (size_t i = 0; i < plane_of(&node->shape); i++) {
            sum += (double)x[i];
        }
    }
    *mean = sum / count;
    sum = 0;
    for (int n = 0; n < plan->batch; n++) {
        const real *x = plane_at(values, &node->shape, n, channel);
        for (size_t i = 0; i < plane_of(&node->shape); i++) {
            sum += ((double)x[i] - *mean) * ((double)x[i] - *mean);
        }
    }
    *variance = sum / count;
}

/* The running variance estimates the population's, hence N/(N-1); a single value says nothing. */
static void norm_update(const nn_plan *plan, const nn_node *node, int channel, double mean,
                        double variance, real *running)
{
    const double count = (double)plan->batch * (double)plane_of(&node->shape);
    real *old_mean = running + offset_of(plan, node, 2) + channel;
    real *old_variance = running + offset_of(plan, node, 3) + channel;
    double unbiased = count > 1 ? variance * count / (count - 1) : variance;
    *old_mean = (real)(decay * (double)*old_mean + (1 - decay) * mean);
    *old_variance = (real)(decay * (double)*old_variance + (1 - decay) * unbiased);
}

static void norm_channel(nn_plan *plan, const nn_node *node, int index, int channel, real *running)
{
    double mean = (double)plan->running[offset_of(plan, node, 2) + (size_t)channel];
    double variance = (double)plan->running[offset_of(plan, node, 3) + (size_t)channel];
    if (plan->training) {
        norm_measure(plan, node, channel, &mean, &variance);
        norm_update(plan, node, channel, mean, variance, running);
    }
    const double inverse = 1 / sqrt(variance + epsilon);
    const double scale = (double)plan->weights[offset_of(plan, node, 0) + (size_t)channel];
    const double shift = (double)plan->weights[offset_of(plan, node, 1) + (size_t)channel];
    plan->means[index][channel] = mean;
    plan->inverses[index][channel] = inverse;
    for (int n = 0; n < plan->batch; n++) {
        const real *x = plane_at(plan->values[node->inputs[0]], &node->shape, n, channel);
        real *y = plane_at(plan->values[index], &node->shape, n, channel);
        for (size_t i = 0; i < plane_of(&node->shape); i++) {
            double value = ((double)x[i] - mean) * inverse * scale + shift;
            y[i] = (real)(node->relu && value < 0 ? 0 : value);
        }
    }
}

static void norm_forward(nn_plan *plan, const nn_node *node, int index, real *running)
{
    for (int c = 0; c < node->shape.channels; c++) {
        norm_channel(plan, node, index, c, running);
    }
}

/* The gradient behind the ReLU is 0 where the ReLU was closed. */
static double norm_gate(const nn_node *node, real value, real gradient)
{
    return node->relu && !(value > 0) ? 0 : (double)gradient;
}

/* Sums of the gradient, and of the gradient times the normalized input. */
static void norm_sums(nn_plan *plan, const nn_node *node, int index, int channel, double *sum,
                      double *product)
{
    *sum = *product = 0;
    for (int n = 0; n < plan->batch; n++) {
        const real *x = plane_at(plan->values[node->inputs[0]], &node->shape, n, channel);
        const real *y = plane_at(plan->values[index], &node->shape, n, channel);
        const real *gy = plane_at(plan->gradients[index], &node->shape, n, channel);
        for (size_t i = 0; i < plane_of(&node->shape); i++) {
            double g = norm_gate(node, y[i], gy[i]);
            *sum += g;
            *product +=
                g * ((double)x[i] - plan->means[index][channel]) * plan->inverses[index][channel];
        }
    }
}

/* Mean and variance depend on every input of the channel: hence the two terms that are taken off.
 */
static void norm_backward_data(nn_plan *plan, const nn_node *node, int index, int channel,
                               double sum, double product)
{
    const double count = (double)plan->batch * (double)plane_of(&node->shape);
    const double mean = plan->means[index][channel], inverse = plan->inverses[index][channel];
    const double scale = (double)plan->weights[offset_of(plan, node, 0) + (size_t)channel];
    for (int n = 0; n < plan->batch; n++) {
        const real *x = plane_at(plan->values[node->inputs[0]], &node->shape, n, channel);
        const real *y = plane_at(plan->values[index], &node->shape, n, channel);
        const real *gy = plane_at(plan->gradients[index], &node->shape, n, channel);
        real *gx = plane_at(plan->gradients[node->inputs[0]], &node->shape, n, channel);
        for (size_t i = 0; i < plane_of(&node->shape); i++) {
            double normal = ((double)x[i] - mean) * inverse;
            double g = norm_gate(node, y[i], gy[i]) - sum / count - normal * product / count;
            gx[i] = (real)((double)gx[i] + scale * inverse * g);
        }
    }
}

static void norm_backward(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    for (int c = 0; c < node->shape.channels; c++) {
        double sum, product;
        norm_sums(plan, node, index, c, &sum, &product);
        gradient[offset_of(plan, node, 0) + (size_t)c] = (real)product;
        gradient[offset_of(plan, node, 1) + (size_t)c] = (real)sum;
        if (plan->gradients[node->inputs[0]] != NULL) {
            norm_backward_data(plan, node, index, c, sum, product);
        }
    }
}

/* ------------------------------------------------------- nodes without weights */

static void relu_forward(nn_plan *plan, const nn_node *node, int index)
{
    const real *x = plan->values[node->inputs[0]];
    for (size_t i = 0; i < (size_t)plan->batch * elements_of(&node->shape); i++) {
        plan->values[index][i] = x[i] < 0 ? 0 : x[i];
    }
}

static void relu_backward(nn_plan *plan, const nn_node *node, int index)
{
    const real *x = plan->values[node->inputs[0]];
    real *gx = plan->gradients[node->inputs[0]];
    for (size_t i = 0; i < (size_t)plan->batch * elements_of(&node->shape); i++) {
        gx[i] += x[i] > 0 ? plan->gradients[index][i] : 0;
    }
}

static void add_forward(nn_plan *plan, const nn_node *node, int index)
{
    const real *a = plan->values[node->inputs[0]], *b = plan->values[node->inputs[1]];
    for (size_t i = 0; i < (size_t)plan->batch * elements_of(&node->shape); i++) {
        plan->values[index][i] = a[i] + b[i];
    }
}

static void add_backward(nn_plan *plan, const nn_node *node, int index)
{
    for (int side = 0; side < 2; side++) {
        real *gx = plan->gradients[node->inputs[side]];
        for (size_t i = 0; gx && i < (size_t)plan->batch * elements_of(&node->shape); i++) {
            gx[i] += plan->gradients[index][i];
        }
    }
}

/* Pooling of one plane: y = mean of each window, or back: gx += gy / window. The windows of NN_MEAN
 * are the whole plane. */
static void pool_plane(const nn_shape *in, const nn_shape *out, int height, int width,
                       const real *x, real *y)
{
    for (int i = 0; i < out->height * out->width; i++) {
        int oy = i / out->width, ox = i % out->width;
        double sum = 0;
        for (int iy = oy * height; iy < (oy + 1) * height; iy++) {
            for (int ix = ox * width; ix < (ox + 1) * width; ix++) {
                sum += (double)x[(size_t)iy * (size_t)in->width + (size_t)ix];
            }
        }
        y[i] = (real)(sum / ((double)height * width));
    }
}

static void pool_plane_backward(const nn_shape *in, const nn_shape *out, int height, int width,
                                const real *gy, real *gx)
{
    for (int i = 0; i < out->height * out->width; i++) {
        int oy = i / out->width, ox = i % out->width;
        real share = (real)((double)gy[i] / ((double)height * width));
        for (int iy = oy * height; iy < (oy + 1) * height; iy++) {
            for (int ix = ox * width; ix < (ox + 1) * width; ix++) {
                gx[(size_t)iy * (size_t)in->width + (size_t)ix] += share;
            }
        }
    }
}

static void pool_walk(nn_plan *plan, const nn_node *node, int index, bool back)
{
    const nn_shape *in = &input_of(plan, node)->shape;
    int height = node->kind == NN_MEAN ? in->height : node->kernel;
    int width = node->kind == NN_MEAN ? in->width : node->kernel;
    real **buffers = back ? plan->gradients : plan->values;
    for (int n = 0; n < plan->batch; n++) {
        for (int c = 0; c < in->channels; c++) {
            real *x = plane_at(buffers[node->inputs[0]], in, n, c);
            real *y = plane_at(buffers[index], &node->shape, n, c);
            if (back) {
                pool_plane_backward(in, &node->shape, height, width, y, x);
            } else {
                pool_plane(in, &node->shape, height, width, x, y);
            }
        }
    }
}

/* The channels around the copied ones stay as the plan was created: zero. */
static void pad_forward(nn_plan *plan, const nn_node *node, int index)
{
    const nn_shape *in = &input_of(plan, node)->shape;
    for (int n = 0; n < plan->batch; n++) {
        memcpy(plane_at(plan->values[index], &node->shape, n, node->before),
               plane_at(plan->values[node->inputs[0]], in, n, 0), elements_of(in) * sizeof(real));
    }
}

static void pad_backward(nn_plan *plan, const nn_node *node, int index)
{
    const nn_shape *in = &input_of(plan, node)->shape;
    for (int n = 0; n < plan->batch; n++) {
        const real *gy = plane_at(plan->gradients[index], &node->shape, n, node->before);
        real *gx = plane_at(plan->gradients[node->inputs[0]], in, n, 0);
        for (size_t i = 0; i < elements_of(in); i++) {
            gx[i] += gy[i];
        }
    }
}

/* y[i] = x[i], or back: x[i] += y[i]. */
static void concat_image(real *x, real *y, size_t count, bool back)
{
    for (size_t i = 0; i < count; i++) {
        if (back) {
            x[i] += y[i];
        } else {
            y[i] = x[i];
        }
    }
}

static void concat_walk(nn_plan *plan, const nn_node *node, int index, bool back)
{
    real **buffers = back ? plan->gradients : plan->values;
    for (int side = 0, first = 0; side < 2; side++) {
        const nn_shape *in = &plan->graph->nodes[node->inputs[side]].shape;
        real *x = buffers[node->inputs[side]];
        for (int n = 0; x && n < plan->batch; n++) {
            concat_image(plane_at(x, in, n, 0), plane_at(buffers[index], &node->shape, n, first),
                         elements_of(in), back);
        }
        first += in->channels;
    }
}

/* Every output that has an input: y = x, or back: gx += gy. The others stay as the plan was
 * created: zero. */
static void subsample_plane(const nn_node *node, const nn_shape *in, real *x, real *y, bool back)
{
    const nn_shape *out = &node->shape;
    for (int oy = 0; oy < out->height && oy * node->stride + node->shift < in->height; oy++) {
        real *row = x + (size_t)(oy * node->stride + node->shift) * (size_t)in->width;
        for (int ox = 0; ox < out->width && ox * node->stride + node->shift < in->width; ox++) {
            real *there = row + ox * node->stride + node->shift;
            real *here = y + (size_t)oy * (size_t)out->width + (size_t)ox;
            if (back) {
                *there += *here;
            } else {
                *here = *there;
            }
        }
    }
}

static void subsample_walk(nn_plan *plan, const nn_node *node, int index, bool back)
{
    const nn_shape *in = &input_of(plan, node)->shape;
    real **buffers = back ? plan->gradients : plan->values;
    for (int n = 0; n < plan->batch; n++) {
        for (int c = 0; c < in->channels; c++) {
            subsample_plane(node, in, plane_at(buffers[node->inputs[0]], in, n, c),
                            plane_at(buffers[index], &node->shape, n, c), back);
        }
    }
}

/* ---------------------------------------------------------------- random nodes */

static void random_forward(nn_plan *plan, const nn_node *node, int index)
{
    const size_t count = elements_of(&node->shape);
    const real *a = plan->values[node->inputs[0]];
    const real *b = node->kind == NN_MIX ? plan->values[node->inputs[1]] : NULL;
    for (size_t i = 0; i < (size_t)plan->batch * count; i++) {
        const double *factors = plan->factors[index][i / count].forward;
        plan->values[index][i] =
            (real)(factors[0] * (double)a[i] + (b ? factors[1] * (double)b[i] : 0));
    }
}

static void random_backward(nn_plan *plan, const nn_node *node, int index)
{
    const size_t count = elements_of(&node->shape);
    for (int side = 0; side < 2 && node->inputs[side] != NN_NONE; side++) {
        real *gx = plan->gradients[node->inputs[side]];
        for (size_t i = 0; gx && i < (size_t)plan->batch * count; i++) {
            double factor = plan->factors[index][i / count].backward[side];
            gx[i] = (real)((double)gx[i] + factor * (double)plan->gradients[index][i]);
        }
    }
}

/* --------------------------------------------------------- fully connected */

static void linear_forward(nn_plan *plan, const nn_node *node, int index)
{
    const size_t in = elements_of(&input_of(plan, node)->shape), out = elements_of(&node->shape);
    const real *weights = plan->weights + offset_of(plan, node, 0);
    const real *bias = plan->weights + offset_of(plan, node, 1);
    for (size_t i = 0; i < (size_t)plan->batch * out; i++) {
        const real *x = plan->values[node->inputs[0]] + i / out * in;
        const real *w = weights + i % out * in;
        double sum = (double)bias[i % out];
        for (size_t k = 0; k < in; k++) {
            sum += (double)w[k] * (double)x[k];
        }
        plan->values[index][i] = (real)sum;
    }
}

static void linear_backward_weights(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    const size_t in = elements_of(&input_of(plan, node)->shape), out = elements_of(&node->shape);
    for (size_t o = 0; o < out; o++) {
        double bias = 0;
        memset(plan->sums, 0, in * sizeof(double));
        for (size_t n = 0; n < (size_t)plan->batch; n++) {
            const real *x = plan->values[node->inputs[0]] + n * in;
            const double g = (double)plan->gradients[index][n * out + o];
            bias += g;
            for (size_t k = 0; k < in; k++) {
                plan->sums[k] += g * (double)x[k];
            }
        }
        gradient[offset_of(plan, node, 1) + o] = (real)bias;
        for (size_t k = 0; k < in; k++) {
            gradient[offset_of(plan, node, 0) + o * in + k] = (real)plan->sums[k];
        }
    }
}

static void linear_backward(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    linear_backward_weights(plan, node, index, gradient);
    if (plan->gradients[node->inputs[0]] == NULL) {
        return;
    }
    const size_t in = elements_of(&input_of(plan, node)->shape), out = elements_of(&node->shape);
    const real *weights = plan->weights + offset_of(plan, node, 0);
    for (size_t i = 0; i < (size_t)plan->batch * in; i++) {
        double sum = 0;
        for (size_t o = 0; o < out; o++) {
            sum +=
                (double)plan->gradients[index][i / in * out + o] * (double)weights[o * in + i % in];
        }
        real *gx = plan->gradients[node->inputs[0]] + i;
        *gx = (real)((double)*gx + sum);
    }
}

/* -------------------------------------------------------------------- plan */

static void node_forward(nn_plan *plan, const nn_node *node, int index, real *running)
{
    switch (node->kind) {
    case NN_INPUT:
        break;
    case NN_CONV:
        conv_forward(plan, node, index);
        break;
    case NN_NORM:
        norm_forward(plan, node, index, running);
        break;
    case NN_RELU:
        relu_forward(plan, node, index);
        break;
    case NN_ADD:
        add_forward(plan, node, index);
        break;
    case NN_POOL:
    case NN_MEAN:
        pool_walk(plan, node, index, false);
        break;
    case NN_PAD:
        pad_forward(plan, node, index);
        break;
    case NN_LINEAR:
        linear_forward(plan, node, index);
        break;
    case NN_SUBSAMPLE:
        subsample_walk(plan, node, index, false);
        break;
    case NN_CONCAT:
        concat_walk(plan, node, index, false);
        break;
    case NN_MIX:
    case NN_SCALE:
        random_forward(plan, node, index);
        break;
    }
}

static void node_backward(nn_plan *plan, const nn_node *node, int index, real *gradient)
{
    switch (node->kind) {
    case NN_CONV:
        conv_backward(plan, node, index, gradient);
        return;
    case NN_NORM:
        norm_backward(plan, node, index, gradient);
        return;
    case NN_LINEAR:
        linear_backward(plan, node, index, gradient);
        return;
    case NN_ADD:
        add_backward(plan, node, index);
        return;
    case NN_CONCAT:
        concat_walk(plan, node, index, true);
        return;
    case NN_MIX:
    case NN_SCALE:
        random_backward(plan, node, index);
        return;
    default:
        break;
    }
    if (node->kind == NN_INPUT || plan->gradients[node->inputs[0]] == NULL) {
        return;
    }
    if (node->kind == NN_RELU) {
        relu_backward(plan, node, index);
    } else if (node->kind == NN_PAD) {
        pad_backward(plan, node, index);
    } else if (node->kind == NN_SUBSAMPLE) {
        subsample_walk(plan, node, index, true);
    } else {
        pool_walk(plan, node, index, true);
    }
}

static void *reference_new(nn_plan *plan, size_t count, size_t size)
{
    void *block = arena_new(plan->arena, count, size);
    plan->bytes += block != NULL ? count * size : 0;
    return block;
}

static bool reference_node_buffers(nn_plan *plan, int index)
{
    const nn_node *node = &plan->graph->nodes[index];
    size_t count = (size_t)plan->batch * elements_of(&node->shape);
    size_t channels = (size_t)node->shape.channels;
    plan->values[index] = reference_new(plan, count, sizeof(real));
    bool done = plan->values[index] != NULL;
    if (done && plan->training && node->kind != NN_INPUT) {
        plan->gradients[index] = reference_new(plan, count, sizeof(real));
        done = plan->gradients[index] != NULL;
    }
    if (done && node->kind == NN_NORM) {
        plan->means[index] = reference_new(plan, channels, sizeof(double));
        plan->inverses[index] = reference_new(plan, channels, sizeof(double));
        done = plan->means[index] != NULL && plan->inverses[index] != NULL;
    }
    if (done && nn_is_random(node)) {
        plan->factors[index] = reference_new(plan, (size_t)plan->batch, sizeof(nn_factors));
        done = plan->factors[index] != NULL;
    }
    return done;
}

/* The longest row of sums that any node asks for: a plane, or the inputs of a linear node. */
static size_t reference_sums(const nn_graph *graph)
{
    size_t most = 0;
    for (int i = 0; i < graph->node_count; i++) {
        const nn_shape *shape = &graph->nodes[i].shape;
        most = plane_of(shape) > most ? plane_of(shape) : most;
        most = (size_t)shape->channels > most ? (size_t)shape->channels : most;
    }
    return most;
}

static bool reference_buffers(nn_plan *plan)
{
    const nn_graph *graph = plan->graph;
    const size_t nodes = (size_t)graph->node_count;
    plan->weights = reference_new(plan, graph->trainable, sizeof(real));
    plan->running = reference_new(plan, graph->running, sizeof(real));
    plan->values = reference_new(plan, nodes, sizeof(real *));
    plan->gradients = reference_new(plan, nodes, sizeof(real *));
    plan->means = reference_new(plan, nodes, sizeof(double *));
    plan->inverses = reference_new(plan, nodes, sizeof(double *));
    plan->factors = reference_new(plan, nodes, sizeof(nn_factors *));
    plan->sums = reference_new(plan, reference_sums(graph), sizeof(double));
    bool done = plan->weights && plan->running && plan->values && plan->gradients && plan->means &&
                plan->inverses && plan->factors && plan->sums;
    for (int i = 0; done && i < graph->node_count; i++) {
        done = reference_node_buffers(plan, i);
    }
    return done;
}

static void reference_factors(nn_plan *plan, const nn_draw *draw)
{
    for (int i = 0; i < plan->graph->node_count; i++) {
        if (plan->factors[i] != NULL) {
            nn_draw_factors(plan->graph, i, plan->batch, draw, plan->factors[i]);
        }
    }
}

static void reference_draw(nn_plan *plan, const nn_draw *draw)
{
    if (plan->training) {
        reference_factors(plan, draw);
    }
}

static void reference_plan_free(nn_plan *plan)
{
    if (plan != NULL) {
        arena_free(plan->arena);
        free(plan);
    }
}

static pba_status reference_plan_create(const nn_graph *graph, int batch, bool training,
                                        nn_plan **plan)
{
    *plan = NULL;
    if (batch < 1) {
        return status_set(PBA_USAGE, "batch %d: must be at least 1", batch);
    }
    nn_plan *fresh = memory_new(1, sizeof(nn_plan));
    if (fresh == NULL) {
        return PBA_MEMORY;
    }
    fresh->arena = arena_create();
    fresh->graph = graph;
    fresh->batch = batch;
    fresh->training = training;
    if (fresh->arena == NULL || !reference_buffers(fresh)) {
        reference_plan_free(fresh);
        return PBA_MEMORY;
    }
    const nn_draw zeros = {0};
    reference_factors(fresh, training ? &zeros : NULL);
    *plan = fresh;
    return PBA_OK;
}

static size_t reference_plan_bytes(const nn_plan *plan)
{
    return sizeof *plan + plan->bytes;
}

static void *reference_input(nn_plan *plan)
{
    return plan->values[0];
}

static pba_status reference_load(nn_plan *plan, const void *block)
{
    const nn_graph *graph = plan->graph;
    memcpy(plan->weights, block, graph->trainable * sizeof(real));
    memcpy(plan->running, (const real *)block + 2 * graph->trainable,
           graph->running * sizeof(real));
    return PBA_OK;
}

static pba_status reference_forward(nn_plan *plan, void *block, const void **logits)
{
    const nn_graph *graph = plan->graph;
    real *running = block ? (real *)block + 2 * graph->trainable : NULL;
    for (int i = 0; i < graph->node_count; i++) {
        node_forward(plan, &graph->nodes[i], i, running);
    }
    *logits = plan->values[graph->node_count - 1];
    return PBA_OK;
}

static pba_status reference_backward(nn_plan *plan, const void *logit_gradient, void *gradient)
{
    const nn_graph *graph = plan->graph;
    const int last = graph->node_count - 1;
    if (!plan->training) {
        return status_set(PBA_INTERNAL, "backward: the plan was made for evaluation");
    }
    memset(gradient, 0, graph->trainable * sizeof(real));
    for (int i = 0; i <= last; i++) {
        size_t count = (size_t)plan->batch * elements_of(&graph->nodes[i].shape);
        if (plan->gradients[i] != NULL) {
            memset(plan->gradients[i], 0, count * sizeof(real));
        }
    }
    if (plan->gradients[last] != NULL) {
        memcpy(plan->gradients[last], logit_gradient,
               (size_t)plan->batch * elements_of(&graph->nodes[last].shape) * sizeof(real));
    }
    for (int i = last; i >= 0; i--) {
        node_backward(plan, &graph->nodes[i], i, gradient);
    }
    return PBA_OK;
}

const nn_backend REFERENCE_BACKEND = {
    .name = REFERENCE_NAME,
    .sentence = REFERENCE_SENTENCE,
    .real = sizeof(real),
    .plan_create = reference_plan_create,
    .plan_free = reference_plan_free,
    .plan_bytes = reference_plan_bytes,
    .input = reference_input,
    .load = reference_load,
    .draw = reference_draw,
    .forward = reference_forward,
    .backward = reference_backward,
};
