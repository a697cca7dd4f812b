/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/printable.h"

enum { MESSAGE_MAX = 2048, HEAD = 512, LONGEST = 4 * PBA_PATH_MAX };
static _Thread_local char message[MESSAGE_MAX];

#define NAME(code, text) #code,
static const char *const names[] = {PBA_STATUS_LIST(NAME)};
#undef NAME
#define TEXT(code, text) text,
static const char *const texts[] = {PBA_STATUS_LIST(TEXT)};
#undef TEXT

static bool known(pba_status status)
{
    return (unsigned)status < PBA_STATUS_COUNT;
}

const char *pba_status_name(pba_status status)
{
    return known(status) ? names[status] : "unknown status";
}

const char *pba_status_text(pba_status status)
{
    return known(status) ? texts[status] : "unknown status";
}

const char *pba_error_message(void)
{
    return message;
}

/* One line, and nothing that a terminal obeys: names in it may come from strangers. What is too
 * long is so by a path, at its front: the middle is left out, the reason and the remedy stay. */
static void remember(char text[LONGEST])
{
    size_t length = strlen(text), tail = MESSAGE_MAX - 1 - HEAD - 3;
    if (length >= MESSAGE_MAX) {
        memcpy(text + HEAD, "...", 3);
        memmove(text + HEAD + 3, text + length - tail, tail + 1);
    }
    printable_make(text);
    memcpy(message, text, strlen(text) + 1);
}

pba_status status_set(pba_status status, const char *format, ...)
{
    char text[LONGEST]; /* the arguments may point into `message` */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    remember(text);
    return status;
}

pba_status status_prefix(pba_status status, const char *format, ...)
{
    char text[LONGEST];
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (used >= 0 && used < LONGEST) {
        snprintf(text + used, sizeof text - (size_t)used, ": %s", message);
    }
    remember(text);
    return status;
}

pba_status status_null(const char *call)
{
    return status_set(PBA_USAGE, "%s: an argument is NULL that must not be", call);
}
