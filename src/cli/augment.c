/* SPDX-License-Identifier: Apache-2.0
 * pba augment: the images of one epoch in a file, for other trainers. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    pba_dataset_options dataset; /* first: the library's rows count from here */
    char schedule[PBA_PATH_MAX], augment[PBA_PATH_MAX], out[PBA_PATH_MAX], plugin[PBA_PATH_MAX];
    char baseline[PBA_NAME_MAX], split[PBA_NAME_MAX];
    int epoch, train_epochs, epochs, count, train_size, val_size;
    uint64_t seed, split_seed;
    bool masks, json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"schedule", PBA_SETTING_TEXT, CLI_FIELD(options, schedule), 0, 0, "", "FILE|RUN", NULL,
         "The schedule, one of whose epochs is applied.", false},
        {"augment", PBA_SETTING_TEXT, CLI_FIELD(options, augment), 0, 0, "", "KIND", NULL,
         "Another kind of augmentation instead, as pba train takes it: none, baseline, "
         "trivialaugment, randaugment:2,9 and so on; pba policies lists them.",
         false},
        {"epoch", PBA_SETTING_INT, CLI_FIELD(options, epoch), 0, 1000000, "0", "E", NULL,
         "The epoch, counted from 0; each draws anew. With --schedule it has to be given.", false},
        {"train-epochs", PBA_SETTING_INT, CLI_FIELD(options, train_epochs), 0, 1000000, "0", "N",
         NULL,
         "Epochs of the training that it is for: the schedule is stretched to them, as pba train "
         "--epochs does. 0: the schedule's own.",
         false},
        {"out", PBA_SETTING_TEXT, CLI_FIELD(options, out), 0, 0, "", "FILE.npz", NULL,
         "The file to write.", false},
        {"split", PBA_SETTING_TEXT, CLI_FIELD(options, split), 0, 0, "training",
         "training|validation|test", "training|validation|test|train", "The images to write.",
         false},
        {"count", PBA_SETTING_INT, CLI_FIELD(options, count), 0, 1e9, "0", "N", NULL,
         "The first N of them; 0: all.", false},
        {"baseline", PBA_SETTING_TEXT, CLI_FIELD(options, baseline), 0, 0, "auto", "LIST", NULL,
         "Augmentation that applies to every image, behind the policy. auto: what is usual for the "
         "data, as pba train does; none: left to the other trainer, for one that crops and flips "
         "by itself; or a list of crop:P, flip, cutout:S.",
         false},
        {"masks", PBA_SETTING_FLAG, CLI_FIELD(options, masks), 0, 0, "false", "", NULL,
         "Writes an array \"masks\" too: 0 where an image has no content, moved in from outside or "
         "cut out. pba train shows a network the data set's mean there; in \"images\" it is black "
         "where nothing else was drawn over it.",
         false},
        {"seed", PBA_SETTING_SEED, CLI_FIELD(options, seed), 0, 0, "0", "S", NULL,
         "The draws are those of a training run with this seed.", false},
        CLI_LOG_EPOCHS_ROW(options),
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes what was written as JSON.", false},
        CLI_PLUGIN_ROW(options),
        CLI_SPLIT_ROWS(options),
    };
    size_t count;
    const pba_setting *library = pba_dataset_settings(&count);
    cli_rows_add(rows, library, count);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static void say(const options *options, const pba_dataset *dataset, int images)
{
    pba_dataset_info info;
    pba_dataset_describe(dataset, &info);
    if (!options->json) {
        cli_print("%s: images (%d, %d, %d, %d), labels, %d class_names%s\n", options->out, images,
                  info.height, info.width, info.channels, info.classes,
                  options->masks ? ", masks" : "");
        return;
    }
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "file", options->out);
    cli_json_number(&json, "images", images);
    cli_json_number(&json, "height", info.height);
    cli_json_number(&json, "width", info.width);
    cli_json_number(&json, "channels", info.channels);
    cli_json_number(&json, "classes", info.classes);
    cli_json_number(&json, "epoch", options->epoch);
    cli_json_bool(&json, "masks", options->masks);
    cli_json_close(&json, '}');
}

