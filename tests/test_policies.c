/* SPDX-License-Identifier: Apache-2.0
 * The kinds of policy: their tables, their texts, and that images are drawn as often as published.
 * (Pixels and parameters are compared with torchvision by oracle_torchvision.py.) */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "augment/pipeline.h"
#include "augment/ranges.h"
#include "augment/space.h"

enum { SIDE = 16, PIXELS = SIDE * SIDE, BYTES = 3 * PIXELS };

static void fill_noise(uint8_t *pixels)
{
    uint32_t state = 7;
    for (int i = 0; i < BYTES; i++) {
        state = state * 1664525 + 1013904223;
        pixels[i] = (uint8_t)(state >> 24);
    }
}

/* ------------------------------------------------------------------- tables */

static void tables_are_those_published(void **state)
{
    static const struct {
        const char *name, *first, *last;
        int tenths, levels; /* sums over all entries */
    } rows[] = {{"cifar10", "Invert", "AutoContrast", 265, 187},
                {"svhn", "ShearX", "Invert", 329, 143},
                {"imagenet", "Posterize", "Equalize", 310, 159}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const augment_sub_policy *table = augment_autoaugment_table(rows[r].name);
        int tenths = 0, levels = 0;
        assert_string_equal(table[0][0].op, rows[r].first);
        assert_string_equal(table[24][1].op, rows[r].last);
        for (int i = 0; i < 2 * AUGMENT_SUB_POLICIES; i++) {
            const augment_entry *entry = &table[i / 2][i % 2];
            assert_true(augment_ranges_find(&augment_ranges_autoaugment, entry->op) >= 0);
            assert_in_range(entry->tenths, 0, 10);
            assert_in_range(entry->level, 0, 9);
            tenths += entry->tenths;
            levels += entry->level;
        }
        assert_int_equal(tenths, rows[r].tenths);
        assert_int_equal(levels, rows[r].levels);
    }
    assert_null(augment_autoaugment_table("mnist"));
}

typedef struct expected {
    const augment_ranges *ranges;
    const char *op;
    int level, levels;
    double centre, swing;
} expected;

/* The ends of every range, and one in between, for images of 331 x 662 pixels. */
static void ranges_are_those_published(void **state)
{
    const augment_ranges *a = &augment_ranges_autoaugment, *r = &augment_ranges_randaugment,
                         *t = &augment_ranges_trivialaugment;
    const expected rows[] = {
        {a, "ShearX", 9, 10, 0, 0.3},      {a, "ShearY", 3, 10, 0, 0.1},
        {a, "TranslateX", 9, 10, 0, 150},  {a, "TranslateX", 3, 10, 0, 50},
        {a, "TranslateY", 9, 10, 0, 300},  {a, "Rotate", 9, 10, 0, 30},
        {a, "Rotate", 0, 10, 0, 0},        {a, "Posterize", 0, 10, 8, 0},
        {a, "Posterize", 9, 10, 4, 0},     {a, "Posterize", 8, 10, 4, 0},
        {a, "Solarize", 0, 10, 256, 0},    {a, "Solarize", 9, 10, 0, 0},
        {a, "Color", 0, 10, 0.1, 0},       {a, "Contrast", 9, 10, 1.9, 0},
        {a, "Brightness", 5, 10, 1.1, 0},  {a, "Sharpness", 1, 10, 0.3, 0},
        {r, "ShearX", 30, 31, 0, 0.3},     {r, "Rotate", 9, 31, 0, 9},
        {r, "Rotate", 9, 11, 0, 27},       {r, "Color", 30, 31, 1, 0.9},
        {r, "Solarize", 0, 31, 255, 0},    {r, "Posterize", 30, 31, 4, 0},
        {r, "TranslateX", 30, 31, 0, 150}, {r, "Posterize", 1, 9, 8, 0},
        {t, "ShearY", 30, 31, 0, 0.99},    {t, "TranslateX", 30, 31, 0, 32},
        {t, "TranslateY", 1, 31, 0, 1},    {t, "Rotate", 30, 31, 0, 135},
        {t, "Brightness", 30, 31, 1, .99}, {t, "Posterize", 30, 31, 2, 0},
        {t, "Solarize", 30, 31, 0, 0},
    };
    augment_canvas canvas = {331, 662, true};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int row = augment_ranges_find(rows[i].ranges, rows[i].op);
        assert_true(row >= 0);
        augment_shot shot =
            augment_shot_of(rows[i].ranges, row, rows[i].level, rows[i].levels, &canvas);
        if (fabs(shot.centre - rows[i].centre) > 1e-12 ||
            fabs(shot.swing - rows[i].swing) > 1e-12) {
            fail_msg("row %zu: %s: %g +- %g", i, rows[i].op, shot.centre, shot.swing);
        }
    }
    assert_int_equal(a->count, 14);
    assert_int_equal(r->count, 14);
    assert_int_equal(t->count, 14);
}

