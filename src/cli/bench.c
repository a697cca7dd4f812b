/* SPDX-License-Identifier: Apache-2.0
 * pba bench: how fast this machine does the library's work, one part a word. To add a part: write
 * its file, which ends with its row, and name the row here. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const bench_part *const parts[] = {&bench_augment};
enum { PARTS = sizeof parts / sizeof *parts };

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"repeat", PBA_SETTING_INT, CLI_FIELD(bench_options, repeat), 1, BENCH_REPEAT_MAX, "5", "N",
         NULL, "Repetitions of each measurement; median, least and greatest are given.", false},
        {"seconds", PBA_SETTING_REAL, CLI_FIELD(bench_options, seconds), 0, 3600, "0.2", "S", NULL,
         "How long a repetition lasts at least.", false},
        {"json", PBA_SETTING_FLAG, CLI_FIELD(bench_options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
    for (int i = 0; i < PARTS; i++) {
        parts[i]->rows(rows);
    }
}

double bench_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
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

bool bench_measure(const bench_options *options, double (*work)(void *user), void *user,
                   bench_figure *figure)
{
    double rates[BENCH_REPEAT_MAX];
    if (work(user) < 0) {
        return false;
    }
    for (int i = 0; i < options->repeat; i++) {
        double done = 0, start = bench_seconds(), now;
        do {
            double units = work(user);
            if (units < 0) {
                return false;
            }
            done += units;
            now = bench_seconds();
        } while (now - start < options->seconds || now <= start);
        rates[i] = done / (now - start);
    }
    *figure = bench_figure_of(rates, options->repeat);
    return true;
}

static int run(void *given, const cli_arguments *arguments)
{
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
    .usage = "augment [--size WxH] [--augment KIND | --schedule FILE --epoch E] [--baseline LIST]",
    .manual = "augment: images a second on one core, for every operation alone and for policy, "
              "baseline and normalization together, on generated images.\n",
    .examples = "pba bench augment\n"
                "pba bench augment --size 224x224 --augment trivialaugment --json",
    .min_words = 1,
    .max_words = 2,
    .options_size = sizeof(bench_options),
    .rows = rows,
    .run = run,
};
