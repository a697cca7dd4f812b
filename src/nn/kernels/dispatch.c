/* SPDX-License-Identifier: Apache-2.0
 * Which sets of kernels there are. Compiled without instruction-set flags: this must run anywhere.
 */
#include "nn/kernels/kernels.h"

extern const nn_kernels nn_kernels_base;
#ifdef __x86_64__
extern const nn_kernels nn_kernels_avx2, nn_kernels_avx512;
#endif

const nn_kernels *nn_kernels_at(size_t index)
{
    const nn_kernels *sets[4] = {NULL};
    size_t count = 0;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        sets[count++] = &nn_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        sets[count++] = &nn_kernels_avx2;
    }
#endif
    sets[count++] = &nn_kernels_base;
    return index < count ? sets[index] : NULL;
}
