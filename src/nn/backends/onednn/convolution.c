/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions, with the add behind one fused into it. */
#include "nn/backends/onednn/plan.h"

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

/* Winograd's F(4x4, 3x3) halves the multiplications of wide float32 layers and beyond; narrow ones
 * spend more on its transformations than they save. Only AVX-512 has it. */
static bool tries_winograd(const nn_plan *plan, const nn_node *node)
{
    int in = plan->graph->nodes[node->inputs[0]].shape.channels, out = node->shape.channels;
    return plan->type == dnnl_f32 && node->kernel == 3 && node->stride == 1 && in >= 32 &&
           out >= 32;
}

static dnnl_status_t forward_operation(const nn_plan *plan, int number, dnnl_prop_kind_t direction,
                                       dnnl_alg_kind_t algorithm, const tensor *shortcut,
                                       dnnl_convolution_desc_t *operation)
{
    const nn_node *node = &plan->graph->nodes[number];
    geometry shape = conv_geometry(plan, node);
    /* The image stays as it is; everything behind it is the convolution's choice. */
    bool image = plan->graph->nodes[node->inputs[0]].kind == NN_INPUT;
    dnnl_memory_desc_t source =
        image ? onednn_input_of(plan, number)->layout : onednn_shaped(plan, node->inputs[0]);
    dnnl_memory_desc_t weights = onednn_any(4, shape.weights, plan->type);
    dnnl_memory_desc_t target = shortcut ? shortcut->layout : onednn_shaped(plan, number);
    return dnnl_convolution_forward_desc_init(operation, direction, algorithm, &source, &weights,
                                              NULL, &target, shape.strides, shape.before,
                                              shape.after);
}

/* NULL where the processor has no such kernel. */
static dnnl_primitive_desc_t conv_winograd(nn_plan *plan, int number)
{
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = onednn_attributes(plan);
    if (attr && forward_operation(plan, number, onednn_direction(plan), dnnl_convolution_winograd,
                                  NULL, &operation) == dnnl_success) {
        dnnl_primitive_desc_create(&desc, &operation, attr, plan->engine, NULL);
    }
    dnnl_primitive_attr_destroy(attr);
    return desc;
}

