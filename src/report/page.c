/* SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "report/style.h"
#include "report/verdict.h"

typedef struct page {
    report_text *out;
    const report_run *const *runs;
    figures *const *figures;
    int count;
    const pba_report_options *options;
} page;

static int count_kind(const page *page, report_kind kind)
{
    int count = 0;
    for (int i = 0; i < page->count; i++) {
        count += page->runs[i]->kind == kind;
    }
    return count;
}

static void heading(report_text *out, int level, const char *text)
{
    report_add(out, "<h%d>", level);
    report_say(out, "%s", text);
    report_add(out, "</h%d>\n", level);
}

static void tile(report_text *out, const char *value, const char *what)
{
    if (value[0]) {
        report_add(out, "<li><b>");
        report_say(out, "%s", value);
        report_add(out, "</b><span>");
        report_say(out, "%s", what);
        report_add(out, "</span></li>\n");
    }
}

/* "data set cifar-10": the last part of its path. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* ------------------------------------------------------------------- pictures */

static void caption(report_text *out, const char *text)
{
    report_add(out, "<figcaption>");
    report_say(out, "%s", text);
    report_add(out, "</figcaption></figure>\n");
}

static void add_charts(report_text *out, const chart_subject *subject, int level)
{
    for (int i = 0; i < chart_row_count; i++) {
        const chart_row *row = &chart_rows[i];
        if (row->can(subject)) {
            heading(out, level, row->title);
            report_add(out, "<figure><div class=\"wide\">");
            row->draw(out, subject, (chart_place){.narrow = false});
            report_add(out, "</div><div class=\"narrow\">");
            row->draw(out, subject, (chart_place){.narrow = true});
            report_add(out, "</div>");
            caption(out, row->caption);
        }
    }
}

static void add_group(const page *page, const chart_group *group)
{
    report_text *out = page->out;
    const report_run **chosen = memory_new((size_t)page->count, sizeof *chosen);
    int count = 0;
    for (int i = 0; chosen && i < page->count; i++) {
        if (page->runs[i]->kind == group->kind) {
            chosen[count++] = page->runs[i];
        }
    }
    out->failed |= !chosen;
    if (count >= group->least) {
        heading(out, 2, group->title);
        report_add(out, "<figure><div class=\"wide\">");
        group->draw(out, chosen, count, (chart_place){.narrow = false});
        report_add(out, "</div><div class=\"narrow\">");
        group->draw(out, chosen, count, (chart_place){.narrow = true});
        report_add(out, "</div>");
        caption(out, group->caption);
    }
    free(chosen);
}

/* --------------------------------------------------------------- training runs */

/* Settings, beside what is compared, in which not all training runs agree. */
static void add_differences(const page *page)
{
    static const char *const compared[] = {"augment",        "seed",   "seeds",
                                           "schedule-order", "preset", "tensorboard"};
    const report_run *first = NULL;
    const char *name;
    json_t *value;
    bool found = false;
    for (int i = 0; i < page->count && !first; i++) {
        first = page->runs[i]->kind == REPORT_TRAINING ? page->runs[i] : NULL;
    }
    json_object_foreach(first->settings, name, value)
    {
        bool differs = false, skip = false;
        for (size_t i = 0; i < sizeof compared / sizeof *compared; i++) {
            skip |= strcmp(compared[i], name) == 0;
        }
        for (int i = 0; i < page->count; i++) {
            differs |=
                page->runs[i]->kind == REPORT_TRAINING &&
                strcmp(report_setting(page->runs[i], name), report_setting(first, name)) != 0;
        }
        if (differs && !skip) {
            report_add(page->out, found ? ", "
                                        : "<p class=\"note\">These runs differ in more than "
                                          "augmentation and seeds: ");
            report_say(page->out, "%s", name);
            found = true;
        }
    }
    report_add(page->out, found ? ".</p>\n" : "");
}

static void add_training_row(report_text *out, const report_run *run)
{
    double half = report_half_width(run);
    report_add(out, "<tr><td>");
    report_say(out, "%s", report_augment_name(run));
    report_add(out, "<br/><span class=\"soft\">");
    report_say(out, "%s", run->name);
    report_add(out, "</span></td><td>");
    report_say(out, "%s, %s epochs", report_setting(run, "model"), report_setting(run, "epochs"));
    report_add(out, "</td><td class=\"number\">");
    if (run->done) {
        report_add(out, "%.2f", 100 * report_mean(run));
        report_add(out, half >= 0 ? " &#177; %.2f %%" : " %%", 100 * half);
    } else {
        report_add(out, "none yet");
    }
    report_add(out, "</td><td class=\"number\">%d", run->done);
    if (run->done < run->seeds) {
        report_add(out, " of %d", run->seeds);
    }
    report_add(out, "</td><td class=\"number\">");
    if (run->core_seconds >= 0) {
        report_add(out, "%.2f", run->core_seconds / 3600);
    }
    if (run->search_seconds >= 0) {
        report_add(out, "<br/><span class=\"soft\">its search %.2f</span>",
                   run->search_seconds / 3600);
    }
    report_add(out, "</td></tr>\n");
}

