/* SPDX-License-Identifier: Apache-2.0
 * The options of opening a data set, as formats see them. */
#include <stdio.h>
#include <string.h>

#include "data/format.h"
#include "data/settings.h"

static const pba_setting rows[] = {DATASET_ROWS(pba_dataset_options)};

const pba_setting *pba_dataset_settings(size_t *count)
{
    if (count) {
        *count = sizeof rows / sizeof *rows;
    }
    return rows;
}

bool data_parse_size(const char *text, int *width, int *height)
{
    char rest;
    return strspn(text, "0123456789x") == strlen(text) && strlen(text) <= 11 &&
           sscanf(text, "%5dx%5d%c", width, height, &rest) == 2 && *width >= 1 && *height >= 1 &&
           *width <= UINT16_MAX && *height <= UINT16_MAX;
}

pba_status data_progress(const pba_dataset_options *options, const char *what, int64_t done,
                         int64_t total)
{
    bool go_on = !options->progress || options->progress(options->user, what, done, total);
    return go_on ? PBA_OK : status_set(PBA_INTERRUPTED, "opening the data set was stopped");
}

pba_status data_announce(const pba_dataset_options *options, const char *file)
{
    return data_progress(options, file, DATA_ANNOUNCED, 0);
}
