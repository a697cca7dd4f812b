/* SPDX-License-Identifier: Apache-2.0
 * Schedules: both file formats, their refusals, and stretching. The published files are read where
 * PBA_TEST_DATA names a folder with schedules/; synthetic logs keep the tests whole without it. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "schedule/schedule.h"

static char folder[64];

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-schedule-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* A path in the test's folder; sixteen are valid at a time. */
static const char *at(const char *name)
{
    static char paths[16][PBA_PATH_MAX];
    static int next;
    char *path = paths[next++ % 16];
    assert_ok(file_join(path, folder, name));
    return path;
}

static const char *put(const char *name, const char *text)
{
    const char *path = at(name);
    assert_ok(file_write(path, text, strlen(text)));
    return path;
}

static char *get(const char *path)
{
    char *text;
    size_t size;
    assert_ok(file_read(path, 1 << 20, &text, &size));
    return text;
}

/* A policy all of whose probabilities are p and levels m, as "p, m, p, m ...". */
static const char *flat(int p, int m)
{
    static char texts[16][512];
    static int next;
    char *text = texts[next++ % 16];
    *text = 0;
    for (int i = 0; i < 30; i++) {
        sprintf(text + strlen(text), "%s%d, %d", i ? ", " : "", p, m);
    }
    return text;
}

/* Loading fails with this status and a message that holds both texts. */
static void refused(const char *path, int epochs, pba_status status, const char *a, const char *b)
{
    pba_schedule *schedule = NULL;
    pba_status got = pba_schedule_load(path, epochs, &schedule);
    const char *message = pba_error_message();
    if (got != status || schedule || !strstr(message, a) || !strstr(message, b) ||
        !strstr(message, path)) {
        fail_msg("status %s, message: %s (wanted %s, '%s', '%s')", pba_status_name(got), message,
                 pba_status_name(status), a, b);
    }
}

static void check_lengths(const pba_schedule *schedule, const int *lengths, int count)
{
    assert_int_equal(pba_schedule_segments(schedule), count);
    int sum = 0;
    for (int i = 0; i < count; i++) {
        int epochs;
        pba_policy policy;
        assert_ok(pba_schedule_segment(schedule, i, &epochs, &policy));
        assert_int_equal(epochs, lengths[i]);
        assert_int_equal(policy.entries, 30);
        sum += epochs;
    }
    assert_int_equal(pba_schedule_epochs(schedule), sum);
}

/* ---------------------------------------------------------------------- log */

static const char *sample_log(char *text)
{
    sprintf(text, "['9', '8', 3, 4, [%s], [%s]]\n['a b', '9', 6, 6, [%s], [%s]]\n", flat(0, 0),
            flat(1, 2), flat(1, 2), flat(10, 9));
    return text;
}

static void test_log_dialects(void **state)
{
    char text[4096];
    const char *names[] = {"python-list", "python-object", "json-list", "json-object", "python2"};
    sample_log(text);
    put(names[0], text);
    sprintf(text,
            "['9', '8', 3, 4, {'x': None, 'hp_policy': [%s]}, {'hp_policy': [%s], 'y': True}]\n\n"
            "['a b', '9', 6, 6, {'hp_policy': [%s]}, {'hp_policy': [%s], 's': \"it's\"}]",
            flat(0, 0), flat(1, 2), flat(1, 2), flat(10, 9));
    put(names[1], text);
    sprintf(text, "[\"9\", \"8\", 3, 4, [%s], [%s]]\r\n[\"a b\",\"9\",6,6,[%s], [%s]]\r\n",
            flat(0, 0), flat(1, 2), flat(1, 2), flat(10, 9));
    put(names[2], text);
    sprintf(text,
            "[\"9\", \"8\", 3, 4, {\"no_aug\": false, \"hp_policy\": [%s]}, {\"hp_policy\": [%s], "
            "\"s\": \"say \\\"it's\\\"\"}]\n[\"a b\", \"9\", 6, 6, {\"hp_policy\": [%s]}, "
            "{\"hp_policy\": [%s]}]\n",
            flat(0, 0), flat(1, 2), flat(1, 2), flat(10, 9));
    put(names[3], text);
    sprintf(text, "[u'9', u'8', 3, 4, [%s], [%s]]\n[u'a b', u'9', 6, 6, [%s], [%s]]\n", flat(0, 0),
            flat(1, 2), flat(1, 2), flat(10, 9));
    put(names[4], text);
    for (int i = 0; i < 5; i++) {
        pba_schedule *schedule;
        assert_ok(pba_schedule_load(at(names[i]), 10, &schedule));
        check_lengths(schedule, (int[]){4, 2, 4}, 3);
        pba_policy policy;
        const int wanted[] = {0, 0, 0, 0, 1, 1, 10, 10, 10, 10};
        for (int epoch = 0; epoch < 10; epoch++) {
            assert_ok(pba_schedule_at(schedule, epoch, &policy));
            assert_int_equal(policy.values[58], wanted[epoch]);
        }
        assert_ok(pba_schedule_save(schedule, at("back.txt")));
        pba_schedule_free(schedule);
        char *back = get(at("back.txt"));
        assert_string_equal(back, sample_log(text));
        free(back);
    }
}

