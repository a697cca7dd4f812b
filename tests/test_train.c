/* SPDX-License-Identifier: Apache-2.0
 * Tasks, trainers and training runs, on the demo data with a small network. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/rng.h"
#include "schedule/schedule.h"
#include "train/checkpoint.h"
#include "train/run.h"
#include "train/trainer.h"
#include "train/training.h"

static pba_recipe small_recipe(void)
{
    return (pba_recipe){.model = "wrn-10-1",
                        .train_size = 96,
                        .val_size = 100,
                        .batch = 32,
                        .lr = 0.1,
                        .weight_decay = 0.0005,
                        .lr_schedule = "cosine",
                        .baseline = "auto",
                        .epochs = 4,
                        .backend = "onednn",
                        .precision = "f32"};
}

static task *open_small(const pba_recipe *recipe)
{
    task *task;
    assert_ok(task_open(recipe, "demo", NULL, NULL, &task));
    return task;
}

static void task_replaces_what_stands_for_something(void **state)
{
    pba_recipe recipe = small_recipe();
    recipe.train_size = 0;
    task *task = open_small(&recipe);
    assert_int_equal(task->recipe.train_size, task->counts[PBA_TRAIN]);
    assert_string_equal(task->recipe.baseline, task->info.baseline);
    assert_int_equal(task_steps(task), task->counts[PBA_TRAIN] / 32);
    assert_true(task_bytes(task) >= 32.0 * 32 * 3 * task->counts[PBA_TRAIN]);
    task_free(task);
}

/* A run's config says which precision it was, so that it is resumed in it. */
static void task_says_what_auto_found(void **state)
{
    pba_recipe recipe = small_recipe();
    strcpy(recipe.precision, "auto");
    task *task = open_small(&recipe);
    bool bf16 = task->backend == &nn_backend_onednn_bf16;
    assert_string_equal(task->recipe.precision, bf16 ? "bf16" : "f32");
    assert_true(bf16 == (nn_backend_onednn_bf16.available() == PBA_OK));
    task_free(task);
}

