/* SPDX-License-Identifier: Apache-2.0
 * Archives through libarchive, into a source in memory: tar (plain, gzip, bzip2, xz), zip, and the
 * zip that an .npz is. Nothing is ever written to disk. Every name in an archive comes from a
 * stranger; every size in it may be a lie, so that only what was really inflated counts. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/threads.h"
#include "data/format.h"

enum {
    ENTRIES_MAX = 4000000,
    ENTRY_BYTES = 256, /* what an entry costs beside its content */
    BLOCK = 1 << 18,
    PIECE = 1 << 16,
    MAGIC = 512,
    EXPLANATION = 256
};

/* Images compress a few times, seldom a hundred times; what was made to fill the memory of whoever
 * opens it, a thousand times and more. Small archives may do as they like. */
enum { RATIO_MAX = 200, SMALL = 256 << 20 };

/* What is left out, to be noted. */
typedef struct left_out {
    int names, links, others;
} left_out;

typedef struct reading {
    struct archive *archive;
    data_source *source;
    const pba_dataset_options *options; /* for progress */
    uint64_t packed, bytes, limit;      /* size of the archive; inflated so far; at most */
    left_out left_out;
} reading;

bool data_source_is_archive(const char *path)
{
    static const struct {
        size_t offset, size;
        const char *bytes;
    } magics[] = {{0, 2, "\x1f\x8b"}, {0, 3, "BZh"},    {0, 6, "\3757zXZ\0"},
                  {0, 4, "PK\3\4"},   {0, 4, "PK\5\6"}, {257, 5, "ustar"}};
    char start[MAGIC] = "";
    size_t got;
    file_read_start(path, start, sizeof start, &got); /* what cannot be read is none */
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        if (got >= magics[i].offset + magics[i].size &&
            memcmp(start + magics[i].offset, magics[i].bytes, magics[i].size) == 0) {
            return true;
        }
    }
    return false;
}

/* -------------------------------------------------------------------- names */

/* "./a//b" -> "a/b", in place. Absolute names and those with ".." are no names afterwards. */
static void normalize(char *name)
{
    char *out = name;
    for (char *part = name; *part;) {
        size_t length = strcspn(part, "/");
        bool empty = (length == 0 && part != name) || (length == 1 && part[0] == '.');
        if (!empty) {
            memmove(out, part, length);
            out += length;
        }
        part += length;
        if (*part == '/') {
            part++;
            if (!empty && *part) {
                *out++ = '/';
            }
        }
    }
    *out = 0;
}

/* Hidden files, and the folder in which macOS keeps its own. */
static bool is_hidden(const char *name)
{
    return name[0] == '.' || strstr(name, "/.") || strncmp(name, "__MACOSX/", 9) == 0;
}

/* ------------------------------------------------------------------ entries */

/* libarchive's words, some of which end with a newline; `otherwise` where it has none. */
static void explain(const reading *reading, const char *otherwise, char text[EXPLANATION])
{
    const char *words = archive_error_string(reading->archive);
    words = words ? words : otherwise;
    snprintf(text, EXPLANATION, "%.*s", (int)strcspn(words, "\r\n"), words);
}

static pba_status damaged(const reading *reading)
{
    char why[EXPLANATION];
    explain(reading, "is damaged", why);
    return status_set(PBA_FORMAT, "%s: %s; fetch it again", data_source_path(reading->source), why);
}

static pba_status no_archive(const reading *reading)
{
    char why[EXPLANATION];
    explain(reading, "no entry", why);
    return status_set(
        PBA_FORMAT,
        "%s: holds no tar or zip archive, or a damaged one (%s); of a compressed file "
        "give the folder in which it lies",
        data_source_path(reading->source), why);
}