static pba_split split_of(const char *name)
{
    return name[0] == 'v' ? PBA_VALIDATION : strcmp(name, "test") == 0 ? PBA_TEST : PBA_TRAIN;
}

static int write_images(const options *options, const char *path, const pba_schedule *schedule)
{
    pba_dataset *dataset = NULL;
    pba_split split = split_of(options->split);
    pba_augmenter_options augmenter = {.schedule = schedule,
                                       .augment = options->augment[0] ? options->augment : NULL,
                                       .baseline = options->baseline,
                                       .scale_pixels = true,
                                       .seed = options->seed};
    pba_status status = cli_open_dataset(path, &options->dataset, &dataset);
    if (status == PBA_OK) {
        status =
            pba_dataset_split(dataset, options->train_size, options->val_size, options->split_seed);
    }
    if (status == PBA_OK) {
        status = pba_augment_write(dataset, split, options->count, &augmenter, options->epoch,
                                   options->masks, options->out);
    }
    if (status == PBA_OK) {
        say(options, dataset, options->count ? options->count : pba_dataset_count(dataset, split));
    }
    pba_dataset_free(dataset);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int open_schedule(const options *options, pba_schedule **schedule)
{
    pba_schedule *found = NULL;
    int result = cli_load_schedule(options->schedule, options->epochs, &found);
    if (result != CLI_DONE || !options->train_epochs) {
        *schedule = found;
        return result;
    }
    pba_status status = pba_schedule_stretch(found, options->train_epochs, schedule);
    pba_schedule_free(found);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    pba_schedule *schedule = NULL;
    int result = CLI_DONE;
    size_t length = strlen(options->out);
    if (!options->out[0]) {
        return cli_usage("augment: --out is missing, the file to write: --out epoch.npz");
    }
    if (length < 5 || strcmp(options->out + length - 4, ".npz") != 0) {
        return cli_usage("augment: --out %s: the file's name must end in .npz", options->out);
    }
    if (!options->schedule[0] == !options->augment[0]) {
        return cli_usage("augment: either --schedule FILE|RUN or --augment KIND says how");
    }
    if (options->schedule[0] && !cli_was_given(arguments, "epoch")) {
        return cli_usage(
            "augment: --epoch is missing, the epoch of the schedule, from 0: --epoch 7");
    }
    result = cli_load_plugins(options->plugin);
    if (options->schedule[0] && result == CLI_DONE) {
        result = open_schedule(options, &schedule);
    }
    if (result == CLI_DONE) {
        result = write_images(options, arguments->words[0], schedule);
    }
    pba_schedule_free(schedule);
    return result;
}

const cli_command cli_augment = {
    .name = "augment",
    .sentence = "writes the augmented images of an epoch for other trainers",
    .usage = "DATASET --schedule FILE|RUN --epoch E --out FILE.npz [OPTION...]\n"
             "DATASET --augment KIND [--epoch E] --out FILE.npz [OPTION...]",
    .manual =
        "Writes the images of a split as they are shown to a network in one epoch, as NumPy "
        "arrays: "
        "\"images\" (count, height, width, channels) of bytes, \"labels\" (count) and "
        "\"class_names\", "
        "for numpy.load. They are not normalized. The same seed and epoch give the same bytes, "
        "those "
        "that pba train with that seed and --split-seed trains on; images stand in the order of "
        "the "
        "split, not shuffled.\n\n"
        "A trainer that has crops and flips of its own wants --baseline none: policies come in "
        "front of them. Without it the file holds all that there is to an epoch.\n\n"
        "For validation and test images, which are not to be augmented: --augment none --split "
        "test. pba reads such files as data sets, too.\n",
    .examples =
        "pba augment demo --augment trivialaugment --epoch 3 --out epoch-3.npz\n"
        "pba augment photos --schedule runs/search-photos-1 --train-epochs 90 --epoch 7 --baseline "
        "none --out epoch-7.npz\n"
        "python3 -c 'import numpy; print(numpy.load(\"epoch-3.npz\")[\"images\"].shape)'",
    .min_words = 1,
    .max_words = 1,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
