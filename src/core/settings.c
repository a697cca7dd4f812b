/* SPDX-License-Identifier: Apache-2.0
 * Options as rows: text in, checked field out, and back. The command line, its help and config.json
 * go through here, so that one rule says what a number, a range or a choice is. Numbers are read
 * strictly (no spaces, nothing behind them, no nan) and in the C locale whatever the host's. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/locale.h"
#include "core/status.h"

static void *field_of(void *options, const pba_setting *row)
{
    return (char *)options + row->offset;
}

/* "from 1 to 10", or what is known of it; a row without a range has min == max. */
static const char *range_text(const pba_setting *row, char *text, size_t size)
{
    if (row->min < row->max) {
        snprintf(text, size, " from %.15g to %.15g", row->min, row->max);
    } else {
        text[0] = 0;
    }
    return text;
}

static bool in_range(const pba_setting *row, double value)
{
    return !(row->min < row->max) || (value >= row->min && value <= row->max);
}

static pba_status no_number(const pba_setting *row, const char *text, const char *what)
{
    char range[96];
    return status_set(PBA_USAGE, "%s: \"%s\" is not %s, give one%s", row->name, text, what,
                      range_text(row, range, sizeof range));
}

static pba_status out_of_range(const pba_setting *row, const char *text)
{
    char range[96];
    return status_set(PBA_USAGE, "%s: %s is out of range, give a number%s", row->name, text,
                      range_text(row, range, sizeof range));
}

static bool only(const char *text, const char *characters)
{
    return text[0] && text[strspn(text, characters)] == 0;
}

static pba_status set_int(const pba_setting *row, const char *text, int *field)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (!only(text, "-0123456789") || *end || end == text) {
        return no_number(row, text, "a whole number");
    }
    if (errno || value < INT_MIN || value > INT_MAX || !in_range(row, (double)value)) {
        return out_of_range(row, text);
    }
    *field = (int)value;
    return PBA_OK;
}

static pba_status set_seed(const pba_setting *row, const char *text, uint64_t *field)
{
    if (!only(text, "0123456789")) {
        return no_number(row, text, "a whole number");
    }
    errno = 0;
    unsigned long long value = strtoull(text, NULL, 10);
    if (errno || !in_range(row, (double)value)) {
        return out_of_range(row, text);
    }
    *field = value;
    return PBA_OK;
}

static pba_status set_real(const pba_setting *row, const char *text, double *field)
{
    locale_plain held = locale_enter();
    char *end;
    double value = strtod(text, &end);
    locale_leave(&held);
    if (!only(text, "+-.0123456789eE") || *end || end == text) {
        return no_number(row, text, "a number");
    }
    if (!isfinite(value) || !in_range(row, value)) {
        return out_of_range(row, text);
    }
    *field = value;
    return PBA_OK;
}

static pba_status set_flag(const pba_setting *row, const char *text, bool *field)
{
    bool on = strcmp(text, "true") == 0;
    if (!on && strcmp(text, "false") != 0) {
        return status_set(PBA_USAGE, "%s: \"%s\" is neither true nor false", row->name, text);
    }
    *field = on;
    return PBA_OK;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *at = strchr(text, '|') ? NULL : choices; at;
         at = strchr(at, '|'), at = at ? at + 1 : NULL) {
        if (strncmp(at, text, length) == 0 && (at[length] == '|' || at[length] == 0)) {
            return true;
        }
    }
    return false;
}

static pba_status set_text(const pba_setting *row, const char *text, char *field)
{
    size_t length = strlen(text);
    if (row->choices && !is_choice(row->choices, text)) {
        return status_set(PBA_USAGE, "%s: \"%s\" is not one of %s", row->name, text, row->choices);
    }
    if (length >= row->size) {
        return status_set(PBA_USAGE, "%s: %zu bytes are too long, give at most %zu", row->name,
                          length, row->size - 1);
    }
    memcpy(field, text, length + 1);
    return PBA_OK;
}

