/* SPDX-License-Identifier: Apache-2.0
 * Sources on disk, and what every source has in common; those in memory are in
 * source_memory.c. */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/note.h"
#include "core/printable.h"
#include "core/threads.h"
#include "data/source_memory.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static pba_status create(const char *path, data_source_kind kind, data_source **source)
{
    *source = NULL;
    data_source *fresh = memory_new(1, sizeof *fresh);
    char *copy = memory_text(path);
    if (!fresh || !copy) {
        free(fresh);
        free(copy);
        return PBA_MEMORY;
    }
    fresh->path = copy;
    fresh->kind = kind;
    *source = fresh;
    return PBA_OK;
}

pba_status data_source_open(const char *path, data_source **source)
{
    data_source_kind kind = file_is_folder(path) ? SOURCE_FOLDER
                            : is_file(path)      ? SOURCE_FILE
                                                 : SOURCE_NOTHING;
    return create(path, kind, source);
}

pba_status data_source_create(const char *path, data_source **source)
{
    return create(path, SOURCE_MEMORY, source);
}

void data_source_free(data_source *source)
{
    if (source) {
        source_memory_free(source);
        free(source->path);
        free(source);
    }
}

const char *data_source_path(const data_source *source)
{
    return source->path;
}

const char *data_source_notes(const data_source *source)
{
    return source->notes;
}

void data_source_note(data_source *source, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_add(source->notes, sizeof source->notes, format, arguments);
    va_end(arguments);
}

void data_source_describe(const data_source *source, const char *name, char text[PBA_PATH_MAX])
{
    if (!*name || source->kind == SOURCE_FILE || source->kind == SOURCE_NOTHING) {
        snprintf(text, PBA_PATH_MAX, "%s", source->path);
    } else {
        snprintf(text, PBA_PATH_MAX, "%s%s%s", source->path,
                 source->kind == SOURCE_MEMORY ? ": " : "/", name);
    }
    printable_make(text);
}

bool data_source_is_name(const char *name)
{
    for (const char *part = name;; part++) {
        size_t length = strcspn(part, "/");
        if (length == 0 || (length <= 2 && strncmp(part, "..", length) == 0)) {
            return false;
        }
        part += length;
        if (!*part) {
            return true;
        }
    }
}

/* The path on disk of a name in a folder or of the single file; false where there is none. */
static bool place(const data_source *source, const char *name, char path[PBA_PATH_MAX])
{
    if (source->kind == SOURCE_FILE) {
        return strcmp(name, base_name(source->path)) == 0 &&
               snprintf(path, PBA_PATH_MAX, "%s", source->path) < PBA_PATH_MAX;
    }
    if (source->kind != SOURCE_FOLDER) {
        return false;
    }
    if (!*name) {
        return snprintf(path, PBA_PATH_MAX, "%s", source->path) < PBA_PATH_MAX;
    }
    return data_source_is_name(name) &&
           snprintf(path, PBA_PATH_MAX, "%s/%s", source->path, name) < PBA_PATH_MAX;
}

bool data_source_on_disk(const data_source *source, const char *name, char path[PBA_PATH_MAX])
{
    return place(source, name, path) && is_file(path);
}

bool data_source_holds(const data_source *source, const char *name)
{
    char path[PBA_PATH_MAX];
    return source->kind == SOURCE_MEMORY ? source_memory_find(source, name) != NULL
                                         : data_source_on_disk(source, name, path);
}

bool data_source_holds_folder(const data_source *source, const char *name)
{
    char path[PBA_PATH_MAX];
    return source->kind == SOURCE_MEMORY ? source_memory_holds_folder(source, name)
                                         : place(source, name, path) && file_is_folder(path);
}

const char *data_source_view(const data_source *source, const char *name, size_t *size)
{
    const source_entry *entry =
        source->kind == SOURCE_MEMORY ? source_memory_find(source, name) : NULL;
    *size = entry ? entry->size : 0;
    return entry ? entry->data : NULL;
}

/* Why a listed name of a folder on disk cannot be looked at. */
static pba_status unseen(const char *path, const char *described)
{
    struct stat info;
    bool link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    if (stat(path, &info) == 0 || (!link && errno == ENOENT)) {
        return status_set(PBA_NOT_FOUND, "%s: there is no such file", described);
    }
    return errno == ENOENT
               ? status_set(PBA_NOT_FOUND,
                            "%s: is a link to what is not there; fetch that, or remove the link",
                            described)
               : status_set(PBA_IO, "%s: cannot be looked at: %s", described, strerror(errno));
}

pba_status data_source_absent(const data_source *source, const char *name)
{
    char path[PBA_PATH_MAX], described[PBA_PATH_MAX];
    data_source_describe(source, name, described);
    if (source->kind != SOURCE_FOLDER || !data_source_is_name(name)) {
        return status_set(PBA_NOT_FOUND, "%s: there is no such file", described);
    }
    return place(source, name, path)
               ? unseen(path, described)
               : status_set(PBA_UNSUPPORTED, "%s: the path is too long; %d bytes are possible",
                            described, PBA_PATH_MAX - 1);
}

