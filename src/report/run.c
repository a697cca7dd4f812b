/* SPDX-License-Identifier: Apache-2.0 */
#include "report/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "population/population.h"
#include "train/run.h"

const char *report_setting(const report_run *run, const char *name)
{
    const char *text = json_string_value(json_object_get(run->settings, name));
    return text ? text : "";
}

bool report_finished(const report_run *run)
{
    return run->kind == REPORT_SCHEDULE || run->result;
}

report_cell *report_cell_at(const report_run *run, int round, int member)
{
    return &run->cells[(size_t)round * (size_t)run->population + (size_t)member];
}

int report_round_epoch(const report_run *run, int round)
{
    int64_t epoch = ((int64_t)round + 1) * run->interval;
    return epoch < run->epochs ? (int)epoch : run->epochs;
}

int report_round_length(const report_run *run, int round)
{
    return report_round_epoch(run, round) - (round ? report_round_epoch(run, round - 1) : 0);
}

static void set_names(report_run *run, const char *path)
{
    snprintf(run->path, sizeof run->path, "%s", path);
    size_t end = strlen(run->path);
    while (end > 1 && run->path[end - 1] == '/') {
        run->path[--end] = 0;
    }
    const char *slash = strrchr(run->path, '/');
    snprintf(run->name, sizeof run->name, "%s", slash && slash[1] ? slash + 1 : run->path);
}

static pba_status read_config(report_run *run)
{
    pba_status status = run_read_json(run->path, "config.json", &run->config);
    if (status != PBA_OK) {
        return status == PBA_NOT_FOUND
                   ? status_set(status, "%s: is no run, it has no config.json", run->path)
                   : status;
    }
    const char *format = json_string_value(json_object_get(run->config, "format"));
    const char *kind = json_string_value(json_object_get(run->config, "kind"));
    json_t *settings = json_object_get(run->config, "settings");
    bool search = kind && strcmp(kind, "search") == 0, train = kind && strcmp(kind, "train") == 0;
    if (!format || strcmp(format, "pba-run") != 0 || !json_is_object(settings) ||
        !(search || train)) {
        return status_set(PBA_FORMAT, "%s/config.json: is no search's and no training run's",
                          run->path);
    }
    run->kind = search ? REPORT_SEARCH : REPORT_TRAINING;
    run->settings = settings;
    return PBA_OK;
}

/* A result that is not there yet is no failure. */
static pba_status read_result(report_run *run)
{
    pba_status status = run_read_json(run->path, "result.json", &run->result);
    return status == PBA_NOT_FOUND ? PBA_OK : status;
}

static pba_status number(const report_run *run, const char *name, int min, int max, int *value)
{
    const char *text = report_setting(run, name);
    char *end;
    long long found = strtoll(text, &end, 10);
    if (!*text || *end || found < min || found > max) {
        return status_set(PBA_FORMAT, "%s/config.json: setting %s: \"%s\" is no number %d to %d",
                          run->path, name, text, min, max);
    }
    *value = (int)found;
    return PBA_OK;
}

static pba_status read_schedule(report_run *run)
{
    char path[PBA_PATH_MAX];
    pba_status status = file_join(path, run->path, "schedule.json");
    return status == PBA_OK ? pba_schedule_load(path, 0, &run->schedule) : status;
}

static pba_status read_search(report_run *run)
{
    pba_status status = number(run, "population", 2, POPULATION_MAX, &run->population);
    if (status == PBA_OK) {
        status = number(run, "interval", 1, SCHEDULE_EPOCHS_MAX, &run->interval);
    }
    if (status == PBA_OK) {
        status = number(run, "epochs", 1, SCHEDULE_EPOCHS_MAX, &run->epochs);
    }
    if (status == PBA_OK) {
        run->rounds = (run->epochs - 1) / run->interval + 1;
        status = report_read_journal(run);
    }
    if (status == PBA_OK && run->result) {
        status = read_schedule(run);
    }
    return status == PBA_OK ? report_trace(run) : status;
}

static pba_status read_folder(report_run *run)
{
    pba_status status = read_config(run);
    if (status == PBA_OK) {
        status = read_result(run);
    }
    if (status != PBA_OK) {
        return status;
    }
    return run->kind == REPORT_SEARCH ? read_search(run) : report_read_training(run);
}

static pba_status open_path(report_run *run, int epochs)
{
    run->best = -1;
    if (file_is_folder(run->path)) {
        return read_folder(run);
    }
    run->kind = REPORT_SCHEDULE;
    return pba_schedule_load(run->path, epochs, &run->schedule);
}

pba_status report_run_open(const char *path, int epochs, report_run **result)
{
    *result = NULL;
    if (strlen(path) >= PBA_PATH_MAX) {
        return status_set(PBA_USAGE, "report: the path is longer than %d bytes", PBA_PATH_MAX - 1);
    }
    report_run *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    set_names(fresh, path);
    pba_status status = open_path(fresh, epochs);
    if (status != PBA_OK) {
        report_run_free(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void report_run_free(report_run *run)
{
    if (run) {
        json_decref(run->config);
        json_decref(run->result);
        json_decref(run->lines);
        pba_schedule_free(run->schedule);
        free(run->cells);
        free(run->errors);
        free(run->trained);
        free(run->numbers);
        free(run);
    }
}
