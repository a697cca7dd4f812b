/* SPDX-License-Identifier: Apache-2.0
 * A picture of a run as lines that fit: what does not fit is left out, columns and members alike,
 * and what is left out is counted. Texts from files come out without control characters. */
#include "view.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------------- place */

static bool speaks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = getenv(names[i]);
        if (text && text[0]) {
            const char *set = strrchr(text, '.');
            return set && (strncasecmp(set, ".utf-8", 6) == 0 || strncasecmp(set, ".utf8", 5) == 0);
        }
    }
    return false;
}

view_place view_place_of(int columns, int lines, bool terminal)
{
    const char *no_colour = getenv("NO_COLOR");
    return (view_place){.columns = columns,
                        .lines = lines,
                        .colour = terminal && !(no_colour && no_colour[0]),
                        .unicode = speaks_utf8()};
}

/* ---------------------------------------------------------------------- lines */

enum {
    LINE_BYTES = 2048,
    COLUMNS_MAX = 400,
    ANCESTRY_COLUMNS = 64 /* in fewer, it is left out whom a member copied */
};

typedef struct line {
    int columns, used; /* of the place; so far */
    size_t bytes;
    char text[LINE_BYTES];
} line;

typedef enum look { PLAIN, TITLE, FAINT, BEST, LOST } look;

static void add_text(line *line, const char *text)
{
    int bytes;
    for (const unsigned char *at = (const unsigned char *)text; *at; at += bytes) {
        int columns = cli_character(at, &bytes);
        const char *shown = columns ? (const char *)at : "?";
        int size = columns ? bytes : 1;
        columns = columns ? columns : 1;
        if (line->used + columns > line->columns || line->bytes + (size_t)size >= LINE_BYTES) {
            line->used = line->columns; /* nothing may follow what was cut */
            return;
        }
        memcpy(line->text + line->bytes, shown, (size_t)size);
        line->bytes += (size_t)size;
        line->used += columns;
    }
}

