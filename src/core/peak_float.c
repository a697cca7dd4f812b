/* SPDX-License-Identifier: Apache-2.0
 * Independent chains of multiply-adds on vectors of PEAK_BYTES: as many as hide the latency (4 to 5
 * cycles, 2 a cycle) and still fit the registers of every set. Compiled once per instruction set
 * (PEAK_LOOP names the row), with multiply and add fused, which the rest of the library forbids. */
#include "core/peak.h"

enum { CHAINS = 12, LANES = PEAK_BYTES / sizeof(float) };

typedef float lanes __attribute__((vector_size(PEAK_BYTES)));

static void run(long rounds)
{
    lanes sums[CHAINS];
    /* Near a fixed point: no chain grows, dies out or becomes denormal. Not known to the compiler.
     */
    volatile float factor = 0.999F, term = 0.001F;
    lanes factors = {0}, terms = {0};
    factors += factor;
    terms += term;
    for (int i = 0; i < CHAINS; i++) {
        sums[i] = terms * (float)i;
    }
    for (long round = 0; round < rounds; round++) {
        for (int i = 0; i < CHAINS; i++) {
            sums[i] = sums[i] * factors + terms;
        }
    }
    for (int i = 1; i < CHAINS; i++) {
        sums[0] += sums[i];
    }
    volatile float sink = sums[0][0];
    (void)sink;
}

const peak_loop PEAK_LOOP = {PEAK_NAME, run, 2.0 * CHAINS *LANES};
