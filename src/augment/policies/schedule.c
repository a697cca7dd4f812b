/* SPDX-License-Identifier: Apache-2.0
 * A schedule that a search has found: a file, or the folder of its run. */
#include "augment/kind.h"

#include "core/file.h"

pba_status augment_check_operations(const char *name, const pba_schedule *schedule)
{
    for (int i = 0; i < pba_schedule_op_count(schedule); i++) {
        const augment_op *op;
        if (augment_op_require(pba_schedule_op(schedule, i), &op) != PBA_OK) {
            return status_prefix(PBA_FORMAT, "%s", name);
        }
    }
    return PBA_OK;
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
