/* SPDX-License-Identifier: Apache-2.0
 * The population: who copies whom (by table), how policies change (by distribution), what the best
 * member's lineage says, and that its state survives being written down at any point. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "population/population.h"

/* Of type double, whatever the macros of math.h are. */
#define LOST ((double)NAN)
#define ENDLESS ((double)INFINITY)

static pba_population *make_selecting(pba_selection selection, int population, int epochs,
                                      int interval, uint64_t seed)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = population;
    options.epochs = epochs;
    options.interval = interval;
    options.seed = seed;
    options.selection = selection;
    pba_population *fresh;
    assert_ok(pba_population_create(&options, &fresh));
    return fresh;
}

static pba_population *make(int population, int epochs, int interval, uint64_t seed)
{
    return make_selecting(PBA_SELECTION_TRUNCATION, population, epochs, interval, seed);
}

/* Asks for everybody and checks what the round looks like. */
static void ask_all(pba_population *population, pba_task *tasks, int count, int from, int until)
{
    for (int i = 0; i < count; i++) {
        assert_ok(pba_population_ask(population, &tasks[i]));
        assert_int_equal(tasks[i].kind, PBA_TASK_TRAIN);
        assert_int_equal(tasks[i].member, i);
        assert_int_equal(tasks[i].from_epoch, from);
        assert_int_equal(tasks[i].until_epoch, until);
        assert_int_equal(tasks[i].policy.entries, 30);
    }
    pba_task task;
    assert_ok(pba_population_ask(population, &task));
    assert_int_equal(task.kind, PBA_TASK_WAIT);
}

static void tell_all(pba_population *population, const double *errors, int count)
{
    for (int i = count - 1; i >= 0; i--) { /* the order of telling does not matter */
        assert_ok(pba_population_tell(population, i, errors[i]));
    }
}

/* ------------------------------------------------------------------ exploit */

/* Per row: scores, which members must copy ('x'), and which may be copied ('s'). */
static const struct {
    int count;
    double quantile, errors[9];
    const char *roles;
} table[] = {
    {4, 0.25, {.4, .3, .2, .1}, "x..s"},
    {4, 0.25, {.1, .2, .3, .4}, "s..x"},
    {8, 0.25, {.5, .1, .6, .7, .2, .8, .3, .4}, ".s.xsx.."},
    {8, 0.25, {.5, .5, .5, .5, .5, .5, .5, .5}, "ss....xx"},
    {8, 0.25, {.5, .1, .5, .5, .5, .5, .5, .1}, ".s...xxs"},
    {5, 0.25, {.5, .4, .3, .2, .1}, "xx.ss"},
    {3, 0.25, {.1, .3, .2}, "sx."},
    {2, 0.25, {.1, .1}, "sx"},
    {2, 0.5, {.2, .1}, "xs"},
    {9, 0.5, {.1, .2, .3, .4, .5, .6, .7, .8, .9}, "ssss.xxxx"},
    {8, 0, {.1, .2, .3, .4, .5, .6, .7, .8}, "........"},
    {4, 0.25, {LOST, .9, .8, .7}, "x..s"},
    {4, 0.25, {.9, ENDLESS, .8, LOST}, "..sx"},
    {4, 0.25, {.9, -ENDLESS, .8, .7}, ".x.s"},
    {8, 0.25, {LOST, LOST, LOST, .5, LOST, LOST, LOST, LOST}, "...s..xx"},
    {4, 0.25, {LOST, LOST, LOST, LOST}, "...."},
};

