/* SPDX-License-Identifier: Apache-2.0
 * Long forms of tests: each part goes on until the time is up, and keeps in a file how far it came,
 * so that the next call goes on there. The file is a line of numbers, which is the old one or the
 * new one whenever the test is killed. Behind check.h; what goes wrong fails the test. */
#ifndef TESTS_STATE_H
#define TESTS_STATE_H

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/file.h"

enum { STATE_MAX = 1024, STATE_UNFINISHED = 75 };

static struct long_form {
    const char *folder; /* NULL: this is the short form */
    double end;         /* of the time, by clock_now() */
    bool unfinished;    /* a part has something left */
} long_form;

static inline void long_form_begin(const char *of, const char *seconds)
{
    long_form = (struct long_form){.folder = of, .end = clock_now() + atof(seconds)};
}

static inline bool long_form_goes_on(void)
{
    return clock_now() < long_form.end;
}

/* The exit status, of what cmocka's group returned. */
static inline int long_form_end(int failed)
{
    return failed ? 1 : long_form.unfinished ? STATE_UNFINISHED : 0;
}

static inline void state_path(const char *name, const char *end, char path[PBA_PATH_MAX])
{
    assert_true(snprintf(path, PBA_PATH_MAX, "%s/%s%s", long_form.folder, name, end) <
                PBA_PATH_MAX);
}

static inline void state_refuse(const char *name)
{
    fail_msg("%s/%s: is no state of this test, or damaged; remove it to begin with %s anew",
             long_form.folder, name, name);
}

/* How many numbers there are, 0 for a part that has not begun. */
static inline int state_read(const char *name, long numbers[STATE_MAX])
{
    char path[PBA_PATH_MAX], *text, *at;
    size_t size;
    int count = 0;
    state_path(name, "", path);
    pba_status status = file_read(path, 1 << 16, &text, &size);
    if (status == PBA_NOT_FOUND) {
        return 0;
    }
    if (status != PBA_OK) {
        fail_msg("%s", pba_error_message());
    }
    for (char *next = at = text; count < STATE_MAX; at = next) {
        long number = strtol(at, &next, 10);
        if (next == at) {
            break;
        }
        numbers[count++] = number;
    }
    bool whole = count && strcmp(at, "\n") == 0;
    free(text);
    if (!whole) {
        state_refuse(name);
    }
    return count;
}

/* Not synced: that would take longer than what is counted. */
static inline void state_write(const char *name, const long *numbers, int count)
{
    char path[PBA_PATH_MAX], beside[PBA_PATH_MAX];
    state_path(name, "", path);
    state_path(name, ".new", beside);
    FILE *file = fopen(beside, "w");
    int failed = !file;
    for (int i = 0; i < count && !failed; i++) {
        failed = fprintf(file, "%ld%s", numbers[i], i + 1 < count ? " " : "\n") < 0;
    }
    failed |= file && fclose(file) != 0;
    if (failed || rename(beside, path) != 0) {
        fail_msg("%s: cannot be written: %s", path, strerror(errno));
    }
}

#endif
