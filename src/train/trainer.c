/* SPDX-License-Identifier: Apache-2.0
 * One thread's executor: a training plan, an evaluation plan and the buffers of a batch. It holds
 * no member's state; every call names the block it works on. */
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/observer.h"
#include "core/rng.h"
#include "train/order.h"

/* From the OpenMP runtime that oneDNN was built with. Declared here, not by <omp.h>: the runtime's
 * header of another compiler may describe another runtime. What is set is the calling thread's. */
extern void omp_set_num_threads(int threads);
extern void omp_set_dynamic(int fewer);

enum { EVALUATION_BATCH = 250 };
static const double MOMENTUM = 0.9, CLIP = 5.0;

struct trainer {
    const task *task;
    nn_plan *train, *evaluate;
    int evaluation_batch;
    pipeline_scratch *scratch;
    uint32_t *order; /* training images in the order of the epoch */
    const uint8_t **images;
    uint32_t *ids;
    int *labels;
    float *logit_gradient, *gradient;
    trainer_times times;
    double lap; /* when the part at hand began */
};

/* Ends a part, and begins the next one. */
static void lap(trainer *trainer, double *part)
{
    double now = clock_now();
    *part += now - trainer->lap;
    trainer->lap = now;
}

static pba_status create_plans(trainer *trainer)
{
    const task *task = trainer->task;
    int most = task->counts[PBA_VALIDATION] > task->counts[PBA_TEST] ? task->counts[PBA_VALIDATION]
                                                                     : task->counts[PBA_TEST];
    trainer->evaluation_batch = most < EVALUATION_BATCH ? (most > 0 ? most : 1) : EVALUATION_BATCH;
    pba_status status =
        task->backend->plan_create(task->graph, task->recipe.batch, true, &trainer->train);
    return status == PBA_OK ? task->backend->plan_create(task->graph, trainer->evaluation_batch,
                                                         false, &trainer->evaluate)
                            : status;
}

static pba_status create_buffers(trainer *trainer)
{
    const task *task = trainer->task;
    size_t batch = (size_t)task->recipe.batch;
    trainer->order = memory_new((size_t)task->counts[PBA_TRAIN], sizeof *trainer->order);
    trainer->images = memory_new(batch, sizeof *trainer->images);
    trainer->ids = memory_new(batch, sizeof *trainer->ids);
    trainer->labels = memory_new(batch, sizeof *trainer->labels);
    trainer->logit_gradient =
        memory_aligned(batch * (size_t)task->graph->classes, sizeof *trainer->logit_gradient);
    trainer->gradient = memory_aligned(task->graph->trainable, sizeof *trainer->gradient);
    if (!trainer->order || !trainer->images || !trainer->ids || !trainer->labels ||
        !trainer->logit_gradient || !trainer->gradient) {
        return PBA_MEMORY;
    }
    pba_status status = pipeline_scratch_create(task->pipeline, &trainer->scratch);
    if (status == PBA_OK) {
        const augment_partners partners = {.images = task->images[PBA_TRAIN],
                                           .ids = task->ids[PBA_TRAIN],
                                           .count = (size_t)task->counts[PBA_TRAIN]};
        pipeline_scratch_partners(trainer->scratch, &partners);
    }
    return status;
}

