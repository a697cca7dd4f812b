/* SPDX-License-Identifier: Apache-2.0
 * What a watcher sees of runs in every state, and that it leaves no trace. How it is drawn is
 * check_watch.py's matter. */
#include "check.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/file.h"
#include "train/checkpoint.h"

static char folder[] = "/tmp/pba-test-watch-XXXXXX";

#include "scratch.h" /* in that folder */

static void put(const char *name, const char *text)
{
    assert_ok(file_write(at(name), text, strlen(text)));
}

static const char config[] = "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"search\", "
                             "\"build\": \"b\", \"settings\": {\"dataset\": \"demo\", "
                             "\"model\": \"wrn-10-1\", \"epochs\": \"8\", \"population\": \"4\", "
                             "\"interval\": \"3\", \"train-size\": \"500\"}}";

static char *score(int round, int member, const char *error)
{
    static char text[256];
    snprintf(text, sizeof text,
             "{\"type\":\"score\",\"round\":%d,\"member\":%d,\"epoch\":%d,\"error\":%s,"
             "\"val_loss\":1.5,\"train_loss\":1,\"train_accuracy\":0.75}\n",
             round, member, round < 2 ? 3 * round + 3 : 8, error);
    return text;
}

/* The policy: Rotate in both copies, and in the second one Cutout at the highest level. */
static char *copy(int round, int member, int source)
{
    static char text[512];
    int length = snprintf(text, sizeof text,
                          "{\"type\":\"exploit\",\"round\":%d,\"epoch\":%d,\"member\":%d,"
                          "\"source\":%d,\"policy\":[3,%d",
                          round, 3 * round + 3, member, source, round);
    for (int i = 1; i < 30; i++) {
        length += snprintf(text + length, sizeof text - (size_t)length, ",%d,%d",
                           i == 15   ? 8
                           : i == 28 ? 3
                                     : 0,
                           i == 28 ? 9 : 2);
    }
    snprintf(text + length, sizeof text - (size_t)length, "]}\n");
    return text;
}

/* Two rounds that have ended, and one score of the third. */
static void put_search(const char *run, const char *end)
{
    char text[8192] = "", path[64];
    static const char *const first[] = {"0.5", "0.4", "0.6", "null"};
    static const char *const second[] = {"0.45", "0.35", "0.3", "0.25"};
    assert_ok(file_make_folder(at(run)));
    for (int i = 0; i < 4; i++) {
        strcat(text, score(0, i, first[i]));
    }
    strcat(text, copy(0, 3, 1));
    for (int i = 0; i < 4; i++) {
        strcat(text, score(1, i, second[i]));
    }
    strcat(text, copy(1, 0, 3));
    strcat(text, score(2, 1, "0.2"));
    strcat(text, end);
    snprintf(path, sizeof path, "%s/config.json", run);
    put(path, config);
    snprintf(path, sizeof path, "%s/journal.jsonl", run);
    put(path, text);
}

static void members_are_told_of_as_they_are_now(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    put_search("one", "{\"type\":\"score\",\"rou"); /* torn */
    assert_ok(pba_watch_open(at("one"), &watch));
    assert_ok(pba_watch_look(watch, &picture));
    assert_true(picture->search);
    assert_int_equal(picture->state, PBA_RUN_STOPPED);
    assert_int_equal(picture->members, 4);
    assert_int_equal(picture->rounds, 3);
    assert_int_equal(picture->ended, 2);
    assert_int_equal(picture->scored, 1);
    assert_int_equal(picture->best, 3);
    assert_true(picture->best_error == 0.25);
    assert_true(fabs(picture->done - (8 * 3 + 2) / (4.0 * 8)) < 1e-9);

    /* The lowest error first; of equal ones the one that is nobody's copy of this round. */
    static const int order[] = {1, 3, 0, 2};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(picture->rows[i].member, order[i]);
    }
    const pba_watch_row *zero = &picture->rows[2], *one = &picture->rows[0],
                        *three = &picture->rows[1];
    assert_true(one->error == 0.2);
    assert_int_equal(one->epochs, 8);
    assert_int_equal(one->generation, 0);
    assert_int_equal(one->source, -1);
    assert_int_equal(one->copied, 1);
    assert_int_equal(one->op_count, 0);
    assert_int_equal(one->trend_count, 3);
    assert_true(one->trend[0] == 0.4 && one->trend[1] == 0.35 && one->trend[2] == 0.2);

    /* Member 3 copied member 1 after the first round: its own lost score is no part of it. */
    assert_int_equal(three->generation, 1);
    assert_int_equal(three->source, 1);
    assert_int_equal(three->copied, 1);
    assert_true(three->trend[0] == 0.4 && three->error == 0.25);

    /* Member 0 has member 3's network, and so member 1's of the first round. */
    assert_int_equal(zero->generation, 2);
    assert_int_equal(zero->source, 3);
    assert_true(zero->error == 0.25);
    assert_int_equal(zero->trend_count, 2);
    assert_true(zero->trend[0] == 0.4 && zero->trend[1] == 0.25);
    assert_int_equal(zero->op_count, 3);
    assert_string_equal(zero->ops[0].name, "Rotate");
    assert_int_equal(zero->ops[0].probability, 8);
    assert_int_equal(zero->ops[0].level, 2);
    assert_string_equal(zero->ops[1].name, "Cutout");
    assert_string_equal(zero->ops[2].name, "Rotate");
    assert_int_equal(zero->ops[2].level, 1);
    pba_watch_free(watch);
}

