/* SPDX-License-Identifier: Apache-2.0
 * Data formats as rows. A format is a file in formats/ that ends with its row: it recognizes a
 * source by the names it holds and reads it into one content, which the data set then owns. */
#ifndef DATA_FORMAT_H
#define DATA_FORMAT_H

#include "data/source.h"

enum { DATA_NOTES_MAX = 1024, DATA_SPLITS = 3 };

typedef char data_name[PBA_CLASS_MAX];

/* Everything stored, training images first, then validation's, then test's. */
typedef struct data_content {
    uint8_t *pixels;         /* images x height x width x channels */
    uint16_t *labels;        /* images, each below `classes` */
    data_name *names;        /* classes */
    int counts[DATA_SPLITS]; /* by pba_split; validation and test 0: drawn from training */
    int width, height, channels, classes;
    char notes[DATA_NOTES_MAX];
    char baseline[PBA_NAME_MAX];
} data_content;

typedef struct data_format {
    const char *name, *sentence;
    const char *looks_for; /* what must lie at the path: "data_batch_1.bin ... data_batch_5.bin" */
    bool (*recognizes)(const data_source *source); /* by names alone: decodes nothing */
    /* Fills an empty content; whatever it left there after a failure is freed by the caller. */
    pba_status (*open)(const data_source *source, const pba_dataset_options *options,
                       data_content *content);
    bool third_party; /* decodes through another library: open() runs in a child with limits */
    bool resizes;     /* open() follows the options' size and fit; other images keep their size */
    /* Default sizes of what is drawn: test 1/test_share of the images; validation 1/val_share of
     * what is left then, at most val_max. */
    int test_share, val_share, val_max;
} data_format;

extern const data_format data_cifar10;  /* formats/cifar.c */
extern const data_format data_cifar100; /* formats/cifar.c */
extern const data_format data_demo;     /* formats/demo.c */
extern const data_format data_folder;   /* formats/folder.c */
extern const data_format data_idx;      /* formats/idx.c */
extern const data_format data_npz;      /* formats/npz.c */
extern const data_format data_svhn;     /* formats/svhn.c */

/* Room for `more` images behind those that counts[] holds; width, height and channels are set. */
pba_status data_reserve(data_content *content, size_t more);
size_t data_image_bytes(const data_content *content);
size_t data_images(const data_content *content); /* sum of counts */

/* Copies `count` images to place `first`, where there is room, from bytes that lie in another
 * order: steps[] bytes from one image, row, column, channel to the next. */
void data_gather(data_content *content, size_t first, size_t count, const uint8_t *bytes,
                 const size_t steps[4]);

/* crop side/8, flip where asked for, cutout side/2 of the shorter side; what would be 0 is left
 * out. */
void data_default_baseline(data_content *content, bool flip);

/* Class names "0", "1" ... */
pba_status data_number_names(data_content *content, int classes);

/* Labels become numbers of classes, in the labels' order, and classes are called by them: one that
 * no image has makes no class, which the notes tell. `label_of`, unless NULL: the label of each
 * class, for free(). PBA_FORMAT where there are fewer than two; `path` is what errors name. */
pba_status data_settle_classes(data_content *content, const char *path, uint16_t **label_of);

/* Adds a sentence to the notes; what does not fit ends in dots, what is not printable is '?'. */
void data_note(data_content *content, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void data_content_free(data_content *content);

/* Of a row of options: "32x24". False where the text is no size. */
bool data_parse_size(const char *text, int *width, int *height);

/* Tells the options' progress; PBA_INTERRUPTED where that says to stop. */
pba_status data_progress(const pba_dataset_options *options, const char *what, int64_t done,
                         int64_t total);

/* Before a decoder meets a file: should it crash or hang there, the error names that file. Only
 * for formats that run in a child (third_party); the file has the limits' time for itself. */
pba_status data_announce(const pba_dataset_options *options, const char *file);
enum { DATA_ANNOUNCED = -1 }; /* what it gives for `done`: for isolate.c, never for callers */

#endif
