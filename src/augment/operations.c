/* SPDX-License-Identifier: Apache-2.0
 * The public view of the registry: pba_op_*. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment/space.h"
#include "core/memory.h"

size_t pba_op_count(void)
{
    return augment_op_count();
}

pba_status pba_op_get(size_t index, pba_op_info *info)
{
    if (!info) {
        return status_null(__func__);
    }
    const augment_op *op = augment_op_at(index);
    if (!op) {
        return status_set(PBA_USAGE, "operation %zu: there are %zu", index, augment_op_count());
    }
    *info = (pba_op_info){.name = op->name,
                          .sentence = op->sentence,
                          .parameter = op->parameter,
                          .min = op->min,
                          .max = op->max,
                          .has_sign = op->flags & AUGMENT_SIGN,
                          .searched = op->flags & AUGMENT_SEARCHED,
                          .pixels = op->flags & AUGMENT_PIXELS,
                          .source = op->source,
                          .partner = op->flags & AUGMENT_PARTNER,
                          .has_identity = op->flags & AUGMENT_IDENTITY,
                          .identity = op->identity,
                          .plugin = op->plugin ? op->plugin : "",
                          .version = op->row ? op->row->version : 0};
    return PBA_OK;
}

static pba_status find_at_level(const char *name, int level, const augment_op **op)
{
    pba_status status = augment_op_require(name, op);
    if (status == PBA_OK && (level < 0 || level >= AUGMENT_LEVELS)) {
        status = status_set(PBA_USAGE, "%s: level %d: use 0 to %d", (*op)->name, level,
                            AUGMENT_LEVELS - 1);
    }
    return status;
}

pba_status pba_op_parameter(const char *name, int level, double *parameter)
{
    if (!name || !parameter) {
        return status_null(__func__);
    }
    const augment_op *op;
    pba_status status = find_at_level(name, level, &op);
    if (status == PBA_OK) {
        *parameter = augment_space_pba.parameter(op, level);
    }
    return status;
}

static pba_status check_sign(const augment_op *op, int sign)
{
    if (sign != 1 && sign != -1) {
        return status_set(PBA_USAGE, "%s: sign %d: use +1 or -1", op->name, sign);
    }
    if (sign == -1 && !(op->flags & AUGMENT_SIGN)) {
        return status_set(PBA_USAGE, "%s: has no sign; use +1", op->name);
    }
    return PBA_OK;
}

/* The buffers of one application. */
typedef struct workplace {
    arena *arena;
    pba_image from, to;
    uint8_t *scratch, *room;
} workplace;

static bool workplace_fill(workplace *work, const pba_image *image, bool pairs)
{
    size_t bytes = augment_bytes(image), pixels = augment_pixels(image);
    work->from = work->to = *image;
    work->to.pixels = arena_new(work->arena, bytes, 1);
    work->to.mask = arena_new(work->arena, pixels, 1);
    work->scratch = arena_new(work->arena, augment_scratch_bytes(image->width, image->height), 1);
    work->room = pairs ? arena_new(work->arena, bytes, 1) : NULL;
    return work->to.pixels && work->to.mask && work->scratch && (work->room || !pairs);
}

static pba_status apply(pba_image *image, const augment_op *op, double parameter,
                        const augment_kernels *kernels, uint64_t seed)
{
    workplace work = {.arena = arena_create()};
    if (!work.arena || !workplace_fill(&work, image, op->flags & AUGMENT_PARTNER)) {
        arena_free(work.arena);
        return PBA_MEMORY;
    }
    rng rng = rng_at(seed, RNG_AUGMENT, 0, 0, 0);
    augment_partners none = {0};
    augment_context context = {.kernels = kernels,
                               .rng = &rng,
                               .scratch = work.scratch,
                               .partners = &none,
                               .first = image->pixels,
                               .room = work.room};
    augment_op_apply(op, &work.to, &work.from, parameter, &context);
    memcpy(image->pixels, work.to.pixels, augment_bytes(image));
    if (image->mask) {
        memcpy(image->mask, work.to.mask, augment_pixels(image));
    }
    arena_free(work.arena);
    return PBA_OK;
}

