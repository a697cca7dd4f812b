/* SPDX-License-Identifier: Apache-2.0
 * How fast this processor multiplies and adds at most, to measure everything else by: loops that
 * touch registers alone. One loop per instruction set; peak.c picks the widest. */
#ifndef CORE_PEAK_H
#define CORE_PEAK_H

#include "core/status.h"

typedef struct peak_loop {
    const char *name; /* "AVX-512" */
    void (*run)(long rounds);
    double flops; /* floating point operations of a round; a multiply-add is two */
} peak_loop;

/* peak_float.c, compiled once per set. */
extern const peak_loop peak_float_base, peak_float_avx2, peak_float_avx512;

/* peak_bf16.c: products of bfloat16, summed in float32; x86-64 only. NULL: not this processor. */
const peak_loop *peak_bf16(void);

#endif
