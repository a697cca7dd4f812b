/* SPDX-License-Identifier: Apache-2.0
 * Searches of a tiny network on a tiny data set written here: one worker, two workers, stopped and
 * resumed, killed and resumed, torn: the same schedule.json, byte for byte. */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/file.h"
#include "search/search.h"

enum { PIXELS = 3072, RECORD = PIXELS + 1, MEMBERS = 4, EPOCHS = 5, INTERVAL = 2, ROUNDS = 3 };

static char folder[64];
static char *expected;       /* schedule.json of an undisturbed search with one worker */
static char *expected_lines; /* of its journal, sorted: workers finish in any order */
static double whole_seconds; /* that it took */

/* A path in the test's folder; sixteen are valid at a time. */
static const char *at(const char *name)
{
    static char paths[16][PBA_PATH_MAX];
    static int next;
    char *path = paths[next++ % 16];
    assert_ok(file_join(path, folder, name));
    return path;
}

static const char *inside(const char *run, const char *name)
{
    char both[256];
    snprintf(both, sizeof both, "%s/%s", run, name);
    return at(both);
}

static char *get(const char *path)
{
    char *text;
    size_t size;
    assert_ok(file_read(path, 1 << 24, &text, &size));
    return text;
}

/* CIFAR-10's layout: stripes whose direction and colour say the class, and noise. */
static void write_batch(const char *name, int count, uint32_t seed)
{
    uint8_t *data = calloc((size_t)count, RECORD);
    for (int i = 0; i < count; i++) {
        uint8_t *record = data + i * RECORD;
        int class = i % 10;
        record[0] = (uint8_t) class;
        for (int p = 0; p < PIXELS; p++) {
            int channel = p / 1024, y = p / 32 % 32, x = p % 32;
            seed = seed * 1664525u + 1013904223u;
            int stripe = ((class & 1 ? x : y) / (2 + class / 4)) % 2;
            record[1 + p] = (uint8_t)(60 * stripe + 40 * (class % 3 == channel) + (seed >> 25));
        }
    }
    assert_ok(file_write(name, data, (size_t)count * RECORD));
    free(data);
}

static pba_search_options options_for(const char *run, int workers)
{
    pba_search_options options;
    size_t count;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.recipe.model, sizeof options.recipe.model, "wrn-10-1");
    options.recipe.train_size = 40;
    options.recipe.val_size = 30;
    options.recipe.batch = 8;
    options.recipe.epochs = EPOCHS;
    options.recipe.seed = 1;
    options.population = MEMBERS;
    options.interval = INTERVAL;
    options.workers = workers;
    snprintf(options.dataset, sizeof options.dataset, "%s", at("data"));
    snprintf(options.out, sizeof options.out, "%s", at(run));
    return options;
}

/* What an observer has seen; stops after `stop_after` scores (0: never); poisons a member. */
typedef struct witness {
    pba_search *search;
    atomic_int scores; /* read by stop, which any thread may ask */
    int rounds, copies, epochs, notes, lost;
    int stop_after, poison_from; /* members below are spared; MEMBERS: nobody is poisoned */
    double done, total;
} witness;

static void see(void *user, const pba_event *event)
{
    witness *seen = user;
    seen->scores += event->kind == PBA_EVENT_SCORE;
    seen->lost += event->kind == PBA_EVENT_SCORE && !isfinite(event->error);
    seen->rounds += event->kind == PBA_EVENT_ROUND;
    seen->copies += event->kind == PBA_EVENT_EXPLOIT;
    seen->notes += event->kind == PBA_EVENT_NOTE;
    seen->epochs += event->kind == PBA_EVENT_EPOCH;
    if (event->kind == PBA_EVENT_EPOCH && event->epoch == 0 && event->member >= seen->poison_from) {
        float *block = seen->search->blocks[event->member];
        for (size_t i = 0; i < seen->search->task->graph->trainable; i++) {
            block[i] = (float)NAN;
        }
    }
    if (event->kind != PBA_EVENT_NOTE) {
        assert_true(event->done >= seen->done && event->done <= event->total * (1 + 1e-9));
        seen->done = event->done;
        seen->total = event->total;
    }
}

static bool stop(void *user)
{
    witness *seen = user;
    return seen->stop_after && seen->scores >= seen->stop_after;
}

static bool always(void *user)
{
    return true;
}

static pba_status run(pba_search *search, witness *seen)
{
    pba_observer observer = {see, stop, seen};
    seen->search = search;
    return pba_search_run(search, &observer);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *sorted_journal(const char *run)
{
    char *text = get(inside(run, "journal.jsonl")), *lines[64], *state;
    char *sorted = calloc(strlen(text) + 64, 1);
    size_t count = 0;
    for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
        assert_true(count < 64);
        lines[count++] = line;
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(sorted, lines[i]), "\n");
    }
    free(text);
    return sorted;
}

/* The schedule, and every score and copy on the way to it. */
static void check_schedule(const char *run)
{
    char *lines = sorted_journal(run);
    assert_string_equal(lines, expected_lines);
    free(lines);
    char *text = get(inside(run, "schedule.json"));
    assert_string_equal(text, expected);
    free(text);
    assert_false(file_exists(inside(run, "checkpoint")));
}

/* Against another run's schedule and sorted journal. */
static void check_same(const char *run, const char *schedule, const char *journal)
{
    char *text = get(inside(run, "schedule.json")), *lines = sorted_journal(run);
    assert_string_equal(text, schedule);
    assert_string_equal(lines, journal);
    free(text);
    free(lines);
}

static void refused(pba_search_options options, pba_status status, const char *word)
{
    pba_search *search;
    pba_status got = pba_search_create(&options, &search);
    if (got != status || search || !strstr(pba_error_message(), word)) {
        fail_msg("%s: %s (wanted %s, '%s')", pba_status_name(got), pba_error_message(),
                 pba_status_name(status), word);
    }
    assert_false(file_exists(at("never")));
}

