/* SPDX-License-Identifier: Apache-2.0
 * Chooses a set of row kernels. Compiled without instruction-set flags: this must run anywhere. */
#include "augment/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>

extern const augment_kernels augment_kernels_base;
#ifdef __x86_64__
extern const augment_kernels augment_kernels_avx2, augment_kernels_avx512,
    augment_kernels_avx512vbmi;
#endif

static bool has_base(void)
{
    return true;
}

static bool has_avx2(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

static bool has_avx512(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

static bool has_avx512vbmi(void)
{
#ifdef __x86_64__
    return has_avx512() && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

/* Best first. kernels NULL: not in this build. */
static const struct {
    const char *name;
    const augment_kernels *kernels;
    bool (*present)(void);
} sets[] = {
#ifdef __x86_64__
    {"avx512vbmi", &augment_kernels_avx512vbmi, has_avx512vbmi},
    {"avx512", &augment_kernels_avx512, has_avx512},
    {"avx2", &augment_kernels_avx2, has_avx2},
#else
    {"avx512vbmi", NULL, has_avx512vbmi},
    {"avx512", NULL, has_avx512},
    {"avx2", NULL, has_avx2},
#endif
    {"base", &augment_kernels_base, has_base},
};

const augment_kernels *augment_kernels_at(size_t index)
{
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (sets[i].present() && index-- == 0) {
            return sets[i].kernels;
        }
    }
    return NULL;
}

pba_status augment_kernels_choose(const augment_kernels **kernels)
{
    const char *forced = getenv("PBA_ISA");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (forced && *forced && strcmp(forced, sets[i].name)) {
            continue;
        }
        if (sets[i].present()) {
            *kernels = sets[i].kernels;
            return PBA_OK;
        }
        if (forced && *forced) {
            return status_set(PBA_UNSUPPORTED, "PBA_ISA=%s: this processor lacks it; unset it",
                              forced);
        }
    }
    return status_set(PBA_USAGE,
                      "PBA_ISA=%s: unknown; use base, avx2, avx512 or avx512vbmi, or unset it",
                      forced);
}
