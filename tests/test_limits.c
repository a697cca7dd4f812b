/* SPDX-License-Identifier: Apache-2.0
 * What docs/limits.md says: the largest value is taken, the next one is refused with a message that
 * tells the limit. Files beyond their limit are holes: they take no room. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "folder.h"
#include "population/population.h"
#include "schedule/schedule.h"
#include "search/search.h"

/* One failure whose message holds `part`. */
static void expect(pba_status status, pba_status wanted, const char *part)
{
    if (status != wanted || !strstr(pba_error_message(), part)) {
        fail_msg("%s instead of %s, \"%s\" of: %s", pba_status_name(status),
                 pba_status_name(wanted), part, pba_error_message());
    }
}

/* A file of that many zero bytes. */
static const char *hole(const char *name, off_t size)
{
    put(name, "", 0);
    assert_int_equal(truncate(path_of(name), size), 0);
    return path_of(name);
}

/* ---------------------------------------------------------------- settings */

static void check_setting(void *options, const pba_setting *rows, size_t count, const char *name,
                          const char *most, const char *more)
{
    assert_ok(pba_settings_set(options, rows, count, name, most));
    expect(pba_settings_set(options, rows, count, name, more), PBA_USAGE, most);
}

static void test_settings(void **state)
{
    size_t count;
    pba_search_options search;
    pba_train_options training;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&search, rows, count);
    check_setting(&search, rows, count, "population", "10000", "10001");
    check_setting(&search, rows, count, "epochs", "1000000", "1000001");
    check_setting(&search, rows, count, "interval", "1000000", "1000001");
    check_setting(&search, rows, count, "batch", "65536", "65537");
    check_setting(&search, rows, count, "workers", "1024", "1025");
    rows = pba_train_settings(&count);
    pba_settings_init(&training, rows, count);
    check_setting(&training, rows, count, "seeds", "1000", "1001");
    check_setting(&training, rows, count, "train-size", "1000000000", "1000000001");
}

static void test_population(void **state)
{
    pba_population_options options;
    pba_population *population;
    pba_population_defaults(&options);
    options.population = 10000;
    options.epochs = 1000000;
    assert_ok(pba_population_create(&options, &population));
    pba_population_free(population);
    options.population = 10001;
    expect(pba_population_create(&options, &population), PBA_USAGE, "10000");
}

/* ---------------------------------------------------------------- searches */

static void check_line(json_t *line, double most)
{
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert_non_null(text);
    assert_true((double)strlen(text) + 1 <= most && most <= 1.2 * (double)strlen(text));
    free(text);
    json_decref(line);
}

static pba_policy largest_policy(int entries)
{
    pba_policy policy = {.entries = entries};
    for (int i = 0; i < 2 * entries; i++) {
        policy.values[i] = (uint8_t)schedule_value_max(i);
    }
    return policy;
}

/* The longest lines that there can be are no longer than they are taken to be. */
static void test_journal_lines(void **state)
{
    const double longest = -2.2250738585072014e-308;
    const search_score score = {longest, longest, longest, longest};
    pba_task task = {.member = POPULATION_MAX - 1,
                     .weights_from = POPULATION_MAX - 1,
                     .round = SCHEDULE_EPOCHS_MAX,
                     .from_epoch = SCHEDULE_EPOCHS_MAX,
                     .until_epoch = SCHEDULE_EPOCHS_MAX,
                     .policy = largest_policy(PBA_POLICY_MAX)};
    check_line(search_score_line(&task, &score), search_journal_most(1, 0, PBA_POLICY_MAX));
    check_line(search_copy_line(&task), search_journal_most(0, 1, PBA_POLICY_MAX));
}

