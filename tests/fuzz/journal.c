/* SPDX-License-Identifier: Apache-2.0
 * The journal of a search of three members over three rounds, told to a fresh population: opening,
 * a torn end, and the replay. */
#include "search/journal.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "search/search.h"

static pba_search *search_without_data(void)
{
    pba_search_options options;
    pba_search *search;
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    options.population = 3;
    options.recipe.epochs = 5;
    options.recipe.batch = 1;
    options.interval = 2;
    fuzz_check(search_new(&options, true, NULL, &search) == PBA_OK);
    search->task = calloc(1, sizeof *search->task);
    fuzz_check(search->task);
    search->task->recipe = options.recipe;
    search->task->counts[PBA_TRAIN] = search->task->counts[PBA_VALIDATION] = 4;
    return search;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pba_search *search = search_without_data();
    if (fuzz_done(journal_open(fuzz_file(data, size), &search->journal))) {
        fuzz_done(search_replay(search));
    }
    pba_search_free(search);
    return 0;
}
