/* SPDX-License-Identifier: Apache-2.0
 * Crash safety: a job is killed, loses power, or gets an error at each of its operations on files
 * (faults.h); the same job run again must end in the bytes of an undisturbed one, do hardly any
 * work twice, and leave nothing beside them.
 *   test_crash                 places sampled
 *   test_crash STATE SECONDS   all of them; STATE is a folder that keeps how far it came. The exit
 *                              status is 75 when the time is up, 1 where something failed. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <ftw.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sanitized.h"
#include "faults.h"
#include "folder.h"
#include "state.h"

enum { SIDE = 8, AREA = SIDE * SIDE, IMAGES = 24, MEMBERS = 4, EPOCHS = 3, SITTING = 3 };

/* What the child says. */
static struct tally {
    atomic_long work; /* epochs of a search, steps of a training, what is written elsewhere */
    pba_status status;
    char message[1024];
} * tally;

/* A path in the test's folder, valid for sixteen calls. No assertion: children use it, too. */
static char *at(const char *name)
{
    static char paths[16][PBA_PATH_MAX];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof *paths, "%s/%s", folder, name);
    return path;
}

/* --------------------------------------------------------------------- the jobs
 * Each goes on with what stands in `out`, or begins. */

static void fill_recipe(pba_recipe *recipe)
{
    snprintf(recipe->model, sizeof recipe->model, "wrn-10-1");
    recipe->batch = 4;
    recipe->epochs = EPOCHS;
    recipe->train_size = 8;
}

static void count_epochs(void *user, const pba_event *event)
{
    tally->work += event->kind == PBA_EVENT_EPOCH;
}

static pba_status search_in(const char *out, const char *from)
{
    static const pba_observer observer = {.event = count_epochs};
    pba_search *search;
    pba_status status = pba_search_resume(out, 1, &search);
    if (status == PBA_NOT_FOUND) {
        size_t count;
        pba_search_options options;
        const pba_setting *rows = pba_search_settings(&count);
        pba_settings_init(&options, rows, count);
        fill_recipe(&options.recipe);
        options.population = MEMBERS;
        options.interval = 1;
        options.workers = 1;
        options.tensorboard = from[0];
        snprintf(options.from, sizeof options.from, "%s", from);
        snprintf(options.dataset, sizeof options.dataset, "%s", at("data"));
        snprintf(options.out, sizeof options.out, "%s", out);
        status = pba_search_create(&options, &search);
    }
    if (status == PBA_OK) {
        status = pba_search_run(search, &observer);
    }
    pba_search_free(search);
    return status;
}

static pba_status run_search(const char *out)
{
    return search_in(out, "");
}

static pba_status run_from(const char *out)
{
    return search_in(out, at("whole-search/schedule.json"));
}

/* A training is stopped every few steps, since it saves rarely on its own. */
static bool stop_soon(void *user)
{
    int *asks = user;
    tally->work++;
    return ++*asks > SITTING;
}

static pba_status train_a_while(const char *out)
{
    int asks = 0;
    const pba_observer observer = {.stop = stop_soon, .user = &asks};
    pba_training *training;
    pba_status status = pba_training_resume(out, 1, &training);
    if (status == PBA_NOT_FOUND) {
        size_t count;
        pba_train_options options;
        const pba_setting *rows = pba_train_settings(&count);
        pba_settings_init(&options, rows, count);
        fill_recipe(&options.recipe);
        options.seeds = 2;
        options.workers = 1;
        snprintf(options.dataset, sizeof options.dataset, "%s", at("data"));
        snprintf(options.augment, sizeof options.augment, "%s", at("schedule.json"));
        snprintf(options.out, sizeof options.out, "%s", out);
        status = pba_training_create(&options, &training);
    }
    if (status == PBA_OK) {
        status = pba_training_run(training, &observer);
    }
    pba_training_free(training);
    return status;
}

static pba_status run_training(const char *out)
{
    pba_status status;
    do {
        status = train_a_while(out);
    } while (status == PBA_INTERRUPTED);
    return status;
}

