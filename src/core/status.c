/* SPDX-License-Identifier: Apache-2.0 */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/note.h"

enum { MESSAGE_MAX = 2048 };
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

/* One line, and nothing that a terminal obeys: names in it may come from strangers. */
static void remember(char text[MESSAGE_MAX])
{
    for (char *at = text; *at; at++) {
        *at = (unsigned char)*at < ' ' || *at == 127 ? '?' : *at;
    }
    memcpy(message, text, MESSAGE_MAX);
}

pba_status status_set(pba_status status, const char *format, ...)
{
    char text[MESSAGE_MAX]; /* the arguments may point into `message` */
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length >= MESSAGE_MAX) {
        note_cut(text, sizeof text);
    }
    remember(text);
    return status;
}

pba_status status_prefix(pba_status status, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (used >= 0 && used < MESSAGE_MAX) {
        used += snprintf(text + used, sizeof text - (size_t)used, ": %s", message);
    }
    if (used >= MESSAGE_MAX) {
        note_cut(text, sizeof text);
    }
    remember(text);
    return status;
}

pba_status status_null(const char *call)
{
    return status_set(PBA_USAGE, "%s: an argument is NULL that must not be", call);
}
