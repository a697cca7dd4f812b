/* SPDX-License-Identifier: Apache-2.0
 * What the files of a search can come to, so that none outgrows what reads it. */
#include "population/population.h"
#include "schedule/schedule.h"
#include "search/search.h"

/* Of the longest lines: numbers of 17 digits with sign and exponent; rounds and epochs of seven
 * digits, members of four, each entry of a policy "10,9,". */
enum { SCORE_BYTES = 224, CHANGE_BYTES = 96, ENTRY_BYTES = 5 };

double search_journal_most(double scores, double changes, int entries)
{
    return scores * SCORE_BYTES + changes * (CHANGE_BYTES + ENTRY_BYTES * entries);
}

static pba_status check(const pba_search *search, const char *file, double most, double limit)
{
    return most <= limit
               ? PBA_OK
               : status_set(PBA_USAGE,
                            "the %s of %d members in %d rounds could come to %.0f MB, of which "
                            "%.0f MB could be read back: give a smaller --population, fewer "
                            "--epochs or a larger --interval",
                            file, search->options.population, search->rounds, most / 1e6,
                            limit / 1e6);
}

pba_status search_check_files(const pba_search *search)
{
    const pba_population *population = search->population;
    double members = search->options.population, rounds = search->rounds;
    int entries = population->options.op_count * population->options.copies;
    double changes = (rounds - 1) * population_changes(population) + (search->from ? members : 0);
    pba_status status = check(search, "journal",
                              search_journal_most(members * rounds, changes, entries), JOURNAL_MAX);
    return status == PBA_OK
               ? check(search, "schedule", schedule_file_most(rounds, entries), SCHEDULE_FILE_MAX)
               : status;
}
