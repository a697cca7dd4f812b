/* SPDX-License-Identifier: Apache-2.0
 * The reference backend: gradients of every kind of node and of whole networks by finite
 * differences in double, outputs and statistics by hand. */
#include "core/sanitized.h"
#include "networks.h"

/* ------------------------------------------------------------ a plan in double */

/* Loss = sum of logits times fixed random factors. */
typedef struct bench {
    nn_graph *graph;
    nn_plan *plan;
    double *block, *gradient, *factors;
    size_t logits;
} bench;

static const nn_backend *const oracle = &nn_backend_reference_double;

static bench bench_create(nn_graph *graph, int batch)
{
    bench b = {.graph = graph};
    float *block = network_block(graph, 7);
    b.block = calloc(graph->block, sizeof(double));
    b.gradient = malloc(graph->trainable * sizeof(double));
    for (size_t i = 0; i < graph->block; i++) {
        b.block[i] = (double)block[i];
    }
    free(block);
    assert_ok(oracle->plan_create(graph, batch, true, &b.plan));
    /* Finite differences see the forward draws alone. */
    oracle->draw(b.plan, &(nn_draw){.seed = 7, .member = 1, .step = 2, .tied = true});
    assert_true(oracle->plan_bytes(b.plan) > graph->trainable * sizeof(double));
    draw_values(oracle->input(b.plan), (size_t)batch * image_elements(graph), 7, 0);
    b.logits = (size_t)batch * (size_t)graph->classes;
    b.factors = malloc(b.logits * sizeof(double));
    draw_values(b.factors, b.logits, 7, 1);
    return b;
}

static void bench_free(bench *b)
{
    oracle->plan_free(b->plan);
    nn_graph_free(b->graph);
    free(b->block), free(b->gradient), free(b->factors);
}

static double bench_loss(bench *b)
{
    const void *logits;
    assert_ok(oracle->load(b->plan, b->block));
    assert_ok(oracle->forward(b->plan, b->block, &logits));
    double loss = 0;
    for (size_t i = 0; i < b->logits; i++) {
        loss += b->factors[i] * ((const double *)logits)[i];
    }
    return loss;
}

/* -------------------------------------------------------- finite differences */

/* (L(w + h d) - L(w - h d)) / 2h for a direction d in the weights of one tensor. */
static double slope(bench *b, const nn_tensor *tensor, const double *direction, double h)
{
    double *weights = b->block + tensor->offset;
    double *kept = malloc(tensor->count * sizeof(double));
    memcpy(kept, weights, tensor->count * sizeof(double));
    double sides[2];
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < tensor->count; i++) {
            weights[i] = kept[i] + (side == 0 ? h : -h) * direction[i];
        }
        sides[side] = bench_loss(b);
    }
    memcpy(weights, kept, tensor->count * sizeof(double));
    free(kept);
    return (sides[0] - sides[1]) / (2 * h);
}

/* Where a step crosses the kink of a ReLU, a shorter one does not: the best of three counts. */
static void check_direction(bench *b, const char *name, const nn_tensor *tensor,
                            const double *direction)
{
    const double *gradient = b->gradient + tensor->offset;
    double expected = 0, norm = 0, best = HUGE_VAL;
    for (size_t i = 0; i < tensor->count; i++) {
        expected += gradient[i] * direction[i];
        norm += gradient[i] * gradient[i];
    }
    /* A shift that the next norms take off again has no gradient, and is to have none. */
    bool shift = tensor->dims == 1 && norm < 1e-16;
    norm = shift ? 1e-2 : sqrt(norm);
    for (double h = 1e-5; h > 5e-8 && best > 1e-6; h /= 10) {
        best = fmin(best, fabs(slope(b, tensor, direction, h) - expected) / norm);
    }
    if (!(best <= 1e-6) || !(norm > 1e-8)) {
        fail_msg("%s: %s: error %g of a gradient of norm %g", name, tensor->name, best, norm);
    }
}

