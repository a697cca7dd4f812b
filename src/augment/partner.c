/* SPDX-License-Identifier: Apache-2.0
 * The other image that an operation mixes with. It is drawn from the image's own stream, when the
 * operation fires, so that it does not depend on which worker is at work. */
#include "augment/op.h"

#include <string.h>

enum { TRIES = 32 };

void augment_turn(uint8_t *dst, const uint8_t *src, const pba_image *shape)
{
    size_t channels = (size_t)shape->channels, pixels = augment_pixels(shape);
    for (size_t i = 0; i < pixels; i++) {
        memcpy(dst + i * channels, src + (pixels - 1 - i) * channels, channels);
    }
}

static uint32_t number_of(const augment_partners *partners, size_t index)
{
    return partners->ids ? partners->ids[index] : (uint32_t)index;
}

/* By rejection: the image itself may stand anywhere in the list. The end of the tries is for lists
 * that hold it only. */
static const uint8_t *draw(const augment_partners *partners, augment_context *context, size_t bytes)
{
    for (int i = 0; i < TRIES && partners->count; i++) {
        size_t index = rng_below(context->rng, (uint32_t)partners->count);
        if (number_of(partners, index) != context->id) {
            return partners->images ? partners->images[index] : partners->block + index * bytes;
        }
    }
    return NULL;
}

void augment_partner_draw(augment_context *context, const pba_image *shape)
{
    const uint8_t *found = draw(context->partners, context, augment_bytes(shape));
    if (!found) {
        augment_turn(context->room, context->first, shape);
        found = context->room;
    }
    context->drawn = *shape;
    context->drawn.pixels = (uint8_t *)found; /* not written: the cast only serves the type */
    context->drawn.mask = NULL;
    context->partner = &context->drawn;
}
