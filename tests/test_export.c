/* SPDX-License-Identifier: Apache-2.0
 * Images for other trainers: what is written is read back as a data set with the bytes that
 * pba_augment_images gives. NumPy reads it in oracle_export.py. */
#define _GNU_SOURCE
#include "check.h"

#include <sys/stat.h>

#include "core/rng.h"
#include "data/npz_writer.h"
#include "folder.h"
#include "schedule/policy.h"

enum { IMAGES = 60, RECORD = 3073, PIXELS = 3072, AREA = 1024, TRAIN = 40 };

static pba_dataset *open_data(void)
{
    uint8_t *data = calloc(IMAGES, RECORD);
    static const char names[] = "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n"
                                "na\xc3\xafve \xf0\x9f\x90\x88\n";
    rng rng = rng_at(1, RNG_DEMO, 0, 0, 0);
    for (int i = 0; i < IMAGES * RECORD; i++) {
        data[i] = (uint8_t)(i % RECORD ? rng_word(&rng) >> 24 : (uint32_t)(i / RECORD) % 10);
    }
    assert_ok(file_make_folder(path_of("data")));
    put("data/data_batch_1.bin", data, (size_t)IMAGES * RECORD);
    put("data/batches.meta.txt", names, sizeof names - 1);
    free(data);
    pba_dataset *dataset = opened(path_of("data"));
    assert_ok(pba_dataset_split(dataset, TRAIN, 5, 3));
    return dataset;
}

static pba_schedule *make_schedule(void)
{
    pba_schedule *schedule;
    pba_policy policy = {.entries = 2 * SCHEDULE_PBA_OPS};
    for (int i = 0; i < policy.entries; i++) {
        policy.values[2 * i] = 5;
        policy.values[2 * i + 1] = (uint8_t)(i % 10);
    }
    assert_ok(pba_schedule_constant(&policy, schedule_pba_ops, SCHEDULE_PBA_OPS, 9, &schedule));
    return schedule;
}

/* What the augmenter itself makes of the first images of a split. */
static void expect(const pba_dataset *dataset, pba_split split, int count,
                   pba_augmenter_options options, int epoch, uint8_t *pixels, uint8_t *masks)
{
    pba_augmenter *augmenter;
    options.width = options.height = 32;
    options.channels = 3;
    options.baseline =
        strcmp(options.baseline, "auto") ? options.baseline : "crop:4,flip,cutout:16";
    assert_ok(pba_augmenter_create(&options, &augmenter));
    for (int i = 0; i < count; i++) {
        pba_image view;
        int label;
        uint32_t id = dataset_number(dataset, split, i);
        assert_ok(pba_dataset_image(dataset, split, i, &view, &label));
        assert_ok(pba_augment_images(augmenter, view.pixels, &id, 1, epoch, pixels + i * PIXELS,
                                     masks + i * AREA));
    }
    pba_augmenter_free(augmenter);
}

/* Stored without compression, so that an array's bytes stand in the file as they are. */
static bool holds(const char *path, const void *bytes, size_t size)
{
    char *text;
    size_t length;
    assert_ok(file_read(path, 1 << 26, &text, &length));
    bool found = memmem(text, length, bytes, size) != NULL;
    free(text);
    return found;
}

static void check(const pba_dataset *dataset, pba_split split, int count,
                  const pba_augmenter_options *options, int epoch)
{
    uint8_t *pixels = calloc(TRAIN, PIXELS), *masks = calloc(TRAIN, AREA);
    int images = count ? count : pba_dataset_count(dataset, split);
    expect(dataset, split, images, *options, epoch, pixels, masks);
    assert_ok(pba_augment_write(dataset, split, count, options, epoch, true, path_of("out.npz")));
    assert_true(holds(path_of("out.npz"), masks, (size_t)images * AREA));
    pba_dataset *written = opened(path_of("out.npz"));
    assert_int_equal(describe(written).train_images, images);
    assert_string_equal(pba_dataset_class(written, 9), "na\xc3\xafve \xf0\x9f\x90\x88");
    assert_memory_equal(written->content.pixels, pixels, (size_t)images * PIXELS);
    for (int i = 0; i < images; i++) {
        pba_image view;
        int label;
        assert_ok(pba_dataset_image(dataset, split, i, &view, &label));
        assert_int_equal(written->content.labels[i], label);
    }
    assert_ok(pba_augment_write(dataset, split, count, options, epoch, false, path_of("bare.npz")));
    assert_false(holds(path_of("bare.npz"), "masks.npy", 9));
    assert_true(holds(path_of("bare.npz"), pixels, (size_t)images * PIXELS));
    assert_false(file_exists(path_of("bare.npz.new")));
    pba_dataset_free(written);
    free(pixels);
    free(masks);
}

