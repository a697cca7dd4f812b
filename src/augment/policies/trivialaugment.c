/* SPDX-License-Identifier: Apache-2.0
 * TrivialAugment: Mueller, Hutter, "TrivialAugment: Tuning-free Yet State-of-the-Art Data
 * Augmentation", ICCV 2021 (arXiv 2103.10158), with its wide space as in torchvision 0.14's
 * TrivialAugmentWide: one operation of fourteen, at one of 31 strengths. Translations are 32 pixels
 * at most, at any image size, as published. */
#include "augment/ranges.h"

static const augment_range rows[] = {
    {NULL, 0, 0, 0, 0},
    {"ShearX", 0, 0.99, 0, AUGMENT_SWINGS},
    {"ShearY", 0, 0.99, 0, AUGMENT_SWINGS},
    {"TranslateX", 0, 32, 0, AUGMENT_SWINGS | AUGMENT_ACROSS | AUGMENT_TRUNCATES},
    {"TranslateY", 0, 32, 0, AUGMENT_SWINGS | AUGMENT_DOWN | AUGMENT_TRUNCATES},
    {"Rotate", 0, 135, 0, AUGMENT_SWINGS},
    {"Brightness", 0, 0.99, 1, AUGMENT_SWINGS},
    {"Color", 0, 0.99, 1, AUGMENT_SWINGS},
    {"Contrast", 0, 0.99, 1, AUGMENT_SWINGS},
    {"Sharpness", 0, 0.99, 1, AUGMENT_SWINGS},
    {"Posterize", 8, 2, 0, AUGMENT_ROUNDS},
    {"Solarize", 255, 0, 0, 0},
    {"AutoContrast", 0, 0, 0, 0},
    {"Equalize", 0, 0, 0, 0},
};
enum { ROWS = sizeof rows / sizeof *rows, LEVELS = 31 };

const augment_ranges augment_ranges_trivialaugment = {
    .paper = "Mueller and Hutter 2021", .side = 0, .rows = rows, .count = ROWS, .levels = LEVELS};

typedef struct prepared {
    augment_shot shots[ROWS][LEVELS];
} prepared;

static pba_status prepare(const augment_choice *choice, const augment_canvas *canvas, arena *arena,
                          const void **state)
{
    prepared *all = arena_new(arena, 1, sizeof *all);
    if (!all) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < ROWS * LEVELS; i++) {
        all->shots[i / LEVELS][i % LEVELS] =
            augment_shot_of(&augment_ranges_trivialaugment, i / LEVELS, i % LEVELS, LEVELS, canvas);
    }
    *state = all;
    return PBA_OK;
}

static void draw(const void *state, augment_frame *frame, augment_context *context)
{
    const prepared *all = state;
    uint32_t row = rng_below(context->rng, ROWS), level = rng_below(context->rng, LEVELS);
    augment_shot_fire(&all->shots[row][level], frame, context);
}

extern const augment_kind augment_trivialaugment;

const augment_kind augment_trivialaugment = {
    .name = "trivialaugment",
    .pattern = "trivialaugment",
    .example = "trivialaugment",
    .sentence = "One operation of fourteen for each image, at one of 31 strengths of the wide "
                "space.",
    .source = "Mueller and Hutter 2021, arXiv 2103.10158, as torchvision 0.14's TrivialAugmentWide",
    .prepare = prepare,
    .draw = draw,
};
