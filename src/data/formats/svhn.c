/* SPDX-License-Identifier: Apache-2.0
 * SVHN, cropped digits (Netzer and others, "Reading digits in natural images with unsupervised
 * feature learning", 2011): train_32x32.mat, test_32x32.mat, extra_32x32.mat, any of them. X is
 * uint8, 32 x 32 x 3 x N in MATLAB's order (the first dimension is the fastest), y is N labels, the
 * digit 0 being 10. Extra is added to training, as in the papers that train on all of it. Read
 * through matio, which wants a path and does not notice damage (mat.h). */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <matio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/child.h"
#include "core/file.h"
#include "core/memory.h"
#include "data/format.h"
#include "data/formats/mat.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE * 3, DIGITS = 10 };

static const struct part {
    const char *name;
    pba_split split;
} parts[] = {
    {"train_32x32.mat", PBA_TRAIN}, {"extra_32x32.mat", PBA_TRAIN}, {"test_32x32.mat", PBA_TEST}};
enum { PARTS = sizeof parts / sizeof *parts };

/* ----------------------------------------------------------------- one file */

typedef struct opened {
    char what[PBA_PATH_MAX], path[PBA_PATH_MAX];
    uint64_t largest; /* bytes of a variable */
    int descriptor;   /* of the copy in memory; -1: the path is on disk */
    mat_t *file;
} opened;

/* A file without a name on disk becomes one of /proc. */
static pba_status copy_to_memory(opened *opened, const char *data, size_t size)
{
    child_allow_files(true);
    opened->descriptor = memfd_create("pba", MFD_CLOEXEC);
    bool copied = opened->descriptor >= 0 && file_write_bytes(opened->descriptor, data, size);
    pba_status status =
        copied ? PBA_OK
               : status_set(PBA_IO, "%s: cannot be copied: %s", opened->what, strerror(errno));
    child_allow_files(false);
    snprintf(opened->path, sizeof opened->path, "/proc/self/fd/%d", opened->descriptor);
    return status;
}

static pba_status open_file(const data_source *source, const char *name, opened *opened)
{
    size_t size;
    const char *data = data_source_view(source, name, &size);
    opened->descriptor = -1;
    opened->file = NULL;
    data_source_describe(source, name, opened->what);
    pba_status status = PBA_OK;
    if (data) {
        status = copy_to_memory(opened, data, size);
    } else if (!data_source_on_disk(source, name, opened->path)) {
        status = status_set(PBA_NOT_FOUND, "%s: there is no such file", opened->what);
    }
    if (status == PBA_OK) {
        status = mat_check(opened->what, opened->path, &opened->largest);
    }
    if (status == PBA_OK && !(opened->file = Mat_Open(opened->path, MAT_ACC_RDONLY))) {
        status = status_set(PBA_FORMAT, "%s: is no MATLAB file; fetch it again", opened->what);
    }
    return status;
}

static void close_file(opened *opened)
{
    if (opened->file) {
        Mat_Close(opened->file);
    }
    if (opened->descriptor >= 0) {
        close(opened->descriptor);
    }
}

static pba_status find(const opened *opened, const char *name, matvar_t **variable)
{
    *variable = Mat_VarReadInfo(opened->file, name);
    return *variable ? PBA_OK
                     : status_set(PBA_FORMAT, "%s: has no variable %s; SVHN's files have X and y",
                                  opened->what, name);
}

/* ---------------------------------------------------------- images and labels */

static pba_status check_images(const opened *opened, const matvar_t *variable)
{
    const size_t *shape = variable->dims;
    if (variable->class_type != MAT_C_UINT8 || variable->isComplex || variable->rank != 4 ||
        shape[0] != SIDE || shape[1] != SIDE || shape[2] != 3 || !shape[3]) {
        return status_set(PBA_FORMAT,
                          "%s: X is not 32 x 32 x 3 x N of uint8, as SVHN's cropped digits are",
                          opened->what);
    }
    if (shape[3] > INT32_MAX / PIXELS) { /* what matio's int counts */
        return status_set(PBA_UNSUPPORTED, "%s: X claims %zu images, more than %d", opened->what,
                          shape[3], INT32_MAX / PIXELS);
    }
    return shape[3] * PIXELS <= opened->largest
               ? PBA_OK
               : status_set(PBA_FORMAT, "%s: X claims %zu images and is too short for them",
                            opened->what, shape[3]);
}

/* Columns of pixels, plane behind plane, become rows of three channels. */
static void turn(data_content *content, size_t first, size_t count)
{
    uint8_t image[PIXELS];
    const size_t steps[4] = {PIXELS, 1, SIDE, SIDE * SIDE};
    for (size_t i = first; i < first + count; i++) {
        memcpy(image, content->pixels + i * PIXELS, PIXELS);
        data_gather(content, i, 1, image, steps);
    }
}

static pba_status read_images(const opened *opened, data_content *content, size_t *count)
{
    matvar_t *variable;
    pba_status status = find(opened, "X", &variable);
    if (status == PBA_OK) {
        status = check_images(opened, variable);
    }
    if (status == PBA_OK) {
        *count = variable->dims[3];
        status = data_reserve(content, *count);
    }
    size_t first = data_images(content);
    if (status == PBA_OK &&
        Mat_VarReadDataLinear(opened->file, variable, content->pixels + first * PIXELS, 0, 1,
                              (int)(*count * PIXELS)) != 0) {
        status = status_set(PBA_FORMAT, "%s: X cannot be read; fetch the file again", opened->what);
    }
    if (status == PBA_OK) {
        turn(content, first, *count);
    }
    Mat_VarFree(variable);
    return status;
}

