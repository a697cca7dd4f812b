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

/* Bytes of the UTF-8 sequence at `at` (Unicode 15, table 3-7), 0 where it is none or a character
 * that XML does not allow. */
static int sequence(const unsigned char *at)
{
    if (at[0] < 0x80) {
        return at[0] >= 0x20 && at[0] != 0x7f ? 1 : at[0] == '\n' || at[0] == '\t';
    }
    int length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    int low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    int high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[0] < 0xc2 || at[0] > 0xf4 || at[1] < low || at[1] > high) {
        return 0;
    }
    for (int i = 2; i < length; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
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
