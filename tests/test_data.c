/* SPDX-License-Identifier: Apache-2.0
 * Data sets: what each format reads, refuses and says; splits; statistics. The files are written
 * here, by the layouts' descriptions; the real data is used where PBA_TEST_DATA names its folder.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/rng.h"
#include "folder.h"

enum { DEMO_CHECKSUM = 0x264fa921, PIXELS = 3072, RECORD10 = 1 + PIXELS, RECORD100 = 2 + PIXELS };

/* ------------------------------------------------------------------ helpers */

static void put_zipped(const char *name, const void *data, size_t size)
{
    char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, name));
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    gzclose(file);
}

static void take_away(const char *name)
{
    char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, name));
    assert_int_equal(unlink(path), 0);
}

/* The byte of a plane of a test image. */
static uint8_t value_of(int number, int channel, int place)
{
    return (uint8_t)(number * 37 + channel * 101 + place * 7 + place / 32);
}

/* `count` records, label i mod classes, pixels value_of(first + i, ...), planar. */
static uint8_t *records(int count, int first, int classes, size_t label_bytes)
{
    uint8_t *data = calloc((size_t)count, label_bytes + PIXELS), *at = data;
    assert_non_null(data);
    for (int i = 0; i < count; i++) {
        for (size_t b = 0; b < label_bytes; b++) {
            *at++ = (uint8_t)(b + 1 == label_bytes ? i % classes : 99);
        }
        for (int p = 0; p < PIXELS; p++) {
            *at++ = value_of(first + i, p / 1024, p % 1024);
        }
    }
    return data;
}

static void put_records(const char *name, int count, int first, int classes, size_t label_bytes)
{
    uint8_t *data = records(count, first, classes, label_bytes);
    put(name, data, (size_t)count * (label_bytes + PIXELS));
    free(data);
}

static pba_dataset *open_folder(void)
{
    return opened(folder);
}

static void assert_message(const char *part)
{
    if (!strstr(pba_error_message(), part)) {
        fail_msg("\"%s\" does not contain \"%s\"", pba_error_message(), part);
    }
    assert_null(strchr(pba_error_message(), '\n'));
}

/* ------------------------------------------------------------------- paths */

static void test_unknown_paths(void **state)
{
    char path[PBA_PATH_MAX];
    assert_ok(file_join(path, folder, "absent"));
    refused(path, PBA_NOT_FOUND, "no such file or folder");
    refused(folder, PBA_FORMAT, "the folder is empty");
    put("README", "x", 1);
    refused(folder, PBA_FORMAT, "holds no known data set");
    assert_message("cifar-10");
    assert_message("idx3");
    assert_ok(file_join(path, folder, "README"));
    refused(path, PBA_FORMAT, "is no data set");
}

/* ------------------------------------------------------------------- cifar */

static void check_pixels(const pba_image *view, int number)
{
    assert_int_equal(view->width, 32);
    assert_int_equal(view->channels, 3);
    assert_null(view->mask);
    for (int p = 0; p < PIXELS; p++) {
        assert_int_equal(view->pixels[p], value_of(number, p % 3, p / 3));
    }
}

static void test_cifar10(void **state)
{
    put_records("data_batch_2.bin", 70, 0, 10, 1);
    put_records("data_batch_5.bin", 50, 70, 10, 1);
    put_records("test_batch.bin", 20, 120, 10, 1);
    put("batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n", 21);
    pba_dataset *dataset = open_folder();
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "cifar-10");
    assert_string_equal(info.baseline, "crop:4,flip,cutout:16");
    assert_int_equal(info.train_images, 120);
    assert_int_equal(info.test_images, 20);
    assert_int_equal(info.classes, 10);
    assert_non_null(strstr(info.notes, "found data_batch_2.bin, data_batch_5.bin"));
    assert_non_null(strstr(info.notes, "absent: data_batch_1.bin, data_batch_3.bin"));
    assert_string_equal(pba_dataset_class(dataset, 9), "j");
    assert_string_equal(pba_dataset_class(dataset, 10), "");
    assert_string_equal(pba_dataset_class(dataset, -1), "");
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN), 0);

    assert_ok(pba_dataset_split(dataset, 0, 30, 1));
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN), 90);
    assert_int_equal(pba_dataset_count(dataset, PBA_VALIDATION), 30);
    assert_int_equal(pba_dataset_count(dataset, PBA_TEST), 20);
    for (int split = PBA_TRAIN; split <= PBA_TEST; split++) {
        for (int i = 0; i < pba_dataset_count(dataset, (pba_split)split); i++) {
            pba_image view;
            int label, number = (int)dataset_number(dataset, (pba_split)split, i);
            assert_ok(pba_dataset_image(dataset, (pba_split)split, i, &view, &label));
            check_pixels(&view, number);
            assert_int_equal(label, (number < 70 ? number : number - 70) % 10);
        }
    }
    pba_image view;
    int label;
    assert_int_equal(pba_dataset_image(dataset, PBA_TEST, 20, &view, &label), PBA_USAGE);
    assert_int_equal(pba_dataset_image(dataset, PBA_TEST, -1, &view, &label), PBA_USAGE);
    pba_dataset_free(dataset);
}

