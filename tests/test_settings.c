/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <string.h>

typedef struct options {
    int epochs;
    uint64_t seed;
    double lr;
    bool json;
    char backend[8], out[6];
} options;

#define AT(field) offsetof(options, field), sizeof((options *)0)->field
static const pba_setting rows[] = {
    {"epochs", PBA_SETTING_INT, AT(epochs), 1, 1000, "200", "N", NULL, "", false},
    {"seed", PBA_SETTING_SEED, AT(seed), 0, 0, "1", "N", NULL, "", false},
    {"lr", PBA_SETTING_REAL, AT(lr), 0, 10, "0.1", "X", NULL, "", false},
    {"json", PBA_SETTING_FLAG, AT(json), 0, 0, "false", "", NULL, "", false},
    {"backend", PBA_SETTING_TEXT, AT(backend), 0, 0, "fast", "fast|plain", "fast|plain", "", false},
    {"out", PBA_SETTING_TEXT, AT(out), 0, 0, "", "RUN", NULL, "", true},
};
enum { ROWS = sizeof rows / sizeof *rows };

static pba_status set(options *options, const char *name, const char *text)
{
    return pba_settings_set(options, rows, ROWS, name, text);
}

static void defaults(void **state)
{
    options options;
    memset(&options, 0xff, sizeof options);
    pba_settings_init(&options, rows, ROWS);
    assert_int_equal(options.epochs, 200);
    assert_int_equal(options.seed, 1);
    assert_true(options.lr == 0.1);
    assert_false(options.json);
    assert_string_equal(options.backend, "fast");
    assert_string_equal(options.out, "");
}

static void what_is_set_is_got(void **state)
{
    static const struct {
        const char *name, *text, *back;
    } cases[] = {
        {"epochs", "1", "1"},
        {"epochs", "1000", "1000"},
        {"seed", "0", "0"},
        {"seed", "18446744073709551615", "18446744073709551615"},
        {"lr", "0.05", "0.05"},
        {"lr", "5e-4", "0.0005"},
        {"lr", "10", "10"},
        {"lr", "0.1000000000000001", "0.1000000000000001"},
        {"json", "true", "true"},
        {"json", "false", "false"},
        {"backend", "plain", "plain"},
        {"out", "12345", "12345"},
    };
    options options;
    pba_settings_init(&options, rows, ROWS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        assert_ok(set(&options, cases[i].name, cases[i].text));
        assert_ok(pba_settings_get(&options, rows, ROWS, cases[i].name, text, sizeof text));
        assert_string_equal(text, cases[i].back);
    }
}

/* Each refused, the field left alone, the message naming option, value and remedy. */
static void refused(void **state)
{
    static const struct {
        const char *name, *text, *says;
    } cases[] = {
        {"epochs", "3x", "epochs: \"3x\" is not a whole number, give one from 1 to 1000"},
        {"epochs", "", "epochs: \"\" is not a whole number, give one from 1 to 1000"},
        {"epochs", " 3", "not a whole number"},
        {"epochs", "3 ", "not a whole number"},
        {"epochs", "+3", "not a whole number"},
        {"epochs", "0x10", "not a whole number"},
        {"epochs", "3.0", "not a whole number"},
        {"epochs", "-", "not a whole number"},
        {"epochs", "1-1", "not a whole number"},
        {"epochs", "0", "epochs: 0 is out of range, give a number from 1 to 1000"},
        {"epochs", "-1", "out of range"},
        {"epochs", "1001", "out of range"},
        {"epochs", "4294967297", "out of range"},
        {"epochs", "99999999999999999999", "out of range"},
        {"seed", "-1", "not a whole number"},
        {"seed", "1.5", "not a whole number"},
        {"seed", "18446744073709551616", "out of range"},
        {"lr", "nan", "lr: \"nan\" is not a number, give one from 0 to 10"},
        {"lr", "inf", "not a number"},
        {"lr", "0x1p3", "not a number"},
        {"lr", "0.1.2", "not a number"},
        {"lr", "0,1", "not a number"},
        {"lr", "e", "not a number"},
        {"lr", "1e999", "out of range"},
        {"lr", "-0.1", "out of range"},
        {"json", "yes", "neither true nor false"},
        {"backend", "cuda", "backend: \"cuda\" is not one of fast|plain"},
        {"backend", "", "not one of"},
        {"backend", "fast|plain", "not one of"},
        {"backend", "fas", "not one of"},
        {"out", "123456", "out: 6 bytes are too long, give at most 5"},
        {"epoch", "3", "epoch: no such option, the nearest one is epochs"},
        {"sed", "3", "the nearest one is seed"},
    };
    options fresh, options;
    memset(&fresh, 0, sizeof fresh);
    pba_settings_init(&fresh, rows, ROWS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(&options, &fresh, sizeof options);
        assert_int_equal(set(&options, cases[i].name, cases[i].text), PBA_USAGE);
        if (!strstr(pba_error_message(), cases[i].says)) {
            fail_msg("%s %s: \"%s\" lacks \"%s\"", cases[i].name, cases[i].text,
                     pba_error_message(), cases[i].says);
        }
        assert_memory_equal(&options, &fresh, sizeof options);
    }
}

static void long_names_and_short_buffers(void **state)
{
    options options;
    char name[300] = {0}, text[4];
    memset(name, 'x', sizeof name - 1);
    pba_settings_init(&options, rows, ROWS);
    assert_int_equal(set(&options, name, "1"), PBA_USAGE);
    assert_int_equal(pba_settings_get(&options, rows, ROWS, name, text, sizeof text), PBA_USAGE);
    assert_ok(pba_settings_get(&options, rows, ROWS, "epochs", text, sizeof text));
    assert_int_equal(pba_settings_get(&options, rows, ROWS, "epochs", text, 3), PBA_USAGE);
}

/* Every default of the library's own rows is accepted by its row, and every option has words. */
static void rows_of_the_library(void **state)
{
    static pba_search_options search;
    static pba_train_options train;
    size_t counts[2];
    const pba_setting *lists[] = {pba_search_settings(&counts[0]), pba_train_settings(&counts[1])};
    void *options[] = {&search, &train};
    for (int i = 0; i < 2; i++) {
        pba_settings_init(options[i], lists[i], counts[i]);
        for (size_t j = 0; j < counts[i]; j++) {
            const pba_setting *row = &lists[i][j];
            char text[PBA_PATH_MAX];
            assert_ok(pba_settings_set(options[i], lists[i], counts[i], row->name, row->initial));
            assert_ok(
                pba_settings_get(options[i], lists[i], counts[i], row->name, text, sizeof text));
            assert_string_equal(text, row->initial);
            assert_true(row->help[0] && (row->value[0] || row->type == PBA_SETTING_FLAG));
        }
    }
    assert_int_equal(search.population, 16);
    assert_int_equal(train.seeds, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(what_is_set_is_got),
        cmocka_unit_test(refused),
        cmocka_unit_test(long_names_and_short_buffers),
        cmocka_unit_test(rows_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
