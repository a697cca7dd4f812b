/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "core/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/memory.h"

int pba_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    double limit = cgroup_read("").cores;
    if (limit > 0 && limit < cores) {
        cores = (int)(limit + 0.5);
    }
    return cores > 0 ? cores : 1;
}

int64_t threads_memory_limit(void)
{
    int64_t bytes = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    double limit = cgroup_read("").bytes;
    return limit > 0 && limit < (double)bytes ? (int64_t)limit : bytes;
}

int64_t threads_memory_used(void)
{
    long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%lld %lld", &size, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

double pba_memory_peak(void)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "VmHWM: %lf", &kilobytes) == 1) {
            break;
        }
    }
    if (file) {
        fclose(file);
    }
    return kilobytes * 1024;
}

pba_status threads_memory_check(uint64_t bytes)
{
    const uint64_t small = 64 << 20, megabyte = 1000000;
    if (bytes <= small) {
        return PBA_OK;
    }
    uint64_t limit = (uint64_t)threads_memory_limit(), used = (uint64_t)threads_memory_used();
    if (used < limit && bytes <= limit - used) {
        return PBA_OK;
    }
    return status_set(PBA_MEMORY,
                      "needs %llu MB of memory more; of the %llu MB that this process may use, "
                      "%llu MB are in use",
                      (unsigned long long)(bytes / megabyte),
                      (unsigned long long)(limit / megabyte),
                      (unsigned long long)(used / megabyte));
}

/* Held while threads are started; then says whether all of them were. */
typedef struct gate {
    pthread_mutex_t mutex;
    bool open;
} gate;

typedef struct job {
    gate *gate;
    pba_status (*work)(void *context, int index);
    void *context;
    int index;
    bool started;
    pthread_t thread;
    pba_status status;
    char *message; /* the worker's, carried to the caller's thread; NULL: no memory for it */
} job;

static bool gate_passed(gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    bool open = gate->open;
    pthread_mutex_unlock(&gate->mutex);
    return open;
}

static void *job_main(void *argument)
{
    job *job = argument;
    if (!gate_passed(job->gate)) {
        return NULL;
    }
    job->status = job->work(job->context, job->index);
    if (job->status != PBA_OK) {
        job->message = memory_text(pba_error_message());
    }
    return NULL;
}

static void job_start(job *job)
{
    int code = pthread_create(&job->thread, NULL, job_main, job);
    job->started = code == 0;
    if (code != 0) {
        job->status = PBA_MEMORY;
        job->message = memory_text("a thread could not be started");
    }
}

static pba_status first_failure(job *jobs, int count)
{
    pba_status result = PBA_OK;
    for (int i = 0; i < count; i++) {
        if (result == PBA_OK && jobs[i].status != PBA_OK) {
            result = status_set(jobs[i].status, "%s",
                                jobs[i].message ? jobs[i].message : "out of memory");
        }
        free(jobs[i].message);
    }
    return result;
}

pba_status threads_run(int count, pba_status (*work)(void *context, int index), void *context)
{
    job *jobs = memory_new((size_t)count, sizeof *jobs);
    if (!jobs) {
        return PBA_MEMORY;
    }
    gate gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .open = true};
    pthread_mutex_lock(&gate.mutex);
    for (int i = 0; i < count && gate.open; i++) {
        jobs[i] = (job){.gate = &gate, .work = work, .context = context, .index = i};
        job_start(&jobs[i]);
        gate.open = jobs[i].started;
    }
    pthread_mutex_unlock(&gate.mutex);
    for (int i = 0; i < count; i++) {
        if (jobs[i].started) {
            pthread_join(jobs[i].thread, NULL);
        }
    }
    pthread_mutex_destroy(&gate.mutex);
    pba_status result = first_failure(jobs, count);
    free(jobs);
    return result;
}
