/* SPDX-License-Identifier: Apache-2.0
 * Arrays that numpy.savez or numpy.savez_compressed wrote: a `.npz` file, or a folder of train.npz,
 * val.npz and test.npz. Images are uint8, (N, height, width) or (N, height, width, channels);
 * labels are integers, (N) or (N, 1). The names of the arrays are those of the table below: Keras',
 * those of MedMNIST, and what people write. Labels that no image has make no class. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/printable.h"
#include "data/formats/npy.h"
#include "data/formats/npz.h"

enum { OWN = -1, LABELS = UINT16_MAX + 1, NAMES_SHOWN = 160, PIECE = 16 << 20 /* bytes */ };

static const struct pair {
    const char *images, *labels;
    int split; /* OWN: that of the file */
} pairs[] = {{"x_train", "y_train", PBA_TRAIN},
             {"X_train", "y_train", PBA_TRAIN},
             {"train_images", "train_labels", PBA_TRAIN},
             {"x_val", "y_val", PBA_VALIDATION},
             {"X_val", "y_val", PBA_VALIDATION},
             {"val_images", "val_labels", PBA_VALIDATION},
             {"x_test", "y_test", PBA_TEST},
             {"X_test", "y_test", PBA_TEST},
             {"test_images", "test_labels", PBA_TEST},
             {"images", "labels", OWN},
             {"x", "y", OWN},
             {"X", "y", OWN}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static const char *const name_arrays[] = {"class_names", "names"};
enum { NAME_ARRAYS = sizeof name_arrays / sizeof *name_arrays };
static const char *const files[DATA_SPLITS] = {
    [PBA_TRAIN] = "train.npz", [PBA_VALIDATION] = "val.npz", [PBA_TEST] = "test.npz"};

/* What was found: opened files by their split, and for each split the arrays that hold it. */
typedef struct found {
    data_source *archives[DATA_SPLITS];
    const struct pair *pairs[DATA_SPLITS];
    const data_source *holders[DATA_SPLITS]; /* of the pairs */
} found;

/* ------------------------------------------------------------------- arrays */

/* `name` of an archive, without a copy; `what` becomes its name for messages. */
static pba_status read_array(const data_source *archive, const char *name, char what[PBA_PATH_MAX],
                             npy_array *array)
{
    size_t size;
    char member[PBA_NAME_MAX];
    snprintf(member, sizeof member, "%s.npy", name);
    data_source_describe(archive, member, what);
    const char *data = data_source_view(archive, member, &size);
    return data ? npy_parse(what, data, size, array)
                : status_set(PBA_FORMAT, "%s: is missing; save images and labels in pairs", what);
}

static bool has_array(const data_source *archive, const char *name)
{
    char member[PBA_NAME_MAX];
    snprintf(member, sizeof member, "%s.npy", name);
    return data_source_holds(archive, member);
}

static pba_status check_image_type(const char *what, const npy_array *array)
{
    if (array->kind == 'u' && array->item == 1) {
        return PBA_OK;
    }
    const char *remedy = array->kind == 'f' ? "(images * 255).astype('uint8') where they are 0 to 1"
                         : array->kind == 'b' ? "images.astype('uint8') * 255"
                                              : "values from 0 to 255 with .astype('uint8')";
    return status_set(PBA_UNSUPPORTED, "%s: images of type '%s'; only uint8 is read: save %s", what,
                      array->type, remedy);
}

static pba_status check_image_shape(const char *what, const npy_array *array)
{
    char shape[NPY_SHAPE_TEXT];
    npy_shape(array, shape);
    const size_t *sizes = array->shape;
    if (array->dimensions != 3 && array->dimensions != 4) {
        return status_set(PBA_FORMAT,
                          "%s: images of shape %s; wanted is (N, height, width) or (N, height, "
                          "width, channels): see numpy.reshape",
                          what, shape);
    }
    size_t channels = array->dimensions == 3 ? 1 : sizes[3];
    if (channels != 1 && channels != 3) {
        const char *remedy = sizes[1] == 1 || sizes[1] == 3 ? "images.transpose(0, 2, 3, 1)"
                             : channels == 4                ? "images[..., :3]"
                                                            : "1 channel (grey) or 3 (RGB)";
        return status_set(PBA_UNSUPPORTED,
                          "%s: images of shape %s; wanted is (N, height, width, channels): save %s",
                          what, shape, remedy);
    }
    if (!array->count || sizes[0] > INT32_MAX || sizes[1] > UINT16_MAX || sizes[2] > UINT16_MAX) {
        return status_set(PBA_FORMAT, "%s: images of shape %s: %s", what, shape,
                          array->count ? "too many, or too large" : "there are none");
    }
    return PBA_OK;
}

static pba_status take_size(const char *what, const npy_array *array, data_content *content)
{
    int height = (int)array->shape[1], width = (int)array->shape[2];
    int channels = array->dimensions == 3 ? 1 : (int)array->shape[3];
    if (content->width &&
        (content->width != width || content->height != height || content->channels != channels)) {
        return status_set(
            PBA_FORMAT, "%s: images of %d x %d x %d, those for training have %d x %d x %d", what,
            width, height, channels, content->width, content->height, content->channels);
    }
    content->width = width;
    content->height = height;
    content->channels = channels;
    return PBA_OK;
}

/* Bytes from one image, row, column, channel to the next. */
static void steps_of(const npy_array *array, size_t steps[4])
{
    size_t step = 1;
    steps[3] = 1;
    for (int i = 0; i < array->dimensions; i++) {
        int dimension = array->fortran ? i : array->dimensions - 1 - i;
        steps[dimension] = step;
        step *= array->shape[dimension];
    }
}

/* In pieces, between which progress is told. */
static pba_status gather(const npy_array *array, const pba_dataset_options *options,
                         data_content *content)
{
    size_t steps[4], count = array->shape[0], first = data_images(content);
    size_t piece = PIECE / data_image_bytes(content) + 1;
    pba_status status = PBA_OK;
    steps_of(array, steps);
    for (size_t done = 0; done < count && status == PBA_OK; done += piece) {
        size_t now = count - done < piece ? count - done : piece;
        data_gather(content, first + done, now, array->data + done * steps[0], steps);
        status = data_progress(options, "images", (int64_t)(first + done + now), 0);
    }
    return status;
}

static pba_status store_images(const found *found, int split, const pba_dataset_options *options,
                               data_content *content, size_t *count)
{
    char what[PBA_PATH_MAX];
    npy_array array;
    pba_status status =
        read_array(found->holders[split], found->pairs[split]->images, what, &array);
    if (status == PBA_OK) {
        status = check_image_type(what, &array);
    }
    if (status == PBA_OK) {
        status = check_image_shape(what, &array);
    }
    if (status == PBA_OK) {
        status = take_size(what, &array, content);
    }
    if (status == PBA_OK) {
        *count = array.shape[0];
        status = data_reserve(content, *count);
    }
    return status == PBA_OK ? gather(&array, options, content) : status;
}

static pba_status check_labels(const char *what, const npy_array *array, size_t count)
{
    char shape[NPY_SHAPE_TEXT];
    npy_shape(array, shape);
    bool column = array->dimensions == 2 && array->shape[1] == 1;
    if (!strchr("biu", array->kind)) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: labels of type '%s'; only integers are read: save %s", what,
                          array->type,
                          array->kind == 'U' || array->kind == 'S'
                              ? "class_names, labels = numpy.unique(labels, return_inverse=True)"
                              : "labels.astype('int64')");
    }
    if (array->dimensions != 1 && !column) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: labels of shape %s; wanted is (N,), one class an image: where they "
                          "are one-hot, save labels.argmax(axis=1)",
                          what, shape);
    }
    return array->count == count
               ? PBA_OK
               : status_set(PBA_FORMAT, "%s: %zu labels for %zu images", what, array->count, count);
}

