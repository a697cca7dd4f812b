/* SPDX-License-Identifier: Apache-2.0
 * Children with limits: what comes through, and what is said of each way to fail. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/child.h"

enum { MEGABYTES = 4, CHUNK = 1 << 20 };

typedef struct trial {
    int questions; /* answered by `stop` so far */
    size_t bytes;
    int silence; /* 0: a minute */
} trial;

static pba_status run(trial *trial, pba_status (*work)(void *, child_stream *),
                      pba_status (*reader)(void *, child_stream *), bool (*stop)(void *))
{
    const child_job job = {.what = "some/file",
                           .limits = {.memory = 512 << 20,
                                      .silence = trial->silence ? trial->silence : 60,
                                      .processor = 60},
                           .work = work,
                           .reader = reader,
                           .stop = stop,
                           .context = trial};
    pba_status status = child_run(&job);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
    return status;
}

static void says(const char *part)
{
    if (!strstr(pba_error_message(), part) || !strstr(pba_error_message(), "some/file")) {
        fail_msg("\"%s\" lacks \"%s\" or the file", pba_error_message(), part);
    }
}

static pba_status read_nothing(void *context, child_stream *in)
{
    return PBA_OK;
}

static pba_status read_byte(void *context, child_stream *in)
{
    char byte;
    return child_read(in, &byte, 1);
}

/* ------------------------------------------------------------------ success */

static pba_status send_megabytes(void *context, child_stream *out)
{
    unsigned char *chunk = malloc(CHUNK);
    pba_status status = chunk ? PBA_OK : PBA_MEMORY;
    for (int i = 0; i < MEGABYTES && status == PBA_OK; i++) {
        memset(chunk, i + 1, CHUNK);
        status = child_write(out, chunk, CHUNK);
    }
    free(chunk);
    return status;
}

static pba_status read_pieces(void *context, child_stream *in)
{
    trial *trial = context;
    unsigned char piece[9999];
    for (size_t at = 0; at < (size_t)MEGABYTES * CHUNK; at += sizeof piece) {
        size_t left = (size_t)MEGABYTES * CHUNK - at;
        size_t size = left < sizeof piece ? left : sizeof piece;
        pba_status status = child_read(in, piece, size);
        if (status != PBA_OK) {
            return status;
        }
        trial->bytes += size;
        assert_int_equal(piece[size - 1], (at + size - 1) / CHUNK + 1);
    }
    return PBA_OK;
}

static void test_stream(void **state)
{
    trial trial = {0};
    assert_ok(run(&trial, send_megabytes, read_pieces, NULL));
    assert_int_equal(trial.bytes, (size_t)MEGABYTES * CHUNK);
}

static void test_reader_gives_up(void **state)
{
    trial trial = {0};
    assert_int_not_equal(run(&trial, send_megabytes, read_nothing, NULL), PBA_OK);
    says("the decoder crashed (signal 13)");
}

static pba_status read_and_refuse(void *context, child_stream *in)
{
    pba_status status = read_byte(context, in);
    return status == PBA_OK ? status_set(PBA_UNSUPPORTED, "some/file: not that byte") : status;
}

static void test_reader_refuses(void **state)
{
    trial trial = {0};
    assert_int_equal(run(&trial, send_megabytes, read_and_refuse, NULL), PBA_UNSUPPORTED);
    says("not that byte");
}

/* The child has nothing of the terminal, writes no file and keeps none of the caller's files. */
static pba_status look_around(void *context, child_stream *out)
{
    FILE *file = fopen("/tmp/pba-test-child-must-not-be-written", "w");
    bool wrote = file && fwrite("x", 1, 1, file) == 1 && fflush(file) == 0;
    if (file) {
        fclose(file);
    }
    unlink("/tmp/pba-test-child-must-not-be-written");
    if (wrote || isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || getpgrp() != getpid()) {
        return status_set(PBA_INTERNAL, "some/file: the child is not alone");
    }
    return fcntl(100, F_GETFD) < 0 ? PBA_OK : status_set(PBA_INTERNAL, "some/file: 100 is open");
}

