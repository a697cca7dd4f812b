/* SPDX-License-Identifier: Apache-2.0
 * pba bench augment: images a second of one thread, for each operation alone and for a policy with
 * baseline and normalization. bench/pillow_ops.py does the same with Pillow: the images, the levels
 * and the sizes of the two agree. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"size", PBA_SETTING_TEXT, CLI_FIELD(bench_options, size), 0, 0, "32x32", "WxH", NULL,
         "augment: width and height of the images.", false},
        {"op", PBA_SETTING_TEXT, CLI_FIELD(bench_options, op), 0, 0, "", "NAME", NULL,
         "augment: only this operation; \"all\": every one, without the whole; \"none\": only the "
         "whole.",
         false},
        {"level", PBA_SETTING_INT, CLI_FIELD(bench_options, level), 0, 10, "7", "L", NULL,
         "augment: level of the operations that are measured alone.", false},
        {"augment", PBA_SETTING_TEXT, CLI_FIELD(bench_options, augment), 0, 0, "", "KIND", NULL,
         "augment: a kind of policy, as pba policies lists them.", false},
        {"schedule", PBA_SETTING_TEXT, CLI_FIELD(bench_options, schedule), 0, 0, "", "FILE|RUN",
         NULL, "augment: the policy of epoch --epoch of this schedule.", false},
        {"epoch", PBA_SETTING_INT, CLI_FIELD(bench_options, epoch), 0, 1000000, "0", "E", NULL,
         "augment: the epoch of the schedule, counted from 0.", false},
        {"epochs", PBA_SETTING_INT, CLI_FIELD(bench_options, epochs), 0, 1000000, "0", "N", NULL,
         "augment: the length of a schedule in the log format, which does not say it. search: "
         "epochs "
         "of every network, 4 unless given.",
         false},
        {"baseline", PBA_SETTING_TEXT, CLI_FIELD(bench_options, baseline), 0, 0, "auto", "LIST",
         NULL,
         "augment: the baseline behind the policy; auto: crop by an eighth of the shorter side, "
         "flip, cutout of half of it, as for CIFAR. train, search: auto: the data format's.",
         false},
        {"batch", PBA_SETTING_INT, CLI_FIELD(bench_options, batch), 0, 65536, "0", "N", NULL,
         "augment: images a call; 0: 128, fewer where they are large. train, search: images a "
         "step, "
         "128 unless given.",
         false},
        {"bf16", PBA_SETTING_FLAG, CLI_FIELD(bench_options, bf16), 0, 0, "false", "", NULL,
         "augment: output in bfloat16 instead of float32.", false},
        {"nhwc", PBA_SETTING_FLAG, CLI_FIELD(bench_options, nhwc), 0, 0, "false", "", NULL,
         "augment: output with the channels last.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

enum { CHANNELS = 3, BATCH = 128, BATCH_BYTES = 1 << 20, SLOT_BYTES = 1 << 19 };

/* What is measured. */
typedef struct work {
    const bench_options *options;
    pba_augmenter *augmenter;
    pba_op_info op;
    double parameter;
    int width, height, count, slots, epoch;
    uint32_t *ids;
    uint8_t *images, *out, *masks;
    float *input;
    pba_status status;
} work;

static bool read_size(const char *text, int *width, int *height)
{
    char behind;
    return sscanf(text, "%5dx%5d%c", width, height, &behind) == 2 && *width > 0 && *height > 0 &&
           *width <= 16384 && *height <= 16384;
}

/* A gradient, a coarse chequer and noise: no value dominates, neighbours resemble each other. */
static void paint(const work *work)
{
    uint8_t *pixel = work->images;
    uint32_t noise = 1;
    for (int i = 0; i < work->count; i++) {
        for (int y = 0; y < work->height; y++) {
            for (int x = 0; x < work->width; x++) {
                for (int c = 0; c < CHANNELS; c++) {
                    noise = noise * 1664525U + 1013904223U;
                    int ramp = 100 * x / work->width + 60 * y / work->height;
                    int blocks = (8 * x / work->width + 8 * y / work->height + i + c) % 3 * 25;
                    *pixel++ = (uint8_t)(20 + ramp + blocks + (int)(noise >> 28));
                }
            }
        }
    }
}

static bool prepare(work *work)
{
    size_t pixels = (size_t)work->width * (size_t)work->height, bytes = pixels * CHANNELS;
    int fitting = (int)(BATCH_BYTES / bytes), batch = work->options->batch;
    work->count = batch ? batch : fitting > BATCH ? BATCH : fitting < 4 ? 4 : fitting;
    size_t count = (size_t)work->count;
    work->slots = SLOT_BYTES / bytes ? (int)(SLOT_BYTES / bytes) : 1;
    work->ids = calloc(count, sizeof *work->ids);
    work->images = malloc(count * bytes);
    work->out = malloc(count * bytes);
    work->masks = malloc(count * pixels);
    work->input = malloc(count * bytes * sizeof *work->input);
    if (!work->ids || !work->images || !work->out || !work->masks || !work->input) {
        cli_error("out of memory");
        return false;
    }
    memset(work->out, 0, count * bytes); /* no page is touched first while the clock runs */
    memset(work->masks, 0, count * pixels);
    memset(work->input, 0, count * bytes * sizeof *work->input);
    paint(work);
    return true;
}

static void discard(work *work)
{
    pba_augmenter_free(work->augmenter);
    free(work->ids);
    free(work->images);
    free(work->out);
    free(work->masks);
    free(work->input);
}

