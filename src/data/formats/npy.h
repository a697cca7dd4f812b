/* SPDX-License-Identifier: Apache-2.0
 * Arrays as NumPy saves them, one a `.npy` file (numpy.lib.format, versions 1.0 to 3.0): plain
 * numbers and fixed-length texts. Everything in the header is checked here against the bytes that
 * are there. */
#ifndef DATA_FORMATS_NPY_H
#define DATA_FORMATS_NPY_H

#include "core/status.h"

enum { NPY_DIMENSIONS = 8, NPY_TYPE_MAX = 16, NPY_SHAPE_TEXT = 24 * NPY_DIMENSIONS };

typedef struct npy_array {
    char type[NPY_TYPE_MAX]; /* as written: "|u1", "<i8", ">f4" */
    char kind;               /* b bool, i, u, f, c, S bytes, U text */
    bool big_endian;
    bool fortran; /* the first dimension is the fastest */
    int dimensions;
    size_t shape[NPY_DIMENSIONS];
    size_t count, item;  /* elements; bytes of one of them */
    const uint8_t *data; /* count x item bytes, inside of what was parsed */
} npy_array;

/* `what` is the name for messages. Python objects and records are refused with the remedy. */
pba_status npy_parse(const char *what, const void *data, size_t size, npy_array *array);

/* Element `index` (in the order of storage) of an array of kind b, i or u; INT64_MAX where it is
 * larger than that. */
int64_t npy_integer(const npy_array *array, size_t index);

/* Element `index` of an array of kind S or U as UTF-8; control characters, and what is no
 * character, become '?'. False where it was cut, between characters, to fit. */
bool npy_text(const npy_array *array, size_t index, char *text, size_t size);

/* "(60000, 28, 28)", as Python writes it. */
void npy_shape(const npy_array *array, char text[NPY_SHAPE_TEXT]);

#endif