static pba_status compare_a_while(const char *out)
{
    int asks = 0;
    const pba_observer observer = {.stop = stop_soon, .user = &asks};
    pba_comparison *comparison;
    pba_status status = pba_comparison_resume_with(out, 1, NULL, &comparison);
    if (status == PBA_NOT_FOUND) {
        size_t count;
        pba_compare_options options;
        const pba_setting *rows = pba_compare_settings(&count);
        pba_settings_init(&options, rows, count);
        fill_recipe(&options.recipe);
        options.recipe.epochs = 1;
        options.seeds = 2;
        options.workers = 1;
        snprintf(options.arms, sizeof options.arms, "none,%s", at("schedule.json"));
        snprintf(options.dataset, sizeof options.dataset, "%s", at("data"));
        snprintf(options.out, sizeof options.out, "%s", out);
        status = pba_comparison_create_with(&options, NULL, &comparison);
    }
    if (status == PBA_OK) {
        status = pba_comparison_run(comparison, &observer);
    }
    pba_comparison_free(comparison);
    return status;
}

static pba_status run_compare(const char *out)
{
    pba_status status;
    do {
        status = compare_a_while(out);
    } while (status == PBA_INTERRUPTED);
    return status;
}

/* A page, pictures and an archive beside each other. */
static pba_status run_files(const char *out)
{
    char path[PBA_PATH_MAX];
    const char *runs[] = {at("whole-search")};
    const pba_report_options report = {.runs = runs, .run_count = 1};
    const pba_augmenter_options options = {
        .augment = "trivialaugment", .width = SIDE, .height = SIDE, .channels = 1};
    pba_dataset *dataset = NULL;
    pba_status status = file_make_folder(out);
    if (status == PBA_OK) {
        status = file_join(path, out, "report.html");
    }
    if (status == PBA_OK) {
        status = pba_report_write(&report, path);
    }
    if (status == PBA_OK) {
        status = pba_dataset_open(at("data"), &dataset);
    }
    if (status == PBA_OK) {
        status = pba_dataset_split(dataset, 0, 0, 1);
    }
    if (status == PBA_OK) {
        status = file_join(path, out, "augmented.npz");
    }
    if (status == PBA_OK) {
        status = pba_augment_write(dataset, PBA_TRAIN, 3, &options, 0, true, path);
    }
    pba_dataset_free(dataset);
    return status;
}

static const struct job {
    const char *name;
    pba_status (*run)(const char *out);
    long again;  /* of its work, what a death or an error may cost */
    bool begins; /* from a folder that another one left, not from nothing */
    int stride;  /* of the short form */
} jobs[] = {
    {"search", run_search, 1, false, 7},
    {"search-torn", run_search, 1, true, 9}, /* resumed behind a line that was cut */
    {"search-from", run_from, 1, false, 29}, /* with event files, which grow */
    {"training", run_training, SITTING + 1, false, 9},
    {"compare", run_compare, SITTING + 1, false, 61},
    {"files", run_files, 0, false, 3},
};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* ---------------------------------------------------------------- one attempt */

/* Errors that a file system may give. */
static const int errors[] = {ENOSPC, EIO, EDQUOT, EROFS};

static const struct turn {
    const char *name;
    fault_mode mode;
    enum { OPERATIONS, WRITES, EVERYWHERE } at; /* each one, each one that writes, all at once */
    int share;                                  /* of the short form's places, every which */
} turns[] = {
    {"killed behind", FAULT_KILL, OPERATIONS, 1},
    {"killed amid", FAULT_HALF, WRITES, 1},
    {"without power behind", FAULT_POWER, OPERATIONS, 1},
    {"errors from", FAULT_ERROR, OPERATIONS, 2},
    {"an error at", FAULT_ONCE, OPERATIONS, 2},
    {"interrupted", FAULT_INTERRUPT, EVERYWHERE, 1},
    {"in parts", FAULT_SHORT, EVERYWHERE, 1},
    {"full amid", FAULT_FULL, WRITES, 1}, /* the last: states of long forms number them */
};
enum { TURNS = sizeof turns / sizeof *turns };

