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
#include "schedule/policy.h"

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

/* --------------------------------------------------------------- schedules */

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
        cmocka_unit_test(test_settings), cmocka_unit_test(test_population),
        cmocka_unit_test(test_policies), IN_FOLDER(test_files),
        IN_FOLDER(test_journal),         IN_FOLDER(test_paths),
        IN_FOLDER(test_images),          IN_FOLDER(test_idx),
        IN_FOLDER(test_cifar),           IN_FOLDER(test_sizes),
        IN_FOLDER(test_class_names),     cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