static void test_cifar100(void **state)
{
    put_records("train.bin", 300, 0, 100, 2);
    put_records("test.bin", 100, 300, 100, 2);
    char names[800] = "";
    for (int i = 0; i < 100; i++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "fine%d\r\n", i);
    }
    put("fine_label_names.txt", names, strlen(names));
    pba_dataset *dataset = open_folder();
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "cifar-100");
    assert_string_equal(info.notes, "");
    assert_int_equal(info.classes, 100);
    assert_string_equal(pba_dataset_class(dataset, 42), "fine42");
    assert_ok(pba_dataset_split(dataset, 200, 100, 7));
    pba_image view;
    int label;
    assert_ok(pba_dataset_image(dataset, PBA_TEST, 17, &view, &label));
    assert_int_equal(label, 17);
    check_pixels(&view, 317);
    pba_dataset_free(dataset);
}

static void test_cifar_without_test(void **state)
{
    put_records("data_batch_1.bin", 120, 0, 10, 1);
    pba_dataset *dataset = open_folder();
    assert_non_null(strstr(describe(dataset).notes, "test split is drawn"));
    assert_non_null(strstr(describe(dataset).notes, "called by their numbers"));
    assert_string_equal(pba_dataset_class(dataset, 3), "3");
    assert_ok(pba_dataset_split(dataset, 0, 0, 1));
    assert_int_equal(pba_dataset_count(dataset, PBA_TEST), 20);
    assert_int_equal(pba_dataset_count(dataset, PBA_VALIDATION), 20);
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN), 80);
    pba_dataset_free(dataset);
    put("batches.meta.txt", "only\nthree\nnames\n", 17);
    dataset = open_folder();
    assert_non_null(strstr(describe(dataset).notes, "does not name 10 classes"));
    assert_string_equal(pba_dataset_class(dataset, 0), "0");
    pba_dataset_free(dataset);
}

/* Names of `length` bytes, but for the last of ten. */
static void put_names(size_t length)
{
    static char text[10 * (PBA_CLASS_MAX + 1)];
    memset(text, 'n', sizeof text);
    for (size_t i = 1; i < 10; i++) {
        text[i * (length + 1) - 1] = '\n';
    }
    put("batches.meta.txt", text, 9 * (length + 1) + 1);
}

static void test_cifar_long_names(void **state)
{
    put_records("data_batch_1.bin", 10, 0, 10, 1);
    put_names(PBA_CLASS_MAX - 1);
    pba_dataset *dataset = open_folder();
    assert_int_equal(strlen(pba_dataset_class(dataset, 8)), PBA_CLASS_MAX - 1);
    assert_string_equal(pba_dataset_class(dataset, 9), "n");
    pba_dataset_free(dataset);
    put_names(PBA_CLASS_MAX);
    dataset = open_folder();
    assert_non_null(strstr(describe(dataset).notes, "in up to 255 bytes each"));
    assert_string_equal(pba_dataset_class(dataset, 8), "8");
    pba_dataset_free(dataset);
}

