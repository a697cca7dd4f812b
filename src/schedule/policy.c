/* SPDX-License-Identifier: Apache-2.0
 * Validation of policies and of lists of operations, in one place for files and callers. */
#include "schedule/policy.h"

#include <ctype.h>
#include <string.h>

const char *const schedule_pba_ops[SCHEDULE_PBA_OPS] = {
    "Rotate", "TranslateX", "TranslateY",   "Brightness", "Color",
    "Invert", "Sharpness",  "Posterize",    "ShearX",     "Solarize",
    "ShearY", "Equalize",   "AutoContrast", "Cutout",     "Contrast",
};

int schedule_value_max(int place)
{
    return place % 2 == 0 ? SCHEDULE_PROBABILITY_MAX : SCHEDULE_LEVEL_MAX;
}

bool schedule_name_is_legal(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length; i++) {
        unsigned char letter = (unsigned char)name[i];
        if (letter > 127 || (!isalnum(letter) && letter != '-' && letter != '_')) {
            return false;
        }
    }
    return length > 0 && length < PBA_NAME_MAX;
}

static pba_status name_check(const char *name)
{
    size_t length = name ? strlen(name) : 0;
    if (length == 0 || length >= PBA_NAME_MAX) {
        return status_set(PBA_USAGE, "ops: the name of an operation has 1 to %d letters",
                          PBA_NAME_MAX - 1);
    }
    return schedule_name_is_legal(name)
               ? PBA_OK
               : status_set(PBA_USAGE, "ops: '%s' is no name of an operation", name);
}

pba_status schedule_ops_check(const char *const *ops, int count, int copies)
{
    if (count < 1 || copies < 1 || count > PBA_POLICY_MAX || copies > PBA_POLICY_MAX / count) {
        return status_set(PBA_USAGE, "ops, copies: %d operations x %d copies; 1 to %d entries fit",
                          count, copies, PBA_POLICY_MAX);
    }
    for (int i = 0; i < count; i++) {
        pba_status status = name_check(ops[i]);
        if (status != PBA_OK) {
            return status;
        }
        for (int j = 0; j < i; j++) {
            if (strcmp(ops[i], ops[j]) == 0) {
                return status_set(PBA_USAGE, "ops: '%s' is named twice", ops[i]);
            }
        }
    }
    return PBA_OK;
}

static const char *value_kind(int place)
{
    return place % 2 == 0 ? "probability" : "level";
}

pba_status schedule_policy_check(const pba_policy *policy, int entries)
{
    if (policy->entries != entries || entries < 1 || entries > PBA_POLICY_MAX) {
        return status_set(PBA_USAGE, "the policy has %d entries; %d were expected", policy->entries,
                          entries);
    }
    for (int i = 0; i < 2 * entries; i++) {
        if (policy->values[i] > schedule_value_max(i)) {
            return status_set(PBA_USAGE, "entry %d: %s %d is outside 0..%d", i / 2, value_kind(i),
                              policy->values[i], schedule_value_max(i));
        }
    }
    return PBA_OK;
}

json_t *schedule_policy_json(const pba_policy *policy)
{
    json_t *list = json_array();
    for (int i = 0; i < 2 * policy->entries; i++) {
        if (json_array_append_new(list, json_integer(policy->values[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

pba_status schedule_policy_parse(const json_t *list, const char *const *ops, int op_count,
                                 int copies, pba_policy *policy)
{
    int entries = op_count * copies;
    if (!json_is_array(list)) {
        return status_set(PBA_FORMAT, "the policy is no list");
    }
    if (json_array_size(list) != (size_t)(2 * entries)) {
        return status_set(PBA_FORMAT,
                          "the policy has %zu integers; %d are needed (%d operations x %d copies x "
                          "probability and level)",
                          json_array_size(list), 2 * entries, op_count, copies);
    }
    *policy = (pba_policy){.entries = entries};
    for (int i = 0; i < 2 * entries; i++) {
        const json_t *item = json_array_get(list, (size_t)i);
        json_int_t value = json_integer_value(item);
        if (!json_is_integer(item) || value < 0 || value > schedule_value_max(i)) {
            char text[32] = "no integer";
            if (json_is_integer(item)) {
                snprintf(text, sizeof text, "%lld", (long long)value);
            }
            return status_set(PBA_FORMAT, "entry %d (%s): %s %s, which must be 0..%d", i / 2,
                              ops[i / 2 % op_count], value_kind(i), text, schedule_value_max(i));
        }
        policy->values[i] = (uint8_t)value;
    }
    return PBA_OK;
}
