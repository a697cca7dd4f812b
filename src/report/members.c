/* SPDX-License-Identifier: Apache-2.0 */
#include "report/members.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

static void take(members *members, int member)
{
    if (members->row[member] < 0 && members->count < MEMBERS_DRAWN) {
        members->row[member] = members->count++;
    }
}

/* Rows follow the members' numbers, whatever they were chosen for. */
static void number_rows(const report_run *run, members *members)
{
    members->count = 0;
    for (int member = 0; member < run->population; member++) {
        if (members->row[member] >= 0) {
            members->row[member] = members->count++;
        }
    }
}

static void choose(const report_run *run, members *members)
{
    for (int i = 0; i < run->begun * run->population; i++) {
        if (run->cells[i].wins) {
            take(members, i % run->population);
        }
    }
    for (int member = 0; member < run->population; member++) {
        if (run->whole && report_cell_at(run, run->whole - 1, member)->lives) {
            take(members, member);
        }
    }
    for (int member = 0; member < run->population; member++) {
        take(members, member);
    }
    number_rows(run, members);
}

pba_status members_choose(const report_run *run, members *members)
{
    members->count = 0;
    members->row = memory_new((size_t)run->population, sizeof *members->row);
    if (!members->row) {
        return PBA_MEMORY;
    }
    for (int member = 0; member < run->population; member++) {
        members->row[member] = -1;
    }
    choose(run, members);
    members->points = (int64_t)members->count * run->begun <= MEMBERS_POINTS;
    return PBA_OK;
}

members_fate members_fate_of(const report_cell *cell)
{
    return cell->wins ? FATE_WINS : cell->lives ? FATE_LIVES : FATE_LOST;
}

const char *members_class(members_fate fate)
{
    static const char *const classes[FATES] = {"lost", "lives", "win"};
    return classes[fate];
}

void members_key(report_text *out)
{
    static const char *const meanings[FATES] = {"replaced", "lives on", "the winner's line"};
    static const double widths[FATES] = {88, 82, 0};
    double x = 0;
    for (members_fate fate = FATE_LOST; fate < FATES; fate++) {
        svg_line(out, members_class(fate), x + 2, 9, x + 18, 9);
        svg_label(out, fate == FATE_WINS ? "win-text" : "", "start", x + 23, 13, "%s",
                  meanings[fate]);
        x += widths[fate];
    }
}

void members_tell(report_text *out, const report_run *run, int round, int member)
{
    const report_cell *cell = report_cell_at(run, round, member);
    report_add(out, "member %d after %d epochs\n", member, report_round_epoch(run, round));
    if (isfinite(cell->error)) {
        report_add(out, "validation error %.2f %%", 100 * cell->error);
    } else {
        report_add(out, "its loss became no number");
    }
    if (isfinite(cell->train_accuracy)) {
        report_add(out, "\ntraining error %.2f %% in its last epoch",
                   100 * (1 - cell->train_accuracy));
    }
}
