/* SPDX-License-Identifier: Apache-2.0
 * What the budgets of searches and training runs have in common. */
#ifndef TRAIN_FIT_H
#define TRAIN_FIT_H

#include "core/status.h"

typedef struct fit {
    const char *const *kept; /* settings that stay */
    size_t kept_count;
    double start; /* clock */
    pba_budget *budget;
} fit;

/* Starts the clock; PBA_USAGE for a text that is no time. */
pba_status fit_begin(fit *fit, const char *text, const char *const *kept, size_t kept_count,
                     pba_budget *budget);
bool fit_keeps(const fit *fit, const char *name);

/* How long a network is to be measured: a small share of the budget, within bounds. */
double fit_measuring(const fit *fit);

/* Seconds that are left for the job itself: of the whole without what has been spent, what comes
 * behind it, and a reserve of three in a hundred. */
double fit_left(const fit *fit);
/* When the settings stand. */
void fit_end(fit *fit, double job_seconds);

/* The next line of the plan. */
pba_budget_choice *fit_choice(fit *fit, const char *name);
void fit_number(fit *fit, const char *name, int value, const char *why, ...)
    __attribute__((format(printf, 4, 5)));

/* Where bf16 is to be had and nothing is kept, both precisions are measured and the faster one is
 * taken. */
#define FIT_OTHER "f32"
bool fit_compares(const fit *fit, const char *precision);
/* `gain`: how many times faster than the other one; 0: there was none to compare with. */
void fit_precision(fit *fit, const char *chosen, double gain);

/* "3 min 20 s" */
enum { FIT_TEXT = 32 };
const char *fit_duration(double seconds, char text[FIT_TEXT]);

/* PBA_USAGE: the budget is less than `least` seconds for the job; `what` it would be. */
pba_status fit_refuse(const fit *fit, double least, const char *what);

#endif
