/* SPDX-License-Identifier: Apache-2.0
 * pba COMMAND --help, made from the command's row and its options' rows. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static void print_lines(const char *prefix, const char *lines)
{
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        cli_print("%s%.*s\n", prefix, length, lines);
        lines += length + (lines[length] != 0);
    }
}

/* "Default: 16." or "From 2 to 10000, default 16."; flags and empty texts have none. */
static void print_range(const pba_setting *row)
{
    char text[256];
    bool number = row->type == PBA_SETTING_INT || row->type == PBA_SETTING_REAL ||
                  row->type == PBA_SETTING_SEED;
    if (row->type == PBA_SETTING_FLAG || !row->initial[0]) {
        return;
    }
    if (number && row->min < row->max) {
        snprintf(text, sizeof text, "From %.15g to %.15g, default %s.", row->min, row->max,
                 row->initial);
    } else {
        snprintf(text, sizeof text, "Default: %s.", row->initial);
    }
    cli_print_wrapped(stdout, "", 10, text);
}

static void print_option(const pba_setting *row)
{
    const char *shorthand = strcmp(row->name, "quiet") == 0 ? "-q, " : "";
    cli_print("    %s--%s%s%s\n", shorthand, row->name, row->value[0] ? " " : "", row->value);
    cli_print_wrapped(stdout, "", 10, row->help);
    print_range(row);
}

static void print_options(const cli_command *command)
{
    cli_rows rows = {.count = 0};
    command->rows(&rows);
    cli_print("\nOPTIONS\n");
    for (size_t i = 0; i < rows.count; i++) {
        print_option(&rows.rows[i]);
    }
    cli_print("    -h, --help\n          Prints this text.\n");
}

static void print_usage(const cli_command *command)
{
    char prefix[PBA_NAME_MAX];
    snprintf(prefix, sizeof prefix, "    pba %s ", command->name);
    cli_print("USAGE\n");
    print_lines(prefix, command->usage);
}

void cli_print_manual(const cli_command *command)
{
    cli_print("pba %s - %s\n\n", command->name, command->sentence);
    print_usage(command);
    cli_print("\nDESCRIPTION\n");
    cli_print_wrapped(stdout, "", 4, command->manual);
    print_options(command);
    cli_print("\nEXAMPLES\n");
    print_lines("    ", command->examples);
}
