/* SPDX-License-Identifier: Apache-2.0
 * Paths and files that several subcommands take. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

bool cli_set_path(char field[PBA_PATH_MAX], const char *what, const char *text)
{
    if (snprintf(field, PBA_PATH_MAX, "%s", text) < PBA_PATH_MAX) {
        return true;
    }
    cli_error("%s: the path is longer than %d bytes", what, PBA_PATH_MAX - 1);
    return false;
}

int cli_load_schedule(const char *path, int epochs, pba_schedule **schedule)
{
    struct stat info;
    char inside[PBA_PATH_MAX];
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
        snprintf(inside, sizeof inside, "%s/schedule.json", path) < (int)sizeof inside) {
        path = inside;
    }
    pba_status status = pba_schedule_load(path, epochs, schedule);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    if (pba_schedule_check(*schedule) != PBA_OK) {
        cli_error("%s: %s", path, pba_error_message());
        pba_schedule_free(*schedule);
        *schedule = NULL;
        return CLI_FAILED;
    }
    return CLI_DONE;
}

int cli_load_plugins(const char *list)
{
    while (*list) {
        char path[PBA_PATH_MAX];
        size_t length = strcspn(list, ",");
        snprintf(path, sizeof path, "%.*s", (int)length, list);
        list += length;
        list += *list == ',';
        pba_status status = length ? pba_plugin_load(path) : PBA_OK;
        if (status != PBA_OK) {
            return cli_failed(status);
        }
    }
    return CLI_DONE;
}

/* The last part of the path, slashes at its end left out. */
static void dataset_name(const char *dataset, char name[PBA_NAME_MAX])
{
    size_t end = strlen(dataset);
    while (end > 1 && dataset[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && dataset[start - 1] != '/') {
        start--;
    }
    snprintf(name, PBA_NAME_MAX, "%.*s", (int)(end - start), dataset + start);
    if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        snprintf(name, PBA_NAME_MAX, "data");
    }
}

void cli_next_run(const char *kind, const char *dataset, char out[PBA_PATH_MAX])
{
    char name[PBA_NAME_MAX];
    struct stat info;
    dataset_name(dataset, name);
    for (int i = 1;; i++) {
        snprintf(out, PBA_PATH_MAX, "runs/%s-%s-%d", kind, name, i);
        if (lstat(out, &info) != 0) {
            return;
        }
    }
}
