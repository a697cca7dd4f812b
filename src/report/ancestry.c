/* SPDX-License-Identifier: Apache-2.0
 * Backwards through the rounds: whose network a member's is, and so which policies it was trained
 * under. The same walk as population/lineage.c, over what the journal says. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/run.h"

/* As pba_population_best: the lowest error, ties to the lower member. */
static void find_best(report_run *run)
{
    for (int member = 0; run->whole && member < run->population; member++) {
        double error = report_cell_at(run, run->whole - 1, member)->error;
        if (run->best < 0 || (isfinite(error) && !(error >= run->best_error))) {
            run->best = member;
            run->best_error = error;
        }
    }
}

static void mark(report_run *run)
{
    for (int member = 0; member < run->population; member++) {
        report_cell *cell = report_cell_at(run, run->whole - 1, member);
        cell->lives = true;
        cell->wins = member == run->best;
    }
    for (int i = run->whole * run->population; i < run->begun * run->population; i++) {
        run->cells[i].lives = true; /* of the round that goes on */
    }
    for (int round = run->whole - 1; round > 0; round--) {
        for (int member = 0; member < run->population; member++) {
            const report_cell *cell = report_cell_at(run, round, member);
            report_cell *before = report_cell_at(run, round - 1, cell->source);
            before->lives |= cell->lives;
            before->wins |= cell->wins;
        }
    }
}

/* The policy that the winner's ancestor began round `round` with, where it changed there. */
static const json_t *change_at(const report_run *run, int round)
{
    for (int member = 0; member < run->population; member++) {
        const report_cell *cell = report_cell_at(run, round, member);
        if (cell->wins) {
            return cell->policy;
        }
    }
    return NULL;
}

static pba_status append(report_run *run, int from, int until, const json_t *policy, int copies)
{
    const char *const *ops = (const char *const *)run->schedule->ops;
    pba_policy values = {.entries = run->schedule->op_count * copies};
    pba_status status =
        policy ? schedule_policy_parse(policy, ops, run->schedule->op_count, copies, &values)
               : PBA_OK;
    int begin = from ? report_round_epoch(run, from - 1) : 0;
    return status == PBA_OK
               ? schedule_append(run->schedule, report_round_epoch(run, until - 1) - begin, &values,
                                 NULL)
               : status_prefix(status, "%s/journal.jsonl", run->path);
}

/* The operations that the run was started with; none named: the paper's. */
static int read_ops(const report_run *run, char names[PBA_POLICY_MAX][PBA_NAME_MAX],
                    const char *ops[PBA_POLICY_MAX])
{
    int count = 0;
    for (const char *at = report_setting(run, "ops"); *at && count < PBA_POLICY_MAX;) {
        int length = (int)strcspn(at, ",");
        snprintf(names[count], PBA_NAME_MAX, "%.*s", length, at);
        ops[count] = names[count];
        count++;
        at += length;
        at += *at == ',';
    }
    if (!count) {
        memcpy(ops, schedule_pba_ops, sizeof schedule_pba_ops);
        count = SCHEDULE_PBA_OPS;
    }
    return count;
}

/* How often its policies repeat the operations: any policy of the journal tells. */
static int read_copies(const report_run *run, int op_count)
{
    for (int i = 0; i < run->begun * run->population; i++) {
        size_t values = json_array_size(run->cells[i].policy);
        if (values >= 2 * (size_t)op_count && values <= (size_t)2 * PBA_POLICY_MAX) {
            return (int)values / (2 * op_count);
        }
    }
    return SCHEDULE_PBA_COPIES;
}

pba_status report_create_schedule(report_run *run)
{
    char names[PBA_POLICY_MAX][PBA_NAME_MAX];
    const char *ops[PBA_POLICY_MAX], *counts = report_setting(run, "count-probs");
    int count = read_ops(run, names, ops);
    pba_status status = schedule_create(ops, count, read_copies(run, count), &run->schedule);
    if (status == PBA_OK && *counts) {
        status = schedule_counts_parse(counts, &run->schedule->counts);
    }
    if (status == PBA_OK || status == PBA_MEMORY) {
        return status;
    }
    return status_prefix(PBA_FORMAT, "%s/config.json", run->path);
}

/* What the best member was trained under so far. */
static pba_status rebuild(report_run *run)
{
    int from = 0;
    const json_t *policy = change_at(run, 0); /* where the search started from a schedule */
    pba_status status = report_create_schedule(run);
    for (int round = 1; round <= run->whole && status == PBA_OK; round++) {
        const json_t *next = round < run->whole ? change_at(run, round) : NULL;
        if (next || round == run->whole) {
            status = append(run, from, round, policy, run->schedule->copies);
            from = round;
            policy = next;
        }
    }
    return status;
}

pba_status report_trace(report_run *run)
{
    find_best(run);
    if (run->best < 0) {
        return PBA_OK;
    }
    mark(run);
    return run->schedule ? PBA_OK : rebuild(run);
}
