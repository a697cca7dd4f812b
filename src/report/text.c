/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void report_add(report_text *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(out, format, arguments);
    va_end(arguments);
}

/* Bytes of the character at `at`, 0 where it is none or one that XML does not allow. */
static int sequence(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return at[0] >= 0x20 && at[0] != 0x7f ? 1 : at[0] == '\n' || at[0] == '\t';
    }
    int length = text_character((const char *)at);
    return length == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe ? 0 : length;
}

static const char *entity(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void escape(report_text *out, const char *text)
{
    for (const char *at = text; *at;) {
        int length = sequence((const unsigned char *)at);
        const char *name = entity(*at);
        if (!length) {
            text_add_bytes(out, "\xef\xbf\xbd", 3);
        } else if (name) {
            text_add_bytes(out, name, strlen(name));
        } else {
            text_add_bytes(out, at, (size_t)length);
        }
        at += length ? length : 1;
    }
}

void report_say(report_text *out, const char *format, ...)
{
    report_text plain = {0};
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&plain, format, arguments);
    va_end(arguments);
    if (plain.failed) {
        out->failed = true;
    } else {
        escape(out, plain.data);
    }
    free(plain.data);
}

void report_base64(report_text *out, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char four[] = {digits[three >> 18], digits[three >> 12 & 63],
                       left > 1 ? digits[three >> 6 & 63] : '=',
                       left > 2 ? digits[three & 63] : '='};
        text_add_bytes(out, four, 4);
    }
}