/* log -> json -> log is equal, byte for byte. */
static void round_trip(const char *log, int epochs)
{
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(log, epochs, &schedule));
    assert_ok(pba_schedule_save(schedule, at("s.json")));
    pba_schedule_free(schedule);
    assert_ok(pba_schedule_load(at("s.json"), 0, &schedule));
    assert_ok(pba_schedule_save(schedule, at("again.txt")));
    assert_ok(pba_schedule_save(schedule, at("again.json")));
    pba_schedule_free(schedule);
    const char *pairs[2][2] = {{log, "again.txt"}, {"s.json", "again.json"}};
    for (int i = 0; i < 2; i++) {
        char *first = get(i ? at(pairs[i][0]) : log), *second = get(at(pairs[i][1]));
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void test_round_trip(void **state)
{
    char text[4096];
    round_trip(put("log.txt", sample_log(text)), 6);
    round_trip(at("log.txt"), 10);
}

static void test_log_chain(void **state)
{
    char text[8192];
    /* Two breaks: lines 1 to 3 go. A segment of no length stays. */
    sprintf(text,
            "['1', '0', 90, 90, [%s], [%s]]\n['3', '2', 2, 2, [%s], [%s]]\n"
            "['4', '3', 2, 1, [%s], [%s]]\n['6', '5', 3, 3, [%s], [%s]]\n"
            "['7', '6', 3, 3, [%s], [%s]]\n",
            flat(1, 1), flat(1, 1), flat(1, 1), flat(1, 1), flat(1, 1), flat(1, 1), flat(2, 0),
            flat(3, 0), flat(3, 0), flat(4, 0));
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(put("chain.txt", text), 8, &schedule));
    check_lengths(schedule, (int[]){3, 0, 5}, 3);
    pba_policy policy;
    assert_ok(pba_schedule_at(schedule, 3, &policy));
    assert_int_equal(policy.values[0], 4);
    pba_schedule_free(schedule);
}

static void log_refused(const char *format, const char *what, int epochs, const char *a,
                        const char *b)
{
    char text[4096];
    sprintf(text, format, what, flat(0, 0), flat(1, 1));
    refused(put("bad.txt", text), epochs, PBA_FORMAT, a, b);
}

