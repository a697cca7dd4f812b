/* SPDX-License-Identifier: Apache-2.0
 * The whole state as JSON. Members that were out are asked for again by whoever reads it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "population/population.h"
#include "schedule/fields.h"

static const char format[] = "pba-population";
static const char lost[] = "lost";                              /* JSON has no infinity */
static const char *const selections[] = {"truncation", "none"}; /* by pba_selection */
enum { VERSION = 1 };

/* ------------------------------------------------------------------ writing */

static void write_real(text_buffer *out, const char *key, double value)
{
    text_add(out, "\"%s\": ", key);
    schedule_write_real(out, value);
}

static void write_options(text_buffer *out, const pba_population_options *options)
{
    text_add(out, "{\"format\": \"%s\", \"version\": %d,\n", format, VERSION);
    text_add(out, " \"population\": %d, \"epochs\": %d, \"interval\": %d, \"seed\": ",
             options->population, options->epochs, options->interval);
    schedule_write_seed(out, options->seed);
    text_add(out, ",\n ");
    write_real(out, "quantile", options->quantile);
    text_add(out, ", ");
    write_real(out, "resample", options->resample);
    text_add(out, ", \"selection\": \"%s\", \"burn_in\": %d", selections[options->selection],
             options->burn_in);
    text_add(out, ", \"copies\": %d, \"ops\": [", options->copies);
    for (int i = 0; i < options->op_count; i++) {
        text_add(out, "%s\"%s\"", i ? ", " : "", options->ops[i]);
    }
    text_add(out, "],\n");
}

static void write_member(text_buffer *out, const population_member *member)
{
    text_add(out, "\n  {\"weights_from\": %d, \"event\": %d, ", member->weights_from,
             member->event);
    if (member->state != POPULATION_TOLD) {
        text_add(out, "\"error\": null");
    } else if (!isfinite(member->error)) {
        text_add(out, "\"error\": \"%s\"", lost);
    } else {
        write_real(out, "error", member->error);
    }
    text_add(out, "}");
}

static void write_policy(text_buffer *out, const pba_policy *policy)
{
    text_add(out, "[");
    for (int i = 0; i < 2 * policy->entries; i++) {
        text_add(out, "%s%d", i ? "," : "", policy->values[i]);
    }
    text_add(out, "]");
}

static void write_event(text_buffer *out, const population_event *event)
{
    text_add(out,
             "\n  {\"parent\": %d, \"target\": %d, \"source\": %d, \"epoch\": %d, \"policy\": ",
             event->parent, event->target, event->source, event->epoch);
    write_policy(out, &event->policy);
    text_add(out, "}");
}

/* Left out where all members began with the policy of zeros. */
static void write_start(text_buffer *out, const pba_population *population)
{
    for (int i = 0; population->start && i < population->options.population; i++) {
        text_add(out, i ? ",\n  " : " \"start\": [\n  ");
        write_policy(out, &population->start[i]);
    }
    text_add(out, population->start ? "],\n" : "");
}

static void write_all(text_buffer *out, const pba_population *population)
{
    write_options(out, &population->options);
    write_start(out, population);
    text_add(out, " \"round\": %d,\n \"events\": [", population->round);
    for (int i = 0; i < population->event_count; i++) {
        text_add(out, i ? "," : "");
        write_event(out, &population->events[i]);
    }
    text_add(out, "],\n \"members\": [");
    for (int i = 0; i < population->options.population; i++) {
        text_add(out, i ? "," : "");
        write_member(out, &population->members[i]);
    }
    text_add(out, "]}\n");
}

pba_status pba_population_to_json(const pba_population *population, char **text)
{
    if (!population || !text) {
        return status_null(__func__);
    }
    text_buffer out = {0};
    write_all(&out, population);
    return text_end(&out, "a population's text", text, NULL);
}

/* ------------------------------------------------------------------ reading */

static pba_status read_numbers(const json_t *root, pba_population_options *options)
{
    pba_status status = schedule_field_format(root, format, VERSION);
    if (status == PBA_OK) {
        status = schedule_field_int(root, "population", 2, POPULATION_MAX, &options->population);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(root, "epochs", 1, SCHEDULE_EPOCHS_MAX, &options->epochs);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(root, "interval", 1, SCHEDULE_EPOCHS_MAX, &options->interval);
    }
    if (status == PBA_OK) {
        status = schedule_field_seed(root, "seed", &options->seed);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(root, "copies", 1, PBA_POLICY_MAX, &options->copies);
    }
    if (status == PBA_OK && json_object_get(root, "burn_in")) { /* older states have none */
        status = schedule_field_int(root, "burn_in", 0, SCHEDULE_EPOCHS_MAX, &options->burn_in);
    }
    if (status == PBA_OK) {
        status = schedule_field_real(root, "quantile", 0, 0.5, &options->quantile);
    }
    if (status == PBA_OK) {
        status = schedule_field_real(root, "resample", 0, 1, &options->resample);
    }
    return status;
}

