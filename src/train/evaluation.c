/* SPDX-License-Identifier: Apache-2.0
 * Saved weights on a split of a data set: nothing is augmented, and normalization is the
 * training's, which the weights carry. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/pipeline.h"
#include "core/file.h"
#include "core/locale.h"
#include "core/memory.h"
#include "core/observer.h"
#include "core/text.h"
#include "core/threads.h"
#include "nn/backend.h"
#include "nn/model.h"
#include "nn/optimizer.h"
#include "train/checkpoint.h"
#include "train/run.h"
#include "train/settings.h"
#include "train/trainer.h"

enum { BATCH = 250 };

static const pba_setting rows[] = {
    {"dataset", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, dataset), 0, 0, "", "DATASET",
     NULL, "Path of the data, recognized by content, or demo.", false},
    {"weights", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, weights), 0, 0, "", "FILE",
     NULL, "Weights that pba train saved.", false},
    {"model", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, model), 0, 0, "", "NAME", NULL,
     "The network, where the weights do not name it.", false},
    {"split", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, split), 0, 0, "test",
     "test|validation|training", "test|validation|training", "The images to answer for.", false},
    DATASET_ROWS(pba_evaluate_options),
    {"train-size", PBA_SETTING_INT, SETTING_FIELD(pba_evaluate_options, train_size), 0, 1e9, "0",
     "N", NULL, "As for the training; matters for --split training only.", false},
    {"val-size", PBA_SETTING_INT, SETTING_FIELD(pba_evaluate_options, val_size), 0, 1e9, "0", "N",
     NULL, "As for the search; matters for --split validation and training only.", false},
    {"split-seed", PBA_SETTING_SEED, SETTING_FIELD(pba_evaluate_options, split_seed), 0, 0, "0",
     "N", NULL, "As for the training, where the data has no test images of its own.", false},
    {"backend", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, backend), 0, 0, "onednn",
     "onednn|reference", "onednn|reference", "What computes the network.", false},
    {"precision", PBA_SETTING_TEXT, SETTING_FIELD(pba_evaluate_options, precision), 0, 0, "f32",
     "f32|bf16|auto", "f32|bf16|auto",
     "Numbers that it computes in; auto: bf16 where the processor has it.", false},
};

const pba_setting *pba_evaluate_settings(size_t *count)
{
    if (count) {
        *count = sizeof rows / sizeof *rows;
    }
    return rows;
}

/* What an evaluation needs while it runs. */
typedef struct session {
    const pba_evaluate_options *options;
    const pba_observer *observer;
    pba_evaluation *result;
    pba_dataset *dataset;
    pba_dataset_info info;
    pba_split split;
    nn_graph *graph;
    const nn_backend *backend;
    nn_plan *plan;
    pipeline *pipeline;
    float *block;
    int batch;
} session;

/* What the weights need not say: the text stays as it is then. */
static pba_status may_say(const char *weights, const char *key, char *text, size_t size)
{
    pba_status status = weights_metadata(weights, key, text, size);
    return status == PBA_NOT_FOUND && file_exists(weights) ? PBA_OK : status;
}

/* Images become the size that the network was trained at, unless another one is asked for. */
static pba_status open_dataset(session *session)
{
    const pba_evaluate_options *options = session->options;
    pba_dataset_options opening = {.skip_bad = options->skip_bad};
    memcpy(opening.size, options->size, sizeof opening.size);
    memcpy(opening.fit, options->fit, sizeof opening.fit);
    bool asked = opening.size[0];
    pba_status status =
        asked ? PBA_OK : may_say(options->weights, "size", opening.size, sizeof opening.size);
    bool trained = !asked && opening.size[0];
    if (status == PBA_OK && trained) {
        status = may_say(options->weights, "fit", opening.fit, sizeof opening.fit);
    }
    if (status != PBA_OK) {
        return status;
    }
    status = task_open_dataset(options->dataset, &opening, session->observer, &session->dataset);
    return trained && status == PBA_USAGE
               ? status_prefix(PBA_FORMAT, "%s: was trained on images of %s", options->weights,
                               opening.size)
               : status;
}

static pba_status open_data(session *session)
{
    const pba_evaluate_options *options = session->options;
    session->split = strcmp(options->split, "training") == 0     ? PBA_TRAIN
                     : strcmp(options->split, "validation") == 0 ? PBA_VALIDATION
                                                                 : PBA_TEST;
    pba_status status = open_dataset(session);
    if (status == PBA_OK) {
        status = pba_dataset_split(session->dataset, options->train_size, options->val_size,
                                   options->split_seed);
    }
    if (status == PBA_OK) {
        status = pba_dataset_describe(session->dataset, &session->info);
    }
    session->result->images =
        status == PBA_OK ? pba_dataset_count(session->dataset, session->split) : 0;
    if (status == PBA_OK && !session->result->images) {
        status =
            status_set(PBA_NOT_FOUND, "%s: has no %s images", options->dataset, options->split);
    }
    return status;
}

