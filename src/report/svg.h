/* SPDX-License-Identifier: Apache-2.0
 * Pictures as SVG 1.1, to stand in a page or as a file of their own. Looks come from classes of
 * report_style (style.c), so that light and dark are the page's matter; a title is what hovering
 * shows. Coordinates are in units of about one CSS pixel. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include "report/text.h"

/* `label` is read aloud in the picture's stead. `alone`: a file of its own, with its style. */
typedef struct svg_picture {
    double width, height;
    bool alone;
} svg_picture;

void svg_open(report_text *out, const svg_picture *picture, const char *label);
void svg_close(report_text *out);

/* Classes are of our own; `title` NULL: none. It is escaped here. */
void svg_line(report_text *out, const char *class, double x1, double y1, double x2, double y2);
void svg_box(report_text *out, const char *class, double x, double y, double width, double height,
             const char *title);
void svg_dot(report_text *out, const char *class, double x, double y, double radius,
             const char *title);

/* A path is data between begin and end, written by report_add in SVG's own letters. `fill`: a
 * colour as "#123456"; NULL: the class says it. */
void svg_path_begin(report_text *out, const char *class, const char *fill);
void svg_path_end(report_text *out, const char *title);

/* Anchor: "start", "middle" or "end"; y is the baseline. The text is escaped. */
void svg_label(report_text *out, const char *class, const char *anchor, double x, double y,
               const char *format, ...) __attribute__((format(printf, 6, 7)));

/* About as wide as `count` characters are in the size that charts use; for leaving room. */
double svg_text_width(size_t count);

#endif
