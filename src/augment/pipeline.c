/* SPDX-License-Identifier: Apache-2.0 */
#include "augment/pipeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment/baseline.h"
#include "augment/space.h"
#include "core/memory.h"
#include "schedule/schedule.h"

struct pipeline {
    arena *arena;
    const augment_kernels *kernels;
    int width, height, channels;
    augment_form form;
    augment_baseline baseline;
    const augment_kind *kind; /* that draws by itself; NULL: by the policy of each call */
    const void *prepared;     /* of the kind */
    augment_step *steps;
    int step_count;
    bool pairs; /* an operation among them needs a partner */
    schedule_counts counts;
};

struct pipeline_scratch {
    arena *arena;
    pba_image spare[2];
    uint8_t *bytes;
    uint8_t *room; /* an image, where operations need partners */
    augment_partners partners;
};

static size_t pixels_of(const pipeline *pipeline)
{
    return (size_t)pipeline->width * (size_t)pipeline->height;
}

static size_t bytes_of(const pipeline *pipeline)
{
    return pixels_of(pipeline) * (size_t)pipeline->channels;
}

static pba_status set_normalization(pipeline *pipeline, const pipeline_options *options)
{
    pipeline->form.interleaved = options->interleaved;
    pipeline->form.bf16 = options->bf16;
    for (int c = 0; c < pipeline->channels; c++) {
        double mean = options->mean[c], deviation = options->deviation[c];
        if (!isfinite(mean) || !isfinite(deviation) || deviation <= 0.0) {
            return status_set(PBA_USAGE,
                              "channel %d: mean %g and deviation %g do not normalize; finite "
                              "numbers and a deviation above 0 are needed",
                              c, mean, deviation);
        }
        pipeline->form.scale[c] = (float)(1.0 / (255.0 * deviation));
        pipeline->form.shift[c] = (float)(-mean / deviation);
    }
    return PBA_OK;
}

static pba_status set_steps(pipeline *pipeline, const pipeline_options *options)
{
    const augment_space *space = &augment_space_pba;
    const pba_schedule *schedule = options->choice ? options->choice->schedule : NULL;
    int count = options->ops ? options->op_count
                : schedule   ? pba_schedule_op_count(schedule)
                             : space->op_count;
    int shorter = pipeline->width < pipeline->height ? pipeline->width : pipeline->height;
    double scale = options->scale_pixels ? (double)shorter / space->side : 1.0;
    if (count < 1 || count > PBA_POLICY_MAX) {
        return status_set(PBA_USAGE, "%d operations: 1 to %d are possible", count, PBA_POLICY_MAX);
    }
    pipeline->step_count = count;
    pipeline->counts = options->counts ? *options->counts
                       : schedule      ? schedule->counts
                                       : schedule_pba_counts;
    pipeline->steps = arena_new(pipeline->arena, (size_t)count, sizeof *pipeline->steps);
    if (!pipeline->steps) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        const augment_op *op;
        const char *name = options->ops ? options->ops[i]
                           : schedule   ? pba_schedule_op(schedule, i)
                                        : space->ops[i];
        pba_status status = augment_op_require(name, &op);
        if (status != PBA_OK) {
            return status;
        }
        pipeline->steps[i] = augment_step_of(space, op, scale);
        pipeline->pairs |= op->flags & AUGMENT_PARTNER;
    }
    return PBA_OK;
}

static pba_status set_kind(pipeline *pipeline, const pipeline_options *options)
{
    const augment_choice *choice = options->choice;
    augment_canvas canvas = {options->width, options->height, options->scale_pixels};
    if (choice && choice->kind->flags & AUGMENT_BARE) {
        pipeline->baseline = (augment_baseline){0};
    }
    if (choice && choice->kind->flags & AUGMENT_CUTS) {
        pipeline->baseline.cut = NULL;
    }
    if (!choice || !choice->kind->draw) {
        return PBA_OK;
    }
    pipeline->kind = choice->kind;
    return choice->kind->prepare(choice, &canvas, pipeline->arena, &pipeline->prepared);
}

static pba_status fill(pipeline *pipeline, const pipeline_options *options)
{
    pba_status status = augment_kernels_choose(&pipeline->kernels);
    if (status == PBA_OK) {
        status = set_normalization(pipeline, options);
    }
    if (status == PBA_OK) {
        status = augment_baseline_parse(options->baseline, options->width, options->height,
                                        &pipeline->baseline);
    }
    if (status == PBA_OK) {
        status = set_steps(pipeline, options);
    }
    return status == PBA_OK ? set_kind(pipeline, options) : status;
}

pba_status pipeline_create(const pipeline_options *options, pipeline **pipeline)
{
    *pipeline = NULL;
    pba_status status = augment_check_shape(options->width, options->height, options->channels);
    if (status != PBA_OK) {
        return status;
    }
    arena *arena = arena_create();
    struct pipeline *fresh = arena ? arena_new(arena, 1, sizeof *fresh) : NULL;
    if (!fresh) {
        arena_free(arena);
        return PBA_MEMORY;
    }
    fresh->arena = arena;
    fresh->width = options->width;
    fresh->height = options->height;
    fresh->channels = options->channels;
    status = fill(fresh, options);
    if (status != PBA_OK) {
        arena_free(arena);
        return status;
    }
    *pipeline = fresh;
    return PBA_OK;
}

void pipeline_free(pipeline *pipeline)
{
    if (pipeline) {
        arena_free(pipeline->arena);
    }
}

