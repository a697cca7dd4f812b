/* SPDX-License-Identifier: Apache-2.0
 * The convolutions and batch norms of a network through oneDNN alone: no data, no weights that
 * change, nothing between two primitives. What a trainer built on oneDNN can reach at most, and how
 * that scales from one to several at once. Only for Wide-ResNet and its like: nothing else counts.
 *
 *     primitives MODEL [BATCH [AT_ONCE [f32|bf16]]]
 *
 * One line: images a second of training (forward and backward) and of the forward pass, all
 * together, medians of five. Data lie in a few large buffers that are used in turn. */
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "nn/model.h"

extern void omp_set_num_threads(int threads);

enum { REPETITIONS = 5, BUFFERS = 8, STEPS_MAX = 4096, ARGS_MAX = 10, AT_ONCE_MAX = 256 };

typedef struct step {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[ARGS_MAX];
    int count;
    bool backward;
} step;

typedef struct bare {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    void *buffers[BUFFERS];
    size_t room;
    int next, count;
    step steps[STEPS_MAX];
} bare;

static int batch = 128, at_once = 1;
static dnnl_data_type_t type = dnnl_f32;
static nn_graph *graph;
static pthread_barrier_t barrier;
static double rates[2][AT_ONCE_MAX][REPETITIONS];

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "primitives: %s failed\n", what);
        exit(1);
    }
}

#define CHECK(call) need((call) == dnnl_success, #call)

static dnnl_memory_desc_t any(int dims, const dnnl_dims_t sizes)
{
    dnnl_memory_desc_t desc;
    CHECK(dnnl_memory_desc_init_by_tag(&desc, dims, sizes, type, dnnl_format_tag_any));
    return desc;
}

/* A memory of this layout in the next buffer. */
static dnnl_memory_t memory(bare *bare, const dnnl_memory_desc_t *desc)
{
    dnnl_memory_t result;
    need(dnnl_memory_desc_get_size(desc) <= bare->room, "a buffer's size");
    CHECK(dnnl_memory_create(&result, desc, bare->engine, bare->buffers[bare->next]));
    bare->next = (bare->next + 1) % BUFFERS;
    return result;
}

static dnnl_memory_t own(bare *bare, const dnnl_memory_desc_t *desc)
{
    dnnl_memory_t result;
    CHECK(dnnl_memory_create(&result, desc, bare->engine, DNNL_MEMORY_ALLOCATE));
    return result;
}

static dnnl_memory_desc_t of(dnnl_primitive_desc_t desc, dnnl_query_t what)
{
    return *dnnl_primitive_desc_query_md(desc, what, 0);
}

static void add(bare *bare, dnnl_primitive_desc_t desc, bool backward, int count,
                const dnnl_exec_arg_t *args)
{
    need(bare->count < STEPS_MAX, "room for primitives");
    step *step = &bare->steps[bare->count++];
    CHECK(dnnl_primitive_create(&step->primitive, desc));
    memcpy(step->args, args, (size_t)count * sizeof *args);
    step->count = count;
    step->backward = backward;
}

static dnnl_primitive_desc_t describe(bare *bare, const void *operation, dnnl_primitive_desc_t hint)
{
    dnnl_primitive_desc_t desc;
    CHECK(dnnl_primitive_desc_create(&desc, operation, NULL, bare->engine, hint));
    return desc;
}