/* Random directions say something about all weights of a tensor, axes say it of a few exactly. */
static void check_tensor(bench *b, const char *name, int t)
{
    const nn_tensor *tensor = &b->graph->tensors[t];
    double *direction = calloc(tensor->count, sizeof(double));
    rng draws = rng_at(11, RNG_DEMO, 3, 0, (uint32_t)t);
    for (size_t i = 0; i < tensor->count; i++) {
        direction[i] = rng_normal(&draws) / sqrt((double)tensor->count);
    }
    check_direction(b, name, tensor, direction);
    for (int axis = 0; axis < 3; axis++) {
        memset(direction, 0, tensor->count * sizeof(double));
        direction[rng_below(&draws, (uint32_t)tensor->count)] = 1;
        check_direction(b, name, tensor, direction);
    }
    free(direction);
}

static void check_padding(const bench *b)
{
    const nn_graph *graph = b->graph;
    double *copy = malloc(graph->trainable * sizeof(double));
    memcpy(copy, b->gradient, graph->trainable * sizeof(double));
    for (int t = 0; t < graph->tensor_count; t++) {
        if (graph->tensors[t].role == NN_TRAINABLE) {
            memset(copy + graph->tensors[t].offset, 0, graph->tensors[t].count * sizeof(double));
        }
    }
    for (size_t i = 0; i < graph->trainable; i++) {
        assert_true(copy[i] == 0);
    }
    free(copy);
}

static void check_gradients(const network *network, int batch)
{
    bench b = bench_create(network_create(network, 3), batch);
    bench_loss(&b);
    /* Overwritten, not added to; the padding too. */
    memset(b.gradient, 0x55, b.graph->trainable * sizeof(double));
    assert_ok(oracle->backward(b.plan, b.factors, b.gradient));
    check_padding(&b);
    for (int t = 0; t < b.graph->tensor_count; t++) {
        if (b.graph->tensors[t].role == NN_TRAINABLE) {
            check_tensor(&b, network->name, t);
        }
    }
    bench_free(&b);
}

static void test_gradients_of_nodes(void **state)
{
    for (int i = 0; i < NETWORK_COUNT; i++) {
        check_gradients(&networks[i], 3);
    }
}

static void test_gradients_of_models(void **state)
{
    static const network models[] = {
        {.name = "wrn-10-1", .width = 8, .height = 8},
        {.name = "wrn-16-1", .width = 8, .height = 4},
        {.name = "wrn-10-2", .width = 8, .height = 8},
        {.name = "wrn-10-2:standard", .width = 8, .height = 8},
        {.name = "wrn-10-1:standard", .width = 7, .height = 6},
        {.name = "shake-shake-8-2x4d", .width = 8, .height = 8},
        {.name = "shake-shake-14-2x6d", .width = 5, .height = 6},
        {.name = "pyramid-11-5", .width = 8, .height = 8},
        {.name = "pyramid-20-20", .width = 4, .height = 8},
        {.name = "resnet-v2-8", .width = 4, .height = 3},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i += SANITIZED ? 3 : 1) {
        check_gradients(&models[i], 3);
    }
}

/* The gradient of the image is not asked for, so a network in which it would be the first thing
 * computed still works: linear directly on the image, and behind a mean of it. */
static void test_gradients_near_the_image(void **state)
{
    for (int with_mean = 0; with_mean < 2; with_mean++) {
        nn_graph *graph;
        int side = with_mean ? 3 : 1;
        assert_ok(nn_graph_create(side, side, 5, NETWORK_CLASSES, &graph));
        nn_linear(graph, "fc", with_mean ? nn_mean(graph, 0) : 0, NETWORK_CLASSES);
        bench b = bench_create(graph, 4);
        bench_loss(&b);
        assert_ok(oracle->backward(b.plan, b.factors, b.gradient));
        check_tensor(&b, "linear", 0);
        check_tensor(&b, "linear", 1);
        bench_free(&b);
    }
}

/* ------------------------------------------------------------ outputs by hand */

