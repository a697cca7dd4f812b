/* SPDX-License-Identifier: Apache-2.0
 * pba compare: is a schedule worth its search? The same network under several kinds of
 * augmentation. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_compare_options compare; /* first: the library's rows count from here */
    char resume[PBA_PATH_MAX];
    cli_talk talk;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"resume", PBA_SETTING_TEXT, CLI_FIELD(options, resume), 0, 0, "", "DIR", NULL,
         "Goes on with the comparison in folder DIR: arms that are finished stay, one that was "
         "begun goes on. Only --workers may be changed, on which the result does not depend, and "
         "--plugin, for a plug-in that has moved.",
         true},
        CLI_TALK_ROWS(options, talk),
    };
    size_t count;
    const pba_setting *library = pba_compare_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static int open_comparison(options *options, const cli_arguments *arguments,
                           pba_comparison **comparison)
{
    pba_compare_options *compare = &options->compare;
    cli_opening opening;
    pba_status status;
    if (options->resume[0]) {
        if (!cli_resume_is_alone(arguments)) {
            return CLI_USAGE;
        }
        int failed = cli_load_plugins(compare->plugin);
        if (failed) {
            return failed;
        }
        cli_opening_start(&opening, options->talk.quiet, NULL);
        status = pba_comparison_resume_with(options->resume, compare->workers, &opening.observer,
                                            comparison);
        cli_opening_end(&opening);
        return status == PBA_OK ? CLI_DONE : cli_failed(status);
    }
    if (!arguments->word_count) {
        return cli_usage("compare: an argument is missing, usage: pba compare DATASET (a path, or "
                         "\"demo\") --arms ARM,ARM..., or pba compare --resume DIR");
    }
    if (!cli_set_path(compare->dataset, "DATASET", arguments->words[0])) {
        return CLI_USAGE;
    }
    if (!compare->out[0]) {
        cli_next_run("compare", compare->dataset, compare->out);
    }
    cli_opening_start(&opening, options->talk.quiet, NULL);
    status = pba_comparison_create_with(compare, &opening.observer, comparison);
    cli_opening_end(&opening);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

/* *said: what the plan's notes were, where they have been printed; *networks: of all arms. */
static int print_plan(const options *options, pba_comparison *comparison, const char **said,
                      int *networks)
{
    pba_plan plan;
    char title[2 * PBA_PATH_MAX + 32];
    const pba_compare_options *compare = pba_comparison_options(comparison);
    if (options->talk.quiet && !options->talk.dry_run) {
        return CLI_DONE;
    }
    pba_observer observer = cli_observer(NULL, NULL);
    pba_status status = pba_comparison_plan_with(comparison, &observer, &plan);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    *networks = plan.members;
    if (!plan.train_images && !(options->talk.dry_run && options->talk.json)) {
        if (options->talk.dry_run) {
            cli_print("%s\n", plan.notes);
        }
        return CLI_DONE;
    }
    snprintf(title, sizeof title, "comparing on %s: %s", compare->dataset, compare->arms);
    *said = cli_say_plan(&options->talk, title, &plan, pba_comparison_directory(comparison), NULL);
    return CLI_DONE;
}

/* ------------------------------------------------------------------- results */

/* The last part of a path, or the whole of a kind's name. */
static const char *short_name(const char *augment)
{
    const char *slash = strrchr(augment, '/');
    return slash && slash[1] ? slash + 1 : augment;
}

static void print_hours(double core_seconds)
{
    if (core_seconds >= 0) {
        cli_print("  %8.2f", core_seconds / 3600);
    } else {
        cli_print("  %8s", "");
    }
}

static void print_table(const pba_arm *arms, size_t count, const char *folder)
{
    cli_print("%-28s  %-18s  %s\n", "", "", "core-hours of its");
    cli_print("%-28s  %-18s  training    search\n", "arm", "mean test error");
    for (size_t i = 0; i < count; i++) {
        char error[CLI_TEXT];
        if (arms[i].half_width >= 0) {
            snprintf(error, sizeof error, "%6.2f +- %.2f %%", 100 * arms[i].mean,
                     100 * arms[i].half_width);
        } else {
            snprintf(error, sizeof error, "%6.2f %%, one seed", 100 * arms[i].mean);
        }
        cli_print("%-28.28s  %-18s", short_name(arms[i].augment), error);
        print_hours(arms[i].core_seconds);
        print_hours(arms[i].search_seconds);
        cli_print("\n");
    }
    if (arms[0].half_width >= 0) {
        cli_print("+-: 95 %% interval of the mean, Student's t over %d seeds\n", arms[0].seeds);
    }
    for (size_t i = 0; i < count; i++) {
        if (arms[i].verdict) {
            cli_print("\n");
            cli_print_wrapped(stdout, "", 0, arms[i].verdict);
        }
    }
    cli_print("\nreport and runs: %s\n", folder);
}

static void json_arm(cli_json *json, const pba_arm *arm)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "augment", arm->augment);
    cli_json_text(json, "run", arm->run);
    cli_json_open(json, "test_errors", '[');
    for (int i = 0; i < arm->seeds; i++) {
        cli_json_number(json, NULL, arm->errors[i]);
    }
    cli_json_close(json, ']');
    cli_json_number(json, "mean_test_error", arm->mean);
    if (arm->half_width >= 0) {
        cli_json_number(json, "half_width", arm->half_width);
    }
    cli_json_number(json, "core_seconds", arm->core_seconds);
    if (arm->search_seconds >= 0) {
        cli_json_number(json, "search_core_seconds", arm->search_seconds);
    }
    if (arm->verdict) {
        cli_json_text(json, "rival", arm->rival);
        cli_json_number(json, "gain", arm->gain);
        if (arm->gain_half_width >= 0) {
            cli_json_number(json, "gain_half_width", arm->gain_half_width);
        }
        cli_json_text(json, "verdict", arm->verdict);
    }
    cli_json_close(json, '}');
}