static pba_status open_network(session *session)
{
    const pba_evaluate_options *options = session->options;
    const pba_dataset_info *info = &session->info;
    char *model = session->result->model;
    const char *chosen;
    pba_status status =
        nn_backend_choose(options->backend, options->precision, &chosen, &session->backend);
    if (status == PBA_OK && options->model[0]) {
        snprintf(model, PBA_NAME_MAX, "%s", options->model);
    } else if (status == PBA_OK) {
        status = weights_metadata(options->weights, "model", model, PBA_NAME_MAX);
    }
    if (status == PBA_OK) {
        status = nn_model_build(model, info->width, info->height, info->channels, info->classes,
                                &session->graph);
    }
    if (status != PBA_OK) {
        return status;
    }
    session->block = memory_aligned(session->graph->block, sizeof *session->block);
    return session->block ? weights_load(options->weights, session->graph, session->block)
                          : PBA_MEMORY;
}

static pba_status read_three(const char *path, const char *key, double values[3])
{
    char text[256];
    pba_status status = weights_metadata(path, key, text, sizeof text);
    if (status != PBA_OK) {
        return status;
    }
    locale_plain held = locale_enter();
    int found = sscanf(text, "%lf %lf %lf", &values[0], &values[1], &values[2]);
    locale_leave(&held);
    return found == 3 ? PBA_OK
                      : status_set(PBA_FORMAT, "%s: its %s is not three numbers", path, key);
}

static pba_status open_pipeline(session *session)
{
    const pba_dataset_info *info = &session->info;
    pipeline_options options = {.width = info->width,
                                .height = info->height,
                                .channels = info->channels,
                                .baseline = "none"};
    const char *path = session->options->weights;
    pba_status status = read_three(path, "mean", options.mean);
    if (status == PBA_OK) {
        status = read_three(path, "deviation", options.deviation);
    }
    if (status == PBA_OK) {
        status = pipeline_create(&options, &session->pipeline);
        status = status == PBA_USAGE ? status_prefix(PBA_FORMAT, "%s", path) : status;
    }
    return status;
}

static pba_status open_plan(session *session)
{
    session->batch = session->result->images < BATCH ? session->result->images : BATCH;
    pba_status status =
        session->backend->plan_create(session->graph, session->batch, false, &session->plan);
    return status == PBA_OK ? session->backend->load(session->plan, session->block) : status;
}

static pba_status open_result(session *session)
{
    pba_evaluation *result = session->result;
    size_t images = (size_t)result->images, sides = (size_t)session->info.classes;
    if (threads_memory_check(sides * sides * sizeof *result->confusion) != PBA_OK) {
        return status_prefix(PBA_MEMORY, "the confusion matrix of %zu classes", sides);
    }
    result->classes = session->info.classes;
    result->class_names = memory_new(sides, sizeof *result->class_names);
    for (int label = 0; result->class_names && label < result->classes; label++) {
        snprintf(result->class_names[label], sizeof *result->class_names, "%s",
                 pba_dataset_class(session->dataset, label));
    }
    result->confusion = memory_new(sides * sides, sizeof *result->confusion);
    result->labels = memory_new(images, sizeof *result->labels);
    result->answers = memory_new(images, sizeof *result->answers);
    result->confidence = memory_new(images, sizeof *result->confidence);
    return result->confusion && result->labels && result->answers && result->confidence &&
                   result->class_names
               ? PBA_OK
               : PBA_MEMORY;
}

/* The largest logit, the first of equals, and its softmax share. */
static int answer_of(const float *logits, int classes, float *confidence)
{
    int best = 0;
    double sum = 0;
    for (int c = 1; c < classes; c++) {
        best = logits[c] > logits[best] ? c : best;
    }
    for (int c = 0; c < classes; c++) {
        sum += exp((double)logits[c] - (double)logits[best]);
    }
    *confidence = (float)(1.0 / sum);
    return best;
}

static pba_status answer_batch(session *session, int first, int count)
{
    pba_evaluation *result = session->result;
    const uint8_t *images[BATCH];
    const void *logits;
    int classes = result->classes, correct;
    for (int i = 0; i < count; i++) {
        pba_image view;
        pba_status status = pba_dataset_image(session->dataset, session->split, first + i, &view,
                                              &result->labels[first + i]);
        if (status != PBA_OK) {
            return status;
        }
        images[i] = view.pixels;
    }
    pipeline_normalize(session->pipeline, images, count, session->backend->input(session->plan));
    pba_status status = session->backend->forward(session->plan, NULL, &logits);
    if (status != PBA_OK) {
        return status;
    }
    result->loss +=
        count * nn_cross_entropy(logits, result->labels + first, count, classes, NULL, &correct);
    for (int i = first; i < first + count; i++) {
        result->answers[i] =
            answer_of((const float *)logits + (size_t)(i - first) * (size_t)classes, classes,
                      &result->confidence[i]);
        int *row = result->confusion + (size_t)result->labels[i] * (size_t)classes;
        row[result->answers[i]]++;
    }
    return PBA_OK;
}

