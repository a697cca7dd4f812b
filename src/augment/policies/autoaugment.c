/* SPDX-License-Identifier: Apache-2.0
 * AutoAugment: Cubuk, Zoph, Mane, Vasudevan, Le, "AutoAugment: Learning Augmentation Strategies
 * from Data", CVPR 2019 (arXiv 1805.09501). For each image one of 25 sub-policies is drawn, as
 * likely as another; each of its two operations fires with its own probability.
 *
 * Levels are 0..9, evenly spaced over the ranges of the paper's table 6. That table does not say
 * where a range begins: as in the authors' code and in torchvision, a higher level is a stronger
 * change, so that Posterize runs from 8 bits to 4 and Solarize from 256 to 0; Color, Contrast,
 * Brightness and Sharpness run upwards from 0.1 to 1.9, as in the authors' code. (torchvision has
 * the same extremes for these four, but takes the level for a distance from 1, to a random side,
 * and Solarize from 255.) Translations are those of a 331-pixel image, along each side. */
#include "augment/ranges.h"

#include <string.h>

/* Table 6 of the paper. */
static const augment_range rows[] = {
    {"ShearX", 0, 0.3, 0, AUGMENT_SWINGS},
    {"ShearY", 0, 0.3, 0, AUGMENT_SWINGS},
    {"TranslateX", 0, 150, 0, AUGMENT_SWINGS | AUGMENT_ACROSS | AUGMENT_TRUNCATES},
    {"TranslateY", 0, 150, 0, AUGMENT_SWINGS | AUGMENT_DOWN | AUGMENT_TRUNCATES},
    {"Rotate", 0, 30, 0, AUGMENT_SWINGS},
    {"AutoContrast", 0, 0, 0, 0},
    {"Invert", 0, 0, 0, 0},
    {"Equalize", 0, 0, 0, 0},
    {"Solarize", 256, 0, 0, 0},
    {"Posterize", 8, 4, 0, AUGMENT_ROUNDS},
    {"Contrast", 0.1, 1.9, 0, 0},
    {"Color", 0.1, 1.9, 0, 0},
    {"Brightness", 0.1, 1.9, 0, 0},
    {"Sharpness", 0.1, 1.9, 0, 0},
};

enum { LEVELS = 10 };

const augment_ranges augment_ranges_autoaugment = {.paper = "Cubuk et al. 2019",
                                                   .side = 331,
                                                   .rows = rows,
                                                   .count = sizeof rows / sizeof *rows,
                                                   .levels = LEVELS};

/* Table 7 of the paper: found on reduced CIFAR-10, used for CIFAR-10 and CIFAR-100. Operations
 * without a parameter have level 0. */
static const augment_sub_policy cifar10[AUGMENT_SUB_POLICIES] = {
    {{"Invert", 1, 0}, {"Contrast", 2, 6}},         {{"Rotate", 7, 2}, {"TranslateX", 3, 9}},
    {{"Sharpness", 8, 1}, {"Sharpness", 9, 3}},     {{"ShearY", 5, 8}, {"TranslateY", 7, 9}},
    {{"AutoContrast", 5, 0}, {"Equalize", 9, 0}},   {{"ShearY", 2, 7}, {"Posterize", 3, 7}},
    {{"Color", 4, 3}, {"Brightness", 6, 7}},        {{"Sharpness", 3, 9}, {"Brightness", 7, 9}},
    {{"Equalize", 6, 0}, {"Equalize", 5, 0}},       {{"Contrast", 6, 7}, {"Sharpness", 6, 5}},
    {{"Color", 7, 7}, {"TranslateX", 5, 8}},        {{"Equalize", 3, 0}, {"AutoContrast", 4, 0}},
    {{"TranslateY", 4, 3}, {"Sharpness", 2, 6}},    {{"Brightness", 9, 6}, {"Color", 2, 8}},
    {{"Solarize", 5, 2}, {"Invert", 0, 0}},         {{"Equalize", 2, 0}, {"AutoContrast", 6, 0}},
    {{"Equalize", 2, 0}, {"Equalize", 6, 0}},       {{"Color", 9, 9}, {"Equalize", 6, 0}},
    {{"AutoContrast", 8, 0}, {"Solarize", 2, 8}},   {{"Brightness", 1, 3}, {"Color", 7, 0}},
    {{"Solarize", 4, 5}, {"AutoContrast", 9, 0}},   {{"TranslateY", 9, 9}, {"TranslateY", 7, 9}},
    {{"AutoContrast", 9, 0}, {"Solarize", 8, 3}},   {{"Equalize", 8, 0}, {"Invert", 1, 0}},
    {{"TranslateY", 7, 9}, {"AutoContrast", 9, 0}},
};

