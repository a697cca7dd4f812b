/* SPDX-License-Identifier: Apache-2.0
 * SVHN, MATLAB files written here with matio; oracle_data.py has some of another writer. */
#define _GNU_SOURCE /* memmem */
#include "check.h"

#include <matio.h>
#include <unistd.h>

#include "faults.h"
#include "folder.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE * 3, ROOM = 1 << 20 };

static uint8_t value_of(size_t image, size_t row, size_t column, size_t channel)
{
    return (uint8_t)(image * 41 + row * 7 + column * 3 + channel * 101);
}

static void write_variable(mat_t *file, const char *name, enum matio_classes class_type,
                           enum matio_types type, int rank, size_t *sizes, void *data, bool packed)
{
    matvar_t *variable = Mat_VarCreate(name, class_type, type, rank, sizes, data, 0);
    assert_non_null(variable);
    assert_int_equal(
        Mat_VarWrite(file, variable, packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE), 0);
    Mat_VarFree(variable);
}

/* Image i is the digit (first + i) % 10. y stands before X where `labels_first`. */
static void put_mat(const char *name, size_t count, size_t first, bool packed, bool labels_first,
                    enum mat_ft version)
{
    uint8_t *pixels = malloc(count * PIXELS);
    double *labels = malloc(count * sizeof *labels);
    assert_true(pixels && labels);
    for (size_t n = 0; n < count; n++) {
        labels[n] = (first + n) % 10 ? (double)((first + n) % 10) : 10;
        for (size_t i = 0; i < PIXELS; i++) {
            pixels[n * PIXELS + i] =
                value_of(first + n, i % SIDE, i / SIDE % SIDE, i / SIDE / SIDE);
        }
    }
    size_t shape[4] = {SIDE, SIDE, 3, count}, column[2] = {count, 1};
    mat_t *file = Mat_CreateVer(path_of(name), NULL, version);
    assert_non_null(file);
    for (int i = 0; i < 2; i++) {
        if (labels_first == (i == 0)) {
            write_variable(file, "y", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, column, labels, packed);
        } else {
            write_variable(file, "X", MAT_C_UINT8, MAT_T_UINT8, 4, shape, pixels, packed);
        }
    }
    Mat_Close(file);
    free(pixels);
    free(labels);
}

static void check_digits(const pba_dataset *dataset, size_t count)
{
    const data_content *content = &dataset->content;
    assert_int_equal(data_images(content), count);
    for (size_t n = 0; n < count; n++) {
        assert_int_equal(content->labels[n], n % 10);
        for (size_t i = 0; i < PIXELS; i++) {
            assert_int_equal(content->pixels[n * PIXELS + i],
                             value_of(n, i / 3 / SIDE, i / 3 % SIDE, i % 3));
        }
    }
}

static void test_svhn(void **state)
{
    put_mat("train_32x32.mat", 30, 0, false, false, MAT_FT_MAT5);
    put_mat("extra_32x32.mat", 20, 30, true, true, MAT_FT_MAT5);
    put_mat("test_32x32.mat", 10, 50, true, false, MAT_FT_MAT5);
    pba_dataset *dataset = opened(folder);
    pba_dataset_info info = describe(dataset);
    assert_string_equal(info.format, "svhn");
    assert_string_equal(info.baseline, "cutout:20");
    assert_string_equal(info.notes, "extra_32x32.mat: its 20 images are added to training");
    assert_int_equal(info.train_images, 50);
    assert_int_equal(info.test_images, 10);
    assert_int_equal(info.classes, 10);
    check_digits(dataset, 60);
    pba_dataset_free(dataset);

    assert_int_equal(unlink(path_of("extra_32x32.mat")), 0);
    assert_int_equal(unlink(path_of("test_32x32.mat")), 0);
    dataset = opened(folder);
    assert_non_null(strstr(describe(dataset).notes, "no test_32x32.mat: the test split is drawn"));
    assert_non_null(strstr(describe(dataset).notes, "absent: extra_32x32.mat"));
    check_digits(dataset, 30);
    pba_dataset_free(dataset);

    put_mat("test_32x32.mat", 10, 0, true, false, MAT_FT_MAT5);
    assert_int_equal(unlink(path_of("train_32x32.mat")), 0);
    refused(folder, PBA_NOT_FOUND, "no train_32x32.mat to train on");
}