static void print_json(const pba_comparison *comparison, const pba_arm *arms, size_t count)
{
    const pba_compare_options *options = pba_comparison_options(comparison);
    char report[PBA_PATH_MAX + 16];
    cli_json json = {0};
    snprintf(report, sizeof report, "%s/report.html", options->out);
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "folder", options->out);
    cli_json_text(&json, "report", report);
    cli_json_text(&json, "dataset", options->dataset);
    cli_json_text(&json, "model", options->recipe.model);
    cli_json_open(&json, "arms", '[');
    for (size_t i = 0; i < count; i++) {
        json_arm(&json, &arms[i]);
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static int run_comparison(const options *options, pba_comparison *comparison)
{
    const char *said = NULL;
    int networks = 1;
    int failed = print_plan(options, comparison, &said, &networks);
    if (failed || options->talk.dry_run) {
        return failed;
    }
    cli_job job;
    cli_job_start(&job, options->talk.quiet, networks, said);
    pba_status status = pba_comparison_run(comparison, &job.observer);
    cli_job_end(&job);
    if (status == PBA_INTERRUPTED) {
        return cli_interrupted("compare", pba_comparison_directory(comparison));
    }
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    const pba_arm *arms;
    size_t count = pba_comparison_arms(comparison, &arms);
    if (options->talk.json) {
        print_json(comparison, arms, count);
    } else {
        print_table(arms, count, pba_comparison_directory(comparison));
    }
    return CLI_DONE;
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_comparison *comparison = NULL;
    int status = open_comparison(options, arguments, &comparison);
    if (status == CLI_DONE) {
        status = run_comparison(options, comparison);
    }
    pba_comparison_free(comparison);
    return status;
}

const cli_command cli_compare = {
    .name = "compare",
    .sentence = "trains under a schedule and under others, and compares",
    .usage = "DATASET --arms ARM,ARM... [--seeds N] [OPTION...]\n--resume DIR [--workers N]",
    .manual =
        "Trains the same network, with the same seeds, under each of several kinds of "
        "augmentation, "
        "and prints their mean test errors with 95 % intervals, the core-hours that each took "
        "(cores held times time; for a search's run folder those of its search too), and, for each "
        "schedule, one sentence: how far it is from the best of the arms that need no search, with "
        "the interval of that difference, from the seeds in pairs, and whether that includes "
        "zero.\n\n"
        "--arms is a list with commas between: none, baseline, trivialaugment, randaugment:2,9, a "
        "search's run folder or a schedule file (pba policies lists all kinds). Digits between two "
        "commas belong to the kind before: baseline,randaugment:2,9,runs/search-demo-1 are three "
        "arms. A comma in a path is written \\,; a folder whose name is a number ./7.\n\n"
        "Each arm is an ordinary training run in a folder below DIR, the same as pba train "
        "--augment ARM --seeds N makes. report.html shows the comparison, comparison.svg is its "
        "picture, result.json has the figures. Without --out, DIR is runs/compare-NAME-N, with the "
        "first N that is free. Ctrl-C saves; --resume goes on, with the threads that the networks "
        "began with, and comes to the same figures.\n\n"
        "Give the options of the data (such as --val-size and --split-seed) as the search "
        "had them: then no image that it was scored on is trained on, and none that is tested on "
        "was seen. The best of the other arms is chosen by the same test images that it is "
        "measured on, which favours it, a little, over the schedule.\n",
    .examples =
        "pba compare demo --model wrn-10-1 --epochs 10 --arms none,baseline,trivialaugment "
        "--seeds 3\n"
        "pba compare cifar-10-batches-bin --model wrn-16-1 --train-size 4000 --val-size 2000 "
        "--epochs 30 \\\n"
        "    --arms baseline,trivialaugment,randaugment:2,9,runs/search-cifar-10-batches-bin-1\n"
        "pba compare --resume runs/compare-cifar-10-batches-bin-1",
    .min_words = 0,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
