/* SPDX-License-Identifier: Apache-2.0
 * pba ops: the operations. */
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

static pba_status print_op(const pba_op_info *info)
{
    char range[CLI_TEXT] = "";
    if (info->parameter[0]) {
        double low, high;
        pba_status status = pba_op_parameter(info->name, 0, &low);
        status = status == PBA_OK ? pba_op_parameter(info->name, 10, &high) : status;
        if (status != PBA_OK) {
            return status;
        }
        snprintf(range, sizeof range, "%s%g..%g %s", info->has_sign ? "+-" : "", low, high,
                 info->parameter);
    }
    cli_print("%c %-13s %-20s %s\n", info->searched ? '*' : ' ', info->name, range, info->sentence);
    return PBA_OK;
}

static pba_status json_op(cli_json *json, const pba_op_info *info)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", info->name);
    cli_json_text(json, "sentence", info->sentence);
    cli_json_text(json, "parameter", info->parameter);
    cli_json_number(json, "min", info->min);
    cli_json_number(json, "max", info->max);
    cli_json_bool(json, "has_sign", info->has_sign);
    cli_json_bool(json, "searched", info->searched);
    cli_json_bool(json, "scales_with_image", info->pixels);
    cli_json_text(json, "source", info->source);
    cli_json_open(json, "parameter_by_level", '[');
    for (int level = 0; level <= 10; level++) {
        double value;
        pba_status status = pba_op_parameter(info->name, level, &value);
        if (status != PBA_OK) {
            return status;
        }
        cli_json_number(json, NULL, value);
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
    return PBA_OK;
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
    for (size_t i = 0; i < pba_op_count() && status == PBA_OK; i++) {
        pba_op_info info;
        status = pba_op_get(i, &info);
        if (status == PBA_OK) {
            status = options->json ? json_op(&json, &info) : print_op(&info);
        }
    }
    if (options->json) {
        cli_json_close(&json, ']');
    } else {
        cli_print(
            "\n* searched; the range is what levels 0 to 10 give, +- that it goes both ways\n");
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_ops = {
    .name = "ops",
    .sentence = "lists the operations and their parameters",
    .usage = "[--json]",
    .manual =
        "Lists every operation: its name as used in schedules and by pba apply, what levels 0 to "
        "10 of the paper's space mean, and what it does. Those with a star are searched.\n",
    .examples = "pba ops\npba ops --json",
    .min_words = 0,
    .max_words = 0,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
