/* SPDX-License-Identifier: Apache-2.0
 * pba search: a population learns a schedule. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_search_options search; /* first: the library's rows count from here */
    char resume[PBA_PATH_MAX];
    cli_talk talk;
    pba_budget budget; /* seconds 0: none */
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"resume", PBA_SETTING_TEXT, CLI_FIELD(options, resume), 0, 0, "", "RUN", NULL,
         "Goes on with the search in folder RUN, with the options it was started with. Only "
         "--workers may be changed, on which the result does not depend, and --plugin, for a "
         "plug-in that has moved.",
         true},
        CLI_TALK_ROWS(options, talk),
    };
    size_t count;
    const pba_setting *library = pba_search_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static pba_status create(options *options, const cli_arguments *arguments,
                         const pba_observer *observer, pba_search **search)
{
    if (!options->search.budget[0]) {
        return pba_search_create_with(&options->search, observer, search);
    }
    const char **kept = cli_budget_kept(arguments);
    pba_status status = kept
                            ? pba_search_fit(&options->search, kept, (size_t)arguments->given_count,
                                             observer, &options->budget, search)
                            : PBA_MEMORY;
    free(kept);
    return status;
}

static int open_search(options *options, const cli_arguments *arguments, pba_search **search)
{
    cli_opening opening;
    if (options->resume[0]) {
        if (!cli_resume_is_alone(arguments)) {
            return CLI_USAGE;
        }
        int failed = cli_load_plugins(options->search.plugin);
        if (failed) {
            return failed;
        }
        cli_opening_start(&opening, options->talk.quiet, NULL);
        pba_status status = pba_search_resume_with(options->resume, options->search.workers,
                                                   &opening.observer, search);
        cli_opening_end(&opening);
        return status == PBA_OK ? CLI_DONE : cli_failed(status);
    }
    if (!arguments->word_count) {
        return cli_usage("search: an argument is missing, usage: pba search DATASET (a path, or "
                         "\"demo\"), or pba search --resume RUN");
    }
    if (!cli_set_path(options->search.dataset, "DATASET", arguments->words[0])) {
        return CLI_USAGE;
    }
    if (options->search.preset[0] && options->search.budget[0]) {
        return cli_usage("search: --preset names what --budget chooses; leave one of them out");
    }
    if (options->search.preset[0]) {
        size_t count;
        const pba_setting *library = pba_search_settings(&count);
        int failed = cli_apply_preset("search", options->search.preset, &options->search, library,
                                      count, arguments);
        if (failed) {
            return failed;
        }
    }
    if (!options->search.out[0]) {
        cli_next_run("search", options->search.dataset, options->search.out);
    }
    cli_opening_start(&opening, options->talk.quiet, NULL);
    pba_status status = create(options, arguments, &opening.observer, search);
    cli_opening_end(&opening);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

/* *said: what the plan's notes were, where they have been printed. */
static int print_plan(const options *options, const cli_arguments *arguments, pba_search *search,
                      const char **said)
{
    pba_plan plan;
    char title[PBA_PATH_MAX + 32];
    if (options->talk.quiet && !options->talk.dry_run) {
        return CLI_DONE;
    }
    pba_observer observer = cli_observer(NULL, NULL);
    pba_status status = pba_search_plan_with(search, &observer, &plan);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    if (!plan.train_images && !(options->talk.dry_run && options->talk.json)) {
        if (options->talk.dry_run) { /* finished already; without --dry-run the run says so */
            cli_print("%s\n", plan.notes);
        }
        return CLI_DONE;
    }
    if (options->resume[0]) {
        snprintf(title, sizeof title, "resuming the search in %s", options->resume);
    } else {
        snprintf(title, sizeof title, "searching %s", options->search.dataset);
    }
    const pba_budget *budget = options->budget.seconds > 0 ? &options->budget : NULL;
    *said = cli_say_plan(&options->talk, title, &plan, pba_search_directory(search), budget);
    if (budget && *said) {
        cli_print_budget(options->talk.json ? stderr : stdout, budget, "search", arguments);
    }
    return CLI_DONE;
}

/* What was said of the data and the recipe holds for the training too, so that the two compare. But
 * images of another data set that are scored on are none to keep out of training. */
static void print_kept(const options *options, const char *name, const char *value)
{
    static const char *const kept = " size fit skip-bad train-size val-size split-seed batch lr wd "
                                    "lr-schedule baseline backend precision plugin ";
    char word[PBA_NAME_MAX + 2];
    snprintf(word, sizeof word, " %s ", name);
    bool elsewhere = options->search.val[0] && strcmp(name, "val-size") == 0;
    if (strstr(kept, word) && !elsewhere) {
        cli_print(" --%s", name);
        if (strcmp(name, "skip-bad") != 0) { /* a flag */
            cli_print_word(stdout, value);
        }
    }
}

static void print_train_command(const options *options, const cli_arguments *arguments,
                                const char *run)
{
    cli_print("train with it:   pba train");
    cli_print_word(stdout, options->search.dataset[0] ? options->search.dataset : "DATASET");
    if (options->search.dataset[0]) {
        cli_print(" --model");
        cli_print_word(stdout, options->search.recipe.model);
    }
    for (int i = 0; i < arguments->given_count; i++) {
        print_kept(options, arguments->given[i].name, arguments->given[i].value);
    }
    for (int i = 0; i < options->budget.choice_count; i++) {
        const pba_budget_choice *choice = &options->budget.choices[i];
        if (!cli_was_given(arguments, choice->name)) {
            print_kept(options, choice->name, choice->value);
        }
    }
    pba_preset preset;
    if (options->search.preset[0] &&
        pba_preset_find("search", options->search.preset, &preset) == PBA_OK) {
        for (size_t i = 0; i < preset.setting_count; i++) {
            if (!cli_was_given(arguments, preset.settings[i].name)) {
                print_kept(options, preset.settings[i].name, preset.settings[i].value);
            }
        }
    }
    cli_print(" --augment");
    cli_print_word(stdout, run);
    cli_print("\n");
}

/* No entry of any segment can fire. */
static bool is_empty(const pba_schedule *schedule)
{
    for (int i = 0; i < pba_schedule_segments(schedule); i++) {
        pba_policy policy;
        int epochs;
        if (pba_schedule_segment(schedule, i, &epochs, &policy) != PBA_OK) {
            return false;
        }
        for (int entry = 0; entry < policy.entries && epochs; entry++) {
            if (policy.values[2 * entry]) {
                return false;
            }
        }
    }
    return true;
}

static void print_summary(const char *run, const pba_schedule *schedule, double error)
{
    int segments = pba_schedule_segments(schedule);
    cli_print("validation error %.2f %% (best member)\n", 100 * error);
    cli_print("schedule         %s/schedule.json, %d segment%s over %d epochs\n", run, segments,
              segments == 1 ? "" : "s", pba_schedule_epochs(schedule));
    if (is_empty(schedule)) {
        cli_print_wrapped(stdout, "note", 17,
                          "no operation ever fires in this schedule: the best member is one that "
                          "kept the policy it started with. A network that does not yet overfit "
                          "gains nothing from more augmentation; more --epochs or a larger --model "
                          "may tell otherwise.");
    }
}

/* The search stands without it, so a report that cannot be written is said and no failure. `path`
 * is empty then. */
static void write_report(const pba_search *search, char path[PBA_PATH_MAX + 32])
{
    const char *run = pba_search_directory(search);
    pba_report_options report = {
        .runs = &run, .run_count = 1, .opened = pba_search_dataset(search)};
    snprintf(path, PBA_PATH_MAX + 32, "%s/report.html", run);
    if (pba_report_write(&report, path) != PBA_OK) {
        cli_error("%s (no report was written; pba report %s tries again)", pba_error_message(),
                  run);
        path[0] = 0;
    }
}

static int summarize(const options *options, const cli_arguments *arguments,
                     const pba_search *search)
{
    const pba_schedule *schedule;
    const char *run = pba_search_directory(search);
    double error;
    pba_status status = pba_search_result(search, &schedule, &error);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    char report[PBA_PATH_MAX + 32];
    write_report(search, report);
    if (!options->talk.json) {
        print_summary(run, schedule, error);
        if (report[0]) {
            cli_print("report           %s\n", report);
        }
        print_train_command(options, arguments, run);
        return CLI_DONE;
    }
    cli_json json = {0};
    char path[PBA_PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/schedule.json", run);
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "run", run);
    cli_json_text(&json, "schedule", path);
    if (report[0]) {
        cli_json_text(&json, "report", report);
    }
    cli_json_number(&json, "epochs", pba_schedule_epochs(schedule));
    cli_json_number(&json, "segments", pba_schedule_segments(schedule));
    cli_json_number(&json, "validation_error", error);
    cli_json_close(&json, '}');
    return CLI_DONE;
}

static int run_search(const options *options, const cli_arguments *arguments, pba_search *search)
{
    const char *said = NULL;
    int failed = print_plan(options, arguments, search, &said);
    if (failed || options->talk.dry_run) {
        return failed;
    }
    cli_job job;
    cli_job_start(&job, options->talk.quiet, 0, said);
    cli_job_show(&job, pba_search_directory(search));
    pba_status status = pba_search_run(search, &job.observer);
    if (status == PBA_OK || status == PBA_INTERRUPTED) {
        cli_job_show_end(&job);
    }
    cli_job_end(&job);
    if (status == PBA_INTERRUPTED) {
        return cli_interrupted("search", pba_search_directory(search));
    }
    return status == PBA_OK ? summarize(options, arguments, search) : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_search *search = NULL;
    int status = open_search(options, arguments, &search);
    if (status == CLI_DONE) {
        status = run_search(options, arguments, search);
    }
    pba_search_free(search);
    return status;
}

const cli_command cli_search = {
    .name = "search",
    .sentence = "learns an augmentation schedule for a data set",
    .usage = "DATASET [--out RUN] [OPTION...]\n--resume RUN [--workers N]",
    .manual =
        "Trains a population of small networks side by side. Every few epochs (--interval) each is "
        "scored on validation images; the worst quarter copies a network of the best quarter, with "
        "its augmentation policy, and mutates that policy. What comes out is the schedule: the "
        "policies, epoch by epoch, that led to the best network.\n\n"
        "Before it starts it says how many networks it will train on how many images, how long "
        "that takes and how much memory it needs, measured on a few steps on this machine.\n\n"
        "At its end the run folder holds schedule.json (for pba train, pba preview and the "
        "library), "
        "schedule.txt (the log format of the paper's code, where that can hold the schedule), "
        "report.html (to look at), result.json, config.json and journal.jsonl; until then a "
        "checkpoint, too. Without --out it is runs/search-NAME-N, with the first N "
        "that is free. A "
        "search that was stopped, by Ctrl-C or by losing power, goes on with --resume and ends "
        "with "
        "the same schedule as if nothing had happened. The same --seed gives the same schedule "
        "with "
        "any number of workers and cores, on a processor of the same kind: one with other "
        "instruction sets adds up in another order.\n\n"
        "--preset starts from the settings of one of the paper's searches; pba presets lists "
        "them.\n\n"
        "--budget fits the search into a time. What it chooses stands in config.json before the "
        "first epoch and is not changed on the way: the same options given by hand are the same "
        "search, byte for byte. From little time to much: 8 small networks for 20 epochs on 1,000 "
        "images, more images, epochs and members, then larger networks, up to the paper's 16 x "
        "wrn-40-2 for 200 epochs on 4,000 images. docs/steering.md has the rules, and more on "
        "--val, --from and --burn-in.\n\n"
        "While it runs, a terminal shows the members, drawn in place: see pba watch, which shows "
        "those of a search in another terminal. Elsewhere a line is written for every round.\n\n"
        "Test images are never used here.\n",
    .examples = "pba search demo --model wrn-10-1 --population 4 --epochs 6 --interval 2\n"
                "pba search cifar-10-batches-bin --train-size 4000 --val-size 2000 --dry-run\n"
                "pba search cifar-10-batches-bin --budget 45m\n"
                "pba search photos --val phone-photos --from runs/search-photos-1\n"
                "pba search cifar-10-batches-bin --preset rcifar10 --val-size 5000 --dry-run\n"
                "pba search --resume runs/search-cifar-10-batches-bin-1 --workers 8",
    .min_words = 0,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
