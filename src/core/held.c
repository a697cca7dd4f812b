/* SPDX-License-Identifier: Apache-2.0
 * Locks on files. Who holds one, by /proc/locks of Linux (proc(5)): "1: FLOCK  ADVISORY  WRITE 1234
 * fe:01:5678 0 EOF"; a process that waits for it has "->" before FLOCK. Only the file's number is
 * compared: on btrfs and overlayfs the device there is not the one that stat tells. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "core/file.h"

/* Whether the path still leads to the file that was opened by it. */
static bool is_still(int descriptor, const char *path)
{
    struct stat held, there;
    return fstat(descriptor, &held) == 0 && stat(path, &there) == 0 &&
           held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

pba_status file_hold(int descriptor, const char *path)
{
    int code;
    do {
        code = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (code != 0 && errno == EINTR);
    if (code == 0) {
        return is_still(descriptor, path)
                   ? PBA_OK
                   : status_set(PBA_EXISTS,
                                "%s: another process has just removed it; look at what is there, "
                                "and try again",
                                path);
    }
    return errno == EWOULDBLOCK
               ? status_set(PBA_EXISTS, "%s: another process is at work on this run", path)
               : status_set(PBA_IO, "%s: cannot be locked: %s", path, strerror(errno));
}

bool file_is_held(const char *path, bool *known)
{
    struct stat info;
    char line[256];
    bool held = false;
    FILE *locks = fopen("/proc/locks", "re");
    *known = locks && stat(path, &info) == 0;
    while (*known && !held && fgets(line, sizeof line, locks)) {
        unsigned long long inode;
        held = sscanf(line, "%*d: FLOCK %*s WRITE %*d %*x:%*x:%llu", &inode) == 1 &&
               inode == (unsigned long long)info.st_ino;
    }
    if (locks) {
        fclose(locks);
    }
    return held;
}
