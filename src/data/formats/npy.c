/* SPDX-License-Identifier: Apache-2.0
 * The `.npy` layout: 0x93 "NUMPY", version, length of the header (2 bytes in version 1, 4 bytes in
 * 2 and 3, little-endian), the header, the elements. The header is a Python dictionary with the
 * keys descr, fortran_order and shape:
 *     {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), }
 * and is read as such a literal, nothing else of Python. */
#include "data/formats/npy.h"

#include <stdio.h>
#include <string.h>

enum {
    MAGIC = 6,
    HEADER_LIMIT = 1 << 16,
    KEY_MAX = 16,
    ITEM_LIMIT = 1 << 20,
    DESCR = 1,
    ORDER = 2,
    SHAPE = 4
};

/* ---------------------------------------------------------- Python literals */

typedef struct cursor {
    const char *what, *at, *end;
} cursor;

static pba_status damaged(const cursor *cursor, const char *wanted)
{
    return status_set(PBA_FORMAT,
                      "%s: its header is not as NumPy writes it (%s, %zu bytes before its end); "
                      "save the array again",
                      cursor->what, wanted, (size_t)(cursor->end - cursor->at));
}

static bool accept(cursor *cursor, char symbol)
{
    while (cursor->at < cursor->end && (*cursor->at == ' ' || *cursor->at == '\n')) {
        cursor->at++;
    }
    bool found = cursor->at < cursor->end && *cursor->at == symbol;
    cursor->at += found;
    return found;
}

static bool word(cursor *cursor, const char *text)
{
    size_t length = strlen(text);
    bool found = accept(cursor, *text) && (size_t)(cursor->end - cursor->at) >= length - 1 &&
                 memcmp(cursor->at, text + 1, length - 1) == 0;
    cursor->at += found ? length - 1 : 0;
    return found;
}

/* A string without escapes that fits. */
static bool quoted(cursor *cursor, char *text, size_t size)
{
    char quote = accept(cursor, '\'') ? '\'' : '"';
    if (quote == '"' && !accept(cursor, '"')) {
        return false;
    }
    size_t length = 0;
    for (; cursor->at < cursor->end && *cursor->at != quote; cursor->at++) {
        if (length + 1 >= size || *cursor->at < ' ' || *cursor->at > '~' || *cursor->at == '\\') {
            return false;
        }
        text[length++] = *cursor->at;
    }
    text[length] = 0;
    return accept(cursor, quote);
}

static bool number(cursor *cursor, size_t *value)
{
    accept(cursor, ' ');
    const char *first = cursor->at;
    for (*value = 0; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
         cursor->at++) {
        if (__builtin_mul_overflow(*value, (size_t)10, value) ||
            __builtin_add_overflow(*value, (size_t)(*cursor->at - '0'), value)) {
            return false;
        }
    }
    bool found = cursor->at > first;
    if (found && cursor->at < cursor->end && *cursor->at == 'L') { /* Python 2 wrote 28L */
        cursor->at++;
    }
    return found;
}

/* ------------------------------------------------------------------- header */

/* "<i8": byte order, kind, bytes (U: characters of 4 bytes). */
static pba_status parse_type(const cursor *cursor, npy_array *array)
{
    const char *at = array->type;
    array->big_endian = *at == '>';
    at += *at && strchr("<>=|", *at) ? 1 : 0;
    array->kind = *at;
    if (*at == 'O') {
        return status_set(PBA_UNSUPPORTED,
                          "%s: holds pickled Python objects, which are not read; save one plain "
                          "array: numpy.stack(images).astype('uint8'), or numpy.array(labels, "
                          "dtype='int64')",
                          cursor->what);
    }
    size_t item = 0;
    for (at += *at != 0; *at >= '0' && *at <= '9' && item <= ITEM_LIMIT; at++) {
        item = item * 10 + (size_t)(*at - '0');
    }
    item *= array->kind == 'U' ? 4 : 1;
    bool number = item == 1 || item == 2 || item == 4 || item == 8;
    bool text = item && item <= ITEM_LIMIT && (array->kind == 'S' || array->kind == 'U');
    array->item = item;
    if (*at || !array->kind || !strchr("biufcSU", array->kind) ||
        (strchr("biu", array->kind)  ? !number
         : strchr("fc", array->kind) ? !item
                                     : !text)) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: holds elements of type '%s'; images are uint8, labels integers",
                          cursor->what, array->type);
    }
    return PBA_OK;
}

