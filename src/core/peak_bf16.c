/* SPDX-License-Identifier: Apache-2.0
 * Products of bfloat16: tiles (AMX), or pairs in vectors (AVX512-BF16), the two ways in which
 * oneDNN computes with them. In assembler, since compilers differ in what they call these
 * instructions. */
#define _GNU_SOURCE
#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/peak.h"

/* ------------------------------------------------------------------ vectors */

/* 12 chains of 16 sums, each adding two products. */
static void run_vectors(long rounds)
{
    __asm__ volatile("vpxorq %%zmm12, %%zmm12, %%zmm12" ::: "xmm12");
    for (long round = 0; round < rounds; round++) {
        __asm__ volatile("vdpbf16ps %%zmm12, %%zmm12, %%zmm0\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm1\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm2\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm3\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm4\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm5\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm6\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm7\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm8\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm9\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm10\n\t"
                         "vdpbf16ps %%zmm12, %%zmm12, %%zmm11" ::
                             : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                               "xmm8", "xmm9", "xmm10", "xmm11", "xmm12");
    }
}

static const peak_loop vectors = {"AVX512-BF16", run_vectors, 2.0 * 12 * 16 * 2};

/* ------------------------------------------------------------------ tiles */

typedef struct tile_config { /* as ldtilecfg reads it */
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;
_Static_assert(sizeof(tile_config) == 64, "the processor's layout");

/* Four tiles of 16 x 16 sums, each adding 32 products a sum. */
static void run_tiles(long rounds)
{
    tile_config config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    __asm__ volatile("ldtilecfg %0" ::"m"(config));
    for (long round = 0; round < rounds; round++) {
        __asm__ volatile("tdpbf16ps %tmm6, %tmm4, %tmm0\n\t"
                         "tdpbf16ps %tmm7, %tmm4, %tmm1\n\t"
                         "tdpbf16ps %tmm6, %tmm5, %tmm2\n\t"
                         "tdpbf16ps %tmm7, %tmm5, %tmm3");
    }
    __asm__ volatile("tilerelease");
}

static const peak_loop tiles = {"AMX-BF16", run_tiles, 2.0 * 4 * 16 * 16 * 32};

/* ------------------------------------------------------------------ choice */

/* The processor has them and the kernel, which has to be asked, lets this process use them. */
static bool has_tiles(void)
{
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    unsigned a = 0, b = 0, c = 0, d = 0;
    bool present = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 22 & 1) && (d >> 24 & 1);
    return present && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

/* Of the instructions and, by AVX-512, of the operating system too. */
static bool has_vectors(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512bw") && __get_cpuid_count(7, 1, &a, &b, &c, &d) &&
           (a >> 5 & 1);
}

const peak_loop *peak_bf16(void)
{
    return has_tiles() ? &tiles : has_vectors() ? &vectors : NULL;
}
