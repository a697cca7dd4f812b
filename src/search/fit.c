/* SPDX-License-Identifier: Apache-2.0
 * pba_search_fit: measures what it needs to know, lets budget.c choose, and opens the search on the
 * data that are open already. Nothing is measured that no answer depends on: a larger network's
 * speed is worked out from a smaller one's until the rules would take it. */
#include "train/fit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/threads.h"
#include "search/budget.h"
#include "search/search.h"

enum { MODELS_MOST = 16 };

/* Larger networks come nearer to the processor's peak, so that the ratio of their multiply-adds
 * says too much. Rather too little: what the rules would take then is measured before it is taken.
 */
static const double OPTIMISM = 0.75;
/* Writing a checkpoint: syncing it, and its bytes a second. */
static const double CHECKPOINT_SECONDS = 0.01, CHECKPOINT_RATE = 3e8;
static const double MEMORY_SHARE = 0.9; /* of what is free */

typedef struct candidate {
    double training_macs, forward_macs;
    measure measure;
    char precision[8]; /* that it was measured in */
    double gain;       /* how many times faster than in the other precision; 0: not compared */
} candidate;

typedef struct session {
    fit fit;
    pba_search_options *options;
    const pba_observer *observer;
    task_data data;
    pba_dataset_info info;
    candidate candidates[MODELS_MOST];
    budget_speed speeds[MODELS_MOST]; /* of the same */
    budget_question question;
} session;

/* ------------------------------------------------------------------ networks */

static pba_status add_model(session *session, const char *model)
{
    int place = session->question.speed_count;
    const pba_dataset_info *info = &session->info;
    nn_graph *graph;
    if (place == MODELS_MOST) {
        return status_set(PBA_INTERNAL, "the rules of budgets name too many networks");
    }
    pba_status status =
        nn_model_build(model, info->width, info->height, info->channels, info->classes, &graph);
    if (status != PBA_OK) {
        return status;
    }
    session->candidates[place] = (candidate){.training_macs = nn_training_macs(graph),
                                             .forward_macs = nn_forward_macs(graph)};
    double bytes = (double)graph->block * sizeof(float);
    session->speeds[place] =
        (budget_speed){.model = model,
                       .checkpoint = CHECKPOINT_SECONDS + bytes / CHECKPOINT_RATE,
                       .member_bytes = bytes};
    session->question.speed_count++;
    nn_graph_free(graph);
    return PBA_OK;
}

/* The one that is given, or those of the rules that take images of this size. */
static pba_status add_models(session *session)
{
    pba_status status = PBA_OK;
    if (fit_keeps(&session->fit, "model")) {
        return add_model(session, session->options->recipe.model);
    }
    for (int i = 0; budget_model(i); i++) {
        status = add_model(session, budget_model(i));
        if (status != PBA_OK && status != PBA_USAGE) {
            return status;
        }
    }
    return session->question.speed_count ? PBA_OK : status;
}

/* From the next smaller network that was measured. */
static void derive(session *session, int index)
{
    int from = index - 1;
    while (!session->speeds[from].measured) {
        from--;
    }
    const candidate *to = &session->candidates[index], *base = &session->candidates[from];
    const budget_speed *known = &session->speeds[from];
    budget_speed *speed = &session->speeds[index];
    speed->start = known->start;
    speed->step = known->step * OPTIMISM * to->training_macs / base->training_macs;
    speed->evaluation = known->evaluation * OPTIMISM * to->forward_macs / base->forward_macs;
    speed->worker_bytes = known->worker_bytes;
}

static void take_measure(session *session, int index)
{
    const measure *measure = &session->candidates[index].measure;
    budget_speed *speed = &session->speeds[index];
    speed->start = measure->create_seconds;
    speed->step = measure->step_seconds;
    speed->evaluation = measure->evaluation_seconds;
    speed->worker_bytes = measure->trainer_bytes;
    speed->measured = true;
    for (int i = 1; i < session->question.speed_count; i++) {
        if (!session->speeds[i].measured) {
            derive(session, i);
        }
    }
}

/* On as many images as there are: which ones does not matter to the time. */
static pba_status measure_in(session *session, int index, const char *precision, measure *measure)
{
    pba_recipe recipe = session->options->recipe;
    task *task;
    snprintf(recipe.model, sizeof recipe.model, "%s", session->speeds[index].model);
    snprintf(recipe.precision, sizeof recipe.precision, "%s", precision);
    recipe.train_size = recipe.val_size = 0;
    pba_status status = task_open_on(&recipe, &session->data, NULL, &task);
    if (status != PBA_OK) {
        return status;
    }
    session->question.val_images =
        session->data.other ? task->counts[PBA_VALIDATION] : session->info.val_images;
    status = measure_run(task, session->question.workers, 1, fit_measuring(&session->fit),
                         session->observer, measure);
    task_free(task);
    return status;
}

