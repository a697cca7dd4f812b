/* SPDX-License-Identifier: Apache-2.0
 * Two pipes lead from the child: the stream, and a report of how the work ended. Without a report
 * the child died, and its wait status tells how. */
#define _GNU_SOURCE
#include "core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "core/clock.h"
#include "core/file.h"
#include "core/sanitized.h"

#ifdef PBA_COVERAGE
void __gcov_dump(void);
#define COVERED 1
#else
#define COVERED 0
#define __gcov_dump() (void)0
#endif

enum {
    TICK = 100, /* milliseconds between two questions whether to stop */
    PIPE_BYTES = 1 << 20,
    OPEN_FILES = 64,
    CLOSED_MAX = 1 << 16,       /* descriptors that are closed one by one at most */
    STREAM = STDERR_FILENO + 1, /* descriptors in the child */
    REPORT
};

typedef enum stream_state { STREAM_OPEN, STREAM_ENDED, STREAM_SILENT, STREAM_STOPPED } stream_state;

struct child_stream {
    int descriptor;
    const child_job *job;
    stream_state state;
};

/* How the work ended; smaller than what a pipe takes at once. */
typedef struct report {
    int32_t status;
    char message[2048];
} report;

static pba_status refuse(const char *what, const char *doing)
{
    const char *remedy =
        errno == EMFILE || errno == EINVAL ? "; allow more open files (ulimit -n)" : "";
    return status_set(PBA_IO, "%s: %s: %s%s", what, doing, strerror(errno), remedy);
}

/* "the decoder", and what to do where it failed. */
static const char *who(const child_job *job)
{
    return job->who ? job->who : "the decoder";
}

static const char *advice(const child_job *job)
{
    return job->advice ? job->advice : "the file is damaged or made to do harm; remove it";
}

/* Where memory ran out, no file is called damaged. */
static pba_status say_memory(const child_job *job, const char *why)
{
    return status_set(PBA_MEMORY, "%s: %s: use a machine with more%s%s", job->what, why,
                      job->advice ? ", or " : "", job->advice ? job->advice : "");
}

/* ------------------------------------------------------------------- stream */

pba_status child_write(child_stream *out, const void *data, size_t size)
{
    return file_write_bytes(out->descriptor, data, size)
               ? PBA_OK
               : status_set(PBA_IO, "%s: what came out of it cannot be handed on: %s",
                            out->job->what, strerror(errno));
}

/* Until there is something to read, or the stream's end; false: the state says why not. Of a pause
 * in which the caller did not run either (stopped, frozen), a second at most counts. */
static bool wait_for_bytes(child_stream *in)
{
    const child_job *job = in->job;
    double waited = 0, before = clock_now();
    struct pollfd watched = {.fd = in->descriptor, .events = POLLIN};
    while (poll(&watched, 1, TICK) <= 0) { /* interrupted counts as a tick */
        double now = clock_now();
        waited += now - before < 1 ? now - before : 1;
        before = now;
        if (job->stop && job->stop(job->context)) {
            in->state = STREAM_STOPPED;
            return false;
        }
        if (waited >= job->limits.silence) {
            in->state = STREAM_SILENT;
            return false;
        }
    }
    return true;
}

pba_status child_read(child_stream *in, void *data, size_t size)
{
    for (char *bytes = data; size;) {
        ssize_t done = wait_for_bytes(in) ? read(in->descriptor, bytes, size) : 0;
        if (done < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (done <= 0) {
            in->state = in->state == STREAM_OPEN ? STREAM_ENDED : in->state;
            return status_set(PBA_FORMAT, "%s: %s stopped before its end", in->job->what,
                              who(in->job));
        }
        bytes += done;
        size -= (size_t)done;
    }
    return PBA_OK;
}

/* -------------------------------------------------------------------- child */

static void limit(int what, rlim_t soft, rlim_t hard)
{
    struct rlimit old, fresh = {soft, hard};
    if (getrlimit((__rlimit_resource_t)what, &old) == 0) {
        fresh.rlim_max = hard < old.rlim_max ? hard : old.rlim_max;
        fresh.rlim_cur = soft < fresh.rlim_max ? soft : fresh.rlim_max;
        setrlimit((__rlimit_resource_t)what, &fresh);
    }
}

void child_allow_files(bool allowed)
{
    limit(RLIMIT_FSIZE, allowed ? RLIM_INFINITY : 0, RLIM_INFINITY);
}

static void set_limits(const child_limits *limits, size_t addresses)
{
    size_t memory;
    if (!SANITIZED && !__builtin_add_overflow(addresses, limits->memory, &memory)) {
        limit(RLIMIT_AS, memory, memory);
    }
    limit(RLIMIT_CPU, (rlim_t)limits->processor, (rlim_t)limits->processor + 1);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_FSIZE, 0, limits->files || COVERED ? RLIM_INFINITY : 0);
    limit(RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES);
}

