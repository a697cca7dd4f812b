/* SPDX-License-Identifier: Apache-2.0
 * pba train: a network from scratch under a schedule, or under what it is to be compared with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_train_options train; /* first: the library's rows count from here */
    char resume[PBA_PATH_MAX];
    cli_talk talk;
    pba_budget budget; /* seconds 0: none */
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"resume", PBA_SETTING_TEXT, CLI_FIELD(options, resume), 0, 0, "", "RUN", NULL,
         "Goes on with the training in folder RUN, with the options it was started with. Only "
         "--workers may be changed, on which the result does not depend, and --plugin, for a "
         "plug-in that has moved.",
         true},
        CLI_TALK_ROWS(options, talk),
    };
    size_t count;
    const pba_setting *library = pba_train_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

/* *said: what the plan's notes were, where they have been printed. */
static int print_plan(const options *options, const cli_arguments *arguments,
                      pba_training *training, const char **said)
{
    pba_plan plan;
    char title[2 * PBA_PATH_MAX];
    if (options->talk.quiet && !options->talk.dry_run) {
        return CLI_DONE;
    }
    pba_observer observer = cli_observer(NULL, NULL);
    pba_status status = pba_training_plan_with(training, &observer, &plan);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    snprintf(title, sizeof title, "training on %s, augmentation: %s", options->train.dataset,
             options->train.augment);
    const pba_budget *budget = options->budget.seconds > 0 ? &options->budget : NULL;
    *said = cli_say_plan(&options->talk, title, &plan, pba_training_directory(training), budget);
    if (budget && *said) {
        cli_print_budget(options->talk.json ? stderr : stdout, budget, "train", arguments);
    }
    return CLI_DONE;
}

typedef struct summary {
    double mean, least, most;
} summary;

static summary summarize(const pba_training_result *results, size_t count)
{
    summary summary = {0, results[0].test_error, results[0].test_error};
    for (size_t i = 0; i < count; i++) {
        double error = results[i].test_error;
        summary.mean += error / (double)count;
        summary.least = error < summary.least ? error : summary.least;
        summary.most = error > summary.most ? error : summary.most;
    }
    return summary;
}

static void print_table(const pba_training_result *results, size_t count, const char *run)
{
    char text[CLI_TEXT];
    cli_print("seed        test error   training accuracy   training loss   time\n");
    for (size_t i = 0; i < count; i++) {
        cli_print("%-10llu  %8.2f %%   %15.2f %%   %13.4f   %s\n",
                  (unsigned long long)results[i].seed, 100 * results[i].test_error,
                  100 * results[i].train_accuracy, results[i].train_loss,
                  cli_duration(results[i].seconds, text));
    }
    if (count > 1) {
        summary all = summarize(results, count);
        cli_print("mean        %8.2f %%   range %.2f %% to %.2f %%\n", 100 * all.mean,
                  100 * all.least, 100 * all.most);
    }
    cli_print("figures and weights: %s\n", run);
}

/* The settings of the preset that were changed by hand, as they are now. */
static void print_changed(const pba_train_options *options, const pba_preset *preset)
{
    size_t count;
    const pba_setting *library = pba_train_settings(&count);
    pba_train_options published = *options;
    if (pba_preset_apply(preset, &published, library, count) != PBA_OK) {
        return;
    }
    for (size_t i = 0; i < preset->setting_count; i++) {
        char theirs[256] = "", ours[256] = "";
        const char *name = preset->settings[i].name;
        pba_settings_get(&published, library, count, name, theirs, sizeof theirs);
        pba_settings_get(options, library, count, name, ours, sizeof ours);
        if (strcmp(theirs, ours) != 0) {
            cli_print(" --%s %s", name, ours);
        }
    }
}

/* The paper's number beside ours, with all that keeps the two from being comparable. */
static void print_published(const pba_train_options *options)
{
    pba_preset preset;
    if (options->preset[0] && pba_preset_find("train", options->preset, &preset) == PBA_OK) {
        cli_print("published   %8.2f %%   %s, %s, under the schedule of its search\n",
                  100 * preset.published_error, preset.name, preset.table);
        cli_print("here with   --augment %s", options->augment);
        print_changed(options, &preset);
        cli_print("\n");
    }
}