static bool is_error(const struct turn *turn)
{
    return turn->mode == FAULT_ERROR || turn->mode == FAULT_ONCE || turn->mode == FAULT_FULL;
}

static int error_at(const struct turn *turn, long place)
{
    return turn->mode == FAULT_FULL ? ENOSPC
                                    : errors[(size_t)place % (sizeof errors / sizeof *errors)];
}

static void shell(const char *format, const char *a, const char *b)
{
    char command[3 * PBA_PATH_MAX];
    snprintf(command, sizeof command, format, a, b);
    assert_int_equal(system(command), 0);
}

/* The job in a child; its exit status. */
static int run_child(const struct job *job, const struct turn *turn, long place)
{
    const char *out = at("work/run");
    pid_t child = fork();
    if (child == 0) {
        faults_arm(turn->mode, place, error_at(turn, place));
        tally->status = job->run(out);
        snprintf(tally->message, sizeof tally->message, "%s",
                 tally->status == PBA_OK ? "" : pba_error_message());
        _exit(0);
    }
    int code;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &code, 0), child);
    return code;
}

static const struct turn nothing = {"nothing", FAULT_COUNT, EVERYWHERE, 1};

static struct complaint {
    char text[2048];
} complaint; /* the first one of an attempt */

static bool complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static bool complain(const char *format, ...)
{
    va_list arguments;
    if (!complaint.text[0]) {
        va_start(arguments, format);
        vsnprintf(complaint.text, sizeof complaint.text, format, arguments);
        va_end(arguments);
    }
    return false;
}

/* ----------------------------------------------------------- comparing folders */

static char whole[PBA_PATH_MAX]; /* the undisturbed run's folder */
static size_t root_length;       /* of the folder that is walked */
static bool finished;            /* or how a dead one left it */
static int entries;

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), least = strlen(end);
    return length >= least && strcmp(text + length - least, end) == 0;
}

/* Lines of time are cut away. */
static void without_times(char *text)
{
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n'), *next = end ? end + 1 : line + strlen(line);
        char held = *next;
        *next = 0;
        bool time = strstr(line, "seconds\"") != NULL;
        *next = held;
        if (time) {
            memmove(line, next, strlen(next) + 1);
        } else {
            line = next;
        }
    }
}

static bool same_bytes(const char *path, char *ours, size_t size, char *theirs, size_t wanted)
{
    if (ends_with(path, ".html")) { /* tells times */
        return strstr(ours, "</html>") != NULL;
    }
    if (ends_with(path, "journal.jsonl") && !finished) {
        return size <= wanted && memcmp(ours, theirs, size) == 0;
    }
    if (ends_with(path, ".json")) {
        without_times(ours);
        without_times(theirs);
        return strcmp(ours, theirs) == 0;
    }
    return size == wanted && memcmp(ours, theirs, size) == 0;
}

/* Files under their last names are whole at any time. */
static int check_file(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    char wanted[PBA_PATH_MAX], *ours = NULL, *theirs = NULL;
    size_t size, expected;
    struct stat other;
    snprintf(wanted, sizeof wanted, "%s%s", whole, path + root_length);
    if (strstr(path, "/tensorboard")) {
        return 0; /* one file more for each sitting, with times */
    }
    entries++;
    if (stat(wanted, &other) != 0 || kind != FTW_F) {
        if (stat(wanted, &other) != 0 && finished) {
            complain("%s is left over", path);
        }
        return 0;
    }
    if (file_read(path, 1 << 28, &ours, &size) != PBA_OK ||
        file_read(wanted, 1 << 28, &theirs, &expected) != PBA_OK) {
        complain("%s", pba_error_message());
    } else if (!((size == 0 && !finished && ends_with(path, ".jsonl")) ||
                 same_bytes(path, ours, size, theirs, expected))) {
        complain("%s: %zu bytes, not those of %s", path, size, wanted);
    }
    free(ours);
    free(theirs);
    return 0;
}

