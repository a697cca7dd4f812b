/* SPDX-License-Identifier: Apache-2.0
 * A space says which operations a policy draws from and what a level means for each: how a level
 * becomes a parameter differs between papers. One row per paper, in policies/. */
#ifndef AUGMENT_SPACE_H
#define AUGMENT_SPACE_H

#include "augment/op.h"
#include "schedule/policy.h"

enum { AUGMENT_LEVELS = 11 }; /* levels 0..10 */

typedef struct augment_space {
    const char *name, *paper;
    int side; /* the image side that its lengths in pixels are meant for */
    const char *const *ops;
    int op_count; /* the operations of a policy, in their order */
    /* The parameter before sign and scaling, for any registered operation. */
    double (*parameter)(const augment_op *op, int level);
} augment_space;

extern const augment_space augment_space_pba; /* policies/pba.c */

/* An operation with the parameters of all levels, scaled for an image. */
typedef struct augment_step {
    const augment_op *op;
    double parameter[AUGMENT_LEVELS];
} augment_step;

/* scale: 1, or min(width, height) / side, for lengths in pixels. */
augment_step augment_step_of(const augment_space *space, const augment_op *op, double scale);

/* Draws from `policy`, whose entry e is the operation steps[e % count], and applies to the frame
 * what was drawn. */
void augment_pba_apply(const augment_step *steps, int count, const schedule_counts *counts,
                       const pba_policy *policy, augment_frame *frame, augment_context *context);

/* How often augment_pba_apply applies each entry to an image on average, exactly. */
void augment_pba_expect(const pba_policy *policy, const schedule_counts *counts,
                        double expected[PBA_POLICY_MAX]);

/* Which operations a search draws from: "" the default, the fifteen and those of plug-ins that are
 * loaded; names with commas between; or the default without "-Name,-Name". The names stay valid.
 * PBA_USAGE for one that is unknown, twice there, or not in the default. */
pba_status augment_ops_choose(const char *text, const char *ops[PBA_POLICY_MAX], int *count);

#endif
