/* SPDX-License-Identifier: Apache-2.0
 * What a training run came to: result.json at its end, a file per finished seed before. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/kind.h"
#include "core/file.h"
#include "core/memory.h"
#include "report/run.h"
#include "report/statistics.h"
#include "schedule/fields.h"
#include "train/run.h"
#include "train/settings.h"

static double real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static pba_status take_seed(report_run *run, int index, const json_t *seed)
{
    double error;
    pba_status status = schedule_field_real(seed, "test_error", 0, 1, &error);
    if (status == PBA_OK) {
        run->numbers[run->done] = run->first_seed + (unsigned)index;
        run->errors[run->done++] = error;
        run->trained[index] =
            (report_seed){true, error, real(seed, "train_loss"), real(seed, "train_accuracy")};
    }
    return status;
}

static pba_status take_result(report_run *run)
{
    json_t *list;
    pba_status status = schedule_field_list(run->result, "seeds", &list);
    for (size_t i = 0; status == PBA_OK && i < json_array_size(list); i++) {
        status =
            i < (size_t)run->seeds
                ? take_seed(run, (int)i, json_array_get(list, i))
                : status_set(PBA_FORMAT, "field 'seeds': more than config.json's %d", run->seeds);
    }
    return status == PBA_OK ? PBA_OK : status_prefix(status, "%s/result.json", run->path);
}

static pba_status take_file(report_run *run, int index, const char *name)
{
    json_t *seed;
    pba_status status = run_read_json(run->path, name, &seed);
    if (status == PBA_OK) {
        status = take_seed(run, index, seed);
        json_decref(seed);
        status = status == PBA_OK ? status : status_prefix(status, "%s/%s", run->path, name);
    }
    return status;
}

static pba_status take_files(report_run *run)
{
    pba_status status = PBA_OK;
    for (int i = 0; i < run->seeds && status == PBA_OK; i++) {
        char name[PBA_NAME_MAX], path[PBA_PATH_MAX];
        snprintf(name, sizeof name, "checkpoint/seed-%llu.json",
                 (unsigned long long)run->first_seed + (unsigned)i);
        status = file_join(path, run->path, name);
        if (status == PBA_OK && file_exists(path)) {
            status = take_file(run, i, name);
        }
    }
    return status;
}

/* Core-seconds of a finished training run: cores that were held, whether busy or not. Runs that do
 * not say it were never stopped, or it is at least that much. */
static double training_cost(const report_run *run)
{
    const json_t *cost = json_object_get(run->result, "core_seconds");
    const json_t *threads = json_object_get(run->result, "threads");
    json_t *seeds = json_object_get(run->result, "seeds"), *seed;
    size_t i;
    double sum = 0;
    json_array_foreach(seeds, i, seed)
    {
        sum += json_number_value(json_object_get(seed, "seconds"));
    }
    sum *= json_is_number(threads) ? json_number_value(threads) : 1;
    return json_is_number(cost) ? json_number_value(cost) : sum > 0 ? sum : -1;
}

/* The cores that the machine of a run had, as its config.json tells. */
static double cores_of(const json_t *config)
{
    const char *build = json_string_value(json_object_get(config, "build"));
    const char *cores = build ? strstr(build, "cores ") : NULL;
    return cores ? strtod(cores + strlen("cores "), NULL) : 0;
}

/* Core-seconds that a search took, from its folder; negative where that does not tell, or is none.
 * A search that says only its time had as many workers as there were cores, unless told otherwise.
 */
static pba_status search_cost(const char *folder, double *cost)
{
    json_t *result = NULL, *config = NULL;
    *cost = -1;
    if (augment_kind_find(folder)->name || !file_is_folder(folder)) {
        return PBA_OK;
    }
    pba_status status = run_read_json(folder, "result.json", &result);
    if (status == PBA_OK) {
        status = run_read_json(folder, "config.json", &config);
    }
    if (status == PBA_OK) {
        const json_t *told = json_object_get(result, "core_seconds");
        double wall = json_number_value(json_object_get(result, "seconds"));
        double product = wall * cores_of(config);
        *cost = json_is_number(told) ? json_number_value(told) : product > 0 ? product : -1;
    }
    json_decref(result);
    json_decref(config);
    return status == PBA_MEMORY ? status : PBA_OK;
}

pba_status report_read_training(report_run *run)
{
    long seeds = strtol(report_setting(run, "seeds"), NULL, 10);
    if (seeds < 1 || seeds > TRAIN_SEEDS_MAX) {
        return status_set(PBA_FORMAT, "%s/config.json: setting seeds: \"%s\" is no number 1 to %d",
                          run->path, report_setting(run, "seeds"), TRAIN_SEEDS_MAX);
    }
    run->seeds = (int)seeds;
    run->epochs = (int)strtol(report_setting(run, "epochs"), NULL, 10);
    run->first_seed = strtoull(report_setting(run, "seed"), NULL, 10);
    run->errors = memory_new((size_t)seeds, sizeof *run->errors);
    run->trained = memory_new((size_t)seeds, sizeof *run->trained);
    run->numbers = memory_new((size_t)seeds, sizeof *run->numbers);
    if (!run->errors || !run->trained || !run->numbers) {
        return PBA_MEMORY;
    }
    run->core_seconds = training_cost(run);
    pba_status status = search_cost(report_setting(run, "augment"), &run->search_seconds);
    if (status != PBA_OK) {
        return status;
    }
    return run->result ? take_result(run) : take_files(run);
}

double report_mean(const report_run *run)
{
    return statistics_mean(run->errors, run->done);
}

double report_half_width(const report_run *run)
{
    return statistics_half_width(run->errors, run->done);
}
