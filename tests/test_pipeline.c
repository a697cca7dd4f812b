/* SPDX-License-Identifier: Apache-2.0
 * From stored images to a network's input: how policies are drawn from, the baseline, the
 * normalization, and that an image's draws depend on nothing but its key. */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment/baseline.h"
#include "augment/pipeline.h"
#include "augment/space.h"
#include "share.h"

/* ----------------------------------------------------------- operations that take notes */

static struct {
    int count;
    int op[PBA_POLICY_MAX];
    double parameter[PBA_POLICY_MAX];
} notes;

static void note(int op, double parameter)
{
    notes.op[notes.count] = op;
    notes.parameter[notes.count++] = parameter;
}

static void note_0(pba_image *dst, const pba_image *src, double p, augment_context *context)
{
    note(0, p);
}

static void note_1(pba_image *dst, const pba_image *src, double p, augment_context *context)
{
    note(1, p);
}

static void note_2(pba_image *dst, const pba_image *src, double p, augment_context *context)
{
    note(2, p);
}

static const augment_op noting[3] = {{.name = "0", .apply = note_0},
                                     {.name = "1", .apply = note_1, .flags = AUGMENT_SIGN},
                                     {.name = "2", .apply = note_2}};

/* Operation o at level l has the parameter 100 o + l + 1. Returns how many fired. */
static int draw(const pba_policy *policy, uint32_t image)
{
    augment_step steps[3];
    for (int op = 0; op < 3; op++) {
        steps[op].op = &noting[op];
        for (int level = 0; level < AUGMENT_LEVELS; level++) {
            steps[op].parameter[level] = 100 * op + level + 1;
        }
    }
    rng rng = rng_at(3, RNG_AUGMENT, 1, 2, image);
    augment_context context = {.rng = &rng};
    augment_frame frame = {0};
    notes.count = 0;
    augment_pba_apply(steps, 3, &schedule_pba_counts, policy, &frame, &context);
    return notes.count;
}

enum { DRAWS = 40000 };

static void counts_of_operations(void **state)
{
    pba_policy always = {.entries = 6};
    int counts[3] = {0};
    for (int entry = 0; entry < 6; entry++) {
        always.values[2 * entry] = 10;
    }
    for (uint32_t i = 0; i < DRAWS; i++) {
        int fired = draw(&always, i);
        assert_in_range(fired, 0, 2);
        counts[fired]++;
    }
    assert_share(counts[0], DRAWS, 0.2);
    assert_share(counts[1], DRAWS, 0.3);
    assert_share(counts[2], DRAWS, 0.5);
}

/* Entries are told apart by level: first and second are any two different ones equally often. */
static void order_is_shuffled(void **state)
{
    pba_policy always = {.entries = 6};
    int pairs[6][6] = {0}, twos = 0;
    for (int entry = 0; entry < 6; entry++) {
        always.values[2 * entry] = 10;
        always.values[2 * entry + 1] = (uint8_t)entry;
    }
    for (uint32_t i = 0; i < DRAWS; i++) {
        if (draw(&always, i) == 2) {
            int first = ((int)fabs(notes.parameter[0]) - 1) % 100;
            int second = ((int)fabs(notes.parameter[1]) - 1) % 100;
            assert_int_equal(notes.op[0], first % 3); /* entry e is operation e % 3 */
            assert_int_equal(notes.op[1], second % 3);
            pairs[first][second]++;
            twos++;
        }
    }
    for (int first = 0; first < 6; first++) {
        for (int second = 0; second < 6; second++) {
            assert_share(pairs[first][second], twos, first == second ? 0.0 : 1.0 / 30);
        }
    }
}