static pba_status store_labels(const found *found, int split, size_t count, data_content *content)
{
    char what[PBA_PATH_MAX];
    npy_array array;
    pba_status status =
        read_array(found->holders[split], found->pairs[split]->labels, what, &array);
    if (status == PBA_OK) {
        status = check_labels(what, &array, count);
    }
    size_t first = data_images(content);
    for (size_t i = 0; i < count && status == PBA_OK; i++) {
        int64_t label = npy_integer(&array, i);
        if (label < 0 || label >= LABELS) {
            status = status_set(PBA_FORMAT, "%s: label %lld of image %zu; labels are 0 to %d", what,
                                (long long)label, i, LABELS - 1);
        } else {
            content->labels[first + i] = (uint16_t)label;
        }
    }
    return status;
}

/* ------------------------------------------------------------------ classes */

/* Texts for `labels` labels, none of them too long for a class. */
static bool are_names(const npy_array *array, int labels)
{
    data_name name;
    bool good = array->dimensions == 1 && (array->kind == 'U' || array->kind == 'S') &&
                array->count >= (size_t)labels;
    for (int i = 0; good && i < labels; i++) {
        good = npy_text(array, (size_t)i, name, sizeof name);
    }
    return good;
}

/* The array of class names, where there is one that serves `labels` labels. */
static bool find_names(const found *found, int labels, data_content *content, npy_array *array)
{
    char what[PBA_PATH_MAX];
    for (int i = 0; i < DATA_SPLITS * NAME_ARRAYS; i++) {
        const data_source *archive = found->archives[i / NAME_ARRAYS];
        const char *name = name_arrays[i % NAME_ARRAYS];
        if (!archive || !has_array(archive, name)) {
            continue;
        }
        if (read_array(archive, name, what, array) == PBA_OK && are_names(array, labels)) {
            return true;
        }
        data_note(content,
                  "%s is no list of %d texts of up to %d bytes: classes are called by their labels",
                  name, labels, PBA_CLASS_MAX - 1);
    }
    return false;
}

