/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch normalization, with the ReLU behind it: kernels of our own (nn/kernels), since those of
 * oneDNN 2.6 read their input three times, know no bf16 worth the name, and cannot add the gradient
 * that comes past a residual block. */
#include <math.h>

#include "nn/backends/onednn/plan.h"

static const double NORM_EPSILON = 1e-5;
static const float NORM_DECAY = 0.9F;

/* One norm of a plan. Vectors have a number per channel, in `padded` numbers of which those behind
 * the channels are 0; so are the channels that a layout adds, then. */
typedef struct norm_state {
    int channels;
    size_t padded, count; /* numbers per channel in a batch */
    bool relu;
    tensor gamma, beta, running_mean, running_variance; /* in the block; running: evaluation */
    tensor gamma_gradient, beta_gradient;
    float *mean, *variance, *scale, *shift, *slope, *offset;
    double *sums; /* of each thread: two vectors */
} norm_state;

static float *values_of(const tensor *parameter)
{
    void *data = NULL;
    dnnl_memory_get_data_handle(parameter->memory, &data);
    return data;
}

static norm_state *state_new(nn_plan *plan, const nn_node *node, const dnnl_memory_desc_t *layout)
{
    norm_state *state = arena_new(plan->arena, 1, sizeof *state);
    size_t block = (size_t)onednn_walk_of(layout).block;
    size_t padded = ((size_t)node->shape.channels + block - 1) / block * block + NN_VECTOR;
    float *vectors = arena_new(plan->arena, 6 * padded, sizeof *vectors);
    double *sums = arena_new(plan->arena, 2 * padded * (size_t)plan->threads, sizeof *sums);
    if (!state || !vectors || !sums) {
        plan->status = PBA_MEMORY;
        return NULL;
    }
    memset(vectors, 0, 6 * padded * sizeof *vectors);
    *state = (norm_state){.channels = node->shape.channels,
                          .padded = padded,
                          .count = (size_t)plan->batch * (size_t)node->shape.height *
                                   (size_t)node->shape.width,
                          .relu = node->relu,
                          .gamma = onednn_parameter(plan, node->tensors[0], false, 1),
                          .beta = onednn_parameter(plan, node->tensors[1], false, 1),
                          .mean = vectors,
                          .variance = vectors + padded,
                          .scale = vectors + 2 * padded,
                          .shift = vectors + 3 * padded,
                          .slope = vectors + 4 * padded,
                          .offset = vectors + 5 * padded,
                          .sums = sums};
    if (!plan->training) {
        state->running_mean = onednn_parameter(plan, node->tensors[2], false, 1);
        state->running_variance = onednn_parameter(plan, node->tensors[3], false, 1);
    }
    return state;
}

/* In place of the input where nobody else reads it: in evaluation, since a gradient asks for it. */
static tensor value_place(nn_plan *plan, int input)
{
    node_plan *source = &plan->nodes[input];
    bool in_place = !plan->training && plan->graph->nodes[input].kind != NN_INPUT &&
                    source->readers == 1 && source->value.buffer->users == 1;
    if (!in_place) {
        return onednn_tensor_new(plan, &source->value.layout);
    }
    source->value.buffer->users++;
    return source->value;
}

static step *norm_step(nn_plan *plan, steps *list, int number, const tensor *input,
                       const tensor *target)
{
    step *fresh = plan->status == PBA_OK ? onednn_step_append(plan, list, STEP_NORM) : NULL;
    if (fresh) {
        fresh->source = *input;
        fresh->target = *target;
        fresh->norm = plan->nodes[number].norm;
        fresh->back = list == &plan->backward;
    }
    return fresh;
}

void onednn_norm_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    if (!onednn_walkable(&input->layout)) {
        plan->status = status_set(PBA_INTERNAL, "onednn: a layout without plain channel blocks");
        return;
    }
    self->norm = state_new(plan, node, &input->layout);
    if (self->norm) {
        self->value = value_place(plan, node->inputs[0]);
        norm_step(plan, &plan->forward, number, input, &self->value);
    }
}

const tensor *onednn_value_again(nn_plan *plan, int number)
{
    node_plan *self = &plan->nodes[number];
    if (plan->status != PBA_OK || self->value.buffer ||
        plan->graph->nodes[number].kind != NN_NORM) {
        return &self->value;
    }
    const tensor *input = onednn_value_again(plan, plan->graph->nodes[number].inputs[0]);
    self->value = onednn_tensor_new(plan, &self->value.layout);
    step *fresh = norm_step(plan, &plan->backward, number, input, &self->value);
    if (fresh) {
        fresh->again = true;
    }
    return &self->value;
}

/* Where the gradient of the input goes: over what it is added to or over what it is made from,
 * unless others read that too. */
static tensor gradient_place(nn_plan *plan, const tensor *more, const tensor *gradient)
{
    const tensor *free_one = more->memory && more->buffer->users == 1 ? more
                             : gradient->buffer->users == 1           ? gradient
                                                                      : NULL;
    if (!free_one) {
        return onednn_tensor_new(plan, &gradient->layout);
    }
    free_one->buffer->users++;
    return *free_one;
}