static void test_cifar_damaged(void **state)
{
    uint8_t *data = records(12, 0, 10, 1);
    const size_t sizes[] = {1, 2, 3072, 3074, 3 * 3073 - 17, 12 * 3073 - 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char part[80];
        put("data_batch_3.bin", data, sizes[i]);
        snprintf(part, sizeof part, "data_batch_3.bin: %zu bytes short at record %zu",
                 RECORD10 - sizes[i] % RECORD10, sizes[i] / RECORD10 + 1);
        refused(folder, PBA_FORMAT, part);
    }
    put("data_batch_3.bin", data, 0);
    refused(folder, PBA_FORMAT, "data_batch_3.bin: is empty");
    data[7 * RECORD10] = 10;
    put("data_batch_3.bin", data, 12 * RECORD10);
    refused(folder, PBA_FORMAT, "data_batch_3.bin: label 10 at record 8");
    put_records("test_batch.bin", 4, 0, 10, 1);
    take_away("data_batch_3.bin");
    refused(folder, PBA_NOT_FOUND, "no data_batch_1.bin to train on");
    free(data);

    data = records(5, 0, 100, 2);
    data[3 * RECORD100 + 1] = 100;
    take_away("test_batch.bin");
    put("train.bin", data, 5 * RECORD100);
    refused(folder, PBA_FORMAT, "train.bin: label 100 at record 4");
    put("train.bin", data, 5 * RECORD100 - 5);
    refused(folder, PBA_FORMAT, "train.bin: 5 bytes short at record 5");
    free(data);
}

/* --------------------------------------------------------------------- idx */

typedef struct idx {
    uint8_t bytes[40000];
    size_t size;
} idx;

static void idx_number(idx *idx, uint32_t number)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        idx->bytes[idx->size++] = (uint8_t)(number >> shift);
    }
}

/* `count` images of height x width, byte i of all of them is i * 5 mod 251. */
static void idx_images(idx *idx, uint32_t count, uint32_t height, uint32_t width)
{
    idx->size = 0;
    idx_number(idx, 0x803);
    idx_number(idx, count);
    idx_number(idx, height);
    idx_number(idx, width);
    for (size_t i = 0; i < (size_t)count * height * width; i++) {
        idx->bytes[idx->size++] = (uint8_t)(i * 5 % 251);
    }
}

static void idx_labels(idx *idx, uint32_t count, uint32_t classes)
{
    idx->size = 0;
    idx_number(idx, 0x801);
    idx_number(idx, count);
    for (uint32_t i = 0; i < count; i++) {
        idx->bytes[idx->size++] = (uint8_t)(i % classes);
    }
}

static void put_idx(const char *name, const idx *idx, bool zipped)
{
    (zipped ? put_zipped : put)(name, idx->bytes, idx->size);
}

static void check_idx(bool zipped, const char *suffix)
{
    idx idx;
    char name[80];
    const char *stems[] = {"train", "t10k"};
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s-images-idx3-ubyte%s", stems[i], suffix);
        idx_images(&idx, i ? 10 : 60, 12, 9);
        put_idx(name, &idx, zipped);
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte%s", stems[i], suffix);
        idx_labels(&idx, i ? 10 : 60, 5);
        put_idx(name, &idx, zipped);
    }
    pba_dataset *dataset = open_folder();
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "idx");
    assert_string_equal(info.baseline, "crop:1,cutout:4");
    assert_int_equal(info.width, 9);
    assert_int_equal(info.height, 12);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.classes, 5);
    assert_int_equal(info.train_images, 60);
    assert_int_equal(info.test_images, 10);
    assert_ok(pba_dataset_split(dataset, 30, 20, 3));
    pba_image view;
    int label;
    assert_ok(pba_dataset_image(dataset, PBA_TEST, 3, &view, &label));
    assert_int_equal(label, 3);
    for (size_t i = 0; i < 108; i++) {
        assert_int_equal(view.pixels[i], (3 * 108 + i) * 5 % 251);
    }
    assert_ok(pba_dataset_image(dataset, PBA_TRAIN, 29, &view, &label));
    uint32_t number = dataset_number(dataset, PBA_TRAIN, 29);
    assert_int_equal(label, number % 5);
    assert_int_equal(view.pixels[1], (number * 108 + 1) * 5 % 251);
    pba_dataset_free(dataset);
}

static void test_idx_plain(void **state)
{
    check_idx(false, "");
}

static void test_idx_zipped(void **state)
{
    check_idx(true, ".gz");
}

