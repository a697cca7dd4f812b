/* SPDX-License-Identifier: Apache-2.0
 * Looks: one list of colours for light and one for dark, and what uses them. */
#ifndef REPORT_STYLE_H
#define REPORT_STYLE_H

extern const char report_style_charts[]; /* the classes of pictures, with their colours */
extern const char report_style_page[];   /* of the page around them */

/* The page's script, and its hash as a content security policy wants it ("sha256-..."), so that no
 * other script can run in a page. A test holds the two together. */
extern const char report_script[];
extern const char report_script_hash[];

#endif
