/* SPDX-License-Identifier: Apache-2.0
 * Means of test errors over seeds, and what other seeds would do to them: 95 % intervals by
 * Student's t. */
#ifndef REPORT_STATISTICS_H
#define REPORT_STATISTICS_H

#include <stdbool.h>
#include <stdint.h>

/* Values of one kind, one a seed. */
typedef struct statistics_sample {
    const double *values;
    const uint64_t *seeds; /* ascending */
    int count;
} statistics_sample;

double statistics_mean(const double *values, int count); /* NaN of none */

/* Half the width of the mean's interval; negative for fewer than two values. */
double statistics_half_width(const double *values, int count);

typedef struct statistics_difference {
    double mean, half; /* half negative: not known */
    bool paired;       /* by seed, where both have the same ones; else Welch's */
} statistics_difference;

/* Of the means: the first minus the second. */
statistics_difference statistics_subtract(statistics_sample a, statistics_sample b);

#endif