static pba_status answer_all(session *session)
{
    pba_status status = PBA_OK;
    for (int first = 0; first < session->result->images && status == PBA_OK;
         first += session->batch) {
        int left = session->result->images - first;
        if (observer_stops(session->observer)) {
            return status_set(PBA_INTERRUPTED, "interrupted");
        }
        status = answer_batch(session, first, left < session->batch ? left : session->batch);
    }
    return status;
}

static void sum_up(pba_evaluation *result)
{
    int right = 0, seen = 0;
    double classes_error = 0;
    for (int label = 0; label < result->classes; label++) {
        const int *row = result->confusion + (size_t)label * (size_t)result->classes;
        int images = 0;
        for (int c = 0; c < result->classes; c++) {
            images += row[c];
        }
        right += row[label];
        seen += images > 0;
        classes_error += images ? 1.0 - (double)row[label] / images : 0;
    }
    result->error = 1.0 - (double)right / result->images;
    result->balanced_error = classes_error / seen;
    result->loss /= result->images;
}

static pba_status run(session *session)
{
    pba_status status = open_data(session);
    if (status == PBA_OK) {
        status = open_network(session);
    }
    if (status == PBA_OK) {
        status = open_pipeline(session);
    }
    if (status == PBA_OK) {
        status = open_plan(session);
    }
    if (status == PBA_OK) {
        status = open_result(session);
    }
    if (status == PBA_OK) {
        status = answer_all(session);
    }
    return status;
}

pba_status pba_evaluate(const pba_evaluate_options *options, const pba_observer *observer,
                        pba_evaluation **evaluation)
{
    if (!options || !evaluation) {
        return status_null(__func__);
    }
    *evaluation = NULL;
    pba_evaluate_options scratch = *options;
    pba_status status = run_check_settings(options, &scratch, rows, sizeof rows / sizeof *rows);
    if (status == PBA_OK && (!options->dataset[0] || !options->weights[0])) {
        status = status_set(PBA_USAGE, "a data set and a file of weights are needed");
    }
    if (status != PBA_OK) {
        return status;
    }
    session session = {.options = options, .observer = observer};
    session.result = memory_new(1, sizeof *session.result);
    status = session.result ? run(&session) : PBA_MEMORY;
    if (session.backend) {
        session.backend->plan_free(session.plan);
    }
    pipeline_free(session.pipeline);
    nn_graph_free(session.graph);
    pba_dataset_free(session.dataset);
    free(session.block);
    if (status != PBA_OK) {
        pba_evaluation_free(session.result);
        return status;
    }
    sum_up(session.result);
    *evaluation = session.result;
    return PBA_OK;
}

void pba_evaluation_free(pba_evaluation *evaluation)
{
    if (!evaluation) {
        return;
    }
    free(evaluation->confusion);
    free(evaluation->labels);
    free(evaluation->answers);
    free(evaluation->confidence);
    free(evaluation->class_names);
    free(evaluation);
}

/* A field in quotes, quotes in it doubled (RFC 4180). */
static void write_field(text_buffer *out, const char *text, char end)
{
    text_add_letter(out, '"');
    for (; *text; text++) {
        text_add_bytes(out, "\"\"", *text == '"');
        text_add_letter(out, *text);
    }
    text_add(out, "\"%c", end);
}

static void write_rows(text_buffer *out, const pba_evaluation *evaluation)
{
    text_add(out, "index,label,answer,confidence,label_name,answer_name\n");
    for (int i = 0; i < evaluation->images; i++) {
        int label = evaluation->labels[i], answer = evaluation->answers[i];
        text_add(out, "%d,%d,%d,%.6f,", i, label, answer, (double)evaluation->confidence[i]);
        write_field(out, evaluation->class_names[label], ',');
        write_field(out, evaluation->class_names[answer], '\n');
    }
}

pba_status pba_evaluation_write_csv(const pba_evaluation *evaluation, const char *path)
{
    if (!evaluation || !path) {
        return status_null(__func__);
    }
    char *text;
    size_t size;
    text_buffer out = {0};
    locale_plain held = locale_enter(); /* a decimal comma would be one column more */
    write_rows(&out, evaluation);
    locale_leave(&held);
    pba_status status = text_end(&out, path, &text, &size);
    if (status == PBA_OK) {
        status = file_write(path, text, size);
    }
    free(text);
    return status;
}
