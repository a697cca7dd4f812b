/* SPDX-License-Identifier: Apache-2.0
 * What a report says of runs in every state, and that nothing from outside becomes markup. How its
 * pages stand in a browser is check_report.py's matter. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/space.h"
#include "core/file.h"
#include "core/rng.h"
#include "report/page.h"

static char folder[] = "/tmp/pba-test-report-XXXXXX";

#include "scratch.h" /* in that folder */

static void put(const char *run, const char *name, const char *text)
{
    char path[256];
    assert_ok(file_make_folder(at(run)));
    snprintf(path, sizeof path, "%s/%s", run, name);
    assert_ok(file_write(at(path), text, strlen(text)));
}

/* The page of one run; free it. */
static char *page_of(const char *run, const char *dataset)
{
    const char *path = at(run);
    pba_report_options options = {.runs = &path, .run_count = 1, .dataset = dataset};
    char *text;
    size_t size;
    assert_ok(pba_report_write(&options, at("page.html")));
    assert_ok(file_read(at("page.html"), 1 << 26, &text, &size));
    return text;
}

static void assert_says(const char *page, const char *text)
{
    if (!strstr(page, text)) {
        fail_msg("the page does not say: %s", text);
    }
}

static pba_status refused(const char *run)
{
    const char *path = at(run);
    pba_report_options options = {.runs = &path, .run_count = 1};
    return pba_report_write(&options, at("page.html"));
}

/* ------------------------------------------------------------------- searches */

enum { MEMBERS = 6, INTERVAL = 3, EPOCHS = 20, ROUNDS = 7 };

static const char config[] =
    "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"search\", \"build\": \"b<u>ild\", "
    "\"settings\": {\"dataset\": \"%s\", \"model\": \"wrn-10-1\", \"epochs\": \"20\", "
    "\"population\": \"6\", \"interval\": \"3\", \"train-size\": \"500\", \"val-size\": \"200\", "
    "\"baseline\": \"auto\", \"seed\": \"5\", \"split-seed\": \"0\", "
    "\"skip-bad\": \"true\"}}";

static void put_config(const char *run, const char *dataset)
{
    char text[2048];
    snprintf(text, sizeof text, config, dataset);
    put(run, "config.json", text);
}

/* A population under errors that are drawn, its journal as a search writes it up to `rounds`. */
static const pba_schedule *warm; /* what the next ones start from; NULL: from nothing */

static void add_policy(report_text *lines, const pba_policy *policy)
{
    json_t *list = schedule_policy_json(policy);
    char *text = json_dumps(list, JSON_COMPACT);
    report_add(lines, ",\"policy\":%s}\n", text);
    free(text);
    json_decref(list);
}

static pba_population *live(const char *run, int rounds, uint64_t seed)
{
    pba_population_options options;
    pba_population *population;
    report_text lines = {0};
    rng rng = rng_at(seed, RNG_DEMO, 0, 0, 0);
    pba_population_defaults(&options);
    options.population = MEMBERS;
    options.interval = INTERVAL;
    options.epochs = EPOCHS;
    options.seed = seed;
    options.start = warm;
    assert_ok(pba_population_create(&options, &population));
    for (int i = 0; i < rounds * MEMBERS; i++) {
        pba_task task;
        assert_ok(pba_population_ask(population, &task));
        if (task.weights_from != task.member) {
            report_add(&lines,
                       "{\"type\":\"exploit\",\"round\":%d,\"epoch\":%d,\"member\":%d,"
                       "\"source\":%d",
                       task.round - 1, task.from_epoch, task.member, task.weights_from);
            add_policy(&lines, &task.policy);
        } else if (warm && task.round == 0) {
            report_add(&lines, "{\"type\":\"start\",\"member\":%d", task.member);
            add_policy(&lines, &task.policy);
        }
        if (i % MEMBERS == MEMBERS - 1) { /* all have been asked for */
            for (int member = 0; member < MEMBERS; member++) {
                double error = rng_below(&rng, 1000) / 1000.0;
                assert_ok(pba_population_tell(population, member, error));
                report_add(&lines,
                           "{\"type\":\"score\",\"round\":%d,\"member\":%d,\"epoch\":%d,"
                           "\"error\":%.3f,\"val_loss\":1.5,\"train_accuracy\":0.75}\n",
                           task.round, member, task.until_epoch, error);
            }
        }
    }
    put(run, "journal.jsonl", lines.data ? lines.data : "");
    free(lines.data);
    return population;
}

