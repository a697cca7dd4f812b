/* SPDX-License-Identifier: Apache-2.0
 * Training images to look at, and what a schedule makes of them: for contact sheets and reports. */
#ifndef TRAIN_PREVIEW_H
#define TRAIN_PREVIEW_H

#include "core/status.h"

typedef struct preview {
    const pba_dataset *dataset; /* with its splits drawn */
    pba_dataset_info info;
    const pba_schedule *schedule;
    uint64_t seed;
    int count;                /* of images: wanted, and after preview_pick found */
    int columns;              /* of epochs */
    size_t bytes;             /* of an image */
    uint8_t *pixels;          /* count images */
    uint32_t *ids;            /* count */
    int *labels;              /* count */
    uint8_t *drawn;           /* count images: room to draw in */
    uint8_t *mask;            /* count x height x width, of those */
    const uint8_t **partners; /* of the training split, as a training run has them */
    uint32_t *partner_ids;
} preview;

/* Fills in everything from `info` on: the classes in turn, of each the first training images. Call
 * preview_free in any case. */
pba_status preview_pick(preview *preview);
void preview_free(preview *preview);

/* As a training run with this seed augments; `baseline` as pba_augmenter_options has it. */
pba_status preview_augmenter(const preview *preview, const char *baseline,
                             pba_augmenter **augmenter);
/* The epoch of column 0..columns-1: evenly spaced from the first to the last. */
int preview_epoch(const preview *preview, int column);
/* All images as they are in that epoch. */
pba_status preview_draw(const preview *preview, const pba_augmenter *augmenter, int epoch,
                        uint8_t *drawn, uint8_t *mask);

/* Image `index` of `pixels` (the preview's `pixels` or `drawn`); mask may be NULL. */
pba_image preview_image(const preview *preview, uint8_t *pixels, uint8_t *mask, int index);

#endif