/* Level 0 counts as fired: with one entry it fires in p of the images that may fire at all. */
static void probability_of_an_entry(void **state)
{
    for (int tenths = 0; tenths <= 10; tenths++) {
        pba_policy one = {.entries = 1, .values = {(uint8_t)tenths, 0}};
        int fired = 0;
        for (uint32_t i = 0; i < DRAWS; i++) {
            fired += draw(&one, i);
        }
        assert_share(fired, DRAWS, 0.8 * tenths / 10);
    }
}

/* The entry that stops the walk may be preceded by others that did not fire. With probabilities p
 * and 1 the second fires first where it is walked first or the first one fails. */
static void walk_stops_at_the_count(void **state)
{
    pba_policy two = {.entries = 3, .values = {3, 0, 0, 0, 10, 0}};
    int only_first = 0, only_last = 0, ones = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        if (draw(&two, i) == 1) {
            ones++;
            only_first += notes.op[0] == 0;
            only_last += notes.op[0] == 2;
        }
    }
    /* n = 1: entry 0 walked first and fired, 0.5 * 0.3; else entry 2. n = 2: both or entry 2. */
    double first = 0.3 * 0.15, last = 0.3 * 0.85 + 0.5 * 0.7;
    assert_share(ones, DRAWS, first + last);
    assert_share(only_first, DRAWS, first);
    assert_share(only_last, DRAWS, last);
}

static void sign_is_even(void **state)
{
    pba_policy policy = {.entries = 3, .values = {0, 0, 10, 4, 0, 0}};
    int negative = 0, fired = 0;
    for (uint32_t i = 0; i < DRAWS; i++) {
        if (draw(&policy, i)) {
            assert_true(fabs(notes.parameter[0]) == 105);
            negative += notes.parameter[0] < 0;
            fired++;
        }
    }
    assert_share(negative, fired, 0.5);
    policy = (pba_policy){.entries = 3, .values = {10, 4, 0, 0, 0, 0}};
    for (uint32_t i = 0; i < 200; i++) { /* no sign: never negated */
        assert_true(!draw(&policy, i) || notes.parameter[0] == 5);
    }
}

/* ----------------------------------------------------------------------------- baseline */

static void baselines_are_read(void **state)
{
    static const struct {
        const char *text;
        int crop, flip, cutout;
    } good[] = {{NULL, 0, 0, 0},
                {"", 0, 0, 0},
                {"none", 0, 0, 0},
                {"flip", 0, 1, 0},
                {"crop:4,flip,cutout:16", 4, 1, 16},
                {"cutout:64,crop:32", 32, 0, 64},
                {"crop:0,cutout:0", 0, 0, 0}};
    static const char *const bad[] = {"crop",
                                      "crop:",
                                      "crop:x",
                                      "crop:-1",
                                      "crop:4x",
                                      "crop:33",
                                      "cutout:65",
                                      "flop",
                                      "flip:2",
                                      "flip,",
                                      ",flip",
                                      "flip,,crop:4",
                                      "flip,flip",
                                      "none,flip",
                                      " flip",
                                      "crop:4,crop:4",
                                      "crop:9999999999999999999",
                                      "cutout:0,cutout:16"};
    augment_baseline baseline;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(augment_baseline_parse(good[i].text, 32, 32, &baseline));
        assert_int_equal(baseline.crop, good[i].crop);
        assert_int_equal(baseline.flip != NULL, good[i].flip);
        assert_int_equal(baseline.cutout, good[i].cutout);
        assert_int_equal(baseline.cut != NULL, good[i].cutout > 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (augment_baseline_parse(bad[i], 32, 32, &baseline) != PBA_USAGE) {
            fail_msg("'%s' was not refused", bad[i]);
        }
        assert_non_null(strstr(pba_error_message(), bad[i]));
    }
}

/* A pipeline with one scratch. */
typedef struct bench {
    pipeline *pipeline;
    pipeline_scratch *scratch;
    pipeline_options options;
} bench;

