/* SPDX-License-Identifier: Apache-2.0
 * Opening a search, and what it will do. */
#include "search/search.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/kind.h"
#include "augment/plugin.h"
#include "augment/space.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/note.h"
#include "core/threads.h"
#include "train/run.h"

double search_training_work(const pba_search *search, const pba_task *task)
{
    double epoch = (double)task_steps(search->task) * search->options.recipe.batch;
    return (task->until_epoch - task->from_epoch) * epoch;
}

double search_task_work(const pba_search *search, const pba_task *task)
{
    return search_training_work(search, task) +
           EVALUATION_WORK * search->task->counts[PBA_VALIDATION];
}

double search_work(const pba_search *search)
{
    pba_task whole = {.until_epoch = search->options.recipe.epochs};
    double evaluations = EVALUATION_WORK * search->task->counts[PBA_VALIDATION];
    return search->options.population *
           (search_task_work(search, &whole) + (search->rounds - 1) * evaluations);
}

/* Values set by hand go through the same rows as those from a command line. The folder must be
 * free.
 */
pba_status search_check_options(const pba_search_options *options)
{
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_search_options scratch = *options;
    pba_status status = run_check_settings(options, &scratch, rows, count);
    pba_preset preset;
    if (status == PBA_OK && options->preset[0]) {
        status = pba_preset_find("search", options->preset, &preset);
    }
    if (status == PBA_OK && !options->dataset[0]) {
        status = status_set(PBA_USAGE, "no data set was named; give a path, or demo");
    }
    return status == PBA_OK ? directory_check(options->out) : status;
}

bool search_drifts(const pba_search *search)
{
    return strcmp(search->options.selection, "none") == 0;
}

/* Named in full where they, or the default, are not the paper's, so that a resumed run has the same
 * whatever is loaded then. */
static pba_status settle_ops(pba_search *search)
{
    const char *usual[PBA_POLICY_MAX];
    int usual_count;
    bool papers = augment_ops_choose("", usual, &usual_count) == PBA_OK &&
                  usual_count == SCHEDULE_PBA_OPS && search->op_count == SCHEDULE_PBA_OPS;
    char text[sizeof search->options.ops] = "";
    size_t used = 0;
    for (int i = 0; i < search->op_count && used < sizeof text; i++) {
        papers = papers && strcmp(search->ops[i], schedule_pba_ops[i]) == 0;
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? "," : "", search->ops[i]);
    }
    if (used >= sizeof text) {
        return status_set(PBA_USAGE, "ops: the names of all %d operations are too long",
                          search->op_count);
    }
    snprintf(search->options.ops, sizeof search->options.ops, "%s", papers ? "" : text);
    return PBA_OK;
}

/* A resumed run's operations were settled when it began: its "" is the paper's, too, even where a
 * plug-in is loaded by now. */
static pba_status choose_operations(pba_search *search, bool resumed)
{
    pba_search_options *options = &search->options;
    pba_status status = schedule_counts_parse(options->count_probs, &search->counts);
    if (status == PBA_OK && !resumed) {
        status = augment_plugins_load(options->plugin);
    }
    if (status == PBA_OK && !resumed) {
        status = augment_plugins_settle(options->plugin, sizeof options->plugin);
    }
    if (status == PBA_OK && resumed && !options->ops[0]) {
        memcpy(search->ops, schedule_pba_ops, sizeof schedule_pba_ops);
        search->op_count = SCHEDULE_PBA_OPS;
        return PBA_OK;
    }
    if (status == PBA_OK) {
        status = augment_ops_choose(options->ops, search->ops, &search->op_count);
    }
    return status == PBA_OK ? settle_ops(search) : status;
}

/* What members start from is read once: the run keeps a copy, which holds when it is resumed,
 * whatever became of the file. */