/* Of the paper's operations, one round an epoch. */
static void test_search_files(void **state)
{
    static const struct {
        int population, rounds;
        pba_selection selection;
        pba_status status;
        const char *part;
    } rows[] = {
        {10000, 376, PBA_SELECTION_TRUNCATION, PBA_OK, ""},
        {10000, 377, PBA_SELECTION_TRUNCATION, PBA_USAGE, "journal of 10000 members"},
        {10000, 228, PBA_SELECTION_NONE, PBA_OK, ""},
        {10000, 229, PBA_SELECTION_NONE, PBA_USAGE, "1074 MB could be read back: give a smaller"},
        {10000, 1000000, PBA_SELECTION_NONE, PBA_USAGE, "4699998 MB"},
        {16, 117619, PBA_SELECTION_TRUNCATION, PBA_OK, ""},
        {16, 117620, PBA_SELECTION_TRUNCATION, PBA_USAGE, "schedule of 16 members"},
        {2, 1000000, PBA_SELECTION_TRUNCATION, PBA_USAGE, "larger --interval"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_population_options options;
        pba_population_defaults(&options);
        options.population = rows[i].population;
        options.epochs = rows[i].rounds;
        options.interval = 1;
        options.selection = rows[i].selection;
        pba_search search = {.options.population = options.population, .rounds = options.epochs};
        assert_ok(pba_population_create(&options, &search.population));
        expect(search_check_files(&search), rows[i].status, rows[i].part);
        pba_population_free(search.population);
    }
}

static void test_search_refused(void **state)
{
    size_t count;
    pba_search *search;
    pba_search_options options;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.dataset, sizeof options.dataset, "demo");
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
    options.population = 10000;
    options.recipe.epochs = 1131;
    expect(pba_search_create(&options, &search), PBA_USAGE, "journal of 10000 members in 377");
    assert_null(search);
    assert_false(file_exists(options.out));
}

/* --------------------------------------------------------------- schedules */

static pba_schedule *long_schedule(int op_count, int copies, int segments)
{
    pba_schedule *schedule;
    pba_policy policy = largest_policy(op_count * copies);
    const schedule_event event = {"9999", "9999", SCHEDULE_EPOCHS_MAX, SCHEDULE_EPOCHS_MAX};
    assert_ok(schedule_create(schedule_pba_ops, op_count, copies, &schedule));
    assert_ok(schedule_append(schedule, SCHEDULE_EPOCHS_MAX, &policy, NULL));
    for (int i = 1; i < segments; i++) {
        assert_ok(schedule_append(schedule, 0, &policy, &event));
    }
    return schedule;
}

static double saved_size(int op_count, int copies, int segments, const char *name)
{
    char *text;
    size_t size;
    pba_schedule *schedule = long_schedule(op_count, copies, segments);
    assert_ok(pba_schedule_save(schedule, path_of(name)));
    assert_ok(file_read(path_of(name), SCHEDULE_FILE_MAX, &text, &size));
    pba_schedule_free(schedule);
    free(text);
    return (double)size;
}

