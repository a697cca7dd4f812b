/* SPDX-License-Identifier: Apache-2.0
 *
 * What oneDNN has no primitive for: channels padded, joined, subsampled, blended. Plain loops over
 * blocked layouts. */
#include "nn/backends/onednn/plan.h"

/* ------------------------------------------------------------------ channels */
static char *at(char *data, const walk *walk, int64_t number)
{
    return data + number * (int64_t)walk->size;
}

static char *channel_at(char *data, const walk *walk, int64_t image, int64_t channel)
{
    return at(data, walk,
              image * walk->image + channel / walk->block * walk->group + channel % walk->block);
}

/* `run` neighbouring channels of one image that lie in one block on both sides. */
static void copy_run(const char *source, const walk *from, char *target, const walk *to,
                     const dnnl_dim_t *sizes, int64_t run)
{
    for (int64_t y = 0; y < sizes[2]; y++) {
        for (int64_t x = 0; x < sizes[3]; x++) {
            memcpy(at(target, to, y * to->row + x * to->column),
                   at((char *)source, from, y * from->row + x * from->column),
                   (size_t)run * to->size);
        }
    }
}

void onednn_copy_channels(const step *step)
{
    walk from = onednn_walk_of(&step->source.layout), to = onednn_walk_of(&step->target.layout);
    char *source = step->source.buffer->data, *target = step->target.buffer->data;
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
            copy_run(channel_at(source, &from, n, a), &from, channel_at(target, &to, n, b), &to,
                     sizes, run);
        }
    }
}

/* A step that walks over channel blocks; NULL after a failure. */
static step *walk_step(nn_plan *plan, steps *list, step_kind kind, const tensor *source,
                       const tensor *target)
{
    step *fresh = plan->status == PBA_OK ? onednn_step_append(plan, list, kind) : NULL;
    if (!fresh) {
        return NULL;
    }
    if (!onednn_walkable(&source->layout) || !onednn_walkable(&target->layout)) {
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
    bool last = other->layout.format_desc.blocking.strides[1] == 1; /* channels last */
    int64_t block = onednn_walk_of(&other->layout).block;
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, 4, sizes, other->layout.data_type,
                                 last          ? dnnl_acdb
                                 : block == 16 ? dnnl_aBcd16b
                                 : block == 8  ? dnnl_aBcd8b
                                               : dnnl_abcd);
    return layout;
}

void onednn_pad_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    const tensor *input = onednn_input_of(plan, number);
    dnnl_memory_desc_t layout = layout_like(plan, number, input);
    plan->nodes[number].value = onednn_tensor_new(plan, &layout);
    channels_step(plan, &plan->forward, input, &plan->nodes[number].value, 0, node->before,
                  plan->graph->nodes[node->inputs[0]].shape.channels);
}

tensor onednn_pad_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    tensor result = onednn_tensor_new(plan, &onednn_input_of(plan, number)->layout);
    channels_step(plan, &plan->backward, gradient, &result, node->before, 0,
                  plan->graph->nodes[node->inputs[0]].shape.channels);
    return result;
}

