/* SPDX-License-Identifier: Apache-2.0
 * Every function of pba.h with NULL for each of its objects and with numbers outside of their
 * ranges: an error and a message, or what the header says of NULL. A function without a row here
 * fails the test. */
#include "check.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "folder.h"

enum { PIXELS = 3072, IMAGES = 60, SIDE = 4, AREA = SIDE * SIDE };

/* Objects that are in order, so that each call has one fault. */
static pba_schedule *schedule;
static pba_dataset *dataset, *unsplit;
static pba_augmenter *augmenter;
static pba_population *population;
static pba_search *search;
static pba_training *training;
static pba_comparison *comparison;
static pba_watch *watch; /* of a training run that was stopped at once */
static pba_search_options search_options;
static pba_train_options train_options;
static pba_compare_options compare_options;
static pba_evaluate_options evaluate_options;
static pba_policy policy = {.entries = 1};
static const char *const ops[] = {"Invert"};
static uint8_t pixels[AREA * 3], mask[AREA];
static pba_image image = {pixels, mask, SIDE, SIDE, 3};

#define REFUSED(call)                                                                              \
    do {                                                                                           \
        assert_int_equal((call), PBA_USAGE);                                                       \
        assert_true(pba_error_message()[0]);                                                       \
    } while (0)

/* ------------------------------------------------------------ small things */

static void check_status(void)
{
    assert_string_equal(pba_status_name((pba_status)-1), "unknown status");
    assert_string_equal(pba_status_text(PBA_STATUS_COUNT), "unknown status");
    assert_non_null(pba_error_message());
    assert_non_null(pba_version());
    assert_non_null(pba_build_info());
    assert_true(pba_cores() >= 1 && pba_memory_peak() >= 0);
}

static void check_peak(void)
{
    pba_peak peak;
    REFUSED(pba_peak_measure(1, NULL));
    REFUSED(pba_peak_measure(0, &peak));
    REFUSED(pba_peak_measure(INT_MAX, &peak));
}

static void check_settings(void)
{
    size_t count;
    char text[PBA_PATH_MAX];
    const pba_setting *rows = pba_train_settings(&count);
    pba_train_options options = train_options;
    pba_settings_init(NULL, rows, count);
    pba_settings_init(&options, NULL, count);
    REFUSED(pba_settings_set(NULL, rows, count, "epochs", "1"));
    REFUSED(pba_settings_set(&options, NULL, count, "epochs", "1"));
    REFUSED(pba_settings_set(&options, rows, count, NULL, "1"));
    REFUSED(pba_settings_set(&options, rows, count, "epochs", NULL));
    REFUSED(pba_settings_set(&options, rows, 0, "epochs", "1"));
    REFUSED(pba_settings_set(&options, rows, count, "epochs", "0"));
    REFUSED(pba_settings_get(NULL, rows, count, "epochs", text, sizeof text));
    REFUSED(pba_settings_get(&options, NULL, count, "epochs", text, sizeof text));
    REFUSED(pba_settings_get(&options, rows, count, NULL, text, sizeof text));
    REFUSED(pba_settings_get(&options, rows, count, "epochs", NULL, sizeof text));
    REFUSED(pba_settings_get(&options, rows, count, "epochs", text, 0));
    memset(options.augment, 'a', sizeof options.augment); /* no 0 at the end */
    REFUSED(pba_settings_get(&options, rows, count, "augment", text, sizeof text));
    assert_ptr_equal(pba_train_settings(NULL), rows);
    assert_non_null(pba_search_settings(NULL));
    assert_non_null(pba_evaluate_settings(NULL));
    assert_non_null(pba_dataset_settings(NULL));
}

static void check_images(void)
{
    pba_image fresh, empty = {0}, odd = image;
    REFUSED(pba_image_read(NULL, &fresh));
    REFUSED(pba_image_read("x.png", NULL));
    REFUSED(pba_image_write(NULL, &image, false));
    REFUSED(pba_image_write("x.png", NULL, false));
    REFUSED(pba_image_write("x.png", &empty, false));
    REFUSED(pba_image_write("x.unknown", &image, false));
    odd.channels = 2;
    REFUSED(pba_image_write("x.png", &odd, false));
    odd = image;
    odd.width = -1;
    REFUSED(pba_image_write("x.png", &odd, false));
    REFUSED(pba_image_create(1, 1, 1, NULL));
    REFUSED(pba_image_create(0, 1, 1, &fresh));
    REFUSED(pba_image_create(1, -1, 1, &fresh));
    REFUSED(pba_image_create(1, 1, 4, &fresh));
    assert_int_equal(pba_image_create(INT_MAX, INT_MAX, 3, &fresh), PBA_UNSUPPORTED);
    pba_image_free(NULL);
    pba_image_free(&empty);
}

