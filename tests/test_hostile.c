/* SPDX-License-Identifier: Apache-2.0
 * Damaged and hostile files, over all formats: a sample of each is cut off at twenty places and has
 * bytes changed in many ways. Opening it gives a data set or an error that names it; never a crash,
 * never a file that was not there before, never more memory than is reasonable. To add a format,
 * add a row. */
#include "check.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <matio.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "core/rng.h"
#include "folder.h"

enum { CUTS = 20, CHANGES = 40, RECORD = 3073, RECORDS = 12, SIDE = 8, MEMORY_MAX = 1000 };

/* ------------------------------------------------------------------ samples */

/* Without the sync of put, which many files would wait for. */
static void overwrite(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static uint8_t noise(size_t place)
{
    uint32_t counter[4] = {(uint32_t)place}, words[4];
    rng_philox(counter, (const uint32_t[2]){7, 7}, words);
    return (uint8_t)words[0];
}

static const uint8_t *cifar_records(void)
{
    static uint8_t data[RECORDS * RECORD];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = i % RECORD ? noise(i) : (uint8_t)(i / RECORD % 10);
    }
    return data;
}

static void write_cifar(const char *path)
{
    overwrite(path, cifar_records(), RECORDS * RECORD);
}

/* 36 images of SIDE x SIDE, or their labels. */
static size_t idx_bytes(bool labels, uint8_t data[4096])
{
    const uint8_t header[] = {0, 0, 8, labels ? 1 : 3, 0, 0, 0, 36, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    size_t start = labels ? 8 : 16, size = start + (labels ? 36 : 36 * SIDE * SIDE);
    memcpy(data, header, start);
    for (size_t i = start; i < size; i++) {
        data[i] = labels ? (uint8_t)(i % 3) : noise(i);
    }
    return size;
}

static void write_idx(const char *path)
{
    uint8_t data[4096];
    size_t size = idx_bytes(true, data);
    put("train-labels-idx1-ubyte", data, size);
    size = idx_bytes(false, data);
    overwrite(path, data, size);
}

static void write_idx_gz(const char *path)
{
    uint8_t data[4096];
    size_t size = idx_bytes(true, data);
    put("train-labels-idx1-ubyte", data, size);
    size = idx_bytes(false, data);
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, data, (unsigned)size), size);
    gzclose(file);
}

static void add_entry(struct archive *archive, const char *name, const void *data, size_t size)
{
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, (int64_t)size);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(archive, data, size), size);
    archive_entry_free(entry);
}