static void test_log_refused(void **state)
{
    char text[4096];
    sample_log(text);
    put("good.txt", text);
    refused(at("good.txt"), 0, PBA_USAGE, "--epochs N", "how many epochs");
    refused(at("good.txt"), 5, PBA_FORMAT, "line 2", "6, but");
    pba_schedule *schedule;
    assert_int_equal(pba_schedule_load(at("good.txt"), -1, &schedule), PBA_USAGE);
    assert_int_equal(pba_schedule_load(at("absent.txt"), 5, &schedule), PBA_NOT_FOUND);
    sprintf(text, "['1', '0', 5, 5, [%s], [%s]]\n['2', '1', 4, 4, [%s], [%s]]", flat(0, 0),
            flat(0, 0), flat(0, 0), flat(0, 0));
    refused(put("back.txt", text), 9, PBA_FORMAT, "line 2", "go back from 5 to 4");
    log_refused("['1', '0', %s, 5, [%s], [%s]]", "-1", 9, "line 1", "target epochs");
    log_refused("['1', '0', 5, %s, [%s], [%s]]", "1.5", 9, "line 1", "source epochs");
    log_refused("['1', %s, 5, 5, [%s], [%s]]", "3", 9, "line 1", "source");
    log_refused("['1', %s, 5, 5, [%s], [%s]]", "'a\\'b'", 9, "line 1", "source");
    log_refused("['1', '0', 5, 5, [%s, %s], [%s]]", "1, 1", 9, "line 1", "62 integers");
    log_refused("[%s'1', '0', 5, 5, [%s], [%s]]", "'x', ", 9, "line 1", "list of 6");
    log_refused("['1', '0', 5, 5, %s[%s], [%s]", "", 9, "line 1", "neither JSON nor");
    log_refused("['1', '0', 5, 5, %s[%s], [%s]] x", "", 9, "line 1", "neither JSON nor");
    log_refused("['1', '0', 5, 5, {'hp': %s [%s]}, [%s]]", "", 9, "old policy", "no list");
    log_refused("['1', '%s, 0, 5, 5, [%s], [%s]]", "", 9, "line 1", "neither JSON nor");
    refused(put("short.txt", "['1', '0', 1, 1, [1, 2], [3]]"), 9, PBA_FORMAT, "2 integers", "60");
    refused(put("none.txt", " \n"), 9, PBA_FORMAT, "neither", "log");
    refused(put("text.txt", "hello"), 9, PBA_FORMAT, "neither", "log");
    sprintf(text, "['1', '0', 1, 1, [%s], [%s]]", flat(11, 0), flat(0, 0));
    refused(put("p.txt", text), 9, PBA_FORMAT, "entry 0 (Rotate): probability 11", "0..10");
    sprintf(text, "['1', '0', 1, 1, [%s], [%s]]", flat(0, 0), flat(0, 10));
    refused(put("m.txt", text), 9, PBA_FORMAT, "new policy", "entry 0 (Rotate): level 10");
    assert_ok(file_write(at("zero.txt"), "[1\0]", 4));
    refused(at("zero.txt"), 9, PBA_FORMAT, "zero byte", "2");
}

/* --------------------------------------------------------------------- json */

static const char head[] = "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\",\n"
                           "\"ops\": [\"Invert\", \"Own_op-2\"], \"copies\": 2, ";

static void json_refused(const char *rest, const char *a, const char *b)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s", head, rest);
    refused(put("bad.json", text), 0, PBA_FORMAT, a, b);
}

static void test_json(void **state)
{
    char text[4096];
    snprintf(text, sizeof text,
             "%s\"epochs\": 5, \"segments\": [{\"epochs\": 2, \"policy\": [0,1,2,3,4,5,6,7]}, "
             "{\"epochs\": 3, \"policy\": [10,9,0,0,0,0,0,0]}], \"source\": {\"seed\": "
             "\"18446744073709551615\", \"val_error\": 0.1, \"dataset\": \"caf\\u00e9\"}}",
             head);
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(put("ok.json", text), 0, &schedule));
    assert_int_equal(pba_schedule_epochs(schedule), 5);
    assert_int_equal(pba_schedule_op_count(schedule), 2);
    assert_string_equal(pba_schedule_op(schedule, 1), "Own_op-2");
    assert_null(pba_schedule_op(schedule, 2));
    pba_policy policy;
    assert_int_equal(pba_schedule_at(schedule, 5, &policy), PBA_USAGE);
    int epochs;
    assert_int_equal(pba_schedule_segment(schedule, 2, &epochs, &policy), PBA_USAGE);
    assert_int_equal(pba_schedule_save(schedule, at("x.txt")), PBA_UNSUPPORTED);
    assert_false(file_exists(at("x.txt")));
    assert_ok(pba_schedule_save(schedule, at("x.json")));
    pba_schedule_free(schedule);
    char *written = get(at("x.json"));
    assert_non_null(
        strstr(written, "\n  {\"epochs\": 3, \"policy\": [10, 9, 0, 0, 0, 0, 0, 0]}\n"));
    assert_non_null(strstr(written, "\"seed\": \"18446744073709551615\""));
    assert_non_null(strstr(written, "\"val_error\": 0.1}"));
    assert_non_null(strstr(written, "caf\xc3\xa9"));
    free(written);
}

