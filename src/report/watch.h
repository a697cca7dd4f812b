/* SPDX-License-Identifier: Apache-2.0
 * A run that is watched: read again whenever its files have changed, by the reader of reports. */
#ifndef REPORT_WATCH_H
#define REPORT_WATCH_H

#include "report/run.h"

/* watch_rows.c: the members, into picture->members rows (zeroed) and what the picture says of them
 * together. A search has a schedule by then, to name the operations. */
pba_status watch_search_rows(const report_run *run, pba_watch_row *rows,
                             pba_watch_picture *picture);
void watch_training_rows(const report_run *run, pba_watch_row *rows, pba_watch_picture *picture);

/* watch_times.c: how fast the search goes on, by the times of the checkpoints that are there. */
void watch_times(const report_run *run, pba_watch_picture *picture);

#endif