static void convolution(bare *bare, const nn_node *node, bool first)
{
    const nn_shape *in = &graph->nodes[node->inputs[0]].shape, *out = &node->shape;
    dnnl_dims_t inputs = {batch, in->channels, in->height, in->width};
    dnnl_dims_t outputs = {batch, out->channels, out->height, out->width};
    dnnl_dims_t weights = {out->channels, in->channels, node->kernel, node->kernel};
    dnnl_dims_t strides = {node->stride, node->stride};
    dnnl_dims_t before = {node->pad_before, node->pad_left},
                after = {node->pad_after, node->pad_right};
    dnnl_memory_desc_t x = any(4, inputs), w = any(4, weights), y = any(4, outputs);
    dnnl_convolution_desc_t operation;
    CHECK(dnnl_convolution_forward_desc_init(&operation, dnnl_forward_training,
                                             dnnl_convolution_direct, &x, &w, NULL, &y, strides,
                                             before, after));
    dnnl_primitive_desc_t forward = describe(bare, &operation, NULL);
    x = of(forward, dnnl_query_src_md), y = of(forward, dnnl_query_dst_md);
    dnnl_memory_desc_t layout = of(forward, dnnl_query_weights_md);
    add(bare, forward, false, 3,
        (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, memory(bare, &x)},
                            {DNNL_ARG_WEIGHTS, own(bare, &layout)},
                            {DNNL_ARG_DST, memory(bare, &y)}});
    CHECK(dnnl_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, &x, &w,
                                                      NULL, &y, strides, before, after));
    dnnl_primitive_desc_t backward = describe(bare, &operation, forward);
    layout = of(backward, dnnl_query_diff_weights_md);
    add(bare, backward, true, 3,
        (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, memory(bare, &x)},
                            {DNNL_ARG_DIFF_DST, memory(bare, &y)},
                            {DNNL_ARG_DIFF_WEIGHTS, own(bare, &layout)}});
    if (first) {
        return;
    }
    CHECK(dnnl_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, &x, &w, &y,
                                                   strides, before, after));
    backward = describe(bare, &operation, forward);
    layout = of(backward, dnnl_query_weights_md);
    add(bare, backward, true, 3,
        (dnnl_exec_arg_t[]){{DNNL_ARG_DIFF_DST, memory(bare, &y)},
                            {DNNL_ARG_WEIGHTS, own(bare, &layout)},
                            {DNNL_ARG_DIFF_SRC, memory(bare, &x)}});
}

/* In the layout that convolutions choose for so many channels. */
static void norm(bare *bare, const nn_node *node)
{
    const nn_shape *shape = &node->shape;
    dnnl_dims_t sizes = {batch, shape->channels, shape->height, shape->width};
    dnnl_dims_t channels = {shape->channels};
    dnnl_memory_desc_t x, c;
    dnnl_batch_normalization_desc_t operation;
    unsigned flags = dnnl_use_scale | dnnl_use_shift | (node->relu ? dnnl_fuse_norm_relu : 0U);
    dnnl_format_tag_t tag =
        shape->channels % 16 == 0 && type == dnnl_f32 ? dnnl_nChw16c : dnnl_nhwc;
    CHECK(dnnl_memory_desc_init_by_tag(&x, 4, sizes, type, tag));
    CHECK(dnnl_memory_desc_init_by_tag(&c, 1, channels, dnnl_f32, dnnl_a));
    CHECK(dnnl_batch_normalization_forward_desc_init(&operation, dnnl_forward_training, &x, 1e-5F,
                                                     flags));
    dnnl_primitive_desc_t forward = describe(bare, &operation, NULL);
    dnnl_memory_desc_t work = of(forward, dnnl_query_workspace_md);
    dnnl_exec_arg_t mean = {DNNL_ARG_MEAN, own(bare, &c)},
                    variance = {DNNL_ARG_VARIANCE, own(bare, &c)};
    dnnl_exec_arg_t scale = {DNNL_ARG_SCALE, own(bare, &c)},
                    shift = {DNNL_ARG_SHIFT, own(bare, &c)};
    dnnl_exec_arg_t workspace = {DNNL_ARG_WORKSPACE, own(bare, &work)};
    int more = dnnl_memory_desc_get_size(&work) ? 1 : 0;
    add(bare, forward, false, 6 + more,
        (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, memory(bare, &x)},
                            {DNNL_ARG_DST, memory(bare, &x)},
                            mean,
                            variance,
                            scale,
                            shift,
                            workspace});
    CHECK(dnnl_batch_normalization_backward_desc_init(&operation, dnnl_backward, &x, &x, 1e-5F,
                                                      flags));
    dnnl_primitive_desc_t backward = describe(bare, &operation, forward);
    add(bare, backward, true, 9 + more,
        (dnnl_exec_arg_t[]){{DNNL_ARG_DIFF_DST, memory(bare, &x)},
                            {DNNL_ARG_DIFF_SRC, memory(bare, &x)},
                            {DNNL_ARG_SRC, memory(bare, &x)},
                            mean,
                            variance,
                            scale,
                            shift, /* 2.6 counts it */
                            {DNNL_ARG_DIFF_SCALE, own(bare, &c)},
                            {DNNL_ARG_DIFF_SHIFT, own(bare, &c)},
                            workspace});
}