static void check_row(size_t row, uint64_t seed)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = table[row].count;
    options.epochs = 4;
    options.interval = 2;
    options.quantile = table[row].quantile;
    options.seed = seed;
    pba_population *population;
    assert_ok(pba_population_create(&options, &population));
    pba_task tasks[9];
    ask_all(population, tasks, table[row].count, 0, 2);
    tell_all(population, table[row].errors, table[row].count);
    ask_all(population, tasks, table[row].count, 2, 4);
    for (int i = 0; i < table[row].count; i++) {
        const pba_policy zero = {.entries = 30};
        bool copies = table[row].roles[i] == 'x';
        assert_int_equal(tasks[i].weights_from != i, copies);
        assert_int_equal(memcmp(&tasks[i].policy, &zero, sizeof zero) != 0, copies);
        if (copies) {
            assert_int_equal(table[row].roles[tasks[i].weights_from], 's');
        }
    }
    /* The last round is scored, not exploited. */
    tell_all(population, table[row].errors, table[row].count);
    pba_task done;
    assert_ok(pba_population_ask(population, &done));
    assert_int_equal(done.kind, PBA_TASK_DONE);
    pba_population_free(population);
}

static void test_exploit(void **state)
{
    for (size_t row = 0; row < sizeof table / sizeof *table; row++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            check_row(row, seed);
        }
    }
}

/* Before the burn-in has passed nobody copies or explores, and that is certain at once. */
static void check_burn_in(int burn_in, int first, pba_selection selection)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = 8;
    options.epochs = 12;
    options.interval = 3;
    options.burn_in = burn_in;
    options.selection = selection;
    pba_population *population;
    assert_ok(pba_population_create(&options, &population));
    const pba_policy zero = {.entries = 30};
    for (int round = 0; round < 4; round++) {
        pba_task tasks[8];
        int changed = 0;
        ask_all(population, tasks, 8, 3 * round, 3 * round + 3);
        for (int i = 0; i < 8; i++) {
            changed += memcmp(&tasks[i].policy, &zero, sizeof zero) != 0;
            assert_true(round >= first || tasks[i].weights_from == i);
        }
        assert_true((changed > 0) == (round >= first));
        for (int i = 0; i < 8; i++) {
            bool sure = selection == PBA_SELECTION_TRUNCATION && round + 1 < first && round < 3;
            assert_ok(pba_population_tell(population, i, i / 8.0));
            if (i < 7 && (sure || i == 0)) {
                assert_int_equal(population_is_settled(population, i), sure);
            }
        }
    }
    pba_population_free(population);
}

static void test_burn_in(void **state)
{
    static const struct {
        int burn_in, first; /* the first round that begins behind a decision */
    } rows[] = {{0, 1}, {1, 1}, {3, 1}, {4, 2}, {6, 2}, {7, 3}, {9, 3}, {10, 4}, {100, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        check_burn_in(rows[i].burn_in, rows[i].first, PBA_SELECTION_TRUNCATION);
        check_burn_in(rows[i].burn_in, rows[i].first, PBA_SELECTION_NONE);
    }
}

/* ------------------------------------------------------------------ warm start */

/* Eleven epochs in three segments whose values say which. */
static pba_schedule *three_segments(int op_count)
{
    static const int lengths[] = {4, 1, 6};
    pba_schedule *schedule;
    assert_ok(schedule_create(schedule_pba_ops, op_count, 2, &schedule));
    for (int s = 0; s < 3; s++) {
        pba_policy policy = {.entries = 2 * op_count};
        memset(policy.values, 2 + s, 4 * (size_t)op_count);
        assert_ok(schedule_append(schedule, lengths[s], &policy, NULL));
    }
    return schedule;
}

/* Spread over the epochs: those of even numbers as the schedule has it, the others near to it. */
static void test_warm(void **state)
{
    static const int segments[] = {0, 0, 1, 2, 2, 2}; /* of epochs 0, 2, 4, 6, 8, 10 */
    pba_population_options options;
    pba_schedule *schedule = three_segments(15);
    pba_task tasks[6];
    pba_population_defaults(&options);
    options.population = 6;
    options.epochs = 6;
    options.resample = 0;
    options.start = schedule;
    pba_population *population;
    assert_ok(pba_population_create(&options, &population));
    for (int i = 0; i < 6; i++) {
        int changed = 0, wanted = 2 + segments[i];
        assert_ok(pba_population_ask(population, &tasks[i]));
        for (int v = 0; v < 60; v++) {
            int distance = abs(tasks[i].policy.values[v] - wanted);
            assert_true(distance <= 3);
            changed += distance > 0;
        }
        assert_true((changed > 0) == (i % 2 == 1));
    }
    pba_population_free(population);
    pba_schedule_free(schedule);
    options.start = schedule = three_segments(14);
    assert_int_equal(pba_population_create(&options, &population), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "Rotate, TranslateX, TranslateY, 11 more"));
    pba_schedule_free(schedule);
}

