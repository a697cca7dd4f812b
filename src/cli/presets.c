/* SPDX-License-Identifier: Apache-2.0
 * pba presets: published experiments by name; and --preset of search and train. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

int cli_apply_preset(const char *job, const char *name, void *options, const pba_setting *rows,
                     size_t count, const cli_arguments *arguments)
{
    pba_preset preset;
    pba_status status = pba_preset_find(job, name, &preset);
    if (status == PBA_OK) {
        status = pba_preset_apply(&preset, options, rows, count);
    }
    for (int i = 0; i < arguments->given_count && status == PBA_OK; i++) {
        const cli_given *given = &arguments->given[i];
        bool known = false;
        for (size_t r = 0; r < count; r++) {
            known = known || strcmp(rows[r].name, given->name) == 0;
        }
        status = known ? cli_set_given(arguments, i, options, rows, count) : PBA_OK;
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

/* ------------------------------------------------------------------ command */

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

static void print_preset(const pba_preset *preset)
{
    cli_print("pba %s --preset %s\n    %s", preset->job, preset->name, preset->table);
    if (preset->published_error >= 0) {
        cli_print(": %.2f %%", 100 * preset->published_error);
    }
    cli_print("\n    on %s\n   ", preset->dataset);
    for (size_t i = 0; i < preset->setting_count; i++) {
        cli_print(" --%s %s", preset->settings[i].name, preset->settings[i].value);
    }
    cli_print("\n");
}

static void json_preset(cli_json *json, const pba_preset *preset)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", preset->name);
    cli_json_text(json, "job", preset->job);
    cli_json_text(json, "dataset", preset->dataset);
    cli_json_text(json, "table", preset->table);
    if (preset->published_error >= 0) {
        cli_json_number(json, "published_error", preset->published_error);
    }
    cli_json_open(json, "settings", '{');
    for (size_t i = 0; i < preset->setting_count; i++) {
        cli_json_text(json, preset->settings[i].name, preset->settings[i].value);
    }
    cli_json_close(json, '}');
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
    for (size_t i = 0; i < pba_preset_count() && status == PBA_OK; i++) {
        pba_preset preset;
        status = pba_preset_get(i, &preset);
        if (status == PBA_OK && options->json) {
            json_preset(&json, &preset);
        } else if (status == PBA_OK) {
            print_preset(&preset);
        }
    }
    if (options->json) {
        cli_json_close(&json, ']');
    }
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

const cli_command cli_presets = {
    .name = "presets",
    .sentence = "lists published experiments that --preset starts from",
    .usage = "[--json]",
    .manual =
        "Lists the settings of the paper's searches and final trainings by name, with the test "
        "error "
        "that the paper reports. pba search and pba train take a name by --preset; options that "
        "are "
        "given beside it win. A training preset says nothing of the schedule: the paper's error is "
        "that under the schedule which its search found, so name one by --augment.\n",
    .examples =
        "pba presets\npba presets --json\n"
        "pba train cifar-10-batches-bin --preset rcifar10/wrn-28-10 --augment rcifar10.json",
    .min_words = 0,
    .max_words = 0,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
