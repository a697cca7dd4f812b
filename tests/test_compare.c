/* SPDX-License-Identifier: Apache-2.0
 * Comparisons: the list of arms, intervals and verdicts against worked cases, and a small one whose
 * arms must be the runs that training alone makes, undisturbed or stopped and resumed. */
#include "check.h"

#include <math.h>
#include <stdatomic.h>

#include "compare/compare.h"
#include "core/rng.h"
#include "folder.h"
#include "report/verdict.h"

/* ------------------------------------------------------------------------ arms */

static void arms_are_split(void **state)
{
    compare_arm *arms;
    int count;
    char settled[PBA_PATH_MAX], text[2 * PBA_PATH_MAX];
    assert_ok(compare_read_arms("none,randaugment:2,9,baseline,randaugment:1,3,11,cutout:8", &arms,
                                &count));
    static const char *const wanted[] = {"none", "randaugment:2,9", "baseline",
                                         "randaugment:1,3,11", "cutout:8"};
    static const char *const names[] = {"1-none", "2-randaugment-2-9", "3-baseline",
                                        "4-randaugment-1-3-11", "5-cutout-8"};
    assert_int_equal(count, 5);
    for (int i = 0; i < count; i++) {
        assert_string_equal(arms[i].augment, wanted[i]);
        assert_string_equal(arms[i].name, names[i]);
    }
    free(arms);
    /* A path with commas and digits in it, there and back. */
    pba_schedule *schedule;
    pba_policy nothing = {.entries = 30};
    static const char *const ops[] = {"Rotate", "Invert", "Color"};
    nothing.entries = 3;
    assert_ok(pba_schedule_constant(&nothing, ops, 3, 2, &schedule));
    assert_ok(file_make_folder(path_of("a,9,b")));
    assert_ok(pba_schedule_save(schedule, path_of("a,9,b/s.json")));
    pba_schedule_free(schedule);
    snprintf(text, sizeof text, "baseline,%s/./a\\,9\\,b//s.json,trivialaugment", folder);
    for (int turn = 0; turn < 2; turn++) {
        assert_ok(compare_read_arms(text, &arms, &count));
        assert_int_equal(count, 3);
        assert_string_equal(arms[1].augment, path_of("a,9,b/s.json"));
        assert_string_equal(arms[1].name, "2-s.json");
        assert_string_equal(arms[2].augment, "trivialaugment");
        assert_ok(compare_arms_text(arms, count, settled));
        snprintf(text, sizeof text, "%s", settled);
        free(arms);
    }
}

/* A run has one name, however it is written. */
static void a_run_is_one_arm(void **state)
{
    compare_arm *arms;
    int count;
    char text[2 * PBA_PATH_MAX];
    assert_ok(file_make_folder(path_of("one")));
    snprintf(text, sizeof text, "none,%s/one/,%s/./one", folder, folder);
    assert_int_equal(compare_read_arms(text, &arms, &count), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "/one\" is there twice"));
    free(arms);
    snprintf(text, sizeof text, "none,%s/one/", folder);
    assert_ok(compare_read_arms(text, &arms, &count));
    assert_string_equal(arms[1].name, "2-one");
    free(arms);
}

static void arms_are_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {{"", "two or more"},
                {"baseline", "two or more"},
                {"baseline,,none", "empty"},
                {",baseline", "empty"},
                {"baseline,none,baseline", "twice"},
                {"none,baseline,5", "'baseline,5'"},
                {"baseline,trivialaugmnet", "trivialaugmnet"},
                {"baseline,nowhere/run", "nowhere/run"},
                {"5,baseline", "'5'"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        compare_arm *arms;
        int count;
        pba_status status = compare_read_arms(rows[i].text, &arms, &count);
        for (int arm = 0; arm < count && status == PBA_OK; arm++) {
            status = compare_check_arm(&arms[arm]);
        }
        assert_int_not_equal(status, PBA_OK);
        if (!strstr(pba_error_message(), rows[i].says)) {
            fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].text, pba_error_message(), rows[i].says);
        }
        free(arms);
    }
}

/* ------------------------------------------------------------------ statistics */

/* Differences 3, 1, 2: mean 2, deviation 1; t of 2 degrees 4.3027. Then Welch's: variances of the
 * means 1/3 and 25/3 - by hand: freedom (26/3)^2 / (1/18 + 625/18) = 2.16. */