static void task_refuses(void **state)
{
    static const struct {
        const char *what;
        pba_status status;
    } rows[] = {{"batch", PBA_USAGE},    {"model", PBA_USAGE},    {"rate", PBA_USAGE},
                {"baseline", PBA_USAGE}, {"backend", PBA_USAGE},  {"dataset", PBA_NOT_FOUND},
                {"size", PBA_NOT_FOUND}, {"precision", PBA_USAGE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *what = rows[i].what, *dataset = "demo";
        pba_recipe recipe = small_recipe();
        task *task;
        if (!strcmp(what, "batch")) {
            recipe.batch = 97;
        } else if (!strcmp(what, "model")) {
            strcpy(recipe.model, "vgg-16");
        } else if (!strcmp(what, "rate")) {
            strcpy(recipe.lr_schedule, "step:9,3");
        } else if (!strcmp(what, "baseline")) {
            strcpy(recipe.baseline, "crop:4,spin");
        } else if (!strcmp(what, "backend")) {
            strcpy(recipe.backend, "abacus");
        } else if (!strcmp(what, "precision")) {
            strcpy(recipe.backend, "reference"), strcpy(recipe.precision, "bf16");
        } else if (!strcmp(what, "dataset")) {
            dataset = "/nowhere/at/all";
        } else {
            recipe.train_size = 1000000;
        }
        assert_int_equal(task_open(&recipe, dataset, NULL, NULL, &task), rows[i].status);
        assert_null(task);
        assert_true(strlen(pba_error_message()) > 10);
    }
}

typedef struct network {
    task *task;
    trainer *trainer;
    float *block;
} network;

static network network_open(const pba_recipe *recipe)
{
    network network = {.task = open_small(recipe)};
    assert_ok(trainer_create(network.task, 1, &network.trainer));
    network.block = memory_aligned(network.task->graph->block, sizeof *network.block);
    nn_initialize(network.task->graph, network.block, recipe->seed, 0);
    return network;
}

static void network_close(network *network)
{
    trainer_free(network->trainer);
    task_free(network->task);
    free(network->block);
}

static trainer_figures run_epochs(network *network, const pba_policy *policy, int epochs)
{
    trainer_figures figures = {0};
    for (int e = 0; e < epochs; e++) {
        figures = (trainer_figures){0};
        trainer_epoch epoch = {.epoch = e, .epochs = epochs, .policy = policy};
        assert_ok(trainer_run_epoch(network->trainer, network->block, &epoch, NULL, &figures));
        assert_int_equal(figures.images, 96);
    }
    return figures;
}

static void training_lowers_the_loss(void **state)
{
    pba_recipe recipe = small_recipe();
    network network = network_open(&recipe);
    trainer_figures first = run_epochs(&network, NULL, 1);
    trainer_figures last = run_epochs(&network, NULL, 25);
    assert_true(last.loss < 0.7 * first.loss);
    assert_true(last.accuracy > first.accuracy);
    network_close(&network);
}

/* Another trainer, which has run something else before, makes the same bytes of the same block. */
static void check_no_memory(const char *model)
{
    pba_recipe recipe = small_recipe();
    pba_policy policy = {.entries = 30};
    strcpy(recipe.model, model);
    memset(policy.values, 5, sizeof policy.values);
    network a = network_open(&recipe), b = network_open(&recipe);
    run_epochs(&b, NULL, 1);
    memset(b.block, 0, b.task->graph->block * sizeof *b.block);
    nn_initialize(b.task->graph, b.block, recipe.seed, 0);
    run_epochs(&a, &policy, 2);
    run_epochs(&b, &policy, 2);
    assert_memory_equal(a.block, b.block, a.task->graph->block * sizeof *a.block);
    network_close(&a);
    network_close(&b);
}

static void a_trainer_has_no_memory(void **state)
{
    check_no_memory("wrn-10-1");
    check_no_memory("shake-shake-8-2x16d");
    check_no_memory("pyramid-11-48");
}

/* The random nodes of the first step of epoch 2 are those of step 2 * 3 + 0 of member 1. */
static void random_nodes_draw_by_step(void **state)
{
    pba_recipe recipe = small_recipe();
    strcpy(recipe.model, "pyramid-11-4");
    strcpy(recipe.baseline, "none");
    network network = network_open(&recipe);
    const task *task = network.task;
    trainer_epoch epoch = {.seed = 4, .member = 1, .epoch = 2, .epochs = 4, .max_steps = 1};
    uint32_t order[96];
    const uint8_t *images[32];
    int labels[32], correct;
    rng stream = rng_at(4, RNG_ORDER, 1, 2, 0);
    for (uint32_t i = 0; i < 96; i++) {
        order[i] = i;
    }
    rng_shuffle(&stream, order, 96);
    for (int i = 0; i < 32; i++) {
        images[i] = task->images[PBA_TRAIN][order[i]];
        labels[i] = task->labels[PBA_TRAIN][order[i]];
    }
    double losses[2];
    for (int i = 0; i < 2; i++) {
        nn_plan *plan;
        const void *logits;
        assert_ok(task->backend->plan_create(task->graph, 32, true, &plan));
        pipeline_normalize(task->pipeline, images, 32, task->backend->input(plan));
        assert_ok(task->backend->load(plan, network.block));
        task->backend->draw(plan, &(nn_draw){.seed = 4, .member = 1, .step = i == 0 ? 6 : 7});
        assert_ok(task->backend->forward(plan, network.block, &logits));
        losses[i] = nn_cross_entropy(logits, labels, 32, task->graph->classes, NULL, &correct);
        task->backend->plan_free(plan);
    }
    trainer_figures figures = {0};
    assert_ok(trainer_run_epoch(network.trainer, network.block, &epoch, NULL, &figures));
    assert_true(figures.loss == losses[0] && figures.loss != losses[1]);
    network_close(&network);
}

/* A pool of one policy is that policy; a pool of two is neither of them. */
static void images_draw_from_a_pool(void **state)
{
    static const char *const ops[] = {"Rotate", "Invert"};
    pba_recipe recipe = small_recipe();
    network network = network_open(&recipe);
    size_t bytes = network.task->graph->block * sizeof *network.block;
    float *start = malloc(bytes), *made[3];
    assert_non_null(start);
    memcpy(start, network.block, bytes);
    for (int i = 0; i < 3; i++) { /* Rotate, the same as a pool, Rotate or Invert */
        pba_policy policy = {.entries = 2, .values = {10, 9, 0, 0}}, other = {2, {0, 0, 10, 9}};
        pba_schedule *pool;
        trainer_figures figures = {0};
        assert_ok(pba_schedule_constant(&policy, ops, 2, 3, &pool));
        if (i == 2) {
            assert_ok(schedule_append(pool, 3, &other, NULL));
        }
        trainer_epoch epoch = {
            .epochs = 1, .policy = i ? NULL : &policy, .pool = i ? pool : NULL, .max_steps = 1};
        memcpy(network.block, start, bytes);
        assert_ok(trainer_run_epoch(network.trainer, network.block, &epoch, NULL, &figures));
        made[i] = malloc(bytes);
        assert_non_null(made[i]);
        memcpy(made[i], network.block, bytes);
        pba_schedule_free(pool);
    }
    assert_memory_equal(made[0], made[1], bytes);
    assert_memory_not_equal(made[0], made[2], bytes);
    for (int i = 0; i < 3; i++) {
        free(made[i]);
    }
    free(start);
    network_close(&network);
}

static void evaluation_changes_nothing(void **state)
{
    pba_recipe recipe = small_recipe();
    network network = network_open(&recipe);
    double error, loss, again;
    run_epochs(&network, NULL, 1);
    size_t bytes = network.task->graph->block * sizeof *network.block;
    float *copy = memory_aligned(bytes, 1);
    memcpy(copy, network.block, bytes);
    assert_ok(trainer_evaluate(network.trainer, network.block, PBA_TEST, NULL, &error, &loss));
    assert_ok(trainer_evaluate(network.trainer, network.block, PBA_TEST, NULL, &again, &loss));
    assert_memory_equal(copy, network.block, bytes);
    assert_true(error >= 0 && error <= 1 && error == again && isfinite(loss));
    free(copy);
    network_close(&network);
}

/* The plain loops and oneDNN follow the same course for a while. */
static void backends_train_alike(void **state)
{
    pba_recipe recipe = small_recipe();
    recipe.train_size = recipe.batch = 20; /* one step an epoch; the reference is slow */
    recipe.lr = 0.01;
    network a = network_open(&recipe);
    strcpy(recipe.backend, "reference");
    network b = network_open(&recipe);
    for (int e = 0; e < 2; e++) {
        trainer_epoch epoch = {.epoch = e, .epochs = 4};
        trainer_figures left = {0}, right = {0};
        assert_ok(trainer_run_epoch(a.trainer, a.block, &epoch, NULL, &left));
        assert_ok(trainer_run_epoch(b.trainer, b.block, &epoch, NULL, &right));
        assert_true(fabs(left.loss - right.loss) < 1e-3 * right.loss);
    }
    network_close(&a);
    network_close(&b);
}

static void a_lost_network_ends_its_epoch(void **state)
{
    pba_recipe recipe = small_recipe();
    network network = network_open(&recipe);
    trainer_figures figures = {0};
    trainer_epoch epoch = {.epochs = 1};
    network.block[0] = (float)HUGE_VAL; /* the first ReLU swallows it */
    assert_ok(trainer_run_epoch(network.trainer, network.block, &epoch, NULL, &figures));
    assert_false(isfinite(figures.loss));
    network_close(&network);
}

static bool stop_at_third(void *user)
{
    return ++*(int *)user >= 3;
}

static void a_trainer_stops_when_asked(void **state)
{
    pba_recipe recipe = small_recipe();
    network network = network_open(&recipe);
    int asked = 0;
    pba_observer observer = {.stop = stop_at_third, .user = &asked};
    trainer_epoch epoch = {.epochs = 1};
    trainer_figures figures = {0};
    assert_int_equal(trainer_run_epoch(network.trainer, network.block, &epoch, &observer, &figures),
                     PBA_INTERRUPTED);
    assert_int_equal(asked, 3);
    network_close(&network);
}

/* ------------------------------------------------------------------ whole runs */

static char folder[64];

static int make_folder(void **state)
{
    strcpy(folder, "/tmp/pba-train-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static pba_train_options small_run(const char *augment, const char *name)
{
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_train_options options;
    pba_settings_init(&options, rows, count);
    options.recipe = small_recipe();
    options.recipe.epochs = 2;
    options.seeds = 2;
    strcpy(options.dataset, "demo");
    snprintf(options.augment, sizeof options.augment, "%s", augment);
    snprintf(options.out, sizeof options.out, "%s/%s", folder, name);
    return options;
}

static void run_all(const pba_train_options *options, pba_training_result *results)
{
    pba_training *training;
    const pba_training_result *found;
    assert_ok(pba_training_create(options, &training));
    assert_int_equal(pba_training_results(training, &found), 0);
    assert_ok(pba_training_run(training, NULL));
    assert_int_equal(pba_training_results(training, &found), options->seeds);
    memcpy(results, found, (size_t)options->seeds * sizeof *found);
    pba_training_free(training);
}

static void results_do_not_depend_on_workers(void **state)
{
    static const char *const kinds[] = {"none", "baseline", "random"};
    pba_training_result one[2], two[2], other[2];
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "one-%s", kinds[k]);
        pba_train_options options = small_run(kinds[k], name);
        options.workers = 1;
        run_all(&options, one);
        snprintf(options.out, sizeof options.out, "%s/two-%s", folder, kinds[k]);
        options.workers = 2;
        run_all(&options, two);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(one[i].seed, i);
            assert_true(one[i].test_error == two[i].test_error);
            assert_true(one[i].train_loss == two[i].train_loss);
            assert_true(k == 0 || one[i].train_loss != other[i].train_loss);
        }
        memcpy(other, one, sizeof one);
    }
}

