/* SPDX-License-Identifier: Apache-2.0
 * How many cores there are, and running one function on several threads. */
#ifndef CORE_THREADS_H
#define CORE_THREADS_H

#include "core/status.h"

/* Memory this process may use in bytes: the smaller of the machine's and the cgroup's limit. */
int64_t threads_memory_limit(void);

/* Memory that this process has in use now, in bytes; 0 where the system does not tell. */
int64_t threads_memory_used(void);

/* PBA_MEMORY where `bytes` more do not fit beside what is in use. Up to 64 MB always do. */
pba_status threads_memory_check(uint64_t bytes);

/* Runs work(context, 0) ... work(context, count-1), each on a thread of its own, and waits for all.
 * Where one of the threads cannot be started, none does any work: they may wait for each other.
 * Returns the status of the lowest-numbered one that failed, its message on the calling thread. */
pba_status threads_run(int count, pba_status (*work)(void *context, int index), void *context);

#endif
