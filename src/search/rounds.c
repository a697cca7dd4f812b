/* SPDX-License-Identifier: Apache-2.0
 * Rounds as the population sees them. Blocks are not touched here. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "population/population.h"
#include "schedule/schedule.h"
#include "search/search.h"

bool search_at_end(const pba_search *search)
{
    return search->round == search->rounds;
}

json_t *search_copy_line(const pba_task *task)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:o}", "type", "exploit", "round", task->round - 1,
                     "epoch", task->from_epoch, "member", task->member, "source",
                     task->weights_from, "policy", schedule_policy_json(&task->policy));
}

/* Warm start: the policy that a member begins the search with. */
static pba_status commit_start(pba_search *search, const pba_task *task)
{
    json_t *line = json_pack("{s:s, s:i, s:o}", "type", "start", "member", task->member, "policy",
                             schedule_policy_json(&task->policy));
    return journal_commit(search->journal, line);
}

/* Without selection: a member went on with its own weights under a changed policy. */
static pba_status commit_change(pba_search *search, const pba_task *task)
{
    json_t *line = json_pack("{s:s, s:i, s:i, s:i, s:o}", "type", "explore", "round",
                             task->round - 1, "epoch", task->from_epoch, "member", task->member,
                             "policy", schedule_policy_json(&task->policy));
    return journal_commit(search->journal, line);
}

static pba_status commit_copy(pba_search *search, const pba_task *task)
{
    pba_status status = journal_commit(search->journal, search_copy_line(task));
    if (status == PBA_OK) {
        search_report(search, (pba_event){.kind = PBA_EVENT_EXPLOIT,
                                          .member = task->member,
                                          .source = task->weights_from,
                                          .round = task->round - 1,
                                          .rounds = search->rounds,
                                          .epoch = task->from_epoch,
                                          .epochs = search->options.recipe.epochs});
    }
    return status;
}

/* Everything that is not as it was at the end of the round before. */
static pba_status commit_beginning(pba_search *search, const pba_task *task)
{
    int decided = task->round * search->options.interval; /* at this epoch, if at all */
    if (task->weights_from != task->member) {
        return commit_copy(search, task);
    }
    if (task->round == 0) {
        return search->from ? commit_start(search, task) : PBA_OK;
    }
    bool changes = search_drifts(search) && decided >= search->options.burn_in;
    return changes ? commit_change(search, task) : PBA_OK;
}

/* What the population asks of a member that is training already must be what it trains. */
static pba_status check_begun(const pba_search *search, const pba_task *task, const pba_task *last)
{
    bool same = task->weights_from == task->member && task->from_epoch == last->until_epoch &&
                memcmp(&task->policy, &last->policy, sizeof task->policy) == 0;
    return !search->begun[task->member] || same
               ? PBA_OK
               : status_set(PBA_INTERNAL, "member %d began round %d otherwise than it was decided",
                            task->member, task->round);
}

bool search_early_task(pba_search *search, pba_task *task)
{
    int members = search->options.population;
    for (int i = 0; i < members; i++) {
        if (!search->early[i] && population_is_settled(search->population, i)) {
            search->early[i] = true;
            search->times.early++;
            *task = search->tasks[i];
            task->weights_from = i;
            task->round++;
            task->from_epoch = task->until_epoch;
            task->until_epoch = population_round_begin(search->population, task->round + 1);
            return true;
        }
    }
    return false;
}

