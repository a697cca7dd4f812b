/* SPDX-License-Identifier: Apache-2.0
 * The public augmenter: a pipeline and a schedule's policies. It is immutable once created but for
 * the shelf, where calls take what they work with and put it back: so any number of threads may
 * share it, and nothing is allocated for a call once as many calls have been at work together. */
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "augment/pipeline.h"
#include "core/memory.h"
#include "schedule/schedule.h"

typedef struct segment {
    int until; /* the epoch behind the segment's last */
    pba_policy policy;
} segment;

enum { SHELF = 64 }; /* more calls at a time make, and free, their own */

typedef struct shelf {
    _Atomic(pipeline_scratch *) places[SHELF];
} shelf;

struct pba_augmenter {
    arena *arena;
    pipeline *pipeline;
    segment *segments; /* NULL: no policy */
    int segment_count, epochs;
    size_t pixels, channels; /* of an image */
    bool bf16;               /* the output */
    uint64_t seed;
    augment_partners partners; /* of all calls; count 0: each call's own images */
    shelf *shelf;
};

static pba_status copy_segments(pba_augmenter *augmenter, const pba_schedule *schedule)
{
    int count = pba_schedule_segments(schedule);
    augmenter->segments = arena_new(augmenter->arena, (size_t)count, sizeof(segment));
    if (!augmenter->segments) {
        return PBA_MEMORY;
    }
    augmenter->segment_count = count;
    augmenter->epochs = pba_schedule_epochs(schedule);
    int until = 0;
    for (int i = 0; i < count; i++) {
        int epochs;
        segment *segment = &augmenter->segments[i];
        pba_status status = pba_schedule_segment(schedule, i, &epochs, &segment->policy);
        if (status != PBA_OK) {
            return status;
        }
        until += epochs;
        segment->until = until;
    }
    return PBA_OK;
}

/* The names as an array for pipeline_create. */
static pba_status list_ops(const pba_augmenter *augmenter, const pba_schedule *schedule,
                           pipeline_options *options)
{
    int count = pba_schedule_op_count(schedule);
    const char **ops = arena_new(augmenter->arena, (size_t)count, sizeof *ops);
    if (!ops) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        ops[i] = pba_schedule_op(schedule, i);
    }
    options->ops = ops;
    options->op_count = count;
    options->counts = &schedule->counts;
    return augment_check_operations("schedule", schedule);
}

static bool all_zero(const pba_augmenter_options *options)
{
    for (int c = 0; c < 3; c++) {
        if (options->mean[c] != 0.0 || options->deviation[c] != 0.0) {
            return false;
        }
    }
    return true;
}

/* The schedule of a kind that has one policy a network: here, of the augmenter's seed. */
static pba_status draw_policy(const pba_augmenter_options *options, augment_choice *choice)
{
    pba_policy policy =
        augment_random_policy(options->seed, 0, SCHEDULE_PBA_COPIES * SCHEDULE_PBA_OPS);
    return pba_schedule_constant(&policy, schedule_pba_ops, SCHEDULE_PBA_OPS, 1, &choice->schedule);
}

static pba_status choose(const pba_augmenter_options *options, augment_choice *choice)
{
    if (options->schedule) {
        return status_set(PBA_USAGE, "augment '%s' and a schedule: give one of them",
                          options->augment);
    }
    pba_status status = augment_choice_parse(options->augment, choice);
    if (status == PBA_OK && choice->kind->flags & AUGMENT_PER_SEED) {
        status = draw_policy(options, choice);
    }
    return status;
}

/* One policy for whatever epoch. */
static void hold_policy(pba_augmenter *augmenter)
{
    augmenter->epochs = INT_MAX;
    augmenter->segments[0].until = INT_MAX;
}

static pba_status fill(pba_augmenter *augmenter, const pba_augmenter_options *options,
                       const augment_choice *choice)
{
    const pba_schedule *schedule = choice->kind ? choice->schedule : options->schedule;
    pipeline_options wanted = {.width = options->width,
                               .height = options->height,
                               .channels = options->channels,
                               .baseline = options->baseline,
                               .choice = choice->kind ? choice : NULL,
                               .interleaved = options->interleaved,
                               .bf16 = options->bf16,
                               .scale_pixels = options->scale_pixels};
    for (int c = 0; c < 3; c++) {
        wanted.mean[c] = options->mean[c];
        wanted.deviation[c] = all_zero(options) ? 1.0 : options->deviation[c];
    }
    pba_status status = PBA_OK;
    if (schedule) {
        status = copy_segments(augmenter, schedule);
        if (status == PBA_OK) {
            status = list_ops(augmenter, schedule, &wanted);
        }
    }
    if (status == PBA_OK && choice->kind &&
        choice->kind->flags & (AUGMENT_CONSTANT | AUGMENT_PER_SEED)) {
        hold_policy(augmenter);
    }
    return status == PBA_OK ? pipeline_create(&wanted, &augmenter->pipeline) : status;
}

static pba_status check_partners(const pba_augmenter_options *options)
{
    for (size_t i = 0; i < options->partner_count; i++) {
        if (!options->partners || !options->partners[i]) {
            return status_set(PBA_USAGE, "partners: image %zu of %zu is NULL", i,
                              options->partner_count);
        }
    }
    return PBA_OK;
}

