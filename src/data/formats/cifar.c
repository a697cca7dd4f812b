/* SPDX-License-Identifier: Apache-2.0
 * CIFAR-10 and CIFAR-100 as their authors publish them in binary (Krizhevsky, "Learning multiple
 * layers of features from tiny images", 2009): records of one label byte (CIFAR-100: coarse, then
 * fine) and 3 planes of 32 x 32 bytes, red, green, blue. Any number of whole records is accepted,
 * and any subset of the training files; what is absent is said in the notes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/printable.h"
#include "data/format.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, PIXELS = 3 * PLANE, FILE_LIMIT = 1 << 30 };

typedef struct layout {
    const char *const *train; /* file names, ending with NULL */
    const char *test, *names;
    const char *const *python; /* files of the Python version, which is not read; NULL-ended */
    const char *archive;       /* the binary version as its authors publish it */
    int classes;
    size_t label_bytes; /* the last one is the label */
} layout;

static const char *const train10[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                      "data_batch_4.bin", "data_batch_5.bin", NULL};
static const char *const train100[] = {"train.bin", NULL};
static const char *const python10[] = {"data_batch_1", "batches.meta", NULL};
static const char *const python100[] = {"train", "test", "meta", NULL};
static const layout layout10 = {.train = train10,
                                .test = "test_batch.bin",
                                .names = "batches.meta.txt",
                                .python = python10,
                                .archive = "cifar-10-binary.tar.gz",
                                .classes = 10,
                                .label_bytes = 1};
static const layout layout100 = {.train = train100,
                                 .test = "test.bin",
                                 .names = "fine_label_names.txt",
                                 .python = python100,
                                 .archive = "cifar-100-binary.tar.gz",
                                 .classes = 100,
                                 .label_bytes = 2};

/* Python's pickles: recognized in order to say what to fetch instead. */
static bool is_python(const data_source *source, const layout *layout)
{
    for (int i = 0; layout->python[i]; i++) {
        if (!data_source_holds(source, layout->python[i])) {
            return false;
        }
    }
    return true;
}

static bool recognizes(const data_source *source, const layout *layout)
{
    for (int i = 0; layout->train[i]; i++) {
        if (data_source_holds(source, layout->train[i])) {
            return true;
        }
    }
    return data_source_holds(source, layout->test) || is_python(source, layout);
}

/* planes: 3 x PLANE; pixels: PLANE x 3 */
static void interleave(const uint8_t *planes, uint8_t *pixels)
{
    for (int i = 0; i < PLANE; i++) {
        for (int c = 0; c < 3; c++) {
            pixels[i * 3 + c] = planes[c * PLANE + i];
        }
    }
}

static pba_status check_size(const char *path, size_t size, size_t record)
{
    if (!size) {
        return status_set(PBA_FORMAT, "%s: is empty; fetch it again", path);
    }
    if (size % record) {
        return status_set(PBA_FORMAT, "%s: %zu bytes short at record %zu; fetch it again", path,
                          record - size % record, size / record + 1);
    }
    return PBA_OK;
}

static pba_status store(const char *path, const uint8_t *data, size_t records, const layout *layout,
                        data_content *content)
{
    pba_status status = data_reserve(content, records);
    size_t first = data_images(content);
    for (size_t i = 0; i < records && status == PBA_OK; i++) {
        const uint8_t *record = data + i * (layout->label_bytes + PIXELS);
        int label = record[layout->label_bytes - 1];
        if (label >= layout->classes) {
            return status_set(PBA_FORMAT,
                              "%s: label %d at record %zu, there are %d classes; fetch it again",
                              path, label, i + 1, layout->classes);
        }
        content->labels[first + i] = (uint16_t)label;
        interleave(record + layout->label_bytes, content->pixels + (first + i) * PIXELS);
    }
    return status;
}

static pba_status read_file(const data_source *source, const char *name, pba_split split,
                            const layout *layout, data_content *content)
{
    char path[PBA_PATH_MAX], *data;
    size_t size, record = layout->label_bytes + PIXELS;
    data_source_describe(source, name, path);
    pba_status status = data_source_read(source, name, FILE_LIMIT, &data, &size);
    if (status == PBA_OK) {
        status = check_size(path, size, record);
    }
    if (status == PBA_OK) {
        status = store(path, (const uint8_t *)data, size / record, layout, content);
    }
    if (status == PBA_OK) {
        content->counts[split] += (int)(size / record);
    }
    free(data);
    return status;
}

/* One name a line; blank lines do not count. False: not as many names as classes, or a name that is
 * too long. */