#define SEGMENT "{\"epochs\": 5, \"policy\": [0,1,2,3,4,5,6,7]}"

static void test_json_refused(void **state)
{
    refused(put("a.json", "{\n\"format\": \"x\",\n]"), 0, PBA_FORMAT, "line 3, column", "");
    refused(put("a.json", "{\"format\": \"x\", \"format\": \"x\"}"), 0, PBA_FORMAT, "line 1",
            "duplicate");
    refused(put("a.json", "{\"format\": \"x\", \"version\": 1}"), 0, PBA_FORMAT, "'format'",
            "not \"pba-schedule\"");
    refused(put("a.json", "{\"format\": \"pba-schedule\", \"version\": 2}"), 0, PBA_FORMAT,
            "version 2 is newer than this program reads (1)", "update pba");
    refused(put("a.json", "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"x\", "
                          "\"ops\": [], \"copies\": 1}"),
            0, PBA_FORMAT, "'space'", "unknown");
    refused(put("a.json", "{}"), 0, PBA_FORMAT, "'format'", "missing");
    refused(put("a.json", "{\"format\": 7}"), 0, PBA_FORMAT, "'format'", "must be a text");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT "], \"more\": 1}", "'more'", "unknown");
    json_refused("\"epochs\": 6, \"segments\": [" SEGMENT "]}", "'epochs': 6", "add up to 5");
    json_refused("\"epochs\": 5, \"segments\": []}", "'segments'", "0 segments");
    json_refused("\"epochs\": 5, \"segments\": [3]}", "segment 0", "no object");
    json_refused("\"epochs\": 5, \"segments\": 3}", "'segments'", "list");
    json_refused("\"epochs\": \"5\", \"segments\": [" SEGMENT "]}", "'epochs'", "integer");
    json_refused("\"epochs\": 5, \"segments\": [{\"epochs\": -1, \"policy\": []}]}", "segment 0",
                 "-1 is outside");
    json_refused("\"epochs\": 5, \"segments\": [{\"epochs\": 99999999999, \"policy\": []}]}",
                 "segment 0", "outside");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT
                 ", {\"epochs\": 1000000, \"policy\": [0,0,0,0,0,0,0,0]}]}",
                 "segment 1", "at most 1000000");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT
                 ", {\"epochs\": 1, \"policy\": [0,0,0,0,0,0,0]}]}",
                 "segment 1", "7 integers; 8");
    json_refused("\"epochs\": 5, \"segments\": [{\"epochs\": 5, \"policy\": [0,0,0,0,0,10,0,0]}]}",
                 "segment 0: entry 2 (Invert): level 10", "0..9");
    json_refused("\"epochs\": 5, \"segments\": [{\"epochs\": 5, \"policy\": [0,0,0,0,0,0,11,0]}]}",
                 "entry 3 (Own_op-2): probability 11", "0..10");
    json_refused("\"epochs\": 5, \"segments\": [{\"epochs\": 5, \"policy\": [0,0,0,0,0,0,1.0,0]}]}",
                 "entry 3", "no integer");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT "], \"lineage\": [1]}", "'lineage'",
                 "0 events");
    json_refused("\"epochs\": 10, \"segments\": [" SEGMENT "," SEGMENT "], \"lineage\": [{\"target"
                 "\": \"1\", \"source\": \"2\", \"target_epoch\": 5, \"source_epoch\": 4}]}",
                 "segment 1: lineage: source_epoch 4", "epoch 5");
    json_refused("\"epochs\": 10, \"segments\": [" SEGMENT "," SEGMENT "], \"lineage\": [{\"target"
                 "\": \"\", \"source\": \"2\", \"target_epoch\": 5, \"source_epoch\": 5}]}",
                 "segment 1: lineage", "name");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT "], \"source\": {\"seed\": -1}}",
                 "'source'", "'seed'");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT "], \"source\": {\"seed\": "
                 "\"18446744073709551616\"}}",
                 "'source'", "'seed'");
    json_refused("\"epochs\": 5, \"segments\": [" SEGMENT "], \"source\": []}", "'source'",
                 "object");
    const char *ops[][3] = {{"[\"A\", \"A\"]", "2", "named twice"}, {"[]", "2", "0 operations"},
                            {"[\"A\", 3]", "2", "item 1"},          {"[\"A b\"]", "2", "no name"},
                            {"[\"A\"]", "0", "'copies'"},           {"[\"A\"]", "129", "'copies'"},
                            {"[\"A\", \"B\"]", "65", "1 to 128"}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": %s, "
                 "\"copies\": %s, \"epochs\": 5, \"segments\": []}",
                 ops[i][0], ops[i][1]);
        refused(put("ops.json", text), 0, PBA_FORMAT, ops[i][2], "");
    }
    char text[4096];
    sample_log(text);
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(put("l.txt", text), 9, &schedule));
    assert_ok(pba_schedule_save(schedule, at("l.json")));
    pba_schedule_free(schedule);
    refused(at("l.json"), 9, PBA_USAGE, "leave out --epochs", "");
}

