/* SPDX-License-Identifier: Apache-2.0
 * What can follow on a command line, by the rows: for scripts that complete it. */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli.h"

/* Called for each word; `user` is passed through. */
typedef void completion_take(void *user, const char *word);

/* What an option's value can be: its choices, or the names of a listing. Returns whether it can be
 * a file too, or in their place. */
bool completion_values(const cli_command *command, const pba_setting *row, completion_take *take,
                       void *user);

/* The same of a command's arguments: actions, names, "demo". */
bool completion_arguments(const cli_command *command, completion_take *take, void *user);

void completion_bash(FILE *out);
void completion_zsh(FILE *out);

#endif
