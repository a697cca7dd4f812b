/* SPDX-License-Identifier: Apache-2.0
 * One temporary folder for all tests of a file, which says its name (mkdtemp's) before this is
 * included: static char folder[] = "/tmp/pba-test-NAME-XXXXXX"; tests that want one each have
 * folder.h. Behind check.h. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"

static int set_up(void **state)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Valid for the next seven calls. */
static const char *at(const char *name)
{
    static char paths[8][PBA_PATH_MAX];
    static int next;
    char *path = paths[next++ % 8];
    assert_ok(file_join(path, folder, name));
    return path;
}

#endif