/* -------------------------------------------------------------------- draws */

/* Every image that may come out, with its probability. */
typedef struct outcome {
    uint8_t pixels[BYTES], mask[PIXELS];
    double probability;
    int seen;
} outcome;

typedef struct outcomes {
    outcome *all;
    int count, room;
    uint8_t *scratch;
} outcomes;

static outcome *find_outcome(outcomes *outcomes, const uint8_t *pixels, const uint8_t *mask)
{
    for (int i = 0; i < outcomes->count; i++) {
        outcome *each = &outcomes->all[i];
        if (!memcmp(each->pixels, pixels, BYTES) && !memcmp(each->mask, mask, PIXELS)) {
            return each;
        }
    }
    return NULL;
}

static void add_outcome(outcomes *outcomes, const pba_image *image, double probability)
{
    outcome *found = find_outcome(outcomes, image->pixels, image->mask);
    if (!found) {
        if (outcomes->count == outcomes->room) {
            outcomes->room = 2 * outcomes->room + 16;
            outcomes->all = realloc(outcomes->all, (size_t)outcomes->room * sizeof *outcomes->all);
            assert_non_null(outcomes->all);
        }
        found = &outcomes->all[outcomes->count++];
        memset(found, 0, sizeof *found);
        memcpy(found->pixels, image->pixels, BYTES);
        memcpy(found->mask, image->mask, PIXELS);
    }
    found->probability += probability;
}

/* What a step of a policy may do: nothing, or one shot, each with a probability. */
typedef struct branch {
    augment_shot shot;
    double probability;
} branch;

/* All ways through `depth` steps, of `count` branches each. */
static void walk(outcomes *outcomes, const pba_image *image, const branch *steps, int count,
                 int depth, double probability)
{
    if (probability == 0.0) {
        return;
    }
    if (!depth) {
        add_outcome(outcomes, image, probability);
        return;
    }
    for (int i = 0; i < count; i++) {
        const augment_shot *shot = &steps[i].shot;
        double chance = probability * steps[i].probability;
        if (!shot->op) {
            walk(outcomes, image, steps + count, count, depth - 1, chance);
            continue;
        }
        for (int side = 1; side >= -1; side -= 2) {
            uint8_t pixels[BYTES], mask[PIXELS];
            pba_image next = {pixels, mask, SIDE, SIDE, 3};
            augment_context context = {.scratch = outcomes->scratch};
            assert_ok(augment_kernels_choose(&context.kernels));
            augment_op_apply(shot->op, &next, image, shot->centre + side * shot->swing, &context);
            walk(outcomes, &next, steps + count, count, depth - 1, chance / 2);
        }
    }
}

typedef struct bench {
    augment_choice choice;
    pipeline *pipeline;
    pipeline_scratch *scratch;
    uint8_t image[BYTES];
} bench;

static void bench_open(bench *bench, const char *kind, const char *baseline)
{
    assert_ok(augment_choice_parse(kind, &bench->choice));
    pipeline_options options = {.width = SIDE,
                                .height = SIDE,
                                .channels = 3,
                                .deviation = {1, 1, 1},
                                .baseline = baseline,
                                .choice = &bench->choice,
                                .scale_pixels = true};
    assert_ok(pipeline_create(&options, &bench->pipeline));
    assert_ok(pipeline_scratch_create(bench->pipeline, &bench->scratch));
    fill_noise(bench->image);
}

static void bench_close(bench *bench)
{
    pipeline_scratch_free(bench->scratch);
    pipeline_free(bench->pipeline);
    augment_choice_free(&bench->choice);
}

static void draw(bench *bench, uint64_t seed, uint32_t id, uint8_t *pixels, uint8_t *mask)
{
    pipeline_draw(bench->pipeline, bench->scratch, NULL, (pipeline_key){.seed = seed}, bench->image,
                  id, pixels, mask);
}

