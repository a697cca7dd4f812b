/* SPDX-License-Identifier: Apache-2.0
 * pba data: what a data set holds, how it is split, its statistics. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_dataset_options dataset; /* first: the library's rows count from here */
    int train_size, val_size;
    uint64_t split_seed;
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        CLI_SPLIT_ROWS(options),
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", false},
    };
    size_t count;
    const pba_setting *library = pba_dataset_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static const struct {
    pba_split split;
    const char *name;
} splits[] = {{PBA_TRAIN, "training"}, {PBA_VALIDATION, "validation"}, {PBA_TEST, "test"}};
enum { SPLITS = sizeof splits / sizeof *splits };

static double pixel_bytes(const pba_dataset_info *info)
{
    return ((double)info->train_images + info->val_images + info->test_images) * info->width *
           info->height * info->channels;
}

static void info_text(const pba_dataset *dataset, const pba_dataset_info *info)
{
    char text[CLI_TEXT];
    cli_print("format      %s\n", info->format);
    cli_print("images      %d x %d, %s\n", info->width, info->height,
              info->channels == 1 ? "grey" : "colour");
    cli_print("memory      %s\n", cli_bytes(pixel_bytes(info), text));
    cli_print("stored      %s training", cli_count(info->train_images, text));
    if (info->val_images) {
        cli_print(", %s validation", cli_count(info->val_images, text));
    }
    cli_print(", %s test\n", cli_count(info->test_images, text));
    for (int i = 0; i < SPLITS; i++) {
        cli_print("%-11s %s\n", splits[i].name,
                  cli_count(pba_dataset_count(dataset, splits[i].split), text));
    }
    cli_print("baseline    %s\n", info->baseline);
    cli_print("classes     %d:", info->classes);
    for (int i = 0; i < info->classes && i < 20; i++) {
        cli_print(" %s", pba_dataset_class(dataset, i));
    }
    cli_print("%s\n", info->classes > 20 ? " ..." : "");
    if (info->notes[0]) {
        cli_print_wrapped(stdout, "note", 12, info->notes);
    }
}

static void info_json(const pba_dataset *dataset, const pba_dataset_info *info)
{
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "format", info->format);
    cli_json_text(&json, "notes", info->notes);
    cli_json_text(&json, "baseline", info->baseline);
    cli_json_number(&json, "width", info->width);
    cli_json_number(&json, "height", info->height);
    cli_json_number(&json, "channels", info->channels);
    cli_json_number(&json, "stored_training", info->train_images);
    cli_json_number(&json, "stored_validation", info->val_images);
    cli_json_number(&json, "stored_test", info->test_images);
    cli_json_number(&json, "bytes", pixel_bytes(info));
    for (int i = 0; i < SPLITS; i++) {
        cli_json_number(&json, splits[i].name, pba_dataset_count(dataset, splits[i].split));
    }
    cli_json_open(&json, "classes", '[');
    for (int i = 0; i < info->classes; i++) {
        cli_json_text(&json, NULL, pba_dataset_class(dataset, i));
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

/* Images per class and split, counts[class * SPLITS + split]. */
static pba_status count_classes(const pba_dataset *dataset, int *counts)
{
    for (int s = 0; s < SPLITS; s++) {
        for (int i = 0; i < pba_dataset_count(dataset, splits[s].split); i++) {
            pba_image view;
            int label;
            pba_status status = pba_dataset_image(dataset, splits[s].split, i, &view, &label);
            if (status != PBA_OK) {
                return status;
            }
            counts[label * SPLITS + s]++;
        }
    }
    return PBA_OK;
}

typedef struct statistics {
    double mean[3], deviation[3];
    int *counts;
} statistics;

static void stats_text(const pba_dataset *dataset, const pba_dataset_info *info,
                       const statistics *statistics)
{
    cli_print("of the training images, per channel, in 0..1\n");
    for (int c = 0; c < info->channels; c++) {
        cli_print("channel %d   mean %.8f   deviation %.8f\n", c, statistics->mean[c],
                  statistics->deviation[c]);
    }
    cli_print("\n%-24s %10s %10s %10s\n", "class", splits[0].name, splits[1].name, splits[2].name);
    for (int i = 0; i < info->classes; i++) {
        const int *row = statistics->counts + i * SPLITS;
        cli_print("%-24s %10d %10d %10d\n", pba_dataset_class(dataset, i), row[0], row[1], row[2]);
    }
}

static void stats_json(const pba_dataset *dataset, const pba_dataset_info *info,
                       const statistics *statistics)
{
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "channels", '[');
    for (int c = 0; c < info->channels; c++) {
        cli_json_open(&json, NULL, '{');
        cli_json_number(&json, "mean", statistics->mean[c]);
        cli_json_number(&json, "deviation", statistics->deviation[c]);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_open(&json, "classes", '[');
    for (int i = 0; i < info->classes; i++) {
        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "name", pba_dataset_class(dataset, i));
        for (int s = 0; s < SPLITS; s++) {
            cli_json_number(&json, splits[s].name, statistics->counts[i * SPLITS + s]);
        }
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
}

static pba_status stats(const pba_dataset *dataset, const pba_dataset_info *info, bool as_json)
{
    statistics statistics = {.counts =
                                 calloc((size_t)info->classes, SPLITS * sizeof *statistics.counts)};
    pba_status status = statistics.counts ? PBA_OK : PBA_MEMORY;
    if (status == PBA_OK) {
        status = pba_dataset_statistics(dataset, statistics.mean, statistics.deviation);
    }
    if (status == PBA_OK) {
        status = count_classes(dataset, statistics.counts);
    }
    if (status == PBA_OK) {
        (as_json ? stats_json : stats_text)(dataset, info, &statistics);
    }
    free(statistics.counts);
    return status;
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    bool want_stats = strcmp(arguments->words[0], "stats") == 0;
    pba_dataset *dataset = NULL;
    pba_dataset_info info;
    if (!want_stats && strcmp(arguments->words[0], "info") != 0) {
        return cli_usage("data: \"%s\" is neither info nor stats", arguments->words[0]);
    }
    pba_status status = cli_open_dataset(arguments->words[1], &options->dataset, &dataset);
    if (status == PBA_OK) {
        status =
            pba_dataset_split(dataset, options->train_size, options->val_size, options->split_seed);
    }
    if (status == PBA_OK) {
        status = pba_dataset_describe(dataset, &info);
    }
    if (status == PBA_OK && want_stats) {
        status = stats(dataset, &info, options->json);
    } else if (status == PBA_OK) {
        (options->json ? info_json : info_text)(dataset, &info);
    }
    pba_dataset_free(dataset);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_data = {
    .name = "data",
    .sentence = "tells what a data set holds and how it is split",
    .usage = "info DATASET [OPTION...]\nstats DATASET [OPTION...]",
    .manual =
        "info prints the format, the size of the images, the classes and how many images each "
        "split "
        "has. stats prints mean and standard deviation of the training images per channel, and the "
        "images per class and split.\n\n"
        "Where a data set has no test images of its own, they are drawn first, then the validation "
        "images, then the training images, each with the same share of every class.\n",
    .examples = "pba data info demo\npba data stats cifar-10-batches-bin --val-size 1000\npba data "
                "info demo --json",
    .min_words = 2,
    .max_words = 2,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
