/* SPDX-License-Identifier: Apache-2.0
 * Operations on an image, one by one and in a row. Two tables in a row are one: pixel by pixel,
 * second[first[v]] is what two passes give. */
#include "augment/op.h"

#include <string.h>

void augment_copy_mask(pba_image *dst, const pba_image *src)
{
    if (src->mask) {
        memcpy(dst->mask, src->mask, augment_pixels(src));
    } else {
        memset(dst->mask, 255, augment_pixels(dst));
    }
}

static void look_up(pba_image *dst, const pba_image *src, const uint8_t (*tables)[256], int count,
                    const augment_kernels *kernels)
{
    if (count == 1) {
        kernels->table(dst->pixels, src->pixels, augment_bytes(src), tables[0]);
    } else {
        kernels->tables(dst->pixels, src->pixels, augment_pixels(src), tables);
    }
}

void augment_op_apply(const augment_op *op, pba_image *dst, const pba_image *src, double parameter,
                      augment_context *context)
{
    if (op->flags & AUGMENT_PARTNER && context->partners) {
        augment_partner_draw(context, src);
    }
    if (op->apply) {
        op->apply(dst, src, parameter, context);
        return;
    }
    if (op->row) {
        augment_plugin_apply(op, dst, src, parameter, context);
        return;
    }
    uint8_t tables[3][256];
    int count = op->tables(tables, src, parameter, context);
    look_up(dst, src, tables, count, context->kernels);
    if (op->flags & AUGMENT_RESETS_MASK) {
        memset(dst->mask, 255, augment_pixels(dst));
    } else {
        augment_copy_mask(dst, src);
    }
}

void augment_frame_settle(augment_frame *frame, const augment_kernels *kernels)
{
    if (!frame->waiting) {
        return;
    }
    pba_image *next = augment_frame_next(frame);
    bool masked = frame->now.mask;
    look_up(next, &frame->now, frame->tables, frame->waiting, kernels);
    if (masked) {
        augment_copy_mask(next, &frame->now);
    }
    frame->now = *next;
    if (!masked) {
        frame->now.mask = NULL;
    }
    frame->waiting = 0;
}

/* The tables of an operation, behind those that wait. */
static void add_tables(augment_frame *frame, const augment_op *op, double parameter,
                       augment_context *context)
{
    uint8_t fresh[3][256], joint[256];
    int count = op->tables(fresh, &frame->now, parameter, context);
    int before = frame->waiting, after = count > before ? count : before;
    for (int c = after - 1; c >= 0; c--) { /* from the last: tables[0] serves as all the others */
        const uint8_t *second = fresh[count == 1 ? 0 : c];
        if (before) {
            context->kernels->table(joint, frame->tables[before == 1 ? 0 : c], 256, second);
        }
        memcpy(frame->tables[c], before ? joint : second, 256);
    }
    frame->waiting = after;
}

void augment_frame_apply(augment_frame *frame, const augment_op *op, double parameter,
                         augment_context *context)
{
    if (!op->tables || op->flags & AUGMENT_STATISTICS) {
        augment_frame_settle(frame, context->kernels);
    }
    if (op->tables) {
        add_tables(frame, op, parameter, context);
    } else {
        pba_image *next = augment_frame_next(frame);
        bool full = !frame->now.mask && op->flags & AUGMENT_KEEPS_FULL;
        augment_op_apply(op, next, &frame->now, parameter, context);
        frame->now = *next;
        frame->now.mask = full ? NULL : next->mask;
    }
    if (op->flags & AUGMENT_RESETS_MASK) {
        frame->now.mask = NULL;
    }
}
