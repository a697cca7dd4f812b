/* SPDX-License-Identifier: Apache-2.0
 * Memory runs out, once at every place: each path below is run with its 1st, 2nd, 3rd ...
 * allocation failing, until it gets through without a failure. Each time an error comes back, and
 * everything that was allocated is given back. Counted are the library's own allocations and those
 * that jansson makes for it, in child processes and threads too.
 *
 * As a test, places are sampled, fewer the further on. With arguments every one is tried:
 *     test_memory STATE SECONDS
 * keeps in the folder STATE how far it came and ends with 75 when its time is up, with 1 where
 * something failed. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "augment/op.h"
#include "folder.h"
#include "state.h"

/* ------------------------------------------------------------- allocations */

/* Shared with child processes. */
typedef struct meter {
    atomic_long calls, failed;
    atomic_long lost;    /* blocks of a process that ended */
    atomic_long fail_at; /* the call that fails; 0: none */
    atomic_bool armed;
} meter;

static meter *meter_of_all;

/* What was allocated while armed, and not freed since. */
enum { LIVE_MAX = 1 << 16 };
static void *live[LIVE_MAX];
static int live_count;
static pthread_mutex_t live_lock = PTHREAD_MUTEX_INITIALIZER;

/* The blocks with which a child writes its counters are no part of a path. */
static bool counters_are_written;
#ifdef PBA_COVERAGE
void __real___gcov_dump(void);
void __wrap___gcov_dump(void);

void __wrap___gcov_dump(void)
{
    counters_are_written = true;
    __real___gcov_dump();
}
#endif

static bool armed(void)
{
    return meter_of_all && meter_of_all->armed && !counters_are_written;
}

static bool due(void)
{
    if (!armed() || ++meter_of_all->calls != meter_of_all->fail_at) {
        return false;
    }
    meter_of_all->failed++;
    return true;
}

static void *note(void *block)
{
    if (block && armed()) {
        pthread_mutex_lock(&live_lock);
        assert_true(live_count < LIVE_MAX);
        live[live_count++] = block;
        pthread_mutex_unlock(&live_lock);
    }
    return block;
}

static void forget(const void *block)
{
    pthread_mutex_lock(&live_lock);
    for (int i = live_count - 1; i >= 0; i--) {
        if (live[i] == block) {
            live[i] = live[--live_count];
            break;
        }
    }
    pthread_mutex_unlock(&live_lock);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **block, size_t alignment, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
int __wrap_posix_memalign(void **block, size_t alignment, size_t size);
void __wrap_free(void *block);

static _Thread_local bool jansson_reads;
json_t *__real_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);
json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error);

json_t *__wrap_json_loadb(const char *text, size_t size, size_t flags, json_error_t *error)
{
    jansson_reads = true;
    json_t *root = __real_json_loadb(text, size, flags, error);
    jansson_reads = false;
    return root;
}

/* What jansson calls. */
static void *foreign_malloc(size_t size)
{
    /* Of reading, a string's buffer that grows may not fail: jansson does not notice it
     * (schedule_json_load). Tables of objects are of such a size, too. */
    bool may = !jansson_reads || size < 32 || (size & (size - 1)) != 0;
    return may && due() ? NULL : note(__real_malloc(size));
}

