/* SPDX-License-Identifier: Apache-2.0 */
#include "report/verdict.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "augment/kind.h"

/* Trained under a schedule, in whatever order. */
static bool has_schedule(const report_run *run)
{
    return run->kind == REPORT_TRAINING && !augment_kind_find(report_setting(run, "augment"))->name;
}

bool report_is_searched(const report_run *run)
{
    const char *order = report_setting(run, "schedule-order");
    return has_schedule(run) && (!order[0] || strcmp(order, "in-order") == 0);
}

const char *report_augment_name(const report_run *run)
{
    const char *augment = report_setting(run, "augment"), *slash = strrchr(augment, '/');
    return slash && slash[1] ? slash + 1 : augment;
}

static statistics_sample sample_of(const report_run *run)
{
    return (statistics_sample){run->errors, run->numbers, run->done};
}

bool report_judge(const report_run *const *runs, int count, int index, report_verdict *verdict)
{
    *verdict = (report_verdict){.searched = runs[index]};
    if (!report_is_searched(runs[index]) || !runs[index]->done) {
        return false;
    }
    for (int i = 0; i < count; i++) {
        bool other = runs[i]->kind == REPORT_TRAINING && !has_schedule(runs[i]) && runs[i]->done;
        if (other && (!verdict->rival || report_mean(runs[i]) < report_mean(verdict->rival))) {
            verdict->rival = runs[i];
        }
    }
    if (!verdict->rival) {
        return false;
    }
    verdict->gain = statistics_subtract(sample_of(verdict->rival), sample_of(verdict->searched));
    return true;
}

/* Bytes of a name that are told: at most 80, no character cut. */
static int told(const char *name)
{
    size_t length = strnlen(name, 80);
    while (length && ((unsigned char)name[length] & 0xc0) == 0x80) {
        length--;
    }
    return (int)length;
}

void report_tell_verdict(const report_verdict *verdict, char text[REPORT_VERDICT_TEXT])
{
    const statistics_difference *gain = &verdict->gain;
    double low = 100 * (gain->mean - gain->half), high = 100 * (gain->mean + gain->half);
    bool open = gain->half < 0 || (low <= 0 && high >= 0), lower = gain->mean >= 0;
    const char *opening = gain->half < 0 ? "One seed does not tell whether the search paid"
                          : open         ? "It is open whether the search paid"
                          : lower        ? "The search paid"
                                         : "The search did not pay";
    const char *searched = report_augment_name(verdict->searched);
    const char *rival = report_augment_name(verdict->rival);
    int used = snprintf(text, REPORT_VERDICT_TEXT,
                        "%s: under %.*s the test error is %.2f points %s than under %.*s, the "
                        "best of what needs no search",
                        opening, told(searched), searched, fabs(100 * gain->mean),
                        lower ? "lower" : "higher", told(rival), rival);
    char *rest = text + used;
    size_t room = REPORT_VERDICT_TEXT - (size_t)used;
    char seeds[48] = "seeds not paired";
    if (gain->paired) {
        snprintf(seeds, sizeof seeds, "paired over %d seeds", verdict->searched->done);
    }
    if (gain->half < 0) {
        snprintf(rest, room, ".");
    } else if (open) {
        snprintf(rest, room,
                 ", and the 95 %% interval of the gain, %.2f to %.2f points, includes zero (%s).",
                 low, high, seeds);
    } else {
        snprintf(rest, room, " (95 %% interval of the gain %.2f to %.2f points, %s).", low, high,
                 seeds);
    }
}
