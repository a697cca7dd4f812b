/* SPDX-License-Identifier: Apache-2.0
 * What docs/limits.md says: the largest value is taken, the next one is refused with a message that
 * tells the limit. Files beyond their limit are holes: they take no room. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "compare/compare.h"
#include "core/file.h"
#include "core/sanitized.h"
#include "data/npz_writer.h"
#include "folder.h"
#include "population/population.h"
#include "schedule/schedule.h"
#include "search/search.h"
#include "train/checkpoint.h"

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
    check_setting(&training, rows, count, "threads", "1024", "1025");
    check_setting(&training, rows, count, "train-size", "1000000000", "1000000001");
}

/* Of the list of a comparison, and of the numbers of operations an image may get. */
static void test_lists(void **state)
{
    char text[1024] = "cutout:1";
    compare_arm *arms;
    int count;
    schedule_counts counts;
    for (int i = 2; i <= 32; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text), ",cutout:%d", i);
    }
    assert_ok(compare_read_arms(text, &arms, &count));
    assert_int_equal(count, 32);
    free(arms);
    strcat(text, ",cutout:33");
    expect(compare_read_arms(text, &arms, &count), PBA_USAGE, "more than 32");
    free(arms);
    assert_ok(schedule_counts_parse("0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.2", &counts));
    expect(schedule_counts_parse("0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1", &counts), PBA_USAGE,
           "1 to 9");
    expect(schedule_counts_parse("0.1234567,0.8765433", &counts), PBA_USAGE, "6 digits");
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

/* ---------------------------------------------------------------- searches */

static void check_line(json_t *line, double most)
{
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(17));
    assert_non_null(text);
    assert_true((double)strlen(text) + 1 <= most && most <= 1.2 * (double)strlen(text));
    free(text);
    json_decref(line);
}

static pba_policy largest_policy(int entries)
{
    pba_policy policy = {.entries = entries};
    for (int i = 0; i < 2 * entries; i++) {
        policy.values[i] = (uint8_t)schedule_value_max(i);
    }
    return policy;
}

/* The longest lines that there can be are no longer than they are taken to be. */
static void test_journal_lines(void **state)
{
    const double longest = -2.2250738585072014e-308;
    const search_score score = {longest, longest, longest, longest};
    pba_task task = {.member = POPULATION_MAX - 1,
                     .weights_from = POPULATION_MAX - 1,
                     .round = SCHEDULE_EPOCHS_MAX,
                     .from_epoch = SCHEDULE_EPOCHS_MAX,
                     .until_epoch = SCHEDULE_EPOCHS_MAX,
                     .policy = largest_policy(PBA_POLICY_MAX)};
    check_line(search_score_line(&task, &score), search_journal_most(1, 0, PBA_POLICY_MAX));
    check_line(search_copy_line(&task), search_journal_most(0, 1, PBA_POLICY_MAX));
}

