/* SPDX-License-Identifier: Apache-2.0
 * Plug-ins: the example, and some that break a rule; partners; which operations are searched; how
 * many are applied. PBA_TEST_PLUGIN is the example's file, PBA_TEST_BAD the folder of the others.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "augment/kind.h"
#include "augment/pipeline.h"
#include "augment/space.h"
#include "schedule/schedule.h"

static const char *example(void)
{
    const char *path = getenv("PBA_TEST_PLUGIN");
    assert_non_null(path);
    return path;
}

static const char *bad(int fault)
{
    static char path[PBA_PATH_MAX];
    const char *folder = getenv("PBA_TEST_BAD");
    assert_non_null(folder);
    snprintf(path, sizeof path, "%s/bad%d.so", folder, fault);
    return path;
}

static void says(const char *text)
{
    if (!strstr(pba_error_message(), text)) {
        fail_msg("\"%s\" is not in \"%s\"", text, pba_error_message());
    }
}

/* ------------------------------------------------------------------ the rules */

static const struct {
    int fault;
    pba_status status;
    const char *text;
} faults[] = {
    {1, PBA_FORMAT, "operation Bad: broken rule \"bounds\""},
    {2, PBA_FORMAT, "writes outside the result"},
    {3, PBA_FORMAT, "writes to its source"},
    {4, PBA_FORMAT, "leaves pixels unwritten"},
    {5, PBA_FORMAT, "leaves bytes of the mask unwritten"},
    {6, PBA_FORMAT, "reads what is not its images'"},
    {7, PBA_FORMAT, "broken rule \"determinism\""},
    {8, PBA_FORMAT, "PBA_OP_MASKS is missing"},
    {9, PBA_FORMAT, "broken rule \"identity\""},
    {10, PBA_FORMAT, "operation Bad (at 0 degrees, 1 x 37, colour, with holes) crashed (signal"},
    {11, PBA_FORMAT, "operation Bad (at 0 degrees, 32 x 32, colour) crashed (signal"},
    {12, PBA_FORMAT, "ended without a word"},
    {13, PBA_FORMAT, "what runs at its loading crashed"},
    {14, PBA_UNSUPPORTED, "was built for plug-in interface 2"},
    {15, PBA_FORMAT, "operation 1: its name needs"},
    {16, PBA_EXISTS, "operation Rotate is there already: built in"},
    {17, PBA_FORMAT, "min must be less than max"},
    {18, PBA_FORMAT, "must lie in min..max"},
    {19, PBA_FORMAT, "none of pba_op_flags"},
    {20, PBA_FORMAT, "its version must be"},
    {21, PBA_FORMAT, "operation Bad: is there twice"},
};

static void bad_ones_are_refused(void **state)
{
    size_t before = pba_op_count();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const char *path = bad(faults[i].fault);
        pba_status status = pba_plugin_load(path);
        if (status != faults[i].status) {
            fail_msg("fault %d: %s: %s", faults[i].fault, pba_status_name(status),
                     pba_error_message());
        }
        says(strrchr(path, '/') + 1);
        says(faults[i].text);
        assert_int_equal(pba_op_count(), before);
    }
    assert_int_equal(pba_plugin_load("/nowhere/no.so"), PBA_NOT_FOUND);
    says("/nowhere/no.so");
    assert_int_equal(pba_plugin_load(getenv("PBA_TEST_SOURCE")), PBA_FORMAT);
}