static void test_idx_names(void **state)
{
    idx images, labels;
    idx_images(&images, 36, 3, 1);
    idx_labels(&labels, 36, 3);
    put_idx("some.images.idx3", &images, false);
    put_idx("some.labels.idx1.gz", &labels, true);
    pba_dataset *dataset = open_folder();
    assert_non_null(strstr(describe(dataset).notes, "test split is drawn"));
    assert_string_equal(describe(dataset).baseline, "none");
    pba_dataset_free(dataset);
    put_idx("some.images.idx3.gz", &images, true); /* the same data set twice is one */
    pba_dataset_free(open_folder());
    put_idx("other-images-idx3-ubyte", &images, false);
    refused(folder, PBA_FORMAT, "more than one data set");
    take_away("other-images-idx3-ubyte");
    take_away("some.labels.idx1.gz");
    refused(folder, PBA_NOT_FOUND, "some.labels.idx1: is missing");
}

/* As in EMNIST Letters: no label 0, and classes are called by their labels. */
static void test_idx_labels_from_one(void **state)
{
    idx images, labels;
    pba_image view;
    int label;
    idx_images(&images, 36, 3, 2);
    idx_labels(&labels, 36, 3);
    for (size_t i = 8; i < labels.size; i++) {
        labels.bytes[i]++;
    }
    put_idx("t10k-images-idx3-ubyte", &images, false);
    put_idx("t10k-labels-idx1-ubyte", &labels, false);
    for (size_t i = 8; i < labels.size; i++) { /* 2 is absent: the test split's makes it one */
        labels.bytes[i] = labels.bytes[i] == 2 ? 5 : labels.bytes[i];
    }
    put_idx("train-images-idx3-ubyte", &images, false);
    put_idx("train-labels-idx1-ubyte", &labels, false);
    pba_dataset *dataset = open_folder();
    assert_int_equal(describe(dataset).classes, 4);
    assert_non_null(strstr(describe(dataset).notes, "of the labels 0 to 5, 2 have no image"));
    pba_dataset_free(dataset);
    put_idx("t10k-labels-idx1-ubyte", &labels, false);
    dataset = open_folder();
    assert_int_equal(describe(dataset).classes, 3);
    assert_string_equal(pba_dataset_class(dataset, 0), "1");
    assert_string_equal(pba_dataset_class(dataset, 2), "5");
    assert_ok(pba_dataset_split(dataset, 20, 6, 1));
    assert_ok(pba_dataset_image(dataset, PBA_TEST, 4, &view, &label));
    assert_int_equal(label, 2); /* was 2, the second label */
    pba_dataset_free(dataset);
}

/* A folder whose training images and labels are these bytes. */
static void put_pair(const idx *images, const idx *labels, bool zipped)
{
    put_idx(zipped ? "train-images-idx3-ubyte.gz" : "train-images-idx3-ubyte", images, zipped);
    put_idx(zipped ? "train-labels-idx1-ubyte.gz" : "train-labels-idx1-ubyte", labels, zipped);
}

