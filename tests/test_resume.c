/* SPDX-License-Identifier: Apache-2.0
 * Runs that would go on as something else are refused, with the reason and what to do: other data,
 * another network, other operations, another version. What is only lost or damaged beside them is
 * no reason to. */
#define _GNU_SOURCE
#include "check.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "augment/ranges.h"
#include "augment/space.h"
#include "core/file.h"
#include "train/run.h"

static char folder[] = "/tmp/pba-test-resume-XXXXXX";
#include "scratch.h"

enum { RECORD = 3073, IMAGES = 80 };

static const char *inside(const char *run, const char *name)
{
    char both[256];
    snprintf(both, sizeof both, "%s/%s", run, name);
    return at(both);
}

static void write_batch(const char *name, uint32_t seed)
{
    uint8_t *data = calloc(IMAGES, RECORD);
    for (int i = 0; i < IMAGES * RECORD; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(i % RECORD ? seed >> 24 : (uint32_t)i / RECORD % 10);
    }
    assert_ok(file_write(name, data, (size_t)IMAGES * RECORD));
    free(data);
}

static void fill_recipe(pba_recipe *recipe)
{
    strcpy(recipe->model, "wrn-10-1");
    recipe->train_size = 40;
    recipe->val_size = 30;
    recipe->batch = 8;
    recipe->epochs = 3;
}

static int prepare(void **state)
{
    if (set_up(state) != 0 || file_make_folder(at("data")) != PBA_OK) {
        return -1;
    }
    write_batch(inside("data", "data_batch_1.bin"), 1);
    write_batch(inside("data", "test_batch.bin"), 2);
    return 0;
}

static bool after(void *user)
{
    return --*(int *)user < 0;
}

/* Started, and stopped after some steps. */
static void begin_search(const char *name)
{
    pba_search_options options;
    pba_search *search;
    size_t count;
    int left = 40;
    const pba_setting *rows = pba_search_settings(&count);
    const pba_observer observer = {.stop = after, .user = &left};
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.population = 4;
    options.interval = 1;
    options.workers = 1;
    strcpy(options.dataset, at("data"));
    strcpy(options.out, at(name));
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(pba_search_run(search, &observer), PBA_INTERRUPTED);
    pba_search_free(search);
}

static void begin_training_of(const char *name, const char *model)
{
    pba_train_options options;
    pba_training *training;
    size_t count;
    int left = 8;
    const pba_setting *rows = pba_train_settings(&count);
    const pba_observer observer = {.stop = after, .user = &left};
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    strcpy(options.recipe.model, model);
    options.workers = 1;
    strcpy(options.dataset, at("data"));
    strcpy(options.out, at(name));
    assert_ok(pba_training_create(&options, &training));
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    pba_training_free(training);
}

static void begin_training(const char *name)
{
    begin_training_of(name, "wrn-10-1");
}

static void begin_comparison(const char *name)
{
    pba_compare_options options;
    pba_comparison *comparison;
    size_t count;
    int left = 8;
    const pba_setting *rows = pba_compare_settings(&count);
    const pba_observer observer = {.stop = after, .user = &left};
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    options.seeds = 1;
    options.workers = 1;
    strcpy(options.arms, "none,baseline");
    strcpy(options.dataset, at("data"));
    strcpy(options.out, at(name));
    assert_ok(pba_comparison_create_with(&options, NULL, &comparison));
    assert_int_equal(pba_comparison_run(comparison, &observer), PBA_INTERRUPTED);
    pba_comparison_free(comparison);
}

/* What listens to jobs that go on. */
static int notes_of_builds;
static bool stops;

static void listen(void *user, const pba_event *event)
{
    notes_of_builds += event->kind == PBA_EVENT_NOTE && strstr(event->text, "this run was started");
}

static bool stop(void *user)
{
    return stops;
}

static const pba_observer listener = {.event = listen, .stop = stop};

static pba_status resume_search(const char *run)
{
    pba_search *search;
    pba_status status = pba_search_resume(run, 1, &search);
    if (status == PBA_OK) {
        status = pba_search_run(search, &listener);
        pba_search_free(search);
    }
    return status;
}

static pba_status resume_training(const char *run)
{
    pba_training *training;
    pba_status status = pba_training_resume(run, 1, &training);
    if (status == PBA_OK) {
        status = pba_training_run(training, &listener);
        pba_training_free(training);
    }
    return status;
}

