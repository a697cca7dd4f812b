/* SPDX-License-Identifier: Apache-2.0
 * A population's state. One that is read is written to the same bytes again and again, and goes on
 * to its end. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { TASKS = 500 };

static void read_back(const pba_population *population)
{
    pba_population *again;
    char *text, *copy;
    fuzz_check(pba_population_to_json(population, &text) == PBA_OK);
    fuzz_check(pba_population_from_json(text, &again) == PBA_OK);
    fuzz_check(pba_population_to_json(again, &copy) == PBA_OK);
    fuzz_check(strcmp(text, copy) == 0);
    free(text);
    free(copy);
    pba_population_free(again);
}

static void finish(pba_population *population)
{
    pba_schedule *schedule;
    pba_task task = {0};
    int member;
    double error;
    for (int i = 0; i < TASKS && task.kind != PBA_TASK_DONE; i++) {
        fuzz_check(pba_population_ask(population, &task) == PBA_OK && task.kind != PBA_TASK_WAIT);
        if (task.kind == PBA_TASK_TRAIN) {
            fuzz_check(task.until_epoch > task.from_epoch);
            fuzz_check(pba_population_tell(population, task.member, i % 7 / 7.0) == PBA_OK);
        }
    }
    if (task.kind == PBA_TASK_DONE) {
        fuzz_check(pba_population_best(population, &member, &error) == PBA_OK);
        fuzz_check(pba_population_schedule(population, &schedule) == PBA_OK);
        pba_schedule_free(schedule);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pba_population *population;
    char *text = fuzz_text(data, size);
    if (fuzz_done(pba_population_from_json(text, &population))) {
        read_back(population);
        finish(population);
        read_back(population);
        pba_population_free(population);
    }
    free(text);
    return 0;
}