/* The graph's last node on drawn images, in evaluation; the caller frees both. */
static double *outputs_of(nn_graph *graph, int batch, const double *block, double **images)
{
    nn_plan *plan;
    const void *logits;
    const nn_shape *shape = &graph->nodes[graph->node_count - 1].shape;
    size_t count = (size_t)batch * (size_t)(shape->channels * shape->height * shape->width);
    size_t pixels = (size_t)batch * image_elements(graph);
    double *copy = malloc(graph->block * sizeof(double) + 1), *out = malloc(count * sizeof(double));
    *images = malloc(pixels * sizeof(double));
    memcpy(copy, block, graph->block * sizeof(double));
    assert_ok(oracle->plan_create(graph, batch, false, &plan));
    draw_values(*images, pixels, 13, 0);
    memcpy(oracle->input(plan), *images, pixels * sizeof(double));
    assert_ok(oracle->load(plan, copy));
    assert_ok(oracle->forward(plan, copy, &logits));
    memcpy(out, logits, count * sizeof(double));
    /* Evaluation changes no statistic. */
    assert_memory_equal(copy, block, graph->block * sizeof(double));
    oracle->plan_free(plan);
    free(copy);
    return out;
}

static double *drawn_block(const nn_graph *graph)
{
    double *block = calloc(graph->block + 1, sizeof(double));
    draw_values(block, graph->block, 17, 0);
    return block;
}

/* Convolution by the definition, on an image that is padded as TensorFlow documents it. */
static void check_conv(int height, int width, int kernel, int stride, int above, int left,
                       bool centred)
{
    enum { IN = 2, OUT = 3, SIDE = 16 };
    nn_graph *graph;
    assert_ok(nn_graph_create(width, height, IN, OUT, &graph));
    (centred ? nn_conv_centred : nn_conv)(graph, "conv", 0, OUT, kernel, stride);
    const nn_shape shape = graph->nodes[1].shape;
    assert_int_equal(shape.height, (height + stride - 1) / stride);
    assert_int_equal(shape.width, (width + stride - 1) / stride);
    double *block = drawn_block(graph), *images;
    double *out = outputs_of(graph, 1, block, &images);
    for (int o = 0; o < OUT * shape.height * shape.width; o++) {
        int oc = o / (shape.height * shape.width), oy = o / shape.width % shape.height;
        int ox = o % shape.width;
        double sum = 0;
        for (int ic = 0; ic < IN; ic++) {
            double padded[SIDE][SIDE] = {{0}};
            for (int i = 0; i < height * width; i++) {
                padded[above + i / width][left + i % width] = images[ic * height * width + i];
            }
            for (int i = 0; i < kernel * kernel; i++) {
                sum += block[(oc * IN + ic) * kernel * kernel + i] *
                       padded[oy * stride + i / kernel][ox * stride + i % kernel];
            }
        }
        assert_true(fabs(sum - out[o]) < 1e-12);
    }
    free(block), free(images), free(out);
    nn_graph_free(graph);
}

static void test_convolution(void **state)
{
    check_conv(8, 8, 3, 1, 1, 1, false);
    check_conv(8, 8, 3, 2, 0, 0, false); /* nothing above or left, one zero below and right */
    check_conv(7, 7, 3, 2, 1, 1, false);
    check_conv(7, 8, 3, 2, 1, 0, false);
    check_conv(8, 7, 3, 2, 0, 1, false);
    check_conv(8, 7, 1, 1, 0, 0, false);
    check_conv(8, 7, 1, 2, 0, 0, false);
    check_conv(8, 8, 5, 2, 1, 1, false);
    check_conv(1, 1, 3, 1, 1, 1, false);
    check_conv(1, 2, 3, 2, 1, 0, false);
    check_conv(8, 8, 3, 2, 1, 1, true);
    check_conv(7, 8, 3, 2, 1, 1, true);
    check_conv(8, 8, 3, 1, 1, 1, true);
    check_conv(1, 2, 3, 2, 1, 1, true);
    check_conv(9, 8, 5, 2, 2, 2, true);
}

static void test_pool_pad_mean(void **state)
{
    nn_graph *graph;
    double *images, *out, nothing = 0;
    /* A remainder of one row and one column is dropped. */
    assert_ok(nn_graph_create(5, 7, 2, 1, &graph));
    nn_pad(graph, nn_pool(graph, 0, 2), 1, 2);
    out = outputs_of(graph, 2, &nothing, &images);
    for (int i = 0; i < 2 * 5 * 3 * 2; i++) {
        int n = i / 30, c = i / 6 % 5 - 1, y = i / 2 % 3, x = i % 2;
        const double *in = images + (n * 2 + c) * 35 + 2 * y * 5 + 2 * x;
        double mean = c == 0 || c == 1 ? (in[0] + in[1] + in[5] + in[6]) / 4 : 0;
        assert_true(fabs(out[i] - mean) < 1e-15);
    }
    free(images), free(out);
    nn_graph_free(graph);
    assert_ok(nn_graph_create(2, 1, 2, 1, &graph));
    nn_mean(graph, nn_relu(graph, nn_add(graph, 0, 0)));
    out = outputs_of(graph, 1, &nothing, &images);
    for (int c = 0; c < 2; c++) {
        double mean = fmax(0, images[2 * c]) + fmax(0, images[2 * c + 1]);
        assert_true(fabs(out[c] - mean) < 1e-15);
    }
    free(images), free(out);
    nn_graph_free(graph);
}