pba_status search_open_round(pba_search *search)
{
    int members = search->options.population;
    bool *begun = search->early;
    search->early = search->begun;
    search->begun = begun;
    memset(search->early, 0, (size_t)members * sizeof *search->early);
    memcpy(search->before, search->tasks, (size_t)members * sizeof *search->tasks);
    search->next = 0;
    search->scored_count = search->lost_count = 0;
    memset(search->scored, 0, (size_t)members * sizeof *search->scored);
    for (int i = 0; i < members; i++) {
        pba_task *task = &search->tasks[i], last = *task;
        pba_status status = pba_population_ask(search->population, task);
        if (status == PBA_OK && task->kind == PBA_TASK_DONE) {
            search->round = search->rounds;
            return PBA_OK;
        }
        if (status == PBA_OK) {
            status = check_begun(search, task, &last);
        }
        if (status == PBA_OK) {
            status = commit_beginning(search, task);
        }
        if (status != PBA_OK) {
            return status;
        }
        search->round = task->round;
    }
    return PBA_OK;
}

json_t *search_score_line(const pba_task *task, const search_score *score)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:o, s:o, s:o, s:o}", "type", "score", "round",
                     task->round, "member", task->member, "epoch", task->until_epoch, "error",
                     journal_real(score->error), "val_loss", journal_real(score->val_loss),
                     "train_loss", journal_real(score->loss), "train_accuracy",
                     journal_real(score->accuracy));
}

static void note_best(pba_search *search, int member, double error)
{
    bool first = search->scored_count == 0;
    if (first || error < search->best_error ||
        (error == search->best_error && member < search->best)) {
        search->best = member;
        search->best_error = error;
    }
}

static pba_status end_round(pba_search *search)
{
    int round = search->round, epoch = search->tasks[0].until_epoch;
    if (search->lost_count == search->options.population) {
        return status_set(PBA_DIVERGED,
                          "%s: the losses of all %d members became infinite or no number by round "
                          "%d; start again with a smaller --lr",
                          search->options.out, search->options.population, round + 1);
    }
    pba_status status = search_open_round(search);
    if (status == PBA_OK) {
        search_report(search, (pba_event){.kind = PBA_EVENT_ROUND,
                                          .round = round,
                                          .rounds = search->rounds,
                                          .member = search->best,
                                          .epoch = epoch,
                                          .epochs = search->options.recipe.epochs,
                                          .error = search->best_error});
    }
    return status;
}

pba_status search_tell(pba_search *search, int member, double error, bool *turned)
{
    *turned = false;
    pba_status status = pba_population_tell(search->population, member, error);
    if (status != PBA_OK) {
        return status;
    }
    note_best(search, member, error);
    search->scored[member] = true;
    search->lost_count += !isfinite(error);
    if (++search->scored_count == search->options.population) {
        *turned = true;
        status = end_round(search);
    }
    return status;
}

static void describe(const pba_search *search, pba_schedule *schedule)
{
    const pba_dataset_info *info = &search->task->info;
    int side = info->width < info->height ? info->width : info->height;
    schedule_source *source = &schedule->source;
    snprintf(source->dataset, sizeof source->dataset, "%s", search->dataset);
    snprintf(source->model, sizeof source->model, "%s", search->options.recipe.model);
    source->pixel_scale = side / 32.0;
    schedule->counts = search->counts;
    augment_sign_schedule(schedule);
}

run_spent search_spent(const pba_search *search)
{
    double seconds = clock_now() - search->start;
    return (run_spent){search->spent.seconds + seconds,
                       search->spent.core_seconds + search->workers * seconds};
}

pba_status search_keep_spent(const pba_search *search)
{
    run_spent spent = search_spent(search);
    return run_write_spent(search->options.out, &spent);
}

pba_status search_finish(pba_search *search)
{
    int member;
    pba_status status = pba_population_best(search->population, &member, &search->val_error);
    if (status == PBA_OK) {
        status = pba_population_schedule(search->population, &search->schedule);
    }
    if (status != PBA_OK) {
        return status;
    }
    describe(search, search->schedule);
    run_spent spent = search_spent(search);
    status = directory_write_result(search->options.out, search->schedule, member,
                                    search->val_error, &spent);
    if (status == PBA_OK) {
        directory_end_checkpoints(search->options.out);
        search->finished = true;
    }
    return status;
}
