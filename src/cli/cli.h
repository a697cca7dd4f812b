/* SPDX-License-Identifier: Apache-2.0
 * What the subcommands share. A subcommand is one file that ends with its row (cli_command): from
 * the row come the list of commands, the manual, the options and their checks. */
#ifndef CLI_H
#define CLI_H

#include <stdio.h>
#include <time.h>

#include "pba.h"

/* ---------------------------------------------------------------- commands */

enum { CLI_ROWS_MAX = 64 };

typedef struct cli_rows {
    pba_setting rows[CLI_ROWS_MAX];
    size_t count;
} cli_rows;

/* The row "dataset" is left out: a data set is an argument, not an option. */
void cli_rows_add(cli_rows *rows, const pba_setting *more, size_t count);
const pba_setting *cli_rows_find(const cli_rows *rows, const char *name);

/* For rows: the place of a field in the command's options struct. */
#define CLI_FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)

/* An option as it was given, for those that may be given several times. */
typedef struct cli_given {
    const char *name, *value;
    pba_setting_type type;
} cli_given;

typedef struct cli_arguments {
    const char **words; /* what is no option, in order */
    cli_given *given;
    int word_count, given_count;
    bool help;
} cli_arguments;

bool cli_was_given(const cli_arguments *arguments, const char *name);
/* Sets what was given in that place; a list that was given before goes on. */
pba_status cli_set_given(const cli_arguments *arguments, int index, void *options,
                         const pba_setting *rows, size_t count);

typedef struct cli_command {
    const char *name, *sentence;
    const char *usage;    /* without "pba NAME"; one form a line */
    const char *manual;   /* paragraphs, separated by an empty line */
    const char *examples; /* one a line */
    int min_words, max_words;
    size_t options_size; /* of the struct that the rows fill */
    void (*rows)(cli_rows *rows);
    int (*run)(void *options, const cli_arguments *arguments); /* returns the exit status */
} cli_command;

extern const cli_command cli_search, cli_train, cli_evaluate, cli_apply, cli_preview, cli_schedule,
    cli_ops, cli_models, cli_policies, cli_presets, cli_data, cli_bench, cli_report, cli_watch,
    cli_compare, cli_augment;

/* All of them, in the order in which they are listed. */
extern const cli_command *const cli_commands[];
extern const size_t cli_command_count;

/* Fills `options` (defaults first) and `arguments` from argv, which starts behind the command's
 * name. Returns false after having said what is wrong. Free with cli_arguments_free in any case. */
bool cli_parse(const cli_command *command, const cli_rows *rows, int argc, char **argv,
               void *options, cli_arguments *arguments);
void cli_arguments_free(cli_arguments *arguments);

void cli_print_manual(const cli_command *command);
void cli_print_overview(void);

/* ------------------------------------------------------------------ output */

enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_INTERRUPTED = 130 };

/* The columns of the character at `text` and its bytes; 0 columns: not to be shown. What may be
 * wide counts as wide, so that no line is ever too long. */
int cli_character(const unsigned char *text, int *bytes);

/* Says "pba: MESSAGE" on standard error, always one line. */
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says the library's last message and returns the exit status that belongs to `status`. */
int cli_failed(pba_status status);

/* The same for wrong usage, which this says itself. */
int cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Standard output, remembering the first failure. */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `text` in lines of at most 80 columns, each after `indent` spaces; `label` stands in the first
 * line's. */
void cli_print_wrapped(FILE *stream, const char *label, int indent, const char *text);

/* A space, and a word of a command line, quoted where the shell would not take it as it is. */
void cli_print_word(FILE *stream, const char *text);
/* "interrupted; ..." with the command that goes on. */
int cli_interrupted(const char *command, const char *folder);

/* Flushes standard output; where writing to it failed, says so and returns CLI_FAILED. */
int cli_finish(int status);

double cli_seconds(clockid_t clock);

/* "1,234,567", "3 min 20 s", "310 MB": into `text`, which is returned. */
enum { CLI_TEXT = 64 };
const char *cli_count(double value, char text[CLI_TEXT]);
const char *cli_duration(double seconds, char text[CLI_TEXT]);
const char *cli_bytes(double bytes, char text[CLI_TEXT]);

/* JSON on standard output: containers open and close, members have a key in objects and NULL in
 * arrays. */
typedef struct cli_json {
    int depth;
    bool filled; /* the innermost container has a member already */
} cli_json;

void cli_json_open(cli_json *json, const char *key, char bracket); /* '{' or '[' */
void cli_json_close(cli_json *json, char bracket);                 /* '}' or ']' */
void cli_json_text(cli_json *json, const char *key, const char *value);
void cli_json_number(cli_json *json, const char *key, double value); /* not finite: null */
void cli_json_seed(cli_json *json, const char *key, uint64_t seed);  /* from 2^63: text */
void cli_json_bool(cli_json *json, const char *key, bool value);

/* ---------------------------------------------------------------- data sets */

/* What is said on standard error while a data set is opened, where that takes long. */
typedef struct cli_opening {
    bool quiet, terminal;
    bool line_open; /* a rewritten line stands on the terminal */
    double started, drawn;
    pba_observer observer;
} cli_opening;

/* `opening` must stay where it is until the end. `options` tell it; NULL: its observer does, for
 * what opens a data set and does more. */
void cli_opening_start(cli_opening *opening, bool quiet, pba_dataset_options *options);
void cli_opening_end(cli_opening *opening);

/* pba_dataset_open_with between the two. */
pba_status cli_open_dataset(const char *path, const pba_dataset_options *options,
                            pba_dataset **dataset);