/* Every prefix of a valid file, and the file with every byte changed, is read or refused. */
static void test_damage(void **state)
{
    char text[4096];
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(put("d.txt", sample_log(text)), 9, &schedule));
    assert_ok(pba_schedule_save(schedule, at("d.json")));
    pba_schedule_free(schedule);
    const char *names[] = {"d.txt", "d.json"};
    for (int f = 0; f < 2; f++) {
        char *whole = get(at(names[f]));
        size_t size = strlen(whole);
        for (size_t i = 0; i < size; i++) {
            pba_status status;
            char held = whole[i];
            whole[i] = 0;
            status = f ? schedule_json_read("x", whole, i, &schedule)
                       : schedule_log_read("x", whole, 9, &schedule);
            if (status == PBA_OK) {
                pba_schedule_free(schedule);
            }
            whole[i] = held ^ 5;
            status = f ? schedule_json_read("x", whole, size, &schedule)
                       : schedule_log_read("x", whole, 9, &schedule);
            if (status == PBA_OK) {
                pba_schedule_free(schedule);
            }
            whole[i] = held;
        }
        free(whole);
    }
}

/* -------------------------------------------------------- built and stretched */

static void test_constant(void **state)
{
    pba_policy policy = {.entries = 30, .values = {3, 4}};
    pba_schedule *schedule;
    assert_ok(pba_schedule_constant(&policy, schedule_pba_ops, 15, 7, &schedule));
    check_lengths(schedule, (int[]){7}, 1);
    assert_ok(pba_schedule_save(schedule, at("c.txt")));
    pba_schedule_free(schedule);
    assert_ok(pba_schedule_load(at("c.txt"), 7, &schedule));
    check_lengths(schedule, (int[]){7, 0}, 2);
    pba_schedule_free(schedule);
    assert_int_equal(pba_schedule_constant(&policy, schedule_pba_ops, 15, 0, &schedule), PBA_USAGE);
    assert_int_equal(pba_schedule_constant(&policy, schedule_pba_ops, 14, 7, &schedule), PBA_USAGE);
    policy.values[1] = 10;
    assert_int_equal(pba_schedule_constant(&policy, schedule_pba_ops, 15, 7, &schedule), PBA_USAGE);
}

static const int rcifar10[17] = {12, 22, 20, 20, 1, 6, 3, 27, 6, 21, 6, 9, 7, 17, 6, 12, 5};

static pba_schedule *of_lengths(const int *lengths, int count)
{
    pba_schedule *schedule;
    assert_ok(schedule_create(schedule_pba_ops, 15, 2, &schedule));
    for (int i = 0; i < count; i++) {
        pba_policy policy = {.entries = 30, .values = {(uint8_t)(i % 11), (uint8_t)(i / 11)}};
        assert_ok(schedule_append(schedule, lengths[i], &policy, NULL));
    }
    return schedule;
}

/* The floating-point rule of the reference is short of an epoch at 29, 57, 113 of 200: integers
 * are not. */
