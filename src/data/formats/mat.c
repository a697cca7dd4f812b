/* SPDX-License-Identifier: Apache-2.0
 * The outermost layer of MATLAB's level 5 files ("MAT-File Format", MathWorks): 128 bytes of
 * header, the last four of them version and byte order; then one element a variable: 32-bit type,
 * 32-bit length, content. A compressed element is a zlib stream of one such element. */
#include "data/formats/mat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/file.h"
#include "core/memory.h"

enum { HEADER = 128, TAG = 8, PIECE = 1 << 16, MATRIX = 14, COMPRESSED = 15 };

typedef struct walk {
    const char *what;
    int file;
    bool big_endian;
    uint64_t left;    /* bytes of the file that are not walked yet */
    uint64_t largest; /* bytes of a variable so far */
    uint8_t *in, *out;
} walk;

static pba_status short_of(const walk *walk, uint64_t missing)
{
    return status_set(PBA_FORMAT, "%s: is cut off: at least %llu bytes short; fetch it again",
                      walk->what, (unsigned long long)missing);
}

static pba_status take(walk *walk, void *data, size_t size)
{
    if (size > walk->left) {
        return short_of(walk, size - walk->left);
    }
    walk->left -= size;
    return file_read_bytes(walk->file, walk->what, data, size);
}

static uint32_t number(const walk *walk, const uint8_t *bytes)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 8 | bytes[walk->big_endian ? i : 3 - i];
    }
    return value;
}

/* The stream of one compressed element. `*total`: bytes decoded; `claim`: what its own tag says. */
static pba_status inflate_element(walk *walk, z_stream *stream, uint32_t length, uint64_t *total,
                                  uint64_t *claim)
{
    int code = Z_OK;
    while (length && code != Z_STREAM_END) {
        uint32_t piece = length < PIECE ? length : PIECE;
        pba_status status = take(walk, walk->in, piece);
        if (status != PBA_OK) {
            return status;
        }
        length -= piece;
        stream->next_in = walk->in;
        stream->avail_in = piece;
        do {
            stream->next_out = walk->out;
            stream->avail_out = PIECE;
            code = inflate(stream, Z_NO_FLUSH);
            size_t more = PIECE - stream->avail_out;
            if (*total == 0 && more >= TAG) {
                *claim = TAG + (uint64_t)number(walk, walk->out + 4);
            }
            *total += more;
        } while (code == Z_OK && !stream->avail_out);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
            return status_set(PBA_FORMAT, "%s: is damaged: %s; fetch it again", walk->what,
                              stream->msg ? stream->msg : "its compressed data does not decode");
        }
    }
    return code == Z_STREAM_END && !length && !stream->avail_in
               ? PBA_OK
               : status_set(PBA_FORMAT,
                            "%s: is damaged: a compressed variable does not end where "
                            "its length says; fetch it again",
                            walk->what);
}

static pba_status check_compressed(walk *walk, uint32_t length)
{
    z_stream stream = {0};
    uint64_t total = 0, claim = 0;
    if (inflateInit(&stream) != Z_OK) {
        return status_set(PBA_MEMORY, "%s: out of memory", walk->what);
    }
    pba_status status = inflate_element(walk, &stream, length, &total, &claim);
    inflateEnd(&stream);
    walk->largest = total > walk->largest ? total : walk->largest;
    if (status == PBA_OK && total != claim) {
        status = status_set(PBA_FORMAT,
                            "%s: is damaged: a variable of %llu bytes claims %llu; fetch it again",
                            walk->what, (unsigned long long)total, (unsigned long long)claim);
    }
    return status;
}

static pba_status check_element(walk *walk)
{
    uint8_t tag[TAG];
    pba_status status = take(walk, tag, TAG);
    if (status != PBA_OK) {
        return status;
    }
    uint32_t type = number(walk, tag), length = number(walk, tag + 4);
    if (type != MATRIX && type != COMPRESSED) {
        return status_set(PBA_FORMAT,
                          "%s: is damaged: an element of type %u stands where a variable should; "
                          "fetch it again",
                          walk->what, type);
    }
    if (length > walk->left) {
        return short_of(walk, length - walk->left);
    }
    if (type == COMPRESSED) {
        return check_compressed(walk, length);
    }
    walk->left -= length;
    walk->largest = length > walk->largest ? length : walk->largest;
    return lseek(walk->file, (off_t)length, SEEK_CUR) >= 0
               ? PBA_OK
               : status_set(PBA_IO, "%s: cannot be read: %s", walk->what, strerror(errno));
}

static pba_status check_file(walk *walk)
{
    uint8_t header[HEADER];
    struct stat info;
    if (fstat(walk->file, &info) != 0) {
        return status_set(PBA_IO, "%s: cannot be read: %s", walk->what, strerror(errno));
    }
    walk->left = (uint64_t)info.st_size;
    pba_status status = take(walk, header, HEADER);
    walk->big_endian = header[126] == 'M' && header[127] == 'I';
    if (status != PBA_OK || header[walk->big_endian ? 124 : 125] != 1) {
        walk->largest = UINT64_MAX;
        return status;
    }
    while (status == PBA_OK && walk->left) {
        status = check_element(walk);
    }
    return status;
}

pba_status mat_check(const char *what, const char *path, uint64_t *largest)
{
    walk walk = {.what = what, .file = file_descriptor(path, O_RDONLY)};
    if (walk.file < 0) {
        return status_set(PBA_IO, "%s: cannot be opened: %s", what, strerror(errno));
    }
    walk.in = memory_new(PIECE, 1);
    walk.out = memory_new(PIECE, 1);
    pba_status status = walk.in && walk.out ? check_file(&walk) : PBA_MEMORY;
    *largest = walk.largest;
    free(walk.in);
    free(walk.out);
    close(walk.file);
    return status;
}
