/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cgroup.h"
#include "core/file.h"
#include "core/note.h"
#include "core/rng.h"
#include "core/status.h"
#include "core/text.h"
#include "core/threads.h"

static char folder[] = "/tmp/pba-test-core-XXXXXX";
#include "scratch.h"

/* Known answers of the Random123 distribution (kat_vectors), philox4x32 10 rounds. */
static void philox_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t out[4];
        rng_philox(rows[i].counter, rows[i].key, out);
        assert_memory_equal(out, rows[i].expected, sizeof out);
    }
}

static void below_is_uniform(void **state)
{
    enum { BOUND = 7, DRAWS = 70000 };
    int counts[BOUND] = {0};
    rng stream = rng_at(1, RNG_SPLIT, 0, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        counts[rng_below(&stream, BOUND)]++;
    }
    double square = 0;
    for (int i = 0; i < BOUND; i++) {
        square += pow(counts[i] - DRAWS / BOUND, 2) / (DRAWS / BOUND);
    }
    assert_true(square < 22.5); /* chi-square, 6 degrees of freedom, p = 0.001 */
}

static void streams_differ(void **state)
{
    rng a = rng_at(1, RNG_ORDER, 2, 3, 4), b = rng_at(1, RNG_ORDER, 2, 3, 5);
    rng c = rng_at(1, RNG_ORDER, 2, 3, 4);
    uint32_t first = rng_word(&a);
    assert_int_not_equal(first, rng_word(&b));
    assert_int_equal(first, rng_word(&c));
}

static void message_travels(void **state)
{
    status_set(PBA_IO, "file %d", 7);
    assert_int_equal(status_prefix(PBA_IO, "reading"), PBA_IO);
    assert_string_equal(pba_error_message(), "reading: file 7");
    assert_string_equal(pba_status_name(PBA_IO), "PBA_IO");
}

/* One line that a terminal only shows: controls of 7 and 8 bits and broken UTF-8 become '?'. */
static void message_is_printable(void **state)
{
    status_set(PBA_IO, "\xc3\xa9 \xc2\xa0 \n \x7f \xc2\x9b"
                       "31m \xff \xe6\xa1");
    assert_string_equal(pba_error_message(), "\xc3\xa9 \xc2\xa0 ? ? ??31m ? ??");
    status_prefix(PBA_IO, "\xc2\x85");
    assert_int_equal(strncmp(pba_error_message(), "??: \xc3", 5), 0);
}

/* A long path gives way, not what is said of it. */
static void message_is_shortened(void **state)
{
    const char *end = "/last: is damaged; mend it", *message = pba_error_message();
    char path[PBA_PATH_MAX];
    memset(path, 'd', sizeof path);
    memcpy(path, "/first", 6);
    memcpy(path + sizeof path - 6, "/last", 6);
    for (int i = 0; i < 2; i++) {
        i ? status_prefix(PBA_IO, "%s", path) : status_set(PBA_IO, "%s: is damaged; mend it", path);
        assert_int_equal(strlen(message), 2047);
        assert_int_equal(strncmp(message, "/first", 6), 0);
        assert_non_null(strstr(message, "dd...dd"));
        assert_string_equal(message + 2047 - strlen(end), end);
    }
}

static void add(char text[8], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_add(text, 8, format, arguments);
    va_end(arguments);
}

static void notes_are_cut(void **state)
{
    char text[8] = "";
    add(text, "%d", 12);
    assert_string_equal(text, "12");
    add(text, "%d", 345);
    assert_string_equal(text, "12; 345");
    add(text, "%d", 6);
    assert_string_equal(text, "12; ...");
    add(text, "%d", 7);
    assert_string_equal(text, "12; ...");
}

enum { MANY = 200 };

static pba_status wait_for_all(void *context, int index)
{
    pthread_barrier_wait(context);
    return PBA_OK;
}

/* Threads that wait for each other do not wait for one that could not be started. */
static void threads_all_or_none(void **state)
{
#if SANITIZED
    skip(); /* its own memory breaks the limit */
#endif
    pthread_barrier_t barrier;
    struct rlimit before;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, MANY), 0);
    assert_ok(threads_run(MANY, wait_for_all, &barrier));
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    struct rlimit less = {.rlim_cur = 1 << 30, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &less), 0);
    pba_status status = threads_run(MANY, wait_for_all, &barrier);
    setrlimit(RLIMIT_AS, &before);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(status, PBA_MEMORY);
    assert_string_equal(pba_error_message(), "a thread could not be started");
}

