/* SPDX-License-Identifier: Apache-2.0
 * Archives as data sets, opened in a child: what of them is read, what is left out and said, and
 * that neither their names nor their sizes do harm. The archives are written here by libarchive. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "faults.h"
#include "folder.h"

enum { RECORD = 3073, RECORDS = 40, MEGABYTE = 1 << 20 };

/* ------------------------------------------------------------------ writing */

static struct archive *writing(const char *name, const char *filter, bool zip)
{
    struct archive *archive = archive_write_new();
    if (filter) {
        assert_int_equal(archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK);
    }
    assert_int_equal(zip ? archive_write_set_format_zip(archive)
                         : archive_write_set_format_pax_restricted(archive),
                     ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, path_of(name)), ARCHIVE_OK);
    return archive;
}

static void start_entry(struct archive *archive, const char *name, mode_t type, int64_t size,
                        const char *link)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, type);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, size);
    if (link && type == AE_IFLNK) {
        archive_entry_set_symlink(entry, link);
    } else if (link) {
        archive_entry_set_hardlink(entry, link);
    }
    assert_true(archive_write_header(archive, entry) >= ARCHIVE_WARN);
    archive_entry_free(entry);
}

static void add(struct archive *archive, const char *name, const void *data, size_t size)
{
    start_entry(archive, name, AE_IFREG, (int64_t)size, NULL);
    assert_int_equal(archive_write_data(archive, data, size), size);
}

