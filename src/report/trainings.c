/* SPDX-License-Identifier: Apache-2.0
 * The final comparison: test errors of training runs, each seed and the mean with its interval. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/charts.h"
#include "report/verdict.h"

enum { ROW = 44 };

/* What the run trained under, and its name where that does not say it; cut to `room` characters. */
static void label_of(const report_run *run, int room, char label[256])
{
    char text[256];
    snprintf(text, sizeof text, "%s (%s)", report_augment_name(run), run->name);
    size_t length = strlen(text), most = (size_t)room;
    if (length <= most) {
        memcpy(label, text, length + 1);
    } else {
        snprintf(label, 256, "%.*s...", (int)most - 3, text);
    }
}

static void hold(report_frame *frame, double low, double high)
{
    frame->x_min = fmin(frame->x_min, 100 * low);
    frame->x_max = fmax(frame->x_max, 100 * high);
}

/* Room for all seeds and, as far as it is sensible, the intervals: of two seeds they can be wider
 * than all that is known. */
static report_frame make_frame(const report_run *const *runs, int count, double width)
{
    report_frame frame = {
        .left = 16, .top = 6, .width = width - 32, .height = count * ROW, .x_min = 100, .x_max = 0};
    for (int i = 0; i < count; i++) {
        double half = fmax(report_half_width(runs[i]), 0), mean = report_mean(runs[i]);
        for (int seed = 0; seed < runs[i]->done; seed++) {
            hold(&frame, runs[i]->errors[seed], runs[i]->errors[seed]);
        }
        if (runs[i]->done) {
            hold(&frame, fmax(mean - half, 0), fmin(mean + half, 1));
        }
    }
    double step = frame_step_x(fmax(frame.x_max - frame.x_min, 0.1), frame.width);
    frame.x_min = floor(frame.x_min / step) * step;
    frame.x_max = ceil(frame.x_max / step + 1e-9) * step;
    return frame;
}

static void tell(report_text *title, const report_run *run)
{
    double half = report_half_width(run);
    report_add(title, "%s\naugmentation: %s\ntest error %.2f %%", run->name,
               report_setting(run, "augment"), 100 * report_mean(run));
    if (half >= 0) {
        report_add(title, " \xc2\xb1 %.2f (95 %% interval of the mean)", 100 * half);
    }
    report_add(title, "\nseeds:");
    for (int i = 0; i < run->done; i++) {
        report_add(title, " %.2f %%", 100 * run->errors[i]);
    }
}

static void draw_marks(report_text *out, const report_run *run, const report_frame *frame, double y)
{
    double mean = report_mean(run), half = report_half_width(run);
    if (half >= 0) {
        double left = frame_x(frame, fmax(100 * (mean - half), frame->x_min));
        double right = frame_x(frame, fmin(100 * (mean + half), frame->x_max));
        svg_path_begin(out, "range", NULL);
        report_add(out, "M%.1f %.1fH%.1fM%.1f %.1fv10M%.1f %.1fv10", left, y, right, left, y - 5,
                   right, y - 5);
        svg_path_end(out, NULL);
    }
    for (int i = 0; i < run->done; i++) {
        svg_dot(out, "seed", frame_x(frame, 100 * run->errors[i]), y, 3.5, NULL);
    }
    svg_dot(out, "mean", frame_x(frame, 100 * mean), y, 5, NULL);
}

static void draw_row(report_text *out, const report_run *run, const report_frame *frame, int row,
                     chart_place place)
{
    char label[256], value[64];
    double top = frame->top + row * ROW, half = report_half_width(run);
    label_of(run, place.narrow ? 30 : 80, label);
    svg_label(out, "", "start", frame->left, top + 13, "%s", label);
    if (!run->done) {
        svg_label(out, "soft", "end", frame->left + frame->width, top + 13, "no seed done yet");
        return;
    }
    if (half >= 0) {
        snprintf(value, sizeof value, "%.2f \xc2\xb1 %.2f %%", 100 * report_mean(run), 100 * half);
    } else {
        snprintf(value, sizeof value, "%.2f %%, one seed", 100 * report_mean(run));
    }
    svg_label(out, "bold", "end", frame->left + frame->width, top + 13, "%s", value);
    report_text title = {0};
    tell(&title, run);
    draw_marks(out, run, frame, top + 28);
    svg_box(out, "hit", frame->left, top, frame->width, ROW - 2, title.data);
    out->failed |= title.failed;
    free(title.data);
}

void chart_trainings(report_text *out, const report_run *const *runs, int count, chart_place place)
{
    svg_picture picture = {chart_width(place), count * ROW + 50, place.alone};
    report_frame frame = make_frame(runs, count, picture.width);
    svg_open(out, &picture, "Test error of training runs, with 95 % intervals");
    frame_scale_x(out, &frame, "test error, %");
    for (int i = 0; i < count; i++) {
        draw_row(out, runs[i], &frame, i, place);
    }
    svg_close(out);
}
