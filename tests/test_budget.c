/* SPDX-License-Identifier: Apache-2.0
 * Time budgets: their texts, the rules as a pure function of speeds, time and images, and that what
 * they choose is stored and holds. Nothing here depends on how fast the machine is. */
#include "check.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "search/budget.h"
#include "train/fit.h"

/* --------------------------------------------------------------------- texts */

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        double seconds; /* 0: refused */
    } rows[] = {{"90s", 90},      {"45m", 2700}, {"1h30m", 5400}, {"2h", 7200}, {"1h1m1s", 3661},
                {"90m", 5400},    {"1s", 1},     {"0s", 0},       {"", 0},      {"90", 0},
                {"m", 0},         {"1m30", 0},   {"30s1m", 0},    {"1m2m", 0},  {"-5m", 0},
                {"1.5h", 0},      {"5 m", 0},    {"5min", 0},     {"5M", 0},    {"99999999h", 0},
                {"999999999h", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double seconds;
        pba_status status = pba_budget_parse(rows[i].text, &seconds);
        assert_int_equal(status, rows[i].seconds > 0 ? PBA_OK : PBA_USAGE);
        if (status == PBA_OK) {
            assert_true(seconds == rows[i].seconds);
        } else {
            assert_non_null(strstr(pba_error_message(), "1h30m"));
        }
    }
}

static void test_durations(void **state)
{
    static const struct {
        double seconds;
        const char *text;
    } rows[] = {{0.4, "0 s"},         {59.4, "59 s"},          {59.6, "1 min 00 s"},
                {61, "1 min 01 s"},   {3599, "59 min 59 s"},   {3600, "1 h 00 min"},
                {9000, "2 h 30 min"}, {360000, "100 h 00 min"}};
    char text[FIT_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(fit_duration(rows[i].seconds, text), rows[i].text);
    }
}

/* What a refusal suggests is a budget, and enough for what it was measured for. */
static void test_suggestion(void **state)
{
    static const double least[] = {2, 100, 280, 1000, 40000};
    for (size_t i = 0; i < sizeof least / sizeof *least; i++) {
        fit fit;
        pba_budget budget;
        char text[64];
        double enough;
        assert_ok(fit_begin(&fit, "1s", NULL, 0, &budget));
        assert_int_equal(fit_refuse(&fit, least[i], "one epoch"), PBA_USAGE);
        const char *suggested = strstr(pba_error_message(), "give --budget ");
        assert_non_null(suggested);
        assert_int_equal(sscanf(suggested, "give --budget %63s or more", text), 1);
        assert_ok(pba_budget_parse(text, &enough));
        assert_true(enough > least[i] && enough < 1.3 * least[i] + 10);
    }
}

/* --------------------------------------------------------------------- rules */

/* Two workers, 100 steps a second of the smallest network; images a second of scoring three times
 * those of training. */
static const budget_speed speeds[] = {
    {"wrn-10-1", 0.2, 0.02, 0.00005, 0.01, 1e6, 1e8, true},
    {"wrn-16-1", 0.3, 0.04, 0.0001, 0.01, 2e6, 2e8, true},
    {"wrn-16-2", 0.3, 0.1, 0.00025, 0.02, 8e6, 3e8, true},
    {"wrn-28-2", 0.4, 0.2, 0.0005, 0.03, 17e6, 5e8, true},
    {"wrn-40-2", 0.5, 0.3, 0.00075, 0.03, 26e6, 6e8, true},
};

static budget_question question_of(double seconds, int images)
{
    return (budget_question){.seconds = seconds,
                             .memory = 1e10,
                             .workers = 2,
                             .batch = 128,
                             .interval = 3,
                             .images = images,
                             .speeds = speeds,
                             .speed_count = sizeof speeds / sizeof *speeds};
}

/* The cost by hand: in turns of the workers, whole steps, a score every three epochs. */
static void test_cost(void **state)
{
    budget_question question = question_of(1000, 10000);
    budget_answer answer = {
        .speed = &speeds[1], .population = 9, .epochs = 10, .train_size = 1000, .val_size = 500};
    double member = 10 * 7 * 0.04 + 4 * (500 * 0.0001 + 0.01);
    assert_true(fabs(budget_cost(&question, &answer) - (0.3 + 5 * member)) < 1e-9);
    question.workers = 16; /* no more than members */
    assert_true(fabs(budget_cost(&question, &answer) - (0.3 + member)) < 1e-9);
}