static void compile(bare *bare)
{
    CHECK(dnnl_engine_create(&bare->engine, dnnl_cpu, 0));
    CHECK(dnnl_stream_create(&bare->stream, bare->engine, dnnl_stream_default_flags));
    for (int i = 0; i < graph->node_count; i++) {
        const nn_shape *shape = &graph->nodes[i].shape;
        size_t floats = (size_t)batch * (size_t)shape->height * (size_t)shape->width;
        size_t bytes = floats * (size_t)(shape->channels + 16) * sizeof(float);
        bare->room = bytes > bare->room ? bytes : bare->room;
    }
    for (int i = 0; i < BUFFERS; i++) {
        bare->buffers[i] = aligned_alloc(64, (bare->room + 63) / 64 * 64);
        need(bare->buffers[i] != NULL, "allocating");
        memset(bare->buffers[i], 0, bare->room);
    }
    for (int i = 0; i < graph->node_count; i++) {
        const nn_node *node = &graph->nodes[i];
        if (node->kind == NN_CONV) {
            convolution(bare, node, node->inputs[0] == 0);
        } else if (node->kind == NN_NORM) {
            norm(bare, node);
        }
    }
}

static double seconds(bare *bare, bool backward)
{
    double start = clock_now();
    for (int i = 0; i < bare->count; i++) {
        step *step = &bare->steps[i];
        if (backward || !step->backward) {
            CHECK(dnnl_primitive_execute(step->primitive, bare->stream, step->count, step->args));
        }
    }
    CHECK(dnnl_stream_wait(bare->stream));
    return clock_now() - start;
}

static void *work(void *argument)
{
    int index = *(int *)argument;
    bare *bare = calloc(1, sizeof *bare);
    need(bare != NULL, "allocating");
    omp_set_num_threads(1);
    compile(bare);
    seconds(bare, true);
    for (int i = 0; i < REPETITIONS; i++) {
        pthread_barrier_wait(&barrier);
        rates[0][index][i] = batch / seconds(bare, true);
        pthread_barrier_wait(&barrier);
        rates[1][index][i] = batch / seconds(bare, false);
    }
    return NULL; /* the process ends with it */
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(int which)
{
    double sums[REPETITIONS] = {0};
    for (int i = 0; i < REPETITIONS; i++) {
        for (int k = 0; k < at_once; k++) {
            sums[i] += rates[which][k][i];
        }
    }
    qsort(sums, REPETITIONS, sizeof *sums, ascending);
    return sums[REPETITIONS / 2];
}

int main(int argc, char **argv)
{
    pthread_t threads[AT_ONCE_MAX];
    int numbers[AT_ONCE_MAX];
    const char *model = argc > 1 ? argv[1] : "wrn-40-2";
    batch = argc > 2 ? atoi(argv[2]) : batch;
    at_once = argc > 3 ? atoi(argv[3]) : at_once;
    type = argc > 4 && strcmp(argv[4], "bf16") == 0 ? dnnl_bf16 : dnnl_f32;
    need(batch > 0 && at_once > 0 && at_once <= AT_ONCE_MAX, "reading the arguments");
    need(nn_model_build(model, 32, 32, 3, 10, &graph) == PBA_OK, pba_error_message());
    pthread_barrier_init(&barrier, NULL, (unsigned)at_once);
    for (int i = 0; i < at_once; i++) {
        numbers[i] = i;
        need(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0, "starting a thread");
    }
    for (int i = 0; i < at_once; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%s batch %d, %d at once: train %.1f img/s, forward %.1f img/s\n", model, batch, at_once,
           median(0), median(1));
    return 0;
}