static void add_verdicts(const page *page)
{
    report_verdict verdict;
    char text[REPORT_VERDICT_TEXT];
    for (int i = 0; i < page->count; i++) {
        if (report_judge(page->runs, page->count, i, &verdict)) {
            report_tell_verdict(&verdict, text);
            report_add(page->out, "<p class=\"lead\">");
            report_say(page->out, "%s", text);
            report_add(page->out, "</p>\n");
        }
    }
}

static void add_trainings(const page *page)
{
    report_text *out = page->out;
    if (!count_kind(page, REPORT_TRAINING)) {
        return;
    }
    add_verdicts(page);
    add_differences(page);
    report_add(out, "<table><thead><tr><th>augmentation</th><th>network</th><th>test error</th>"
                    "<th>seeds</th><th>core-hours</th></tr></thead><tbody>\n");
    for (int i = 0; i < page->count; i++) {
        if (page->runs[i]->kind == REPORT_TRAINING) {
            add_training_row(out, page->runs[i]);
        }
    }
    report_add(out, "</tbody></table>\n");
}

/* ------------------------------------------------------------------- one search */

static void add_state(report_text *out, const report_run *run)
{
    if (run->kind != REPORT_SEARCH || report_finished(run)) {
        return;
    }
    report_add(out, "<p class=\"note\">This search is not finished: it is still going, or was "
                    "stopped. ");
    if (run->whole) {
        report_add(out, "What is shown is how things stood after round %d of %d, %d of %d epochs.",
                   run->whole, run->rounds, report_round_epoch(run, run->whole - 1), run->epochs);
    } else {
        report_add(out, "No round of %d is complete yet, so there is no schedule to show.",
                   run->rounds);
    }
    report_add(out, " A stopped search goes on by <code>pba search --resume ");
    page_word(out, run->path);
    report_add(out, "</code></p>\n");
}

static void add_tiles(report_text *out, const report_run *run, const figures *figures)
{
    char text[128];
    report_add(out, "<ul class=\"tiles\">\n");
    if (run->best >= 0) {
        char what[64];
        snprintf(text, sizeof text, "%.2f %%", 100 * run->best_error);
        snprintf(what, sizeof what, "validation error of the best member, number %d", run->best);
        tile(out, isfinite(run->best_error) ? text : "none", what);
    }
    if (figures && figures->count) {
        snprintf(text, sizeof text, "%.2f", figures->columns[figures->count - 1].total);
        tile(out, text, "operations per image in the last epoch, on average");
        snprintf(text, sizeof text, "%d", figures->count);
        tile(out, figures->empty ? "" : text,
             figures->count == 1 ? "policy" : "policies, one after the other");
    }
    tile(out, last_part(report_setting(run, "dataset")), "data set");
    tile(out, report_setting(run, "model"), "network that the search trained");
    if (run->kind == REPORT_SEARCH) {
        snprintf(text, sizeof text, "%d x %d", run->population, run->epochs);
        tile(out, text, "members x epochs");
    } else {
        snprintf(text, sizeof text, "%d", pba_schedule_epochs(run->schedule));
        tile(out, text, "epochs");
    }
    const json_t *seconds = json_object_get(run->result, "seconds");
    if (run->kind == REPORT_SEARCH && json_is_number(seconds)) {
        snprintf(text, sizeof text, "%.1f min", json_number_value(seconds) / 60);
        tile(out, text, "time that the search took");
    }
    report_add(out, "</ul>\n");
}

static int by_share(const figures *figures, const figures_column *column, bool *told)
{
    int best = -1;
    double most = 0;
    for (int op = 0; op < figures->schedule->op_count; op++) {
        double share = figures_share(figures, column, op);
        if (!told[op] && share > most) {
            best = op;
            most = share;
        }
    }
    if (best >= 0) {
        told[best] = true;
    }
    return best;
}

/* "In the last epoch 1.30 operations are applied ..., most often Cutout (0.17 times), ..." */
static void add_words(report_text *out, const figures *figures)
{
    const figures_column *last = &figures->columns[figures->count - 1];
    bool told[PBA_POLICY_MAX] = {false};
    report_add(out,
               "<p class=\"lead\">In the last epoch %.2f operations are applied to an image on "
               "average",
               last->total);
    for (int i = 0, op; i < 3 && (op = by_share(figures, last, told)) >= 0; i++) {
        report_add(out, i ? ", " : ", most often ");
        report_say(out, "%s", figures->schedule->ops[op]);
        report_add(out, " (%.2f times)", figures_share(figures, last, op));
    }
    report_add(out, ".");
    bool found = false;
    for (int op = 0; op < figures->schedule->op_count; op++) {
        if (!figures->used[op]) {
            report_add(out, found ? ", " : " Never used: ");
            report_say(out, "%s", figures->schedule->ops[op]);
            found = true;
        }
    }
    report_add(out, "%s</p>\n", found ? "." : "");
}