/* Every call is of other images of the data set, so that the draws differ. */
static double augment_batch(void *user)
{
    work *work = user;
    for (int i = 0; i < work->count; i++) {
        work->ids[i] += (uint32_t)work->count;
    }
    work->status = pba_augment_batch(work->augmenter, work->images, work->ids, (size_t)work->count,
                                     work->epoch, work->input);
    return work->status == PBA_OK ? work->count : -1;
}

/* The results of a few images at a time take each other's place, as they do in use: they stay near
 * the processor. */
static double apply_batch(void *user)
{
    work *work = user;
    pba_image first = {work->images, NULL, work->width, work->height, CHANNELS};
    size_t bytes = (size_t)work->width * (size_t)work->height * CHANNELS;
    for (int i = 0; i < work->count; i += work->slots) {
        size_t count = (size_t)(work->count - i < work->slots ? work->count - i : work->slots);
        first.pixels = work->images + (size_t)i * bytes;
        work->status = pba_op_apply_images(work->op.name, work->parameter, &first, count, 1,
                                           work->out, work->masks);
        if (work->status != PBA_OK) {
            return -1;
        }
    }
    return work->count;
}

/* As CIFAR's: a padding of 4 and a square of 16 for a side of 32. */
static void auto_baseline(const work *work, char text[PBA_NAME_MAX])
{
    int side = work->width < work->height ? work->width : work->height;
    snprintf(text, PBA_NAME_MAX, "crop:%d,flip,cutout:%d", side / 8, side / 2);
}

static int open_augmenter(work *work)
{
    const bench_options *options = work->options;
    char baseline[PBA_NAME_MAX];
    pba_schedule *schedule = NULL;
    int result = options->schedule[0]
                     ? cli_load_schedule(options->schedule, options->epochs, &schedule)
                     : CLI_DONE;
    if (result != CLI_DONE) {
        return result;
    }
    auto_baseline(work, baseline);
    pba_augmenter_options settings = {
        .schedule = schedule,
        .augment = options->augment[0] ? options->augment : NULL,
        .baseline = strcmp(options->baseline, "auto") ? options->baseline : baseline,
        .width = work->width,
        .height = work->height,
        .channels = CHANNELS,
        .mean = {0.491, 0.482, 0.447},
        .deviation = {0.247, 0.243, 0.262},
        .scale_pixels = true,
        .interleaved = options->nhwc,
        .bf16 = options->bf16,
        .seed = 1,
    };
    pba_status status = pba_augmenter_create(&settings, &work->augmenter);
    pba_schedule_free(schedule);
    work->epoch = options->epoch;
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static void say(cli_json *json, const char *name, const char *parameter, double value,
                bench_figure figure)
{
    if (json) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", name);
        if (*parameter) {
            cli_json_number(json, parameter, value);
        }
        bench_json_figure(json, "images_per_second", figure);
        cli_json_close(json, '}');
    } else {
        char text[CLI_TEXT] = "";
        if (*parameter) {
            snprintf(text, sizeof text, "%s %.4g", parameter, value);
        }
        cli_print("%-14s %-16s %12.0f img/s  (%.0f to %.0f)\n", name, text, figure.median,
                  figure.least, figure.most);
    }
}

static int whole(work *work, cli_json *json)
{
    bench_figure figure;
    int result = open_augmenter(work);
    if (result != CLI_DONE) {
        return result;
    }
    if (!bench_measure(work->options, augment_batch, work, &figure)) {
        return cli_failed(work->status);
    }
    say(json, "whole", "", 0, figure);
    return CLI_DONE;
}

/* Lengths in pixels grow with the image. */
static int alone(work *work, cli_json *json)
{
    bench_figure figure;
    int side = work->width < work->height ? work->width : work->height;
    work->status = pba_op_parameter(work->op.name, work->options->level, &work->parameter);
    if (work->status != PBA_OK) {
        return cli_failed(work->status);
    }
    work->parameter *= work->op.pixels ? side / 32.0 : 1.0;
    if (!bench_measure(work->options, apply_batch, work, &figure)) {
        return cli_failed(work->status);
    }
    say(json, work->op.name, work->op.parameter, work->parameter, figure);
    return CLI_DONE;
}

static int each(work *work, cli_json *json)
{
    const char *only = work->options->op;
    bool every = !*only || !strcmp(only, "all"), found = every || !strcmp(only, "none");
    int result = !*only || !strcmp(only, "none") ? whole(work, json) : CLI_DONE;
    for (size_t i = 0; i < pba_op_count() && result == CLI_DONE; i++) {
        if (pba_op_get(i, &work->op) == PBA_OK && (every || !strcmp(only, work->op.name))) {
            found = true;
            result = alone(work, json);
        }
    }
    return result == CLI_DONE && !found
               ? cli_usage("--op: %s: no such operation, pba ops lists them", only)
               : result;
}

static int run(const bench_options *options, const cli_arguments *arguments)
{
    cli_json json = {0}, *out = options->json ? &json : NULL;
    work work = {.options = options};
    if (arguments->word_count > 1) {
        return cli_usage("bench augment: \"%s\" is one argument too many", arguments->words[1]);
    }
    if (!read_size(options->size, &work.width, &work.height)) {
        return cli_usage("--size: %s: give WIDTHxHEIGHT, as in 224x224, each at most 16384",
                         options->size);
    }
    int result = prepare(&work) ? CLI_DONE : CLI_FAILED;
    if (result == CLI_DONE) {
        if (out) {
            cli_json_open(out, NULL, '[');
        }
        result = each(&work, out);
        if (out) {
            cli_json_close(out, ']');
        }
    }
    discard(&work);
    return result;
}

const bench_part bench_augment = {
    .name = "augment",
    .rows = rows,
    .run = run,
};
