/* SPDX-License-Identifier: Apache-2.0 */
#include "core/locale.h"

locale_plain locale_enter(void)
{
    locale_plain held = {.plain = newlocale(LC_ALL_MASK, "C", (locale_t)0)};
    held.previous = held.plain ? uselocale(held.plain) : (locale_t)0;
    return held;
}

void locale_leave(locale_plain *held)
{
    if (held->plain) {
        uselocale(held->previous);
        freelocale(held->plain);
    }
}
