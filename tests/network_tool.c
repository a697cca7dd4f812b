/* SPDX-License-Identifier: Apache-2.0
 * Runs one network on one batch for oracle_torch.py:
 *     network_tool BACKEND MODEL WIDTH HEIGHT CHANNELS CLASSES BATCH SEED FOLDER
 * BACKEND: onednn, reference or reference-double. Into FOLDER:
 *     weights.safetensors   the weights, no scale, shift or statistic at its first value
 *     images, labels        doubles, NCHW; the labels are 0, 1, ... modulo CLASSES
 *     evaluation            logits by the running statistics
 *     training              logits by those of the batch
 *     draws                 per random node, in order, per image: 2 forward, 2 backward factors
 *     gradient.safetensors  of the mean cross-entropy of `training`; its running statistics are
 *                           those behind the training pass */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "nn/backend.h"
#include "nn/model.h"
#include "nn/optimizer.h"
#include "train/checkpoint.h"

typedef struct job {
    const nn_backend *backend;
    nn_graph *graph;
    int batch;
    uint64_t seed;
    const char *folder;
    float *block; /* as in weights.safetensors */
    void *state;  /* the block in the backend's numbers */
    double *images;
    size_t pixels, logits;
} job;

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "network_tool: %s: %s\n", what, pba_error_message());
        exit(1);
    }
}

static void *fresh(size_t count)
{
    void *memory = memory_aligned(count, sizeof(double));
    need(memory != NULL, "memory");
    return memory;
}

static const char *path_of(const job *job, const char *name, char path[4096])
{
    need(snprintf(path, 4096, "%s/%s", job->folder, name) < 4096, "path");
    return path;
}

static void save_doubles(const job *job, const char *name, const double *values, size_t count)
{
    char path[4096];
    FILE *file = fopen(path_of(job, name, path), "ab");
    need(file && fwrite(values, sizeof *values, count, file) == count && fclose(file) == 0, name);
}

/* Numbers of the backend to doubles, and back. */
static double *doubles_of(const job *job, const void *values, size_t count)
{
    double *copy = fresh(count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = job->backend->real == sizeof(float) ? (double)((const float *)values)[i]
                                                      : ((const double *)values)[i];
    }
    return copy;
}

static void store(const job *job, void *target, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (job->backend->real == sizeof(float)) {
            ((float *)target)[i] = (float)values[i];
        } else {
            ((double *)target)[i] = values[i];
        }
    }
}

static void store_floats(const job *job, void *target, const float *values, size_t count)
{
    double *copy = fresh(count);
    for (size_t i = 0; i < count; i++) {
        copy[i] = (double)values[i];
    }
    store(job, target, copy, count);
    free(copy);
}

static void draw_block(job *job)
{
    const nn_graph *graph = job->graph;
    job->block = fresh(graph->block);
    job->state = fresh(graph->block);
    nn_initialize(graph, job->block, job->seed, 0);
    for (int t = 0; t < graph->tensor_count; t++) {
        const nn_tensor *tensor = &graph->tensors[t];
        size_t part = tensor->role == NN_RUNNING ? 2 * graph->trainable : 0;
        rng draws = rng_at(job->seed, RNG_DEMO, 1, 0, (uint32_t)t);
        for (size_t i = 0; i < tensor->count && tensor->dims == 1; i++) {
            bool positive = tensor->init == NN_INIT_ONE;
            job->block[part + tensor->offset + i] =
                (float)(positive ? 0.5 + rng_unit(&draws) : 0.3 * rng_normal(&draws));
        }
    }
    store_floats(job, job->state, job->block, graph->block);
    char path[4096];
    need(weights_save(path_of(job, "weights.safetensors", path), graph, job->block, NULL) == PBA_OK,
         "weights");
}

static void draw_images(job *job)
{
    const nn_shape *shape = &job->graph->nodes[0].shape;
    job->pixels =
        (size_t)job->batch * (size_t)shape->channels * (size_t)shape->height * (size_t)shape->width;
    job->logits = (size_t)job->batch * (size_t)job->graph->classes;
    job->images = fresh(job->pixels);
    rng draws = rng_at(job->seed, RNG_DEMO, 2, 0, 0);
    for (size_t i = 0; i < job->pixels; i++) {
        job->images[i] = (double)(float)(0.2 + rng_normal(&draws));
    }
    save_doubles(job, "images", job->images, job->pixels);
}

