/* SPDX-License-Identifier: Apache-2.0
 * Resuming: the journal is told to a fresh population, which must come to the same decisions, and
 * the members' blocks come from the checkpoints that its score lines committed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "schedule/fields.h"
#include "search/search.h"
#include "train/checkpoint.h"

/* The oldest journal line as a score of this round; PBA_FORMAT otherwise. */
static pba_status read_score(const pba_search *search, int *member, double *error)
{
    const json_t *line = journal_peek(search->journal), *value = json_object_get(line, "error");
    const char *type = json_string_value(json_object_get(line, "type"));
    int round;
    if (!type || strcmp(type, "score") != 0) {
        return journal_refuse(search->journal, "is no score, where one must follow");
    }
    pba_status status =
        schedule_field_int(line, "member", 0, search->options.population - 1, member);
    if (status == PBA_OK) {
        status = schedule_field_int(line, "round", search->round, search->round, &round);
    }
    if (status != PBA_OK) {
        char message[256];
        snprintf(message, sizeof message, "%s", pba_error_message());
        return journal_refuse(search->journal, message);
    }
    if (!json_is_null(value) && !json_is_number(value)) {
        return journal_refuse(search->journal, "field 'error': must be a number or null");
    }
    if (search->scored[*member]) {
        return journal_refuse(search->journal, "scores a member for the second time in its round");
    }
    *error = json_is_null(value) ? (double)INFINITY : json_number_value(value);
    return PBA_OK;
}

/* A journal that was cut off just behind the scores of a round gets its copies anew. */
pba_status search_replay(pba_search *search)
{
    pba_status status = search_open_round(search);
    while (status == PBA_OK && journal_peek(search->journal)) {
        int member;
        double error = 0;
        bool turned;
        if (search_at_end(search)) {
            return journal_refuse(search->journal, "stands behind the end of the search");
        }
        status = read_score(search, &member, &error);
        if (status == PBA_OK) {
            search->done += search_task_work(search, &search->tasks[member]);
            journal_skip(search->journal);
            status = search_tell(search, member, error, &turned);
        }
    }
    return status;
}

/* A member scored in this round has its checkpoint of this round; another starts the round from the
 * block that it had, or copied, at the end of the last one. */
static pba_status load_block(pba_search *search, int member)
{
    const pba_task *task = &search->tasks[member];
    const nn_graph *graph = search->task->graph;
    int round = task->round, from = member;
    checkpoint_place place;
    if (!search->scored[member]) {
        round--;
        from = task->weights_from;
    }
    if (round < 0) {
        return PBA_OK; /* its weights are drawn when it starts */
    }
    char path[PBA_PATH_MAX];
    pba_status status = directory_checkpoint(search->options.out, round, from, path);
    return status == PBA_OK
               ? checkpoint_read(path, search->blocks[member], graph->block, round, &place)
               : status;
}

static pba_status load_blocks(pba_search *search)
{
    if (search_at_end(search)) {
        return PBA_OK;
    }
    pba_status status = search_allocate_blocks(search);
    for (int i = 0; i < search->options.population && status == PBA_OK; i++) {
        status = load_block(search, i);
    }
    /* What a crash may have kept from being removed. */
    directory_drop_checkpoints(search->options.out, search->round - 1);
    return status;
}

static pba_status resume_open(pba_search *search, bool same_build)
{
    pba_status status = directory_open_journal(search->options.out, &search->journal);
    if (status == PBA_OK) {
        status = search_open_task(search);
    }
    if (status == PBA_OK) {
        status = search_replay(search);
    }
    if (status == PBA_OK) {
        status = load_blocks(search);
    }
    if (status == PBA_OK) {
        status = run_read_spent(search->options.out, &search->spent);
    }
    if (status == PBA_OK && !same_build) {
        search_note(search, "this run was started by another build or on another kind of "
                            "processor: its numbers may differ from those of an undisturbed run");
    }
    return status;
}

static pba_status open_finished(pba_search *search)
{
    pba_status status =
        directory_read_result(search->options.out, &search->schedule, &search->val_error);
    search->finished = status == PBA_OK;
    search->round = search->rounds;
    /* A crash just before the end of all may have left them. */
    directory_end_checkpoints(search->options.out);
    search_note(search, "this search is finished already");
    return status;
}

pba_status pba_search_resume(const char *run, int workers, pba_search **result)
{
    return pba_search_resume_with(run, workers, NULL, result);
}

pba_status pba_search_resume_with(const char *run, int workers, const pba_observer *observer,
                                  pba_search **result)
{
    if (!run || !result) {
        return status_null(__func__);
    }
    *result = NULL;
    pba_search_options options;
    pba_search *search = NULL;
    bool same_build = true;
    if (workers < 0 || strlen(run) >= sizeof options.out) {
        return status_set(PBA_USAGE, "%s",
                          workers < 0 ? "workers: must not be negative"
                                      : "the path of the run is too long");
    }
    pba_status status = directory_read(run, &options, &same_build);
    if (status == PBA_OK) {
        snprintf(options.out, sizeof options.out, "%s", run);
        options.workers = workers;
        status = search_new(&options, true, observer, &search);
    }
    if (status == PBA_OK) {
        status = directory_finished(run) ? open_finished(search) : resume_open(search, same_build);
    }
    if (status != PBA_OK) {
        pba_search_free(search);
        return status;
    }
    search->observer = NULL;
    *result = search;
    return PBA_OK;
}