static pba_status resume_comparison(const char *run)
{
    pba_comparison *comparison;
    pba_status status = pba_comparison_resume_with(run, 1, NULL, &comparison);
    if (status == PBA_OK) {
        status = pba_comparison_run(comparison, &listener);
        pba_comparison_free(comparison);
    }
    return status;
}

static const struct job {
    const char *name;
    void (*begin)(const char *name);
    pba_status (*resume)(const char *run);
} jobs[] = {{"search", begin_search, resume_search},
            {"training", begin_training, resume_training},
            {"comparison", begin_comparison, resume_comparison}};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* The first `from` of a file, which must hold one, becomes `to`. Gives back what was there. */
static char *replace(const char *path, const char *from, const char *to)
{
    char *text, copy[1 << 16];
    size_t size;
    assert_ok(file_read(path, sizeof copy / 2, &text, &size));
    const char *place = strstr(text, from);
    assert_non_null(place);
    int length = snprintf(copy, sizeof copy, "%.*s%s%s", (int)(place - text), text, to,
                          place + strlen(from));
    assert_ok(file_write(path, copy, (size_t)length));
    return text;
}

static void put_back(const char *path, char *text)
{
    assert_ok(file_write(path, text, strlen(text)));
    free(text);
}

static void refused(const struct job *job, const char *part, const char *remedy)
{
    pba_status status = job->resume(at(job->name));
    const char *message = pba_error_message();
    if (status != PBA_FORMAT || !strstr(message, at(job->name)) || !strstr(message, part) ||
        !strstr(message, remedy)) {
        fail_msg("%s: %s: %s (wanted '%s' and '%s')", job->name, pba_status_name(status), message,
                 part, remedy);
    }
}

/* A byte of a file: of a pixel, or a label. */
static void check_data(const struct job *job, size_t place, const char *file)
{
    char *data, held;
    size_t size;
    const char *path = inside("data", file);
    assert_ok(file_read(path, 1 << 20, &data, &size));
    held = data[place];
    data[place] ^= 1;
    assert_ok(file_write(path, data, size));
    refused(job, "images or labels of its data set", "put them back");
    data[place] = held;
    assert_ok(file_write(path, data, size));
    free(data);
}

/* As another build would have them: the linker puts these in place of the library's functions. */
static enum { AS_THEY_ARE, LEVEL, SIGN, RANGE, SUB_POLICY, TABLES } table;

augment_step __real_augment_step_of(const augment_space *space, const augment_op *op, double scale);
augment_step __wrap_augment_step_of(const augment_space *space, const augment_op *op, double scale);
augment_shot __real_augment_shot_of(const augment_ranges *ranges, int row, int level, int levels,
                                    const augment_canvas *canvas);
augment_shot __wrap_augment_shot_of(const augment_ranges *ranges, int row, int level, int levels,
                                    const augment_canvas *canvas);
const augment_sub_policy *__real_augment_autoaugment_at(size_t index);
const augment_sub_policy *__wrap_augment_autoaugment_at(size_t index);

augment_step __wrap_augment_step_of(const augment_space *space, const augment_op *op, double scale)
{
    augment_step step = __real_augment_step_of(space, op, scale);
    if (table == LEVEL && !strcmp(op->name, "Rotate")) {
        step.parameter[7]++;
    } else if (table == SIGN && !strcmp(op->name, "ShearX")) {
        step.parameter[10] = -step.parameter[10];
    }
    return step;
}

augment_shot __wrap_augment_shot_of(const augment_ranges *ranges, int row, int level, int levels,
                                    const augment_canvas *canvas)
{
    augment_shot shot = __real_augment_shot_of(ranges, row, level, levels, canvas);
    bool other = table == RANGE && ranges == &augment_ranges_trivialaugment && row == 5;
    shot.swing += other && level == levels - 1;
    return shot;
}

const augment_sub_policy *__wrap_augment_autoaugment_at(size_t index)
{
    return __real_augment_autoaugment_at(table == SUB_POLICY && index == 1 ? 0 : index);
}

/* Levels that mean something else. */
static void check_tables(const struct job *job)
{
    for (table = LEVEL; table < TABLES; table++) {
        refused(job, "values at some level", "go on with the build that began it");
    }
    table = AS_THEY_ARE;
}

