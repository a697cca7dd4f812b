/* SPDX-License-Identifier: Apache-2.0
 * Manuals as pages of man(7), for groff and mandoc. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "manual.h"

enum { COLUMNS = 76 };

/* Hyphens that are typed must stay ASCII ones; a backslash, and what typesetters turn into
 * typographic signs, have names. */
static void literal(FILE *out, const char *text, size_t length)
{
    static const struct sign {
        char letter;
        const char *name;
    } signs[] = {{'\\', "\\e"},  {'-', "\\-"},   {'\'', "\\(aq"},
                 {'`', "\\(ga"}, {'^', "\\(ha"}, {'~', "\\(ti"}};
    for (size_t i = 0; i < length; i++) {
        const char *name = NULL;
        for (size_t s = 0; s < sizeof signs / sizeof *signs; s++) {
            name = signs[s].letter == text[i] ? signs[s].name : name;
        }
        if (name) {
            fputs(name, out);
        } else {
            fputc(text[i], out);
        }
    }
}

/* A word of a sentence: what begins with a hyphen is an option, other hyphens join words. */
static void write_word(FILE *out, const char *word, size_t length)
{
    size_t hyphens = strspn(word, "\"'(");
    bool option = hyphens < length && word[hyphens] == '-';
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '-' && !option) {
            fputc('-', out);
        } else {
            literal(out, word + i, 1);
        }
    }
}

/* Words in lines; a line must not begin with a control character. */
static void write_words(FILE *out, const char *text, size_t length)
{
    int column = 0;
    for (size_t at = 0; at < length;) {
        size_t blanks = strspn(text + at, " "), word = strcspn(text + at + blanks, " \n");
        at += blanks;
        if (at >= length || !word) {
            break;
        }
        if (column && column + 1 + (int)word > COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        fputs(column ? " " : text[at] == '.' || text[at] == '\'' ? "\\&" : "", out);
        write_word(out, text + at, word);
        column += (int)word + 1;
        at += word;
    }
    fputc('\n', out);
}

static void man_text(FILE *out, const char *text)
{
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, "\n");
        bool paragraph = text[length] == '\n' && text[length + 1] == '\n';
        if (!first && length) {
            fputs(text[-1] == '\n' && text[-2] == '\n' ? ".PP\n" : ".br\n", out);
        }
        if (length) {
            write_words(out, text, length);
        }
        first = false;
        text += length + (paragraph ? 2 : text[length] != 0);
    }
}

/* SOURCE_DATE_EPOCH (reproducible-builds.org) makes the same pages every time. */
static void date_of_today(char text[32])
{
    const char *given = getenv("SOURCE_DATE_EPOCH");
    time_t now = given ? (time_t)strtoll(given, NULL, 10) : time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || !strftime(text, 32, "%Y-%m-%d", &parts)) {
        text[0] = 0;
    }
}

static void man_title(FILE *out, const char *name, const char *sentence)
{
    char page[PBA_NAME_MAX], date[32];
    snprintf(page, sizeof page, "%s", name);
    for (char *at = page; *at; at++) {
        *at = *at == ' ' ? '-' : *at;
    }
    date_of_today(date);
    fputs(".TH \"", out);
    for (const char *at = page; *at; at++) {
        char capital = *at >= 'a' && *at <= 'z' ? (char)(*at - 'a' + 'A') : *at;
        literal(out, &capital, 1);
    }
    fprintf(out, "\" \"1\" \"%s\" \"pba %s\"\n.SH NAME\n", date, pba_version());
    literal(out, page, strlen(page));
    fprintf(out, " \\- ");
    write_words(out, sentence, strlen(sentence));
}

static void man_section(FILE *out, const char *title)
{
    bool usage = strcmp(title, "USAGE") == 0, examples = strcmp(title, "EXAMPLES") == 0;
    fprintf(out, ".SH %s\n", usage ? "SYNOPSIS" : title);
    fputs(usage || examples ? ".nf\n" : "", out);
}

static void man_usage(FILE *out, const char *name, const char *line, int length)
{
    fprintf(out, "\\fB%s\\fR ", name);
    literal(out, line, (size_t)length);
    fputc('\n', out);
}

static void man_option(FILE *out, const char *option, const char *value, const char *help,
                       const char *range)
{
    fputs(".TP\n\\fB", out);
    literal(out, option, strlen(option));
    fputs("\\fR", out);
    if (value[0]) {
        fputs(" \\fI", out);
        literal(out, value, strlen(value));
        fputs("\\fR", out);
    }
    fputc('\n', out);
    man_text(out, help);
    if (range[0]) {
        fputs(".br\n", out);
        write_words(out, range, strlen(range));
    }
}

static void man_command(FILE *out, const char *name, const char *sentence)
{
    fprintf(out, ".TP\n\\fBpba\\-%s\\fR(1)\n", name);
    write_words(out, sentence, strlen(sentence));
}

static void man_example(FILE *out, const char *line, int length)
{
    literal(out, line, (size_t)length);
    fputc('\n', out);
}

static void man_end(FILE *out)
{
    fputs(".fi\n", out);
}

static const manual_form man = {man_title,  man_section, man_usage,   man_text,
                                man_option, man_command, man_example, man_end};

/* The file is a new one, so that the folder is as new as its content. */
static int write_page(const char *folder, const cli_command *command)
{
    char path[PBA_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/pba%s%s.1", folder, command ? "-" : "",
                          command ? command->name : "");
    unlink(path);
    FILE *out = length < (int)sizeof path ? fopen(path, "w") : NULL;
    if (!out) {
        cli_error("%s: %s", path, strerror(errno));
        return CLI_FAILED;
    }
    if (command) {
        manual_command(out, &man, command);
        fputs(".SH SEE ALSO\n\\fBpba\\fR(1)\n", out);
    } else {
        manual_overview(out, &man);
    }
    bool bad = ferror(out);
    if (fclose(out) != 0 || bad) {
        cli_error("%s: cannot be written", path);
        return CLI_FAILED;
    }
    return CLI_DONE;
}

int manual_write_pages(const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        cli_error("%s: %s", folder, strerror(errno));
        return CLI_FAILED;
    }
    int status = write_page(folder, NULL);
    for (size_t i = 0; i < cli_command_count && status == CLI_DONE; i++) {
        status = write_page(folder, cli_commands[i]);
    }
    return status;
}
