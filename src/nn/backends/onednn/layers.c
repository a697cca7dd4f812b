/* SPDX-License-Identifier: Apache-2.0
 *
 * Pooling, ReLU, the fully connected layer. */
#include "nn/backends/onednn/plan.h"

/* ------------------------------------------------------------------ pooling, relu */
void onednn_pool_forward(nn_plan *plan, int number, const dnnl_dims_t kernel)
{
    static const dnnl_dims_t none = {0, 0};
    node_plan *self = &plan->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    dnnl_memory_desc_t target = onednn_shaped(plan, number);
    dnnl_pooling_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_pooling_forward_desc_init(
                         &operation, onednn_direction(plan), dnnl_pooling_avg_exclude_padding,
                         &input->layout, &target, kernel, kernel, none, none),
                     "describing a pooling")) {
        return;
    }
    self->forward = onednn_described(plan, &operation, NULL, "a pooling");
    if (self->forward) {
        target = onednn_wanted(self->forward, dnnl_query_dst_md);
        self->value = onednn_tensor_new(plan, &target);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                                  {DNNL_ARG_DST, self->value.memory}};
        onednn_run_step(plan, &plan->forward, self->forward, args, COUNT(args));
    }
}

tensor onednn_pool_backward(nn_plan *plan, int number, const tensor *gradient,
                            const dnnl_dims_t kernel)
{
    static const dnnl_dims_t none = {0, 0};
    const tensor *input = onednn_input_of(plan, number);
    dnnl_pooling_desc_t operation;
    tensor result = {0};
    if (!onednn_good(plan,
                     dnnl_pooling_backward_desc_init(&operation, dnnl_pooling_avg_exclude_padding,
                                                     &input->layout, &gradient->layout, kernel,
                                                     kernel, none, none),
                     "describing a pooling's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        onednn_described(plan, &operation, plan->nodes[number].forward, "a pooling's gradient");
    result = onednn_tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                              {DNNL_ARG_DIFF_SRC, result.memory}};
    onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
    dnnl_primitive_desc_destroy(desc);
    return result;
}

void onednn_relu_forward(nn_plan *plan, int number)
{
    node_plan *self = &plan->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    dnnl_eltwise_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_eltwise_forward_desc_init(&operation, onednn_direction(plan),
                                                    dnnl_eltwise_relu, &input->layout, 0, 0),
                     "describing a relu")) {
        return;
    }
    self->forward = onednn_described(plan, &operation, NULL, "a relu");
    self->value = onednn_tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory}, {DNNL_ARG_DST, self->value.memory}};
    onednn_run_step(plan, &plan->forward, self->forward, args, COUNT(args));
}

tensor onednn_relu_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const tensor *input = onednn_value_again(plan, plan->graph->nodes[number].inputs[0]);
    dnnl_eltwise_desc_t operation;
    tensor result = {0};
    if (!onednn_good(plan,
                     dnnl_eltwise_backward_desc_init(&operation, dnnl_eltwise_relu,
                                                     &gradient->layout, &input->layout, 0, 0),
                     "describing a relu's gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc =
        onednn_described(plan, &operation, plan->nodes[number].forward, "a relu's gradient");
    result = onednn_tensor_new(plan, &input->layout);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input->memory},
                              {DNNL_ARG_DIFF_DST, gradient->memory},
                              {DNNL_ARG_DIFF_SRC, result.memory}};
    onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
    dnnl_primitive_desc_destroy(desc);
    return result;
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
    return (linear_shape){onednn_any(4, source, dnnl_f32), onednn_any(4, weights, dnnl_f32),
                          onednn_plain(1, bias), onednn_plain(2, target)};
}

void onednn_linear_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    node_plan *self = &plan->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_inner_product_forward_desc_init(&operation, onednn_direction(plan),
                                                          &layouts.source, &layouts.weights,
                                                          &layouts.bias, &layouts.target),
                     "describing a fully connected layer")) {
        return;
    }
    self->forward = onednn_described(plan, &operation, NULL, "a fully connected layer");
    if (!self->forward) {
        return;
    }
    dnnl_memory_desc_t source = onednn_wanted(self->forward, dnnl_query_src_md);
    dnnl_memory_desc_t weights = onednn_wanted(self->forward, dnnl_query_weights_md);
    tensor input = onednn_tensor_as(plan, &plan->forward, onednn_input_of(plan, number), &source);
    tensor weight = onednn_weight_in(plan, node->tensors[0], &weights);
    self->value = onednn_tensor_new(plan, &layouts.target);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input.memory},
        {DNNL_ARG_WEIGHTS, weight.memory},
        {DNNL_ARG_BIAS, onednn_parameter(plan, node->tensors[1], false, 1).memory},
        {DNNL_ARG_DST, self->value.memory}};
    onednn_run_step(plan, &plan->forward, self->forward, args, COUNT(args));
    onednn_tensor_release(&input);
}

void onednn_linear_backward_weights(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_inner_product_backward_weights_desc_init(&operation, &layouts.source,
                                                                   &layouts.weights, &layouts.bias,
                                                                   &gradient->layout),
                     "describing a fully connected layer's weight gradient")) {
        return;
    }
    dnnl_primitive_desc_t desc = onednn_described(plan, &operation, plan->nodes[number].forward,
                                                  "a fully connected layer's weight gradient");
    if (desc) {
        dnnl_memory_desc_t source = onednn_wanted(desc, dnnl_query_src_md);
        dnnl_memory_desc_t weights = onednn_wanted(desc, dnnl_query_diff_weights_md);
        tensor input = onednn_tensor_as(plan, &plan->backward,
                                        onednn_value_again(plan, node->inputs[0]), &source);
        tensor target, written = onednn_gradient_out(plan, node->tensors[0], &weights, &target);
        dnnl_exec_arg_t args[] = {
            {DNNL_ARG_SRC, input.memory},
            {DNNL_ARG_DIFF_DST, gradient->memory},
            {DNNL_ARG_DIFF_WEIGHTS, written.memory},
            {DNNL_ARG_DIFF_BIAS, onednn_parameter(plan, node->tensors[1], true, 1).memory}};
        onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
        onednn_finish_gradient(plan, &written, &target);
        onednn_tensor_release(&input);
    }
    dnnl_primitive_desc_destroy(desc);
}

tensor onednn_linear_backward_data(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    linear_shape layouts = linear_layouts(plan, number);
    dnnl_inner_product_desc_t operation;
    tensor result = {0};
    if (!onednn_good(plan,
                     dnnl_inner_product_backward_data_desc_init(
                         &operation, &layouts.source, &layouts.weights, &gradient->layout),
                     "describing a fully connected layer's data gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc = onednn_described(plan, &operation, plan->nodes[number].forward,
                                                  "a fully connected layer's data gradient");
    if (desc) {
        dnnl_memory_desc_t source = onednn_wanted(desc, dnnl_query_diff_src_md);
        dnnl_memory_desc_t weights = onednn_wanted(desc, dnnl_query_weights_md);
        tensor weight = onednn_weight_in(plan, node->tensors[0], &weights);
        tensor written = onednn_tensor_new(plan, &source);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                                  {DNNL_ARG_WEIGHTS, weight.memory},
                                  {DNNL_ARG_DIFF_SRC, written.memory}};
        onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
        result = onednn_tensor_as(plan, &plan->backward, &written,
                                  &onednn_input_of(plan, number)->layout);
        onednn_tensor_release(&written);
    }
    dnnl_primitive_desc_destroy(desc);
    return result;
}
