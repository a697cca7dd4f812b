/* SPDX-License-Identifier: Apache-2.0
 * Opening a data set and looking into it. Recognition goes by the rows, in their order. */
#include "data/dataset.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "data/isolate.h"

static const data_format *const formats[] = {&data_demo, &data_cifar10, &data_cifar100, &data_idx,
                                             &data_svhn, &data_npz,     &data_folder};
enum { FORMATS = sizeof formats / sizeof *formats };

/* "a (x), b (y)": what each format looks for. */
static void list_formats(char *text, size_t size)
{
    size_t used = 0;
    for (int i = 0; i < FORMATS && used < size; i++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s: %s", i ? "; " : "",
                                 formats[i]->name, formats[i]->looks_for);
    }
}

static bool folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        return false;
    }
    int entries = 0;
    while (readdir(folder)) {
        entries++;
    }
    closedir(folder);
    return entries <= 2; /* itself and its parent */
}

static pba_status unrecognized(const char *path)
{
    char known[1024];
    list_formats(known, sizeof known);
    if (data_source_is_archive(path)) {
        return status_set(PBA_FORMAT, "%s: the archive holds no known data set; looked for (%s)",
                          path, known);
    }
    if (!file_exists(path)) {
        return status_set(
            PBA_NOT_FOUND,
            "%s: there is no such file or folder; a data set is a folder with one of these (%s)",
            path, known);
    }
    if (!file_is_folder(path)) {
        return status_set(PBA_FORMAT, "%s: is no data set; give the folder that holds one (%s)",
                          path, known);
    }
    if (folder_is_empty(path)) {
        return status_set(PBA_FORMAT, "%s: the folder is empty; a data set's folder holds (%s)",
                          path, known);
    }
    return status_set(PBA_FORMAT, "%s: holds no known data set; looked for (%s)", path, known);
}

static const data_format *recognize(const data_source *source)
{
    for (int i = 0; i < FORMATS; i++) {
        if (formats[i]->recognizes(source)) {
            return formats[i];
        }
    }
    return NULL;
}

static pba_status check_options(const pba_dataset_options *options)
{
    int width, height;
    if (!memchr(options->size, 0, sizeof options->size) ||
        !memchr(options->fit, 0, sizeof options->fit)) {
        return status_set(PBA_USAGE, "size, fit: a text of %zu bytes without an end",
                          sizeof options->size);
    }
    if (*options->size && !data_parse_size(options->size, &width, &height)) {
        return status_set(PBA_USAGE, "size '%s': is no size; give WxH, for example 64x48",
                          options->size);
    }
    if (*options->fit && strcmp(options->fit, "crop") != 0 && strcmp(options->fit, "pad") != 0) {
        return status_set(PBA_USAGE, "fit '%s': is neither crop nor pad", options->fit);
    }
    return PBA_OK;
}

/* Formats that do not resize have one size; another must not be asked for. */
static pba_status check_size(const pba_dataset *dataset, const char *path,
                             const pba_dataset_options *options)
{
    const data_content *content = &dataset->content;
    int width, height;
    if (dataset->format->resizes || !data_parse_size(options->size, &width, &height) ||
        (width == content->width && height == content->height)) {
        return PBA_OK;
    }
    return status_set(PBA_USAGE,
                      "%s: its images have %d x %d pixels, not the %d x %d that were asked for; "
                      "only folders of image files are resized",
                      path, content->width, content->height, width, height);
}

/* What a source holds, by the row that recognizes it. */
static pba_status open_source(const data_source *source, const pba_dataset_options *options,
                              data_content *content, const data_format **format)
{
    *format = recognize(source);
    pba_status status = data_source_check(source);
    if (status == PBA_OK && !*format) {
        status = unrecognized(data_source_path(source));
    }
    if (status == PBA_OK) {
        status = (*format)->open(source, options, content);
    }
    if (status == PBA_OK) {
        status = data_source_check(source);
    }
    if (status == PBA_OK && *data_source_notes(source)) {
        data_note(content, "%s", data_source_notes(source));
    }
    return status;
}

/* In a child: a source on disk or, where that is NULL, the archive at the path. */
typedef struct opening {
    const char *path;
    const data_source *source;
} opening;

static pba_status open_isolated(void *context, const pba_dataset_options *options,
                                data_content *content, const char **name)
{
    const opening *opening = context;
    const data_format *format = NULL;
    data_source *archive = NULL;
    pba_status status =
        opening->source ? PBA_OK : data_source_open_archive(opening->path, options, &archive);
    if (status == PBA_OK) {
        status = open_source(archive ? archive : opening->source, options, content, &format);
    }
    data_source_free(archive);
    *name = format ? format->name : "";
    return status;
}

