/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule/fields.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

/* Most failures for lack of memory have no code in jansson. */
static bool is_memory(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    return code == json_error_unknown || code == json_error_out_of_memory;
}

/* False: there is not even the memory for its strings. */
static bool load(const char *text, size_t size, size_t flags, json_t **root, json_error_t *error)
{
    void *room = memory_new(size + 32, 3); /* a buffer that is doubled, and the one before */
    free(room);
    *error = (json_error_t){.line = 0}; /* jansson leaves the code as it is */
    *root = room ? json_loadb(text, size, flags, error) : NULL;
    return room;
}

/* Where memory runs out, jansson may call the text wrong instead: another look tells. */
pba_status schedule_json_load(const char *text, size_t size, size_t flags, json_t **root)
{
    json_error_t error;
    bool room = load(text, size, flags, root, &error);
    if (*root) {
        return PBA_OK;
    }
    json_t *again = NULL;
    room = room && load(text, size, flags, &again, &error);
    bool whole = again != NULL;
    json_decref(again);
    return !room || whole || is_memory(&error) ? status_set(PBA_MEMORY, "out of memory")
                                               : status_set(PBA_FORMAT, "line %d, column %d: %s",
                                                            error.line, error.column, error.text);
}

pba_status schedule_json_parse(const char *text, size_t size, json_t **root)
{
    pba_status status = schedule_json_load(text, size, JSON_REJECT_DUPLICATES, root);
    if (status == PBA_OK && !json_is_object(*root)) {
        json_decref(*root);
        *root = NULL;
        status = status_set(PBA_FORMAT, "line 1: this is no JSON object");
    }
    return status;
}

static pba_status find(const json_t *object, const char *key, const json_t **value)
{
    *value = json_object_get(object, key);
    return *value ? PBA_OK : status_set(PBA_FORMAT, "field '%s': is missing", key);
}

pba_status schedule_field_int(const json_t *object, const char *key, int min, int max, int *value)
{
    const json_t *item;
    pba_status status = find(object, key, &item);
    if (status != PBA_OK) {
        return status;
    }
    json_int_t number = json_integer_value(item);
    if (!json_is_integer(item)) {
        return status_set(PBA_FORMAT, "field '%s': must be an integer %d..%d", key, min, max);
    }
    if (number < min || number > max) {
        return status_set(PBA_FORMAT, "field '%s': %lld is outside %d..%d", key, (long long)number,
                          min, max);
    }
    *value = (int)number;
    return PBA_OK;
}

pba_status schedule_field_real(const json_t *object, const char *key, double min, double max,
                               double *value)
{
    const json_t *item;
    pba_status status = find(object, key, &item);
    if (status != PBA_OK) {
        return status;
    }
    double number = json_number_value(item);
    if (!json_is_number(item) || !(number >= min && number <= max)) {
        return status_set(PBA_FORMAT, "field '%s': must be a number %g..%g", key, min, max);
    }
    *value = number;
    return PBA_OK;
}

pba_status schedule_field_text(const json_t *object, const char *key, char *text, size_t size)
{
    const json_t *item;
    pba_status status = find(object, key, &item);
    if (status != PBA_OK) {
        return status;
    }
    if (!json_is_string(item) || json_string_length(item) >= size) {
        return status_set(PBA_FORMAT, "field '%s': must be a text of at most %zu bytes", key,
                          size - 1);
    }
    memcpy(text, json_string_value(item), json_string_length(item) + 1);
    return PBA_OK;
}

pba_status schedule_field_list(const json_t *object, const char *key, json_t **list)
{
    const json_t *item;
    pba_status status = find(object, key, &item);
    if (status != PBA_OK) {
        return status;
    }
    *list = json_object_get(object, key);
    return json_is_array(item) ? PBA_OK : status_set(PBA_FORMAT, "field '%s': must be a list", key);
}