static pba_status open_from(pba_search *search, bool resumed)
{
    char copy[PBA_PATH_MAX];
    char *from = search->options.from;
    augment_choice choice = {0};
    if (!from[0]) {
        return PBA_OK;
    }
    pba_status status = file_join(copy, search->options.out, DIRECTORY_FROM);
    if (status == PBA_OK) {
        status = augment_choice_parse(resumed ? copy : from, &choice);
    }
    if (status == PBA_OK && !choice.schedule) {
        status = status_set(
            PBA_USAGE, "'%s' is no schedule; name the folder of a search or a schedule file", from);
    }
    search->from = choice.schedule;
    choice.schedule = NULL;
    augment_choice_free(&choice);
    if (status != PBA_OK) {
        return status_prefix(status, "from");
    }
    return resumed ? PBA_OK : file_full_path(from, from); /* for a resume from another folder */
}

static pba_status create_population(pba_search *search)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = search->options.population;
    options.interval = search->options.interval;
    options.epochs = search->options.recipe.epochs;
    options.seed = search->options.recipe.seed;
    options.ops = search->ops;
    options.op_count = search->op_count;
    options.burn_in = search->options.burn_in;
    options.quantile = search->options.quantile;
    options.resample = search->options.resample;
    options.selection = search_drifts(search) ? PBA_SELECTION_NONE : PBA_SELECTION_TRUNCATION;
    options.start = search->from;
    search->rounds = (options.epochs - 1) / options.interval + 1;
    pba_status status = pba_population_create(&options, &search->population);
    return status == PBA_USAGE && search->from
               ? status_prefix(status, "from %s", search->options.from)
               : status;
}

pba_status search_new(const pba_search_options *options, bool resumed, const pba_observer *observer,
                      pba_search **result)
{
    *result = NULL;
    pba_search *search = memory_new(1, sizeof *search);
    if (!search) {
        return PBA_MEMORY;
    }
    search->options = *options;
    search->observer = observer;
    pthread_mutex_init(&search->lock, NULL);
    pthread_cond_init(&search->moved, NULL);
    int workers = options->workers ? options->workers : pba_cores();
    search->workers = workers < options->population ? workers : options->population;
    size_t members = (size_t)options->population;
    search->tasks = memory_new(members, sizeof *search->tasks);
    search->before = memory_new(members, sizeof *search->before);
    search->repairs = memory_new(members, sizeof *search->repairs);
    search->scored = memory_new(members, sizeof *search->scored);
    search->begun = memory_new(members, sizeof *search->begun);
    search->early = memory_new(members, sizeof *search->early);
    search->blocks = memory_new(members, sizeof *search->blocks);
    pba_status status = PBA_MEMORY;
    if (search->tasks && search->before && search->repairs && search->scored && search->begun &&
        search->early && search->blocks) {
        status = PBA_OK;
    }
    if (status == PBA_OK) {
        status = choose_operations(search, resumed);
    }
    if (status == PBA_OK) {
        status = open_from(search, resumed);
    }
    if (status == PBA_OK) {
        status = create_population(search);
    }
    if (status == PBA_OK && !resumed) {
        status = search_check_files(search);
    }
    if (status != PBA_OK) {
        pba_search_free(search);
        return status;
    }
    *result = search;
    return PBA_OK;
}

/* So that the run can be resumed from another folder, and names its data by the last part alone. */
static pba_status settle_dataset(pba_search *search)
{
    const char *name = search->task->info.format;
    pba_status status = PBA_OK;
    if (strcmp(name, "demo") != 0) {
        char *dataset = search->options.dataset;
        status = file_full_path(dataset, dataset); /* so that it can be resumed elsewhere */
        const char *slash = strrchr(search->options.dataset, '/');
        name = slash && slash[1] ? slash + 1 : name;
    }
    snprintf(search->dataset, sizeof search->dataset, "%s", name);
    char *val = search->options.val;
    bool path = val[0] && strcmp(val, "demo") != 0;
    return status == PBA_OK && path ? file_full_path(val, val) : status;
}

void search_note(pba_search *search, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_add(search->notes, sizeof search->notes, format, arguments);
    va_end(arguments);
}

