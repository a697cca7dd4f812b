/* SPDX-License-Identifier: Apache-2.0 */
#include "report/rows.h"

static bool has_policy(const chart_subject *subject)
{
    return subject->figures && !subject->figures->empty;
}

static bool has_scores(const chart_subject *subject)
{
    return subject->run->kind == REPORT_SEARCH && json_array_size(subject->run->lines);
}

static void draw_shares(report_text *out, const chart_subject *subject, chart_place place)
{
    chart_shares(out, subject->figures, place);
}

static void draw_levels(report_text *out, const chart_subject *subject, chart_place place)
{
    chart_levels(out, subject->figures, place);
}

static void draw_tree(report_text *out, const chart_subject *subject, chart_place place)
{
    chart_tree(out, subject->run, place);
}

static void draw_errors(report_text *out, const chart_subject *subject, chart_place place)
{
    chart_errors(out, subject->run, place);
}

const chart_row chart_rows[] = {
    {"probabilities", "How often each operation is applied",
     "The height of an area is how many times that operation is applied to an image, on average, "
     "worked out exactly from the policy's probabilities. An image gets at most 0, 1 or 2 "
     "operations, by a draw with probabilities 0.2, 0.3 and 0.5, so that all areas together reach "
     "1.3 and no more. A schedule that changes more than 400 times is shown at 400 of its epochs. "
     "Blue moves pixels, orange changes tones, purple works on the histogram, green on colour and "
     "sharpness, grey cuts out.",
     has_policy, draw_shares},
    {"magnitudes", "How strongly each operation is applied",
     "Levels go from 0 to 9: the darker (on dark paper: the lighter), the larger its parameter. "
     "Hovering tells what that is in degrees or pixels. For Brightness, Color, Contrast and "
     "Sharpness level 5 changes nothing and both ends are strong; for Posterize and Solarize the "
     "parameter falls as the level rises. Empty: not in use at that time.",
     has_policy, draw_levels},
    {"family", "Who copied whom",
     "A row is a place in the population. Every few epochs the worst networks are replaced by "
     "copies of the best ones, weights and policy alike (a curve from the copied row), and the "
     "copy changes its policy. The thick line leads to the best network: the policies along it, "
     "one after the other, are the schedule. Of more than 64 networks, 64 are shown: the best "
     "one's line and, as far as there is room, those that live on.",
     has_scores, draw_tree},
    {"errors", "Validation error of every member",
     "A line is a network. It ends where the network was replaced, and branches where it was "
     "copied. Lower is better. Of more than 64 networks, the same 64 are shown.",
     has_scores, draw_errors},
};
const int chart_row_count = sizeof chart_rows / sizeof *chart_rows;

const chart_group chart_groups[] = {
    {"comparison", "Test error after training",
     "Rings are the seeds of a run, the dot their mean, the bar its 95 % interval (Student's t "
     "over the seeds: what other seeds would do, not other images). Where bars overlap widely, the "
     "runs do not show that one way is better than the other.",
     REPORT_TRAINING, 1, chart_trainings},
    {"searches", "The searches side by side",
     "The lowest validation error of each population after every round.", REPORT_SEARCH, 2,
     chart_searches},
};
const int chart_group_count = sizeof chart_groups / sizeof *chart_groups;