static void check_ops(void)
{
    pba_op_info info;
    pba_image empty = {0};
    double parameter;
    uint8_t out[sizeof pixels];
    REFUSED(pba_op_get(0, NULL));
    REFUSED(pba_op_get(pba_op_count(), &info));
    REFUSED(pba_op_parameter(NULL, 1, &parameter));
    REFUSED(pba_op_parameter("Rotate", 1, NULL));
    REFUSED(pba_op_parameter("Rotate", 11, &parameter));
    REFUSED(pba_op_parameter("Rotate", INT_MIN, &parameter));
    REFUSED(pba_op_parameter("None", 1, &parameter));
    REFUSED(pba_op_apply(NULL, "Rotate", 1, 1, 0));
    REFUSED(pba_op_apply(&image, NULL, 1, 1, 0));
    REFUSED(pba_op_apply(&empty, "Rotate", 1, 1, 0));
    REFUSED(pba_op_apply(&image, "Rotate", -1, 1, 0));
    REFUSED(pba_op_apply(&image, "Rotate", 1, 0, 0));
    REFUSED(pba_op_apply(&image, "Invert", 1, -1, 0));
    REFUSED(pba_op_apply_images(NULL, 1, &image, 1, 0, out, NULL));
    REFUSED(pba_op_apply_images("Rotate", 1, NULL, 1, 0, out, NULL));
    REFUSED(pba_op_apply_images("Rotate", 1, &empty, 1, 0, out, NULL));
    REFUSED(pba_op_apply_images("Rotate", 1, &image, 1, 0, NULL, NULL));
    REFUSED(pba_op_apply_images("Rotate", (double)NAN, &image, 1, 0, out, NULL));
    REFUSED(pba_op_apply_images("Rotate", 1e300, &image, 1, 0, out, NULL));
    REFUSED(pba_ops_preview_write(NULL, "x.png"));
    REFUSED(pba_ops_preview_write(&image, NULL));
    REFUSED(pba_ops_preview_write(&empty, "x.png"));
}

static void check_lists(void)
{
    pba_augment_kind_info kind;
    const char *a, *b, *c;
    pba_model_info model;
    REFUSED(pba_augment_kind_get(0, NULL));
    REFUSED(pba_augment_kind_get(pba_augment_kind_count(), &kind));
    REFUSED(pba_model_family(0, NULL, &b, &c));
    REFUSED(pba_model_family(0, &a, NULL, &c));
    REFUSED(pba_model_family(0, &a, &b, NULL));
    REFUSED(pba_model_family(pba_model_family_count(), &a, &b, &c));
    REFUSED(pba_model_describe(NULL, 32, 32, 3, 10, &model));
    REFUSED(pba_model_describe("wrn-10-1", 32, 32, 3, 10, NULL));
    REFUSED(pba_model_describe("wrn-10-1", 0, 32, 3, 10, &model));
    REFUSED(pba_model_describe("wrn-10-1", 32, INT_MAX, 3, 10, &model));
    REFUSED(pba_model_describe("wrn-10-1", 32, 32, -3, 10, &model));
    REFUSED(pba_model_describe("wrn-10-1", 32, 32, 3, 0, &model));
    REFUSED(pba_model_describe("wrn-11-1", 32, 32, 3, 10, &model));
}

/* --------------------------------------------------------------- schedules */

static void check_schedules(void)
{
    pba_schedule *fresh;
    pba_policy wide = {.entries = INT_MAX}, high = {.entries = 1, .values = {11, 0}};
    const char *const nothing[] = {NULL};
    int epochs;
    REFUSED(pba_schedule_load(NULL, 0, &fresh));
    REFUSED(pba_schedule_load("x.json", 0, NULL));
    REFUSED(pba_schedule_load("x.json", -1, &fresh));
    REFUSED(pba_schedule_save(NULL, "x.json"));
    REFUSED(pba_schedule_save(schedule, NULL));
    REFUSED(pba_schedule_constant(NULL, ops, 1, 1, &fresh));
    REFUSED(pba_schedule_constant(&policy, NULL, 1, 1, &fresh));
    REFUSED(pba_schedule_constant(&policy, ops, 1, 1, NULL));
    REFUSED(pba_schedule_constant(&policy, nothing, 1, 1, &fresh));
    REFUSED(pba_schedule_constant(&policy, ops, 0, 1, &fresh));
    REFUSED(pba_schedule_constant(&policy, ops, 1, 0, &fresh));
    REFUSED(pba_schedule_constant(&policy, ops, 1, INT_MAX, &fresh));
    REFUSED(pba_schedule_constant(&wide, ops, 1, 1, &fresh));
    REFUSED(pba_schedule_constant(&high, ops, 1, 1, &fresh));
    REFUSED(pba_schedule_stretch(NULL, 1, &fresh));
    REFUSED(pba_schedule_stretch(schedule, 1, NULL));
    REFUSED(pba_schedule_stretch(schedule, 0, &fresh));
    REFUSED(pba_schedule_stretch_reference(NULL, 1, &fresh));
    REFUSED(pba_schedule_stretch_reference(schedule, 1, NULL));
    REFUSED(pba_schedule_stretch_reference(schedule, INT_MAX, &fresh));
    REFUSED(pba_schedule_segment(NULL, 0, &epochs, &policy));
    REFUSED(pba_schedule_segment(schedule, 0, NULL, &policy));
    REFUSED(pba_schedule_segment(schedule, 0, &epochs, NULL));
    REFUSED(pba_schedule_segment(schedule, 1, &epochs, &policy));
    REFUSED(pba_schedule_segment(schedule, -1, &epochs, &policy));
    REFUSED(pba_schedule_at(NULL, 0, &policy));
    REFUSED(pba_schedule_at(schedule, 0, NULL));
    REFUSED(pba_schedule_at(schedule, -1, &policy));
    REFUSED(pba_schedule_at(schedule, 5, &policy));
    assert_int_equal(pba_schedule_epochs(NULL), 0);
    assert_int_equal(pba_schedule_segments(NULL), 0);
    assert_int_equal(pba_schedule_op_count(NULL), 0);
    assert_null(pba_schedule_op(NULL, 0));
    assert_null(pba_schedule_op(schedule, 1));
    assert_null(pba_schedule_op(schedule, -1));
    pba_schedule_free(NULL);
}

