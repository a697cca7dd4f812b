/* SPDX-License-Identifier: Apache-2.0
 * Event files by hand: TFRecord's framing (length, its checksum, bytes, their checksum) around
 * protocol buffers, of which an Event needs three kinds of field. Field numbers are those of
 * tensorflow/core/util/event.proto and framework/summary.proto. */
#include "train/tensorboard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/file.h"
#include "core/memory.h"

struct tensorboard {
    char folder[PBA_PATH_MAX];
    int *files; /* by series: the number of its file; 0: none yet */
    int count;
};

enum { RECORD_MAX = 1024 };

/* ------------------------------------------------------------------- checksums */

uint32_t tensorboard_crc(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint32_t crc = ~0U;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
        }
    }
    return ~crc;
}

uint32_t tensorboard_masked_crc(const void *data, size_t size)
{
    uint32_t crc = tensorboard_crc(data, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

/* ------------------------------------------------------------ protocol buffers */

/* Bytes that grow up to what a record may have; longer ones are cut off, which `full` tells. */
typedef struct message {
    uint8_t bytes[RECORD_MAX];
    size_t size;
    bool full;
} message;

static void add_bytes(message *out, const void *data, size_t size)
{
    out->full |= size > sizeof out->bytes - out->size;
    if (!out->full) {
        memcpy(out->bytes + out->size, data, size);
        out->size += size;
    }
}

static void add_little(message *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        add_bytes(out, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
    }
}

static void add_varint(message *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        add_bytes(out, &(uint8_t){(uint8_t)(value | 0x80)}, 1);
    }
    add_bytes(out, &(uint8_t){(uint8_t)value}, 1);
}

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */

static void add_key(message *out, int field, int type)
{
    add_varint(out, (uint64_t)field << 3 | (uint64_t)type);
}

static void add_field(message *out, int field, const void *data, size_t size)
{
    add_key(out, field, BYTES);
    add_varint(out, size);
    add_bytes(out, data, size);
}

/* wall_time 1, step 2. */
static void begin_event(message *out, int64_t step)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    uint64_t bits;
    memcpy(&bits, &seconds, sizeof bits);
    add_key(out, 1, FIXED64);
    add_little(out, bits, 8);
    add_key(out, 2, VARINT);
    add_varint(out, (uint64_t)step);
}

/* Summary's value 1: tag 1, simple_value 2. */
static void add_value(message *summary, const tensorboard_value *value)
{
    message inner = {.size = 0};
    float number = (float)value->value;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    add_field(&inner, 1, value->tag, strlen(value->tag));
    add_key(&inner, 2, FIXED32);
    add_little(&inner, bits, 4);
    add_field(summary, 1, inner.bytes, inner.size);
    summary->full |= inner.full;
}

static void add_record(message *out, const message *event)
{
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)((uint64_t)event->size >> 8 * i);
    }
    add_bytes(out, length, sizeof length);
    add_little(out, tensorboard_masked_crc(length, sizeof length), 4);
    add_bytes(out, event->bytes, event->size);
    add_little(out, tensorboard_masked_crc(event->bytes, event->size), 4);
    out->full |= event->full;
}

/* file_version 3 opens every file. Then session_log 7 with status 1 START: TensorBoard drops what
 * it has read of this step and later. */
static void add_opening(message *out, int64_t step)
{
    static const char version[] = "brain.Event:2";
    message event = {.size = 0};
    begin_event(&event, 0);
    add_field(&event, 3, version, sizeof version - 1);
    add_record(out, &event);
    event = (message){.size = 0};
    begin_event(&event, step);
    add_field(&event, 7, "\x08\x01", 2);
    add_record(out, &event);
}

/* summary 5; nothing where no value is a number. */
static void add_summary(message *out, int64_t step, const tensorboard_value *values, int count)
{
    message event = {.size = 0}, summary = {.size = 0};
    for (int i = 0; i < count; i++) {
        if (isfinite(values[i].value)) {
            add_value(&summary, &values[i]);
        }
    }
    if (summary.size) {
        begin_event(&event, step);
        add_field(&event, 5, summary.bytes, summary.size);
        event.full |= summary.full;
        add_record(out, &event);
    }
}

/* ------------------------------------------------------------------------ files */

pba_status tensorboard_open(const char *run, int count, tensorboard **result)
{
    tensorboard *fresh = memory_new(1, sizeof *fresh);
    *result = NULL;
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->count = count;
    fresh->files = memory_new((size_t)count, sizeof *fresh->files);
    pba_status status = fresh->files ? file_join(fresh->folder, run, "tensorboard") : PBA_MEMORY;
    if (status != PBA_OK) {
        tensorboard_close(fresh);
        return status;
    }
    *result = fresh;
    return PBA_OK;
}

void tensorboard_close(tensorboard *board)
{
    if (board) {
        free(board->files);
        free(board);
    }
}

static pba_status file_path(const tensorboard *board, const char *name, int number,
                            char path[PBA_PATH_MAX])
{
    char inside[2 * PBA_NAME_MAX];
    snprintf(inside, sizeof inside, "%s/events.out.tfevents.%010d.pba", name, number);
    return file_join(path, board->folder, inside);
}

/* TensorBoard reads the files of a folder in the order of their names. */
static pba_status choose_file(tensorboard *board, int index, const char *name)
{
    char folder[PBA_PATH_MAX], path[PBA_PATH_MAX];
    pba_status status = file_join(folder, board->folder, name);
    if (status == PBA_OK) {
        status = file_make_folder(folder);
    }
    for (int number = 1; status == PBA_OK && !board->files[index]; number++) {
        status = file_path(board, name, number, path);
        if (status == PBA_OK && !file_exists(path)) {
            board->files[index] = number;
        }
    }
    return status;
}

/* Opened for each record: a population may have more members than a process may have files. */
static pba_status append(const char *path, const message *records)
{
    int descriptor;
    pba_status status = file_append_open(path, &descriptor);
    if (status != PBA_OK) {
        return status;
    }
    status = file_append_bytes(descriptor, path, records->bytes, records->size);
    pba_status closed = file_close(descriptor, path);
    return status == PBA_OK ? closed : status;
}

pba_status tensorboard_write(tensorboard *board, int index, const char *name, int64_t step,
                             const tensorboard_value *values, int count)
{
    message records = {.size = 0};
    char path[PBA_PATH_MAX];
    if (!board) {
        return PBA_OK;
    }
    if (!board->files[index]) {
        pba_status status = choose_file(board, index, name);
        if (status != PBA_OK) {
            return status;
        }
        add_opening(&records, step);
    }
    add_summary(&records, step, values, count);
    pba_status status = file_path(board, name, board->files[index], path);
    if (status == PBA_OK && records.full) {
        status = status_set(PBA_INTERNAL, "%s: a record of more than %d bytes", path, RECORD_MAX);
    }
    return status == PBA_OK ? append(path, &records) : status;
}