/* Unopened, an archive's files are read from memory. */
static void test_svhn_archive(void **state)
{
    char command[3 * PBA_PATH_MAX];
    put_mat("train_32x32.mat", 20, 0, true, false, MAT_FT_MAT5);
    snprintf(command, sizeof command, "cd '%s' && tar -cf svhn.tar train_32x32.mat", folder);
    assert_int_equal(system(command), 0);
    pba_dataset *dataset = opened(path_of("svhn.tar"));
    assert_string_equal(describe(dataset).format, "svhn");
    check_digits(dataset, 20);
    pba_dataset_free(dataset);
}

/* Signals before every call, and calls that do a part, from a folder and from memory. */
static void test_svhn_interrupted(void **state)
{
    const fault_mode modes[] = {FAULT_INTERRUPT, FAULT_SHORT};
    char command[3 * PBA_PATH_MAX];
    faults_open(folder, "");
    put_mat("train_32x32.mat", 20, 0, true, false, MAT_FT_MAT5);
    snprintf(command, sizeof command, "cd '%s' && tar -cf svhn.tar train_32x32.mat", folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < 4; i++) {
        faults_arm(modes[i % 2], 0, 0);
        pba_dataset *dataset = opened(i < 2 ? folder : path_of("svhn.tar"));
        assert_true(faults_disturbed() > 2);
        faults_arm(FAULT_COUNT, 0, 0);
        check_digits(dataset, 20);
        pba_dataset_free(dataset);
    }
}

/* Labels of 2 images. */
static void put_labels(enum matio_classes class_type, enum matio_types type, void *labels)
{
    static uint8_t pixels[2 * PIXELS];
    size_t shape[4] = {SIDE, SIDE, 3, 2}, column[2] = {2, 1};
    mat_t *file = Mat_CreateVer(path_of("train_32x32.mat"), NULL, MAT_FT_MAT5);
    assert_non_null(file);
    write_variable(file, "X", MAT_C_UINT8, MAT_T_UINT8, 4, shape, pixels, true);
    write_variable(file, "y", class_type, type, 2, column, labels, true);
    Mat_Close(file);
}

static void test_svhn_labels(void **state)
{
    const struct {
        enum matio_classes class_type;
        enum matio_types type;
        void *labels;
    } rows[] = {{MAT_C_UINT8, MAT_T_UINT8, (uint8_t[]){10, 7}},
                {MAT_C_INT32, MAT_T_INT32, (int32_t[]){10, 7}},
                {MAT_C_INT64, MAT_T_INT64, (int64_t[]){10, 7}},
                {MAT_C_DOUBLE, MAT_T_DOUBLE, (double[]){10, 7}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_labels(rows[i].class_type, rows[i].type, rows[i].labels);
        pba_dataset *dataset = opened(folder);
        assert_int_equal(dataset->content.labels[0], 0);
        assert_int_equal(dataset->content.labels[1], 7);
        pba_dataset_free(dataset);
    }
    put_labels(MAT_C_SINGLE, MAT_T_SINGLE, (float[]){10, 7});
    refused(folder, PBA_FORMAT, "y of image 1 is no label");
}

/* Level 7.3 is read where matio was built with HDF5, and refused otherwise. */
static void test_svhn_hdf5(void **state)
{
    put_mat("train_32x32.mat", 20, 0, true, false, MAT_FT_MAT73);
    pba_dataset *dataset;
    if (pba_dataset_open(folder, &dataset) == PBA_OK) {
        check_digits(dataset, 20);
        pba_dataset_free(dataset);
    } else {
        assert_non_null(strstr(pba_error_message(), "train_32x32.mat"));
    }
}

static void put_other(enum matio_classes class_type, enum matio_types type, size_t side,
                      size_t labels, double label)
{
    static double zeros[64 * 64 * 3 * 2], y[8];
    size_t shape[4] = {side, side, 3, 2}, column[2] = {labels, 1};
    y[0] = y[1] = label;
    mat_t *file = Mat_CreateVer(path_of("train_32x32.mat"), NULL, MAT_FT_MAT5);
    assert_non_null(file);
    write_variable(file, "X", class_type, type, 4, shape, zeros, true);
    if (labels) {
        write_variable(file, "y", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, column, y, true);
    }
    Mat_Close(file);
}

static void test_svhn_refused(void **state)
{
    put_other(MAT_C_DOUBLE, MAT_T_DOUBLE, 32, 2, 1);
    refused(folder, PBA_FORMAT, "train_32x32.mat: X is not 32 x 32 x 3 x N of uint8");
    put_other(MAT_C_UINT8, MAT_T_UINT8, 64, 2, 1);
    refused(folder, PBA_FORMAT, "X is not 32 x 32 x 3 x N of uint8");
    put_other(MAT_C_UINT8, MAT_T_UINT8, 32, 0, 1);
    refused(folder, PBA_FORMAT, "no variable y");
    put_other(MAT_C_UINT8, MAT_T_UINT8, 32, 3, 1);
    refused(folder, PBA_FORMAT, "y has 3 labels for the 2 images");
    const double labels[] = {-1, 11, 1.5, 1e300, 0.0 / 0.0};
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        put_other(MAT_C_UINT8, MAT_T_UINT8, 32, 2, labels[i]);
        refused(folder, PBA_FORMAT, "y of image 1 is no label");
    }
    put("train_32x32.mat", "no file of MATLAB's", 19);
    refused(folder, PBA_FORMAT, "train_32x32.mat: is cut off");
    put("train_32x32.mat", (char[200]){0}, 200);
    refused(folder, PBA_FORMAT, "train_32x32.mat: is no MATLAB file");
}

