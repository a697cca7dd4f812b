/* SPDX-License-Identifier: Apache-2.0
 * IDX folders, plain or gzip: MNIST, Fashion-MNIST, EMNIST and others of that layout (LeCun,
 * Cortes, Burges: "The MNIST database"). A file of images is called *images*idx3*, its labels are
 * the same name with "labels" and "idx1"; "t10k" or "test" in the name makes it the test split.
 * Big-endian numbers: 0, 0, type (8: unsigned byte), dimensions; then one 32-bit size per
 * dimension. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"
#include "data/format.h"

/* Deflate cannot expand a byte to more than this: what a header claims beyond it is a lie, found
 * before memory is asked for. */
enum { DEFLATE_RATIO = 1032, PIECE = 1 << 30 };
static const size_t file_limit = (size_t)1 << 36;

typedef struct names {
    char images[2][PBA_NAME_MAX * 4]; /* training, test; "" where there is none */
} names;

/* A file in memory, inflated as it is read where it is compressed. */
typedef struct stream {
    char path[PBA_PATH_MAX]; /* for messages */
    char *data;
    size_t size, at; /* of the file; read so far, where it is not compressed */
    bool zipped;
    z_stream inflater;
    uint32_t sizes[3]; /* as claimed */
    uint64_t count;    /* content bytes, as claimed */
} stream;

/* ---------------------------------------------------------------- one file */

static pba_status stream_open(stream *stream, const data_source *source, const char *name)
{
    *stream = (struct stream){0};
    data_source_describe(source, name, stream->path);
    pba_status status = data_source_read(source, name, file_limit, &stream->data, &stream->size);
    if (status != PBA_OK) {
        return status;
    }
    stream->zipped = stream->size >= 2 && memcmp(stream->data, "\x1f\x8b", 2) == 0;
    if (stream->zipped && inflateInit2(&stream->inflater, 16 + MAX_WBITS) != Z_OK) {
        stream->zipped = false;
        return status_set(PBA_MEMORY, "%s: out of memory", stream->path);
    }
    stream->inflater.next_in = (Bytef *)stream->data;
    return PBA_OK;
}

static void stream_close(stream *stream)
{
    if (stream->zipped) {
        inflateEnd(&stream->inflater);
    }
    free(stream->data);
}

static size_t input_left(const stream *stream)
{
    return stream->size - (size_t)((char *)stream->inflater.next_in - stream->data);
}

/* zlib counts in 32 bits: the next piece of the input, and of the room for output. */
static void next_piece(stream *stream, size_t wanted)
{
    size_t left = input_left(stream);
    stream->inflater.avail_in = (uInt)(left < PIECE ? left : PIECE);
    stream->inflater.avail_out = (uInt)(wanted < PIECE ? wanted : PIECE);
}

/* A compressed file may consist of several such, one behind the other. */
static bool next_member(stream *stream)
{
    return input_left(stream) >= 2 && memcmp(stream->inflater.next_in, "\x1f\x8b", 2) == 0 &&
           inflateReset(&stream->inflater) == Z_OK;
}

static pba_status stream_inflate(stream *stream, uint8_t *data, size_t size, size_t *got)
{
    while (*got < size) {
        next_piece(stream, size - *got);
        stream->inflater.next_out = data + *got;
        int code = inflate(&stream->inflater, Z_NO_FLUSH);
        *got = (size_t)(stream->inflater.next_out - data);
        if (code == Z_BUF_ERROR || (code == Z_STREAM_END && !next_member(stream))) {
            break; /* the end of the file; of its content */
        }
        if (code != Z_OK && code != Z_STREAM_END) {
            const char *why = stream->inflater.msg;
            return status_set(PBA_FORMAT, "%s: %s; fetch it again", stream->path,
                              why ? why : "cannot be inflated");
        }
    }
    return PBA_OK;
}

