/* SPDX-License-Identifier: Apache-2.0
 * What the arrays of .npz files become, once they are unpacked. */
#ifndef DATA_FORMATS_NPZ_H
#define DATA_FORMATS_NPZ_H

#include "data/format.h"

/* Fills an empty content from archives in memory, NULL where there is none for a split; training's
 * is there. */
pba_status npz_read(data_source *const archives[DATA_SPLITS], const pba_dataset_options *options,
                    data_content *content);

#endif
