/* SPDX-License-Identifier: Apache-2.0 */
#include "train/order.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "schedule/schedule.h"

static pba_status in_order(const pba_schedule *found, uint64_t seed, pba_schedule **built)
{
    return pba_schedule_stretch(found, found->epochs, built);
}

/* One segment for all epochs. */
static pba_status constant(const pba_schedule *found, const pba_policy *policy,
                           pba_schedule **built)
{
    return pba_schedule_constant(policy, found->ops, found->op_count, 1, built);
}

static pba_status last(const pba_schedule *found, uint64_t seed, pba_schedule **built)
{
    pba_policy policy;
    pba_status status = pba_schedule_at(found, found->epochs - 1, &policy);
    return status == PBA_OK ? constant(found, &policy, built) : status;
}

static pba_status random_policy(const pba_schedule *found, uint64_t seed, pba_schedule **built)
{
    pba_policy policy = augment_random_policy(seed, 0, found->op_count * found->copies);
    return constant(found, &policy, built);
}

/* Segment i of the new schedule is order[i] of the old; with `drawn`, under a random policy. */
static pba_status rebuild(const pba_schedule *found, const uint32_t *order, bool drawn,
                          uint64_t seed, pba_schedule **built)
{
    pba_schedule *fresh;
    pba_status status = schedule_create_like(found, &fresh);
    for (int i = 0; i < found->segment_count && status == PBA_OK; i++) {
        const schedule_segment *segment = &found->segments[order ? (int)order[i] : i];
        pba_policy policy = segment->policy;
        if (drawn) {
            policy = augment_random_policy(seed, (uint32_t)i + 1, policy.entries);
        }
        status = schedule_append(fresh, segment->epochs, &policy, NULL);
    }
    if (status != PBA_OK) {
        pba_schedule_free(fresh);
        return status;
    }
    *built = fresh;
    return PBA_OK;
}

static pba_status shuffled(const pba_schedule *found, uint64_t seed, pba_schedule **built)
{
    uint32_t count = (uint32_t)found->segment_count;
    uint32_t *order = memory_new(count, sizeof *order);
    if (!order) {
        return PBA_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    rng stream = rng_at(seed, RNG_SEGMENT, 0, 0, 0);
    rng_shuffle(&stream, order, count);
    pba_status status = rebuild(found, order, false, seed, built);
    free(order);
    return status;
}

static pba_status random_schedule(const pba_schedule *found, uint64_t seed, pba_schedule **built)
{
    return rebuild(found, NULL, true, seed, built);
}

static const order orders[] = {
    {"in-order", "the schedule as it was found", in_order},
    {"last", "its last policy throughout", last},
    {"shuffled", "its segments in random order, each with its own length", shuffled},
    {"flattened", "for each image the policy of a random epoch", NULL},
    {"random-policy", "one random policy throughout", random_policy},
    {"random-schedule", "segments of the same lengths, each under a random policy",
     random_schedule},
};

const order *order_at(size_t index)
{
    return index < sizeof orders / sizeof *orders ? &orders[index] : NULL;
}

const order *order_find(const char *name)
{
    const order *order;
    for (size_t i = 0; (order = order_at(i)) && strcmp(order->name, name) != 0; i++) {
    }
    return order;
}

static pba_status build(const order *order, const pba_schedule *found, uint64_t seed, int epochs,
                        pba_schedule **own)
{
    pba_schedule *whole = NULL;
    pba_status status = order->build(found, seed, &whole);
    if (status == PBA_OK) {
        status = pba_schedule_stretch(whole, epochs, own);
    }
    pba_schedule_free(whole);
    return status;
}

pba_status order_begin(const order *order, const augment_choice *choice, uint64_t seed, int epochs,
                       order_policies *policies)
{
    *policies = (order_policies){0};
    if (choice->kind->flags & AUGMENT_PER_SEED) {
        policies->constant = true;
        policies->policy = augment_random_policy(seed, 0, SCHEDULE_PBA_COPIES * SCHEDULE_PBA_OPS);
    }
    if (choice->schedule && order->build) {
        return build(order, choice->schedule, seed, epochs, &policies->own);
    }
    policies->pool = choice->schedule;
    return PBA_OK;
}

void order_end(order_policies *policies)
{
    pba_schedule_free(policies->own);
}

pba_status order_epoch(order_policies *policies, trainer_epoch *epoch)
{
    epoch->pool = policies->pool;
    epoch->policy = policies->own || policies->constant ? &policies->policy : NULL;
    return policies->own ? pba_schedule_at(policies->own, epoch->epoch, &policies->policy) : PBA_OK;
}

pba_policy order_pick(const pba_schedule *found, pipeline_key key, uint32_t image)
{
    rng stream = rng_at(key.seed, RNG_PICK, key.member, key.epoch, image);
    int epoch = (int)rng_below(&stream, (uint32_t)found->epochs), segment = 0;
    for (int end = found->segments[0].epochs; epoch >= end;) {
        end += found->segments[++segment].epochs;
    }
    return found->segments[segment].policy;
}