/* What is said of a member while others are out holds however they turn out: it keeps weights and
 * policy, and nobody copies it. And it is said of as many as can be. */
static void check_settled(int count, int out, uint64_t seed)
{
    pba_population *population = make(count, 6, 3, seed);
    rng stream = rng_at(seed, RNG_ORDER, 0, 0, 0);
    pba_task tasks[16];
    uint32_t order[16];
    bool settled[16];
    int ends = (count + 3) / 4, sure = 0;
    ends = ends < count / 2 ? ends : count / 2;
    ask_all(population, tasks, count, 0, 3);
    for (int i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    rng_shuffle(&stream, order, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count && i == count - out; k++) {
            settled[k] = population_is_settled(population, k);
            sure += settled[k];
        }
        uint32_t draw = rng_below(&stream, 8); /* ties, and now and then a lost one */
        assert_ok(pba_population_tell(population, (int)order[i], draw ? draw / 8.0 : LOST));
    }
    assert_int_equal(sure, count - 2 * ends > out ? count - 2 * ends - out : 0);
    ask_all(population, tasks, count, 3, 6);
    const pba_policy zero = {.entries = 30};
    for (int i = 0; i < count; i++) {
        assert_false(settled[tasks[i].weights_from] && tasks[i].weights_from != i);
        assert_false(settled[i] && tasks[i].weights_from != i);
        assert_false(settled[i] && memcmp(&tasks[i].policy, &zero, sizeof zero) != 0);
    }
    tell_all(population, (double[16]){0}, count);
    assert_false(population_is_settled(population, 0));
    pba_population_free(population);
}

static void test_settled(void **state)
{
    for (int count = 2; count <= 16; count++) {
        for (int out = 1; out <= count; out++) {
            for (uint64_t seed = 0; seed < 20; seed++) {
                check_settled(count, out, seed);
            }
        }
    }
    pba_population *drift = make_selecting(PBA_SELECTION_NONE, 8, 6, 3, 0);
    pba_task tasks[8];
    ask_all(drift, tasks, 8, 0, 3);
    for (int i = 0; i < 7; i++) {
        assert_ok(pba_population_tell(drift, i, i / 8.0));
        assert_false(population_is_settled(drift, i)); /* all policies change */
    }
    pba_population_free(drift);
}

/* Every member of the top is copied equally often: 4 of 16, over 2,000 seeds x 4 copies. */
static void test_source_uniform(void **state)
{
    double counts[4] = {0};
    for (uint64_t seed = 0; seed < 2000; seed++) {
        pba_population *population = make(16, 6, 3, seed);
        pba_task tasks[16];
        double errors[16];
        ask_all(population, tasks, 16, 0, 3);
        for (int i = 0; i < 16; i++) {
            errors[i] = i / 16.0;
        }
        tell_all(population, errors, 16);
        ask_all(population, tasks, 16, 3, 6);
        for (int i = 12; i < 16; i++) {
            counts[tasks[i].weights_from]++;
        }
        pba_population_free(population);
    }
    double square = 0;
    for (int i = 0; i < 4; i++) {
        square += (counts[i] - 2000) * (counts[i] - 2000) / 2000;
    }
    assert_true(square < 16.3); /* 3 degrees of freedom, 0.999 */
}

/* ------------------------------------------------------------------ explore */