pba_status schedule_field_seed(const json_t *object, const char *key, uint64_t *seed)
{
    const json_t *item;
    pba_status status = find(object, key, &item);
    if (status != PBA_OK) {
        return status;
    }
    if (json_is_integer(item) && json_integer_value(item) >= 0) {
        *seed = (uint64_t)json_integer_value(item);
        return PBA_OK;
    }
    const char *text = json_string_value(item);
    if (text && *text && strspn(text, "0123456789") == strlen(text)) {
        errno = 0;
        uintmax_t number = strtoumax(text, NULL, 10);
        if (errno == 0 && number <= UINT64_MAX) {
            *seed = number;
            return PBA_OK;
        }
    }
    return status_set(PBA_FORMAT, "field '%s': must be an integer 0..18446744073709551615", key);
}

pba_status schedule_fields_known(const json_t *object, const char *const *keys)
{
    for (void *each = json_object_iter((json_t *)object); each;
         each = json_object_iter_next((json_t *)object, each)) {
        const char *key = json_object_iter_key(each);
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0) {
            i++;
        }
        if (!keys[i]) {
            return status_set(PBA_FORMAT, "field '%.80s': is unknown to this program", key);
        }
    }
    return PBA_OK;
}

pba_status schedule_field_format(const json_t *root, const char *format, int version)
{
    char name[PBA_NAME_MAX];
    int number = 0;
    pba_status status = schedule_field_text(root, "format", name, sizeof name);
    if (status == PBA_OK && strcmp(name, format) != 0) {
        status = status_set(PBA_FORMAT, "field 'format': \"%s\", not \"%s\"", name, format);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(root, "version", 1, 1 << 30, &number);
    }
    if (status == PBA_OK && number > version) {
        status =
            status_set(PBA_FORMAT, "version %d is newer than this program reads (%d); update pba",
                       number, version);
    }
    return status;
}

static int add_piece(const char *bytes, size_t size, void *out)
{
    text_add_bytes(out, bytes, size);
    return 0;
}

static void add_json(text_buffer *out, const json_t *value, size_t flags)
{
    out->failed |= !value || json_dump_callback(value, add_piece, out, flags) != 0;
}

pba_status schedule_json_dump(const json_t *value, size_t flags, const char *what, char **text)
{
    text_buffer out = {0};
    add_json(&out, value, flags);
    return text_end(&out, what, text, NULL);
}

/* False, with `out` failed: there is no memory to see it. */
static bool reads_back(text_buffer *out, const char *text, double value)
{
    json_t *read;
    out->failed |= schedule_json_load(text, strlen(text), JSON_DECODE_ANY, &read) != PBA_OK;
    bool same = read && json_number_value(read) == value;
    json_decref(read);
    return same;
}

/* Through jansson, which writes and reads a point in every locale. */
void schedule_write_real(text_buffer *out, double value)
{
    json_t *real = json_real(value);
    bool done = false;
    out->failed |= !real;
    for (size_t digits = 1; digits <= 17 && !done && !out->failed; digits++) {
        text_buffer text = {0};
        add_json(&text, real, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
        out->failed |= text.failed;
        done = !text.failed && (reads_back(out, text.data, value) || digits == 17);
        text_add(out, "%s", done ? text.data : "");
        free(text.data);
    }
    json_decref(real);
}

static void write_plain(text_buffer *out, const char *text)
{
    text_add_letter(out, '"');
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        bool plain = byte >= 32 && byte < 127 && byte != '"' && byte != '\\';
        text_add_letter(out, plain ? *text : '?');
    }
    text_add_letter(out, '"');
}

/* json_string returns NULL for both. */
pba_status schedule_text_json(const char *text, json_t **string)
{
    *string = NULL;
    if (!text_is_utf8(text)) {
        return status_set(PBA_USAGE, "is no text in UTF-8");
    }
    *string = json_string(text);
    return *string ? PBA_OK : status_set(PBA_MEMORY, "out of memory for a text");
}

void schedule_write_text(text_buffer *out, const char *text)
{
    json_t *string;
    pba_status status = schedule_text_json(text, &string);
    if (status == PBA_USAGE) {
        write_plain(out, text);
    } else {
        add_json(out, string, JSON_ENCODE_ANY);
    }
    json_decref(string);
}

void schedule_write_seed(text_buffer *out, uint64_t seed)
{
    text_add(out, seed <= INT64_MAX ? "%" PRIu64 : "\"%" PRIu64 "\"", seed);
}
