/* SPDX-License-Identifier: Apache-2.0
 * Text that grows: markup is written by report_add, everything that comes from files, names and
 * paths by report_say, which escapes it. A failure (no memory) sticks and is asked for once, at
 * the end, so that drawing needs no checks. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "core/status.h"

typedef struct report_text {
    char *data; /* ends with a 0 byte once something was added; free it */
    size_t size, room;
    bool failed;
} report_text;

/* Markup of our own: never a text from outside. Numbers are written as the thread's locale says, so
 * callers are inside report_enter_locale. */
void report_add(report_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void report_add_bytes(report_text *out, const char *bytes, size_t size);

/* Formats, then escapes for HTML and XML, in content and in quoted attributes. Control characters
 * and what is no UTF-8 become U+FFFD. */
void report_say(report_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void report_base64(report_text *out, const uint8_t *bytes, size_t size);

/* PBA_MEMORY where something before could not be added. */
pba_status report_text_status(const report_text *text);

#endif
