/* SPDX-License-Identifier: Apache-2.0
 * pba bench: how fast this machine does the library's work, one part a word. To add a part: write
 * its file, which ends with its row, and name the row here. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

static const bench_part *const parts[] = {&bench_augment, &bench_train, &bench_search};
enum { PARTS = sizeof parts / sizeof *parts };

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        CLI_PLUGIN_ROW(bench_options),
        {"repeat", PBA_SETTING_INT, CLI_FIELD(bench_options, repeat), 1, BENCH_REPEAT_MAX, "5", "N",
         NULL, "Repetitions of each measurement; median, least and greatest are given.", false},
        {"seconds", PBA_SETTING_REAL, CLI_FIELD(bench_options, seconds), 0, 3600, "0.2", "S", NULL,
         "How long a repetition lasts at least; train: 1 unless it is given.", false},
        {"json", PBA_SETTING_FLAG, CLI_FIELD(bench_options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
    for (int i = 0; i < PARTS; i++) {
        parts[i]->rows(rows);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

bench_figure bench_figure_of(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    double median = (values[(count - 1) / 2] + values[count / 2]) / 2.0;
    return (bench_figure){.median = median, .least = values[0], .most = values[count - 1]};
}

void bench_json_figure(cli_json *json, const char *key, bench_figure figure)
{
    cli_json_open(json, key, '{');
    cli_json_number(json, "median", figure.median);
    cli_json_number(json, "min", figure.least);
    cli_json_number(json, "max", figure.most);
    cli_json_close(json, '}');
}

void bench_json_spread(cli_json *json, const char *key, const pba_spread *spread)
{
    bench_json_figure(json, key, (bench_figure){spread->median, spread->min, spread->max});
}

void bench_add_rows(cli_rows *rows, const bench_setting *settings, size_t count)
{
    size_t library_count;
    const pba_setting *library = pba_search_settings(&library_count);
    for (size_t i = 0; i < library_count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (strcmp(library[i].name, settings[k].name) == 0 &&
                !cli_rows_find(rows, library[i].name)) {
                pba_setting row = library[i];
                row.offset += offsetof(bench_options, job);
                row.initial = settings[k].initial ? settings[k].initial : row.initial;
                cli_rows_add(rows, &row, 1);
            }
        }
    }
}

static pba_status set_known(void *options, const pba_setting *library, size_t library_count,
                            const char *name, const char *text)
{
    for (size_t i = 0; i < library_count; i++) {
        if (strcmp(library[i].name, name) == 0) {
            return pba_settings_set(options, library, library_count, name, text ? text : "true");
        }
    }
    return PBA_OK; /* of another part or job */
}

int bench_settings(void *options, const pba_setting *library, size_t library_count,
                   const bench_setting *settings, size_t count, const cli_arguments *arguments)
{
    pba_status status = PBA_OK;
    pba_settings_init(options, library, library_count);
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        if (settings[i].initial) {
            status =
                set_known(options, library, library_count, settings[i].name, settings[i].initial);
        }
    }
    for (int i = 0; i < arguments->given_count && status == PBA_OK; i++) {
        status = set_known(options, library, library_count, arguments->given[i].name,
                           arguments->given[i].value);
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

bool bench_measure(const bench_options *options, double (*work)(void *user), void *user,
                   bench_figure *figure)
{
    double rates[BENCH_REPEAT_MAX];
    if (work(user) < 0) {
        return false;
    }
    for (int i = 0; i < options->repeat; i++) {
        double done = 0, start = cli_seconds(CLOCK_THREAD_CPUTIME_ID), now;
        do {
            double units = work(user);
            if (units < 0) {
                return false;
            }
            done += units;
            now = cli_seconds(CLOCK_THREAD_CPUTIME_ID);
        } while (now - start < options->seconds || now <= start);
        rates[i] = done / (now - start);
    }
    *figure = bench_figure_of(rates, options->repeat);
    return true;
}

static int run(void *given, const cli_arguments *arguments)
{
    const bench_options *options = given;
    int failed = cli_load_plugins(options->plugin);
    if (failed) {
        return failed;
    }
    for (int i = 0; i < PARTS; i++) {
        if (!strcmp(arguments->words[0], parts[i]->name)) {
            return parts[i]->run(given, arguments);
        }
    }
    return cli_usage("bench: %s: no such part, pba bench --help lists them", arguments->words[0]);
}

const cli_command cli_bench = {
    .name = "bench",
    .sentence = "measures how fast this machine does the work",
    .usage =
        "augment [--size WxH] [--augment KIND | --schedule FILE|RUN --epoch E] [--baseline LIST]\n"
        "train [DATASET] [--model NAME] [--batch N] [--members N] [--threads N]\n"
        "search [DATASET] [--model NAME] [--population N] [--epochs N] [--workers N]",
    .manual =
        "augment: images a second on one core, for every operation alone and for policy, baseline "
        "and normalization together, on generated images.\n\n"
        "train: images a second of training steps and of evaluation, of several networks at once; "
        "how many floating point operations that is, and what share of the most that the processor "
        "does. Operations are counted by the model's multiply-adds, two each: the forward pass "
        "once, the backward pass twice that, without the gradient of the images; nothing else is "
        "counted.\n\n"
        "search: a short search, and where its time went. The run folder is made in TMPDIR or "
        "/var/tmp, and removed.\n\n"
        "DATASET is \"demo\" where it is left out.\n",
    .examples = "pba bench augment\n"
                "pba bench augment --size 224x224 --augment trivialaugment --json\n"
                "pba bench train --model wrn-40-2 --members 2\n"
                "pba bench search --population 9 --workers 2",
    .min_words = 1,
    .max_words = 2,
    .options_size = sizeof(bench_options),
    .rows = rows,
    .run = run,
};