static void add(line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(line *line, const char *format, ...)
{
    char text[LINE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_text(line, text);
}

/* Whole or not at all; whether it was. */
static bool add_whole(line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool add_whole(line *line, const char *format, ...)
{
    char text[VIEW_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    bool fits = line->used + (int)strlen(text) <= line->columns;
    if (fits) {
        add_text(line, text);
    }
    return fits;
}

typedef struct view {
    FILE *out;
    const view_place *place;
    const pba_watch_picture *picture;
    const view_pace *pace;
    int left; /* lines that may follow */
} view;

static line new_line(const view *view)
{
    int columns = view->place->columns;
    return (line){.columns = columns < 1 ? 1 : columns < COLUMNS_MAX ? columns : COLUMNS_MAX};
}

static void end_line(view *view, const line *line, look look)
{
    static const char *const looks[] = {"", "\033[1m", "\033[2m", "\033[32m", "\033[31m"};
    if (view->left <= 0) {
        return;
    }
    view->left--;
    if (view->place->colour && look != PLAIN) {
        fprintf(view->out, "%s%.*s\033[0m\n", looks[look], (int)line->bytes, line->text);
    } else {
        fprintf(view->out, "%.*s\n", (int)line->bytes, line->text);
    }
}

/* ----------------------------------------------------------------------- head */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void add_bar(line *line, double done)
{
    enum { BAR = 20 };
    if (line->used + BAR + 12 <= line->columns) {
        add_text(line, "  [");
        for (int i = 0; i < BAR; i++) {
            add_text(line, i < (int)(done * BAR + 0.5) ? "#" : ".");
        }
        add_text(line, "]");
    }
    add_whole(line, "  %.0f %%", 100 * done);
}

static void write_title(view *view)
{
    const pba_watch_picture *picture = view->picture;
    line line = new_line(view);
    int round = picture->ended + (picture->ended < picture->rounds);
    add(&line, "%s", last_part(picture->run));
    if (picture->state == PBA_RUN_FINISHED) {
        add_whole(&line, "  finished");
    } else if (picture->search) {
        add_whole(&line, "  %sround %d of %d",
                  picture->state == PBA_RUN_STOPPED ? "stopped in " : "", round, picture->rounds);
    } else {
        add_whole(&line, "  %s", picture->state == PBA_RUN_STOPPED ? "stopped" : "training");
    }
    add_bar(&line, view->pace ? view->pace->done : picture->done);
    end_line(view, &line, TITLE);
}

/* What fits of it, the most wanted first; the parts are joined by commas. */
static void add_part(line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add_part(line *line, const char *format, ...)
{
    char text[VIEW_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add_whole(line, "%s%s", line->used ? ", " : "", text);
}

static void add_speed(line *line, const pba_watch_picture *picture, const view_pace *pace)
{
    char text[CLI_TEXT];
    if (pace->images_per_second > 0) {
        add_part(line, "%s images/s", cli_count(pace->images_per_second, text));
    } else if (picture->epochs_per_second > 0) {
        add_part(line, "%.3g epochs/min", 60 * picture->epochs_per_second);
    }
}

static void write_search_state(view *view)
{
    const pba_watch_picture *picture = view->picture;
    view_pace known = {-1, -1, picture->seconds_left, picture->images_per_second};
    const view_pace *pace = view->pace ? view->pace : &known;
    char text[CLI_TEXT];
    line line = new_line(view);
    if (picture->best >= 0) {
        add_part(&line, "best %.2f %%", 100 * picture->best_error);
    }
    if (picture->best >= 0 && line.columns >= ANCESTRY_COLUMNS) {
        add_whole(&line, " (member %d)", picture->best);
    }
    if (pace->seconds_left >= 0 && picture->state == PBA_RUN_GOING) {
        add_part(&line, "about %s left", cli_duration(pace->seconds_left, text));
    }
    if (picture->scored) {
        add_part(&line, "%d of %d scored", picture->scored, picture->members);
    }
    add_speed(&line, picture, pace);
    if (pace->seconds >= 0) {
        add_part(&line, "%s so far", cli_duration(pace->seconds, text));
    }
    end_line(view, &line, PLAIN);
}

/* -------------------------------------------------------------------- members */

/* Errors that the rows' trends span, so that they compare. */
typedef struct scale {
    double least, most;
} scale;

static scale scale_of(const pba_watch_picture *picture)
{
    scale scale = {(double)INFINITY, -(double)INFINITY};
    for (int i = 0; i < picture->members; i++) {
        const pba_watch_row *row = &picture->rows[i];
        for (int j = 0; j < row->trend_count; j++) {
            if (isfinite(row->trend[j])) {
                scale.least = fmin(scale.least, row->trend[j]);
                scale.most = fmax(scale.most, row->trend[j]);
            }
        }
    }
    return scale;
}

static void add_trend(line *line, const view *view, const pba_watch_row *row, scale scale)
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {"_", ".", ",", "-", "=", "+", "*", "#"};
    double span = scale.most - scale.least;
    for (int i = 0; i < PBA_WATCH_TREND; i++) {
        double error = i < row->trend_count ? row->trend[i] : (double)NAN;
        if (i >= row->trend_count) {
            add_text(line, " ");
        } else if (!isfinite(error)) {
            add_text(line, "x");
        } else {
            int level = span > 0 ? (int)lround(7 * (error - scale.least) / span) : 3;
            add_text(line, (view->place->unicode ? blocks : letters)[level]);
        }
    }
}

static void add_error(line *line, double error, bool known)
{
    if (!known) {
        add(line, "%9s", "-");
    } else if (!isfinite(error)) {
        add(line, "%9s", "lost");
    } else {
        add(line, "%7.2f %%", 100 * error);
    }
}

/* As many as fit, in the way that pba schedule show writes them. */
static void add_ops(line *line, const pba_watch_row *row)
{
    if (row->trend_count && !row->op_count) {
        add_whole(line, "  none");
    }
    bool fits = true;
    for (int i = 0; i < row->op_count && fits; i++) {
        fits = add_whole(line, "%s%s:%d(%d%%)", i ? " " : "  ", row->ops[i].name, row->ops[i].level,
                         10 * row->ops[i].probability);
    }
}

static void write_member(view *view, const pba_watch_row *row, scale scale, bool best)
{
    line line = new_line(view);
    bool known = row->trend_count > 0, lost = known && !isfinite(row->error);
    add(&line, "%6d  ", row->member);
    add_error(&line, row->error, known);
    add(&line, "  ");
    add_trend(&line, view, row, scale);
    add(&line, "  %3d", row->generation);
    if (view->place->columns >= ANCESTRY_COLUMNS) {
        char source[16] = "-";
        if (row->source >= 0) {
            snprintf(source, sizeof source, "%d", row->source);
        }
        add(&line, "  %4s  %6d", source, row->copied);
    }
    add_ops(&line, row);
    end_line(view, &line, lost ? LOST : best && known ? BEST : PLAIN);
}

static void write_member_head(view *view)
{
    line line = new_line(view);
    add(&line, "member      error  trend     gen");
    if (view->place->columns >= ANCESTRY_COLUMNS) {
        add(&line, "  from  copied");
    }
    add_whole(&line, "  operations");
    end_line(view, &line, FAINT);
}

static void write_rest(view *view, int shown)
{
    const pba_watch_picture *picture = view->picture;
    const pba_watch_row *first = &picture->rows[shown], *last = first;
    line line = new_line(view);
    add(&line, "%d more", picture->members - shown);
    for (int i = shown; i < picture->members; i++) {
        const pba_watch_row *row = &picture->rows[i];
        last = row->trend_count && isfinite(row->error) ? row : last;
    }
    if (first->trend_count && isfinite(first->error)) {
        add_whole(&line, ", with errors from %.2f %% to %.2f %%", 100 * first->error,
                  100 * last->error);
    }
    end_line(view, &line, FAINT);
}

/* All rows, or as many as leave a line that counts the others. */
static int rows_that_fit(const view *view)
{
    int members = view->picture->members;
    return members <= view->left ? members : view->left - 1;
}

static void write_search(view *view)
{
    const pba_watch_picture *picture = view->picture;
    scale scale = scale_of(picture);
    write_search_state(view);
    write_member_head(view);
    int fit = rows_that_fit(view);
    for (int i = 0; i < fit; i++) {
        write_member(view, &picture->rows[i], scale, i == 0);
    }
    if (fit >= 0 && fit < picture->members) {
        write_rest(view, fit);
    }
}

/* ------------------------------------------------------------------- training */

static void write_network(view *view, const pba_watch_row *row)
{
    line line = new_line(view);
    add(&line, "%20llu  %7d  ", (unsigned long long)row->seed, row->epochs);
    add_error(&line, row->error, !isnan(row->error));
    if (!isnan(row->loss)) {
        add_whole(&line, "  %8.4f", row->loss);
    }
    if (!isnan(row->accuracy)) {
        add_whole(&line, "  %15.2f %%", 100 * row->accuracy);
    }
    end_line(view, &line, PLAIN);
}

static void write_training(view *view)
{
    const pba_watch_picture *picture = view->picture;
    line state = new_line(view), head = new_line(view);
    add(&state, "%d network%s of %d epochs each", picture->members,
        picture->members == 1 ? "" : "s", picture->epochs);
    if (isfinite(picture->best_error)) {
        add_whole(&state, ", mean test error %.2f %%", 100 * picture->best_error);
    }
    end_line(view, &state, PLAIN);
    add(&head, "%20s  %7s  %9s", "seed", "epochs", "error");
    add_whole(&head, "  %8s", "loss");
    add_whole(&head, "  %17s", "training accuracy");
    end_line(view, &head, FAINT);
    int fit = rows_that_fit(view);
    for (int i = 0; i < fit; i++) {
        write_network(view, &picture->rows[i]);
    }
    if (fit >= 0 && fit < picture->members) {
        line rest = new_line(view);
        add(&rest, "%d more", picture->members - fit);
        end_line(view, &rest, FAINT);
    }
}

void view_write(FILE *out, const pba_watch_picture *picture, const view_pace *pace,
                const view_place *place)
{
    view view = {.out = out,
                 .place = place,
                 .picture = picture,
                 .pace = pace,
                 .left = place->lines > 0 ? place->lines : picture->members + 8};
    write_title(&view);
    (picture->search ? write_search : write_training)(&view);
}
