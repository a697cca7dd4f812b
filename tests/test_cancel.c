/* SPDX-License-Identifier: Apache-2.0
 * Jobs that a thread of the host stops: every worker ends at the first question after it, which is
 * asked once a step, and the job says that it was interrupted. */
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "folder.h"

enum { RECORD = 3073, IMAGES = 120, WORKERS = 2, PATIENCE = 6, BATCH = 250 };

/* Pressed by a thread of its own once the job has asked `patience` times beside its opening. The
 * one who asks then waits for it, so that no job is faster. */
typedef struct brake {
    atomic_bool pressed;
    atomic_int asks, late; /* late: asks that came when it was pressed */
    int patience;
    bool once; /* says no again to whoever asks next */
    pthread_t thread;
} brake;

static void on_event(void *user, const pba_event *event)
{
    brake *brake = user;
    brake->asks -= event->kind == PBA_EVENT_OPENING; /* the question behind it */
}

static bool is_pressed(void *user)
{
    brake *brake = user;
    int asks = ++brake->asks;
    while (asks >= brake->patience && !brake->pressed) {
        usleep(100);
    }
    return brake->pressed && (brake->late++ == 0 || !brake->once);
}

static void *press(void *user)
{
    brake *brake = user;
    while (brake->asks < brake->patience) {
        usleep(500);
    }
    brake->pressed = true;
    return NULL;
}

static pba_observer begin_after(brake *brake, int patience)
{
    *brake = (struct brake){.patience = patience};
    assert_int_equal(pthread_create(&brake->thread, NULL, press, brake), 0);
    return (pba_observer){.event = on_event, .stop = is_pressed, .user = brake};
}

static pba_observer begin(brake *brake)
{
    return begin_after(brake, PATIENCE);
}

static void end(brake *brake, pba_status status, int most)
{
    brake->asks += brake->patience; /* where the job failed before */
    pthread_join(brake->thread, NULL);
    if (status != PBA_INTERRUPTED) {
        fail_msg("%s: %s", pba_status_name(status), pba_error_message());
    }
    assert_true(pba_error_message()[0]);
    assert_in_range(brake->late, 1, most);
}

static void write_images(const char *name, int count)
{
    uint8_t *data = calloc((size_t)count, RECORD);
    assert_non_null(data);
    for (int i = 0; i < count; i++) {
        data[i * RECORD] = (uint8_t)(i % 10);
        data[i * RECORD + 1 + i % 3072] = 200;
    }
    put(name, data, (size_t)count * RECORD);
    free(data);
}

static void fill_recipe(pba_recipe *recipe)
{
    snprintf(recipe->model, sizeof recipe->model, "wrn-10-1");
    recipe->epochs = 100000; /* more than anybody waits for */
    recipe->batch = 4;
}

/* -------------------------------------------------------------------- searches */

static pba_search_options search_options(void)
{
    size_t count;
    pba_search_options options;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.population = 4;
    options.interval = 50000;
    options.workers = WORKERS;
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
    return options;
}

static void test_search(void **state)
{
    pba_search_options options = search_options();
    pba_search *search;
    brake brake;
    assert_ok(pba_search_create(&options, &search));
    pba_observer observer = begin(&brake);
    end(&brake, pba_search_run(search, &observer), WORKERS);
    pba_search_free(search);
}

/* At its first step, at a later one, and before the last batch of evaluation; then it is made
 * anew. A step of one image is nothing that the plan would shorten its measuring for. */
static void test_search_plan(void **state)
{
    static const int moments[] = {1, 10, 20}; /* two workers ask 9 times in training, then once */
    pba_search_options options = search_options();
    pba_search *search;
    pba_plan plan;
    brake brake;
    options.recipe.batch = 1;
    assert_ok(pba_search_create(&options, &search));
    for (int i = 0; i < 3; i++) {
        pba_observer observer = begin_after(&brake, moments[i]);
        end(&brake, pba_search_plan_with(search, &observer, &plan), WORKERS);
    }
    assert_ok(pba_search_plan_with(search, NULL, &plan));
    assert_true(plan.seconds > 0);
    pba_search_free(search);
}

static void test_search_fit(void **state)
{
    pba_search_options options = search_options();
    snprintf(options.budget, sizeof options.budget, "1h");
    const pba_search_options asked = options;
    pba_search *search;
    pba_budget budget;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_search_fit(&options, NULL, 0, &observer, &budget, &search), WORKERS);
    assert_null(search);
    assert_memory_equal(&options, &asked, sizeof options);
    assert_false(file_exists(path_of("run")));
}

/* -------------------------------------------------------------- training runs */

static pba_train_options train_options(void)
{
    size_t count;
    pba_train_options options;
    const pba_setting *rows = pba_train_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.seeds = WORKERS;
    options.workers = WORKERS;
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
    return options;
}

static pba_training *open_training(void)
{
    pba_train_options options = train_options();
    pba_training *training;
    assert_ok(pba_training_create(&options, &training));
    return training;
}

