/* SPDX-License-Identifier: Apache-2.0
 * Sources of data: what a folder, a single file and a source in memory hold, list and read. */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "data/source.h"

static char folder[PBA_PATH_MAX];

static void put(const char *name, const char *text)
{
    char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, name));
    assert_ok(file_write(path, text, strlen(text)));
}

static const char *path_of(const char *name)
{
    static char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, name));
    return path;
}

static int set_up(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-test-source-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    mkdir(path_of("a"), 0777);
    mkdir(path_of(".hidden"), 0777);
    put("a/2", "two");
    put("a/1", "");
    put("a.b", "x");
    put("b", "bee");
    put(".dot", "x");
    return symlink("a/2", path_of("link")) || symlink("/nowhere", path_of("broken")) ||
           symlink("a", path_of("tied")) || mkfifo(path_of("fifo"), 0666);
}

static int tear_down(void **state)
{
    char command[PBA_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void lists(const data_source *source, const char *where, const char *expected)
{
    data_source_names names;
    char text[512] = "";
    assert_ok(data_source_list(source, where, &names));
    for (int i = 0; i < names.count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "",
                 names.names[i]);
    }
    data_source_names_free(&names);
    assert_string_equal(text, expected);
}

static void reads(const data_source *source, const char *name, const char *expected)
{
    char *data;
    size_t size;
    assert_true(data_source_holds(source, name));
    assert_ok(data_source_read(source, name, 100, &data, &size));
    assert_int_equal(size, strlen(expected));
    assert_string_equal(data, expected);
    free(data);
    if (size) {
        assert_int_equal(data_source_read(source, name, size - 1, &data, &size), PBA_UNSUPPORTED);
        assert_null(data);
    }
}

static void holds_not(const data_source *source, const char *name)
{
    char *data;
    size_t size;
    assert_false(data_source_holds(source, name));
    assert_int_equal(data_source_read(source, name, 100, &data, &size), PBA_NOT_FOUND);
    assert_non_null(strstr(pba_error_message(), data_source_path(source)));
}

static void no_such_folder(const data_source *source, const char *name)
{
    data_source_names names;
    assert_false(data_source_holds_folder(source, name));
    assert_int_equal(data_source_list(source, name, &names), PBA_NOT_FOUND);
    assert_int_equal(names.count, 0);
}

static void test_folder(void **state)
{
    data_source *source;
    char text[PBA_PATH_MAX];
    assert_ok(data_source_open(folder, &source));
    lists(source, "", "a.b a/ b broken link tied/");
    lists(source, "a", "1 2");
    lists(source, "tied", "1 2");
    reads(source, "a/2", "two");
    reads(source, "link", "two");
    reads(source, "a/1", "");
    const char *const absent[] = {"a",           "c",        "fifo", "broken", "",
                                  "/etc/passwd", "../a/b/2", "a//2", "a/../b", "./b",
                                  "..",          "a/.",      "b/",   "/",      "a/2/../1"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        holds_not(source, absent[i]);
    }
    assert_int_equal(data_source_absent(source, "broken"), PBA_NOT_FOUND);
    assert_non_null(strstr(pba_error_message(), "/broken: is a link to what is not there"));
    no_such_folder(source, "..");
    no_such_folder(source, "b");
    no_such_folder(source, "a/..");
    data_source_describe(source, "a/1\n\x1b[31m\xc2\x9b", text);
    assert_string_equal(text + strlen(folder), "/a/1??[31m??");
    data_source_free(source);
}

struct dirent *__wrap_readdir(DIR *folder);
struct dirent *__wrap_readdir64(DIR *folder);
struct dirent *__real_readdir(DIR *folder);
static int entries_left = -1; /* until the disk fails; -1: it does not */

struct dirent *__wrap_readdir(DIR *folder)
{
    if (entries_left < 0 || entries_left-- > 0) {
        return __real_readdir(folder);
    }
    errno = EIO;
    return NULL;
}

struct dirent *__wrap_readdir64(DIR *folder)
{
    return __wrap_readdir(folder);
}

/* A listing that breaks off is no shorter folder. */
static void test_cut_listing(void **state)
{
    data_source *source;
    data_source_names names;
    assert_ok(data_source_open(folder, &source));
    entries_left = 4;
    pba_status status = data_source_list(source, "", &names);
    entries_left = -1;
    assert_int_equal(status, PBA_IO);
    assert_int_equal(names.count, 0);
    assert_non_null(strstr(pba_error_message(), "cannot be listed to its end"));
    data_source_free(source);
}

/* Listed though it cannot be reached: a folder whose path is as long as a path may be. */
static void test_long_path(void **state)
{
    data_source *source;
    data_source_names names;
    char deep[PBA_PATH_MAX], part[201], *data;
    size_t size;
    snprintf(deep, sizeof deep, "%s", path_of("long"));
    memset(part, 'd', sizeof part - 1);
    part[sizeof part - 1] = 0;
    while (strlen(deep) + sizeof part + 1 < PBA_PATH_MAX - 2) {
        snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "/%s", part);
    }
    part[PBA_PATH_MAX - 3 - strlen(deep)] = 0; /* "/x" does not fit then */
    snprintf(deep + strlen(deep), sizeof deep - strlen(deep), "/%s", part);
    assert_ok(file_make_folder(deep));
    int descriptor = open(deep, O_RDONLY | O_DIRECTORY);
    int file = openat(descriptor, "too-long.png", O_CREAT | O_WRONLY, 0666);
    assert_true(descriptor >= 0 && file >= 0);
    close(file);
    close(descriptor);
    assert_ok(data_source_open(deep, &source));
    assert_ok(data_source_list(source, "", &names));
    assert_int_equal(names.count, 1);
    assert_int_equal(data_source_read(source, names.names[0], 1, &data, &size), PBA_UNSUPPORTED);
    data_source_names_free(&names);
    data_source_free(source);
}

