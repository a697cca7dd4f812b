/* SPDX-License-Identifier: Apache-2.0
 * RandAugment: Cubuk, Zoph, Shlens, Le, "RandAugment: Practical automated data augmentation with a
 * reduced search space", 2020 (arXiv 1909.13719). N operations one after the other, each drawn
 * from fourteen, all at strength M.
 *
 * As torchvision 0.14's RandAugment: M counts from 0 in BINS steps, 31 unless given, so that 30 is
 * the end of every range. The paper speaks of a scale to 10 (BINS 11: randaugment:2,9,11 is its
 * 2, 9), but also reports strengths above it, for which it gives no ranges. The paper names no
 * ranges of its own and refers to AutoAugment's; the four enhancers go to either side of 1. */
#include "augment/ranges.h"

static const augment_range rows[] = {
    {NULL, 0, 0, 0, 0},
    {"ShearX", 0, 0.3, 0, AUGMENT_SWINGS},
    {"ShearY", 0, 0.3, 0, AUGMENT_SWINGS},
    {"TranslateX", 0, 150, 0, AUGMENT_SWINGS | AUGMENT_ACROSS | AUGMENT_TRUNCATES},
    {"TranslateY", 0, 150, 0, AUGMENT_SWINGS | AUGMENT_DOWN | AUGMENT_TRUNCATES},
    {"Rotate", 0, 30, 0, AUGMENT_SWINGS},
    {"Brightness", 0, 0.9, 1, AUGMENT_SWINGS},
    {"Color", 0, 0.9, 1, AUGMENT_SWINGS},
    {"Contrast", 0, 0.9, 1, AUGMENT_SWINGS},
    {"Sharpness", 0, 0.9, 1, AUGMENT_SWINGS},
    {"Posterize", 8, 4, 0, AUGMENT_ROUNDS},
    {"Solarize", 255, 0, 0, 0},
    {"AutoContrast", 0, 0, 0, 0},
    {"Equalize", 0, 0, 0, 0},
};
enum { ROWS = sizeof rows / sizeof *rows, BINS = 31, MOST_BINS = 1001, MOST_OPERATIONS = 100 };

const augment_ranges augment_ranges_randaugment = {
    .paper = "Cubuk et al. 2020", .side = 331, .rows = rows, .count = ROWS, .levels = BINS};

/* numbers: N, M, BINS */
static pba_status parse(const char *arguments, augment_choice *choice)
{
    int *numbers = choice->numbers;
    int count = augment_read_numbers(arguments, 2, 3, numbers);
    if (count == 2) {
        numbers[2] = BINS;
    }
    bool good = count >= 2 && numbers[0] >= 1 && numbers[0] <= MOST_OPERATIONS && numbers[2] >= 2 &&
                numbers[2] <= MOST_BINS && numbers[1] < numbers[2];
    return good ? PBA_OK
                : status_set(PBA_USAGE,
                             "randaugment '%s': use randaugment:N,M or randaugment:N,M,BINS with N "
                             "operations, 1 to %d, of strength M, 0 to BINS - 1; BINS is 2 to %d, "
                             "%d unless given",
                             arguments ? arguments : "", MOST_OPERATIONS, MOST_BINS, BINS);
}

typedef struct prepared {
    augment_shot shots[ROWS];
    int operations;
} prepared;

static pba_status prepare(const augment_choice *choice, const augment_canvas *canvas, arena *arena,
                          const void **state)
{
    prepared *all = arena_new(arena, 1, sizeof *all);
    if (!all) {
        return PBA_MEMORY;
    }
    all->operations = choice->numbers[0];
    for (int i = 0; i < ROWS; i++) {
        all->shots[i] = augment_shot_of(&augment_ranges_randaugment, i, choice->numbers[1],
                                        choice->numbers[2], canvas);
    }
    *state = all;
    return PBA_OK;
}

static void draw(const void *state, augment_frame *frame, augment_context *context)
{
    const prepared *all = state;
    for (int i = 0; i < all->operations; i++) {
        augment_shot_fire(&all->shots[rng_below(context->rng, ROWS)], frame, context);
    }
}

extern const augment_kind augment_randaugment;

const augment_kind augment_randaugment = {
    .name = "randaugment",
    .pattern = "randaugment:N,M[,BINS]",
    .example = "randaugment:2,9",
    .sentence = "N operations, each drawn from fourteen, all of strength M on a scale from 0 to "
                "BINS - 1, which is 30 unless given.",
    .source = "Cubuk et al. 2020, arXiv 1909.13719, as torchvision 0.14's RandAugment",
    .parse = parse,
    .prepare = prepare,
    .draw = draw,
};