/* More bytes were inflated. */
static pba_status count_bytes(reading *reading, size_t more)
{
    const char *path = data_source_path(reading->source);
    reading->bytes += more;
    if (reading->bytes > SMALL && reading->bytes / RATIO_MAX > reading->packed) {
        return status_set(PBA_FORMAT,
                          "%s: inflates to more than %d times its size, as if made to do harm; "
                          "unpack it and give the folder if you trust it",
                          path, RATIO_MAX);
    }
    if (reading->bytes > reading->limit) {
        return status_set(PBA_MEMORY,
                          "%s: inflates to more than the %llu MB that there is room for; unpack it "
                          "and give the folder",
                          path, (unsigned long long)(reading->limit / 1000000));
    }
    return data_progress(reading->options, "MB unpacked", (int64_t)(reading->bytes / 1000000), 0);
}

/* Room for `size` bytes and the 0 behind them. */
static pba_status grow(char **data, size_t *room, size_t size)
{
    if (size < *room) {
        return PBA_OK;
    }
    size_t wanted = 2 * *room > size + 1 ? 2 * *room : size + 1;
    char *grown = memory_grow(*data, wanted, 1);
    if (!grown) {
        return PBA_MEMORY;
    }
    *data = grown;
    *room = wanted;
    return PBA_OK;
}

/* The claimed size is a first guess, believed up to a piece. */
static pba_status read_pieces(reading *reading, size_t claimed, char **data, size_t *size)
{
    size_t room = 0;
    pba_status status = grow(data, &room, claimed < PIECE ? claimed : PIECE);
    while (status == PBA_OK) {
        la_ssize_t more = archive_read_data(reading->archive, *data + *size, room - *size - 1);
        if (more <= 0) {
            return more < 0 ? damaged(reading) : PBA_OK;
        }
        *size += (size_t)more;
        status = count_bytes(reading, (size_t)more);
        if (status == PBA_OK) {
            status = grow(data, &room, *size + 1);
        }
    }
    return status;
}

static pba_status read_data(reading *reading, struct archive_entry *entry, char **data,
                            size_t *size)
{
    int64_t claimed = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : PIECE;
    *size = 0;
    pba_status status = read_pieces(reading, claimed > 0 ? (size_t)claimed : 0, data, size);
    char *fitted = status == PBA_OK ? memory_grow(*data, *size + 1, 1) : NULL;
    if (fitted) {
        fitted[*size] = 0;
        *data = fitted;
        return PBA_OK;
    }
    free(*data);
    return status == PBA_OK ? PBA_MEMORY : status;
}

/* Regular files with a proper name are wanted; the rest is counted. */
static bool is_wanted(reading *reading, struct archive_entry *entry, const char *name)
{
    bool link = archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK;
    if (archive_entry_filetype(entry) == AE_IFDIR) {
        return false;
    }
    if (!data_source_is_name(name)) {
        reading->left_out.names++;
    } else if (is_hidden(name)) {
        return false;
    } else if (link) {
        reading->left_out.links++;
    } else if (archive_entry_filetype(entry) != AE_IFREG) {
        reading->left_out.others++;
    } else {
        return true;
    }
    return false;
}

static const char *name_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? name : archive_entry_pathname_utf8(entry);
}

static pba_status read_entry(reading *reading, struct archive_entry *entry)
{
    const char *given = name_of(entry);
    char *name = memory_text(given ? given : ""), *data = NULL;
    if (!name) {
        return PBA_MEMORY;
    }
    normalize(name);
    pba_status status = PBA_OK;
    size_t size;
    if (is_wanted(reading, entry, name)) {
        status = read_data(reading, entry, &data, &size);
        if (status == PBA_OK) {
            status = data_source_add(reading->source, name, data, size);
        }
        if (status == PBA_OK) {
            status = count_bytes(reading, strlen(name) + ENTRY_BYTES);
        }
    }
    free(name);
    return status;
}

