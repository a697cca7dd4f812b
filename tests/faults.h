/* SPDX-License-Identifier: Apache-2.0
 * A layer under the library's calls of open, write, fsync, close, rename, ftruncate, unlink, mkdir
 * and rmdir (the linker's --wrap, see meson.build) that counts them, and does harm at one of them.
 * Only what lies below one folder counts, and of open only what creates a file or opens a folder;
 * what memfd_create makes is as a file of that folder that is interrupted only. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <stdbool.h>

typedef enum fault_mode {
    FAULT_COUNT,
    FAULT_KILL,      /* SIGKILL right after an operation (before it: after the one before) */
    FAULT_HALF,      /* the same, but a write gets half of its bytes done only */
    FAULT_POWER,     /* the same, and all is lost that was not synced, names in folders too */
    FAULT_ERROR,     /* an operation fails with an errno, and all behind it do */
    FAULT_ONCE,      /* only that one does */
    FAULT_FULL,      /* a write gets half of its bytes done, and all behind it that need space fail:
                        writes, fresh files and folders */
    FAULT_INTERRUPT, /* each operation that can fails with EINTR before it is done; reads, too */
    FAULT_SHORT,     /* reads and writes do a part, from one byte to half */
} fault_mode;

/* What an operation was, for messages. */
typedef struct fault_record {
    char call[12];
    char name[60]; /* the last part of its path */
} fault_record;

/* Once, before any child: what lies below `root` counts. `lost` is an empty folder on the same file
 * system, for what may come back after a power cut; "" where there will be none. */
void faults_open(const char *root, const char *lost);

/* In the process that is to be harmed: at operation `place`, counted from 1. */
void faults_arm(fault_mode mode, long place, int error);

/* Of the process that was armed last, which may be dead, and its children. */
long faults_count(void);
long faults_disturbed(void); /* calls that were interrupted or did a part */
const fault_record *faults_record(long place);

#endif
