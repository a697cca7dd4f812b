/* SPDX-License-Identifier: Apache-2.0 */
#include "core/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static bool make_room(text_buffer *out, size_t more)
{
    size_t wanted = out->size + more + 1;
    if (out->failed || wanted < out->size) {
        out->failed = true;
        return false;
    }
    if (wanted > out->room) {
        size_t room = wanted < SIZE_MAX / 2 ? 2 * wanted : wanted;
        char *data = memory_grow(out->data, room, 1);
        if (!data) {
            out->failed = true;
            return false;
        }
        out->data = data;
        out->room = room;
    }
    return true;
}

void text_add_bytes(text_buffer *out, const char *bytes, size_t size)
{
    if (make_room(out, size)) {
        memcpy(out->data + out->size, bytes, size);
        out->size += size;
        out->data[out->size] = 0;
    }
}

void text_add_letter(text_buffer *out, char letter)
{
    text_add_bytes(out, &letter, 1);
}

void text_add_list(text_buffer *out, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        out->failed = true;
    } else if (make_room(out, (size_t)length)) {
        vsnprintf(out->data + out->size, (size_t)length + 1, format, again);
        out->size += (size_t)length;
    }
    va_end(again);
}

void text_add(text_buffer *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(out, format, arguments);
    va_end(arguments);
}

pba_status text_status(const text_buffer *text, const char *what)
{
    return text->failed ? status_set(PBA_MEMORY, "%s: out of memory", what) : PBA_OK;
}

pba_status text_end(text_buffer *from, const char *what, char **text, size_t *size)
{
    text_add_bytes(from, "", 0);
    pba_status status = text_status(from, what);
    if (status != PBA_OK) {
        free(from->data);
        from->data = NULL;
    }
    *text = from->data;
    if (size) {
        *size = from->size;
    }
    *from = (text_buffer){0};
    return status;
}