/* ---------------------------------------------------------------- data set */

static void check_datasets(void)
{
    pba_dataset *fresh;
    pba_dataset_info info;
    pba_dataset_options options = {.size = "0x0"};
    pba_image view;
    double mean[3], deviation[3];
    int label;
    REFUSED(pba_dataset_open(NULL, &fresh));
    REFUSED(pba_dataset_open("demo", NULL));
    REFUSED(pba_dataset_open_with(NULL, NULL, &fresh));
    REFUSED(pba_dataset_open_with("demo", NULL, NULL));
    REFUSED(pba_dataset_open_with("demo", &options, &fresh));
    memset(options.size, '1', sizeof options.size);
    REFUSED(pba_dataset_open_with("demo", &options, &fresh));
    REFUSED(pba_dataset_describe(NULL, &info));
    REFUSED(pba_dataset_describe(dataset, NULL));
    REFUSED(pba_dataset_split(NULL, 0, 0, 0));
    REFUSED(pba_dataset_split(unsplit, -1, 0, 0));
    REFUSED(pba_dataset_split(unsplit, 0, -2, 0));
    assert_int_equal(pba_dataset_split(unsplit, INT_MAX, 0, 0), PBA_NOT_FOUND);
    REFUSED(pba_dataset_image(NULL, PBA_TRAIN, 0, &view, &label));
    REFUSED(pba_dataset_image(dataset, PBA_TRAIN, 0, NULL, &label));
    REFUSED(pba_dataset_image(dataset, PBA_TRAIN, 0, &view, NULL));
    REFUSED(pba_dataset_image(dataset, PBA_TRAIN, -1, &view, &label));
    REFUSED(pba_dataset_image(dataset, PBA_TRAIN, INT_MAX, &view, &label));
    REFUSED(pba_dataset_image(dataset, (pba_split)-1, 0, &view, &label));
    REFUSED(pba_dataset_image(dataset, (pba_split)3, 0, &view, &label));
    REFUSED(pba_dataset_statistics(NULL, mean, deviation));
    REFUSED(pba_dataset_statistics(dataset, NULL, deviation));
    REFUSED(pba_dataset_statistics(dataset, mean, NULL));
    assert_int_equal(pba_dataset_count(NULL, PBA_TRAIN), 0);
    assert_int_equal(pba_dataset_count(dataset, (pba_split)3), 0);
    assert_string_equal(pba_dataset_class(NULL, 0), "");
    assert_string_equal(pba_dataset_class(dataset, -1), "");
    assert_string_equal(pba_dataset_class(dataset, INT_MAX), "");
    REFUSED(pba_preview_write(NULL, schedule, "x.png", 1, 1, 0));
    REFUSED(pba_preview_write(dataset, schedule, NULL, 1, 1, 0));
    REFUSED(pba_preview_write(dataset, schedule, "x.png", 0, 1, 0));
    REFUSED(pba_preview_write(dataset, schedule, "x.png", 1, -1, 0));
    REFUSED(pba_preview_write(dataset, schedule, "x.png", INT_MAX, 1, 0));
    pba_dataset_free(NULL);
}

/* --------------------------------------------------------------- augmenter */

