/* SPDX-License-Identifier: Apache-2.0 */
#include "report/statistics.h"

#include <math.h>
#include <string.h>

double statistics_mean(const double *values, int count)
{
    double sum = 0;
    for (int i = 0; i < count; i++) {
        sum += values[i];
    }
    return count ? sum / count : (double)NAN;
}

/* The 97.5 % point of Student's t; beyond the table by Fisher's expansion, right to four digits. */
static double student(int freedom)
{
    static const double table[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646,
                                   2.3060,  2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
                                   2.1314,  2.1199, 2.1098, 2.1009, 2.0930, 2.0860};
    double z = 1.959964, n = freedom;
    if (freedom <= (int)(sizeof table / sizeof *table)) {
        return table[freedom - 1];
    }
    return z + (z * z * z + z) / (4 * n) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

/* The variance of the mean. */
static double mean_variance(const double *values, int count)
{
    double mean = statistics_mean(values, count), squares = 0;
    for (int i = 0; i < count; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    return squares / (count - 1) / count;
}

double statistics_half_width(const double *values, int count)
{
    return count < 2 ? -1 : student(count - 1) * sqrt(mean_variance(values, count));
}

static bool same_seeds(statistics_sample a, statistics_sample b)
{
    return a.count == b.count && memcmp(a.seeds, b.seeds, (size_t)a.count * sizeof *a.seeds) == 0;
}

static double paired_half_width(statistics_sample a, statistics_sample b, double mean)
{
    double squares = 0;
    for (int i = 0; i < a.count; i++) {
        double off = a.values[i] - b.values[i] - mean;
        squares += off * off;
    }
    return student(a.count - 1) * sqrt(squares / (a.count - 1) / a.count);
}

/* Welch's, with the degrees of freedom of Satterthwaite, rounded down. */
static double welch_half_width(statistics_sample a, statistics_sample b)
{
    double va = mean_variance(a.values, a.count), vb = mean_variance(b.values, b.count);
    double sum = va + vb;
    double below = va * va / (a.count - 1) + vb * vb / (b.count - 1);
    double freedom = below > 0 ? sum * sum / below : a.count + b.count - 2;
    return student(freedom < 1 ? 1 : (int)(freedom + 1e-9)) * sqrt(sum);
}

statistics_difference statistics_subtract(statistics_sample a, statistics_sample b)
{
    statistics_difference difference = {.half = -1};
    difference.mean = statistics_mean(a.values, a.count) - statistics_mean(b.values, b.count);
    if (a.count < 2 || b.count < 2) {
        return difference;
    }
    difference.paired = same_seeds(a, b);
    difference.half =
        difference.paired ? paired_half_width(a, b, difference.mean) : welch_half_width(a, b);
    return difference;
}
