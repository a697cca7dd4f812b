/* SPDX-License-Identifier: Apache-2.0
 * pba ops: the operations, listed, drawn or tested. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    char out[PBA_PATH_MAX], plugin[PBA_PATH_MAX];
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "Writes the list, or what the test found, as JSON.", false},
        CLI_PLUGIN_ROW(options),
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
    cli_print("%c %-13s %-20s %s", info->searched ? '*' : ' ', info->name, range, info->sentence);
    if (info->plugin[0]) {
        cli_print(" (plug-in %s, version %d)", info->plugin, info->version);
    }
    cli_print("\n");
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
    cli_json_bool(json, "partner", info->partner);
    if (info->has_identity) {
        cli_json_number(json, "identity", info->identity);
    }
    if (info->plugin[0]) {
        cli_json_text(json, "plugin", info->plugin);
        cli_json_number(json, "version", info->version);
    }
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

static const char *const verdicts[] = {
    [PBA_OP_PASSED] = "passed", [PBA_OP_FAILED] = "FAILED", [PBA_OP_SKIPPED] = "-"};

static void print_findings(const pba_op_report *report)
{
    char text[CLI_TEXT];
    cli_print("%s", report->name);
    if (report->plugin[0]) {
        cli_print(" of plug-in %s, version %d", report->plugin, report->version);
    }
    cli_print(", applied %s times\n", cli_count(report->applications, text));
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        const pba_op_finding *finding = &report->findings[i];
        cli_print("  %-12s %-7s %s%s%s\n", finding->name, verdicts[finding->verdict],
                  finding->sentence, finding->detail[0] ? ": " : "", finding->detail);
    }
    if (report->images_per_second > 0) {
        cli_print("  %-12s %s images/s of 32 x 32 in colour, on one core\n", "speed",
                  cli_count(report->images_per_second, text));
    }
}

static void json_findings(const pba_op_report *report)
{
    cli_json fresh = {0}, *json = &fresh;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "name", report->name);
    cli_json_text(json, "plugin", report->plugin);
    cli_json_number(json, "version", report->version);
    cli_json_bool(json, "passed", report->passed);
    cli_json_text(json, "crash", report->crash);
    cli_json_number(json, "applications", report->applications);
    cli_json_number(json, "images_per_second", report->images_per_second);
    cli_json_open(json, "checks", '[');
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        const pba_op_finding *finding = &report->findings[i];
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "name", finding->name);
        cli_json_text(json, "sentence", finding->sentence);
        cli_json_text(json, "verdict",
                      finding->verdict == PBA_OP_SKIPPED  ? "skipped"
                      : finding->verdict == PBA_OP_FAILED ? "failed"
                                                          : "passed");
        cli_json_text(json, "detail", finding->detail);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}

/* Plug-ins are not loaded: one that fails could not be. */
static int test(const options *options, const char *name)
{
    pba_op_report report;
    pba_status status = pba_op_test(name, options->plugin[0] ? options->plugin : NULL, &report);
    if (status != PBA_OK) {
        return cli_failed(status);
    }
    if (options->json) {
        json_findings(&report);
    } else {
        print_findings(&report);
    }
    if (report.crash[0]) {
        cli_error("%s", report.crash);
    } else if (!report.passed) {
        cli_error("%s breaks a rule", report.name);
    }
    return report.passed ? CLI_DONE : CLI_FAILED;
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    const char *action = arguments->word_count ? arguments->words[0] : "";
    if (strcmp(action, "test") == 0 && arguments->word_count == 2) {
        return test(options, arguments->words[1]);
    }
    if (strcmp(action, "test") == 0) {
        return cli_usage("ops test: wants the name of an operation");
    }
    int failed = cli_load_plugins(options->plugin);
    if (failed || !*action) {
        return failed ? failed : list(options);
    }
    if (strcmp(action, "preview") != 0) {
        return cli_usage("ops: \"%s\" is no action; give preview IMAGE, test NAME, or nothing for "
                         "the list",
                         action);
    }
    if (arguments->word_count != 2) {
        return cli_usage("ops preview: wants one image file");
    }
    return preview(options, arguments->words[1]);
}

const cli_command cli_ops = {
    .name = "ops",
    .sentence = "lists the operations and their parameters, draws or tests them",
    .usage = "[--plugin FILE.so] [--json]\npreview IMAGE --out PICTURE [--plugin FILE.so]\n"
             "test NAME [--plugin FILE.so] [--json]",
    .manual =
        "Lists every operation: its name as used in schedules and by pba apply, what levels 0 to "
        "10 of the paper's space mean, and what it does. Those with a star are searched.\n\n"
        "preview draws one image under every operation, at rising levels, with the parameter under "
        "each. Lengths in pixels are scaled to the image as in training; images larger than 128 "
        "pixels a side are shrunk first. An operation that mixes two images gets the image itself, "
        "turned by 180 degrees, as the other one.\n\n"
        "test tries an operation on images of several shapes, at every level: whether it writes "
        "all of its result and nothing else, gives the same bytes for the same draws, keeps the "
        "mask as it says, changes nothing where it says so, and how fast it is. With --plugin the "
        "file need not be good enough to be loaded. Exit status 1 where a rule is broken.\n",
    .examples = "pba ops\npba ops --json\npba ops preview photo.jpg --out ops.png\n"
                "pba ops test Rotate\npba ops test Grain --plugin ./example.so",
    .min_words = 0,
    .max_words = 2,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