static void utf8_is_known(void **state)
{
    const struct {
        const char *text;
        bool is;
    } rows[] = {{"", true},
                {"plain", true},
                {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true},
                {"\xf4\x8f\xbf\xbf\xef\xbf\xbf", true},
                {"a\xff", false},
                {"\x80", false},
                {"\xc3", false},
                {"\xc3 ", false},
                {"\xe2\x82", false},
                {"\xc0\xaf", false},         /* overlong */
                {"\xe0\x9f\xbf", false},     /* overlong */
                {"\xed\xa0\x80", false},     /* a surrogate */
                {"\xf4\x90\x80\x80", false}, /* behind the last one */
                {"\xf5\x80\x80\x80", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(text_is_utf8(rows[i].text), rows[i].is);
    }
}

/* Each file of a system: where it stands, what it says. */
static const struct {
    const char *name, *files[6][2];
    double cores, bytes;
} systems[] = {
    {"no groups", {{"proc/self/cgroup", ""}}, 0, 0},
    {"a container: its group is the root",
     {{"proc/self/cgroup", "0::/\n"},
      {"sys/fs/cgroup/cpu.max", "150000 100000\n"},
      {"sys/fs/cgroup/memory.max", "1000000\n"}},
     1.5,
     1000000},
    {"a slice",
     {{"proc/self/cgroup", "0::/user.slice/a b.scope\n"},
      {"sys/fs/cgroup/user.slice/a b.scope/cpu.max", "200000 100000\n"},
      {"sys/fs/cgroup/user.slice/a b.scope/memory.max", "max\n"},
      {"sys/fs/cgroup/user.slice/memory.max", "5000000\n"}},
     2,
     5000000},
    {"less above than in the group",
     {{"proc/self/cgroup", "0::/a/b/c\n"},
      {"sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "100000 100000\n"},
      {"sys/fs/cgroup/a/memory.max", "70\n"},
      {"sys/fs/cgroup/a/b/memory.max", "60\n"}},
     1,
     60},
    {"version 1, a job of Slurm's",
     {{"proc/self/cgroup",
       "9:name=systemd:/x\n4:memory:/slurm/job_1\n1:cpu,cpuacct:/slurm\n0::/\n"},
      {"sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes", "800\n"},
      {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"sys/fs/cgroup/cpu/slurm/cpu.cfs_quota_us", "350000\n"},
      {"sys/fs/cgroup/cpu/slurm/cpu.cfs_period_us", "100000\n"},
      {"sys/fs/cgroup/memory/x/memory.limit_in_bytes", "7\n"}},
     3.5,
     800},
    {"version 1 without a quota, a group that is not to be seen",
     {{"proc/self/cgroup", "2:memory:/docker/1234\n1:cpuacct,cpu:/docker/1234\n"},
      {"sys/fs/cgroup/memory/memory.limit_in_bytes", "900\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
     0,
     900},
    {"damaged",
     {{"proc/self/cgroup", "0\n:\n0::/../..\n"},
      {"sys/fs/cgroup/cpu.max", "100000 0\n"},
      {"sys/fs/cgroup/memory.max", "-3\n"}},
     0,
     0},
};

static void put(const char *name, const char *text)
{
    char path[PBA_PATH_MAX];
    snprintf(path, sizeof path, "%s", at(name));
    *strrchr(path, '/') = 0;
    assert_ok(file_make_folder(path));
    assert_ok(file_write(at(name), text, strlen(text)));
}

static void groups_limit_this_process(void **state)
{
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        assert_int_equal(tear_down(state), 0);
        for (int f = 0; f < 6 && systems[i].files[f][0]; f++) {
            put(systems[i].files[f][0], systems[i].files[f][1]);
        }
        cgroup_limits found = cgroup_read(folder);
        if (found.cores != systems[i].cores || found.bytes != systems[i].bytes) {
            fail_msg("%s: %g cores, %g bytes", systems[i].name, found.cores, found.bytes);
        }
    }
}

/* Nor is what a link leads to; a plain file's name may be a link. */
static void only_plain_files_are_replaced(void **state)
{
    static const char *const kept[] = {"fifo", "to-fifo", "to-null", "sub"};
    struct stat before, after;
    assert_ok(file_make_folder(at("sub")));
    put("plain", "old");
    assert_int_equal(mkfifo(at("fifo"), 0666), 0);
    assert_int_equal(symlink("fifo", at("to-fifo")), 0);
    assert_int_equal(symlink("/dev/null", at("to-null")), 0);
    assert_int_equal(symlink("plain", at("to-plain")), 0);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        assert_int_equal(lstat(at(kept[i]), &before), 0);
        assert_int_equal(file_write(at(kept[i]), "new", 3), PBA_IO);
        assert_non_null(strstr(pba_error_message(), kept[i]));
        assert_non_null(strstr(pba_error_message(), "is no plain file"));
        assert_int_equal(lstat(at(kept[i]), &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        char temporary[PBA_PATH_MAX];
        snprintf(temporary, sizeof temporary, "%s.new", at(kept[i]));
        assert_false(file_exists(temporary));
    }
    assert_ok(file_write(at("to-plain"), "new", 3));
    assert_ok(file_write(at("plain"), "new", 3));
    assert_ok(file_write(at("fresh"), "new", 3));
    assert_int_equal(file_make_folder(""), PBA_USAGE);
}

static void text_grows(void **state)
{
    text_buffer out = {0};
    char *text;
    size_t size;
    assert_ok(text_end(&out, "nothing", &text, &size));
    assert_string_equal(text, "");
    assert_int_equal(size, 0);
    free(text);
    for (int i = 0; i < 1000; i++) {
        text_add(&out, "%03d", i);
        text_add_letter(&out, ' ');
        text_add_bytes(&out, "\0x", 2);
    }
    assert_ok(text_end(&out, "much", &text, &size));
    assert_int_equal(size, 6000);
    assert_memory_equal(text, "000 \0x001 \0x", 12);
    assert_memory_equal(text + size - 6, "999 \0x", 7);
    free(text);
    assert_null(out.data);
    out.failed = true;
    text_add(&out, "more");
    assert_int_equal(text_end(&out, "a thing", &text, &size), PBA_MEMORY);
    assert_string_equal(pba_error_message(), "a thing: out of memory");
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(message_travels),
        cmocka_unit_test(message_is_printable),
        cmocka_unit_test(message_is_shortened),
        cmocka_unit_test(notes_are_cut),
        cmocka_unit_test(threads_all_or_none),
        cmocka_unit_test(groups_limit_this_process),
        cmocka_unit_test(only_plain_files_are_replaced),
        cmocka_unit_test(text_grows),
        cmocka_unit_test(utf8_is_known),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