static const struct {
    double seconds;
    int images, val_images, workers;
    int population, epochs, train_size, val_size; /* given */
    const char *model;                            /* the answer; NULL: it does not fit */
    int members, least_epochs, most_epochs, train, val;
} table[] = {
    /* The least: 4 turns x 20 epochs x 7 steps x 0.02 s = 11.2 s, and scores. */
    {10, 10000, 0, 2, 0, 0, 0, 0, NULL, 8, 20, 20, 1000, 500},
    {12.5, 10000, 0, 2, 0, 0, 0, 0, "wrn-10-1", 8, 20, 21, 1000, 500},
    {30, 10000, 0, 2, 0, 0, 0, 0, "wrn-16-1", 8, 20, 30, 1000, 500},
    {60, 10000, 0, 2, 0, 0, 0, 0, "wrn-16-1", 8, 20, 26, 2000, 1000},
    {200, 10000, 0, 2, 0, 0, 0, 0, "wrn-16-1", 16, 30, 40, 2000, 1000},
    {400, 10000, 0, 2, 0, 0, 0, 0, "wrn-16-1", 16, 30, 40, 4000, 2000},
    {2000, 10000, 0, 2, 0, 0, 0, 0, "wrn-16-2", 16, 60, 80, 4000, 2000},
    /* The paper's search and more time: more images. */
    {20000, 10000, 0, 2, 0, 0, 0, 0, "wrn-40-2", 16, 200, 200, 4992, 2000},
    {1e6, 10000, 0, 2, 0, 0, 0, 0, "wrn-40-2", 16, 200, 200, 8000, 2000},
    /* Few images: four fifths to train on. */
    {60, 800, 0, 2, 0, 0, 0, 0, "wrn-16-1", 16, 30, 60, 640, 160},
    /* Validation images beside them. */
    {400, 10000, 700, 2, 0, 0, 0, 0, "wrn-16-1", 16, 30, 50, 4000, 700},
    /* What is given stands. */
    {60, 10000, 0, 2, 4, 0, 0, 0, "wrn-16-1", 4, 30, 31, 3000, 1500},
    {60, 10000, 0, 2, 0, 10, 0, 0, "wrn-16-1", 16, 10, 10, 2176, 1088},
    {60, 10000, 0, 2, 0, 0, 3000, 0, "wrn-10-1", 8, 20, 40, 3000, 1500},
    {60, 10000, 0, 2, 0, 0, 0, 300, "wrn-16-1", 8, 20, 26, 2000, 300},
    /* Members that idle workers run at no cost; as many as there are, from 17 on. */
    {30, 10000, 0, 3, 0, 0, 0, 0, "wrn-16-1", 9, 20, 40, 1000, 500},
    {30, 10000, 0, 24, 0, 0, 0, 0, "wrn-16-1", 24, 30, 31, 3000, 1500},
};

static void check_table_row(size_t i)
{
    budget_question question = question_of(table[i].seconds, table[i].images);
    question.val_images = table[i].val_images;
    question.workers = table[i].workers;
    question.population = table[i].population;
    question.epochs = table[i].epochs;
    question.train_size = table[i].train_size;
    question.val_size = table[i].val_size;
    budget_answer answer = budget_find(&question);
    bool right = answer.fits == (table[i].model != NULL) &&
                 (!table[i].model || strcmp(answer.speed->model, table[i].model) == 0) &&
                 answer.population == table[i].members && answer.epochs >= table[i].least_epochs &&
                 answer.epochs <= table[i].most_epochs && answer.train_size == table[i].train &&
                 answer.val_size == table[i].val;
    if (!right) {
        fail_msg("row %zu: %s, %d x %s, %d epochs, %d + %d images, %.1f s", i,
                 answer.fits ? "fits" : "does not fit", answer.population, answer.speed->model,
                 answer.epochs, answer.train_size, answer.val_size, answer.seconds);
    }
}

