/* SPDX-License-Identifier: Apache-2.0
 * Network descriptions: layout of the block, padding, models, initial weights. */
#include "check.h"

#include "nn/model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ models */

typedef struct known_model {
    const char *name;
    int64_t parameters;
    double million_macs; /* rounded to a tenth */
} known_model;

/* 10 classes, 32x32x3. */
static const known_model known_models[] = {
    {"wrn-40-2", 2232794, 326.0},    {"wrn-40-2:standard", 2243546, 327.6},
    {"wrn-28-2", 1456858, 212.8},    {"wrn-28-2:standard", 1467610, 214.4},
    {"wrn-28-10", 36220634, 5214.5}, {"wrn-28-10:standard", 36479194, 5243.3},
    {"wrn-16-1", 172506, 26.4},      {"wrn-16-1:standard", 175066, 26.7},
    {"wrn-16-2", 680922, 99.5},      {"wrn-16-2:standard", 691674, 101.1},
};

static void test_model_table(void **state)
{
    for (size_t i = 0; i < sizeof known_models / sizeof known_models[0]; i++) {
        const known_model *known = &known_models[i];
        pba_model_info info;
        assert_ok(pba_model_describe(known->name, 32, 32, 3, 10, &info));
        assert_string_equal(info.name, known->name);
        assert_int_equal(info.parameters, known->parameters);
        assert_int_equal(lround(info.forward_macs / 1e5), lround(known->million_macs * 10));
    }
}

static int count_kind(const nn_graph *graph, nn_kind kind)
{
    int count = 0;
    for (int i = 0; i < graph->node_count; i++) {
        count += graph->nodes[i].kind == kind;
    }
    return count;
}

/* The parameterless shortcuts leave no trace in the counts above. */
static void test_model_shortcuts(void **state)
{
    nn_graph *graph;
    /* Blocks 3; stages 3; stem 1. Width changes in stages 1, 2, 3, twice each, and once at the end;
     * the pools of stage 1 would be over one pixel. */
    assert_ok(nn_model_build("wrn-10-2", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 3 + 3 + 1);
    assert_int_equal(count_kind(graph, NN_PAD), 7);
    assert_int_equal(count_kind(graph, NN_POOL), 5);
    assert_int_equal(count_kind(graph, NN_CONV), 7);
    nn_graph_free(graph);
    /* The stem is as wide as stage 1. */
    assert_ok(nn_model_build("wrn-10-1", 32, 32, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 7);
    assert_int_equal(count_kind(graph, NN_PAD), 5);
    assert_int_equal(count_kind(graph, NN_POOL), 5);
    nn_graph_free(graph);
    assert_ok(nn_model_build("wrn-10-2:standard", 30, 33, 3, 10, &graph));
    assert_int_equal(count_kind(graph, NN_ADD), 3);
    assert_int_equal(count_kind(graph, NN_PAD) + count_kind(graph, NN_POOL), 0);
    assert_int_equal(count_kind(graph, NN_CONV), 10);
    nn_graph_free(graph);
}

static void refused(const char *name, int width, int height, pba_status status, const char *says)
{
    nn_graph *graph;
    assert_int_equal(nn_model_build(name, width, height, 3, 10, &graph), status);
    assert_null(graph);
    if (strstr(pba_error_message(), says) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", name, pba_error_message(), says);
    }
}

static void test_model_refusals(void **state)
{
    refused("wrn-16-2", 30, 32, PBA_USAGE, "wrn-16-2:standard");
    refused("wrn-16-2", 32, 30, PBA_USAGE, "wrn-16-2:standard");
    refused("resnext", 32, 32, PBA_USAGE, "wrn-D-K");
    refused("", 32, 32, PBA_USAGE, "wrn-D-K");
    const char *malformed[] = {
        "wrn-",      "wrn-16",   "wrn-16-",   "wrn-16-1:",    "wrn-16-1x", "wrn--16-1",
        "wrn-016-1", "wrn-16-0", "wrn-16--1", "wrn-16-1:std", "wrn-16-1 ", "wrn-99999999999-1",
        "wrn-1e1-1"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        refused(malformed[i], 32, 32, PBA_USAGE, "wrn-40-2");
    }
    refused("wrn-17-1", 32, 32, PBA_USAGE, "6n + 4");
    refused("wrn-4-1", 32, 32, PBA_USAGE, "6n + 4");
    refused("wrn-16-99999999", 32, 32, PBA_USAGE, "too large");
    refused("wrn-16-30000000", 32, 32, PBA_USAGE, "few or too many");
    refused("wrn-1000000000-1", 32, 32, PBA_USAGE, "less depth");
    refused("wrn-16-1", 0, 32, PBA_USAGE, "at least 1");
    refused("wrn-16-1", 1 << 20, 1 << 20, PBA_USAGE, "too many");
    pba_model_info info;
    char longest[2 * PBA_NAME_MAX];
    memset(longest, '1', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "wrn-", 4);
    assert_int_equal(pba_model_describe(longest, 32, 32, 3, 10, &info), PBA_USAGE);
    const char *texts[3];
    assert_int_equal(pba_model_family(pba_model_family_count(), &texts[0], &texts[1], &texts[2]),
                     PBA_USAGE);
}

static void test_model_families(void **state)
{
    for (size_t i = 0; i < pba_model_family_count(); i++) {
        const char *pattern, *sentence, *example;
        assert_ok(pba_model_family(i, &pattern, &sentence, &example));
        assert_true(strlen(pattern) > 0 && strlen(sentence) > 0);
        pba_model_info info;
        assert_ok(pba_model_describe(example, 32, 32, 3, 10, &info));
        assert_true(info.parameters > 0 && info.forward_macs > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_table),
        cmocka_unit_test(test_model_shortcuts),
        cmocka_unit_test(test_model_refusals),
        cmocka_unit_test(test_model_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