static int walk(const char *path)
{
    entries = 0;
    root_length = strlen(path);
    if (file_exists(path)) {
        assert_int_equal(nftw(path, check_file, 16, FTW_PHYS), 0);
    }
    return entries;
}

static bool check_folder(const struct job *job, bool at_end)
{
    char name[64];
    snprintf(name, sizeof name, "whole-%s", job->name);
    snprintf(whole, sizeof whole, "%s", at(name));
    finished = at_end;
    int found = walk(at("work/run"));
    if (at_end && found != walk(whole)) {
        complain("%d files and folders instead of %d", found, entries);
    }
    return !complaint.text[0];
}

/* --------------------------------------------------------------- the attempts */

static const char *name_of(const struct job *job, const char *what)
{
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];
    snprintf(name, sizeof *names, "%s-%s", what, job->name);
    return name;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    return remove(path);
}

static void begin_folder(const struct job *job)
{
    static const char *const names[] = {"work", "lost"};
    for (int i = 0; i < 2; i++) {
        nftw(at(names[i]), remove_entry, 16, FTW_PHYS | FTW_DEPTH);
        assert_ok(file_make_folder(at(names[i])));
    }
    if (job->begins) {
        shell("cp -r '%s' '%s'", at(name_of(job, "begun")), at("work/run"));
    }
    tally->work = 0;
    tally->status = PBA_OK;
    complaint.text[0] = 0;
}

/* Operations and work of each job undisturbed. */
enum { OPERATIONS_MAX = 1 << 12 };
static long operations[JOBS], work[JOBS];
static bool writes[JOBS][OPERATIONS_MAX]; /* by place */

/* Places of a turn go from 1 to this; not all of them are tried. */
static long last_place(const struct job *job, const struct turn *turn)
{
    return turn->at == EVERYWHERE ? 1 : operations[job - jobs];
}

static bool is_tried(const struct job *job, const struct turn *turn, long place)
{
    return turn->at != WRITES || writes[job - jobs][place];
}

/* Each line of the journal is synced before. */
static bool matters(const fault_record *record)
{
    return !strstr("unlink rmdir", record->call) &&
           !(strcmp(record->call, "close") == 0 &&
             (strcmp(record->name, "journal.jsonl") == 0 || strcmp(record->name, "lock") == 0));
}

/* An error that nothing depends on may be passed over; another is told with the file's name and
 * the reason. */
static bool check_error(const struct job *job, const struct turn *turn, long place)
{
    const fault_record *at_fault = faults_record(place);
    char name[64];
    snprintf(name, sizeof name, "%s", at_fault->name);
    if (ends_with(name, ".new")) {
        name[strlen(name) - 4] = 0;
    }
    if (tally->status == PBA_OK) {
        return !matters(at_fault) || complain("the error was not noticed");
    }
    if (tally->status != PBA_IO || !strstr(tally->message, strerror(error_at(turn, place))) ||
        !strstr(tally->message, folder) || strchr(tally->message, '\n')) {
        return complain("%s: %s", pba_status_name(tally->status), tally->message);
    }
    bool began = strcmp(name, "lock") != 0; /* else the command is repeated as it is */
    if (began && job->again && place > operations[job - jobs] / 2 &&
        !strstr(tally->message, "--resume /")) {
        return complain("how to go on is not said: %s", tally->message);
    }
    return !matters(at_fault) || strstr(tally->message, name) ||
           complain("%s is not named: %s", name, tally->message);
}

static bool check_outcome(const struct job *job, const struct turn *turn, long place, int code)
{
    if (turn->at == EVERYWHERE) {
        return code != 0                 ? complain("the process died: %d", code)
               : tally->status != PBA_OK ? complain("%s", tally->message)
                                         : check_folder(job, true);
    }
    bool dies = !is_error(turn);
    if (dies ? !WIFSIGNALED(code) || WTERMSIG(code) != SIGKILL : code != 0) {
        return complain("the process ended otherwise: %d", code);
    }
    return check_folder(job, false) && (dies || check_error(job, turn, place));
}

