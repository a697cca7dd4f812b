/* SPDX-License-Identifier: Apache-2.0
 * Folders of class folders: layouts, order, sizes, what is left out, and what is an error. How the
 * pixels come out is compared with Pillow by oracle_folder.py. */
#include "check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/threads.h"
#include "data/dataset.h"
#include "data/formats/folder_items.h"
#include "data/isolate.h"

static char top[64], path[PBA_PATH_MAX];
static char *sample[2]; /* a coded 8 x 6 PNG: colour, grey */
static size_t sample_size[2];
static int number;

static void make_sample(int channels, char **data, size_t *size)
{
    pba_image image;
    assert_ok(pba_image_create(8, 6, channels, &image));
    for (int i = 0; i < 48 * channels; i++) {
        image.pixels[i] = (uint8_t)(i * 5);
    }
    snprintf(path, sizeof path, "%s/sample.png", top);
    assert_ok(pba_image_write(path, &image, false));
    assert_ok(file_read(path, 1 << 16, data, size));
    pba_image_free(&image);
}

static int begin(void **state)
{
    snprintf(top, sizeof top, "/tmp/pba-test-folder-XXXXXX");
    if (!mkdtemp(top)) {
        return -1;
    }
    make_sample(3, &sample[0], &sample_size[0]);
    make_sample(1, &sample[1], &sample_size[1]);
    return 0;
}

static int end(void **state)
{
    char command[128];
    free(sample[0]);
    free(sample[1]);
    snprintf(command, sizeof command, "rm -rf '%s'", top);
    return system(command);
}

/* ------------------------------------------------------------------- making */

static void fresh(void)
{
    number++;
    snprintf(path, sizeof path, "%s/%d", top, number);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void put(const char *name, const void *data, size_t size)
{
    char file[PBA_PATH_MAX], folder[PBA_PATH_MAX];
    snprintf(file, sizeof file, "%s/%d/%s", top, number, name);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(file, '/') - file), file);
    assert_ok(file_make_folder(folder));
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    fclose(out);
}

static void put_image(const char *name, bool grey)
{
    put(name, sample[grey], sample_size[grey]);
}

static pba_dataset *opened(const pba_dataset_options *options)
{
    pba_dataset *dataset;
    snprintf(path, sizeof path, "%s/%d", top, number);
    assert_ok(pba_dataset_open_with(path, options, &dataset));
    assert_string_equal(dataset->format->name, "folder");
    return dataset;
}

static void refused(const pba_dataset_options *options, pba_status wanted, const char *part)
{
    pba_dataset *dataset;
    snprintf(path, sizeof path, "%s/%d", top, number);
    pba_status status = pba_dataset_open_with(path, options, &dataset);
    bool named = wanted == PBA_USAGE || wanted == PBA_INTERRUPTED || /* no file's fault */
                 strstr(pba_error_message(), path);
    if (status != wanted || dataset || !named || !strstr(pba_error_message(), part)) {
        fail_msg("%s: %s", pba_status_name(status), pba_error_message());
    }
}

static void assert_counts(const pba_dataset *dataset, int train, int val, int test)
{
    assert_int_equal(dataset->content.counts[PBA_TRAIN], train);
    assert_int_equal(dataset->content.counts[PBA_VALIDATION], val);
    assert_int_equal(dataset->content.counts[PBA_TEST], test);
}

static void assert_note(const pba_dataset *dataset, const char *part)
{
    if (!strstr(dataset->content.notes, part)) {
        fail_msg("not in the notes: %s", dataset->content.notes);
    }
}

/* ------------------------------------------------------------------ layouts */