pba_status trainer_create(const task *task, int threads, trainer **result)
{
    trainer *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->task = task;
    omp_set_dynamic(0); /* never fewer because the machine is busy */
    omp_set_num_threads(threads);
    pba_status status = create_plans(fresh);
    if (status == PBA_OK) {
        status = create_buffers(fresh);
    }
    if (status != PBA_OK) {
        trainer_free(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void trainer_free(trainer *trainer)
{
    if (!trainer) {
        return;
    }
    const nn_backend *backend = trainer->task->backend;
    backend->plan_free(trainer->train);
    backend->plan_free(trainer->evaluate);
    pipeline_scratch_free(trainer->scratch);
    free(trainer->order);
    free(trainer->images);
    free(trainer->ids);
    free(trainer->labels);
    free(trainer->logit_gradient);
    free(trainer->gradient);
    free(trainer);
}

size_t trainer_bytes(const trainer *trainer)
{
    const nn_backend *backend = trainer->task->backend;
    return backend->plan_bytes(trainer->train) + backend->plan_bytes(trainer->evaluate) +
           trainer->task->graph->trainable * sizeof(float);
}

int trainer_evaluation_batch(const trainer *trainer)
{
    return trainer->evaluation_batch;
}

const trainer_times *trainer_spent(const trainer *trainer)
{
    return &trainer->times;
}

static void draw_order(trainer *trainer, const trainer_epoch *epoch)
{
    uint32_t count = (uint32_t)trainer->task->counts[PBA_TRAIN];
    for (uint32_t i = 0; i < count; i++) {
        trainer->order[i] = i;
    }
    rng stream = rng_at(epoch->seed, RNG_ORDER, epoch->member, (uint32_t)epoch->epoch, 0);
    rng_shuffle(&stream, trainer->order, count);
}

static void augment_from_pool(trainer *trainer, const trainer_epoch *epoch, pipeline_key key,
                              float *input)
{
    const pba_dataset_info *info = &trainer->task->info;
    size_t floats = (size_t)info->width * (size_t)info->height * (size_t)info->channels;
    for (int i = 0; i < trainer->task->recipe.batch; i++) {
        pba_policy policy = order_pick(epoch->pool, key, trainer->ids[i]);
        pipeline_augment(trainer->task->pipeline, trainer->scratch, &policy, key,
                         trainer->images + i, trainer->ids + i, 1, input + (size_t)i * floats);
    }
}

/* The images of a step into the training plan's input, their labels beside. */
static void fill_batch(trainer *trainer, const trainer_epoch *epoch, int step)
{
    const task *task = trainer->task;
    int batch = task->recipe.batch;
    for (int i = 0; i < batch; i++) {
        uint32_t image = trainer->order[step * batch + i];
        trainer->images[i] = task->images[PBA_TRAIN][image];
        trainer->ids[i] = task->ids[PBA_TRAIN][image];
        trainer->labels[i] = task->labels[PBA_TRAIN][image];
    }
    float *input = task->backend->input(trainer->train);
    pipeline_key key = {epoch->seed, epoch->member, (uint32_t)epoch->epoch};
    if (epoch->pool) {
        augment_from_pool(trainer, epoch, key, input);
        return;
    }
    pipeline_augment(task->pipeline, trainer->scratch, epoch->policy, key, trainer->images,
                     trainer->ids, batch, input);
}

static nn_step step_settings(const task *task, const trainer_epoch *epoch, int step)
{
    const pba_recipe *recipe = &task->recipe;
    return (nn_step){.lr = nn_rate_at(&task->rate, recipe->lr, epoch->epoch, epoch->epochs, step,
                                      task_steps(task)),
                     .momentum = MOMENTUM,
                     .weight_decay = recipe->weight_decay,
                     .clip = CLIP};
}

/* By the step of the whole training, so that a resumed run draws what the undisturbed one does. */
static nn_draw step_draw(const task *task, const trainer_epoch *epoch, int step)
{
    uint32_t before = (uint32_t)epoch->epoch * (uint32_t)task_steps(task);
    return (nn_draw){.seed = epoch->seed, .member = epoch->member, .step = before + (uint32_t)step};
}

/* One step; `loss` is the batch's mean before the step, or no finite number if the network is lost.
 */
static pba_status run_step(trainer *trainer, float *block, const trainer_epoch *epoch, int step,
                           double *loss, int *correct)
{
    const task *task = trainer->task;
    const nn_backend *backend = task->backend;
    trainer_times *times = &trainer->times;
    const void *logits;
    trainer->lap = clock_now();
    fill_batch(trainer, epoch, step);
    lap(trainer, &times->augment);
    pba_status status = backend->load(trainer->train, block);
    lap(trainer, &times->load);
    if (status == PBA_OK) {
        const nn_draw draw = step_draw(task, epoch, step);
        backend->draw(trainer->train, &draw);
        status = backend->forward(trainer->train, block, &logits);
        lap(trainer, &times->forward);
    }
    if (status != PBA_OK) {
        return status;
    }
    *loss = nn_cross_entropy(logits, trainer->labels, task->recipe.batch, task->graph->classes,
                             trainer->logit_gradient, correct);
    lap(trainer, &times->loss);
    if (!isfinite(*loss)) {
        return PBA_OK;
    }
    status = backend->backward(trainer->train, trainer->logit_gradient, trainer->gradient);
    lap(trainer, &times->backward);
    if (status == PBA_OK) {
        nn_step settings = step_settings(task, epoch, step);
        double norm = nn_optimize(task->graph, block, trainer->gradient, &settings);
        if (!isfinite(norm)) { /* a ReLU can hide it from the loss */
            *loss = norm;
        }
        lap(trainer, &times->optimize);
    }
    times->trained += task->recipe.batch;
    return status;
}

static void sum_up(const trainer *trainer, trainer_figures *figures)
{
    figures->images = (int64_t)figures->steps * trainer->task->recipe.batch;
    figures->loss = figures->steps ? figures->loss_sum / figures->steps : 0;
    figures->accuracy = figures->steps ? (double)figures->correct / (double)figures->images : 0;
}

pba_status trainer_run_epoch(trainer *trainer, float *block, const trainer_epoch *epoch,
                             const pba_observer *observer, trainer_figures *figures)
{
    int steps = task_steps(trainer->task);
    pba_status status = PBA_OK;
    if (epoch->max_steps && epoch->max_steps < steps) {
        steps = epoch->max_steps;
    }
    draw_order(trainer, epoch);
    while (status == PBA_OK && figures->steps < steps && isfinite(figures->loss_sum)) {
        double loss = 0;
        int correct = 0;
        if (observer_stops(observer)) {
            status = status_set(PBA_INTERRUPTED, "interrupted");
            break;
        }
        status = run_step(trainer, block, epoch, figures->steps, &loss, &correct);
        figures->steps++;
        figures->loss_sum += loss;
        figures->correct += correct;
    }
    sum_up(trainer, figures);
    return status;
}

/* Images first..first+count of a split through the evaluation plan; adds to loss and correct. */
static pba_status evaluate_batch(trainer *trainer, pba_split split, int first, int count,
                                 double *loss, int *correct)
{
    const task *task = trainer->task;
    const void *logits;
    int right;
    trainer->lap = clock_now();
    pipeline_normalize(task->pipeline, task->images[split] + first, count,
                       task->backend->input(trainer->evaluate));
    lap(trainer, &trainer->times.normalize);
    /* An evaluation plan reads running statistics only; the block is not changed. */
    pba_status status = task->backend->forward(trainer->evaluate, NULL, &logits);
    lap(trainer, &trainer->times.evaluate);
    if (status == PBA_OK) {
        *loss += count * nn_cross_entropy(logits, task->labels[split] + first, count,
                                          task->graph->classes, NULL, &right);
        *correct += right;
        lap(trainer, &trainer->times.score);
    }
    trainer->times.evaluated += trainer->evaluation_batch;
    return status;
}

pba_status trainer_evaluate(trainer *trainer, const float *block, pba_split split,
                            const pba_observer *observer, double *error, double *loss)
{
    int count = trainer->task->counts[split], correct = 0;
    double loss_sum = 0;
    if (!count) {
        return status_set(PBA_USAGE, "there are no images to evaluate on");
    }
    trainer->lap = clock_now();
    pba_status status = trainer->task->backend->load(trainer->evaluate, block);
    lap(trainer, &trainer->times.load);
    for (int first = 0; first < count && status == PBA_OK; first += trainer->evaluation_batch) {
        int left = count - first;
        if (observer_stops(observer)) {
            return status_set(PBA_INTERRUPTED, "interrupted");
        }
        status = evaluate_batch(trainer, split, first,
                                left < trainer->evaluation_batch ? left : trainer->evaluation_batch,
                                &loss_sum, &correct);
    }
    *error = 1.0 - (double)correct / count;
    *loss = loss_sum / count;
    return status;
}