static pba_status check_limit(const char *path, uint64_t size, size_t limit)
{
    return size <= limit
               ? PBA_OK
               : status_set(PBA_UNSUPPORTED, "%s: %llu bytes are more than the %zu read at most",
                            path, (unsigned long long)size, limit);
}

static pba_status read_disk(const char *path, size_t limit, char **data, size_t *size)
{
    struct stat info = {0};
    pba_status status = PBA_OK;
    if (stat(path, &info) == 0) {
        status = check_limit(path, (uint64_t)info.st_size, limit);
    }
    if (status == PBA_OK && threads_memory_check((uint64_t)info.st_size) != PBA_OK) {
        status = status_prefix(PBA_MEMORY, "%s", path);
    }
    return status == PBA_OK ? file_read(path, limit, data, size) : status;
}

static pba_status read_memory(const source_entry *entry, const char *described, size_t limit,
                              char **data, size_t *size)
{
    pba_status status = check_limit(described, entry->size, limit);
    if (status != PBA_OK) {
        return status;
    }
    *data = memory_new(entry->size + 1, 1);
    if (!*data) {
        return PBA_MEMORY;
    }
    memcpy(*data, entry->data, entry->size);
    *size = entry->size;
    return PBA_OK;
}

pba_status data_source_read(const data_source *source, const char *name, size_t limit, char **data,
                            size_t *size)
{
    char path[PBA_PATH_MAX], described[PBA_PATH_MAX];
    *data = NULL;
    *size = 0;
    data_source_describe(source, name, described);
    if (!data_source_holds(source, name)) {
        return data_source_absent(source, name);
    }
    if (source->kind == SOURCE_MEMORY) {
        return read_memory(source_memory_find(source, name), described, limit, data, size);
    }
    return place(source, name, path)
               ? read_disk(path, limit, data, size)
               : status_set(PBA_UNSUPPORTED, "%s: the path is too long", described);
}

pba_status source_names_add(data_source_names *names, const char *name, size_t length, bool folder)
{
    bool full = (names->count & (names->count - 1)) == 0; /* 0, 1, 2, 4 ...: doubled there */
    if (full) {
        size_t room = names->count ? 2 * (size_t)names->count : 1;
        char **grown = memory_grow(names->names, room, sizeof *grown);
        if (!grown) {
            return PBA_MEMORY;
        }
        names->names = grown;
    }
    char *copy = memory_new(length + 2, 1);
    if (!copy) {
        return PBA_MEMORY;
    }
    memcpy(copy, name, length);
    copy[length] = folder ? '/' : 0;
    names->names[names->count++] = copy;
    return PBA_OK;
}

static int bytewise(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What cannot be looked at is listed as a file, so that whoever reads it is told. */
static pba_status list_entry(const char *folder, const char *name, data_source_names *names)
{
    char path[PBA_PATH_MAX];
    struct stat info;
    bool seen = snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
                stat(path, &info) == 0;
    if (name[0] == '.' || (seen && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))) {
        return PBA_OK;
    }
    return source_names_add(names, name, strlen(name), seen && S_ISDIR(info.st_mode));
}

static pba_status list_disk(const char *folder, data_source_names *names)
{
    DIR *listing = opendir(folder);
    if (!listing) {
        return status_set(PBA_IO, "%s: cannot be listed: %s", folder, strerror(errno));
    }
    pba_status status = PBA_OK;
    for (struct dirent *entry; status == PBA_OK && (errno = 0, entry = readdir(listing));) {
        status = list_entry(folder, entry->d_name, names);
    }
    if (status == PBA_OK && errno) {
        status = status_set(PBA_IO, "%s: cannot be listed to its end: %s", folder, strerror(errno));
    }
    closedir(listing);
    if (names->count) {
        qsort(names->names, (size_t)names->count, sizeof *names->names, bytewise);
    }
    return status;
}

pba_status data_source_list(const data_source *source, const char *folder, data_source_names *names)
{
    char path[PBA_PATH_MAX];
    *names = (data_source_names){0};
    pba_status status;
    if (source->kind == SOURCE_FILE && !*folder) {
        const char *name = base_name(source->path);
        status = source_names_add(names, name, strlen(name), false);
    } else if (!data_source_holds_folder(source, folder)) {
        data_source_describe(source, folder, path);
        status = status_set(PBA_NOT_FOUND, "%s: there is no such folder", path);
    } else if (source->kind == SOURCE_MEMORY) {
        status = source_memory_list(source, folder, names);
    } else {
        status = place(source, folder, path)
                     ? list_disk(path, names)
                     : status_set(PBA_UNSUPPORTED, "%s: the path is too long", source->path);
    }
    if (status != PBA_OK) {
        data_source_names_free(names);
    }
    if (status == PBA_MEMORY) {
        ((data_source *)source)->starved = true; /* a mark, no content */
    }
    return status;
}

pba_status data_source_check(const data_source *source)
{
    return source->starved ? status_set(PBA_MEMORY, "%s: out of memory while its files were listed",
                                        source->path)
                           : PBA_OK;
}

void data_source_names_free(data_source_names *names)
{
    for (int i = 0; i < names->count; i++) {
        free(names->names[i]);
    }
    free(names->names);
    *names = (data_source_names){0};
}
