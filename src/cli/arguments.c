/* SPDX-License-Identifier: Apache-2.0
 * The command line into an options struct, by rows. "--name value" or "--name=value"; a flag stands
 * alone; "--" ends the options. Long options only, beside -h and -q. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_rows_add(cli_rows *rows, const pba_setting *more, size_t count)
{
    for (size_t i = 0; i < count && rows->count < CLI_ROWS_MAX; i++) {
        if (strcmp(more[i].name, "dataset") != 0) {
            rows->rows[rows->count++] = more[i];
        }
    }
}

const pba_setting *cli_rows_find(const cli_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (strcmp(rows->rows[i].name, name) == 0) {
            return &rows->rows[i];
        }
    }
    return NULL;
}

static bool was_given_before(const cli_arguments *arguments, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(arguments->given[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool cli_was_given(const cli_arguments *arguments, const char *name)
{
    return was_given_before(arguments, arguments->given_count, name);
}

pba_status cli_set_given(const cli_arguments *arguments, int index, void *options,
                         const pba_setting *rows, size_t count)
{
    const cli_given *given = &arguments->given[index];
    if (given->type != PBA_SETTING_LIST || !was_given_before(arguments, index, given->name)) {
        return pba_settings_set(options, rows, count, given->name, given->value);
    }
    char before[PBA_PATH_MAX], both[2 * PBA_PATH_MAX];
    pba_status status = pba_settings_get(options, rows, count, given->name, before, sizeof before);
    snprintf(both, sizeof both, "%s,%s", before, given->value);
    return status == PBA_OK ? pba_settings_set(options, rows, count, given->name, both) : status;
}

/* Sets option `name` (its text ends at `length`); *next is the argument behind it, or NULL. */
static bool set_option(const cli_rows *rows, const char *name, const char *value, const char *next,
                       void *options, cli_arguments *arguments, bool *used_next)
{
    const pba_setting *row = cli_rows_find(rows, name);
    if (row && !value && row->type == PBA_SETTING_FLAG) {
        value = "true";
    } else if (row && !value) {
        if (!next || strncmp(next, "--", 2) == 0) {
            cli_error("--%s needs a value: --%s %s", name, name, row->value);
            return false;
        }
        value = next;
        *used_next = true;
    }
    pba_status status;
    if (row) {
        int index = arguments->given_count++;
        arguments->given[index] = (cli_given){row->name, value, row->type};
        status = cli_set_given(arguments, index, options, rows->rows, rows->count);
    } else {
        status = pba_settings_set(options, rows->rows, rows->count, name, ""); /* says so */
    }
    if (status != PBA_OK) {
        cli_error("--%s", pba_error_message()); /* the message starts with the option's name */
    }
    return status == PBA_OK;
}

static bool parse_option(const cli_rows *rows, const char *text, const char *next, void *options,
                         cli_arguments *arguments, bool *used_next)
{
    char name[PBA_NAME_MAX];
    size_t length = strcspn(text, "=");
    if (length >= sizeof name) {
        cli_error("--%s: no such option", text);
        return false;
    }
    memcpy(name, text, length);
    name[length] = 0;
    return set_option(rows, name, text[length] ? text + length + 1 : NULL, next, options, arguments,
                      used_next);
}

static bool parse_one(const cli_rows *rows, char **argv, int *index, int argc, void *options,
                      cli_arguments *arguments)
{
    const char *text = argv[*index];
    const char *next = *index + 1 < argc ? argv[*index + 1] : NULL;
    bool used_next = false, fine = true;
    if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
        arguments->help = true;
    } else if (strcmp(text, "-q") == 0 && cli_rows_find(rows, "quiet")) {
        fine = set_option(rows, "quiet", NULL, NULL, options, arguments, &used_next);
    } else if (strncmp(text, "--", 2) == 0) {
        fine = parse_option(rows, text + 2, next, options, arguments, &used_next);
    } else if (text[0] == '-' && text[1]) {
        cli_error("%s: no such option, options have long names (--help lists them)", text);
        fine = false;
    } else {
        arguments->words[arguments->word_count++] = text;
    }
    *index += 1 + used_next;
    return fine;
}

static bool count_words(const cli_command *command, const cli_arguments *arguments)
{
    if (arguments->help || (arguments->word_count >= command->min_words &&
                            arguments->word_count <= command->max_words)) {
        return true;
    }
    int form = (int)strcspn(command->usage, "\n");
    if (arguments->word_count > command->max_words) {
        cli_error("%s: \"%s\" is one argument too many, usage: pba %s %.*s", command->name,
                  arguments->words[command->max_words], command->name, form, command->usage);
    } else {
        cli_error("%s: an argument is missing, usage: pba %s %.*s", command->name, command->name,
                  form, command->usage);
    }
    return false;
}

bool cli_parse(const cli_command *command, const cli_rows *rows, int argc, char **argv,
               void *options, cli_arguments *arguments)
{
    *arguments = (cli_arguments){.words = calloc((size_t)argc + 1, sizeof *arguments->words),
                                 .given = calloc((size_t)argc + 1, sizeof *arguments->given)};
    if (!arguments->words || !arguments->given) {
        cli_error("out of memory");
        return false;
    }
    pba_settings_init(options, rows->rows, rows->count);
    for (int i = 0; i < argc;) {
        if (strcmp(argv[i], "--") == 0) {
            for (i++; i < argc; i++) {
                arguments->words[arguments->word_count++] = argv[i];
            }
        } else if (!parse_one(rows, argv, &i, argc, options, arguments)) {
            return false;
        }
    }
    return count_words(command, arguments);
}

void cli_arguments_free(cli_arguments *arguments)
{
    free(arguments->words);
    free(arguments->given);
}