static dnnl_primitive_desc_t conv_described(nn_plan *plan, int number, dnnl_prop_kind_t direction,
                                            const tensor *shortcut)
{
    dnnl_convolution_desc_t operation;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = onednn_attributes(plan);
    dnnl_post_ops_t post = NULL;
    if (shortcut && onednn_good(plan, dnnl_post_ops_create(&post), "creating post-ops")) {
        onednn_good(plan, dnnl_post_ops_append_binary(post, dnnl_binary_add, &shortcut->layout),
                    "appending an add");
        dnnl_primitive_attr_set_post_ops(attr, post);
    }
    if (onednn_good(plan,
                    forward_operation(plan, number, direction, dnnl_convolution_direct, shortcut,
                                      &operation),
                    "describing a convolution")) {
        onednn_good(plan, dnnl_primitive_desc_create(&desc, &operation, attr, plan->engine, NULL),
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

/* Evaluation of 1x1 convolutions knows no fused add (2.6): it then follows, in place.
 */
void onednn_conv_forward(nn_plan *plan, int number, int target, const tensor *shortcut)
{
    node_plan *self = &plan->nodes[number];
    const tensor *fused = shortcut;
    self->winograd = tries_winograd(plan, &plan->graph->nodes[number]);
    if (self->winograd) {
        self->forward = conv_winograd(plan, number);
        self->winograd = self->forward != NULL;
        fused = self->winograd ? NULL : shortcut;
    }
    if (!self->winograd) {
        self->forward = conv_described(plan, number, onednn_direction(plan), fused);
    }
    if (plan->status == PBA_OK && is_slow(self->forward)) {
        /* Kernels that are faster: without the add; for bfloat16 images of one channel those of
         * inference, which compute the same, since a convolution keeps nothing for its gradients. */
        dnnl_primitive_desc_destroy(self->forward);
        fused = NULL;
        self->forward = conv_described(plan, number, dnnl_forward_inference, NULL);
    }
    if (plan->status != PBA_OK) {
        return;
    }
    dnnl_memory_desc_t source = onednn_wanted(self->forward, dnnl_query_src_md);
    dnnl_memory_desc_t weights = onednn_wanted(self->forward, dnnl_query_weights_md);
    dnnl_memory_desc_t out = onednn_wanted(self->forward, dnnl_query_dst_md);
    tensor input = onednn_tensor_as(plan, &plan->forward, onednn_input_of(plan, number), &source);
    tensor weight = onednn_weight_in(plan, plan->graph->nodes[number].tensors[0], &weights);
    tensor value = onednn_tensor_new(plan, &out);
    dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, input.memory},
        {DNNL_ARG_WEIGHTS, weight.memory},
        {DNNL_ARG_DST, value.memory},
        {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, fused ? fused->memory : NULL}};
    onednn_run_step(plan, &plan->forward, self->forward, args, fused ? 4 : 3);
    if (shortcut && !fused) {
        onednn_add_step(plan, &plan->forward, &value, shortcut, &value);
    }
    onednn_tensor_release(&input);
    self->value.layout = value.layout; /* the gradient's, even where the value is the add's */
    plan->nodes[target].value = value;
}

/* AMX' kernel of oneDNN 2.6 then sums up scratch that nobody wrote; float32 has no such kernel. */
static dnnl_data_type_t weights_type(const nn_plan *plan, const nn_node *node)
{
    bool column = plan->graph->nodes[node->inputs[0]].shape.width == 1;
    return column && node->stride > 1 ? dnnl_f32 : plan->type;
}

/* The same numbers in another type; to be released. */
static tensor as_type(nn_plan *plan, const tensor *source, dnnl_data_type_t type)
{
    dnnl_memory_desc_t layout = source->layout;
    if (layout.data_type != type) {
        dnnl_memory_desc_init_by_tag(&layout, 4, source->layout.dims, type, dnnl_abcd);
    }
    return onednn_tensor_as(plan, &plan->backward, source, &layout);
}

/* The gradients follow the forward pass. */
static dnnl_alg_kind_t algorithm_of(const nn_plan *plan, int number)
{
    return plan->nodes[number].winograd ? dnnl_convolution_winograd : dnnl_convolution_direct;
}

static dnnl_primitive_desc_t weights_described(nn_plan *plan, int number, const tensor *input,
                                               const tensor *gradient)
{
    geometry shape = conv_geometry(plan, &plan->graph->nodes[number]);
    dnnl_memory_desc_t weights = onednn_any(4, shape.weights, dnnl_f32);
    dnnl_convolution_desc_t operation;
    if (!onednn_good(plan,
                     dnnl_convolution_backward_weights_desc_init(
                         &operation, algorithm_of(plan, number), &input->layout, &weights, NULL,
                         &gradient->layout, shape.strides, shape.before, shape.after),
                     "describing a convolution's weight gradient")) {
        return NULL;
    }
    return onednn_described(plan, &operation, plan->nodes[number].forward,
                            "a convolution's weight gradient");
}

void onednn_conv_backward_weights(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    dnnl_data_type_t type = weights_type(plan, node);
    tensor input = as_type(plan, onednn_value_again(plan, node->inputs[0]), type);
    tensor output = as_type(plan, gradient, type);
    dnnl_primitive_desc_t desc = weights_described(plan, number, &input, &output);
    if (desc) {
        dnnl_memory_desc_t layout = onednn_wanted(desc, dnnl_query_diff_weights_md);
        tensor target, written = onednn_gradient_out(plan, node->tensors[0], &layout, &target);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, input.memory},
                                  {DNNL_ARG_DIFF_DST, output.memory},
                                  {DNNL_ARG_DIFF_WEIGHTS, written.memory}};
        onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
        onednn_finish_gradient(plan, &written, &target);
    }
    dnnl_primitive_desc_destroy(desc);
    onednn_tensor_release(&input);
    onednn_tensor_release(&output);
}

tensor onednn_conv_backward_data(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    geometry shape = conv_geometry(plan, node);
    const dnnl_memory_desc_t *source = &onednn_input_of(plan, number)->layout;
    dnnl_memory_desc_t weights = onednn_any(4, shape.weights, plan->type);
    dnnl_convolution_desc_t operation;
    tensor result = {0};
    if (!onednn_good(plan,
                     dnnl_convolution_backward_data_desc_init(
                         &operation, algorithm_of(plan, number), source, &weights,
                         &gradient->layout, shape.strides, shape.before, shape.after),
                     "describing a convolution's data gradient")) {
        return result;
    }
    dnnl_primitive_desc_t desc = onednn_described(plan, &operation, plan->nodes[number].forward,
                                                  "a convolution's data gradient");
    if (desc) {
        dnnl_memory_desc_t layout = onednn_wanted(desc, dnnl_query_weights_md);
        tensor weight = onednn_weight_in(plan, node->tensors[0], &layout);
        result = onednn_tensor_new(plan, source);
        dnnl_exec_arg_t args[] = {{DNNL_ARG_DIFF_DST, gradient->memory},
                                  {DNNL_ARG_WEIGHTS, weight.memory},
                                  {DNNL_ARG_DIFF_SRC, result.memory}};
        onednn_run_step(plan, &plan->backward, desc, args, COUNT(args));
    }
    dnnl_primitive_desc_destroy(desc);
    return result;
}
