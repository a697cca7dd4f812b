/* SPDX-License-Identifier: Apache-2.0
 * The pictures of one run as rows: a page and a folder of SVG files have the same ones. */
#ifndef REPORT_ROWS_H
#define REPORT_ROWS_H

#include "report/charts.h"

typedef struct chart_subject {
    const report_run *run;
    const figures *figures; /* NULL: there is no schedule yet */
} chart_subject;

typedef struct chart_row {
    const char *name; /* of its file */
    const char *title, *caption;
    bool (*can)(const chart_subject *subject);
    void (*draw)(report_text *out, const chart_subject *subject, chart_place place);
} chart_row;

extern const chart_row chart_rows[];
extern const int chart_row_count;

/* And those of several runs. */
typedef struct chart_group {
    const char *name, *title, *caption;
    report_kind kind;
    int least; /* runs of that kind, fewer are not drawn */
    void (*draw)(report_text *out, const report_run *const *runs, int count, chart_place place);
} chart_group;

extern const chart_group chart_groups[];
extern const int chart_group_count;

#endif