/* The policies that the journal tells are those that the population itself has. */
static void schedule_is_found(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        pba_population *population = live("found", ROUNDS, seed);
        pba_schedule *expected;
        report_run *run;
        int best;
        double error;
        put_config("found", "demo");
        assert_ok(pba_population_schedule(population, &expected));
        assert_ok(pba_population_best(population, &best, &error));
        assert_ok(report_run_open(at("found"), 0, &run));
        assert_int_equal(run->best, best);
        assert_true(fabs(run->best_error - error) < 1e-9);
        assert_int_equal(run->whole, ROUNDS);
        assert_int_equal(run->schedule->segment_count, expected->segment_count);
        for (int i = 0; i < expected->segment_count; i++) {
            assert_int_equal(run->schedule->segments[i].epochs, expected->segments[i].epochs);
            assert_memory_equal(&run->schedule->segments[i].policy, &expected->segments[i].policy,
                                sizeof(pba_policy));
        }
        assert_true(report_cell_at(run, ROUNDS - 1, best)->wins);
        report_run_free(run);
        pba_schedule_free(expected);
        pba_population_free(population);
    }
}

/* And so where the members did not start from nothing. */
static void warm_schedule_is_found(void **state)
{
    pba_policy policy = {.entries = 30};
    pba_schedule *start;
    for (int i = 0; i < 60; i++) {
        policy.values[i] = (uint8_t)(i % 9);
    }
    assert_ok(pba_schedule_constant(&policy, schedule_pba_ops, SCHEDULE_PBA_OPS, 7, &start));
    warm = start;
    schedule_is_found(state);
    warm = NULL;
    pba_schedule_free(start);
}

static void figures_appear(void **state)
{
    pba_population_free(live("figures", ROUNDS, 3));
    put_config("figures", "demo");
    report_run *run;
    char wanted[64];
    assert_ok(report_run_open(at("figures"), 0, &run));
    char *page = page_of("figures", NULL);
    for (int member = 0; member < MEMBERS; member++) {
        snprintf(wanted, sizeof wanted, "member %d after 20 epochs\nvalidation error %.2f %%",
                 member, 100 * report_cell_at(run, ROUNDS - 1, member)->error);
        assert_says(page, wanted);
    }
    snprintf(wanted, sizeof wanted, "<b>%.2f %%</b>", 100 * run->best_error);
    assert_says(page, wanted);
    assert_says(page, "copied member");
    assert_says(page, "src=\"data:image/png;base64,iVBOR");
    assert_says(page, "pba search demo <span>--model</span> wrn-10-1 <span>--epochs</span> 20");
    assert_says(page, "<span>--split-seed</span> 0 <span>--skip-bad</span></pre>");
    assert_says(page, "<h2>How often each operation is applied</h2>");
    assert_says(page, "<h2>How strongly each operation is applied</h2>");
    assert_says(page, "training error 25.00 % in its last epoch");
    free(page);
    report_run_free(run);
}

/* Killed in the middle of a line, and in the middle of a round. */
static void killed_is_drawn(void **state)
{
    char *text, *page;
    size_t size;
    pba_population_free(live("killed", 3, 3));
    put_config("killed", "demo");
    assert_ok(file_read(at("killed/journal.jsonl"), 1 << 20, &text, &size));
    for (size_t cut = 1; cut < 500; cut += 7) {
        report_run *run;
        assert_ok(file_write(at("killed/journal.jsonl"), text, size - cut));
        assert_ok(report_run_open(at("killed"), 0, &run));
        assert_int_equal(run->whole, 2);
        assert_int_equal(pba_schedule_epochs(run->schedule), 2 * INTERVAL);
        report_run_free(run);
    }
    page = page_of("killed", NULL);
    assert_says(page, "This search is not finished");
    assert_says(page, "after round 2 of 7, 6 of 20 epochs");
    assert_says(page, "pba search --resume ");
    free(page);
    text[size / 2] = '\n'; /* in the middle it is no kill */
    text[size / 2 + 1] = '}';
    assert_ok(file_write(at("killed/journal.jsonl"), text, size));
    assert_int_equal(refused("killed"), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "journal.jsonl: line "));
    free(text);
}

