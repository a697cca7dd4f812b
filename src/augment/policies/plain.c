/* SPDX-License-Identifier: Apache-2.0
 * What every policy is compared with first: nothing, and the baseline alone. */
#include "augment/kind.h"

extern const augment_kind augment_none, augment_baseline_alone;

const augment_kind augment_none = {
    .name = "none",
    .pattern = "none",
    .example = "none",
    .sentence = "The images as they are, without the baseline.",
    .source = "",
    .flags = AUGMENT_BARE,
};

const augment_kind augment_baseline_alone = {
    .name = "baseline",
    .pattern = "baseline",
    .example = "baseline",
    .sentence = "The baseline alone: what is usual for such data, crop, flip and cutout for "
                "CIFAR-10. It follows every other kind but none.",
    .source = "",
};
