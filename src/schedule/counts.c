/* SPDX-License-Identifier: Apache-2.0
 * How many operations an image gets, as whole numbers: draws of them are the same on every machine.
 * The paper's algorithm 2: 0, 1 or 2 with probability 0.2, 0.3 and 0.5. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/locale.h"
#include "schedule/policy.h"

enum { UNITS = 1000000 }; /* SCHEDULE_COUNTS_DIGITS digits */

const schedule_counts schedule_pba_counts = {.count = 3, .weights = {2, 3, 5}, .total = 10};

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static void reduce(schedule_counts *counts)
{
    uint32_t divisor = counts->total;
    while (counts->count > 1 && !counts->weights[counts->count - 1]) {
        counts->count--;
    }
    for (int i = 0; i < counts->count; i++) {
        divisor = common_divisor(divisor, counts->weights[i]);
    }
    for (int i = 0; i < counts->count; i++) {
        counts->weights[i] /= divisor;
    }
    counts->total /= divisor;
}

pba_status schedule_counts_set(const double *shares, int count, schedule_counts *counts)
{
    schedule_counts fresh = {.count = count};
    if (count < 1 || count > SCHEDULE_COUNTS_MAX) {
        return status_set(PBA_USAGE, "count-probs: %d probabilities, 1 to %d are possible", count,
                          SCHEDULE_COUNTS_MAX);
    }
    for (int i = 0; i < count; i++) {
        double units = shares[i] * UNITS;
        if (!(shares[i] >= 0 && shares[i] <= 1) || fabs(units - nearbyint(units)) > 1e-3) {
            return status_set(PBA_USAGE,
                              "count-probs: %.9g is no probability 0 to 1 of at most %d digits",
                              shares[i], SCHEDULE_COUNTS_DIGITS);
        }
        fresh.weights[i] = (uint32_t)lround(units);
        fresh.total += fresh.weights[i];
    }
    if (fresh.total != UNITS) {
        return status_set(PBA_USAGE, "count-probs: the probabilities add up to %.6g, not to 1",
                          fresh.total / (double)UNITS);
    }
    reduce(&fresh);
    *counts = fresh;
    return PBA_OK;
}

pba_status schedule_counts_parse(const char *text, schedule_counts *counts)
{
    double shares[SCHEDULE_COUNTS_MAX + 1];
    int count = 0;
    bool list = text[0] && text[strspn(text, "0123456789.,")] == 0;
    locale_plain held = locale_enter();
    for (const char *at = text; list && count <= SCHEDULE_COUNTS_MAX; at++) {
        char *end;
        shares[count++] = strtod(at, &end);
        list = end > at && (*end == ',' || !*end);
        at = end;
        if (!*at) {
            break;
        }
    }
    locale_leave(&held);
    if (!list) {
        return status_set(PBA_USAGE,
                          "count-probs: \"%s\" is no list of probabilities, such as 0.2,0.3,0.5",
                          text);
    }
    return schedule_counts_set(shares, count, counts);
}

bool schedule_counts_equal(const schedule_counts *a, const schedule_counts *b)
{
    return a->count == b->count && a->total == b->total &&
           memcmp(a->weights, b->weights, (size_t)a->count * sizeof *a->weights) == 0;
}