/* Chi-square over the outcomes; those expected less than 5 times count as one. */
static void check_frequencies(outcomes *outcomes, int draws)
{
    double statistic = 0, rare = 0, total = 0;
    int seen_rarely = 0, cells = 0;
    for (int i = 0; i < outcomes->count; i++) {
        double wanted = draws * outcomes->all[i].probability;
        total += outcomes->all[i].probability;
        if (wanted < 5) {
            rare += wanted;
            seen_rarely += outcomes->all[i].seen;
        } else {
            double miss = outcomes->all[i].seen - wanted;
            statistic += miss * miss / wanted;
            cells++;
        }
    }
    if (rare >= 5) {
        statistic += (seen_rarely - rare) * (seen_rarely - rare) / rare;
        cells++;
    }
    assert_true(fabs(total - 1) < 1e-9);
    assert_true(cells > 10);
    if (statistic > cells + 4 * sqrt(2.0 * cells)) {
        fail_msg("chi-square %g over %d cells", statistic, cells);
    }
}

static void draw_and_check(const char *kind, outcomes *outcomes, int draws)
{
    bench bench;
    bench_open(&bench, kind, "none");
    for (int i = 0; i < draws; i++) {
        uint8_t pixels[BYTES], mask[PIXELS];
        draw(&bench, 1, (uint32_t)i, pixels, mask);
        outcome *found = find_outcome(outcomes, pixels, mask);
        if (!found) {
            fail_msg("%s: draw %d cannot come out of it", kind, i);
        }
        found->seen++;
    }
    check_frequencies(outcomes, draws);
    bench_close(&bench);
    free(outcomes->all);
    free(outcomes->scratch);
}

static pba_image original(uint8_t *pixels, uint8_t *mask)
{
    fill_noise(pixels);
    memset(mask, 255, PIXELS);
    return (pba_image){pixels, mask, SIDE, SIDE, 3};
}

static outcomes outcomes_new(void)
{
    outcomes outcomes = {.scratch = aligned_alloc(64, 64 * 1024)};
    assert_non_null(outcomes.scratch);
    assert_true(augment_scratch_bytes(SIDE, SIDE) <= 64 * 1024);
    return outcomes;
}

static const augment_canvas canvas = {SIDE, SIDE, true};

static void autoaugment_draws_as_published(void **state)
{
    static const char *const names[] = {"cifar10", "svhn", "imagenet"};
    for (int n = 0; n < 3; n++) {
        uint8_t pixels[BYTES], mask[PIXELS];
        pba_image image = original(pixels, mask);
        outcomes outcomes = outcomes_new();
        const augment_sub_policy *table = augment_autoaugment_table(names[n]);
        for (int i = 0; i < AUGMENT_SUB_POLICIES; i++) {
            branch steps[2][2] = {0};
            for (int k = 0; k < 2; k++) {
                int row = augment_ranges_find(&augment_ranges_autoaugment, table[i][k].op);
                steps[k][0].probability = table[i][k].tenths / 10.0;
                steps[k][0].shot = augment_shot_of(&augment_ranges_autoaugment, row,
                                                   table[i][k].level, 10, &canvas);
                steps[k][1].probability = 1 - steps[k][0].probability;
            }
            walk(&outcomes, &image, steps[0], 2, 2, 1.0 / AUGMENT_SUB_POLICIES);
        }
        char kind[64];
        snprintf(kind, sizeof kind, "autoaugment:%s", names[n]);
        draw_and_check(kind, &outcomes, 20000);
    }
}

static void randaugment_draws_as_published(void **state)
{
    uint8_t pixels[BYTES], mask[PIXELS];
    pba_image image = original(pixels, mask);
    outcomes outcomes = outcomes_new();
    branch steps[2][14];
    for (int i = 0; i < 28; i++) {
        steps[i / 14][i % 14] = (branch){
            augment_shot_of(&augment_ranges_randaugment, i % 14, 20, 31, &canvas), 1.0 / 14};
    }
    walk(&outcomes, &image, steps[0], 14, 2, 1);
    draw_and_check("randaugment:2,20", &outcomes, 20000);
}