static void test_evaluation(void **state)
{
    for (int relu = 0; relu < 2; relu++) {
        nn_graph *graph;
        double *images, logit;
        assert_ok(nn_graph_create(3, 2, 4, 2, &graph));
        nn_linear(graph, "fc", nn_mean(graph, nn_norm(graph, "bn", 0, relu)), 2);
        double *block = drawn_block(graph);
        const nn_tensor *t = graph->tensors;
        const double *scale = block + t[0].offset, *shift = block + t[1].offset;
        const double *mean = block + 2 * graph->trainable + t[2].offset;
        double *variance = block + 2 * graph->trainable + t[3].offset;
        const double *weight = block + t[4].offset, *bias = block + t[5].offset;
        for (int c = 0; c < 4; c++) {
            variance[c] = 0.1 + c;
        }
        double *out = outputs_of(graph, 2, block, &images);
        for (int i = 0; i < 4; i++) {
            logit = bias[i % 2];
            for (int k = 0; k < 24; k++) {
                int c = k / 6;
                double x = (images[i / 2 * 24 + k] - mean[c]) / sqrt(variance[c] + 1e-5);
                x = x * scale[c] + shift[c];
                logit += weight[i % 2 * 4 + c] * (relu ? fmax(0, x) : x) / 6;
            }
            assert_true(fabs(out[i] - logit) < 1e-12);
        }
        free(block), free(images), free(out);
        nn_graph_free(graph);
    }
}

/* ------------------------------------------------------------ random nodes */

/* Batch of images -> two convolutions -> mix -> scale, without a norm: every gradient is then a
 * factor of the image times the same number. */
static bench random_bench(int *mix, int *scale)
{
    nn_graph *graph;
    assert_ok(nn_graph_create(3, 2, 2, 2, &graph));
    int a = nn_conv(graph, "a", 0, 4, 3, 1), b = nn_conv(graph, "b", 0, 4, 3, 1);
    *mix = nn_mix(graph, a, b);
    *scale = nn_scale(graph, *mix, 0.5);
    nn_linear(graph, "fc", nn_mean(graph, *scale), 2);
    return bench_create(graph, 6);
}

/* Gradients of image `image` alone; the caller frees them. */
static double *random_gradient(bench *b, int image, const nn_draw *draw)
{
    double *gradient = malloc(b->graph->trainable * sizeof(double));
    double *factors = calloc(b->logits, sizeof(double));
    factors[2 * image] = 1;
    factors[2 * image + 1] = -0.5;
    oracle->draw(b->plan, draw);
    bench_loss(b);
    assert_ok(oracle->backward(b->plan, factors, gradient));
    free(factors);
    return gradient;
}

/* The two passes draw apart: to a gradient with the forward factors, the other one is in the ratio
 * of the factors. */
static void test_backward_draws(void **state)
{
    int mix, scale, dropped = 0;
    bench b = random_bench(&mix, &scale);
    nn_draw draw = {.seed = 3, .member = 2, .step = 9};
    nn_factors mixed[6], scaled[6];
    nn_draw_factors(b.graph, mix, 6, &draw, mixed);
    nn_draw_factors(b.graph, scale, 6, &draw, scaled);
    for (int n = 0; n < 6; n++) {
        nn_draw tied = draw;
        tied.tied = true;
        double *right = random_gradient(&b, n, &tied), *found = random_gradient(&b, n, &draw);
        for (int side = 0; side < 2; side++) {
            const nn_tensor *tensor = &b.graph->tensors[side];
            double ratio = mixed[n].backward[side] * scaled[n].backward[0] /
                           (mixed[n].forward[side] * scaled[n].forward[0]);
            for (size_t i = tensor->offset; i < tensor->offset + tensor->count; i++) {
                assert_true(fabs(found[i] - ratio * right[i]) <= 1e-12);
                assert_true(found[i] != 0);
            }
        }
        dropped += scaled[n].forward[0] != 1;
        free(right), free(found);
    }
    assert_in_range(dropped, 1, 5); /* both kinds of images were seen */
    bench_free(&b);
}

