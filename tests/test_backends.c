/* SPDX-License-Identifier: Apache-2.0
 * Every backend against the reference: logits, gradients, running statistics, evaluation, for each
 * kind of node and for whole networks. Differences are relative: max|a - b| / max|b|. */
#include "core/sanitized.h"
#include "networks.h"

#include "nn/optimizer.h"

#include <omp.h>

static const nn_backend *const others[] = {&nn_backend_onednn};

enum { OTHER_COUNT = sizeof others / sizeof others[0] };

/* A member on a backend: plans for training and evaluation, a block, a gradient. */
typedef struct side {
    const nn_backend *backend;
    nn_plan *train, *evaluate;
    float *block, *gradient;
    const float *logits;
    uint32_t step; /* of the draws */
} side;

static side side_create(const nn_backend *backend, const nn_graph *graph, int batch)
{
    side s = {.backend = backend, .block = network_block(graph, 5)};
    s.gradient = memory_aligned(graph->trainable, sizeof(float));
    assert_non_null(s.gradient);
    assert_int_equal(backend->real, sizeof(float));
    assert_ok(backend->plan_create(graph, batch, true, &s.train));
    assert_ok(backend->plan_create(graph, batch, false, &s.evaluate));
    assert_true(backend->plan_bytes(s.train) > 0 && backend->plan_bytes(s.evaluate) > 0);
    return s;
}

static void side_free(side *s)
{
    s->backend->plan_free(s->train);
    s->backend->plan_free(s->evaluate);
    free(s->block), free(s->gradient);
}

static void side_forward(side *s, nn_plan *plan, const float *images, size_t count)
{
    const void *logits;
    assert_ok(s->backend->load(plan, s->block));
    s->backend->draw(plan, &(nn_draw){.seed = 5, .member = 1, .step = s->step});
    memcpy(s->backend->input(plan), images, count * sizeof(float));
    assert_ok(s->backend->forward(plan, s->block, &logits));
    s->logits = logits;
}

/* max|a - b| / max|b| */
static double distance(const char *name, const char *what, const float *a, const float *b,
                       size_t count)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)b[i]));
        difference = fmax(difference, fabs((double)a[i] - (double)b[i]));
        if (!isfinite(a[i]) || !isfinite(b[i])) {
            fail_msg("%s: %s: number %zu is not finite", name, what, i);
        }
    }
    return difference > 0 ? difference / largest : 0;
}

static void check_close(const char *name, const char *what, const float *a, const float *b,
                        size_t count, double tolerance)
{
    double found = distance(name, what, a, b, count);
    if (!(found <= tolerance)) {
        fail_msg("%s: %s: relative difference %g", name, what, found);
    }
}

/* What float32 leaves of sums in another order. Of the many ReLUs of a network one may have its
 * input so near to 0 that it opens on one side alone: all gradients below it then differ by its
 * share. So gradients must be near on every draw and equal but for rounding on some draw. */
static const double forward_tolerance = 2e-5, backward_tolerance = 1e-4, kink_tolerance = 0.2;

static void check_statistics(const char *name, const nn_graph *graph, const side *a, const side *b)
{
    for (int t = 0; t < graph->tensor_count; t++) {
        if (graph->tensors[t].role == NN_RUNNING) {
            check_close(name, graph->tensors[t].name, tensor_at(graph, a->block, t),
                        tensor_at(graph, b->block, t), graph->tensors[t].count, forward_tolerance);
        }
    }
}

static double largest_of(const float *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)values[i]));
    }
    return largest;
}

/* The shift of a norm whose output other norms take in alone has no gradient: what rounding leaves
 * of it is compared with the other gradients. */
static bool vanishes(const nn_graph *graph, const nn_tensor *tensor, const float *gradient)
{
    return tensor->dims == 1 && largest_of(gradient + tensor->offset, tensor->count) <
                                    1e-5 * largest_of(gradient, graph->trainable);
}

/* The largest distance of a tensor's gradients. */
static double compare_gradients(const char *name, const nn_graph *graph, const side *a,
                                const side *b)
{
    double worst = 0;
    for (int t = 0; t < graph->tensor_count; t++) {
        const nn_tensor *tensor = &graph->tensors[t];
        const float *found = a->gradient + tensor->offset, *right = b->gradient + tensor->offset;
        if (tensor->role != NN_TRAINABLE) {
            continue;
        }
        if (vanishes(graph, tensor, b->gradient)) {
            assert_true(vanishes(graph, tensor, a->gradient));
        } else {
            check_close(name, tensor->name, found, right, tensor->count, kink_tolerance);
            worst = fmax(worst, distance(name, tensor->name, found, right, tensor->count));
        }
        for (size_t i = tensor->count; i % 16 != 0; i++) {
            assert_true(found[i] == 0.0F);
        }
    }
    return worst;
}