static pba_status read_entries(reading *reading)
{
    for (int entries = 0;; entries++) {
        struct archive_entry *entry;
        int code = archive_read_next_header(reading->archive, &entry);
        if (code == ARCHIVE_EOF) {
            return PBA_OK;
        }
        if (entries == ENTRIES_MAX) {
            return status_set(PBA_UNSUPPORTED, "%s: holds more than %d entries; unpack it",
                              data_source_path(reading->source), ENTRIES_MAX);
        }
        if (code == ARCHIVE_RETRY) {
            continue;
        }
        if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
            return entries ? damaged(reading) : no_archive(reading);
        }
        pba_status status = read_entry(reading, entry);
        if (status != PBA_OK) {
            return status;
        }
    }
}

static void note_left_out(data_source *source, const left_out *left_out)
{
    const struct {
        int count;
        const char *what;
    } rows[] = {{left_out->names, "with an absolute name, .. or none"},
                {left_out->links, "that are links"},
                {left_out->others, "that are no plain files"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count) {
            data_source_note(source, "left out %d entries %s", rows[i].count, rows[i].what);
        }
    }
}

/* ------------------------------------------------------------------ archive */

typedef enum accepted { ACCEPT_ALL, ACCEPT_ZIP } accepted;

/* Formats and filters by name: no programs are run, and what nobody sends is not parsed. */
static struct archive *create(accepted accepted)
{
    struct archive *archive = archive_read_new();
    bool ready = archive && archive_read_support_format_zip(archive) == ARCHIVE_OK;
    if (ready && accepted == ACCEPT_ALL) {
        ready = archive_read_support_format_tar(archive) == ARCHIVE_OK &&
                archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
                archive_read_support_filter_bzip2(archive) == ARCHIVE_OK &&
                archive_read_support_filter_xz(archive) == ARCHIVE_OK;
    }
    if (!ready) {
        archive_read_free(archive);
        status_set(PBA_UNSUPPORTED, "libarchive cannot read tar and zip archives");
        return NULL;
    }
    return archive;
}

/* Two thirds of what is free: a format's own copies need room beside it. */
static uint64_t byte_limit(void)
{
    int64_t room = threads_memory_limit() - threads_memory_used();
    return room > 0 ? (uint64_t)room / 3 * 2 : 0;
}

static pba_status read_all(struct archive *archive, int opened, uint64_t packed, const char *path,
                           const pba_dataset_options *options, data_source **source)
{
    reading reading = {
        .archive = archive, .options = options, .packed = packed, .limit = byte_limit()};
    pba_status status = data_source_create(path, &reading.source);
    if (status == PBA_OK) {
        status = opened == ARCHIVE_OK ? read_entries(&reading) : no_archive(&reading);
    }
    if (status == PBA_OK) {
        data_source_settle(reading.source);
        note_left_out(reading.source, &reading.left_out);
        *source = reading.source;
        return PBA_OK;
    }
    data_source_free(reading.source);
    return status;
}

static pba_status open_file(const char *path, accepted accepted, const pba_dataset_options *options,
                            data_source **source)
{
    *source = NULL;
    struct archive *archive = create(accepted);
    if (!archive) {
        return PBA_UNSUPPORTED;
    }
    int opened = archive_read_open_filename(archive, path, BLOCK);
    struct stat info = {0};
    uint64_t packed = stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
    pba_status status = read_all(archive, opened, packed, path, options, source);
    archive_read_free(archive);
    return status;
}

pba_status data_source_open_archive(const char *path, const pba_dataset_options *options,
                                    data_source **source)
{
    return open_file(path, ACCEPT_ALL, options, source);
}

pba_status data_source_open_zip(const char *path, const pba_dataset_options *options,
                                data_source **source)
{
    return open_file(path, ACCEPT_ZIP, options, source);
}

pba_status data_source_open_zip_memory(const char *path, const void *data, size_t size,
                                       const pba_dataset_options *options, data_source **source)
{
    *source = NULL;
    struct archive *archive = create(ACCEPT_ZIP);
    if (!archive) {
        return PBA_UNSUPPORTED;
    }
    int opened = archive_read_open_memory(archive, data, size);
    pba_status status = read_all(archive, opened, size, path, options, source);
    archive_read_free(archive);
    return status;
}