void onednn_norm_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    norm_state *state = plan->nodes[number].norm;
    node_plan *input = &plan->nodes[node->inputs[0]];
    tensor none = {0};
    state->gamma_gradient = onednn_parameter(plan, node->tensors[0], true, 1);
    state->beta_gradient = onednn_parameter(plan, node->tensors[1], true, 1);
    bool same = dnnl_memory_desc_equal(&input->gradient.layout, &gradient->layout);
    tensor more = input->learns && input->gradient.memory && same ? input->gradient : none;
    tensor target = input->learns ? gradient_place(plan, &more, gradient) : none;
    const tensor *value = onednn_value_again(plan, node->inputs[0]);
    step *fresh = norm_step(plan, &plan->backward, number, value, &target);
    if (fresh) {
        fresh->other = *gradient;
        fresh->more = more;
    }
    if (more.memory) { /* what is given below holds it */
        onednn_tensor_release(&input->gradient);
        input->gradient = none;
    }
    if (target.memory) {
        onednn_give(plan, node->inputs[0], target);
    }
}

/* ------------------------------------------------------------------ at work */

typedef struct norm_job {
    const nn_plan *plan;
    const step *step;
    norm_state *state;
    nn_norm_terms norm;
    nn_panel panel;
    walk walk;
    int64_t groups;
    int parts; /* threads; one where meeting takes longer than the work */
} norm_job;

enum { SMALL_BYTES = 1 << 18 };

static norm_job job_of(const nn_plan *plan, const step *step)
{
    norm_state *state = step->norm;
    const dnnl_memory_desc_t *layout = &step->source.layout;
    walk walk = onednn_walk_of(layout);
    return (norm_job){
        .plan = plan,
        .step = step,
        .state = state,
        .norm = {state->mean, state->scale, state->shift, state->slope, state->offset, state->relu},
        .panel = {(size_t)(layout->dims[2] * layout->dims[3]), (size_t)walk.block,
                  walk.size == sizeof(uint16_t)},
        .walk = walk,
        .groups = (layout->dims[1] + walk.block - 1) / walk.block,
        .parts = dnnl_memory_desc_get_size(layout) < SMALL_BYTES ? 1 : plan->threads};
}

static nn_norm_terms norm_from(const nn_norm_terms *norm, size_t channel)
{
    return (nn_norm_terms){norm->mean + channel,  norm->scale + channel,  norm->shift + channel,
                           norm->slope + channel, norm->offset + channel, norm->relu};
}

/* A panel of a tensor; NULL stays NULL. */
static void *panel_at(const norm_job *job, const tensor *tensor, int64_t image, int64_t group)
{
    int64_t place = image * job->walk.image + group * job->walk.group;
    return tensor->memory ? (char *)tensor->buffer->data + place * (int64_t)job->walk.size : NULL;
}

/* Calls `visit` for the panels of a part of the images. */
static void each_panel(const norm_job *job, int part, int parts,
                       void (*visit)(const norm_job *job, int part, int64_t image, int64_t group))
{
    int64_t batch = job->plan->batch;
    for (int64_t n = batch * part / parts; n < batch * (part + 1) / parts; n++) {
        for (int64_t g = 0; g < job->groups; g++) {
            visit(job, part, n, g);
        }
    }
}

static double *sums_at(const norm_job *job, int part, int64_t group)
{
    return job->state->sums + 2 * (size_t)part * job->state->padded +
           (size_t)group * job->panel.width;
}

static void visit_sums(const norm_job *job, int part, int64_t image, int64_t group)
{
    double *sums = sums_at(job, part, group);
    job->plan->kernels->sums(job->panel, panel_at(job, &job->step->source, image, group),
                             job->state->mean + (size_t)group * job->panel.width, sums,
                             sums + job->state->padded);
}

static void visit_norm(const norm_job *job, int part, int64_t image, int64_t group)
{
    nn_norm_terms norm = norm_from(&job->norm, (size_t)group * job->panel.width);
    job->plan->kernels->norm(job->panel, panel_at(job, &job->step->source, image, group), &norm,
                             panel_at(job, &job->step->target, image, group));
}

static void visit_gradient_sums(const norm_job *job, int part, int64_t image, int64_t group)
{
    nn_norm_terms norm = norm_from(&job->norm, (size_t)group * job->panel.width);
    double *sums = sums_at(job, part, group);
    job->plan->kernels->gradient_sums(job->panel, panel_at(job, &job->step->source, image, group),
                                      panel_at(job, &job->step->other, image, group), &norm, sums,
                                      sums + job->state->padded);
}

static void visit_gradient(const norm_job *job, int part, int64_t image, int64_t group)
{
    nn_norm_terms norm = norm_from(&job->norm, (size_t)group * job->panel.width);
    job->plan->kernels->gradient(job->panel, panel_at(job, &job->step->source, image, group),
                                 panel_at(job, &job->step->other, image, group), &norm,
                                 panel_at(job, &job->step->more, image, group),
                                 panel_at(job, &job->step->target, image, group));
}

