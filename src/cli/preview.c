/* SPDX-License-Identifier: Apache-2.0
 * pba preview: a contact sheet of a data set, or of what a schedule makes of it. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_dataset_options dataset; /* first: the library's rows count from here */
    char schedule[PBA_PATH_MAX], out[PBA_PATH_MAX], plugin[PBA_PATH_MAX];
    int images, columns, epochs, train_size, val_size;
    uint64_t seed, split_seed;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"schedule", PBA_SETTING_TEXT, CLI_FIELD(options, schedule), 0, 0, "", "FILE|RUN", NULL,
         "The schedule to show. Left out: the images as they are.", false},
        {"out", PBA_SETTING_TEXT, CLI_FIELD(options, out), 0, 0, "", "PICTURE", NULL,
         "The file to write; its suffix decides the format.", false},
        {"images", PBA_SETTING_INT, CLI_FIELD(options, images), 1, 10000, "10", "N", NULL,
         "Number of images, the classes in turn.", false},
        {"columns", PBA_SETTING_INT, CLI_FIELD(options, columns), 0, 100, "0", "N", NULL,
         "With a schedule: number of epochs shown, evenly spaced from the first to the last "
         "(0: 5). Without: images a row (0: 10).",
         false},
        CLI_LOG_EPOCHS_ROW(options),
        {"seed", PBA_SETTING_SEED, CLI_FIELD(options, seed), 0, 0, "0", "S", NULL,
         "The draws are those of a training run with this seed.", false},
        CLI_PLUGIN_ROW(options),
        CLI_SPLIT_ROWS(options),
    };
    size_t count;
    const pba_setting *library = pba_dataset_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static int write_sheet(const options *options, const char *path, const pba_schedule *schedule)
{
    pba_dataset *dataset = NULL;
    pba_status status = cli_open_dataset(path, &options->dataset, &dataset);
    if (status == PBA_OK) {
        status =
            pba_dataset_split(dataset, options->train_size, options->val_size, options->split_seed);
    }
    if (status == PBA_OK) {
        status = pba_preview_write(dataset, schedule, options->out, options->images,
                                   options->columns, options->seed);
    }
    pba_dataset_free(dataset);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    pba_schedule *schedule = NULL;
    int result = CLI_DONE;
    if (!options->out[0]) {
        return cli_usage("preview: --out is missing, the picture to write: --out grid.png");
    }
    result = cli_load_plugins(options->plugin);
    if (options->schedule[0] && result == CLI_DONE) {
        result = cli_load_schedule(options->schedule, options->epochs, &schedule);
    }
    if (result == CLI_DONE) {
        result = write_sheet(options, arguments->words[0], schedule);
    }
    pba_schedule_free(schedule);
    return result;
}

const cli_command cli_preview = {
    .name = "preview",
    .sentence = "draws what a schedule makes of training images",
    .usage = "DATASET [--schedule FILE|RUN] --out PICTURE [OPTION...]",
    .manual =
        "Writes a contact sheet of training images. With a schedule, each row shows one image: as "
        "it is, then as it is shown to a network in some epochs from the first to the last, "
        "augmented by the schedule and the baseline of its format; a checkerboard stands where "
        "there is no content. Without a schedule the images are shown as they are.\n",
    .examples = "pba preview demo --out demo.png --images 40\n"
                "pba preview cifar-10-batches-bin --schedule runs/search-cifar-10-batches-bin-1 "
                "--out grid.png\n"
                "pba preview cifar-10-batches-bin --schedule log.txt --epochs 200 --columns 8 "
                "--out grid.png",
    .min_words = 1,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