static void write_archive(const char *path, const char *filter, bool zip)
{
    struct archive *archive = archive_write_new();
    if (filter) {
        archive_write_add_filter_by_name(archive, filter);
    }
    zip ? archive_write_set_format_zip(archive) : archive_write_set_format_pax_restricted(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add_entry(archive, "cifar-10-batches-bin/data_batch_1.bin", cifar_records(), RECORDS * RECORD);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void write_tar(const char *path)
{
    write_archive(path, NULL, false);
}

static void write_tar_gz(const char *path)
{
    write_archive(path, "gzip", false);
}

static void write_tar_bz2(const char *path)
{
    write_archive(path, "bzip2", false);
}

static void write_tar_xz(const char *path)
{
    write_archive(path, "xz", false);
}

static void write_zip(const char *path)
{
    write_archive(path, NULL, true);
}

/* a/1.SUFFIX and a copy of it as b/1.SUFFIX. */
static void write_photos(const char *path)
{
    char other[PBA_PATH_MAX], *data;
    size_t size;
    pba_image image;
    snprintf(other, sizeof other, "%s/a", folder);
    assert_ok(file_make_folder(other));
    assert_ok(pba_image_create(20, 16, 3, &image));
    for (int i = 0; i < 20 * 16 * 3; i++) {
        image.pixels[i] = noise((size_t)i);
    }
    assert_ok(pba_image_write(path, &image, false));
    pba_image_free(&image);
    snprintf(other, sizeof other, "%s/b", folder);
    assert_ok(file_make_folder(other));
    snprintf(other, sizeof other, "%s/b/%s", folder, strrchr(path, '/') + 1);
    assert_ok(file_read(path, 1 << 20, &data, &size));
    overwrite(other, data, size);
    free(data);
}

static void add_array(struct archive *archive, const char *name, const char *shape)
{
    uint8_t data[2048] = "\x93NUMPY\1\0";
    int start = 10 + snprintf((char *)data + 10, 120,
                              "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }\n", shape);
    bool labels = *name == 'y';
    size_t size = labels ? 12 : 12 * SIDE * SIDE;
    data[8] = (uint8_t)(start - 10);
    for (size_t i = 0; i < size; i++) {
        data[(size_t)start + i] = labels ? (uint8_t)(i % 3) : noise(i);
    }
    add_entry(archive, name, data, (size_t)start + size);
}

static void write_arrays(const char *path, bool packed)
{
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    packed ? archive_write_zip_set_compression_deflate(archive)
           : archive_write_zip_set_compression_store(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    add_array(archive, "x.npy", "(12, 8, 8)");
    add_array(archive, "y.npy", "(12,)");
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

static void write_npz(const char *path)
{
    write_arrays(path, false);
}

static void write_npz_packed(const char *path)
{
    write_arrays(path, true);
}

static void write_digits(const char *path, enum mat_ft version, enum matio_compression packed)
{
    static uint8_t pixels[RECORDS * 3072], labels[RECORDS];
    size_t shape[4] = {32, 32, 3, RECORDS}, column[2] = {RECORDS, 1};
    for (size_t i = 0; i < sizeof pixels; i++) {
        pixels[i] = noise(i);
        labels[i / 3072] = (uint8_t)(i / 3072 % 10 + 1);
    }
    unlink(path);
    mat_t *file = Mat_CreateVer(path, NULL, version);
    assert_non_null(file);
    matvar_t *x = Mat_VarCreate("X", MAT_C_UINT8, MAT_T_UINT8, 4, shape, pixels, 0);
    matvar_t *y = Mat_VarCreate("y", MAT_C_UINT8, MAT_T_UINT8, 2, column, labels, 0);
    assert_int_equal(Mat_VarWrite(file, x, packed), 0);
    assert_int_equal(Mat_VarWrite(file, y, packed), 0);
    Mat_VarFree(x);
    Mat_VarFree(y);
    Mat_Close(file);
}

static void write_mat(const char *path)
{
    write_digits(path, MAT_FT_MAT5, MAT_COMPRESSION_NONE);
}

static void write_mat_packed(const char *path)
{
    write_digits(path, MAT_FT_MAT5, MAT_COMPRESSION_ZLIB);
}

static void write_mat_hdf5(const char *path)
{
    write_digits(path, MAT_FT_MAT73, MAT_COMPRESSION_ZLIB);
}

typedef struct sample {
    const char *file;                /* the one that is damaged */
    void (*write)(const char *path); /* it, and what belongs to it */
    bool alone;                      /* it is what is opened; else the folder in which it lies */
} sample;

static const sample samples[] = {
    {"data_batch_1.bin", write_cifar, false},
    {"train-images-idx3-ubyte", write_idx, false},
    {"train-images-idx3-ubyte.gz", write_idx_gz, false},
    {"cifar.tar", write_tar, true},
    {"cifar.tar.gz", write_tar_gz, true},
    {"cifar.tar.bz2", write_tar_bz2, true},
    {"cifar.tar.xz", write_tar_xz, true},
    {"cifar.zip", write_zip, true},
    {"a/1.png", write_photos, false},
    {"a/1.jpg", write_photos, false},
    {"a/1.webp", write_photos, false},
    {"a/1.tif", write_photos, false},
    {"stored.npz", write_npz, true},
    {"packed.npz", write_npz_packed, true},
    {"train_32x32.mat", write_mat, false},
    {"extra_32x32.mat", write_mat_packed, false},
    {"train_32x32.mat", write_mat_hdf5, false},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

/* ------------------------------------------------------------------ opening */

static int files_in_folder(void)
{
    int count = 0;
    DIR *listing = opendir(folder);
    assert_non_null(listing);
    while (readdir(listing)) {
        count++;
    }
    closedir(listing);
    return count;
}

/* Every pixel and label is touched. */
static void check_content(const pba_dataset *dataset)
{
    const data_content *content = &dataset->content;
    size_t images = data_images(content), sum = 0;
    for (size_t i = 0; i < images; i++) {
        assert_true(content->labels[i] < content->classes);
    }
    for (size_t i = 0; i < images * data_image_bytes(content); i++) {
        sum += content->pixels[i];
    }
    assert_true(sum <= images * data_image_bytes(content) * 255);
    for (int i = 0; i < content->classes; i++) {
        assert_true(strlen(content->names[i]) < PBA_CLASS_MAX);
    }
}

/* Opened whatever it holds; true: as a data set. */
static bool survives(const sample *sample, const char *path)
{
    pba_dataset *dataset;
    pba_status status = pba_dataset_open(sample->alone ? path : folder, &dataset);
    if (status == PBA_OK) {
        check_content(dataset);
        pba_dataset_free(dataset);
        return true;
    }
    assert_null(dataset);
    const char *message = pba_error_message();
    if (!strstr(message, folder) || strchr(message, '\n') || strstr(message, "the decoder")) {
        fail_msg("%s: %s", sample->file, message); /* a decoder that died is a mistake, too */
    }
    return false;
}

static void test_samples(void **state)
{
    const sample *sample = *state;
    char path[PBA_PATH_MAX], *whole;
    size_t size;
    assert_ok(file_join(path, folder, sample->file));
    sample->write(path);
    assert_true(survives(sample, path));
    assert_ok(file_read(path, 1 << 24, &whole, &size));
    int files = files_in_folder();
    for (size_t i = 0; i < CUTS; i++) {
        overwrite(path, whole, size * i / CUTS);
        bool opened = survives(sample, path);
        assert_true(i > 0 || !opened); /* of an empty file nothing is left */
    }
    char *changed = malloc(size);
    assert_non_null(changed);
    for (uint32_t i = 0; i < CHANGES; i++) {
        rng rng = rng_at(1, RNG_DEMO, 0, 0, i);
        memcpy(changed, whole, size);
        size_t within = i % 2 && size > 600 ? 600 : size; /* every second time near the start */
        for (uint32_t flips = 1 + rng_below(&rng, 4); flips; flips--) {
            changed[rng_below(&rng, (uint32_t)within)] ^= (char)(1 + rng_below(&rng, 255));
        }
        overwrite(path, changed, size);
        survives(sample, path);
    }
    free(changed);
    free(whole);
    assert_int_equal(files_in_folder(), files);
}

/* ------------------------------------------------------------------ absurdly */

/* A tar header's size field, and its checksum. */
static void claim_size(uint8_t header[512], const char *size)
{
    unsigned sum = 0;
    memcpy(header + 124, size, 12);
    memset(header + 148, ' ', 8);
    for (int i = 0; i < 512; i++) {
        sum += header[i];
    }
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static void test_claims_of_tar(void **state)
{
    static const char *const claims[] = {
        "77777777777\0",                                    /* 8 GB */
        "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",       /* 2^63 */
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb", /* -5 */
        "999999zzzzz\0"};
    const sample sample = {.file = "cifar.tar", .alone = true};
    char path[PBA_PATH_MAX], *data;
    size_t size;
    assert_ok(file_join(path, folder, sample.file));
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        write_tar(path);
        assert_ok(file_read(path, 1 << 24, &data, &size));
        uint8_t *header = memcmp(data + 156, "0", 1) == 0 ? (uint8_t *)data : NULL;
        assert_non_null(header);
        claim_size(header, claims[i]);
        overwrite(path, data, size);
        free(data);
        assert_false(survives(&sample, path));
    }
}

static void test_claims_of_idx(void **state)
{
    const sample sample = {.file = "train-images-idx3-ubyte"};
    char path[PBA_PATH_MAX];
    uint8_t data[4096];
    assert_ok(file_join(path, folder, sample.file));
    for (int place = 4; place < 16; place++) {
        write_idx(path);
        size_t size = idx_bytes(false, data);
        data[place] = 0xff;
        overwrite(path, data, size);
        assert_false(survives(&sample, path));
    }
}

/* A PNG of 50,000 x 50,000 pixels, by its header and with the right checksum. */
static void test_claim_of_png(void **state)
{
    const sample sample = {.file = "a/1.png"};
    char path[PBA_PATH_MAX], *data;
    size_t size;
    snprintf(path, sizeof path, "%s", path_of(sample.file));
    write_photos(path);
    assert_ok(file_read(path, 1 << 20, &data, &size));
    memcpy(data + 16, "\0\0\xc3\x50\0\0\xc3\x50", 8);
    uLong sum = crc32(0, (const Bytef *)data + 12, 17);
    for (int i = 0; i < 4; i++) {
        data[29 + i] = (char)(sum >> (24 - 8 * i));
    }
    overwrite(path, data, size);
    free(data);
    assert_false(survives(&sample, path));
}

/* Of all that was opened before, in this process and in its children, in megabytes. */
static void test_memory(void **state)
{
#if SANITIZED
    skip(); /* sanitizers keep what was freed */
#endif
    struct rusage own, children;
    assert_int_equal(getrusage(RUSAGE_SELF, &own), 0);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &children), 0);
    assert_true(own.ru_maxrss / 1024 < MEMORY_MAX);
    assert_true(children.ru_maxrss / 1024 < MEMORY_MAX);
}

int main(void)
{
    struct CMUnitTest tests[SAMPLES + 4];
    int count = 0;
    for (; count < SAMPLES; count++) {
        tests[count] = (struct CMUnitTest){samples[count].file, test_samples, make_folder,
                                           remove_folder, (void *)&samples[count]};
    }
    const struct CMUnitTest more[] = {
        IN_FOLDER(test_claims_of_tar),
        IN_FOLDER(test_claims_of_idx),
        IN_FOLDER(test_claim_of_png),
        cmocka_unit_test(test_memory),
    };
    memcpy(tests + count, more, sizeof more);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
