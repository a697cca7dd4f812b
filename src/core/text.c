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

int text_character(const char *at)
{
    const unsigned char *byte = (const unsigned char *)at;
    if (byte[0] < 0x80) {
        return 1;
    }
    int length = byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    int low = byte[0] == 0xe0 ? 0xa0 : byte[0] == 0xf0 ? 0x90 : 0x80;
    int high = byte[0] == 0xed ? 0x9f : byte[0] == 0xf4 ? 0x8f : 0xbf;
    if (byte[0] < 0xc2 || byte[0] > 0xf4 || byte[1] < low || byte[1] > high) {
        return 0;
    }
    for (int i = 2; i < length; i++) {
        if (byte[i] < 0x80 || byte[i] > 0xbf) {
            return 0;
        }
    }
    return length;
}

bool text_is_utf8(const char *text)
{
    int length = 1;
    while (*text && length) {
        length = text_character(text);
        text += length;
    }
    return !*text;
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
