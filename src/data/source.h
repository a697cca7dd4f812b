/* SPDX-License-Identifier: Apache-2.0
 * Where a data set's files lie: a folder, a single file, or an archive that was read into memory.
 * Formats read through this alone, so that each of them works on an unopened archive too.
 *
 * Names are relative, with '/' between folders: "train/Apple/1.jpg". One that is absolute, empty or
 * has a part "." or ".." names nothing. Links in a folder on disk are followed: it is the user's
 * own; one that leads nowhere is listed as a file, but not held. Whatever is neither a regular file
 * nor a folder (FIFOs, devices) is not there. */
#ifndef DATA_SOURCE_H
#define DATA_SOURCE_H

#include "core/status.h"

typedef struct data_source data_source;

/* A folder or a single file, as it stands: reads nothing. A path where neither lies ("demo") gives
 * a source that holds nothing. */
pba_status data_source_open(const char *path, data_source **source);

/* An archive: its regular files, read into memory, at most as much as the process may use. Names
 * are normalized; folders that all entries share are taken off their front; absolute names, "..",
 * links and devices are left out, which the notes tell; hidden files are left out silently. Runs
 * libarchive: only in a child (core/child.h). */
pba_status data_source_open_archive(const char *path, const pba_dataset_options *options,
                                    data_source **source);
/* The same for zip archives alone (an .npz), on disk and in memory: there `path` is what messages
 * call it. */
pba_status data_source_open_zip(const char *path, const pba_dataset_options *options,
                                data_source **source);
pba_status data_source_open_zip_memory(const char *path, const void *data, size_t size,
                                       const pba_dataset_options *options, data_source **source);
bool data_source_is_archive(const char *path); /* by magic bytes, without libarchive */

void data_source_free(data_source *source);

/* The path that the user gave, and what is to be said about what it holds ("" for nothing). */
const char *data_source_path(const data_source *source);
const char *data_source_notes(const data_source *source);

/* For messages: "PATH/name", "PATH" of a single file, "ARCHIVE: name". */
void data_source_describe(const data_source *source, const char *name, char text[PBA_PATH_MAX]);

bool data_source_holds(const data_source *source, const char *name);        /* a regular file */
bool data_source_holds_folder(const data_source *source, const char *name); /* "" is the top */

/* The error, and why, for a name that is not held. */
pba_status data_source_absent(const data_source *source, const char *name);

/* The whole file and a 0 byte behind it, freed by the caller. PBA_UNSUPPORTED: longer than limit.
 */
pba_status data_source_read(const data_source *source, const char *name, size_t limit, char **data,
                            size_t *size);

/* Without a copy: the bytes of a file of a source in memory, as long as the source lives; NULL for
 * those on disk, for which the other gives the path. */
const char *data_source_view(const data_source *source, const char *name, size_t *size);
bool data_source_on_disk(const data_source *source, const char *name, char path[PBA_PATH_MAX]);

/* What lies directly in a folder ("" is the top), sorted bytewise, hidden names left out; folders
 * end with '/'. A single file lists itself. Freed by data_source_names_free. */
typedef struct data_source_names {
    char **names;
    int count;
} data_source_names;
pba_status data_source_list(const data_source *source, const char *folder,
                            data_source_names *names);
void data_source_names_free(data_source_names *names);

/* PBA_MEMORY where any listing of this source failed for want of memory: then what was answered by
 * yes or no since, from listings, is not to be relied on. */
pba_status data_source_check(const data_source *source);

/* For readers of archives: an empty source in memory; files for it (data comes from malloc with a 0
 * byte behind `size` and belongs to the source afterwards, even on failure); then what the files
 * share is taken off and, where a name came twice, the later file stays, as in a tar archive. */
pba_status data_source_create(const char *path, data_source **source);
pba_status data_source_add(data_source *source, const char *name, char *data, size_t size);
void data_source_settle(data_source *source);
void data_source_note(data_source *source, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool data_source_is_name(const char *name); /* well-formed, as said above */

#endif
