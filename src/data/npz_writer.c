/* SPDX-License-Identifier: Apache-2.0
 * A zip archive (libarchive's, stored, Zip64 where it must be) of `.npy` members: numpy.lib.format
 * version 1.0. No times in it, so that the same arrays give the same bytes. */
#include "data/npz_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"

struct npz_writer {
    char path[PBA_PATH_MAX], temporary[PBA_PATH_MAX];
    struct archive *archive;
    int descriptor;
    uint64_t left; /* bytes of the array that was begun */
};

enum { PREFIX = 10, ALIGNMENT = 64, HEADER_MAX = 256 };

/* libarchive's numbers are those of errno, or less than 0. */
static pba_status failed(const npz_writer *writer)
{
    char what[256];
    const char *words = archive_error_string(writer->archive);
    snprintf(what, sizeof what, "cannot be written: %s",
             words ? words : "libarchive does not say why");
    errno = archive_errno(writer->archive);
    return errno > 0 ? file_error(writer->path, what)
                     : status_set(PBA_IO, "%s: %s", writer->path, what);
}

/* The file is opened here: libarchive 3.6 does not free all where it cannot open one itself. */
static pba_status open_archive(npz_writer *writer)
{
    writer->descriptor = file_descriptor(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (writer->descriptor < 0) {
        return file_error(writer->path, "cannot be created");
    }
    writer->archive = archive_write_new();
    if (!writer->archive) {
        return status_set(PBA_MEMORY, "%s: out of memory", writer->path);
    }
    bool open = archive_write_set_format_zip(writer->archive) == ARCHIVE_OK &&
                archive_write_zip_set_compression_store(writer->archive) == ARCHIVE_OK &&
                archive_write_open_fd(writer->archive, writer->descriptor) == ARCHIVE_OK;
    return open ? PBA_OK : failed(writer);
}

pba_status npz_writer_open(const char *path, npz_writer **result)
{
    npz_writer *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    snprintf(fresh->path, sizeof fresh->path, "%s", path);
    fresh->descriptor = -1;
    pba_status status = file_temporary(path, fresh->temporary);
    if (status == PBA_OK) {
        status = open_archive(fresh);
    }
    if (status != PBA_OK) {
        npz_writer_abandon(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

/* Magic, version, length, and a Python dictionary, padded so that the elements are aligned. */
static size_t make_header(const npz_array *array, char header[HEADER_MAX])
{
    char *text = header + PREFIX;
    size_t room = HEADER_MAX - PREFIX;
    size_t used = (size_t)snprintf(text, room, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                                   array->type);
    for (int i = 0; i < array->dimensions; i++) {
        used += (size_t)snprintf(text + used, room - used, "%zu%s", array->shape[i],
                                 array->dimensions == 1       ? ","
                                 : i == array->dimensions - 1 ? ""
                                                              : ", ");
    }
    used += (size_t)snprintf(text + used, room - used, "), }");
    while ((PREFIX + used + 1) % ALIGNMENT) {
        text[used++] = ' ';
    }
    text[used++] = '\n';
    memcpy(header, "\x93NUMPY\1", 7);
    header[7] = 0;
    header[8] = (char)(used & 0xff);
    header[9] = (char)(used >> 8);
    return PREFIX + used;
}

static pba_status write_bytes(npz_writer *writer, const void *data, size_t size)
{
    const char *bytes = data;
    while (size) {
        la_ssize_t done = archive_write_data(writer->archive, bytes, size);
        if (done <= 0) {
            return failed(writer);
        }
        bytes += done;
        size -= (size_t)done;
    }
    return PBA_OK;
}

static pba_status check_whole(const npz_writer *writer)
{
    return writer->left ? status_set(PBA_INTERNAL, "%s: an array lacks %llu bytes", writer->path,
                                     (unsigned long long)writer->left)
                        : PBA_OK;
}

pba_status npz_writer_begin(npz_writer *writer, const npz_array *array)
{
    char header[HEADER_MAX], name[PBA_NAME_MAX];
    pba_status status = check_whole(writer);
    uint64_t bytes = array->item;
    for (int i = 0; i < array->dimensions && status == PBA_OK; i++) {
        if (__builtin_mul_overflow(bytes, (uint64_t)array->shape[i], &bytes) ||
            bytes > INT64_MAX / 2) {
            status = status_set(PBA_USAGE, "%s: %s is too large", writer->path, array->name);
        }
    }
    if (status != PBA_OK) {
        return status;
    }
    size_t length = make_header(array, header);
    struct archive_entry *entry = archive_entry_new();
    if (!entry) {
        return status_set(PBA_MEMORY, "%s: out of memory", writer->path);
    }
    snprintf(name, sizeof name, "%s.npy", array->name);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (la_int64_t)(length + bytes));
    status = archive_write_header(writer->archive, entry) == ARCHIVE_OK ? PBA_OK : failed(writer);
    archive_entry_free(entry);
    writer->left = bytes;
    return status == PBA_OK ? write_bytes(writer, header, length) : status;
}

pba_status npz_writer_add(npz_writer *writer, const void *data, size_t size)
{
    if (size > writer->left) {
        return status_set(PBA_INTERNAL, "%s: an array has more bytes than its shape says",
                          writer->path);
    }
    writer->left -= size;
    return write_bytes(writer, data, size);
}

pba_status npz_writer_close(npz_writer *writer)
{
    pba_status status = check_whole(writer);
    if (status == PBA_OK && archive_write_close(writer->archive) != ARCHIVE_OK) {
        status = failed(writer);
    }
    if (status != PBA_OK) {
        npz_writer_abandon(writer);
        return status;
    }
    archive_write_free(writer->archive);
    status = file_close(writer->descriptor, writer->path);
    if (status == PBA_OK) {
        status = file_replace(writer->temporary, writer->path);
    } else {
        unlink(writer->temporary);
    }
    free(writer);
    return status;
}

void npz_writer_abandon(npz_writer *writer)
{
    if (writer) {
        archive_write_free(
            writer->archive); /* ends the archive; one that failed is not freed whole */
        if (writer->descriptor >= 0) {
            close(writer->descriptor);
            unlink(writer->temporary);
        }
        free(writer);
    }
}
