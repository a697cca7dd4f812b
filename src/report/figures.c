/* SPDX-License-Identifier: Apache-2.0 */
#include "report/figures.h"

#include <stdlib.h>
#include <string.h>

#include "augment/space.h"
#include "core/memory.h"

static void add_column(figures *figures, int from, int until, const pba_policy *policy)
{
    figures_column *last = figures->count ? &figures->columns[figures->count - 1] : NULL;
    if (last && memcmp(last->policy.values, policy->values, 2 * (size_t)policy->entries) == 0) {
        last->until = until;
        return;
    }
    figures_column *column = &figures->columns[figures->count++];
    *column = (figures_column){.from = from, .until = until, .policy = *policy};
    augment_pba_expect(policy, &figures->schedule->counts, column->expected);
    for (int i = 0; i < policy->entries; i++) {
        column->total += column->expected[i];
        if (policy->values[2 * i]) {
            figures->used[i % figures->schedule->op_count] = true;
            figures->empty = false;
        }
    }
}

static void add_segments(figures *figures)
{
    int from = 0;
    for (int i = 0; i < figures->schedule->segment_count; i++) {
        const schedule_segment *segment = &figures->schedule->segments[i];
        if (segment->epochs) {
            add_column(figures, from, from + segment->epochs, &segment->policy);
        }
        from += segment->epochs;
    }
}

/* Evenly spaced epochs stand for those around them. */
static pba_status add_samples(figures *figures)
{
    int64_t epochs = figures->schedule->epochs;
    for (int i = 0; i < FIGURES_COLUMNS_MAX; i++) {
        int from = (int)(epochs * i / FIGURES_COLUMNS_MAX);
        int until = (int)(epochs * (i + 1) / FIGURES_COLUMNS_MAX);
        pba_policy policy;
        pba_status status = pba_schedule_at(figures->schedule, from, &policy);
        if (status != PBA_OK) {
            return status;
        }
        add_column(figures, from, until, &policy);
    }
    return PBA_OK;
}

pba_status figures_create(const pba_schedule *schedule, figures **result)
{
    figures *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->schedule = schedule;
    fresh->empty = true;
    fresh->sampled =
        schedule->segment_count > FIGURES_COLUMNS_MAX && schedule->epochs > FIGURES_COLUMNS_MAX;
    int room = fresh->sampled ? FIGURES_COLUMNS_MAX : schedule->epochs;
    room = room < schedule->segment_count ? room : schedule->segment_count;
    fresh->columns = memory_new((size_t)room, sizeof *fresh->columns);
    pba_status status = fresh->columns ? PBA_OK : PBA_MEMORY;
    if (status == PBA_OK && fresh->sampled) {
        status = add_samples(fresh);
    } else if (status == PBA_OK) {
        add_segments(fresh);
    }
    if (status != PBA_OK) {
        figures_free(fresh);
        return status;
    }
    families_arrange(schedule->ops, schedule->op_count, fresh->order, fresh->shades);
    *result = fresh;
    return PBA_OK;
}

void figures_free(figures *figures)
{
    if (figures) {
        free(figures->columns);
        free(figures);
    }
}

double figures_share(const figures *figures, const figures_column *column, int op)
{
    double sum = 0;
    for (int i = op; i < column->policy.entries; i += figures->schedule->op_count) {
        sum += column->expected[i];
    }
    return sum;
}

double figures_level(const figures *figures, const figures_column *column, int op)
{
    double sum = 0, share = figures_share(figures, column, op);
    for (int i = op; i < column->policy.entries; i += figures->schedule->op_count) {
        sum += column->expected[i] * column->policy.values[2 * i + 1];
    }
    return share > 0 ? sum / share : -1;
}

bool figures_has_level(const char *name)
{
    const augment_op *op = augment_op_find(name);
    return !op || op->parameter[0];
}

void figures_tell_epochs(report_text *out, const figures_column *column)
{
    if (column->until - column->from == 1) {
        report_add(out, "epoch %d", column->from);
    } else {
        report_add(out, "epochs %d to %d", column->from, column->until - 1);
    }
}

/* "60 % at level 7 (21 degrees)" */
static void tell_entry(report_text *out, const figures *figures, const char *name, int tenths,
                       int level)
{
    const augment_op *op = augment_op_find(name);
    report_add(out, "%d %%", 10 * tenths);
    if (!op) {
        report_add(out, " at level %d", level);
    } else if (op->parameter[0]) {
        double scale = figures->schedule->source.pixel_scale;
        augment_step step = augment_step_of(&augment_space_pba, op, scale > 0 ? scale : 1);
        report_add(out, " at level %d (%s%.3g %s)", level,
                   op->flags & AUGMENT_SIGN ? "\xc2\xb1" : "", step.parameter[level],
                   op->parameter);
    }
}

void figures_tell_op(report_text *out, const figures *figures, const figures_column *column, int op)
{
    const char *name = figures->schedule->ops[op];
    report_add(out, "%s, ", name);
    figures_tell_epochs(out, column);
    report_add(out, "\napplied to an image %.3f times on average",
               figures_share(figures, column, op));
    for (int i = op, copy = 1; i < column->policy.entries;
         i += figures->schedule->op_count, copy++) {
        const uint8_t *values = &column->policy.values[2 * i];
        report_add(out, "\ncopy %d: ", copy);
        tell_entry(out, figures, name, values[0], values[1]);
    }
}

void figures_tell_all(report_text *out, const figures *figures, const figures_column *column)
{
    figures_tell_epochs(out, column);
    report_add(out, ": %.2f operations per image", column->total);
    for (int i = figures->schedule->op_count - 1; i >= 0; i--) { /* as they stand, from the top */
        int op = figures->order[i];
        double share = figures_share(figures, column, op);
        if (share > 0) {
            report_add(out, "\n%.3f %s", share, figures->schedule->ops[op]);
        }
    }
}