static void check_idx_damaged(bool zipped)
{
    idx images, labels, bad;
    idx_images(&images, 36, 4, 4);
    idx_labels(&labels, 36, 3);
    for (size_t size = 0; size < images.size; size = size < 20 ? size + 1 : size + 50) {
        bad = images;
        bad.size = size;
        put_pair(&bad, &labels, zipped);
        refused(folder, PBA_FORMAT, "bytes short");
    }
    bad = images;
    bad.size++;
    put_pair(&bad, &labels, zipped);
    refused(folder, PBA_FORMAT, "goes on behind");
    const struct {
        int place, value;
        const char *part;
    } changes[] = {{0, 1, "is no IDX file"},
                   {2, 0x0d, "IDX type 0x0d"},
                   {3, 1, "has 1 dimensions"},
                   {7, 0, "dimension 1 of its header is 0"},
                   {4, 0x7f, "claim"},
                   {15, 0, "dimension 3 of its header is 0"},
                   {3, 200, "has 200 dimensions"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        bad = images;
        bad.bytes[changes[i].place] = (uint8_t)changes[i].value;
        put_pair(&bad, &labels, zipped);
        pba_dataset *dataset;
        assert_int_not_equal(pba_dataset_open(folder, &dataset), PBA_OK);
        assert_message(changes[i].part);
    }
    bad = images;
    memset(bad.bytes + 4, 0xff, 12); /* 2^96 bytes */
    put_pair(&bad, &labels, zipped);
    refused(folder, PBA_FORMAT, "more bytes than can be counted");
    bad = labels;
    bad.size--;
    put_pair(&images, &bad, zipped);
    refused(folder, PBA_FORMAT, "1 bytes short");
    idx_labels(&bad, 35, 3);
    put_pair(&images, &bad, zipped);
    refused(folder, PBA_FORMAT, "has 35 labels for 36 images");
    idx_labels(&bad, 36, 1);
    put_pair(&images, &bad, zipped);
    refused(folder, PBA_FORMAT, "nothing to learn");
}

static void test_idx_damaged(void **state)
{
    check_idx_damaged(false);
}

static void test_idx_zipped_damaged(void **state)
{
    check_idx_damaged(true);
}

/* Compressed bytes cut off or changed anywhere: an error, or the very same data set (a few bytes of
 * a gzip header mean nothing). */
static void test_idx_gzip_stream_damaged(void **state)
{
    idx images, labels, packed = {.size = 0};
    idx_images(&images, 36, 4, 4);
    idx_labels(&labels, 36, 3);
    put_pair(&images, &labels, true);
    char path[PBA_PATH_MAX], *data;
    assert_ok(file_join(path, folder, "train-images-idx3-ubyte.gz"));
    assert_ok(file_read(path, sizeof packed.bytes, &data, &packed.size));
    memcpy(packed.bytes, data, packed.size);
    free(data);
    int errors = 0;
    for (size_t size = 0; size < packed.size; size++) {
        put("train-images-idx3-ubyte.gz", packed.bytes, size);
        pba_dataset *dataset = NULL;
        errors += pba_dataset_open(folder, &dataset) != PBA_OK;
        pba_dataset_free(dataset);
    }
    assert_true(errors + 9 >= (int)packed.size); /* the trailing checksum may go unread */
    for (size_t i = 0; i < packed.size; i++) {
        idx bad = packed;
        bad.bytes[i] ^= 0x55;
        put("train-images-idx3-ubyte.gz", bad.bytes, bad.size);
        pba_dataset *dataset = NULL;
        if (pba_dataset_open(folder, &dataset) == PBA_OK) {
            assert_memory_equal(dataset->content.pixels, images.bytes + 16, 36 * 16);
        }
        pba_dataset_free(dataset);
    }
}

static void test_idx_test_of_another_size(void **state)
{
    idx images, labels;
    idx_images(&images, 36, 4, 4);
    idx_labels(&labels, 36, 3);
    put_pair(&images, &labels, false);
    idx_images(&images, 36, 4, 5);
    put_idx("t10k-images-idx3-ubyte", &images, false);
    put_idx("t10k-labels-idx1-ubyte", &labels, false);
    refused(folder, PBA_FORMAT, "5 x 4 pixels, those for training 4 x 4");
}

/* ------------------------------------------------------------------ splits */

/* A data set without test whose class c has sizes[c] images, in an order without pattern. */
static pba_dataset *uneven(const int *sizes, int classes)
{
    idx images, labels;
    uint32_t total = 0, list[4000];
    for (int c = 0; c < classes; c++) {
        for (int i = 0; i < sizes[c]; i++) {
            list[total++] = (uint32_t)c;
        }
    }
    rng rng = rng_at(5, RNG_ORDER, 0, 0, 0);
    rng_shuffle(&rng, list, total);
    idx_images(&images, total, 2, 2);
    idx_labels(&labels, total, 2);
    for (uint32_t i = 0; i < total; i++) {
        labels.bytes[8 + i] = (uint8_t)list[i];
    }
    put_pair(&images, &labels, false);
    return open_folder();
}

static void count_classes(const pba_dataset *dataset, pba_split split, int *counts)
{
    memset(counts, 0, 10 * sizeof *counts);
    for (int i = 0; i < pba_dataset_count(dataset, split); i++) {
        pba_image view;
        int label;
        assert_ok(pba_dataset_image(dataset, split, i, &view, &label));
        counts[label]++;
    }
}

static void assert_disjoint(const pba_dataset *dataset)
{
    uint8_t seen[4000] = {0};
    for (int split = PBA_TRAIN; split <= PBA_TEST; split++) {
        for (int i = 0; i < pba_dataset_count(dataset, (pba_split)split); i++) {
            uint32_t number = dataset_number(dataset, (pba_split)split, i);
            assert_in_range(number, 0, sizeof seen - 1);
            assert_int_equal(seen[number]++, 0);
        }
    }
}

static const int uneven_sizes[] = {1000, 501, 250, 77, 30, 9, 2, 1};
enum { UNEVEN_CLASSES = 8, UNEVEN_TOTAL = 1870 };

static void test_split_stratified(void **state)
{
    pba_dataset *dataset = uneven(uneven_sizes, UNEVEN_CLASSES);
    int left[UNEVEN_CLASSES], counts[10], sum = UNEVEN_TOTAL;
    memcpy(left, uneven_sizes, sizeof left);
    assert_ok(pba_dataset_split(dataset, 0, 333, 11));
    assert_disjoint(dataset);
    assert_int_equal(pba_dataset_count(dataset, PBA_TEST), UNEVEN_TOTAL / 6);
    assert_int_equal(pba_dataset_count(dataset, PBA_VALIDATION), 333);
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN), UNEVEN_TOTAL - UNEVEN_TOTAL / 6 - 333);
    const pba_split order[] = {PBA_TEST, PBA_VALIDATION, PBA_TRAIN};
    for (int s = 0; s < 3; s++) {
        int size = pba_dataset_count(dataset, order[s]);
        count_classes(dataset, order[s], counts);
        for (int c = 0; c < UNEVEN_CLASSES; c++) {
            assert_true(fabs(counts[c] - (double)size * left[c] / sum) < 1);
            left[c] -= counts[c];
        }
        sum -= size;
    }
    pba_dataset_free(dataset);
}