int __real_close_range(unsigned first, unsigned last, int flags);
int __wrap_close_range(unsigned first, unsigned last, int flags);
static bool old_kernel;

int __wrap_close_range(unsigned first, unsigned last, int flags)
{
    errno = ENOSYS;
    return old_kernel ? -1 : __real_close_range(first, last, flags);
}

static pid_t caller;

static void must_not_run(void)
{
    if (getpid() != caller) {
        kill(caller, SIGKILL);
    }
}

static void test_alone(void **state)
{
    trial trial = {0};
    caller = getpid();
    atexit(must_not_run);
    assert_int_equal(dup2(STDERR_FILENO, 100), 100);
    assert_ok(run(&trial, look_around, read_nothing, NULL));
    old_kernel = true;
    pba_status status = run(&trial, look_around, read_nothing, NULL);
    old_kernel = false;
    assert_ok(status);
    close(100);
}

/* Room for the pipes, but for nothing that the child needs beside them: not the file's fault. */
static void test_no_descriptors(void **state)
{
    trial trial = {0};
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int next = dup(STDERR_FILENO);
    close(next);
    few = (struct rlimit){.rlim_cur = (rlim_t)next + 4, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    pba_status status = run(&trial, look_around, read_byte, NULL);
    setrlimit(RLIMIT_NOFILE, &before);
    assert_int_equal(status, PBA_IO);
    says("ulimit -n");
    assert_null(strstr(pba_error_message(), "damaged"));
}

/* ----------------------------------------------------------------- failures */

static pba_status fail_with_message(void *context, child_stream *out)
{
    pba_status status = child_write(out, "abc", 3);
    return status == PBA_OK ? status_set(PBA_NOT_FOUND, "some/file: place: why") : status;
}

static pba_status read_three(void *context, child_stream *in)
{
    char bytes[3];
    return child_read(in, bytes, sizeof bytes);
}

static pba_status read_four(void *context, child_stream *in)
{
    char bytes[4];
    return child_read(in, bytes, sizeof bytes);
}

static void test_message(void **state)
{
    trial trial = {0};
    assert_int_equal(run(&trial, fail_with_message, read_three, NULL), PBA_NOT_FOUND);
    says("place: why");
    assert_int_equal(run(&trial, fail_with_message, read_four, NULL), PBA_NOT_FOUND);
    says("place: why");
}

static pba_status say_too_little(void *context, child_stream *out)
{
    return child_write(out, "abc", 3);
}

static pba_status crash(void *context, child_stream *out)
{
    raise(SIGSEGV);
    return PBA_OK;
}

static pba_status crash_midway(void *context, child_stream *out)
{
    pba_status status = child_write(out, "abc", 3);
    raise(SIGBUS);
    return status;
}

static pba_status give_up(void *context, child_stream *out)
{
    abort();
}

static pba_status leave(void *context, child_stream *out)
{
    _exit(0);
}

static pba_status run_out_of_memory(void *context, child_stream *out)
{
    return status_set(PBA_MEMORY, "out of memory: 7 bytes");
}

static pba_status run_out_and_name(void *context, child_stream *out)
{
    return status_set(PBA_MEMORY, "some/file: 7 bytes are not there; buy some");
}

static void test_deaths(void **state)
{
    static const struct {
        pba_status (*work)(void *, child_stream *);
        pba_status status;
        const char *part;
    } rows[] = {{say_too_little, PBA_FORMAT, "sent too little"},
                {crash, PBA_FORMAT, "crashed (signal 11)"},
                {crash_midway, PBA_FORMAT, "crashed (signal 7)"},
                {give_up, PBA_FORMAT, "gave up (signal 6)"},
                {leave, PBA_FORMAT, "without a word (status 0)"},
                {run_out_of_memory, PBA_MEMORY,
                 "memory ran out (out of memory: 7 bytes): use a machine with more"},
                {run_out_and_name, PBA_MEMORY, "some/file: 7 bytes are not there; buy some"}};
    signal(SIGSEGV, SIG_IGN); /* the caller's arrangements are not the child's */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        trial trial = {0};
        assert_int_equal(run(&trial, rows[i].work, read_four, NULL), rows[i].status);
        says(rows[i].part);
        assert_true(rows[i].status != PBA_MEMORY || !strstr(pba_error_message(), "damaged"));
    }
    signal(SIGSEGV, SIG_DFL);
}

