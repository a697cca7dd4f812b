/* SPDX-License-Identifier: Apache-2.0 */
#include "report/frame.h"

#include <math.h>

double frame_x(const report_frame *frame, double value)
{
    double span = frame->x_max - frame->x_min;
    return frame->left + (span > 0 ? (value - frame->x_min) / span * frame->width : 0);
}

double frame_y(const report_frame *frame, double value)
{
    double span = frame->y_max - frame->y_min;
    return frame->top + frame->height -
           (span > 0 ? (value - frame->y_min) / span * frame->height : 0);
}

double frame_step(double span, int count)
{
    double raw = span / count;
    if (!(raw > 0) || !isfinite(raw)) {
        return 1;
    }
    double power = pow(10, floor(log10(raw))), times = raw / power;
    return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

double frame_step_x(double span, double width)
{
    return frame_step(span, width > 400 ? 12 : 5);
}

static int decimals_of(double step)
{
    return step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
}

static void draw_axis_x(report_text *out, const report_frame *frame, double step, const char *title)
{
    double bottom = frame->top + frame->height;
    svg_line(out, "axis", frame->left, bottom, frame->left + frame->width, bottom);
    for (int i = 0; frame->x_min + i * step <= frame->x_max + step * 1e-9; i++) {
        double x = frame_x(frame, frame->x_min + i * step);
        svg_line(out, "axis", x, bottom, x, bottom + 4);
        svg_label(out, "soft", "middle", x, bottom + 17, "%.*f", decimals_of(step),
                  frame->x_min + i * step);
    }
    svg_label(out, "soft", "middle", frame->left + frame->width / 2, bottom + 34, "%s", title);
}

void frame_axis_x(report_text *out, const report_frame *frame, const char *title)
{
    double step = frame_step_x(frame->x_max - frame->x_min, frame->width);
    draw_axis_x(out, frame, fmax(1, step), title);
}

void frame_scale_x(report_text *out, const report_frame *frame, const char *title)
{
    double step = frame_step_x(frame->x_max - frame->x_min, frame->width);
    for (int i = 0; frame->x_min + i * step <= frame->x_max + step * 1e-9; i++) {
        double x = frame_x(frame, frame->x_min + i * step);
        svg_line(out, "grid", x, frame->top, x, frame->top + frame->height);
    }
    draw_axis_x(out, frame, step, title);
}

void frame_axis_y(report_text *out, const report_frame *frame, const char *unit, const char *title)
{
    double step = frame_step(frame->y_max - frame->y_min, 5);
    double first = ceil(frame->y_min / step - 1e-9);
    for (int i = 0; (first + i) * step <= frame->y_max + step * 1e-9; i++) {
        double value = (first + i) * step, y = frame_y(frame, value);
        svg_line(out, "grid", frame->left, y, frame->left + frame->width, y);
        svg_label(out, "soft", "end", frame->left - 6, y + 4, "%.*f%s", decimals_of(step), value,
                  unit);
    }
    svg_label(out, "soft", "start", 0, frame->top - 10, "%s", title);
}
