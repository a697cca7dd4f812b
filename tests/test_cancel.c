/* SPDX-License-Identifier: Apache-2.0
 * Jobs that a thread of the host stops: every worker ends at the first question after it, which is
 * asked once a step, and the job says that it was interrupted. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/file.h"
#include "folder.h"

enum { RECORD = 3073, IMAGES = 120, WORKERS = 2, PATIENCE = 6 };

/* Pressed by a thread of its own once the job has asked a few times. */
typedef struct brake {
    atomic_bool pressed;
    atomic_int asks, late; /* late: asks that came when it was pressed */
    pthread_t thread;
} brake;

static bool is_pressed(void *user)
{
    brake *brake = user;
    bool pressed = brake->pressed;
    brake->asks++;
    brake->late += pressed;
    return pressed;
}

static void *press(void *user)
{
    brake *brake = user;
    while (brake->asks < PATIENCE) {
        usleep(500);
    }
    brake->pressed = true;
    return NULL;
}

static pba_observer begin(brake *brake)
{
    *brake = (struct brake){0};
    assert_int_equal(pthread_create(&brake->thread, NULL, press, brake), 0);
    return (pba_observer){.stop = is_pressed, .user = brake};
}

static void end(brake *brake, pba_status status, int most)
{
    brake->asks += PATIENCE; /* where the job failed before */
    pthread_join(brake->thread, NULL);
    if (status != PBA_INTERRUPTED) {
        fail_msg("%s: %s", pba_status_name(status), pba_error_message());
    }
    assert_true(pba_error_message()[0]);
    assert_in_range(brake->late, 1, most);
}

static void write_data(void)
{
    uint8_t *data = calloc(IMAGES, RECORD);
    assert_non_null(data);
    for (int i = 0; i < IMAGES; i++) {
        data[i * RECORD] = (uint8_t)(i % 10);
        data[i * RECORD + 1 + i] = 200;
    }
    put("data_batch_1.bin", data, IMAGES * RECORD);
    put("test_batch.bin", data, IMAGES * RECORD);
    free(data);
}

static void fill_recipe(pba_recipe *recipe)
{
    snprintf(recipe->model, sizeof recipe->model, "wrn-10-1");
    recipe->epochs = 100000; /* more than anybody waits for */
    recipe->batch = 4;
}

static void test_search(void **state)
{
    size_t count;
    pba_search_options options;
    const pba_setting *rows = pba_search_settings(&count);
    pba_search *search;
    brake brake;
    write_data();
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.population = 4;
    options.interval = 50000;
    options.workers = WORKERS;
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
    assert_ok(pba_search_create(&options, &search));
    pba_observer observer = begin(&brake);
    end(&brake, pba_search_run(search, &observer), WORKERS);
    pba_search_free(search);
}

static pba_training *open_training(void)
{
    size_t count;
    pba_train_options options;
    const pba_setting *rows = pba_train_settings(&count);
    pba_training *training;
    write_data();
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.seeds = WORKERS;
    options.workers = WORKERS;
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
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

static void test_measure(void **state)
{
    const pba_measure_options options = {
        .members = WORKERS, .threads = 1, .repetitions = 1000, .seconds = 1};
    pba_training *training = open_training();
    pba_training_speed speed;
    brake brake;
    pba_observer observer = begin(&brake);
    end(&brake, pba_training_measure(training, &options, &observer, &speed), 2 * WORKERS);
    pba_training_free(training);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_search),
        IN_FOLDER(test_training),
        IN_FOLDER(test_measure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