/* Undisturbed, on what is there. */
static bool check_recovery(const struct job *job)
{
    int code = run_child(job, &nothing, 0);
    long done = tally->work, most = work[job - jobs] + job->again;
    if (code != 0 || tally->status != PBA_OK) {
        return complain("run again, it ended with %d: %s", code, tally->message);
    }
    if (done > most) {
        return complain("%ld units of work instead of %ld at most: some were lost", done, most);
    }
    return check_folder(job, true);
}

static bool attempt(const struct job *job, const struct turn *turn, long place)
{
    begin_folder(job);
    int code = run_child(job, turn, place);
    fault_record record = *faults_record(place);
    if (check_outcome(job, turn, place, code) && check_recovery(job)) {
        return true;
    }
    fprintf(stderr, "%s, %s operation %ld (%s of %s)%s%s: %s\n", job->name, turn->name, place,
            record.call, record.name, is_error(turn) ? ", " : "",
            is_error(turn) ? strerror(error_at(turn, place)) : "", complaint.text);
    return false;
}

/* ------------------------------------------------------------------ preparation */

static void write_data(void)
{
    uint8_t images[16 + IMAGES * AREA] = {0, 0, 8, 3,    0, 0, 0, IMAGES,
                                          0, 0, 0, SIDE, 0, 0, 0, SIDE};
    uint8_t labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    for (int i = 0; i < IMAGES; i++) {
        labels[8 + i] = (uint8_t)(i % 2);
        for (int p = 0; p < AREA; p++) {
            images[16 + i * AREA + p] = (uint8_t)(i % 2 * 100 + p + i);
        }
    }
    assert_ok(file_make_folder(at("data")));
    put("data/train-images-idx3-ubyte", images, sizeof images);
    put("data/train-labels-idx1-ubyte", labels, sizeof labels);
}

static void write_schedule(void)
{
    static const char *const ops[] = {"Rotate", "Invert"};
    const pba_policy policy = {.entries = 2, .values = {5, 5, 5, 5}};
    pba_schedule *schedule;
    assert_ok(pba_schedule_constant(&policy, ops, 2, EPOCHS, &schedule));
    assert_ok(pba_schedule_save(schedule, at("schedule.json")));
    pba_schedule_free(schedule);
}

/* The journal's tenth line is half written when the process dies. */
static void tear_search(void)
{
    long place = 0;
    const struct turn half = {"killed amid", FAULT_HALF, WRITES, 1};
    begin_folder(&jobs[0]);
    for (int lines = 0; lines < 10;
         lines += strcmp(faults_record(place)->call, "write") == 0 &&
                  strcmp(faults_record(place)->name, "journal.jsonl") == 0) {
        place++;
    }
    assert_int_not_equal(run_child(&jobs[0], &half, place), 0);
    shell("mv '%s' '%s'", at("work/run"), at(name_of(&jobs[1], "begun")));
}

static void run_whole(int index)
{
    const struct job *job = &jobs[index];
    if (strcmp(job->name, "search-torn") == 0) {
        tear_search();
    }
    begin_folder(job);
    assert_int_equal(run_child(job, &nothing, 0), 0);
    if (tally->status != PBA_OK) {
        fail_msg("%s: %s", job->name, tally->message);
    }
    operations[index] = faults_count();
    work[index] = tally->work;
    assert_in_range(operations[index], 11, OPERATIONS_MAX - 1);
    for (long place = 1; place <= operations[index]; place++) {
        writes[index][place] = strcmp(faults_record(place)->call, "write") == 0;
    }
    shell("mv '%s' '%s'", at("work/run"), at(name_of(job, "whole")));
}

static int set_up(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(tally != MAP_FAILED);
    faults_open(folder, at("lost"));
    write_data();
    write_schedule();
    for (int i = 0; i < JOBS; i++) {
        run_whole(i);
    }
    return 0;
}

/* --------------------------------------------------------------------- the forms */