static void beginning_is_drawn(void **state)
{
    put("fresh", "journal.jsonl", "");
    put_config("fresh", "demo");
    char *page = page_of("fresh", NULL);
    assert_says(page, "No round of 7 is complete yet");
    free(page);
    put("fresh", "journal.jsonl",
        "{\"type\":\"score\",\"round\":0,\"member\":4,\"epoch\":3,\"error\":null}\n");
    page = page_of("fresh", NULL);
    assert_says(page, "its loss became no number");
    free(page);
}

/* Nobody has copied: the best member's policy is the empty one. */
static void empty_is_said(void **state)
{
    pba_population_free(live("empty", 1, 3));
    put_config("empty", "nowhere");
    char *page = page_of("empty", NULL);
    assert_says(page, "No operation fires so far");
    assert_says(page, "The images are left out, since the data cannot be used now: nowhere");
    assert_null(strstr(page, "data:image"));
    free(page);
    page = page_of("empty", "demo");
    assert_says(page, "data:image");
    free(page);
    pba_policy nothing = {.entries = 30};
    pba_schedule *schedule;
    assert_ok(
        pba_schedule_constant(&nothing, schedule_pba_ops, SCHEDULE_PBA_OPS, EPOCHS, &schedule));
    assert_ok(pba_schedule_save(schedule, at("empty/schedule.json")));
    pba_schedule_free(schedule);
    put("empty", "result.json", "{\"val_error\": 0.5}");
    page = page_of("empty", "nowhere");
    assert_says(page, "No operation ever fires in this schedule");
    assert_says(page, "The best member is one that kept the empty policy");
    free(page);
}

static void damage_is_refused(void **state)
{
    static const char *const lines[] = {
        "{\"type\":\"score\",\"round\":1,\"member\":0,\"error\":0.5}\n",
        "{\"type\":\"score\",\"round\":0,\"member\":6,\"error\":0.5}\n",
        "{\"type\":\"score\",\"round\":0,\"error\":0.5}\n",
        "{\"type\":\"exploit\",\"round\":0,\"member\":-1,\"source\":0,\"policy\":[]}\n",
        "{\"type\":\"exploit\",\"round\":0,\"member\":1,\"source\":9,\"policy\":[]}\n",
        "{\"type\":\"exploit\",\"round\":999999999,\"member\":1,\"source\":1}\n",
    };
    put_config("damaged", "demo");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        put("damaged", "journal.jsonl", lines[i]);
        assert_int_equal(refused("damaged"), PBA_FORMAT);
        assert_non_null(strstr(pba_error_message(), "journal.jsonl: line 1: field "));
    }
    put("damaged", "config.json", "{\"format\": \"pba-run\"}");
    assert_int_equal(refused("damaged"), PBA_FORMAT);
    put("damaged", "config.json",
        "{\"format\": \"pba-run\", \"kind\": \"search\", \"settings\": {\"population\": \"1e9\"}}");
    assert_int_equal(refused("damaged"), PBA_FORMAT);
    assert_int_equal(refused("nowhere"), PBA_NOT_FOUND);
    pba_report_options none = {0};
    assert_int_equal(pba_report_write(&none, at("page.html")), PBA_USAGE);
}

/* ------------------------------------------------------------------- training */

static void put_arm(const char *run, const char *augment, const char *errors)
{
    char config[1024];
    snprintf(config, sizeof config,
             "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"train\", \"settings\": "
             "{\"dataset\": "
             "\"demo\", \"model\": \"wrn-10-1\", \"augment\": \"%s\", \"epochs\": \"9\", "
             "\"seed\": \"7\", \"seeds\": \"3\"}}",
             augment);
    put(run, "config.json", config);
    if (errors) {
        put(run, "result.json", errors);
    }
}

static void put_training(const char *run, const char *errors)
{
    put_arm(run, "baseline", errors);
}

/* Errors of 10, 12 and 17 %: mean 13, deviation sqrt(13), t 4.3027, so 13 +- 8.957. */
static void intervals_are_students(void **state)
{
    report_run *run;
    put_training("trained", "{\"seeds\": [{\"test_error\": 0.10}, {\"test_error\": 0.12}, "
                            "{\"test_error\": 0.17}]}");
    assert_ok(report_run_open(at("trained"), 0, &run));
    assert_true(fabs(report_mean(run) - 0.13) < 1e-12);
    assert_true(fabs(report_half_width(run) - 0.0895677) < 1e-5);
    report_run_free(run);
    char *page = page_of("trained", NULL);
    assert_says(page, "13.00 &#177; 8.96 %");
    assert_says(page, "seeds: 10.00 % 12.00 % 17.00 %");
    free(page);
}