static void run_refused(const pba_train_options *options, pba_status status, const char *part)
{
    pba_training *training;
    pba_status got = pba_training_create(options, &training);
    if (got != status || training || !strstr(pba_error_message(), part)) {
        fail_msg("%s: %s", pba_status_name(got), pba_error_message());
    }
    assert_false(file_exists(options->out));
}

static void what_cannot_be_run_is_refused(void **state)
{
    pba_train_options options = small_run("none", "refused");
    snprintf(options.schedule_order, sizeof options.schedule_order, "sideways");
    run_refused(&options, PBA_USAGE, "schedule-order: \"sideways\" is not one of");
    options = small_run("none", "refused");
    options.dataset[0] = 0;
    run_refused(&options, PBA_USAGE, "no data set was named");
    options = small_run("nowhere/schedule.json", "refused");
    run_refused(&options, PBA_NOT_FOUND, "nowhere/schedule.json");
}

static void weights_on_disk_are_the_network(void **state)
{
    pba_training_result results[2];
    pba_train_options options = small_run("baseline", "weights");
    options.recipe.seed = 7;
    run_all(&options, results);
    pba_recipe recipe = options.recipe;
    network network = network_open(&recipe);
    char path[PBA_PATH_MAX];
    double error, loss;
    snprintf(path, sizeof path, "%s/weights-8.safetensors", options.out);
    assert_ok(weights_load(path, network.task->graph, network.block));
    assert_ok(trainer_evaluate(network.trainer, network.block, PBA_TEST, NULL, &error, &loss));
    assert_int_equal(results[1].seed, 8);
    assert_true(error == results[1].test_error);
    network_close(&network);
}