/* P(value becomes each), written out from the description. */
static void expected(int value, int max, double resample, double *chances)
{
    for (int i = 0; i <= max; i++) {
        chances[i] = resample / (max + 1);
    }
    for (int amount = 0; amount <= 3; amount++) {
        int up = value + amount, down = value - amount;
        chances[up > max ? max : up] += (1 - resample) / 8;
        chances[down < 0 ? 0 : down] += (1 - resample) / 8;
    }
}

/* 0.9999 quantiles of chi-square, by degrees of freedom: 20 tests share one verdict. */
static double limit(int freedom)
{
    const double limits[] = {0, 15.1, 18.4, 21.1, 23.5, 25.7, 27.9, 29.9, 31.8, 33.7, 35.6};
    return limits[freedom];
}

static void check_explore(int value, int place, double resample)
{
    enum { ROUNDS = 4000, PER_ROUND = 30 };
    int max = schedule_value_max(place);
    double chances[11] = {0}, counts[11] = {0}, square = 0;
    expected(value, max, resample, chances);
    for (int round = 0; round < ROUNDS; round++) {
        pba_policy policy = {.entries = PER_ROUND};
        for (int i = 0; i < PER_ROUND; i++) {
            policy.values[2 * i + place] = (uint8_t)value;
        }
        rng stream = rng_at(7, RNG_EXPLORE, (uint32_t)value, (uint32_t)round, (uint32_t)place);
        population_explore(&policy, resample, &stream);
        for (int i = 0; i < PER_ROUND; i++) {
            assert_true(policy.values[2 * i + place] <= max);
            counts[policy.values[2 * i + place]]++;
        }
    }
    int classes = 0;
    for (int i = 0; i <= max; i++) {
        double mean = chances[i] * ROUNDS * PER_ROUND;
        if (mean > 0) {
            square += (counts[i] - mean) * (counts[i] - mean) / mean;
            classes++;
        } else {
            assert_true(counts[i] == 0);
        }
    }
    if (square > limit(classes - 1)) {
        fail_msg("value %d of 0..%d: chi-square %g", value, max, square);
    }
}

static void test_explore(void **state)
{
    for (int value = 0; value <= 10; value++) {
        check_explore(value, 0, 0.2);
    }
    for (int value = 0; value <= 9; value++) {
        check_explore(value, 1, 0.2);
    }
    check_explore(5, 0, 0);
    check_explore(5, 0, 1);
}

/* ---------------------------------------------------------- rounds, misuse */

static void test_rounds(void **state)
{
    pba_population *population = make(2, 7, 3, 1);
    pba_task tasks[2];
    const double errors[] = {0.5, 0.25};
    const int begins[] = {0, 3, 6, 7};
    for (int round = 0; round < 3; round++) {
        int member;
        double error;
        pba_schedule *schedule;
        assert_int_equal(pba_population_best(population, &member, &error), PBA_USAGE);
        assert_int_equal(pba_population_schedule(population, &schedule), PBA_USAGE);
        ask_all(population, tasks, 2, begins[round], begins[round + 1]);
        assert_int_equal(tasks[0].round, round);
        tell_all(population, errors, 2);
    }
    int member;
    double error;
    assert_ok(pba_population_best(population, &member, &error));
    assert_int_equal(member, 1);
    assert_true(error == 0.25);
    pba_population_free(population);
}

static void test_misuse(void **state)
{
    pba_population *population = make(4, 6, 3, 1);
    assert_int_equal(pba_population_tell(population, 0, 0.5), PBA_USAGE);
    pba_task task;
    assert_ok(pba_population_ask(population, &task));
    assert_int_equal(pba_population_tell(population, 1, 0.5), PBA_USAGE);
    assert_int_equal(pba_population_tell(population, -1, 0.5), PBA_USAGE);
    assert_int_equal(pba_population_tell(population, 4, 0.5), PBA_USAGE);
    assert_ok(pba_population_tell(population, 0, 0.5));
    assert_int_equal(pba_population_tell(population, 0, 0.5), PBA_USAGE);
    pba_population_free(population);
    population = make(2, 3, 3, 1);
    pba_task tasks[2];
    ask_all(population, tasks, 2, 0, 3);
    tell_all(population, (double[]){1, 1}, 2);
    assert_int_equal(pba_population_tell(population, 0, 0.5), PBA_USAGE);
    pba_population_free(population);
}

