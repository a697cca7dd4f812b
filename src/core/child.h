/* SPDX-License-Identifier: Apache-2.0
 * Work that third-party code does, decoders on untrusted bytes above all, in a child process with
 * limits: it may run out of memory or time, or crash, and the caller gets an error that names the
 * file. The child writes nothing to disk and says nothing on the terminal. */
#ifndef CORE_CHILD_H
#define CORE_CHILD_H

#include "core/status.h"

typedef struct child_limits {
    size_t memory; /* bytes of address space beyond what the process has at the fork */
    int silence;   /* seconds of wall time without a byte from the child */
    int processor; /* seconds of processor time in all */
    bool files;    /* it may call child_allow_files */
} child_limits;

/* One end of the bytes that go from the child to the caller. */
typedef struct child_stream child_stream;

typedef struct child_job {
    const char *what; /* the file, which errors name */
    child_limits limits;
    /* In the child: does the work and writes what it finds. A failure's status and message travel
     * to the caller by themselves. */
    pba_status (*work)(void *context, child_stream *out);
    /* In the caller: reads what `work` wrote, trusting nothing in it. A failure ends the child. */
    pba_status (*reader)(void *context, child_stream *in);
    /* In the caller, several times a second while it waits: true ends the child, PBA_INTERRUPTED.
     * May be NULL. */
    bool (*stop)(void *context);
    void *context;
    /* What errors call the work, and say is to be done; NULL: words for a file that is decoded. */
    const char *who, *advice;
} child_job;

/* Forks, works, reads, reaps. The child is gone when this returns. No thread of the process may
 * hold a lock that `work` needs. PBA_FORMAT where the child crashed or took too long, PBA_MEMORY
 * where its memory ran out. */
pba_status child_run(const child_job *job);

/* In a child whose limits say that it may: whether a file may grow, which none may at its start.
 * For files that lie in memory alone, whose bytes count as written, too. */
void child_allow_files(bool allowed);

pba_status child_write(child_stream *out, const void *data, size_t size);
pba_status child_read(child_stream *in, void *data, size_t size); /* exactly `size` bytes */

#endif
