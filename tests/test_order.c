/* SPDX-License-Identifier: Apache-2.0
 * The orders that a schedule may be put into, property by property. */
#include "check.h"

#include <string.h>

#include "augment/space.h"
#include "schedule/schedule.h"
#include "train/order.h"

enum { SEGMENTS = 7, EPOCHS = 40 };

/* Segments of different lengths, one of them empty, each with a policy of its own. */
static pba_schedule *make_schedule(void)
{
    static const int lengths[SEGMENTS] = {4, 9, 1, 0, 14, 7, 5};
    pba_schedule *schedule;
    assert_ok(schedule_create(augment_space_pba.ops, 15, 2, &schedule));
    for (int i = 0; i < SEGMENTS; i++) {
        pba_policy policy = {.entries = 30};
        memset(policy.values, i + 1, 60);
        schedule_event event = {.target = "1", .source = "0", .source_epoch = schedule->epochs};
        assert_ok(schedule_append(schedule, lengths[i], &policy, i ? &event : NULL));
    }
    assert_int_equal(schedule->epochs, EPOCHS);
    return schedule;
}

static augment_choice choose(pba_schedule *schedule)
{
    augment_choice choice = {.schedule = schedule};
    for (size_t i = 0; (choice.kind = augment_kind_at(i)) && choice.kind->name; i++) {
    }
    return choice; /* the kind of schedules has no name */
}

/* The policies of all epochs. */
static void run(const char *name, const augment_choice *choice, uint64_t seed, int epochs,
                pba_policy *policies)
{
    order_policies own;
    assert_ok(order_begin(order_find(name), choice, seed, epochs, &own));
    for (int e = 0; e < epochs; e++) {
        trainer_epoch epoch = {.seed = seed, .epoch = e, .epochs = epochs};
        assert_ok(order_epoch(&own, &epoch));
        assert_non_null(epoch.policy);
        assert_null(epoch.pool);
        assert_int_equal(epoch.policy->entries, 30);
        policies[e] = *epoch.policy;
    }
    order_end(&own);
}

static bool same(const pba_policy *a, const pba_policy *b)
{
    return a->entries == b->entries && !memcmp(a->values, b->values, 2 * (size_t)a->entries);
}

static void in_order_is_the_stretched_schedule(void **state)
{
    static const int lengths[] = {1, 17, EPOCHS, 100};
    pba_schedule *found = make_schedule();
    augment_choice choice = choose(found);
    for (int i = 0; i < 4; i++) {
        pba_policy policies[100], at;
        run("in-order", &choice, 3, lengths[i], policies);
        for (int e = 0; e < lengths[i]; e++) {
            assert_ok(pba_schedule_at(found, e * EPOCHS / lengths[i], &at));
            assert_true(same(&at, &policies[e]));
        }
    }
    augment_choice_free(&choice);
}

static void last_holds_throughout(void **state)
{
    augment_choice choice = choose(make_schedule());
    pba_policy policies[EPOCHS];
    run("last", &choice, 3, EPOCHS, policies);
    for (int e = 0; e < EPOCHS; e++) {
        assert_int_equal(policies[e].values[0], SEGMENTS);
        assert_true(same(&policies[0], &policies[e]));
    }
    augment_choice_free(&choice);
}

/* Runs of equal policies: their lengths, by the segment that the policy tells. */
static int measure_runs(const pba_policy *policies, int lengths[SEGMENTS], int first[SEGMENTS])
{
    int runs = 0;
    memset(lengths, 0, SEGMENTS * sizeof *lengths);
    for (int e = 0; e < EPOCHS; e++) {
        int segment = policies[e].values[0] - 1;
        if (!lengths[segment]++) {
            first[segment] = e;
            runs++;
        } else {
            assert_true(same(&policies[e], &policies[e - 1])); /* in one piece */
        }
    }
    return runs;
}

static void shuffled_keeps_segments_whole(void **state)
{
    static const int wanted[SEGMENTS] = {4, 9, 1, 0, 14, 7, 5};
    augment_choice choice = choose(make_schedule());
    int moved = 0, leads[SEGMENTS] = {0};
    for (uint64_t seed = 0; seed < 300; seed++) {
        pba_policy policies[EPOCHS], again[EPOCHS];
        int lengths[SEGMENTS], first[SEGMENTS];
        run("shuffled", &choice, seed, EPOCHS, policies);
        run("shuffled", &choice, seed, EPOCHS, again);
        assert_memory_equal(policies, again, sizeof policies);
        assert_int_equal(measure_runs(policies, lengths, first), SEGMENTS - 1);
        assert_memory_equal(lengths, wanted, sizeof wanted);
        moved += first[0] != 0 || first[1] != 4 || first[2] != 13 || first[4] != 14;
        leads[policies[0].values[0] - 1]++;
    }
    assert_true(moved > 290);
    for (int i = 0; i < SEGMENTS; i++) { /* an empty one does not show; the others lead alike */
        assert_in_range(leads[i], wanted[i] ? 30 : 0, wanted[i] ? 80 : 0);
    }
    augment_choice_free(&choice);
}

