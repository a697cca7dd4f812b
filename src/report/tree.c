/* SPDX-License-Identifier: Apache-2.0
 * The family tree: a row a member, time from left to right, a curve where one copied another. */
#include <math.h>
#include <stdlib.h>

#include "report/members.h"

static double begin_x(const report_run *run, const report_frame *frame, int round)
{
    return frame_x(frame, round ? report_round_epoch(run, round - 1) : 0);
}

static double row_y(const report_frame *frame, const members *members, int member)
{
    return frame->top + (members->row[member] + 0.5) * frame->height / members->count;
}

/* All lines of one fate as one path. */
static void draw_lines(report_text *out, const report_run *run, const report_frame *frame,
                       const members *members, members_fate fate)
{
    svg_path_begin(out, members_class(fate), NULL);
    report_add(out, "M0 0");
    for (int round = 0; round < run->begun; round++) {
        for (int member = 0; member < run->population; member++) {
            const report_cell *cell = report_cell_at(run, round, member);
            if (cell->scored && members->row[member] >= 0 && members_fate_of(cell) == fate) {
                report_add(out, "M%.1f %.1fH%.1f", begin_x(run, frame, round),
                           row_y(frame, members, member),
                           frame_x(frame, report_round_epoch(run, round)));
            }
        }
    }
    svg_path_end(out, NULL);
}

static void tell_copy(report_text *title, const report_run *run, int round, int member)
{
    int source = report_cell_at(run, round, member)->source;
    report_add(title, "after %d epochs member %d copied member %d, network and policy\n",
               report_round_epoch(run, round - 1), member, source);
    report_add(title, "validation errors then: %.2f %% and %.2f %%",
               100 * report_cell_at(run, round - 1, member)->error,
               100 * report_cell_at(run, round - 1, source)->error);
}

static void draw_copy(report_text *out, const report_run *run, const report_frame *frame,
                      const members *members, int round, int member)
{
    const report_cell *cell = report_cell_at(run, round, member);
    const char *class = members_class(members_fate_of(cell));
    double x = begin_x(run, frame, round), bend = fmin(12, x - begin_x(run, frame, round - 1));
    double from = row_y(frame, members, cell->source), to = row_y(frame, members, member);
    report_text title = {0};
    tell_copy(&title, run, round, member);
    for (int touch = 0; touch < 2; touch++) {
        svg_path_begin(out, touch ? "touch" : class, NULL);
        report_add(out, "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f", x - bend, from, x, from,
                   x - bend, to, x, to);
        svg_path_end(out, touch ? title.data : NULL);
    }
    report_add(out, "<path class=\"head-%s\" d=\"M%.1f %.1fl6 3.5l-6 3.5z\"/>\n", class, x - 1,
               to - 3.5);
    out->failed |= title.failed;
    free(title.data);
}

static void draw_copies(report_text *out, const report_run *run, const report_frame *frame,
                        const members *members, members_fate fate)
{
    for (int round = 1; round < run->begun; round++) {
        for (int member = 0; member < run->population; member++) {
            const report_cell *cell = report_cell_at(run, round, member);
            if (cell->source != member && members_fate_of(cell) == fate &&
                members->row[member] >= 0 && members->row[cell->source] >= 0) {
                draw_copy(out, run, frame, members, round, member);
            }
        }
    }
}

static void draw_points(report_text *out, const report_run *run, const report_frame *frame,
                        const members *members)
{
    for (int i = 0; i < run->begun * run->population; i++) {
        const report_cell *cell = &run->cells[i];
        int round = i / run->population, member = i % run->population;
        if (!cell->scored || members->row[member] < 0 || !(members->points || cell->wins)) {
            continue;
        }
        report_text title = {0};
        double x = frame_x(frame, report_round_epoch(run, round));
        members_tell(&title, run, round, member);
        if (cell->wins) {
            svg_dot(out, "dot-win", x, row_y(frame, members, member), 3.2, NULL);
        }
        svg_dot(out, "point", x, row_y(frame, members, member), 6, title.data);
        out->failed |= title.failed;
        free(title.data);
    }
}

static void draw_rows(report_text *out, const report_run *run, const report_frame *frame,
                      const members *members)
{
    svg_label(out, "soft", "start", 0, frame->top - 6, "member");
    for (int member = 0; member < run->population; member++) {
        if (members->row[member] >= 0) {
            svg_label(out, member == run->best ? "win-text" : "soft", "end", frame->left - 8,
                      row_y(frame, members, member) + 4, "%d", member);
        }
    }
}

void chart_tree(report_text *out, const report_run *run, chart_place place)
{
    members members;
    if (members_choose(run, &members) != PBA_OK) {
        out->failed = true;
        return;
    }
    svg_picture picture = {chart_width(place), members.count * 18 + 88, place.alone};
    report_frame frame = {.left = 44,
                          .top = 44,
                          .width = picture.width - 44 - 16,
                          .height = members.count * 18,
                          .x_max = run->epochs};
    svg_open(out, &picture, "Family tree of the population, over the epochs of training");
    members_key(out);
    draw_rows(out, run, &frame, &members);
    for (members_fate fate = FATE_LOST; fate < FATES; fate++) {
        draw_lines(out, run, &frame, &members, fate);
        draw_copies(out, run, &frame, &members, fate);
    }
    draw_points(out, run, &frame, &members);
    frame_axis_x(out, &frame, "epoch of training");
    svg_close(out);
    free(members.row);
}
