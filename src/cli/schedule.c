/* SPDX-License-Identifier: Apache-2.0
 * pba schedule: looks at schedule files, checks them, converts between their two formats. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

typedef struct options {
    int epochs;
    char plugin[PBA_PATH_MAX];
    bool json;
} options;

static void rows(cli_rows *rows)
{
    static const pba_setting own[] = {
        {"epochs", PBA_SETTING_INT, CLI_FIELD(options, epochs), 0, 1000000, "0", "N", NULL,
         "The length of the search that wrote a log, which does not say it. Left out (0) for "
         "schedule.json.",
         false},
        CLI_PLUGIN_ROW(options),
        {"json", PBA_SETTING_FLAG, CLI_FIELD(options, json), 0, 0, "false", "", NULL,
         "show and check: writes JSON.", false},
    };
    cli_rows_add(rows, own, sizeof own / sizeof *own);
}

/* "Rotate:7(30%)" an entry; those that never fire are left out. */
static void print_policy(const pba_schedule *schedule, const pba_policy *policy)
{
    char text[64 * PBA_POLICY_MAX] = "";
    size_t length = 0;
    for (int i = 0; i < policy->entries; i++) {
        int probability = policy->values[2 * i], level = policy->values[2 * i + 1];
        const char *op = pba_schedule_op(schedule, i % pba_schedule_op_count(schedule));
        if (probability && length < sizeof text) {
            length += (size_t)snprintf(text + length, sizeof text - length, "%s%s:%d(%d%%)",
                                       length ? " " : "", op, level, 10 * probability);
        }
    }
    cli_print_wrapped(stdout, "", 8, length ? text : "nothing");
}

static void print_segment(const pba_schedule *schedule, int from, int epochs,
                          const pba_policy *policy)
{
    if (epochs) {
        cli_print("epochs %d to %d (%d)\n", from, from + epochs - 1, epochs);
    } else {
        cli_print("no epoch (at %d)\n", from);
    }
    print_policy(schedule, policy);
}

static void json_segment(cli_json *json, int from, int epochs, const pba_policy *policy)
{
    cli_json_open(json, NULL, '{');
    cli_json_number(json, "from", from);
    cli_json_number(json, "epochs", epochs);
    cli_json_open(json, "policy", '[');
    for (int i = 0; i < 2 * policy->entries; i++) {
        cli_json_number(json, NULL, policy->values[i]);
    }
    cli_json_close(json, ']');
    cli_json_close(json, '}');
}

static pba_status each_segment(const pba_schedule *schedule, cli_json *json)
{
    int from = 0;
    for (int i = 0; i < pba_schedule_segments(schedule); i++) {
        pba_policy policy;
        int epochs;
        pba_status status = pba_schedule_segment(schedule, i, &epochs, &policy);
        if (status != PBA_OK) {
            return status;
        }
        if (json) {
            json_segment(json, from, epochs, &policy);
        } else {
            print_segment(schedule, from, epochs, &policy);
        }
        from += epochs;
    }
    return PBA_OK;
}

static pba_status show(const char *path, const pba_schedule *schedule, bool as_json)
{
    if (!as_json) {
        int segments = pba_schedule_segments(schedule);
        cli_print("%s: %d segment%s over %d epochs\n", path, segments, segments == 1 ? "" : "s",
                  pba_schedule_epochs(schedule));
        cli_print("Rotate:7(30%%) is Rotate at level 7, firing with probability 30 %%\n\n");
        return each_segment(schedule, NULL);
    }
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_number(&json, "epochs", pba_schedule_epochs(schedule));
    cli_json_open(&json, "ops", '[');
    for (int i = 0; i < pba_schedule_op_count(schedule); i++) {
        cli_json_text(&json, NULL, pba_schedule_op(schedule, i));
    }
    cli_json_close(&json, ']');
    cli_json_open(&json, "segments", '[');
    pba_status status = each_segment(schedule, &json);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return status;
}