/* Every image of every epoch gets the policy of an epoch, each as likely as another. */
static void flattened_draws_for_each_image(void **state)
{
    static const int lengths[SEGMENTS] = {4, 9, 1, 0, 14, 7, 5};
    augment_choice choice = choose(make_schedule());
    order_policies own;
    int seen[SEGMENTS] = {0}, draws = 0, changes = 0;
    assert_ok(order_begin(order_find("flattened"), &choice, 3, 10, &own));
    for (int e = 0; e < 10; e++) {
        trainer_epoch epoch = {.seed = 3, .epoch = e, .epochs = 10};
        assert_ok(order_epoch(&own, &epoch));
        assert_null(epoch.policy);
        assert_ptr_equal(epoch.pool, choice.schedule);
        for (uint32_t image = 0; image < 2000; image++, draws++) {
            pipeline_key key = {3, 0, (uint32_t)e}, later = {3, 0, (uint32_t)e + 1};
            pba_policy policy = order_pick(epoch.pool, key, image);
            pba_policy again = order_pick(epoch.pool, key, image);
            pba_policy next = order_pick(epoch.pool, later, image);
            assert_true(same(&policy, &again));
            changes += !same(&policy, &next);
            seen[policy.values[0] - 1]++;
        }
    }
    for (int i = 0; i < SEGMENTS; i++) {
        int wanted = draws * lengths[i] / EPOCHS;
        assert_in_range(seen[i], wanted - wanted / 10, wanted + wanted / 10);
    }
    assert_true(changes > draws / 2);
    order_end(&own);
    augment_choice_free(&choice);
}

/* The same policy as that of the kind "random", and another for another seed. */
static void random_policy_is_one(void **state)
{
    augment_choice choice = choose(make_schedule());
    pba_policy policies[EPOCHS], others[EPOCHS], wanted = augment_random_policy(3, 0, 30);
    run("random-policy", &choice, 3, EPOCHS, policies);
    run("random-policy", &choice, 4, EPOCHS, others);
    for (int e = 0; e < EPOCHS; e++) {
        assert_true(same(&policies[e], &wanted));
        assert_false(same(&policies[e], &others[e]));
    }
    augment_choice_free(&choice);
    choice = (augment_choice){0};
    assert_ok(augment_choice_parse("random", &choice));
    run("in-order", &choice, 3, EPOCHS, others);
    assert_memory_equal(policies, others, sizeof policies);
    augment_choice_free(&choice);
}

static void random_schedule_keeps_lengths_alone(void **state)
{
    pba_schedule *found = make_schedule();
    augment_choice choice = choose(found);
    pba_policy policies[EPOCHS], again[EPOCHS], others[EPOCHS], a, b;
    run("random-schedule", &choice, 3, EPOCHS, policies);
    run("random-schedule", &choice, 3, EPOCHS, again);
    run("random-schedule", &choice, 4, EPOCHS, others);
    assert_memory_equal(policies, again, sizeof policies);
    for (int e = 1; e < EPOCHS; e++) {
        assert_ok(pba_schedule_at(found, e - 1, &a));
        assert_ok(pba_schedule_at(found, e, &b));
        assert_true(same(&policies[e - 1], &policies[e]) == same(&a, &b));
        assert_false(same(&policies[e], &b));
        assert_false(same(&policies[e], &others[e]));
    }
    augment_choice_free(&choice);
}

static void kinds_without_a_schedule_bring_no_policy(void **state)
{
    static const char *const kinds[] = {"none", "baseline", "trivialaugment"};
    for (int i = 0; i < 3; i++) {
        augment_choice choice;
        order_policies own;
        trainer_epoch epoch = {.epochs = 1};
        assert_ok(augment_choice_parse(kinds[i], &choice));
        assert_ok(order_begin(order_at(0), &choice, 3, 1, &own));
        assert_ok(order_epoch(&own, &epoch));
        assert_null(epoch.policy);
        assert_null(epoch.pool);
        order_end(&own);
        augment_choice_free(&choice);
    }
}

static void names_are_those_of_the_option(void **state)
{
    char names[256] = "";
    for (size_t i = 0; order_at(i); i++) {
        strcat(strcat(names, i ? "|" : ""), order_at(i)->name);
        assert_ptr_equal(order_find(order_at(i)->name), order_at(i));
        assert_true(*order_at(i)->sentence);
    }
    assert_string_equal(names, ORDER_NAMES);
    assert_null(order_find("backwards"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order_is_the_stretched_schedule),
        cmocka_unit_test(last_holds_throughout),
        cmocka_unit_test(shuffled_keeps_segments_whole),
        cmocka_unit_test(flattened_draws_for_each_image),
        cmocka_unit_test(random_policy_is_one),
        cmocka_unit_test(random_schedule_keeps_lengths_alone),
        cmocka_unit_test(kinds_without_a_schedule_bring_no_policy),
        cmocka_unit_test(names_are_those_of_the_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
