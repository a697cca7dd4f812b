/* SPDX-License-Identifier: Apache-2.0
 * Reports as pba.h offers them: runs in, a page or a folder of pictures out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/locale.h"
#include "core/memory.h"
#include "report/page.h"

typedef struct report {
    int count;
    report_run *runs[PBA_REPORT_RUNS_MAX];
    figures *figures[PBA_REPORT_RUNS_MAX];
} report;

static void close_report(report *report)
{
    for (int i = 0; report && i < report->count; i++) {
        figures_free(report->figures[i]);
        report_run_free(report->runs[i]);
    }
    free(report);
}

static pba_status too_many(size_t count)
{
    return status_set(PBA_USAGE, "report: %zu runs; give 1 to %d", count, PBA_REPORT_RUNS_MAX);
}

static pba_status open_run(const char *path, int epochs, report *report)
{
    int index = report->count;
    if (index == PBA_REPORT_RUNS_MAX) {
        return too_many((size_t)index + 1);
    }
    pba_status status = report_run_open(path, epochs, &report->runs[index]);
    if (status == PBA_OK) {
        report->count++;
        if (report->runs[index]->schedule) {
            status = figures_create(report->runs[index]->schedule, &report->figures[index]);
        }
    }
    return status;
}

static pba_status open_arms(const char *folder, report *report)
{
    char(*paths)[PBA_PATH_MAX] = memory_new(PBA_REPORT_RUNS_MAX, sizeof *paths);
    pba_status status = paths ? PBA_OK : PBA_MEMORY;
    int before = report->count;
    if (paths) {
        report_list_arms(folder, paths);
    }
    for (int i = 0; i < PBA_REPORT_RUNS_MAX && status == PBA_OK; i++) {
        status = paths[i][0] ? open_run(paths[i], 0, report) : PBA_OK;
    }
    free(paths);
    return status == PBA_OK && report->count == before
               ? status_set(PBA_NOT_FOUND, "%s: no arm of this comparison has begun", folder)
               : status;
}

static pba_status open_runs(const pba_report_options *options, report *report)
{
    pba_status status = PBA_OK;
    for (size_t i = 0; i < options->run_count && status == PBA_OK; i++) {
        bool comparison;
        status = report_is_comparison(options->runs[i], &comparison);
        if (status == PBA_OK) {
            status = comparison ? open_arms(options->runs[i], report)
                                : open_run(options->runs[i], options->epochs, report);
        }
    }
    return status;
}

static pba_status open_report(const pba_report_options *options, report **result)
{
    *result = NULL;
    if (options->run_count < 1 || options->run_count > PBA_REPORT_RUNS_MAX) {
        return too_many(options->run_count);
    }
    for (size_t i = 0; i < options->run_count; i++) {
        if (!options->runs || !options->runs[i]) {
            return status_set(PBA_USAGE, "report: run %zu is NULL", i);
        }
    }
    report *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    pba_status status = open_runs(options, fresh);
    if (status != PBA_OK) {
        close_report(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

/* Writes what was drawn and frees it. */
static pba_status save(report_text *text, const char *path)
{
    pba_status status = text_status(text, "report");
    if (status == PBA_OK) {
        status = file_write(path, text->data, text->size);
    }
    free(text->data);
    return status;
}

static const report_run *const *runs_of(const report *report)
{
    return (const report_run *const *)report->runs;
}

static pba_status write_page(const report *report, const pba_report_options *options,
                             const char *path)
{
    report_text text = {0};
    locale_plain held = locale_enter();
    page_write(&text, runs_of(report), report->figures, report->count, options);
    locale_leave(&held);
    return save(&text, path);
}

pba_status pba_report_write(const pba_report_options *options, const char *path)
{
    if (!options || !path) {
        return status_null(__func__);
    }
    report *report;
    pba_status status = open_report(options, &report);
    if (status == PBA_OK) {
        status = write_page(report, options, path);
    }
    close_report(report);
    return status;
}

/* --------------------------------------------------------------------- charts */

/* "FOLDER/3-search-cifar-errors.svg"; the number where names of runs could meet. Characters that a
 * file's name should not have become '_'. */
static pba_status chart_path(char path[PBA_PATH_MAX], const char *folder, const report *report,
                             int index, const char *chart)
{
    char name[PBA_NAME_MAX + 64], number[16] = "";
    if (report->count > 1) {
        snprintf(number, sizeof number, "%d-", index + 1);
    }
    snprintf(name, sizeof name, "%s%.*s-%s.svg", number, PBA_NAME_MAX - 1,
             report->runs[index]->name, chart);
    for (char *at = name; *at; at++) {
        bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                     (*at >= '0' && *at <= '9') || strchr("-_.", *at);
        *at = plain ? *at : '_';
    }
    return file_join(path, folder, name);
}

static pba_status write_rows(const report *report, const char *folder, int index)
{
    chart_subject subject = {report->runs[index], report->figures[index]};
    pba_status status = PBA_OK;
    for (int i = 0; i < chart_row_count && status == PBA_OK; i++) {
        char path[PBA_PATH_MAX];
        report_text text = {0};
        if (!chart_rows[i].can(&subject)) {
            continue;
        }
        status = chart_path(path, folder, report, index, chart_rows[i].name);
        chart_rows[i].draw(&text, &subject, (chart_place){.alone = true});
        if (status == PBA_OK) {
            status = save(&text, path);
        } else {
            free(text.data);
        }
    }
    return status;
}

static pba_status write_group(const report *report, const char *folder, const chart_group *group)
{
    const report_run *chosen[PBA_REPORT_RUNS_MAX];
    char name[PBA_NAME_MAX], path[PBA_PATH_MAX];
    int count = 0;
    for (int i = 0; i < report->count; i++) {
        if (report->runs[i]->kind == group->kind) {
            chosen[count++] = report->runs[i];
        }
    }
    if (count < group->least) {
        return PBA_OK;
    }
    snprintf(name, sizeof name, "%s.svg", group->name);
    pba_status status = file_join(path, folder, name);
    if (status == PBA_OK) {
        report_text text = {0};
        group->draw(&text, chosen, count, (chart_place){.alone = true});
        status = save(&text, path);
    }
    return status;
}

static pba_status write_charts(const report *report, const char *folder)
{
    pba_status status = file_make_folder(folder);
    locale_plain held = locale_enter();
    for (int i = 0; i < report->count && status == PBA_OK; i++) {
        status = write_rows(report, folder, i);
    }
    for (int i = 0; i < chart_group_count && status == PBA_OK; i++) {
        status = write_group(report, folder, &chart_groups[i]);
    }
    locale_leave(&held);
    return status;
}

pba_status pba_report_charts(const pba_report_options *options, const char *folder)
{
    if (!options || !folder) {
        return status_null(__func__);
    }
    report *report;
    pba_status status = open_report(options, &report);
    if (status == PBA_OK) {
        status = write_charts(report, folder);
    }
    close_report(report);
    return status;
}
