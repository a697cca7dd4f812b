/* SPDX-License-Identifier: Apache-2.0
 * Event files: checksums against published vectors, framing and fields byte by byte. TensorBoard's
 * own reader looks at them in oracle_tensorboard.py. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include "folder.h"
#include "train/tensorboard.h"

/* RFC 3720, appendix B.4, and the check value of the catalogue of CRCs. */
static void checksums_are_castagnolis(void **state)
{
    uint8_t bytes[32] = {0};
    assert_int_equal(tensorboard_crc("123456789", 9), 0xe3069283);
    assert_int_equal(tensorboard_crc("", 0), 0);
    assert_int_equal(tensorboard_crc(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(tensorboard_crc(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(tensorboard_crc(bytes, 32), 0x46dd794e);
    /* rotated right by 15, plus a constant */
    assert_int_equal(
        tensorboard_masked_crc("123456789", 9),
        (uint32_t)((0xe3069283ULL >> 15 | (uint32_t)(0xe3069283ULL << 17)) + 0xa282ead8ULL));
}

typedef struct reader {
    uint8_t *data;
    size_t size, at;
} reader;

static uint64_t little(reader *reader, int bytes)
{
    uint64_t value = 0;
    assert_true(reader->at + (size_t)bytes <= reader->size);
    for (int i = 0; i < bytes; i++) {
        value |= (uint64_t)reader->data[reader->at++] << (8 * i);
    }
    return value;
}

/* The next record's bytes; its checksums are checked. */
static reader record(reader *file)
{
    size_t start = file->at;
    uint64_t length = little(file, 8);
    assert_int_equal(little(file, 4), tensorboard_masked_crc(file->data + start, 8));
    reader event = {file->data + file->at, length, 0};
    assert_true(file->at + length + 4 <= file->size);
    file->at += length;
    assert_int_equal(little(file, 4), tensorboard_masked_crc(event.data, length));
    return event;
}

/* wall_time and step, which begin every event. */
static int64_t step_of(reader *event)
{
    assert_int_equal(little(event, 1), 1 << 3 | 1);
    uint64_t bits = little(event, 8);
    double seconds;
    memcpy(&seconds, &bits, sizeof seconds);
    assert_true(seconds > 1.7e9 && seconds < 1e11);
    assert_int_equal(little(event, 1), 2 << 3);
    uint64_t step = 0;
    for (int shift = 0;; shift += 7) {
        uint64_t byte = little(event, 1);
        step |= (byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            return (int64_t)step;
        }
    }
}

static void assert_value(reader *event, const char *tag, float wanted)
{
    size_t length = strlen(tag);
    assert_int_equal(little(event, 1), 1 << 3 | 2);
    assert_int_equal(little(event, 1), 2 + length + 5);
    assert_int_equal(little(event, 1), 1 << 3 | 2);
    assert_int_equal(little(event, 1), length);
    assert_memory_equal(event->data + event->at, tag, length);
    event->at += length;
    assert_int_equal(little(event, 1), 2 << 3 | 5);
    uint32_t bits = (uint32_t)little(event, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    assert_true(value == wanted);
}

static reader open_file(const char *name)
{
    reader file = {0};
    assert_ok(file_read(path_of(name), 1 << 20, (char **)&file.data, &file.size));
    return file;
}

static void assert_opening(reader *file, int64_t step)
{
    reader event = record(file);
    assert_int_equal(step_of(&event), 0);
    assert_int_equal(event.size - event.at, 2 + 13);
    assert_memory_equal(event.data + event.at,
                        "\x1a\x0d"
                        "brain.Event:2",
                        15);
    event = record(file);
    assert_int_equal(step_of(&event), step);
    assert_int_equal(event.size - event.at, 4);
    assert_memory_equal(event.data + event.at, "\x3a\x02\x08\x01", 4); /* session_log START */
}

static void events_are_read_back(void **state)
{
    const tensorboard_value both[] = {{"a/loss", 0.25}, {"error", 1e-3}, {"lost", (double)NAN}};
    const tensorboard_value lost = {"lost", (double)INFINITY};
    tensorboard *board;
    assert_ok(tensorboard_write(NULL, 0, "x", 1, both, 3));
    assert_ok(tensorboard_open(folder, 2, &board));
    assert_ok(tensorboard_write(board, 1, "one", 300, both, 3));
    assert_ok(tensorboard_write(board, 1, "one", 301, &lost, 1));
    assert_ok(tensorboard_write(board, 1, "one", 302, both, 1));
    tensorboard_close(board);
    assert_ok(tensorboard_open(folder, 2, &board)); /* resumed */
    assert_ok(tensorboard_write(board, 1, "one", 301, both, 1));
    tensorboard_close(board);

    reader file = open_file("tensorboard/one/events.out.tfevents.0000000001.pba"), event;
    assert_opening(&file, 300);
    event = record(&file);
    assert_int_equal(step_of(&event), 300);
    assert_int_equal(little(&event, 1), 5 << 3 | 2);
    size_t length = little(&event, 1);
    assert_int_equal(length, event.size - event.at);
    assert_value(&event, "a/loss", 0.25F);
    assert_value(&event, "error", 1e-3F);
    assert_int_equal(event.at, event.size); /* no number, no value */
    event = record(&file);
    assert_int_equal(step_of(&event), 302);
    assert_int_equal(file.at, file.size);
    free(file.data);
    file = open_file("tensorboard/one/events.out.tfevents.0000000002.pba");
    assert_opening(&file, 301);
    event = record(&file);
    assert_int_equal(step_of(&event), 301);
    assert_int_equal(file.at, file.size);
    free(file.data);
}

static void what_cannot_be_written_is_said(void **state)
{
    char tag[2000] = "";
    memset(tag, 'x', sizeof tag - 1);
    const tensorboard_value value = {"loss", 1}, long_one = {tag, 1};
    tensorboard *board;
    assert_ok(tensorboard_open(folder, 1, &board));
    assert_int_equal(tensorboard_write(board, 0, "one", 1, &long_one, 1), PBA_INTERNAL);
    tensorboard_close(board);
    put("file", "x", 1);
    assert_ok(tensorboard_open(path_of("file"), 1, &board));
    assert_int_equal(tensorboard_write(board, 0, "one", 1, &value, 1), PBA_IO);
    tensorboard_close(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_castagnolis),
        IN_FOLDER(events_are_read_back),
        IN_FOLDER(what_cannot_be_written_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