static void test_classes(void **state)
{
    fresh();
    put_image("b/1.png", false);
    put_image("b/0/x/2.png", false);
    put_image("a-z/1.png", false);
    put_image("a/no suffix", true);
    put("README.txt", "x", 1);
    put("b/.hidden", "x", 1);
    pba_dataset *dataset = opened(NULL);
    assert_counts(dataset, 4, 0, 0);
    const data_content *content = &dataset->content;
    assert_int_equal(content->classes, 3);
    assert_string_equal(content->names[0], "a");
    assert_string_equal(content->names[1], "a-z");
    assert_string_equal(content->names[2], "b");
    assert_int_equal(content->width, 8);
    assert_int_equal(content->height, 6);
    assert_int_equal(content->channels, 3);
    assert_string_equal(content->baseline, "flip,cutout:3");
    assert_note(dataset, "not read: README.txt");
    const uint16_t labels[] = {0, 1, 2, 2};
    assert_memory_equal(content->labels, labels, sizeof labels);
    for (int i = 0; i < 144; i++) { /* the first is grey as colour, the others are the sample */
        assert_int_equal(content->pixels[i], (uint8_t)(i / 3 * 5));
        assert_int_equal(content->pixels[144 + i], (uint8_t)(i * 5));
    }
    pba_dataset_free(dataset);
}

static void test_grey(void **state)
{
    fresh();
    put_image("a/1.png", true);
    put_image("b/1.png", true);
    pba_dataset *dataset = opened(NULL);
    assert_int_equal(dataset->content.channels, 1);
    pba_dataset_free(dataset);
}

static void test_divided(void **state)
{
    fresh();
    put_image("Train/a/1.png", false);
    put_image("Train/b/1.png", false);
    put_image("valid/a/1.png", false);
    put_image("TEST/b/1.png", false);
    put_image("extra/b/1.png", false);
    pba_dataset *dataset = opened(NULL);
    assert_counts(dataset, 2, 1, 1);
    assert_note(dataset, "not read: extra/");
    const uint16_t labels[] = {0, 1, 0, 1};
    assert_memory_equal(dataset->content.labels, labels, sizeof labels);
    pba_dataset_free(dataset);
    put_image("test/c/1.png", false);
    refused(NULL, PBA_FORMAT, "holds both TEST/ and test/");
}

/* Trains, buses and tests are things that people photograph. */
static void test_class_called_train(void **state)
{
    fresh();
    put_image("bus/1.png", false);
    put_image("test/1.png", false);
    put_image("train/1.png", false);
    pba_dataset *dataset = opened(NULL);
    assert_counts(dataset, 3, 0, 0);
    assert_string_equal(dataset->content.names[2], "train");
    pba_dataset_free(dataset);
}

static void test_layout_errors(void **state)
{
    fresh();
    put_image("1.jpg", false);
    refused(NULL, PBA_FORMAT, "no class folders");
    put_image("a/1.png", false);
    refused(NULL, PBA_FORMAT, "1 class folders");
    fresh();
    put_image("test/a/1.png", false);
    put_image("test/b/1.png", false);
    refused(NULL, PBA_FORMAT, "no train/");
    put_image("train/a/1.png", false);
    put_image("train/c/1.png", false);
    refused(NULL, PBA_FORMAT, "test/b: a class that is not in train/");
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    put("empty/.hidden", "", 0);
    refused(NULL, PBA_FORMAT, "empty: a class without images");
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    snprintf(path, sizeof path, "%s/%d/b/again", top, number);
    assert_int_equal(symlink("../b", path), 0);
    refused(NULL, PBA_UNSUPPORTED, "a link into itself?");
}

/* -------------------------------------------------------------- broken files */

static void test_broken(void **state)
{
    pba_dataset_options skip = {.skip_bad = true};
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    put("b/cut.png", sample[0], sample_size[0] - 30);
    refused(NULL, PBA_FORMAT, "b/cut.png: its pixels cannot be decoded");
    refused(NULL, PBA_FORMAT, "--skip-bad");
    for (int i = 0; i < 4; i++) {
        char name[16];
        snprintf(name, sizeof name, "a/%d.txt", i);
        put(name, "no image", 8);
    }
    refused(NULL, PBA_FORMAT, "a/0.txt: is no image file");
    pba_dataset *dataset = opened(&skip);
    assert_counts(dataset, 2, 0, 0);
    assert_note(dataset, "5 broken files left out: a/0.txt, a/1.txt, a/2.txt ...");
    pba_dataset_free(dataset);
    put("a/1.png", "", 0);
    refused(&skip, PBA_FORMAT, "all training images of class a are broken");
}