static void test_table(void **state)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        check_table_row(i);
    }
}

/* Whatever the time: never too long, the time used but for less than an epoch, never a larger
 * network or more members for less time. */
static void test_every_time(void **state)
{
    int network = 0, members = 0;
    for (double seconds = 13; seconds < 1e6; seconds *= 1.07) {
        budget_question question = question_of(seconds, 60000);
        budget_answer answer = budget_find(&question), more = answer;
        assert_true(answer.fits && answer.seconds <= seconds);
        assert_true(answer.train_size + answer.val_size <= 60000);
        more.epochs++;
        assert_true(answer.most || answer.epochs == BUDGET_EPOCHS_MOST ||
                    budget_cost(&question, &more) > seconds);
        assert_true(answer.most || answer.seconds > 0.9 * seconds);
        assert_true(answer.speed - speeds >= network && answer.population >= members);
        assert_true(!answer.next.model || answer.next.model_seconds > seconds);
        assert_true(!answer.next.population || answer.next.population_seconds > seconds);
        network = (int)(answer.speed - speeds);
        members = answer.population;
    }
    assert_int_equal(network, 4);
}

/* One network, given: the rules' numbers for it. And one that does not fit the memory. */
static void test_given_model(void **state)
{
    budget_question question = question_of(1000, 10000);
    question.speeds = &speeds[3];
    question.speed_count = 1;
    budget_answer answer = budget_find(&question);
    assert_true(answer.fits && answer.speed == &speeds[3] && !answer.next.model);
    assert_int_equal(answer.population, 16);
    question = question_of(1e6, 10000);
    question.memory = 16 * 8e6 + 2 * 3e8 + 1;
    answer = budget_find(&question);
    assert_string_equal(answer.speed->model, "wrn-16-2");
    question.memory = 1;
    assert_false(budget_find(&question).fits);
}

static void test_models(void **state)
{
    int count = 0;
    for (; budget_model(count); count++) {
        pba_model_info info;
        assert_ok(pba_model_describe(budget_model(count), 32, 32, 3, 10, &info));
    }
    assert_int_equal(count, sizeof speeds / sizeof *speeds);
}

/* ---------------------------------------------------------------- end to end */

typedef struct witness {
    atomic_int scores, stop_after;
} witness;

static void see(void *user, const pba_event *event)
{
    ((witness *)user)->scores += event->kind == PBA_EVENT_SCORE;
}

static bool stop(void *user)
{
    witness *seen = user;
    return seen->scores >= seen->stop_after;
}

static void run_some(pba_search *search, int scores)
{
    witness seen = {.stop_after = scores};
    pba_observer observer = {see, stop, &seen};
    assert_int_equal(pba_search_run(search, &observer), PBA_INTERRUPTED);
}

static pba_search_options search_options(const char *run)
{
    pba_search_options options;
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.recipe.model, sizeof options.recipe.model, "wrn-10-1");
    snprintf(options.dataset, sizeof options.dataset, "demo");
    snprintf(options.out, sizeof options.out, "%s", path_of(run));
    options.recipe.train_size = 64;
    options.recipe.val_size = 30;
    options.recipe.batch = 32;
    options.population = 2;
    options.workers = 1;
    return options;
}

static char *journal_of(const char *run)
{
    char *text;
    size_t size;
    char name[64];
    snprintf(name, sizeof name, "%s/journal.jsonl", run);
    assert_ok(file_read(path_of(name), 1 << 20, &text, &size));
    return text;
}

/* Stored before the first epoch, the same when resumed, and the same search as the one that these
 * settings give by hand. */
