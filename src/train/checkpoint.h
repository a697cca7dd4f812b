/* SPDX-License-Identifier: Apache-2.0
 * Blocks on disk: checkpoints (a whole block, checksummed) and weights (safetensors). */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "nn/graph.h"

/* Where a network stands. */
typedef struct checkpoint_place {
    int round; /* of a search; 0 */
    int epoch; /* epochs that are complete */
    int step;  /* steps that are done of the next one, with their sums so far */
    int64_t correct;
    double loss_sum;
} checkpoint_place;

/* A header (magic, format version, floats, place, checksum of everything), then the block. Written
 * whole or not at all; what was there gets the name `before` (NULL: it is gone). */
pba_status checkpoint_write(const char *path, const char *before, const float *block, size_t floats,
                            const checkpoint_place *place);

/* Fills `block`; PBA_FORMAT (the message names file and reason) for another magic, version, size,
 * round or checksum. round -1: any. */
pba_status checkpoint_read(const char *path, float *block, size_t floats, int round,
                           checkpoint_place *place);

/* The place alone, from the header; whether the rest is whole is not looked at. */
pba_status checkpoint_peek(const char *path, checkpoint_place *place);

/* All tensors of the graph, running statistics included, momentum not, under their names, with
 * `metadata` key-value pairs (ending with a NULL key). Readable by the safetensors package. */
pba_status weights_save(const char *path, const nn_graph *graph, const float *block,
                        const char *const *metadata);

/* Names, shapes and types must be the graph's. Momentum is zeroed. */
pba_status weights_load(const char *path, const nn_graph *graph, float *block);

/* The text of a metadata key; PBA_NOT_FOUND where the file has none of that name. */
pba_status weights_metadata(const char *path, const char *key, char *text, size_t size);

#endif