void *__wrap_malloc(size_t size)
{
    return due() ? NULL : note(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return due() ? NULL : note(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (due()) {
        return NULL;
    }
    forget(block); /* before another thread may be given the same place */
    void *grown = __real_realloc(block, size);
    note(grown ? grown : block);
    return grown;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return due() ? NULL : note(__real_aligned_alloc(alignment, size));
}

int __wrap_posix_memalign(void **block, size_t alignment, size_t size)
{
    int code = due() ? ENOMEM : __real_posix_memalign(block, alignment, size);
    if (code == 0) {
        note(*block);
    }
    return code;
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

/* ---------------------------------------------------------------- the data */

enum { SIDE = 8, AREA = SIDE * SIDE, IMAGES = 24, RECORD = 3073 };

static char paths[16][PBA_PATH_MAX]; /* valid for sixteen calls */

static const char *at(const char *name)
{
    static int next;
    char *path = paths[next++ % 16];
    assert_ok(file_join(path, folder, name));
    return path;
}

static void write_idx(const char *name, bool zipped)
{
    uint8_t images[16 + IMAGES * AREA] = {0, 0, 8, 3,    0, 0, 0, IMAGES,
                                          0, 0, 0, SIDE, 0, 0, 0, SIDE};
    uint8_t labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 0, IMAGES};
    char path[PBA_PATH_MAX];
    for (int i = 0; i < IMAGES; i++) {
        labels[8 + i] = (uint8_t)(i % 2);
        for (int p = 0; p < AREA; p++) {
            images[16 + i * AREA + p] = (uint8_t)(i % 2 * 100 + p + i);
        }
    }
    assert_ok(file_make_folder(at(name)));
    const struct {
        const char *name;
        const uint8_t *data;
        size_t size;
    } files[] = {{"train-images-idx3-ubyte", images, sizeof images},
                 {"train-labels-idx1-ubyte", labels, sizeof labels}};
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s%s", at(name), files[i].name, zipped ? ".gz" : "");
        gzFile file = gzopen(path, zipped ? "wb" : "wbT");
        assert_int_equal(gzwrite(file, files[i].data, (unsigned)files[i].size), files[i].size);
        assert_int_equal(gzclose(file), Z_OK);
    }
}

static uint8_t *records(void)
{
    uint8_t *data = calloc(IMAGES, RECORD);
    assert_non_null(data);
    for (int i = 0; i < IMAGES; i++) {
        data[i * RECORD] = (uint8_t)(i % 10);
    }
    return data;
}

static void add_entry(struct archive *archive, const char *name, const void *data, size_t size)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (int64_t)size);
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, data, size), size);
    archive_entry_free(entry);
}

static void write_cifar(void)
{
    uint8_t *data = records();
    struct archive *archive = archive_write_new();
    assert_ok(file_make_folder(at("cifar")));
    assert_ok(file_write(at("cifar/data_batch_1.bin"), data, IMAGES * RECORD));
    assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, at("cifar.tar")), ARCHIVE_OK);
    add_entry(archive, "top/data_batch_1.bin", data, IMAGES * RECORD);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    free(data);
}

