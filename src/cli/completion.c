/* SPDX-License-Identifier: Apache-2.0 */
#include "completion.h"

#include <string.h>

#include "manual.h"

/* ------------------------------------------------------------------- listings */

static void give_models(const cli_command *command, completion_take *take, void *user)
{
    const char *pattern, *sentence, *example;
    for (size_t i = 0; i < pba_model_family_count(); i++) {
        if (pba_model_family(i, &pattern, &sentence, &example) == PBA_OK) {
            take(user, example);
        }
    }
}

static void give_kinds(const cli_command *command, completion_take *take, void *user)
{
    pba_augment_kind_info info;
    for (size_t i = 0; i < pba_augment_kind_count(); i++) {
        /* An example that is a file's name is not one of the user's. */
        if (pba_augment_kind_get(i, &info) == PBA_OK && !strpbrk(info.example, "./")) {
            take(user, info.example);
        }
    }
}

static void give_presets(const cli_command *command, completion_take *take, void *user)
{
    pba_preset preset;
    for (size_t i = 0; i < pba_preset_count(); i++) {
        if (pba_preset_get(i, &preset) == PBA_OK && strcmp(preset.job, command->name) == 0) {
            take(user, preset.name);
        }
    }
}

static void give_ops(const cli_command *command, completion_take *take, void *user)
{
    pba_op_info info;
    for (size_t i = 0; i < pba_op_count(); i++) {
        if (pba_op_get(i, &info) == PBA_OK) {
            take(user, info.name);
        }
    }
}

static void give_demo(const cli_command *command, completion_take *take, void *user)
{
    take(user, "demo");
}

/* Options by their names, and arguments by what the usage calls them. */
typedef struct listing {
    const char *name;
    void (*give)(const cli_command *command, completion_take *take, void *user);
    bool files; /* or a file */
} listing;

static const listing listings[] = {
    {"model", give_models, false}, {"preset", give_presets, false}, {"augment", give_kinds, true},
    {"op", give_ops, false},       {"ops", give_ops, false},        {"data", give_demo, true},
    {"val", give_demo, true},      {"DATASET", give_demo, true},    {"NAME", give_models, false},
};

static const listing *find_listing(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
        if (strncmp(listings[i].name, name, length) == 0 && !listings[i].name[length]) {
            return &listings[i];
        }
    }
    return NULL;
}

/* -------------------------------------------------------------------- literals */

/* Capitals and punctuation stand for something else: "N", "step:E,E". */
static bool is_literal(const char *text, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    return length && text[0] != '-' && strspn(text, letters) >= length;
}

/* Of "a|b|N" the words that stand for themselves. Returns whether there are any. */
static bool give_literals(const char *text, size_t size, completion_take *take, void *user)
{
    bool any = false;
    for (size_t at = 0; at <= size;) {
        const char *bar = memchr(text + at, '|', size - at);
        size_t length = bar ? (size_t)(bar - text) - at : size - at;
        char word[PBA_NAME_MAX];
        if (length < sizeof word && is_literal(text + at, length)) {
            snprintf(word, sizeof word, "%.*s", (int)length, text + at);
            take(user, word);
            any = true;
        }
        at += length + 1;
    }
    return any;
}

bool completion_values(const cli_command *command, const pba_setting *row, completion_take *take,
                       void *user)
{
    const listing *listing = find_listing(row->name, strlen(row->name));
    const char *choices = row->choices ? row->choices : strchr(row->value, '|') ? row->value : "";
    if (listing) {
        listing->give(command, take, user);
        return listing->files;
    }
    bool any = choices[0] && give_literals(choices, strlen(choices), take, user);
    return (row->type == PBA_SETTING_TEXT || row->type == PBA_SETTING_LIST) && !any;
}

bool completion_arguments(const cli_command *command, completion_take *take, void *user)
{
    bool files = false;
    for (const char *form = command->usage; *form;) {
        const char *word = form + (*form == '[');
        size_t length = strcspn(word, " ].\n");
        const listing *listing = find_listing(word, length);
        if (listing) {
            listing->give(command, take, user);
        } else {
            give_literals(word, length, take, user);
        }
        files = files || !listing || listing->files;
        form += strcspn(form, "\n");
        form += *form != 0;
    }
    return files;
}

int completion_print(const char *shell)
{
    static const struct script {
        const char *shell;
        void (*write)(FILE *out);
    } scripts[] = {{"bash", completion_bash}, {"zsh", completion_zsh}};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        if (strcmp(scripts[i].shell, shell) == 0) {
            scripts[i].write(stdout);
            return CLI_DONE;
        }
    }
    return cli_usage("--completion: give bash or zsh, whose script is to be written");
}
