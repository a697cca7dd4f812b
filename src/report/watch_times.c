/* SPDX-License-Identifier: Apache-2.0
 * How fast a search goes on. The journal holds no times, so that it is the same for every run; the
 * checkpoints of the last two rounds do: each was written when its member was scored. The first
 * round's start is that of config.json. */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "core/file.h"
#include "report/watch.h"
#include "search/directory.h"

typedef struct span {
    double from, until; /* seconds */
    double epochs;      /* trained in it */
    double first;       /* of them, those that end at `from` */
} span;

static double changed(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0
               ? (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec
               : -1;
}

static void add(span *span, double at, double epochs)
{
    if (at < 0) {
        return;
    }
    if (span->from < 0 || at < span->from) {
        span->from = at;
        span->first = epochs;
    }
    span->until = at > span->until ? at : span->until;
    span->epochs += epochs;
}

static span measure(const report_run *run)
{
    char path[PBA_PATH_MAX];
    span span = {.from = -1, .until = -1};
    int first = run->begun > 1 ? run->begun - 2 : 0;
    if (first == 0 && file_join(path, run->path, "config.json") == PBA_OK) {
        add(&span, changed(path), 0);
    }
    for (int round = first; round < run->begun; round++) {
        for (int member = 0; member < run->population; member++) {
            if (report_cell_at(run, round, member)->scored &&
                directory_checkpoint(run->path, round, member, path) == PBA_OK) {
                add(&span, changed(path), report_round_length(run, round));
            }
        }
    }
    return span;
}

void watch_times(const report_run *run, pba_watch_picture *picture)
{
    span span = measure(run);
    double epochs = span.epochs - span.first, images;
    if (!(epochs > 0) || !(span.until > span.from)) {
        return;
    }
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double rate = epochs / (span.until - span.from);
    double all = (double)run->population * run->epochs;
    double left = all * (1 - picture->done) / rate - ((double)now.tv_sec - span.until);
    picture->seconds_left = left > 0 ? left : 0;
    picture->epochs_per_second = rate;
    images = (double)strtol(report_setting(run, "train-size"), NULL, 10);
    picture->images_per_second = images > 0 ? images * rate : -1;
}
