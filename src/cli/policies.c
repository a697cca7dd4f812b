/* SPDX-License-Identifier: Apache-2.0
 * pba policies: the kinds of augmentation policy that pba train knows. */
#include <stdio.h>

#include "cli.h"

typedef struct options {
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static void print_kind(const pba_augment_kind_info *info)
{
    cli_print("%s\n", info->pattern);
    cli_print_wrapped(stdout, "", 4, info->sentence);
    if (info->source[0]) {
        cli_print_wrapped(stdout, "", 4, info->source);
    }
}

static void json_kind(cli_json *json, const pba_augment_kind_info *info)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "pattern", info->pattern);
    cli_json_text(json, "example", info->example);
    cli_json_text(json, "sentence", info->sentence);
    cli_json_text(json, "source", info->source);
    cli_json_close(json, '}');
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    pba_status status = PBA_OK;
    cli_json json = {0};
    (void)arguments;
    if (options->json) {
        cli_json_open(&json, NULL, '[');
    }
    for (size_t i = 0; i < pba_augment_kind_count() && status == PBA_OK; i++) {
        pba_augment_kind_info info;
        status = pba_augment_kind_get(i, &info);
        if (status == PBA_OK && options->json) {
            json_kind(&json, &info);
        } else if (status == PBA_OK) {
            print_kind(&info);
        }
    }
    if (options->json) {
        cli_json_close(&json, ']');
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_policies = {
    .name = "policies",
    .sentence = "lists the kinds of augmentation policy",
    .usage = "[--json]",
    .manual =
        "Lists what --augment of pba train accepts: how each kind is written, what it does to "
        "training images, and the paper that it follows. All kinds but \"none\" are followed by "
        "the "
        "baseline of the data set.\n",
    .examples = "pba policies\npba policies --json",
    .min_words = 0,
    .max_words = 0,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
