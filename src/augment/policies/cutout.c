/* SPDX-License-Identifier: Apache-2.0
 * Cutout alone, always: DeVries and Taylor, "Improved Regularization of Convolutional Neural
 * Networks with Cutout", 2017 (arXiv 1708.04552), whose side for CIFAR-10 is the default. It takes
 * the place of the baseline's cutout, so that no image is cut twice. */
#include "augment/kind.h"

enum { SIDE = 16, REFERENCE_SIDE = 32 };

static pba_status parse(const char *arguments, augment_choice *choice)
{
    int count = augment_read_numbers(arguments, 0, 1, choice->numbers);
    if (count == 0) {
        choice->numbers[0] = SIDE;
    }
    return count >= 0 && choice->numbers[0] >= 1 && choice->numbers[0] <= 2 * REFERENCE_SIDE
               ? PBA_OK
               : status_set(PBA_USAGE,
                            "cutout '%s': use cutout:S, S the side of the square in "
                            "pixels of a 32-pixel image, 1 to 64",
                            arguments);
}

typedef struct cut {
    const augment_op *op;
    double side;
} cut;

static pba_status prepare(const augment_choice *choice, const augment_canvas *canvas, arena *arena,
                          const void **state)
{
    int shorter = canvas->width < canvas->height ? canvas->width : canvas->height;
    cut *cut = arena_new(arena, 1, sizeof *cut);
    if (!cut) {
        return PBA_MEMORY;
    }
    cut->op = augment_op_find("Cutout");
    cut->side = choice->numbers[0] * (canvas->scale ? (double)shorter / REFERENCE_SIDE : 1.0);
    *state = cut;
    return PBA_OK;
}

static void draw(const void *state, augment_frame *frame, augment_context *context)
{
    const cut *cut = state;
    augment_frame_apply(frame, cut->op, cut->side, context);
}

extern const augment_kind augment_cutout;

const augment_kind augment_cutout = {
    .name = "cutout",
    .pattern = "cutout[:S]",
    .example = "cutout:16",
    .sentence = "A square of side S (16 unless given, of a 32-pixel image) loses its content at a "
                "random place in every image, in place of the baseline's own cutout.",
    .source = "DeVries and Taylor 2017, arXiv 1708.04552",
    .flags = AUGMENT_CUTS,
    .parse = parse,
    .prepare = prepare,
    .draw = draw,
};
