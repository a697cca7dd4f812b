/* SPDX-License-Identifier: Apache-2.0 */
#include "core/note.h"

#include <stdio.h>
#include <string.h>

static const char more[] = "...";

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void note_cut(char *text, size_t size)
{
    size_t at = smaller(strlen(text), size - sizeof more);
    while (at && ((unsigned char)text[at] & 0xc0) == 0x80) {
        at--;
    }
    memcpy(text + at, more, sizeof more);
}

void note_add(char *text, size_t size, const char *format, va_list arguments)
{
    size_t used = strlen(text);
    used += (size_t)snprintf(text + used, size - used, "%s", used ? "; " : "");
    if (used < size) {
        int added = vsnprintf(text + used, size - used, format, arguments);
        used += added > 0 ? (size_t)added : 0;
    }
    if (used >= size) {
        note_cut(text, size);
    }
}