/* Measures the other precision too, and takes the faster one. */
static pba_status compare(session *session, int index)
{
    candidate *candidate = &session->candidates[index];
    measure plain;
    pba_status status = measure_in(session, index, FIT_OTHER, &plain);
    if (status != PBA_OK) {
        return status;
    }
    candidate->gain = plain.step_seconds / candidate->measure.step_seconds;
    if (candidate->gain < 1) {
        candidate->measure = plain;
        candidate->gain = 1 / candidate->gain;
        snprintf(candidate->precision, sizeof candidate->precision, FIT_OTHER);
    }
    return PBA_OK;
}

/* In the precision that is kept, or in the faster one: bf16 has slow paths for some images, such as
 * those of Fashion-MNIST. */
static pba_status measure_model(session *session, int index)
{
    const pba_recipe *recipe = &session->options->recipe;
    candidate *candidate = &session->candidates[index];
    const nn_backend *backend;
    const char *first;
    pba_status status = nn_backend_choose(recipe->backend, recipe->precision, &first, &backend);
    if (status == PBA_OK) {
        status = measure_in(session, index, first, &candidate->measure);
        snprintf(candidate->precision, sizeof candidate->precision, "%s", first);
    }
    if (status == PBA_OK && fit_compares(&session->fit, first)) {
        status = compare(session, index);
    }
    if (status == PBA_OK) {
        take_measure(session, index);
    }
    return status;
}

/* ------------------------------------------------------------------ the question */

static int given(const session *session, const char *name, int value)
{
    return fit_keeps(&session->fit, name) ? value : 0;
}

/* A size of 0 that is given means all that scoring leaves. */
static int given_training(const session *session, int images)
{
    int size = session->options->recipe.train_size, val = session->options->recipe.val_size;
    bool apart = !session->data.other && !session->info.val_images;
    if (size || !fit_keeps(&session->fit, "train-size")) {
        return given(session, "train-size", size);
    }
    const budget_question whole = {.images = images};
    return apart ? images - (val ? val : budget_val_size(&whole, images)) : images;
}

static pba_status ask(session *session)
{
    const pba_search_options *options = session->options;
    budget_question *question = &session->question;
    pba_status status = pba_dataset_split(session->data.dataset, 0, -1, options->recipe.split_seed);
    if (status == PBA_OK) {
        status = pba_dataset_describe(session->data.dataset, &session->info);
    }
    if (status != PBA_OK) {
        return status;
    }
    int images = pba_dataset_count(session->data.dataset, PBA_TRAIN);
    int workers = options->workers ? options->workers : pba_cores();
    int most =
        fit_keeps(&session->fit, "population") ? options->population : BUDGET_POPULATION_MOST;
    double free = (double)threads_memory_limit() - (double)threads_memory_used();
    *question = (budget_question){.memory = MEMORY_SHARE * free,
                                  .workers = workers < most ? workers : most,
                                  .batch = options->recipe.batch,
                                  .interval = options->interval,
                                  .images = images,
                                  .population = given(session, "population", options->population),
                                  .epochs = given(session, "epochs", options->recipe.epochs),
                                  .train_size = given_training(session, images),
                                  .val_size = given(session, "val-size", options->recipe.val_size),
                                  .speeds = session->speeds};
    return add_models(session);
}

/* Measures until the answer rests on what was measured alone. */
static pba_status find(session *session, budget_answer *answer)
{
    pba_status status = measure_model(session, 0);
    while (status == PBA_OK) {
        session->question.seconds = fit_left(&session->fit);
        *answer = budget_find(&session->question);
        if (answer->speed->measured) {
            return PBA_OK;
        }
        status = measure_model(session, (int)(answer->speed - session->speeds));
    }
    return status;
}

/* ------------------------------------------------------------------ the answer */

static void say_next(session *session, const char *name, int value, int next, double seconds)
{
    char time[FIT_TEXT];
    fit_number(&session->fit, name, value, "with %d it would take at least about %s", next,
               fit_duration(seconds, time));
}

static void say_model(session *session, const budget_answer *answer)
{
    char time[FIT_TEXT];
    pba_budget_choice *choice = fit_choice(&session->fit, "model");
    snprintf(choice->value, sizeof choice->value, "%s", answer->speed->model);
    if (fit_keeps(&session->fit, "model")) {
        snprintf(choice->why, sizeof choice->why, "given");
    } else if (answer->next.model && answer->next.model_seconds <= session->question.seconds) {
        snprintf(choice->why, sizeof choice->why, "%s would need more memory than is free",
                 answer->next.model);
    } else if (answer->next.model) {
        snprintf(choice->why, sizeof choice->why, "with %s it would take at least about %s",
                 answer->next.model, fit_duration(answer->next.model_seconds, time));
    } else {
        snprintf(choice->why, sizeof choice->why, "the paper's, the largest of the rules");
    }
}

static void say_population(session *session, const budget_answer *answer)
{
    fit *fit = &session->fit;
    int count = answer->population;
    if (fit_keeps(fit, "population")) {
        fit_number(fit, "population", count, "given");
    } else if (count == BUDGET_POPULATION_PAPER) {
        fit_number(fit, "population", count, "the paper's");
    } else if (answer->next.population) {
        say_next(session, "population", count, answer->next.population,
                 answer->next.population_seconds);
    } else {
        fit_number(fit, "population", count, "one for each of %d workers",
                   session->question.workers);
    }
}

