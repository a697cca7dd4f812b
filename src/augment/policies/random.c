/* SPDX-License-Identifier: Apache-2.0
 * One policy of the PBA space, drawn once for each network: what a search has to beat. */
#include "augment/kind.h"

#include "schedule/policy.h"

pba_policy augment_random_policy(uint64_t seed, uint32_t item, int entries)
{
    pba_policy policy = {.entries = entries};
    rng stream = rng_at(seed, RNG_POLICY, 0, 0, item);
    for (int i = 0; i < 2 * entries; i++) {
        policy.values[i] = (uint8_t)rng_below(&stream, (uint32_t)schedule_value_max(i) + 1);
    }
    return policy;
}

extern const augment_kind augment_random;

const augment_kind augment_random = {
    .name = "random",
    .pattern = "random",
    .example = "random",
    .sentence = "One policy of the PBA space, drawn once from the network's seed: every "
                "probability and level is as likely as another.",
    .source = "Ho et al. 2019, the random policy of their comparison",
    .flags = AUGMENT_PER_SEED,
};