static void bad_options(int population, int epochs, int interval, double quantile, double resample,
                        int copies, const char *word)
{
    pba_population_options options;
    pba_population_defaults(&options);
    options.population = population;
    options.epochs = epochs;
    options.interval = interval;
    options.quantile = quantile;
    options.resample = resample;
    options.copies = copies;
    pba_population *fresh = NULL;
    assert_int_equal(pba_population_create(&options, &fresh), PBA_USAGE);
    assert_null(fresh);
    assert_non_null(strstr(pba_error_message(), word));
}

static void test_options(void **state)
{
    bad_options(1, 9, 3, 0.25, 0.2, 2, "population");
    bad_options(10001, 9, 3, 0.25, 0.2, 2, "population");
    bad_options(4, 0, 3, 0.25, 0.2, 2, "epochs");
    bad_options(4, 9, 0, 0.25, 0.2, 2, "interval");
    bad_options(4, 9, 3, 0.51, 0.2, 2, "quantile");
    bad_options(4, 9, 3, LOST, 0.2, 2, "quantile");
    bad_options(4, 9, 3, 0.25, 1.1, 2, "resample");
    bad_options(4, 9, 3, 0.25, 0.2, 0, "copies");
    bad_options(4, 9, 3, 0.25, 0.2, 9, "copies");
}

/* ------------------------------------------------------- a run to the end */

/* A score that depends on who, when and what, so that a wrong policy or copy shows. */
static double score(const pba_task *task)
{
    uint32_t hash = 2166136261u;
    hash = (hash ^ (uint32_t)task->member) * 16777619u;
    hash = (hash ^ (uint32_t)task->weights_from) * 16777619u;
    hash = (hash ^ (uint32_t)task->from_epoch) * 16777619u;
    for (int i = 0; i < 2 * task->policy.entries; i++) {
        hash = (hash ^ task->policy.values[i]) * 16777619u;
    }
    return hash % 17 == 0 ? LOST : (hash >> 8) / 16777216.0;
}

/* Runs to the end; every `every` calls the state goes through JSON and back. policies: of each
 * member, epoch by epoch, along its weights' history. */
static pba_population *run(pba_population *population, int every, pba_policy (*policies)[30])
{
    pba_task task;
    int calls = 0;
    for (;;) {
        if (every && ++calls % every == 0) {
            char *text, *again;
            pba_population *copy;
            assert_ok(pba_population_to_json(population, &text));
            assert_ok(pba_population_from_json(text, &copy));
            assert_ok(pba_population_to_json(copy, &again));
            assert_string_equal(text, again);
            pba_population_free(population);
            free(text);
            free(again);
            population = copy;
        }
        assert_ok(pba_population_ask(population, &task));
        if (task.kind == PBA_TASK_DONE) {
            return population;
        }
        assert_int_equal(task.kind, PBA_TASK_TRAIN);
        if (policies) {
            for (int e = 0; e < task.from_epoch; e++) {
                policies[task.member][e] = policies[task.weights_from][e];
            }
            for (int e = task.from_epoch; e < task.until_epoch; e++) {
                policies[task.member][e] = task.policy;
            }
        }
        assert_ok(pba_population_tell(population, task.member, score(&task)));
    }
}

/* The policies that the best member's weights were trained under, the first one included, through
 * states that were written down and read again. */
