/* SPDX-License-Identifier: Apache-2.0
 * The pba program: a table of commands over pba.h. Exit status: 0 done, 2 wrong usage, 130
 * interrupted, 1 everything else. */
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const cli_command *const commands[] = {
    &cli_search,   &cli_train,   &cli_compare,  &cli_evaluate, &cli_apply,
    &cli_preview,  &cli_augment, &cli_schedule, &cli_ops,      &cli_models,
    &cli_policies, &cli_presets, &cli_data,     &cli_bench,    &cli_report};
enum { COMMANDS = sizeof commands / sizeof *commands };

static const cli_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    cli_error("%s: no such command, pba --help lists them", name);
    return NULL;
}

static void print_overview(void)
{
    cli_print("pba - learns a schedule of image augmentation for your own images\n\n"
              "USAGE\n    pba COMMAND [ARGUMENT...] [--OPTION VALUE...]\n"
              "    pba COMMAND --help\n    pba --version\n\nCOMMANDS\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        cli_print("    %-10s%s\n", commands[i]->name, commands[i]->sentence);
    }
    cli_print("\nA DATASET is a path, recognized by what it holds, or \"demo\": images that are\n"
              "generated, so that everything can be tried at once.\n\n"
              "EXAMPLES\n"
              "    pba search demo --model wrn-10-1 --population 4 --epochs 6 --interval 2\n"
              "    pba train demo --model wrn-10-1 --augment runs/search-demo-1\n\n"
              "EXIT STATUS\n    0 done, 2 wrong usage, 130 interrupted, 1 everything else\n");
}

/* --json on --version would be one more format for the same five lines: it is text only. */
static int run_general(int argc, char **argv)
{
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0) {
        cli_print("%s", pba_build_info());
        return CLI_DONE;
    }
    if (argc > 2 && strcmp(word, "help") == 0) {
        const cli_command *command = find_command(argv[2]);
        if (!command) {
            return CLI_USAGE;
        }
        cli_print_manual(command);
        return CLI_DONE;
    }
    print_overview();
    return CLI_DONE;
}

static bool is_general(const char *word)
{
    static const char *const words[] = {"--version", "--help", "-h", "help"};
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
    if (argc < 2) {
        return cli_usage("a command is missing, pba --help lists them");
    }
    return cli_finish(is_general(argv[1]) ? run_general(argc, argv) : run_command(argc, argv));
}