static void check_augmenter(void)
{
    pba_augmenter *fresh;
    pba_augmenter_options options = {.width = SIDE, .height = SIDE, .channels = 3};
    float out[AREA * 3];
    uint8_t bytes[AREA * 3];
    REFUSED(pba_augmenter_create(NULL, &fresh));
    REFUSED(pba_augmenter_create(&options, NULL));
    options.augment = "nonsense";
    REFUSED(pba_augmenter_create(&options, &fresh));
    options.augment = "none";
    options.schedule = schedule;
    REFUSED(pba_augmenter_create(&options, &fresh));
    options = (pba_augmenter_options){.width = 0, .height = SIDE, .channels = 3};
    REFUSED(pba_augmenter_create(&options, &fresh));
    options = (pba_augmenter_options){.width = INT_MAX, .height = INT_MAX, .channels = 3};
    REFUSED(pba_augmenter_create(&options, &fresh));
    options = (pba_augmenter_options){.width = SIDE, .height = SIDE, .channels = 2};
    REFUSED(pba_augmenter_create(&options, &fresh));
    options = (pba_augmenter_options){
        .width = SIDE, .height = SIDE, .channels = 3, .deviation = {1, 0, 1}};
    REFUSED(pba_augmenter_create(&options, &fresh));
    options.deviation[1] = (double)NAN;
    REFUSED(pba_augmenter_create(&options, &fresh));
    options.deviation[1] = 1;
    options.mean[0] = (double)INFINITY;
    REFUSED(pba_augmenter_create(&options, &fresh));
    options =
        (pba_augmenter_options){.width = SIDE, .height = SIDE, .channels = 3, .baseline = "crop:5"};
    REFUSED(pba_augmenter_create(&options, &fresh));
    const uint8_t *const partners[2] = {pixels, NULL};
    options =
        (pba_augmenter_options){.width = SIDE, .height = SIDE, .channels = 3, .partner_count = 10};
    REFUSED(pba_augmenter_create(&options, &fresh));
    options.partners = partners;
    options.partner_count = 2;
    REFUSED(pba_augmenter_create(&options, &fresh));
    options.partner_count = SIZE_MAX;
    REFUSED(pba_augmenter_create(&options, &fresh));
    REFUSED(pba_augment_batch(NULL, pixels, NULL, 1, 0, out));
    REFUSED(pba_augment_batch(augmenter, NULL, NULL, 1, 0, out));
    REFUSED(pba_augment_batch(augmenter, pixels, NULL, 1, 0, NULL));
    REFUSED(pba_augment_batch(augmenter, pixels, NULL, 1, -1, out));
    REFUSED(pba_augment_batch(augmenter, pixels, NULL, 1, 5, out));
    REFUSED(pba_augment_images(NULL, pixels, NULL, 1, 0, bytes, NULL));
    REFUSED(pba_augment_images(augmenter, NULL, NULL, 1, 0, bytes, NULL));
    REFUSED(pba_augment_images(augmenter, pixels, NULL, 1, 0, NULL, NULL));
    REFUSED(pba_augment_images(augmenter, pixels, NULL, 1, INT_MIN, bytes, NULL));
    pba_augmenter_free(NULL);
}

/* -------------------------------------------------------------- population */

static void refuse_options(void (*spoil)(pba_population_options *options))
{
    pba_population_options options;
    pba_population *fresh;
    pba_population_defaults(&options);
    spoil(&options);
    REFUSED(pba_population_create(&options, &fresh));
    assert_null(fresh);
}

/* clang-format off */
static void one_member(pba_population_options *options) { options->population = 1; }
static void too_many(pba_population_options *options) { options->population = INT_MAX; }
static void no_epochs(pba_population_options *options) { options->epochs = 0; }
static void no_interval(pba_population_options *options) { options->interval = -1; }
static void no_copies(pba_population_options *options) { options->copies = 0; }
static void many_copies(pba_population_options *options) { options->copies = INT_MAX; }
static void most(pba_population_options *options) { options->quantile = 0.51; }
static void no_number(pba_population_options *options) { options->resample = (double)NAN; }
static void no_such(pba_population_options *options) { options->selection = (pba_selection)7; }
static void no_ops(pba_population_options *options) { options->ops = ops; options->op_count = 0; }
static void no_name(pba_population_options *options)
{
    static const char *const names[] = {NULL};
    options->ops = names;
    options->op_count = 1;
}
/* clang-format on */

static void check_population(void)
{
    static void (*const spoils[])(pba_population_options *) = {
        one_member, too_many,  no_epochs, no_interval, no_copies, many_copies,
        most,       no_number, no_such,   no_ops,      no_name};
    pba_population_options options;
    pba_population *fresh;
    pba_task task;
    int member;
    double error;
    char *text;
    pba_schedule *found;
    pba_population_defaults(NULL);
    pba_population_defaults(&options);
    REFUSED(pba_population_create(NULL, &fresh));
    REFUSED(pba_population_create(&options, NULL));
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        refuse_options(spoils[i]);
    }
    REFUSED(pba_population_ask(NULL, &task));
    REFUSED(pba_population_ask(population, NULL));
    REFUSED(pba_population_tell(NULL, 0, 0));
    REFUSED(pba_population_tell(population, -1, 0));
    REFUSED(pba_population_tell(population, INT_MAX, 0));
    REFUSED(pba_population_tell(population, 0, 0)); /* not asked for */
    REFUSED(pba_population_best(NULL, &member, &error));
    REFUSED(pba_population_best(population, NULL, &error));
    REFUSED(pba_population_best(population, &member, NULL));
    REFUSED(pba_population_best(population, &member, &error)); /* not at its end */
    REFUSED(pba_population_schedule(NULL, &found));
    REFUSED(pba_population_schedule(population, NULL));
    REFUSED(pba_population_to_json(NULL, &text));
    REFUSED(pba_population_to_json(population, NULL));
    REFUSED(pba_population_from_json(NULL, &fresh));
    REFUSED(pba_population_from_json("{}", NULL));
    pba_population_free(NULL);
}

/* ------------------------------------------------------ plug-ins, budgets */

static void check_plugins(void)
{
    pba_op_report report;
    REFUSED(pba_plugin_load(NULL));
    assert_int_equal(pba_plugin_load("/there/is/none.so"), PBA_NOT_FOUND);
    REFUSED(pba_op_test(NULL, NULL, &report));
    REFUSED(pba_op_test("Invert", NULL, NULL));
    REFUSED(pba_op_test("None", NULL, &report));
    REFUSED(pba_schedule_check(NULL));
}

