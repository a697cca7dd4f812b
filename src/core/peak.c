/* SPDX-License-Identifier: Apache-2.0
 * Chooses the loops and times them on several threads at once. Compiled without instruction-set
 * flags: this must run anywhere. */
#include "core/peak.h"

#include <stdlib.h>

#include "core/clock.h"
#include "core/memory.h"
#include "core/threads.h"

enum { TRIALS = 5 };
static const double TRIAL_SECONDS = 0.03;

typedef struct trial {
    const peak_loop *loop;
    double *best; /* of each thread: operations per second */
} trial;

static const peak_loop *widest_float(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        return &peak_float_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return &peak_float_avx2;
    }
#endif
    return &peak_float_base;
}

static const peak_loop *widest_bf16(void)
{
#ifdef __x86_64__
    return peak_bf16();
#else
    return NULL;
#endif
}

static double seconds_of(const peak_loop *loop, long rounds)
{
    double start = clock_now();
    loop->run(rounds);
    return clock_now() - start;
}

/* The shortest of a few: what disturbs can only slow down. */
static pba_status time_loop(void *context, int index)
{
    const trial *trial = context;
    long rounds = 1000;
    while (seconds_of(trial->loop, rounds) < TRIAL_SECONDS / 2) {
        rounds *= 2;
    }
    for (int i = 0; i < TRIALS; i++) {
        double rate = trial->loop->flops * (double)rounds / seconds_of(trial->loop, rounds);
        trial->best[index] = rate > trial->best[index] ? rate : trial->best[index];
    }
    return PBA_OK;
}

static pba_status measure(const peak_loop *loop, int threads, const char **name, double *flops)
{
    *name = NULL;
    *flops = 0;
    if (!loop) {
        return PBA_OK;
    }
    trial trial = {loop, memory_new((size_t)threads, sizeof(double))};
    pba_status status = trial.best ? threads_run(threads, time_loop, &trial) : PBA_MEMORY;
    for (int i = 0; i < threads && status == PBA_OK; i++) {
        *flops += trial.best[i];
    }
    *name = loop->name;
    free(trial.best);
    return status;
}

pba_status pba_peak_measure(int threads, pba_peak *peak)
{
    if (!peak) {
        return status_null(__func__);
    }
    if (threads < 1 || threads > 1024) {
        return status_set(PBA_USAGE, "threads: %d is outside 1..1024", threads);
    }
    pba_status status = measure(widest_float(), threads, &peak->f32, &peak->f32_flops);
    return status == PBA_OK ? measure(widest_bf16(), threads, &peak->bf16, &peak->bf16_flops)
                            : status;
}