/* What cannot be compared is no reason to go on. */
static void check_missing(const struct job *job, const char *config)
{
    static const char *const rows[][2] = {{"\"pba\": ", "\"pba\": 1, \"before\": "},
                                          {"\"pba\": ", "\"before\": "},
                                          {"\"made_of\": ", "\"before\": "},
                                          {"\"data\": ", "\"before\": "},
                                          {"\"network\": ", "\"before\": "},
                                          {"\"operations\": ", "\"before\": "},
                                          {"\"operations\": ", "\"operations\": null, \"x\": "}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char key[64];
        char *before = replace(config, rows[i][0], rows[i][1]);
        snprintf(key, sizeof key, "config.json: %.*s is missing or damaged",
                 (int)strlen(rows[i][0]) - 2, rows[i][0]);
        refused(job, key, "put the file back as it was, or start a new run");
        put_back(config, before);
    }
}

/* Another build is no reason to refuse, but is told, once. */
static void check_builds(const struct job *job, const char *config)
{
    const struct {
        const char *from, *to;
        bool told;
    } rows[] = {{"cores            ", "cores            9", false},
                {"compiler         ", "compiler         other ", true},
                {"instruction set  ", "instruction set  other ", true},
                {"\"build\": ", "\"before\": ", true}};
    stops = true;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *before = replace(config, rows[i].from, rows[i].to);
        notes_of_builds = 0;
        assert_int_equal(job->resume(at(job->name)), PBA_INTERRUPTED);
        assert_int_equal(notes_of_builds, rows[i].told);
        put_back(config, before);
    }
    stops = false;
}

static void check_job(const struct job *job)
{
    char sum[64], other[80], version[64];
    const char *parts[] = {"network", "operations"};
    job->begin(job->name);
    char *config = strdup(inside(job->name, "config.json"));
    check_data(job, 0, "test_batch.bin"); /* all labels of the test images are used */
    check_data(job, 1234, "test_batch.bin");
    snprintf(version, sizeof version, "\"pba\": \"%s\"", pba_version());
    char *before = replace(config, version, "\"pba\": \"0.0.9\"");
    refused(job, "begun by pba 0.0.9", "go on with pba 0.0.9");
    put_back(config, before);
    for (int i = 0; i < 2; i++) {
        snprintf(sum, sizeof sum, "\"%s\": ", parts[i]);
        snprintf(other, sizeof other, "%s1", sum);
        before = replace(config, sum, other);
        refused(job, parts[i], "go on with the build that began it");
        put_back(config, before);
    }
    check_tables(job);
    check_missing(job, config);
    if (job == jobs) { /* the settings of the others' arms are in their own folders */
        before = replace(config, "wrn-10-1", "wrn-16-1");
        refused(job, "network", "start a new run");
        put_back(config, before);
    }
    check_builds(job, config);
    free(config);
    assert_ok(job->resume(at(job->name)));
    assert_ok(job->resume(at(job->name))); /* finished: nothing is compared any more */
}

static void searches_stay_themselves(void **state)
{
    check_job(&jobs[0]);
}

static void trainings_stay_themselves(void **state)
{
    check_job(&jobs[1]);
}

static void comparisons_stay_themselves(void **state)
{
    check_job(&jobs[2]);
}

/* What the sittings took is worth less than the run. */
static void a_damaged_cost_is_forgotten(void **state)
{
    run_spent spent = {1, 1};
    begin_search("cost");
    assert_ok(run_read_spent(at("cost"), &spent));
    assert_true(spent.seconds > 0);
    assert_ok(file_write(inside("cost", "checkpoint/spent.json"), "{\"seconds\": -", 13));
    assert_ok(run_read_spent(at("cost"), &spent));
    assert_true(spent.seconds == 0 && spent.core_seconds == 0);
    assert_ok(resume_search(at("cost")));
}

static void note(void *user, const pba_event *event)
{
    if (event->kind == PBA_EVENT_NOTE &&
        strstr(event->text, "going on from the checkpoint before")) {
        ++*(int *)user;
    }
}

static void stop_training(const char *run, int steps)
{
    pba_training *training;
    int left = steps;
    const pba_observer observer = {.stop = after, .user = &left};
    assert_ok(pba_training_resume(run, 1, &training));
    assert_int_equal(pba_training_run(training, &observer), PBA_INTERRUPTED);
    pba_training_free(training);
}

static char *weights_of(const char *run, size_t *size)
{
    char *weights;
    assert_ok(file_read(inside(run, "weights-0.safetensors"), 1 << 24, &weights, size));
    return weights;
}

