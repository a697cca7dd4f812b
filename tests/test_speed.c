/* SPDX-License-Identifier: Apache-2.0
 * What is measured of the machine and of training: figures that fit together, and nothing touched.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

static void test_peak(void **state)
{
    pba_peak one;
    assert_ok(pba_peak_measure(1, &one));
    assert_non_null(one.f32);
    assert_true(one.f32_flops > 1e8 && one.f32_flops < 1e13);
    assert_true((one.bf16 != NULL) == (one.bf16_flops > 0));
    assert_int_equal(pba_peak_measure(0, &one), PBA_USAGE);
}

static void test_memory_peak(void **state)
{
    double before = pba_memory_peak();
    const size_t size = 64 << 20;
    volatile char *block = malloc(size); /* or the compiler would do without it */
    for (size_t i = 0; i < size; i += 1024) {
        block[i] = 1;
    }
    free((void *)block);
    assert_true(before > 0 && pba_memory_peak() >= before);
    assert_true(pba_memory_peak() > (double)size);
}

/* The rule: forward once, backward twice, the first layer's input without gradient. */
static void test_operations(void **state)
{
    pba_model_info info;
    assert_ok(pba_model_describe("wrn-40-2", 32, 32, 3, 10, &info));
    assert_true(fabs(info.forward_macs / 1e6 - 326.0) < 0.1);
    double stem = 3.0 * 16 * 3 * 3 * 32 * 32;
    assert_true(info.training_macs == 3 * info.forward_macs - stem);
}

static pba_training *open_training(void)
{
    pba_train_options options;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_training *training;
    pba_settings_init(&options, rows, count);
    snprintf(options.recipe.model, sizeof options.recipe.model, "wrn-10-1");
    snprintf(options.dataset, sizeof options.dataset, "demo");
    options.recipe.train_size = 96;
    options.recipe.batch = 32;
    options.recipe.epochs = 1;
    options.workers = 1;
    options.seeds = 2; /* one thread each */
    assert_ok(pba_training_create(&options, &training));
    return training;
}

static void check_spread(const pba_spread *spread)
{
    assert_true(spread->min > 0 && spread->min <= spread->median && spread->median <= spread->max);
    assert_true(isfinite(spread->max));
}

static void test_training(void **state)
{
    pba_training *measured = open_training(), *other = open_training();
    pba_measure_options options = {.members = 2, .threads = 1, .repetitions = 3, .seconds = 0.02};
    pba_training_speed speed;
    assert_ok(pba_training_measure(measured, &options, NULL, &speed));
    check_spread(&speed.training);
    check_spread(&speed.network);
    check_spread(&speed.evaluation);
    assert_true(speed.network.median >= speed.training.median);
    assert_int_equal(speed.batch, 32);
    assert_true(speed.evaluation_batch > 1 && speed.plan_bytes > speed.block_bytes);
    assert_string_equal(speed.model, "wrn-10-1");
    assert_true(speed.training_flops > 2 * speed.evaluation_flops);

    /* The run behind it is that of a training that was not measured. */
    const pba_training_result *results, *expected;
    assert_ok(pba_training_run(measured, NULL));
    assert_ok(pba_training_run(other, NULL));
    assert_int_equal(pba_training_results(measured, &results), 2);
    assert_int_equal(pba_training_results(other, &expected), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(results[i].train_loss == expected[i].train_loss);
        assert_true(results[i].test_error == expected[i].test_error);
    }
    pba_training_free(measured);
    pba_training_free(other);
}

static bool at_once(void *user)
{
    return true;
}

static void test_refused(void **state)
{
    pba_training *training = open_training();
    const pba_measure_options none = {.members = 1, .threads = 1, .repetitions = 0},
                              many = {.members = 1000, .threads = 1000, .repetitions = 1},
                              good = {.members = 2, .threads = 1, .repetitions = 1};
    pba_training_speed speed;
    pba_observer observer = {.stop = at_once};
    assert_int_equal(pba_training_measure(training, &none, NULL, &speed), PBA_USAGE);
    assert_int_equal(pba_training_measure(training, &many, NULL, &speed), PBA_USAGE);
    assert_int_equal(pba_training_measure(training, &good, &observer, &speed), PBA_INTERRUPTED);
    pba_training_free(training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_peak),       cmocka_unit_test(test_memory_peak),
        cmocka_unit_test(test_operations), cmocka_unit_test(test_training),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