static int prepare(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-search-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(file_make_folder(at("data")));
    write_batch(inside("data", "data_batch_1.bin"), 100, 1);
    write_batch(inside("data", "test_batch.bin"), 10, 2);
    return 0;
}

static int clean(void **state)
{
    char command[128];
    free(expected);
    free(expected_lines);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* -------------------------------------------------------------- undisturbed */

static void test_one_worker(void **state)
{
    pba_search_options options = options_for("one", 1);
    witness seen = {.poison_from = MEMBERS};
    pba_search *search;
    const pba_schedule *schedule;
    double error;
    assert_ok(pba_search_create(&options, &search));
    assert_false(file_exists(at("one")));
    assert_int_equal(pba_search_result(search, &schedule, &error), PBA_USAGE);
    pba_plan plan;
    assert_ok(pba_search_plan(search, &plan));
    assert_false(file_exists(at("one")));
    assert_int_equal(plan.members, MEMBERS);
    assert_int_equal(plan.rounds, ROUNDS);
    assert_int_equal(plan.train_images, 40);
    assert_int_equal(plan.val_images, 30);
    assert_true(plan.seconds > 0 && plan.bytes > 1e6 && plan.parameters > 70000);
    assert_true(plan.image_passes >= MEMBERS * EPOCHS * 40);
    double start = clock_now();
    assert_ok(run(search, &seen));
    whole_seconds = clock_now() - start;
    assert_int_equal(seen.scores, MEMBERS * ROUNDS);
    assert_int_equal(seen.rounds, ROUNDS);
    assert_int_equal(seen.copies, ROUNDS - 1);
    assert_int_equal(seen.epochs, MEMBERS * EPOCHS);
    assert_true(fabs(seen.done - seen.total) < 1e-6 * seen.total);
    assert_ok(pba_search_result(search, &schedule, &error));
    assert_int_equal(pba_schedule_epochs(schedule), EPOCHS);
    assert_true(error >= 0 && error < 1);
    int segments = pba_schedule_segments(schedule);
    assert_ok(pba_search_run(search, NULL)); /* finished: nothing to do */
    pba_search_free(search);
    expected = get(inside("one", "schedule.json"));
    expected_lines = sorted_journal("one");
    assert_true(segments > 1); /* or the comparisons below would say little about policies */
    assert_null(strstr(expected, folder));
    assert_non_null(
        strstr(expected, "\"source\": {\"dataset\": \"data\", \"model\": \"wrn-10-1\""));
    pba_schedule *log;
    assert_ok(pba_schedule_load(inside("one", "schedule.txt"), EPOCHS, &log));
    pba_schedule_free(log);
}

static void test_two_workers(void **state)
{
    pba_search_options options = options_for("two", 2);
    witness seen = {.poison_from = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(run(search, &seen));
    pba_search_free(search);
    check_schedule("two");
}

/* One worker is held up in the first member until the other one has trained a member of the second
 * round, which it then must keep to itself. */
typedef struct slow {
    atomic_int asked, early; /* epochs of the second round that were trained */
    pba_search *search;
} slow;

static void see_early(void *user, const pba_event *event)
{
    slow *slow = user;
    slow->early += event->kind == PBA_EVENT_EPOCH && event->epoch >= INTERVAL;
    assert_false(event->kind == PBA_EVENT_SCORE && event->round != slow->search->round);
}

static bool hold_up(void *user)
{
    slow *slow = user;
    if (slow->asked++ == 0) {
        for (int i = 0; i < 1000 && slow->early < INTERVAL; i++) {
            usleep(10000);
        }
        usleep(50000);
    }
    return false;
}

static void test_early(void **state)
{
    pba_search_options options = options_for("early", 2);
    slow slow = {0};
    pba_observer observer = {see_early, hold_up, &slow};
    pba_search_times times;
    assert_ok(pba_search_create(&options, &slow.search));
    assert_int_equal(pba_search_spent(slow.search, &times), PBA_USAGE);
    assert_ok(pba_search_run(slow.search, &observer));
    assert_ok(pba_search_spent(slow.search, &times));
    assert_true(times.early >= 1);
    assert_int_equal(times.copies, ROUNDS - 1);
    assert_true(times.trained == MEMBERS * EPOCHS * 40 && times.evaluated == MEMBERS * ROUNDS * 30);
    double sum = 0;
    for (int i = 0; i < PBA_SEARCH_PARTS; i++) {
        assert_true(times.parts[i] >= 0);
        sum += times.parts[i];
    }
    assert_true(fabs(sum - 2 * times.seconds) < 0.02 * sum);
    assert_true(times.parts[PBA_SEARCH_FORWARD] > 0 && times.parts[PBA_SEARCH_EVALUATE] > 0);
    pba_search_free(slow.search);
    check_schedule("early");
}

/* Another seed is another search; this is what makes the comparisons above worth something. */
static void test_seed(void **state)
{
    pba_search_options options = options_for("seed", 2);
    options.recipe.seed = 7;
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    char *text = get(inside("seed", "schedule.json"));
    assert_string_not_equal(text, expected);
    free(text);
}

/* Without selection: the same with two workers, and stopped and resumed. */
static pba_search *open_drift(const char *name, int workers)
{
    pba_search_options options = options_for(name, workers);
    snprintf(options.selection, sizeof options.selection, "none");
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    return search;
}

static void test_no_selection(void **state)
{
    witness seen = {.poison_from = MEMBERS}, part = {.stop_after = 7, .poison_from = MEMBERS};
    pba_search *search = open_drift("drift", 2);
    assert_ok(run(search, &seen));
    assert_int_equal(seen.copies, 0);
    pba_search_free(search);
    char *text = get(inside("drift", "schedule.json")), *lines = sorted_journal("drift");
    pba_schedule *schedule;
    assert_ok(pba_schedule_load(inside("drift", "schedule.json"), 0, &schedule));
    assert_int_equal(pba_schedule_segments(schedule), ROUNDS);
    pba_schedule_free(schedule);
    assert_null(strstr(lines, "\"exploit\""));
    int changes = 0;
    for (const char *at = lines; (at = strstr(at, "\"explore\"")); at++) {
        changes++;
    }
    assert_int_equal(changes, MEMBERS * (ROUNDS - 1));

    search = open_drift("drift-stopped", 1);
    assert_int_equal(run(search, &part), PBA_INTERRUPTED);
    pba_search_free(search);
    seen = (witness){.poison_from = MEMBERS};
    assert_ok(pba_search_resume(at("drift-stopped"), 1, &search));
    assert_ok(run(search, &seen));
    pba_search_free(search);
    char *other = get(inside("drift-stopped", "schedule.json"));
    char *other_lines = sorted_journal("drift-stopped");
    assert_string_equal(text, other);
    assert_string_equal(lines, other_lines);
    assert_string_not_equal(text, expected);
    free(text);
    free(lines);
    free(other);
    free(other_lines);
}

/* Burn-in, quantile and resample are of the recipe: resumed, they hold. The first round's end is
 * too early for copies; the second replaces half. */
static void test_steered(void **state)
{
    pba_search_options options = options_for("steered", 2);
    options.burn_in = INTERVAL + 1;
    options.quantile = 0.5;
    options.resample = 1;
    witness seen = {.poison_from = MEMBERS}, part = {.stop_after = 6, .poison_from = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(run(search, &seen));
    assert_int_equal(seen.copies, MEMBERS / 2);
    pba_search_free(search);
    char *lines = sorted_journal("steered"), *text = get(inside("steered", "schedule.json"));
    assert_null(strstr(lines, "\"exploit\",\"round\":0"));

    snprintf(options.out, sizeof options.out, "%s", at("steered-stopped"));
    options.workers = 1;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &part), PBA_INTERRUPTED);
    pba_search_free(search);
    assert_ok(pba_search_resume(at("steered-stopped"), 1, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    check_same("steered-stopped", text, lines);
    free(lines);
    free(text);

    options = options_for("notes", 1);
    options.burn_in = EPOCHS;
    pba_plan plan;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_plan(search, &plan));
    assert_non_null(strstr(plan.notes, "burn-in lasts to the end"));
    pba_search_free(search);
}

/* From the schedule of the first test: the journal tells what everybody started with, and the copy
 * in the folder holds when the file is gone. */
static void test_warm(void **state)
{
    pba_search_options options = options_for("warm", 2);
    witness part = {.stop_after = 2, .poison_from = MEMBERS};
    pba_search *search;
    char *first = get(inside("one", "schedule.json"));
    assert_ok(file_make_folder(at("first")));
    assert_ok(file_write(inside("first", "schedule.json"), first, strlen(first)));
    snprintf(options.from, sizeof options.from, "%s", at("first"));
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    char *lines = sorted_journal("warm"), *text = get(inside("warm", "schedule.json"));
    assert_string_not_equal(text, first);
    for (int member = 0; member < MEMBERS; member++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "{\"type\":\"start\",\"member\":%d,", member);
        assert_non_null(strstr(lines, wanted));
    }

    snprintf(options.out, sizeof options.out, "%s", at("warm-stopped"));
    options.workers = 1;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &part), PBA_INTERRUPTED);
    pba_search_free(search);
    assert_int_equal(unlink(inside("first", "schedule.json")), 0);
    assert_ok(pba_search_resume(at("warm-stopped"), 1, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    check_same("warm-stopped", text, lines);
    free(first);
    free(lines);
    free(text);
}

/* ------------------------------------------------------ another data set to score on */

static void write_classes(const char *folder, bool reversed)
{
    char text[64] = "";
    for (int i = 0; i < 10; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%c%c\n", 'a' + (reversed ? 9 - i : i), 'x');
    }
    assert_ok(file_write(inside(folder, "batches.meta.txt"), text, strlen(text)));
}

static void write_data(const char *folder, int train, uint32_t seed)
{
    assert_ok(file_make_folder(at(folder)));
    write_batch(inside(folder, "data_batch_1.bin"), train, seed);
    write_batch(inside(folder, "test_batch.bin"), 10, seed + 1);
}

/* Images of the other data set, none of its test images, labels by the classes' names; statistics
 * and training images are the first one's, which sets none apart for validation. */
static void test_val(void **state)
{
    write_data("here", 60, 11);
    write_data("there", 40, 13);
    write_classes("here", false);
    write_classes("there", true);
    pba_search_options options = options_for("val", 1);
    witness part = {.stop_after = 5, .poison_from = MEMBERS};
    pba_search *search;
    pba_plan plan;
    snprintf(options.dataset, sizeof options.dataset, "%s", at("here"));
    snprintf(options.val, sizeof options.val, "%s", at("there"));
    options.recipe.train_size = 60; /* all of them */
    options.recipe.val_size = 30;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_plan(search, &plan));
    assert_int_equal(plan.train_images, 60);
    assert_int_equal(plan.val_images, 30);
    assert_non_null(strstr(plan.notes, "scored on 30 images of "));
    const task *task = search->task;
    pba_dataset *other = search->data.other;
    for (int i = 0; i < 30; i++) {
        pba_image view;
        int label;
        assert_ok(pba_dataset_image(other, PBA_TRAIN, i, &view, &label));
        assert_ptr_equal(task->images[PBA_VALIDATION][i], view.pixels);
        assert_int_equal(task->labels[PBA_VALIDATION][i], 9 - label);
    }
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    char *lines = sorted_journal("val"), *text = get(inside("val", "schedule.json"));

    snprintf(options.out, sizeof options.out, "%s", at("val-stopped"));
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &part), PBA_INTERRUPTED);
    pba_search_free(search);
    assert_ok(pba_search_resume(at("val-stopped"), 2, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    check_same("val-stopped", text, lines);
    free(lines);
    free(text);
}

/* The same data set as the other one: what is trained and tested on is left out. */
static void test_val_twins(void **state)
{
    pba_search_options options = options_for("never", 1);
    pba_search *search;
    snprintf(options.val, sizeof options.val, "%s", options.dataset);
    options.recipe.val_size = 0;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(search->task->counts[PBA_TRAIN], 40);
    assert_int_equal(search->task->counts[PBA_VALIDATION], 60);
    assert_int_equal(search->task->other_left_out, 40);
    for (int i = 0; i < 60; i++) {
        for (int j = 0; j < 40; j++) {
            assert_memory_not_equal(search->task->images[PBA_VALIDATION][i],
                                    search->task->images[PBA_TRAIN][j], PIXELS);
        }
    }
    pba_search_free(search);
    options.recipe.train_size = 0;
    refused(options, PBA_USAGE, "all of the 100 images");
}

static void test_val_refused(void **state)
{
    pba_search_options good = options_for("never", 1), bad = good;
    snprintf(good.val, sizeof good.val, "%s", at("there"));
    bad = good;
    snprintf(bad.val, sizeof bad.val, "%s", at("absent"));
    refused(bad, PBA_NOT_FOUND, "val: ");
    bad = good;
    bad.recipe.val_size = 41;
    refused(bad, PBA_NOT_FOUND, "its test split leaves 40");
    write_classes("here", false);
    assert_ok(
        file_write(inside("there", "batches.meta.txt"), "b\na\nc\nd\ne\nf\ng\nh\ni\nj\n", 20));
    bad = good;
    snprintf(bad.dataset, sizeof bad.dataset, "%s", at("here"));
    refused(bad, PBA_USAGE, "its class b is none");
    /* Grey images of another size, and a hundred classes. */
    static const uint8_t images[16 + 2 * 64] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 8, 0, 0, 0, 8},
                                         labels[10] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 1};
    assert_ok(file_make_folder(at("grey")));
    assert_ok(file_write(inside("grey", "train-images-idx3-ubyte"), images, sizeof images));
    assert_ok(file_write(inside("grey", "train-labels-idx1-ubyte"), labels, sizeof labels));
    bad = good;
    snprintf(bad.val, sizeof bad.val, "%s", at("grey"));
    refused(bad, PBA_USAGE, "8 x 8");
    uint8_t *hundred = calloc(200, RECORD + 1);
    for (int i = 0; i < 200; i++) {
        hundred[i * (RECORD + 1) + 1] = (uint8_t)(i % 100);
    }
    assert_ok(file_make_folder(at("hundred")));
    assert_ok(file_write(inside("hundred", "train.bin"), hundred, 200 * (RECORD + 1)));
    free(hundred);
    snprintf(bad.val, sizeof bad.val, "%s", at("hundred"));
    refused(bad, PBA_USAGE, "it has 100 classes");
}