static bool same_split(const pba_dataset *a, const pba_dataset *b, pba_split split)
{
    return a->counts[split] == b->counts[split] &&
           memcmp(a->lists[split], b->lists[split], (size_t)a->counts[split] * 4) == 0;
}

static void test_split_by_seed_alone(void **state)
{
    pba_dataset *a = uneven(uneven_sizes, 4), *b = open_folder();
    assert_ok(pba_dataset_split(a, 0, 200, 11));
    assert_ok(pba_dataset_split(b, 500, 100, 12));
    for (int split = PBA_TRAIN; split <= PBA_TEST; split++) {
        assert_false(same_split(a, b, (pba_split)split));
    }
    assert_ok(pba_dataset_split(b, 600, 200, 11)); /* again, and with fewer for training */
    assert_true(same_split(a, b, PBA_TEST));
    assert_true(same_split(a, b, PBA_VALIDATION));
    assert_int_equal(pba_dataset_count(b, PBA_TRAIN), 600);
    assert_disjoint(b);
    assert_ok(pba_dataset_split(b, 0, 200, 11));
    assert_true(same_split(a, b, PBA_TRAIN));
    pba_dataset_free(a);
    pba_dataset_free(b);
}

static void test_split_refused(void **state)
{
    pba_dataset *dataset = uneven(uneven_sizes, UNEVEN_CLASSES);
    assert_ok(pba_dataset_split(dataset, 1000, 100, 1));
    int left = UNEVEN_TOTAL - UNEVEN_TOTAL / 6 - 100;
    assert_int_equal(pba_dataset_split(dataset, left + 1, 100, 1), PBA_NOT_FOUND);
    assert_message("1460 training images were asked for; of 1870 images, 1459 are left beside 100 "
                   "for validation and 311 for test");
    assert_int_equal(pba_dataset_split(dataset, 0, 1559, 1), PBA_NOT_FOUND);
    assert_message("1559 validation images");
    assert_int_equal(pba_dataset_split(dataset, 0, 1555, 1), PBA_NOT_FOUND);
    assert_message("leave one of each of 8 classes");
    assert_int_equal(pba_dataset_split(dataset, 20, 100, 1), PBA_NOT_FOUND);
    assert_message("ask for more training images");
    assert_int_equal(pba_dataset_split(dataset, -1, 0, 1), PBA_USAGE);
    assert_int_equal(pba_dataset_split(dataset, 0, -5, 1), PBA_USAGE);
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN),
                     1000); /* the old split is still there */
    assert_ok(pba_dataset_split(dataset, left, 100, 1));
    pba_dataset_free(dataset);
    const int gap[] = {20, 0, 20}; /* only a test image is of class 1 */
    idx images, labels;
    idx_images(&images, 3, 2, 2);
    idx_labels(&labels, 3, 3);
    put_idx("t10k-images-idx3-ubyte", &images, false);
    put_idx("t10k-labels-idx1-ubyte", &labels, false);
    dataset = uneven(gap, 3);
    assert_int_equal(pba_dataset_split(dataset, 0, 0, 1), PBA_FORMAT);
    assert_message("class 1 (1) has no image");
    pba_dataset_free(dataset);
}