static void print_json(const options *options, const pba_training_result *results, size_t count,
                       const char *run)
{
    summary all = summarize(results, count);
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "run", run);
    cli_json_text(&json, "dataset", options->train.dataset);
    cli_json_text(&json, "model", options->train.recipe.model);
    cli_json_text(&json, "augment", options->train.augment);
    pba_preset preset;
    if (options->train.preset[0] &&
        pba_preset_find("train", options->train.preset, &preset) == PBA_OK) {
        cli_json_text(&json, "preset", preset.name);
        cli_json_number(&json, "published_error", preset.published_error);
    }
    cli_json_number(&json, "mean_test_error", all.mean);
    cli_json_number(&json, "least_test_error", all.least);
    cli_json_number(&json, "most_test_error", all.most);
    cli_json_open(&json, "seeds", '[');
    for (size_t i = 0; i < count; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_seed(&json, "seed", results[i].seed);
        cli_json_number(&json, "test_error", results[i].test_error);
        cli_json_number(&json, "train_accuracy", results[i].train_accuracy);
        cli_json_number(&json, "train_loss", results[i].train_loss);
        cli_json_number(&json, "seconds", results[i].seconds);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static int run_training(const options *options, const cli_arguments *arguments,
                        pba_training *training)
{
    const char *said = NULL;
    int failed = print_plan(options, arguments, training, &said);
    if (failed || options->talk.dry_run) {
        return failed;
    }
    cli_job job;
    cli_job_start(&job, options->talk.quiet, options->train.seeds, said);
    pba_status status = pba_training_run(training, &job.observer);
    cli_job_end(&job);
    if (status == PBA_INTERRUPTED) {
        return cli_interrupted("train", pba_training_directory(training));
    }
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    const pba_training_result *results;
    size_t count = pba_training_results(training, &results);
    if (options->talk.json) {
        print_json(options, results, count, pba_training_directory(training));
    } else {
        print_table(results, count, pba_training_directory(training));
        print_published(&options->train);
    }
    return CLI_DONE;
}

static int resume_training(options *options, const cli_arguments *arguments,
                           pba_training **training)
{
    if (!cli_resume_is_alone(arguments)) {
        return CLI_USAGE;
    }
    int failed = cli_load_plugins(options->train.plugin);
    if (failed) {
        return failed;
    }
    cli_opening opening;
    cli_opening_start(&opening, options->talk.quiet, NULL);
    pba_status status = pba_training_resume_with(options->resume, options->train.workers,
                                                 &opening.observer, training);
    cli_opening_end(&opening);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    options->train = *pba_training_options(*training);
    return CLI_DONE;
}

static pba_status create(options *options, const cli_arguments *arguments,
                         const pba_observer *observer, pba_training **training)
{
    if (!options->train.budget[0]) {
        return pba_training_create_with(&options->train, observer, training);
    }
    const char **kept = cli_budget_kept(arguments);
    pba_status status =
        kept ? pba_training_fit(&options->train, kept, (size_t)arguments->given_count, observer,
                                &options->budget, training)
             : PBA_MEMORY;
    free(kept);
    return status;
}

static int open_training(options *options, const cli_arguments *arguments, pba_training **training)
{
    if (!arguments->word_count) {
        return cli_usage("train: an argument is missing, usage: pba train DATASET (a path, or "
                         "\"demo\"), or pba train --resume RUN");
    }
    if (options->train.preset[0] && options->train.budget[0]) {
        return cli_usage("train: --preset names what --budget chooses; leave one of them out");
    }
    if (options->train.preset[0]) {
        size_t count;
        const pba_setting *library = pba_train_settings(&count);
        int failed = cli_apply_preset("train", options->train.preset, &options->train, library,
                                      count, arguments);
        if (failed) {
            return failed;
        }
    }
    if (!cli_set_path(options->train.dataset, "DATASET", arguments->words[0])) {
        return CLI_USAGE;
    }
    if (!options->train.out[0]) {
        cli_next_run("train", options->train.dataset, options->train.out);
    }
    cli_opening opening;
    cli_opening_start(&opening, options->talk.quiet, NULL);
    pba_status status = create(options, arguments, &opening.observer, training);
    cli_opening_end(&opening);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_training *training = NULL;
    int result = options->resume[0] ? resume_training(options, arguments, &training)
                                    : open_training(options, arguments, &training);
    if (result == CLI_DONE) {
        result = run_training(options, arguments, training);
    }
    pba_training_free(training);
    return result;
}

const cli_command cli_train = {
    .name = "train",
    .sentence = "trains a network from scratch with or without a schedule",
    .usage = "DATASET [--augment KIND] [OPTION...]\n--resume RUN [--workers N]",
    .manual =
        "Trains one network on the training images, tests it on the test images and writes its "
        "weights (safetensors) and result.json to the run folder. With --seeds N the same is done "
        "for N seeds, one network per core, and the mean and the range of their test errors are "
        "printed: a single run says little.\n\n"
        "--augment says what happens to each training image: \"none\" leaves it as it is; "
        "\"baseline\" does what is usual for such data (--baseline); any other kind of policy "
        "comes "
        "in front of the baseline: \"autoaugment:cifar10\", \"randaugment:2,9\", "
        "\"trivialaugment\", \"random\", or a search's run folder or schedule file, stretched to "
        "--epochs. pba policies lists all of them. Validation and test images are never "
        "augmented.\n\n"
        "--preset starts from the settings of one of the paper's experiments, and its published "
        "error is printed beside the result; pba presets lists them.\n\n"
        "--budget chooses the epochs so that the training of all seeds takes that long; they stand "
        "in config.json before the first one and are not changed on the way.\n\n"
        "--schedule-order takes a schedule apart, to see what in it matters.\n\n"
        "Ctrl-C saves, and so does the passing of five minutes or an epoch: --resume goes on from "
        "there, and ends with the same weights as if nothing had happened, on more or fewer cores, "
        "too: "
        "each network keeps the threads that it began with (--threads). The same --seed gives the "
        "same "
        "weights with the same --threads, the same build, and a processor of the same kind: one "
        "with "
        "other instruction sets adds up in another order.\n\n"
        "Compare with the same --split-seed, which decides the images of each split and is apart "
        "from --seed.\n",
    .examples = "pba train demo --model wrn-10-1 --epochs 10 --augment baseline --seeds 3\n"
                "pba train demo --model wrn-10-1 --epochs 10 --augment trivialaugment --seeds 3\n"
                "pba train cifar-10-batches-bin --model wrn-28-2 --augment "
                "runs/search-cifar-10-batches-bin-1\n"
                "pba train cifar-10-batches-bin --model wrn-28-2 --augment schedule.json --json > "
                "result.json\n"
                "pba train --resume runs/train-cifar-10-batches-bin-1",
    .min_words = 0,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
