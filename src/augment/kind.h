/* SPDX-License-Identifier: Apache-2.0
 * A policy kind is one row: how it is named, what it does to an image, where that was published.
 * To add a kind: write a file in policies/ that ends with its row, and name the row in kinds.c. */
#ifndef AUGMENT_KIND_H
#define AUGMENT_KIND_H

#include "augment/op.h"
#include "core/memory.h"
#include "schedule/policy.h"

typedef enum augment_kind_flags {
    AUGMENT_BARE = 1,     /* no baseline augmentation behind it */
    AUGMENT_CUTS = 2,     /* takes the place of the baseline's cutout */
    AUGMENT_PER_SEED = 4, /* one policy a network, augment_random_policy of its seed */
    AUGMENT_CONSTANT = 8  /* its schedule has one policy, for any epoch */
} augment_kind_flags;

typedef struct augment_kind augment_kind;

/* A kind with its arguments. Free with augment_choice_free. */
typedef struct augment_choice {
    const augment_kind *kind;
    int numbers[3];         /* as the kind's parse says */
    pba_schedule *schedule; /* the policies of the epochs, as found; NULL: the kind has none */
} augment_choice;

/* The images that a policy is for. */
typedef struct augment_canvas {
    int width, height;
    bool scale; /* lengths meant for an image of 32 pixels are scaled by min(width, height)/32 */
} augment_canvas;

struct augment_kind {
    const char *name;    /* NULL: any text that is no other kind's, for the row at the end */
    const char *pattern; /* "randaugment:N,M" */
    const char *example, *sentence;
    const char *source; /* what it follows, "" where there is nothing to follow */
    unsigned flags;
    /* Reads what stands behind "NAME:" (NULL: no colon). A kind without it takes nothing there. */
    pba_status (*parse)(const char *arguments, augment_choice *choice);
    /* Everything that needs no drawing, into the arena. Kinds without `prepare` and `draw` are
     * drawn by the policy that comes with each call, as the PBA space says. */
    pba_status (*prepare)(const augment_choice *choice, const augment_canvas *canvas, arena *arena,
                          const void **state);
    void (*draw)(const void *state, augment_frame *frame, augment_context *context);
};

/* Reads "NAME", "NAME:ARGUMENTS", or the path of a run folder or schedule file. PBA_USAGE for what
 * is neither (the message lists the kinds), PBA_NOT_FOUND for a missing path, PBA_FORMAT for what
 * a file holds. */
pba_status augment_choice_parse(const char *text, augment_choice *choice);
void augment_choice_free(augment_choice *choice);

const augment_kind *augment_kind_at(size_t index); /* NULL behind the end */

/* For the kinds' parse: between `least` and `most` whole numbers, separated by commas, each 0 to
 * 9999. Returns how many, or -1. */
int augment_read_numbers(const char *text, int least, int most, int *numbers);

/* policies/random.c: every probability and level drawn uniformly. Different items are independent;
 * item 0 is the policy of the kind "random". */
pba_policy augment_random_policy(uint64_t seed, uint32_t item, int entries);

/* policies/schedule.c: a file may name any operation: one that is unknown here, or that a plug-in
 * has in another version, is the file's fault (PBA_FORMAT, naming `name`), not the caller's. */
pba_status augment_check_operations(const char *name, const pba_schedule *schedule);
/* Notes in the schedule which plug-ins its operations are from, and their versions. */
void augment_sign_schedule(pba_schedule *schedule);
/* A choice as of a schedule with these operations, drawn from by the policy of each call: for a
 * search, which has no schedule yet. */
pba_status augment_choice_of(const char *const *ops, int count, const schedule_counts *counts,
                             augment_choice *choice);

#endif
