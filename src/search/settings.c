/* SPDX-License-Identifier: Apache-2.0 */
#include "train/settings.h"
#include "population/population.h"
#include "search/directory.h"

static const pba_setting rows[] = {
    RECIPE_ROWS("wrn-40-2", "200",
                "Validation images, on which members are scored; 0: as many as the data format "
                "sets apart, or one in five, at most 5,000."),
    {"dataset", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, dataset), 0, 0, "", "DATASET",
     NULL, "Path of the data, recognized by content, or demo.", false},
    {"population", PBA_SETTING_INT, SETTING_FIELD(pba_search_options, population), 2,
     POPULATION_MAX, "16", "N", NULL, "Networks that train side by side.", false},
    {"interval", PBA_SETTING_INT, SETTING_FIELD(pba_search_options, interval), 1,
     SCHEDULE_EPOCHS_MAX, "3", "N", NULL,
     "Epochs between two scores, after each of which the worst quarter copies the best quarter and "
     "changes its policy.",
     false},
    {"selection", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, selection), 0, 0,
     "truncation", "truncation|none", "truncation|none",
     "truncation: the worst quarter copies the best quarter and changes its policy. none: nobody "
     "copies, every member changes its own policy at every decision; what the best member at the "
     "end comes to by drift alone, as a control.",
     false},
    PLUGIN_SETTING(pba_search_options),
    {"ops", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, ops), 0, 0, "", "LIST", NULL,
     "Operations to search, such as Rotate,ShearX, or, each behind a \"-\", those to leave out of "
     "the fifteen of the paper, such as -Invert,-Solarize. Any that pba ops lists may be named; "
     "those of plug-ins are searched unless this says otherwise.",
     false},
    {"count-probs", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, count_probs), 0, 0,
     "0.2,0.3,0.5", "P0,P1,...", NULL,
     "Probabilities that at most 0, 1, 2 ... operations are applied to an image. The schedule says "
     "so, too, and training under it does the same.",
     false},
    {"burn-in", PBA_SETTING_INT, SETTING_FIELD(pba_search_options, burn_in), 0, SCHEDULE_EPOCHS_MAX,
     "0", "N", NULL,
     "Epochs before the first time that anybody copies or changes a policy. Scores that come "
     "earlier are journalled and decide nothing.",
     false},
    {"quantile", PBA_SETTING_REAL, SETTING_FIELD(pba_search_options, quantile), 0, 0.5, "0.25", "X",
     NULL,
     "Share of the networks that copy, and of those that are copied, rounded up. 0: nobody copies "
     "and no policy changes.",
     false},
    {"resample", PBA_SETTING_REAL, SETTING_FIELD(pba_search_options, resample), 0, 1, "0.2", "X",
     NULL,
     "Where a policy changes: the chance of each of its numbers to be drawn anew instead of being "
     "moved by 0 to 3.",
     false},
    {"val", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, val), 0, 0, "", "DATASET2", NULL,
     "Scores on images of another data set, the distribution that matters: of the same classes, "
     "channels and size (a folder's images become the size of DATASET's). Used are its validation "
     "images where it stores some, else all that its test split leaves, at most --val-size (0: "
     "5,000); never one that is also a training or test image of DATASET, from which no validation "
     "images are set apart then.",
     false},
    {"from", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, from), 0, 0, "", "RUN|FILE", NULL,
     "Warm start: instead of with the empty policy, the networks, which are fresh, start with "
     "policies of this schedule, spread evenly from its first epoch to its last; every second one "
     "is changed once. Of the same operations.",
     false},
    {"preset", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, preset), 0, 0, "", "NAME", NULL,
     "Starts from the settings of a published experiment (pba presets lists them); options that "
     "are "
     "given beside it win.",
     false},
    {"budget", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, budget), 0, 0, "", "TIME", NULL,
     "Fits the search into TIME (90s, 45m, 1h30m, 2h), from the command's start to the report: "
     "measures this machine for some seconds, then chooses model, population, epochs, training and "
     "validation images, and the precision, but for those that are given. Says what it chose and "
     "why; docs/steering.md has the rules.",
     false},
    {"workers", PBA_SETTING_INT, SETTING_FIELD(pba_search_options, workers), 0, 1024, "0", "N",
     NULL,
     "Networks that train at the same time, one thread each; 0: one per core. The result does not "
     "depend on it.",
     true},
    {"out", PBA_SETTING_TEXT, SETTING_FIELD(pba_search_options, out), 0, 0, "", "RUN", NULL,
     "Folder of the run, made anew.", true},
    TENSORBOARD_ROW(pba_search_options),
};

const pba_setting *pba_search_settings(size_t *count)
{
    if (count) {
        *count = sizeof rows / sizeof *rows;
    }
    return rows;
}