static void test_search(void **state)
{
    static const char *const kept[] = {"model", "train-size", "population", "val-size"};
    pba_search_options options = search_options("run"), by_hand;
    pba_budget budget;
    pba_search *search;
    pba_plan plan, again;
    snprintf(options.budget, sizeof options.budget, "3m");
    assert_ok(pba_search_fit(&options, kept, 4, NULL, &budget, &search));
    assert_false(file_exists(path_of("run")));
    assert_true(budget.seconds == 180 && budget.spent > 0 && budget.expected < 180);
    assert_int_equal(options.population, 2);
    assert_int_equal(options.recipe.train_size, 64);
    assert_true(options.recipe.epochs >= 20 && options.recipe.epochs <= 200);
    assert_int_equal(options.recipe.val_size, 30);
    assert_string_not_equal(options.recipe.precision, "auto");
    assert_int_equal(budget.choice_count, 7);
    bool compared = strstr(budget.choices[0].why, "measured: ") != NULL;
    assert_true(compared || strstr(budget.choices[0].why, "there is no bf16"));
    assert_true(compared || strcmp(options.recipe.precision, "f32") == 0);
    assert_string_equal(budget.choices[1].name, "model");
    assert_string_equal(budget.choices[1].why, "given");
    assert_ok(pba_search_plan(search, &plan));
    assert_int_equal(plan.epochs, options.recipe.epochs);
    run_some(search, 3);
    pba_search_free(search);

    assert_ok(pba_search_resume(path_of("run"), 1, &search));
    assert_ok(pba_search_plan(search, &again));
    assert_int_equal(again.epochs, plan.epochs);
    assert_int_equal(again.members, plan.members);
    assert_int_equal(again.train_images, plan.train_images);
    assert_int_equal(again.val_images, plan.val_images);
    assert_string_equal(again.precision, options.recipe.precision);
    run_some(search, 3);
    pba_search_free(search);

    by_hand = options;
    by_hand.budget[0] = 0;
    snprintf(by_hand.out, sizeof by_hand.out, "%s", path_of("hand"));
    assert_ok(pba_search_create(&by_hand, &search));
    run_some(search, 6);
    pba_search_free(search);
    char *ours = journal_of("run"), *theirs = journal_of("hand");
    assert_string_equal(ours, theirs);
    free(ours);
    free(theirs);
}

static const pba_budget_choice *choice_of(const pba_budget *budget, const char *name)
{
    int place = 0;
    while (place < budget->choice_count && strcmp(budget->choices[place].name, name) != 0) {
        place++;
    }
    assert_true(place < budget->choice_count);
    return &budget->choices[place];
}

/* Everything is given: nothing is changed, and a size of 0 stays all images. */
static void test_search_given(void **state)
{
    static const char *const kept[] = {"model",    "train-size", "population", "val-size",
                                       "interval", "precision",  "epochs"};
    pba_search_options options = search_options("given");
    options.recipe.epochs = 2;
    options.interval = 1;
    options.recipe.train_size = 0;
    snprintf(options.recipe.precision, sizeof options.recipe.precision, "f32");
    snprintf(options.budget, sizeof options.budget, "100h");
    pba_search_options asked = options;
    pba_budget budget;
    pba_search *search;
    pba_plan plan;
    assert_ok(pba_search_fit(&options, kept, 7, NULL, &budget, &search));
    assert_string_equal(options.recipe.model, "wrn-10-1");
    assert_string_equal(options.recipe.precision, "f32");
    assert_true(options.population == asked.population && options.interval == asked.interval);
    assert_true(options.recipe.epochs == 2 && options.recipe.val_size == asked.recipe.val_size);
    assert_int_equal(options.recipe.train_size, 0);
    assert_int_equal(budget.choice_count, 7);
    for (int i = 0; i < 7; i++) {
        assert_string_equal(choice_of(&budget, kept[i])->why, "given");
    }
    assert_ok(pba_search_plan(search, &plan));
    assert_true(plan.train_images > 64);
    assert_string_equal(choice_of(&budget, "epochs")->value, "2");
    pba_search_free(search);
}

/* Few images of CIFAR-10's layout. */
static void put_images(int count)
{
    enum { RECORD = 3073 };
    uint8_t *data = calloc((size_t)count, RECORD);
    assert_non_null(data);
    for (int i = 0; i < count; i++) {
        data[i * RECORD] = (uint8_t)(i % 10);
    }
    put("data_batch_1.bin", data, (size_t)count * RECORD);
    put("test_batch.bin", data, 10 * RECORD);
    free(data);
}

/* Nothing is given. With time to spare everything is as large as the rules and the images allow,
 * and was measured before it was taken. */
