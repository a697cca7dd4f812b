/* SPDX-License-Identifier: Apache-2.0
 * Data sets of NumPy arrays, .npz files written here with libarchive. What is read of all kinds of
 * arrays is compared with NumPy in oracle_data.py. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include "folder.h"

enum { ROOM = 1 << 16 };

/* A zip archive in the making, as numpy.savez writes it. */
typedef struct npz {
    struct archive *archive;
    char *bytes;
    size_t size;
} npz;

static npz begin(bool packed)
{
    npz npz = {.archive = archive_write_new(), .bytes = malloc(ROOM)};
    assert_non_null(npz.bytes);
    assert_int_equal(archive_write_set_format_zip(npz.archive), ARCHIVE_OK);
    assert_int_equal(packed ? archive_write_zip_set_compression_deflate(npz.archive)
                            : archive_write_zip_set_compression_store(npz.archive),
                     ARCHIVE_OK);
    return npz;
}

static void start(npz *npz)
{
    assert_int_equal(archive_write_open_memory(npz->archive, npz->bytes, ROOM, &npz->size),
                     ARCHIVE_OK);
}

static void add(npz *npz, const char *name, const char *type, const char *shape, const void *data,
                size_t size)
{
    char header[256];
    int length = snprintf(header + 10, sizeof header - 10,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", type, shape);
    memcpy(header, "\x93NUMPY\1\0", 8);
    header[8] = (char)length;
    header[9] = 0;
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, length + 10 + (int64_t)size);
    assert_int_equal(archive_write_header(npz->archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(npz->archive, header, (size_t)length + 10), length + 10);
    assert_int_equal(archive_write_data(npz->archive, data, size), size);
    archive_entry_free(entry);
}

static void finish(npz *npz)
{
    assert_int_equal(archive_write_free(npz->archive), ARCHIVE_OK);
}

/* 12 images of 2 x 3 grey pixels, byte i being i; labels 0 to 3. */
static npz small(bool packed)
{
    uint8_t pixels[72], labels[12];
    for (int i = 0; i < 72; i++) {
        pixels[i] = (uint8_t)i;
        labels[i / 6] = (uint8_t)(i / 6 % 4);
    }
    npz npz = begin(packed);
    start(&npz);
    add(&npz, "x_train.npy", "|u1", "(12, 2, 3)", pixels, 72);
    add(&npz, "y_train.npy", "|u1", "(12, 1)", labels, 12);
    finish(&npz);
    return npz;
}

static void check_small(const char *path)
{
    pba_dataset *dataset = opened(path);
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "npz");
    assert_string_equal(info.baseline, "cutout:1");
    assert_non_null(strstr(info.notes, "no test images"));
    assert_int_equal(info.width, 3);
    assert_int_equal(info.height, 2);
    assert_int_equal(info.channels, 1);
    assert_int_equal(info.classes, 4);
    assert_int_equal(info.train_images, 12);
    for (int i = 0; i < 72; i++) {
        assert_int_equal(dataset->content.pixels[i], i);
        assert_int_equal(dataset->content.labels[i / 6], i / 6 % 4);
    }
    assert_string_equal(pba_dataset_class(dataset, 3), "3");
    pba_dataset_free(dataset);
}

static void test_npz(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        npz npz = small(packed);
        put("any name.npz", npz.bytes, npz.size);
        check_small(path_of("any name.npz"));
        check_small(folder); /* the only one in it */
        put("other.npz", npz.bytes, npz.size);
        pba_dataset *dataset;
        assert_int_equal(pba_dataset_open(folder, &dataset), PBA_FORMAT);
        assert_int_equal(unlink(path_of("other.npz")), 0);
        free(npz.bytes);
    }
}

/* A class without an image is none: labels 1 and 3 become classes 0 and 1. */
static void test_npz_classes(void **state)
{
    static const uint8_t pixels[48];
    npz npz = begin(true);
    start(&npz);
    add(&npz, "images.npy", "|u1", "(4, 2, 2, 3)", pixels, 48);
    add(&npz, "labels.npy", ">i2", "(4,)", "\0\1\0\3\0\1\0\3", 8);
    add(&npz, "names.npy", "|S4", "(4,)", "zeroone\0two\0x\x1by\0", 16);
    add(&npz, "test_images.npy", "|u1", "(2, 2, 2, 3)", pixels, 24);
    add(&npz, "test_labels.npy", "|i1", "(2, 1)", "\3\1", 2);
    finish(&npz);
    put("train.npz", npz.bytes, npz.size);
    pba_dataset *dataset = opened(folder);
    pba_dataset_info info = describe(dataset);
    assert_int_equal(info.classes, 2);
    assert_int_equal(info.test_images, 2);
    assert_string_equal(info.baseline, "flip,cutout:1");
    assert_non_null(strstr(info.notes, "of the labels 0 to 3, 2 have no image"));
    assert_string_equal(pba_dataset_class(dataset, 0), "one");
    assert_string_equal(pba_dataset_class(dataset, 1), "x?y");
    const uint16_t labels[] = {0, 1, 0, 1, 1, 0};
    assert_memory_equal(dataset->content.labels, labels, sizeof labels);
    assert_ok(pba_dataset_split(dataset, 0, -1, 1));
    pba_dataset_free(dataset);
    free(npz.bytes);
}