static void tie(const char *target, const char *name)
{
    snprintf(path, sizeof path, "%s/%d/%s", top, number, name);
    assert_int_equal(symlink(target, path), 0);
}

/* As git-annex and DVC leave them where a file was not fetched. */
static void test_links_to_nothing(void **state)
{
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    tie("/nowhere/2.png", "b/2.png");
    refused(NULL, PBA_NOT_FOUND, "b/2.png: is a link to what is not there");
    pba_dataset *dataset = opened(&(pba_dataset_options){.skip_bad = true});
    assert_counts(dataset, 2, 0, 0);
    assert_note(dataset, "1 broken file left out: b/2.png");
    pba_dataset_free(dataset);
    tie("/nowhere/c", "c"); /* a class */
    refused(&(pba_dataset_options){.skip_bad = true}, PBA_NOT_FOUND, "/c: is a link to what");
    fresh();
    put_image("train/a/1.png", false);
    put_image("train/b/1.png", false);
    put_image("test/a/1.png", false);
    tie("/nowhere/b", "test/b");
    refused(NULL, PBA_NOT_FOUND, "test/b: is a link to what is not there");
}

static void test_names(void **state)
{
    fresh();
    put_image("a/x[shrink=2].png", false);
    put_image("a/-rf", false);
    put_image("b\n\x1b[31m/\xff\xfe.png", false);
    put("a/y\n\x1b[31m\xff", "no image", 8);
    refused(NULL, PBA_FORMAT, "a/y??[31m");
    assert_null(strpbrk(pba_error_message(), "\n\x1b"));
    pba_dataset *dataset = opened(&(pba_dataset_options){.skip_bad = true});
    assert_counts(dataset, 3, 0, 0);
    assert_int_equal(dataset->content.width, 8);
    assert_string_equal(dataset->content.names[1], "b??[31m");
    assert_note(dataset, "1 broken file left out: a/y??[31m?");
    pba_dataset_free(dataset);
}

/* As long as names of folders can be, two of them the same but for their last character. */
static void test_long_names(void **state)
{
    fresh();
    for (int last = 0; last < 3; last++) {
        char name[PBA_CLASS_MAX + 8];
        memset(name, 'n', 253);
        snprintf(name + 253, sizeof name - 253, "\xc3%c/1.png", 0xa9 + last);
        put_image(name, false);
    }
    pba_dataset *dataset = opened(NULL);
    for (int last = 0; last < 3; last++) {
        const char *name = pba_dataset_class(dataset, last);
        assert_int_equal(strlen(name), PBA_CLASS_MAX - 1);
        assert_int_equal((unsigned char)name[253], 0xc3);
        assert_int_equal((unsigned char)name[254], 0xa9 + last);
    }
    pba_dataset_free(dataset);
}

/* What lies beside the classes is named while there is room, and then said to be more. */
static void test_others(void **state)
{
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    for (int i = 0; i < 20; i++) {
        char name[100];
        memset(name, 'n', 70);
        snprintf(name + 70, sizeof name - 70, "%d", i);
        put(name, "", 0);
    }
    pba_dataset *dataset = opened(NULL);
    assert_note(dataset, "not read: nnn");
    assert_note(dataset, "nnn..., nnn");
    assert_note(dataset, "nnn... ...");
    pba_dataset_free(dataset);
}