/* matio itself would return zeros for what is cut off. */
static void test_svhn_damaged(void **state)
{
    for (int packed = 0; packed < 2; packed++) {
        char *data;
        size_t size;
        put_mat("train_32x32.mat", 20, 0, packed, true, MAT_FT_MAT5);
        assert_ok(file_read(path_of("train_32x32.mat"), ROOM, &data, &size));
        for (size_t i = 1; i < 21; i++) {
            put("train_32x32.mat", data, size * i / 21);
            refused(folder, PBA_FORMAT, "train_32x32.mat");
            data[size * i / 21] ^= 0x10;
            put("train_32x32.mat", data, size);
            pba_dataset *dataset;
            pba_status status = pba_dataset_open(folder, &dataset);
            if (packed && status == PBA_OK) { /* nothing guards plain pixels */
                check_digits(dataset, 20);
            }
            pba_dataset_free(dataset);
            data[size * i / 21] ^= 0x10;
        }
        free(data);
    }
}

/* A header that claims more images than there are bytes for. */
static void test_svhn_claim(void **state)
{
    char *data;
    size_t size;
    put_mat("train_32x32.mat", 20, 0, false, true, MAT_FT_MAT5);
    assert_ok(file_read(path_of("train_32x32.mat"), ROOM, &data, &size));
    const int32_t shape[4] = {SIDE, SIDE, 3, 20};
    char *at = memmem(data, size, shape, sizeof shape);
    assert_non_null(at);
    memcpy(at + 12, &(int32_t){600000}, 4);
    put("train_32x32.mat", data, size);
    refused(folder, PBA_FORMAT, "X claims 600000 images and is too short for them");
    memcpy(at + 12, &(int32_t){INT32_MAX}, 4);
    put("train_32x32.mat", data, size);
    refused(folder, PBA_UNSUPPORTED, "X claims 2147483647 images");
    free(data);
}

/* --------------------------------------------------------------- real data */

static void copy_real(const char *name)
{
    const char *root = getenv("PBA_TEST_DATA");
    char path[PBA_PATH_MAX], *data;
    size_t size;
    if (!root || snprintf(path, sizeof path, "%s/svhn-partial/%s", root, name) >= PBA_PATH_MAX ||
        !file_exists(path)) {
        skip();
    }
    assert_ok(file_read(path, ROOM, &data, &size));
    put("train_32x32.mat", data, size);
    free(data);
}

static void test_real_svhn(void **state)
{
    copy_real("svhn_first22_labels_read_by_eye.mat");
    const uint16_t labels[] = {1, 9, 2, 3, 2, 5, 9, 3, 3, 1, 3, 3, 2, 8, 7, 4, 4, 1, 2, 8, 1, 6};
    pba_dataset *dataset = opened(folder);
    assert_int_equal(describe(dataset).train_images, 22);
    assert_memory_equal(dataset->content.labels, labels, sizeof labels);
    pba_dataset_free(dataset);
}

static void test_real_svhn_cut_off(void **state)
{
    copy_real("train_32x32.TRUNCATED-139264-bytes.mat");
    refused(folder, PBA_FORMAT, "train_32x32.mat: is cut off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_svhn),
        IN_FOLDER(test_svhn_archive),
        IN_FOLDER(test_svhn_interrupted),
        IN_FOLDER(test_svhn_labels),
        IN_FOLDER(test_svhn_hdf5),
        IN_FOLDER(test_svhn_refused),
        IN_FOLDER(test_svhn_damaged),
        IN_FOLDER(test_svhn_claim),
        IN_FOLDER(test_real_svhn),
        IN_FOLDER(test_real_svhn_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
