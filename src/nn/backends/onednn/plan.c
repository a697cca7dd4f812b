/* SPDX-License-Identifier: Apache-2.0
 *
 * What plans are made of: buffers, tensors, steps, reorders, parameters. */
#include "nn/backends/onednn/plan.h"

/* What a parallel region is to the OpenMP runtime that oneDNN was built with, whose threads are to
 * be used here too. Declared here, since another compiler's -fopenmp would ask for another runtime.
 */
extern void GOMP_parallel(void (*work)(void *), void *context, unsigned threads, unsigned flags);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);

/* The runtime is not instrumented: ThreadSanitizer is told that a region's work comes after what
 * its caller did before, and before what the caller does next. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RACES_WATCHED 1
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(RACES_WATCHED)
extern void __tsan_acquire(void *address);
extern void __tsan_release(void *address);
#else
#define __tsan_acquire(address) (void)(address)
#define __tsan_release(address) (void)(address)
#endif

/* ------------------------------------------------------------------ plumbing */
bool onednn_good(nn_plan *plan, dnnl_status_t code, const char *what)
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

typedef struct team {
    void (*work)(void *context, int part, int parts);
    void *context;
    int parts;
} team;

static void team_member(void *context)
{
    team *team = context;
    __tsan_acquire(team);
    int members = omp_get_num_threads(); /* fewer than there are parts, where the runtime says so */
    for (int part = omp_get_thread_num(); part < team->parts; part += members) {
        team->work(team->context, part, team->parts);
    }
    __tsan_release(&team->parts);
}

void onednn_parallel(int parts, void (*work)(void *context, int part, int parts), void *context)
{
    team team = {work, context, parts};
    if (parts == 1) {
        work(context, 0, 1);
    } else {
        __tsan_release(&team);
        GOMP_parallel(team_member, &team, (unsigned)parts, 0);
        __tsan_acquire(&team.parts);
    }
}

static void count_members(void *context)
{
    if (omp_get_thread_num() == 0) {
        *(int *)context = omp_get_num_threads();
    }
}

