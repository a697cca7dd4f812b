/* SPDX-License-Identifier: Apache-2.0
 * The one way from stored uint8 images to a network's input: policy, baseline augmentation,
 * normalization. Evaluation goes through here too, so that there is one normalization. */
#ifndef AUGMENT_PIPELINE_H
#define AUGMENT_PIPELINE_H

#include "augment/kind.h"
#include "schedule/policy.h"

typedef struct pipeline pipeline; /* immutable once created; shared by threads */
typedef struct pipeline_scratch
    pipeline_scratch; /* one per thread; nothing is allocated per image */

typedef struct pipeline_options {
    int width, height, channels;
    double mean[3], deviation[3]; /* in 0..1 units; output = (value/255 - mean) / deviation */
    const char *baseline;         /* "none", or a list of crop:P, flip, cutout:S */
    const char *const *ops; /* names of the policy's operations, in its order; NULL: PBA's 15 */
    int op_count;
    const schedule_counts *counts; /* operations on an image; NULL: the schedule's, or PBA's */
    const augment_choice *choice;  /* NULL: a policy comes with each call */
    bool scale_pixels; /* scale pixel parameters (policy's, not baseline's) by min(w,h)/32 */
    bool interleaved;  /* output is count x height x width x channels; otherwise channels first */
    bool bf16;         /* output is bf16, rounded to nearest even; otherwise float32 */
} pipeline_options;

/* PBA_USAGE for an unknown operation or baseline (the message names it). `choice` is read now and
 * need not outlive the call, nor does anything else. The operations of its schedule, if it has one,
 * are those of `ops` = NULL. */
pba_status pipeline_create(const pipeline_options *options, pipeline **pipeline);
void pipeline_free(pipeline *pipeline);
pba_status pipeline_scratch_create(const pipeline *pipeline, pipeline_scratch **scratch);
void pipeline_scratch_free(pipeline_scratch *scratch);

/* Where operations that mix two images find the other one, from now on, in calls with this scratch;
 * copied, what it points at stays the caller's. Without it, or where count is 0: the images of the
 * call. The partner is drawn by what draws the image's policy. */
void pipeline_scratch_partners(pipeline_scratch *scratch, const augment_partners *partners);

/* What determines the draws of an image, beside its id: RNG_AUGMENT keyed by these. */
typedef struct pipeline_key {
    uint64_t seed;
    uint32_t member, epoch;
} pipeline_key;

/* images[i]: interleaved uint8 height x width x channels; ids[i]: its number in the data set.
 * policy NULL: baseline alone, or what `choice` draws by itself. out: count images in the
 * layout and type of the options, normalized, exactly 0 where there is no content. Cannot fail. */
void pipeline_augment(const pipeline *pipeline, pipeline_scratch *scratch, const pba_policy *policy,
                      pipeline_key key, const uint8_t *const *images, const uint32_t *ids,
                      int count, void *out);

/* Normalization alone: validation and test images are never augmented. */
void pipeline_normalize(const pipeline *pipeline, const uint8_t *const *images, int count,
                        void *out);

/* The draws of pipeline_augment for one image as pixels and mask (may be NULL), before
 * normalization.
 */
void pipeline_draw(const pipeline *pipeline, pipeline_scratch *scratch, const pba_policy *policy,
                   pipeline_key key, const uint8_t *image, uint32_t id, uint8_t *pixels,
                   uint8_t *mask);

#endif