static void test_warm_refused(void **state)
{
    static const char other[] =
        "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": [\"Rotate\"], "
        "\"copies\": 2, \"epochs\": 3, \"segments\": [{\"epochs\": 3, \"policy\": [1,1,1,1]}]}";
    static const char same_count[] =
        "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": [\"Rotate\", "
        "\"Invert\"], \"copies\": 2, \"epochs\": 3, \"segments\": [{\"epochs\": 3, \"policy\": "
        "[1,1,1,1,1,1,1,1]}]}";
    static const struct {
        const char *from;
        pba_status status;
        const char *word;
    } rows[] = {{"trivialaugment", PBA_USAGE, "is no schedule"},
                {"absent/it", PBA_NOT_FOUND, "absent/it"},
                {"data", PBA_NOT_FOUND, "schedule.json"},
                {"other.json", PBA_USAGE, "(Rotate; 2 copies) are not those of this search"}};
    assert_ok(file_write(at("other.json"), other, strlen(other)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_search_options options = options_for("never", 1);
        snprintf(options.from, sizeof options.from, "%s", i ? at(rows[i].from) : rows[i].from);
        refused(options, rows[i].status, rows[i].word);
    }
    assert_ok(file_write(at("same-count.json"), same_count, strlen(same_count)));
    pba_search_options options = options_for("never", 1);
    snprintf(options.from, sizeof options.from, "%s", at("same-count.json"));
    snprintf(options.ops, sizeof options.ops, "Rotate,Solarize");
    refused(options, PBA_USAGE, "its operation 2 is Invert, that of this search Solarize");
}

/* Settings under which nothing is learned are said before hours are spent on them. */
static void test_notes(void **state)
{
    static const struct {
        int interval, burn_in;
        double quantile;
        const char *says;
    } rows[] = {{EPOCHS, 0, 0.25, "one round only"},
                {INTERVAL, 100, 0.25, "the burn-in lasts to the end"},
                {INTERVAL, 0, 0, "a quantile of 0"},
                {INTERVAL, 0, 0.25, NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_search_options options = options_for("never", 1);
        pba_search *search;
        options.interval = rows[i].interval;
        options.burn_in = rows[i].burn_in;
        options.quantile = rows[i].quantile;
        assert_ok(pba_search_create(&options, &search));
        assert_true(rows[i].says ? strstr(search->notes, rows[i].says) != NULL
                                 : !strstr(search->notes, "nobody copies"));
        pba_search_free(search);
    }
}

/* ------------------------------------------------------ stopped and resumed */

static void stop_after(const char *name, int scores, int workers)
{
    pba_search_options options = options_for(name, workers);
    witness seen = {.stop_after = scores, .poison_from = MEMBERS};
    pba_search *search, *second;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &seen), PBA_INTERRUPTED);
    assert_non_null(strstr(pba_error_message(), "--resume"));
    assert_int_equal(pba_search_run(search, NULL), PBA_USAGE);
    /* Nobody else while this one is in there. */
    assert_int_equal(pba_search_resume(at(name), 1, &second), PBA_EXISTS);
    pba_search_free(search);
    assert_false(file_exists(inside(name, "schedule.json")));
}

static void resume(const char *name, int workers, int scores)
{
    witness seen = {.poison_from = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_resume(at(name), workers, &search));
    assert_ok(run(search, &seen));
    pba_search_free(search);
    if (scores >= 0) {
        assert_int_equal(seen.scores, scores);
    }
    check_schedule(name);
}

static void test_stopped(void **state)
{
    char name[32];
    for (int scores = 1; scores < MEMBERS * ROUNDS; scores += 2) {
        snprintf(name, sizeof name, "stopped-%d", scores);
        stop_after(name, scores, 1);
        resume(name, 1 + scores % 4 / 2, MEMBERS * ROUNDS - scores);
    }
    stop_after("stopped-two", 6, 2);
    resume("stopped-two", 2, -1);
}

/* What an interrupted sitting took is in the result. */
static void test_cost_is_kept(void **state)
{
    run_spent before;
    json_t *result;
    stop_after("cost", 6, 2);
    assert_ok(run_read_spent(at("cost"), &before));
    assert_true(before.seconds > 0 && before.core_seconds == 2 * before.seconds);
    resume("cost", 1, -1);
    assert_ok(run_read_json(at("cost"), "result.json", &result));
    double seconds = json_number_value(json_object_get(result, "seconds"));
    double cores = json_number_value(json_object_get(result, "core_seconds"));
    assert_true(seconds > before.seconds);
    assert_true(fabs(cores - before.core_seconds - (seconds - before.seconds)) < 1e-6);
    assert_false(file_exists(inside("cost", "checkpoint")));
    json_decref(result);
}

static void test_finished(void **state)
{
    const pba_schedule *schedule;
    pba_search *search;
    pba_plan plan;
    double error;
    witness seen = {.poison_from = MEMBERS};
    assert_int_equal(rename(at("data"), at("elsewhere")), 0); /* the data is not needed any more */
    assert_ok(pba_search_resume(at("one"), 0, &search));
    assert_ok(pba_search_plan(search, &plan));
    assert_true(plan.seconds == 0);
    assert_ok(run(search, &seen));
    assert_int_equal(seen.notes, 1);
    assert_ok(pba_search_result(search, &schedule, &error));
    assert_int_equal(pba_schedule_epochs(schedule), EPOCHS);
    pba_search_free(search);
    assert_int_equal(rename(at("elsewhere"), at("data")), 0);
}

/* All scores are in, but the process died before it wrote the result. */
static void test_only_result_missing(void **state)
{
    assert_int_equal(unlink(inside("one", "result.json")), 0);
    assert_int_equal(unlink(inside("one", "schedule.json")), 0);
    resume("one", 1, 0);
}

/* ------------------------------------------------------------ killed, torn */

static void child(const char *name)
{
    pba_search *search;
    pba_status status;
    if (file_exists(inside(name, "config.json"))) {
        status = pba_search_resume(at(name), 2, &search);
    } else {
        pba_search_options options = options_for(name, 2);
        status = pba_search_create(&options, &search);
    }
    if (status == PBA_OK) {
        status = pba_search_run(search, NULL);
    }
    if (status != PBA_OK) {
        fprintf(stderr, "child: %s\n", pba_error_message());
    }
    _exit(status == PBA_OK ? 0 : 1);
}

/* Killed after that time; true where it ended by itself before. */
static bool kill_child(const char *name, unsigned microseconds)
{
    int code;
    pid_t process = fork();
    if (process == 0) {
        child(name);
    }
    usleep(microseconds);
    kill(process, SIGKILL);
    assert_int_equal(waitpid(process, &code, 0), process);
    assert_true(WIFSIGNALED(code) || WEXITSTATUS(code) == 0);
    return !WIFSIGNALED(code);
}

static void test_killed(void **state)
{
    uint32_t random = (uint32_t)getpid();
    bool done = false;
    for (int i = 0; i < 12 && !done; i++) {
        random = random * 1664525u + 1013904223u;
        done = kill_child("killed", (unsigned)(0.6e6 * whole_seconds * (random >> 8) / (1 << 24)));
    }
    if (file_exists(inside("killed", "config.json"))) {
        resume("killed", 1, -1);
    }
}

/* Cuts the last `bytes` off the journal and puts `tail` there. */
static void tear(const char *name, size_t bytes, const char *tail)
{
    const char *path = inside(name, "journal.jsonl");
    char *text = get(path);
    size_t size = strlen(text) - bytes;
    file_part parts[] = {{text, size}, {tail, strlen(tail)}};
    assert_ok(file_write_parts(path, parts, 2));
    free(text);
}

static size_t last_line(const char *name)
{
    char *text = get(inside(name, "journal.jsonl"));
    size_t size = strlen(text), start = size - 1;
    while (start > 0 && text[start - 1] != '\n') {
        start--;
    }
    free(text);
    return size - start;
}

static void test_torn(void **state)
{
    stop_after("torn-only", 1, 1); /* nothing but an empty folder of checkpoints is left */
    tear("torn-only", 1, "");
    assert_int_equal(unlink(inside("torn-only", "checkpoint/round-0000-member-0000")), 0);
    resume("torn-only", 1, MEMBERS * ROUNDS);
    stop_after("torn-score", 6, 1);
    tear("torn-score", 7, "");
    resume("torn-score", 1, MEMBERS * ROUNDS - 5);
    stop_after("torn-begun", 6, 1);
    tear("torn-begun", 0, "{\"type\":\"sc");
    resume("torn-begun", 1, MEMBERS * ROUNDS - 6);
    stop_after("torn-zeros", 6, 1);
    tear("torn-zeros", 1, "\x01\x01\n");
    resume("torn-zeros", 1, MEMBERS * ROUNDS - 5);
    stop_after("torn-copy", 4, 1); /* the copy stands behind the last score of the round */
    tear("torn-copy", last_line("torn-copy"), "");
    resume("torn-copy", 2, MEMBERS * ROUNDS - 4);
    stop_after("torn-half-copy", 4, 1);
    tear("torn-half-copy", 9, "");
    resume("torn-half-copy", 1, MEMBERS * ROUNDS - 4);
}

static void resume_refused(const char *name, pba_status status, const char *a, const char *b)
{
    pba_search *search;
    assert_int_equal(pba_search_resume(at(name), 1, &search), status);
    const char *message = pba_error_message();
    if (search || !strstr(message, a) || !strstr(message, b)) {
        fail_msg("message: %s (wanted '%s' and '%s')", message, a, b);
    }
}

static void test_damaged(void **state)
{
    stop_after("damaged", 6, 1);
    char *journal = get(inside("damaged", "journal.jsonl"));
    const char *path = inside("damaged", "journal.jsonl");
    size_t size = strlen(journal), last = last_line("damaged");
    tear("damaged", 0, journal + size - last);
    resume_refused("damaged", PBA_FORMAT, "journal.jsonl: line 8", "second time");
    assert_ok(file_write(path, journal, size));
    tear("damaged", last, "{}\n");
    resume_refused("damaged", PBA_FORMAT, "line 7", "no score");
    char *changed = strdup(journal), *source = strstr(changed, "\"source\":");
    source[9] = source[9] == '1' ? '2' : '1';
    assert_ok(file_write(path, changed, size));
    resume_refused("damaged", PBA_FORMAT, "line 5", "not what this search says");
    changed[3] = '}';
    assert_ok(file_write(path, changed, size));
    resume_refused("damaged", PBA_FORMAT, "line 1", "damaged");
    free(changed);
    assert_ok(file_write(path, journal, size));
    free(journal);
    resume("damaged", 2, MEMBERS * ROUNDS - 6);
    resume_refused("nothing", PBA_NOT_FOUND, "nothing", "");
}

static const char *checkpoint(const char *run, int round, int member)
{
    char name[64];
    snprintf(name, sizeof name, "checkpoint/round-%04d-member-%04d", round, member);
    return inside(run, name);
}

/* One byte of the weights is another. */
static void damage(const char *path)
{
    char *data;
    size_t size;
    assert_ok(file_read(path, 1 << 24, &data, &size));
    data[size / 2] ^= 1;
    assert_ok(file_write(path, data, size));
    free(data);
}

static int count_part(const char *text, const char *part)
{
    int count = 0;
    for (text = strstr(text, part); text; text = strstr(text + 1, part)) {
        count++;
    }
    return count;
}

/* `repairs` checkpoints could not be used; those before them are, and the end is the same. */
static void resume_repaired(const char *name, int workers, int repairs, int scores)
{
    pba_search *search;
    pba_plan plan;
    assert_ok(pba_search_resume(at(name), workers, &search));
    assert_ok(pba_search_plan(search, &plan));
    assert_int_equal(search->repair_count, repairs);
    assert_int_equal(count_part(plan.notes, "is trained again from"), search->repairs_left);
    witness seen = {.poison_from = MEMBERS};
    assert_ok(run(search, &seen));
    assert_int_equal(seen.scores, scores);
    pba_search_free(search);
    check_schedule(name);
}

/* After two rounds and two scores of the third, so that the checkpoints of all three are there. */
static void test_previous_checkpoint(void **state)
{
    enum { LEFT = MEMBERS - 2 };
    pba_search *search;
    stop_after("scored", 10, 1); /* a member that has its score in this round */
    damage(checkpoint("scored", 2, 1));
    resume_repaired("scored", 1, 1, LEFT);
    stop_after("gone", 10, 1); /* a member that has not, and one that has */
    assert_int_equal(unlink(checkpoint("gone", 2, 0)), 0);
    assert_int_equal(unlink(checkpoint("gone", 1, 3)), 0);
    assert_ok(pba_search_resume(at("gone"), 1, &search));
    int uses = search->repair_count; /* of round 1, member 3: by itself, by copies of it, or none */
    pba_search_free(search);
    assert_in_range(uses, 2, MEMBERS); /* a copy and its source share one that is trained again */
    resume_repaired("gone", 2, uses, LEFT);
    stop_after("first", 6, 1); /* nothing is before the first round: from its beginning */
    for (int member = 0; member < MEMBERS; member++) {
        damage(checkpoint("first", 0, member));
    }
    resume_repaired("first", 2, LEFT, MEMBERS * ROUNDS - 6);
    stop_after("stopped-repair", 10, 1); /* stopped while it trains again */
    damage(checkpoint("stopped-repair", 2, 1));
    assert_ok(pba_search_resume(at("stopped-repair"), 1, &search));
    pba_observer observer = {.stop = always};
    assert_int_equal(pba_search_run(search, &observer), PBA_INTERRUPTED);
    pba_search_free(search);
    resume_repaired("stopped-repair", 1, 1, LEFT);
    stop_after("both", 10, 1);
    for (int member = 0; member < MEMBERS; member++) {
        damage(checkpoint("both", 1, member));
    }
    damage(checkpoint("both", 2, 1));
    resume_refused("both", PBA_FORMAT, "round-0002-member-0001", "nor can the one before it");
}

static void count_event(void *user, const pba_event *event)
{
    *(int *)user += event->kind != PBA_EVENT_OPENING;
}

/* What has been is not told again; and without its journal nothing is known. */
static void test_resumed_quietly(void **state)
{
    pba_search *search;
    int events = 0;
    const pba_observer observer = {.event = count_event, .user = &events};
    stop_after("quiet", 10, 1);
    assert_ok(pba_search_resume_with(at("quiet"), 1, &observer, &search));
    assert_int_equal(events, 0);
    pba_search_free(search);
    assert_int_equal(unlink(inside("quiet", "journal.jsonl")), 0);
    resume_refused("quiet", PBA_NOT_FOUND, "journal.jsonl", "put it back");
    assert_false(file_exists(inside("quiet", "journal.jsonl")));
}

/* ----------------------------------------------------------------- refusals */

static void test_refused(void **state)
{
    pba_search_options good = options_for("never", 1), bad = good;
    bad.population = 1;
    refused(bad, PBA_USAGE, "population");
    bad = good;
    bad.interval = 0;
    refused(bad, PBA_USAGE, "interval");
    bad = good;
    bad.recipe.batch = 0;
    refused(bad, PBA_USAGE, "batch");
    bad = good;
    bad.recipe.batch = 41;
    refused(bad, PBA_USAGE, "batch");
    bad = good;
    snprintf(bad.recipe.model, sizeof bad.recipe.model, "wrn-11-1");
    refused(bad, PBA_USAGE, "wrn");
    bad = good;
    bad.recipe.train_size = 1000;
    refused(bad, PBA_NOT_FOUND, "1000");
    bad = good;
    snprintf(bad.dataset, sizeof bad.dataset, "%s", at("absent"));
    refused(bad, PBA_NOT_FOUND, "absent");
    bad = good;
    bad.dataset[0] = 0;
    refused(bad, PBA_USAGE, "data set");
    bad = good;
    bad.out[0] = 0;
    refused(bad, PBA_USAGE, "--out");
    bad = options_for("one", 1);
    refused(bad, PBA_EXISTS, "--resume");
    bad = options_for("data/test_batch.bin/run", 1);
    refused(bad, PBA_IO, "test_batch.bin");
    assert_ok(file_make_folder(at("mine")));
    assert_ok(file_write(inside("mine", "schedule.json"), "{}", 2));
    bad = options_for("mine", 1);
    refused(bad, PBA_EXISTS, "schedule.json");
}

/* Two searches opened for one folder: the second finds out when it starts. */
static void test_race(void **state)
{
    pba_search_options options = options_for("race", 1);
    pba_search *first, *second;
    assert_ok(pba_search_create(&options, &first));
    assert_ok(pba_search_create(&options, &second));
    assert_ok(pba_search_run(first, NULL));
    assert_int_equal(pba_search_run(second, NULL), PBA_EXISTS);
    pba_search_free(first);
    pba_search_free(second);
    check_schedule("race");
}

/* --------------------------------------------------------------- lost members */

static void test_lost_member(void **state)
{
    pba_search_options options = options_for("lost", 1);
    witness seen = {.poison_from = MEMBERS - 1, .stop_after = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &seen), PBA_INTERRUPTED);
    assert_int_equal(seen.lost, 1);
    pba_search_free(search);
    char *journal = get(inside("lost", "journal.jsonl"));
    assert_non_null(strstr(journal, "\"error\":null"));
    free(journal);
    /* It is the one that copies, and is back in the race. */
    witness rest = {.poison_from = MEMBERS};
    assert_ok(pba_search_resume(at("lost"), 1, &search));
    assert_ok(run(search, &rest));
    assert_int_equal(rest.lost, 0);
    pba_search_free(search);
}

/* Members that no decision replaces go on, a step in each round, and are lost again: without
 * selection, during the burn-in, or where more are lost than are replaced. Stopped and resumed in
 * the second round, too. */
static void test_lost_goes_on(void **state)
{
    static const struct {
        const char *name, *selection;
        int burn_in, poison_from, lost; /* lost: scores */
    } rows[] = {{"lost-drift", "none", 0, MEMBERS - 1, ROUNDS},
                {"lost-early", "truncation", INTERVAL + 1, MEMBERS - 1, 2},
                {"lost-many", "truncation", 0, MEMBERS - 2, 2 + 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_search_options options = options_for(rows[i].name, 2);
        witness seen = {.poison_from = rows[i].poison_from};
        witness part = {.poison_from = rows[i].poison_from, .stop_after = MEMBERS + 1};
        pba_search *search;
        snprintf(options.selection, sizeof options.selection, "%s", rows[i].selection);
        options.burn_in = rows[i].burn_in;
        assert_ok(pba_search_create(&options, &search));
        assert_ok(run(search, &seen));
        pba_search_free(search);
        assert_int_equal(seen.lost, rows[i].lost);
        assert_int_equal(seen.epochs, MEMBERS * EPOCHS - 1); /* one of the second round's two */
        char *text = get(inside(rows[i].name, "schedule.json"));
        char *lines = sorted_journal(rows[i].name);

        snprintf(options.out, sizeof options.out, "%s-stopped", at(rows[i].name));
        options.workers = 1;
        assert_ok(pba_search_create(&options, &search));
        assert_int_equal(run(search, &part), PBA_INTERRUPTED);
        pba_search_free(search);
        assert_ok(pba_search_resume(options.out, 1, &search));
        assert_ok(pba_search_run(search, NULL));
        pba_search_free(search);
        check_same(strrchr(options.out, '/') + 1, text, lines);
        free(lines);
        free(text);
    }
}

static void test_all_lost(void **state)
{
    pba_search_options options = options_for("all-lost", 1);
    witness seen = {0};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &seen), PBA_DIVERGED);
    assert_non_null(strstr(pba_error_message(), "--lr"));
    pba_search_free(search);
    resume_refused("all-lost", PBA_DIVERGED, "--lr", "");
}