static size_t npy(const char *shape, const char *type, size_t bytes, uint8_t *out)
{
    char header[118];
    int length = snprintf(header, sizeof header,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    memset(header + length, ' ', sizeof header - (size_t)length);
    header[sizeof header - 1] = '\n';
    memcpy(out, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(out + 10, header, sizeof header);
    for (size_t i = 0; i < bytes; i++) {
        out[128 + i] = (uint8_t)(i % 2);
    }
    return 128 + bytes;
}

static void write_npz(void)
{
    uint8_t array[128 + IMAGES * AREA];
    struct archive *archive = archive_write_new();
    assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(archive, at("set.npz")), ARCHIVE_OK);
    add_entry(archive, "x_train.npy", array, npy("(24, 8, 8)", "|u1", IMAGES * AREA, array));
    add_entry(archive, "y_train.npy", array, npy("(24,)", "|u1", IMAGES, array));
    add_entry(archive, "names.npy", array, npy("(2,)", "|S1", 2, array));
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void write_photos(void)
{
    pba_image image;
    char name[64];
    assert_ok(pba_image_create(9, 7, 3, &image));
    for (int i = 0; i < 12; i++) {
        image.pixels[i] = (uint8_t)(20 * i);
        snprintf(name, sizeof name, "photos/%c", 'a' + i % 2);
        assert_ok(file_make_folder(at(name)));
        snprintf(name, sizeof name, "photos/%c/%d.png", 'a' + i % 2, i);
        assert_ok(pba_image_write(at(name), &image, false));
    }
    pba_image_free(&image);
}

static void write_schedule(void)
{
    static const char *const ops[] = {"Rotate",       "TranslateX", "TranslateY", "Brightness",
                                      "Color",        "Invert",     "Sharpness",  "Posterize",
                                      "ShearX",       "Solarize",   "ShearY",     "Equalize",
                                      "AutoContrast", "Cutout",     "Contrast"};
    pba_policy policy = {.entries = 30};
    memset(policy.values, 9, sizeof policy.values);
    pba_schedule *schedule;
    assert_ok(pba_schedule_constant(&policy, ops, 15, 4, &schedule));
    assert_ok(pba_schedule_save(schedule, at("schedule.json")));
    pba_schedule_free(schedule);
}

/* ------------------------------------------------------------------- paths */

static void remove_tree(const char *path)
{
    char command[PBA_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static void copy_tree(const char *from, const char *to)
{
    char command[2 * PBA_PATH_MAX + 16];
    remove_tree(to);
    snprintf(command, sizeof command, "cp -r '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

static pba_status open_dataset(const char *path)
{
    pba_dataset *dataset;
    double mean[3], deviation[3];
    pba_status status = pba_dataset_open(path, &dataset);
    if (status == PBA_OK) {
        status = pba_dataset_split(dataset, 0, 0, 1);
    }
    if (status == PBA_OK) {
        status = pba_dataset_statistics(dataset, mean, deviation);
    }
    pba_dataset_free(dataset);
    return status;
}

static pba_status path_cifar(void)
{
    return open_dataset(at("cifar"));
}

static pba_status path_idx(void)
{
    return open_dataset(at("idx.gz"));
}

static pba_status path_npz(void)
{
    return open_dataset(at("set.npz"));
}

static pba_status path_archive(void)
{
    return open_dataset(at("cifar.tar"));
}

static pba_status path_photos(void)
{
    return open_dataset(at("photos"));
}

static pba_status path_demo(void)
{
    return open_dataset("demo");
}

static pba_status path_schedule(void)
{
    pba_schedule *schedule = NULL, *stretched = NULL, *log = NULL;
    pba_status status = pba_schedule_load(at("schedule.json"), 0, &schedule);
    if (status == PBA_OK) {
        status = pba_schedule_stretch_reference(schedule, 7, &stretched);
    }
    pba_schedule_free(stretched);
    stretched = NULL;
    if (status == PBA_OK) {
        status = pba_schedule_stretch(schedule, 9, &stretched);
    }
    if (status == PBA_OK) {
        status = pba_schedule_save(stretched, at("other.json"));
    }
    if (status == PBA_OK) {
        status = pba_schedule_save(stretched, at("other.txt"));
    }
    if (status == PBA_OK) {
        status = pba_schedule_load(at("other.txt"), 9, &log);
    }
    pba_schedule_free(schedule);
    pba_schedule_free(stretched);
    pba_schedule_free(log);
    return status;
}

static pba_status augment(const char *kind)
{
    static const uint8_t images[2 * AREA];
    static float batch[2 * AREA];
    static uint8_t out[2 * AREA], mask[2 * AREA];
    const pba_augmenter_options options = {.augment = kind,
                                           .baseline = "crop:1,flip,cutout:4",
                                           .width = SIDE,
                                           .height = SIDE,
                                           .channels = 1};
    pba_augmenter *augmenter;
    pba_status status = pba_augmenter_create(&options, &augmenter);
    if (status == PBA_OK) {
        status = pba_augment_batch(augmenter, images, NULL, 2, 3, batch);
    }
    if (status == PBA_OK) {
        status = pba_augment_images(augmenter, images, NULL, 2, 3, out, mask);
    }
    pba_augmenter_free(augmenter);
    return status;
}

static pba_status path_augmenter(void)
{
    static const char *const kinds[] = {
        "none",           "random",       "cutout:8", "autoaugment:cifar10", "randaugment:2,9",
        "trivialaugment", "schedule.json"};
    pba_status status = PBA_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == PBA_OK; i++) {
        status = augment(strstr(kinds[i], ".json") ? at(kinds[i]) : kinds[i]);
    }
    return status;
}

static pba_status path_ops(void)
{
    pba_image image;
    uint8_t out[2 * AREA];
    pba_status status = pba_image_create(SIDE, 2 * SIDE, 1, &image);
    for (size_t i = 0; i < pba_op_count() && status == PBA_OK; i++) {
        pba_op_info info;
        assert_ok(pba_op_get(i, &info));
        status = pba_op_apply(&image, info.name, 5, 1, 0);
        if (status == PBA_OK) {
            image.height = SIDE;
            status = pba_op_apply_images(info.name, info.min, &image, 2, 0, out, NULL);
            image.height = 2 * SIDE;
        }
    }
    pba_image_free(&image);
    return status;
}

/* A built-in operation, and one of a plug-in. */
static pba_status path_op_test(void)
{
    pba_op_report report;
    pba_status status = pba_op_test("Invert", NULL, &report);
    assert_true(status != PBA_OK || report.passed);
    if (status == PBA_OK) {
        status = pba_op_test("Grain", EXAMPLE_PLUGIN, &report);
        assert_true(status != PBA_OK || report.passed);
    }
    return status;
}

/* What a plug-in that is loaded keeps until its process ends: here a child. */
static void forget_plugin(void)
{
    const augment_op *op = augment_op_find("Grain");
    assert_true(op && op->plugin);
    forget(op); /* the first of the block */
    forget(op->source);
}

static void load_plugin(int message)
{
    live_count = 0;
    pba_status status = pba_plugin_load(EXAMPLE_PLUGIN);
    if (status == PBA_OK) {
        forget_plugin();
    }
    meter_of_all->lost += live_count;
    ssize_t written = write(message, pba_error_message(), strlen(pba_error_message()));
    _exit(written < 0 ? PBA_INTERNAL : status);
}

static pba_status path_plugin(void)
{
    char message[2048] = "";
    int code, ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        load_plugin(ends[1]);
    }
    close(ends[1]);
    assert_true(read(ends[0], message, sizeof message - 1) >= 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    return status_set((pba_status)WEXITSTATUS(code), "%s", message);
}

static pba_status path_images(void)
{
    pba_image image;
    pba_status status = pba_image_read(at("photos/a/0.png"), &image);
    if (status == PBA_OK) {
        status = pba_image_write(at("other.png"), &image, true);
    }
    if (status == PBA_OK) {
        status = pba_ops_preview_write(&image, at("ops.png"));
    }
    pba_image_free(&image);
    return status;
}

static pba_status path_preview(void)
{
    pba_dataset *dataset;
    pba_schedule *schedule = NULL;
    pba_status status = pba_dataset_open(at("cifar"), &dataset);
    if (status == PBA_OK) {
        status = pba_dataset_split(dataset, 0, 0, 1);
    }
    if (status == PBA_OK) {
        status = pba_schedule_load(at("schedule.json"), 0, &schedule);
    }
    if (status == PBA_OK) {
        status = pba_preview_write(dataset, schedule, at("sheet.png"), 2, 2, 0);
    }
    pba_schedule_free(schedule);
    pba_dataset_free(dataset);
    return status;
}

/* Asks and tells to the end; the state goes through its text on the way. */
static pba_status drive(pba_population **population)
{
    pba_task task;
    pba_status status = pba_population_ask(*population, &task);
    for (int i = 0; status == PBA_OK && task.kind == PBA_TASK_TRAIN; i++) {
        status = pba_population_tell(*population, task.member, i * 5 % 7 / 7.0);
        if (status == PBA_OK && i % 4 == 1) {
            char *text;
            pba_population *again;
            status = pba_population_to_json(*population, &text);
            if (status == PBA_OK) {
                status = pba_population_from_json(text, &again);
                free(text);
            }
            if (status == PBA_OK) {
                pba_population_free(*population);
                *population = again;
            }
        }
        if (status == PBA_OK) {
            status = pba_population_ask(*population, &task);
        }
    }
    return status;
}

static pba_status path_population(void)
{
    pba_population_options options;
    pba_population *population;
    pba_schedule *schedule = NULL;
    pba_population_defaults(&options);
    options.population = 4;
    options.epochs = 12;
    pba_status status = pba_population_create(&options, &population);
    if (status == PBA_OK) {
        status = drive(&population);
    }
    if (status == PBA_OK) {
        status = pba_population_schedule(population, &schedule);
    }
    pba_schedule_free(schedule);
    pba_population_free(population);
    return status;
}

static pba_status path_models(void)
{
    static const char *const names[] = {"wrn-16-2", "shake-shake-26-2x32d", "pyramid-110-200",
                                        "resnet-v2-20"};
    pba_model_info info;
    pba_status status = PBA_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && status == PBA_OK; i++) {
        status = pba_model_describe(names[i], 32, 32, 3, 10, &info);
    }
    return status;
}

static void fill_recipe(pba_recipe *recipe, const char *backend)
{
    snprintf(recipe->model, sizeof recipe->model, "wrn-10-1");
    snprintf(recipe->backend, sizeof recipe->backend, "%s", backend);
    recipe->batch = 4;
    recipe->epochs = 3;
    recipe->train_size = 8;
}

static pba_search_options search_options(const char *out)
{
    size_t count;
    pba_search_options options;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe, "onednn");
    options.population = 4;
    options.interval = 1;
    options.workers = 2;
    snprintf(options.dataset, sizeof options.dataset, "%s", at("idx"));
    snprintf(options.out, sizeof options.out, "%s", at(out));
    return options;
}

static pba_status finish_search(pba_search *search)
{
    const pba_schedule *schedule;
    double error;
    pba_status status = pba_search_run(search, NULL);
    return status == PBA_OK ? pba_search_result(search, &schedule, &error) : status;
}

static pba_status path_search(void)
{
    const pba_search_options options = search_options("search");
    pba_search *search;
    pba_plan plan;
    remove_tree(options.out);
    pba_status status = pba_search_create(&options, &search);
    if (status == PBA_OK) {
        status = pba_search_plan(search, &plan);
    }
    if (status == PBA_OK) {
        status = finish_search(search);
    }
    pba_search_free(search);
    return status;
}

static long long size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (long long)info.st_size;
}

static bool is_damaged(const char *run)
{
    return strncmp(run, "damaged", 7) == 0;
}

/* However it ends, what the journal held is still there. */
static pba_status resume_search(const char *run)
{
    char name[64];
    pba_plan plan;
    pba_search *search;
    copy_tree(at(run), at("resumed"));
    pba_status status = pba_search_resume(at("resumed"), 1, &search);
    if (status == PBA_OK) {
        status = pba_search_plan(search, &plan);
    }
    if (status == PBA_OK) {
        assert_true((strstr(plan.notes, " again from ") != NULL) == is_damaged(run));
        status = finish_search(search);
    }
    pba_search_free(search);
    snprintf(name, sizeof name, "%s/journal.jsonl", run);
    assert_true(size_of(at("resumed/journal.jsonl")) >= size_of(at(name)));
    return status;
}

static pba_status path_search_resume(void)
{
    return resume_search("half-search");
}

static pba_status path_search_repair(void)
{
    return resume_search("damaged-search");
}

/* What is not kept is measured; the network is, so that it is the only one. */
static const char *const kept[] = {"model", "precision", "train-size", "val-size", "population"};

static pba_status path_search_fit(void)
{
    pba_search_options options = search_options("nowhere");
    pba_search *search;
    pba_budget budget;
    snprintf(options.budget, sizeof options.budget, "45s");
    pba_status status = pba_search_fit(&options, kept, 5, NULL, &budget, &search);
    pba_search_free(search);
    return status;
}

static pba_train_options train_options(const char *out, const char *backend)
{
    size_t count;
    pba_train_options options;
    const pba_setting *rows = pba_train_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe, backend);
    options.seeds = 2;
    snprintf(options.dataset, sizeof options.dataset, "%s", at("idx"));
    snprintf(options.augment, sizeof options.augment, "%s", at("schedule.json"));
    snprintf(options.out, sizeof options.out, "%s", at(out));
    return options;
}

static pba_status train(const char *out, const char *backend)
{
    const pba_train_options options = train_options(out, backend);
    pba_training *training;
    pba_plan plan;
    remove_tree(options.out);
    pba_status status = pba_training_create(&options, &training);
    if (status == PBA_OK) {
        status = pba_training_plan(training, &plan);
    }
    if (status == PBA_OK) {
        status = pba_training_run(training, NULL);
    }
    pba_training_free(training);
    return status;
}

static pba_status path_training(void)
{
    return train("training", "onednn");
}

static pba_status path_training_reference(void)
{
    return train("reference", "reference");
}

static pba_status path_training_fit(void)
{
    pba_train_options options = train_options("nowhere", "onednn");
    pba_training *training;
    pba_budget budget;
    snprintf(options.budget, sizeof options.budget, "45s");
    pba_status status = pba_training_fit(&options, kept, 2, NULL, &budget, &training);
    pba_training_free(training);
    return status;
}

static void look_for_repair(void *user, const pba_event *event)
{
    bool *repaired = user;
    *repaired |= event->kind == PBA_EVENT_NOTE && strstr(event->text, "from the checkpoint before");
}

static pba_status resume_training(const char *run)
{
    bool repaired = false;
    const pba_observer observer = {.event = look_for_repair, .user = &repaired};
    pba_training *training;
    copy_tree(at(run), at("resumed-training"));
    pba_status status = pba_training_resume(at("resumed-training"), 1, &training);
    if (status == PBA_OK) {
        status = pba_training_run(training, &observer);
    }
    assert_true(status != PBA_OK || repaired == is_damaged(run));
    pba_training_free(training);
    return status;
}

static pba_status path_training_resume(void)
{
    return resume_training("half-training");
}

static pba_status path_training_repair(void)
{
    return resume_training("damaged-training");
}

static pba_status path_measure(void)
{
    const pba_train_options options = train_options("nowhere", "onednn");
    const pba_measure_options measure = {
        .members = 1, .threads = 1, .repetitions = 1, .seconds = 0.001};
    pba_training *training;
    pba_training_speed speed;
    pba_status status = pba_training_create(&options, &training);
    if (status == PBA_OK) {
        status = pba_training_measure(training, &measure, NULL, &speed);
    }
    pba_training_free(training);
    return status;
}

static pba_status path_evaluate(void)
{
    size_t count;
    pba_evaluate_options options;
    pba_evaluation *evaluation;
    const pba_setting *rows = pba_evaluate_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.dataset, sizeof options.dataset, "%s", at("idx"));
    snprintf(options.weights, sizeof options.weights, "%s",
             at("done-training/weights-0.safetensors"));
    pba_status status = pba_evaluate(&options, NULL, &evaluation);
    if (status == PBA_OK) {
        status = pba_evaluation_write_csv(evaluation, at("answers.csv"));
    }
    pba_evaluation_free(evaluation);
    return status;
}

