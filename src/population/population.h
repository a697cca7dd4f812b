/* SPDX-License-Identifier: Apache-2.0
 * The population's state. Members train in lockstep, in rounds of `interval` epochs (the last one
 * may be shorter). When all scores of a round are in, the worst copy the best and explore; the last
 * round is only scored. Every decision is a function of the scores and the seed. */
#ifndef POPULATION_POPULATION_H
#define POPULATION_POPULATION_H

#include "core/rng.h"
#include "schedule/schedule.h"

enum { POPULATION_MAX = 10000, POPULATION_NONE = -1 };

typedef enum population_state {
    POPULATION_READY,
    POPULATION_OUT,
    POPULATION_TOLD
} population_state;

typedef struct population_member {
    pba_policy policy;
    population_state state;
    int weights_from; /* whose weights, as of the end of the last round, this round starts from */
    int event;        /* the last copy on its lineage; POPULATION_NONE: it began with the search */
    double error;     /* once told; infinity: lost */
} population_member;

/* A copy; without selection an exploration, whose source is its target. Events are a forest: a
 * child is a later copy on the same lineage. */
typedef struct population_event {
    int parent; /* POPULATION_NONE or a lower number */
    int target, source, epoch;
    pba_policy policy; /* with which target went on */
} population_event;

struct pba_population {
    pba_population_options options; /* ops points to `ops` */
    char (*names)[PBA_NAME_MAX];
    const char **ops;
    int rounds, round; /* round == rounds: done */
    population_member *members;
    pba_policy *start; /* of each member, what it began the search with; NULL: zeros */
    population_event *events;
    int event_count, event_room;
};

/* What a member began the search with. */
pba_policy population_start(const pba_population *population, int member);

/* start.c: the members' first policies, from options->start. PBA_USAGE where that is of other
 * operations. */
pba_status population_warm(pba_population *population, const pba_schedule *schedule);

/* Epoch at which a round begins; round == rounds gives the end. */
int population_round_begin(const pba_population *population, int round);

/* explore.c: one mutation of a policy (Ho et al. 2019, algorithm 1, and the reference's explore).
 */
void population_explore(pba_policy *policy, double resample, rng *rng);

/* exploit.c: ends a round whose scores are all in, and begins the next one. */
pba_status population_end_round(pba_population *population);

/* exploit.c: how many members the end of a round gives another policy, at most. */
int population_changes(const pba_population *population);

/* exploit.c: whether the end of this round will neither replace nor copy this member, nor change
 * its policy, whatever the scores are that are still out. What it will do in the next round is
 * certain then, so that a worker that would wait for the others may begin it. False in the last
 * round. */
bool population_is_settled(const pba_population *population, int member);

/* lineage.c: remembers a copy; forgets those that no member descends from; policies of a lineage.
 */
pba_status population_remember(pba_population *population, const population_event *event,
                               int *index);
pba_status population_forget(pba_population *population);
pba_status population_lineage(const pba_population *population, int member,
                              pba_schedule **schedule);

#endif
