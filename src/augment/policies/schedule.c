/* SPDX-License-Identifier: Apache-2.0
 * A schedule that a search has found: a file, or the folder of its run. */
#include "augment/kind.h"

#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "schedule/schedule.h"

/* An operation of a plug-in means what it did when the schedule was found. */
static pba_status check_origin(const char *wanted, const schedule_origin *origin)
{
    const augment_op *op = augment_op_find(wanted);
    if (!op) {
        return status_set(PBA_FORMAT,
                          "needs operation %s of plug-in %s, which is not loaded; give its file by "
                          "--plugin (%s.so)",
                          wanted, origin->plugin, origin->plugin);
    }
    if (!op->plugin || strcmp(op->plugin, origin->plugin) != 0) {
        return status_set(PBA_FORMAT, "needs operation %s of plug-in %s; here it is %s%s", wanted,
                          origin->plugin, op->plugin ? "that of plug-in " : "built in",
                          op->plugin ? op->plugin : "");
    }
    if (op->row->version != origin->version) {
        return status_set(PBA_FORMAT,
                          "needs version %d of operation %s of plug-in %s; %s has version %d",
                          origin->version, wanted, origin->plugin, op->source, op->row->version);
    }
    return PBA_OK;
}

pba_status pba_schedule_check(const pba_schedule *schedule)
{
    if (!schedule) {
        return status_null(__func__);
    }
    pba_status status = PBA_OK;
    for (int i = 0; i < schedule->op_count && status == PBA_OK; i++) {
        const augment_op *op;
        const schedule_origin *origin = &schedule->origins[i];
        status = origin->version ? check_origin(schedule->ops[i], origin)
                                 : augment_op_require(schedule->ops[i], &op);
    }
    return status == PBA_OK ? PBA_OK : PBA_FORMAT;
}

pba_status augment_check_operations(const char *name, const pba_schedule *schedule)
{
    return pba_schedule_check(schedule) == PBA_OK ? PBA_OK : status_prefix(PBA_FORMAT, "%s", name);
}

void augment_sign_schedule(pba_schedule *schedule)
{
    for (int i = 0; i < schedule->op_count; i++) {
        const augment_op *op = augment_op_find(schedule->ops[i]);
        if (op && op->plugin) {
            schedule_origin *origin = &schedule->origins[i];
            origin->version = op->row->version;
            snprintf(origin->plugin, sizeof origin->plugin, "%s", op->plugin);
        }
    }
}

static pba_status load_folder(const char *name, pba_schedule **schedule)
{
    char inside[PBA_PATH_MAX];
    pba_status status = file_join(inside, name, "schedule.json");
    if (status == PBA_OK && !file_exists(inside)) {
        return status_set(PBA_NOT_FOUND,
                          "%s: there is no schedule.json in it; finish its search with pba search "
                          "--resume %s",
                          name, name);
    }
    return status == PBA_OK ? pba_schedule_load(inside, 0, schedule) : status;
}

static pba_status load_file(const char *name, pba_schedule **schedule)
{
    pba_status status = pba_schedule_load(name, 0, schedule);
    return status != PBA_USAGE
               ? status
               : status_set(PBA_USAGE,
                            "%s: a log does not say how many epochs its search had; make it a "
                            "schedule with pba schedule convert %s schedule.json --epochs N",
                            name, name);
}

static pba_status parse(const char *arguments, augment_choice *choice)
{
    pba_status status = file_is_folder(arguments) ? load_folder(arguments, &choice->schedule)
                                                  : load_file(arguments, &choice->schedule);
    return status == PBA_OK ? augment_check_operations(arguments, choice->schedule) : status;
}

extern const augment_kind augment_schedule;

const augment_kind augment_schedule = {
    .name = NULL,
    .pattern = "RUN|FILE",
    .example = "runs/search-demo-1",
    .sentence = "The schedule of a search, named by its run folder or by the file, stretched to "
                "the epochs of the training.",
    .source = "Ho et al. 2019",
    .parse = parse,
};

pba_status augment_choice_of(const char *const *ops, int count, const schedule_counts *counts,
                             augment_choice *choice)
{
    *choice = (augment_choice){.kind = &augment_schedule};
    pba_status status = schedule_create(ops, count, SCHEDULE_PBA_COPIES, &choice->schedule);
    if (status == PBA_OK) {
        choice->schedule->counts = *counts;
    }
    return status;
}
