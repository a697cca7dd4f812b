/* SPDX-License-Identifier: Apache-2.0
 * Running a comparison: each worker walks through the arms in order and trains seeds of one until
 * none is left, so that no core waits for the last seed of an arm. An arm is open
 * while somebody is at it; whoever leaves it last writes its result. */
#include <stdio.h>
#include <string.h>

#include "compare/compare.h"
#include "core/file.h"
#include "core/observer.h"
#include "core/threads.h"
#include "train/run.h"

/* -------------------------------------------------------------------- events */

static void pass_on(const pba_comparison *comparison, pba_event *event)
{
    double own = 0;
    event->done = 0;
    event->total = comparison->passes * comparison->arm_count;
    for (int i = 0; i < comparison->arm_count; i++) {
        const compare_arm *arm = &comparison->arms[i];
        event->done += arm->done;
        own += arm->done - arm->first;
    }
    event->seconds = clock_now() - comparison->start;
    event->seconds_left = own > 0 ? event->seconds / own * (event->total - event->done) : -1;
    comparison->observer->event(comparison->observer->user, event);
}

/* Of one arm's run: its work becomes that of the whole, its networks get their number in it. */
static void on_event(void *user, const pba_event *event)
{
    compare_arm *arm = user;
    pba_comparison *comparison = arm->comparison;
    pba_event copy = *event;
    if (!comparison->observer || !comparison->observer->event) {
        return;
    }
    pthread_mutex_lock(&comparison->telling);
    if (event->kind == PBA_EVENT_OPENING) {
        comparison->observer->event(comparison->observer->user, event);
    } else {
        arm->first = arm->told ? arm->first : event->done;
        arm->told = true;
        arm->done = event->done;
        copy.member += arm->index * comparison->options.seeds;
        pass_on(comparison, &copy);
    }
    pthread_mutex_unlock(&comparison->telling);
}

static bool on_stop(void *user)
{
    pba_comparison *comparison = ((const compare_arm *)user)->comparison;
    return observer_stops_all(comparison->observer, &comparison->failed);
}

static void say(pba_comparison *comparison, const char *text)
{
    pthread_mutex_lock(&comparison->telling);
    if (comparison->observer && comparison->observer->event) {
        pba_event event = {.kind = PBA_EVENT_NOTE, .text = text};
        pass_on(comparison, &event);
    }
    pthread_mutex_unlock(&comparison->telling);
}

static void say_arm(const compare_arm *arm)
{
    char text[PBA_PATH_MAX + 64];
    pba_comparison *comparison = arm->comparison;
    int seeds = comparison->options.seeds, first = arm->index * seeds + 1;
    snprintf(text, sizeof text, "arm %d of %d, networks %d to %d: %s", arm->index + 1,
             comparison->arm_count, first, first + seeds - 1, arm->augment);
    say(comparison, text);
}

/* ---------------------------------------------------------------------- arms */

/* Keeps the first failure; one of its own kind is worth more than the interruption that it causes.
 * Under the lock. */
static void fail(pba_comparison *comparison, pba_status status)
{
    if (comparison->status == PBA_OK || comparison->status == PBA_INTERRUPTED) {
        comparison->status = status;
        snprintf(comparison->message, sizeof comparison->message, "%s", pba_error_message());
    }
    comparison->failed = true;
}

/* Under the lock. */
static pba_status begin_arm(compare_arm *arm)
{
    pba_comparison *comparison = arm->comparison;
    pba_status status = arm->training ? PBA_OK : compare_open_arm(comparison, arm, &arm->observer);
    arm->begun = true;
    if (status == PBA_OK) {
        say_arm(arm);
        status = training_begin(arm->training, &arm->observer);
    }
    return status;
}

