/* SPDX-License-Identifier: Apache-2.0 */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

pba_status file_error(const char *path, const char *what)
{
    pba_status status = errno == ENOENT ? PBA_NOT_FOUND : PBA_IO;
    const char *remedy = errno == ENOSPC || errno == EDQUOT ? "; make room there"
                         : errno == EFBIG                   ? "; allow larger files (ulimit -f)"
                                                            : "";
    return status_set(status, "%s: %s: %s%s", path, what, strerror(errno), remedy);
}

static pba_status too_long(const char *path)
{
    return status_set(PBA_USAGE, "%.100s...: the path is too long; %d bytes are possible", path,
                      PBA_PATH_MAX - 1);
}

pba_status file_check_path(const char *path)
{
    return strlen(path) < PBA_PATH_MAX ? PBA_OK : too_long(path);
}

bool file_exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int file_descriptor(const char *path, int flags)
{
    int descriptor;
    do {
        descriptor = open(path, flags | O_CLOEXEC, 0666);
    } while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static int sync_descriptor(int descriptor)
{
    int code;
    do {
        code = fsync(descriptor);
    } while (code != 0 && errno == EINTR);
    return code;
}

/* Interrupted, it is closed nevertheless. */
static int close_written(int descriptor)
{
    return close(descriptor) == 0 || errno == EINTR ? 0 : -1;
}

static pba_status read_some(int descriptor, const char *path, void *data, size_t size, size_t *got)
{
    char *bytes = data;
    for (*got = 0; *got < size;) {
        ssize_t more = read(descriptor, bytes + *got, size - *got);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more < 0) {
            return file_error(path, "cannot be read");
        }
        if (more == 0) {
            break;
        }
        *got += (size_t)more;
    }
    return PBA_OK;
}

pba_status file_read_bytes(int descriptor, const char *path, void *data, size_t size)
{
    size_t got;
    pba_status status = read_some(descriptor, path, data, size, &got);
    return status == PBA_OK && got < size
               ? status_set(PBA_IO, "%s: became shorter while it was read", path)
               : status;
}

static pba_status read_open(int descriptor, const char *path, size_t limit, char **data,
                            size_t *size)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0) {
        return file_error(path, "cannot be read");
    }
    if (!S_ISREG(info.st_mode)) {
        return status_set(PBA_IO, "%s: is not a plain file", path);
    }
    if ((uint64_t)info.st_size > limit) {
        return status_set(PBA_FORMAT, "%s: %lld bytes are more than the %zu expected at most", path,
                          (long long)info.st_size, limit);
    }
    *size = (size_t)info.st_size;
    *data = memory_new(*size + 1, 1);
    if (!*data) {
        return PBA_MEMORY;
    }
    pba_status status = file_read_bytes(descriptor, path, *data, *size);
    if (status != PBA_OK) {
        free(*data);
        *data = NULL;
    }
    return status;
}

/* O_NONBLOCK: a FIFO must be refused, not waited for. */
static pba_status open_to_read(const char *path, int *descriptor)
{
    *descriptor = file_descriptor(path, O_RDONLY | O_NONBLOCK);
    return *descriptor >= 0 ? PBA_OK : file_error(path, "cannot be opened");
}

pba_status file_read(const char *path, size_t limit, char **data, size_t *size)
{
    int descriptor;
    pba_status status = file_check_path(path);
    if (status == PBA_OK) {
        status = open_to_read(path, &descriptor);
    }
    if (status == PBA_OK) {
        status = read_open(descriptor, path, limit, data, size);
        close(descriptor);
    }
    return status;
}

pba_status file_read_start(const char *path, void *data, size_t size, size_t *got)
{
    int descriptor;
    *got = 0;
    pba_status status = open_to_read(path, &descriptor);
    if (status == PBA_OK) {
        status = read_some(descriptor, path, data, size, got);
        close(descriptor);
    }
    return status;
}

bool file_write_bytes(int descriptor, const void *data, size_t size)
{
    for (const char *bytes = data; size;) {
        ssize_t done = write(descriptor, bytes, size);
        if (done < 0 && errno != EINTR) {
            return false;
        }
        bytes += done < 0 ? 0 : done;
        size -= done < 0 ? 0 : (size_t)done;
    }
    return true;
}

pba_status file_append_bytes(int descriptor, const char *path, const void *data, size_t size)
{
    return file_write_bytes(descriptor, data, size) ? PBA_OK
                                                    : file_error(path, "cannot be written");
}

static pba_status sync_folder_of(const char *path)
{
    char folder[PBA_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash == folder) {
        slash[1] = 0;
    } else if (slash) {
        *slash = 0;
    }
    int descriptor = file_descriptor(slash ? folder : ".", O_RDONLY | O_DIRECTORY);
    if (descriptor < 0) { /* EACCES: a folder that may be written, but not read */
        return errno == EACCES ? PBA_OK : file_error(path, "its folder cannot be opened");
    }
    /* EINVAL: a file system that does not sync folders. */
    bool synced = sync_descriptor(descriptor) == 0 || errno == EINVAL;
    pba_status status = synced ? PBA_OK : file_error(path, "its folder cannot be synced");
    close(descriptor);
    return status;
}