/* Classes are called by the texts, where there are such, at the places of their labels. */
static pba_status find_classes(const found *found, data_content *content)
{
    npy_array names;
    uint16_t *label_of = NULL;
    pba_status status =
        data_settle_classes(content, data_source_path(found->holders[PBA_TRAIN]), &label_of);
    if (status != PBA_OK) {
        return status;
    }
    bool named = find_names(found, label_of[content->classes - 1] + 1, content, &names);
    for (int i = 0; i < content->classes && named; i++) {
        data_name name;
        npy_text(&names, label_of[i], name, sizeof name);
        if (*name) {
            memcpy(content->names[i], name, sizeof name);
        }
    }
    free(label_of);
    return PBA_OK;
}

/* -------------------------------------------------------------------- files */

static bool is_npz(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".npz") == 0;
}

/* The one .npz that lies there, for free(); NULL where there is none, or several. */
static char *only_file(const data_source *source)
{
    data_source_names names;
    int found = 0, at = 0;
    if (data_source_list(source, "", &names) != PBA_OK) {
        return NULL;
    }
    for (int i = 0; i < names.count; i++) {
        if (is_npz(names.names[i])) {
            found++;
            at = i;
        }
    }
    char *name = NULL;
    if (found == 1) {
        name = names.names[at];
        names.names[at] = NULL;
    }
    data_source_names_free(&names);
    return name;
}

static bool recognizes(const data_source *source)
{
    char *name = data_source_holds(source, files[PBA_TRAIN]) ? NULL : only_file(source);
    bool recognized = name || data_source_holds(source, files[PBA_TRAIN]);
    free(name);
    return recognized;
}

static pba_status open_archive(const data_source *source, const char *name,
                               const pba_dataset_options *options, data_source **archive)
{
    char path[PBA_PATH_MAX];
    size_t size;
    const char *data = data_source_view(source, name, &size);
    if (data) {
        data_source_describe(source, name, path);
        return data_source_open_zip_memory(path, data, size, options, archive);
    }
    if (!data_source_on_disk(source, name, path)) {
        return data_source_absent(source, name);
    }
    return access(path, R_OK) == 0
               ? data_source_open_zip(path, options, archive)
               : status_set(PBA_IO, "%s: cannot be opened: %s", path, strerror(errno));
}