/* What is tested is not loaded, and a crash is a finding. */
static void tests_tell_what_is_wrong(void **state)
{
    pba_op_report report;
    assert_ok(pba_op_test("Bad", bad(9), &report));
    assert_false(report.passed);
    assert_int_equal(report.version, 3);
    assert_string_equal(report.plugin, "bad");
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        bool failed = report.findings[i].verdict == PBA_OP_FAILED;
        assert_int_equal(failed, i == PBA_OP_CHECK_IDENTITY);
    }
    assert_non_null(strstr(report.findings[PBA_OP_CHECK_IDENTITY].detail, "changes pixels"));
    assert_ok(pba_op_test("Bad", bad(10), &report));
    assert_false(report.passed);
    assert_non_null(strstr(report.crash, "crashed"));
    char both[2 * PBA_PATH_MAX];
    snprintf(both, sizeof both, "%s,%s", example(), bad(10));
    assert_ok(pba_op_test("Bad", both, &report));
    assert_non_null(strstr(report.crash, bad(10))); /* the file that crashed, not the first one */
    assert_null(strstr(report.crash, example()));
    assert_null(augment_op_find("Bad"));
    assert_int_equal(pba_op_test("Bat", bad(9), &report), PBA_USAGE);
    says("Bat");
}

static void built_in_ones_pass(void **state)
{
    pba_op_report report;
    for (size_t i = 0; augment_op_at(i); i++) {
        assert_ok(pba_op_test(augment_op_at(i)->name, NULL, &report));
        for (int c = 0; c < PBA_OP_CHECKS; c++) {
            if (report.findings[c].verdict == PBA_OP_FAILED) {
                fail_msg("%s: %s: %s", report.name, report.findings[c].name,
                         report.findings[c].detail);
            }
        }
        assert_true(report.passed && report.images_per_second > 0);
        assert_true(report.applications > 100);
    }
}

/* ---------------------------------------------------------------- the example */

static void example_is_loaded(void **state)
{
    pba_op_info info;
    double parameter;
    pba_op_report report;
    size_t before = pba_op_count();
    assert_ok(pba_op_test("Grain", example(), &report));
    assert_true(report.passed);
    assert_int_equal(pba_op_count(), before);
    assert_ok(pba_plugin_load(example()));
    assert_int_equal(pba_op_count(), before + 2);
    assert_ok(pba_plugin_load(example())); /* once more does nothing */
    assert_int_equal(pba_op_count(), before + 2);
    assert_ok(pba_op_get(before + 1, &info));
    assert_string_equal(info.name, "SamplePairing");
    assert_string_equal(info.plugin, "example");
    assert_int_equal(info.version, 1);
    assert_true(info.partner && info.searched && info.has_identity && !info.has_sign);
    assert_ok(pba_op_parameter("SamplePairing", 5, &parameter));
    assert_true(fabs(parameter - 0.2) < 1e-12);
    assert_ok(pba_op_parameter("Grain", 10, &parameter));
    assert_true(parameter == 100);
    assert_ok(pba_op_test("SamplePairing", NULL, &report));
    assert_true(report.passed);
}

enum { SIDE = 8, PIXELS = SIDE * SIDE, IMAGES = 5 };

/* Image i is all 10 * i; the share of the partner at level 5 is 51 / 256. */
static void paint(uint8_t *images)
{
    for (int i = 0; i < IMAGES; i++) {
        memset(images + i * PIXELS, 40 * i, PIXELS);
    }
}

static int partner_of(int own, uint8_t mixed)
{
    for (int i = 0; i < IMAGES; i++) {
        if (mixed == (40 * own * (256 - 51) + 40 * i * 51) >> 8) {
            return i;
        }
    }
    return -1;
}

static void partner_without_others(void **state)
{
    pba_image image;
    assert_ok(pba_image_create(SIDE, SIDE, 1, &image));
    image.pixels[0] = 200;
    assert_ok(pba_op_apply(&image, "SamplePairing", 5, 1, 0));
    assert_int_equal(image.pixels[0], 200 * (256 - 51) >> 8);
    assert_int_equal(image.pixels[PIXELS - 1], 200 * 51 >> 8);
    pba_image_free(&image);
}