/* ------------------------------------------------------------------- jobs */

/* What search and train say, and where; the rows of these options. */
typedef struct cli_talk {
    bool dry_run, json, quiet;
} cli_talk;

/* clang-format off */
#define CLI_TALK_ROWS(type, member)                                                              \
    {"dry-run", PBA_SETTING_FLAG, CLI_FIELD(type, member.dry_run), 0, 0, "false", "", NULL,      \
     "Says what would be done, its time and its memory, and stops. Writes nothing.", true},      \
    {"json", PBA_SETTING_FLAG, CLI_FIELD(type, member.json), 0, 0, "false", "", NULL,            \
     "Writes the result (with --dry-run: the plan) as JSON to standard output, and everything "  \
     "else to standard error.", true},                                                           \
    {"quiet", PBA_SETTING_FLAG, CLI_FIELD(type, member.quiet), 0, 0, "false", "", NULL,          \
     "Says nothing before the result.", true}

/* Rows of the commands that split a data set without training. */
#define CLI_SPLIT_ROWS(type)                                                                     \
    {"train-size", PBA_SETTING_INT, CLI_FIELD(type, train_size), 0, 1e9, "0", "N", NULL,         \
     "Number of training images; 0: all that the other splits leave.", false},                   \
    {"val-size", PBA_SETTING_INT, CLI_FIELD(type, val_size), 0, 1e9, "0", "N", NULL,             \
     "Number of validation images; 0: as many as the format suggests.", false},                  \
    {"split-seed", PBA_SETTING_SEED, CLI_FIELD(type, split_seed), 0, 0, "0", "S", NULL,          \
     "Decides which image goes to which split.", false}
/* clang-format on */

/* SIGINT and SIGTERM ask the observed job to stop from now on; a second one ends the process.
 * `event` may be NULL. */
pba_observer cli_observer(void (*event)(void *user, const pba_event *event), void *user);

/* Long jobs: what they report goes to standard error, drawn in place on a terminal, one line per
 * round or tenth otherwise. */
typedef struct cli_job {
    bool quiet, terminal;
    bool line_open;   /* a rewritten line stands on the terminal */
    double drawn;     /* seconds at which it was drawn last */
    const char *said; /* the plan's notes, once printed: not to be said again as an event */
    int networks;     /* of a training run; 0: a search, whose epochs are not told one by one */
    pba_event round, epoch; /* the newest of their kinds */
    struct live *live;      /* view.h: the members, in place of the line; NULL: none */
    pba_observer observer;
} cli_job;

void cli_job_start(cli_job *job, bool quiet, int networks, const char *said);
/* Between start and run of a search: shows its members, where the terminal can. */
void cli_job_show(cli_job *job, const char *run);
/* After it ended well or was interrupted: shows what it came to. Replaces pba_error_message. */
void cli_job_show_end(cli_job *job);
void cli_job_end(cli_job *job);

/* The options of a resumed run hold, so another one beside --resume would be silently ignored:
 * false, said. */
bool cli_resume_is_alone(const cli_arguments *arguments);

/* Says what a job will do, as JSON for --dry-run --json; on standard error where standard output is
 * kept for JSON. `budget`: of the JSON, NULL where there is none. Returns the plan's notes where
 * they were said, for cli_job_start, or NULL. */
const char *cli_say_plan(const cli_talk *talk, const char *title, const pba_plan *plan,
                         const char *out, const pba_budget *budget);

/* Budgets. The names of the options that were given, which are kept, for free(); NULL:
 * out of memory. */
const char **cli_budget_kept(const cli_arguments *arguments);
/* What was chosen and why, and the command that does the same without a budget. */
void cli_print_budget(FILE *stream, const pba_budget *budget, const char *command,
                      const cli_arguments *arguments);
void cli_json_budget(cli_json *json, const pba_budget *budget);

/* "runs/KIND-NAME-N" with the dataset's name and the first N that is free. */
void cli_next_run(const char *kind, const char *dataset, char out[PBA_PATH_MAX]);

/* For commands whose library options have no such rows: the length of a schedule, for
 * cli_load_schedule; plug-ins, for cli_load_plugins. */
/* clang-format off */
#define CLI_LOG_EPOCHS_ROW(type)                                                                 \
    {"epochs", PBA_SETTING_INT, CLI_FIELD(type, epochs), 0, 1000000, "0", "N", NULL,             \
     "The length of a schedule in the log format, which does not say it. 0: the file says it.",  \
     false}
#define CLI_PLUGIN_ROW(type)                                                                     \
    {"plugin", PBA_SETTING_LIST, CLI_FIELD(type, plugin), 0, 0, "", "FILE.so", NULL,             \
     "A plug-in, whose operations are known then; several: give it again, or commas between.",   \
     false}
/* clang-format on */

/* Loads the files of a list. Returns the exit status after having said what is wrong. */
int cli_load_plugins(const char *list);

/* Reads a schedule file; it may name any operation, but here they must be known. Returns the exit
 * status after having said what is wrong. */
int cli_load_schedule(const char *path, int epochs, pba_schedule **schedule);

/* The settings of a preset, then again those of `rows` that were given. Returns the exit status
 * after having said what is wrong. */
int cli_apply_preset(const char *job, const char *name, void *options, const pba_setting *rows,
                     size_t count, const cli_arguments *arguments);

/* Text into a field of PBA_PATH_MAX bytes; false, said, where it is too long. */
bool cli_set_path(char field[PBA_PATH_MAX], const char *what, const char *text);

#endif