static pba_status write_temporary(const char *temporary, const char *path, const file_part *parts,
                                  size_t count)
{
    int descriptor = file_descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (descriptor < 0) {
        return file_error(path, "cannot be created");
    }
    pba_status status = PBA_OK;
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        status = file_append_bytes(descriptor, path, parts[i].data, parts[i].size);
    }
    if (status == PBA_OK && sync_descriptor(descriptor) != 0) {
        status = file_error(path, "cannot be synced");
    }
    if (close_written(descriptor) != 0 && status == PBA_OK) {
        status = file_error(path, "cannot be closed");
    }
    return status;
}

pba_status file_temporary(const char *path, char temporary[PBA_PATH_MAX])
{
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return status_set(
            PBA_IO, "%s: is no plain file, and nothing else is replaced; give another path", path);
    }
    return snprintf(temporary, PBA_PATH_MAX, "%s.new", path) < PBA_PATH_MAX ? PBA_OK
                                                                            : too_long(path);
}

static pba_status take_place(const char *temporary, const char *path, const char *before)
{
    bool kept = !before || rename(path, before) == 0 || errno == ENOENT;
    if (!kept || rename(temporary, path) != 0) {
        pba_status status = file_error(kept ? path : before, "cannot be replaced");
        unlink(temporary);
        return status;
    }
    return sync_folder_of(path);
}

pba_status file_replace(const char *temporary, const char *path)
{
    int descriptor = file_descriptor(temporary, O_RDONLY);
    if (descriptor < 0 || sync_descriptor(descriptor) != 0) {
        pba_status status = file_error(path, "cannot be synced");
        if (descriptor >= 0) {
            close(descriptor);
        }
        unlink(temporary);
        return status;
    }
    close(descriptor);
    return take_place(temporary, path, NULL);
}

pba_status file_write_keeping(const char *path, const char *before, const file_part *parts,
                              size_t count)
{
    char temporary[PBA_PATH_MAX];
    pba_status status = file_temporary(path, temporary);
    if (status != PBA_OK) {
        return status;
    }
    status = write_temporary(temporary, path, parts, count);
    if (status != PBA_OK) {
        unlink(temporary);
        return status;
    }
    return take_place(temporary, path, before);
}

pba_status file_write_parts(const char *path, const file_part *parts, size_t count)
{
    return file_write_keeping(path, NULL, parts, count);
}

pba_status file_write(const char *path, const void *data, size_t size)
{
    return file_write_parts(path, &(file_part){data, size}, 1);
}

pba_status file_append_open(const char *path, int *descriptor)
{
    *descriptor = file_descriptor(path, O_WRONLY | O_CREAT | O_APPEND);
    return *descriptor >= 0 ? PBA_OK : file_error(path, "cannot be opened for writing");
}

pba_status file_close(int descriptor, const char *path)
{
    return close_written(descriptor) == 0 ? PBA_OK : file_error(path, "cannot be closed");
}

pba_status file_append(int descriptor, const char *path, const char *text)
{
    size_t length = strlen(text);
    char *line = memory_new(length + 2, 1);
    if (!line) {
        return PBA_MEMORY;
    }
    memcpy(line, text, length);
    line[length] = '\n';
    pba_status status = file_append_bytes(descriptor, path, line, length + 1);
    free(line);
    if (status == PBA_OK && sync_descriptor(descriptor) != 0) {
        status = file_error(path, "cannot be synced");
    }
    return status;
}

pba_status file_cut(int descriptor, const char *path, size_t size)
{
    int code;
    do {
        code = ftruncate(descriptor, (off_t)size);
    } while (code != 0 && errno == EINTR);
    return code == 0 && sync_descriptor(descriptor) == 0
               ? PBA_OK
               : file_error(path, "its end cannot be cut off");
}

pba_status file_make_folder(const char *path)
{
    char part[PBA_PATH_MAX];
    if (!path[0]) {
        return status_set(PBA_USAGE, "a folder to be created has no name; give its path");
    }
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        return too_long(path);
    }
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash) {
            continue;
        }
        char held = *slash;
        *slash = 0;
        bool made = mkdir(part, 0777) == 0;
        if (!made && !(errno == EEXIST && file_is_folder(part))) {
            return file_error(part, "the folder cannot be created");
        }
        pba_status status = made ? sync_folder_of(part) : PBA_OK;
        if (status != PBA_OK || !held) {
            return status;
        }
        *slash = held;
    }
}

pba_status file_full_path(const char *path, char full[PBA_PATH_MAX])
{
    char found[PATH_MAX];
    if (!realpath(path, found)) {
        return file_error(path, "its full path cannot be told");
    }
    if (strlen(found) >= PBA_PATH_MAX) {
        return too_long(found);
    }
    memcpy(full, found, strlen(found) + 1);
    return PBA_OK;
}

pba_status file_join(char *out, const char *folder, const char *name)
{
    if (snprintf(out, PBA_PATH_MAX, "%s/%s", folder, name) >= PBA_PATH_MAX) {
        return too_long(folder);
    }
    return PBA_OK;
}