/* Table 8: found on reduced SVHN. */
static const augment_sub_policy svhn[AUGMENT_SUB_POLICIES] = {
    {{"ShearX", 9, 4}, {"Invert", 2, 0}},       {{"ShearY", 9, 8}, {"Invert", 7, 0}},
    {{"Equalize", 6, 0}, {"Solarize", 6, 6}},   {{"Invert", 9, 0}, {"Equalize", 6, 0}},
    {{"Equalize", 6, 0}, {"Rotate", 9, 3}},     {{"ShearX", 9, 4}, {"AutoContrast", 8, 0}},
    {{"ShearY", 9, 8}, {"Invert", 4, 0}},       {{"ShearY", 9, 5}, {"Solarize", 2, 6}},
    {{"Invert", 9, 0}, {"AutoContrast", 8, 0}}, {{"Equalize", 6, 0}, {"Rotate", 9, 3}},
    {{"ShearX", 9, 4}, {"Solarize", 3, 3}},     {{"ShearY", 8, 8}, {"Invert", 7, 0}},
    {{"Equalize", 9, 0}, {"TranslateY", 6, 6}}, {{"Invert", 9, 0}, {"Equalize", 6, 0}},
    {{"Contrast", 3, 3}, {"Rotate", 8, 4}},     {{"Invert", 8, 0}, {"TranslateY", 0, 2}},
    {{"ShearY", 7, 6}, {"Solarize", 4, 8}},     {{"Invert", 6, 0}, {"Rotate", 8, 4}},
    {{"ShearY", 3, 7}, {"TranslateX", 9, 3}},   {{"ShearX", 1, 6}, {"Invert", 6, 0}},
    {{"Solarize", 7, 2}, {"TranslateY", 6, 7}}, {{"ShearY", 8, 4}, {"Invert", 8, 0}},
    {{"ShearX", 7, 9}, {"TranslateY", 8, 3}},   {{"ShearY", 8, 5}, {"AutoContrast", 7, 0}},
    {{"ShearX", 7, 2}, {"Invert", 1, 0}},
};

/* Table 9: found on reduced ImageNet. Five sub-policies occur twice, as published. */
static const augment_sub_policy imagenet[AUGMENT_SUB_POLICIES] = {
    {{"Posterize", 4, 8}, {"Rotate", 6, 9}},  {{"Solarize", 6, 5}, {"AutoContrast", 6, 0}},
    {{"Equalize", 8, 0}, {"Equalize", 6, 0}}, {{"Posterize", 6, 7}, {"Posterize", 6, 6}},
    {{"Equalize", 4, 0}, {"Solarize", 2, 4}}, {{"Equalize", 4, 0}, {"Rotate", 8, 8}},
    {{"Solarize", 6, 3}, {"Equalize", 6, 0}}, {{"Posterize", 8, 5}, {"Equalize", 10, 0}},
    {{"Rotate", 2, 3}, {"Solarize", 6, 8}},   {{"Equalize", 6, 0}, {"Posterize", 4, 6}},
    {{"Rotate", 8, 8}, {"Color", 4, 0}},      {{"Rotate", 4, 9}, {"Equalize", 6, 0}},
    {{"Equalize", 0, 0}, {"Equalize", 8, 0}}, {{"Invert", 6, 0}, {"Equalize", 10, 0}},
    {{"Color", 6, 4}, {"Contrast", 10, 8}},   {{"Rotate", 8, 8}, {"Color", 10, 2}},
    {{"Color", 8, 8}, {"Solarize", 8, 7}},    {{"Sharpness", 4, 7}, {"Invert", 6, 0}},
    {{"ShearX", 6, 5}, {"Equalize", 10, 0}},  {{"Color", 4, 0}, {"Equalize", 6, 0}},
    {{"Equalize", 4, 0}, {"Solarize", 2, 4}}, {{"Solarize", 6, 5}, {"AutoContrast", 6, 0}},
    {{"Invert", 6, 0}, {"Equalize", 10, 0}},  {{"Color", 6, 4}, {"Contrast", 10, 8}},
    {{"Equalize", 8, 0}, {"Equalize", 6, 0}},
};

