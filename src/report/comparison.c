/* SPDX-License-Identifier: Apache-2.0
 * The folder of a comparison, finished or not: training runs in folders "1-baseline",
 * "2-trivialaugment" and so on (compare/arms.c). */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "report/run.h"
#include "train/run.h"

pba_status report_is_comparison(const char *path, bool *found)
{
    json_t *config = NULL;
    *found = false;
    pba_status status = file_is_folder(path) ? run_read_json(path, "config.json", &config) : PBA_OK;
    const char *kind = json_string_value(json_object_get(config, "kind"));
    *found = kind && strcmp(kind, "compare") == 0;
    json_decref(config);
    return status == PBA_MEMORY ? status : PBA_OK; /* whatever else is wrong is told later */
}

/* The place of an arm's folder, from 0; -1: it is none, or holds no run yet. */
static int place_of(const char *folder, const char *name, char path[PBA_PATH_MAX])
{
    int number, length = 0;
    char config[PBA_PATH_MAX];
    bool arm = sscanf(name, "%2d-%n", &number, &length) == 1 && length && number >= 1 &&
               number <= PBA_REPORT_RUNS_MAX && file_join(path, folder, name) == PBA_OK &&
               file_join(config, path, "config.json") == PBA_OK && file_exists(config);
    return arm ? number - 1 : -1;
}

void report_list_arms(const char *folder, char (*paths)[PBA_PATH_MAX])
{
    DIR *stream = opendir(folder);
    for (struct dirent *each; stream && (each = readdir(stream));) {
        char path[PBA_PATH_MAX];
        int place = place_of(folder, each->d_name, path);
        if (place >= 0) {
            memcpy(paths[place], path, sizeof path);
        }
    }
    if (stream) {
        closedir(stream);
    }
}