static pba_status read_selection(const json_t *root, pba_selection *selection)
{
    char text[16];
    pba_status status = schedule_field_text(root, "selection", text, sizeof text);
    if (status == PBA_OK && strcmp(text, selections[0]) != 0 && strcmp(text, selections[1]) != 0) {
        status = status_set(PBA_FORMAT, "field 'selection': '%s' is neither %s nor %s", text,
                            selections[0], selections[1]);
    }
    *selection = status == PBA_OK && strcmp(text, selections[1]) == 0 ? PBA_SELECTION_NONE
                                                                      : PBA_SELECTION_TRUNCATION;
    return status;
}

static pba_status read_options(const json_t *root, pba_population **population)
{
    pba_population_options options = {0};
    const char *ops[PBA_POLICY_MAX];
    json_t *list = NULL;
    pba_status status = read_numbers(root, &options);
    if (status == PBA_OK) {
        status = read_selection(root, &options.selection);
    }
    if (status == PBA_OK) {
        status = schedule_field_list(root, "ops", &list);
    }
    if (status != PBA_OK) {
        return status;
    }
    options.ops = ops;
    options.op_count = (int)json_array_size(list);
    if (json_array_size(list) > PBA_POLICY_MAX) {
        return status_set(PBA_FORMAT, "field 'ops': at most %d operations", PBA_POLICY_MAX);
    }
    for (int i = 0; i < options.op_count; i++) {
        ops[i] = json_string_value(json_array_get(list, (size_t)i));
        if (!ops[i]) {
            return status_set(PBA_FORMAT, "field 'ops': item %d is no text", i);
        }
    }
    status = pba_population_create(&options, population);
    return status == PBA_USAGE ? PBA_FORMAT : status;
}

/* A copy happens at the end of a round, later than its parent, whose target is its source. Nobody
 * copies itself, but where there is no selection nobody else. */
static pba_status event_fits(const pba_population *population, const population_event *event)
{
    int interval = population->options.interval;
    bool alone = population->options.selection == PBA_SELECTION_NONE;
    bool fits = (event->target == event->source) == alone && event->epoch % interval == 0 &&
                event->epoch >= population->options.burn_in &&
                event->epoch <= population_round_begin(population, population->round);
    if (event->parent != POPULATION_NONE) {
        const population_event *parent = &population->events[event->parent];
        fits = fits && parent->target == event->source && parent->epoch < event->epoch;
    }
    return fits ? PBA_OK : status_set(PBA_FORMAT, "its copy cannot have happened");
}

static pba_status read_event(const json_t *item, pba_population *population)
{
    population_event event;
    int last = population->options.population - 1, index;
    pba_status status = schedule_field_int(item, "parent", POPULATION_NONE,
                                           population->event_count - 1, &event.parent);
    if (status == PBA_OK) {
        status = schedule_field_int(item, "target", 0, last, &event.target);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(item, "source", 0, last, &event.source);
    }
    if (status == PBA_OK) {
        status = schedule_field_int(item, "epoch", 1, population->options.epochs - 1, &event.epoch);
    }
    if (status == PBA_OK) {
        status = schedule_policy_parse(json_object_get(item, "policy"), population->ops,
                                       population->options.op_count, population->options.copies,
                                       &event.policy);
    }
    if (status == PBA_OK) {
        status = event_fits(population, &event);
    }
    return status == PBA_OK ? population_remember(population, &event, &index) : status;
}

static pba_status read_error(const json_t *item, population_member *member)
{
    const json_t *error = json_object_get(item, "error");
    member->state = POPULATION_TOLD;
    if (json_is_null(error)) {
        member->state = POPULATION_READY;
    } else if (json_is_number(error)) {
        member->error = json_number_value(error);
    } else if (json_is_string(error) && strcmp(json_string_value(error), lost) == 0) {
        member->error = (double)INFINITY;
    } else {
        return status_set(PBA_FORMAT, "field 'error': must be a number, null or \"%s\"", lost);
    }
    return PBA_OK;
}