static void test_job(void **state)
{
    const struct job *job = *state;
    int failed = 0;
    for (int i = 0; i < TURNS; i++) {
        const struct turn *turn = &turns[i];
        long step = turn->at == EVERYWHERE ? 1 : job->stride * turn->share * (SANITIZED ? 4 : 1);
        for (long place = 1 + i % step; place <= last_place(job, turn); place += step) {
            failed += is_tried(job, turn, place) && !attempt(job, turn, place);
        }
    }
    assert_int_equal(failed, 0);
}

/* How far a job came: all before turn `turn`, and its places up to `place`. What failed is tried
 * again by the next call, first of all. Numbers of one kind, as a state has them. */
enum { FAILED_MAX = (STATE_MAX - 4) / 2 };
typedef struct progress {
    long attempts, failed, turn, place;
    struct {
        long turn, place;
    } again[FAILED_MAX];
} progress;
_Static_assert(sizeof(progress) <= STATE_MAX * sizeof(long), "a state holds it");

static bool fits(const struct job *job, const progress *progress, int count)
{
    bool can = count == 0 || (count >= 4 && count == 4 + 2 * progress->failed);
    can = can && progress->turn >= 0 && progress->turn <= TURNS && progress->place >= 0;
    for (long i = 0; can && i < progress->failed; i++) {
        long turn = progress->again[i].turn, place = progress->again[i].place;
        can = turn >= 0 && turn < TURNS && place >= 1 && place <= operations[job - jobs];
    }
    return can;
}

static void read_progress(const struct job *job, progress *progress)
{
    long numbers[STATE_MAX] = {0};
    int count = state_read(job->name, numbers);
    memcpy(progress, numbers, sizeof *progress);
    if (!fits(job, progress, count)) {
        state_refuse(job->name);
    }
}

static void write_progress(const struct job *job, progress *progress)
{
    progress->attempts++;
    state_write(job->name, (const long *)progress, 4 + 2 * (int)progress->failed);
}

static void try_again(const struct job *job, progress *progress)
{
    for (long i = 0; i < progress->failed && long_form_goes_on();) {
        if (attempt(job, &turns[progress->again[i].turn], progress->again[i].place)) {
            progress->again[i] = progress->again[--progress->failed];
        } else {
            i++;
        }
        write_progress(job, progress);
    }
}

static bool next_place(const struct job *job, progress *progress)
{
    while (progress->turn < TURNS) {
        const struct turn *turn = &turns[progress->turn];
        if (++progress->place > last_place(job, turn)) {
            progress->turn++;
            progress->place = 0;
        } else if (is_tried(job, turn, progress->place)) {
            return true;
        }
    }
    return false;
}

static void test_every_place(void **state)
{
    const struct job *job = *state;
    progress progress;
    read_progress(job, &progress);
    try_again(job, &progress);
    while (progress.failed < FAILED_MAX && long_form_goes_on() && next_place(job, &progress)) {
        if (!attempt(job, &turns[progress.turn], progress.place)) {
            progress.again[progress.failed].turn = progress.turn;
            progress.again[progress.failed++].place = progress.place;
        }
        write_progress(job, &progress);
    }
    bool all = progress.turn == TURNS;
    printf("%s: %ld operations, %ld attempts, %ld failed%s\n", job->name, operations[job - jobs],
           progress.attempts, progress.failed, all ? ", all" : " so far");
    long_form.unfinished |= !all;
    assert_int_equal(progress.failed, 0);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[JOBS];
    if (argc == 3) {
        long_form_begin(argv[1], argv[2]);
    }
    for (int i = 0; i < JOBS; i++) {
        tests[i] = (struct CMUnitTest){.name = jobs[i].name,
                                       .test_func = long_form.folder ? test_every_place : test_job,
                                       .initial_state = (void *)&jobs[i]};
    }
    int failed = _cmocka_run_group_tests("crash", tests, JOBS, set_up, remove_folder);
    return long_form.folder ? long_form_end(failed) : failed;
}
