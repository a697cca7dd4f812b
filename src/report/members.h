/* SPDX-License-Identifier: Apache-2.0
 * What the pictures of a population have in common: which members are drawn, and how what became
 * of a network is shown. */
#ifndef REPORT_MEMBERS_H
#define REPORT_MEMBERS_H

#include "report/charts.h"

enum { MEMBERS_DRAWN = 64, MEMBERS_POINTS = 6000, MEMBERS_KEY = 22 };

typedef struct members {
    int *row;    /* by member: its row, -1 where it is not drawn; free it */
    int count;   /* of rows */
    bool points; /* every score can be hovered; else the winner's alone */
} members;

/* All of them, or the winner's ancestors and the best of the others. */
pba_status members_choose(const report_run *run, members *members);

typedef enum members_fate { FATE_LOST, FATE_LIVES, FATE_WINS, FATES } members_fate;

members_fate members_fate_of(const report_cell *cell);
/* The class of its line; "dot-" and "head-" before it are classes too. */
const char *members_class(members_fate fate);

/* The three kinds of line and what they mean, at the top of a picture. */
void members_key(report_text *out);

/* "member 3 after 12 epochs: validation error 31.20 %" and what else is known. */
void members_tell(report_text *out, const report_run *run, int round, int member);

#endif
