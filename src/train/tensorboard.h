/* SPDX-License-Identifier: Apache-2.0
 * Figures as TensorBoard's event files: one series (a folder, what TensorBoard calls a run) for
 * each network, tags in it. Best effort beside the run's own record: what a crash takes is written
 * again when the run is resumed. */
#ifndef TRAIN_TENSORBOARD_H
#define TRAIN_TENSORBOARD_H

#include "core/status.h"

typedef struct tensorboard tensorboard;

typedef struct tensorboard_value {
    const char *tag;
    double value;
} tensorboard_value;

/* RUN/tensorboard/, with `count` series. One thread at a time may write to one series. */
pba_status tensorboard_open(const char *run, int count, tensorboard **board);
void tensorboard_close(tensorboard *board); /* NULL is allowed */

/* Appends values of step `step` (epochs that are done) to series `index`, called `name`. The first
 * ones since the opening go to a file of their own, which voids what older ones hold of this step
 * and later. Values that are no number are left out. `board` NULL: nothing happens. */
pba_status tensorboard_write(tensorboard *board, int index, const char *name, int64_t step,
                             const tensorboard_value *values, int count);

/* Of the framing, for tests: CRC-32C (Castagnoli), and as records hold it. */
uint32_t tensorboard_crc(const void *data, size_t size);
uint32_t tensorboard_masked_crc(const void *data, size_t size);

#endif
