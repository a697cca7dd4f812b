/* SPDX-License-Identifier: Apache-2.0 */
#include "core/rng.h"

#include <math.h>

void rng_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0, b = (uint64_t)0xCD9E8D57u * c2;
        uint32_t high_a = (uint32_t)(a >> 32), high_b = (uint32_t)(b >> 32);
        c0 = high_b ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = high_a ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

rng rng_at(uint64_t seed, rng_purpose purpose, uint32_t member, uint32_t epoch, uint32_t item)
{
    return (rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                 .counter = {0, item, epoch, (uint32_t)purpose << 20 | (member & 0xFFFFFu)}};
}

uint32_t rng_word(rng *rng)
{
    if (!rng->left) {
        rng_philox(rng->counter, rng->key, rng->words);
        rng->counter[0]++;
        rng->left = 4;
    }
    return rng->words[4 - rng->left--];
}

/* Lemire, "Fast random integer generation in an interval", 2019: multiply, reject the few words
 * that would make some values likelier. */
uint32_t rng_below(rng *rng, uint32_t bound)
{
    uint64_t product = (uint64_t)rng_word(rng) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = -bound % bound;
        while ((uint32_t)product < threshold) {
            product = (uint64_t)rng_word(rng) * bound;
        }
    }
    return (uint32_t)(product >> 32);
}

double rng_unit(rng *rng)
{
    uint64_t high = rng_word(rng) >> 5, low = rng_word(rng) >> 6;
    return (double)(high << 26 | low) * 0x1p-53;
}

double rng_normal(rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_unit(rng)));
    return radius * cos(2.0 * 3.14159265358979323846 * rng_unit(rng));
}

void rng_shuffle(rng *rng, uint32_t *items, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = rng_below(rng, i), held = items[i - 1];
        items[i - 1] = items[j];
        items[j] = held;
    }
}
