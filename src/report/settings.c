/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

void page_word(report_text *out, const char *text)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=+";
    if (text[0] && strspn(text, safe) == strlen(text)) {
        report_say(out, "%s", text);
        return;
    }
    report_text quoted = {0};
    report_add(&quoted, "'");
    for (const char *at = text; *at; at++) {
        if (*at == '\'') {
            report_add(&quoted, "'\\''");
        } else {
            text_add_letter(&quoted, *at);
        }
    }
    report_add(&quoted, "'");
    report_say(out, "%s", quoted.failed ? "" : quoted.data);
    out->failed |= quoted.failed;
    free(quoted.data);
}

/* A flag stands alone, or not at all. */
static void add_option(report_text *out, const char *name, const char *text)
{
    if (strcmp(text, "false") == 0) {
        return;
    }
    report_add(out, " <span>--");
    report_say(out, "%s", name);
    report_add(out, "</span>");
    if (strcmp(text, "true") != 0) {
        report_add(out, " ");
        page_word(out, text);
    }
}

/* Every setting is named, so that the command means the same when defaults change; a budget is what
 * they were chosen for. */
static void add_command(report_text *out, const report_run *run)
{
    const char *name;
    json_t *value;
    report_add(out, "<pre>pba %s ", run->kind == REPORT_SEARCH ? "search" : "train");
    page_word(out, report_setting(run, "dataset"));
    json_object_foreach(run->settings, name, value)
    {
        const char *text = json_string_value(value);
        bool own = strcmp(name, "dataset") != 0 && strcmp(name, "budget") != 0;
        if (text && text[0] && own) {
            add_option(out, name, text);
        }
    }
    report_add(out, "</pre>\n");
}

static void add_table(report_text *out, const report_run *run)
{
    const char *name;
    json_t *value;
    report_add(out, "<table><tbody>\n");
    json_object_foreach(run->settings, name, value)
    {
        const char *text = json_string_value(value);
        if (text && text[0]) {
            report_add(out, "<tr><th>");
            report_say(out, "%s", name);
            report_add(out, "</th><td>");
            report_say(out, "%s", text);
            report_add(out, "</td></tr>\n");
        }
    }
    report_add(out, "<tr><th>folder</th><td>");
    report_say(out, "%s", run->path);
    report_add(out, "</td></tr>\n</tbody></table>\n");
}

void page_settings(report_text *out, const report_run *run)
{
    const char *build = json_string_value(json_object_get(run->config, "build"));
    report_add(out, "<p>The command that runs it again, with the same result on the same kind of "
                    "processor:</p>\n");
    add_command(out, run);
    report_add(out, "<details><summary>all settings, and what made it</summary>\n");
    add_table(out, run);
    if (build) {
        report_add(out, "<pre>");
        report_say(out, "%s", build);
        report_add(out, "</pre>\n");
    }
    report_add(out, "</details>\n");
}