static void test_single_file(void **state)
{
    data_source *source;
    char text[PBA_PATH_MAX];
    assert_ok(data_source_open(path_of("b"), &source));
    lists(source, "", "b");
    reads(source, "b", "bee");
    holds_not(source, "a/2");
    no_such_folder(source, "a");
    assert_false(data_source_holds_folder(source, ""));
    data_source_describe(source, "b", text);
    assert_string_equal(text, path_of("b"));
    data_source_free(source);
    const char *const nothing[] = {"fifo", "absent", "broken"};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        assert_ok(data_source_open(path_of(nothing[i]), &source));
        holds_not(source, nothing[i]);
        no_such_folder(source, "");
        data_source_free(source);
    }
}

static void add(data_source *source, const char *name, const char *text)
{
    assert_ok(data_source_add(source, name, memory_text(text), strlen(text)));
}

static void test_memory(void **state)
{
    data_source *source;
    char text[PBA_PATH_MAX];
    assert_ok(data_source_create("x.tar", &source));
    lists(source, "", "");
    add(source, "top/in/b", "first");
    add(source, "top/in/a-x/1", "x");
    add(source, "top/in/a/2", "two");
    add(source, "top/in/a/1", "");
    add(source, "top/in/b", "bee");
    add(source, "top/in/a/deep/3", "three");
    add(source, "top/in/a/deep/4", "four");
    data_source_settle(source);
    lists(source, "", "a-x/ a/ b");
    lists(source, "a", "1 2 deep/");
    lists(source, "a/deep", "3 4");
    reads(source, "b", "bee");
    reads(source, "a/1", "");
    holds_not(source, "a");
    holds_not(source, "top/in/b");
    no_such_folder(source, "a-");
    no_such_folder(source, "b");
    assert_true(data_source_holds_folder(source, "a"));
    data_source_describe(source, "a/2", text);
    assert_string_equal(text, "x.tar: a/2");
    data_source_note(source, "%d left out", 3);
    data_source_note(source, "more");
    assert_string_equal(data_source_notes(source), "3 left out; more");
    data_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),    cmocka_unit_test(test_cut_listing),
        cmocka_unit_test(test_long_path), cmocka_unit_test(test_single_file),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
