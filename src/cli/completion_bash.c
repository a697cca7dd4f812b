/* SPDX-License-Identifier: Apache-2.0
 * The script for bash: what fits the word under the cursor. */
#include "completion.h"

/* bash cuts words at = and :, which are put together again; what stands before the last colon of
 * the word is not its to replace. */
static const char head[] =
    "# bash completion of pba, as \"pba --completion bash\" writes it\n"
    "_pba() {\n"
    "    local i last=-1 words=() word before= choices= files=\n"
    "    for ((i = 0; i <= COMP_CWORD; i++)); do\n"
    "        if ((last > 0)) && [[ ${COMP_WORDS[i]} == [:=]* || ${words[last]} == *[:=] ]]; then\n"
    "            words[last]+=${COMP_WORDS[i]}\n"
    "        else\n"
    "            words[++last]=${COMP_WORDS[i]}\n"
    "        fi\n"
    "    done\n"
    "    word=${words[last]}\n"
    "    ((last > 1)) && before=${words[last - 1]}\n"
    "    if [[ $word == --*=* ]]; then\n"
    "        before=${word%%=*} word=${word#*=}\n"
    "    fi\n"
    "    if ((last == 1)); then\n"
    "        _pba_commands\n"
    "    else\n"
    "        _pba_command \"${words[1]}\"\n"
    "    fi\n"
    "    COMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n"
    "    if [[ $files ]]; then\n"
    "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\")\n"
    "        compopt -o filenames 2>/dev/null\n"
    "    fi\n"
    "    if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then\n"
    "        COMPREPLY=(\"${COMPREPLY[@]#\"${word%\"${word##*:}\"}\"}\")\n"
    "    fi\n"
    "}\n\n";

typedef struct list {
    FILE *out;
    int count;
} list;

static void take_word(void *user, const char *word)
{
    list *list = user;
    fprintf(list->out, "%s%s", list->count++ ? " " : "", word);
}

static void write_commands(FILE *out)
{
    fputs("_pba_commands() {\n    choices='", out);
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(out, "%s ", cli_commands[i]->name);
    }
    fputs("help --help --version --completion'\n}\n\n", out);
}

/* A number has a case too, so that neither options nor files are offered for it. */
static void write_values(FILE *out, const cli_command *command, const pba_setting *row)
{
    list list = {.out = out};
    if (row->type == PBA_SETTING_FLAG) {
        return;
    }
    fprintf(out, "        --%s) choices='", row->name);
    bool files = completion_values(command, row, take_word, &list);
    fprintf(out, "'%s ;;\n", files ? " files=1" : "");
}

static void write_command(FILE *out, const cli_command *command)
{
    cli_rows rows = {.count = 0};
    list list = {.out = out};
    command->rows(&rows);
    fprintf(out, "    %s)\n        case $before in\n", command->name);
    for (size_t i = 0; i < rows.count; i++) {
        write_values(out, command, &rows.rows[i]);
    }
    fputs("        *)\n            if [[ $word == -* ]]; then\n                choices='", out);
    for (size_t i = 0; i < rows.count; i++) {
        fprintf(out, "--%s ", rows.rows[i].name);
    }
    fputs("--help'\n            else\n                choices='", out);
    bool files = completion_arguments(command, take_word, &list);
    fprintf(out, "'%s\n            fi ;;\n        esac ;;\n", files ? " files=1" : "");
}

void completion_bash(FILE *out)
{
    fputs(head, out);
    write_commands(out);
    fputs("_pba_command() {\n    case $1 in\n    help) _pba_commands ;;\n"
          "    --completion) choices='bash zsh' ;;\n",
          out);
    for (size_t i = 0; i < cli_command_count; i++) {
        write_command(out, cli_commands[i]);
    }
    fputs("    esac\n}\n\ncomplete -F _pba pba\n", out);
}
