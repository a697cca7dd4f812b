/* SPDX-License-Identifier: Apache-2.0 */
#include "search/search.h"

/* Time left from the work done by this process: a resumed run starts with work done by others. */
void search_report(pba_search *search, pba_event event)
{
    const pba_observer *observer = search->observer;
    if (!observer || !observer->event) {
        return;
    }
    double own = search->done - search->first_done;
    event.done = search->done;
    event.total = search_work(search);
    event.seconds = clock_now() - search->start;
    event.seconds_left = own > 0 ? event.seconds / own * (event.total - event.done) : -1;
    search->reported = event.seconds;
    observer->event(observer->user, &event);
}