static void draw_floats(float *values, size_t count, uint32_t stream)
{
    double *exact = malloc(count * sizeof(double));
    draw_values(exact, count, 19, stream);
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)exact[i];
    }
    free(exact);
}

/* One training step on both sides and an evaluation behind it; returns compare_gradients. */
static double check_step(const char *name, const nn_graph *graph, int batch, uint32_t number,
                         side *a, side *b)
{
    const size_t pixels = (size_t)batch * image_elements(graph);
    const size_t count = (size_t)batch * (size_t)graph->classes;
    float *images = malloc(pixels * sizeof(float)), *factors = malloc(count * sizeof(float));
    draw_floats(images, pixels, 2 * number);
    draw_floats(factors, count, 2 * number + 1);
    memset(a->gradient, 0x55, graph->trainable * sizeof(float));
    a->step = b->step = number;
    side_forward(a, a->train, images, pixels);
    side_forward(b, b->train, images, pixels);
    check_close(name, "logits", a->logits, b->logits, count, forward_tolerance);
    check_statistics(name, graph, a, b);
    assert_ok(a->backend->backward(a->train, factors, a->gradient));
    assert_ok(b->backend->backward(b->train, factors, b->gradient));
    double worst = compare_gradients(name, graph, a, b);
    side_forward(a, a->evaluate, images, pixels);
    side_forward(b, b->evaluate, images, pixels);
    check_close(name, "evaluation", a->logits, b->logits, count, forward_tolerance);
    free(images), free(factors);
    return worst;
}

/* Two steps at least, the second from another block and into another gradient: a plan serves any
 * member. Both sides start every step from the same numbers. */
static void check_steps(const char *name, const nn_graph *graph, int batch, side *a, side *b)
{
    const nn_step sgd = {.lr = 0.05, .momentum = 0.9, .weight_decay = 5e-4, .clip = 5};
    double best = HUGE_VAL;
    for (uint32_t number = 0; number < 2 || (best > backward_tolerance && number < 8); number++) {
        best = fmin(best, check_step(name, graph, batch, number, a, b));
        nn_optimize(graph, b->block, b->gradient, &sgd);
        float *block = memory_aligned(graph->block, sizeof(float));
        float *gradient = memory_aligned(graph->trainable, sizeof(float));
        memcpy(block, b->block, graph->block * sizeof(float));
        free(a->block), free(a->gradient);
        a->block = block, a->gradient = gradient;
    }
    if (!(best <= backward_tolerance)) {
        fail_msg("%s: relative difference %g of the gradients at best", name, best);
    }
}

static void check_network(const network *network, int channels, int batch)
{
    char name[128];
    snprintf(name, sizeof name, "%s, %d x %d x %d, batch %d", network->name, network->width,
             network->height, channels, batch);
    nn_graph *graph = network_create(network, channels);
    for (int i = 0; i < OTHER_COUNT; i++) {
        side a = side_create(others[i], graph, batch);
        side b = side_create(&nn_backend_reference, graph, batch);
        check_steps(name, graph, batch, &a, &b);
        side_free(&a);
        side_free(&b);
    }
    nn_graph_free(graph);
}

/* In bf16 numbers keep 8 bits: what is compared is the length of the difference of whole vectors.
 * A ReLU or a small network's sums may differ more in single places. */
static const double bf16_forward = 0.04, bf16_backward = 0.3;

static double length_between(const float *a, const float *b, size_t count)
{
    double difference = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        length += (double)b[i] * (double)b[i];
    }
    return sqrt(difference / length);
}

static void check_length(const char *name, const char *what, const float *a, const float *b,
                         size_t count, double tolerance)
{
    double found = length_between(a, b, count);
    if (!(found <= tolerance)) {
        fail_msg("%s in bf16: %s: relative difference %g", name, what, found);
    }
}

