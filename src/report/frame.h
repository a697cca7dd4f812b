/* SPDX-License-Identifier: Apache-2.0
 * Where a picture's data lie: scales from values to places, and the axes that say so. */
#ifndef REPORT_FRAME_H
#define REPORT_FRAME_H

#include "report/svg.h"

enum { REPORT_WIDE = 880, REPORT_NARROW = 360 }; /* widths of pictures */

typedef struct report_frame {
    double left, top, width, height;   /* of the plot in the picture */
    double x_min, x_max, y_min, y_max; /* values at its edges; y grows upwards */
} report_frame;

double frame_x(const report_frame *frame, double value);
double frame_y(const report_frame *frame, double value);

/* Distance of about `count` round ticks (1, 2 or 5 times a power of ten) over a span. */
double frame_step(double span, int count);

/* Ticks and numbers below the plot, `title` under them: whole numbers, or any with grid lines. */
void frame_axis_x(report_text *out, const report_frame *frame, const char *title);
void frame_scale_x(report_text *out, const report_frame *frame, const char *title);
/* The distance of the ticks of the latter. */
double frame_step_x(double span, double width);
/* Grid lines and numbers to the left, each followed by `unit`; `title` above the plot. */
void frame_axis_y(report_text *out, const report_frame *frame, const char *unit, const char *title);

#endif
