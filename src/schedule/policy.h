/* SPDX-License-Identifier: Apache-2.0
 * Policies: the operations they are made of and what their values may be. A policy's vector is
 * p0 m0 p1 m1 ..., first copy of all operations, then the second (Ho et al. 2019, section 3). */
#ifndef SCHEDULE_POLICY_H
#define SCHEDULE_POLICY_H

#include <jansson.h>

#include "core/status.h"

enum {
    SCHEDULE_PROBABILITY_MAX = 10, /* tenths */
    SCHEDULE_LEVEL_MAX = 9,
    SCHEDULE_PBA_OPS = 15,
    SCHEDULE_PBA_COPIES = 2
};

/* The operations of the PBA space in the order of the published vectors. */
extern const char *const schedule_pba_ops[SCHEDULE_PBA_OPS];

/* Largest value at a place of the flattened vector: probabilities and levels alternate. */
int schedule_value_max(int place);

/* Letters, digits, '-' and '_', at least one, at most PBA_NAME_MAX - 1. */
bool schedule_name_is_legal(const char *name);

/* How many operations are applied to an image: 0, 1, 2 ... with probability weights[i] / total, in
 * lowest terms. */
enum { SCHEDULE_COUNTS_MAX = 9, SCHEDULE_COUNTS_DIGITS = 6 };
typedef struct schedule_counts {
    int count;
    uint32_t weights[SCHEDULE_COUNTS_MAX], total;
} schedule_counts;

extern const schedule_counts schedule_pba_counts; /* 0.2, 0.3, 0.5 */

/* At most SCHEDULE_COUNTS_MAX shares of at most SCHEDULE_COUNTS_DIGITS digits behind the point,
 * whose sum is 1. PBA_USAGE. */
pba_status schedule_counts_set(const double *shares, int count, schedule_counts *counts);
/* The same from "0.2,0.3,0.5". */
pba_status schedule_counts_parse(const char *text, schedule_counts *counts);
bool schedule_counts_equal(const schedule_counts *a, const schedule_counts *b);

/* Names (letters, digits, '-' and '_') are distinct, and copies x count fits a policy. Whether such
 * an operation exists is not known here. PBA_USAGE. */
pba_status schedule_ops_check(const char *const *ops, int count, int copies);

/* The policy has `entries` entries, every value in its range. PBA_USAGE. */
pba_status schedule_policy_check(const pba_policy *policy, int entries);

/* The flattened vector as a JSON list, and back. PBA_FORMAT names the entry and its operation. */
json_t *schedule_policy_json(const pba_policy *policy);
pba_status schedule_policy_parse(const json_t *list, const char *const *ops, int op_count,
                                 int copies, pba_policy *policy);

#endif
