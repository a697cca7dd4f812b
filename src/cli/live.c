/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "view.h"

bool live_look(live *live, bool now)
{
    double start = cli_seconds(CLOCK_MONOTONIC);
    pba_status status = PBA_OK;
    if (!now && (!live->stale || start < live->next)) {
        return live->picture != NULL;
    }
    if (!live->watch) {
        status = pba_watch_open(live->run, &live->watch);
    }
    if (status == PBA_OK) {
        status = pba_watch_look(live->watch, &live->picture);
    }
    double took = cli_seconds(CLOCK_MONOTONIC) - start;
    live->stale = status != PBA_OK;
    live->next = start + (took > 0.05 ? 20 * took : 1);
    return status == PBA_OK;
}

void live_draw(live *live, const view_pace *pace)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out) {
        return;
    }
    screen_measure(&live->screen);
    /* The cursor's own line is below; where lines are scarce, the title at least. */
    int lines = live->screen.lines > 2 ? live->screen.lines - 1 : 1;
    view_place place = view_place_of(live->screen.columns, lines, true);
    view_write(out, live->picture, pace, &place);
    fclose(out);
    screen_show(&live->screen, text, size);
    free(text);
}

void live_free(live *live)
{
    pba_watch_free(live->watch);
}