pba_status pba_augmenter_create(const pba_augmenter_options *options, pba_augmenter **augmenter)
{
    if (!options || !augmenter) {
        return status_null(__func__);
    }
    *augmenter = NULL;
    if (check_partners(options) != PBA_OK) {
        return PBA_USAGE;
    }
    arena *arena = arena_create();
    pba_augmenter *fresh = arena ? arena_new(arena, 1, sizeof *fresh) : NULL;
    if (!fresh) {
        arena_free(arena);
        return PBA_MEMORY;
    }
    fresh->arena = arena;
    fresh->seed = options->seed;
    fresh->shelf = arena_new(arena, 1, sizeof *fresh->shelf);
    augment_choice choice = {0};
    pba_status status = !fresh->shelf      ? PBA_MEMORY
                        : options->augment ? choose(options, &choice)
                                           : PBA_OK;
    if (status == PBA_OK) {
        status = fill(fresh, options, &choice);
    }
    augment_choice_free(&choice);
    if (status != PBA_OK) {
        arena_free(arena);
        return status;
    }
    fresh->pixels = (size_t)options->width * (size_t)options->height;
    fresh->channels = (size_t)options->channels;
    fresh->bf16 = options->bf16;
    fresh->partners = (augment_partners){
        .images = options->partners, .ids = options->partner_ids, .count = options->partner_count};
    *augmenter = fresh;
    return PBA_OK;
}

void pba_augmenter_free(pba_augmenter *augmenter)
{
    if (augmenter) {
        for (int i = 0; i < SHELF; i++) {
            pipeline_scratch_free(augmenter->shelf->places[i]);
        }
        pipeline_free(augmenter->pipeline);
        arena_free(augmenter->arena);
    }
}

/* *policy NULL: the augmenter has no schedule. */
static pba_status policy_at(const pba_augmenter *augmenter, int epoch, const pba_policy **policy)
{
    *policy = NULL;
    if (epoch < 0 || (augmenter->segments && epoch >= augmenter->epochs)) {
        return augmenter->segments
                   ? status_set(PBA_USAGE, "epoch %d: the schedule has epochs 0 to %d", epoch,
                                augmenter->epochs - 1)
                   : status_set(PBA_USAGE, "epoch %d: use 0 or more", epoch);
    }
    for (int i = 0; augmenter->segments && i < augmenter->segment_count; i++) {
        if (epoch < augmenter->segments[i].until) {
            *policy = &augmenter->segments[i].policy;
            break;
        }
    }
    return PBA_OK;
}

static pba_status shelf_take(const pba_augmenter *augmenter, pipeline_scratch **scratch)
{
    for (int i = 0; i < SHELF; i++) {
        *scratch = atomic_exchange(&augmenter->shelf->places[i], NULL);
        if (*scratch) {
            return PBA_OK;
        }
    }
    return pipeline_scratch_create(augmenter->pipeline, scratch);
}

static void shelf_put(const pba_augmenter *augmenter, pipeline_scratch *scratch)
{
    for (int i = 0; i < SHELF && scratch; i++) {
        pipeline_scratch *empty = NULL;
        if (atomic_compare_exchange_strong(&augmenter->shelf->places[i], &empty, scratch)) {
            scratch = NULL;
        }
    }
    pipeline_scratch_free(scratch);
}

/* What one call works with. */
typedef struct job {
    const pba_augmenter *augmenter;
    const pba_policy *policy;
    pipeline_scratch *scratch;
    pipeline_key key;
} job;

static pba_status job_open(const pba_augmenter *augmenter, const augment_partners *images,
                           int epoch, job *job)
{
    job->augmenter = augmenter;
    job->key = (pipeline_key){.seed = augmenter->seed, .epoch = (uint32_t)epoch};
    pba_status status = policy_at(augmenter, epoch, &job->policy);
    if (status == PBA_OK) {
        status = shelf_take(augmenter, &job->scratch);
    }
    if (status == PBA_OK) {
        pipeline_scratch_partners(job->scratch,
                                  augmenter->partners.count ? &augmenter->partners : images);
    }
    return status;
}

pba_status pba_augment_batch(const pba_augmenter *augmenter, const uint8_t *images,
                             const uint32_t *ids, size_t count, int epoch, void *out)
{
    if (!augmenter || !images || !out) {
        return status_null(__func__);
    }
    job job;
    const augment_partners call = {.block = images, .ids = ids, .count = count};
    pba_status status = job_open(augmenter, &call, epoch, &job);
    if (status != PBA_OK) {
        return status;
    }
    size_t bytes = augmenter->pixels * augmenter->channels;
    size_t size = bytes * (augmenter->bf16 ? sizeof(uint16_t) : sizeof(float));
    for (size_t i = 0; i < count; i++) {
        const uint8_t *image = images + i * bytes;
        uint32_t id = ids ? ids[i] : (uint32_t)i;
        pipeline_augment(augmenter->pipeline, job.scratch, job.policy, job.key, &image, &id, 1,
                         (uint8_t *)out + i * size);
    }
    shelf_put(augmenter, job.scratch);
    return PBA_OK;
}

pba_status pba_augment_images(const pba_augmenter *augmenter, const uint8_t *images,
                              const uint32_t *ids, size_t count, int epoch, uint8_t *out,
                              uint8_t *mask)
{
    if (!augmenter || !images || !out) {
        return status_null(__func__);
    }
    job job;
    const augment_partners call = {.block = images, .ids = ids, .count = count};
    pba_status status = job_open(augmenter, &call, epoch, &job);
    if (status != PBA_OK) {
        return status;
    }
    size_t pixels = augmenter->pixels, bytes = pixels * augmenter->channels;
    for (size_t i = 0; i < count; i++) {
        pipeline_draw(augmenter->pipeline, job.scratch, job.policy, job.key, images + i * bytes,
                      ids ? ids[i] : (uint32_t)i, out + i * bytes, mask ? mask + i * pixels : NULL);
    }
    shelf_put(augmenter, job.scratch);
    return PBA_OK;
}
