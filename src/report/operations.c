/* SPDX-License-Identifier: Apache-2.0
 * One image under every operation, at rising levels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/space.h"
#include "core/locale.h"
#include "core/memory.h"
#include "image/sheet.h"
#include "image/shrink.h"

static const int levels[] = {0, 2, 4, 5, 7, 9};
enum { LEVELS = sizeof levels / sizeof *levels, SIDE_MAX = 128, NAME_WIDTH = 104 };
enum { CELL_MIN = 96 }; /* pixels, for captions like "threshold 205" */

typedef struct board {
    pba_image image, out, partner; /* of one shape */
    sheet sheet;
    augment_context context;
    double scale;
} board;

static pba_status apply(board *board, const augment_op *op, int row, int column)
{
    int level = levels[column];
    double parameter = augment_step_of(&augment_space_pba, op, board->scale).parameter[level];
    char caption[32] = "";
    rng rng = rng_at(0, RNG_AUGMENT, 0, 0, (uint32_t)row); /* one place for all levels of a row */
    board->context.rng = &rng;
    augment_op_apply(op, &board->out, &board->image, parameter, &board->context);
    sheet_place(&board->sheet, row, column + 1, &board->out);
    if (op->parameter[0]) {
        snprintf(caption, sizeof caption, "%s %.3g", op->parameter, parameter);
    } else {
        snprintf(caption, sizeof caption, "at any level");
    }
    return sheet_caption_image(&board->sheet, row, column + 1, caption);
}

/* An operation without a parameter is the same at all levels, and drawn once. */
static pba_status draw_row(board *board, int row)
{
    const augment_op *op = augment_op_at((size_t)row);
    pba_status status = sheet_caption_row(&board->sheet, row, op->name);
    sheet_place(&board->sheet, row, 0, &board->image);
    for (int i = 0; i < (op->parameter[0] ? LEVELS : 1) && status == PBA_OK; i++) {
        status = apply(board, op, row, i);
    }
    return status;
}

static pba_status draw_head(board *board)
{
    pba_status status = sheet_caption_column(&board->sheet, 0, "original");
    for (int i = 0; i < LEVELS && status == PBA_OK; i++) {
        char text[16];
        snprintf(text, sizeof text, "level %d", levels[i]);
        status = sheet_caption_column(&board->sheet, i + 1, text);
    }
    return status;
}

static pba_status draw(board *board)
{
    int width = board->image.width, height = board->image.height;
    int side = width < height ? width : height;
    board->scale = (double)side / augment_space_pba.side;
    board->context.scratch = memory_aligned(augment_scratch_bytes(width, height), 1);
    board->context.partner = &board->partner;
    board->sheet = (sheet){.rows = (int)augment_op_count(),
                           .columns = LEVELS + 1,
                           .width = width,
                           .height = height,
                           .zoom = (CELL_MIN - 1) / width + 1,
                           .left = NAME_WIDTH,
                           .top = SHEET_LINE,
                           .below = SHEET_LINE};
    pba_status status =
        board->context.scratch ? augment_kernels_choose(&board->context.kernels) : PBA_MEMORY;
    if (status == PBA_OK) {
        status = sheet_create(&board->sheet);
    }
    if (status == PBA_OK) {
        status = draw_head(board);
    }
    for (int row = 0; row < board->sheet.rows && status == PBA_OK; row++) {
        status = draw_row(board, row);
    }
    return status;
}

static pba_status prepare(const pba_image *image, board *board)
{
    int side = image->width > image->height ? image->width : image->height;
    pba_status status = image_shrink(image, (side - 1) / SIDE_MAX + 1, &board->image);
    const pba_image *small = &board->image;
    if (status == PBA_OK) {
        status = pba_image_create(small->width, small->height, small->channels, &board->out);
    }
    if (status == PBA_OK) {
        status = pba_image_create(small->width, small->height, small->channels, &board->partner);
    }
    if (status == PBA_OK) {
        augment_turn(board->partner.pixels, small->pixels, small);
    }
    return status;
}

pba_status pba_ops_preview_write(const pba_image *image, const char *path)
{
    if (!image || !image->pixels || !path) {
        return status_null(__func__);
    }
    board board = {0};
    pba_status status = augment_check_shape(image->width, image->height, image->channels);
    if (status == PBA_OK) {
        status = prepare(image, &board);
    }
    if (status == PBA_OK) {
        locale_plain held = locale_enter();
        status = draw(&board);
        locale_leave(&held);
    }
    if (status == PBA_OK) {
        status = sheet_finish(&board.sheet);
    }
    if (status == PBA_OK) {
        status = pba_image_write(path, &board.sheet.canvas, false);
    }
    free(board.context.scratch);
    sheet_free(&board.sheet);
    pba_image_free(&board.image);
    pba_image_free(&board.out);
    pba_image_free(&board.partner);
    return status;
}
