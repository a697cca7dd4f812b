/* SPDX-License-Identifier: Apache-2.0
 * One walk over a command's row and its options' rows, for whoever writes a manual: the terminal's
 * --help and man pages say the same. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "cli.h"

/* A way of writing. Texts are paragraphs, separated by an empty line. */
typedef struct manual_form {
    void (*title)(FILE *out, const char *name, const char *sentence); /* "pba search" */
    void (*section)(FILE *out, const char *title);
    /* `line` is the first `length` bytes behind the command's name, as typed. */
    void (*usage)(FILE *out, const char *name, const char *line, int length);
    void (*text)(FILE *out, const char *text);
    /* An option as typed, its value's name ("" for none), what it does, its range ("" for none). */
    void (*option)(FILE *out, const char *option, const char *value, const char *help,
                   const char *range);
    void (*command)(FILE *out, const char *name, const char *sentence);
    void (*example)(FILE *out, const char *line, int length);
    void (*end)(FILE *out); /* of a section of usages or examples */
} manual_form;

void manual_command(FILE *out, const manual_form *form, const cli_command *command);
void manual_overview(FILE *out, const manual_form *form);

/* man.c: writes pba.1 and pba-COMMAND.1 into the folder, which is made. Returns the exit status
 * after having said what is wrong. */
int manual_write_pages(const char *folder);

/* completion.c: writes the script for "bash" or "zsh". */
int completion_print(const char *shell);

#endif
