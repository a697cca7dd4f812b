/* SPDX-License-Identifier: Apache-2.0 */
#include "report/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "train/run.h"

/* The files whose change changes the picture. Checkpoints of a training run come and go in their
 * folder, whose time is then another one. */
static const char *const names[] = {"config.json", "journal.jsonl", "result.json", "checkpoint"};
enum { NAMES = sizeof names / sizeof *names };

typedef struct stamp {
    bool there;
    off_t size;
    struct timespec changed;
} stamp;

struct pba_watch {
    char path[PBA_PATH_MAX];
    stamp stamps[NAMES]; /* as they were read; not there: read anyway */
    report_run *run;
    pba_watch_row *rows;
    pba_watch_picture picture;
};

static pba_status read_stamps(const pba_watch *watch, stamp stamps[NAMES])
{
    for (int i = 0; i < NAMES; i++) {
        char path[PBA_PATH_MAX];
        struct stat info;
        pba_status status = file_join(path, watch->path, names[i]);
        if (status != PBA_OK) {
            return status;
        }
        stamps[i] = (stamp){0};
        if (stat(path, &info) == 0) {
            stamps[i] = (stamp){true, info.st_size, info.st_mtim};
        }
    }
    return PBA_OK;
}

static bool same(const stamp *one, const stamp *other)
{
    return one->there == other->there && one->size == other->size &&
           one->changed.tv_sec == other->changed.tv_sec &&
           one->changed.tv_nsec == other->changed.tv_nsec;
}

static bool unchanged(const pba_watch *watch, const stamp now[NAMES])
{
    for (int i = 0; i < NAMES; i++) {
        if (!same(&watch->stamps[i], &now[i])) {
            return false;
        }
    }
    return watch->run != NULL;
}

/* A search locks its journal, a training run a file of its own. */
static bool is_held(const pba_watch *watch)
{
    static const char *const locks[] = {"journal.jsonl", RUN_LOCK};
    char path[PBA_PATH_MAX];
    for (int i = 0; i < 2; i++) {
        bool known = true;
        if (file_join(path, watch->path, locks[i]) == PBA_OK && file_exists(path) &&
            (file_is_held(path, &known) || !known)) {
            return true;
        }
    }
    return false;
}

static pba_status fill(report_run *run, pba_watch_row *rows, pba_watch_picture *picture)
{
    picture->run = run->path;
    picture->dataset = report_setting(run, "dataset");
    picture->model = report_setting(run, "model");
    picture->epochs = run->epochs;
    picture->rows = rows;
    if (picture->search) {
        /* Before the first round has ended there is none to name the operations. */
        pba_status status = run->schedule ? PBA_OK : report_create_schedule(run);
        return status == PBA_OK ? watch_search_rows(run, rows, picture) : status;
    }
    watch_training_rows(run, rows, picture);
    return PBA_OK;
}

static pba_status take(pba_watch *watch, report_run *run)
{
    pba_watch_picture picture = {.search = run->kind == REPORT_SEARCH};
    if (run->kind == REPORT_SCHEDULE) {
        return status_set(PBA_USAGE, "%s: is no run's folder", watch->path);
    }
    picture.members = picture.search ? run->population : run->seeds;
    pba_watch_row *rows = memory_new((size_t)picture.members, sizeof *rows);
    pba_status status = rows ? fill(run, rows, &picture) : PBA_MEMORY;
    if (status != PBA_OK) {
        free(rows);
        return status;
    }
    free(watch->rows);
    report_run_free(watch->run);
    watch->rows = rows;
    watch->run = run;
    watch->picture = picture;
    return PBA_OK;
}

static pba_status read_again(pba_watch *watch)
{
    report_run *run;
    pba_status status = report_run_open(watch->path, 0, &run);
    if (status == PBA_OK) {
        status = take(watch, run);
        if (status != PBA_OK) {
            report_run_free(run);
        }
    }
    return status;
}

/* Whether somebody holds the run is asked before it is read: who is done by then has written its
 * result. */
pba_status pba_watch_look(pba_watch *watch, const pba_watch_picture **picture)
{
    if (!watch || !picture) {
        return status_null(__func__);
    }
    stamp now[NAMES];
    bool held = is_held(watch);
    pba_status status = read_stamps(watch, now);
    if (status == PBA_OK && !unchanged(watch, now)) {
        status = read_again(watch);
    }
    if (status != PBA_OK) {
        return status;
    }
    memcpy(watch->stamps, now, sizeof now);
    watch->picture.state = watch->run->result ? PBA_RUN_FINISHED
                           : held             ? PBA_RUN_GOING
                                              : PBA_RUN_STOPPED;
    watch->picture.seconds_left = -1;
    watch->picture.epochs_per_second = watch->picture.images_per_second = -1;
    if (watch->picture.search && watch->picture.state == PBA_RUN_GOING) {
        watch_times(watch->run, &watch->picture);
    }
    *picture = &watch->picture;
    return PBA_OK;
}

pba_status pba_watch_open(const char *run, pba_watch **result)
{
    if (!run || !result) {
        return status_null(__func__);
    }
    *result = NULL;
    const pba_watch_picture *picture;
    if (!file_is_folder(run)) {
        return status_set(PBA_NOT_FOUND, "%s: is no folder of a run", run);
    }
    if (strlen(run) >= PBA_PATH_MAX) {
        return status_set(PBA_USAGE, "watch: the path is longer than %d bytes", PBA_PATH_MAX - 1);
    }
    pba_watch *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    snprintf(fresh->path, sizeof fresh->path, "%s", run);
    pba_status status = pba_watch_look(fresh, &picture);
    if (status != PBA_OK) {
        pba_watch_free(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void pba_watch_free(pba_watch *watch)
{
    if (watch) {
        report_run_free(watch->run);
        free(watch->rows);
        free(watch);
    }
}