static void part_sums(void *context, int part, int parts)
{
    each_panel(context, part, parts, visit_sums);
}

static void part_norm(void *context, int part, int parts)
{
    each_panel(context, part, parts, visit_norm);
}

static void part_gradient_sums(void *context, int part, int parts)
{
    each_panel(context, part, parts, visit_gradient_sums);
}

static void part_gradient(void *context, int part, int parts)
{
    each_panel(context, part, parts, visit_gradient);
}

/* The two sums of every channel, those of the threads added up into the first. */
static double *add_up(norm_job *job, void (*part)(void *context, int part, int parts))
{
    norm_state *state = job->state;
    memset(state->sums, 0, 2 * state->padded * (size_t)job->parts * sizeof *state->sums);
    onednn_parallel(job->parts, part, job);
    for (size_t i = 2 * state->padded; i < 2 * state->padded * (size_t)job->parts; i++) {
        state->sums[i % (2 * state->padded)] += state->sums[i];
    }
    return state->sums;
}

/* The first image's first number of every channel, as a guess of its mean. */
static void guess_means(const norm_job *job)
{
    for (int c = 0; c < job->state->channels; c++) {
        const char *panel = panel_at(job, &job->step->source, 0, c / job->walk.block);
        const char *number = panel + (size_t)(c % job->walk.block) * job->walk.size;
        uint32_t bits = 0;
        if (job->panel.bf16) {
            uint16_t half;
            memcpy(&half, number, sizeof half);
            bits = (uint32_t)half << 16;
        } else {
            memcpy(&bits, number, sizeof bits);
        }
        memcpy(&job->state->mean[c], &bits, sizeof bits);
    }
}

static void batch_statistics(norm_job *job)
{
    norm_state *state = job->state;
    guess_means(job);
    const double *sums = add_up(job, part_sums), *squares = sums + state->padded;
    for (int c = 0; c < state->channels; c++) {
        double mean = sums[c] / (double)state->count;
        state->mean[c] = (float)((double)state->mean[c] + mean);
        state->variance[c] = (float)fmax(squares[c] / (double)state->count - mean * mean, 0);
    }
}

static double inverse_deviation(const norm_state *state, int channel)
{
    return 1 / sqrt((double)state->variance[channel] + NORM_EPSILON);
}

static void norm_run_forward(norm_job *job)
{
    norm_state *state = job->state;
    if (job->plan->training) {
        batch_statistics(job);
    } else {
        size_t bytes = (size_t)state->channels * sizeof *state->mean;
        memcpy(state->mean, values_of(&state->running_mean), bytes);
        memcpy(state->variance, values_of(&state->running_variance), bytes);
    }
    const float *gamma = values_of(&state->gamma), *beta = values_of(&state->beta);
    for (int c = 0; c < state->channels; c++) {
        state->scale[c] = (float)((double)gamma[c] * inverse_deviation(state, c));
        state->shift[c] = beta[c];
    }
    onednn_parallel(job->parts, part_norm, job);
}

static void norm_run_backward(norm_job *job)
{
    norm_state *state = job->state;
    const double *sums = add_up(job, part_gradient_sums), *products = sums + state->padded;
    float *gamma = values_of(&state->gamma_gradient), *beta = values_of(&state->beta_gradient);
    for (int c = 0; c < state->channels; c++) {
        double inverse = inverse_deviation(state, c),
               share = (double)state->scale[c] / (double)state->count;
        beta[c] = (float)sums[c];
        gamma[c] = (float)(products[c] * inverse);
        state->offset[c] = (float)(share * sums[c]);
        state->slope[c] = (float)(share * products[c] * inverse * inverse);
    }
    if (job->step->target.memory) {
        onednn_parallel(job->parts, part_gradient, job);
    }
}

void onednn_norm(const nn_plan *plan, const step *step)
{
    norm_job job = job_of(plan, step);
    if (step->again) {
        onednn_parallel(job.parts, part_norm, &job);
    } else if (step->back) {
        norm_run_backward(&job);
    } else {
        norm_run_forward(&job);
    }
}

/* r = 0.9 r + 0.1 batch's; the variance is the unbiased one (times N/(N-1)). */
void onednn_norm_update(const nn_plan *plan, int number, float *block)
{
    const nn_node *node = &plan->graph->nodes[number];
    double count = (double)plan->batch * node->shape.height * node->shape.width;
    float unbias = count > 1 ? (float)(count / (count - 1)) : 1.0F;
    float *running = block + 2 * plan->graph->trainable;
    float *mean = running + plan->graph->tensors[node->tensors[2]].offset;
    float *variance = running + plan->graph->tensors[node->tensors[3]].offset;
    const float *batch_mean = plan->nodes[number].norm->mean;
    const float *batch_variance = plan->nodes[number].norm->variance;
    for (int c = 0; c < node->shape.channels; c++) {
        mean[c] = NORM_DECAY * mean[c] + (1 - NORM_DECAY) * batch_mean[c];
        variance[c] = NORM_DECAY * variance[c] + (1 - NORM_DECAY) * (batch_variance[c] * unbias);
    }
}