static void test_stretch_reference(void **state)
{
    pba_schedule *schedule = of_lengths(rcifar10, 17), *half;
    assert_ok(pba_schedule_stretch_reference(schedule, 100, &half));
    check_lengths(half, (int[]){6, 11, 10, 10, 0, 3, 1, 13, 3, 10, 3, 4, 3, 8, 3, 6, 2 + 4}, 17);
    pba_schedule_free(half);
    for (int epochs = 1; epochs <= 401; epochs++) {
        assert_ok(pba_schedule_stretch_reference(schedule, epochs, &half));
        assert_int_equal(pba_schedule_epochs(half), epochs);
        for (int i = 0; i < 16; i++) {
            assert_int_equal(half->segments[i].epochs, rcifar10[i] * epochs / 200);
        }
        pba_schedule_free(half);
    }
    pba_schedule_free(schedule);
}

static void test_stretch(void **state)
{
    pba_schedule *schedule = of_lengths(rcifar10, 17), *other;
    const int epochs[] = {1, 2, 29, 57, 60, 100, 113, 199, 200, 201, 400, 1800};
    for (size_t i = 0; i < sizeof epochs / sizeof *epochs; i++) {
        assert_ok(pba_schedule_stretch(schedule, epochs[i], &other));
        assert_int_equal(pba_schedule_epochs(other), epochs[i]);
        assert_int_equal(pba_schedule_segments(other), 17);
        for (int e = 0; e < epochs[i]; e++) {
            pba_policy wanted, got;
            assert_ok(pba_schedule_at(schedule, e * 200 / epochs[i], &wanted));
            assert_ok(pba_schedule_at(other, e, &got));
            assert_memory_equal(&wanted, &got, sizeof got);
        }
        pba_schedule_free(other);
    }
    assert_int_equal(pba_schedule_stretch(schedule, 0, &other), PBA_USAGE);
    assert_int_equal(pba_schedule_stretch(schedule, 1000001, &other), PBA_USAGE);
    pba_schedule_free(schedule);
}

/* Numbers are the same text in every locale and as short as they can be. */
static void test_source(void **state)
{
    pba_schedule *schedule = of_lengths((int[]){1}, 1), *back;
    schedule->source = (schedule_source){.known = true,
                                         .model = "wrn-16-1",
                                         .dataset = "a \"b\"",
                                         .seed = 7,
                                         .population = 4,
                                         .interval = 3,
                                         .pixel_scale = 1,
                                         .val_error = 2.0 / 3};
    assert_ok(pba_schedule_save(schedule, at("source.json")));
    char *text = get(at("source.json"));
    assert_non_null(strstr(text, "\n \"source\": {\"dataset\": \"a \\\"b\\\"\", \"model\": "
                                 "\"wrn-16-1\", \"seed\": 7, \"population\": 4, \"interval\": 3, "
                                 "\"pixel_scale\": 1.0, \"val_error\": 0.6666666666666666}\n}\n"));
    free(text);
    assert_ok(pba_schedule_load(at("source.json"), 0, &back));
    assert_memory_equal(&back->source, &schedule->source, sizeof back->source);
    pba_schedule_free(schedule);
    pba_schedule_free(back);
}

static void test_published(void **state)
{
    const char *data = getenv("PBA_TEST_DATA");
    if (!data) {
        skip();
    }
    char path[PBA_PATH_MAX];
    pba_schedule *schedule;
    assert_ok(file_join(path, data, "schedules/rcifar10_16_wrn.txt"));
    assert_ok(pba_schedule_load(path, 200, &schedule));
    check_lengths(schedule, rcifar10, 17);
    pba_schedule_free(schedule);
    round_trip(path, 200);
    assert_ok(file_join(path, data, "schedules/rsvhn_16_wrn.txt"));
    assert_ok(pba_schedule_load(path, 160, &schedule));
    check_lengths(schedule, (int[]){9, 15, 6, 8, 7, 24, 6, 25, 4, 4, 39, 6, 6, 1}, 14);
    pba_schedule_free(schedule);
    round_trip(path, 160);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_dialects),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_log_chain),
        cmocka_unit_test(test_log_refused),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_refused),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_stretch_reference),
        cmocka_unit_test(test_stretch),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_published),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
