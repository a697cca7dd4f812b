/* SPDX-License-Identifier: Apache-2.0
 * Time budgets: their text, what is left of them, and how their choices are said. */
#include "train/fit.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"

static const double RESERVE = 0.03;    /* of the budget: measuring is not exact */
static const double END_SECONDS = 0.7; /* report, results */
static const double TIME_MOST = 1e7;   /* four months */
static const double SUGGESTION = 1.1;  /* of the least: another measurement may come out slower */

pba_status pba_budget_parse(const char *text, double *seconds)
{
    if (!text || !seconds) {
        return status_null(__func__);
    }
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'h', 3600}, {'m', 60}, {'s', 1}};
    const char *at = text;
    size_t unit = 0;
    *seconds = 0;
    while (*at) {
        double value = 0;
        size_t digits = strspn(at, "0123456789");
        for (size_t i = 0; i < digits && digits <= 8; i++) {
            value = 10 * value + (at[i] - '0');
        }
        while (unit < 3 && units[unit].unit != at[digits]) {
            unit++;
        }
        if (!digits || digits > 8 || unit == 3) {
            *seconds = 0;
            break;
        }
        *seconds += value * units[unit++].seconds;
        at += digits + 1;
    }
    return *seconds >= 1 && *seconds <= TIME_MOST
               ? PBA_OK
               : status_set(PBA_USAGE, "budget: \"%s\" is no time; give 90s, 45m, 1h30m or 2h",
                            text);
}

pba_status fit_begin(fit *fit, const char *text, const char *const *kept, size_t kept_count,
                     pba_budget *budget)
{
    *budget = (pba_budget){0};
    *fit = (struct fit){
        .kept = kept, .kept_count = kept_count, .start = clock_now(), .budget = budget};
    for (size_t i = 0; i < kept_count; i++) {
        if (!kept || !kept[i]) {
            return status_set(PBA_USAGE, "budget: name %zu of what is to be kept is NULL", i);
        }
    }
    return pba_budget_parse(text, &budget->seconds);
}

bool fit_keeps(const fit *fit, const char *name)
{
    for (size_t i = 0; i < fit->kept_count; i++) {
        if (strcmp(fit->kept[i], name) == 0) {
            return true;
        }
    }
    return false;
}

double fit_measuring(const fit *fit)
{
    const double share = 1.0 / 150, least = 0.3, most = 4;
    return fmin(fmax(fit->budget->seconds * share, least), most);
}

double fit_left(const fit *fit)
{
    double spent = clock_now() - fit->start;
    return fit->budget->seconds * (1 - RESERVE) - spent - END_SECONDS;
}

void fit_end(fit *fit, double job_seconds)
{
    fit->budget->spent = clock_now() - fit->start;
    fit->budget->expected = fit->budget->spent + job_seconds + END_SECONDS;
}

pba_budget_choice *fit_choice(fit *fit, const char *name)
{
    pba_budget *budget = fit->budget;
    int place = budget->choice_count < PBA_BUDGET_CHOICES_MAX ? budget->choice_count++
                                                              : PBA_BUDGET_CHOICES_MAX - 1;
    budget->choices[place] = (pba_budget_choice){.name = name};
    return &budget->choices[place];
}

void fit_number(fit *fit, const char *name, int value, const char *why, ...)
{
    pba_budget_choice *choice = fit_choice(fit, name);
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(choice->why, sizeof choice->why, why, arguments);
    va_end(arguments);
    snprintf(choice->value, sizeof choice->value, "%d", value);
}

bool fit_compares(const fit *fit, const char *precision)
{
    return !fit_keeps(fit, "precision") && strcmp(precision, FIT_OTHER) != 0;
}

void fit_precision(fit *fit, const char *chosen, double gain)
{
    pba_budget_choice *choice = fit_choice(fit, "precision");
    snprintf(choice->value, sizeof choice->value, "%s", chosen);
    if (fit_keeps(fit, "precision")) {
        snprintf(choice->why, sizeof choice->why, "given");
    } else if (gain > 0) {
        snprintf(choice->why, sizeof choice->why, "measured: %.1f times as fast as %s", gain,
                 strcmp(chosen, FIT_OTHER) == 0 ? "bf16" : FIT_OTHER);
    } else {
        snprintf(choice->why, sizeof choice->why, "there is no bf16 here");
    }
}

const char *fit_duration(double seconds, char text[FIT_TEXT])
{
    long whole = lround(seconds);
    if (whole < 60) {
        snprintf(text, FIT_TEXT, "%ld s", whole);
    } else if (whole < 3600) {
        snprintf(text, FIT_TEXT, "%ld min %02ld s", whole / 60, whole % 60);
    } else {
        snprintf(text, FIT_TEXT, "%ld h %02ld min", whole / 3600, whole % 3600 / 60);
    }
    return text;
}

/* "75s", "12m": what pba_budget_parse reads, rounded up to a step that looks like an estimate. */
static void suggest(double seconds, char text[FIT_TEXT])
{
    if (seconds < 300) {
        snprintf(text, FIT_TEXT, "%.0fs", 5 * ceil(seconds / 5));
    } else {
        snprintf(text, FIT_TEXT, "%.0fm", ceil(seconds / 60));
    }
}

pba_status fit_refuse(const fit *fit, double least, const char *what)
{
    char asked[FIT_TEXT], time[FIT_TEXT], enough[FIT_TEXT];
    double whole = (clock_now() - fit->start + least + END_SECONDS) / (1 - RESERVE);
    suggest(whole * SUGGESTION, enough);
    return status_set(PBA_USAGE,
                      "budget: %s is too short on this machine: the least, %s, takes about %s; "
                      "give --budget %s or more",
                      fit_duration(fit->budget->seconds, asked), what, fit_duration(whole, time),
                      enough);
}