static void a_lost_member_is_the_last_that_has_a_score(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    put_search("lost", "");
    put("lost/journal.jsonl", score(0, 2, "null"));
    assert_ok(pba_watch_open(at("lost"), &watch));
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->best, -1);
    assert_int_equal(picture->rows[0].member, 2);
    assert_true(isinf(picture->rows[0].error));
    assert_int_equal(picture->rows[1].member, 0);
    assert_true(isnan(picture->rows[1].error));
    pba_watch_free(watch);
}

/* A warm start: policies from the first round on, before there is a schedule. */
static void a_policy_that_was_started_from(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    char text[1024], *policy = strstr(copy(0, 0, 0), "[3,");
    put_search("warm", "");
    snprintf(text, sizeof text, "{\"type\":\"start\",\"member\":2,\"policy\":%s%s", policy,
             score(0, 2, "0.5"));
    put("warm/journal.jsonl", text);
    assert_ok(pba_watch_open(at("warm"), &watch));
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->rows[0].member, 2);
    assert_int_equal(picture->rows[0].op_count, 3);
    assert_string_equal(picture->rows[0].ops[0].name, "Rotate");
    pba_watch_free(watch);
}

/* Going on while the journal is locked; the watcher itself keeps nobody from locking it. */
static void the_lock_tells_whether_it_goes_on(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    bool known;
    put_search("going", "");
    assert_ok(pba_watch_open(at("going"), &watch));
    int journal = open(at("going/journal.jsonl"), O_RDWR | O_APPEND);
    file_is_held(at("going/journal.jsonl"), &known);
    if (!known) {
        close(journal);
        pba_watch_free(watch);
        skip(); /* a system that does not tell */
    }
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->state, PBA_RUN_STOPPED);
    assert_ok(file_hold(journal, at("going/journal.jsonl")));
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->state, PBA_RUN_GOING);
    assert_int_equal(picture->scored, 1);
    assert_ok(file_append(journal, "journal", strtok(score(2, 0, "0.1"), "\n")));
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->scored, 2);
    assert_int_equal(picture->rows[0].member, 0);
    put("going/result.json", "{\"format\": \"pba-result\"}");
    put("going/schedule.json",
        "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": [\"Rotate\"], "
        "\"copies\": 1, \"epochs\": 8, \"segments\": [{\"epochs\": 8, \"policy\": [1, 2]}]}");
    /* Its operations are others than the journal's, which is damage, said; not a crash. */
    assert_int_equal(pba_watch_look(watch, &picture), PBA_FORMAT);
    assert_int_equal(unlink(at("going/result.json")), 0);
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->scored, 2);
    close(journal);
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->state, PBA_RUN_STOPPED);
    pba_watch_free(watch);
}

