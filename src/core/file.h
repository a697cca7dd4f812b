/* SPDX-License-Identifier: Apache-2.0
 * Files whole or not at all. Every function names the path in its message. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include "core/status.h"

/* The whole file, a 0 byte behind it (not counted), for free(). Refuses more than `limit` bytes. */
pba_status file_read(const char *path, size_t limit, char **data, size_t *size);

/* What errno says of a call on the path, and the remedy: PBA_NOT_FOUND or PBA_IO. */
pba_status file_error(const char *path, const char *what);
/* The first bytes of a file, `size` or as many as it has; a FIFO is not waited for. */
pba_status file_read_start(const char *path, void *data, size_t size, size_t *got);

/* What is open already: the next `size` bytes, all of them. PBA_IO where it ends before. */
pba_status file_read_bytes(int descriptor, const char *path, void *data, size_t size);

/* write(2) of all the bytes. False, with errno: some are missing. */
bool file_write_bytes(int descriptor, const void *data, size_t size);

/* One part of a file that is written from several places. */
typedef struct file_part {
    const void *data;
    size_t size;
} file_part;

/* Temporary name, fsync, rename, fsync of the folder: after a crash the old content or the new one
 * is there, never a mixture. */
pba_status file_write(const char *path, const void *data, size_t size);
pba_status file_write_parts(const char *path, const file_part *parts, size_t count);
/* The file that was there gets the name `before` (NULL: it is gone). After a crash one of the two
 * is there under its name, whole. */
pba_status file_write_keeping(const char *path, const char *before, const file_part *parts,
                              size_t count);

/* For a file that another library writes: it writes to a temporary name beside `path`, which then
 * takes the place of `path`, synced (or is removed, after a failure). All that writes whole files
 * comes through the first: it refuses a path at which a device, a FIFO or a folder is. */
pba_status file_temporary(const char *path, char temporary[PBA_PATH_MAX]);
pba_status file_replace(const char *temporary, const char *path);

/* Appends `text` and a newline, then fsync; or bytes, without. `descriptor` from
 * file_append_open. */
pba_status file_append_open(const char *path, int *descriptor);
pba_status file_append(int descriptor, const char *path, const char *text);
pba_status file_append_bytes(int descriptor, const char *path, const void *data, size_t size);

/* close(2) of a file that was written: what could not be written may be told only then. */
pba_status file_close(int descriptor, const char *path);

/* Cuts off what is behind `size` bytes, then fsync. */
pba_status file_cut(int descriptor, const char *path, size_t size);

/* open(2) that a signal does not keep from opening; closed in children of exec. */
int file_descriptor(const char *path, int flags);

pba_status file_check_path(const char *path); /* PBA_USAGE where it is too long */
bool file_exists(const char *path);
bool file_is_folder(const char *path);

/* held.c: keeps other processes out, by flock, until the descriptor is closed (or the process ends,
 * however it does). PBA_EXISTS where another one is in there. */
pba_status file_hold(int descriptor, const char *path);

/* Whether a process holds the file by file_hold, in this container or another one; asked without
 * locking, so that nobody is kept from it by the question. `known` false: the system does not tell.
 */
bool file_is_held(const char *path, bool *known);

/* Creates the folder and its parents, synced. Existing ones are fine; "" is PBA_USAGE. */
pba_status file_make_folder(const char *path);

/* realpath(3) in place or into another buffer; no memory is asked for. */
pba_status file_full_path(const char *path, char full[PBA_PATH_MAX]);

/* folder + "/" + name, into a buffer of PBA_PATH_MAX bytes; PBA_USAGE where it does not fit. */
pba_status file_join(char *out, const char *folder, const char *name);

#endif