static pba_status check(const char *path, const pba_schedule *schedule, bool as_json)
{
    int segments = pba_schedule_segments(schedule), epochs = pba_schedule_epochs(schedule);
    if (!as_json) {
        cli_print("%s: fine, %d segment%s over %d epochs\n", path, segments,
                  segments == 1 ? "" : "s", epochs);
        return PBA_OK;
    }
    cli_json json = {0};
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "fine", true);
    cli_json_number(&json, "segments", segments);
    cli_json_number(&json, "epochs", epochs);
    cli_json_close(&json, '}');
    return PBA_OK;
}

enum verb { SHOW, CHECK, CONVERT, VERBS };
static const char *const verbs[VERBS] = {"show", "check", "convert"};

static bool has_suffix(const char *path, const char *suffix)
{
    size_t length = strlen(path), tail = strlen(suffix);
    return length > tail && strcmp(path + length - tail, suffix) == 0;
}

/* The verb, or VERBS after having said what is wrong. */
static enum verb parse_verb(const cli_arguments *arguments)
{
    for (enum verb verb = 0; verb < VERBS; verb++) {
        if (strcmp(arguments->words[0], verbs[verb]) != 0) {
            continue;
        }
        if (arguments->word_count != (verb == CONVERT ? 3 : 2)) {
            cli_error("schedule %s: wants %s", verbs[verb],
                      verb == CONVERT ? "two files, IN and OUT" : "one file");
            return VERBS;
        }
        if (verb == CONVERT && !has_suffix(arguments->words[2], ".json") &&
            !has_suffix(arguments->words[2], ".txt")) {
            cli_error(
                "%s: end the name in .json (schedule) or .txt (log), which decides the format",
                arguments->words[2]);
            return VERBS;
        }
        return verb;
    }
    cli_error("schedule: \"%s\" is not one of show, check, convert", arguments->words[0]);
    return VERBS;
}

static int act(enum verb verb, const options *options, const cli_arguments *arguments,
               const pba_schedule *schedule)
{
    const char *path = arguments->words[1];
    pba_status status = verb == SHOW    ? show(path, schedule, options->json)
                        : verb == CHECK ? check(path, schedule, options->json)
                                        : pba_schedule_save(schedule, arguments->words[2]);
    return status == PBA_OK ? CLI_DONE : cli_failed(status);
}

static int run(void *given, const cli_arguments *arguments)
{
    const options *options = given;
    enum verb verb = parse_verb(arguments);
    if (verb == VERBS) {
        return CLI_USAGE;
    }
    const char *path = arguments->words[1];
    pba_schedule *schedule = NULL;
    int result = cli_load_plugins(options->plugin);
    if (result == CLI_DONE) {
        result = cli_load_schedule(path, options->epochs, &schedule);
    }
    if (result == CLI_DONE) {
        result = act(verb, options, arguments, schedule);
    }
    pba_schedule_free(schedule);
    return result;
}

const cli_command cli_schedule = {
    .name = "schedule",
    .sentence = "shows, checks and converts schedule files",
    .usage = "show FILE|RUN [--epochs N] [--json]\n"
             "check FILE|RUN [--epochs N] [--json]\n"
             "convert IN OUT [--epochs N]",
    .manual =
        "Two formats are read, recognized by content: schedule.json, and the log of the paper's "
        "code (one exploit event a line). A log does not say how many epochs its search had, so "
        "--epochs is required for it. In place of a file a run's folder will do.\n\n"
        "show prints the policies, segment by segment. check reads the file as training would and "
        "says what is wrong with it. convert writes OUT in the format of its suffix: .json or "
        ".txt.\n",
    .examples = "pba schedule show runs/search-demo-1/schedule.json\n"
                "pba schedule check rcifar10_16_wrn.txt --epochs 200\n"
                "pba schedule convert rcifar10_16_wrn.txt rcifar10.json --epochs 200",
    .min_words = 1,
    .max_words = 3,
    .options_size = sizeof(options),
    .rows = rows,
    .run = run,
};
