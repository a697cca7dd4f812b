/* SPDX-License-Identifier: Apache-2.0
 * pba models: the families of networks, or the size of some. */
#include "cli.h"

typedef struct options {
    int width, height, channels, classes;
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"width", PBA_SETTING_INT, CLI_FIELD(options, width), 1, 4096, "32", "N", NULL,
         "Width of the images, in pixels.", false},
        {"height", PBA_SETTING_INT, CLI_FIELD(options, height), 1, 4096, "32", "N", NULL,
         "Height of the images, in pixels.", false},
        {"channels", PBA_SETTING_INT, CLI_FIELD(options, channels), 1, 3, "3", "1|3", NULL,
         "1 for grey, 3 for colour.", false},
        {"classes", PBA_SETTING_INT, CLI_FIELD(options, classes), 2, 100000, "10", "N", NULL,
         "Number of classes.", false},
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static pba_status family(cli_json *json, size_t index)
{
    const char *pattern, *sentence, *example;
    pba_status status = pba_model_family(index, &pattern, &sentence, &example);
    if (status != PBA_OK) {
        return status;
    }
    if (!json) {
        cli_print("%s, for example %s\n", pattern, example);
        cli_print_wrapped(stdout, "", 4, sentence);
        return PBA_OK;
    }
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "pattern", pattern);
    cli_json_text(json, "example", example);
    cli_json_text(json, "sentence", sentence);
    cli_json_close(json, '}');
    return PBA_OK;
}

static pba_status model(cli_json *json, const options *options, const char *name)
{
    pba_model_info info;
    char count[CLI_TEXT];
    pba_status status = pba_model_describe(name, options->width, options->height, options->channels,
                                           options->classes, &info);
    if (status != PBA_OK) {
        return status;
    }
    if (!json) {
        cli_print("%-24s %14s parameters %10.1f MMAC forward\n", info.name,
                  cli_count((double)info.parameters, count), info.forward_macs / 1e6);
        return PBA_OK;
    }
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", info.name);
    cli_json_number(json, "parameters", (double)info.parameters);
    cli_json_number(json, "forward_macs", info.forward_macs);
    cli_json_close(json, '}');
    return PBA_OK;
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    cli_json json = {0}, *out = options->json ? &json : NULL;
    pba_status status = PBA_OK;
    size_t names = (size_t)arguments->word_count;
    size_t count = names ? names : pba_model_family_count();
    if (out) {
        cli_json_open(out, NULL, '[');
    }
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        status = names ? model(out, options, arguments->words[i]) : family(out, i);
    }
    if (out) {
        cli_json_close(out, ']');
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_models = {
    .name = "models",
    .sentence = "lists the networks, or tells the size of some",
    .usage = "[NAME...] [--width N] [--height N] [--channels 1|3] [--classes N] [--json]",
    .manual =
        "Without a NAME, lists the families of networks and how their names are made. With names, "
        "tells the trainable parameters of each and the multiplications of one forward pass on "
        "one image.\n",
    .examples =
        "pba models\npba models wrn-40-2 wrn-28-10\npba models wrn-16-1 --width 28 --height 28 "
        "--channels 1",
    .min_words = 0,
    .max_words = 1000,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