/* Up to `size` bytes; *got tells how many there were. */
static pba_status stream_read(stream *stream, void *data, size_t size, size_t *got)
{
    *got = 0;
    if (stream->zipped) {
        return stream_inflate(stream, data, size, got);
    }
    size_t left = stream->size - stream->at;
    *got = size < left ? size : left;
    memcpy(data, stream->data + stream->at, *got);
    stream->at += *got;
    return PBA_OK;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static pba_status check_magic(const stream *stream, const uint8_t *magic, int dimensions)
{
    if (magic[0] || magic[1] || !magic[2] || !magic[3]) {
        return status_set(PBA_FORMAT,
                          "%s: is no IDX file: it starts with %02x %02x %02x %02x, not with 00 00 "
                          "08 %02x",
                          stream->path, magic[0], magic[1], magic[2], magic[3], dimensions);
    }
    if (magic[2] != 8) {
        return status_set(
            PBA_UNSUPPORTED,
            "%s: holds numbers of IDX type 0x%02x; only unsigned bytes (0x08) are read",
            stream->path, magic[2]);
    }
    if (magic[3] != dimensions) {
        return status_set(PBA_FORMAT, "%s: has %d dimensions, expected are %d", stream->path,
                          magic[3], dimensions);
    }
    return PBA_OK;
}

/* The claimed content against the size of the file. */
static pba_status check_claim(stream *stream, size_t header)
{
    bool plain = !stream->zipped;
    uint64_t limit = plain ? stream->size - header : (uint64_t)stream->size * DEFLATE_RATIO;
    if (stream->count > limit) {
        return plain
                   ? status_set(PBA_FORMAT,
                                "%s: %llu bytes short: its header claims %llu, there are %llu; "
                                "fetch it again",
                                stream->path, (unsigned long long)(stream->count - limit),
                                (unsigned long long)stream->count, (unsigned long long)limit)
                   : status_set(PBA_FORMAT,
                                "%s: its header claims %llu bytes, more than %llu compressed ones "
                                "can hold; fetch it again",
                                stream->path, (unsigned long long)stream->count,
                                (unsigned long long)stream->size);
    }
    return PBA_OK;
}

static pba_status read_sizes(stream *stream, const uint8_t *bytes, int dimensions)
{
    stream->count = 1;
    for (int i = 0; i < dimensions; i++) {
        stream->sizes[i] = big_endian(bytes + 4 * i);
        if (!stream->sizes[i]) {
            return status_set(PBA_FORMAT, "%s: dimension %d of its header is 0", stream->path,
                              i + 1);
        }
        if (__builtin_mul_overflow(stream->count, (uint64_t)stream->sizes[i], &stream->count)) {
            return status_set(PBA_FORMAT, "%s: its header claims more bytes than can be counted",
                              stream->path);
        }
    }
    return PBA_OK;
}

static pba_status read_header(stream *stream, int dimensions)
{
    uint8_t header[16];
    size_t size = 4 + 4 * (size_t)dimensions, got;
    pba_status status = stream_read(stream, header, size, &got);
    if (status == PBA_OK && got < size) {
        status = status_set(PBA_FORMAT, "%s: %zu bytes short in its header; fetch it again",
                            stream->path, size - got);
    }
    if (status == PBA_OK) {
        status = check_magic(stream, header, dimensions);
    }
    if (status == PBA_OK) {
        status = read_sizes(stream, header + 4, dimensions);
    }
    return status == PBA_OK ? check_claim(stream, size) : status;
}

/* Exactly what the header claims, and nothing behind it. `item`: bytes of an image or a label. */
static pba_status read_content(stream *stream, uint8_t *data, size_t item)
{
    size_t got, behind = 0;
    uint8_t byte;
    pba_status status = stream_read(stream, data, stream->count, &got);
    if (status == PBA_OK && got < stream->count) {
        return status_set(PBA_FORMAT, "%s: %zu bytes short at record %zu; fetch it again",
                          stream->path, (size_t)stream->count - got, got / item + 1);
    }
    if (status == PBA_OK) {
        status = stream_read(stream, &byte, 1, &behind);
    }
    if (status == PBA_OK && behind) {
        status = status_set(PBA_FORMAT, "%s: goes on behind the %llu bytes that its header claims",
                            stream->path, (unsigned long long)stream->count);
    }
    return status;
}

/* --------------------------------------------------------- images and labels */

static pba_status take_size(const stream *stream, data_content *content)
{
    uint32_t height = stream->sizes[1], width = stream->sizes[2];
    if (height > UINT16_MAX || width > UINT16_MAX) {
        return status_set(PBA_UNSUPPORTED, "%s: images of %u x %u pixels are too large",
                          stream->path, width, height);
    }
    if (content->width && (content->width != (int)width || content->height != (int)height)) {
        return status_set(PBA_FORMAT,
                          "%s: its images have %u x %u pixels, those for training %d x %d",
                          stream->path, width, height, content->width, content->height);
    }
    content->width = (int)width;
    content->height = (int)height;
    content->channels = 1;
    return PBA_OK;
}

static pba_status read_images(const data_source *source, const char *name, data_content *content,
                              size_t *images)
{
    stream stream;
    pba_status status = stream_open(&stream, source, name);
    if (status == PBA_OK) {
        status = read_header(&stream, 3);
    }
    if (status == PBA_OK) {
        status = take_size(&stream, content);
    }
    if (status == PBA_OK) {
        *images = stream.sizes[0];
        status = data_reserve(content, *images);
    }
    if (status == PBA_OK) {
        size_t bytes = data_image_bytes(content);
        status = read_content(&stream, content->pixels + data_images(content) * bytes, bytes);
    }
    stream_close(&stream);
    return status;
}

static pba_status read_label_bytes(stream *stream, size_t images, data_content *content)
{
    if (stream->sizes[0] != images) {
        return status_set(PBA_FORMAT, "%s: has %u labels for %zu images", stream->path,
                          stream->sizes[0], images);
    }
    uint8_t *labels = memory_new(images, 1);
    if (!labels) {
        return PBA_MEMORY;
    }
    pba_status status = read_content(stream, labels, 1);
    size_t first = data_images(content);
    for (size_t i = 0; i < images && status == PBA_OK; i++) {
        content->labels[first + i] = labels[i];
    }
    free(labels);
    return status;
}

static pba_status read_labels(const data_source *source, const char *name, size_t images,
                              data_content *content)
{
    stream stream;
    pba_status status = stream_open(&stream, source, name);
    if (status == PBA_OK) {
        status = read_header(&stream, 1);
    }
    if (status == PBA_OK) {
        status = read_label_bytes(&stream, images, content);
    }
    stream_close(&stream);
    return status;
}

enum { LABELS_NAME = sizeof(names){0}.images[0] + 3 };

/* "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte" with or without ".gz": what is there.
 */
static pba_status labels_name(const data_source *source, const char *images, char name[LABELS_NAME])
{
    char wanted[LABELS_NAME], described[PBA_PATH_MAX];
    snprintf(wanted, sizeof wanted, "%s", images);
    memcpy(strstr(wanted, "images"), "labels", 6);
    memcpy(strstr(wanted, "idx3"), "idx1", 4);
    snprintf(name, LABELS_NAME, "%s", wanted);
    if (data_source_holds(source, name)) {
        return PBA_OK;
    }
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, ".gz") == 0) {
        name[length - 3] = 0;
    } else {
        memcpy(name + length, ".gz", 4);
    }
    if (data_source_holds(source, name)) {
        return PBA_OK;
    }
    data_source_describe(source, wanted, described);
    return status_set(PBA_NOT_FOUND, "%s: is missing: the labels of %s", described, images);
}