static int lines_of(const char *path)
{
    char *text;
    size_t size;
    int lines = 0;
    assert_ok(file_read(path, 1 << 24, &text, &size));
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    free(text);
    return lines;
}

static void an_evaluation_counts_every_image(void **state)
{
    size_t count;
    const pba_setting *rows = pba_evaluate_settings(&count);
    pba_training_result results[2];
    pba_train_options run = small_run("baseline", "evaluated");
    pba_evaluate_options options;
    pba_evaluation *evaluation;
    char path[PBA_PATH_MAX];
    run_all(&run, results);
    pba_settings_init(&options, rows, count);
    strcpy(options.dataset, "demo");
    snprintf(options.weights, sizeof options.weights, "%s/weights-1.safetensors", run.out);
    assert_ok(pba_evaluate(&options, NULL, &evaluation));
    assert_true(evaluation->error == results[1].test_error);
    assert_string_equal(evaluation->model, "wrn-10-1");
    int sum = 0, right = 0;
    double classes_error = 0;
    for (int label = 0; label < 10; label++) {
        const int *row = evaluation->confusion + 10 * label;
        int images = 0;
        for (int c = 0; c < 10; c++) {
            images += row[c];
        }
        sum += images;
        right += row[label];
        classes_error += 0.1 * (1.0 - (double)row[label] / images);
    }
    assert_int_equal(sum, evaluation->images);
    assert_true(fabs(evaluation->error - (1.0 - (double)right / sum)) < 1e-12);
    assert_true(fabs(evaluation->balanced_error - classes_error) < 1e-12);
    for (int i = 0; i < evaluation->images; i++) {
        assert_true(evaluation->confidence[i] >= 0.1F && evaluation->confidence[i] <= 1.0F);
    }
    snprintf(path, sizeof path, "%s/answers.csv", folder);
    assert_ok(pba_evaluation_write_csv(evaluation, path));
    assert_int_equal(lines_of(path), 1 + evaluation->images);
    pba_evaluation_free(evaluation);
    strcpy(options.model, "wrn-16-1");
    assert_int_equal(pba_evaluate(&options, NULL, &evaluation), PBA_FORMAT);
    assert_null(evaluation);
}

