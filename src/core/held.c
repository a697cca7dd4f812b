/* SPDX-License-Identifier: Apache-2.0
 * Locks on files. flock decides who may work. Whether somebody does is asked of record locks, since
 * flock has no question that does not take the lock, and who asks must keep nobody out: the holder
 * puts an open file description lock (fcntl_locking(2)) beside its flock, and F_OFD_GETLK only
 * looks. Neither knows processes, so that who asks may be in another container; over NFS and SMB,
 * where flock itself is a record lock of the server's, on another machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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
        struct flock sign = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        /* Refused where there is none to look for either, or flock is one itself. */
        fcntl(descriptor, F_OFD_SETLK, &sign);
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
    struct flock sign = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int descriptor = file_descriptor(path, O_RDONLY | O_NONBLOCK);
    if (descriptor < 0) {
        *known = errno == ENOENT;
        return false;
    }
    *known = fcntl(descriptor, F_OFD_GETLK, &sign) == 0;
    close(descriptor);
    return *known && sign.l_type != F_UNLCK;
}