/* Counters of a coverage build go to files, at exit(), which a child does not reach. Before the
 * report, behind which the caller kills the child. */
static void write_counters(void)
{
    child_allow_files(true);
    __gcov_dump();
}

/* The caller's handlers and its blocked signals are not the child's. */
static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++) {
        signal(number, number == SIGXFSZ ? SIG_IGN : SIG_DFL); /* a write to disk: an error */
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All from `first` on. The call for that is absent before Linux 5.9, and refused in some
 * containers. */
static void close_all(int first)
{
    long end = sysconf(_SC_OPEN_MAX);
    if (close_range((unsigned)first, ~0U, 0) != 0) {
        for (int i = first; i < (end > 0 && end < CLOSED_MAX ? end : CLOSED_MAX); i++) {
            close(i);
        }
    }
}

/* Of the caller's descriptors only the pipes stay, and nothing on the terminal. False: they are as
 * they were. */
static bool set_descriptors(int stream, int report)
{
    int nothing = open("/dev/null", O_RDWR);
    stream = fcntl(stream, F_DUPFD, REPORT + 1); /* out of the way of each other */
    report = fcntl(report, F_DUPFD, REPORT + 1);
    if (nothing < 0 || stream < 0 || report < 0) {
        return false;
    }
    for (int i = STDIN_FILENO; i <= (SANITIZED ? STDOUT_FILENO : STDERR_FILENO); i++) {
        dup2(nothing, i);
    }
    dup2(stream, STREAM);
    dup2(report, REPORT);
    close_all(REPORT + 1);
    return true;
}

static void die_with(pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) { /* it died before that was asked for */
        _exit(1);
    }
}

static bool send_report(int pipe, pba_status status)
{
    report report = {.status = (int32_t)status};
    if (status != PBA_OK) {
        snprintf(report.message, sizeof report.message, "%s", pba_error_message());
    }
    return file_write_bytes(pipe, &report, sizeof report);
}

static void child_main(const child_job *job, int stream, int report_pipe, size_t addresses,
                       pid_t parent)
{
    die_with(parent);
    setpgid(0, 0);
    reset_signals();
    if (!set_descriptors(stream, report_pipe)) {
        _exit(!send_report(report_pipe, refuse(job->what, "no process can be prepared")));
    }
    set_limits(&job->limits, addresses);
    child_stream out = {.descriptor = STREAM, .job = job};
    pba_status status = job->work(job->context, &out);
    if (COVERED) {
        write_counters();
    }
    _exit(!send_report(REPORT, status));
}

/* ------------------------------------------------------------------- caller */

