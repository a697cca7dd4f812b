/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/ranges.h"

#include <math.h>
#include <string.h>

/* One division, at the end, so that lengths which come out whole are not truncated below. */
static double way(const augment_range *range, int side, int level, int levels,
                  const augment_canvas *canvas)
{
    double over = levels - 1, span = (range->to - range->from) * level;
    if (side && range->flags & (AUGMENT_ACROSS | AUGMENT_DOWN)) {
        span *= range->flags & AUGMENT_ACROSS ? canvas->width : canvas->height;
        over *= side;
    }
    double value = span / over;
    return range->flags & AUGMENT_ROUNDS      ? nearbyint(value)
           : range->flags & AUGMENT_TRUNCATES ? trunc(value)
                                              : value;
}

augment_shot augment_shot_of(const augment_ranges *ranges, int row, int level, int levels,
                             const augment_canvas *canvas)
{
    const augment_range *range = &ranges->rows[row];
    if (!range->op) {
        return (augment_shot){0};
    }
    augment_shot shot = {.op = augment_op_find(range->op)};
    double value = range->from + way(range, ranges->side, level, levels, canvas);
    shot.centre = range->flags & AUGMENT_SWINGS ? range->centre : value;
    shot.swing = range->flags & AUGMENT_SWINGS ? value : 0.0;
    return shot;
}

int augment_ranges_find(const augment_ranges *ranges, const char *op)
{
    for (int i = 0; i < ranges->count; i++) {
        if (ranges->rows[i].op && !strcmp(ranges->rows[i].op, op)) {
            return i;
        }
    }
    return -1;
}

void augment_shot_fire(const augment_shot *shot, augment_frame *frame, augment_context *context)
{
    if (!shot->op) {
        return;
    }
    double swing = shot->swing != 0.0 && rng_below(context->rng, 2) ? -shot->swing : shot->swing;
    augment_frame_apply(frame, shot->op, shot->centre + swing, context);
}
