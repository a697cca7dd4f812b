/* SPDX-License-Identifier: Apache-2.0 */
#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

static pba_status io_error(const char *path, const char *what)
{
    pba_status status = errno == ENOENT ? PBA_NOT_FOUND : PBA_IO;
    return status_set(status, "%s: %s: %s", path, what, strerror(errno));
}

static pba_status too_long(const char *path)
{
    return status_set(PBA_USAGE, "%.100s...: the path is too long; %d bytes are possible", path,
                      PBA_PATH_MAX - 1);
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

static pba_status read_all(int descriptor, const char *path, char *data, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t more = read(descriptor, data + got, size - got);
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more < 0) {
            return io_error(path, "cannot be read");
        }
        if (more == 0) {
            return status_set(PBA_IO, "%s: became shorter while it was read", path);
        }
        got += (size_t)more;
    }
    return PBA_OK;
}

static pba_status read_open(int descriptor, const char *path, size_t limit, char **data,
                            size_t *size)
{
    struct stat info;
    if (fstat(descriptor, &info) != 0) {
        return io_error(path, "cannot be read");
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
    pba_status status = read_all(descriptor, path, *data, *size);
    if (status != PBA_OK) {
        free(*data);
        *data = NULL;
    }
    return status;
}

pba_status file_read(const char *path, size_t limit, char **data, size_t *size)
{
    /* O_NONBLOCK: a FIFO must be refused, not waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return io_error(path, "cannot be opened");
    }
    pba_status status = read_open(descriptor, path, limit, data, size);
    close(descriptor);
    return status;
}

static pba_status write_all(int descriptor, const char *path, const void *data, size_t size)
{
    const char *bytes = data;
    while (size) {
        ssize_t done = write(descriptor, bytes, size);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return io_error(path, "cannot be written");
        }
        bytes += done;
        size -= (size_t)done;
    }
    return PBA_OK;
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
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        return io_error(path, "its folder cannot be opened");
    }
    int code = fsync(descriptor);
    close(descriptor);
    return code == 0 ? PBA_OK : io_error(path, "its folder cannot be synced");
}

static pba_status write_temporary(const char *temporary, const char *path, const file_part *parts,
                                  size_t count)
{
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor < 0) {
        return io_error(path, "cannot be created");
    }
    pba_status status = PBA_OK;
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        status = write_all(descriptor, path, parts[i].data, parts[i].size);
    }
    if (status == PBA_OK && fsync(descriptor) != 0) {
        status = io_error(path, "cannot be synced");
    }
    if (close(descriptor) != 0 && status == PBA_OK) {
        status = io_error(path, "cannot be closed");
    }
    return status;
}

pba_status file_temporary(const char *path, char temporary[PBA_PATH_MAX])
{
    return snprintf(temporary, PBA_PATH_MAX, "%s.new", path) < PBA_PATH_MAX ? PBA_OK
                                                                            : too_long(path);
}

static pba_status take_place(const char *temporary, const char *path)
{
    if (rename(temporary, path) != 0) {
        pba_status status = io_error(path, "cannot be replaced");
        unlink(temporary);
        return status;
    }
    return sync_folder_of(path);
}

pba_status file_replace(const char *temporary, const char *path)
{
    int descriptor = open(temporary, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || fsync(descriptor) != 0) {
        pba_status status = io_error(path, "cannot be synced");
        if (descriptor >= 0) {
            close(descriptor);
        }
        unlink(temporary);
        return status;
    }
    close(descriptor);
    return take_place(temporary, path);
}

pba_status file_write_parts(const char *path, const file_part *parts, size_t count)
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
    return take_place(temporary, path);
}

pba_status file_write(const char *path, const void *data, size_t size)
{
    return file_write_parts(path, &(file_part){data, size}, 1);
}

pba_status file_append_open(const char *path, int *descriptor)
{
    *descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    return *descriptor >= 0 ? PBA_OK : io_error(path, "cannot be opened for writing");
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
    pba_status status = write_all(descriptor, path, line, length + 1);
    free(line);
    if (status == PBA_OK && fsync(descriptor) != 0) {
        status = io_error(path, "cannot be synced");
    }
    return status;
}

pba_status file_make_folder(const char *path)
{
    char part[PBA_PATH_MAX];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part) {
        return too_long(path);
    }
    for (char *slash = part + 1;; slash++) {
        if (*slash != '/' && *slash) {
            continue;
        }
        char held = *slash;
        *slash = 0;
        if (mkdir(part, 0777) != 0 && !(errno == EEXIST && file_is_folder(part))) {
            return io_error(part, "the folder cannot be created");
        }
        if (!held) {
            return PBA_OK;
        }
        *slash = held;
    }
}

pba_status file_join(char *out, const char *folder, const char *name)
{
    if (snprintf(out, PBA_PATH_MAX, "%s/%s", folder, name) >= PBA_PATH_MAX) {
        return too_long(folder);
    }
    return PBA_OK;
}