static void test_warm_lineage(void **state)
{
    pba_schedule *start = three_segments(15), *schedule;
    for (uint64_t seed = 0; seed < 20; seed++) {
        pba_policy policies[6][30], policy;
        pba_population_options options;
        pba_population *population;
        int member;
        double error;
        pba_population_defaults(&options);
        options.population = 6;
        options.epochs = 12;
        options.seed = seed;
        options.start = start;
        options.selection = seed % 2 ? PBA_SELECTION_NONE : PBA_SELECTION_TRUNCATION;
        assert_ok(pba_population_create(&options, &population));
        population = run(population, (int)seed % 4, policies);
        assert_ok(pba_population_best(population, &member, &error));
        assert_ok(pba_population_schedule(population, &schedule));
        for (int e = 0; e < 12; e++) {
            assert_ok(pba_schedule_at(schedule, e, &policy));
            assert_memory_equal(&policy, &policies[member][e], sizeof policy);
        }
        pba_schedule_free(schedule);
        pba_population_free(population);
    }
    pba_schedule_free(start);
}

/* The schedule is, epoch by epoch, what the best member's weights have been trained under; written
 * as the reference's log and read again it is the same. */
static void test_lineage(void **state)
{
    char folder[] = "/tmp/pba-population-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/schedule.txt", folder);
    int with_copies = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        pba_policy policies[6][30];
        pba_population *population = run(make(6, 29, 3, seed), 0, policies);
        int member;
        double error;
        pba_schedule *schedule, *log;
        assert_ok(pba_population_best(population, &member, &error));
        assert_ok(pba_population_schedule(population, &schedule));
        assert_int_equal(pba_schedule_epochs(schedule), 29);
        assert_true(schedule->source.seed == seed && schedule->source.val_error == error);
        assert_ok(pba_schedule_save(schedule, path));
        assert_ok(pba_schedule_load(path, 29, &log));
        for (int e = 0; e < 29; e++) {
            pba_policy policy;
            assert_ok(pba_schedule_at(schedule, e, &policy));
            assert_memory_equal(&policy, &policies[member][e], sizeof policy);
            assert_ok(pba_schedule_at(log, e, &policy));
            assert_memory_equal(&policy, &policies[member][e], sizeof policy);
        }
        if (schedule->segment_count > 1) {
            with_copies++;
            assert_int_equal(log->segment_count, schedule->segment_count);
            for (int i = 0; i < log->segment_count; i++) {
                assert_int_equal(log->segments[i].epochs, schedule->segments[i].epochs);
            }
            assert_memory_equal(log->lineage, schedule->lineage,
                                (size_t)(log->segment_count - 1) * sizeof *log->lineage);
        }
        pba_schedule_free(schedule);
        pba_schedule_free(log);
        pba_population_free(population);
    }
    assert_true(with_copies > 10);
    unlink(path);
    rmdir(folder);
}

/* Without selection a policy is its predecessor explored by the member's own numbers: scores, lost
 * ones included, say only who is best at the end. */
static void test_drift(void **state)
{
    enum { COUNT = 5, LENGTH = 11, SPAN = 3 };
    for (uint64_t seed = 0; seed < 20; seed++) {
        pba_policy policies[COUNT][30], wanted = {.entries = 30};
        pba_population *population = run(
            make_selecting(PBA_SELECTION_NONE, COUNT, LENGTH, SPAN, seed), (int)seed % 4, policies);
        for (int i = 0; i < COUNT; i++) {
            memset(wanted.values, 0, sizeof wanted.values);
            for (int e = 0; e < LENGTH; e++) {
                if (e && e % SPAN == 0) {
                    rng stream =
                        rng_at(seed, RNG_EXPLORE, (uint32_t)i, (uint32_t)(e / SPAN - 1), 0);
                    population_explore(&wanted, 0.2, &stream);
                }
                assert_memory_equal(&policies[i][e], &wanted, sizeof wanted);
            }
        }
        int member;
        double error;
        pba_schedule *schedule;
        assert_ok(pba_population_best(population, &member, &error));
        assert_ok(pba_population_schedule(population, &schedule));
        assert_int_equal(pba_schedule_segments(schedule), (LENGTH - 1) / SPAN + 1);
        for (int e = 0; e < LENGTH; e++) {
            pba_policy policy;
            assert_ok(pba_schedule_at(schedule, e, &policy));
            assert_memory_equal(&policy, &policies[member][e], sizeof policy);
        }
        for (int i = 0; i < schedule->segment_count - 1; i++) {
            char name[16];
            snprintf(name, sizeof name, "%d", member);
            assert_string_equal(schedule->lineage[i].target, name);
            assert_string_equal(schedule->lineage[i].source, name);
        }
        pba_schedule_free(schedule);
        pba_population_free(population);
    }
}