static bool scratch_fill(pipeline_scratch *scratch, const pipeline *pipeline)
{
    for (int i = 0; i < 2; i++) {
        scratch->spare[i] = (pba_image){.pixels = arena_new(scratch->arena, bytes_of(pipeline), 1),
                                        .mask = arena_new(scratch->arena, pixels_of(pipeline), 1),
                                        .width = pipeline->width,
                                        .height = pipeline->height,
                                        .channels = pipeline->channels};
        if (!scratch->spare[i].pixels || !scratch->spare[i].mask) {
            return false;
        }
    }
    size_t bytes = augment_scratch_bytes(pipeline->width, pipeline->height);
    scratch->bytes = arena_new(scratch->arena, bytes, 1);
    scratch->room = pipeline->pairs ? arena_new(scratch->arena, bytes_of(pipeline), 1) : NULL;
    return scratch->bytes && (scratch->room || !pipeline->pairs);
}

pba_status pipeline_scratch_create(const pipeline *pipeline, pipeline_scratch **scratch)
{
    *scratch = NULL;
    arena *arena = arena_create();
    pipeline_scratch *fresh = arena ? arena_new(arena, 1, sizeof *fresh) : NULL;
    if (fresh) {
        fresh->arena = arena;
    }
    if (!fresh || !scratch_fill(fresh, pipeline)) {
        arena_free(arena);
        return PBA_MEMORY;
    }
    *scratch = fresh;
    return PBA_OK;
}

void pipeline_scratch_free(pipeline_scratch *scratch)
{
    if (scratch) {
        arena_free(scratch->arena);
    }
}

void pipeline_scratch_partners(pipeline_scratch *scratch, const augment_partners *partners)
{
    scratch->partners = *partners;
}

/* `call`: the images of the call, where no others were given. */
static augment_context context_of(const pipeline *pipeline, pipeline_scratch *scratch, rng *rng,
                                  const augment_partners *call, uint32_t id, const uint8_t *image)
{
    return (augment_context){.kernels = pipeline->kernels,
                             .rng = rng,
                             .scratch = scratch->bytes,
                             .partners = scratch->partners.count ? &scratch->partners : call,
                             .id = id,
                             .first = image,
                             .room = scratch->room};
}

/* An image at its start, and what its operations work with. The caller's pixels are not written
 * (the cast only serves the type). */
static augment_frame frame_of(const pipeline *pipeline, pipeline_scratch *scratch,
                              const uint8_t *image)
{
    augment_frame frame;
    frame.now = (pba_image){.pixels = (uint8_t *)image,
                            .width = pipeline->width,
                            .height = pipeline->height,
                            .channels = pipeline->channels};
    frame.spare[0] = scratch->spare[0];
    frame.spare[1] = scratch->spare[1];
    frame.waiting = 0;
    return frame;
}

static void apply_policy(const pipeline *pipeline, const pba_policy *policy, augment_frame *frame,
                         augment_context *context)
{
    if (pipeline->kind) {
        pipeline->kind->draw(pipeline->prepared, frame, context);
    } else if (policy) {
        augment_pba_apply(pipeline->steps, pipeline->step_count, &pipeline->counts, policy, frame,
                          context);
    }
}

/* Bytes of an image in the network's input. */
static size_t input_bytes(const pipeline *pipeline)
{
    return bytes_of(pipeline) * (pipeline->form.bf16 ? sizeof(uint16_t) : sizeof(float));
}

void pipeline_augment(const pipeline *pipeline, pipeline_scratch *scratch, const pba_policy *policy,
                      pipeline_key key, const uint8_t *const *images, const uint32_t *ids,
                      int count, void *out)
{
    const augment_kernels *kernels = pipeline->kernels;
    const augment_partners call = {.images = images, .ids = ids, .count = (size_t)count};
    for (int i = 0; i < count; i++) {
        rng rng = rng_at(key.seed, RNG_AUGMENT, key.member, key.epoch, ids[i]);
        augment_context context = context_of(pipeline, scratch, &rng, &call, ids[i], images[i]);
        augment_frame frame = frame_of(pipeline, scratch, images[i]);
        apply_policy(pipeline, policy, &frame, &context);
        augment_tail tail =
            augment_baseline_draw(&pipeline->baseline, pipeline->width, pipeline->height, &rng);
        if (frame.waiting == 1) {
            tail.table = frame.tables[0];
        } else {
            augment_frame_settle(&frame, kernels);
        }
        kernels->finish((uint8_t *)out + (size_t)i * input_bytes(pipeline), &frame.now, &tail,
                        &pipeline->form);
    }
}

void pipeline_normalize(const pipeline *pipeline, const uint8_t *const *images, int count,
                        void *out)
{
    const augment_tail nothing = {0};
    for (int i = 0; i < count; i++) {
        pba_image image = {(uint8_t *)images[i], NULL, pipeline->width, pipeline->height,
                           pipeline->channels};
        pipeline->kernels->finish((uint8_t *)out + (size_t)i * input_bytes(pipeline), &image,
                                  &nothing, &pipeline->form);
    }
}

void pipeline_draw(const pipeline *pipeline, pipeline_scratch *scratch, const pba_policy *policy,
                   pipeline_key key, const uint8_t *image, uint32_t id, uint8_t *pixels,
                   uint8_t *mask)
{
    rng rng = rng_at(key.seed, RNG_AUGMENT, key.member, key.epoch, id);
    const augment_partners call = {.images = &image, .ids = &id, .count = 1};
    augment_context context = context_of(pipeline, scratch, &rng, &call, id, image);
    augment_frame frame = frame_of(pipeline, scratch, image);
    apply_policy(pipeline, policy, &frame, &context);
    augment_baseline_apply(&pipeline->baseline, &frame, &context);
    augment_frame_settle(&frame, pipeline->kernels);
    pba_image drawn = {pixels, mask, pipeline->width, pipeline->height, pipeline->channels};
    memcpy(pixels, frame.now.pixels, bytes_of(pipeline));
    if (mask) {
        augment_copy_mask(&drawn, &frame.now);
    }
}
