/* SPDX-License-Identifier: Apache-2.0
 * A data set: one shared copy of the pixels, and splits that are lists of indices into it. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "data/format.h"

struct pba_dataset {
    const data_format *format;
    data_content content;
    uint32_t *lists[DATA_SPLITS]; /* by pba_split: stored numbers, ascending; NULL before a split */
    int counts[DATA_SPLITS];
};

/* The stored number of image `index` of a split: the same image keeps it, whatever the sizes of the
 * splits. The index must exist. */
uint32_t dataset_number(const pba_dataset *dataset, pba_split split, int index);

#endif