static pba_status path_report(void)
{
    const char *runs[] = {at("done-search"), at("half-search"), at("done-training"),
                          at("schedule.json")};
    pba_report_options options = {.runs = runs, .run_count = 4, .dataset = at("idx")};
    pba_status status = pba_report_write(&options, at("report.html"));
    return status == PBA_OK ? pba_report_charts(&options, at("charts")) : status;
}

static pba_compare_options compare_options(const char *out)
{
    size_t count;
    pba_compare_options options;
    const pba_setting *rows = pba_compare_settings(&count);
    pba_settings_init(&options, rows, count);
    fill_recipe(&options.recipe, "onednn");
    snprintf(options.arms, sizeof options.arms, "none,%s", at("schedule.json"));
    snprintf(options.dataset, sizeof options.dataset, "%s", at("idx"));
    snprintf(options.out, sizeof options.out, "%s", at(out));
    options.seeds = 2;
    return options;
}

static pba_status path_compare(void)
{
    const pba_compare_options options = compare_options("compare");
    pba_comparison *comparison;
    remove_tree(options.out);
    pba_status status = pba_comparison_create_with(&options, NULL, &comparison);
    if (status == PBA_OK) {
        status = pba_comparison_run(comparison, NULL);
    }
    pba_comparison_free(comparison);
    return status;
}

