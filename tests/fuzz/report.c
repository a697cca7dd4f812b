/* SPDX-License-Identifier: Apache-2.0
 * A run's folder as a report reads and draws it: the files of a search or a training run. */
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz.h"

static const char *const names[] = {"config.json", "journal.jsonl", "result.json", "schedule.json",
                                    "checkpoint/seed-1.json"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[PBA_PATH_MAX];
    fuzz_part part;
    fuzz_clear();
    snprintf(path, sizeof path, "%s/checkpoint", fuzz_folder());
    fuzz_check(mkdir(path, 0777) == 0);
    while (fuzz_next(&data, &size, names, sizeof names / sizeof *names, &part)) {
        fuzz_put(part.name, part.data, part.size);
    }
    const char *runs[] = {fuzz_folder()};
    const pba_report_options options = {
        .runs = runs, .run_count = 1, .dataset = "/there/is/no/such/data"};
    snprintf(path, sizeof path, "%s/report.html", fuzz_folder());
    if (fuzz_done(pba_report_write(&options, path))) {
        snprintf(path, sizeof path, "%s/charts", fuzz_folder());
        fuzz_done(pba_report_charts(&options, path));
    }
    return 0;
}
