/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of a plan's steps, and the boundary (backend.h). Must agree with reference.c. */
#include "nn/backends/onednn/plan.h"

extern int omp_get_max_threads(void); /* not <omp.h>: see plan.c */

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

/* Whether the gradient of such a node asks for the value of its input. */
static bool asks(nn_kind kind)
{
    return kind == NN_CONV || kind == NN_NORM || kind == NN_RELU || kind == NN_LINEAR;
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
            plan->nodes[node->inputs[k]].asked |= asks(node->kind);
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

/* No value is kept longer than somebody is still to read it; a norm's not for the backward pass,
 * which computes it again. The image stays. */
static void values_read(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int k = 0; k < 2 && node->inputs[k] != NN_NONE; k++) {
        node_plan *input = &plan->nodes[node->inputs[k]];
        nn_kind kind = plan->graph->nodes[node->inputs[k]].kind;
        bool kept = kind == NN_INPUT || (plan->training && input->asked && kind != NN_NORM);
        if (!--input->readers && !kept) {
            onednn_tensor_release(&input->value);
        }
    }
}

static void add_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int i = 0; i < 2; i++) {
        if (plan->nodes[node->inputs[i]].fused_into == number) {
            onednn_conv_forward(plan, node->inputs[i], number,
                                &plan->nodes[node->inputs[1 - i]].value);
            values_read(plan, node->inputs[i]);
            return;
        }
    }
    plan->nodes[number].value =
        onednn_add_step(plan, &plan->forward, &plan->nodes[node->inputs[0]].value,
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

/* The image is float32; a copy in bf16 where the plan computes in it, in the order of numbers that
 * the convolutions for that processor ask for. */
static void input_forward(nn_plan *plan)
{
    const nn_shape *shape = &plan->graph->nodes[0].shape;
    dnnl_dims_t sizes = {plan->batch, shape->channels, shape->height, shape->width};
    dnnl_memory_desc_t layout = onednn_plain(4, sizes);
    plan->image = onednn_tensor_new(plan, &layout);
    if (plan->type != dnnl_f32) {
        bool amx = dnnl_get_effective_cpu_isa() >= dnnl_cpu_isa_avx512_core_amx;
        dnnl_memory_desc_init_by_tag(&layout, 4, sizes, plan->type, amx ? dnnl_acdb : dnnl_abcd);
    }
    plan->nodes[0].value = onednn_tensor_as(plan, &plan->forward, &plan->image, &layout);
}

static void node_forward(nn_plan *plan, int number)
{
    dnnl_dims_t size = {0};
    switch (plan->graph->nodes[number].kind) {
    case NN_INPUT:
        input_forward(plan);
        break;
    case NN_CONV:
        onednn_conv_forward(plan, number, number, NULL);
        break;
    case NN_NORM:
        onednn_norm_forward(plan, number);
        break;
    case NN_RELU:
        onednn_relu_forward(plan, number);
        break;
    case NN_ADD:
        add_forward(plan, number);
        break;
    case NN_POOL:
    case NN_MEAN:
        onednn_pool_forward(plan, number, window(plan, number, size));
        break;
    case NN_PAD:
        onednn_pad_forward(plan, number);
        break;
    case NN_LINEAR:
        onednn_linear_forward(plan, number);
        break;
    case NN_SUBSAMPLE:
        onednn_subsample_forward(plan, number);
        break;
    case NN_CONCAT:
        onednn_concat_forward(plan, number);
        break;
    case NN_MIX:
    case NN_SCALE:
        onednn_random_forward(plan, number);
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
            onednn_give(plan, input,
                        onednn_tensor_as(plan, &plan->backward, gradient,
                                         &plan->nodes[input].value.layout));
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
        onednn_conv_backward_weights(plan, number, gradient);
    } else if (node->kind == NN_LINEAR) {
        onednn_linear_backward_weights(plan, number, gradient);
    } else if (node->kind == NN_ADD) {
        add_backward(plan, node, gradient);
    } else if (node->kind == NN_CONCAT) {
        onednn_concat_backward(plan, node, gradient);
    } else if (nn_is_random(node)) {
        onednn_random_backward(plan, number, gradient);
    } else if (node->kind == NN_NORM) { /* its own scale and shift need it in any case */
        onednn_norm_backward(plan, number, gradient);
    }
    if (!below) {
        return;
    }
    switch (node->kind) {
    case NN_CONV:
        onednn_give(plan, input, onednn_conv_backward_data(plan, number, gradient));
        break;
    case NN_LINEAR:
        onednn_give(plan, input, onednn_linear_backward_data(plan, number, gradient));
        break;
    case NN_RELU:
        onednn_give(plan, input, onednn_relu_backward(plan, number, gradient));
        break;
    case NN_POOL:
    case NN_MEAN:
        onednn_give(plan, input,
                    onednn_pool_backward(plan, number, gradient, window(plan, number, size)));
        break;
    case NN_PAD:
        onednn_give(plan, input, onednn_pad_backward(plan, number, gradient));
        break;
    case NN_SUBSAMPLE:
        onednn_give(plan, input, onednn_subsample_backward(plan, number, gradient));
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
    plan->logit_gradient = onednn_tensor_new(plan, &plan->logits.layout);
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
        onednn_tensor_release(&plan->nodes[i].gradient);
        if (plan->graph->nodes[i].kind == NN_NORM) {
            onednn_tensor_release(&plan->nodes[i].value);
        }
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
    onednn_good(plan, dnnl_engine_create(&plan->engine, dnnl_cpu, 0), "creating an engine");
    if (!onednn_good(plan,
                     dnnl_stream_create(&plan->stream, plan->engine, dnnl_stream_default_flags),
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
    onednn_fill_factors(plan, plan->training ? &zeros : NULL);
}

static pba_status create(const nn_graph *graph, int batch, bool training, dnnl_data_type_t type,
                         nn_plan **plan)
{
    *plan = NULL;
    if (batch < 1) {
        return status_set(PBA_USAGE, "batch %d: must be at least 1", batch);
    }
    pba_status status = training ? onednn_team_check(omp_get_max_threads()) : PBA_OK;
    nn_plan *fresh = status == PBA_OK ? memory_new(1, sizeof *fresh) : NULL;
    if (!fresh) {
        return status == PBA_OK ? PBA_MEMORY : status;
    }
    *fresh = (nn_plan){.graph = graph,
                       .batch = batch,
                       .training = training,
                       .type = type,
                       .threads = omp_get_max_threads(),
                       .kernels = nn_kernels_at(0)};
    compile(fresh);
    status = fresh->status;
    if (status != PBA_OK) {
        plan_free(fresh);
        return status;
    }
    *plan = fresh;
    return PBA_OK;
}

static pba_status plan_create(const nn_graph *graph, int batch, bool training, nn_plan **plan)
{
    return create(graph, batch, training, dnnl_f32, plan);
}

static pba_status plan_create_bf16(const nn_graph *graph, int batch, bool training, nn_plan **plan)
{
    return create(graph, batch, training, dnnl_bf16, plan);
}

static pba_status bf16_available(void)
{
    return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) ==
                   dnnl_cpu_isa_avx512_core_bf16
               ? PBA_OK
               : status_set(PBA_USAGE, "precision bf16: this processor has neither AVX512-BF16 nor "
                                       "AMX; use f32");
}

static size_t plan_bytes(const nn_plan *plan)
{
    return plan->bytes;
}

static void *plan_input(nn_plan *plan)
{
    return plan->image.buffer->data;
}

static dnnl_status_t execute_step(nn_plan *plan, const step *step)
{
    switch (step->kind) {
    case STEP_CHANNELS:
        onednn_copy_channels(step);
        return dnnl_success;
    case STEP_SUBSAMPLE:
        onednn_subsample(step);
        return dnnl_success;
    case STEP_BLEND:
        onednn_blend(step);
        return dnnl_success;
    case STEP_NORM:
        onednn_norm(plan, step);
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
        onednn_fill_factors(plan, draw);
    }
}

static pba_status plan_forward(nn_plan *plan, void *block, const void **logits)
{
    pba_status status = execute(plan, &plan->forward);
    for (int i = 0; status == PBA_OK && plan->training && i < plan->graph->node_count; i++) {
        if (plan->graph->nodes[i].kind == NN_NORM) {
            onednn_norm_update(plan, i, block);
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

/* The numbers at the boundary are float32 either way. */
#define ROW(NAME, SENTENCE, CREATE)                                                                \
    .name = (NAME), .sentence = (SENTENCE), .real = sizeof(float), .plan_create = (CREATE),        \
    .plan_free = plan_free, .plan_bytes = plan_bytes, .input = plan_input, .load = plan_load,      \
    .draw = plan_draw, .forward = plan_forward, .backward = plan_backward

const nn_backend nn_backend_onednn_bf16 = {
    ROW("onednn-bf16", "the same with activations in bf16", plan_create_bf16),
    .available = bf16_available,
};

const nn_backend nn_backend_onednn = {
    ROW("onednn", "oneDNN's kernels for the processor at hand, float32", plan_create),
    .bf16 = &nn_backend_onednn_bf16,
};
