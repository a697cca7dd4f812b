/* SPDX-License-Identifier: Apache-2.0 */
#include "report/families.h"

#include <stdio.h>
#include <string.h>

#include "augment/op.h"

/* From the first colour to the last one. An operation that is in none of the lists takes the last
 * row, so that one of somebody else's is drawn too. */
static const struct {
    const augment_ops *ops;
    uint8_t from[3], to[3];
} families[] = {
    {&augment_geometry, {0x0a, 0x4f, 0x94}, {0xa9, 0xd6, 0xf5}},
    {&augment_crop, {0x0a, 0x4f, 0x94}, {0x0a, 0x4f, 0x94}},
    {&augment_tone, {0x9c, 0x3f, 0x00}, {0xfc, 0xce, 0x8c}},
    {&augment_histogram, {0x7a, 0x3f, 0x8e}, {0xcc, 0x9d, 0xd8}},
    {&augment_enhance, {0x00, 0x6e, 0x52}, {0x8a, 0xd6, 0xbb}},
    {&augment_cut, {0x58, 0x5f, 0x68}, {0x58, 0x5f, 0x68}},
    {NULL, {0x8c, 0x7a, 0x1e}, {0xe6, 0xd6, 0x7a}},
};
enum { FAMILIES = sizeof families / sizeof *families };

static int family_of(const char *op)
{
    for (int family = 0; family < FAMILIES - 1; family++) {
        for (size_t i = 0; i < families[family].ops->count; i++) {
            if (strcmp(families[family].ops->rows[i].name, op) == 0) {
                return family;
            }
        }
    }
    return FAMILIES - 1;
}

static report_shade mix(int family, int place, int count)
{
    report_shade shade;
    unsigned colour[3];
    for (int c = 0; c < 3; c++) {
        int from = families[family].from[c], to = families[family].to[c];
        colour[c] = (unsigned)(from + (count > 1 ? (to - from) * place / (count - 1) : 0)) & 255;
    }
    snprintf(shade.fill, sizeof shade.fill, "#%02x%02x%02x", colour[0], colour[1], colour[2]);
    return shade;
}

void families_arrange(const char *const *ops, int count, int *order, report_shade *shades)
{
    int used = 0;
    for (int family = 0; family < FAMILIES; family++) {
        int first = used;
        for (int op = 0; op < count; op++) {
            if (family_of(ops[op]) == family) {
                order[used++] = op;
            }
        }
        for (int i = first; i < used; i++) {
            shades[order[i]] = mix(family, i - first, used - first);
        }
    }
}
