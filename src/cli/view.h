/* SPDX-License-Identifier: Apache-2.0
 * A run as it goes on, in place on a terminal: pba search shows its own, pba watch another's. */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cli.h"

/* ------------------------------------------------------------------ screen.c */

/* Lines that are drawn again over themselves. The cursor rests below them, so that whatever else is
 * said, by whomever, comes out below. */
typedef struct screen {
    FILE *stream;
    int columns, lines; /* of the terminal when it was drawn on last */
    int drawn;          /* lines that stand there */
} screen;

/* Whether lines can be drawn over: a terminal that is not "dumb". */
bool screen_can(FILE *stream);

/* Asks for the size; `screen` is as it was made: {.stream = ...}. */
void screen_measure(screen *screen);
/* `text` is lines, each ended by a newline and none wider than the screen. */
void screen_show(screen *screen, const char *text, size_t size);
/* Takes them away, so that something else can be said in their place. */
void screen_clear(screen *screen);

/* -------------------------------------------------------------------- view.c */

/* What a place can show. */
typedef struct view_place {
    int columns, lines; /* at most; lines 0: any number */
    bool colour;        /* sequences for colours */
    bool unicode;       /* characters beyond ASCII */
} view_place;

/* By the environment: NO_COLOR (no-color.org), and the locale's character set. */
view_place view_place_of(int columns, int lines, bool terminal);

/* What a process knows of its own search; negative: not known. */
typedef struct view_pace {
    double done, seconds, seconds_left, images_per_second;
} view_pace;

/* The picture as lines. `pace` NULL: what the picture itself says. */
void view_write(FILE *out, const pba_watch_picture *picture, const view_pace *pace,
                const view_place *place);

enum { VIEW_TEXT = 256 }; /* bytes of a piece of a line */

/* -------------------------------------------------------------------- live.c */

/* A run on a terminal, read from its folder from time to time. */
typedef struct live {
    const char *run; /* its folder, which need not be there yet */
    pba_watch *watch;
    const pba_watch_picture *picture; /* NULL: nothing was read yet */
    screen screen;
    bool stale;  /* the folder may have changed */
    double next; /* when it may be read again, seconds of the monotonic clock */
} live;

/* Reads again where the run is stale and it is time: once a second at most, and less often where
 * reading takes long. `now`: in any case. Whether there is a picture; of a failure,
 * pba_error_message tells. */
bool live_look(live *live, bool now);
void live_draw(live *live, const view_pace *pace);
void live_free(live *live);

#endif
