/* SPDX-License-Identifier: Apache-2.0
 * Randomness as a function of names, not a state: Philox4x32-10 (Salmon, Moraes, Dror, Shaw:
 * "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Every draw is determined by
 * (seed, purpose, member, epoch, item) and its place in that stream, so that nothing depends on
 * which thread drew first, and a resumed run draws what the undisturbed one would have. */
#ifndef CORE_RNG_H
#define CORE_RNG_H

#include <stdint.h>

/* The block function: 4 words out of a 128-bit counter and a 64-bit key. */
void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* What a stream is for. Append only: the numbers decide what a seed means. */
typedef enum rng_purpose {
    RNG_SPLIT = 1, /* which images go where */
    RNG_ORDER,     /* order of the training images: member, epoch */
    RNG_AUGMENT,   /* policy and baseline of one image: member, epoch, image */
    RNG_INIT,      /* initial weights: member, item = tensor */
    RNG_EXPLOIT,   /* which better member is copied: member, epoch = round */
    RNG_EXPLORE,   /* mutation: member, epoch = round */
    RNG_DEMO,      /* the demo data: item = image */
    RNG_POLICY,    /* a random policy */
    RNG_BRANCH,    /* random branch weights: member, epoch = step, item = node */
    RNG_SEGMENT,   /* the order of a schedule's segments */
    RNG_PICK       /* the epoch whose policy an image gets: member, epoch, image */
} rng_purpose;

typedef struct rng {
    uint32_t key[2], counter[4], words[4];
    int left; /* words not yet given out */
} rng;

/* member < 2^20, epoch and item any 32 bits; a stream holds 2^34 words. */
rng rng_at(uint64_t seed, rng_purpose purpose, uint32_t member, uint32_t epoch, uint32_t item);

uint32_t rng_word(rng *rng);                  /* uniform 32 bits */
uint32_t rng_below(rng *rng, uint32_t bound); /* uniform in 0..bound-1, exactly; bound >= 1 */
double rng_unit(rng *rng);                    /* uniform in [0, 1), 53 bits */
double rng_normal(rng *rng);                  /* standard normal (Box-Muller, one of the pair) */
void rng_shuffle(rng *rng, uint32_t *items, uint32_t count); /* Fisher-Yates */

#endif
