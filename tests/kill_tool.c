/* SPDX-License-Identifier: Apache-2.0
 * The real program killed at random moments, again and again, until it is through all the same:
 *   kill_tool PBA search|train STATE KILLS SECONDS
 * A run is started, killed (a training is also told to stop first, so that it is killed as it
 * saves), gone on with, killed again ... and in the end compared with an undisturbed one, byte for
 * byte. STATE keeps how far it came, and the undisturbed run. Moments follow from the number of the
 * run, which a failure names; STATE/failed-N is its folder. Exit status: 0 done, 75 the time was
 * up, 1 a difference. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 512, ARGUMENTS = 32, SIDE = 8, AREA = SIDE * SIDE, IMAGES = 24 };

typedef struct mode {
    const char *name;
    const char *fresh[ARGUMENTS];
    const char *files; /* that must be the same, for the shell */
    bool saves;        /* when it is told to stop only */
} mode;

/* On images of 8 x 8 pixels, so that files take as much of the time as networks do. */
static const mode modes[] = {
    {"search",
     {"search", "data", "--model", "wrn-10-1", "--population", "4", "--epochs", "40", "--interval",
      "1", "--train-size", "8", "--batch", "4", "--workers", "1", "--quiet"},
     "schedule.json journal.jsonl schedule.txt",
     false},
    {"train",
     {"train", "data", "--model", "wrn-10-1", "--seeds", "2", "--epochs", "60", "--batch", "4",
      "--workers", "1", "--augment", "trivialaugment", "--quiet"},
     "weights-0.safetensors weights-1.safetensors",
     true},
};

static const char *program, *state;
static const mode *what;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void give_up(const char *message)
{
    fprintf(stderr, "kill_tool: %s\n", message);
    exit(2);
}

/* splitmix64 */
static double draw(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53;
}

static const char *inside(const char *name)
{
    static char paths[4][PATH];
    static int next;
    char *path = paths[next++ % 4];
    if (snprintf(path, PATH, "%s/%s", state, name) >= PATH) {
        give_up("the folder's path is too long");
    }
    return path;
}

