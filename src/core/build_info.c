/* SPDX-License-Identifier: Apache-2.0
 * What this build is made of, for pba --version and for config.json. The versions of libraries come
 * from the build (src/core/meson.build), so that no other library's header is needed here. */
#include <stdio.h>

#include "core/build_config.h" /* written by Meson */
#include "core/status.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *pba_version(void)
{
    return PBA_BUILD_VERSION;
}

/* The widest set of this processor that anything here is compiled for. */
static const char *instruction_set(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
        return "x86-64 with AVX-512";
    }
    return __builtin_cpu_supports("avx2") ? "x86-64 with AVX2" : "x86-64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "other";
#endif
}

const char *pba_build_info(void)
{
    static _Thread_local char text[1024];
    snprintf(text, sizeof text,
             "pba %s\n"
             "compiler         %s\n"
             "oneDNN           %s\n"
             "libvips          %s\n"
             "jansson          %s\n"
             "zlib             %s\n"
             "libarchive       %s\n"
             "instruction set  %s\n"
             "cores            %d\n",
             PBA_BUILD_VERSION, COMPILER, PBA_BUILD_DNNL, PBA_BUILD_VIPS, PBA_BUILD_JANSSON,
             PBA_BUILD_ZLIB, PBA_BUILD_LIBARCHIVE, instruction_set(), pba_cores());
    return text;
}
