/* SPDX-License-Identifier: Apache-2.0
 * Who copied whom. Only copies that a living member descends from are kept, so that memory does not
 * grow with the search. */
#include <stdlib.h>

#include "core/memory.h"
#include "population/population.h"

pba_status population_remember(pba_population *population, const population_event *event,
                               int *index)
{
    if (population->event_count == population->event_room) {
        int room = population->event_room ? 2 * population->event_room : 16;
        void *more = memory_grow(population->events, (size_t)room, sizeof *population->events);
        if (!more) {
            return PBA_MEMORY;
        }
        population->events = more;
        population->event_room = room;
    }
    *index = population->event_count++;
    population->events[*index] = *event;
    return PBA_OK;
}

/* places[i]: 0 for events to forget, new number + 1 for the others. Parents have lower numbers, so
 * one pass up marks and one pass down moves. */
static void compact(pba_population *population, int *places)
{
    for (int i = 0; i < population->options.population; i++) {
        if (population->members[i].event != POPULATION_NONE) {
            places[population->members[i].event] = 1;
        }
    }
    for (int i = population->event_count - 1; i >= 0; i--) {
        int parent = population->events[i].parent;
        if (places[i] && parent != POPULATION_NONE) {
            places[parent] = 1;
        }
    }
    int kept = 0;
    for (int i = 0; i < population->event_count; i++) {
        if (places[i]) {
            population_event event = population->events[i];
            event.parent =
                event.parent == POPULATION_NONE ? event.parent : places[event.parent] - 1;
            population->events[kept++] = event;
            places[i] = kept;
        }
    }
    for (int i = 0; i < population->options.population; i++) {
        int *event = &population->members[i].event;
        *event = *event == POPULATION_NONE ? *event : places[*event] - 1;
    }
    population->event_count = kept;
}

pba_status population_forget(pba_population *population)
{
    int *places = memory_new((size_t)population->event_count, sizeof *places);
    if (!places) {
        return PBA_MEMORY;
    }
    compact(population, places);
    free(places);
    return PBA_OK;
}

static pba_status append(const pba_population *population, int member, const int *path, int count,
                         pba_schedule *schedule)
{
    int root = count ? population->events[path[0]].source : member;
    pba_policy policy = population_start(population, root);
    int end = count ? population->events[path[0]].epoch : population->options.epochs;
    pba_status status = schedule_append(schedule, end, &policy, NULL);
    for (int i = 0; i < count && status == PBA_OK; i++) {
        const population_event *from = &population->events[path[i]];
        int begin = from->epoch;
        end = i + 1 < count ? population->events[path[i + 1]].epoch : population->options.epochs;
        schedule_event event = {.target_epoch = begin, .source_epoch = begin};
        snprintf(event.target, sizeof event.target, "%d", from->target);
        snprintf(event.source, sizeof event.source, "%d", from->source);
        status = schedule_append(schedule, end - begin, &from->policy, &event);
    }
    return status;
}

pba_status population_lineage(const pba_population *population, int member, pba_schedule **schedule)
{
    const pba_population_options *options = &population->options;
    int count = 0, last = population->members[member].event;
    int *path = memory_new((size_t)population->event_count, sizeof *path);
    if (!path) {
        return PBA_MEMORY;
    }
    for (int i = last; i != POPULATION_NONE; i = population->events[i].parent) {
        count++;
    }
    for (int i = last, place = count; i != POPULATION_NONE; i = population->events[i].parent) {
        path[--place] = i;
    }
    pba_status status = schedule_create(options->ops, options->op_count, options->copies, schedule);
    if (status == PBA_OK) {
        status = append(population, member, path, count, *schedule);
    }
    if (status != PBA_OK) {
        pba_schedule_free(*schedule);
        *schedule = NULL;
    }
    free(path);
    return status;
}