static void write_file(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(inside(name), "w");
    if (!file || fwrite(data, size, 1, file) != 1 || fclose(file) != 0) {
        give_up("the data cannot be written");
    }
}

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
    mkdir(inside("data"), 0777);
    write_file("data/train-images-idx3-ubyte", images, sizeof images);
    write_file("data/train-labels-idx1-ubyte", labels, sizeof labels);
    write_file("data/t10k-images-idx3-ubyte", images, sizeof images);
    write_file("data/t10k-labels-idx1-ubyte", labels, sizeof labels);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static int shell(const char *command)
{
    int code = system(command);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* What it says goes to STATE/said, of all sittings of a run. */
static pid_t start(const char *run, bool resumes)
{
    const char *arguments[ARGUMENTS + 4] = {program};
    int count = 1;
    if (resumes) {
        arguments[count++] = what->fresh[0];
        arguments[count++] = "--resume";
        arguments[count++] = run;
        arguments[count++] = "--workers";
        arguments[count++] = "1";
        arguments[count++] = "--quiet";
    } else {
        for (int i = 0; what->fresh[i]; i++) {
            arguments[count++] = i == 1 ? inside("data") : what->fresh[i];
        }
        arguments[count++] = "--out";
        arguments[count++] = run;
    }
    pid_t child = fork();
    if (child == 0) {
        int said = open(inside("said"), O_WRONLY | O_CREAT | O_APPEND, 0666);
        dup2(said, 1);
        dup2(said, 2);
        execv(program, (char *const *)arguments);
        _exit(127);
    }
    if (child < 0) {
        give_up("no process can be started");
    }
    return child;
}

/* Waits until the process ends or the time comes. */
static bool ends_before(pid_t child, double time, int *code)
{
    while (now() < time) {
        if (waitpid(child, code, WNOHANG) == child) {
            return true;
        }
        usleep(200);
    }
    return false;
}

/* One sitting; true: it came to its end by itself. */
static bool sit(pid_t child, double stop, double death, int *code)
{
    double began = now();
    if (stop >= 0) {
        if (ends_before(child, began + stop, code)) {
            return true;
        }
        kill(child, SIGINT);
        began = now();
    }
    if (ends_before(child, began + death, code)) {
        return true;
    }
    kill(child, SIGKILL);
    if (waitpid(child, code, 0) != child) {
        give_up("a process is lost");
    }
    return WIFEXITED(*code);
}

static bool same(const char *run, const char *whole)
{
    char command[4 * PATH];
    snprintf(command, sizeof command,
             "cd '%s' && for file in %s; do cmp \"$file\" '%s'/\"$file\" || exit 1; done && "
             "test ! -e checkpoint && ! ls | grep '\\.new$'",
             run, what->files, whole);
    return shell(command) == 0;
}

static double undisturbed(void)
{
    char whole[PATH];
    int code;
    snprintf(whole, sizeof whole, "%s", inside("whole"));
    char command[2 * PATH];
    snprintf(command, sizeof command, "rm -rf '%s'", whole);
    shell(command);
    double began = now();
    pid_t child = start(whole, false);
    if (waitpid(child, &code, 0) != child || code != 0) {
        give_up("the undisturbed run failed; STATE/said tells why");
    }
    return now() - began;
}

/* Kills that hit in one run until it is through; -1: it came to another end. */
static long one_run(long number, double whole_seconds)
{
    char run[PATH], command[2 * PATH];
    uint64_t seed = (uint64_t)number;
    long kills = 0;
    snprintf(run, sizeof run, "%s", inside("run"));
    snprintf(command, sizeof command, "rm -rf '%s' '%s'", run, inside("said"));
    shell(command);
    for (int sitting = 0; sitting < 1000; sitting++) {
        char config[PATH + 16];
        int code;
        snprintf(config, sizeof config, "%s/config.json", run);
        /* From the first moments to a little more than a sitting takes when nothing is left. */
        double death = whole_seconds * 0.6 * draw(&seed), stop = -1;
        if (what->saves && draw(&seed) < 0.6) {
            stop = death;
            death = 0.02 * pow(draw(&seed), 2) + (draw(&seed) < 0.3 ? 10 : 0);
        }
        bool ended = sit(start(run, exists(config)), stop, death, &code);
        if (!ended) {
            kills++;
        } else if (WIFEXITED(code) && WEXITSTATUS(code) == 0) {
            return same(run, inside("whole")) ? kills : -1;
        } else if (WIFEXITED(code) ? WEXITSTATUS(code) != 130 : WTERMSIG(code) != SIGINT) {
            return -1; /* 130: it was told to stop, and saved; SIGINT: before it listened */
        }
    }
    return -1;
}

static void read_state(long *runs, long *kills)
{
    FILE *file = fopen(inside("done"), "r");
    if (file && fscanf(file, "%ld %ld", runs, kills) != 2) {
        give_up("STATE/done is damaged");
    }
    if (file) {
        fclose(file);
    }
}

static void write_state(long runs, long kills)
{
    FILE *file = fopen(inside("done.new"), "w");
    if (!file || fprintf(file, "%ld %ld\n", runs, kills) < 0 || fclose(file) != 0 ||
        rename(inside("done.new"), inside("done")) != 0) {
        give_up("STATE/done cannot be written");
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 6 && i < sizeof modes / sizeof *modes; i++) {
        what = strcmp(modes[i].name, argv[2]) == 0 ? &modes[i] : what;
    }
    if (!what) {
        give_up("usage: kill_tool PBA search|train STATE KILLS SECONDS");
    }
    program = argv[1];
    state = argv[3];
    long wanted = atol(argv[4]), runs = 0, kills = 0;
    double end = now() + atof(argv[5]);
    mkdir(state, 0777);
    state = realpath(state, NULL);
    if (!state) {
        give_up("STATE cannot be made");
    }
    write_data();
    read_state(&runs, &kills);
    double whole_seconds = undisturbed();
    while (kills < wanted && now() < end) {
        long hit = one_run(++runs, whole_seconds);
        if (hit < 0) {
            char command[3 * PATH];
            snprintf(command, sizeof command, "rm -rf '%s-%ld' && mv '%s' '%s-%ld'",
                     inside("failed"), runs, inside("run"), inside("failed"), runs);
            shell(command);
            printf("run %ld came to another end: %s-%ld, %s\n", runs, inside("failed"), runs,
                   inside("said"));
            return 1;
        }
        kills += hit;
        write_state(runs, kills);
    }
    printf("%ld kills in %ld runs, 0 differences\n", kills, runs);
    return kills < wanted ? 75 : 0;
}