static void add_empty(report_text *out, const report_run *run)
{
    if (!report_finished(run)) {
        report_add(out,
                   "<p class=\"note\">No operation fires so far: the best member still has the "
                   "empty policy that it started with.</p>\n");
        return;
    }
    report_add(out, "<p class=\"note\">No operation ever fires in this schedule: it augments "
                    "nothing.");
    if (run->kind == REPORT_SEARCH) {
        report_add(out, " The best member is one that kept the empty policy it started with. A "
                        "network that does not yet overfit gains nothing from more augmentation; "
                        "more epochs or a larger network may tell otherwise.");
    }
    report_add(out, "</p>\n");
}

static void add_run(const page *page, int index, int level)
{
    report_text *out = page->out;
    const report_run *run = page->runs[index];
    chart_subject subject = {run, page->figures[index]};
    add_state(out, run);
    add_tiles(out, run, subject.figures);
    if (subject.figures && subject.figures->empty) {
        add_empty(out, run);
    } else if (subject.figures) {
        add_words(out, subject.figures);
    }
    add_charts(out, &subject, level);
    const pba_dataset *opened = page->options->opened;
    const char *path =
        page->options->dataset ? page->options->dataset : report_setting(run, "dataset");
    if (subject.figures && (opened || path[0])) {
        heading(out, level, "Images under the schedule");
        page_images(out, run, path, opened);
    }
}

/* ------------------------------------------------------------------------ page */

static void page_title(const page *page, char title[NAME_MAX + 64])
{
    const report_run *run = page->runs[0];
    int searches = count_kind(page, REPORT_SEARCH), schedules = count_kind(page, REPORT_SCHEDULE);
    if (searches + schedules == 1) {
        for (int i = 0; run->kind == REPORT_TRAINING && i < page->count; i++) {
            run = page->runs[i];
        }
        snprintf(title, NAME_MAX + 64, "Augmentation schedule: %s", run->name);
    } else if (searches + schedules == 0 && page->count == 1) {
        snprintf(title, NAME_MAX + 64, "Training run: %s", run->name);
    } else {
        snprintf(title, NAME_MAX + 64, "%d runs compared", page->count);
    }
}

static void add_head(report_text *out, const char *title)
{
    report_add(out,
               "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\"><head>\n"
               "<meta charset=\"utf-8\"/>\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "img-src data:; style-src 'unsafe-inline'; script-src '%s'\"/>\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
               "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>",
               report_script_hash);
    report_say(out, "%s", title);
    report_add(out, "</title>\n<style>%s\n%s</style>\n</head>\n<body><main>\n", report_style_charts,
               report_style_page);
    heading(out, 1, title);
}

static void add_runs(const page *page)
{
    int shown = page->count - count_kind(page, REPORT_TRAINING);
    for (int i = 0; i < page->count; i++) {
        if (page->runs[i]->kind != REPORT_TRAINING) {
            if (shown > 1) {
                heading(page->out, 2, page->runs[i]->name);
            }
            add_run(page, i, shown > 1 ? 3 : 2);
        }
    }
}

static void add_settings(const page *page)
{
    int with = count_kind(page, REPORT_SEARCH) + count_kind(page, REPORT_TRAINING);
    if (with) {
        heading(page->out, 2, "Settings");
    }
    for (int i = 0; i < page->count; i++) {
        if (page->runs[i]->config) {
            if (with > 1) {
                heading(page->out, 3, page->runs[i]->name);
            }
            page_settings(page->out, page->runs[i]);
        }
    }
}

static void add_groups(const page *page, report_kind kind)
{
    for (int i = 0; i < chart_group_count; i++) {
        if (chart_groups[i].kind == kind) {
            add_group(page, &chart_groups[i]);
        }
    }
}

void page_write(report_text *out, const report_run *const *runs, figures *const *figures, int count,
                const pba_report_options *options)
{
    page page = {out, runs, figures, count, options};
    char title[NAME_MAX + 64];
    page_title(&page, title);
    add_head(out, title);
    add_groups(&page, REPORT_SEARCH);
    add_runs(&page);
    add_groups(&page, REPORT_TRAINING);
    add_trainings(&page);
    add_settings(&page);
    report_add(out, "<p class=\"soft\">Made by pba ");
    report_say(out, "%s", pba_version());
    report_add(out,
               ". Rest the pointer on a picture, or touch it, for exact figures.</p>\n"
               "</main>\n<div id=\"tip\" hidden=\"hidden\"></div>\n<script>%s</script>\n"
               "</body></html>\n",
               report_script);
}
