/* SPDX-License-Identifier: Apache-2.0
 * Members as rows. A member's row tells of the network that it has now: backwards from the newest
 * round through whoever it was copied from, as ancestry.c walks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "report/watch.h"
#include "train/checkpoint.h"

/* ------------------------------------------------------------------ a search */

static void add_score(pba_watch_row *row, const report_run *run, int round, const report_cell *cell)
{
    double error = isfinite(cell->error) ? cell->error : (double)INFINITY;
    if (row->trend_count == 0) {
        row->error = error;
        row->accuracy = cell->train_accuracy;
        row->epochs = report_round_epoch(run, round);
    }
    if (row->trend_count < PBA_WATCH_TREND) {
        row->trend[row->trend_count++] = error; /* the newest first; turned round at the end */
    }
}

/* Returns the policy that the member trains under; NULL: that it began the search with. */
static const json_t *walk(const report_run *run, pba_watch_row *row)
{
    const json_t *policy = NULL;
    int at = row->member;
    for (int round = run->begun - 1; round >= 0; round--) {
        const report_cell *cell = report_cell_at(run, round, at);
        if (cell->scored) {
            add_score(row, run, round, cell);
        }
        policy = policy ? policy : cell->policy;
        if (cell->source != at) {
            row->source = row->generation++ ? row->source : cell->source;
            at = cell->source;
        }
    }
    for (int i = 0; i < row->trend_count / 2; i++) {
        double *one = &row->trend[i], *other = &row->trend[row->trend_count - 1 - i], held = *one;
        *one = *other;
        *other = held;
    }
    return policy;
}

static bool stronger(const pba_watch_op *one, const pba_watch_op *other)
{
    return one->probability != other->probability ? one->probability > other->probability
                                                  : one->level > other->level;
}

static void add_op(pba_watch_row *row, const pba_watch_op *op)
{
    int at = row->op_count;
    while (at > 0 && stronger(op, &row->ops[at - 1])) {
        at--;
    }
    if (at == PBA_WATCH_OPS) {
        return;
    }
    row->op_count += row->op_count < PBA_WATCH_OPS;
    memmove(&row->ops[at + 1], &row->ops[at],
            (size_t)(row->op_count - 1 - at) * sizeof row->ops[0]);
    row->ops[at] = *op;
}

/* `list`: the policy, or NULL. */
static pba_status add_ops(const report_run *run, const json_t *list, pba_watch_row *row)
{
    pba_policy policy;
    const pba_schedule *schedule = run->schedule;
    const char *const *ops = (const char *const *)schedule->ops;
    if (!list) {
        return PBA_OK;
    }
    pba_status status =
        schedule_policy_parse(list, ops, schedule->op_count, schedule->copies, &policy);
    for (int i = 0; status == PBA_OK && i < policy.entries; i++) {
        pba_watch_op op = {ops[i % schedule->op_count], policy.values[2 * i],
                           policy.values[2 * i + 1]};
        if (op.probability) {
            add_op(row, &op);
        }
    }
    return status == PBA_OK ? PBA_OK : status_prefix(status, "%s/journal.jsonl", run->path);
}

/* Lowest error first; of equal ones that which is nobody's copy first; members without a score
 * last, in order. */
static int compare(const void *a, const void *b)
{
    const pba_watch_row *one = a, *other = b;
    bool scored = one->trend_count > 0, both = scored && other->trend_count > 0;
    if (!both && scored != (other->trend_count > 0)) {
        return scored ? -1 : 1;
    }
    if (both && one->error != other->error) {
        return one->error < other->error ? -1 : 1;
    }
    if (one->generation != other->generation) {
        return one->generation < other->generation ? -1 : 1;
    }
    return one->member < other->member ? -1 : 1;
}

static void count_cells(const report_run *run, pba_watch_row *rows, pba_watch_picture *picture)
{
    double epochs = 0;
    for (int round = 0; round < run->begun; round++) {
        int length = report_round_length(run, round);
        for (int member = 0; member < run->population; member++) {
            const report_cell *cell = report_cell_at(run, round, member);
            epochs += cell->scored ? length : 0;
            picture->scored += cell->scored && round == run->whole;
            rows[cell->source].copied += cell->source != member;
        }
    }
    picture->done = epochs / ((double)run->population * run->epochs);
}

pba_status watch_search_rows(const report_run *run, pba_watch_row *rows, pba_watch_picture *picture)
{
    picture->rounds = run->rounds;
    picture->ended = run->whole;
    picture->best = run->best;
    picture->best_error = run->best_error;
    count_cells(run, rows, picture);
    for (int member = 0; member < run->population; member++) {
        pba_watch_row *row = &rows[member];
        row->member = member;
        row->source = -1;
        row->error = row->loss = row->accuracy = (double)NAN;
        pba_status status = add_ops(run, walk(run, row), row);
        if (status != PBA_OK) {
            return status;
        }
    }
    qsort(rows, (size_t)run->population, sizeof *rows, compare);
    return PBA_OK;
}

/* ------------------------------------------------------------ a training run */

/* What the newest checkpoint of a network tells; nothing where there is none. */
static void peek(const report_run *run, pba_watch_row *row)
{
    char name[PBA_NAME_MAX], path[PBA_PATH_MAX];
    checkpoint_place place;
    snprintf(name, sizeof name, "checkpoint/seed-%llu", (unsigned long long)row->seed);
    if (file_join(path, run->path, name) == PBA_OK && file_exists(path) &&
        checkpoint_peek(path, &place) == PBA_OK && place.epoch >= 0 && place.epoch <= run->epochs) {
        row->epochs = place.epoch;
        row->loss = place.step > 0 ? place.loss_sum / place.step : (double)NAN;
    }
}

void watch_training_rows(const report_run *run, pba_watch_row *rows, pba_watch_picture *picture)
{
    double epochs = 0;
    picture->best = -1;
    picture->best_error = report_mean(run);
    for (int i = 0; i < run->seeds; i++) {
        const report_seed *trained = &run->trained[i];
        pba_watch_row *row = &rows[i];
        *row = (pba_watch_row){.member = i,
                               .seed = run->first_seed + (uint64_t)i,
                               .epochs = trained->done ? run->epochs : 0,
                               .error = trained->done ? trained->error : (double)NAN,
                               .loss = trained->done ? trained->loss : (double)NAN,
                               .accuracy = trained->done ? trained->accuracy : (double)NAN,
                               .source = -1};
        if (!trained->done) {
            peek(run, row);
        }
        epochs += row->epochs;
    }
    picture->done = run->epochs > 0 ? epochs / ((double)run->seeds * run->epochs) : 0;
}