/* ------------------------------------------------------------------ own operations */

static pba_search_options with_plugin(const char *run, int workers)
{
    pba_search_options options = options_for(run, workers);
    const char *plugin = getenv("PBA_TEST_PLUGIN");
    assert_non_null(plugin);
    snprintf(options.plugin, sizeof options.plugin, "%s", plugin);
    snprintf(options.count_probs, sizeof options.count_probs, "0,0.5,0.5");
    return options;
}

static char *search_with_plugin(const char *name, int workers, int stop_after)
{
    pba_search_options options = with_plugin(name, workers);
    witness seen = {.stop_after = stop_after, .poison_from = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &seen), stop_after ? PBA_INTERRUPTED : PBA_OK);
    pba_search_free(search);
    if (stop_after) {
        witness rest = {.poison_from = MEMBERS};
        assert_ok(pba_search_resume(at(name), workers, &search));
        assert_ok(run(search, &rest));
        pba_search_free(search);
    }
    return get(inside(name, "schedule.json"));
}

/* The last tests: plug-ins stay loaded. Partners are drawn, too. */
static void test_plugin(void **state)
{
    char *one = search_with_plugin("plugin-1", 1, 0), *two = search_with_plugin("plugin-2", 2, 0);
    char *stopped = search_with_plugin("plugin-3", 1, 5);
    assert_string_equal(one, two);
    assert_string_equal(one, stopped);
    assert_non_null(strstr(one, "\"Contrast\", \"Grain\", \"SamplePairing\"],"));
    assert_non_null(strstr(one, "{\"op\": \"Grain\", \"version\": 1, \"plugin\": \"example\"}"));
    assert_non_null(strstr(one, "\"count_probs\": [0.0, 0.5, 0.5]"));
    assert_false(file_exists(inside("plugin-1", "schedule.txt"))); /* a log cannot say all that */
    free(one);
    free(two);
    free(stopped);
}

