/* SPDX-License-Identifier: Apache-2.0
 * A page's or a picture's text (core/text.h): markup is written by report_add, everything that
 * comes from files, names and paths by report_say, which escapes it. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include "core/text.h"

typedef text_buffer report_text;

/* Markup of our own: never a text from outside. Numbers are written as the thread's locale says, so
 * callers are inside report_enter_locale. */
void report_add(report_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Formats, then escapes for HTML and XML, in content and in quoted attributes. Control characters
 * and what is no UTF-8 become U+FFFD. */
void report_say(report_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

void report_base64(report_text *out, const uint8_t *bytes, size_t size);

#endif