static pba_status set_field(void *options, const pba_setting *row, const char *text)
{
    void *field = field_of(options, row);
    switch (row->type) {
    case PBA_SETTING_INT:
        return set_int(row, text, field);
    case PBA_SETTING_SEED:
        return set_seed(row, text, field);
    case PBA_SETTING_REAL:
        return set_real(row, text, field);
    case PBA_SETTING_FLAG:
        return set_flag(row, text, field);
    case PBA_SETTING_TEXT:
    case PBA_SETTING_LIST:
        return set_text(row, text, field);
    }
    return status_set(PBA_INTERNAL, "%s: a setting of unknown type", row->name);
}

/* Edit distance (Levenshtein); names longer than the row of costs are as far away as can be. */
static int distance(const char *a, const char *b)
{
    int costs[PBA_NAME_MAX + 1];
    size_t length = strlen(b);
    if (length > PBA_NAME_MAX || strlen(a) > PBA_NAME_MAX) {
        return INT_MAX;
    }
    for (size_t j = 0; j <= length; j++) {
        costs[j] = (int)j;
    }
    for (size_t i = 0; a[i]; i++) {
        int diagonal = costs[0];
        costs[0] = (int)i + 1;
        for (size_t j = 0; j < length; j++) {
            int replace = diagonal + (a[i] != b[j]);
            int insert = (costs[j] < costs[j + 1] ? costs[j] : costs[j + 1]) + 1;
            diagonal = costs[j + 1];
            costs[j + 1] = replace < insert ? replace : insert;
        }
    }
    return costs[length];
}

static pba_status unknown_name(const pba_setting *rows, size_t count, const char *name)
{
    const char *nearest = NULL;
    int best = INT_MAX;
    for (size_t i = 0; i < count; i++) {
        int far = distance(name, rows[i].name);
        if (far < best) {
            best = far;
            nearest = rows[i].name;
        }
    }
    return nearest
               ? status_set(PBA_USAGE, "%s: no such option, the nearest one is %s", name, nearest)
               : status_set(PBA_USAGE, "%s: no such option", name);
}

static const pba_setting *find(const pba_setting *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

void pba_settings_init(void *options, const pba_setting *rows, size_t count)
{
    for (size_t i = 0; options && rows && i < count; i++) {
        set_field(options, &rows[i], rows[i].initial); /* the rows' defaults are tested to pass */
    }
}

pba_status pba_settings_set(void *options, const pba_setting *rows, size_t count, const char *name,
                            const char *text)
{
    if (!options || !rows || !name || !text) {
        return status_null(__func__);
    }
    const pba_setting *row = find(rows, count, name);
    return row ? set_field(options, row, text) : unknown_name(rows, count, name);
}

/* Few digits that read back as the same double. */
static int print_real(double value, char *text, size_t size)
{
    locale_plain held = locale_enter();
    int length = 0;
    for (int digits = 6; digits <= 17; digits++) {
        length = snprintf(text, size, "%.*g", digits, value);
        if (length >= (int)size || strtod(text, NULL) == value) {
            break;
        }
    }
    locale_leave(&held);
    return length;
}

static int print_field(const void *field, const pba_setting *row, char *text, size_t size)
{
    switch (row->type) {
    case PBA_SETTING_INT:
        return snprintf(text, size, "%d", *(const int *)field);
    case PBA_SETTING_SEED:
        return snprintf(text, size, "%llu", (unsigned long long)*(const uint64_t *)field);
    case PBA_SETTING_REAL:
        return print_real(*(const double *)field, text, size);
    case PBA_SETTING_FLAG:
        return snprintf(text, size, "%s", *(const bool *)field ? "true" : "false");
    case PBA_SETTING_TEXT:
    case PBA_SETTING_LIST: /* a caller's field may lack its 0 */
        return memchr(field, 0, row->size) ? snprintf(text, size, "%s", (const char *)field) : -1;
    }
    return -1;
}

pba_status pba_settings_get(const void *options, const pba_setting *rows, size_t count,
                            const char *name, char *text, size_t size)
{
    if (!options || !rows || !name || !text) {
        return status_null(__func__);
    }
    const pba_setting *row = find(rows, count, name);
    if (!row) {
        return unknown_name(rows, count, name);
    }
    int length = print_field((const char *)options + row->offset, row, text, size);
    if (length < 0 || (size_t)length >= size) {
        return status_set(PBA_USAGE, "%s: %zu bytes are too few for its value", name, size);
    }
    return PBA_OK;
}