static void partners_of_a_call(void **state)
{
    uint8_t images[IMAGES * PIXELS], out[IMAGES * PIXELS];
    pba_image first = {images, NULL, SIDE, SIDE, 1};
    bool seen[IMAGES][IMAGES] = {{false}};
    paint(images);
    for (uint64_t seed = 0; seed < 60; seed++) {
        assert_ok(pba_op_apply_images("SamplePairing", 0.2, &first, IMAGES, seed, out, NULL));
        for (int i = 0; i < IMAGES; i++) {
            int partner = partner_of(i, out[i * PIXELS]);
            assert_true(partner >= 0 && partner != i);
            seen[i][partner] = true;
        }
    }
    for (int i = 0; i < IMAGES * IMAGES; i++) {
        assert_true(seen[i / IMAGES][i % IMAGES] || i / IMAGES == i % IMAGES);
    }
}

static pba_augmenter *pairing(const uint8_t *const *partners, size_t count)
{
    static const char *const ops[] = {"SamplePairing"};
    const pba_policy policy = {.entries = 2, .values = {10, 5, 10, 5}};
    pba_schedule *schedule;
    pba_augmenter *augmenter;
    assert_ok(pba_schedule_constant(&policy, ops, 1, 3, &schedule));
    assert_ok(schedule_counts_parse("0,1", &schedule->counts));
    const pba_augmenter_options options = {.schedule = schedule,
                                           .width = SIDE,
                                           .height = SIDE,
                                           .channels = 1,
                                           .seed = 4,
                                           .partners = partners,
                                           .partner_count = count};
    assert_ok(pba_augmenter_create(&options, &augmenter));
    pba_schedule_free(schedule);
    return augmenter;
}

/* With a list of partners it does not matter what else is in the batch; without, a batch of one has
 * only itself. */
static void partners_of_an_augmenter(void **state)
{
    uint8_t images[IMAGES * PIXELS], out[IMAGES * PIXELS], one[PIXELS];
    float batch[IMAGES * PIXELS];
    const uint8_t *list[IMAGES];
    paint(images);
    for (int i = 0; i < IMAGES; i++) {
        list[i] = images + i * PIXELS;
    }
    pba_augmenter *given = pairing(list, IMAGES), *own = pairing(NULL, 0);
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_ok(pba_augment_images(given, images, NULL, IMAGES, epoch, out, NULL));
        assert_ok(pba_augment_batch(given, images, NULL, IMAGES, epoch, batch));
        for (uint32_t i = 0; i < IMAGES; i++) {
            int partner = partner_of((int)i, out[i * PIXELS]);
            assert_true(partner >= 0 && partner != (int)i);
            assert_true(fabsf(batch[i * PIXELS] - (float)out[i * PIXELS] / 255) < 1e-6F);
            assert_ok(pba_augment_images(given, list[i], &i, 1, epoch, one, NULL));
            assert_memory_equal(one, out + i * PIXELS, PIXELS);
        }
        assert_ok(pba_augment_images(own, images, NULL, IMAGES, epoch, out, NULL));
        for (int i = 0; i < IMAGES; i++) {
            assert_int_not_equal(partner_of(i, out[i * PIXELS]), i);
        }
        assert_ok(pba_augment_images(own, images, NULL, 1, epoch, one, NULL));
        assert_int_equal(one[0], 0);
    }
    pba_augmenter_free(given);
    pba_augmenter_free(own);
}

/* ------------------------------------------------------------ files of schedules */

static const char *const three[] = {"Rotate", "Grain", "Invert"};

static pba_schedule *made(void)
{
    pba_schedule *schedule;
    const pba_policy policy = {.entries = 3, .values = {1, 2, 3, 4, 5, 6}};
    assert_ok(pba_schedule_constant(&policy, three, 3, 4, &schedule));
    assert_ok(schedule_counts_parse("0.25,0.25,0.125,0.375", &schedule->counts));
    augment_sign_schedule(schedule);
    return schedule;
}

static pba_schedule *read_text(const char *text)
{
    pba_schedule *schedule;
    assert_ok(schedule_json_read("s.json", text, strlen(text), &schedule));
    return schedule;
}