/* -------------------------------------------------------------- statistics */

static void check_statistics(const pba_dataset *dataset)
{
    double mean[3], deviation[3];
    assert_ok(pba_dataset_statistics(dataset, mean, deviation));
    pba_dataset_info info = describe(dataset);
    for (int c = 0; c < info.channels; c++) {
        long double sum = 0, square = 0, count = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < pba_dataset_count(dataset, PBA_TRAIN); i++) {
                pba_image view;
                int label;
                assert_ok(pba_dataset_image(dataset, PBA_TRAIN, i, &view, &label));
                for (int p = c; p < info.width * info.height * info.channels; p += info.channels) {
                    long double value = view.pixels[p] / 255.0L;
                    sum += pass ? 0 : value;
                    count += pass ? 0 : 1;
                    square += pass ? (value - sum / count) * (value - sum / count) : 0;
                }
            }
        }
        assert_true(fabs(mean[c] - (double)(sum / count)) < 1e-12);
        assert_true(fabs(deviation[c] - (double)sqrtl(square / count)) < 1e-12);
    }
}

static void test_statistics(void **state)
{
    put_records("data_batch_1.bin", 60, 0, 10, 1);
    pba_dataset *dataset = open_folder();
    double mean[3], deviation[3];
    assert_int_equal(pba_dataset_statistics(dataset, mean, deviation), PBA_USAGE);
    assert_ok(pba_dataset_split(dataset, 30, 10, 1));
    check_statistics(dataset);
    pba_dataset_free(dataset);
}

static void test_statistics_flat(void **state)
{
    idx images, labels;
    idx_images(&images, 36, 4, 4);
    idx_labels(&labels, 36, 3);
    memset(images.bytes + 16, 51, 36 * 16);
    put_pair(&images, &labels, false);
    pba_dataset *dataset = open_folder();
    assert_ok(pba_dataset_split(dataset, 0, 0, 1));
    double mean[3], deviation[3];
    assert_ok(pba_dataset_statistics(dataset, mean, deviation));
    assert_true(mean[0] == 0.2);
    assert_true(deviation[0] == 1 && deviation[1] == 1 && deviation[2] == 1);
    pba_dataset_free(dataset);
}

/* -------------------------------------------------------------------- demo */

static double mean_luma(const uint8_t *pixels)
{
    double sum = 0;
    for (int i = 0; i < PIXELS; i++) {
        sum += pixels[i];
    }
    return sum / PIXELS;
}

/* Share of images whose brightest pixels lie further from the mean than the darkest: light ink. */
static double light_on_dark(const pba_dataset *dataset, pba_split split)
{
    int count = pba_dataset_count(dataset, split), light = 0;
    for (int i = 0; i < count; i++) {
        pba_image view;
        int label, low = 255, high = 0;
        assert_ok(pba_dataset_image(dataset, split, i, &view, &label));
        for (int p = 0; p < PIXELS; p++) {
            low = view.pixels[p] < low ? view.pixels[p] : low;
            high = view.pixels[p] > high ? view.pixels[p] : high;
        }
        light += high - mean_luma(view.pixels) > mean_luma(view.pixels) - low;
    }
    return (double)light / count;
}

static void test_demo(void **state)
{
    pba_dataset *dataset;
    assert_ok(pba_dataset_open("demo", &dataset));
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "demo");
    assert_non_null(strstr(info.notes, "generated"));
    assert_int_equal(info.train_images, 2000);
    assert_int_equal(info.val_images, 1000);
    assert_int_equal(info.test_images, 2000);
    assert_ok(pba_dataset_split(dataset, 1000, 0, 1));
    assert_int_equal(pba_dataset_count(dataset, PBA_VALIDATION), 1000);
    assert_ok(pba_dataset_split(dataset, 0, 500, 1));
    assert_int_equal(pba_dataset_count(dataset, PBA_TRAIN), 2000);
    int counts[10];
    for (int split = PBA_TRAIN; split <= PBA_TEST; split++) {
        count_classes(dataset, (pba_split)split, counts);
        for (int c = 0; c < 10; c++) {
            assert_int_equal(counts[c], pba_dataset_count(dataset, (pba_split)split) / 10);
        }
    }
    for (int i = 0; i < 500; i++) {
        assert_in_range(dataset_number(dataset, PBA_VALIDATION, i), 2000, 2999);
    }
    assert_true(light_on_dark(dataset, PBA_TRAIN) > 0.99);
    assert_true(fabs(light_on_dark(dataset, PBA_TEST) - 2.0 / 3) < 0.05);
    assert_int_equal(pba_dataset_split(dataset, 2001, 0, 1), PBA_NOT_FOUND);
    assert_message("2001 training images");
    assert_int_equal(pba_dataset_split(dataset, 0, 1001, 1), PBA_NOT_FOUND);
    assert_message("1001 validation images were asked for, there are 1000");
    pba_dataset_free(dataset);
}