static void test_search_chosen(void **state)
{
    pba_search_options options = search_options("chosen");
    pba_budget budget;
    pba_search *search;
    pba_plan plan;
    put_images(100);
    snprintf(options.dataset, sizeof options.dataset, "%s", folder);
    snprintf(options.budget, sizeof options.budget, "100h");
    options.recipe.batch = 16;
    assert_ok(pba_search_fit(&options, NULL, 0, NULL, &budget, &search));
    assert_string_equal(options.recipe.model, "wrn-40-2");
    assert_int_equal(options.population, 16);
    assert_int_equal(options.recipe.epochs, 200);
    assert_int_equal(options.recipe.train_size + options.recipe.val_size, 100);
    assert_true(strstr(choice_of(&budget, "model")->why, "the largest of the rules") ||
                strstr(choice_of(&budget, "model")->why, "more memory than is free"));
    assert_non_null(strstr(choice_of(&budget, "population")->why, "the paper's"));
    assert_non_null(strstr(choice_of(&budget, "epochs")->why, "the most of the rules"));
    assert_non_null(strstr(choice_of(&budget, "train-size")->why, "all that are neither"));
    assert_ok(pba_search_plan(search, &plan));
    assert_int_equal(plan.epochs, 200);
    assert_int_equal(plan.members, 16);
    pba_search_free(search);
}

static void test_search_refused(void **state)
{
    pba_search_options options = search_options("never"), asked;
    pba_budget budget;
    pba_search *search;
    static const char *const kept[] = {"model", "train-size"};
    snprintf(options.budget, sizeof options.budget, "1s");
    asked = options;
    assert_int_equal(pba_search_fit(&options, kept, 2, NULL, &budget, &search), PBA_USAGE);
    assert_null(search);
    assert_non_null(strstr(pba_error_message(), "the least, 8 x wrn-10-1 for 20 epochs on 64"));
    assert_memory_equal(&options, &asked, sizeof options);
    snprintf(options.budget, sizeof options.budget, "soon");
    assert_int_equal(pba_search_fit(&options, kept, 2, NULL, &budget, &search), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "\"soon\" is no time"));
    assert_false(file_exists(path_of("never")));
}

static bool at_once(void *user)
{
    return true;
}

static void test_training(void **state)
{
    pba_train_options options;
    size_t count;
    const pba_setting *rows = pba_train_settings(&count);
    static const char *const kept[] = {"model", "epochs"};
    pba_budget budget;
    pba_training *training;
    pba_observer observer = {.stop = at_once};
    pba_settings_init(&options, rows, count);
    snprintf(options.recipe.model, sizeof options.recipe.model, "wrn-10-1");
    snprintf(options.dataset, sizeof options.dataset, "demo");
    snprintf(options.out, sizeof options.out, "%s", path_of("trained"));
    snprintf(options.budget, sizeof options.budget, "3m");
    options.recipe.train_size = 320;
    options.recipe.batch = 32;
    options.seeds = 2;
    assert_int_equal(pba_training_fit(&options, kept, 2, NULL, &budget, &training), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "--epochs"));
    assert_ok(pba_training_fit(&options, kept, 1, NULL, &budget, &training));
    assert_true(options.recipe.epochs >= 1 && options.recipe.epochs <= 1800);
    assert_true(budget.expected < 180 && budget.choice_count == 2);
    assert_string_equal(budget.choices[1].name, "epochs");
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    pba_training_free(training);
    assert_ok(pba_training_resume(path_of("trained"), 1, &training));
    assert_int_equal(pba_training_options(training)->recipe.epochs, options.recipe.epochs);
    assert_string_equal(pba_training_options(training)->budget, "3m");
    pba_training_free(training);
    snprintf(options.budget, sizeof options.budget, "1s");
    snprintf(options.out, sizeof options.out, "%s", path_of("never"));
    assert_int_equal(pba_training_fit(&options, kept, 1, NULL, &budget, &training), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "2 x wrn-10-1 for 1 epoch"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_suggestion),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_time),
        cmocka_unit_test(test_given_model),
        cmocka_unit_test(test_models),
        IN_FOLDER(test_search),
        IN_FOLDER(test_search_given),
        IN_FOLDER(test_search_chosen),
        IN_FOLDER(test_search_refused),
        IN_FOLDER(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