static bool parse_names(char *text, const layout *layout, data_content *content)
{
    int count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\r\n", &rest); line; line = strtok_r(NULL, "\r\n", &rest)) {
        if (count == layout->classes || strlen(line) >= PBA_CLASS_MAX) {
            return false;
        }
        memcpy(content->names[count], line, strlen(line) + 1);
        printable_make(content->names[count++]);
    }
    return count == layout->classes;
}

static pba_status read_names(const data_source *source, const layout *layout, data_content *content)
{
    pba_status status = data_number_names(content, layout->classes);
    if (status != PBA_OK) {
        return status;
    }
    if (!data_source_holds(source, layout->names)) {
        data_note(content, "no %s: classes are called by their numbers", layout->names);
        return PBA_OK;
    }
    char *text;
    size_t size;
    status = data_source_read(source, layout->names, 1 << 16, &text, &size);
    if (status == PBA_OK && !parse_names(text, layout, content)) {
        data_note(content,
                  "%s does not name %d classes in up to %d bytes each: they are called by their "
                  "numbers",
                  layout->names, layout->classes, PBA_CLASS_MAX - 1);
        status = data_number_names(content, layout->classes);
    }
    free(text);
    return status;
}

static void note_files(const data_source *source, const layout *layout, data_content *content)
{
    char found[256] = "", absent[256] = "";
    for (int i = 0; layout->train[i]; i++) {
        char *list = data_source_holds(source, layout->train[i]) ? found : absent;
        size_t used = strlen(list);
        snprintf(list + used, sizeof found - used, "%s%s", used ? ", " : "", layout->train[i]);
    }
    if (*absent) {
        data_note(content, "found %s; absent: %s", found, absent);
    }
    if (!content->counts[PBA_TEST]) {
        data_note(content, "no %s: the test split is drawn from the training images", layout->test);
    }
}

static pba_status open_layout(const data_source *source, const pba_dataset_options *options,
                              const layout *layout, data_content *content)
{
    content->width = content->height = SIDE;
    content->channels = 3;
    snprintf(content->baseline, sizeof content->baseline, "crop:4,flip,cutout:16");
    pba_status status = PBA_OK;
    for (int i = 0; layout->train[i] && status == PBA_OK; i++) {
        if (data_source_holds(source, layout->train[i])) {
            status = read_file(source, layout->train[i], PBA_TRAIN, layout, content);
        }
        if (status == PBA_OK) {
            status = data_progress(options, "images", (int64_t)data_images(content), 0);
        }
    }
    if (status == PBA_OK && !content->counts[PBA_TRAIN] && is_python(source, layout)) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: holds the Python version (%s is a pickle), which is not read; fetch "
                          "the binary version, %s",
                          data_source_path(source), layout->python[0], layout->archive);
    }
    if (status == PBA_OK && !content->counts[PBA_TRAIN]) {
        return status_set(PBA_NOT_FOUND, "%s: %s is there, but no %s to train on",
                          data_source_path(source), layout->test, layout->train[0]);
    }
    if (status == PBA_OK && data_source_holds(source, layout->test)) {
        status = read_file(source, layout->test, PBA_TEST, layout, content);
    }
    if (status == PBA_OK) {
        note_files(source, layout, content);
        status = read_names(source, layout, content);
    }
    return status;
}

static bool recognizes10(const data_source *source)
{
    return recognizes(source, &layout10);
}

static pba_status open10(const data_source *source, const pba_dataset_options *options,
                         data_content *content)
{
    return open_layout(source, options, &layout10, content);
}

static bool recognizes100(const data_source *source)
{
    return recognizes(source, &layout100);
}

static pba_status open100(const data_source *source, const pba_dataset_options *options,
                          data_content *content)
{
    return open_layout(source, options, &layout100, content);
}

const data_format data_cifar10 = {.name = "cifar-10",
                                  .sentence = "CIFAR-10, binary version; any of its batch files.",
                                  .looks_for = "data_batch_1.bin ... data_batch_5.bin",
                                  .recognizes = recognizes10,
                                  .open = open10,
                                  .test_share = 6,
                                  .val_share = 5,
                                  .val_max = 5000};

const data_format data_cifar100 = {.name = "cifar-100",
                                   .sentence = "CIFAR-100, binary version; the fine labels.",
                                   .looks_for = "train.bin",
                                   .recognizes = recognizes100,
                                   .open = open100,
                                   .test_share = 6,
                                   .val_share = 5,
                                   .val_max = 5000};
