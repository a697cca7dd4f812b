/* SPDX-License-Identifier: Apache-2.0
 * The spaces of the policies that PBA is compared with: for each operation a range, divided evenly
 * into levels. (PBA's own space, with the integers of its reference implementation, is space.h.) */
#ifndef AUGMENT_RANGES_H
#define AUGMENT_RANGES_H

#include "augment/kind.h"

typedef enum augment_range_flags {
    AUGMENT_SWINGS = 1,    /* to either side of `centre`, with probability 1/2 each */
    AUGMENT_ACROSS = 2,    /* a length along the width */
    AUGMENT_DOWN = 4,      /* a length along the height */
    AUGMENT_ROUNDS = 8,    /* the way from `from` is rounded, halves to even */
    AUGMENT_TRUNCATES = 16 /* the same, towards 0 */
} augment_range_flags;

/* value = from + (to - from) * level / (levels - 1); parameter = value, or centre +- value. */
typedef struct augment_range {
    const char *op; /* NULL: leaves the image as it is */
    double from, to, centre;
    unsigned flags;
} augment_range;

typedef struct augment_ranges {
    const char *paper;
    int side; /* lengths are those of an image of this side, and grow with it; 0: they do not */
    const augment_range *rows;
    int count, levels; /* levels: unless others are given */
} augment_ranges;

extern const augment_ranges augment_ranges_autoaugment, augment_ranges_randaugment,
    augment_ranges_trivialaugment;

/* An operation with its parameter: centre + swing or centre - swing. */
typedef struct augment_shot {
    const augment_op *op; /* NULL: leaves the image as it is */
    double centre, swing;
} augment_shot;

/* Row `row` at `level` of `levels` (at least 2). */
augment_shot augment_shot_of(const augment_ranges *ranges, int row, int level, int levels,
                             const augment_canvas *canvas);
int augment_ranges_find(const augment_ranges *ranges, const char *op); /* -1: none */

void augment_shot_fire(const augment_shot *shot, augment_frame *frame, augment_context *context);

/* policies/autoaugment.c: the published sub-policies, two entries each. */
enum { AUGMENT_SUB_POLICIES = 25 };
typedef struct augment_entry {
    const char *op;
    int tenths, level; /* probability in tenths; level 0..9 */
} augment_entry;
typedef augment_entry augment_sub_policy[2];

/* "cifar10", "svhn" or "imagenet"; NULL: none of them. */
const augment_sub_policy *augment_autoaugment_table(const char *name);
const augment_sub_policy *augment_autoaugment_at(size_t index); /* NULL behind the end */

#endif
