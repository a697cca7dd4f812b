/* SPDX-License-Identifier: Apache-2.0
 * The rows of how a data set is opened, for every options struct that has size, fit and skip_bad.
 */
#ifndef DATA_SETTINGS_H
#define DATA_SETTINGS_H

#include <stddef.h>

#include "pba.h"

/* clang-format off */
#define DATASET_FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define DATASET_ROWS(TYPE)                                                                           \
    {"size", PBA_SETTING_TEXT, DATASET_FIELD(TYPE, size), 0, 0, "", "WxH", NULL,                     \
     "What the images of a folder become, whatever size they have on disk. Left out: their own "     \
     "size where all have the same one of at most 96x96, else 64x64. Other data keeps its size.",    \
     false},                                                                                         \
    {"fit", PBA_SETTING_TEXT, DATASET_FIELD(TYPE, fit), 0, 0, "crop", "crop|pad", NULL,              \
     "How images of another shape become that size. crop: resized to cover it, the middle cut out. " \
     "pad: resized to fit into it, black borders.", false},                                          \
    {"skip-bad", PBA_SETTING_FLAG, DATASET_FIELD(TYPE, skip_bad), 0, 0, "false", "", NULL,           \
     "Leaves out image files that are broken, and says how many and which; without it they end the " \
     "command.", false}
/* clang-format on */

#endif