static bench open_bench(int width, int height, int channels, const char *baseline)
{
    bench bench = {.options = {.width = width,
                               .height = height,
                               .channels = channels,
                               .mean = {0.5, 0.25, 0.125},
                               .deviation = {0.25, 0.5, 1.0},
                               .baseline = baseline}};
    assert_ok(pipeline_create(&bench.options, &bench.pipeline));
    assert_ok(pipeline_scratch_create(bench.pipeline, &bench.scratch));
    return bench;
}

static void close_bench(bench *bench)
{
    pipeline_scratch_free(bench->scratch);
    pipeline_free(bench->pipeline);
}

enum { SIDE = 12, AREA = SIDE * SIDE };

/* Values 1..144, each once: where a pixel came from can be read off. */
static void numbered(uint8_t *image)
{
    for (int i = 0; i < AREA; i++) {
        image[i] = (uint8_t)(i + 1);
    }
}

/* Where the crop's window lay: checks every pixel and returns 0..8 by offset. */
static int crop_offset(const uint8_t *pixels, const uint8_t *mask)
{
    for (int offset = 0; offset < 9; offset++) {
        int dx = offset % 3 - 1, dy = offset / 3 - 1, same = 0;
        for (int i = 0; i < AREA; i++) {
            int x = i % SIDE + dx, y = i / SIDE + dy;
            bool inside = x >= 0 && x < SIDE && y >= 0 && y < SIDE;
            same += pixels[i] == (inside ? y * SIDE + x + 1 : 0) && mask[i] == (inside ? 255 : 0);
        }
        if (same == AREA) {
            return offset;
        }
    }
    fail_msg("no window explains the crop");
    return -1;
}

static void crop_takes_every_offset(void **state)
{
    uint8_t image[AREA], pixels[AREA], mask[AREA];
    int counts[9] = {0};
    bench bench = open_bench(SIDE, SIDE, 1, "crop:1");
    numbered(image);
    for (uint32_t id = 0; id < 9000; id++) {
        pipeline_draw(bench.pipeline, bench.scratch, NULL, (pipeline_key){.seed = 5}, image, id,
                      pixels, mask);
        counts[crop_offset(pixels, mask)]++;
    }
    for (int i = 0; i < 9; i++) {
        assert_share(counts[i], 9000, 1.0 / 9);
    }
    close_bench(&bench);
}

static void flip_is_even(void **state)
{
    uint8_t image[AREA], pixels[AREA], mask[AREA];
    int flipped = 0;
    bench bench = open_bench(SIDE, SIDE, 1, "flip");
    numbered(image);
    for (uint32_t id = 0; id < 4000; id++) {
        pipeline_draw(bench.pipeline, bench.scratch, NULL, (pipeline_key){.seed = 5}, image, id,
                      pixels, mask);
        bool mirrored = pixels[0] == SIDE;
        for (int i = 0; i < AREA; i++) {
            int x = i % SIDE, y = i / SIDE;
            assert_int_equal(pixels[i], y * SIDE + (mirrored ? SIDE - 1 - x : x) + 1);
            assert_int_equal(mask[i], 255);
        }
        flipped += mirrored;
    }
    assert_share(flipped, 4000, 0.5);
    close_bench(&bench);
}

/* Reads centre and extent of the hole off the mask: [c - 2, c + 2) clipped, any centre equally. */
static void cutout_is_a_clipped_square(void **state)
{
    uint8_t image[AREA], pixels[AREA], mask[AREA];
    int corners = 0;
    bench bench = open_bench(SIDE, SIDE, 1, "cutout:4");
    numbered(image);
    for (uint32_t id = 0; id < 9000; id++) {
        pipeline_draw(bench.pipeline, bench.scratch, NULL, (pipeline_key){.seed = 5}, image, id,
                      pixels, mask);
        int left = SIDE, right = 0, top = SIDE, bottom = 0, holes = 0;
        for (int i = 0; i < AREA; i++) {
            int x = i % SIDE, y = i / SIDE;
            if (mask[i]) {
                assert_int_equal(pixels[i], image[i]);
                continue;
            }
            left = x < left ? x : left, right = x >= right ? x + 1 : right;
            top = y < top ? y : top, bottom = y >= bottom ? y + 1 : bottom;
            holes++;
        }
        assert_int_equal(holes, (right - left) * (bottom - top)); /* a full rectangle */
        assert_in_range(right - left, left && right < SIDE ? 4 : 2, 4);
        assert_in_range(bottom - top, top && bottom < SIDE ? 4 : 2, 4);
        corners += right - left == 2 && left == 0 && bottom - top == 2 && top == 0;
    }
    assert_share(corners, 9000, 1.0 / AREA); /* centre (0, 0) */
    close_bench(&bench);
}