/* A run whose weights could not be written goes on in the same object, and writes them. */
static void a_failed_end_is_made_good(void **state)
{
    pba_training *training;
    begin_training("short");
    stop_training(at("short"), 3);
    assert_ok(pba_training_resume(at("short"), 1, &training));
    assert_ok(file_make_folder(inside("short", "weights-0.safetensors.new")));
    assert_int_equal(pba_training_run(training, NULL), PBA_IO);
    assert_int_equal(rmdir(inside("short", "weights-0.safetensors.new")), 0);
    assert_ok(pba_training_run(training, NULL));
    pba_training_free(training);
    assert_true(file_exists(inside("short", "weights-0.safetensors")));
    assert_true(file_exists(inside("short", "result.json")));
}

/* The last checkpoint is damaged, or missing: the one before it does, to the same weights. */
static void a_training_goes_on_from_the_previous_checkpoint(void **state)
{
    size_t size, other_size;
    begin_training("whole");
    assert_ok(resume_training(at("whole")));
    char *whole = weights_of("whole", &size);
    for (int missing = 0; missing < 2; missing++) {
        const char *run = missing ? "missing" : "damaged";
        pba_training *training;
        int notes = 0;
        const pba_observer observer = {.event = note, .user = &notes};
        begin_training(run);
        stop_training(at(run), 3);
        const char *path = inside(run, "checkpoint/seed-0");
        assert_true(file_exists(path) && file_exists(inside(run, "checkpoint/seed-0.before")));
        if (missing) {
            assert_int_equal(unlink(path), 0);
        } else {
            assert_ok(file_write(path, "damaged", 7));
        }
        assert_ok(pba_training_resume(at(run), 1, &training));
        assert_ok(pba_training_run(training, &observer));
        pba_training_free(training);
        assert_int_equal(notes, !missing); /* a crash between two renames is no damage */
        char *weights = weights_of(run, &other_size);
        assert_int_equal(size, other_size);
        assert_memory_equal(whole, weights, size);
        free(weights);
        assert_false(file_exists(inside(run, "checkpoint")));
    }
    free(whole);
    begin_training("both");
    stop_training(at("both"), 3);
    assert_ok(file_write(inside("both", "checkpoint/seed-0"), "damaged", 7));
    assert_ok(file_write(inside("both", "checkpoint/seed-0.before"), "damaged", 7));
    assert_int_equal(resume_training(at("both")), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "remove both"));
    assert_int_equal(unlink(inside("both", "checkpoint/seed-0")), 0);
    assert_int_equal(resume_training(at("both")), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "remove it"));
    assert_int_equal(unlink(inside("both", "checkpoint/seed-0.before")), 0);
    assert_ok(resume_training(at("both")));
}

/* The first `count` of the cores in `all`; false where there are fewer. */
static bool use_cores(const cpu_set_t *all, int count)
{
    cpu_set_t some;
    CPU_ZERO(&some);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&some) < count; i++) {
        if (CPU_ISSET(i, all)) {
            CPU_SET(i, &some);
        }
    }
    return CPU_COUNT(&some) == count && sched_setaffinity(0, sizeof some, &some) == 0 &&
           pba_cores() == count;
}

static void check_threads(const char *run, int expected)
{
    pba_training *training;
    pba_plan plan;
    assert_ok(pba_training_resume(run, 0, &training));
    assert_ok(pba_training_plan(training, &plan));
    assert_int_equal(plan.threads, expected);
    assert_int_equal(plan.workers, 1);
    assert_int_equal(pba_training_options(training)->threads, expected);
    pba_training_free(training);
}

