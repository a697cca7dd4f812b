/* SPDX-License-Identifier: Apache-2.0
 * strtod and printf follow the thread's locale; files and settings never do. */
#ifndef CORE_LOCALE_H
#define CORE_LOCALE_H

#include <locale.h>

typedef struct locale_plain {
    locale_t plain, previous;
} locale_plain;

/* The C locale for this thread, until it is left. */
locale_plain locale_enter(void);
void locale_leave(locale_plain *held);

#endif