/* Crop before flip before cutout: fill from the crop is mirrored, the hole is not cropped away. */
static void baseline_order(void **state)
{
    uint8_t image[AREA], pixels[AREA], mask[AREA], expected[AREA], content[AREA];
    bench bench = open_bench(SIDE, SIDE, 1, "cutout:6,flip,crop:3");
    pba_image result = {expected, content, SIDE, SIDE, 1};
    uint8_t full[AREA], spare[2][2 * AREA];
    memset(full, 255, sizeof full);
    numbered(image);
    for (uint32_t id = 0; id < 500; id++) {
        rng rng = rng_at(8, RNG_AUGMENT, 4, 6, id);
        augment_context context = {.rng = &rng};
        assert_ok(augment_kernels_choose(&context.kernels));
        pba_image from = {image, full, SIDE, SIDE, 1};
        pba_image a = {spare[0], spare[0] + AREA, SIDE, SIDE, 1};
        pba_image b = {spare[1], spare[1] + AREA, SIDE, SIDE, 1};
        int dy = (int)rng_below(&rng, 7) - 3, dx = (int)rng_below(&rng, 7) - 3;
        augment_shift(&a, &from, dx, dy);
        bool flip = rng_below(&rng, 2);
        if (flip) {
            augment_op_find("FlipLR")->apply(&b, &a, 0, &context);
        }
        augment_op_find("Cutout")->apply(&result, flip ? &b : &a, 6, &context);
        pipeline_key key = {.seed = 8, .member = 4, .epoch = 6};
        pipeline_draw(bench.pipeline, bench.scratch, NULL, key, image, id, pixels, mask);
        assert_memory_equal(pixels, expected, AREA);
        assert_memory_equal(mask, content, AREA);
    }
    close_bench(&bench);
}

/* ------------------------------------------------------------------------ normalization */

static void normalization(void **state)
{
    bench bench = open_bench(16, 16, 3, NULL);
    uint8_t image[3 * 256];
    const uint8_t *images[1] = {image};
    float out[3 * 256 + 2];
    for (int i = 0; i < 256; i++) {
        for (int c = 0; c < 3; c++) {
            image[3 * i + c] = (uint8_t)(i + 85 * c);
        }
    }
    out[0] = out[3 * 256 + 1] = -77;
    pipeline_normalize(bench.pipeline, images, 1, out + 1);
    assert_true(out[0] == -77 && out[3 * 256 + 1] == -77);
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 256; i++) {
            double v = image[3 * i + c] / 255.0;
            double expected = (v - bench.options.mean[c]) / bench.options.deviation[c];
            assert_true(fabs((double)out[1 + 256 * c + i] - expected) < 1e-6);
        }
    }
    close_bench(&bench);
}