static void say_epochs(session *session, const budget_answer *answer)
{
    bool all = answer->epochs == BUDGET_EPOCHS_MOST;
    fit_number(&session->fit, "epochs", answer->epochs, "%s",
               fit_keeps(&session->fit, "epochs") ? "given"
               : all                              ? "the paper's, the most of the rules"
                                                  : "as many as fit");
}

static void say_sizes(session *session, const budget_answer *answer)
{
    fit *fit = &session->fit;
    const budget_question *question = &session->question;
    int left = question->images - answer->train_size;
    if (fit_keeps(fit, "train-size")) {
        fit_number(fit, "train-size", answer->train_size, "given");
    } else if (answer->next.train_size) {
        say_next(session, "train-size", answer->train_size, answer->next.train_size,
                 answer->next.train_seconds);
    } else if (left <= (question->val_images ? 0 : answer->val_size)) {
        fit_number(fit, "train-size", answer->train_size,
                   "all that are neither for test nor validation");
    } else {
        bool grown = question->epochs || answer->epochs == BUDGET_EPOCHS_MOST;
        fit_number(fit, "train-size", answer->train_size, "%s",
                   grown ? "as many as fit" : "the paper's reduced data");
    }
    fit_number(fit, "val-size", answer->val_size, "%s",
               fit_keeps(fit, "val-size")
                   ? "given"
                   : "half of the training images, from 500 to 5,000, at most a fifth of all");
}

static pba_status refuse(session *session, const budget_answer *least)
{
    char what[160];
    snprintf(what, sizeof what, "%d x %s for %d epochs on %d training images", least->population,
             least->speed->model, least->epochs, least->train_size);
    if (least->seconds <= session->question.seconds) {
        return status_set(PBA_MEMORY, "budget: %s needs more memory than the %.1f GB that are free",
                          what, session->question.memory / 1e9);
    }
    return fit_refuse(&session->fit, least->seconds, what);
}

static pba_status settle(session *session, const budget_answer *answer)
{
    pba_search_options *options = session->options;
    pba_recipe *recipe = &options->recipe;
    const candidate *chosen = &session->candidates[answer->speed - session->speeds];
    bool all = fit_keeps(&session->fit, "train-size") && !recipe->train_size;
    if (!answer->fits) {
        return refuse(session, answer);
    }
    if (!fit_keeps(&session->fit, "model")) {
        snprintf(recipe->model, sizeof recipe->model, "%s", answer->speed->model);
    }
    memcpy(recipe->precision, chosen->precision, sizeof recipe->precision);
    options->population = answer->population;
    recipe->epochs = answer->epochs;
    recipe->train_size = all ? 0 : answer->train_size;
    recipe->val_size = answer->val_size;
    fit_precision(&session->fit, chosen->precision, chosen->gain);
    say_model(session, answer);
    say_population(session, answer);
    fit_number(&session->fit, "interval", options->interval, "%s",
               fit_keeps(&session->fit, "interval") ? "given" : "the paper's");
    say_sizes(session, answer);
    say_epochs(session, answer);
    return PBA_OK;
}

static pba_status choose(session *session, budget_answer *answer)
{
    pba_search_options *options = session->options;
    pba_status status = search_check_options(options);
    if (status == PBA_OK && !fit_keeps(&session->fit, "precision")) {
        snprintf(options->recipe.precision, sizeof options->recipe.precision, "auto");
    }
    if (status == PBA_OK) {
        status = task_data_open(&options->recipe, options->dataset, options->val, session->observer,
                                &session->data);
    }
    if (status == PBA_OK) {
        status = ask(session);
    }
    if (status == PBA_OK) {
        status = find(session, answer);
    }
    return status == PBA_OK ? settle(session, answer) : status;
}

static pba_status open_chosen(session *session, const budget_answer *answer, pba_search **search)
{
    pba_status status = search_new(session->options, false, session->observer, search);
    if (status != PBA_OK) {
        return status;
    }
    (*search)->data = session->data;
    session->data = (task_data){0};
    (*search)->measure = session->candidates[answer->speed - session->speeds].measure;
    return search_open_task(*search);
}

pba_status pba_search_fit(pba_search_options *options, const char *const *kept, size_t kept_count,
                          const pba_observer *observer, pba_budget *budget, pba_search **result)
{
    if (!options || !budget || !result) {
        return status_null(__func__);
    }
    budget_answer answer;
    *result = NULL;
    session *session = memory_new(1, sizeof *session);
    if (!session) {
        return PBA_MEMORY;
    }
    pba_search_options asked = *options;
    session->options = options;
    session->observer = observer;
    pba_status status = fit_begin(&session->fit, options->budget, kept, kept_count, budget);
    if (status == PBA_OK) {
        status = choose(session, &answer);
    }
    if (status == PBA_OK) {
        status = open_chosen(session, &answer, result);
    }
    if (status == PBA_OK) {
        (*result)->observer = NULL;
        fit_end(&session->fit, answer.seconds);
    } else {
        pba_search_free(*result);
        *result = NULL;
        *options = asked;
    }
    task_data_free(&session->data);
    free(session);
    return status;
}