/* Two checkpoints ten seconds apart: three epochs in ten seconds, of 500 images each. */
static void the_pace_comes_from_checkpoints(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    char text[2048] = "";
    bool known;
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    put_search("pace", "");
    for (int i = 0; i < 4; i++) {
        strcat(text, score(0, i, "0.5"));
    }
    strcat(text, score(1, 0, "0.4"));
    put("pace/journal.jsonl", text);
    assert_ok(file_make_folder(at("pace/checkpoint")));
    put("pace/checkpoint/round-0000-member-0003", "");
    put("pace/checkpoint/round-0001-member-0000", "");
    times[1].tv_nsec = 0;
    times[1].tv_sec = 1000000000;
    utimensat(AT_FDCWD, at("pace/config.json"), times, 0);
    times[1].tv_sec = time(NULL) - 10;
    utimensat(AT_FDCWD, at("pace/checkpoint/round-0000-member-0003"), times, 0);
    utimensat(AT_FDCWD, at("pace/config.json"), times, 0);
    times[1].tv_sec += 10;
    utimensat(AT_FDCWD, at("pace/checkpoint/round-0001-member-0000"), times, 0);
    int journal = open(at("pace/journal.jsonl"), O_RDWR | O_APPEND);
    assert_ok(file_hold(journal, at("pace/journal.jsonl")));
    assert_ok(pba_watch_open(at("pace"), &watch));
    assert_ok(pba_watch_look(watch, &picture));
    file_is_held(at("pace/journal.jsonl"), &known);
    if (known) {
        assert_true(fabs(picture->epochs_per_second - 0.6) < 0.01);
        assert_true(fabs(picture->images_per_second - 300) < 5);
        assert_true(picture->seconds_left > 20 && picture->seconds_left < 29);
    }
    close(journal);
    pba_watch_free(watch);
}

static void what_is_no_run_is_refused(void **state)
{
    pba_watch *watch;
    assert_int_equal(pba_watch_open(at("nowhere"), &watch), PBA_NOT_FOUND);
    assert_ok(file_make_folder(at("empty")));
    assert_ok(file_make_folder(at("many")));
    assert_int_equal(pba_watch_open(at("empty"), &watch), PBA_NOT_FOUND);
    put_search("damaged", "");
    put("damaged/journal.jsonl", "{}\nnothing\n{}\n");
    assert_int_equal(pba_watch_open(at("damaged"), &watch), PBA_FORMAT);
    assert_null(watch);
    put("many/config.json", "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"train\", "
                            "\"build\": \"b\", \"settings\": {\"dataset\": \"demo\", "
                            "\"seeds\": \"many\"}}");
    assert_int_equal(pba_watch_open(at("many"), &watch), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "\"many\" is no number 1 to"));
}

static void networks_of_a_training_run(void **state)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    float block[16] = {0};
    checkpoint_place place = {.epoch = 7, .step = 4, .loss_sum = 2};
    assert_ok(file_make_folder(at("train/checkpoint")));
    put("train/config.json", "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"train\", "
                             "\"build\": \"b\", \"settings\": {\"dataset\": \"demo\", \"model\": "
                             "\"wrn-10-1\", \"epochs\": \"10\", \"seed\": \"5\", \"seeds\": "
                             "\"3\"}}");
    put("train/checkpoint/seed-6.json", "{\"seed\": 6, \"test_error\": 0.25, \"train_accuracy\": "
                                        "0.9, \"train_loss\": 0.3, \"seconds\": 12}");
    assert_ok(checkpoint_write(at("train/checkpoint/seed-7"), NULL, block, 16, &place));
    assert_ok(pba_watch_open(at("train"), &watch));
    assert_ok(pba_watch_look(watch, &picture));
    assert_false(picture->search);
    assert_int_equal(picture->state, PBA_RUN_STOPPED);
    assert_int_equal(picture->members, 3);
    assert_true(picture->best_error == 0.25);
    assert_true(fabs(picture->done - 17 / 30.0) < 1e-9);
    assert_true(isnan(picture->rows[0].error) && picture->rows[0].epochs == 0);
    assert_true(picture->rows[1].seed == 6 && picture->rows[1].error == 0.25);
    assert_true(picture->rows[1].loss == 0.3 && picture->rows[1].epochs == 10);
    assert_true(picture->rows[2].epochs == 7 && picture->rows[2].loss == 0.5);
    put("train/checkpoint/seed-7", "no checkpoint");
    assert_ok(pba_watch_look(watch, &picture));
    assert_int_equal(picture->rows[2].epochs, 0);
    pba_watch_free(watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_told_of_as_they_are_now),
        cmocka_unit_test(a_lost_member_is_the_last_that_has_a_score),
        cmocka_unit_test(a_policy_that_was_started_from),
        cmocka_unit_test(the_lock_tells_whether_it_goes_on),
        cmocka_unit_test(the_pace_comes_from_checkpoints),
        cmocka_unit_test(what_is_no_run_is_refused),
        cmocka_unit_test(networks_of_a_training_run),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