/* Where the mask is 0 the input is exactly 0, elsewhere the normalized pixel. */
static void nothing_becomes_zero(void **state)
{
    enum { BYTES = 3 * 17 * 13, PIXELS = 17 * 13 };
    bench bench = open_bench(17, 13, 3, "crop:4,flip,cutout:8");
    uint8_t image[BYTES], pixels[BYTES], mask[PIXELS];
    const uint8_t *images[1] = {image}, *drawn[1] = {pixels};
    float out[BYTES], plain[BYTES];
    int zeros = 0;
    for (int i = 0; i < BYTES; i++) {
        image[i] = (uint8_t)(37 * i);
    }
    for (uint32_t id = 0; id < 50; id++) {
        pipeline_key key = {.seed = 1};
        pipeline_draw(bench.pipeline, bench.scratch, NULL, key, image, id, pixels, mask);
        pipeline_augment(bench.pipeline, bench.scratch, NULL, key, images, &id, 1, out);
        pipeline_normalize(bench.pipeline, drawn, 1, plain);
        for (int i = 0; i < BYTES; i++) {
            bool content = mask[i % PIXELS];
            assert_true(out[i] == (content ? plain[i] : 0.0F));
            zeros += !content;
        }
    }
    assert_true(zeros > 0);
    close_bench(&bench);
}

/* ------------------------------------------------------------------- the fused end */

/* The number that stands for channel c of pixel p in any layout and type. */
static float number_at(const pipeline_options *options, const void *out, size_t p, size_t c)
{
    size_t pixels = (size_t)options->width * (size_t)options->height;
    size_t at = options->interleaved ? p * (size_t)options->channels + c : c * pixels + p;
    if (!options->bf16) {
        return ((const float *)out)[at];
    }
    uint32_t bits = (uint32_t)((const uint16_t *)out)[at] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To bf16 by the definition: of the two neighbours the nearer, or the even one. */
static float nearest_bf16(float value)
{
    uint32_t bits, low, high;
    float below, above;
    memcpy(&bits, &value, sizeof bits);
    low = bits & 0xFFFF0000U, high = low + 0x10000U;
    memcpy(&below, &low, sizeof below);
    memcpy(&above, &high, sizeof above);
    float to_below = fabsf(value - below), to_above = fabsf(above - value);
    bool even = !(low & 0x10000U);
    return to_below < to_above || (to_below == to_above && even) ? below : above;
}

/* One image through the pass that does everything, against its draws step by step. */
static void check_fused(const bench *bench, const pba_policy *policy, const uint8_t *image,
                        uint32_t id)
{
    const pipeline_options *options = &bench->options;
    size_t channels = (size_t)options->channels;
    size_t pixels = (size_t)options->width * (size_t)options->height, bytes = pixels * channels;
    uint8_t *drawn = malloc(bytes), *mask = malloc(pixels);
    size_t size = bytes * (options->bf16 ? 2 : 4);
    uint8_t *out = malloc(size + 64);
    assert_true(drawn && mask && out);
    memset(out, 0xA5, size + 64);
    pipeline_key key = {.seed = 6, .member = 1, .epoch = 2};
    pipeline_draw(bench->pipeline, bench->scratch, policy, key, image, id, drawn, mask);
    pipeline_augment(bench->pipeline, bench->scratch, policy, key, &image, &id, 1, out);
    for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < channels; c++) {
            float scale = (float)(1.0 / (255.0 * options->deviation[c]));
            float shift = (float)(-options->mean[c] / options->deviation[c]);
            float value = (float)drawn[p * channels + c] * scale;
            value = mask[p] ? value + shift : 0.0F;
            value = options->bf16 ? nearest_bf16(value) : value;
            assert_true(number_at(options, out, p, c) == value);
        }
    }
    for (int i = 0; i < 64; i++) {
        assert_int_equal(out[size + (size_t)i], 0xA5);
    }
    free(drawn);
    free(mask);
    free(out);
}

