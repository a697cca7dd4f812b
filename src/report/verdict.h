/* SPDX-License-Identifier: Apache-2.0
 * Whether a search paid: a training run under its schedule beside the best that needed none. */
#ifndef REPORT_VERDICT_H
#define REPORT_VERDICT_H

#include "report/run.h"
#include "report/statistics.h"

typedef struct report_verdict {
    const report_run *searched, *rival; /* rival: of the least mean error without a schedule */
    statistics_difference gain;         /* the rival's error minus the schedule's */
} report_verdict;

enum { REPORT_VERDICT_TEXT = 768 };

/* Whether the run trained under a schedule as it was found. */
bool report_is_searched(const report_run *run);

/* The last part of what the run trained under. */
const char *report_augment_name(const report_run *run);

/* False where run `index` has no schedule, or there is nothing to compare it with. */
bool report_judge(const report_run *const *runs, int count, int index, report_verdict *verdict);

/* One sentence. Numbers are written as the thread's locale says. */
void report_tell_verdict(const report_verdict *verdict, char text[REPORT_VERDICT_TEXT]);

#endif