static const struct {
    const char *name;
    const augment_sub_policy *table;
} tables[] = {{"cifar10", cifar10}, {"svhn", svhn}, {"imagenet", imagenet}};
enum { TABLES = sizeof tables / sizeof *tables };

/* TABLES where there is none. */
static int find_table(const char *name)
{
    int i = 0;
    while (i < TABLES && strcmp(tables[i].name, name) != 0) {
        i++;
    }
    return i;
}

const augment_sub_policy *augment_autoaugment_table(const char *name)
{
    return augment_autoaugment_at((size_t)find_table(name));
}

const augment_sub_policy *augment_autoaugment_at(size_t index)
{
    return index < TABLES ? tables[index].table : NULL;
}

static pba_status parse(const char *arguments, augment_choice *choice)
{
    choice->numbers[0] = find_table(arguments ? arguments : "");
    return choice->numbers[0] < TABLES ? PBA_OK
                                       : status_set(PBA_USAGE,
                                                    "autoaugment '%s': use autoaugment:cifar10, "
                                                    "autoaugment:svhn or autoaugment:imagenet",
                                                    arguments ? arguments : "");
}

typedef struct prepared {
    augment_shot shots[AUGMENT_SUB_POLICIES][2];
    uint8_t tenths[AUGMENT_SUB_POLICIES][2];
} prepared;

static pba_status prepare(const augment_choice *choice, const augment_canvas *canvas, arena *arena,
                          const void **state)
{
    const augment_sub_policy *table = tables[choice->numbers[0]].table;
    prepared *all = arena_new(arena, 1, sizeof *all);
    if (!all) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < 2 * AUGMENT_SUB_POLICIES; i++) {
        const augment_entry *entry = &table[i / 2][i % 2];
        int row = augment_ranges_find(&augment_ranges_autoaugment, entry->op);
        all->tenths[i / 2][i % 2] = (uint8_t)entry->tenths;
        all->shots[i / 2][i % 2] =
            augment_shot_of(&augment_ranges_autoaugment, row, entry->level, LEVELS, canvas);
    }
    *state = all;
    return PBA_OK;
}

static void draw(const void *state, augment_frame *frame, augment_context *context)
{
    const prepared *all = state;
    uint32_t chosen = rng_below(context->rng, AUGMENT_SUB_POLICIES);
    for (int i = 0; i < 2; i++) {
        if (rng_below(context->rng, 10) < all->tenths[chosen][i]) {
            augment_shot_fire(&all->shots[chosen][i], frame, context);
        }
    }
}

extern const augment_kind augment_autoaugment;

const augment_kind augment_autoaugment = {
    .name = "autoaugment",
    .pattern = "autoaugment:cifar10|svhn|imagenet",
    .example = "autoaugment:cifar10",
    .sentence = "One of the 25 published sub-policies for each image, two operations each.",
    .source = "Cubuk et al. 2019, arXiv 1805.09501, tables 6 to 9",
    .parse = parse,
    .prepare = prepare,
    .draw = draw,
};