static void test_chosen_operations(void **state)
{
    pba_search_options options = options_for("chosen", 1);
    pba_search *search;
    snprintf(options.ops, sizeof options.ops, "SamplePairing,Rotate,Blur");
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    char *text = get(inside("chosen", "schedule.json"));
    assert_non_null(strstr(text, "\"ops\": [\"SamplePairing\", \"Rotate\", \"Blur\"],"));
    free(text);
    /* What is recorded is what is left. */
    options = options_for("excluded", 1);
    snprintf(options.ops, sizeof options.ops, "-Grain,-SamplePairing,-Invert");
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    text = get(inside("excluded", "config.json"));
    assert_non_null(
        strstr(text, "\"ops\": \"Rotate,TranslateX,TranslateY,Brightness,Color,Sharpness"));
    free(text);
    /* All of the fifteen and nothing else: the same search as without a plug-in. */
    options = options_for("fifteen", 2);
    snprintf(options.ops, sizeof options.ops, "-Grain,-SamplePairing");
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    check_schedule("fifteen");
    snprintf(options.out, sizeof options.out, "%s", at("wrong"));
    snprintf(options.ops, sizeof options.ops, "-Blur");
    assert_int_equal(pba_search_create(&options, &search), PBA_USAGE);
    options.ops[0] = 0;
    snprintf(options.count_probs, sizeof options.count_probs, "0.5,0.6");
    assert_int_equal(pba_search_create(&options, &search), PBA_USAGE);
}

