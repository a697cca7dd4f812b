/* SPDX-License-Identifier: Apache-2.0
 * Validation errors over time: of every member of one search, and of the best ones of several. */
#include <math.h>
#include <stdlib.h>

#include "report/members.h"

/* Widens the frame to hold a value in percent. */
static void hold(report_frame *frame, double error)
{
    if (isfinite(error)) {
        frame->y_min = fmin(frame->y_min, 100 * error);
        frame->y_max = fmax(frame->y_max, 100 * error);
    }
}

/* Whole ticks around what is held. */
static void round_frame(report_frame *frame)
{
    if (!(frame->y_min <= frame->y_max)) {
        frame->y_min = 0;
        frame->y_max = 100;
    }
    double step = frame_step(fmax(frame->y_max - frame->y_min, 0.1), 5);
    frame->y_min = floor(frame->y_min / step) * step;
    frame->y_max = ceil(frame->y_max / step + 1e-9) * step;
}

static report_frame make_frame(double width, double height, double right, double top)
{
    return (report_frame){.left = 46,
                          .top = top,
                          .width = width - 46 - right,
                          .height = height,
                          .y_min = (double)INFINITY,
                          .y_max = -(double)INFINITY};
}

/* --------------------------------------------------------- members of a search */

/* A network's line goes from the score that its weights had to the one that they came to. */
static void draw_fate(report_text *out, const report_run *run, const report_frame *frame,
                      const members *members, members_fate fate)
{
    svg_path_begin(out, members_class(fate), NULL);
    report_add(out, "M0 0");
    for (int i = run->population; i < run->begun * run->population; i++) {
        const report_cell *cell = &run->cells[i];
        int round = i / run->population;
        const report_cell *before = report_cell_at(run, round - 1, cell->source);
        if (cell->scored && isfinite(cell->error) && isfinite(before->error) &&
            members->row[i % run->population] >= 0 && members_fate_of(cell) == fate) {
            report_add(
                out, "M%.1f %.1fL%.1f %.1f", frame_x(frame, report_round_epoch(run, round - 1)),
                frame_y(frame, 100 * before->error), frame_x(frame, report_round_epoch(run, round)),
                frame_y(frame, 100 * cell->error));
        }
    }
    svg_path_end(out, NULL);
}

static void draw_points(report_text *out, const report_run *run, const report_frame *frame,
                        const members *members, members_fate fate)
{
    for (int i = 0; i < run->begun * run->population; i++) {
        const report_cell *cell = &run->cells[i];
        int round = i / run->population, member = i % run->population;
        if (!cell->scored || members->row[member] < 0 || !(members->points || cell->wins) ||
            members_fate_of(cell) != fate) {
            continue;
        }
        char class[24];
        report_text title = {0};
        double x = frame_x(frame, report_round_epoch(run, round));
        double y = isfinite(cell->error) ? frame_y(frame, 100 * cell->error) : frame->top;
        members_tell(&title, run, round, member);
        snprintf(class, sizeof class, "dot-%s", members_class(fate));
        svg_dot(out, class, x, y, fate == FATE_WINS ? 3.2 : 1.7, NULL);
        svg_dot(out, "point", x, y, 6, title.data);
        out->failed |= title.failed;
        free(title.data);
    }
}

static void hold_all(const report_run *run, const members *members, report_frame *frame)
{
    for (int i = 0; i < run->begun * run->population; i++) {
        if (run->cells[i].scored && members->row[i % run->population] >= 0) {
            hold(frame, run->cells[i].error);
        }
    }
    round_frame(frame);
    frame->x_max = run->epochs;
}

static void draw_best(report_text *out, const report_run *run, const report_frame *frame)
{
    if (run->best >= 0 && isfinite(run->best_error)) {
        double x = frame_x(frame, report_round_epoch(run, run->whole - 1)) + 7;
        double y = frame_y(frame, 100 * run->best_error);
        y = fmin(y, frame->top + frame->height - 16);
        svg_label(out, "win-text", "start", x, y + 4, "member %d", run->best);
        svg_label(out, "win-text", "start", x, y + 18, "%.2f %%", 100 * run->best_error);
    }
}

