/* SPDX-License-Identifier: Apache-2.0 */
#include "core/printable.h"

#include <stdbool.h>

size_t printable_character(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t length = at[0] < 0x80   ? 1
                    : at[0] < 0xc2 ? 0
                    : at[0] < 0xe0 ? 2
                    : at[0] < 0xf0 ? 3
                    : at[0] < 0xf5 ? 4
                                   : 0;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool control = at[0] < ' ' || at[0] == 127 || (at[0] == 0xc2 && at[1] < 0xa0);
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool outside = (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf4 && at[1] >= 0x90);
    return control || overlong || outside ? 0 : length;
}

void printable_make(char *text)
{
    for (size_t length; *text; text += length ? length : 1) {
        length = printable_character(text);
        *text = length ? *text : '?';
    }
}