static void check_budgets(void)
{
    const char *const kept[] = {NULL};
    pba_search_options options = search_options;
    pba_train_options other = train_options;
    pba_search *fitted;
    pba_training *trained;
    pba_budget budget;
    double seconds;
    REFUSED(pba_budget_parse(NULL, &seconds));
    REFUSED(pba_budget_parse("1m", NULL));
    REFUSED(pba_budget_parse("99999999h", &seconds));
    snprintf(options.budget, sizeof options.budget, "1m");
    snprintf(other.budget, sizeof other.budget, "1m");
    REFUSED(pba_search_fit(NULL, NULL, 0, NULL, &budget, &fitted));
    REFUSED(pba_search_fit(&options, NULL, 0, NULL, NULL, &fitted));
    REFUSED(pba_search_fit(&options, NULL, 0, NULL, &budget, NULL));
    REFUSED(pba_search_fit(&options, NULL, 1, NULL, &budget, &fitted));
    REFUSED(pba_search_fit(&options, kept, 1, NULL, &budget, &fitted));
    REFUSED(pba_training_fit(NULL, NULL, 0, NULL, &budget, &trained));
    REFUSED(pba_training_fit(&other, NULL, 0, NULL, NULL, &trained));
    REFUSED(pba_training_fit(&other, NULL, 0, NULL, &budget, NULL));
    REFUSED(pba_training_fit(&other, NULL, 1, NULL, &budget, &trained));
    REFUSED(pba_training_fit(&other, kept, 1, NULL, &budget, &trained));
    other.recipe.batch = 0;
    REFUSED(pba_training_fit(&other, NULL, 0, NULL, &budget, &trained));
}

static void check_comparisons(void)
{
    pba_compare_options options = compare_options;
    pba_comparison *fresh;
    pba_plan plan;
    const pba_arm *arms;
    options.out[0] = 0;
    assert_non_null(pba_compare_settings(NULL));
    REFUSED(pba_comparison_create_with(NULL, NULL, &fresh));
    REFUSED(pba_comparison_create_with(&options, NULL, NULL));
    REFUSED(pba_comparison_create_with(&options, NULL, &fresh)); /* no folder */
    options.recipe.batch = 0;
    REFUSED(pba_comparison_create_with(&options, NULL, &fresh));
    REFUSED(pba_comparison_resume_with(NULL, 0, NULL, &fresh));
    REFUSED(pba_comparison_resume_with("x", 0, NULL, NULL));
    REFUSED(pba_comparison_resume_with("x", -1, NULL, &fresh));
    REFUSED(pba_comparison_plan(NULL, &plan));
    REFUSED(pba_comparison_plan(comparison, NULL));
    REFUSED(pba_comparison_plan_with(NULL, NULL, &plan));
    REFUSED(pba_comparison_plan_with(comparison, NULL, NULL));
    REFUSED(pba_comparison_run(NULL, NULL));
    assert_int_equal(pba_comparison_arms(NULL, &arms), 0);
    assert_int_equal(pba_comparison_arms(NULL, NULL), 0);
    assert_int_equal(pba_comparison_arms(comparison, &arms), 0); /* not at its end */
    assert_int_equal(pba_comparison_arms(comparison, NULL), 0);
    assert_string_equal(pba_comparison_directory(NULL), "");
    assert_null(pba_comparison_options(NULL));
    pba_comparison_free(NULL);
}

static void check_watching(void)
{
    pba_watch *fresh;
    const pba_watch_picture *picture;
    REFUSED(pba_watch_open(NULL, &fresh));
    REFUSED(pba_watch_open(folder, NULL));
    assert_int_equal(pba_watch_open("/there/is/none", &fresh), PBA_NOT_FOUND);
    REFUSED(pba_watch_look(NULL, &picture));
    REFUSED(pba_watch_look(watch, NULL));
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->state, PBA_RUN_STOPPED);
    pba_watch_free(NULL);
}

static void check_export(void)
{
    const pba_augmenter_options options = {.width = 32, .height = 32, .channels = 3};
    REFUSED(pba_augment_write(NULL, PBA_TRAIN, 1, &options, 0, false, "x.npz"));
    REFUSED(pba_augment_write(dataset, PBA_TRAIN, 1, NULL, 0, false, "x.npz"));
    REFUSED(pba_augment_write(dataset, PBA_TRAIN, 1, &options, 0, false, NULL));
    REFUSED(pba_augment_write(dataset, PBA_TRAIN, 1, &options, -1, false, "x.npz"));
    assert_int_equal(pba_augment_write(dataset, (pba_split)7, 1, &options, 0, false, "x.npz"),
                     PBA_NOT_FOUND);
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, -1, &options, 0, false, "x.npz"),
                     PBA_NOT_FOUND);
}

/* ----------------------------------------------------------------- presets */

