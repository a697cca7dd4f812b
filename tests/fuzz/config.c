/* SPDX-License-Identifier: Apache-2.0
 * config.json of a search and of a training run. */
#include "fuzz.h"
#include "train/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pba_search_options search;
    static pba_train_options training;
    size_t count;
    fuzz_put("config.json", data, size);
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&search, rows, count);
    fuzz_done(run_read_config(fuzz_folder(), "search", &search, rows, count));
    rows = pba_train_settings(&count);
    pba_settings_init(&training, rows, count);
    fuzz_done(run_read_config(fuzz_folder(), "train", &training, rows, count));
    return 0;
}