pba_status onednn_team_check(int threads)
{
    int members = 1;
    if (threads > 1) {
        GOMP_parallel(count_members, &members, (unsigned)threads, 0);
    }
    return members == threads
               ? PBA_OK
               : status_set(PBA_USAGE,
                            "threads: OpenMP gives a network %d of %d; unset OMP_THREAD_LIMIT, "
                            "OMP_MAX_ACTIVE_LEVELS and OMP_DYNAMIC",
                            members, threads);
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

void onednn_tensor_release(tensor *tensor)
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
    if (!entry || !onednn_good(plan, dnnl_memory_create(&entry->memory, layout, plan->engine, data),
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
tensor onednn_tensor_new(nn_plan *plan, const dnnl_memory_desc_t *layout)
{
    return tensor_make(plan, layout, false);
}

walk onednn_walk_of(const dnnl_memory_desc_t *layout)
{
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    int64_t whole = blocking->strides[1] == 1 ? layout->dims[1] : 1;
    return (walk){blocking->inner_nblks ? blocking->inner_blks[0] : whole,
                  blocking->strides[0],
                  blocking->strides[1],
                  blocking->strides[2],
                  blocking->strides[3],
                  layout->data_type == dnnl_bf16 ? sizeof(uint16_t) : sizeof(float)};
}

bool onednn_walkable(const dnnl_memory_desc_t *layout)
{
    const dnnl_blocking_desc_t *blocking = &layout->format_desc.blocking;
    return layout->format_kind == dnnl_blocked && layout->ndims == 4 &&
           (blocking->inner_nblks == 0 ||
            (blocking->inner_nblks == 1 && blocking->inner_idxs[0] == 1));
}

dnnl_memory_desc_t onednn_plain(int dims, const dnnl_dims_t sizes)
{
    static const dnnl_format_tag_t tags[] = {dnnl_format_tag_undef, dnnl_a, dnnl_ab, dnnl_abc,
                                             dnnl_abcd};
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, dims, sizes, dnnl_f32, tags[dims]);
    return layout;
}

dnnl_memory_desc_t onednn_any(int dims, const dnnl_dims_t sizes, dnnl_data_type_t type)
{
    dnnl_memory_desc_t layout;
    dnnl_memory_desc_init_by_tag(&layout, dims, sizes, type, dnnl_format_tag_any);
    return layout;
}

dnnl_memory_desc_t onednn_shaped(const nn_plan *plan, int node)
{
    const nn_shape *shape = &plan->graph->nodes[node].shape;
    dnnl_dims_t sizes = {plan->batch, shape->channels, shape->height, shape->width};
    return onednn_any(4, sizes, plan->type);
}

dnnl_memory_desc_t onednn_wanted(dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return *dnnl_primitive_desc_query_md(desc, what, 0);
}

dnnl_prop_kind_t onednn_direction(const nn_plan *plan)
{
    return plan->training ? dnnl_forward_training : dnnl_forward_inference;
}

const tensor *onednn_input_of(const nn_plan *plan, int number)
{
    return &plan->nodes[plan->graph->nodes[number].inputs[0]].value;
}

/* ------------------------------------------------------------------ steps */
step *onednn_step_append(nn_plan *plan, steps *list, step_kind kind)
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

dnnl_primitive_attr_t onednn_attributes(nn_plan *plan)
{
    dnnl_primitive_attr_t attr = NULL;
    if (onednn_good(plan, dnnl_primitive_attr_create(&attr), "creating attributes")) {
        onednn_good(plan, dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user),
                    "choosing the scratchpad");
    }
    return attr;
}

dnnl_primitive_desc_t onednn_described(nn_plan *plan, const void *operation,
                                       dnnl_primitive_desc_t hint, const char *what)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = plan->status == PBA_OK ? onednn_attributes(plan) : NULL;
    if (attr) {
        onednn_good(plan, dnnl_primitive_desc_create(&desc, operation, attr, plan->engine, hint),
                    what);
        dnnl_primitive_attr_destroy(attr);
    }
    return desc;
}

void onednn_run_step(nn_plan *plan, steps *list, dnnl_primitive_desc_t desc,
                     const dnnl_exec_arg_t *args, int count)
{
    step *fresh = plan->status == PBA_OK ? onednn_step_append(plan, list, STEP_PRIMITIVE) : NULL;
    if (!fresh || !onednn_good(plan, dnnl_primitive_create(&fresh->primitive, desc),
                               "creating a primitive")) {
        return;
    }
    memcpy(fresh->args, args, (size_t)count * sizeof *args);
    fresh->arg_count = count;
    dnnl_memory_desc_t scratch = onednn_wanted(desc, dnnl_query_scratchpad_md);
    size_t bytes = dnnl_memory_desc_get_size(&scratch);
    if (bytes) {
        dnnl_memory_t memory = memory_at(plan, &scratch, DNNL_MEMORY_NONE, true);
        fresh->args[fresh->arg_count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, memory};
        plan->scratch_bytes = bytes > plan->scratch_bytes ? bytes : plan->scratch_bytes;
    }
}

void onednn_reorder_step(nn_plan *plan, steps *list, const tensor *from, const tensor *to)
{
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_attr_t attr = plan->status == PBA_OK ? onednn_attributes(plan) : NULL;
    if (attr && onednn_good(plan,
                            dnnl_reorder_primitive_desc_create(&desc, &from->layout, plan->engine,
                                                               &to->layout, plan->engine, attr),
                            "describing a reorder")) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from->memory}, {DNNL_ARG_TO, to->memory}};
        onednn_run_step(plan, list, desc, args, COUNT(args));
        dnnl_primitive_desc_destroy(desc);
    }
    dnnl_primitive_attr_destroy(attr);
}