static void trivialaugment_draws_as_published(void **state)
{
    uint8_t pixels[BYTES], mask[PIXELS];
    pba_image image = original(pixels, mask);
    outcomes outcomes = outcomes_new();
    branch steps[14 * 31];
    for (int i = 0; i < 14 * 31; i++) {
        steps[i] =
            (branch){augment_shot_of(&augment_ranges_trivialaugment, i / 31, i % 31, 31, &canvas),
                     1.0 / (14 * 31)};
    }
    walk(&outcomes, &image, steps, 14 * 31, 1, 1);
    draw_and_check("trivialaugment", &outcomes, 20000);
}

/* ----------------------------------------------------------------- baseline */

static int cut_pixels(const uint8_t *mask)
{
    int count = 0;
    for (int i = 0; i < PIXELS; i++) {
        count += mask[i] == 0;
    }
    return count;
}

/* cutout:8 of 32 pixels is a side of 4 here; the baseline's own square of 12 is not cut as well. */
static void cutout_takes_the_baselines_place(void **state)
{
    bench bench;
    int whole = 0;
    bench_open(&bench, "cutout:8", "cutout:12");
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t pixels[BYTES], mask[PIXELS];
        draw(&bench, 3, i, pixels, mask);
        assert_in_range(cut_pixels(mask), 4, 16);
        whole += cut_pixels(mask) == 16;
    }
    assert_true(whole > 100); /* about (13/16)^2 of them lie wholly inside */
    bench_close(&bench);
}

static void none_leaves_the_baseline_out(void **state)
{
    bench bench;
    bench_open(&bench, "none", "crop:4,flip,cutout:8");
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t pixels[BYTES], mask[PIXELS];
        draw(&bench, 3, i, pixels, mask);
        assert_memory_equal(pixels, bench.image, BYTES);
        assert_int_equal(cut_pixels(mask), 0);
    }
    bench_close(&bench);
}

/* Without the kind's own draws, the baseline sees the same random numbers: "baseline" is what a
 * pipeline without a kind does. */
static void others_keep_the_baseline(void **state)
{
    bench with, without;
    pipeline_options options = {.width = SIDE,
                                .height = SIDE,
                                .channels = 3,
                                .deviation = {1, 1, 1},
                                .baseline = "crop:4,flip,cutout:8"};
    bench_open(&with, "baseline", options.baseline);
    bench_open(&without, "trivialaugment", options.baseline);
    pipeline_free(without.pipeline);
    assert_ok(pipeline_create(&options, &without.pipeline));
    for (uint32_t i = 0; i < 50; i++) {
        uint8_t a[BYTES], b[BYTES], a_mask[PIXELS], b_mask[PIXELS];
        draw(&with, 3, i, a, a_mask);
        draw(&without, 3, i, b, b_mask);
        assert_memory_equal(a, b, BYTES);
        assert_memory_equal(a_mask, b_mask, PIXELS);
    }
    bench_close(&with);
    bench_close(&without);
}

static void draws_depend_on_the_key_alone(void **state)
{
    static const char *const kinds[] = {"cutout", "autoaugment:svhn", "randaugment:2,9",
                                        "trivialaugment"};
    for (int k = 0; k < 4; k++) {
        bench a, b;
        int differ = 0;
        bench_open(&a, kinds[k], "crop:2,flip");
        bench_open(&b, kinds[k], "crop:2,flip");
        for (uint32_t i = 0; i < 40; i++) {
            uint8_t one[BYTES], two[BYTES], other[BYTES];
            draw(&a, 5, i, one, NULL);
            draw(&b, 5, 39 - i, other, NULL); /* in another order */
            draw(&b, 5, i, two, NULL);
            draw(&a, 6, i, other, NULL);
            assert_memory_equal(one, two, BYTES);
            differ += memcmp(one, other, BYTES) != 0;
        }
        assert_true(differ > 30);
        bench_close(&a);
        bench_close(&b);
    }
}

/* -------------------------------------------------------------------- texts */

static char folder[] = "/tmp/pba-policies-XXXXXX";

static const char *file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
    return path;
}

static void refused(const char *text, pba_status status, const char *word)
{
    augment_choice choice;
    assert_int_equal(augment_choice_parse(text, &choice), status);
    if (!strstr(pba_error_message(), word)) {
        fail_msg("'%s': '%s' is not in: %s", text, word, pba_error_message());
    }
    assert_null(choice.kind);
    assert_null(choice.schedule);
}