static pba_status loop(void *context, child_stream *out)
{
    for (volatile unsigned i = 0;; i = i + 1) {
    }
    return PBA_OK;
}

static void test_endless(void **state)
{
    trial trial = {.silence = 1};
    assert_int_equal(run(&trial, loop, read_byte, NULL), PBA_FORMAT);
    says("took more than 1 s");
    assert_int_equal(run(&trial, loop, read_nothing, NULL), PBA_FORMAT);
    says("took more than 1 s");
}

/* Bytes keep coming, but the processor's time runs out. */
static pba_status trickle(void *context, child_stream *out)
{
    pba_status status = PBA_OK;
    while (status == PBA_OK) {
        for (volatile int i = 0; i < 1000000; i = i + 1) {
        }
        status = child_write(out, "abcd", 4);
    }
    return status;
}

static pba_status read_all(void *context, child_stream *in)
{
    pba_status status;
    do {
        status = read_four(context, in);
    } while (status == PBA_OK);
    return status;
}

static void test_processor_time(void **state)
{
    trial trial = {0};
    const child_job job = {.what = "some/file",
                           .limits = {.memory = 512 << 20, .silence = 60, .processor = 1},
                           .work = trickle,
                           .reader = read_all,
                           .context = &trial};
    assert_int_equal(child_run(&job), PBA_FORMAT);
    says("more than 1 s of processor time");
}

static pba_status take_memory(void *context, child_stream *out)
{
    for (int i = 0; i < 64; i++) {
        char *volatile block = malloc(64 << 20); /* volatile: not to be optimized away */
        if (!block) {
            return status_set(PBA_MEMORY, "block %d", i);
        }
        memset(block, 1, 1);
    }
    return PBA_OK;
}

static void test_memory(void **state)
{
#if SANITIZED
    skip(); /* the limit counts addresses, of which sanitizers take terabytes */
#endif
    trial trial = {0};
    assert_int_equal(run(&trial, take_memory, read_nothing, NULL), PBA_MEMORY);
    says("memory ran out (block 7)");
}

static bool stop_at_third(void *context)
{
    trial *trial = context;
    return ++trial->questions == 3;
}

static void test_stop(void **state)
{
    trial trial = {0};
    assert_int_equal(run(&trial, loop, read_byte, stop_at_third), PBA_INTERRUPTED);
    says("was stopped");
    assert_int_equal(trial.questions, 3);
}

static void on_alarm(int number)
{
}

/* Signals that come while the caller waits disturb nothing. */
static void test_interrupted(void **state)
{
    const struct sigaction action = {.sa_handler = on_alarm};
    trial trial = {0};
    sigaction(SIGALRM, &action, NULL);
    ualarm(5000, 5000);
    pba_status status = run(&trial, send_megabytes, read_pieces, NULL);
    ualarm(0, 0);
    assert_ok(status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),         cmocka_unit_test(test_reader_gives_up),
        cmocka_unit_test(test_reader_refuses), cmocka_unit_test(test_alone),
        cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_message),
        cmocka_unit_test(test_deaths),         cmocka_unit_test(test_endless),
        cmocka_unit_test(test_processor_time), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_stop),           cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