static pba_status parse_descr(cursor *cursor, npy_array *array)
{
    if (accept(cursor, '[')) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: holds records of several fields; save each field as an array",
                          cursor->what);
    }
    if (!quoted(cursor, array->type, sizeof array->type)) {
        return damaged(cursor, "wanted is a type");
    }
    return parse_type(cursor, array);
}

/* A tuple: (), (3,), (3, 4) or (3, 4,). */
static pba_status parse_shape(cursor *cursor, npy_array *array)
{
    bool comma = true;
    if (!accept(cursor, '(')) {
        return damaged(cursor, "wanted is a shape");
    }
    for (array->dimensions = 0; !accept(cursor, ')'); array->dimensions++) {
        if (array->dimensions == NPY_DIMENSIONS) {
            return status_set(PBA_UNSUPPORTED, "%s: has more than %d dimensions", cursor->what,
                              NPY_DIMENSIONS);
        }
        if (!comma || !number(cursor, &array->shape[array->dimensions])) {
            return damaged(cursor, "wanted is a number");
        }
        comma = accept(cursor, ',');
    }
    return array->dimensions == 1 && !comma ? damaged(cursor, "wanted is a comma") : PBA_OK;
}

static pba_status parse_order(cursor *cursor, npy_array *array)
{
    array->fortran = word(cursor, "True");
    return array->fortran || word(cursor, "False") ? PBA_OK : damaged(cursor, "wanted is a truth");
}

static pba_status parse_entry(cursor *cursor, npy_array *array, int *seen)
{
    static const struct {
        const char *key;
        int bit;
        pba_status (*parse)(struct cursor *cursor, npy_array *array);
    } keys[] = {{"descr", DESCR, parse_descr},
                {"fortran_order", ORDER, parse_order},
                {"shape", SHAPE, parse_shape}};
    char key[KEY_MAX];
    if (!quoted(cursor, key, sizeof key) || !accept(cursor, ':')) {
        return damaged(cursor, "wanted is a key");
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].key, key) == 0 && !(*seen & keys[i].bit)) {
            *seen |= keys[i].bit;
            return keys[i].parse(cursor, array);
        }
    }
    return damaged(cursor, "wanted are descr, fortran_order and shape");
}

static pba_status parse_header(cursor *cursor, npy_array *array)
{
    int seen = 0;
    bool comma = true;
    if (!accept(cursor, '{')) {
        return damaged(cursor, "wanted is {");
    }
    while (!accept(cursor, '}')) {
        if (!comma) {
            return damaged(cursor, "wanted is a comma");
        }
        pba_status status = parse_entry(cursor, array, &seen);
        if (status != PBA_OK) {
            return status;
        }
        comma = accept(cursor, ',');
    }
    accept(cursor, ' '); /* what is behind must be blank */
    return seen == (DESCR | ORDER | SHAPE) && cursor->at == cursor->end
               ? PBA_OK
               : damaged(cursor, "wanted are descr, fortran_order and shape alone");
}

/* The elements against the `left` bytes behind the header. */
static pba_status check_elements(const char *what, npy_array *array, size_t left)
{
    size_t bytes = array->item;
    array->count = 1;
    for (int i = 0; i < array->dimensions; i++) {
        if (__builtin_mul_overflow(array->count, array->shape[i], &array->count)) {
            return status_set(PBA_FORMAT, "%s: its header claims more elements than can be counted",
                              what);
        }
    }
    if (__builtin_mul_overflow(bytes, array->count, &bytes) || bytes > left) {
        return status_set(PBA_FORMAT,
                          "%s: is too short: its header claims %zu elements of %zu bytes, there "
                          "are %zu bytes; save the array again",
                          what, array->count, array->item, left);
    }
    if (bytes < left) {
        return status_set(PBA_FORMAT, "%s: goes on behind the %zu bytes that its header claims",
                          what, bytes);
    }
    return PBA_OK;
}

