/* SPDX-License-Identifier: Apache-2.0
 * pba bench search: a short search in a folder of its own, and where its time went. */
#define _GNU_SOURCE
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static const bench_setting settings[] = {
    {"model", "wrn-40-2"}, {"backend", NULL},    {"precision", NULL}, {"train-size", NULL},
    {"val-size", NULL},    {"split-seed", NULL}, {"lr", NULL},        {"population", "8"},
    {"interval", "2"},     {"epochs", "4"},      {"workers", NULL},   {"selection", NULL}};
enum { SETTINGS = sizeof settings / sizeof *settings };

static void rows(cli_rows *rows)
{
    bench_add_rows(rows, settings, SETTINGS);
}

#define PART(part, kernel, name, text) {kernel, name, text},
static const struct {
    bool kernel;
    const char *name, *text;
} parts[PBA_SEARCH_PARTS] = {PBA_SEARCH_PART_LIST(PART)};
#undef PART

/* Of the workers' time, what is spent outside convolution, normalization and optimizer. */
static double share_outside(const pba_search_times *times)
{
    double outside = 0;
    for (int i = 0; i < PBA_SEARCH_PARTS; i++) {
        outside += parts[i].kernel ? 0 : times->parts[i];
    }
    return outside / (times->workers * times->seconds);
}

static double copy_seconds(const pba_search_times *times)
{
    return times->copies ? times->parts[PBA_SEARCH_COPY] / times->copies : 0;
}

static void print_times(const pba_search_options *job, const pba_search_times *times,
                        const pba_plan *plan, double opening)
{
    char expected[CLI_TEXT], peak[CLI_TEXT];
    double all = times->workers * times->seconds;
    cli_print("%d x %s, %d epochs in %d rounds, %d workers\n", job->population, job->recipe.model,
              plan->epochs, plan->rounds, times->workers);
    cli_print("wall time    %8.2f s, expected %.2f s; before it, data %.2f s, compiling %.2f s\n",
              times->seconds, plan->seconds, opening, times->start_seconds);
    cli_print("images       %8.0f trained, %.0f evaluated\n", times->trained, times->evaluated);
    for (int i = 0; i < PBA_SEARCH_PARTS; i++) {
        cli_print("%-12s %8.3f s %6.2f %%   %s\n", parts[i].name, times->parts[i],
                  100 * times->parts[i] / all, parts[i].text);
    }
    cli_print("outside      %17.2f %%   of what is not forward, backward, optimize or evaluate\n",
              100 * share_outside(times));
    cli_print("copies       %d, %.3f ms each; %d tasks began before their round\n", times->copies,
              1000 * copy_seconds(times), times->early);
    cli_print("memory       %s (expected %s)\n", cli_bytes(pba_memory_peak(), peak),
              cli_bytes(plan->bytes, expected));
}

static void json_times(const pba_search_options *job, const pba_search_times *times,
                       const pba_plan *plan, double opening)
{
    cli_json fresh = {0}, *json = &fresh;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "model", job->recipe.model);
    cli_json_number(json, "population", job->population);
    cli_json_number(json, "epochs", plan->epochs);
    cli_json_number(json, "rounds", plan->rounds);
    cli_json_number(json, "workers", times->workers);
    cli_json_number(json, "seconds", times->seconds);
    cli_json_number(json, "expected_seconds", plan->seconds);
    cli_json_number(json, "open_seconds", opening);
    cli_json_number(json, "compile_seconds", times->start_seconds);
    cli_json_number(json, "trained", times->trained);
    cli_json_number(json, "evaluated", times->evaluated);
    cli_json_open(json, "parts", '{');
    for (int i = 0; i < PBA_SEARCH_PARTS; i++) {
        cli_json_number(json, parts[i].name, times->parts[i]);
    }
    cli_json_close(json, '}');
    cli_json_number(json, "share_outside", share_outside(times));
    cli_json_number(json, "copies", times->copies);
    cli_json_number(json, "copy_seconds", copy_seconds(times));
    cli_json_number(json, "early_tasks", times->early);
    cli_json_number(json, "peak_memory_bytes", pba_memory_peak());
    cli_json_number(json, "expected_memory_bytes", plan->bytes);
    cli_json_close(json, '}');
}

static int run_search(const bench_options *options, const pba_search_options *settings)
{
    pba_search *search = NULL;
    pba_plan plan;
    pba_search_times times;
    cli_job job;
    cli_job_start(&job, true, 0, NULL);
    double began = cli_seconds(CLOCK_MONOTONIC);
    pba_status status = pba_search_create_with(settings, &job.observer, &search);
    double opening = cli_seconds(CLOCK_MONOTONIC) - began;
    if (status == PBA_OK) {
        status = pba_search_plan_with(search, &job.observer, &plan);
    }
    if (status == PBA_OK) {
        status = pba_search_run(search, &job.observer);
    }
    cli_job_end(&job);
    if (status == PBA_OK) {
        status = pba_search_spent(search, &times);
    }
    if (status == PBA_OK) {
        (options->json ? json_times : print_times)(settings, &times, &plan, opening);
    }
    int result = status == PBA_OK ? CLI_DONE : cli_failed(status);
    pba_search_free(search);
    return result;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

static int run(const bench_options *options, const cli_arguments *arguments)
{
    pba_search_options job;
    char folder[PBA_PATH_MAX];
    const char *parent = getenv("TMPDIR");
    size_t count;
    const pba_setting *library = pba_search_settings(&count);
    const char *dataset = arguments->word_count > 1 ? arguments->words[1] : "demo";
    int result = bench_settings(&job, library, count, settings, SETTINGS, arguments);
    if (result != CLI_DONE || !cli_set_path(job.dataset, "DATASET", dataset)) {
        return result != CLI_DONE ? result : CLI_USAGE;
    }
    snprintf(folder, sizeof folder, "%s/pba-bench-XXXXXX", parent && *parent ? parent : "/var/tmp");
    if (!mkdtemp(folder)) {
        cli_error("%s: a folder for the search cannot be made; set TMPDIR", folder);
        return CLI_FAILED;
    }
    snprintf(job.out, sizeof job.out, "%s/run", folder);
    result = run_search(options, &job);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return result;
}

const bench_part bench_search = {
    .name = "search",
    .rows = rows,
    .run = run,
};