static void schedules_name_plug_ins(void **state)
{
    pba_schedule *schedule = made(), *stretched, *again;
    char *text, *other;
    size_t size;
    assert_ok(pba_schedule_stretch(schedule, 9, &stretched));
    pba_schedule_free(schedule);
    assert_ok(schedule_json_write(stretched, &text, &size));
    assert_non_null(strstr(text, "{\"op\": \"Grain\", \"version\": 1, \"plugin\": \"example\"}\n"));
    assert_non_null(strstr(text, "\"count_probs\": [0.25, 0.25, 0.125, 0.375]"));
    again = read_text(text);
    assert_true(schedule_counts_equal(&again->counts, &stretched->counts));
    assert_ok(pba_schedule_check(again));
    pba_schedule_free(again);
    *(strstr(text, "\"version\": 1, \"plugin") + 11) = '2';
    again = read_text(text);
    assert_int_equal(pba_schedule_check(again), PBA_FORMAT);
    says("needs version 2 of operation Grain of plug-in example");
    pba_schedule_free(again);
    memcpy(strstr(text, "\"plugin\": \"example"), "\"plugin\": \"examp1e", 18);
    again = read_text(text);
    assert_int_equal(pba_schedule_check(again), PBA_FORMAT);
    says("needs operation Grain of plug-in examp1e; here it is that of plug-in example");
    pba_schedule_free(again);
    for (char *at = text; (at = strstr(at, "Grain"));) {
        memcpy(at, "Groin", 5);
    }
    again = read_text(text);
    assert_int_equal(pba_schedule_check(again), PBA_FORMAT);
    says(
        "needs operation Groin of plug-in examp1e, which is not loaded; give its file by --plugin");
    pba_schedule_free(again);
    assert_int_equal(schedule_log_write(stretched, &other, &size), PBA_UNSUPPORTED);
    free(text);
    pba_schedule_free(stretched);
}