static void images_are_the_augmenters(void **state)
{
    pba_dataset *dataset = open_data();
    pba_schedule *schedule = make_schedule();
    pba_augmenter_options options = {
        .schedule = schedule, .baseline = "auto", .scale_pixels = true, .seed = 5};
    check(dataset, PBA_TRAIN, 0, &options, 8);
    options.baseline = "none";
    check(dataset, PBA_TRAIN, 30, &options, 0);
    options = (pba_augmenter_options){.augment = "trivialaugment", .baseline = "flip"};
    check(dataset, PBA_TRAIN, 0, &options, 1000);
    pba_schedule_free(schedule);
    pba_dataset_free(dataset);
}

static void the_same_are_the_same(void **state)
{
    pba_dataset *dataset = open_data();
    pba_augmenter_options options = {.augment = "randaugment:2,9", .baseline = "auto", .seed = 1};
    char *first, *second;
    size_t size, same;
    assert_ok(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 2, true, path_of("a.npz")));
    assert_ok(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 2, true, path_of("b.npz")));
    assert_ok(file_read(path_of("a.npz"), 1 << 26, &first, &size));
    assert_ok(file_read(path_of("b.npz"), 1 << 26, &second, &same));
    assert_int_equal(size, same);
    assert_memory_equal(first, second, size);
    free(second);
    assert_ok(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 3, true, path_of("b.npz")));
    assert_ok(file_read(path_of("b.npz"), 1 << 26, &second, &same));
    assert_int_equal(size, same);
    assert_int_not_equal(memcmp(first, second, size), 0);
    free(first);
    free(second);
    pba_dataset_free(dataset);
}

static void wrong_is_refused(void **state)
{
    pba_dataset *dataset = open_data();
    pba_schedule *schedule = make_schedule();
    pba_augmenter_options options = {.schedule = schedule};
    const char *out = path_of("out.npz");
    char nowhere[PBA_PATH_MAX];
    snprintf(nowhere, sizeof nowhere, "%s/nowhere/out.npz", folder);
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, TRAIN + 1, &options, 0, false, out),
                     PBA_NOT_FOUND);
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 9, false, out), PBA_USAGE);
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 0, false, nowhere),
                     PBA_NOT_FOUND);
    snprintf(nowhere, sizeof nowhere, "%s/fifo", folder);
    assert_int_equal(mkfifo(nowhere, 0666), 0);
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 0, false, nowhere), PBA_IO);
    assert_non_null(strstr(pba_error_message(), "fifo: is no plain file"));
    options.baseline = "twist:3";
    assert_int_equal(pba_augment_write(dataset, PBA_TRAIN, 0, &options, 0, false, out), PBA_USAGE);
    assert_false(file_exists(out));
    snprintf(nowhere, sizeof nowhere, "%s.new", out);
    assert_false(file_exists(nowhere));
    pba_schedule_free(schedule);
    pba_dataset_free(dataset);
}

/* More or fewer elements than a shape says are a mistake of the caller, and leave no file. */
static void shapes_are_kept(void **state)
{
    const npz_array array = {
        .name = "x", .type = "|u1", .item = 1, .shape = {2, 3}, .dimensions = 2};
    const npz_array huge = {
        .name = "x", .type = "<i8", .item = 8, .shape = {SIZE_MAX / 2, 9}, .dimensions = 2};
    npz_writer *writer;
    assert_ok(npz_writer_open(path_of("x.npz"), &writer));
    assert_ok(npz_writer_begin(writer, &array));
    assert_int_equal(npz_writer_add(writer, "1234567", 7), PBA_INTERNAL);
    assert_ok(npz_writer_add(writer, "12345", 5));
    assert_int_equal(npz_writer_begin(writer, &array), PBA_INTERNAL);
    assert_int_equal(npz_writer_close(writer), PBA_INTERNAL);
    assert_ok(npz_writer_open(path_of("x.npz"), &writer));
    assert_int_equal(npz_writer_begin(writer, &huge), PBA_USAGE);
    npz_writer_abandon(writer);
    assert_false(file_exists(path_of("x.npz")));
    assert_false(file_exists(path_of("x.npz.new")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(images_are_the_augmenters),
        IN_FOLDER(the_same_are_the_same),
        IN_FOLDER(wrong_is_refused),
        IN_FOLDER(shapes_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