static pba_status path_compare_resume(void)
{
    pba_comparison *comparison;
    copy_tree(at("half-compare"), at("resumed-compare"));
    pba_status status = pba_comparison_resume_with(at("resumed-compare"), 1, NULL, &comparison);
    if (status == PBA_OK) {
        status = pba_comparison_run(comparison, NULL);
    }
    pba_comparison_free(comparison);
    return status;
}

static pba_status path_watch(void)
{
    pba_watch *watch;
    const pba_watch_picture *picture;
    pba_status status = pba_watch_open(at("half-search"), &watch);
    if (status == PBA_OK) {
        status = pba_watch_look(watch, &picture);
    }
    pba_watch_free(watch);
    return status;
}

static pba_status path_export(void)
{
    const pba_augmenter_options options = {
        .augment = "trivialaugment", .width = SIDE, .height = SIDE, .channels = 1};
    pba_dataset *dataset;
    pba_status status = pba_dataset_open(at("idx"), &dataset);
    if (status == PBA_OK) {
        status = pba_dataset_split(dataset, 0, 0, 1);
    }
    if (status == PBA_OK) {
        status = pba_augment_write(dataset, PBA_TRAIN, 3, &options, 0, true, at("augmented.npz"));
    }
    pba_dataset_free(dataset);
    return status;
}