static void test_printable(void **state)
{
    static const char *const cases[][2] = {
        {"plain name", "plain name"},
        {"\xc3\xa9t\xc3\xa9 \xe6\xa1\x83 \xf0\x9f\x8d\x8e", "\xc3\xa9t\xc3\xa9 \xe6\xa1\x83 "
                                                            "\xf0\x9f\x8d\x8e"},
        {"a\tb\x7f", "a?b?"},
        {"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80", "?? ??? ????"},
        {"\xe6\xa1", "??"},
        {"\xc2\x9b", "??"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        folder_printable(cases[i][0], text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
    folder_printable("abc\xc3\xa9\xc3\xa9", text, 8);
    assert_string_equal(text, "abc\xc3\xa9\xc3\xa9");
    folder_printable("abc\xc3\xa9\xc3\xa9", text, 7); /* cut between characters */
    assert_string_equal(text, "abc...");
    folder_printable("ab\xc3\xa9\xc3\xa9\xc3\xa9", text, 7);
    assert_string_equal(text, "ab...");
}

/* ---------------------------------------------------------------------- sizes */

static void test_sizes(void **state)
{
    pba_image large;
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    pba_dataset *dataset = opened(&(pba_dataset_options){.size = "48x64", .fit = "pad"});
    assert_int_equal(dataset->content.width, 48);
    assert_int_equal(dataset->content.height, 64);
    assert_note(dataset, "images of 8 x 6 pixels resized to 48 x 64");
    assert_int_equal(dataset->content.pixels[0], 0); /* the border */
    pba_dataset_free(dataset);
    refused(&(pba_dataset_options){.size = "8192x8192"}, PBA_USAGE, "8192 x 8192");
    assert_ok(pba_image_create(97, 20, 1, &large));
    snprintf(path, sizeof path, "%s/%d/b/2.png", top, number);
    assert_ok(pba_image_write(path, &large, false));
    pba_image_free(&large);
    dataset = opened(NULL);
    assert_int_equal(dataset->content.width, 64);
    assert_int_equal(dataset->content.height, 64);
    assert_note(dataset, "images of 8 to 97 by 6 to 20 pixels resized to 64 x 64");
    pba_dataset_free(dataset);
}

/* More than this machine has: refused once the headers are read, before anything is decoded. */
static void test_too_large(void **state)
{
    const int64_t bytes = (int64_t)3 << 24; /* of an image of 4096 x 4096 */
    int64_t images = threads_memory_limit() / bytes + 1;
    char first[PBA_PATH_MAX], other[PBA_PATH_MAX];
    if (images > 4000) {
        skip();
    }
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    snprintf(first, sizeof first, "%s/%d/a/1.png", top, number);
    for (int i = 0; i < (int)images; i++) {
        snprintf(other, sizeof other, "%s/%d/b/link%d.png", top, number, i);
        assert_int_equal(link(first, other), 0);
    }
    refused(&(pba_dataset_options){.size = "4096x4096"}, PBA_MEMORY, "give a smaller --size");
    assert_int_equal(strncmp(pba_error_message(), path, strlen(path)), 0);
    assert_int_equal(pba_error_message()[strlen(path)], ':'); /* no image of it is to blame */
    assert_null(strstr(pba_error_message(), "damaged"));
}

static bool stop_soon(void *user, const char *what, int64_t done, int64_t total)
{
    return ++*(int *)user < 1;
}

static void test_stopped(void **state)
{
    int calls = 0;
    fresh();
    put_image("a/1.png", false);
    put_image("b/1.png", false);
    refused(&(pba_dataset_options){.progress = stop_soon, .user = &calls}, PBA_INTERRUPTED, "");
}

/* A decoder that crashes takes the child with it; the caller is told where. */
static pba_status crash(void *context, const pba_dataset_options *options, data_content *content,
                        const char **format)
{
    pba_status status = data_announce(options, "photos/a/1.png");
    if (status == PBA_OK) {
        status = data_announce(options, "photos/a/2\n.png");
    }
    if (status == PBA_OK) {
        raise(SIGKILL);
    }
    return status;
}

static void test_crash_is_named(void **state)
{
    const pba_dataset_options options = {0};
    data_content content = {0};
    char format[PBA_NAME_MAX];
    assert_int_not_equal(isolate_run("photos", &options, crash, NULL, &content, format), PBA_OK);
    assert_int_equal(strncmp(pba_error_message(), "photos/a/2?.png: ", 17), 0);
    data_content_free(&content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),        cmocka_unit_test(test_grey),
        cmocka_unit_test(test_divided),        cmocka_unit_test(test_class_called_train),
        cmocka_unit_test(test_layout_errors),  cmocka_unit_test(test_broken),
        cmocka_unit_test(test_names),          cmocka_unit_test(test_links_to_nothing),
        cmocka_unit_test(test_printable),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_too_large),      cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_crash_is_named), cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
