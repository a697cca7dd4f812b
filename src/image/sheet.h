/* SPDX-License-Identifier: Apache-2.0
 * A contact sheet: a grid of equal images, enlarged by a whole factor, with captions. */
#ifndef IMAGE_SHEET_H
#define IMAGE_SHEET_H

#include "core/status.h"

enum { SHEET_FONT = 12, SHEET_LINE = 18, SHEET_GAP = 4 }; /* pixels */

typedef struct sheet_line sheet_line;

typedef struct sheet {
    int rows, columns, width, height; /* of the grid; of an image before it is enlarged */
    int zoom;
    int left, top, below; /* room for captions: of rows, of columns, under every image */
    pba_image canvas;     /* 3 channels, white */
    sheet_line *lines;    /* captions, until sheet_finish draws them */
    int line_count;
} sheet;

/* The factor that makes the smaller side at least 64 pixels. */
int sheet_zoom(int width, int height);

/* Fills `canvas`; the grid, sizes and rooms are set. */
pba_status sheet_create(sheet *sheet);
void sheet_free(sheet *sheet);

/* Where the mask says that there is nothing, a checkerboard shows. mask may be NULL. */
void sheet_place(sheet *sheet, int row, int column, const pba_image *image);

/* Captions are cut off where their room ends, and left out where no font is installed. They are
 * drawn together, by sheet_finish. */
pba_status sheet_caption_row(sheet *sheet, int row, const char *text);
pba_status sheet_caption_column(sheet *sheet, int column, const char *text);
pba_status sheet_caption_image(sheet *sheet, int row, int column, const char *text);
pba_status sheet_finish(sheet *sheet);

#endif
