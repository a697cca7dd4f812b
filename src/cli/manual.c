/* SPDX-License-Identifier: Apache-2.0
 * Manuals, made from the rows of commands and options; and the plain form of them, --help. */
#include "manual.h"

#include <string.h>

static void each_line(FILE *out, const char *lines,
                      void (*write)(FILE *out, const char *line, int length))
{
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        write(out, lines, length);
        lines += length + (lines[length] != 0);
    }
}

/* "Default: 16." or "From 2 to 10000, default 16."; flags and empty texts have none. */
static const char *range_of(const pba_setting *row, char text[256])
{
    bool number = row->type == PBA_SETTING_INT || row->type == PBA_SETTING_REAL ||
                  row->type == PBA_SETTING_SEED;
    if (row->type == PBA_SETTING_FLAG || !row->initial[0]) {
        return "";
    }
    if (number && row->min < row->max) {
        snprintf(text, 256, "From %.15g to %.15g, default %s.", row->min, row->max, row->initial);
    } else {
        snprintf(text, 256, "Default: %s.", row->initial);
    }
    return text;
}

static void write_options(FILE *out, const manual_form *form, const cli_command *command)
{
    cli_rows rows = {.count = 0};
    command->rows(&rows);
    form->section(out, "OPTIONS");
    for (size_t i = 0; i < rows.count; i++) {
        const pba_setting *row = &rows.rows[i];
        char option[PBA_NAME_MAX + 8], range[256];
        snprintf(option, sizeof option, "%s--%s", strcmp(row->name, "quiet") == 0 ? "-q, " : "",
                 row->name);
        form->option(out, option, row->value, row->help, range_of(row, range));
    }
    form->option(out, "-h, --help", "", "Prints this text.", "");
}

static void write_usage(FILE *out, const manual_form *form, const char *name, const char *lines)
{
    form->section(out, "USAGE");
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        form->usage(out, name, lines, length);
        lines += length + (lines[length] != 0);
    }
    form->end(out);
}

void manual_command(FILE *out, const manual_form *form, const cli_command *command)
{
    char name[PBA_NAME_MAX];
    snprintf(name, sizeof name, "pba %s", command->name);
    form->title(out, name, command->sentence);
    write_usage(out, form, name, command->usage);
    form->section(out, "DESCRIPTION");
    form->text(out, command->manual);
    write_options(out, form, command);
    form->section(out, "EXAMPLES");
    each_line(out, command->examples, form->example);
    form->end(out);
}

void manual_overview(FILE *out, const manual_form *form)
{
    form->title(out, "pba", "learns a schedule of image augmentation for your own images");
    write_usage(out, form, "pba",
                "COMMAND [ARGUMENT...] [--OPTION VALUE...]\nCOMMAND --help\n--version\n"
                "--completion bash|zsh");
    form->section(out, "COMMANDS");
    for (size_t i = 0; i < cli_command_count; i++) {
        form->command(out, cli_commands[i]->name, cli_commands[i]->sentence);
    }
    form->section(out, "DESCRIPTION");
    form->text(out, "A DATASET is a path, recognized by what it holds, or \"demo\": images that "
                    "are generated, so that everything can be tried at once.");
    form->section(out, "EXAMPLES");
    each_line(out,
              "pba search demo --model wrn-10-1 --population 4 --epochs 6 --interval 2\n"
              "pba train demo --model wrn-10-1 --augment runs/search-demo-1\n"
              "source <(pba --completion bash)",
              form->example);
    form->end(out);
    form->section(out, "EXIT STATUS");
    form->text(out, "0 done, 2 wrong usage, 130 interrupted, 1 everything else.");
}

/* -------------------------------------------------------------- on a terminal */

static void plain_title(FILE *out, const char *name, const char *sentence)
{
    fprintf(out, "%s - %s\n", name, sentence);
}

static void plain_section(FILE *out, const char *title)
{
    fprintf(out, "\n%s\n", title);
}

static void plain_usage(FILE *out, const char *name, const char *line, int length)
{
    fprintf(out, "    %s %.*s\n", name, length, line);
}

static void plain_text(FILE *out, const char *text)
{
    cli_print_wrapped(out, "", 4, text);
}

static void plain_option(FILE *out, const char *option, const char *value, const char *help,
                         const char *range)
{
    fprintf(out, "    %s%s%s\n", option, value[0] ? " " : "", value);
    cli_print_wrapped(out, "", 10, help);
    if (range[0]) {
        cli_print_wrapped(out, "", 10, range);
    }
}

static void plain_command(FILE *out, const char *name, const char *sentence)
{
    fprintf(out, "    %-10s%s\n", name, sentence);
}

static void plain_example(FILE *out, const char *line, int length)
{
    fprintf(out, "    %.*s\n", length, line);
}

static void plain_end(FILE *out)
{
    (void)out;
}

static const manual_form plain = {plain_title,  plain_section, plain_usage,   plain_text,
                                  plain_option, plain_command, plain_example, plain_end};

void cli_print_manual(const cli_command *command)
{
    manual_command(stdout, &plain, command);
}

void cli_print_overview(void)
{
    manual_overview(stdout, &plain);
}