/* A hundred segments more add no more than they are taken to. */
static void test_segments(void **state)
{
    static const struct {
        int op_count, copies;
        const char *name;
    } rows[] = {{SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES, "s.json"},
                {SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES, "s.txt"},
                {1, 1, "s.json"},
                {1, PBA_POLICY_MAX, "s.json"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int ops = rows[i].op_count, copies = rows[i].copies;
        double few = saved_size(ops, copies, 100, rows[i].name);
        double more = saved_size(ops, copies, 200, rows[i].name) - few;
        double most = schedule_file_most(100, ops * copies);
        assert_true(few <= most);
        assert_true(more <= schedule_file_most(200, ops * copies) - most);
    }
}

static void test_long_schedule(void **state)
{
    pba_schedule *schedule = long_schedule(1, PBA_POLICY_MAX, 75000);
    expect(pba_schedule_save(schedule, path_of("s.json")), PBA_UNSUPPORTED, "67108864");
    assert_false(file_exists(path_of("s.json")));
    pba_schedule_free(schedule);
}

static void test_policies(void **state)
{
    static char names[PBA_POLICY_MAX + 1][8];
    const char *ops[PBA_POLICY_MAX + 1];
    pba_policy policy = {.entries = PBA_POLICY_MAX};
    pba_schedule *schedule;
    for (int i = 0; i <= PBA_POLICY_MAX; i++) {
        snprintf(names[i], sizeof names[i], "op%d", i);
        ops[i] = names[i];
    }
    assert_ok(pba_schedule_constant(&policy, ops, PBA_POLICY_MAX, 1000000, &schedule));
    pba_schedule_free(schedule);
    policy.entries++;
    expect(pba_schedule_constant(&policy, ops, policy.entries, 1, &schedule), PBA_USAGE, "128");
    policy.entries = 1;
    expect(pba_schedule_constant(&policy, ops, 1, 1000001, &schedule), PBA_USAGE, "1000000");
    char longest[PBA_NAME_MAX + 1];
    memset(longest, 'a', PBA_NAME_MAX);
    longest[PBA_NAME_MAX] = 0;
    ops[0] = longest;
    expect(pba_schedule_constant(&policy, ops, 1, 1, &schedule), PBA_USAGE, "63");
    longest[PBA_NAME_MAX - 1] = 0;
    assert_ok(pba_schedule_constant(&policy, ops, 1, 1, &schedule));
    pba_schedule_free(schedule);
}

static void test_files(void **state)
{
    pba_schedule *schedule;
    pba_search *search;
    expect(pba_schedule_load(hole("s.json", (64 << 20) + 1), 0, &schedule), PBA_FORMAT, "67108864");
    hole("config.json", (1 << 20) + 1);
    expect(pba_search_resume(folder, 1, &search), PBA_FORMAT, "1048576");
    pba_image image;
    expect(pba_image_read(hole("x.png", ((off_t)1 << 30) + 1), &image), PBA_FORMAT, "1073741824");
    pba_report_options report = {.run_count = PBA_REPORT_RUNS_MAX + 1};
    expect(pba_report_write(&report, path_of("r.html")), PBA_USAGE, "64");
}

/* The journal of a search of the usual settings. */
static void test_journal(void **state)
{
    static const char config[] = "{\"format\": \"pba-run\", \"version\": 1, \"kind\": \"search\", "
                                 "\"settings\": {\"population\": \"2\", \"interval\": \"1\", "
                                 "\"epochs\": \"1\"}}";
    const char *runs[] = {folder};
    pba_report_options options = {.runs = runs, .run_count = 1};
    put("config.json", config, sizeof config - 1);
    hole("journal.jsonl", ((off_t)1 << 30) + 1);
    expect(pba_report_write(&options, path_of("r.html")), PBA_FORMAT, "1073741824");
}

static void test_paths(void **state)
{
    static char path[2 * PBA_PATH_MAX];
    pba_schedule *schedule;
    pba_policy policy = {.entries = 1};
    const char *const ops[] = {"Invert"};
    assert_ok(pba_schedule_constant(&policy, ops, 1, 1, &schedule));
    memset(path, 'a', sizeof path - 1);
    expect(pba_schedule_save(schedule, path), PBA_USAGE, "too long");
    pba_schedule_free(schedule);
}

/* ------------------------------------------------------------------ images */

static void test_images(void **state)
{
    pba_image image;
    expect(pba_image_create((1 << 14) + 1, 1 << 14, 1, &image), PBA_UNSUPPORTED, "268435456");
    image = (pba_image){
        .pixels = (uint8_t *)path_of(""), .width = 1 << 15, .height = (1 << 15) + 1, .channels = 3};
    expect(pba_op_apply(&image, "Invert", 0, 1, 0), PBA_USAGE, "2^30");
    pba_augmenter *augmenter;
    pba_augmenter_options options = {.width = 1 << 15, .height = (1 << 15) + 1, .channels = 1};
    expect(pba_augmenter_create(&options, &augmenter), PBA_USAGE, "2^30");
}

static void open_refused(pba_status status, const char *part)
{
    pba_dataset *dataset;
    expect(pba_dataset_open(folder, &dataset), status, part);
}

/* As large as a header can claim; the bytes are not looked at before. */
static void test_idx(void **state)
{
    uint8_t images[16] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1};
    put("train-images-idx3-ubyte", images, sizeof images);
    assert_int_equal(truncate(path_of("train-images-idx3-ubyte"), 16 + 65536), 0);
    open_refused(PBA_UNSUPPORTED, "too large");
}

