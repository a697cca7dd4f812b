/* SPDX-License-Identifier: Apache-2.0
 * What the control groups of this process allow it, version 1 and 2 (cgroups(7)). */
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

/* Limits hold for all groups below: what is told is the least of the process's group and those
 * above it, as far as they are to be seen. 0: no limit. */
typedef struct cgroup_limits {
    double cores, bytes;
} cgroup_limits;

/* `root`: "" but for tests, a folder with proc and sys in it. */
cgroup_limits cgroup_read(const char *root);

#endif
