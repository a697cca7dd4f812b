/* SPDX-License-Identifier: Apache-2.0
 * A warm start: the members' first policies come from a schedule instead of being empty.
 *
 * A schedule of PBA begins with the empty policy and ends with a strong one, so that its first
 * policy would be no warm start and its last one too much for some fresh networks. Members are
 * spread evenly over its epochs instead, from the first to the last: whichever part serves fresh
 * networks best is found by the first copies. Every second member explores once, so that members
 * that fall into the same segment differ. */
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "population/population.h"

/* "Rotate, TranslateX, 13 more; 2 copies" */
static void name_ops(const char *const *ops, int count, int copies, char *text, size_t size)
{
    int some = count < 3 ? count : 3;
    size_t used = 0;
    for (int i = 0; i < some && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", ops[i]);
    }
    if (used < size && count > some) {
        used += (size_t)snprintf(text + used, size - used, ", %d more", count - some);
    }
    if (used < size) {
        snprintf(text + used, size - used, "; %d cop%s", copies, copies == 1 ? "y" : "ies");
    }
}

static pba_status check(const pba_population_options *options, const pba_schedule *schedule)
{
    char ours[256], theirs[256];
    bool same = schedule->op_count == options->op_count && schedule->copies == options->copies;
    int other = 0;
    while (same && other < options->op_count &&
           strcmp(schedule->ops[other], options->ops[other]) == 0) {
        other++;
    }
    if (same && other == options->op_count) {
        return PBA_OK;
    }
    if (same) {
        return status_set(PBA_USAGE,
                          "its operation %d is %s, that of this search %s: they must be the same, "
                          "in the same order",
                          other + 1, schedule->ops[other], options->ops[other]);
    }
    name_ops(schedule->ops, schedule->op_count, schedule->copies, theirs, sizeof theirs);
    name_ops(options->ops, options->op_count, options->copies, ours, sizeof ours);
    return status_set(PBA_USAGE,
                      "its operations (%s) are not those of this search (%s); a search starts only "
                      "from a schedule of the same ones",
                      theirs, ours);
}

pba_policy population_start(const pba_population *population, int member)
{
    return population->start
               ? population->start[member]
               : (pba_policy){.entries = population->options.op_count * population->options.copies};
}

pba_status population_warm(pba_population *population, const pba_schedule *schedule)
{
    const pba_population_options *options = &population->options;
    int last = options->population - 1;
    pba_status status = check(options, schedule);
    if (status != PBA_OK) {
        return status;
    }
    population->start = memory_new((size_t)options->population, sizeof *population->start);
    if (!population->start) {
        return PBA_MEMORY;
    }
    for (int i = 0; i <= last && status == PBA_OK; i++) {
        int epoch = (int)((int64_t)i * (schedule->epochs - 1) / last);
        status = pba_schedule_at(schedule, epoch, &population->start[i]);
        if (status == PBA_OK && i % 2) {
            rng stream = rng_at(options->seed, RNG_EXPLORE, (uint32_t)i, 0, 1);
            population_explore(&population->start[i], options->resample, &stream);
        }
        population->members[i].policy = population->start[i];
    }
    return status;
}
