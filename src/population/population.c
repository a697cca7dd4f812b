/* SPDX-License-Identifier: Apache-2.0
 * Ask and tell. */
#include "population/population.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

void pba_population_defaults(pba_population_options *options)
{
    static const pba_population_options defaults = {.population = 16,
                                                    .epochs = 200,
                                                    .interval = 3,
                                                    .copies = SCHEDULE_PBA_COPIES,
                                                    .quantile = 0.25,
                                                    .resample = 0.2};
    if (options) {
        *options = defaults;
    }
}

static pba_status range(const char *name, int value, int min, int max)
{
    if (value < min || value > max) {
        return status_set(PBA_USAGE, "%s: %d is outside %d..%d", name, value, min, max);
    }
    return PBA_OK;
}

static pba_status share(const char *name, double value, double max)
{
    if (!(value >= 0 && value <= max)) {
        return status_set(PBA_USAGE, "%s: %g is outside 0..%g", name, value, max);
    }
    return PBA_OK;
}

static pba_status check(const pba_population_options *options)
{
    pba_status status = range("population", options->population, 2, POPULATION_MAX);
    if (status == PBA_OK) {
        status = range("epochs", options->epochs, 1, SCHEDULE_EPOCHS_MAX);
    }
    if (status == PBA_OK) {
        status = range("interval", options->interval, 1, SCHEDULE_EPOCHS_MAX);
    }
    if (status == PBA_OK) {
        status = range("burn_in", options->burn_in, 0, SCHEDULE_EPOCHS_MAX);
    }
    if (status == PBA_OK) {
        status = share("quantile", options->quantile, 0.5);
    }
    if (status == PBA_OK) {
        status = share("resample", options->resample, 1);
    }
    if (status == PBA_OK) {
        status = range("selection", (int)options->selection, PBA_SELECTION_TRUNCATION,
                       PBA_SELECTION_NONE);
    }
    if (status == PBA_OK) {
        status = schedule_ops_check(options->ops, options->op_count, options->copies);
    }
    return status;
}

static pba_status allocate(pba_population *population)
{
    size_t count = (size_t)population->options.op_count;
    population->names = memory_new(count, sizeof *population->names);
    population->ops = memory_new(count, sizeof *population->ops);
    population->members =
        memory_new((size_t)population->options.population, sizeof *population->members);
    return population->names && population->ops && population->members ? PBA_OK : PBA_MEMORY;
}

static void begin(pba_population *population)
{
    pba_population_options *options = &population->options;
    for (int i = 0; i < options->op_count; i++) {
        memcpy(population->names[i], options->ops[i], strlen(options->ops[i]) + 1);
        population->ops[i] = population->names[i];
    }
    options->ops = population->ops;
    population->rounds = (options->epochs - 1) / options->interval + 1;
    for (int i = 0; i < options->population; i++) {
        population->members[i] =
            (population_member){.policy = {.entries = options->op_count * options->copies},
                                .weights_from = i,
                                .event = POPULATION_NONE};
    }
}

pba_status pba_population_create(const pba_population_options *options, pba_population **population)
{
    if (!options || !population) {
        return status_null(__func__);
    }
    *population = NULL;
    pba_population_options own = *options;
    if (!own.ops) {
        own.ops = schedule_pba_ops;
        own.op_count = SCHEDULE_PBA_OPS;
    }
    pba_status status = check(&own);
    if (status != PBA_OK) {
        return status;
    }
    pba_population *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return PBA_MEMORY;
    }
    fresh->options = own;
    status = allocate(fresh);
    if (status != PBA_OK) {
        pba_population_free(fresh);
        return status;
    }
    begin(fresh);
    if (own.start) {
        status = population_warm(fresh, own.start);
        fresh->options.start = NULL; /* need not outlive the call */
    }
    if (status != PBA_OK) {
        pba_population_free(fresh);
        return status;
    }
    *population = fresh;
    return PBA_OK;
}

void pba_population_free(pba_population *population)
{
    if (population) {
        free(population->names);
        free(population->ops);
        free(population->members);
        free(population->start);
        free(population->events);
        free(population);
    }
}

int population_round_begin(const pba_population *population, int round)
{
    const pba_population_options *options = &population->options;
    return round < population->rounds ? round * options->interval : options->epochs;
}

/* The lowest member in that state; the number of members where there is none. */
static int find_state(const pba_population *population, population_state state)
{
    int i = 0;
    while (i < population->options.population && population->members[i].state != state) {
        i++;
    }
    return i;
}

pba_status pba_population_ask(pba_population *population, pba_task *task)
{
    if (!population || !task) {
        return status_null(__func__);
    }
    if (population->round == population->rounds) {
        *task = (pba_task){.kind = PBA_TASK_DONE};
        return PBA_OK;
    }
    int index = find_state(population, POPULATION_READY);
    if (index == population->options.population) {
        *task = (pba_task){.kind = PBA_TASK_WAIT};
        return PBA_OK;
    }
    population_member *member = &population->members[index];
    member->state = POPULATION_OUT;
    *task = (pba_task){.kind = PBA_TASK_TRAIN,
                       .member = index,
                       .round = population->round,
                       .from_epoch = population_round_begin(population, population->round),
                       .until_epoch = population_round_begin(population, population->round + 1),
                       .weights_from = member->weights_from,
                       .policy = member->policy};
    return PBA_OK;
}

static bool all_told(const pba_population *population)
{
    int count = population->options.population;
    return find_state(population, POPULATION_READY) == count &&
           find_state(population, POPULATION_OUT) == count;
}

pba_status pba_population_tell(pba_population *population, int member, double error)
{
    if (!population) {
        return status_null(__func__);
    }
    pba_status status = range("member", member, 0, population->options.population - 1);
    if (status != PBA_OK) {
        return status;
    }
    if (population->round == population->rounds ||
        population->members[member].state != POPULATION_OUT) {
        return status_set(PBA_USAGE, "member %d is not out for training; ask first", member);
    }
    population->members[member].state = POPULATION_TOLD;
    population->members[member].error = isfinite(error) ? error : (double)INFINITY;
    return all_told(population) ? population_end_round(population) : PBA_OK;
}

pba_status pba_population_best(const pba_population *population, int *member, double *error)
{
    if (!population || !member || !error) {
        return status_null(__func__);
    }
    if (population->round != population->rounds) {
        return status_set(PBA_USAGE,
                          "the population is in round %d of %d; the best is known at "
                          "the end",
                          population->round, population->rounds);
    }
    int best = 0;
    for (int i = 1; i < population->options.population; i++) {
        if (population->members[i].error < population->members[best].error) {
            best = i;
        }
    }
    *member = best;
    *error = population->members[best].error;
    return PBA_OK;
}

pba_status pba_population_schedule(const pba_population *population, pba_schedule **schedule)
{
    if (!population || !schedule) {
        return status_null(__func__);
    }
    *schedule = NULL;
    int member;
    double error;
    pba_status status = pba_population_best(population, &member, &error);
    if (status == PBA_OK) {
        status = population_lineage(population, member, schedule);
    }
    if (status == PBA_OK) {
        bool share_known = error >= 0 && error <= 1;
        (*schedule)->source = (schedule_source){.known = true,
                                                .seed = population->options.seed,
                                                .population = population->options.population,
                                                .interval = population->options.interval,
                                                .val_error = share_known ? error : -1};
    }
    return status;
}