static void check_presets(void)
{
    const pba_preset_setting nothing[] = {{"epochs", NULL}, {NULL, "1"}};
    const pba_preset faulty[] = {
        {.settings = nothing, .setting_count = 0}, /* no name */
        {.name = "x", .settings = nothing, .setting_count = 1},
        {.name = "x", .settings = nothing + 1, .setting_count = 1},
        {.name = "x", .setting_count = 1},
    };
    pba_preset preset;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_train_options options = train_options;
    assert_ok(pba_preset_get(0, &preset));
    REFUSED(pba_preset_get(0, NULL));
    REFUSED(pba_preset_get(pba_preset_count(), &preset));
    REFUSED(pba_preset_find(NULL, "x", &preset));
    REFUSED(pba_preset_find("train", NULL, &preset));
    REFUSED(pba_preset_find("train", "x", NULL));
    REFUSED(pba_preset_find("train", "x", &preset));
    REFUSED(pba_preset_apply(NULL, &options, rows, count));
    REFUSED(pba_preset_apply(&preset, NULL, rows, count));
    REFUSED(pba_preset_apply(&preset, &options, NULL, count));
    REFUSED(pba_preset_apply(&preset, &options, rows, 0));
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        REFUSED(pba_preset_apply(&faulty[i], &options, rows, count));
    }
}

/* -------------------------------------------------------------------- jobs */

static void check_search(void)
{
    pba_search *fresh;
    pba_search_options options = search_options;
    pba_plan plan;
    pba_search_times times;
    const pba_schedule *found;
    double error;
    REFUSED(pba_search_create(NULL, &fresh));
    REFUSED(pba_search_create(&search_options, NULL));
    REFUSED(pba_search_create_with(NULL, NULL, &fresh));
    REFUSED(pba_search_create_with(&search_options, NULL, NULL));
    options.population = 1;
    REFUSED(pba_search_create(&options, &fresh));
    options = search_options;
    options.recipe.batch = 0;
    REFUSED(pba_search_create(&options, &fresh));
    options = search_options;
    options.recipe.lr = (double)NAN;
    REFUSED(pba_search_create(&options, &fresh));
    options = search_options;
    options.workers = -1;
    REFUSED(pba_search_create(&options, &fresh));
    options = search_options;
    memset(options.out, 'x', sizeof options.out);
    REFUSED(pba_search_create(&options, &fresh));
    REFUSED(pba_search_resume(NULL, 0, &fresh));
    REFUSED(pba_search_resume("x", 0, NULL));
    REFUSED(pba_search_resume("x", -1, &fresh));
    REFUSED(pba_search_resume_with(NULL, 0, NULL, &fresh));
    REFUSED(pba_search_resume_with("x", 0, NULL, NULL));
    REFUSED(pba_search_plan(NULL, &plan));
    REFUSED(pba_search_plan(search, NULL));
    REFUSED(pba_search_plan_with(NULL, NULL, &plan));
    REFUSED(pba_search_plan_with(search, NULL, NULL));
    REFUSED(pba_search_run(NULL, NULL));
    REFUSED(pba_search_result(NULL, &found, &error));
    REFUSED(pba_search_result(search, NULL, &error));
    REFUSED(pba_search_result(search, &found, NULL));
    REFUSED(pba_search_result(search, &found, &error)); /* not at its end */
    REFUSED(pba_search_spent(NULL, &times));
    REFUSED(pba_search_spent(search, NULL));
    REFUSED(pba_search_spent(search, &times)); /* has not run */
    assert_string_equal(pba_search_directory(NULL), "");
    assert_null(pba_search_dataset(NULL));
    pba_search_free(NULL);
}

static void check_training(void)
{
    pba_training *fresh;
    pba_train_options options = train_options;
    pba_plan plan;
    pba_measure_options measure = {.members = 1, .threads = 1, .repetitions = 1, .seconds = 0.01};
    pba_training_speed speed;
    const pba_training_result *results;
    REFUSED(pba_training_create(NULL, &fresh));
    REFUSED(pba_training_create(&train_options, NULL));
    REFUSED(pba_training_create_with(NULL, NULL, &fresh));
    REFUSED(pba_training_create_with(&train_options, NULL, NULL));
    options.seeds = 0;
    REFUSED(pba_training_create(&options, &fresh));
    options = train_options;
    options.recipe.batch = -1;
    REFUSED(pba_training_create(&options, &fresh));
    options = train_options;
    options.recipe.epochs = 0;
    REFUSED(pba_training_create(&options, &fresh));
    options = train_options;
    memset(options.dataset, 'x', sizeof options.dataset);
    REFUSED(pba_training_create(&options, &fresh));
    REFUSED(pba_training_resume(NULL, 0, &fresh));
    REFUSED(pba_training_resume("x", 0, NULL));
    REFUSED(pba_training_resume("x", -1, &fresh));
    REFUSED(pba_training_resume_with(NULL, 0, NULL, &fresh));
    REFUSED(pba_training_resume_with("x", 0, NULL, NULL));
    REFUSED(pba_training_plan(NULL, &plan));
    REFUSED(pba_training_plan(training, NULL));
    REFUSED(pba_training_plan_with(NULL, NULL, &plan));
    REFUSED(pba_training_plan_with(training, NULL, NULL));
    REFUSED(pba_training_measure(NULL, &measure, NULL, &speed));
    REFUSED(pba_training_measure(training, NULL, NULL, &speed));
    REFUSED(pba_training_measure(training, &measure, NULL, NULL));
    measure.repetitions = 0;
    REFUSED(pba_training_measure(training, &measure, NULL, &speed));
    measure = (pba_measure_options){.members = INT_MAX, .threads = 2, .repetitions = 1};
    REFUSED(pba_training_measure(training, &measure, NULL, &speed));
    measure = (pba_measure_options){.threads = 1, .repetitions = 1, .seconds = (double)NAN};
    REFUSED(pba_training_measure(training, &measure, NULL, &speed));
    REFUSED(pba_training_run(NULL, NULL));
    assert_int_equal(pba_training_results(NULL, &results), 0);
    assert_int_equal(pba_training_results(training, NULL), 0);
    assert_string_equal(pba_training_directory(NULL), "");
    assert_null(pba_training_options(NULL));
    pba_training_free(NULL);
}