static void differences_are_students(void **state)
{
    const double a[] = {13, 21, 32}, b[] = {10, 20, 30}, c[] = {1, 2, 3}, d[] = {5, 10, 15};
    const uint64_t seeds[] = {4, 5, 6}, others[] = {4, 5, 7};
    statistics_difference found =
        statistics_subtract((statistics_sample){a, seeds, 3}, (statistics_sample){b, seeds, 3});
    assert_true(found.paired);
    assert_true(fabs(found.mean - 2) < 1e-12);
    assert_true(fabs(found.half - 4.3027 / sqrt(3)) < 1e-9);
    found =
        statistics_subtract((statistics_sample){d, seeds, 3}, (statistics_sample){c, others, 3});
    assert_false(found.paired);
    assert_true(fabs(found.mean - 8) < 1e-12);
    assert_true(fabs(found.half - 4.3027 * sqrt(26.0 / 3)) < 1e-9);
    found = statistics_subtract((statistics_sample){a, seeds, 3}, (statistics_sample){b, seeds, 1});
    assert_true(found.half < 0);
}

/* A training run that is only figures. */
static report_run *arm_of(const char *augment, const double errors[3], int done)
{
    report_run *run = calloc(1, sizeof *run);
    run->kind = REPORT_TRAINING;
    run->config = json_pack("{s:{s:s}}", "settings", "augment", augment);
    run->settings = json_object_get(run->config, "settings");
    run->errors = calloc(3, sizeof *run->errors);
    run->numbers = calloc(3, sizeof *run->numbers);
    memcpy(run->errors, errors, 3 * sizeof *errors);
    for (int i = 0; i < 3; i++) {
        run->numbers[i] = (uint64_t)i;
    }
    run->seeds = run->done = done;
    return run;
}

static void verdicts_are_told(void **state)
{
    static const struct {
        double errors[3];
        int done;
        const char *text;
    } rows[] = {
        {{0.250, 0.261, 0.269},
         3,
         "The search paid: under found the test error is 5.00 points lower than under "
         "randaugment:2,9, the best of what needs no search (95 % interval of the gain 4.75 to "
         "5.25 points, paired over 3 seeds)."},
        {{0.350, 0.361, 0.369},
         3,
         "The search did not pay: under found the test error is 5.00 points higher than under "
         "randaugment:2,9, the best of what needs no search (95 % interval of the gain -5.25 to "
         "-4.75 points, paired over 3 seeds)."},
        {{0.290, 0.311, 0.299},
         3,
         "It is open whether the search paid: under found the test error is 1.00 points lower "
         "than under randaugment:2,9, the best of what needs no search, and the 95 % interval of "
         "the gain, 1.00 to 1.00 points, includes zero (paired over 3 seeds)."},
        {{0.290, 0, 0},
         1,
         "One seed does not tell whether the search paid: under found the test error is 1.00 "
         "points lower than under randaugment:2,9, the best of what needs no search."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static const double base[] = {0.40, 0.41, 0.42}, best[] = {0.30, 0.31, 0.32};
        report_run *runs[] = {arm_of("baseline", base, rows[i].done),
                              arm_of("a/b/found", rows[i].errors, rows[i].done),
                              arm_of("randaugment:2,9", best, rows[i].done)};
        const report_run *const *given = (const report_run *const *)runs;
        report_verdict verdict;
        char text[REPORT_VERDICT_TEXT];
        assert_false(report_judge(given, 3, 0, &verdict));
        assert_true(report_judge(given, 3, 1, &verdict));
        assert_ptr_equal(verdict.rival, runs[2]);
        report_tell_verdict(&verdict, text);
        if (i == 2) { /* only that it is open */
            assert_non_null(strstr(text, "It is open"));
            assert_non_null(strstr(text, "includes zero"));
        } else {
            assert_string_equal(text, rows[i].text);
        }
        for (int run = 0; run < 3; run++) {
            report_run_free(runs[run]);
        }
    }
}

/* ------------------------------------------------------------------ comparisons */

enum { IMAGES = 120, RECORD = 3073, SEEDS = 3, ARMS = 3 };

static void write_data(void)
{
    static const char *const files[] = {"data/data_batch_1.bin", "data/test_batch.bin"};
    uint8_t *data = calloc(IMAGES, RECORD);
    rng rng = rng_at(3, RNG_DEMO, 0, 0, 0);
    assert_ok(file_make_folder(path_of("data")));
    for (int file = 0; file < 2; file++) {
        for (int i = 0; i < IMAGES * RECORD; i++) {
            data[i] = (uint8_t)(i % RECORD ? rng_word(&rng) >> 25 : (uint32_t)(i / RECORD) % 10);
        }
        put(files[file], data, (size_t)IMAGES * RECORD);
    }
    free(data);
}

static pba_compare_options options_for(const char *out)
{
    pba_compare_options options;
    size_t count;
    const pba_setting *rows = pba_compare_settings(&count);
    static const char *const given[][2] = {{"model", "wrn-10-1"}, {"train-size", "60"},
                                           {"batch", "20"},       {"epochs", "2"},
                                           {"seeds", "3"},        {"seed", "7"}};
    pba_settings_init(&options, rows, count);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        assert_ok(pba_settings_set(&options, rows, count, given[i][0], given[i][1]));
    }
    snprintf(options.arms, sizeof options.arms, "baseline,randaugment:2,9,%s/search", folder);
    snprintf(options.dataset, sizeof options.dataset, "%s/data", folder);
    snprintf(options.out, sizeof options.out, "%s", path_of(out));
    return options;
}