static void check_bf16(const network *network, int channels, int batch)
{
    const char *name = network->name;
    nn_graph *graph = network_create(network, channels);
    side a = side_create(&nn_backend_onednn_bf16, graph, batch);
    side b = side_create(&nn_backend_reference, graph, batch);
    const size_t pixels = (size_t)batch * image_elements(graph);
    const size_t count = (size_t)batch * (size_t)graph->classes;
    float *images = malloc(pixels * sizeof(float)), *factors = malloc(count * sizeof(float));
    draw_floats(images, pixels, 0);
    draw_floats(factors, count, 1);
    side_forward(&a, a.train, images, pixels);
    side_forward(&b, b.train, images, pixels);
    check_length(name, "logits", a.logits, b.logits, count, bf16_forward);
    check_length(name, "statistics", a.block + 2 * graph->trainable, b.block + 2 * graph->trainable,
                 graph->running, bf16_forward);
    assert_ok(a.backend->backward(a.train, factors, a.gradient));
    assert_ok(b.backend->backward(b.train, factors, b.gradient));
    check_length(name, "gradient", a.gradient, b.gradient, graph->trainable, bf16_backward);
    side_forward(&a, a.evaluate, images, pixels);
    side_forward(&b, b.evaluate, images, pixels);
    check_length(name, "evaluation", a.logits, b.logits, count, bf16_forward);
    side_free(&a);
    side_free(&b);
    free(images), free(factors);
    nn_graph_free(graph);
}

/* Every kind of node and every family of networks. */
static void test_bf16(void **state)
{
    const network models[] = {
        {.name = "wrn-10-1", .width = 16, .height = 16},
        {.name = "wrn-10-2:standard", .width = 15, .height = 20},
        {.name = "shake-shake-8-2x16d", .width = 16, .height = 16},
        {.name = "shake-shake-8-2x20d", .width = 15, .height = 10},
        {.name = "pyramid-11-48", .width = 16, .height = 16},
        {.name = "resnet-v2-8", .width = 16, .height = 16},
    };
    if (nn_backend_onednn_bf16.available() != PBA_OK) {
        skip();
    }
    for (int i = 0; i < NETWORK_COUNT; i++) {
        check_bf16(&networks[i], 3, 8);
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i += SANITIZED ? 3 : 1) {
        check_bf16(&models[i], 3, 8);
        check_bf16(&models[i], 1, 8);
    }
}

static void test_nodes(void **state)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        check_network(&networks[i], 3, 4);
        check_network(&networks[i], 1, 7);
    }
}

static void test_models(void **state)
{
    static const char *const models[] = {"wrn-10-1", "wrn-16-1", "wrn-10-2:standard"};
    static const int sides[] = {32, 28, 16};
    for (int m = 0; m < 3; m++) {
        for (int s = SANITIZED ? 2 : 0; s < 3; s++) {
            const network model = {.name = models[m], .width = sides[s], .height = sides[s]};
            check_network(&model, 3, 1 + s);
            check_network(&model, 1, 2 + s);
        }
    }
    const network newer[] = {
        {.name = "shake-shake-8-2x16d", .width = 16, .height = 16},
        {.name = "shake-shake-8-2x20d", .width = 15, .height = 10},
        {.name = "pyramid-11-48", .width = 16, .height = 16},
        {.name = "pyramid-20-7", .width = 8, .height = 12},
        {.name = "resnet-v2-8", .width = 16, .height = 16},
        {.name = "resnet-v2-14", .width = 9, .height = 14},
    };
    for (size_t m = 0; m < sizeof newer / sizeof newer[0]; m++) {
        check_network(&newer[m], 3, 4);
        check_network(&newer[m], 1, 3);
    }
    const network odd = {.name = "wrn-10-1:standard", .width = 30, .height = 17};
    check_network(&odd, 3, 2);
    const network oblong = {.name = "wrn-10-2", .width = 20, .height = 12};
    check_network(&oblong, 3, 3);
}

static void test_batches(void **state)
{
    const network model = {.name = "wrn-10-1", .width = 12, .height = 12};
    for (int batch = 1; batch <= 8; batch++) {
        check_network(&model, 3, batch);
    }
    const network small = {.name = "wrn-10-1", .width = 8, .height = 8};
    check_network(&small, 3, 128);
}

/* A plan on several threads. The other tests use one, so that they do not wait for busy cores. */
static void test_threads(void **state)
{
    const network model = {.name = "wrn-10-1", .width = 32, .height = 32};
    omp_set_num_threads(2);
    check_network(&model, 3, 5);
    omp_set_num_threads(1);
}

/* One value per channel: the statistics must stay finite, and the variance fade without it. */
static void test_single_value(void **state)
{
    for (int i = 0; i < OTHER_COUNT; i++) {
        nn_graph *graph;
        assert_ok(nn_graph_create(1, 1, 4, 2, &graph));
        int x = nn_norm(graph, "bn", nn_conv(graph, "conv", 0, 16, 1, 1), true);
        nn_linear(graph, "fc", nn_mean(graph, x), 2);
        assert_int_equal(graph->status, PBA_OK);
        side a = side_create(others[i], graph, 1), b = side_create(&nn_backend_reference, graph, 1);
        const float image[] = {0.5F, -1, 2, 0.25F};
        side_forward(&a, a.train, image, 4);
        side_forward(&b, b.train, image, 4);
        check_close("single value", "statistics", a.block + 2 * graph->trainable,
                    b.block + 2 * graph->trainable, graph->running, forward_tolerance);
        side_free(&a);
        side_free(&b);
        nn_graph_free(graph);
    }
}

