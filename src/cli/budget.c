/* SPDX-License-Identifier: Apache-2.0
 * --budget of search and train: what is kept, and the plan with its reasons. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const char **cli_budget_kept(const cli_arguments *arguments)
{
    const char **names = calloc((size_t)arguments->given_count + 1, sizeof *names);
    for (int i = 0; names && i < arguments->given_count; i++) {
        names[i] = arguments->given[i].name;
    }
    return names;
}

static bool is_choice(const pba_budget *budget, const char *name)
{
    for (int i = 0; i < budget->choice_count; i++) {
        if (strcmp(budget->choices[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* The choices as options, and what else was given of the recipe. */
static void print_command(FILE *stream, const pba_budget *budget, const char *command,
                          const cli_arguments *arguments)
{
    static const char *const left = " budget dry-run json quiet out workers ";
    fprintf(stream, "  by hand     pba %s", command);
    cli_print_word(stream, arguments->words[0]);
    for (int i = 0; i < budget->choice_count; i++) {
        fprintf(stream, " --%s", budget->choices[i].name);
        cli_print_word(stream, budget->choices[i].value);
    }
    for (int i = 0; i < arguments->given_count; i++) {
        const cli_given *given = &arguments->given[i];
        char word[PBA_NAME_MAX + 2];
        snprintf(word, sizeof word, " %s ", given->name);
        if (!strstr(left, word) && !is_choice(budget, given->name)) {
            fprintf(stream, " --%s", given->name);
            if (given->type != PBA_SETTING_FLAG) {
                cli_print_word(stream, given->value);
            } else if (strcmp(given->value, "true") != 0) {
                fprintf(stream, "=%s", given->value);
            }
        }
    }
    fputs("\n", stream);
}

void cli_print_budget(FILE *stream, const pba_budget *budget, const char *command,
                      const cli_arguments *arguments)
{
    char asked[CLI_TEXT], spent[CLI_TEXT], expected[CLI_TEXT], label[PBA_NAME_MAX];
    fprintf(stream, "  budget      %s; %s to open and measure, the whole will take about %s\n",
            cli_duration(budget->seconds, asked), cli_duration(budget->spent, spent),
            cli_duration(budget->expected, expected));
    for (int i = 0; i < budget->choice_count; i++) {
        const pba_budget_choice *choice = &budget->choices[i];
        snprintf(label, sizeof label, "    %-12s%-10s", choice->name, choice->value);
        cli_print_wrapped(stream, label, 26, choice->why);
    }
    if (budget->expected < 0.85 * budget->seconds) {
        cli_print_wrapped(stream, "", 14,
                          "The rules know of nothing larger: the rest of the time is left.");
    }
    print_command(stream, budget, command, arguments);
    fflush(stream);
}

void cli_json_budget(cli_json *json, const pba_budget *budget)
{
    cli_json_open(json, "budget", '{');
    cli_json_number(json, "seconds", budget->seconds);
    cli_json_number(json, "spent", budget->spent);
    cli_json_number(json, "expected", budget->expected);
    cli_json_open(json, "choices", '[');
    for (int i = 0; i < budget->choice_count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", budget->choices[i].name);
        cli_json_text(json, "value", budget->choices[i].value);
        cli_json_text(json, "why", budget->choices[i].why);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}