static void search_one(void)
{
    pba_search_options options;
    pba_search *search;
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    static const char *const given[][2] = {
        {"model", "wrn-10-1"}, {"train-size", "40"}, {"val-size", "20"}, {"batch", "20"},
        {"epochs", "2"},       {"population", "2"},  {"interval", "1"},  {"workers", "2"}};
    pba_settings_init(&options, rows, count);
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        assert_ok(pba_settings_set(&options, rows, count, given[i][0], given[i][1]));
    }
    snprintf(options.dataset, sizeof options.dataset, "%s/data", folder);
    snprintf(options.out, sizeof options.out, "%s/search", folder);
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
}

/* What pba_training_run makes of one arm. */
static void train_alone(const char *augment, const char *out)
{
    pba_compare_options compare = options_for(out);
    pba_train_options options;
    pba_training *training;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_settings_init(&options, rows, count);
    options.recipe = compare.recipe;
    options.seeds = compare.seeds;
    memcpy(options.dataset, compare.dataset, sizeof options.dataset);
    memcpy(options.out, compare.out, sizeof options.out);
    snprintf(options.augment, sizeof options.augment, "%s", augment);
    assert_ok(pba_training_create(&options, &training));
    assert_ok(pba_training_run(training, NULL));
    pba_training_free(training);
}

static void assert_same_file(const char *a, const char *b)
{
    char *left, *right;
    size_t left_size, right_size;
    assert_ok(file_read(path_of(a), 1 << 26, &left, &left_size));
    assert_ok(file_read(path_of(b), 1 << 26, &right, &right_size));
    assert_int_equal(left_size, right_size);
    assert_memory_equal(left, right, left_size);
    free(left);
    free(right);
}

static const char *const folders[ARMS] = {"1-baseline", "2-randaugment-2-9", "3-search"};

/* Of the comparison in `name`: its networks are those of the runs alone-1, alone-2, alone-3. */
static void check_weights(const char *name)
{
    for (int i = 0; i < ARMS * SEEDS; i++) {
        char ours[128], theirs[128];
        snprintf(ours, sizeof ours, "%s/%s/weights-%d.safetensors", name, folders[i / SEEDS],
                 7 + i % SEEDS);
        snprintf(theirs, sizeof theirs, "alone-%d/weights-%d.safetensors", i / SEEDS + 1,
                 7 + i % SEEDS);
        assert_same_file(ours, theirs);
    }
}

typedef struct watcher {
    int most, stop_after; /* stop_after: epochs, 0: never */
    atomic_int epochs;    /* read by stop, which any thread may ask */
    bool backwards;       /* told by the test's own thread: a worker's may not fail */
    double done, total;
} watcher;

static void watch(void *user, const pba_event *event)
{
    watcher *watcher = user;
    if (event->kind != PBA_EVENT_OPENING) {
        watcher->backwards |= event->done < watcher->done || event->done > event->total;
        watcher->done = event->done;
        watcher->total = event->total;
    }
    if (event->kind == PBA_EVENT_EPOCH) {
        watcher->epochs++;
        watcher->most = event->member > watcher->most ? event->member : watcher->most;
    }
}

static bool stop(void *user)
{
    const watcher *watcher = user;
    return watcher->stop_after && watcher->epochs >= watcher->stop_after;
}