static pba_status read_start(const json_t *root, pba_population *population)
{
    json_t *list;
    int members = population->options.population;
    if (!json_object_get(root, "start")) {
        return PBA_OK;
    }
    pba_status status = schedule_field_list(root, "start", &list);
    if (status == PBA_OK && json_array_size(list) != (size_t)members) {
        status = status_set(PBA_FORMAT, "field 'start': %zu policies, but the population is %d",
                            json_array_size(list), members);
    }
    if (status == PBA_OK) {
        population->start = memory_new((size_t)members, sizeof *population->start);
        status = population->start ? PBA_OK : PBA_MEMORY;
    }
    for (int i = 0; i < members && status == PBA_OK; i++) {
        status = schedule_policy_parse(json_array_get(list, (size_t)i), population->ops,
                                       population->options.op_count, population->options.copies,
                                       &population->start[i]);
        population->members[i].policy = population->start[i];
    }
    return status == PBA_OK || population->start == NULL ? status
                                                         : status_prefix(status, "field 'start'");
}

static pba_status read_member(const json_t *item, pba_population *population, int index)
{
    population_member *member = &population->members[index];
    pba_status status = schedule_field_int(
        item, "weights_from", 0, population->options.population - 1, &member->weights_from);
    if (status == PBA_OK) {
        status = schedule_field_int(item, "event", POPULATION_NONE, population->event_count - 1,
                                    &member->event);
    }
    if (status == PBA_OK && population->options.selection == PBA_SELECTION_NONE &&
        member->weights_from != index) {
        status = status_set(PBA_FORMAT, "field 'weights_from': without selection nobody copies");
    }
    if (status == PBA_OK && member->event != POPULATION_NONE &&
        population->events[member->event].target != index) {
        status = status_set(PBA_FORMAT, "field 'event': is the copy of another member");
    }
    if (status == PBA_OK) {
        status = read_error(item, member);
    }
    if (status == PBA_OK && member->event != POPULATION_NONE) {
        member->policy = population->events[member->event].policy;
    }
    return status;
}

/* Before the end some member is still to be told, at the end none is. */
static pba_status check_states(const pba_population *population)
{
    int told = 0;
    for (int i = 0; i < population->options.population; i++) {
        told += population->members[i].state == POPULATION_TOLD;
    }
    bool done = population->round == population->rounds;
    if ((told == population->options.population) != done) {
        return status_set(PBA_FORMAT, "field 'members': their errors do not fit round %d of %d",
                          population->round, population->rounds);
    }
    return PBA_OK;
}

static pba_status read_lists(const json_t *root, pba_population *population)
{
    json_t *events, *members;
    pba_status status = read_start(root, population);
    if (status == PBA_OK) {
        status = schedule_field_int(root, "round", 0, population->rounds, &population->round);
    }
    if (status == PBA_OK) {
        status = schedule_field_list(root, "events", &events);
    }
    if (status == PBA_OK) {
        status = schedule_field_list(root, "members", &members);
    }
    if (status != PBA_OK) {
        return status;
    }
    for (size_t i = 0; i < json_array_size(events); i++) {
        status = read_event(json_array_get(events, i), population);
        if (status != PBA_OK) {
            return status_prefix(status, "event %zu", i);
        }
    }
    if (json_array_size(members) != (size_t)population->options.population) {
        return status_set(PBA_FORMAT, "field 'members': %zu of them, but the population is %d",
                          json_array_size(members), population->options.population);
    }
    for (int i = 0; i < population->options.population; i++) {
        status = read_member(json_array_get(members, (size_t)i), population, i);
        if (status != PBA_OK) {
            return status_prefix(status, "member %d", i);
        }
    }
    return check_states(population);
}

pba_status pba_population_from_json(const char *text, pba_population **population)
{
    if (!text || !population) {
        return status_null(__func__);
    }
    json_t *root;
    *population = NULL;
    pba_status status = schedule_json_parse(text, strlen(text), &root);
    if (status == PBA_OK) {
        status = read_options(root, population);
        if (status == PBA_OK) {
            status = read_lists(root, *population);
        }
        json_decref(root);
    }
    if (status != PBA_OK) {
        pba_population_free(*population);
        *population = NULL;
        return status_prefix(status, "population");
    }
    return PBA_OK;
}