/* Drawn anew by draw() alone, and what a fresh plan has is the draw of zeros. */
static void test_draws_last(void **state)
{
    int mix, scale;
    bench b = random_bench(&mix, &scale);
    const nn_draw first = {.seed = 3}, second = {.seed = 3, .step = 1};
    oracle->draw(b.plan, &first);
    double loss = bench_loss(&b);
    assert_true(bench_loss(&b) == loss);
    oracle->draw(b.plan, &second);
    assert_true(bench_loss(&b) != loss);
    oracle->draw(b.plan, &first);
    assert_true(bench_loss(&b) == loss);
    oracle->draw(b.plan, &(nn_draw){0});
    loss = bench_loss(&b);
    nn_plan *fresh;
    assert_ok(oracle->plan_create(b.graph, 6, true, &fresh));
    memcpy(oracle->input(fresh), oracle->input(b.plan), 6 * 12 * sizeof(double));
    oracle->plan_free(b.plan);
    b.plan = fresh;
    assert_true(bench_loss(&b) == loss);
    bench_free(&b);
}

/* Evaluation takes the expectation: half of either branch, and the probability to be kept. */
static void test_random_evaluation(void **state)
{
    nn_graph *graph;
    double *images, nothing = 0;
    assert_ok(nn_graph_create(3, 2, 2, 1, &graph));
    nn_scale(graph, nn_mix(graph, 0, nn_add(graph, 0, 0)), 0.7);
    double *out = outputs_of(graph, 2, &nothing, &images);
    for (int i = 0; i < 2 * 12; i++) {
        assert_true(fabs(out[i] - 0.7 * 1.5 * images[i]) < 1e-15);
    }
    free(images), free(out);
    nn_graph_free(graph);
}

static void test_subsample_concat(void **state)
{
    nn_graph *graph;
    double *images, nothing = 0;
    assert_ok(nn_graph_create(5, 4, 2, 1, &graph));
    nn_concat(graph, nn_subsample(graph, 0, 2, 1), nn_subsample(graph, 0, 2, 0));
    double *out = outputs_of(graph, 2, &nothing, &images);
    for (int i = 0; i < 2 * 4 * 2 * 3; i++) {
        int n = i / 24, c = i / 6 % 4, shift = c < 2, y = i / 3 % 2 * 2 + shift;
        int x = i % 3 * 2 + shift;
        double in = y < 4 && x < 5 ? images[((n * 2 + c % 2) * 4 + y) * 5 + x] : 0;
        assert_true(out[i] == in);
    }
    free(images), free(out);
    nn_graph_free(graph);
}

/* -------------------------------------------------------- running statistics */

static void test_running_statistics(void **state)
{
    enum { BATCH = 3, CHANNELS = 4, PLANE = 6, COUNT = BATCH * PLANE };
    nn_graph *graph;
    assert_ok(nn_graph_create(3, 2, CHANNELS, CHANNELS, &graph));
    nn_linear(graph, "fc", nn_mean(graph, nn_norm(graph, "bn", 0, true)), CHANNELS);
    bench b = bench_create(graph, BATCH);
    const double *images = oracle->input(b.plan);
    double *running_mean = b.block + 2 * graph->trainable + graph->tensors[2].offset;
    double *running_variance = b.block + 2 * graph->trainable + graph->tensors[3].offset;
    double before[2][CHANNELS];
    memcpy(before[0], running_mean, sizeof before[0]);
    memcpy(before[1], running_variance, sizeof before[1]);
    bench_loss(&b);
    bench_loss(&b);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < COUNT; i++) {
            double x = images[(i / PLANE * CHANNELS + c) * PLANE + i % PLANE];
            sum += x;
            squares += x * x;
        }
        double mean = sum / COUNT, unbiased = (squares - sum * mean) / (COUNT - 1);
        assert_true(fabs(running_mean[c] - (0.81 * before[0][c] + 0.19 * mean)) < 1e-12);
        assert_true(fabs(running_variance[c] - (0.81 * before[1][c] + 0.19 * unbiased)) < 1e-12);
    }
    bench_free(&b);
    /* A single value has no variance: the statistics stay finite. */
    assert_ok(nn_graph_create(1, 1, 1, 1, &graph));
    nn_linear(graph, "fc", nn_norm(graph, "bn", 0, false), 1);
    b = bench_create(graph, 1);
    double old = b.block[2 * graph->trainable + graph->tensors[3].offset];
    assert_true(isfinite(bench_loss(&b)));
    double fresh = b.block[2 * graph->trainable + graph->tensors[3].offset];
    assert_true(fabs(fresh - 0.9 * old) < 1e-15);
    bench_free(&b);
}