/* A schedule beside two arms that need none: told, with what the search cost. */
static void verdict_is_on_the_page(void **state)
{
    char augment[PBA_PATH_MAX], *page, *names[4];
    static const char *const runs[] = {"arm-schedule", "arm-baseline", "arm-cutout", "arm-file"};
    snprintf(augment, sizeof augment, "%s/a-search", folder);
    put("a-search", "config.json", "{\"build\": \"pba 0\\ncores 4\"}");
    put("a-search", "result.json", "{\"seconds\": 3600}");
    put_arm(runs[0], augment,
            "{\"threads\": 1, \"seeds\": [{\"test_error\": 0.20, "
            "\"seconds\": 360}, {\"test_error\": 0.21, \"seconds\": 360}, "
            "{\"test_error\": 0.22, \"seconds\": 360}]}");
    put_arm(runs[1], "baseline",
            "{\"core_seconds\": 900, \"seeds\": [{\"test_error\": 0.30}, "
            "{\"test_error\": 0.31}, {\"test_error\": 0.32}]}");
    put_arm(runs[2], "cutout:8",
            "{\"seeds\": [{\"test_error\": 0.25}, "
            "{\"test_error\": 0.262}, {\"test_error\": 0.268}]}");
    put_arm(runs[3], "gone/schedule.json", "{\"seeds\": []}");
    for (int i = 0; i < 4; i++) {
        names[i] = strdup(at(runs[i]));
    }
    size_t size;
    pba_report_options options = {.runs = (const char *const *)names, .run_count = 4};
    assert_ok(pba_report_write(&options, at("page.html")));
    assert_ok(file_read(at("page.html"), 1 << 26, &page, &size));
    assert_says(page, "The search paid: under a-search the test error is 5.00 points lower than "
                      "under cutout:8, the best of what needs no search (95 % interval of the gain "
                      "4.50 to 5.50 points, paired over 3 seeds).");
    assert_says(page, "0.30<br/><span class=\"soft\">its search 4.00</span>");
    assert_says(page, "<td class=\"number\">0.25</td>");
    assert_null(strstr(page, "under schedule.json")); /* no seed of it is done */
    free(page);
    put("a-search", "result.json", "{\"seconds\": 3600, \"core_seconds\": 5400}");
    assert_ok(pba_report_write(&options, at("page.html")));
    assert_ok(file_read(at("page.html"), 1 << 26, &page, &size));
    assert_says(page, "its search 1.50</span>");
    free(page);
    for (int i = 0; i < 4; i++) {
        free(names[i]);
    }
}

/* t of 25 degrees of freedom is 2.0595. */
static void many_seeds_are_students(void **state)
{
    double errors[26];
    report_run run = {.kind = REPORT_TRAINING, .done = 26, .seeds = 26, .errors = errors};
    for (int i = 0; i < 26; i++) {
        errors[i] = 0.5 + (i % 2 ? 0.1 : -0.1);
    }
    double deviation = 0.1 * sqrt(26.0 / 25);
    assert_true(fabs(report_half_width(&run) * sqrt(26.0) / deviation - 2.0595) < 2e-4);
}

static void unfinished_training_is_drawn(void **state)
{
    put_training("training", NULL);
    char *page = page_of("training", NULL);
    assert_says(page, "no seed done yet");
    free(page);
    put("training/checkpoint", "seed-8.json", "{\"test_error\": 0.25}");
    page = page_of("training", NULL);
    assert_says(page, "25.00 %, one seed");
    assert_says(page, "1 of 3");
    free(page);
    put_training("training", "{\"seeds\": [{\"test_error\": 7}]}");
    assert_int_equal(refused("training"), PBA_FORMAT);
    put_training("training", "{\"seeds\": [{\"test_error\": 0}, {\"test_error\": 0}, "
                             "{\"test_error\": 0}, {\"test_error\": 0}]}");
    assert_int_equal(refused("training"), PBA_FORMAT);
}

