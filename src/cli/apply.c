/* SPDX-License-Identifier: Apache-2.0
 * pba apply: operations, or an epoch of a schedule, on one image file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    char op[PBA_NAME_MAX]; /* the last one given; all of them are in the arguments, in order */
    char schedule[PBA_PATH_MAX], baseline[PBA_NAME_MAX], plugin[PBA_PATH_MAX];
    int epoch, epochs;
    uint64_t seed;
    bool alpha;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"op", PBA_SETTING_TEXT, CLI_FIELD(options, op), 0, 0, "", "NAME:LEVEL[:+|-]", NULL,
         "Applies operation NAME at level 0 to 10; \":-\" negates the parameter of those that have "
         "a "
         "direction (pba ops lists them). May be given several times: applied in that order.",
         false},
        {"schedule", PBA_SETTING_TEXT, CLI_FIELD(options, schedule), 0, 0, "", "FILE|RUN", NULL,
         "Instead of --op: what this schedule does to the image in epoch --epoch, as in training.",
         false},
        {"epoch", PBA_SETTING_INT, CLI_FIELD(options, epoch), 0, 1000000, "0", "E", NULL,
         "The epoch of the schedule, counted from 0.", false},
        CLI_LOG_EPOCHS_ROW(options),
        {"baseline", PBA_SETTING_TEXT, CLI_FIELD(options, baseline), 0, 0, "none", "LIST", NULL,
         "With --schedule: the baseline augmentation behind it, \"none\" or a list such as "
         "crop:4,flip,cutout:16.",
         false},
        {"seed", PBA_SETTING_SEED, CLI_FIELD(options, seed), 0, 0, "0", "S", NULL,
         "What is random (the schedule's draws, the place of Cutout) follows from it.", false},
        CLI_PLUGIN_ROW(options),
        {"alpha", PBA_SETTING_FLAG, CLI_FIELD(options, alpha), 0, 0, "false", "", NULL,
         "Writes the mask as an alpha channel: transparent where there is no content.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

/* "NAME:LEVEL[:+|-]". */
typedef struct step {
    char name[PBA_NAME_MAX];
    int level, sign;
} step;

static bool parse_level(const char *op, const char *text, int *level)
{
    static const pba_setting row = {
        "level", PBA_SETTING_INT, 0, sizeof(int), 0, 10, "0", "", NULL, "", false};
    if (pba_settings_set(level, &row, 1, "level", text) == PBA_OK) {
        return true;
    }
    cli_error("--op %s: %s", op, pba_error_message());
    return false;
}

static bool parse_step(const char *op, step *step)
{
    char text[PBA_NAME_MAX];
    snprintf(text, sizeof text, "%s", op); /* the row's size has been checked */
    char *level = strchr(text, ':');
    char *sign = level ? strchr(level + 1, ':') : NULL;
    if (!level || level == text || (sign && strcmp(sign, ":+") && strcmp(sign, ":-"))) {
        cli_error("--op %s: give NAME:LEVEL, NAME:LEVEL:+ or NAME:LEVEL:-, as in Rotate:7:-", op);
        return false;
    }
    *level = 0;
    if (sign) {
        *sign = 0;
    }
    step->sign = sign && sign[1] == '-' ? -1 : 1;
    snprintf(step->name, sizeof step->name, "%s", text);
    return parse_level(op, level + 1, &step->level);
}

/* One operation; `image` NULL: only checks that there is such a one. */
static int do_step(const options *options, const char *op, pba_image *image)
{
    step step;
    double parameter;
    if (!parse_step(op, &step)) {
        return CLI_USAGE;
    }
    pba_status status = image ? pba_op_apply(image, step.name, step.level, step.sign, options->seed)
                              : pba_op_parameter(step.name, step.level, &parameter);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int do_steps(const options *options, const cli_arguments *arguments, pba_image *image)
{
    int status = CLI_DONE;
    for (int i = 0; i < arguments->given_count && status == CLI_DONE; i++) {
        if (strcmp(arguments->given[i].name, "op") == 0) {
            status = do_step(options, arguments->given[i].value, image);
        }
    }
    return status;
}

/* The schedule, where one was given; it has epoch --epoch. */
static int load_schedule(const options *options, pba_schedule **schedule)
{
    int status = options->schedule[0]
                     ? cli_load_schedule(options->schedule, options->epochs, schedule)
                     : CLI_DONE;
    if (*schedule && options->epoch >= pba_schedule_epochs(*schedule)) {
        return cli_usage("--epoch: %d is out of range, %s has epochs 0 to %d", options->epoch,
                         options->schedule, pba_schedule_epochs(*schedule) - 1);
    }
    return status;
}

static pba_status augment(const options *options, const pba_schedule *schedule, pba_image *image)
{
    pba_image out = {0};
    pba_augmenter *augmenter = NULL;
    pba_augmenter_options settings = {
        .schedule = schedule,
        .baseline = options->baseline,
        .width = image->width,
        .height = image->height,
        .channels = image->channels,
        .scale_pixels = true,
        .seed = options->seed,
    };
    pba_status status = pba_augmenter_create(&settings, &augmenter);
    if (status == PBA_OK) {
        status = pba_image_create(image->width, image->height, image->channels, &out);
    }
    if (status == PBA_OK) {
        status = pba_augment_images(augmenter, image->pixels, NULL, 1, options->epoch, out.pixels,
                                    out.mask);
    }
    if (status == PBA_OK) {
        pba_image_free(image);
        *image = out;
    } else {
        pba_image_free(&out);
    }
    pba_augmenter_free(augmenter);
    return status;
}

static int change(const options *options, const cli_arguments *arguments,
                  const pba_schedule *schedule, pba_image *image)
{
    if (!schedule) {
        return do_steps(options, arguments, image);
    }
    pba_status status = augment(options, schedule, image);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int change_file(const options *options, const cli_arguments *arguments,
                       const pba_schedule *schedule)
{
    pba_image image = {0};
    pba_status status = pba_image_read(arguments->words[0], &image);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    int result = change(options, arguments, schedule, &image);
    if (result == CLI_DONE) {
        status = pba_image_write(arguments->words[1], &image, options->alpha);
        result = status == PBA_OK ? CLI_DONE : cli_failed(status);
    }
    pba_image_free(&image);
    return result;
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_schedule *schedule = NULL;
    if (!options->op[0] == !options->schedule[0]) {
        return cli_usage("apply: give either --op (once or several times) or --schedule");
    }
    /* what was typed is checked before any file is opened */
    int result = cli_load_plugins(options->plugin);
    if (result == CLI_DONE) {
        result = do_steps(options, arguments, NULL);
    }
    if (result == CLI_DONE) {
        result = load_schedule(options, &schedule);
    }
    if (result == CLI_DONE) {
        result = change_file(options, arguments, schedule);
    }
    pba_schedule_free(schedule);
    return result;
}

const cli_command cli_apply = {
    .name = "apply",
    .sentence = "applies operations or a schedule to one image file",
    .usage = "IN OUT --op NAME:LEVEL[:+|-] [--op ...] [--alpha]\n"
             "IN OUT --schedule FILE|RUN --epoch E [--seed S] [--alpha]",
    .manual =
        "Reads image IN, applies the operations in the order given and writes OUT; the suffix of "
        "OUT "
        "decides its format. Levels are those of the paper, for images of any size: Translate and "
        "Cutout move and cut as many pixels as on a 32-pixel image.\n\n"
        "With --schedule the image is treated as one training image in that epoch, and lengths in "
        "pixels grow with the image. Another --seed gives another draw.\n\n"
        "An operation that mixes an image with another one gets, as there is no other, the image "
        "itself turned by 180 degrees.\n",
    .examples = "pba apply cat.png turned.png --op Rotate:7:- --op Contrast:8\n"
                "pba apply cat.png cut.png --op Cutout:6 --seed 3 --alpha\n"
                "pba apply cat.png late.png --schedule schedule.json --epoch 150 --seed 3",
    .min_words = 2,
    .max_words = 2,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