/* The pixels are the same everywhere. A deliberate change of the drawing changes this number. */
static void test_demo_checksum(void **state)
{
    pba_dataset *dataset;
    assert_ok(pba_dataset_open("demo", &dataset));
    assert_int_equal(crc32(0, dataset->content.pixels, 5000 * PIXELS), DEMO_CHECKSUM);
    pba_dataset_free(dataset);
}

/* --------------------------------------------------------------- real data */

static pba_dataset *open_real(const char *name)
{
    const char *root = getenv("PBA_TEST_DATA");
    char path[PBA_PATH_MAX];
    if (!root || snprintf(path, sizeof path, "%s/%s", root, name) >= PBA_PATH_MAX ||
        !file_exists(path)) {
        skip();
    }
    pba_dataset *dataset;
    assert_ok(pba_dataset_open(path, &dataset));
    return dataset;
}

static void test_real_cifar(void **state)
{
    pba_dataset *dataset = open_real("cifar-10-lossless-4000");
    assert_int_equal(describe(dataset).train_images, 4000);
    assert_string_equal(pba_dataset_class(dataset, 6), "frog");
    assert_int_equal(dataset->content.labels[0], 6); /* as published: a frog, then trucks */
    assert_int_equal(dataset->content.labels[1], 9);
    assert_memory_equal(dataset->content.pixels, ((uint8_t[]){59, 62, 63}), 3);
    assert_ok(pba_dataset_split(dataset, 0, 0, 0));
    check_statistics(dataset);
    pba_dataset_free(dataset);
}

static void test_real_mnist(void **state)
{
    pba_dataset *dataset = open_real("mnist");
    pba_dataset_info info = describe(dataset);
    assert_int_equal(info.train_images, 60000);
    assert_int_equal(info.test_images, 10000);
    assert_string_equal(info.baseline, "crop:3,cutout:14");
    assert_ok(pba_dataset_split(dataset, 55000, 0, 0));
    assert_int_equal(pba_dataset_count(dataset, PBA_VALIDATION), 5000);
    double mean[3], deviation[3];
    assert_ok(pba_dataset_statistics(dataset, mean, deviation));
    assert_true(fabs(mean[0] - 0.1307) < 1e-3); /* the figures known for all 60,000 */
    assert_true(fabs(deviation[0] - 0.3081) < 1e-3);
    pba_dataset_free(dataset);
}

static void test_real_optdigits(void **state)
{
    pba_dataset *dataset = open_real("optdigits");
    assert_int_equal(describe(dataset).train_images, 1797);
    assert_int_equal(describe(dataset).width, 8);
    assert_int_equal(describe(dataset).classes, 10);
    pba_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_unknown_paths),
        IN_FOLDER(test_cifar10),
        IN_FOLDER(test_cifar100),
        IN_FOLDER(test_cifar_without_test),
        IN_FOLDER(test_cifar_long_names),
        IN_FOLDER(test_cifar_damaged),
        IN_FOLDER(test_idx_plain),
        IN_FOLDER(test_idx_zipped),
        IN_FOLDER(test_idx_names),
        IN_FOLDER(test_idx_labels_from_one),
        IN_FOLDER(test_idx_damaged),
        IN_FOLDER(test_idx_zipped_damaged),
        IN_FOLDER(test_idx_gzip_stream_damaged),
        IN_FOLDER(test_idx_test_of_another_size),
        IN_FOLDER(test_split_stratified),
        IN_FOLDER(test_split_by_seed_alone),
        IN_FOLDER(test_split_refused),
        IN_FOLDER(test_statistics),
        IN_FOLDER(test_statistics_flat),
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_demo_checksum),
        cmocka_unit_test(test_real_cifar),
        cmocka_unit_test(test_real_mnist),
        cmocka_unit_test(test_real_optdigits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