static size_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file) {
        if (fscanf(file, "%llu", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Without a report: what killed it. */
static pba_status say_death(const child_job *job, bool waited, int code)
{
    int number = waited && WIFSIGNALED(code) ? WTERMSIG(code) : 0;
    if (number == SIGXCPU) {
        return status_set(PBA_FORMAT, "%s: %s took more than %d s of processor time: %s", job->what,
                          who(job), job->limits.processor, advice(job));
    }
    if (number == SIGKILL) {
        char why[PBA_NAME_MAX * 2];
        snprintf(why, sizeof why, "%s was killed by the system, as happens where memory runs out",
                 who(job));
        return say_memory(job, why);
    }
    if (!job->advice && (number == SIGABRT || number == SIGTRAP)) {
        return status_set(PBA_FORMAT,
                          "%s: %s gave up (signal %d), as where its memory runs out: the file is "
                          "too large, or %s",
                          job->what, who(job), number, advice(job));
    }
    if (number) {
        return status_set(PBA_FORMAT, "%s: %s crashed (signal %d): %s", job->what, who(job), number,
                          advice(job));
    }
    return status_set(PBA_FORMAT, "%s: %s ended without a word (status %d): %s", job->what,
                      who(job), waited && WIFEXITED(code) ? WEXITSTATUS(code) : -1, advice(job));
}

/* The child is dead or soon will be: its end was decided before this. */
static bool reap(pid_t child, int *code)
{
    pid_t done;
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    do {
        done = waitpid(child, code, 0);
    } while (done < 0 && errno == EINTR);
    return done == child;
}

static pba_status say_report(const child_job *job, const report *report, bool whole)
{
    char message[sizeof report->message];
    snprintf(message, sizeof message, "%.*s", (int)sizeof message - 1, report->message);
    if (report->status == PBA_MEMORY) {
        bool named = strncmp(message, job->what, strlen(job->what)) == 0; /* and says what to do */
        char why[sizeof message + 32];
        snprintf(why, sizeof why, "memory ran out (%s)", message);
        return named ? status_set(PBA_MEMORY, "%s", message) : say_memory(job, why);
    }
    if (report->status != PBA_OK) {
        bool known = report->status > PBA_OK && report->status < PBA_STATUS_COUNT;
        return status_set(known ? (pba_status)report->status : PBA_FORMAT, "%s", message);
    }
    return whole ? PBA_OK
                 : status_set(PBA_FORMAT, "%s: %s sent too little: %s", job->what, who(job),
                              advice(job));
}

/* After the reader: what ended the work, as far as the reader does not know better. */
static pba_status conclude(const child_job *job, pid_t child, int report_pipe,
                           const child_stream *in, pba_status read)
{
    report report;
    int code;
    child_stream reports = {.descriptor = report_pipe, .job = job, .state = in->state};
    bool ended = in->state == STREAM_ENDED || (in->state == STREAM_OPEN && read == PBA_OK);
    bool reported = false;
    if (ended) {
        reports.state = STREAM_OPEN;
        reported = child_read(&reports, &report, sizeof report) == PBA_OK;
    }
    bool waited = reap(child, &code);
    if (reported) {
        return say_report(job, &report, in->state == STREAM_OPEN);
    }
    if (reports.state == STREAM_STOPPED) {
        return status_set(PBA_INTERRUPTED, "%s: was stopped", job->what);
    }
    if (reports.state == STREAM_SILENT) {
        return status_set(PBA_FORMAT, "%s: %s took more than %d s: %s", job->what, who(job),
                          job->limits.silence, advice(job));
    }
    return ended ? say_death(job, waited, code) : read;
}

/* Signals wait during the fork, so that no handler of the caller runs in the child. */
static pid_t start(const child_job *job, const int stream[2], const int report_pipe[2])
{
    sigset_t all, old;
    size_t addresses = address_space();
    pid_t parent = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pid_t child = fork();
    if (child == 0) {
        child_main(job, stream[1], report_pipe[1], addresses, parent);
    }
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (child > 0) {
        setpgid(child, child); /* whichever of the two comes first */
    }
    errno = code;
    return child;
}

static pba_status run_piped(const child_job *job, int stream[2], int report_pipe[2])
{
#ifdef F_SETPIPE_SZ
    fcntl(stream[1], F_SETPIPE_SZ, PIPE_BYTES); /* fewer switches; a refusal does no harm */
#endif
    pid_t child = start(job, stream, report_pipe);
    if (child < 0) {
        return refuse(job->what, "no process can be started");
    }
    close(stream[1]);
    close(report_pipe[1]);
    stream[1] = report_pipe[1] = -1;
    child_stream in = {.descriptor = stream[0], .job = job};
    pba_status status = job->reader(job->context, &in);
    close(stream[0]); /* a child that wants to say more ends there */
    stream[0] = -1;
    return conclude(job, child, report_pipe[0], &in, status);
}

static void close_pipe(const int ends[2])
{
    for (int i = 0; i < 2; i++) {
        if (ends[i] >= 0) {
            close(ends[i]);
        }
    }
}

pba_status child_run(const child_job *job)
{
    int stream[2] = {-1, -1}, report_pipe[2] = {-1, -1};
    pba_status status = pipe2(stream, O_CLOEXEC) == 0 && pipe2(report_pipe, O_CLOEXEC) == 0
                            ? run_piped(job, stream, report_pipe)
                            : refuse(job->what, "no pipe can be opened");
    close_pipe(stream);
    close_pipe(report_pipe);
    return status;
}
