/* SPDX-License-Identifier: Apache-2.0
 * The digits of the demo data set as pen strokes, several ways to write each. */
#ifndef DATA_DEMO_GLYPHS_H
#define DATA_DEMO_GLYPHS_H

#include <stdbool.h>

enum { GLYPH_DIGITS = 10, GLYPH_STYLES = 3, GLYPH_STROKES = 2, GLYPH_POINTS = 14 };

typedef struct glyph_stroke {
    bool smooth; /* a Catmull-Rom curve through the points; otherwise straight lines */
    int count;
    signed char points[GLYPH_POINTS][2]; /* x, y in 0..100, y downwards */
} glyph_stroke;

typedef struct glyph {
    int strokes;
    glyph_stroke stroke[GLYPH_STROKES];
} glyph;

typedef struct glyph_set {
    int styles;
    glyph style[GLYPH_STYLES];
} glyph_set;

extern const glyph_set demo_glyphs[GLYPH_DIGITS];

#endif