static void config_is_enough_to_run_again(void **state)
{
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    pba_training_result first[2], again[2];
    pba_train_options options = small_run("random", "config"), read;
    options.recipe.lr = 0.0625;
    run_all(&options, first);
    pba_settings_init(&read, rows, count);
    assert_ok(run_read_config(options.out, "train", &read, rows, count));
    assert_int_equal(run_read_config(options.out, "search", &read, rows, count), PBA_FORMAT);
    run_all(&read, again);
    for (int i = 0; i < 2; i++) {
        assert_true(first[i].test_error == again[i].test_error);
    }
}

static bool stop_after(void *user)
{
    return --*(int *)user < 0; /* asked once at a time: one worker */
}

static void compare_files(const char *a, const char *b, const char *name)
{
    char path[PBA_PATH_MAX], *left, *right;
    size_t left_size, right_size;
    snprintf(path, sizeof path, "%s/%s", a, name);
    assert_ok(file_read(path, 1 << 24, &left, &left_size));
    snprintf(path, sizeof path, "%s/%s", b, name);
    assert_ok(file_read(path, 1 << 24, &right, &right_size));
    assert_int_equal(left_size, right_size);
    assert_memory_equal(left, right, left_size);
    free(left);
    free(right);
}

/* Stopped within epochs, at their ends, in an evaluation, and resumed each time. */
static void a_stopped_run_ends_the_same(void **state)
{
    pba_train_options options = small_run("random", "whole");
    pba_training_result whole[2];
    pba_training *training;
    const pba_training_result *found;
    run_all(&options, whole);
    char undisturbed[PBA_PATH_MAX];
    memcpy(undisturbed, options.out, sizeof undisturbed);
    snprintf(options.out, sizeof options.out, "%s/stopped", folder);
    options.workers = 1;
    assert_ok(pba_training_create(&options, &training));
    for (int steps = 1, over = 0; !over; steps += 2) {
        int left = steps;
        pba_observer observer = {.stop = stop_after, .user = &left};
        pba_status status = pba_training_run(training, &observer);
        assert_true(status == PBA_OK || status == PBA_INTERRUPTED);
        over = status == PBA_OK;
        pba_training_free(training);
        assert_ok(pba_training_resume(options.out, 1, &training));
    }
    assert_ok(pba_training_run(training, NULL));
    assert_int_equal(pba_training_results(training, &found), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(found[i].test_error == whole[i].test_error);
        assert_true(found[i].train_loss == whole[i].train_loss);
        assert_true(found[i].train_accuracy == whole[i].train_accuracy);
    }
    pba_training_free(training);
    compare_files(undisturbed, options.out, "weights-0.safetensors");
    compare_files(undisturbed, options.out, "weights-1.safetensors");
    char path[PBA_PATH_MAX];
    snprintf(path, sizeof path, "%s/checkpoint", options.out);
    assert_false(file_exists(path));
}

static void path_in(const pba_train_options *options, const char *name, char path[PBA_PATH_MAX])
{
    assert_ok(file_join(path, options->out, name));
}

static bool is_there(const pba_train_options *options, const char *name)
{
    char path[PBA_PATH_MAX];
    path_in(options, name, path);
    return file_exists(path);
}