static void check_results(const pba_comparison *comparison, bool search_is_there)
{
    const pba_arm *arms;
    assert_int_equal(pba_comparison_arms(comparison, &arms), ARMS);
    for (int i = 0; i < ARMS; i++) {
        double sum = 0;
        assert_int_equal(arms[i].seeds, SEEDS);
        for (int seed = 0; seed < SEEDS; seed++) {
            sum += arms[i].errors[seed];
        }
        assert_true(fabs(arms[i].mean - sum / SEEDS) < 1e-12);
        assert_true(arms[i].core_seconds > 0);
        assert_true((arms[i].search_seconds > 0) == (i == 2 && search_is_there));
        assert_true(!arms[i].verdict == (i != 2));
    }
    int rival = arms[1].mean < arms[0].mean;
    assert_string_equal(arms[2].rival, arms[rival].augment);
    assert_true(fabs(arms[2].gain - (arms[rival].mean - arms[2].mean)) < 1e-12);
    assert_non_null(strstr(arms[2].verdict, "paired over 3 seeds"));
}

static void comparisons_are_training_runs(void **state)
{
    pba_compare_options options = options_for("whole");
    pba_comparison *comparison;
    pba_observer observer = {.event = watch, .stop = stop};
    char augment[PBA_PATH_MAX];
    write_data();
    search_one();
    snprintf(augment, sizeof augment, "%s/search", folder);
    train_alone("baseline", "alone-1");
    train_alone("randaugment:2,9", "alone-2");
    train_alone(augment, "alone-3");

    watcher all = {0};
    pba_plan plan;
    observer.user = &all;
    options.workers = 2;
    assert_ok(pba_comparison_create_with(&options, NULL, &comparison));
    assert_ok(pba_comparison_plan(comparison, &plan));
    assert_int_equal(plan.members, ARMS * SEEDS);
    assert_true(plan.seconds > 0);
    assert_ok(pba_comparison_run(comparison, &observer));
    assert_int_equal(all.epochs, ARMS * SEEDS * 2);
    assert_false(all.backwards);
    assert_int_equal(all.most, ARMS * SEEDS - 1);
    assert_true(all.total == ARMS * SEEDS * 2 * 60);
    check_results(comparison, true);
    pba_comparison_free(comparison);
    check_weights("whole");
    assert_true(file_exists(path_of("whole/report.html")));
    assert_true(file_exists(path_of("whole/comparison.svg")));
    assert_true(file_exists(path_of("whole/result.json")));
    assert_int_equal(pba_comparison_create_with(&options, NULL, &comparison), PBA_EXISTS);

    /* Stopped in every arm, resumed with another number of workers. */
    options = options_for("cut");
    int stops = 0;
    for (int sitting = 0;; sitting++) {
        watcher some = {.stop_after = 4};
        observer.user = &some;
        assert_ok(
            sitting ? pba_comparison_resume_with(path_of("cut"), 1 + sitting % 2, NULL, &comparison)
                    : pba_comparison_create_with(&options, NULL, &comparison));
        pba_status status = pba_comparison_run(comparison, &observer);
        assert_false(some.backwards);
        if (status == PBA_OK) {
            break;
        }
        assert_int_equal(status, PBA_INTERRUPTED);
        assert_true(some.epochs > 0);
        pba_comparison_free(comparison);
        stops++;
    }
    assert_true(stops >= 2);
    check_results(comparison, true);
    pba_comparison_free(comparison);
    check_weights("cut");

    /* A finished one is told again, and trains nothing; the search may be gone by then. */
    watcher none = {0};
    char moved[PBA_PATH_MAX];
    snprintf(moved, sizeof moved, "%s/elsewhere", folder);
    assert_int_equal(rename(path_of("search"), moved), 0);
    observer.user = &none;
    assert_ok(pba_comparison_resume_with(path_of("cut"), 0, NULL, &comparison));
    assert_ok(pba_comparison_run(comparison, &observer));
    assert_int_equal(none.epochs, 0);
    check_results(comparison, false);
    pba_comparison_free(comparison);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(arms_are_split),           IN_FOLDER(a_run_is_one_arm),
        cmocka_unit_test(arms_are_refused),  cmocka_unit_test(differences_are_students),
        cmocka_unit_test(verdicts_are_told), IN_FOLDER(comparisons_are_training_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
