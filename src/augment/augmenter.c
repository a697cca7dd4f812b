/* SPDX-License-Identifier: Apache-2.0
 * The public augmenter: a pipeline and a schedule's policies. It is immutable once created; what a
 * call needs beside it is made once per call, so that any number of threads may share it. */
#include <stdlib.h>
#include <string.h>

#include "augment/op.h"
#include "augment/pipeline.h"
#include "core/memory.h"

typedef struct segment {
    int until; /* the epoch behind the segment's last */
    pba_policy policy;
} segment;

struct pba_augmenter {
    arena *arena;
    pipeline *pipeline;
    segment *segments; /* NULL: no policy */
    int segment_count, epochs;
    size_t pixels, channels; /* of an image */
    uint64_t seed;
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

/* The names as an array for pipeline_create. An unknown one is the schedule's fault, not the
 * caller's. */
static pba_status list_ops(const pba_augmenter *augmenter, const pba_schedule *schedule,
                           pipeline_options *options)
{
    int count = pba_schedule_op_count(schedule);
    const char **ops = arena_new(augmenter->arena, (size_t)count, sizeof *ops);
    if (!ops) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < count; i++) {
        const augment_op *op;
        ops[i] = pba_schedule_op(schedule, i);
        if (augment_op_require(ops[i], &op) != PBA_OK) {
            return status_prefix(PBA_FORMAT, "schedule");
        }
    }
    options->ops = ops;
    options->op_count = count;
    return PBA_OK;
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

static pba_status fill(pba_augmenter *augmenter, const pba_augmenter_options *options)
{
    pipeline_options wanted = {.width = options->width,
                               .height = options->height,
                               .channels = options->channels,
                               .baseline = options->baseline,
                               .scale_pixels = options->scale_pixels};
    for (int c = 0; c < 3; c++) {
        wanted.mean[c] = options->mean[c];
        wanted.deviation[c] = all_zero(options) ? 1.0 : options->deviation[c];
    }
    pba_status status = PBA_OK;
    if (options->schedule) {
        status = copy_segments(augmenter, options->schedule);
        if (status == PBA_OK) {
            status = list_ops(augmenter, options->schedule, &wanted);
        }
    }
    return status == PBA_OK ? pipeline_create(&wanted, &augmenter->pipeline) : status;
}

pba_status pba_augmenter_create(const pba_augmenter_options *options, pba_augmenter **augmenter)
{
    *augmenter = NULL;
    arena *arena = arena_create();
    pba_augmenter *fresh = arena ? arena_new(arena, 1, sizeof *fresh) : NULL;
    if (!fresh) {
        arena_free(arena);
        return PBA_MEMORY;
    }
    fresh->arena = arena;
    fresh->seed = options->seed;
    pba_status status = fill(fresh, options);
    if (status != PBA_OK) {
        arena_free(arena);
        return status;
    }
    fresh->pixels = (size_t)options->width * (size_t)options->height;
    fresh->channels = (size_t)options->channels;
    *augmenter = fresh;
    return PBA_OK;
}

void pba_augmenter_free(pba_augmenter *augmenter)
{
    if (augmenter) {
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

/* What one call works with. */
typedef struct job {
    const pba_augmenter *augmenter;
    const pba_policy *policy;
    pipeline_scratch *scratch;
    pipeline_key key;
} job;

static pba_status job_open(const pba_augmenter *augmenter, int epoch, job *job)
{
    job->augmenter = augmenter;
    job->key = (pipeline_key){.seed = augmenter->seed, .epoch = (uint32_t)epoch};
    pba_status status = policy_at(augmenter, epoch, &job->policy);
    return status == PBA_OK ? pipeline_scratch_create(augmenter->pipeline, &job->scratch) : status;
}

pba_status pba_augment_batch(const pba_augmenter *augmenter, const uint8_t *images,
                             const uint32_t *ids, size_t count, int epoch, float *out)
{
    job job;
    pba_status status = job_open(augmenter, epoch, &job);
    if (status != PBA_OK) {
        return status;
    }
    size_t bytes = augmenter->pixels * augmenter->channels;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *image = images + i * bytes;
        uint32_t id = ids ? ids[i] : (uint32_t)i;
        pipeline_augment(augmenter->pipeline, job.scratch, job.policy, job.key, &image, &id, 1,
                         out + i * bytes);
    }
    pipeline_scratch_free(job.scratch);
    return PBA_OK;
}

pba_status pba_augment_images(const pba_augmenter *augmenter, const uint8_t *images,
                              const uint32_t *ids, size_t count, int epoch, uint8_t *out,
                              uint8_t *mask)
{
    job job;
    pba_status status = job_open(augmenter, epoch, &job);
    if (status != PBA_OK) {
        return status;
    }
    size_t pixels = augmenter->pixels, bytes = pixels * augmenter->channels;
    for (size_t i = 0; i < count; i++) {
        pipeline_draw(augmenter->pipeline, job.scratch, job.policy, job.key, images + i * bytes,
                      ids ? ids[i] : (uint32_t)i, out + i * bytes, mask ? mask + i * pixels : NULL);
    }
    pipeline_scratch_free(job.scratch);
    return PBA_OK;
}