static void check_evaluate(void)
{
    pba_evaluation *fresh, nothing = {0};
    pba_evaluate_options options = evaluate_options;
    REFUSED(pba_evaluate(NULL, NULL, &fresh));
    REFUSED(pba_evaluate(&evaluate_options, NULL, NULL));
    REFUSED(pba_evaluate(&options, NULL, &fresh)); /* names no weights */
    snprintf(options.split, sizeof options.split, "other");
    REFUSED(pba_evaluate(&options, NULL, &fresh));
    REFUSED(pba_evaluation_write_csv(NULL, "x.csv"));
    REFUSED(pba_evaluation_write_csv(&nothing, NULL));
    pba_evaluation_free(NULL);
}

static void check_report(void)
{
    const char *runs[] = {NULL};
    pba_report_options options = {.runs = runs, .run_count = 1};
    REFUSED(pba_report_write(NULL, "x.html"));
    REFUSED(pba_report_write(&options, "x.html"));
    REFUSED(pba_report_charts(NULL, "x"));
    REFUSED(pba_report_charts(&options, "x"));
    runs[0] = "x";
    REFUSED(pba_report_write(&options, NULL));
    REFUSED(pba_report_charts(&options, NULL));
    options.run_count = 0;
    REFUSED(pba_report_write(&options, "x.html"));
    options.run_count = SIZE_MAX;
    REFUSED(pba_report_charts(&options, "x"));
    options = (pba_report_options){.run_count = 1};
    REFUSED(pba_report_write(&options, "x.html"));
}

/* --------------------------------------------------------------- the table */

