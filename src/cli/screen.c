/* SPDX-License-Identifier: Apache-2.0
 * Plain ANSI sequences (ECMA-48): cursor up, erase to the end of the line, of the screen. Every
 * terminal that is not "dumb" has them. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "view.h"

bool screen_can(FILE *stream)
{
    const char *kind = getenv("TERM");
    return isatty(fileno(stream)) == 1 && kind && kind[0] && strcmp(kind, "dumb") != 0;
}

static int from_environment(const char *name, int otherwise)
{
    const char *text = getenv(name);
    long value = text ? strtol(text, NULL, 10) : 0;
    return value > 0 && value < 10000 ? (int)value : otherwise;
}

static void size_of(FILE *stream, int *columns, int *lines)
{
    struct winsize size = {0};
    bool told = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0;
    *columns = told && size.ws_col ? size.ws_col : from_environment("COLUMNS", 80);
    *lines = told && size.ws_row ? size.ws_row : from_environment("LINES", 24);
}

void screen_measure(screen *screen)
{
    int columns, lines;
    size_of(screen->stream, &columns, &lines);
    if (screen->drawn && (columns != screen->columns || lines != screen->lines)) {
        /* Some terminals have broken the old lines anew, others have cut them: where they stand is
         * not known any more. */
        fputs("\033[H\033[J", screen->stream);
        screen->drawn = 0;
    }
    screen->columns = columns;
    screen->lines = lines;
}

static void go_up(FILE *out, int lines)
{
    if (lines) {
        fprintf(out, "\033[%dA", lines);
    }
    fputc('\r', out);
}

/* All in one write: half a picture must not be seen. */
void screen_show(screen *screen, const char *text, size_t size)
{
    char *bytes = NULL;
    size_t count = 0;
    FILE *out = open_memstream(&bytes, &count);
    if (!out) {
        return;
    }
    go_up(out, screen->drawn);
    screen->drawn = 0;
    for (const char *at = text, *end; (end = memchr(at, '\n', size - (size_t)(at - text)));
         at = end + 1) {
        fprintf(out, "%.*s\033[K\n", (int)(end - at), at);
        screen->drawn++;
    }
    fputs("\033[J", out);
    fclose(out);
    fwrite(bytes, 1, count, screen->stream);
    fflush(screen->stream);
    free(bytes);
}

void screen_clear(screen *screen)
{
    if (screen->drawn) {
        go_up(screen->stream, screen->drawn);
        fputs("\033[J", screen->stream);
        fflush(screen->stream);
        screen->drawn = 0;
    }
}
