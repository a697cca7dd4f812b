/* SPDX-License-Identifier: Apache-2.0
 * Texts for people in a fixed number of bytes: what does not fit is cut off, and seen to be. */
#ifndef CORE_NOTE_H
#define CORE_NOTE_H

#include <stdarg.h>
#include <stddef.h>

/* Of a text that was cut off to fit into `size` bytes: its last characters, whole ones of UTF-8,
 * become "...". */
void note_cut(char *text, size_t size);

/* Adds a sentence behind those that are there, and "; ". */
void note_add(char *text, size_t size, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

#endif
