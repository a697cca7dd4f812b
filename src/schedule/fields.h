/* SPDX-License-Identifier: Apache-2.0
 * Reading fields of JSON objects with messages that name them, and writing numbers: for schedules
 * and for everything above that keeps JSON. All failures are PBA_FORMAT, "field 'x': ...". */
#ifndef SCHEDULE_FIELDS_H
#define SCHEDULE_FIELDS_H

#include <jansson.h>

#include "core/text.h"

/* The text's value, by json_loadb with these flags: PBA_FORMAT names line and column. Jansson does
 * not notice that memory for a long string ran out, and then loses characters of it, or aborts
 * (2.14): as much as it can want is asked for beforehand. Free with json_decref. */
pba_status schedule_json_load(const char *text, size_t size, size_t flags, json_t **root);

/* The same for a text that must be an object; a key given twice is refused. */
pba_status schedule_json_parse(const char *text, size_t size, json_t **root);

pba_status schedule_field_int(const json_t *object, const char *key, int min, int max, int *value);
pba_status schedule_field_real(const json_t *object, const char *key, double min, double max,
                               double *value);
pba_status schedule_field_text(const json_t *object, const char *key, char *text, size_t size);
pba_status schedule_field_list(const json_t *object, const char *key, json_t **list);
/* A seed is a number, or a text where JSON readers' 63 bits are too few for it. */
pba_status schedule_field_seed(const json_t *object, const char *key, uint64_t *seed);

/* Every key of the object is in the list, which ends with NULL. */
pba_status schedule_fields_known(const json_t *object, const char *const *keys);

/* The file says that it is `format`, in a version from 1 to `version`. */
pba_status schedule_field_format(const json_t *root, const char *format, int version);

/* json_dumps for free(), NULL being no value for lack of memory, too; `what` for the message.
 * json_dumps itself does not notice that memory for an object's key ran out, and leaves it out. */
pba_status schedule_json_dump(const json_t *value, size_t flags, const char *what, char **text);

/* The text as a value; PBA_USAGE where it is no UTF-8, which JSON needs. */
pba_status schedule_text_json(const char *text, json_t **string);

/* The shortest decimal that reads back as the same finite double, whatever the locale. */
void schedule_write_real(text_buffer *out, double value);
/* Quoted; a text that is no UTF-8 with ? for all but plain letters. */
void schedule_write_text(text_buffer *out, const char *text);
void schedule_write_seed(text_buffer *out, uint64_t seed);

#endif