static void check_size(int width, int height, int channels, const char *baseline, int form)
{
    static const char *const ops[] = {"Rotate", "Brightness", "Solarize",     "Equalize", "ShearY",
                                      "Cutout", "Smooth",     "AutoContrast", "Contrast", "Invert"};
    pba_policy policy = {.entries = 10};
    bench bench = {.options = {.width = width,
                               .height = height,
                               .channels = channels,
                               .mean = {0.5, 0.25, 0.125},
                               .deviation = {0.3, 0.7, 1.1},
                               .baseline = baseline,
                               .ops = ops,
                               .op_count = 10,
                               .interleaved = form & 1,
                               .bf16 = form & 2}};
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    uint8_t *image = malloc(bytes);
    assert_non_null(image);
    for (size_t i = 0; i < bytes; i++) {
        image[i] = (uint8_t)(i * i / 7 + 31 * i);
    }
    for (int i = 0; i < policy.entries; i++) {
        policy.values[2 * i] = 5;
        policy.values[2 * i + 1] = (uint8_t)(3 + i % 6);
    }
    assert_ok(pipeline_create(&bench.options, &bench.pipeline));
    assert_ok(pipeline_scratch_create(bench.pipeline, &bench.scratch));
    for (uint32_t id = 0; id < 24; id++) {
        check_fused(&bench, id % 4 ? &policy : NULL, image, id);
    }
    close_bench(&bench);
    free(image);
}

/* Every set, layout, type and number of channels; widths beside and beyond what a set does at once;
 * windows that lie outside altogether. */
static void one_pass_is_many(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512vbmi"};
    static const struct {
        int width, height;
        const char *baseline;
    } sizes[] = {{32, 32, "crop:4,flip,cutout:16"},
                 {17, 13, "crop:13,flip,cutout:9"},
                 {1, 1, "crop:1,flip,cutout:1"},
                 {5, 3, "flip"},
                 {16, 2, "crop:2,cutout:1"},
                 {1040, 3, "crop:3,flip,cutout:600"},
                 {47, 6, "none"}};
    for (int set = 0; set < 4; set++) {
        const augment_kernels *kernels;
        setenv("PBA_ISA", sets[set], 1);
        for (int i = 0; augment_kernels_choose(&kernels) == PBA_OK && i < 7 * 8; i++) {
            check_size(sizes[i / 8].width, sizes[i / 8].height, i & 4 ? 3 : 1,
                       sizes[i / 8].baseline, i & 3);
        }
        unsetenv("PBA_ISA");
    }
}

static void refused_pipelines(void **state)
{
    static const char *const unknown[] = {"Rotate", "Rotat"};
    const pipeline_options good = {.width = 8, .height = 8, .channels = 1, .deviation = {1}};
    pipeline_options bad[7] = {good, good, good, good, good, good, good};
    pipeline *pipeline;
    bad[0].width = 0;
    bad[1].channels = 2;
    bad[2].deviation[0] = 0;
    bad[3].mean[0] = (double)NAN;
    bad[4].baseline = "crop:9";
    bad[5].ops = unknown, bad[5].op_count = 2;
    bad[6].ops = unknown, bad[6].op_count = 0;
    for (int i = 0; i < 7; i++) {
        assert_int_equal(pipeline_create(&bad[i], &pipeline), PBA_USAGE);
        assert_null(pipeline);
    }
    bad[5].op_count = 1;
    assert_ok(pipeline_create(&bad[5], &pipeline));
    pipeline_free(pipeline);
    pipeline_free(NULL);
    pipeline_scratch_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_of_operations),
        cmocka_unit_test(order_is_shuffled),
        cmocka_unit_test(probability_of_an_entry),
        cmocka_unit_test(walk_stops_at_the_count),
        cmocka_unit_test(sign_is_even),
        cmocka_unit_test(baselines_are_read),
        cmocka_unit_test(crop_takes_every_offset),
        cmocka_unit_test(flip_is_even),
        cmocka_unit_test(cutout_is_a_clipped_square),
        cmocka_unit_test(baseline_order),
        cmocka_unit_test(normalization),
        cmocka_unit_test(nothing_becomes_zero),
        cmocka_unit_test(one_pass_is_many),
        cmocka_unit_test(refused_pipelines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
