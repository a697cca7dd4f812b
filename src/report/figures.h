/* SPDX-License-Identifier: Apache-2.0
 * What a schedule's pictures are made of: its epochs as columns, with what is applied to an
 * image in each. */
#ifndef REPORT_FIGURES_H
#define REPORT_FIGURES_H

#include "report/families.h"
#include "report/text.h"
#include "schedule/schedule.h"

enum { FIGURES_COLUMNS_MAX = 400 };

typedef struct figures_column {
    int from, until; /* epochs */
    pba_policy policy;
    double expected[PBA_POLICY_MAX]; /* by entry: times it is applied to an image, on average */
    double total;                    /* their sum */
} figures_column;

typedef struct figures {
    const pba_schedule *schedule;
    figures_column *columns;
    int count;
    bool sampled; /* the schedule changes too often to draw every change */
    int order[PBA_POLICY_MAX];
    report_shade shades[PBA_POLICY_MAX];
    bool used[PBA_POLICY_MAX]; /* by operation: has a probability above 0 somewhere */
    bool empty;                /* nothing ever fires */
} figures;

/* The schedule must outlive the figures. Free with figures_free. */
pba_status figures_create(const pba_schedule *schedule, figures **result);
void figures_free(figures *figures);

/* Times the operation is applied to an image, on average: its copies together. */
double figures_share(const figures *figures, const figures_column *column, int op);

/* The mean level at which it is applied; negative where it never is. */
double figures_level(const figures *figures, const figures_column *column, int op);

/* Whether an operation's level changes anything. */
bool figures_has_level(const char *op);

/* "epochs 3 to 5" or "epoch 3"; then what is known of one operation, or of all. Plain text. */
void figures_tell_epochs(report_text *out, const figures_column *column);
void figures_tell_op(report_text *out, const figures *figures, const figures_column *column,
                     int op);
void figures_tell_all(report_text *out, const figures *figures, const figures_column *column);

#endif
