/* SPDX-License-Identifier: Apache-2.0
 * What came of a comparison: figures and verdicts of its arms, from their folders. */
#include <stdlib.h>
#include <string.h>

#include "compare/compare.h"
#include "core/file.h"
#include "core/locale.h"
#include "core/memory.h"
#include "report/verdict.h"
#include "train/run.h"

typedef struct opened {
    report_run **runs;
    int count;
} opened;

static void close_runs(opened *opened)
{
    for (int i = 0; opened->runs && i < opened->count; i++) {
        report_run_free(opened->runs[i]);
    }
    free(opened->runs);
}

static pba_status open_runs(const pba_comparison *comparison, opened *opened)
{
    *opened =
        (struct opened){.runs = memory_new((size_t)comparison->arm_count, sizeof *opened->runs)};
    pba_status status = opened->runs ? PBA_OK : PBA_MEMORY;
    for (int i = 0; i < comparison->arm_count && status == PBA_OK; i++) {
        status = report_run_open(comparison->arms[i].run, 0, &opened->runs[i]);
        opened->count += status == PBA_OK;
        if (status == PBA_OK && opened->runs[i]->done != comparison->options.seeds) {
            status = status_set(PBA_FORMAT, "%s: holds %d seeds of %d", comparison->arms[i].run,
                                opened->runs[i]->done, comparison->options.seeds);
        }
    }
    return status;
}

/* ------------------------------------------------------------------ figures */

static void judge(pba_comparison *comparison, const opened *opened, int index)
{
    pba_arm *arm = &comparison->results[index];
    char *text = comparison->texts + (size_t)index * REPORT_VERDICT_TEXT;
    report_verdict verdict;
    if (!report_judge((const report_run *const *)opened->runs, opened->count, index, &verdict)) {
        return;
    }
    for (int i = 0; i < opened->count; i++) {
        if (opened->runs[i] == verdict.rival) {
            arm->rival = comparison->arms[i].augment;
        }
    }
    report_tell_verdict(&verdict, text);
    arm->gain = verdict.gain.mean;
    arm->gain_half_width = verdict.gain.half;
    arm->verdict = text;
}

static void fill(pba_comparison *comparison, const opened *opened)
{
    for (int i = 0; i < opened->count; i++) {
        const report_run *run = opened->runs[i];
        double *errors = comparison->errors + (size_t)i * (size_t)comparison->options.seeds;
        pba_arm *arm = &comparison->results[i];
        memcpy(arm->augment, comparison->arms[i].augment, sizeof arm->augment);
        memcpy(arm->run, comparison->arms[i].run, sizeof arm->run);
        memcpy(errors, run->errors, (size_t)run->done * sizeof *errors);
        arm->errors = errors;
        arm->seeds = run->done;
        arm->mean = report_mean(run);
        arm->half_width = report_half_width(run);
        arm->core_seconds = run->core_seconds;
        arm->search_seconds = run->search_seconds;
        judge(comparison, opened, i);
    }
}

pba_status compare_read_results(pba_comparison *comparison)
{
    size_t count = (size_t)comparison->arm_count;
    opened opened;
    free(comparison->results);
    free(comparison->errors);
    free(comparison->texts);
    comparison->results = memory_new(count, sizeof *comparison->results);
    comparison->errors =
        memory_new(count * (size_t)comparison->options.seeds, sizeof *comparison->errors);
    comparison->texts = memory_new(count, REPORT_VERDICT_TEXT);
    bool room = comparison->results && comparison->errors && comparison->texts;
    pba_status status = room ? open_runs(comparison, &opened) : PBA_MEMORY;
    if (status == PBA_OK) {
        locale_plain held = locale_enter();
        fill(comparison, &opened);
        locale_leave(&held);
    }
    if (room) {
        close_runs(&opened);
    }
    return status;
}

size_t pba_comparison_arms(const pba_comparison *comparison, const pba_arm **arms)
{
    if (arms) {
        *arms = comparison ? comparison->results : NULL;
    }
    return comparison && comparison->complete ? (size_t)comparison->arm_count : 0;
}

/* --------------------------------------------------------------------- files */

/* These return -1 where there is no memory. */
static int add_real(json_t *arm, const char *key, double value, bool known)
{
    return known ? json_object_set_new(arm, key, json_real(value)) : 0;
}

static int add_text(json_t *arm, const char *key, const char *text)
{
    return text ? json_object_set_new(arm, key, json_string(text)) : 0;
}

static int add_errors(json_t *object, const pba_arm *arm)
{
    json_t *errors = json_array();
    int failed = json_object_set_new(object, "test_errors", errors);
    for (int i = 0; i < arm->seeds && !failed; i++) {
        failed = json_array_append_new(errors, json_real(arm->errors[i]));
    }
    return failed;
}

static json_t *arm_json(const pba_comparison *comparison, int index)
{
    const pba_arm *arm = &comparison->results[index];
    json_t *object = json_object();
    int failed = add_text(object, "augment", arm->augment);
    failed |= add_text(object, "run", comparison->arms[index].name);
    failed |= add_errors(object, arm);
    failed |= add_real(object, "mean_test_error", arm->mean, true);
    failed |= add_real(object, "half_width", arm->half_width, arm->half_width >= 0);
    failed |= add_real(object, "core_seconds", arm->core_seconds, true);
    failed |=
        add_real(object, "search_core_seconds", arm->search_seconds, arm->search_seconds >= 0);
    failed |= add_text(object, "rival", arm->rival);
    failed |= add_real(object, "gain", arm->gain, arm->rival);
    failed |= add_real(object, "gain_half_width", arm->gain_half_width,
                       arm->rival && arm->gain_half_width >= 0);
    failed |= add_text(object, "verdict", arm->verdict);
    if (failed) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static pba_status write_result(const pba_comparison *comparison)
{
    const pba_compare_options *options = &comparison->options;
    json_t *arms = json_array();
    for (int i = 0; i < comparison->arm_count && arms; i++) {
        if (json_array_append_new(arms, arm_json(comparison, i)) != 0) {
            json_decref(arms);
            arms = NULL; /* which makes no result below */
        }
    }
    return run_write_json(options->out, "result.json",
                          json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:o}", "format",
                                    "pba-comparison", "version", 1, "dataset", options->dataset,
                                    "model", options->recipe.model, "epochs",
                                    options->recipe.epochs, "seeds", options->seeds, "arms", arms));
}

pba_status compare_write_results(const pba_comparison *comparison)
{
    const char *runs[PBA_REPORT_RUNS_MAX];
    char path[PBA_PATH_MAX];
    pba_report_options report = {.runs = runs, .run_count = (size_t)comparison->arm_count};
    for (int i = 0; i < comparison->arm_count; i++) {
        runs[i] = comparison->arms[i].run;
    }
    pba_status status = file_join(path, comparison->options.out, "report.html");
    if (status == PBA_OK) {
        status = pba_report_write(&report, path);
    }
    if (status == PBA_OK) {
        status = pba_report_charts(&report, comparison->options.out);
    }
    return status == PBA_OK ? write_result(comparison) : status;
}
