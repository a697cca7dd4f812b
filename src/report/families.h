/* SPDX-License-Identifier: Apache-2.0
 * Colours of operations. Fifteen hues cannot be told apart, by nobody: operations of one file of
 * augment/ops share a hue and differ in lightness, stand side by side, and are labelled where they
 * are drawn. Hues are of Okabe and Ito's set, made for all kinds of colour vision. */
#ifndef REPORT_FAMILIES_H
#define REPORT_FAMILIES_H

#include "core/status.h"

typedef struct report_shade {
    char fill[8]; /* "#123456" */
} report_shade;

/* order: 0..count-1 so that families stand together; shades: by operation. */
void families_arrange(const char *const *ops, int count, int *order, report_shade *shades);

#endif
