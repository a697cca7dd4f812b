/* SPDX-License-Identifier: Apache-2.0
 * pba report: runs as a page to look at. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

typedef struct options {
    char out[PBA_PATH_MAX], svg[PBA_PATH_MAX], data[PBA_PATH_MAX], plugin[PBA_PATH_MAX];
    int epochs;
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"out", PBA_SETTING_TEXT, CLI_FIELD(options, out), 0, 0, "", "FILE", NULL,
         "The page to write. Left out: report.html in the folder of the first run, or here where a "
         "schedule file is given first.",
         false},
        {"svg", PBA_SETTING_TEXT, CLI_FIELD(options, svg), 0, 0, "", "FOLDER", NULL,
         "Writes the pictures as SVG files into this folder too.", false},
        {"data", PBA_SETTING_TEXT, CLI_FIELD(options, data), 0, 0, "", "DATASET", NULL,
         "Where the images come from. Left out: the data set that the run was started with.",
         false},
        CLI_PLUGIN_ROW(options),
        CLI_LOG_EPOCHS_ROW(options),
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes what was written as JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool choose_out(options *options, const char *first)
{
    char path[PBA_PATH_MAX + 16] = "report.html";
    if (options->out[0]) {
        return true;
    }
    if (is_folder(first)) {
        snprintf(path, sizeof path, "%s/report.html", first);
    }
    return cli_set_path(options->out, first, path);
}

static void say(const options *options)
{
    if (!options->json) {
        cli_print("report    %s\n", options->out);
        if (options->svg[0]) {
            cli_print("pictures  %s\n", options->svg);
        }
        return;
    }
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "report", options->out);
    if (options->svg[0]) {
        cli_json_text(&json, "pictures", options->svg);
    }
    cli_json_close(&json, '}');
}

static int run(void *given, const cli_arguments *arguments)
{
    options *options = given;
    pba_report_options report = {.runs = arguments->words,
                                 .run_count = (size_t)arguments->word_count,
                                 .dataset = options->data[0] ? options->data : NULL,
                                 .epochs = options->epochs};
    if (!choose_out(options, arguments->words[0])) {
        return CLI_USAGE;
    }
    int failed = cli_load_plugins(options->plugin);
    if (failed) {
        return failed;
    }
    pba_status status = pba_report_write(&report, options->out);
    if (status == PBA_OK && options->svg[0]) {
        status = pba_report_charts(&report, options->svg);
    }
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    say(options);
    return CLI_DONE;
}

const cli_command cli_report = {
    .name = "report",
    .sentence = "draws runs and schedules as a page to look at",
    .usage = "RUN... [--out FILE] [--svg FOLDER] [OPTION...]",
    .manual =
        "Writes one HTML file that needs no other file and no network. Of a search (pba search "
        "writes one by itself at its end) it shows how often and how strongly each operation is "
        "applied over the epochs, who copied whom in the population, the validation error of every "
        "member, the data set's own images under the schedule, and the settings with the command "
        "that runs it again. A search that is going on or was stopped is shown as far as it "
        "got.\n\n"
        "Folders of training runs beside it add the final comparison: test errors, means and 95 % "
        "intervals. The folder of a pba compare stands for those of its arms, as far as it got. "
        "Several searches are drawn side by side. A schedule file alone is drawn "
        "too.\n\n"
        "Nothing in the runs is changed, except that report.html is written into the first one "
        "where --out does not say otherwise.\n",
    .examples = "pba report runs/search-demo-1\n"
                "pba report runs/search-demo-1 runs/train-demo-1 runs/train-demo-2\n"
                "pba report runs/search-demo-1 runs/search-demo-2 --out both.html --svg pictures\n"
                "pba report rcifar10_16_wrn.txt --epochs 200 --out published.html",
    .min_words = 1,
    .max_words = PBA_REPORT_RUNS_MAX,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