/* Two classes, whose names have `length` letters, the last of which differ. */
static pba_dataset *with_names(size_t length)
{
    char names[2 * PBA_CLASS_MAX], type[8];
    memset(names, 'n', sizeof names);
    names[length - 1] = 'a';
    names[2 * length - 1] = 'b';
    snprintf(type, sizeof type, "|S%zu", length);
    npz npz = begin(true);
    start(&npz);
    add(&npz, "images.npy", "|u1", "(2, 1, 1)", "ab", 2);
    add(&npz, "labels.npy", "|u1", "(2,)", "\0\1", 2);
    add(&npz, "names.npy", type, "(2,)", names, 2 * length);
    finish(&npz);
    put("train.npz", npz.bytes, npz.size);
    free(npz.bytes);
    return opened(folder);
}

static void test_npz_long_names(void **state)
{
    pba_dataset *dataset = with_names(PBA_CLASS_MAX - 1);
    assert_int_equal(strlen(pba_dataset_class(dataset, 1)), PBA_CLASS_MAX - 1);
    assert_int_equal(pba_dataset_class(dataset, 0)[PBA_CLASS_MAX - 2], 'a');
    assert_int_equal(pba_dataset_class(dataset, 1)[PBA_CLASS_MAX - 2], 'b');
    pba_dataset_free(dataset);
    dataset = with_names(PBA_CLASS_MAX);
    assert_non_null(strstr(describe(dataset).notes, "2 texts of up to 255 bytes"));
    assert_string_equal(pba_dataset_class(dataset, 1), "1");
    pba_dataset_free(dataset);
}

/* A name that goes out of the archive is not followed; without it nothing is left to train on. */
static void test_npz_names(void **state)
{
    npz npz = begin(false);
    start(&npz);
    add(&npz, "../x.npy", "|u1", "(2, 1, 1)", "ab", 2);
    add(&npz, "y.npy", "|u1", "(2,)", "\0\1", 2);
    finish(&npz);
    put("a.npz", npz.bytes, npz.size);
    refused(path_of("a.npz"), PBA_FORMAT, "no training images");
    free(npz.bytes);
    put("a.npz", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22); /* an empty archive */
    refused(path_of("a.npz"), PBA_FORMAT, "a.npz");
    put("a.npz", "\x93NUMPY", 6);
    refused(path_of("a.npz"), PBA_FORMAT, "a.npz");
    put("a.npz", "", 0);
    refused(path_of("a.npz"), PBA_FORMAT, "a.npz");
}

/* An error, or the same data set as if nothing had happened to it. */
static void check_harmless(const void *data, size_t size)
{
    pba_dataset *dataset;
    put("a.npz", data, size);
    if (pba_dataset_open(path_of("a.npz"), &dataset) == PBA_OK) {
        pba_dataset_free(dataset);
        check_small(path_of("a.npz"));
    } else {
        assert_non_null(strstr(pba_error_message(), "a.npz"));
    }
}

/* Cut off, or a byte changed, at 40 places. */
static void test_npz_damaged(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        npz npz = small(packed);
        for (size_t i = 0; i < 40; i++) {
            size_t at = npz.size * i / 40;
            check_harmless(npz.bytes, at);
            npz.bytes[at] ^= 0x55;
            check_harmless(npz.bytes, npz.size);
            npz.bytes[at] ^= 0x55;
        }
        free(npz.bytes);
    }
}

typedef struct told {
    int unpacked, images;
    bool stop;
} told;

static bool listen(void *user, const char *what, int64_t done, int64_t total)
{
    told *told = user;
    told->unpacked += strcmp(what, "MB unpacked") == 0;
    told->images += strcmp(what, "images") == 0;
    return !told->stop;
}

/* However long it takes: whoever waits hears of it while a file is inflated and while its images
 * are copied, and can stop it. Here not in a child, which would tell ten times a second at most. */
static void test_npz_tells_progress(void **state)
{
    npz npz = small(true);
    put("a.npz", npz.bytes, npz.size);
    free(npz.bytes);
    told told = {0};
    const pba_dataset_options options = {.progress = listen, .user = &told};
    data_source *source;
    data_content content = {0};
    assert_ok(data_source_open(folder, &source));
    assert_ok(data_npz.open(source, &options, &content));
    assert_true(told.unpacked >= 2 && told.images == 1);
    data_content_free(&content);
    told.stop = true;
    assert_int_equal(data_npz.open(source, &options, &content), PBA_INTERRUPTED);
    data_content_free(&content);
    data_source_free(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_npz),         IN_FOLDER(test_npz_classes),
        IN_FOLDER(test_npz_names),   IN_FOLDER(test_npz_long_names),
        IN_FOLDER(test_npz_damaged), IN_FOLDER(test_npz_tells_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