/* Settings under which the search finds nothing, or nothing by selection. */
static void note_settings(pba_search *search)
{
    const pba_search_options *options = &search->options;
    if (search->rounds == 1) {
        search_note(search, "one round only: nobody copies anybody, and the schedule will hold no "
                            "augmentation; give more --epochs or a smaller --interval");
    } else if (options->burn_in > (search->rounds - 1) * options->interval) {
        search_note(search, "the burn-in lasts to the end: nobody copies anybody, and no policy "
                            "changes; give a smaller --burn-in or more --epochs");
    } else if (search_drifts(search)) {
        search_note(search, "no selection: nobody copies anybody, and the schedule will be what "
                            "drift gives");
    } else if (options->quantile == 0) {
        search_note(search, "a quantile of 0: nobody copies anybody, and no policy changes");
    }
}

static void note_other(pba_search *search)
{
    const task *task = search->task;
    pba_dataset_info info;
    search_note(search, "members are scored on %d images of %s: %s", task->counts[PBA_VALIDATION],
                search->options.val,
                task->other_stored ? "of its validation split" : "of all but its test split");
    if (task->other_left_out) {
        search_note(search, "%d others are training or test images here and were left out",
                    task->other_left_out);
    }
    if (pba_dataset_describe(search->data.other, &info) == PBA_OK && info.notes && *info.notes) {
        search_note(search, "%s: %s", search->options.val, info.notes);
    }
}

static void compose_notes(pba_search *search)
{
    const char *notes = search->task->info.notes;
    if (notes && *notes) {
        search_note(search, "%s", notes);
    }
    if (search->data.other) {
        note_other(search);
    }
    if (search->from) {
        search_note(search, "members start with policies of %s", search->options.from);
    }
    note_settings(search);
}

static pba_status check_memory(const pba_search *search)
{
    double bytes =
        (double)search->options.population * (double)search->task->graph->block * sizeof(float);
    double limit = (double)threads_memory_limit();
    if (bytes > limit) {
        return status_set(PBA_MEMORY,
                          "%d members of %s need %.1f GB, but there are %.1f GB; give a smaller "
                          "--population or --model",
                          search->options.population, search->options.recipe.model, bytes / 1e9,
                          limit / 1e9);
    }
    return PBA_OK;
}

pba_status search_open_task(pba_search *search)
{
    const pba_search_options *options = &search->options;
    augment_choice choice;
    pba_status status = augment_choice_of(search->ops, search->op_count, &search->counts, &choice);
    if (status == PBA_OK && !search->data.dataset) {
        status = task_data_open(&options->recipe, options->dataset, options->val, search->observer,
                                &search->data);
    }
    if (status == PBA_OK) {
        status = task_open_on(&options->recipe, &search->data, &choice, &search->task);
    }
    augment_choice_free(&choice);
    if (status == PBA_OK && search->task->counts[PBA_VALIDATION] == 0) {
        status = status_set(PBA_USAGE, "%s: there are no validation images to score members on",
                            search->options.dataset);
    }
    if (status == PBA_OK) {
        status = settle_dataset(search);
    }
    if (status == PBA_OK) {
        memcpy(search->options.recipe.precision, search->task->recipe.precision,
               sizeof search->options.recipe.precision); /* a resumed run keeps what auto found */
        compose_notes(search);
        status = check_memory(search);
    }
    return status;
}

pba_status search_allocate_blocks(pba_search *search)
{
    for (int i = 0; i < search->options.population; i++) {
        search->blocks[i] = memory_aligned(search->task->graph->block, sizeof **search->blocks);
        if (!search->blocks[i]) {
            return PBA_MEMORY;
        }
    }
    return PBA_OK;
}

pba_status pba_search_create(const pba_search_options *options, pba_search **result)
{
    return pba_search_create_with(options, NULL, result);
}

