/* SPDX-License-Identifier: Apache-2.0
 * The pictures. Each is drawn for a wide and for a narrow place: text keeps its size. */
#ifndef REPORT_CHARTS_H
#define REPORT_CHARTS_H

#include "report/figures.h"
#include "report/frame.h"
#include "report/run.h"

typedef struct chart_place {
    bool narrow;
    bool alone; /* a file of its own */
} chart_place;

static inline double chart_width(chart_place place)
{
    return place.narrow ? REPORT_NARROW : REPORT_WIDE;
}

/* How often each operation is applied to an image: stacked areas over epochs. Not for a schedule
 * that never applies any. */
void chart_shares(report_text *out, const figures *figures, chart_place place);
/* The levels at which it is: operations by epochs. */
void chart_levels(report_text *out, const figures *figures, chart_place place);
/* Members over epochs, who copied whom, and the winner's ancestors. */
void chart_tree(report_text *out, const report_run *run, chart_place place);
/* The validation error of every member; a network's line goes on in its copies. */
void chart_errors(report_text *out, const report_run *run, chart_place place);
/* The lowest validation error of each search after every round. */
void chart_searches(report_text *out, const report_run *const *runs, int count, chart_place place);
/* Test errors of training runs: every seed, the mean and its 95 % interval. */
void chart_trainings(report_text *out, const report_run *const *runs, int count, chart_place place);

#endif
