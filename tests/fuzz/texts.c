/* SPDX-License-Identifier: Apache-2.0
 * Short texts of command lines and config files. The first byte chooses what reads the rest. */
#include <stdlib.h>
#include <string.h>

#include "augment/baseline.h"
#include "augment/kind.h"
#include "fuzz.h"
#include "nn/graph.h"
#include "nn/model.h"
#include "nn/optimizer.h"
#include "schedule/policy.h"
#include "train/order.h"

/* Kinds that name a file are read by the targets of those files. */
static void read_kind(const char *text)
{
    static const augment_canvas canvas = {.width = 32, .height = 24, .scale = true};
    augment_choice choice;
    const augment_kind *kind;
    size_t length = strcspn(text, ":"), i = 0;
    while ((kind = augment_kind_at(i)) && kind->name &&
           (strlen(kind->name) != length || strncmp(kind->name, text, length) != 0)) {
        i++;
    }
    if (!kind || !kind->name || strcmp(kind->name, "policy") == 0 ||
        !fuzz_done(augment_choice_parse(text, &choice))) {
        return;
    }
    arena *arena = arena_create();
    const void *state;
    fuzz_check(arena && choice.kind == kind);
    if (kind->prepare) {
        fuzz_done(kind->prepare(&choice, &canvas, arena, &state));
    }
    arena_free(arena);
    augment_choice_free(&choice);
}

static void read_policy_file(const char *text)
{
    augment_choice choice;
    char named[PBA_NAME_MAX];
    snprintf(named, sizeof named, "policy:%s", fuzz_file((const uint8_t *)text, strlen(text)));
    if (fuzz_done(augment_choice_parse(named, &choice))) {
        augment_choice_free(&choice);
    }
}

static void read_baseline(const char *text)
{
    augment_baseline baseline;
    if (fuzz_done(augment_baseline_parse(text, 32, 24, &baseline))) {
        fuzz_check(baseline.crop >= 0 && baseline.crop <= 24);
        fuzz_check(baseline.cutout >= 0 && baseline.cutout <= 64);
    }
}

static void read_rate(const char *text)
{
    nn_rate rate;
    if (fuzz_done(nn_rate_parse(text, &rate))) {
        double lr = nn_rate_at(&rate, 0.1, 99, 100, 3, 4);
        fuzz_check(lr >= 0 && lr <= 0.1);
    }
}

static void read_size(const char *text)
{
    int width, height;
    fuzz_check(!data_parse_size(text, &width, &height) || (width > 0 && height > 0));
}

/* Names separated by commas. */
static void read_ops(const char *text)
{
    const char *ops[PBA_POLICY_MAX + 1];
    int count = 0;
    char *copy = fuzz_text((const uint8_t *)text, strlen(text)), *rest = NULL;
    for (char *name = strtok_r(copy, ",", &rest); name && count <= PBA_POLICY_MAX;
         name = strtok_r(NULL, ",", &rest)) {
        ops[count++] = name;
    }
    pba_population_options options;
    pba_population_defaults(&options);
    options.ops = ops;
    options.op_count = count;
    pba_population *population;
    if (fuzz_done(pba_population_create(&options, &population))) {
        pba_population_free(population);
    }
    free(copy);
}

static void read_model(const char *text)
{
    pba_model_info info;
    if (fuzz_done(pba_model_describe(text, 32, 32, 3, 10, &info))) {
        fuzz_check(info.parameters > 0 && info.forward_macs > 0);
    }
}

static void read_order(const char *text)
{
    const order *order = order_find(text);
    fuzz_check(!order || strcmp(order->name, text) == 0);
}

/* "name=value": what is accepted comes back as the same text. */
static void read_setting(const char *text, void *options, const pba_setting *rows, size_t count)
{
    static char value[PBA_PATH_MAX + 1], again[PBA_PATH_MAX + 1];
    char *name = fuzz_text((const uint8_t *)text, strlen(text)), *equals = strchr(name, '=');
    if (equals) {
        *equals = 0;
        pba_settings_init(options, rows, count);
        if (fuzz_done(pba_settings_set(options, rows, count, name, equals + 1))) {
            fuzz_check(pba_settings_get(options, rows, count, name, value, sizeof value) == PBA_OK);
            fuzz_check(pba_settings_set(options, rows, count, name, value) == PBA_OK);
            fuzz_check(pba_settings_get(options, rows, count, name, again, sizeof again) == PBA_OK);
            fuzz_check(strcmp(value, again) == 0);
        }
    }
    free(name);
}

static void read_search_setting(const char *text)
{
    static pba_search_options options;
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    read_setting(text, &options, rows, count);
}

static void read_train_setting(const char *text)
{
    static pba_train_options options;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    read_setting(text, &options, rows, count);
}

static void (*const readers[])(const char *text) = {
    read_kind, read_policy_file, read_baseline, read_rate,           read_size,
    read_ops,  read_model,       read_order,    read_search_setting, read_train_setting};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        char *text = fuzz_text(data + 1, size - 1);
        /* '0' is the first one, so that inputs can be typed. */
        readers[(uint8_t)(data[0] - '0') % (sizeof readers / sizeof *readers)](text);
        free(text);
    }
    return 0;
}