/* Stopped before the first step of seed 0, whose checkpoint becomes that of seed 1, with NaN for
 * weights: gradients are clipped, and no learning rate that can be given leads there. */
static void begin_lost(const pba_train_options *options)
{
    char path[PBA_PATH_MAX];
    checkpoint_place place;
    pba_training *training;
    int left = 0;
    pba_observer observer = {.stop = stop_after, .user = &left};
    assert_ok(pba_training_create(options, &training));
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    const nn_graph *graph = training->task->graph;
    float *block = memory_aligned(graph->block, sizeof *block);
    path_in(options, "checkpoint/seed-0", path);
    assert_ok(checkpoint_read(path, block, graph->block, -1, &place));
    for (size_t i = 0; i < graph->trainable; i++) {
        block[i] = (float)NAN;
    }
    place.epoch = 1;
    path_in(options, "checkpoint/seed-1", path);
    assert_ok(checkpoint_write(path, NULL, block, graph->block, &place));
    pba_training_free(training);
    free(block);
}

/* The other seed, which a worker has begun by then, is finished and kept. */
static void a_lost_network_ends_its_run(void **state)
{
    char path[PBA_PATH_MAX];
    pba_training_result whole[2];
    const pba_training_result *found;
    pba_train_options options = small_run("baseline", "lost");
    pba_training *training;
    options.workers = 1;
    begin_lost(&options);
    for (int workers = 2; workers > 0; workers--) { /* gone on with, it is lost again */
        assert_ok(pba_training_resume(options.out, workers, &training));
        assert_int_equal(pba_training_run(training, NULL), PBA_DIVERGED);
        pba_training_free(training);
        assert_non_null(strstr(pba_error_message(), options.out));
        assert_non_null(strstr(pba_error_message(), "the loss of seed 1 became infinite or no "
                                                    "number in epoch 2; start again with a "
                                                    "smaller --lr"));
        assert_true(is_there(&options, "checkpoint/seed-0.json"));
        assert_true(is_there(&options, "weights-0.safetensors"));
        assert_false(is_there(&options, "weights-1.safetensors"));
        assert_false(is_there(&options, "result.json"));
    }
    path_in(&options, "checkpoint/seed-1", path);
    assert_int_equal(unlink(path), 0);
    assert_ok(pba_training_resume(options.out, 1, &training));
    assert_ok(pba_training_run(training, NULL));
    assert_int_equal(pba_training_results(training, &found), 2);
    options.out[0] = 0;
    run_all(&options, whole);
    for (int i = 0; i < 2; i++) {
        assert_true(found[i].train_loss == whole[i].train_loss);
    }
    pba_training_free(training);
}

/* Random nodes draw by the step of the whole training, wherever it was taken up again. */
static void a_stopped_run_draws_the_same(void **state)
{
    pba_train_options options = small_run("baseline", "draws-whole");
    strcpy(options.recipe.model, "shake-shake-8-2x16d");
    options.workers = 1; /* two seeds: one thread each, so that no core is waited for */
    pba_training_result whole[2];
    pba_training *training;
    run_all(&options, whole);
    char undisturbed[PBA_PATH_MAX];
    memcpy(undisturbed, options.out, sizeof undisturbed);
    snprintf(options.out, sizeof options.out, "%s/draws-stopped", folder);
    int left = 4; /* in the second epoch */
    pba_observer observer = {.stop = stop_after, .user = &left};
    assert_ok(pba_training_create(&options, &training));
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    pba_training_free(training);
    assert_ok(pba_training_resume(options.out, 1, &training));
    assert_ok(pba_training_run(training, NULL));
    pba_training_free(training);
    compare_files(undisturbed, options.out, "weights-0.safetensors");
    compare_files(undisturbed, options.out, "weights-1.safetensors");
}

