/* SPDX-License-Identifier: Apache-2.0 */
#include "population/population.h"

enum { LARGEST_CHANGE = 3 };

static int changed(int value, int max, double resample, rng *rng)
{
    if (rng_unit(rng) < resample) {
        return (int)rng_below(rng, (uint32_t)max + 1);
    }
    int amount = (int)rng_below(rng, LARGEST_CHANGE + 1);
    value += rng_below(rng, 2) ? amount : -amount;
    return value < 0 ? 0 : value > max ? max : value;
}

void population_explore(pba_policy *policy, double resample, rng *rng)
{
    for (int i = 0; i < 2 * policy->entries; i++) {
        int max = schedule_value_max(i);
        policy->values[i] = (uint8_t)changed(policy->values[i], max, resample, rng);
    }
}
