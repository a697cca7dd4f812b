/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/dataset.h"

void fuzz_require(bool condition, const char *file, int line, const char *what)
{
    if (!condition) {
        fprintf(stderr, "%s:%d: does not hold: %s (%s)\n", file, line, what, pba_error_message());
        abort();
    }
}

bool fuzz_done(pba_status status)
{
    fuzz_check(status >= PBA_OK && status < PBA_STATUS_COUNT && status != PBA_INTERNAL);
    if (status != PBA_OK) {
        const char *message = pba_error_message();
        fuzz_check(*message && !strchr(message, '\n'));
    }
    return status == PBA_OK;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_check(text);
    memcpy(text, data, size);
    text[size] = 0;
    return text;
}

bool fuzz_next(const uint8_t **data, size_t *size, const char *const *names, size_t count,
               fuzz_part *part)
{
    if (*size < 3) {
        return false;
    }
    size_t wanted = (size_t)(*data)[1] | (size_t)(*data)[2] << 8, left = *size - 3;
    part->name = names[(*data)[0] % count];
    part->data = *data + 3;
    part->size = wanted < left ? wanted : left;
    *data += 3 + part->size;
    *size = left - part->size;
    return true;
}

data_source *fuzz_source(const uint8_t *data, size_t size, const char *const *names, size_t count)
{
    data_source *source;
    fuzz_part part;
    fuzz_check(data_source_create("fuzz.tar", &source) == PBA_OK);
    while (fuzz_next(&data, &size, names, count, &part)) {
        char *copy = fuzz_text(part.data, part.size);
        fuzz_check(data_source_add(source, part.name, copy, part.size) == PBA_OK);
    }
    data_source_settle(source);
    return source;
}

/* Every byte is read, so that a sanitizer sees one that is not there. */
static void touch(const data_content *content)
{
    size_t images = data_images(content), sum = 0;
    for (size_t i = 0; i < images; i++) {
        fuzz_check(content->labels[i] < content->classes);
    }
    for (size_t i = 0; i < images * data_image_bytes(content); i++) {
        sum += content->pixels[i];
    }
    fuzz_check(sum <= images * data_image_bytes(content) * 255);
    for (int i = 0; i < content->classes; i++) {
        fuzz_check(memchr(content->names[i], 0, sizeof *content->names));
    }
    fuzz_check(memchr(content->notes, 0, DATA_NOTES_MAX));
}

static void use(pba_dataset *dataset)
{
    pba_dataset_info info;
    fuzz_check(pba_dataset_describe(dataset, &info) == PBA_OK);
    fuzz_check(info.width > 0 && info.height > 0 && info.train_images > 0);
    if (fuzz_done(pba_dataset_split(dataset, 0, 0, 1))) {
        double mean[3], deviation[3];
        fuzz_check(pba_dataset_statistics(dataset, mean, deviation) == PBA_OK);
        for (int c = 0; c < 3; c++) {
            fuzz_check(mean[c] >= 0 && mean[c] <= 1 && deviation[c] > 0 && deviation[c] <= 1);
        }
    }
}

void fuzz_content(const data_format *format, data_content *content)
{
    pba_dataset *dataset = calloc(1, sizeof *dataset);
    fuzz_check(dataset);
    dataset->format = format;
    dataset->content = *content;
    touch(content);
    use(dataset);
    pba_dataset_free(dataset);
}

void fuzz_format(const data_format *format, const data_source *source)
{
    static const pba_dataset_options options;
    data_content content = {0};
    if (format->recognizes(source) && fuzz_done(format->open(source, &options, &content))) {
        fuzz_content(format, &content);
    } else {
        data_content_free(&content);
    }
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static int descriptor = -1;
    static char path[64];
    if (descriptor < 0) {
        descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    }
    fuzz_check(descriptor >= 0 && ftruncate(descriptor, 0) == 0 &&
               pwrite(descriptor, data, size, 0) == (ssize_t)size);
    return path;
}

static char folder[64];

static void remove_folder(void)
{
    fuzz_clear();
    rmdir(folder);
}

const char *fuzz_folder(void)
{
    if (!*folder) {
        bool memory = access("/dev/shm", W_OK | X_OK) == 0;
        snprintf(folder, sizeof folder, "%s/pba-fuzz-XXXXXX", memory ? "/dev/shm" : "/tmp");
        fuzz_check(mkdtemp(folder));
        atexit(remove_folder);
    }
    return folder;
}

void fuzz_put(const char *name, const void *data, size_t size)
{
    char path[PBA_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", fuzz_folder(), name);
    FILE *file = fopen(path, "wb");
    fuzz_check(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

static void clear(const char *path)
{
    char inside[PBA_PATH_MAX];
    DIR *listing = opendir(path);
    for (struct dirent *each; listing && (each = readdir(listing));) {
        snprintf(inside, sizeof inside, "%s/%s", path, each->d_name);
        if (*each->d_name != '.' && unlink(inside) != 0) {
            clear(inside);
            rmdir(inside);
        }
    }
    if (listing) {
        closedir(listing);
    }
}

void fuzz_clear(void)
{
    clear(fuzz_folder());
}
