/* SPDX-License-Identifier: Apache-2.0
 * What a run is made of beside its settings: the images and labels of its splits, the network, the
 * operations with what a level means for each, and the version of pba. config.json keeps a sum of
 * each, so that a run does not go on as something else. */
#ifndef TRAIN_FINGERPRINT_H
#define TRAIN_FINGERPRINT_H

#include <jansson.h>

#include "train/trainer.h"

/* An object with a sum of each; NULL: no memory. Reads every pixel once, about 1 GB a second. */
json_t *fingerprint_of(const task *task);

/* Of one operation: what its row says, and its values at all levels. "operations" is of those that
 * are built in; those of plug-ins have one each, beside their versions. */
int64_t fingerprint_op(const augment_op *op);

/* PBA_FORMAT where `config`, read from `path`, was written by another version of pba or holds other
 * sums, or lacks one of these; the message says which, and what can be done. */
pba_status fingerprint_check(const char *path, const json_t *config, const task *task);

#endif