void chart_errors(report_text *out, const report_run *run, chart_place place)
{
    members members;
    if (members_choose(run, &members) != PBA_OK) {
        out->failed = true;
        return;
    }
    double height = place.narrow ? 230 : 300;
    svg_picture picture = {chart_width(place), height + 92, place.alone};
    report_frame frame = make_frame(picture.width, height, 84, 48);
    hold_all(run, &members, &frame);
    svg_open(out, &picture, "Validation error of every member, over the epochs of training");
    members_key(out);
    frame_axis_y(out, &frame, " %", "validation error");
    for (members_fate fate = FATE_LOST; fate < FATES; fate++) {
        draw_fate(out, run, &frame, &members, fate);
        draw_points(out, run, &frame, &members, fate);
    }
    draw_best(out, run, &frame);
    frame_axis_x(out, &frame, "epoch of training");
    svg_close(out);
    free(members.row);
}

/* ------------------------------------------------------------ several searches */

enum { SERIES = 4, KEY_LINE = 18 }; /* kinds of line, which come again from the fifth run on */

static double best_of_round(const report_run *run, int round, int *member)
{
    double best = (double)INFINITY;
    for (int i = 0; i < run->population; i++) {
        double error = report_cell_at(run, round, i)->error;
        if (error < best) {
            best = error;
            *member = i;
        }
    }
    return best;
}

static void draw_search(report_text *out, const report_run *run, const report_frame *frame,
                        int series)
{
    char class[16];
    bool begun = false;
    snprintf(class, sizeof class, "series%d", series);
    svg_path_begin(out, class, NULL);
    report_add(out, "M0 0");
    for (int round = 0; round < run->whole; round++) {
        int member = 0;
        double error = best_of_round(run, round, &member);
        if (isfinite(error)) {
            report_add(out, "%s%.1f %.1f", begun ? "L" : "M",
                       frame_x(frame, report_round_epoch(run, round)), frame_y(frame, 100 * error));
            begun = true;
        }
    }
    svg_path_end(out, NULL);
}

static void draw_search_points(report_text *out, const report_run *run, const report_frame *frame)
{
    for (int round = 0; round < run->whole; round++) {
        int member = 0;
        double error = best_of_round(run, round, &member);
        if (isfinite(error)) {
            report_text title = {0};
            report_add(&title, "%s\nbest: ", run->name);
            members_tell(&title, run, round, member);
            svg_dot(out, "point", frame_x(frame, report_round_epoch(run, round)),
                    frame_y(frame, 100 * error), 6, title.data);
            out->failed |= title.failed;
            free(title.data);
        }
    }
}

void chart_searches(report_text *out, const report_run *const *runs, int count, chart_place place)
{
    double height = place.narrow ? 230 : 300, top = count * KEY_LINE + 28;
    svg_picture picture = {chart_width(place), height + top + 44, place.alone};
    report_frame frame = make_frame(picture.width, height, 16, top);
    for (int i = 0; i < count; i++) {
        for (int round = 0; round < runs[i]->whole; round++) {
            int member;
            hold(&frame, best_of_round(runs[i], round, &member));
        }
        frame.x_max = fmax(frame.x_max, runs[i]->epochs);
    }
    round_frame(&frame);
    svg_open(out, &picture, "Lowest validation error of each search, over the epochs of training");
    frame_axis_y(out, &frame, " %", "lowest validation error of the population");
    for (int i = 0; i < count; i++) {
        char class[16];
        snprintf(class, sizeof class, "series%d", i % SERIES);
        svg_line(out, class, 0, 9 + i * KEY_LINE, 26, 9 + i * KEY_LINE);
        svg_label(out, "", "start", 32, 13 + i * KEY_LINE, "%s", runs[i]->name);
        draw_search(out, runs[i], &frame, i % SERIES);
    }
    for (int i = 0; i < count; i++) {
        draw_search_points(out, runs[i], &frame);
    }
    frame_axis_x(out, &frame, "epoch of training");
    svg_close(out);
}