static void finish(struct archive *archive)
{
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

/* Records of CIFAR-10; those of `other` have other pixels. */
static const uint8_t *records(bool other)
{
    static uint8_t data[RECORDS * RECORD];
    for (int i = 0; i < RECORDS * RECORD; i++) {
        data[i] = (uint8_t)(i % RECORD ? i * 7 + other : i / RECORD % 10);
    }
    return data;
}

static void add_cifar(struct archive *archive, const char *where)
{
    char name[100];
    snprintf(name, sizeof name, "%sdata_batch_1.bin", where);
    add(archive, name, records(false), RECORDS * RECORD);
    snprintf(name, sizeof name, "%stest_batch.bin", where);
    add(archive, name, records(true), RECORDS * RECORD);
}

/* ------------------------------------------------------------------ opening */

static pba_dataset_info open_archive(const char *name, pba_dataset **dataset)
{
    *dataset = opened(path_of(name));
    return describe(*dataset);
}

static void check_cifar(const char *name)
{
    pba_dataset *dataset;
    pba_dataset_info info = open_archive(name, &dataset);
    assert_string_equal(info.format, "cifar-10");
    assert_string_equal(info.baseline, "crop:4,flip,cutout:16");
    assert_int_equal(info.train_images, RECORDS);
    assert_int_equal(info.test_images, RECORDS);
    assert_int_equal(info.classes, 10);
    assert_string_equal(pba_dataset_class(dataset, 3), "3");
    const uint8_t *expected = records(true) + 5 * RECORD + 1;
    const uint8_t *pixels = dataset->content.pixels + (RECORDS + 5) * 3072;
    for (int i = 0; i < 3072; i++) {
        assert_int_equal(pixels[i], expected[i % 3 * 1024 + i / 3]);
    }
    assert_int_equal(dataset->content.labels[RECORDS + 5], 5);
    pba_dataset_free(dataset);
}

static void refuses(const char *name, pba_status status, const char *part)
{
    char path[PBA_PATH_MAX];
    snprintf(path, sizeof path, "%s", path_of(name));
    refused(path, status, part);
    assert_non_null(strstr(pba_error_message(), path));
}

static void test_kinds(void **state)
{
    const char *const filters[] = {NULL, "gzip", "bzip2", "xz"};
    for (int i = 0; i < 5; i++) {
        struct archive *archive = writing("x", i < 4 ? filters[i] : NULL, i == 4);
        add_cifar(archive, "cifar-10-batches-bin/");
        finish(archive);
        check_cifar("x");
    }
}

/* Signals before every call, and reads that get a part of the first bytes. */
static void test_interrupted(void **state)
{
    const fault_mode modes[] = {FAULT_INTERRUPT, FAULT_SHORT};
    struct archive *archive = writing("x", NULL, false); /* whose magic is the farthest */
    add_cifar(archive, "");
    finish(archive);
    faults_open(folder, "");
    for (int i = 0; i < 2; i++) {
        faults_arm(modes[i], 0, 0);
        check_cifar("x");
        assert_true(faults_disturbed() > 0);
    }
    faults_arm(FAULT_COUNT, 0, 0);
}

static void test_places(void **state)
{
    const char *const places[] = {"", "./", "a/b/c/", "./a//./b/"};
    for (int i = 0; i < 4; i++) {
        struct archive *archive = writing("x.tar", NULL, false);
        start_entry(archive, "a", AE_IFDIR, 0, NULL);
        add_cifar(archive, places[i]);
        finish(archive);
        check_cifar("x.tar");
    }
}

/* What might reach outside is left out, and nothing is written anywhere. */
static void test_left_out(void **state)
{
    char above[PBA_PATH_MAX];
    struct archive *archive = writing("x.tar", NULL, false);
    add(archive, "../pba-above", "x", 1);
    add(archive, "good/../../pba-above", "x", 1);
    add(archive, "/tmp/pba-absolute", "x", 1);
    add(archive, ".hidden", "x", 1);
    add(archive, "__MACOSX/cifar/data_batch_2.bin", "x", 1);
    start_entry(archive, "cifar/data_batch_3.bin", AE_IFLNK, 0, "/etc/passwd");
    start_entry(archive, "cifar/data_batch_4.bin", AE_IFREG, 0, "/etc/passwd");
    start_entry(archive, "cifar/data_batch_5.bin", AE_IFIFO, 0, NULL);
    start_entry(archive, "cifar/device", AE_IFCHR, 0, NULL);
    add_cifar(archive, "cifar/");
    finish(archive);
    check_cifar("x.tar");
    pba_dataset *dataset;
    pba_dataset_info info = open_archive("x.tar", &dataset);
    assert_non_null(strstr(info.notes, "left out 3 entries with an absolute name"));
    assert_non_null(strstr(info.notes, "left out 2 entries that are links"));
    assert_non_null(strstr(info.notes, "left out 2 entries that are no plain files"));
    pba_dataset_free(dataset);
    assert_ok(file_join(above, folder, "../pba-above"));
    assert_false(file_exists(above));
    assert_false(file_exists("/tmp/pba-absolute"));
    assert_false(file_exists(path_of("cifar")));
}

static void test_later_wins(void **state)
{
    struct archive *archive = writing("x.tar", NULL, false);
    add(archive, "test_batch.bin", "old", 3);
    add_cifar(archive, "");
    finish(archive);
    check_cifar("x.tar");
}

static void test_python_version(void **state)
{
    struct archive *archive = writing("x.tar.gz", "gzip", false);
    add(archive, "cifar-10-batches-py/data_batch_1", "\x80\2}", 3);
    add(archive, "cifar-10-batches-py/batches.meta", "\x80\2}", 3);
    finish(archive);
    refuses("x.tar.gz", PBA_UNSUPPORTED, "fetch the binary version, cifar-10-binary.tar.gz");
}

static void test_no_data_set(void **state)
{
    struct archive *archive = writing("x.tar", NULL, false);
    add(archive, "README", "x", 1);
    finish(archive);
    refuses("x.tar", PBA_FORMAT, "the archive holds no known data set");
    archive = writing("x.tar", "gzip", false);
    finish(archive);
    refuses("x.tar", PBA_FORMAT, "the archive holds no known data set");
    assert_ok(file_write(path_of("x.gz"), "\x1f\x8b\x08 and nonsense", 16));
    refuses("x.gz", PBA_FORMAT, "no tar or zip archive");
}

/* Zeros that were compressed a thousand times: refused before they fill the memory. */
static void test_bombs(void **state)
{
    char *zeros = calloc(1, MEGABYTE);
    assert_non_null(zeros);
    for (int i = 0; i < 2; i++) {
        struct archive *archive = writing("bomb", i ? NULL : "gzip", i);
        start_entry(archive, "data_batch_1.bin", AE_IFREG, (int64_t)300 * MEGABYTE, NULL);
        for (int written = 0; written < 300; written++) {
            assert_int_equal(archive_write_data(archive, zeros, MEGABYTE), MEGABYTE);
        }
        finish(archive);
        refuses("bomb", PBA_FORMAT, "more than 200 times its size");
    }
    free(zeros);
}

static void test_damaged_data_set(void **state)
{
    struct archive *archive = writing("x.zip", NULL, true);
    add(archive, "top/data_batch_1.bin", records(false), RECORDS * RECORD - 5);
    finish(archive);
    refuses("x.zip", PBA_FORMAT, "x.zip: data_batch_1.bin: 5 bytes short at record 40");
}

/* ----------------------------------------------------------------- progress */

static bool refuse(void *user, const char *what, int64_t done, int64_t total)
{
    int *calls = user;
    return ++*calls < 2;
}

static void test_stop(void **state)
{
    int calls = 0;
    const pba_dataset_options options = {.progress = refuse, .user = &calls};
    struct archive *archive = writing("x.tar", NULL, false);
    for (int i = 0; i < 3000; i++) {
        add(archive, "data_batch_1.bin", records(false), RECORDS * RECORD);
    }
    finish(archive);
    pba_dataset *dataset;
    assert_int_equal(pba_dataset_open_with(path_of("x.tar"), &options, &dataset), PBA_INTERRUPTED);
    assert_null(dataset);
    assert_int_equal(calls, 2);
}

static void test_options(void **state)
{
    static const struct {
        const char *size, *fit;
        pba_status status;
    } rows[] = {{"32x32", "", PBA_OK},         {"", "pad", PBA_OK},
                {"32x31", "", PBA_USAGE},      {"32", "", PBA_USAGE},
                {"0x4", "", PBA_USAGE},        {"32x32x", "", PBA_USAGE},
                {"-32x32", "", PBA_USAGE},     {"99999x99999", "", PBA_USAGE},
                {"999999x1", "", PBA_USAGE},   {"", "stretch", PBA_USAGE},
                {" 32x32", "crop", PBA_USAGE}, {"32x32", "crop", PBA_OK}};
    struct archive *archive = writing("x.tar", NULL, false);
    add_cifar(archive, "");
    finish(archive);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_dataset_options options = {0};
        pba_dataset *dataset;
        snprintf(options.size, sizeof options.size, "%s", rows[i].size);
        snprintf(options.fit, sizeof options.fit, "%s", rows[i].fit);
        assert_int_equal(pba_dataset_open_with(path_of("x.tar"), &options, &dataset),
                         rows[i].status);
        pba_dataset_free(dataset);
        dataset = NULL;
        assert_int_equal(pba_dataset_open_with("demo", &options, &dataset), rows[i].status);
        pba_dataset_free(dataset);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_kinds),       IN_FOLDER(test_interrupted), IN_FOLDER(test_places),
        IN_FOLDER(test_left_out),    IN_FOLDER(test_later_wins),  IN_FOLDER(test_python_version),
        IN_FOLDER(test_no_data_set), IN_FOLDER(test_bombs),       IN_FOLDER(test_damaged_data_set),
        IN_FOLDER(test_stop),        IN_FOLDER(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
