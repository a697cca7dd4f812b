/* SPDX-License-Identifier: Apache-2.0
 * The .npy reader: headers as NumPy writes them and as it does not, elements of every type. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/formats/npy.h"

enum { ROOM = 4096 };

typedef struct file {
    uint8_t bytes[ROOM];
    size_t size;
} file;

/* Magic, version, length and header, padded to 64 as NumPy pads it; then `data`. */
static file make(int version, const char *header, const void *data, size_t size)
{
    file file = {0};
    size_t start = version == 1 ? 10 : 12, length = strlen(header) + 1;
    length += (64 - (start + length) % 64) % 64;
    memcpy(file.bytes, "\x93NUMPY", 6);
    file.bytes[6] = (uint8_t)version;
    file.bytes[8] = (uint8_t)length;
    file.bytes[9] = (uint8_t)(length >> 8);
    memset(file.bytes + start, ' ', length);
    memcpy(file.bytes + start, header, strlen(header));
    file.bytes[start + length - 1] = '\n';
    memcpy(file.bytes + start + length, data, size);
    file.size = start + length + size;
    return file;
}

/* Parses a copy that ends where the file ends, so that a sanitizer sees a step too far. */
static pba_status parse(const file *file, size_t size, npy_array *array, uint8_t **copy)
{
    *copy = malloc(size ? size : 1);
    assert_non_null(*copy);
    memcpy(*copy, file->bytes, size);
    return npy_parse("a.npy", *copy, size, array);
}

static void accepted(int version, const char *header, const void *data, size_t size,
                     npy_array *array, uint8_t **copy)
{
    file file = make(version, header, data, size);
    assert_ok(parse(&file, file.size, array, copy));
}

static void refused(const char *header, size_t size, pba_status status, const char *part)
{
    static const uint8_t zeros[ROOM / 2];
    file file = make(1, header, zeros, size);
    npy_array array;
    uint8_t *copy;
    pba_status got = parse(&file, file.size, &array, &copy);
    if (got != status || !strstr(pba_error_message(), part) ||
        strncmp(pba_error_message(), "a.npy: ", 7) != 0) {
        fail_msg("%s: %s: %s", header, pba_status_name(got), pba_error_message());
    }
    free(copy);
}

static void test_versions(void **state)
{
    const uint8_t data[24] = {1, 2, 3};
    for (int version = 1; version <= 3; version++) {
        npy_array array;
        uint8_t *copy;
        char shape[NPY_SHAPE_TEXT];
        accepted(version, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 4), }", data,
                 24, &array, &copy);
        assert_int_equal(array.dimensions, 3);
        assert_int_equal(array.count, 24);
        assert_int_equal(array.item, 1);
        assert_int_equal(array.kind, 'u');
        assert_false(array.fortran);
        assert_memory_equal(array.data, data, 24);
        npy_shape(&array, shape);
        assert_string_equal(shape, "(2, 3, 4)");
        free(copy);
    }
}

static void test_spellings(void **state)
{
    npy_array array;
    uint8_t *copy;
    char shape[NPY_SHAPE_TEXT];
    accepted(1, "{\"shape\":(3L,),\"fortran_order\":True,\"descr\":\">i2\"}", "\0\1\xff\xfe\0\2", 6,
             &array, &copy);
    assert_true(array.fortran);
    assert_int_equal(npy_integer(&array, 0), 1);
    assert_int_equal(npy_integer(&array, 1), -2);
    npy_shape(&array, shape);
    assert_string_equal(shape, "(3,)");
    free(copy);
    accepted(2, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", "12345678", 8, &array,
             &copy);
    assert_int_equal(array.count, 1);
    npy_shape(&array, shape);
    assert_string_equal(shape, "()");
    free(copy);
    accepted(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 5), }", "", 0, &array,
             &copy);
    assert_int_equal(array.count, 0);
    free(copy);
}

static void check_integer(const char *type, const void *bytes, size_t size, int64_t expected)
{
    char header[100];
    npy_array array;
    uint8_t *copy;
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }",
             type);
    accepted(1, header, bytes, size, &array, &copy);
    assert_true(npy_integer(&array, 0) == expected);
    free(copy);
}

static void test_integers(void **state)
{
    check_integer("|b1", "\1", 1, 1);
    check_integer("|u1", "\xff", 1, 255);
    check_integer("|i1", "\xff", 1, -1);
    check_integer("<u2", "\x01\x02", 2, 0x201);
    check_integer(">u2", "\x01\x02", 2, 0x102);
    check_integer("<i4", "\xfe\xff\xff\xff", 4, -2);
    check_integer(">i4", "\xff\xff\xff\xfe", 4, -2);
    check_integer(">u4", "\xff\xff\xff\xfe", 4, 0xfffffffe);
    check_integer("<i8", "\x07\0\0\0\0\0\0\0", 8, 7);
    check_integer(">i8", "\x80\0\0\0\0\0\0\0", 8, INT64_MIN);
    check_integer("<u8", "\0\0\0\0\0\0\0\x80", 8, INT64_MAX);
}