static void same_weights(const char *run, const char *other)
{
    size_t size, other_size;
    char *weights = weights_of(run, &size), *others = weights_of(other, &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(weights, others, size);
    free(weights);
    free(others);
}

/* Begun on two cores, with a thread on each, and resumed on one: the same weights as on two. */
static void threads_stay_those_of_the_beginning(void **state)
{
    cpu_set_t all;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    if (!use_cores(&all, 2)) {
        sched_setaffinity(0, sizeof all, &all);
        print_message("one core: nothing to take away\n");
        skip();
    }
    begin_training_of("undisturbed", "wrn-10-2");
    assert_ok(resume_training(at("undisturbed")));
    begin_training_of("fewer", "wrn-10-2");
    begin_comparison("fewer-compared");
    bool one = use_cores(&all, 1);
    if (one) {
        check_threads(at("fewer"), 2);
        assert_ok(resume_training(at("fewer")));
        assert_ok(resume_comparison(at("fewer-compared")));
    }
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    assert_true(one);
    same_weights("undisturbed", "fewer");
    char *text;
    size_t size;
    assert_ok(file_read(inside("fewer-compared", "2-baseline/config.json"), 1 << 16, &text, &size));
    assert_non_null(strstr(text, "\"threads\": \"2\"")); /* of an arm that had not begun */
    free(text);
}

/* While another process holds the folder. */
static void one_process_at_a_time(void **state)
{
    for (int i = 0; i < JOBS; i++) {
        char name[32];
        int up[2], down[2], code;
        snprintf(name, sizeof name, "held-%s", jobs[i].name);
        jobs[i].begin(name);
        assert_int_equal(pipe(up), 0);
        assert_int_equal(pipe(down), 0);
        pid_t child = fork();
        if (child == 0) {
            char byte = 0;
            const char *path = inside(name, i ? RUN_LOCK : "journal.jsonl");
            int descriptor;
            bool held = file_append_open(path, &descriptor) == PBA_OK &&
                        file_hold(descriptor, path) == PBA_OK && write(up[1], &byte, 1) == 1;
            _exit(held && read(down[0], &byte, 1) == 1 ? 0 : 1);
        }
        char byte = 0;
        assert_int_equal(read(up[0], &byte, 1), 1);
        assert_int_equal(jobs[i].resume(at(name)), PBA_EXISTS);
        assert_non_null(strstr(pba_error_message(), "another process"));
        assert_int_equal(write(down[1], &byte, 1), 1);
        assert_int_equal(waitpid(child, &code, 0), child);
        assert_int_equal(code, 0);
        assert_ok(jobs[i].resume(at(name)));
        for (int end = 0; end < 2; end++) {
            close(up[end]);
            close(down[end]);
        }
    }
}

/* Somebody removed config.json, to train anew in the same folder. */
static void other_checkpoints_are_not_gone_on_from(void **state)
{
    size_t size, other_size;
    begin_training("fresh");
    assert_ok(resume_training(at("fresh")));
    char *weights = weights_of("fresh", &size);
    begin_training("used");
    stop_training(at("used"), 3);
    assert_ok(file_write(inside("used", "checkpoint/seed-0.json"), "{}", 2));
    assert_int_equal(unlink(inside("used", "config.json")), 0);
    begin_training("used");
    assert_ok(resume_training(at("used")));
    char *again = weights_of("used", &other_size);
    assert_int_equal(size, other_size);
    assert_memory_equal(weights, again, size);
    free(weights);
    free(again);
}

/* Both were opened before either had begun. */
static void one_of_two_fresh_jobs_begins(void **state)
{
    pba_train_options options;
    pba_training *first, *second;
    size_t count;
    int left = 3;
    const pba_setting *rows = pba_train_settings(&count);
    const pba_observer observer = {.stop = after, .user = &left};
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe);
    strcpy(options.dataset, at("data"));
    strcpy(options.out, at("race"));
    assert_ok(pba_training_create(&options, &first));
    assert_ok(pba_training_create(&options, &second));
    assert_int_equal(pba_training_run(first, &observer), PBA_INTERRUPTED);
    assert_int_equal(pba_training_run(second, NULL), PBA_EXISTS);
    assert_non_null(strstr(pba_error_message(), "holds a run already"));
    assert_ok(pba_training_run(first, NULL)); /* goes on */
    pba_training_free(first);
    pba_training_free(second);
}

static void a_comparison_runs_once(void **state)
{
    pba_comparison *comparison;
    int left = 8;
    const pba_observer observer = {.stop = after, .user = &left};
    begin_comparison("once");
    assert_ok(pba_comparison_resume_with(at("once"), 1, NULL, &comparison));
    assert_int_equal(pba_comparison_run(comparison, &observer), PBA_INTERRUPTED);
    assert_int_equal(pba_comparison_run(comparison, NULL), PBA_USAGE);
    pba_comparison_free(comparison);
    assert_ok(resume_comparison(at("once")));
    assert_false(file_exists(inside("once", "checkpoint")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_stay_themselves),
        cmocka_unit_test(trainings_stay_themselves),
        cmocka_unit_test(comparisons_stay_themselves),
        cmocka_unit_test(a_damaged_cost_is_forgotten),
        cmocka_unit_test(a_failed_end_is_made_good),
        cmocka_unit_test(a_training_goes_on_from_the_previous_checkpoint),
        cmocka_unit_test(other_checkpoints_are_not_gone_on_from),
        cmocka_unit_test(threads_stay_those_of_the_beginning),
        cmocka_unit_test(one_process_at_a_time),
        cmocka_unit_test(one_of_two_fresh_jobs_begins),
        cmocka_unit_test(a_comparison_runs_once),
    };
    return cmocka_run_group_tests(tests, prepare, tear_down);
}
