/* SPDX-License-Identifier: Apache-2.0
 * One policy of the PBA space for all epochs, from a file: a schedule.json of one segment, or a
 * JSON list of 60 integers, p0 m0 p1 m1 ..., over the fifteen operations of the paper, twice. */
#include "augment/kind.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "schedule/fields.h"
#include "schedule/policy.h"
#include "schedule/schedule.h"

static pba_status read_list(const char *path, const char *text, size_t size,
                            pba_schedule **schedule)
{
    pba_policy policy;
    json_t *list;
    pba_status status = schedule_json_load(text, size, 0, &list);
    if (status != PBA_OK) {
        status_set(status, "%s; a list of 60 integers is needed", pba_error_message());
        return status_prefix(status, "%s", path);
    }
    status = schedule_policy_parse(list, schedule_pba_ops, SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES,
                                   &policy);
    json_decref(list);
    return status == PBA_OK
               ? pba_schedule_constant(&policy, schedule_pba_ops, SCHEDULE_PBA_OPS, 1, schedule)
               : status_prefix(status, "%s", path);
}

static pba_status read_schedule(const char *path, pba_schedule **schedule)
{
    pba_status status = pba_schedule_load(path, 0, schedule);
    if (status == PBA_OK && pba_schedule_segments(*schedule) != 1) {
        return status_set(
            PBA_FORMAT,
            "%s: has %d segments, a constant policy has one; leave out policy: to use "
            "it as a schedule",
            path, pba_schedule_segments(*schedule));
    }
    return status == PBA_OK ? augment_check_operations(path, *schedule) : status;
}

static pba_status parse(const char *arguments, augment_choice *choice)
{
    char *text;
    size_t size;
    if (!arguments || !*arguments) {
        return status_set(PBA_USAGE, "policy: names no file; use policy:FILE");
    }
    pba_status status = file_read(arguments, SCHEDULE_FILE_MAX, &text, &size);
    if (status != PBA_OK) {
        return status;
    }
    bool list = text[strspn(text, " \t\r\n")] == '[';
    status = list ? read_list(arguments, text, size, &choice->schedule) : PBA_OK;
    free(text);
    return list ? status : read_schedule(arguments, &choice->schedule);
}

extern const augment_kind augment_constant;

const augment_kind augment_constant = {
    .name = "policy",
    .pattern = "policy:FILE",
    .example = "policy:policy.json",
    .sentence = "One policy of the PBA space in every epoch, from a JSON list of 60 integers or a "
                "schedule file of one segment.",
    .source = "Ho et al. 2019",
    .flags = AUGMENT_CONSTANT,
    .parse = parse,
};
