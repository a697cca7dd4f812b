/* SPDX-License-Identifier: Apache-2.0
 * Text that strangers chose (names in files, and of files) on its way to a terminal. */
#ifndef CORE_PRINTABLE_H
#define CORE_PRINTABLE_H

#include <stddef.h>

/* Bytes of the UTF-8 character at `text`; 0 where there is no valid one, or one that a terminal
 * obeys (C0, DEL, C1). */
size_t printable_character(const char *text);

/* In place: each byte of what is no such character becomes '?'. */
void printable_make(char *text);

#endif
