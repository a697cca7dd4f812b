/* SPDX-License-Identifier: Apache-2.0
 * Resuming: the journal is told to a fresh population, which must come to the same decisions, and
 * the members' blocks come from the checkpoints that its score lines committed. Where one of these
 * is lost or damaged, the one before it is loaded, and its epochs are trained again (run.c): what
 * comes of them is the same. */
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
    double share = json_number_value(value);
    if (!json_is_null(value) && !(json_is_number(value) && share >= 0 && share <= 1)) {
        return journal_refuse(search->journal, "field 'error': must be 0 to 1, or null");
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

static pba_status read_checkpoint(pba_search *search, int round, int member, float *block)
{
    char path[PBA_PATH_MAX];
    checkpoint_place place;
    pba_status status = directory_checkpoint(search->options.out, round, member, path);
    return status == PBA_OK
               ? checkpoint_read(path, block, search->task->graph->block, round, &place)
               : status;
}

/* The slot in which a checkpoint's block is made; -1: none so far. */
static int find_repair(const pba_search *search, const pba_task *task)
{
    for (int i = 0; i < search->repair_count; i++) {
        const search_repair *repair = &search->repairs[i];
        if (repair->task.member == task->member && repair->task.round == task->round) {
            return repair->source;
        }
    }
    return -1;
}

/* The block from which the task is trained again. `reason`: why it must be. */
static pba_status begin_repair(pba_search *search, const pba_task *task, int slot,
                               const char *reason)
{
    pba_status status = PBA_OK;
    if (task->round) { /* else its weights are drawn when it starts */
        status = read_checkpoint(search, task->round - 1, task->weights_from, search->blocks[slot]);
    }
    if (status == PBA_FORMAT || status == PBA_NOT_FOUND) {
        return status_set(status, "%s; nor can the one before it: %s; start a new run", reason,
                          pba_error_message());
    }
    if (status == PBA_OK) {
        search->repairs_left++;
        search->done -= search_training_work(search, task);
        search_note(search, "%s: member %d is trained again from %s", reason, task->member,
                    task->round ? "the checkpoint before it" : "its first epoch on");
    }
    return status;
}

/* `task`: what led to the checkpoint that cannot be used, as pba_error_message() says. */
static pba_status plan_repair(pba_search *search, const pba_task *task, int slot)
{
    char reason[1024];
    int source = find_repair(search, task);
    snprintf(reason, sizeof reason, "%s", pba_error_message());
    pba_status status = source < 0 ? begin_repair(search, task, slot, reason) : PBA_OK;
    if (status == PBA_OK) {
        search->repairs[search->repair_count++] =
            (search_repair){.task = *task, .slot = slot, .source = source < 0 ? slot : source};
    }
    return status;
}

/* A member scored in this round has its checkpoint of this round; another starts the round from the
 * block that it had, or copied, at the end of the last one. */
static pba_status load_block(pba_search *search, int member)
{
    const pba_task *task = &search->tasks[member];
    if (!search->scored[member]) {
        if (task->round == 0) {
            return PBA_OK; /* its weights are drawn when it starts */
        }
        task = &search->before[task->weights_from];
    }
    pba_status status = read_checkpoint(search, task->round, task->member, search->blocks[member]);
    bool lost = status == PBA_FORMAT || status == PBA_NOT_FOUND;
    return lost ? plan_repair(search, task, member) : status;
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
    directory_drop_checkpoints(search->options.out, search->round - 2);
    return status;
}

static pba_status resume_open(pba_search *search)
{
    const char *note = NULL;
    pba_status status = directory_reopen_journal(search->options.out, &search->journal);
    if (status == PBA_OK) {
        status = search_open_task(search);
    }
    if (status == PBA_OK) {
        status = run_check_made_of(search->options.out, search->task, &note);
    }
    search->observer = NULL; /* what has been is not told again */
    if (status == PBA_OK) {
        status = search_replay(search);
    }
    if (status == PBA_OK) {
        status = load_blocks(search);
    }
    if (status == PBA_OK) {
        status = run_read_spent(search->options.out, &search->spent);
    }
    if (status == PBA_OK && note) {
        search_note(search, "%s", note);
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
    if (workers < 0 || strlen(run) >= sizeof options.out) {
        return status_set(PBA_USAGE, "%s",
                          workers < 0 ? "workers: must not be negative"
                                      : "the path of the run is too long");
    }
    pba_status status = directory_read(run, &options);
    if (status == PBA_OK) {
        snprintf(options.out, sizeof options.out, "%s", run);
        options.workers = workers;
        status = search_new(&options, true, observer, &search);
    }
    if (status == PBA_OK) {
        status = directory_finished(run) ? open_finished(search) : resume_open(search);
    }
    if (status != PBA_OK) {
        pba_search_free(search);
        return status;
    }
    *result = search;
    return PBA_OK;
}