/* ------------------------------------------------------------- preparation */

static bool stop_soon(void *user)
{
    int *asks = user;
    return --*asks <= 0;
}

/* An observer that stops the job at its `asks`-th question. */
static pba_observer *stopping(int asks)
{
    static int left;
    static pba_observer observer = {.stop = stop_soon, .user = &left};
    left = asks;
    return &observer;
}

static void start_search(const char *out, int asks)
{
    pba_search_options options = search_options(out);
    pba_search *search;
    options.workers = 1;
    assert_ok(pba_search_create(&options, &search));
    assert_int_equal(pba_search_run(search, stopping(asks)), PBA_INTERRUPTED);
    pba_search_free(search);
}

static void start_training(const char *out)
{
    pba_train_options options = train_options(out, "onednn");
    pba_training *training;
    options.workers = 1;
    assert_ok(pba_training_create(&options, &training));
    assert_int_equal(pba_training_run(training, stopping(4)), PBA_INTERRUPTED);
    pba_training_free(training);
}

static void go_on_with_training(const char *run)
{
    pba_training *training;
    assert_ok(pba_training_resume(run, 1, &training));
    assert_int_equal(pba_training_run(training, stopping(2)), PBA_INTERRUPTED);
    pba_training_free(training);
}

static void start_compare(const char *out)
{
    pba_compare_options options = compare_options(out);
    pba_comparison *comparison;
    options.workers = 1;
    assert_ok(pba_comparison_create_with(&options, NULL, &comparison));
    assert_int_equal(pba_comparison_run(comparison, stopping(10)), PBA_INTERRUPTED);
    pba_comparison_free(comparison);
}

