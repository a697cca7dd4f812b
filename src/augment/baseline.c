/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/baseline.h"

#include <string.h>

/* A part of the text, without the comma. */
typedef struct part {
    const char *text;
    size_t length;
} part;

static pba_status refuse(const char *text, part part, const char *why)
{
    return status_set(
        PBA_USAGE, "baseline '%.*s': '%.*s' %s; use none, or a list of crop:P, flip, cutout:S",
        PBA_NAME_MAX, text, (int)(part.length < PBA_NAME_MAX ? part.length : PBA_NAME_MAX),
        part.text, why);
}

static bool is_part(part part, const char *name)
{
    return part.length == strlen(name) && !memcmp(part.text, name, part.length);
}

static bool starts(part part, const char *name)
{
    return part.length >= strlen(name) && !memcmp(part.text, name, strlen(name));
}

/* The digits behind a name and its colon; -1 where there are none, others, or too many. */
static int number_behind(part part, const char *name)
{
    size_t at = strlen(name);
    int value = 0;
    if (at == part.length || part.length - at > 6) {
        return -1;
    }
    for (; at < part.length; at++) {
        if (part.text[at] < '0' || part.text[at] > '9') {
            return -1;
        }
        value = value * 10 + (part.text[at] - '0');
    }
    return value;
}

static pba_status read_number(const char *text, part part, const char *name, int most, int *value)
{
    if (*value >= 0) {
        return refuse(text, part, "is there twice");
    }
    *value = number_behind(part, name);
    if (*value < 0) {
        return refuse(text, part, "needs a whole number of pixels");
    }
    return *value > most ? refuse(text, part, "is too much for this image size") : PBA_OK;
}

static pba_status read_part(const char *text, part part, int width, int height,
                            augment_baseline *baseline)
{
    if (is_part(part, "flip")) {
        if (baseline->flip) {
            return refuse(text, part, "is there twice");
        }
        baseline->flip = augment_op_find("FlipLR");
        return PBA_OK;
    }
    if (starts(part, "crop:")) {
        return read_number(text, part, "crop:", width < height ? width : height, &baseline->crop);
    }
    if (starts(part, "cutout:")) {
        int longer = width > height ? width : height;
        int most = longer > 1 << 19 ? 1 << 20 : 2 * longer;
        return read_number(text, part, "cutout:", most, &baseline->cutout);
    }
    return refuse(text, part, "is unknown");
}

pba_status augment_baseline_parse(const char *text, int width, int height,
                                  augment_baseline *baseline)
{
    *baseline = (augment_baseline){0};
    if (!text || !*text || !strcmp(text, "none")) {
        return PBA_OK;
    }
    augment_baseline read = {.crop = -1, .cutout = -1}; /* -1: not there */
    for (const char *at = text;; at++) {
        part part = {at, strcspn(at, ",")};
        pba_status status = read_part(text, part, width, height, &read);
        if (status != PBA_OK) {
            return status;
        }
        at += part.length;
        if (!*at) {
            break;
        }
    }
    *baseline = (augment_baseline){.crop = read.crop > 0 ? read.crop : 0,
                                   .flip = read.flip,
                                   .cut = read.cutout > 0 ? augment_op_find("Cutout") : NULL,
                                   .cutout = read.cutout > 0 ? read.cutout : 0};
    return PBA_OK;
}

static void draw_crop(int padding, rng *rng, int *dx, int *dy)
{
    uint32_t offsets = 2 * (uint32_t)padding + 1;
    *dy = (int)rng_below(rng, offsets) - padding;
    *dx = (int)rng_below(rng, offsets) - padding;
}

void augment_baseline_apply(const augment_baseline *baseline, augment_frame *frame,
                            augment_context *context)
{
    if (baseline->crop) {
        int dx, dy;
        draw_crop(baseline->crop, context->rng, &dx, &dy);
        augment_frame_settle(frame, context->kernels);
        pba_image *next = augment_frame_next(frame);
        augment_shift(next, &frame->now, dx, dy);
        frame->now = *next;
    }
    if (baseline->flip && rng_below(context->rng, 2)) {
        augment_frame_apply(frame, baseline->flip, 0.0, context);
    }
    if (baseline->cut) {
        augment_frame_apply(frame, baseline->cut, baseline->cutout, context);
    }
}

augment_tail augment_baseline_draw(const augment_baseline *baseline, int width, int height,
                                   rng *rng)
{
    augment_tail tail = {0};
    if (baseline->crop) {
        draw_crop(baseline->crop, rng, &tail.dx, &tail.dy);
    }
    tail.mirror = baseline->flip && rng_below(rng, 2);
    if (baseline->cut) {
        augment_box box = augment_cut_box(rng, baseline->cutout, width, height);
        tail.left = box.left, tail.right = box.right;
        tail.top = box.top, tail.bottom = box.bottom;
    }
    return tail;
}
