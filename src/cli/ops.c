/* SPDX-License-Identifier: Apache-2.0
 * pba ops: the operations, listed or drawn. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    char out[PBA_PATH_MAX];
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes the list as JSON.", false},
        {"out", PBA_SETTING_TEXT, CLI_FIELD(options, out), 0, 0, "", "PICTURE", NULL,
         "preview: the file to write; its suffix decides the format.", false},
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

static int list(const options *options)
{
    pba_status status = PBA_OK;
    cli_json json = {0};
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

static int preview(const options *options, const char *path)
{
    if (!options->out[0]) {
        return cli_usage("ops preview: --out is missing, the picture to write: --out ops.png");
    }
    pba_image image;
    pba_status status = pba_image_read(path, &image);
    if (status == PBA_OK) {
        status = pba_ops_preview_write(&image, options->out);
    }
    pba_image_free(&image);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    if (!arguments->word_count) {
        return list(options);
    }
    if (strcmp(arguments->words[0], "preview") != 0) {
        return cli_usage("ops: \"%s\" is no action; give preview IMAGE, or nothing for the list",
                         arguments->words[0]);
    }
    if (arguments->word_count != 2) {
        return cli_usage("ops preview: wants one image file");
    }
    return preview(options, arguments->words[1]);
}

const cli_command cli_ops = {
    .name = "ops",
    .sentence = "lists the operations and their parameters, or draws them",
    .usage = "[--json]\npreview IMAGE --out PICTURE",
    .manual =
        "Lists every operation: its name as used in schedules and by pba apply, what levels 0 to "
        "10 of the paper's space mean, and what it does. Those with a star are searched.\n\n"
        "preview draws one image under every operation, at rising levels, with the parameter under "
        "each. Lengths in pixels are scaled to the image as in training; images larger than 128 "
        "pixels a side are shrunk first.\n",
    .examples = "pba ops\npba ops --json\npba ops preview photo.jpg --out ops.png",
    .min_words = 0,
    .max_words = 2,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
