/* SPDX-License-Identifier: Apache-2.0 */
#include "search/directory.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "schedule/fields.h"
#include "schedule/schedule.h"
#include "train/run.h"

static const char result_format[] = "pba-result";
enum { RESULT_VERSION = 1 };

/* An empty file is what a search leaves that was killed as it started. */
static pba_status refuse_file(const char *run, const char *name)
{
    char path[PBA_PATH_MAX];
    pba_status status = file_join(path, run, name);
    struct stat info;
    if (status == PBA_OK && stat(path, &info) == 0 && info.st_size > 0) {
        status = status_set(PBA_EXISTS,
                            "%s: exists already and would be overwritten; give another "
                            "--out",
                            path);
    }
    return status;
}

pba_status directory_check(const char *run)
{
    if (!run[0]) {
        return status_set(PBA_USAGE, "out: a search needs a folder to write to; give --out RUN");
    }
    char path[PBA_PATH_MAX];
    pba_status status = run_check(run);
    const char *names[] = {"result.json", "schedule.json", "schedule.txt", "journal.jsonl",
                           "report.html"};
    for (size_t i = 0; i < sizeof names / sizeof *names && status == PBA_OK; i++) {
        status = refuse_file(run, names[i]);
    }
    if (status == PBA_OK) {
        status = file_join(path, run, "journal.jsonl");
    }
    /* Beside an empty journal it is of a search that was killed as it started. */
    return status == PBA_OK && !file_exists(path) ? refuse_file(run, DIRECTORY_FROM) : status;
}

static pba_status open_journal(const char *run, journal **journal)
{
    char path[PBA_PATH_MAX];
    pba_status status = file_join(path, run, "journal.jsonl");
    return status == PBA_OK ? journal_open(path, journal) : status;
}

pba_status directory_reopen_journal(const char *run, journal **journal)
{
    char path[PBA_PATH_MAX];
    pba_status status = file_join(path, run, "journal.jsonl");
    if (status == PBA_OK && !file_exists(path)) {
        *journal = NULL;
        status = status_set(PBA_NOT_FOUND,
                            "%s: is not there, and with it what the search has found: put it back, "
                            "or search anew in another folder",
                            path);
    }
    return status == PBA_OK ? journal_open(path, journal) : status;
}

static pba_status save(const char *run, const char *name, const pba_schedule *schedule)
{
    char path[PBA_PATH_MAX];
    pba_status status = file_join(path, run, name);
    return status == PBA_OK ? pba_schedule_save(schedule, path) : status;
}

/* The lock on the journal decides between two searches that start in one folder at a time. */
static pba_status fill(const char *run, const pba_search_options *options, const pba_schedule *from,
                       const task *task, journal **journal)
{
    char path[PBA_PATH_MAX];
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_status status = open_journal(run, journal);
    if (status == PBA_OK) {
        status = directory_check(run);
    }
    if (status == PBA_OK) {
        status = file_join(path, run, "checkpoint");
    }
    if (status == PBA_OK) {
        status = file_make_folder(path);
    }
    if (status == PBA_OK && from) {
        status = save(run, DIRECTORY_FROM, from);
    }
    return status == PBA_OK ? run_write_config(run, "search", options, rows, count, task) : status;
}

static void take_back(const char *run, bool folder)
{
    const char *names[] = {"config.json", "journal.jsonl", DIRECTORY_FROM};
    char path[PBA_PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (file_join(path, run, names[i]) == PBA_OK) {
            unlink(path);
        }
    }
    if (file_join(path, run, "checkpoint") == PBA_OK) {
        rmdir(path);
    }
    if (folder) {
        rmdir(run);
    }
}

pba_status directory_create(const char *run, const pba_search_options *options,
                            const pba_schedule *from, const task *task, journal **journal)
{
    bool fresh = !file_exists(run);
    *journal = NULL;
    pba_status status = file_make_folder(run);
    if (status != PBA_OK) {
        return status;
    }
    status = fill(run, options, from, task, journal);
    if (status != PBA_OK) {
        char message[512];
        snprintf(message, sizeof message, "%s", pba_error_message());
        if (status != PBA_EXISTS) {
            take_back(run, fresh); /* while nobody else is in there */
        }
        journal_close(*journal);
        *journal = NULL;
        return status_set(status, "%s", message);
    }
    return PBA_OK;
}

pba_status directory_read(const char *run, pba_search_options *options)
{
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(options, rows, count);
    return run_read_config(run, "search", options, rows, count);
}

pba_status directory_checkpoint(const char *run, int round, int member, char path[PBA_PATH_MAX])
{
    char name[64];
    snprintf(name, sizeof name, "checkpoint/round-%04d-member-%04d", round, member);
    return file_join(path, run, name);
}

/* Also what a killed process left half written. */
void directory_drop_checkpoints(const char *run, int rounds)
{
    char folder[PBA_PATH_MAX], path[PBA_PATH_MAX];
    if (file_join(folder, run, "checkpoint") != PBA_OK) {
        return;
    }
    DIR *stream = opendir(folder);
    for (struct dirent *each; stream && (each = readdir(stream));) {
        int round;
        if (sscanf(each->d_name, "round-%d-member-", &round) == 1 && round < rounds &&
            file_join(path, folder, each->d_name) == PBA_OK) {
            unlink(path);
        }
    }
    if (stream) {
        closedir(stream);
    }
}

void directory_end_checkpoints(const char *run)
{
    char folder[PBA_PATH_MAX];
    directory_drop_checkpoints(run, INT_MAX);
    run_drop_spent(run);
    if (file_join(folder, run, "checkpoint") == PBA_OK) {
        rmdir(folder);
    }
}

bool directory_finished(const char *run)
{
    char path[PBA_PATH_MAX];
    return file_join(path, run, "result.json") == PBA_OK && file_exists(path);
}

pba_status directory_write_result(const char *run, const pba_schedule *schedule, int member,
                                  double error, const run_spent *spent)
{
    pba_status status = save(run, "schedule.json", schedule);
    if (status == PBA_OK && schedule_log_fits(schedule)) {
        status = save(run, "schedule.txt", schedule);
    }
    if (status != PBA_OK) {
        return status;
    }
    json_t *result = json_pack(
        "{s:s, s:i, s:f, s:i, s:s, s:i, s:f, s:f, s:s, s:s}", "format", result_format, "version",
        RESULT_VERSION, "val_error", error, "best_member", member, "schedule", "schedule.json",
        "segments", pba_schedule_segments(schedule), "seconds", spent->seconds, "core_seconds",
        spent->core_seconds, "pba", pba_version(), "build", pba_build_info());
    return run_write_json(run, "result.json", result);
}

pba_status directory_read_result(const char *run, pba_schedule **schedule, double *error)
{
    char path[PBA_PATH_MAX];
    json_t *result;
    pba_status status = run_read_json(run, "result.json", &result);
    if (status != PBA_OK) {
        return status;
    }
    status = schedule_field_format(result, result_format, RESULT_VERSION);
    if (status == PBA_OK) {
        status = schedule_field_real(result, "val_error", 0, 1, error);
    }
    json_decref(result);
    if (status != PBA_OK) {
        return status_prefix(status, "%s/result.json", run);
    }
    status = file_join(path, run, "schedule.json");
    return status == PBA_OK ? pba_schedule_load(path, 0, schedule) : status;
}