pba_status npy_parse(const char *what, const void *data, size_t size, npy_array *array)
{
    const uint8_t *bytes = data;
    *array = (npy_array){0};
    if (size < MAGIC + 2 || memcmp(bytes, "\x93NUMPY", MAGIC) != 0) {
        return status_set(PBA_FORMAT, "%s: is no NumPy array: it does not start as one", what);
    }
    int version = bytes[MAGIC];
    if (version < 1 || version > 3) {
        return status_set(PBA_UNSUPPORTED, "%s: is of .npy version %d; 1 to 3 are read", what,
                          version);
    }
    size_t start = MAGIC + 2 + (version == 1 ? 2 : 4), length = 0;
    for (size_t i = start; i > MAGIC + 2 && size >= start; i--) {
        length = length << 8 | bytes[i - 1];
    }
    if (size < start || length > size - start || length > HEADER_LIMIT) {
        return status_set(PBA_FORMAT, "%s: its header is cut off, or too long; save it again",
                          what);
    }
    cursor cursor = {what, (const char *)bytes + start, (const char *)bytes + start + length};
    pba_status status = parse_header(&cursor, array);
    array->data = bytes + start + length;
    return status == PBA_OK ? check_elements(what, array, size - start - length) : status;
}

/* ----------------------------------------------------------------- elements */

int64_t npy_integer(const npy_array *array, size_t index)
{
    const uint8_t *bytes = array->data + index * array->item;
    uint64_t value = 0;
    for (size_t i = 0; i < array->item; i++) {
        value = value << 8 | bytes[array->big_endian ? i : array->item - 1 - i];
    }
    if (array->kind == 'i') {
        unsigned spare = 64 - 8 * (unsigned)array->item;
        return (int64_t)(value << spare) >> spare;
    }
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* UTF-8 of a code point; returns its length. */
static size_t encode(uint32_t point, char out[4])
{
    if (point < ' ' || (point > '~' && point < 0xa0) || (point >= 0xd800 && point < 0xe000) ||
        point > 0x10ffff) {
        point = '?';
    }
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i; i--, point >>= 6) {
        out[i] = (char)(0x80 | (point & 0x3f));
    }
    out[0] = (char)(0xf0 << (4 - length) | point);
    return length;
}

bool npy_text(const npy_array *array, size_t index, char *text, size_t size)
{
    npy_array points = *array; /* the element's characters, as numbers */
    points.data = array->data + index * array->item;
    points.kind = 'u';
    points.item = array->kind == 'U' ? 4 : 1;
    size_t length = 0;
    for (size_t i = 0; i < array->item / points.item; i++) {
        char out[4];
        uint32_t point = (uint32_t)npy_integer(&points, i);
        size_t more = encode(points.item == 1 && point > '~' ? '?' : point, out);
        if (!point || length + more >= size) {
            text[length] = 0;
            return !point;
        }
        memcpy(text + length, out, more);
        length += more;
    }
    text[length] = 0;
    return true;
}

void npy_shape(const npy_array *array, char text[NPY_SHAPE_TEXT])
{
    size_t used = (size_t)snprintf(text, NPY_SHAPE_TEXT, "(");
    for (int i = 0; i < array->dimensions; i++) {
        used += (size_t)snprintf(text + used, NPY_SHAPE_TEXT - used, "%s%zu", i ? ", " : "",
                                 array->shape[i]);
    }
    snprintf(text + used, NPY_SHAPE_TEXT - used, array->dimensions == 1 ? ",)" : ")");
}
