/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch normalization, with the ReLU behind it. */
#include "nn/backends/onednn/plan.h"

static const float NORM_EPSILON = 1e-5F;
static const float NORM_DECAY = 0.9F;

static unsigned norm_flags(const nn_plan *plan, const nn_node *node)
{
    return dnnl_use_scale | dnnl_use_shift | (node->relu ? dnnl_fuse_norm_relu : 0U) |
           (plan->training ? 0U : dnnl_use_global_stats);
}

static tensor norm_statistic(nn_plan *plan, const nn_node *node, int which)
{
    if (!plan->training) {
        return onednn_parameter(plan, node->tensors[which], false, 1);
    }
    dnnl_dims_t channels = {node->shape.channels};
    dnnl_memory_desc_t layout = onednn_plain(1, channels);
    return onednn_tensor_new(plan, &layout);
}

void onednn_norm_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    dnnl_batch_normalization_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_batch_normalization_forward_desc_init(&operation, onednn_direction(plan),
                                                                &input->layout, NORM_EPSILON,
                                                                norm_flags(plan, node)),
                     "describing a batch norm")) {
        return;
    }
    self->forward = onednn_described(plan, &operation, NULL, "a batch norm");
    if (!self->forward) {
        return;
    }
    self->mean = norm_statistic(plan, node, 2);
    self->variance = norm_statistic(plan, node, 3);
    dnnl_memory_desc_t workspace = onednn_wanted(self->forward, dnnl_query_workspace_md);
    if (dnnl_memory_desc_get_size(&workspace)) {
        self->workspace = onednn_tensor_new(plan, &workspace);
    }
    self->value = onednn_tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input->memory},
        {DNNL_ARG_DST, self->value.memory},
        {DNNL_ARG_SCALE, onednn_parameter(plan, node->tensors[0], false, 1).memory},
        {DNNL_ARG_SHIFT, onednn_parameter(plan, node->tensors[1], false, 1).memory},
        {DNNL_ARG_MEAN, self->mean.memory},
        {DNNL_ARG_VARIANCE, self->variance.memory},
        {DNNL_ARG_WORKSPACE, self->workspace.memory}};
    onednn_run_step(plan, &plan->forward, self->forward, args, self->workspace.memory ? 7 : 6);
}

tensor onednn_norm_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    dnnl_batch_normalization_desc_t operation;
    tensor result = {0};
    if (!onednn_good(plan,
                     dnnl_batch_normalization_backward_desc_init(
                         &operation, dnnl_backward, &input->layout, &input->layout, NORM_EPSILON,
                         norm_flags(plan, node)),
                     "describing a batch norm's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        onednn_described(plan, &operation, self->forward, "a batch norm's gradient");
    result = onednn_tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input->memory},
        {DNNL_ARG_DIFF_DST, gradient->memory},
        {DNNL_ARG_DIFF_SRC, result.memory},
        {DNNL_ARG_SCALE, onednn_parameter(plan, node->tensors[0], false, 1).memory},
        {DNNL_ARG_SHIFT,
         onednn_parameter(plan, node->tensors[1], false, 1).memory}, /* 2.6 counts it */
        {DNNL_ARG_DIFF_SCALE, onednn_parameter(plan, node->tensors[0], true, 1).memory},
        {DNNL_ARG_DIFF_SHIFT, onednn_parameter(plan, node->tensors[1], true, 1).memory},
        {DNNL_ARG_MEAN, self->mean.memory},
        {DNNL_ARG_VARIANCE, self->variance.memory},
        {DNNL_ARG_WORKSPACE, self->workspace.memory}};
    onednn_run_step(plan, &plan->backward, desc, args, self->workspace.memory ? 10 : 9);
    dnnl_primitive_desc_destroy(desc);
    return result;
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
    const float *batch_mean = plan->nodes[number].mean.buffer->data;
    const float *batch_variance = plan->nodes[number].variance.buffer->data;
    for (int c = 0; c < node->shape.channels; c++) {
        mean[c] = NORM_DECAY * mean[c] + (1 - NORM_DECAY) * batch_mean[c];
        variance[c] = NORM_DECAY * variance[c] + (1 - NORM_DECAY) * (batch_variance[c] * unbias);
    }
}