static void texts_are_checked(void **state)
{
    static const char *const bad[] = {
        "autoaugment",
        "autoaugment:",
        "autoaugment:mnist",
        "randaugment",
        "randaugment:",
        "randaugment:2",
        "randaugment:0,9",
        "randaugment:2,31",
        "randaugment:2,9,",
        "randaugment:2,9,9",
        "randaugment:-1,9",
        "randaugment:2,9,31,1",
        "randaugment:2,9x",
        "randaugment:2,99999",
        "randaugment:101,9",
        "randaugment:2,0,1",
        "randaugment: 2,9",
        "trivialaugment:2",
        "none:",
        "baseline:crop",
        "random:3",
        "cutout:0",
        "cutout:65",
        "cutout:4,4",
        "cutout:",
        "policy",
        "policy:",
        "",
        "random-augment",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refused(bad[i], PBA_USAGE, "use ");
    }
    refused("twist", PBA_USAGE, "autoaugment:cifar10|svhn|imagenet");
    refused("twist", PBA_USAGE, "randaugment:N,M");
    refused("runs/missing", PBA_NOT_FOUND, "runs/missing");
    refused("missing.json", PBA_NOT_FOUND, "missing.json");
    refused("policy:missing.json", PBA_NOT_FOUND, "missing.json");
}

static void kinds_are_listed(void **state)
{
    size_t parsed = 0;
    pba_augment_kind_info info;
    for (size_t i = 0; i < pba_augment_kind_count(); i++) {
        augment_choice choice;
        assert_ok(pba_augment_kind_get(i, &info));
        assert_true(*info.pattern && *info.sentence && info.source);
        if (augment_choice_parse(info.example, &choice) == PBA_OK) {
            assert_string_equal(choice.kind->pattern, info.pattern);
            augment_choice_free(&choice);
            parsed++;
        } else { /* it names a file that is not here */
            assert_true(strstr(info.pattern, "FILE") != NULL);
        }
    }
    assert_int_equal(parsed, pba_augment_kind_count() - 2);
    assert_int_equal(pba_augment_kind_get(pba_augment_kind_count(), &info), PBA_USAGE);
}

static const char *list_of(int count)
{
    static char text[1024];
    int used = snprintf(text, sizeof text, "[");
    for (int i = 0; i < count; i++) {
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%d", i ? ", " : "", i % 10);
    }
    snprintf(text + used, sizeof text - (size_t)used, "]\n");
    return text;
}

static const char *with_policy(const char *path)
{
    static char text[160];
    snprintf(text, sizeof text, "policy:%s", path);
    return text;
}

static void a_list_is_a_constant_policy(void **state)
{
    augment_choice choice;
    pba_policy policy;
    assert_ok(augment_choice_parse(with_policy(file("list.json", list_of(60))), &choice));
    assert_int_equal(pba_schedule_segments(choice.schedule), 1);
    assert_ok(pba_schedule_at(choice.schedule, 0, &policy));
    assert_int_equal(policy.entries, 30);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(policy.values[i], i % 10);
    }
    augment_choice_free(&choice);
    refused(with_policy(file("short.json", list_of(59))), PBA_FORMAT, "59");
    refused(with_policy(file("high.json", "[11]")), PBA_FORMAT, "high.json");
    refused(with_policy(file("torn.json", "[1, 2")), PBA_FORMAT, "torn.json");
    refused(with_policy(file("text.json", "twist")), PBA_FORMAT, "text.json");
    refused(with_policy(file("void.json", "")), PBA_FORMAT, "void.json");
}

#define HEAD "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"copies\": 1, "

static void a_schedule_of_one_segment_is_too(void **state)
{
    augment_choice choice;
    const char *one = HEAD "\"ops\": [\"Rotate\"], \"epochs\": 5, \"segments\": "
                           "[{\"epochs\": 5, \"policy\": [3, 7]}]}";
    const char *two = HEAD "\"ops\": [\"Rotate\"], \"epochs\": 5, \"segments\": "
                           "[{\"epochs\": 2, \"policy\": [3, 7]}, {\"epochs\": 3, \"policy\": "
                           "[3, 7]}]}";
    const char *odd = HEAD "\"ops\": [\"Twist\"], \"epochs\": 5, \"segments\": "
                           "[{\"epochs\": 5, \"policy\": [3, 7]}]}";
    assert_ok(augment_choice_parse(with_policy(file("one.json", one)), &choice));
    assert_string_equal(pba_schedule_op(choice.schedule, 0), "Rotate");
    augment_choice_free(&choice);
    refused(with_policy(file("two.json", two)), PBA_FORMAT, "2 segments");
    refused(with_policy(file("odd.json", odd)), PBA_FORMAT, "Twist");
    refused(file("odd.json", odd), PBA_FORMAT, "Twist");
    assert_ok(augment_choice_parse(file("two.json", two), &choice));
    assert_int_equal(pba_schedule_segments(choice.schedule), 2);
    augment_choice_free(&choice);
}