tensor onednn_tensor_as(nn_plan *plan, steps *list, const tensor *source,
                        const dnnl_memory_desc_t *layout)
{
    if (plan->status != PBA_OK || dnnl_memory_desc_equal(&source->layout, layout)) {
        if (source->buffer) {
            source->buffer->users++;
        }
        return *source;
    }
    tensor copy = onednn_tensor_new(plan, layout);
    onednn_reorder_step(plan, list, source, &copy);
    return copy;
}

tensor onednn_add_step(nn_plan *plan, steps *list, const tensor *a, const tensor *b,
                       const tensor *out)
{
    tensor target = out ? *out : onednn_tensor_new(plan, &a->layout);
    tensor second = onednn_tensor_as(plan, list, b, &a->layout);
    dnnl_binary_desc_t operation;
    if (plan->status == PBA_OK &&
        onednn_good(plan,
                    dnnl_binary_desc_init(&operation, dnnl_binary_add, &a->layout, &second.layout,
                                          &target.layout),
                    "describing an add")) {
        dnnl_primitive_desc_t desc = onednn_described(plan, &operation, NULL, "an add");
        dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC_0, a->memory},
                                  {DNNL_ARG_SRC_1, second.memory},
                                  {DNNL_ARG_DST, target.memory}};
        onednn_run_step(plan, list, desc, args, COUNT(args));
        dnnl_primitive_desc_destroy(desc);
    }
    onednn_tensor_release(&second);
    return target;
}

/* Where two parts meet they are added in place, but never in a buffer that others read too (an add
 * hands one to both inputs). */
void onednn_give(nn_plan *plan, int number, tensor more)
{
    tensor *gradient = &plan->nodes[number].gradient;
    if (plan->status != PBA_OK || !plan->nodes[number].learns) {
        onednn_tensor_release(&more);
        return;
    }
    if (!gradient->memory) {
        *gradient = more;
        return;
    }
    tensor *free_one = more.buffer->users == 1        ? &more
                       : gradient->buffer->users == 1 ? gradient
                                                      : NULL;
    tensor sum = onednn_add_step(plan, &plan->backward, gradient, &more, free_one);
    if (free_one != &more) {
        onednn_tensor_release(&more);
    }
    if (free_one != gradient) {
        onednn_tensor_release(gradient);
    }
    *gradient = sum;
}

/* ------------------------------------------------------------------ parameters */
tensor onednn_parameter(nn_plan *plan, int number, bool gradient, int dims)
{
    const nn_tensor *each = &plan->graph->tensors[number];
    dnnl_dims_t sizes = {1, 1, 1, 1};
    for (int i = 0; i < each->dims; i++) {
        sizes[i] = each->shape[i];
    }
    tensor result = {.layout = onednn_plain(dims, sizes)};
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

tensor onednn_weight_in(nn_plan *plan, int number, const dnnl_memory_desc_t *layout)
{
    tensor source = onednn_parameter(plan, number, false, layout->ndims);
    if (plan->status != PBA_OK || dnnl_memory_desc_equal(&source.layout, layout)) {
        return source;
    }
    tensor copy = tensor_make(plan, layout, true);
    onednn_reorder_step(plan, &plan->load, &source, &copy);
    return copy;
}

tensor onednn_gradient_out(nn_plan *plan, int number, const dnnl_memory_desc_t *layout,
                           tensor *target)
{
    *target = onednn_parameter(plan, number, true, layout->ndims);
    return dnnl_memory_desc_equal(&target->layout, layout) ? *target
                                                           : onednn_tensor_new(plan, layout);
}

void onednn_finish_gradient(nn_plan *plan, tensor *written, const tensor *target)
{
    if (plan->status == PBA_OK && written->memory != target->memory) {
        onednn_reorder_step(plan, &plan->backward, written, target);
    }
    onednn_tensor_release(written);
}