static pba_status read_split(const data_source *source, const char *name, pba_split split,
                             data_content *content)
{
    char labels[LABELS_NAME];
    size_t images = 0;
    pba_status status = read_images(source, name, content, &images);
    if (status == PBA_OK) {
        status = labels_name(source, name, labels);
    }
    if (status == PBA_OK) {
        status = read_labels(source, labels, images, content);
    }
    if (status == PBA_OK) {
        content->counts[split] = (int)images;
    }
    return status;
}

/* ------------------------------------------------------------------ folder */

static bool is_images(const char *name)
{
    const char *images = strstr(name, "images");
    return images && strstr(images, "idx3") && !strchr(name, '/') &&
           strlen(name) < sizeof(names){0}.images[0];
}

/* The same name but for ".gz": the plain file is read. */
static bool same_but_zipped(const char *a, const char *b)
{
    size_t shorter = strlen(a) < strlen(b) ? strlen(a) : strlen(b);
    const char *longer = strlen(a) < strlen(b) ? b : a;
    return strncmp(a, b, shorter) == 0 && strcmp(longer + shorter, ".gz") == 0;
}

static pba_status sort_in(const data_source *source, const char *name, names *names)
{
    char *slot = names->images[strstr(name, "t10k") || strstr(name, "test")];
    if (*slot && !same_but_zipped(slot, name)) {
        return status_set(PBA_FORMAT, "%s: %s and %s: more than one data set; give each a folder",
                          data_source_path(source), slot, name);
    }
    if (!*slot || strlen(name) < strlen(slot)) {
        snprintf(slot, sizeof names->images[0], "%s", name);
    }
    return PBA_OK;
}

static pba_status find_names(const data_source *source, names *names)
{
    *names = (struct names){0};
    data_source_names listed;
    pba_status status = data_source_list(source, "", &listed);
    for (int i = 0; i < listed.count && status == PBA_OK; i++) {
        if (is_images(listed.names[i])) {
            status = sort_in(source, listed.names[i], names);
        }
    }
    data_source_names_free(&listed);
    return status;
}

static bool recognizes(const data_source *source)
{
    data_source_names listed;
    bool found = false;
    if (data_source_holds_folder(source, "") && data_source_list(source, "", &listed) == PBA_OK) {
        for (int i = 0; i < listed.count && !found; i++) {
            found = is_images(listed.names[i]);
        }
        data_source_names_free(&listed);
    }
    return found;
}

static pba_status open_idx(const data_source *source, const pba_dataset_options *options,
                           data_content *content)
{
    names names;
    pba_status status = find_names(source, &names);
    if (status == PBA_OK && !*names.images[0]) {
        return status_set(PBA_NOT_FOUND, "%s: %s is there, but no images to train on",
                          data_source_path(source), names.images[1]);
    }
    if (status == PBA_OK) {
        status = read_split(source, names.images[0], PBA_TRAIN, content);
    }
    if (status == PBA_OK) {
        status = data_progress(options, "images", (int64_t)data_images(content), 0);
    }
    if (status == PBA_OK && *names.images[1]) {
        status = read_split(source, names.images[1], PBA_TEST, content);
    } else if (status == PBA_OK) {
        data_note(content, "only %s found: the test split is drawn from its images",
                  names.images[0]);
    }
    data_default_baseline(content, false);
    return status == PBA_OK ? data_settle_classes(content, data_source_path(source), NULL) : status;
}

const data_format data_idx = {.name = "idx",
                              .sentence = "MNIST, Fashion-MNIST and others in IDX, plain or .gz.",
                              .looks_for = "train-images-idx3-ubyte or *images*idx3*, plain or .gz",
                              .recognizes = recognizes,
                              .open = open_idx,
                              .test_share = 6,
                              .val_share = 5,
                              .val_max = 5000};
