/* SPDX-License-Identifier: Apache-2.0
 * What a training run came to: result.json at its end, a file per finished seed before. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/memory.h"
#include "report/run.h"
#include "schedule/fields.h"
#include "train/run.h"

enum { SEEDS_MAX = 1000000 };

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

pba_status report_read_training(report_run *run)
{
    long seeds = strtol(report_setting(run, "seeds"), NULL, 10);
    if (seeds < 1 || seeds > SEEDS_MAX) {
        return status_set(PBA_FORMAT, "%s/config.json: setting seeds: \"%s\" is no number 1 to %d",
                          run->path, report_setting(run, "seeds"), SEEDS_MAX);
    }
    run->seeds = (int)seeds;
    run->epochs = (int)strtol(report_setting(run, "epochs"), NULL, 10);
    run->first_seed = strtoull(report_setting(run, "seed"), NULL, 10);
    run->errors = memory_new((size_t)seeds, sizeof *run->errors);
    run->trained = memory_new((size_t)seeds, sizeof *run->trained);
    if (!run->errors || !run->trained) {
        return PBA_MEMORY;
    }
    return run->result ? take_result(run) : take_files(run);
}

double report_mean(const report_run *run)
{
    double sum = 0;
    for (int i = 0; i < run->done; i++) {
        sum += run->errors[i];
    }
    return run->done ? sum / run->done : (double)NAN;
}

/* The 97.5 % point of Student's t; beyond the table by Fisher's expansion, right to four digits. */
static double student(int freedom)
{
    static const double table[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646,
                                   2.3060,  2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
                                   2.1314,  2.1199, 2.1098, 2.1009, 2.0930, 2.0860};
    double z = 1.959964, n = freedom;
    if (freedom <= (int)(sizeof table / sizeof *table)) {
        return table[freedom - 1];
    }
    return z + (z * z * z + z) / (4 * n) + (5 * pow(z, 5) + 16 * z * z * z + 3 * z) / (96 * n * n);
}

double report_half_width(const report_run *run)
{
    double mean = report_mean(run), squares = 0;
    if (run->done < 2) {
        return -1;
    }
    for (int i = 0; i < run->done; i++) {
        squares += (run->errors[i] - mean) * (run->errors[i] - mean);
    }
    return student(run->done - 1) * sqrt(squares / (run->done - 1) / run->done);
}
