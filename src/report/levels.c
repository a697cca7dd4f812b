/* SPDX-License-Identifier: Apache-2.0
 * The paper's figure of magnitudes (its figure 4a) as a heat map. A level counts where its entry
 * can fire: one that never does would be a figure without meaning. */
#include <math.h>
#include <stdlib.h>

#include "report/charts.h"

enum { ROW = 18, KEY = 44 };

static void draw_cell(report_text *out, const figures *figures, const report_frame *frame,
                      const figures_column *column, int op, double y)
{
    double level = figures_level(figures, column, op);
    char class[16] = "level-none";
    report_text title = {0};
    if (level < 0) {
        return;
    }
    if (figures_has_level(figures->schedule->ops[op])) {
        snprintf(class, sizeof class, "l%ld", lround(level));
    }
    figures_tell_op(&title, figures, column, op);
    svg_box(out, class, frame_x(frame, column->from), y,
            frame_x(frame, column->until) - frame_x(frame, column->from) + 0.3, ROW - 2,
            title.data);
    out->failed |= title.failed;
    free(title.data);
}

static void draw_row(report_text *out, const figures *figures, const report_frame *frame, int place)
{
    int op = figures->order[figures->schedule->op_count - 1 - place];
    double y = frame->top + place * ROW;
    svg_path_begin(out, "chip", figures->shades[op].fill);
    report_add(out, "M0 %.1fh8v8h-8z", y + 4);
    svg_path_end(out, NULL);
    svg_label(out, figures->used[op] ? "" : "soft", "start", 12, y + 12.5, "%s",
              figures->schedule->ops[op]);
    svg_line(out, "grid", frame->left, y + ROW - 1, frame->left + frame->width, y + ROW - 1);
    for (int i = 0; i < figures->count; i++) {
        draw_cell(out, figures, frame, &figures->columns[i], op, y);
    }
}

/* "weak 0 [ten colours] 9 strong   [grey] has no level" */
static void draw_key(report_text *out, const report_frame *frame, bool narrow)
{
    double x = 12 + svg_text_width(7), side = narrow ? 11 : 18;
    svg_label(out, "soft", "start", 0, 14, "level 0");
    for (int level = 0; level <= SCHEDULE_LEVEL_MAX; level++) {
        char class[16];
        snprintf(class, sizeof class, "l%d", level);
        svg_box(out, class, x + level * side, 4, side, 13, NULL);
    }
    x += (SCHEDULE_LEVEL_MAX + 1) * side + 5;
    svg_label(out, "soft", "start", x, 14, "9");
    x += 24;
    svg_box(out, "level-none", x, 4, side, 13, NULL);
    svg_label(out, "soft", "start", x + side + 5, 14, "has no level");
}

void chart_levels(report_text *out, const figures *figures, chart_place place)
{
    int rows = figures->schedule->op_count;
    svg_picture picture = {chart_width(place), rows * ROW + KEY + 26, place.alone};
    report_frame frame = {.left = 102,
                          .top = 28,
                          .width = picture.width - 102 - 16,
                          .height = rows * ROW,
                          .x_max = figures->schedule->epochs};
    svg_open(out, &picture, "Level of each operation, over the epochs of training");
    draw_key(out, &frame, place.narrow);
    for (int row = 0; row < rows; row++) {
        draw_row(out, figures, &frame, row);
    }
    frame_axis_x(out, &frame, "epoch of training");
    svg_close(out);
}
