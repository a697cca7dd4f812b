/* SPDX-License-Identifier: Apache-2.0
 * pba bench train: images a second of training and evaluation, and how much that is of what the
 * processor can do. bench/train.py does the same work with PyTorch. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const bench_setting settings[] = {{"model", "wrn-40-2"}, {"backend", NULL},
                                         {"precision", NULL},   {"train-size", NULL},
                                         {"split-seed", NULL},  {"lr", NULL}};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"members", PBA_SETTING_INT, CLI_FIELD(bench_options, members), 0, 1024, "0", "N", NULL,
         "train: networks that train at the same time; 0: one per core.", false},
        {"threads", PBA_SETTING_INT, CLI_FIELD(bench_options, threads), 1, 1024, "1", "N", NULL,
         "train: threads of each.", false},
    };
    bench_add_rows(rows, settings, SETTINGS);
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

/* One of the three things that are measured. */
typedef struct figure {
    const char *name, *key;
    const pba_spread *rate;
    double flops; /* per image */
} figure;

enum { FIGURES = 3 };

static void figures_of(const pba_training_speed *speed, figure figures[FIGURES])
{
    figures[0] = (figure){"training", "training", &speed->training, speed->training_flops};
    figures[1] = (figure){"  without augmentation", "training_without_augmentation",
                          &speed->network, speed->training_flops};
    figures[2] = (figure){"evaluation", "evaluation", &speed->evaluation, speed->evaluation_flops};
}

/* Of bfloat16 where that is what the convolutions multiply. */
static double peak_of(const pba_training_speed *speed)
{
    bool halves = strcmp(speed->precision, "bf16") == 0 && speed->peak.bf16;
    return halves ? speed->peak.bf16_flops : speed->peak.f32_flops;
}

static void print_speed(const pba_training_speed *speed)
{
    char plans[CLI_TEXT], block[CLI_TEXT], peak[CLI_TEXT];
    figure figures[FIGURES];
    int cores = speed->members * speed->threads;
    figures_of(speed, figures);
    cli_print(
        "%s %s, batch %d (evaluation %d), %d network%s at once, %d thread%s each, baseline %s\n",
        speed->model, speed->precision, speed->batch, speed->evaluation_batch, speed->members,
        speed->members == 1 ? "" : "s", speed->threads, speed->threads == 1 ? "" : "s",
        speed->baseline);
    cli_print("%-24s %10s %10s   %-21s %9s %7s\n", "", "images/s", "a core", "(least to most)",
              "GFLOP/s", "of peak");
    for (int i = 0; i < FIGURES; i++) {
        const pba_spread *rate = figures[i].rate;
        double flops = rate->median * figures[i].flops;
        cli_print("%-24s %10.1f %10.1f   (%8.1f to %8.1f) %9.1f %5.1f %%\n", figures[i].name,
                  rate->median, rate->median / cores, rate->min, rate->max, flops / 1e9,
                  100 * flops / peak_of(speed));
    }
    cli_print("peak of %d thread%s        %.0f GFLOP/s float32 (%s)", cores, cores == 1 ? "" : "s",
              speed->peak.f32_flops / 1e9, speed->peak.f32);
    if (speed->peak.bf16) {
        cli_print(", %.0f bfloat16 (%s)", speed->peak.bf16_flops / 1e9, speed->peak.bf16);
    }
    cli_print(
        "\nmemory                   %s each executor, %s each network, %s the process' peak\n",
        cli_bytes(speed->plan_bytes, plans), cli_bytes(speed->block_bytes, block),
        cli_bytes(pba_memory_peak(), peak));
}

static void json_speed(const pba_training_speed *speed)
{
    cli_json fresh = {0}, *json = &fresh;
    figure figures[FIGURES];
    figures_of(speed, figures);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "model", speed->model);
    cli_json_text(json, "baseline", speed->baseline);
    cli_json_text(json, "precision", speed->precision);
    cli_json_number(json, "members", speed->members);
    cli_json_number(json, "threads", speed->threads);
    cli_json_number(json, "batch", speed->batch);
    cli_json_number(json, "evaluation_batch", speed->evaluation_batch);
    cli_json_number(json, "repetitions", speed->repetitions);
    for (int i = 0; i < FIGURES; i++) {
        double flops = figures[i].rate->median * figures[i].flops;
        cli_json_open(json, figures[i].key, '{');
        bench_json_spread(json, "images_per_second", figures[i].rate);
        cli_json_number(json, "images_per_second_per_core",
                        figures[i].rate->median / (speed->members * speed->threads));
        cli_json_number(json, "flops_per_image", figures[i].flops);
        cli_json_number(json, "flops_per_second", flops);
        cli_json_number(json, "share_of_peak", flops / peak_of(speed));
        cli_json_close(json, '}');
    }
    cli_json_number(json, "peak_f32_flops", speed->peak.f32_flops);
    cli_json_text(json, "peak_f32_set", speed->peak.f32);
    cli_json_number(json, "peak_bf16_flops", speed->peak.bf16_flops);
    cli_json_text(json, "peak_bf16_set", speed->peak.bf16 ? speed->peak.bf16 : "");
    cli_json_number(json, "plan_bytes", speed->plan_bytes);
    cli_json_number(json, "network_bytes", speed->block_bytes);
    cli_json_number(json, "peak_memory_bytes", pba_memory_peak());
    cli_json_close(json, '}');
}

static int measure(const bench_options *options, pba_training *training, double seconds)
{
    pba_training_speed speed;
    cli_job job;
    cli_job_start(&job, true, 1, NULL);
    pba_measure_options measure = {options->members, options->threads, options->repeat, seconds};
    pba_status status = pba_training_measure(training, &measure, &job.observer, &speed);
    cli_job_end(&job);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    (options->json ? json_speed : print_speed)(&speed);
    return CLI_DONE;
}

static int run(const bench_options *options, const cli_arguments *arguments)
{
    pba_train_options job;
    pba_training *training = NULL;
    double seconds = cli_was_given(arguments, "seconds") ? options->seconds : 1;
    size_t count;
    const pba_setting *library = pba_train_settings(&count);
    int result = bench_settings(&job, library, count, settings, SETTINGS, arguments);
    if (result != CLI_DONE) {
        return result;
    }
    job.out[0] = 0;
    const char *dataset = arguments->word_count > 1 ? arguments->words[1] : "demo";
    if (!cli_set_path(job.dataset, "DATASET", dataset)) {
        return CLI_USAGE;
    }
    pba_status status = pba_training_create(&job, &training);
    result = status == PBA_OK ? measure(options, training, seconds) : cli_failed(status);
    pba_training_free(training);
    return result;
}

const bench_part bench_train = {
    .name = "train",
    .rows = rows,
    .run = run,
};
