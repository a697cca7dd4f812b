/* SPDX-License-Identifier: Apache-2.0
 * What the parts of pba bench share. A part is one file that ends with its row (bench_part). */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli.h"

typedef struct bench_options {
    /* all parts */
    int repeat;
    char plugin[PBA_PATH_MAX];
    double seconds;
    bool json;
    /* augment */
    char size[PBA_NAME_MAX], schedule[PBA_PATH_MAX], augment[PBA_PATH_MAX], baseline[PBA_NAME_MAX];
    char op[PBA_NAME_MAX];
    int level, epoch, epochs, batch;
    bool bf16, nhwc;
    /* train */
    int members, threads;
    pba_search_options job; /* train and search; only to check what is given: see bench_settings */
} bench_options;

typedef struct bench_part {
    const char *name;
    void (*rows)(cli_rows *rows); /* of its own, beside those of all parts */
    int (*run)(const bench_options *options, const cli_arguments *arguments);
} bench_part;

extern const bench_part bench_augment, bench_train, bench_search; /* bench_NAME.c */

/* One figure: median, least and greatest of several repetitions. */
typedef struct bench_figure {
    double median, least, most;
} bench_figure;

enum { BENCH_REPEAT_MAX = 101 };

/* Sorts `values`. */
bench_figure bench_figure_of(double *values, int count);

void bench_json_figure(cli_json *json, const char *key, bench_figure figure);

/* Runs `work` once to warm up, then `repeat` times for at least `seconds` each, and gives what it
 * did a second of this thread's processor time, so that what else the machine does does not count:
 * work returns how many units it did, or a negative number where it failed. False: it failed. */
bool bench_measure(const bench_options *options, double (*work)(void *user), void *user,
                   bench_figure *figure);

void bench_json_spread(cli_json *json, const char *key, const pba_spread *spread);

/* Rows of the library's jobs among the options, as they are or with another default. */
typedef struct bench_setting {
    const char *name, *initial; /* NULL: the library's */
} bench_setting;

void bench_add_rows(cli_rows *rows, const bench_setting *settings, size_t count);

/* The options of a job of the library: its defaults, then these, then what was given. Returns the
 * exit status after having said what is wrong. */
int bench_settings(void *options, const pba_setting *library, size_t library_count,
                   const bench_setting *settings, size_t count, const cli_arguments *arguments);

#endif