void onednn_concat_forward(nn_plan *plan, int number)
{
    const nn_node *node = &plan->graph->nodes[number];
    dnnl_memory_desc_t layout = layout_like(plan, number, onednn_input_of(plan, number));
    tensor *value = &plan->nodes[number].value;
    *value = onednn_tensor_new(plan, &layout);
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

void onednn_concat_backward(nn_plan *plan, const nn_node *node, const tensor *gradient)
{
    for (int k = 0, first = 0; k < 2; k++) {
        int input = node->inputs[k], count = plan->graph->nodes[input].shape.channels;
        if (plan->nodes[input].learns) {
            tensor part = onednn_tensor_new(plan, &plan->nodes[input].value.layout);
            channels_step(plan, &plan->backward, gradient, &part, first, 0, count);
            onednn_give(plan, input, part);
        }
        first += count;
    }
}

/* ------------------------------------------------------------------ subsampling */
/* `run` neighbouring channels of one image: large (y*stride + shift, ...) to small (y, x), or back.
 */
static void subsample_run(const step *step, char *large, const walk *wide, char *small,
                          const walk *narrow, int64_t run)
{
    const dnnl_dim_t *in = (step->back ? &step->target : &step->source)->layout.dims;
    const dnnl_dim_t *out = (step->back ? &step->source : &step->target)->layout.dims;
    for (int64_t y = 0, ly = step->from; y < out[2] && ly < in[2]; y++, ly += step->stride) {
        for (int64_t x = 0, lx = step->from; x < out[3] && lx < in[3]; x++, lx += step->stride) {
            char *there = at(large, wide, ly * wide->row + lx * wide->column);
            char *here = at(small, narrow, y * narrow->row + x * narrow->column);
            memcpy(step->back ? there : here, step->back ? here : there,
                   (size_t)run * narrow->size);
        }
    }
}

void onednn_subsample(const step *step)
{
    const tensor *large = step->back ? &step->target : &step->source;
    const tensor *small = step->back ? &step->source : &step->target;
    walk wide = onednn_walk_of(&large->layout), narrow = onednn_walk_of(&small->layout);
    int64_t block = wide.block < narrow.block ? wide.block : narrow.block;
    const dnnl_dim_t *sizes = small->layout.dims;
    char *from = large->buffer->data, *to = small->buffer->data;
    memset(step->target.buffer->data, 0, dnnl_memory_desc_get_size(&step->target.layout));
    for (int64_t n = 0; n < sizes[0]; n++) {
        for (int64_t c = 0; c < sizes[1]; c += block) {
            subsample_run(step, channel_at(from, &wide, n, c), &wide, channel_at(to, &narrow, n, c),
                          &narrow, sizes[1] - c < block ? sizes[1] - c : block);
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

void onednn_subsample_forward(nn_plan *plan, int number)
{
    const tensor *input = onednn_input_of(plan, number);
    dnnl_memory_desc_t layout = layout_like(plan, number, input);
    plan->nodes[number].value = onednn_tensor_new(plan, &layout);
    subsample_step(plan, &plan->forward, &plan->graph->nodes[number], input,
                   &plan->nodes[number].value);
}

tensor onednn_subsample_backward(nn_plan *plan, int number, const tensor *gradient)
{
    tensor result = onednn_tensor_new(plan, &onednn_input_of(plan, number)->layout);
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

static float from_bf16(uint16_t number)
{
    uint32_t bits = (uint32_t)number << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even. */
static uint16_t to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
    return (uint16_t)(nan ? bits >> 16 | 0x40U : (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

static void blend_image_bf16(const uint16_t *a, float weight_a, const uint16_t *b, float weight_b,
                             uint16_t *out, size_t count)
{
    for (size_t i = 0; b && i < count; i++) {
        out[i] = to_bf16(weight_a * from_bf16(a[i]) + weight_b * from_bf16(b[i]));
    }
    for (size_t i = 0; !b && i < count; i++) {
        out[i] = to_bf16(weight_a * from_bf16(a[i]));
    }
}

void onednn_blend(const step *step)
{
    const dnnl_memory_desc_t *layout = &step->target.layout;
    size_t image = (size_t)layout->format_desc.blocking.strides[0];
    size_t size = onednn_walk_of(layout).size;
    const char *a = step->source.buffer->data;
    const char *b = step->other.memory ? step->other.buffer->data : NULL;
    char *out = step->target.buffer->data;
    for (int64_t n = 0; n < layout->dims[0]; n++) {
        const double *factors = step->back ? step->factors[n].backward : step->factors[n].forward;
        float weight_a = (float)factors[step->side], weight_b = (float)factors[1];
        size_t start = (size_t)n * image * size;
        const void *second = b ? b + start : NULL;
        if (layout->data_type == dnnl_bf16) {
            blend_image_bf16((const void *)(a + start), weight_a, second, weight_b,
                             (void *)(out + start), image);
        } else {
            blend_image((const void *)(a + start), weight_a, second, weight_b,
                        (void *)(out + start), image);
        }
    }
}

/* Images must lie one behind the other, padding included. */
static bool images_apart(const dnnl_memory_desc_t *layout)
{
    size_t image = (size_t)layout->format_desc.blocking.strides[0] * onednn_walk_of(layout).size;
    return layout->format_kind == dnnl_blocked &&
           dnnl_memory_desc_get_size(layout) == (size_t)layout->dims[0] * image;
}

static step *blend_step(nn_plan *plan, steps *list, int number, const tensor *source,
                        const tensor *target)
{
    step *fresh = plan->status == PBA_OK ? onednn_step_append(plan, list, STEP_BLEND) : NULL;
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
void onednn_random_forward(nn_plan *plan, int number)
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
    self->value = in_place ? first->value : onednn_tensor_new(plan, &first->value.layout);
    if (plan->status != PBA_OK) {
        return;
    }
    self->value.buffer->users += in_place;
    tensor second = {0};
    if (node->kind == NN_MIX) {
        second = onednn_tensor_as(plan, &plan->forward, &plan->nodes[node->inputs[1]].value,
                                  &first->value.layout);
    }
    step *fresh = blend_step(plan, &plan->forward, number, &first->value, &self->value);
    if (fresh) {
        fresh->other = second;
    }
    onednn_tensor_release(&second);
}

/* The gradient times the factors of an input; in place where nobody else reads it any more. */
static tensor random_scaled(nn_plan *plan, int number, int side, const tensor *gradient, bool last)
{
    bool in_place = last && gradient->buffer->users == 1;
    tensor scaled = in_place ? *gradient : onednn_tensor_new(plan, &gradient->layout);
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

void onednn_random_backward(nn_plan *plan, int number, const tensor *gradient)
{
    const nn_node *node = &plan->graph->nodes[number];
    for (int k = 0; k < 2 && node->inputs[k] != NN_NONE; k++) {
        node_plan *input = &plan->nodes[node->inputs[k]];
        if (plan->status == PBA_OK && input->learns) {
            bool last = k == 1 || node->inputs[1] == NN_NONE;
            tensor scaled = random_scaled(plan, number, k, gradient, last);
            onednn_give(plan, node->inputs[k],
                        onednn_tensor_as(plan, &plan->backward, &scaled, &input->value.layout));
            onednn_tensor_release(&scaled);
        }
    }
}

void onednn_fill_factors(nn_plan *plan, const nn_draw *draw)
{
    for (int i = 0; i < plan->graph->node_count; i++) {
        if (plan->nodes[i].factors) {
            nn_draw_factors(plan->graph, i, plan->batch, draw, plan->nodes[i].factors);
        }
    }
}