/* ------------------------------------------------------------ float and misuse */

/* The same source in float: equal but for rounding. */
static void test_float(void **state)
{
    const network model = {.name = "wrn-10-1", .width = 8, .height = 8};
    bench b = bench_create(network_create(&model, 3), 4);
    const nn_backend *single = &nn_backend_reference;
    float *block = network_block(b.graph, 7);
    float *gradient = malloc(b.graph->trainable * sizeof(float));
    float *factors = malloc(b.logits * sizeof(float));
    nn_plan *plan;
    const void *logits;
    assert_int_equal(single->real, sizeof(float));
    assert_int_equal(oracle->real, sizeof(double));
    assert_ok(single->plan_create(b.graph, 4, true, &plan));
    const double *images = oracle->input(b.plan);
    float *input = single->input(plan);
    for (size_t i = 0; i < 4 * image_elements(b.graph); i++) {
        input[i] = (float)images[i];
    }
    for (size_t i = 0; i < b.logits; i++) {
        factors[i] = (float)b.factors[i];
    }
    assert_ok(single->load(plan, block));
    assert_ok(single->forward(plan, block, &logits));
    assert_ok(single->backward(plan, factors, gradient));
    double loss = 0;
    for (size_t i = 0; i < b.logits; i++) {
        loss += b.factors[i] * (double)((const float *)logits)[i];
    }
    assert_true(fabs(loss - bench_loss(&b)) < 1e-4);
    assert_ok(oracle->backward(b.plan, b.factors, b.gradient));
    double largest = 0, difference = 0;
    for (size_t i = 0; i < b.graph->trainable; i++) {
        largest = fmax(largest, fabs(b.gradient[i]));
        difference = fmax(difference, fabs(b.gradient[i] - (double)gradient[i]));
    }
    assert_true(difference < 1e-4 * largest);
    single->plan_free(plan);
    free(block), free(gradient), free(factors);
    bench_free(&b);
}

static void test_misuse(void **state)
{
    const network model = {.name = "wrn-10-1", .width = 8, .height = 8};
    nn_graph *graph = network_create(&model, 3);
    nn_plan *plan;
    assert_int_equal(oracle->plan_create(graph, 0, true, &plan), PBA_USAGE);
    assert_null(plan);
    oracle->plan_free(NULL);
    assert_ok(oracle->plan_create(graph, 1, false, &plan));
    double logit_gradient[NETWORK_CLASSES] = {0};
    double *gradient = calloc(graph->trainable, sizeof(double));
    assert_int_equal(oracle->backward(plan, logit_gradient, gradient), PBA_INTERNAL);
    free(gradient);
    oracle->plan_free(plan);
    nn_graph_free(graph);
    const nn_backend *backend;
    assert_ok(nn_backend_find("reference", &backend));
    assert_ptr_equal(backend, &nn_backend_reference);
    assert_int_equal(nn_backend_find("Reference", &backend), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "reference"));
    assert_null(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients_of_nodes),
        cmocka_unit_test(test_gradients_of_models),
        cmocka_unit_test(test_gradients_near_the_image),
        cmocka_unit_test(test_convolution),
        cmocka_unit_test(test_pool_pad_mean),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_backward_draws),
        cmocka_unit_test(test_draws_last),
        cmocka_unit_test(test_random_evaluation),
        cmocka_unit_test(test_subsample_concat),
        cmocka_unit_test(test_running_statistics),
        cmocka_unit_test(test_float),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
