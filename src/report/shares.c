/* SPDX-License-Identifier: Apache-2.0
 * The paper's figure of probabilities (its figure 4b), in units that say what happens to an image:
 * a policy's probabilities alone do not, since an image gets two operations at most. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/charts.h"

enum { LABEL_HEIGHT = 13 };

typedef struct label {
    int op;
    double at, y; /* the middle of its area; where the label stands */
} label;

static double highest(const figures *figures)
{
    double top = 0;
    for (int i = 0; i < figures->count; i++) {
        top = fmax(top, figures->columns[i].total);
    }
    return top;
}

/* Upper edge of the area at `place` in the order, which is the sum up to there. */
static double edge(const figures *figures, const figures_column *column, int place)
{
    double sum = 0;
    for (int i = 0; i < place; i++) {
        sum += figures_share(figures, column, figures->order[i]);
    }
    return sum;
}

static void draw_area(report_text *out, const figures *figures, const report_frame *frame,
                      int place)
{
    int op = figures->order[place];
    svg_path_begin(out, "area", figures->shades[op].fill);
    for (int i = 0; i < figures->count; i++) {
        const figures_column *column = &figures->columns[i];
        double y = frame_y(frame, edge(figures, column, place + 1));
        report_add(out, "%s%.1f %.1fH%.1f", i ? "L" : "M", frame_x(frame, column->from), y,
                   frame_x(frame, column->until));
    }
    for (int i = figures->count - 1; i >= 0; i--) {
        const figures_column *column = &figures->columns[i];
        double y = frame_y(frame, edge(figures, column, place));
        report_add(out, "L%.1f %.1fH%.1f", frame_x(frame, column->until), y,
                   frame_x(frame, column->from));
    }
    report_add(out, "Z");
    svg_path_end(out, NULL);
}

/* From the top down, each at its area's middle as far as those above leave room; then up again
 * where they have run out of the plot. */
static void spread(label *labels, int count, const report_frame *frame)
{
    double bottom = frame->top + frame->height;
    for (int i = 0; i < count; i++) {
        double least = i ? labels[i - 1].y + LABEL_HEIGHT : frame->top;
        labels[i].y = fmax(labels[i].at, least);
    }
    for (int i = count - 1; i >= 0; i--) {
        double most = i + 1 < count ? labels[i + 1].y - LABEL_HEIGHT : bottom;
        labels[i].y = fmin(labels[i].y, most);
    }
}

static int collect_labels(const figures *figures, const report_frame *frame, label *labels)
{
    const figures_column *last = &figures->columns[figures->count - 1];
    int count = 0;
    for (int place = figures->schedule->op_count - 1; place >= 0; place--) {
        double low = edge(figures, last, place), high = edge(figures, last, place + 1);
        if (high > low) {
            labels[count++] = (label){figures->order[place], frame_y(frame, (low + high) / 2), 0};
        }
    }
    spread(labels, count, frame);
    return count;
}

static void draw_labels(report_text *out, const figures *figures, const report_frame *frame)
{
    label labels[PBA_POLICY_MAX];
    int count = collect_labels(figures, frame, labels);
    double right = frame->left + frame->width;
    for (int i = 0; i < count; i++) {
        const label *label = &labels[i];
        svg_path_begin(out, "leader", NULL);
        report_add(out, "M%.1f %.1fL%.1f %.1fH%.1f", right + 1, label->at, right + 8, label->y,
                   right + 10);
        svg_path_end(out, NULL);
        svg_path_begin(out, "chip", figures->shades[label->op].fill);
        report_add(out, "M%.1f %.1fh8v8h-8z", right + 11, label->y - 4);
        svg_path_end(out, NULL);
        svg_label(out, "", "start", right + 22, label->y + 4, "%s",
                  figures->schedule->ops[label->op]);
    }
}

static void draw_hits(report_text *out, const figures *figures, const report_frame *frame)
{
    for (int i = 0; i < figures->count; i++) {
        const figures_column *column = &figures->columns[i];
        report_text title = {0};
        figures_tell_all(&title, figures, column);
        svg_box(out, "hit", frame_x(frame, column->from), frame->top,
                frame_x(frame, column->until) - frame_x(frame, column->from), frame->height,
                title.data);
        out->failed |= title.failed;
        free(title.data);
    }
}

void chart_shares(report_text *out, const figures *figures, chart_place place)
{
    double height = fmax(place.narrow ? 250 : 300, LABEL_HEIGHT * figures->schedule->op_count + 8);
    svg_picture picture = {chart_width(place), height + 70, place.alone};
    report_frame frame = {.left = 34,
                          .top = 26,
                          .width = picture.width - 34 - 112,
                          .height = height,
                          .x_max = figures->schedule->epochs,
                          .y_max = fmax(highest(figures) * 1.04, 0.01)};
    svg_open(out, &picture,
             "How often each operation is applied to an image, over the epochs of training");
    frame_axis_y(out, &frame, "", "applications per image, on average");
    for (int i = 0; i < figures->schedule->op_count; i++) {
        if (figures->used[figures->order[i]]) {
            draw_area(out, figures, &frame, i);
        }
    }
    frame_axis_x(out, &frame, "epoch of training");
    draw_labels(out, figures, &frame);
    draw_hits(out, figures, &frame);
    svg_close(out);
}