static void test_cifar(void **state)
{
    hole("data_batch_1.bin", ((off_t)1 << 30) + 1);
    open_refused(PBA_UNSUPPORTED, "1073741824");
}

static void test_sizes(void **state)
{
    pba_dataset *dataset;
    pba_dataset_options options = {.size = "65536x1"};
    expect(pba_dataset_open_with("demo", &options, &dataset), PBA_USAGE, "65536x1");
    pba_image image;
    assert_ok(pba_image_create(2, 2, 3, &image));
    assert_ok(file_make_folder(path_of("a")));
    assert_ok(file_make_folder(path_of("b")));
    assert_ok(pba_image_write(path_of("a/1.png"), &image, false));
    assert_ok(pba_image_write(path_of("b/1.png"), &image, false));
    pba_image_free(&image);
    snprintf(options.size, sizeof options.size, "4097x4096");
    expect(pba_dataset_open_with(folder, &options, &dataset), PBA_USAGE, "16777216");
}

/* An archive of empty files, the names of which `name` writes. */
static void pack(int count, void (*name)(int index, char path[PBA_PATH_MAX]))
{
    char path[PBA_PATH_MAX];
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    assert_int_equal(archive_write_set_format_pax_restricted(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_add_filter_gzip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path_of("x.tar.gz")), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, 0);
    for (int i = 0; i < count; i++) {
        name(i, path);
        archive_entry_set_pathname(entry, path);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    }
    archive_entry_free(entry);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void pack_refused(pba_status status, const char *part)
{
    pba_dataset *dataset;
    expect(pba_dataset_open(path_of("x.tar.gz"), &dataset), status, part);
}

/* Names of 255 and 256 bytes. */
static void long_class(int index, char path[PBA_PATH_MAX])
{
    int length = PBA_CLASS_MAX - 1 + index;
    memset(path, 'n', PBA_CLASS_MAX);
    snprintf(path + length, PBA_PATH_MAX - (size_t)length, "/1.png");
}

static void test_class_names(void **state)
{
    pack(2, long_class);
    pack_refused(PBA_UNSUPPORTED, "has 256 bytes; 255 are possible");
    assert_null(strstr(pba_error_message(), "has 255 bytes"));
}

/* ---------------------------------------------------------------- networks */

static void test_networks(void **state)
{
    pba_model_info info;
    expect(pba_model_describe("wrn-99994-1", 32, 32, 3, 10, &info), PBA_USAGE, "65536");
    expect(pba_model_describe("wrn-10-33554431", 32, 32, 3, 10, &info), PBA_USAGE, "choose");
    expect(pba_model_describe("wrn-10-1", 65532, 65532, 3, 10, &info), PBA_USAGE, "choose");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_population),
        cmocka_unit_test(test_policies),
        IN_FOLDER(test_files),
        IN_FOLDER(test_journal),
        IN_FOLDER(test_paths),
        IN_FOLDER(test_images),
        IN_FOLDER(test_idx),
        IN_FOLDER(test_cifar),
        IN_FOLDER(test_sizes),
        IN_FOLDER(test_class_names),
        cmocka_unit_test(test_journal_lines),
        cmocka_unit_test(test_search_files),
        IN_FOLDER(test_search_refused),
        IN_FOLDER(test_segments),
        IN_FOLDER(test_long_schedule),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