static void check_text(const char *type, const void *bytes, size_t size, const char *expected,
                       size_t room)
{
    char header[100], text[PBA_NAME_MAX];
    npy_array array;
    uint8_t *copy;
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (1,), }",
             type);
    accepted(3, header, bytes, size, &array, &copy);
    assert_int_equal(npy_text(&array, 0, text, room), room == sizeof text);
    assert_string_equal(text, expected);
    free(copy);
}

static void test_texts(void **state)
{
    check_text("|S5", "cat\0\0", 5, "cat", PBA_NAME_MAX);
    check_text("|S5", "apple", 5, "apple", PBA_NAME_MAX);
    check_text("|S5", "apple", 5, "app", 4);
    check_text("|S3", "a\x1b\xe9", 3, "a??", PBA_NAME_MAX);
    check_text("<U3", "c\0\0\0\xe9\0\0\0\0\0\0\0", 12, "c\xc3\xa9", PBA_NAME_MAX);
    check_text(">U2", "\0\0\x20\xac\0\1\xf6\0", 8, "\xe2\x82\xac\xf0\x9f\x98\x80", PBA_NAME_MAX);
    check_text(">U2", "\0\0\x20\xac\0\1\xf6\0", 8, "\xe2\x82\xac", 7);
    check_text("<U4", "\x1b\0\0\0\x9b\0\0\0\0\xd8\0\0\0\0\x11\0", 16, "????", PBA_NAME_MAX);
}

static void test_refused(void **state)
{
    const struct {
        const char *header, *part;
        pba_status status;
        size_t size;
    } cases[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "numpy.stack", PBA_UNSUPPORTED,
         3},
        {"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (3,), }", "records",
         PBA_UNSUPPORTED, 12},
        {"{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (3,), }", "'<M8[ns]'",
         PBA_UNSUPPORTED, 24},
        {"{'descr': '|V3', 'fortran_order': False, 'shape': (3,), }", "'|V3'", PBA_UNSUPPORTED, 9},
        {"{'descr': '|i3', 'fortran_order': False, 'shape': (3,), }", "'|i3'", PBA_UNSUPPORTED, 9},
        {"{'descr': '|u', 'fortran_order': False, 'shape': (3,), }", "'|u'", PBA_UNSUPPORTED, 9},
        {"{'descr': '', 'fortran_order': False, 'shape': (3,), }", "type ''", PBA_UNSUPPORTED, 9},
        {"{'descr': '<U0', 'fortran_order': False, 'shape': (3,), }", "'<U0'", PBA_UNSUPPORTED, 0},
        {"{'descr': '<U99999999999', 'fortran_order': False, 'shape': (3,), }", "'<U99999999999'",
         PBA_UNSUPPORTED, 0},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3, 5), }", "too short", PBA_FORMAT,
         14},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3, 5), }", "goes on", PBA_FORMAT, 16},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (2305843009213693953,), }", "too short",
         PBA_FORMAT, 8},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967297), }", "counted",
         PBA_FORMAT, 8},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,), }", "number",
         PBA_FORMAT, 8},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "dimensions",
         PBA_UNSUPPORTED, 1},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3), }", "a comma", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (-3,), }", "number", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3 4), }", "number", PBA_FORMAT, 12},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': [3], }", "a shape", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3,", "number", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': 0, 'shape': (3,), }", "a truth", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, }", "alone", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'descr': '|u1', 'shape': (3,), }", "wanted are", PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), 'x': 1}", "wanted are",
         PBA_FORMAT, 3},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), } + {}", "alone", PBA_FORMAT, 3},
        {"{'descr' '|u1', 'fortran_order': False, 'shape': (3,), }", "a key", PBA_FORMAT, 3},
        {"{'descr': '|u1' 'fortran_order': False, 'shape': (3,), }", "a comma", PBA_FORMAT, 3},
        {"{'a_very_long_key_that_never_ends': 1}", "a key", PBA_FORMAT, 3},
        {"__import__('os')", "wanted is {", PBA_FORMAT, 3},
        {"", "wanted is {", PBA_FORMAT, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        refused(cases[i].header, cases[i].size, cases[i].status, cases[i].part);
    }
}

/* Every shorter file is refused, and every changed byte is read or refused. */
static void test_hostile(void **state)
{
    const uint8_t data[30] = {0};
    file whole = make(1, "{'descr': '<u2', 'fortran_order': True, 'shape': (5, 3), }", data, 30);
    npy_array array;
    uint8_t *copy;
    for (size_t size = 0; size < whole.size; size++) {
        pba_status status = parse(&whole, size, &array, &copy);
        assert_true(status == PBA_FORMAT || status == PBA_UNSUPPORTED);
        free(copy);
    }
    for (size_t at = 0; at < whole.size - 30; at++) {
        for (int value = 0; value < 256; value++) {
            file changed = whole;
            changed.bytes[at] = (uint8_t)value;
            if (parse(&changed, changed.size, &array, &copy) == PBA_OK) {
                assert_true(array.data + array.count * array.item == copy + changed.size);
                assert_true(array.kind == 'S' || array.kind == 'U' || array.kind == 'f' ||
                            array.kind == 'c' || npy_integer(&array, array.count - 1) == 0);
            }
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions), cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_integers), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
