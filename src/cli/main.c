/* SPDX-License-Identifier: Apache-2.0
 * The pba program: a table of commands over pba.h. Exit status: 0 done, 2 wrong usage, 130
 * interrupted, 1 everything else. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "manual.h"

const cli_command *const cli_commands[] = {&cli_search,   &cli_watch, &cli_train,   &cli_compare,
                                           &cli_evaluate, &cli_apply, &cli_preview, &cli_augment,
                                           &cli_schedule, &cli_ops,   &cli_models,  &cli_policies,
                                           &cli_presets,  &cli_data,  &cli_bench,   &cli_report};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0) {
            return cli_commands[i];
        }
    }
    cli_error("%s: no such command, pba --help lists them", name);
    return NULL;
}

/* --json on --version would be one more format for the same five lines: it is text only. */
static int run_general(int argc, char **argv)
{
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        cli_print("%s", pba_build_info());
        return CLI_DONE;
    }
    if (strcmp(word, "--completion") == 0) {
        return completion_print(argc > 2 ? argv[2] : "");
    }
    if (strcmp(word, "--man-pages") == 0) { /* for the build */
        return argc > 2 ? manual_write_pages(argv[2])
                        : cli_usage("--man-pages needs a folder to write to");
    }
    if (argc > 2 && strcmp(word, "help") == 0) {
        const cli_command *command = find_command(argv[2]);
        if (!command) {
            return CLI_USAGE;
        }
        cli_print_manual(command);
        return CLI_DONE;
    }
    cli_print_overview();
    return CLI_DONE;
}

static bool is_general(const char *word)
{
    static const char *const words[] = {"--version", "--help",       "-h",
                                        "help",      "--completion", "--man-pages"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int run_parsed(const cli_command *command, const cli_rows *rows, int argc, char **argv,
                      void *options)
{
    cli_arguments arguments;
    int status = CLI_USAGE;
    if (cli_parse(command, rows, argc, argv, options, &arguments)) {
        if (arguments.help) {
            cli_print_manual(command);
            status = CLI_DONE;
        } else {
            status = command->run(options, &arguments);
        }
    }
    cli_arguments_free(&arguments);
    return status;
}

static int run_command(int argc, char **argv)
{
    const cli_command *command = find_command(argv[1]);
    if (!command) {
        return CLI_USAGE;
    }
    cli_rows rows = {.count = 0};
    command->rows(&rows);
    void *options = calloc(1, command->options_size);
    if (!options) {
        cli_error("out of memory");
        return CLI_FAILED;
    }
    int status = run_parsed(command, &rows, argc - 2, argv + 2, options);
    free(options);
    return status;
}

int main(int argc, char **argv)
{
#ifdef M_MMAP_THRESHOLD
    mallopt(M_MMAP_THRESHOLD,
            1 << 20); /* what the measuring gives back must not stay in the heap */
#endif
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is a failed write, which cli_finish reports */
    signal(SIGXFSZ, SIG_IGN); /* so is a file that grows beyond its limit */
    if (argc < 2) {
        return cli_usage("a command is missing, pba --help lists them");
    }
    return cli_finish(is_general(argv[1]) ? run_general(argc, argv) : run_command(argc, argv));
}