/* Whether there may be something to do in the arm, which is open then. */
static bool enter(compare_arm *arm)
{
    pba_comparison *comparison = arm->comparison;
    pthread_mutex_lock(&comparison->lock);
    bool in = !arm->finished && !comparison->failed;
    if (in && !arm->begun) {
        pba_status status = begin_arm(arm);
        if (status != PBA_OK) {
            fail(comparison, status);
            in = false;
        }
    }
    arm->at_work += in;
    pthread_mutex_unlock(&comparison->lock);
    return in;
}

static void leave(compare_arm *arm, pba_status status)
{
    pba_comparison *comparison = arm->comparison;
    pthread_mutex_lock(&comparison->lock);
    if (status != PBA_OK) {
        /* other messages name a file, which is in the arm's folder */
        fail(comparison,
             status == PBA_DIVERGED ? status_prefix(status, "arm %s", arm->augment) : status);
        arm->status = status;
    }
    if (--arm->at_work == 0) {
        status = training_end(arm->training, arm->status);
        if (status == PBA_OK) {
            arm->finished = true;
        } else if (arm->status == PBA_OK) {
            fail(comparison, status);
        }
        pba_training_free(arm->training);
        arm->training = NULL;
    }
    pthread_mutex_unlock(&comparison->lock);
}

static pba_status work(void *context, int number)
{
    (void)number;
    pba_comparison *comparison = context;
    for (int i = 0; i < comparison->arm_count; i++) {
        compare_arm *arm = &comparison->arms[i];
        if (enter(arm)) {
            leave(arm, training_work(arm->training));
        }
    }
    return PBA_OK;
}

/* ------------------------------------------------------------------------ run */

static pba_status begin(pba_comparison *comparison)
{
    size_t count;
    const pba_setting *rows = pba_compare_settings(&count);
    const pba_compare_options *options = &comparison->options;
    if (comparison->resumed) {
        return PBA_OK; /* held since it was opened */
    }
    const pba_training *training = compare_open_training(comparison);
    pba_status status = run_hold(options->out, &comparison->lock_file);
    if (status == PBA_OK) {
        status = run_check(options->out); /* again: nobody else is in there now */
    }
    if (status == PBA_OK) {
        status = run_write_config(options->out, "compare", options, rows, count, training->task);
    }
    if (status != PBA_OK && status != PBA_EXISTS) {
        run_drop_lock(options->out);
    }
    return status;
}

static pba_status end(pba_comparison *comparison, pba_status status)
{
    const char *out = comparison->options.out;
    comparison->complete = status == PBA_OK;
    if (comparison->complete) {
        run_drop_lock(out);
    }
    run_let_go(&comparison->lock_file);
    return run_kept(status, out);
}

static pba_status train(pba_comparison *comparison)
{
    comparison->start = clock_now();
    for (int i = 0; i < comparison->arm_count; i++) {
        compare_arm *arm = &comparison->arms[i];
        arm->first = arm->done = arm->finished ? comparison->passes : 0;
        arm->observer = (pba_observer){.event = on_event, .stop = on_stop, .user = arm};
    }
    if (comparison->note) {
        say(comparison, comparison->note);
    }
    pba_status status = threads_run(comparison->workers, work, comparison);
    return comparison->status == PBA_OK ? status
                                        : status_set(comparison->status, "%s", comparison->message);
}

pba_status pba_comparison_run(pba_comparison *comparison, const pba_observer *observer)
{
    if (!comparison) {
        return status_null(__func__);
    }
    if (comparison->complete) {
        return PBA_OK;
    }
    if (comparison->ran) {
        return status_set(PBA_USAGE,
                          "%s: this comparison was run before; open it again with --resume",
                          comparison->options.out);
    }
    comparison->ran = true;
    comparison->observer = observer;
    pba_status status = begin(comparison);
    if (status != PBA_OK) {
        run_let_go(&comparison->lock_file);
        return status;
    }
    status = train(comparison);
    if (status == PBA_OK) {
        status = compare_read_results(comparison);
    }
    if (status == PBA_OK) {
        status = compare_write_results(comparison);
    }
    return end(comparison, status);
}