static pba_status open_archives(const data_source *source, const pba_dataset_options *options,
                                data_source *archives[DATA_SPLITS])
{
    if (!data_source_holds(source, files[PBA_TRAIN])) {
        char *name = only_file(source);
        pba_status status = data_source_check(source);
        if (status == PBA_OK) {
            status = name ? open_archive(source, name, options, &archives[PBA_TRAIN])
                          : status_set(PBA_NOT_FOUND, "%s: the .npz file is gone",
                                       data_source_path(source));
        }
        free(name);
        return status;
    }
    pba_status status = PBA_OK;
    for (int split = 0; split < DATA_SPLITS && status == PBA_OK; split++) {
        if (data_source_holds(source, files[split])) {
            status = open_archive(source, files[split], options, &archives[split]);
        }
    }
    return status;
}

static pba_status nothing_found(const data_source *archive)
{
    data_source_names names;
    char list[NAMES_SHOWN] = "";
    if (data_source_list(archive, "", &names) == PBA_OK) {
        for (int i = 0; i < names.count && strlen(list) + 1 < sizeof list; i++) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names.names[i]);
        }
    }
    data_source_names_free(&names);
    printable_make(list);
    return status_set(
        PBA_FORMAT,
        "%s: no training images found in it (%s); name the arrays: numpy.savez_compressed"
        "('set.npz', x_train=..., y_train=..., x_test=..., y_test=...)",
        data_source_path(archive), list);
}

static pba_status find_pairs(found *found)
{
    for (int i = 0; i < DATA_SPLITS * PAIRS; i++) {
        const data_source *archive = found->archives[i / PAIRS];
        const struct pair *pair = &pairs[i % PAIRS];
        int split = pair->split == OWN ? i / PAIRS : pair->split;
        if (!archive || !has_array(archive, pair->images)) {
            continue;
        }
        if (found->pairs[split]) {
            return status_set(PBA_FORMAT, "%s: %s and %s are for the same split; save one of them",
                              data_source_path(archive), found->pairs[split]->images, pair->images);
        }
        found->pairs[split] = pair;
        found->holders[split] = archive;
    }
    return found->pairs[PBA_TRAIN] ? PBA_OK : nothing_found(found->archives[PBA_TRAIN]);
}

static pba_status read_splits(const found *found, const pba_dataset_options *options,
                              data_content *content)
{
    pba_status status = PBA_OK;
    for (int split = 0; split < DATA_SPLITS && status == PBA_OK; split++) {
        size_t count = 0;
        if (found->pairs[split]) {
            status = store_images(found, split, options, content, &count);
            if (status == PBA_OK) {
                status = store_labels(found, split, count, content);
            }
        }
        content->counts[split] = status == PBA_OK ? (int)count : 0;
    }
    return status;
}

pba_status npz_read(data_source *const archives[DATA_SPLITS], const pba_dataset_options *options,
                    data_content *content)
{
    found found = {0};
    memcpy(found.archives, archives, sizeof found.archives);
    pba_status status = find_pairs(&found);
    if (status == PBA_OK) {
        status = read_splits(&found, options, content);
    }
    if (status == PBA_OK) {
        status = find_classes(&found, content);
    }
    if (status == PBA_OK && !found.pairs[PBA_TEST]) {
        data_note(content, "no test images: the test split is drawn from the training images");
    }
    data_default_baseline(content, content->channels == 3);
    return status;
}

static pba_status open_npz(const data_source *source, const pba_dataset_options *options,
                           data_content *content)
{
    data_source *archives[DATA_SPLITS] = {NULL};
    pba_status status = open_archives(source, options, archives);
    if (status == PBA_OK) {
        status = npz_read(archives, options, content);
    }
    for (int split = 0; split < DATA_SPLITS; split++) {
        data_source_free(archives[split]);
    }
    return status;
}

const data_format data_npz = {.name = "npz",
                              .sentence = "NumPy arrays of uint8 images and their labels, .npz.",
                              .looks_for = "train.npz, or one .npz file",
                              .recognizes = recognizes,
                              .open = open_npz,
                              .third_party = true,
                              .test_share = 6,
                              .val_share = 5,
                              .val_max = 5000};