static pba_status open_in_child(const char *path, const data_source *source,
                                const pba_dataset_options *options, pba_dataset *dataset)
{
    opening opening = {.path = path, .source = source};
    char name[PBA_NAME_MAX];
    pba_status status =
        isolate_run(path, options, open_isolated, &opening, &dataset->content, name);
    for (int i = 0; i < FORMATS && status == PBA_OK; i++) {
        if (strcmp(formats[i]->name, name) == 0) {
            dataset->format = formats[i];
            return PBA_OK;
        }
    }
    return status == PBA_OK ? status_set(PBA_FORMAT, "%s: is of no known format", path) : status;
}

static pba_status open_source_or_archive(const data_source *source,
                                         const pba_dataset_options *options, pba_dataset *dataset)
{
    const char *path = data_source_path(source);
    const data_format *format = recognize(source);
    pba_status status = data_source_check(source);
    if (status != PBA_OK) {
        return status;
    }
    if (!format && data_source_is_archive(path)) { /* an .npz is one, too, but was recognized */
        return open_in_child(path, NULL, options, dataset);
    }
    if (format && format->third_party) {
        return open_in_child(path, source, options, dataset);
    }
    return open_source(source, options, &dataset->content, &dataset->format);
}

pba_status pba_dataset_open_with(const char *path, const pba_dataset_options *options,
                                 pba_dataset **dataset)
{
    if (!path || !dataset) {
        return status_null(__func__);
    }
    static const pba_dataset_options defaults;
    options = options ? options : &defaults;
    *dataset = NULL;
    pba_status status = check_options(options);
    if (status == PBA_OK) {
        status = file_check_path(path);
    }
    if (status != PBA_OK) {
        return status;
    }
    data_source *source = NULL;
    pba_dataset *fresh = memory_new(1, sizeof *fresh);
    status = fresh ? data_source_open(path, &source) : PBA_MEMORY;
    if (status == PBA_OK) {
        status = open_source_or_archive(source, options, fresh);
    }
    if (status == PBA_OK) {
        status = check_size(fresh, path, options);
    }
    data_source_free(source);
    if (status != PBA_OK) {
        pba_dataset_free(fresh);
        return status;
    }
    *dataset = fresh;
    return PBA_OK;
}

pba_status pba_dataset_open(const char *path, pba_dataset **dataset)
{
    return pba_dataset_open_with(path, NULL, dataset);
}

void pba_dataset_free(pba_dataset *dataset)
{
    if (!dataset) {
        return;
    }
    for (int split = 0; split < DATA_SPLITS; split++) {
        free(dataset->lists[split]);
    }
    data_content_free(&dataset->content);
    free(dataset);
}

pba_status pba_dataset_describe(const pba_dataset *dataset, pba_dataset_info *info)
{
    if (!dataset || !info) {
        return status_null(__func__);
    }
    const data_content *content = &dataset->content;
    *info = (pba_dataset_info){.format = dataset->format->name,
                               .notes = content->notes,
                               .baseline = content->baseline,
                               .width = content->width,
                               .height = content->height,
                               .channels = content->channels,
                               .classes = content->classes,
                               .train_images = content->counts[PBA_TRAIN],
                               .val_images = content->counts[PBA_VALIDATION],
                               .test_images = content->counts[PBA_TEST]};
    return PBA_OK;
}

const char *pba_dataset_class(const pba_dataset *dataset, int label)
{
    bool known = dataset && label >= 0 && label < dataset->content.classes;
    return known ? dataset->content.names[label] : "";
}

static bool is_split(pba_split split)
{
    return (unsigned)split < DATA_SPLITS;
}

int pba_dataset_count(const pba_dataset *dataset, pba_split split)
{
    return dataset && is_split(split) ? dataset->counts[split] : 0;
}

uint32_t dataset_number(const pba_dataset *dataset, pba_split split, int index)
{
    return dataset->lists[split][index];
}

pba_status pba_dataset_image(const pba_dataset *dataset, pba_split split, int index,
                             pba_image *view, int *label)
{
    if (!dataset || !view || !label) {
        return status_null(__func__);
    }
    if (index < 0 || index >= pba_dataset_count(dataset, split)) {
        return status_set(PBA_USAGE, "image %d of a split of %d images: there is none", index,
                          pba_dataset_count(dataset, split));
    }
    const data_content *content = &dataset->content;
    size_t number = dataset_number(dataset, split, index);
    *view = (pba_image){.pixels = content->pixels + number * data_image_bytes(content),
                        .width = content->width,
                        .height = content->height,
                        .channels = content->channels};
    *label = content->labels[number];
    return PBA_OK;
}
