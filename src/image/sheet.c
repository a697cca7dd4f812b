/* SPDX-License-Identifier: Apache-2.0 */
#include "image/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "image/file.h"

enum { SIDE_WANTED = 64, CHECK = 4, CHECK_LIGHT = 176, CHECK_DARK = 144 };

/* Black on white, from (x, y), at most width x SHEET_LINE, centred in it if asked for. */
struct sheet_line {
    int64_t x, y, width;
    bool centred;
    char *text;
};

int sheet_zoom(int width, int height)
{
    int side = width < height ? width : height;
    return side >= SIDE_WANTED ? 1 : (SIDE_WANTED + side - 1) / side;
}

static int64_t cell_width(const sheet *sheet)
{
    return (int64_t)sheet->width * sheet->zoom + SHEET_GAP;
}

static int64_t cell_height(const sheet *sheet)
{
    return (int64_t)sheet->height * sheet->zoom + SHEET_GAP + sheet->below;
}

static int64_t cell_left(const sheet *sheet, int column)
{
    return SHEET_GAP + sheet->left + column * cell_width(sheet);
}

static int64_t cell_top(const sheet *sheet, int row)
{
    return SHEET_GAP + sheet->top + row * cell_height(sheet);
}

pba_status sheet_create(sheet *sheet)
{
    int64_t width = cell_left(sheet, sheet->columns), height = cell_top(sheet, sheet->rows);
    if (width > UINT16_MAX || height > UINT16_MAX) {
        return status_set(PBA_USAGE, "a sheet of %lld x %lld pixels is too large; ask for less",
                          (long long)width, (long long)height);
    }
    pba_status status = pba_image_create((int)width, (int)height, 3, &sheet->canvas);
    if (status == PBA_OK) {
        memset(sheet->canvas.pixels, 255, (size_t)width * (size_t)height * 3);
    }
    return status;
}

static uint8_t *canvas_at(const sheet *sheet, int64_t x, int64_t y)
{
    return sheet->canvas.pixels + (y * sheet->canvas.width + x) * 3;
}

void sheet_place(sheet *sheet, int row, int column, const pba_image *image)
{
    for (int y = 0; y < sheet->height * sheet->zoom; y++) {
        uint8_t *out = canvas_at(sheet, cell_left(sheet, column), cell_top(sheet, row) + y);
        for (int x = 0; x < sheet->width * sheet->zoom; x++, out += 3) {
            size_t from = (size_t)(y / sheet->zoom) * (size_t)image->width;
            from += (size_t)(x / sheet->zoom);
            const uint8_t *pixel = image->pixels + from * (size_t)image->channels;
            if (image->mask && !image->mask[from]) {
                memset(out, (x / CHECK + y / CHECK) % 2 ? CHECK_LIGHT : CHECK_DARK, 3);
            } else if (image->channels == 3) {
                memcpy(out, pixel, 3);
            } else {
                memset(out, *pixel, 3);
            }
        }
    }
}

void sheet_free(sheet *sheet)
{
    for (int i = 0; i < sheet->line_count; i++) {
        free(sheet->lines[i].text);
    }
    free(sheet->lines);
    pba_image_free(&sheet->canvas);
}

static pba_status caption(sheet *sheet, int64_t x, int64_t y, int64_t width, bool centred,
                          const char *text)
{
    sheet_line *lines =
        memory_grow(sheet->lines, (size_t)sheet->line_count + 1, sizeof *sheet->lines);
    if (!lines) {
        return PBA_MEMORY;
    }
    sheet->lines = lines;
    char *copy = memory_text(text);
    if (!copy) {
        return PBA_MEMORY;
    }
    lines[sheet->line_count++] = (sheet_line){x, y, width, centred, copy};
    return PBA_OK;
}

static void put_line(sheet *sheet, const sheet_line *line, const pba_image *ink)
{
    int64_t x = line->x;
    if (line->centred && ink->width < line->width) {
        x += (line->width - ink->width) / 2;
    }
    for (int row = 0; row < ink->height && row < SHEET_LINE; row++) {
        for (int i = 0; i < ink->width && i < line->width; i++) {
            int shade = 255 - ink->pixels[row * ink->width + i];
            memset(canvas_at(sheet, x + i, line->y + row), shade, 3);
        }
    }
}

static pba_status put_lines(sheet *sheet, const char **texts, pba_image *inks)
{
    int count = sheet->line_count;
    for (int i = 0; i < count; i++) {
        texts[i] = sheet->lines[i].text;
    }
    pba_status status = image_texts(texts, count, SHEET_FONT, inks);
    for (int i = 0; i < count; i++) {
        if (status == PBA_OK) {
            put_line(sheet, &sheet->lines[i], &inks[i]);
        }
        pba_image_free(&inks[i]);
    }
    return status;
}

pba_status sheet_finish(sheet *sheet)
{
    const char **texts = memory_new((size_t)sheet->line_count, sizeof *texts);
    pba_image *inks = memory_new((size_t)sheet->line_count, sizeof *inks);
    pba_status status = texts && inks ? put_lines(sheet, texts, inks) : PBA_MEMORY;
    free(texts);
    free(inks);
    return status;
}

pba_status sheet_caption_row(sheet *sheet, int row, const char *text)
{
    int64_t middle = cell_top(sheet, row) + (int64_t)sheet->height * sheet->zoom / 2;
    return caption(sheet, SHEET_GAP, middle - SHEET_FONT / 2, sheet->left - SHEET_GAP, false, text);
}

pba_status sheet_caption_column(sheet *sheet, int column, const char *text)
{
    return caption(sheet, cell_left(sheet, column), SHEET_GAP, (int64_t)sheet->width * sheet->zoom,
                   true, text);
}

pba_status sheet_caption_image(sheet *sheet, int row, int column, const char *text)
{
    int64_t top = cell_top(sheet, row) + (int64_t)sheet->height * sheet->zoom + SHEET_GAP / 2;
    return caption(sheet, cell_left(sheet, column), top, (int64_t)sheet->width * sheet->zoom, true,
                   text);
}
