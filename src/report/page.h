/* SPDX-License-Identifier: Apache-2.0
 * The report as one HTML file that needs nothing else: no network, no script. It is XML too. */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "report/rows.h"

/* `figures`: of each run, NULL where it has no schedule. */
void page_write(report_text *out, const report_run *const *runs, figures *const *figures, int count,
                const pba_report_options *options);

/* images.c: the grid of images, or the sentence why there is none. `opened` NULL: from the path. */
void page_images(report_text *out, const report_run *run, const char *path,
                 const pba_dataset *opened);

/* settings.c: a word of a command line, quoted where a shell would not take it as it is. */
void page_word(report_text *out, const char *text);
/* What the run was started with, and the command that does it again. */
void page_settings(report_text *out, const report_run *run);

#endif