/* Logits of the images as doubles. */
static double *forward(const job *job, nn_plan *plan, const char *name)
{
    const void *logits;
    store(job, job->backend->input(plan), job->images, job->pixels);
    need(job->backend->load(plan, job->state) == PBA_OK, "load");
    need(job->backend->forward(plan, job->state, &logits) == PBA_OK, "forward");
    double *copy = doubles_of(job, logits, job->logits);
    save_doubles(job, name, copy, job->logits);
    return copy;
}

static void save_draws(const job *job, const nn_draw *draw)
{
    nn_factors *factors = fresh((size_t)job->batch * 4);
    save_doubles(job, "draws", job->images, 0); /* a file in any case */
    for (int i = 0; i < job->graph->node_count; i++) {
        if (nn_is_random(&job->graph->nodes[i])) {
            nn_draw_factors(job->graph, i, job->batch, draw, factors);
            save_doubles(job, "draws", (const double *)factors, (size_t)job->batch * 4);
        }
    }
    free(factors);
}

/* d mean cross-entropy / d logits, in the backend's numbers. */
static void *loss_gradient(const job *job, const double *logits)
{
    float *single = fresh(job->logits), *gradient = fresh(job->logits);
    double *labels = fresh((size_t)job->batch);
    int *numbers = fresh((size_t)job->batch), correct;
    for (size_t i = 0; i < job->logits; i++) {
        single[i] = (float)logits[i];
    }
    for (int n = 0; n < job->batch; n++) {
        labels[n] = numbers[n] = n % job->graph->classes;
    }
    save_doubles(job, "labels", labels, (size_t)job->batch);
    nn_cross_entropy(single, numbers, job->batch, job->graph->classes, gradient, &correct);
    void *result = fresh(job->logits);
    store_floats(job, result, gradient, job->logits);
    free(single), free(gradient), free(labels), free(numbers);
    return result;
}

static void save_gradient(const job *job, const void *gradient)
{
    const nn_graph *graph = job->graph;
    double *trainable = doubles_of(job, gradient, graph->trainable);
    double *state = doubles_of(job, job->state, graph->block);
    float *block = fresh(graph->block);
    for (size_t i = 0; i < graph->block; i++) {
        block[i] = (float)(i < graph->trainable ? trainable[i] : state[i]);
    }
    char path[4096];
    need(weights_save(path_of(job, "gradient.safetensors", path), graph, block, NULL) == PBA_OK,
         "gradient");
    free(trainable), free(state), free(block);
}

static void evaluate(const job *job)
{
    nn_plan *plan;
    need(job->backend->plan_create(job->graph, job->batch, false, &plan) == PBA_OK, "plan");
    free(forward(job, plan, "evaluation"));
    job->backend->plan_free(plan);
}

static void train(const job *job)
{
    nn_plan *plan;
    const nn_draw draw = {.seed = job->seed, .member = 1, .step = 2};
    need(job->backend->plan_create(job->graph, job->batch, true, &plan) == PBA_OK, "plan");
    job->backend->draw(plan, &draw);
    save_draws(job, &draw);
    double *logits = forward(job, plan, "training");
    void *logit_gradient = loss_gradient(job, logits), *gradient = fresh(job->graph->trainable);
    need(job->backend->backward(plan, logit_gradient, gradient) == PBA_OK, "backward");
    save_gradient(job, gradient);
    free(logits), free(logit_gradient), free(gradient);
    job->backend->plan_free(plan);
}

int main(int argc, char **argv)
{
    if (argc != 10) {
        fprintf(stderr, "network_tool BACKEND MODEL WIDTH HEIGHT CHANNELS CLASSES BATCH SEED "
                        "FOLDER\n");
        return 2;
    }
    job job = {.batch = atoi(argv[7]), .seed = strtoull(argv[8], NULL, 10), .folder = argv[9]};
    if (!strcmp(argv[1], nn_backend_reference_double.name)) {
        job.backend = &nn_backend_reference_double;
    } else {
        need(nn_backend_find(argv[1], &job.backend) == PBA_OK, "backend");
    }
    need(nn_model_build(argv[2], atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6]),
                        &job.graph) == PBA_OK,
         "model");
    draw_block(&job);
    draw_images(&job);
    evaluate(&job);
    train(&job);
    free(job.block), free(job.state), free(job.images);
    nn_graph_free(job.graph);
    return 0;
}