static void damaged_fields(void **state)
{
    static const struct {
        const char *field, *text;
    } rows[] = {
        {"\"count_probs\": []", "field 'count_probs': must be 1 to 9 numbers"},
        {"\"count_probs\": [0.5, 0.4]", "add up to 0.9"},
        {"\"count_probs\": [0.5, \"x\"]", "item 1 is no number"},
        {"\"count_probs\": [1.5, -0.5]", "1.5 is no probability"},
        {"\"plugins\": [3]", "item 0: is no object"},
        {"\"plugins\": [{\"op\": \"Blur\", \"version\": 1, \"plugin\": \"x\"}]", "Blur is none of"},
        {"\"plugins\": [{\"op\": \"Invert\", \"version\": 0, \"plugin\": \"x\"}]", "'version'"},
        {"\"plugins\": [{\"op\": \"Invert\", \"version\": 1, \"plugin\": \"\"}]", "'plugin'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[512];
        pba_schedule *schedule;
        snprintf(text, sizeof text,
                 "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": "
                 "[\"Invert\"], \"copies\": 1, %s, \"epochs\": 1, \"segments\": [{\"epochs\": 1, "
                 "\"policy\": [1, 2]}]}",
                 rows[i].field);
        assert_int_equal(schedule_json_read("s.json", text, strlen(text), &schedule), PBA_FORMAT);
        says(rows[i].text);
    }
}

/* ------------------------------------------------------------------- choosing */

static void operations_are_chosen(void **state)
{
    const char *ops[PBA_POLICY_MAX];
    int count;
    assert_ok(augment_ops_choose("", ops, &count));
    assert_int_equal(count, SCHEDULE_PBA_OPS + 2);
    assert_string_equal(ops[0], "Rotate");
    assert_string_equal(ops[count - 1], "SamplePairing");
    assert_ok(augment_ops_choose("Blur,SamplePairing,Rotate", ops, &count));
    assert_int_equal(count, 3);
    assert_string_equal(ops[0], "Blur");
    assert_string_equal(ops[2], "Rotate");
    assert_ok(augment_ops_choose("-Rotate,-Grain", ops, &count));
    assert_int_equal(count, SCHEDULE_PBA_OPS);
    assert_string_equal(ops[0], "TranslateX");
    static const char *const wrong[][2] = {
        {"Rotat", "'Rotat'"},
        {"Rotate,Rotate", "named twice"},
        {"-Blur", "not in the default"},
        {"Rotate,-Invert", "either"},
        {"-Invert,Rotate", "either"},
        {"Rotate,", "ends with a comma"},
        {",Rotate", "empty"},
        {"-Invert,-Invert", "not in the default"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(augment_ops_choose(wrong[i][0], ops, &count), PBA_USAGE);
        says(wrong[i][1]);
    }
}

static void counts_are_parsed(void **state)
{
    schedule_counts counts;
    static const char *const wrong[] = {"",
                                        "1,",
                                        ",1",
                                        "0.5",
                                        "0.5,0.6",
                                        "1.0x",
                                        "-0.5,1.5",
                                        "0.5 0.5",
                                        "nan,1",
                                        "0x1",
                                        "1e0",
                                        "0.3333333,0.6666667",
                                        "0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1"};
    assert_ok(schedule_counts_parse("0.2,0.3,0.5", &counts));
    assert_true(schedule_counts_equal(&counts, &schedule_pba_counts));
    assert_ok(schedule_counts_parse(".2,0.30,0.500,0", &counts));
    assert_true(schedule_counts_equal(&counts, &schedule_pba_counts));
    assert_ok(schedule_counts_parse("0.333,0.333,0.334", &counts));
    assert_int_equal(counts.total, 1000);
    assert_ok(schedule_counts_parse("0,0,1", &counts));
    assert_int_equal(counts.total, 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (schedule_counts_parse(wrong[i], &counts) != PBA_USAGE) {
            fail_msg("\"%s\" passes", wrong[i]);
        }
        says("count-probs");
    }
}

/* Of ten operations that always fire, as many do as was asked for. */
static void counts_are_drawn(void **state)
{
    enum { DRAWS = 20000 };
    augment_step steps[1] = {augment_step_of(&augment_space_pba, augment_op_find("Invert"), 1)};
    pba_policy policy = {.entries = 10};
    schedule_counts counts;
    const augment_kernels *kernels;
    uint8_t pixel = 0, room[4];
    int found[4] = {0};
    memset(policy.values, 10, sizeof policy.values);
    for (int i = 0; i < 10; i++) {
        policy.values[2 * i + 1] = 0;
    }
    assert_ok(schedule_counts_parse("0.1,0.25,0.4,0.25", &counts));
    assert_ok(augment_kernels_choose(&kernels));
    for (uint32_t i = 0; i < DRAWS; i++) {
        rng rng = rng_at(3, RNG_AUGMENT, 0, 0, i), before;
        augment_context context = {.kernels = kernels, .rng = &rng};
        augment_frame frame = {.now = {&pixel, NULL, 1, 1, 1},
                               .spare = {{room, room + 1, 1, 1, 1}, {room + 2, room + 3, 1, 1, 1}}};
        before = rng;
        augment_pba_apply(steps, 1, &counts, &policy, &frame, &context);
        /* words drawn: one for the count, two an operation */
        int words = 0;
        while (memcmp(&before, &rng, sizeof rng) != 0) {
            rng_word(&before);
            words++;
            assert_true(words < 20);
        }
        found[(words - 1) / 2]++;
    }
    const double wanted[4] = {0.1, 0.25, 0.4, 0.25};
    for (int i = 0; i < 4; i++) {
        double error = found[i] / (double)DRAWS - wanted[i];
        assert_true(fabs(error) < 5 * sqrt(wanted[i] * (1 - wanted[i]) / DRAWS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_ones_are_refused),     cmocka_unit_test(tests_tell_what_is_wrong),
        cmocka_unit_test(built_in_ones_pass),       cmocka_unit_test(counts_are_parsed),
        cmocka_unit_test(counts_are_drawn),         cmocka_unit_test(example_is_loaded),
        cmocka_unit_test(partner_without_others),   cmocka_unit_test(partners_of_a_call),
        cmocka_unit_test(partners_of_an_augmenter), cmocka_unit_test(schedules_name_plug_ins),
        cmocka_unit_test(damaged_fields),           cmocka_unit_test(operations_are_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
