/* SPDX-License-Identifier: Apache-2.0
 * The script for zsh: specifications of _arguments (zshcompsys(1)), in single quotes. */
#include "completion.h"

#include <string.h>

/* Text within a specification: colons and brackets mean something there, quotes end it. */
static void write_text(FILE *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\'') {
            fputs("'\\''", out);
        } else {
            fprintf(out, "%s%c", strchr(":[]\\", text[i]) ? "\\" : "", text[i]);
        }
    }
}

static void take_word(void *user, const char *word)
{
    FILE *out = user;
    write_text(out, word, strlen(word));
    fputc(' ', out);
}

/* ":what:(a b c)" or with files too. */
typedef bool give(const cli_command *command, const void *row, completion_take *take, void *user);

static bool give_values(const cli_command *command, const void *row, completion_take *take,
                        void *user)
{
    return completion_values(command, row, take, user);
}

static bool give_arguments(const cli_command *command, const void *row, completion_take *take,
                           void *user)
{
    return completion_arguments(command, take, user);
}

static void count_word(void *user, const char *word)
{
    *(int *)user += 1;
}

static void write_action(FILE *out, const cli_command *command, const void *row, give *give)
{
    int words = 0;
    bool files = give(command, row, count_word, &words);
    if (files && words) {
        fputs("{_alternative \"words\\:word\\:(", out);
        give(command, row, take_word, out);
        fputs(")\" \"files\\:file\\:_files\"}", out);
    } else if (files) {
        fputs("_files", out);
    } else {
        fputs("(", out);
        give(command, row, take_word, out);
        fputs(")", out);
    }
}

/* The first sentence of the help says enough in a list. */
static void write_option(FILE *out, const cli_command *command, const pba_setting *row)
{
    const char *end = strstr(row->help, ". ");
    fprintf(out, "            '--%s[", row->name);
    write_text(out, row->help, end ? (size_t)(end - row->help) : strlen(row->help));
    fputs("]", out);
    if (row->type != PBA_SETTING_FLAG) {
        fputs(":", out);
        write_text(out, row->value, strlen(row->value));
        fputs(":", out);
        write_action(out, command, row, give_values);
    }
    fputs("' \\\n", out);
}

static void write_command(FILE *out, const cli_command *command)
{
    cli_rows rows = {.count = 0};
    command->rows(&rows);
    fprintf(out, "    %s)\n        _arguments \\\n", command->name);
    for (size_t i = 0; i < rows.count; i++) {
        write_option(out, command, &rows.rows[i]);
    }
    fputs("            '--help[Prints the manual]' \\\n            '*:argument:", out);
    write_action(out, command, NULL, give_arguments);
    fputs("' ;;\n", out);
}

void completion_zsh(FILE *out)
{
    fputs("#compdef pba\n# zsh completion of pba, as \"pba --completion zsh\" writes it\n"
          "_pba() {\n"
          "    local context state state_descr line\n"
          "    typeset -A opt_args\n"
          "    local -a commands=(\n",
          out);
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(out, "        '%s:", cli_commands[i]->name);
        write_text(out, cli_commands[i]->sentence, strlen(cli_commands[i]->sentence));
        fputs("'\n", out);
    }
    fputs(
        "    )\n"
        "    _arguments -C '(- *)--help[lists the commands]' '(- *)--version[prints the version]' "
        "\\\n        '1:command:->command' '*::argument:->rest'\n"
        "    case $state in\n"
        "    command) _describe command commands; return ;;\n"
        "    rest) ;;\n"
        "    *) return ;;\n"
        "    esac\n"
        "    case $words[1] in\n",
        out);
    for (size_t i = 0; i < cli_command_count; i++) {
        write_command(out, cli_commands[i]);
    }
    fputs("    esac\n}\n\n"
          "if [[ $funcstack[1] == _pba ]]; then\n    _pba \"$@\"\nelse\n    compdef _pba pba\nfi\n",
          out);
}