/* -1 for what is no label. */
static int label_of(const matvar_t *variable, size_t index)
{
    double value = -1;
    switch (variable->class_type) {
    case MAT_C_DOUBLE:
        value = ((const double *)variable->data)[index];
        break;
    case MAT_C_UINT8:
        value = ((const uint8_t *)variable->data)[index];
        break;
    case MAT_C_INT32:
        value = ((const int32_t *)variable->data)[index];
        break;
    case MAT_C_INT64:
        value = (double)((const int64_t *)variable->data)[index];
        break;
    default:
        break;
    }
    bool label = value >= 0 && value <= DIGITS && value == (int)value;
    return label ? (int)value % DIGITS : -1;
}

static pba_status check_labels(const opened *opened, const matvar_t *variable, size_t count)
{
    size_t labels = 1;
    for (int i = 0; i < variable->rank; i++) {
        if (__builtin_mul_overflow(labels, variable->dims[i], &labels)) {
            labels = 0;
            break;
        }
    }
    if (labels != count || variable->isComplex) {
        return status_set(PBA_FORMAT, "%s: y has %zu labels for the %zu images of X", opened->what,
                          labels, count);
    }
    return PBA_OK;
}

static pba_status store_labels(const opened *opened, const matvar_t *variable, size_t count,
                               data_content *content)
{
    size_t first = data_images(content);
    for (size_t i = 0; i < count; i++) {
        int label = label_of(variable, i);
        if (label < 0) {
            return status_set(
                PBA_FORMAT,
                "%s: y of image %zu is no label from 1 to 10 (or not as double, uint8, "
                "int32 or int64)",
                opened->what, i + 1);
        }
        content->labels[first + i] = (uint16_t)label;
    }
    return PBA_OK;
}

static pba_status read_labels(const opened *opened, size_t count, data_content *content)
{
    matvar_t *variable;
    pba_status status = find(opened, "y", &variable);
    if (status == PBA_OK) {
        status = check_labels(opened, variable, count);
    }
    if (status == PBA_OK &&
        (Mat_VarReadDataAll(opened->file, variable) != 0 || !variable->data ||
         variable->nbytes < count * Mat_SizeOfClass((int)variable->class_type))) {
        status = status_set(PBA_FORMAT, "%s: y cannot be read; fetch the file again", opened->what);
    }
    if (status == PBA_OK) {
        status = store_labels(opened, variable, count, content);
    }
    Mat_VarFree(variable);
    return status;
}

static pba_status read_part(const data_source *source, const char *name, pba_split split,
                            data_content *content)
{
    opened opened;
    size_t count = 0;
    pba_status status = open_file(source, name, &opened);
    if (status == PBA_OK) {
        status = read_images(&opened, content, &count);
    }
    if (status == PBA_OK) {
        status = read_labels(&opened, count, content);
    }
    if (status == PBA_OK) {
        content->counts[split] += (int)count;
    }
    close_file(&opened);
    return status;
}

/* ------------------------------------------------------------------ data set */

static bool recognizes(const data_source *source)
{
    for (int i = 0; i < PARTS; i++) {
        if (data_source_holds(source, parts[i].name)) {
            return true;
        }
    }
    return false;
}

static void note_parts(const data_source *source, const int counts[PARTS], data_content *content)
{
    if (counts[1]) {
        data_note(content, "%s: its %d images are added to training", parts[1].name, counts[1]);
    }
    for (int i = 0; i < PARTS; i++) {
        if (!counts[i] && parts[i].split == PBA_TEST) {
            data_note(content, "no %s: the test split is drawn from the training images",
                      parts[i].name);
        } else if (!counts[i]) {
            data_note(content, "absent: %s", parts[i].name);
        }
    }
}

static pba_status open_svhn(const data_source *source, const pba_dataset_options *options,
                            data_content *content)
{
    content->width = content->height = SIDE;
    content->channels = 3;
    snprintf(content->baseline, sizeof content->baseline, "cutout:20");
    int counts[PARTS] = {0};
    if (!data_source_holds(source, parts[0].name) && !data_source_holds(source, parts[1].name)) {
        return status_set(PBA_NOT_FOUND, "%s: %s is there, but no %s to train on",
                          data_source_path(source), parts[2].name, parts[0].name);
    }
    pba_status status = PBA_OK;
    for (int i = 0; i < PARTS && status == PBA_OK; i++) {
        if (data_source_holds(source, parts[i].name)) {
            int before = content->counts[parts[i].split];
            status = data_progress(options, parts[i].name, i, PARTS);
            if (status == PBA_OK) {
                status = read_part(source, parts[i].name, parts[i].split, content);
            }
            counts[i] = content->counts[parts[i].split] - before;
        }
    }
    note_parts(source, counts, content);
    return status == PBA_OK ? data_number_names(content, DIGITS) : status;
}

const data_format data_svhn = {.name = "svhn",
                               .sentence = "SVHN's cropped digits, MATLAB files; any of the three.",
                               .looks_for = "train_32x32.mat",
                               .recognizes = recognizes,
                               .open = open_svhn,
                               .third_party = true,
                               .test_share = 6,
                               .val_share = 5,
                               .val_max = 5000};