/* A run keeps the policies that it was started with: their file is not needed again. */
static void a_resumed_run_has_its_policy(void **state)
{
    char text[512] = "[10", file[PBA_PATH_MAX], kind[PBA_PATH_MAX + 8];
    pba_training_result whole[2];
    pba_training *training;
    for (int i = 1; i < 60; i++) {
        strcat(text, i % 2 ? ", 9" : ", 5");
    }
    snprintf(file, sizeof file, "%s/list.json", folder);
    snprintf(kind, sizeof kind, "policy:%s", file);
    strcat(text, "]");
    assert_ok(file_write(file, text, strlen(text)));
    pba_train_options options = small_run(kind, "policy-whole");
    options.workers = 1;
    run_all(&options, whole);
    char undisturbed[PBA_PATH_MAX];
    memcpy(undisturbed, options.out, sizeof undisturbed);
    snprintf(options.out, sizeof options.out, "%s/policy-stopped", folder);
    int left = 4;
    pba_observer observer = {.stop = stop_after, .user = &left};
    assert_ok(pba_training_create(&options, &training));
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    pba_training_free(training);
    assert_int_equal(unlink(file), 0);
    assert_ok(pba_training_resume(options.out, 1, &training));
    assert_ok(pba_training_run(training, NULL));
    pba_training_free(training);
    compare_files(undisturbed, options.out, "weights-0.safetensors");
    compare_files(undisturbed, options.out, "weights-1.safetensors");
}

static void a_schedule_is_followed(void **state)
{
    pba_policy policy = {.entries = 30};
    pba_schedule *schedule;
    pba_training_result zero[2], base[2], strong[2];
    char path[PBA_PATH_MAX];
    static const char *const ops[] = {"Rotate",       "TranslateX", "TranslateY", "Brightness",
                                      "Color",        "Invert",     "Sharpness",  "Posterize",
                                      "ShearX",       "Solarize",   "ShearY",     "Equalize",
                                      "AutoContrast", "Cutout",     "Contrast"};
    for (int strength = 0; strength < 2; strength++) {
        memset(policy.values, strength ? 9 : 0, sizeof policy.values);
        snprintf(path, sizeof path, "%s/s%d.json", folder, strength);
        assert_ok(pba_schedule_constant(&policy, ops, 15, 40, &schedule));
        assert_ok(pba_schedule_save(schedule, path));
        pba_schedule_free(schedule);
        pba_train_options options = small_run(path, strength ? "s1" : "s0");
        run_all(&options, strength ? strong : zero);
    }
    pba_train_options options = small_run("baseline", "s2");
    run_all(&options, base);
    assert_true(strong[0].train_loss != base[0].train_loss);
    assert_true(zero[0].train_loss > 0 && isfinite(zero[0].train_loss));
}

static void a_run_is_not_overwritten(void **state)
{
    pba_training_result results[2];
    pba_training *training;
    pba_train_options options = small_run("none", "once");
    run_all(&options, results);
    assert_int_equal(pba_training_create(&options, &training), PBA_EXISTS);
    assert_non_null(strstr(pba_error_message(), "--out"));
    snprintf(options.out, sizeof options.out, "%s/once/result.json/below", folder);
    assert_int_equal(pba_training_create(&options, &training), PBA_IO);
    strcpy(options.augment, "/nowhere/schedule.json");
    snprintf(options.out, sizeof options.out, "%s/never", folder);
    assert_int_equal(pba_training_create(&options, &training), PBA_NOT_FOUND);
    assert_false(file_exists(options.out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(task_replaces_what_stands_for_something),
        cmocka_unit_test(task_refuses),
        cmocka_unit_test(task_says_what_auto_found),
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(a_trainer_has_no_memory),
        cmocka_unit_test(random_nodes_draw_by_step),
        cmocka_unit_test(images_draw_from_a_pool),
        cmocka_unit_test(evaluation_changes_nothing),
        cmocka_unit_test(backends_train_alike),
        cmocka_unit_test(a_lost_network_ends_its_epoch),
        cmocka_unit_test(a_trainer_stops_when_asked),
        cmocka_unit_test(results_do_not_depend_on_workers),
        cmocka_unit_test(what_cannot_be_run_is_refused),
        cmocka_unit_test(weights_on_disk_are_the_network),
        cmocka_unit_test(an_evaluation_counts_every_image),
        cmocka_unit_test(config_is_enough_to_run_again),
        cmocka_unit_test(a_stopped_run_ends_the_same),
        cmocka_unit_test(a_lost_network_ends_its_run),
        cmocka_unit_test(a_stopped_run_draws_the_same),
        cmocka_unit_test(a_resumed_run_has_its_policy),
        cmocka_unit_test(a_schedule_is_followed),
        cmocka_unit_test(a_run_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