/* The scores change nothing but who is best. */
static void test_drift_ignores_scores(void **state)
{
    pba_population *up = make_selecting(PBA_SELECTION_NONE, 4, 9, 3, 2);
    pba_population *down = make_selecting(PBA_SELECTION_NONE, 4, 9, 3, 2);
    int best[2];
    double error;
    for (int round = 0; round < 3; round++) {
        pba_task a[4], b[4];
        ask_all(up, a, 4, 3 * round, 3 * round + 3);
        ask_all(down, b, 4, 3 * round, 3 * round + 3);
        assert_memory_equal(a, b, sizeof a);
        tell_all(up, (double[]){.1, .2, .3, LOST}, 4);
        tell_all(down, (double[]){.4, .3, .2, .1}, 4);
    }
    assert_ok(pba_population_best(up, &best[0], &error));
    assert_ok(pba_population_best(down, &best[1], &error));
    assert_int_equal(best[0], 0);
    assert_int_equal(best[1], 3);
    pba_population_free(up);
    pba_population_free(down);
}

/* Sources are in the right half of a lineage: nobody is forgotten who is needed, and what is not
 * needed is forgotten. */
static void test_forgets(void **state)
{
    pba_population *population = run(make(8, 3000, 1, 3), 0, NULL);
    assert_true(population->event_count < 3100 && population->event_count > 500);
    pba_population_free(population);
}

static void test_serialize(void **state)
{
    for (int every = 1; every < 6; every++) {
        pba_population *plain = run(make(5, 20, 3, 9), 0, NULL);
        pba_population *broken = run(make(5, 20, 3, 9), every, NULL);
        char *a, *b;
        assert_ok(pba_population_to_json(plain, &a));
        assert_ok(pba_population_to_json(broken, &b));
        assert_string_equal(a, b);
        free(a);
        free(b);
        pba_population_free(plain);
        pba_population_free(broken);
    }
}

/* Members that were out are asked for again. */
static void test_out_again(void **state)
{
    pba_population *population = make(3, 6, 3, 1), *copy;
    pba_task tasks[3], again;
    ask_all(population, tasks, 3, 0, 3);
    assert_ok(pba_population_tell(population, 1, 0.5));
    char *text;
    assert_ok(pba_population_to_json(population, &text));
    assert_ok(pba_population_from_json(text, &copy));
    free(text);
    for (int i = 0; i < 3; i += 2) {
        assert_ok(pba_population_ask(copy, &again));
        assert_memory_equal(&again, &tasks[i], sizeof again);
    }
    assert_ok(pba_population_ask(copy, &again));
    assert_int_equal(again.kind, PBA_TASK_WAIT);
    pba_population_free(population);
    pba_population_free(copy);
}

static void refused(const char *text, const char *from, const char *to)
{
    char *changed = calloc(strlen(text) + strlen(to) + 1, 1);
    const char *place = strstr(text, from);
    assert_non_null(place);
    memcpy(changed, text, (size_t)(place - text));
    strcat(changed, to);
    strcat(changed, place + strlen(from));
    pba_population *population = NULL;
    pba_status status = pba_population_from_json(changed, &population);
    if (status != PBA_FORMAT || population) {
        fail_msg("'%s' instead of '%s' was read", to, from);
    }
    free(changed);
}