static void test_training(void **state)
{
    pba_training *training = open_training();
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_training_run(training, &observer), WORKERS);
    pba_training_free(training);
}

/* What one worker was told ends the other one, too. */
static void test_one_yes(void **state)
{
    pba_training *training = open_training();
    brake brake;
    pba_observer observer = begin(&brake);
    brake.once = true;
    end(&brake, pba_training_run(training, &observer), INT_MAX);
    pba_training_free(training);
}

static void test_training_plan(void **state)
{
    pba_training *training = open_training();
    pba_plan plan;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_training_plan_with(training, &observer, &plan), WORKERS);
    pba_training_free(training);
}

static void test_training_fit(void **state)
{
    pba_train_options options = train_options();
    snprintf(options.budget, sizeof options.budget, "1h");
    const pba_train_options asked = options;
    pba_training *training;
    pba_budget budget;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_training_fit(&options, NULL, 0, &observer, &budget, &training), WORKERS);
    assert_null(training);
    assert_memory_equal(&options, &asked, sizeof options);
    assert_false(file_exists(path_of("run")));
}

static void test_measure(void **state)
{
    const pba_measure_options options = {
        .members = WORKERS, .threads = 1, .repetitions = 1000, .seconds = 1};
    pba_training *training = open_training();
    pba_training_speed speed;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_training_measure(training, &options, &observer, &speed), WORKERS);
    pba_training_free(training);
}

/* A network of one epoch, asked about more images than it answers before the question. */
static void test_evaluation(void **state)
{
    size_t count;
    pba_train_options run = train_options();
    pba_evaluate_options options;
    pba_training *training;
    pba_evaluation *evaluation;
    brake brake;
    run.recipe.epochs = run.seeds = 1;
    assert_ok(pba_training_create(&run, &training));
    assert_ok(pba_training_run(training, NULL));
    pba_training_free(training);
    write_images("test_batch.bin", (PATIENCE + 2) * BATCH);
    const pba_setting *rows = pba_evaluate_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.weights, sizeof options.weights, "%s", path_of("run/weights-0.safetensors"));
    pba_observer observer = begin(&brake);
    end(&brake, pba_evaluate(&options, &observer, &evaluation), 1);
    assert_null(evaluation);
}

/* ----------------------------------------------------------------- comparisons */

static pba_compare_options compare_options(void)
{
    size_t count;
    pba_compare_options options;
    const pba_setting *rows = pba_compare_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.seeds = 1; /* so that each worker is at an arm of its own */
    options.workers = WORKERS;
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.arms, sizeof options.arms, "none,baseline");
    snprintf(options.out, sizeof options.out, "%s", path_of("cut"));
    return options;
}

static pba_comparison *open_comparison(void)
{
    pba_compare_options options = compare_options();
    pba_comparison *comparison;
    assert_ok(pba_comparison_create_with(&options, NULL, &comparison));
    return comparison;
}

static void test_comparison(void **state)
{
    pba_comparison *comparison = open_comparison();
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_comparison_run(comparison, &observer), WORKERS);
    pba_comparison_free(comparison);
}

static void test_comparison_plan(void **state)
{
    pba_comparison *comparison = open_comparison();
    pba_plan plan;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_comparison_plan_with(comparison, &observer, &plan), WORKERS);
    pba_comparison_free(comparison);
}

/* --------------------------------------------------------------------- opening */

/* At the first question of all. */
static pba_observer begin_opening(brake *brake)
{
    pba_observer observer = begin_after(brake, 1);
    observer.event = NULL;
    return observer;
}

static void test_opening(void **state)
{
    pba_search_options options = search_options();
    pba_train_options train = train_options();
    pba_compare_options compare = compare_options();
    pba_search *search;
    pba_training *training;
    pba_comparison *comparison;
    brake brake;
    pba_observer observer = begin_opening(&brake);
    end(&brake, pba_search_create_with(&options, &observer, &search), 1);
    observer = begin_opening(&brake);
    end(&brake, pba_training_create_with(&train, &observer, &training), 1);
    observer = begin_opening(&brake);
    end(&brake, pba_comparison_create_with(&compare, &observer, &comparison), 1);
    assert_null(search);
    assert_null(training);
    assert_null(comparison);
}

static int set_up(void **state)
{
    int failed = make_folder(state);
    if (!failed) {
        write_images("data_batch_1.bin", IMAGES);
        write_images("test_batch.bin", IMAGES);
    }
    return failed;
}

#define STOPPED(test) cmocka_unit_test_setup_teardown(test, set_up, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STOPPED(test_search),       STOPPED(test_search_plan),     STOPPED(test_search_fit),
        STOPPED(test_training),     STOPPED(test_one_yes),         STOPPED(test_training_plan),
        STOPPED(test_training_fit), STOPPED(test_measure),         STOPPED(test_evaluation),
        STOPPED(test_comparison),   STOPPED(test_comparison_plan), STOPPED(test_opening),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
