/* SPDX-License-Identifier: Apache-2.0
 * Whether whoever observes a job wants it to stop. */
#ifndef CORE_OBSERVER_H
#define CORE_OBSERVER_H

#include <stdatomic.h>

#include "pba.h"

static inline bool observer_stops(const pba_observer *observer)
{
    return observer && observer->stop && observer->stop(observer->user);
}

/* Of a job of several threads, which share `stopping`: one yes is for all of them. */
static inline bool observer_stops_all(const pba_observer *observer, atomic_bool *stopping)
{
    if (!*stopping && observer_stops(observer)) {
        *stopping = true;
    }
    return *stopping;
}

#endif