pba_status pba_op_apply(pba_image *image, const char *name, int level, int sign, uint64_t seed)
{
    if (!image || !image->pixels || !name) {
        return status_null(__func__);
    }
    const augment_op *op;
    const augment_kernels *kernels;
    pba_status status = augment_check_shape(image->width, image->height, image->channels);
    if (status == PBA_OK) {
        status = find_at_level(name, level, &op);
    }
    if (status == PBA_OK) {
        status = check_sign(op, sign);
    }
    if (status == PBA_OK) {
        status = augment_kernels_choose(&kernels);
    }
    if (status != PBA_OK) {
        return status;
    }
    return apply(image, op, sign * augment_space_pba.parameter(op, level), kernels, seed);
}

static pba_status check_parameter(const augment_op *op, double parameter, const pba_image *image)
{
    double longer = image->width > image->height ? image->width : image->height;
    double scale = op->flags & AUGMENT_PIXELS ? fmax(1.0, longer / 32.0) : 1.0;
    if (!(parameter >= op->min * scale && parameter <= op->max * scale)) {
        return status_set(PBA_USAGE, "%s: %g: use %g to %g", op->name, parameter, op->min * scale,
                          op->max * scale);
    }
    return PBA_OK;
}

/* `spare`: for the masks where nobody wants them. */
static void apply_all(const augment_op *op, double parameter, const pba_image *first, size_t count,
                      augment_context *context, uint64_t seed, uint8_t *out, uint8_t *out_masks,
                      uint8_t *spare)
{
    size_t bytes = augment_bytes(first), pixels = augment_pixels(first);
    pba_image from = *first, to = *first;
    for (size_t i = 0; i < count; i++) {
        rng rng = rng_at(seed, RNG_AUGMENT, 0, 0, (uint32_t)i);
        context->rng = &rng;
        context->id = (uint32_t)i;
        context->first = from.pixels;
        to.pixels = out + i * bytes;
        to.mask = out_masks ? out_masks + i * pixels : spare;
        augment_op_apply(op, &to, &from, parameter, context);
        from.pixels += bytes;
        from.mask = first->mask ? from.mask + pixels : NULL;
    }
}

pba_status pba_op_apply_images(const char *name, double parameter, const pba_image *first,
                               size_t count, uint64_t seed, uint8_t *out, uint8_t *out_masks)
{
    if (!name || !first || !first->pixels || !out) {
        return status_null(__func__);
    }
    const augment_op *op;
    augment_partners others = {.block = first->pixels, .count = count};
    augment_context context = {.partners = &others};
    pba_status status = augment_check_shape(first->width, first->height, first->channels);
    if (status == PBA_OK) {
        status = augment_op_require(name, &op);
    }
    if (status == PBA_OK) {
        status = check_parameter(op, parameter, first);
    }
    if (status == PBA_OK) {
        status = augment_kernels_choose(&context.kernels);
    }
    if (status != PBA_OK) {
        return status;
    }
    uint8_t *spare = out_masks ? NULL : memory_new(augment_pixels(first), 1);
    bool scratch = op->flags & AUGMENT_SCRATCH, partner = op->flags & AUGMENT_PARTNER;
    context.scratch =
        scratch ? memory_aligned(augment_scratch_bytes(first->width, first->height), 1) : NULL;
    context.room = partner ? memory_new(augment_bytes(first), 1) : NULL;
    status = (out_masks || spare) && (!scratch || context.scratch) && (!partner || context.room)
                 ? PBA_OK
                 : PBA_MEMORY;
    if (status == PBA_OK) {
        apply_all(op, parameter, first, count, &context, seed, out, out_masks, spare);
    }
    free(context.scratch);
    free(context.room);
    free(spare);
    return status;
}