/* More than a policy has room for. */
static const char *many_ops(void)
{
    static char text[8 * (PBA_POLICY_MAX + 1) + 16];
    size_t used = (size_t)snprintf(text, sizeof text, "\"ops\": [");
    for (int i = 0; i <= PBA_POLICY_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "\"O%d\", ", i);
    }
    return text;
}

static void test_hostile(void **state)
{
    pba_population *population = make(4, 12, 3, 5);
    pba_task tasks[4];
    for (int round = 0; round < 2; round++) {
        ask_all(population, tasks, 4, 3 * round, 3 * round + 3);
        tell_all(population, (double[]){.1, .2, .3, .4}, 4);
    }
    char *text;
    assert_ok(pba_population_to_json(population, &text));
    pba_population_free(population);
    refused(text, "\"truncation\"", "\"roulette\"");
    refused(text, "\"truncation\"", "\"none\""); /* its copies cannot have happened then */
    refused(text, "\"version\": 1", "\"version\": 2");
    refused(text, "\"population\": 4", "\"population\": 5");
    refused(text, "\"population\": 4", "\"population\": 1");
    refused(text, "\"epochs\": 12", "\"epochs\": 1e9");
    refused(text, "\"interval\": 3", "\"interval\": 5");
    refused(text, "\"seed\": 5", "\"seed\": -5");
    refused(text, "\"quantile\": 0.25", "\"quantile\": 0.75");
    refused(text, "\"burn_in\": 0", "\"burn_in\": -1");
    refused(text, "\"burn_in\": 0", "\"burn_in\": 7"); /* it has copies of before that */
    refused(text, "\"copies\": 2", "\"copies\": 3");
    refused(text, "\"copies\": 2", "\"copies\": 200");
    refused(text, "\"Rotate\"", "\"TranslateX\"");
    refused(text, "\"Rotate\"", "7");
    refused(text, "\"round\": 2", "\"round\": 5");
    refused(text, "\"round\": 2", "\"round\": 4");
    refused(text, "\"round\": 2", "\"round\": 1");
    refused(text, "\"parent\": -1", "\"parent\": 0");
    refused(text, "\"parent\": -1", "\"parent\": -2");
    refused(text, "\"target\": 3", "\"target\": 0");
    refused(text, "\"target\": 3", "\"target\": 4");
    refused(text, "\"epoch\": 6", "\"epoch\": 7");
    refused(text, "\"epoch\": 6", "\"epoch\": 9");
    refused(text, "\"weights_from\": 0", "\"weights_from\": 4");
    refused(text, "\"event\": -1", "\"event\": 0");
    refused(text, "\"event\": -1", "\"event\": 1");
    refused(text, "\"error\": null", "\"error\": \"x\"");
    refused(text, "\"policy\": [", "\"policy\": [11,");
    refused(text, "]}", "");
    refused(text, "{", "[");
    refused(text, text, "[]"); /* the whole */
    refused(text, "\"ops\": [", many_ops());
    refused(text, "\"members\": [", "\"start\": [[1]], \"members\": [");
    /* Any single damaged byte is refused or gives a population that runs to its end. */
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++) {
        char held = text[i];
        text[i] ^= 1;
        if (text[i] && pba_population_from_json(text, &population) == PBA_OK) {
            if (population->options.epochs < 1000) {
                population = run(population, 0, NULL);
            }
            pba_population_free(population);
        }
        text[i] = held;
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exploit),   cmocka_unit_test(test_burn_in),
        cmocka_unit_test(test_warm),      cmocka_unit_test(test_warm_lineage),
        cmocka_unit_test(test_settled),   cmocka_unit_test(test_source_uniform),
        cmocka_unit_test(test_explore),   cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_misuse),    cmocka_unit_test(test_options),
        cmocka_unit_test(test_lineage),   cmocka_unit_test(test_forgets),
        cmocka_unit_test(test_drift),     cmocka_unit_test(test_drift_ignores_scores),
        cmocka_unit_test(test_serialize), cmocka_unit_test(test_out_again),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
