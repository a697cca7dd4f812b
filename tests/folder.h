/* SPDX-License-Identifier: Apache-2.0
 * Tests of data sets in a temporary folder of their own. Behind check.h. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "data/dataset.h"

static char folder[PBA_PATH_MAX]; /* of the running test, removed behind it */

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-test-folder-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[PBA_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

/* Valid until the next call. */
static inline const char *path_of(const char *name)
{
    static char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, name));
    return path;
}

static inline void put(const char *name, const void *data, size_t size)
{
    assert_ok(file_write(path_of(name), data, size));
}

static inline pba_dataset *opened(const char *path)
{
    pba_dataset *dataset;
    assert_ok(pba_dataset_open(path, &dataset));
    return dataset;
}

static inline pba_dataset_info describe(const pba_dataset *dataset)
{
    pba_dataset_info info;
    assert_ok(pba_dataset_describe(dataset, &info));
    return info;
}

/* `part`: of the message, which is one line and names the path. */
static inline void refused(const char *path, pba_status status, const char *part)
{
    pba_dataset *dataset;
    pba_status got = pba_dataset_open(path, &dataset);
    if (got != status || !strstr(pba_error_message(), part) || !strstr(pba_error_message(), path) ||
        strchr(pba_error_message(), '\n')) {
        fail_msg("%s instead of %s, \"%s\" of: %s", pba_status_name(got), pba_status_name(status),
                 part, pba_error_message());
    }
    assert_null(dataset);
}

#endif