/* What each check calls, all functions of the header. */
static const struct {
    void (*check)(void);
    const char *functions;
} rows[] = {
    {check_status, "pba_status_name pba_status_text pba_error_message pba_version pba_build_info "
                   "pba_cores pba_memory_peak"},
    {check_peak, "pba_peak_measure"},
    {check_settings, "pba_settings_init pba_settings_set pba_settings_get pba_dataset_settings "
                     "pba_search_settings pba_train_settings pba_evaluate_settings"},
    {check_images, "pba_image_read pba_image_write pba_image_create pba_image_free"},
    {check_ops, "pba_op_count pba_op_get pba_op_parameter pba_op_apply pba_op_apply_images "
                "pba_ops_preview_write"},
    {check_lists, "pba_augment_kind_count pba_augment_kind_get pba_model_family_count "
                  "pba_model_family pba_model_describe"},
    {check_schedules,
     "pba_schedule_load pba_schedule_free pba_schedule_save pba_schedule_constant "
     "pba_schedule_stretch pba_schedule_stretch_reference pba_schedule_epochs "
     "pba_schedule_segments pba_schedule_op_count pba_schedule_op pba_schedule_segment "
     "pba_schedule_at"},
    {check_datasets, "pba_dataset_open_with pba_dataset_open pba_dataset_free pba_dataset_describe "
                     "pba_dataset_class pba_dataset_split pba_dataset_count pba_dataset_image "
                     "pba_dataset_statistics pba_preview_write"},
    {check_augmenter,
     "pba_augmenter_create pba_augmenter_free pba_augment_batch pba_augment_images"},
    {check_population, "pba_population_defaults pba_population_create pba_population_free "
                       "pba_population_ask pba_population_tell pba_population_best "
                       "pba_population_schedule pba_population_to_json pba_population_from_json"},
    {check_plugins, "pba_plugin_load pba_op_test pba_schedule_check"},
    {check_budgets, "pba_budget_parse pba_search_fit pba_training_fit"},
    {check_comparisons,
     "pba_compare_settings pba_comparison_create_with pba_comparison_resume_with "
     "pba_comparison_plan pba_comparison_plan_with pba_comparison_run pba_comparison_arms "
     "pba_comparison_directory "
     "pba_comparison_options pba_comparison_free"},
    {check_watching, "pba_watch_open pba_watch_look pba_watch_free"},
    {check_export, "pba_augment_write"},
    {check_presets, "pba_preset_count pba_preset_get pba_preset_find pba_preset_apply"},
    {check_search,
     "pba_search_create pba_search_create_with pba_search_resume "
     "pba_search_resume_with pba_search_plan pba_search_plan_with pba_search_run pba_search_result "
     "pba_search_spent pba_search_directory pba_search_dataset pba_search_free"},
    {check_training,
     "pba_training_create pba_training_create_with pba_training_resume "
     "pba_training_resume_with pba_training_plan pba_training_plan_with pba_training_measure "
     "pba_training_run "
     "pba_training_results pba_training_directory pba_training_options pba_training_free"},
    {check_evaluate, "pba_evaluate pba_evaluation_free pba_evaluation_write_csv"},
    {check_report, "pba_report_write pba_report_charts"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void test_arguments(void **state)
{
    for (int i = 0; i < ROWS; i++) {
        rows[i].check();
    }
}

static bool has_row(const char *name, size_t length)
{
    for (int i = 0; i < ROWS; i++) {
        for (const char *at = rows[i].functions; (at = strstr(at, name)); at += length) {
            if (at[length] == ' ' || at[length] == 0) {
                return true;
            }
        }
    }
    return false;
}

/* The name in front of a declaration's first parenthesis. */
static size_t name_of(const char *declaration, char name[PBA_NAME_MAX])
{
    const char *end = strchr(declaration, '('), *start = end;
    while (start > declaration && (isalnum((unsigned char)start[-1]) || start[-1] == '_')) {
        start--;
    }
    size_t length = (size_t)(end - start);
    assert_true(length > 0 && length < PBA_NAME_MAX);
    memcpy(name, start, length);
    name[length] = 0;
    return length;
}

static void test_every_function(void **state)
{
    char path[PBA_PATH_MAX], name[PBA_NAME_MAX], *text;
    size_t size;
    int functions = 0;
    const char *source = getenv("PBA_TEST_SOURCE");
    assert_non_null(source);
    assert_ok(file_join(path, source, "include/pba.h"));
    assert_ok(file_read(path, 1 << 20, &text, &size));
    for (const char *at = strstr(text, "\nPBA_API "); at; at = strstr(at + 1, "\nPBA_API ")) {
        size_t length = name_of(at, name);
        if (!has_row(name, length)) {
            fail_msg("%s has no row in this test", name);
        }
        functions++;
    }
    assert_true(functions > 90);
    free(text);
}

/* ----------------------------------------------------------------- fixture */

static void write_data(void)
{
    uint8_t *data = calloc(IMAGES, PIXELS + 1);
    assert_non_null(data);
    for (int i = 0; i < IMAGES; i++) {
        data[i * (PIXELS + 1)] = (uint8_t)(i % 10);
        data[i * (PIXELS + 1) + 1 + i] = (uint8_t)i;
    }
    assert_ok(file_write(path_of("data_batch_1.bin"), data, IMAGES * (PIXELS + 1)));
    free(data);
}

static void fill_options(void)
{
    size_t count;
    const pba_setting *all = pba_search_settings(&count);
    pba_settings_init(&search_options, all, count);
    snprintf(search_options.recipe.model, PBA_NAME_MAX, "wrn-10-1");
    search_options.recipe.batch = 2;
    snprintf(search_options.dataset, PBA_PATH_MAX, "%s", folder);
    snprintf(search_options.out, PBA_PATH_MAX, "%s", path_of("run"));
    all = pba_train_settings(&count);
    pba_settings_init(&train_options, all, count);
    train_options.recipe = search_options.recipe;
    snprintf(train_options.dataset, PBA_PATH_MAX, "%s", folder);
    all = pba_compare_settings(&count);
    pba_settings_init(&compare_options, all, count);
    compare_options.recipe = search_options.recipe;
    snprintf(compare_options.dataset, PBA_PATH_MAX, "%s", folder);
    snprintf(compare_options.arms, PBA_PATH_MAX, "none,baseline");
    snprintf(compare_options.out, PBA_PATH_MAX, "%s", path_of("cut"));
    all = pba_evaluate_settings(&count);
    pba_settings_init(&evaluate_options, all, count);
    snprintf(evaluate_options.dataset, PBA_PATH_MAX, "%s", folder);
}

static bool at_once(void *user)
{
    return true;
}

static void open_watch(void)
{
    pba_train_options options = train_options;
    pba_training *stopped;
    const pba_observer observer = {.stop = at_once};
    snprintf(options.out, PBA_PATH_MAX, "%s", path_of("stopped"));
    assert_ok(pba_training_create(&options, &stopped));
    assert_int_equal(pba_training_run(stopped, &observer), PBA_INTERRUPTED);
    pba_training_free(stopped);
    assert_ok(pba_watch_open(options.out, &watch));
}

static int set_up(void **state)
{
    make_folder(state);
    write_data();
    fill_options();
    pba_population_options options;
    pba_population_defaults(&options);
    assert_ok(pba_population_create(&options, &population));
    assert_ok(pba_schedule_constant(&policy, ops, 1, 5, &schedule));
    assert_ok(pba_dataset_open(folder, &dataset));
    assert_ok(pba_dataset_split(dataset, 0, 0, 0));
    assert_ok(pba_dataset_open(folder, &unsplit));
    const pba_augmenter_options augment = {
        .schedule = schedule, .width = SIDE, .height = SIDE, .channels = 3};
    assert_ok(pba_augmenter_create(&augment, &augmenter));
    assert_ok(pba_search_create(&search_options, &search));
    assert_ok(pba_training_create(&train_options, &training));
    assert_ok(pba_comparison_create_with(&compare_options, NULL, &comparison));
    open_watch();
    return 0;
}

static int tear_down(void **state)
{
    pba_search_free(search);
    pba_training_free(training);
    pba_comparison_free(comparison);
    pba_watch_free(watch);
    pba_augmenter_free(augmenter);
    pba_population_free(population);
    pba_schedule_free(schedule);
    pba_dataset_free(dataset);
    pba_dataset_free(unsplit);
    return remove_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_function),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