pba_status pba_search_create_with(const pba_search_options *options, const pba_observer *observer,
                                  pba_search **result)
{
    if (!options || !result) {
        return status_null(__func__);
    }
    *result = NULL;
    pba_search *search = NULL;
    pba_status status = search_check_options(options);
    if (status == PBA_OK) {
        status = search_new(options, false, observer, &search);
    }
    if (status == PBA_OK) {
        status = search_open_task(search);
    }
    if (status != PBA_OK) {
        pba_search_free(search);
        return status;
    }
    search->observer = NULL;
    *result = search;
    return PBA_OK;
}

void pba_search_free(pba_search *search)
{
    if (!search) {
        return;
    }
    for (int i = 0; search->blocks && i < search->options.population; i++) {
        free(search->blocks[i]);
    }
    free(search->blocks);
    free(search->tasks);
    free(search->before);
    free(search->repairs);
    free(search->scored);
    free(search->begun);
    free(search->early);
    journal_close(search->journal);
    pba_population_free(search->population);
    pba_schedule_free(search->schedule);
    pba_schedule_free(search->from);
    task_free(search->task);
    task_data_free(&search->data);
    tensorboard_close(search->board);
    pthread_mutex_destroy(&search->lock);
    pthread_cond_destroy(&search->moved);
    free(search);
}

/* Work that remains, in turns: every worker runs one member at a time. */
static double remaining_seconds(const pba_search *search, const measure *measure)
{
    const task *task = search->task;
    int turns = (search->options.population + search->workers - 1) / search->workers;
    double member = measure->step_seconds * task_steps(task) * search->options.recipe.epochs +
                    measure->evaluation_seconds * task->counts[PBA_VALIDATION] * search->rounds;
    return turns * member * (1 - search->done / search_work(search));
}

static void fill_plan(const pba_search *search, const measure *measure, pba_plan *plan)
{
    const task *task = search->task;
    plan->train_images = task->counts[PBA_TRAIN];
    plan->val_images = task->counts[PBA_VALIDATION];
    plan->test_images = task->counts[PBA_TEST];
    plan->parameters = task->graph->parameters;
    plan->image_passes = search_work(search) - search->done;
    plan->seconds = remaining_seconds(search, measure);
    plan->bytes = (double)search->options.population * (double)task->graph->block * sizeof(float) +
                  search->workers * measure->trainer_bytes + measure->other_bytes;
    plan->baseline = task->recipe.baseline;
}

pba_status pba_search_plan_with(pba_search *search, const pba_observer *observer, pba_plan *plan)
{
    if (!search || !plan) {
        return status_null(__func__);
    }
    *plan = (pba_plan){.members = search->options.population,
                       .rounds = search->rounds,
                       .epochs = search->options.recipe.epochs,
                       .workers = search->workers,
                       .threads = 1,
                       .model = search->options.recipe.model,
                       .baseline = search->options.recipe.baseline,
                       .precision = search->options.recipe.precision,
                       .notes = search->notes};
    if (search->finished) {
        return PBA_OK;
    }
    pba_status status = PBA_OK;
    if (!search->measure.step_seconds) {
        status = measure_run(search->task, search->workers, 1, 0, observer, &search->measure);
    }
    if (status == PBA_OK) {
        fill_plan(search, &search->measure, plan);
    }
    return status;
}

pba_status pba_search_plan(pba_search *search, pba_plan *plan)
{
    return pba_search_plan_with(search, NULL, plan);
}

pba_status pba_search_result(const pba_search *search, const pba_schedule **schedule,
                             double *val_error)
{
    if (!search || !schedule || !val_error) {
        return status_null(__func__);
    }
    if (!search->finished) {
        return status_set(PBA_USAGE, "%s: the search is not finished", search->options.out);
    }
    *schedule = search->schedule;
    *val_error = search->val_error;
    return PBA_OK;
}

const pba_dataset *pba_search_dataset(const pba_search *search)
{
    return search && search->task ? search->task->dataset : NULL;
}

const char *pba_search_directory(const pba_search *search)
{
    return search ? search->options.out : "";
}