/* Of the paper's operations, one round an epoch. */
static void test_search_files(void **state)
{
    static const struct {
        int population, rounds;
        pba_selection selection;
        pba_status status;
        const char *part;
    } rows[] = {
        {10000, 376, PBA_SELECTION_TRUNCATION, PBA_OK, ""},
        {10000, 377, PBA_SELECTION_TRUNCATION, PBA_USAGE, "journal of 10000 members"},
        {10000, 228, PBA_SELECTION_NONE, PBA_OK, ""},
        {10000, 229, PBA_SELECTION_NONE, PBA_USAGE, "1074 MB could be read back: give a smaller"},
        {10000, 1000000, PBA_SELECTION_NONE, PBA_USAGE, "4699998 MB"},
        {16, 117619, PBA_SELECTION_TRUNCATION, PBA_OK, ""},
        {16, 117620, PBA_SELECTION_TRUNCATION, PBA_USAGE, "schedule of 16 members"},
        {2, 1000000, PBA_SELECTION_TRUNCATION, PBA_USAGE, "larger --interval"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pba_population_options options;
        pba_population_defaults(&options);
        options.population = rows[i].population;
        options.epochs = rows[i].rounds;
        options.interval = 1;
        options.selection = rows[i].selection;
        pba_search search = {.options.population = options.population, .rounds = options.epochs};
        assert_ok(pba_population_create(&options, &search.population));
        expect(search_check_files(&search), rows[i].status, rows[i].part);
        pba_population_free(search.population);
    }
}

static void search_refused(const pba_search_options *options, pba_status status, const char *part)
{
    pba_search *search;
    expect(pba_search_create(options, &search), status, part);
    assert_null(search);
    assert_false(file_exists(options->out));
}

static void test_search_refused(void **state)
{
    size_t count;
    pba_search_options options;
    const pba_setting *rows = pba_search_settings(&count);
    pba_settings_init(&options, rows, count);
    snprintf(options.dataset, sizeof options.dataset, "demo");
    snprintf(options.out, sizeof options.out, "%s", path_of("run"));
    options.recipe.batch = 65536;
    search_refused(&options, PBA_USAGE, "fewer than a batch of 65536");
    options.recipe.batch = 128;
    options.population = 10000;
    snprintf(options.recipe.model, sizeof options.recipe.model, "wrn-28-10");
    search_refused(&options, PBA_MEMORY, "10000 members of wrn-28-10 need");
    options.recipe.epochs = 1131;
    search_refused(&options, PBA_USAGE, "journal of 10000 members in 377");
}

/* --------------------------------------------------------------- schedules */

static pba_schedule *long_schedule(int op_count, int copies, int segments)
{
    pba_schedule *schedule;
    pba_policy policy = largest_policy(op_count * copies);
    const schedule_event event = {"9999", "9999", SCHEDULE_EPOCHS_MAX, SCHEDULE_EPOCHS_MAX};
    assert_ok(schedule_create(schedule_pba_ops, op_count, copies, &schedule));
    assert_ok(schedule_append(schedule, SCHEDULE_EPOCHS_MAX, &policy, NULL));
    for (int i = 1; i < segments; i++) {
        assert_ok(schedule_append(schedule, 0, &policy, &event));
    }
    return schedule;
}

static double saved_size(int op_count, int copies, int segments, const char *name)
{
    char *text;
    size_t size;
    pba_schedule *schedule = long_schedule(op_count, copies, segments);
    assert_ok(pba_schedule_save(schedule, path_of(name)));
    assert_ok(file_read(path_of(name), SCHEDULE_FILE_MAX, &text, &size));
    pba_schedule_free(schedule);
    free(text);
    return (double)size;
}

/* A hundred segments more add no more than they are taken to. */
static void test_segments(void **state)
{
    static const struct {
        int op_count, copies;
        const char *name;
    } rows[] = {{SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES, "s.json"},
                {SCHEDULE_PBA_OPS, SCHEDULE_PBA_COPIES, "s.txt"},
                {1, 1, "s.json"},
                {1, PBA_POLICY_MAX, "s.json"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int ops = rows[i].op_count, copies = rows[i].copies;
        double few = saved_size(ops, copies, 100, rows[i].name);
        double more = saved_size(ops, copies, 200, rows[i].name) - few;
        double most = schedule_file_most(100, ops * copies);
        assert_true(few <= most);
        assert_true(more <= schedule_file_most(200, ops * copies) - most);
    }
}

static void test_long_schedule(void **state)
{
    pba_schedule *schedule = long_schedule(1, PBA_POLICY_MAX, 75000);
    expect(pba_schedule_save(schedule, path_of("s.json")), PBA_UNSUPPORTED, "67108864");
    assert_false(file_exists(path_of("s.json")));
    pba_schedule_free(schedule);
}

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
    char text[8];
    const uint64_t length = (1 << 24) + 1;
    hole("w.safetensors", 1 << 25);
    put("w.safetensors", &length, sizeof length);
    assert_int_equal(truncate(path_of("w.safetensors"), 1 << 25), 0);
    expect(weights_metadata(path_of("w.safetensors"), "model", text, sizeof text), PBA_FORMAT,
           "in its header");
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
    pba_dataset *dataset;
    path[PBA_PATH_MAX] = 0; /* one byte more than fits */
    expect(pba_dataset_open(path, &dataset), PBA_USAGE, "too long");
    expect(pba_schedule_load(path, 0, &schedule), PBA_USAGE, "too long");
    for (int i = 1; i < PBA_PATH_MAX; i += 2) {
        path[i] = '/'; /* as long as fits, of names that may be */
    }
    path[PBA_PATH_MAX - 1] = 0;
    expect(pba_dataset_open(path, &dataset), PBA_NOT_FOUND, "gif, .heic)");
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

static size_t put_chunk(uint8_t *at, const char *type, const uint8_t *data, uint32_t size)
{
    memcpy(at, (uint8_t[]){0, 0, 0, (uint8_t)size}, 4);
    memcpy(at + 4, type, 4);
    memcpy(at + 8, data, size);
    uint32_t sum = (uint32_t)crc32(0, at + 4, size + 4);
    for (int i = 0; i < 4; i++) {
        at[8 + size + (uint32_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    return size + 12;
}

/* A grey PNG that claims to be so large, and holds next to nothing. */
static void put_png(const char *name, uint16_t width, uint16_t height)
{
    uint8_t png[100] = "\x89PNG\r\n\x1a\n";
    const uint8_t header[] = {0,
                              0,
                              (uint8_t)(width >> 8),
                              (uint8_t)width,
                              0,
                              0,
                              (uint8_t)(height >> 8),
                              (uint8_t)height,
                              8,
                              0,
                              0,
                              0,
                              0};
    size_t size = 8;
    size += put_chunk(png + size, "IHDR", header, sizeof header);
    size += put_chunk(png + size, "IDAT", (const uint8_t *)"\x78\x9c", 2);
    size += put_chunk(png + size, "IEND", header, 0);
    put(name, png, size);
}

static void test_headers(void **state)
{
    pba_image image;
    put_png("x.png", 16384, 16384);
    expect(pba_image_read(path_of("x.png"), &image), PBA_FORMAT, "cannot be decoded");
    put_png("x.png", 16385, 16384);
    expect(pba_image_read(path_of("x.png"), &image), PBA_UNSUPPORTED, "268435456");
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
    hole("train-images-idx3-ubyte", ((off_t)1 << 36) + 1);
    open_refused(PBA_UNSUPPORTED, "68719476736");
}

/* Images of one line, as long as it can be, and as many classes as a byte can name. */
static void test_idx_largest(void **state)
{
    enum { IMAGES = 256 };
    uint8_t images[16] = {0, 0, 8, 3, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0xff, 0xff};
    uint8_t labels[8 + IMAGES] = {0, 0, 8, 1, 0, 0, 1, 0};
    put("train-images-idx3-ubyte", images, sizeof images);
    assert_int_equal(truncate(path_of("train-images-idx3-ubyte"), 16 + IMAGES * 65535), 0);
    for (int i = 0; i < IMAGES; i++) {
        labels[8 + i] = (uint8_t)i;
    }
    put("train-labels-idx1-ubyte", labels, sizeof labels);
    pba_dataset *dataset = opened(folder);
    assert_int_equal(describe(dataset).classes, IMAGES);
    assert_int_equal(describe(dataset).width, 65535);
    pba_dataset_free(dataset);
}

/* Deflate makes at most 1,032 bytes of one. */
static void test_idx_claims(void **state)
{
    uint8_t header[16] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
    const char *name = "train-images-idx3-ubyte.gz";
    for (int more = 0; more < 2; more++) {
        gzFile file = gzopen(path_of(name), "wb0"); /* 39 bytes: 40,248 */
        header[14] = 0x9d;
        header[15] = (uint8_t)(0x38 + more);
        assert_int_equal(gzwrite(file, header, sizeof header), sizeof header);
        assert_int_equal(gzclose(file), Z_OK);
        open_refused(PBA_FORMAT, more ? "compressed ones can hold" : "bytes short");
    }
}

static void test_cifar(void **state)
{
    hole("data_batch_1.bin", ((off_t)1 << 30) + 1);
    open_refused(PBA_UNSUPPORTED, "1073741824");
    hole("data_batch_1.bin", 3073);
    hole("batches.meta.txt", (1 << 16) + 1);
    open_refused(PBA_UNSUPPORTED, "65536");
}

static void put_image(const char *into, const char *name)
{
    pba_image image;
    char path[PBA_PATH_MAX];
    assert_ok(file_make_folder(path_of(into)));
    assert_ok(file_join(path, path_of(into), name));
    assert_ok(pba_image_create(2, 2, 3, &image));
    assert_ok(pba_image_write(path, &image, false));
    pba_image_free(&image);
}

static void test_sizes(void **state)
{
    pba_dataset *dataset;
    pba_dataset_options options = {.size = "65536x1"};
    expect(pba_dataset_open_with("demo", &options, &dataset), PBA_USAGE, "65536x1");
    put_image("a", "1.png");
    put_image("b", "1.png");
    snprintf(options.size, sizeof options.size, "4097x4096");
    expect(pba_dataset_open_with(folder, &options, &dataset), PBA_USAGE, "16777216");
    hole("b/2.png", (1 << 28) + 1);
    open_refused(PBA_UNSUPPORTED, "268435456");
    put_png("b/2.png", 16385, 16384);
    open_refused(PBA_UNSUPPORTED, "268435456");
    put_png("b/2.png", 1, 1 << 14); /* 64 x 2^20 pixels before the middle is cut out */
    open_refused(PBA_FORMAT, "cannot be decoded");
    put_png("b/2.png", 1, (1 << 14) + 1);
    open_refused(PBA_UNSUPPORTED, "too long and narrow");
}

/* Folders below a class. */
static void test_depth(void **state)
{
    char deep[64] = "b";
    for (int i = 0; i < 16; i++) {
        strcat(deep, "/d");
    }
    put_image("a", "1.png");
    put_image(deep, "1.png");
    pba_dataset_free(opened(folder));
    put_image(strcat(deep, "/d"), "1.png");
    open_refused(PBA_UNSUPPORTED, "more than 16 folders");
}

/* Folders among which one with an image is looked for. */
static void test_visits(void **state)
{
    char name[8];
    for (int i = 0; i < 998; i++) {
        snprintf(name, sizeof name, "%03d", i);
        assert_int_equal(mkdir(path_of(name), 0700), 0);
    }
    put_image("z", "1.png");
    open_refused(PBA_FORMAT, "000: a class without images");
    assert_ok(file_make_folder(path_of("998")));
    open_refused(PBA_FORMAT, "holds no known data set");
}

static void test_contact_sheets(void **state)
{
    put_image("a", "1.png");
    put_image("b", "1.png");
    put_image("a", "2.png");
    put_image("b", "2.png");
    pba_dataset *dataset = opened(folder);
    const char *path = path_of("sheet.png");
    assert_ok(pba_dataset_split(dataset, 0, -1, 0));
    assert_ok(pba_preview_write(dataset, NULL, path, 10000, 100, 0));
    expect(pba_preview_write(dataset, NULL, path, 10001, 100, 0), PBA_USAGE, "1 to 10000");
    expect(pba_preview_write(dataset, NULL, path, 10000, 101, 0), PBA_USAGE, "1 to 100");
    pba_dataset_free(dataset);
}

/* Images with a class each, the last of which has this label. */
static const char *put_classes(uint32_t images, uint32_t last)
{
    npz_writer *writer;
    npz_array pixels = {"images", "|u1", 1, {images, 1, 1}, 3},
              labels = {"labels", "<u4", 4, {images}, 1};
    const char *path = path_of("train.npz");
    assert_ok(npz_writer_open(path, &writer));
    assert_ok(npz_writer_begin(writer, &pixels));
    for (uint32_t i = 0; i < images; i++) {
        assert_ok(npz_writer_add(writer, "", 1));
    }
    assert_ok(npz_writer_begin(writer, &labels));
    for (uint32_t i = 0; i < images; i++) {
        assert_ok(npz_writer_add(writer, i + 1 < images ? &i : &last, sizeof i));
    }
    assert_ok(npz_writer_close(writer));
    return path;
}

static void test_npz_classes(void **state)
{
    pba_dataset *dataset = opened(put_classes(65536, 65535));
    assert_int_equal(describe(dataset).classes, 65536);
    assert_string_equal(pba_dataset_class(dataset, 65535), "65535");
    pba_dataset_free(dataset);
    refused(put_classes(2, 65536), PBA_FORMAT, "label 65536 of image 1; labels are 0 to 65535");
}

static void test_image_count(void **state)
{
    data_content content = {.width = 1, .height = 1, .channels = 1, .counts = {INT32_MAX - 1}};
    expect(data_reserve(&content, 2), PBA_UNSUPPORTED, "2147483648 images");
    expect(data_reserve(&content, SIZE_MAX), PBA_UNSUPPORTED, "more than a data set can hold");
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

static void one_of_many(int index, char path[PBA_PATH_MAX])
{
    snprintf(path, PBA_PATH_MAX, "%d/1.png", index);
}

static void test_folder_classes(void **state)
{
    pack(65536, one_of_many);
    pack_refused(PBA_FORMAT, "holds 65536 class folders; 2 to 65535");
}

/* The header of a folder in a tar archive. */
static void make_block(char block[512])
{
    char text[1 << 14];
    size_t used;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    assert_int_equal(archive_write_set_format_ustar(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(archive, text, sizeof text, &used), ARCHIVE_OK);
    archive_entry_set_pathname(entry, "folder");
    archive_entry_set_filetype(entry, AE_IFDIR);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    archive_entry_free(entry);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    memcpy(block, text, 512);
}

/* Behind what the file holds, which may be nothing. */
static void add_folders(const char *name, int count)
{
    char block[512];
    make_block(block);
    gzFile file = gzopen(path_of(name), "ab");
    assert_non_null(file);
    for (int i = 0; i < count; i++) {
        assert_int_equal(gzwrite(file, block, sizeof block), sizeof block);
    }
    assert_int_equal(gzclose(file), Z_OK);
}

/* Compressed pieces stand one behind the other. */
static void test_entries(void **state)
{
    char *piece;
    size_t size;
    if (SANITIZED) {
        skip(); /* minutes */
    }
    add_folders("piece", 40000);
    assert_ok(file_read(path_of("piece"), 1 << 24, &piece, &size));
    FILE *file = fopen(path_of("x.tar.gz"), "wb");
    assert_non_null(file);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(fwrite(piece, 1, size, file), size);
    }
    fclose(file);
    free(piece);
    pack_refused(PBA_FORMAT, "holds no known data set");
    add_folders("x.tar.gz", 1);
    pack_refused(PBA_UNSUPPORTED, "more than 4000000 entries");
}

/* ---------------------------------------------------------------- networks */

static void test_networks(void **state)
{
    pba_model_info info;
    assert_ok(pba_model_describe("wrn-26206-1", 32, 32, 3, 10, &info));
    expect(pba_model_describe("wrn-26212-1", 32, 32, 3, 10, &info), PBA_USAGE, "65536");
    char name[PBA_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    name[PBA_NAME_MAX] = 0;
    expect(pba_model_describe(name, 32, 32, 3, 10, &info), PBA_USAGE, "at most 63");
    expect(pba_model_describe("wrn-99994-1", 32, 32, 3, 10, &info), PBA_USAGE, "65536");
    expect(pba_model_describe("wrn-10-33554431", 32, 32, 3, 10, &info), PBA_USAGE, "choose");
    expect(pba_model_describe("wrn-10-1", 65532, 65532, 3, 10, &info), PBA_USAGE, "choose");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_population),
        cmocka_unit_test(test_journal_lines),
        cmocka_unit_test(test_search_files),
        IN_FOLDER(test_search_refused),
        IN_FOLDER(test_segments),
        IN_FOLDER(test_long_schedule),
        cmocka_unit_test(test_policies),
        IN_FOLDER(test_files),
        IN_FOLDER(test_journal),
        IN_FOLDER(test_paths),
        IN_FOLDER(test_images),
        IN_FOLDER(test_headers),
        IN_FOLDER(test_idx),
        IN_FOLDER(test_idx_largest),
        IN_FOLDER(test_idx_claims),
        IN_FOLDER(test_cifar),
        IN_FOLDER(test_sizes),
        IN_FOLDER(test_depth),
        IN_FOLDER(test_visits),
        IN_FOLDER(test_contact_sheets),
        IN_FOLDER(test_npz_classes),
        cmocka_unit_test(test_image_count),
        IN_FOLDER(test_class_names),
        IN_FOLDER(test_folder_classes),
        IN_FOLDER(test_entries),
        cmocka_unit_test(test_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