/* The newest checkpoint, with an older one beside it. */
static void damage(const char *name)
{
    assert_true(size_of(at(name)) > 0);
    assert_ok(file_write(at(name), "damaged", 7));
}

/* Runs that are finished, and runs that were stopped on the way. */
static void prepare_runs(void)
{
    const pba_search_options options = search_options("done-search");
    pba_search *search;
    assert_ok(pba_search_create(&options, &search));
    assert_ok(pba_search_run(search, NULL));
    pba_search_free(search);
    assert_ok(train("done-training", "onednn"));
    start_search("half-search", 10);
    start_search("damaged-search", 20);
    damage("damaged-search/checkpoint/round-0001-member-0000");
    start_training("half-training");
    start_training("damaged-training");
    go_on_with_training(at("damaged-training"));
    damage("damaged-training/checkpoint/seed-0");
    start_compare("half-compare");
}

static int set_up(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    write_idx("idx", false);
    write_idx("idx.gz", true);
    write_cifar();
    write_npz();
    write_photos();
    write_schedule();
    prepare_runs();
    meter_of_all =
        mmap(NULL, sizeof *meter_of_all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return meter_of_all == MAP_FAILED ? -1 : 0;
}

/* --------------------------------------------------------------- the rounds */

static const struct path {
    const char *name;
    pba_status (*run)(void);
} all_paths[] = {
    {"cifar", path_cifar},
    {"idx", path_idx},
    {"npz", path_npz},
    {"archive", path_archive},
    {"photos", path_photos},
    {"demo", path_demo},
    {"schedule", path_schedule},
    {"augmenter", path_augmenter},
    {"ops", path_ops},
    {"op_test", path_op_test},
    {"plugin", path_plugin},
    {"images", path_images},
    {"preview", path_preview},
    {"population", path_population},
    {"models", path_models},
    {"search", path_search},
    {"search_resume", path_search_resume},
    {"search_repair", path_search_repair},
    {"search_fit", path_search_fit},
    {"training", path_training},
    {"training_reference", path_training_reference},
    {"training_resume", path_training_resume},
    {"training_repair", path_training_repair},
    {"training_fit", path_training_fit},
    {"measure", path_measure},
    {"evaluate", path_evaluate},
    {"report", path_report},
    {"compare", path_compare},
    {"compare_resume", path_compare_resume},
    {"watch", path_watch},
    {"export", path_export},
};
enum { PATHS = sizeof all_paths / sizeof *all_paths };

/* With allocation `place` failing (0: none); whether the path got so far. */
static bool run_with(const struct path *path, long place)
{
    meter_of_all->calls = meter_of_all->failed = meter_of_all->lost = 0;
    meter_of_all->fail_at = place;
    live_count = 0;
    meter_of_all->armed = true;
    pba_status status = path->run();
    meter_of_all->armed = false;
    bool failed = meter_of_all->failed > 0;
    long lost = live_count + meter_of_all->lost;
    if (lost) {
        fail_msg("%s, allocation %ld: %ld blocks are lost", path->name, place, lost);
    }
    bool fits = status == (failed ? PBA_MEMORY : PBA_OK);
    if (!fits || (status != PBA_OK && !pba_error_message()[0])) {
        fail_msg("%s, allocation %ld%s: %s (%s)", path->name, place, failed ? "" : " (none failed)",
                 pba_status_name(status), status == PBA_OK ? "" : pba_error_message());
    }
    return failed;
}

static void test_path(void **state)
{
    const struct path *path = *state;
    run_with(path, 0); /* what is kept for the process's life is there now */
    for (long place = 1; run_with(path, place); place += 1 + place / 3) {
    }
}

/* Every place from where the state says. The one that fails is tried again by the next call. */
static void test_every_place(void **state)
{
    const struct path *path = *state;
    long numbers[STATE_MAX] = {1}, *place = numbers;
    if (state_read(path->name, numbers) > 1 || *place < 1) {
        state_refuse(path->name);
    }
    bool more = true;
    if (long_form_goes_on()) {
        run_with(path, 0);
    }
    while (more && long_form_goes_on()) {
        more = run_with(path, *place);
        *place += more;
        state_write(path->name, place, 1);
    }
    printf("%s: %ld allocations failed%s\n", path->name, *place - 1, more ? " so far" : ", all");
    long_form.unfinished |= more;
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[PATHS];
    json_set_alloc_funcs(foreign_malloc, __wrap_free);
    if (argc == 3) {
        long_form_begin(argv[1], argv[2]);
    }
    for (int i = 0; i < PATHS; i++) {
        tests[i] = (struct CMUnitTest){.name = all_paths[i].name,
                                       .test_func = long_form.folder ? test_every_place : test_path,
                                       .initial_state = (void *)&all_paths[i]};
    }
    int failed = _cmocka_run_group_tests("memory", tests, PATHS, set_up, remove_folder);
    return long_form.folder ? long_form_end(failed) : failed;
}
