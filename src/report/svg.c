/* SPDX-License-Identifier: Apache-2.0 */
#include "report/svg.h"

#include <stdarg.h>
#include <stdio.h>

#include "report/style.h"

void svg_open(report_text *out, const svg_picture *picture, const char *label)
{
    report_add(out,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
               "aria-label=\"",
               picture->width, picture->height);
    report_say(out, "%s", label);
    if (picture->alone) {
        report_add(out, "\" width=\"%.0f\" height=\"%.0f\">\n<style>%s</style>\n", picture->width,
                   picture->height, report_style_charts);
        svg_box(out, "paper", 0, 0, picture->width, picture->height, NULL);
    } else {
        report_add(out, "\">\n");
    }
}

void svg_close(report_text *out)
{
    report_add(out, "</svg>\n");
}

static void finish(report_text *out, const char *element, const char *title)
{
    if (!title) {
        report_add(out, "/>\n");
        return;
    }
    report_add(out, "><title>");
    report_say(out, "%s", title);
    report_add(out, "</title></%s>\n", element);
}

void svg_line(report_text *out, const char *class, double x1, double y1, double x2, double y2)
{
    report_add(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"", class, x1,
               y1, x2, y2);
    finish(out, "line", NULL);
}

void svg_box(report_text *out, const char *class, double x, double y, double width, double height,
             const char *title)
{
    report_add(out,
               "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
               "height=\"%.1f\"",
               class, x, y, width, height);
    finish(out, "rect", title);
}

void svg_dot(report_text *out, const char *class, double x, double y, double radius,
             const char *title)
{
    report_add(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"", class, x, y, radius);
    finish(out, "circle", title);
}

void svg_path_begin(report_text *out, const char *class, const char *fill)
{
    report_add(out, "<path class=\"%s\"", class);
    if (fill) {
        report_add(out, " fill=\"%s\"", fill);
    }
    report_add(out, " d=\"");
}

void svg_path_end(report_text *out, const char *title)
{
    report_add(out, "\"");
    finish(out, "path", title);
}

void svg_label(report_text *out, const char *class, const char *anchor, double x, double y,
               const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report_add(out, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, anchor,
               x, y);
    report_say(out, "%s", text);
    report_add(out, "</text>\n");
}

double svg_text_width(size_t count)
{
    return 6.9 * (double)count;
}
