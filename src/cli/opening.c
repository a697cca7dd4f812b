/* SPDX-License-Identifier: Apache-2.0
 * What is said while a data set is opened, where that takes long: on a terminal a line that is
 * rewritten from the first second on and gone at the end, elsewhere a line every ten seconds. */
#include <stdio.h>

#include "view.h"

static void draw(cli_opening *opening, const char *what, double done, double total)
{
    double first = opening->terminal ? 1 : 10, every = opening->terminal ? 0.2 : 10;
    double at = cli_seconds(CLOCK_MONOTONIC);
    char count[CLI_TEXT], of[CLI_TEXT];
    if (opening->quiet || at - opening->started < first || at - opening->drawn < every) {
        return;
    }
    opening->drawn = at;
    fprintf(stderr, "%sopening the data set", opening->terminal ? "\r\033[K" : "");
    if (total > 0) {
        fprintf(stderr, ": %s of %s %s", cli_count(done, count), cli_count(total, of), what);
    } else if (done > 0) {
        fprintf(stderr, ": %s %s", cli_count(done, count), what);
    }
    fputs(opening->terminal ? "" : "\n", stderr);
    fflush(stderr);
    opening->line_open = opening->terminal;
}

static bool on_progress(void *user, const char *what, int64_t done, int64_t total)
{
    draw(user, what, (double)done, (double)total);
    return true;
}

static void on_event(void *user, const pba_event *event)
{
    if (event->kind == PBA_EVENT_OPENING) {
        draw(user, event->text, event->done, event->total);
    } else {
        cli_opening_end(user); /* something else goes on */
    }
}

void cli_opening_start(cli_opening *opening, bool quiet, pba_dataset_options *options)
{
    *opening = (cli_opening){
        .quiet = quiet, .terminal = screen_can(stderr), .started = cli_seconds(CLOCK_MONOTONIC)};
    if (options) {
        options->progress = on_progress;
        options->user = opening;
    } else {
        opening->observer = cli_observer(on_event, opening);
    }
}

void cli_opening_end(cli_opening *opening)
{
    if (opening->line_open) {
        fputs("\r\033[K", stderr);
        opening->line_open = false;
    }
}

pba_status cli_open_dataset(const char *path, const pba_dataset_options *options,
                            pba_dataset **dataset)
{
    cli_opening opening;
    pba_dataset_options told = *options;
    cli_opening_start(&opening, false, &told);
    pba_status status = pba_dataset_open_with(path, &told, dataset);
    cli_opening_end(&opening);
    return status;
}