/* The same numbers, bit for bit, from a second plan and from a second run of the same plan. */
static void check_repeatable(const nn_backend *backend)
{
    const network model = {.name = "wrn-10-1", .width = 16, .height = 16};
    enum { BATCH = 8 };
    nn_graph *graph = network_create(&model, 3);
    const size_t pixels = BATCH * image_elements(graph), count = BATCH * NETWORK_CLASSES;
    float *images = malloc(pixels * sizeof(float)), *factors = malloc(count * sizeof(float));
    draw_floats(images, pixels, 0);
    draw_floats(factors, count, 1);
    side a = side_create(backend, graph, BATCH), b = side_create(backend, graph, BATCH);
    for (int run = 0; run < 3; run++) {
        side *s = run == 1 ? &b : &a;
        free(s->block);
        s->block = network_block(graph, 5);
        side_forward(s, s->train, images, pixels);
        assert_ok(s->backend->backward(s->train, factors, s->gradient));
        assert_memory_equal(s->block, (run == 1 ? a : b).block,
                            (run == 0 ? 0 : graph->block) * sizeof(float));
        assert_memory_equal(s->gradient, (run == 1 ? a : b).gradient,
                            (run == 0 ? 0 : graph->trainable) * sizeof(float));
    }
    side_free(&a);
    side_free(&b);
    free(images), free(factors);
    nn_graph_free(graph);
}

static void test_repeatable(void **state)
{
    for (int i = 0; i < OTHER_COUNT; i++) {
        check_repeatable(others[i]);
        if (others[i]->bf16 && others[i]->bf16->available() == PBA_OK) {
            check_repeatable(others[i]->bf16);
        }
    }
}

/* "auto" takes what there is and says which. */
static void test_precision(void **state)
{
    const nn_backend *found;
    const char *chosen;
    bool there = nn_backend_onednn_bf16.available() == PBA_OK;
    assert_ok(nn_backend_choose("onednn", "f32", &chosen, &found));
    assert_ptr_equal(found, &nn_backend_onednn);
    assert_string_equal(chosen, "f32");
    assert_int_equal(nn_backend_choose("onednn", "bf16", &chosen, &found),
                     there ? PBA_OK : PBA_USAGE);
    assert_ok(nn_backend_choose("onednn", "auto", &chosen, &found));
    assert_ptr_equal(found, there ? &nn_backend_onednn_bf16 : &nn_backend_onednn);
    assert_string_equal(chosen, there ? "bf16" : "f32");
    assert_ok(nn_backend_choose("reference", "auto", &chosen, &found));
    assert_ptr_equal(found, &nn_backend_reference);
    assert_string_equal(chosen, "f32");
    assert_int_equal(nn_backend_choose("reference", "bf16", &chosen, &found), PBA_USAGE);
    assert_int_equal(nn_backend_choose("onednn", "f64", &chosen, &found), PBA_USAGE);
    assert_int_equal(nn_backend_choose("abacus", "auto", &chosen, &found), PBA_USAGE);
}

static void test_misuse(void **state)
{
    const network model = {.name = "wrn-10-1", .width = 8, .height = 8};
    nn_graph *graph = network_create(&model, 3);
    for (int i = 0; i < OTHER_COUNT; i++) {
        const nn_backend *found;
        assert_ok(nn_backend_find(others[i]->name, &found));
        assert_ptr_equal(found, others[i]);
        nn_plan *plan;
        assert_int_equal(others[i]->plan_create(graph, 0, true, &plan), PBA_USAGE);
        assert_null(plan);
        others[i]->plan_free(NULL);
        assert_ok(others[i]->plan_create(graph, 2, false, &plan));
        float *gradient = calloc(graph->trainable, sizeof(float));
        const float logit_gradient[2 * NETWORK_CLASSES] = {0};
        assert_int_equal(others[i]->backward(plan, logit_gradient, gradient), PBA_INTERNAL);
        free(gradient);
        others[i]->plan_free(plan);
    }
    nn_graph_free(graph);
}

int main(void)
{
    omp_set_num_threads(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),        cmocka_unit_test(test_models),
        cmocka_unit_test(test_batches),      cmocka_unit_test(test_threads),
        cmocka_unit_test(test_single_value), cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_misuse),       cmocka_unit_test(test_bf16),
        cmocka_unit_test(test_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