static void replace_text(const char *path, const char *from, const char *to)
{
    char *text = get(path);
    size_t length = strlen(from), place = 0;
    while (text[place] && strncmp(text + place, from, length) != 0) {
        place++;
    }
    assert_true(text[place]);
    assert_int_equal(length, strlen(to));
    memcpy(text + place, to, length);
    assert_ok(file_write(path, text, strlen(text)));
    free(text);
}

/* The plug-in that is loaded is another version than the run began with. */
static void test_other_version(void **state)
{
    pba_search_options options = with_plugin("version", 1);
    witness seen = {.stop_after = 3, .poison_from = MEMBERS};
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(run(search, &seen), PBA_INTERRUPTED);
    pba_search_free(search);
    replace_text(inside("version", "config.json"), "\"version\": 1,\n      \"plugin\"",
                 "\"version\": 2,\n      \"plugin\"");
    assert_int_equal(pba_search_resume(at("version"), 1, &search), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "needs version 2 of operation Grain"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_worker),
        cmocka_unit_test(test_two_workers),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_seed),
        cmocka_unit_test(test_no_selection),
        cmocka_unit_test(test_steered),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_warm_refused),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_val),
        cmocka_unit_test(test_val_twins),
        cmocka_unit_test(test_val_refused),
        cmocka_unit_test(test_finished),
        cmocka_unit_test(test_only_result_missing),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_cost_is_kept),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_previous_checkpoint),
        cmocka_unit_test(test_resumed_quietly),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_race),
        cmocka_unit_test(test_lost_member),
        cmocka_unit_test(test_lost_goes_on),
        cmocka_unit_test(test_all_lost),
        cmocka_unit_test(test_plugin),
        cmocka_unit_test(test_chosen_operations),
        cmocka_unit_test(test_other_version),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