/* ---------------------------------------------------------------- augmenter */

static void augment_with(pba_augmenter_options *options, int epoch, uint8_t *out)
{
    uint8_t images[8 * BYTES];
    pba_augmenter *augmenter;
    for (int i = 0; i < 8; i++) {
        fill_noise(images + i * BYTES);
    }
    assert_ok(pba_augmenter_create(options, &augmenter));
    assert_ok(pba_augment_images(augmenter, images, NULL, 8, epoch, out, NULL));
    pba_augmenter_free(augmenter);
}

static void the_augmenter_knows_the_kinds(void **state)
{
    uint8_t a[8 * BYTES], b[8 * BYTES];
    pba_augmenter *augmenter;
    pba_policy policy;
    augment_choice choice;
    char text[160];
    pba_augmenter_options options = {.width = SIDE, .height = SIDE, .channels = 3, .seed = 4};
    snprintf(text, sizeof text, "%s", with_policy(file("list.json", list_of(60))));
    options.augment = text;
    augment_with(&options, 1000, a); /* any epoch */
    assert_ok(augment_choice_parse(text, &choice));
    options.augment = NULL;
    pba_schedule *long_one;
    assert_ok(pba_schedule_stretch(choice.schedule, 2000, &long_one));
    options.schedule = long_one;
    augment_with(&options, 1000, b);
    assert_memory_equal(a, b, sizeof a);

    options.augment = "trivialaugment";
    assert_int_equal(pba_augmenter_create(&options, &augmenter), PBA_USAGE);
    options.schedule = NULL;
    augment_with(&options, 3, a);
    augment_with(&options, 3, b);
    assert_memory_equal(a, b, sizeof a);
    options.augment = "twist";
    assert_int_equal(pba_augmenter_create(&options, &augmenter), PBA_USAGE);

    policy = augment_random_policy(4, 0, 30);
    pba_schedule_free(long_one);
    assert_ok(pba_schedule_constant(&policy, augment_space_pba.ops, 15, 9, &long_one));
    options.augment = "random";
    augment_with(&options, 8, a);
    options.augment = NULL;
    options.schedule = long_one;
    augment_with(&options, 8, b);
    assert_memory_equal(a, b, sizeof a);
    pba_schedule_free(long_one);
    augment_choice_free(&choice);
}

static void random_policies_are_uniform(void **state)
{
    int probabilities[11] = {0}, levels[10] = {0};
    for (uint32_t item = 0; item < 1000; item++) {
        pba_policy policy = augment_random_policy(2, item, 30);
        assert_int_equal(policy.entries, 30);
        for (int i = 0; i < 30; i++) {
            probabilities[policy.values[2 * i]]++;
            levels[policy.values[2 * i + 1]]++;
        }
    }
    for (int i = 0; i < 11; i++) {
        assert_in_range(probabilities[i], 30000 / 11 - 250, 30000 / 11 + 250);
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(levels[i], 3000 - 250, 3000 + 250);
    }
}

static int make_folder(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"list.json", "short.json", "high.json",
                                        "torn.json", "text.json",  "void.json",
                                        "one.json",  "two.json",   "odd.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_those_published),
        cmocka_unit_test(ranges_are_those_published),
        cmocka_unit_test(autoaugment_draws_as_published),
        cmocka_unit_test(randaugment_draws_as_published),
        cmocka_unit_test(trivialaugment_draws_as_published),
        cmocka_unit_test(cutout_takes_the_baselines_place),
        cmocka_unit_test(none_leaves_the_baseline_out),
        cmocka_unit_test(others_keep_the_baseline),
        cmocka_unit_test(draws_depend_on_the_key_alone),
        cmocka_unit_test(texts_are_checked),
        cmocka_unit_test(kinds_are_listed),
        cmocka_unit_test(a_list_is_a_constant_policy),
        cmocka_unit_test(a_schedule_of_one_segment_is_too),
        cmocka_unit_test(the_augmenter_knows_the_kinds),
        cmocka_unit_test(random_policies_are_uniform),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