/* ---------------------------------------------------------------------- parts */

/* Beside hand-worked cases: the sum is what draw_count allows when all entries are certain. */
static void expectations_are_exact(void **state)
{
    double expected[PBA_POLICY_MAX];
    pba_policy one = {.entries = 1, .values = {4, 0}};
    augment_pba_expect(&one, &schedule_pba_counts, expected);
    assert_true(fabs(expected[0] - 0.4 * 0.8) < 1e-12);
    pba_policy two = {.entries = 2, .values = {10, 0, 5, 0}};
    augment_pba_expect(&two, &schedule_pba_counts,
                       expected); /* alone: .8, beside the other: .3 / 2 + .5 */
    assert_true(fabs(expected[0] - (0.5 * 0.8 + 0.5 * 0.65)) < 1e-12);
    assert_true(fabs(expected[1] - 0.5 * 0.65) < 1e-12);
    pba_policy all = {.entries = 30};
    double sum = 0;
    for (int i = 0; i < 30; i++) {
        all.values[2 * i] = 10;
    }
    augment_pba_expect(&all, &schedule_pba_counts, expected);
    for (int i = 0; i < 30; i++) {
        sum += expected[i];
    }
    assert_true(fabs(sum - 1.3) < 1e-12);
}

static void texts_are_escaped(void **state)
{
    report_text text = {0};
    report_say(&text, "%s",
               "<a href=\"x\" o='y'>&\x01\xff\xc3\xa9\xc0\xaf\xed\xa0\x80\xef\xbf\xbf");
    assert_string_equal(text.data,
                        "&lt;a href=&quot;x&quot; o=&#39;y&#39;&gt;&amp;"
                        "\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd"
                        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    free(text.data);
}

static void base64_is_rfc4648(void **state)
{
    static const char *const pairs[][2] = {{"f", "Zg=="},         {"fo", "Zm8="},
                                           {"foo", "Zm9v"},       {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        report_text text = {0};
        report_base64(&text, (const uint8_t *)pairs[i][0], strlen(pairs[i][0]));
        assert_string_equal(text.data, pairs[i][1]);
        free(text.data);
    }
}

/* A schedule that changes every epoch is drawn at evenly spaced ones, and is not larger for it. */
static void long_schedules_are_sampled(void **state)
{
    static const char *const ops[] = {"Rotate", "Somebodys-own"};
    pba_schedule *schedule;
    figures *figures;
    assert_ok(schedule_create(ops, 2, 1, &schedule));
    for (int i = 0; i < 5000; i++) {
        pba_policy policy = {.entries = 2, .values = {(uint8_t)(i % 11), (uint8_t)(i % 10), 1, 9}};
        assert_ok(schedule_append(schedule, 1, &policy, NULL));
    }
    assert_ok(figures_create(schedule, &figures));
    assert_true(figures->sampled);
    assert_int_equal(figures->count, FIGURES_COLUMNS_MAX);
    assert_int_equal(figures->columns[FIGURES_COLUMNS_MAX - 1].until, 5000);
    assert_true(figures->used[1]);
    figures_free(figures);
    pba_schedule_free(schedule);
}

static void operations_are_drawn(void **state)
{
    pba_image image, sheet;
    assert_ok(pba_image_create(300, 40, 3, &image));
    memset(image.pixels, 200, 300 * 40 * 3);
    assert_ok(pba_ops_preview_write(&image, at("ops.png")));
    assert_ok(pba_image_read(at("ops.png"), &sheet));
    assert_true(sheet.width > 7 * 100);
    assert_true(sheet.height > 20 * 14);
    pba_image_free(&sheet);
    pba_image_free(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule_is_found),
        cmocka_unit_test(warm_schedule_is_found),
        cmocka_unit_test(figures_appear),
        cmocka_unit_test(killed_is_drawn),
        cmocka_unit_test(beginning_is_drawn),
        cmocka_unit_test(empty_is_said),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(intervals_are_students),
        cmocka_unit_test(verdict_is_on_the_page),
        cmocka_unit_test(many_seeds_are_students),
        cmocka_unit_test(unfinished_training_is_drawn),
        cmocka_unit_test(expectations_are_exact),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(base64_is_rfc4648),
        cmocka_unit_test(long_schedules_are_sampled),
        cmocka_unit_test(operations_are_drawn),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
