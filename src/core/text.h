/* SPDX-License-Identifier: Apache-2.0
 * Text that grows. A failure (no memory) sticks and is asked for once, at the end, so that writing
 * needs no checks. Numbers are written as the thread's locale says (locale.h). */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdarg.h>

#include "core/status.h"

/* Begins as {0}; whoever does not end it frees `data`. */
typedef struct text_buffer {
    char *data; /* ends with a 0 byte once something was added */
    size_t size, room;
    bool failed;
} text_buffer;

void text_add(text_buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(text_buffer *out, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void text_add_bytes(text_buffer *out, const char *bytes, size_t size);
void text_add_letter(text_buffer *out, char letter);

/* Bytes of the UTF-8 sequence at `at` (Unicode 15, table 3-7); 0: it is none. */
int text_character(const char *at);
bool text_is_utf8(const char *text);

/* PBA_MEMORY where something before could not be added; `what` it was to be, for the message. */
pba_status text_status(const text_buffer *text, const char *what);

/* Ends it: the text is handed over for free(), with its size where that is asked for; or NULL, with
 * PBA_MEMORY as above. */
pba_status text_end(text_buffer *from, const char *what, char **text, size_t *size);

#endif
