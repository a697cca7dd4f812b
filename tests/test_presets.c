/* SPDX-License-Identifier: Apache-2.0
 * The presets: known figures of the paper, settings that exist, options that win. */
#include "check.h"

#include <math.h>
#include <string.h>

static const char *setting(const pba_preset *preset, const char *name)
{
    for (size_t i = 0; i < preset->setting_count; i++) {
        if (!strcmp(preset->settings[i].name, name)) {
            return preset->settings[i].value;
        }
    }
    return "";
}

/* Rates, decays, epochs, batches and errors once more, in the order of the paper's tables. */
static void figures_are_those_published(void **state)
{
    static const struct {
        const char *name, *lr, *wd, *epochs, *batch, *rates;
        double percent;
    } rows[] = {
        {"cifar10/wrn-28-10", "0.1", "0.0005", "200", "128", "cosine", 2.58},
        {"cifar10/shake-shake-26-2x32d", "0.01", "0.001", "1800", "128", "cosine", 2.54},
        {"cifar10/shake-shake-26-2x96d", "0.01", "0.001", "1800", "128", "cosine", 2.03},
        {"cifar10/shake-shake-26-2x112d", "0.01", "0.001", "1800", "128", "cosine", 2.03},
        {"cifar10/pyramid-272-200", "0.05", "0.00005", "1800", "64", "cosine", 1.46},
        {"rcifar10/wrn-28-10", "0.05", "0.005", "200", "128", "cosine", 12.82},
        {"rcifar10/shake-shake-26-2x96d", "0.025", "0.0025", "1800", "128", "cosine", 10.64},
        {"cifar100/wrn-28-10", "0.1", "0.0005", "200", "128", "cosine", 16.73},
        {"cifar100/shake-shake-26-2x96d", "0.01", "0.0025", "1800", "128", "cosine", 15.31},
        {"cifar100/pyramid-272-200", "0.025", "0.0005", "1800", "64", "cosine", 10.94},
        {"svhn/wrn-28-10", "0.005", "0.001", "160", "128", "step:80,120", 1.18},
        {"svhn/shake-shake-26-2x96d", "0.01", "0.00015", "160", "128", "cosine", 1.13},
        {"rsvhn/wrn-28-10", "0.05", "0.01", "160", "128", "step:80,120", 7.83},
        {"rsvhn/shake-shake-26-2x96d", "0.025", "0.005", "160", "128", "cosine", 6.46},
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    assert_int_equal(pba_preset_count(), ROWS + 2);
    for (int i = 0; i < ROWS; i++) {
        pba_preset preset;
        assert_ok(pba_preset_find("train", rows[i].name, &preset));
        assert_string_equal(setting(&preset, "lr"), rows[i].lr);
        assert_string_equal(setting(&preset, "wd"), rows[i].wd);
        assert_string_equal(setting(&preset, "epochs"), rows[i].epochs);
        assert_string_equal(setting(&preset, "batch"), rows[i].batch);
        assert_string_equal(setting(&preset, "lr-schedule"), rows[i].rates);
        assert_true(fabs(100 * preset.published_error - rows[i].percent) < 1e-9);
        assert_non_null(strstr(preset.table, "Ho et al. 2019"));
        assert_string_equal(strchr(preset.name, '/') + 1, setting(&preset, "model"));
    }
}

/* Every preset names settings of its job, each once, with values that they take. */
static void settings_exist(void **state)
{
    for (size_t i = 0; i < pba_preset_count(); i++) {
        pba_preset preset;
        pba_search_options search;
        pba_train_options train;
        size_t count;
        char text[256];
        assert_ok(pba_preset_get(i, &preset));
        bool searches = !strcmp(preset.job, "search");
        assert_true(searches || !strcmp(preset.job, "train"));
        const pba_setting *rows =
            searches ? pba_search_settings(&count) : pba_train_settings(&count);
        void *options = searches ? (void *)&search : (void *)&train;
        memset(options, 0, searches ? sizeof search : sizeof train);
        pba_settings_init(options, rows, count);
        assert_ok(pba_preset_apply(&preset, options, rows, count));
        assert_ok(pba_settings_get(options, rows, count, "preset", text, sizeof text));
        assert_string_equal(text, preset.name);
        for (size_t k = 0; k < preset.setting_count; k++) {
            assert_ptr_equal(setting(&preset, preset.settings[k].name), preset.settings[k].value);
        }
        assert_true((preset.published_error < 0) == searches);
    }
}

static void models_exist(void **state)
{
    for (size_t i = 0; i < pba_preset_count(); i++) {
        pba_preset preset;
        pba_model_info info;
        assert_ok(pba_preset_get(i, &preset));
        assert_ok(pba_model_describe(setting(&preset, "model"), 32, 32, 3, 10, &info));
    }
}

static void searches_are_those_published(void **state)
{
    pba_preset cifar, svhn;
    pba_search_options options = {0};
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    assert_ok(pba_preset_find("search", "rcifar10", &cifar));
    assert_ok(pba_preset_find("search", "rsvhn", &svhn));
    pba_settings_init(&options, rows, count);
    assert_ok(pba_preset_apply(&cifar, &options, rows, count));
    assert_string_equal(options.recipe.model, "wrn-40-2");
    assert_int_equal(options.recipe.train_size, 4000);
    assert_int_equal(options.recipe.val_size, 46000);
    assert_int_equal(options.recipe.epochs, 200);
    assert_true(options.recipe.weight_decay == 0.0005);
    assert_int_equal(options.population, 16);
    assert_int_equal(options.interval, 3);
    assert_ok(pba_preset_apply(&svhn, &options, rows, count));
    assert_int_equal(options.recipe.train_size, 1000);
    assert_int_equal(options.recipe.val_size, 7325);
    assert_int_equal(options.recipe.epochs, 160);
    assert_true(options.recipe.weight_decay == 0.005);
    assert_string_equal(options.recipe.lr_schedule, "step:80,120");
    assert_string_equal(options.recipe.baseline, "none");
    assert_string_equal(options.preset, "rsvhn");
}

static void unknown_names_are_refused(void **state)
{
    pba_preset preset;
    assert_int_equal(pba_preset_find("search", "cifar10/wrn-28-10", &preset), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "rcifar10, rsvhn"));
    assert_int_equal(pba_preset_find("train", "rcifar10", &preset), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "rsvhn/shake-shake-26-2x96d"));
    assert_int_equal(pba_preset_get(pba_preset_count(), &preset), PBA_USAGE);

    pba_train_options options = {0};
    pba_training *training;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_settings_init(&options, rows, count);
    strcpy(options.dataset, "demo");
    strcpy(options.preset, "mnist/lenet");
    assert_int_equal(pba_training_create(&options, &training), PBA_USAGE);
    assert_null(training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_published),
        cmocka_unit_test(settings_exist),
        cmocka_unit_test(models_exist),
        cmocka_unit_test(searches_are_those_published),
        cmocka_unit_test(unknown_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
