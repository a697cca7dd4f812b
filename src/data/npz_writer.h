/* SPDX-License-Identifier: Apache-2.0
 * Arrays as numpy.savez writes them, one after the other, whatever their size: nothing but the
 * piece at hand is in memory. The counterpart of data/formats/npz.c. */
#ifndef DATA_NPZ_WRITER_H
#define DATA_NPZ_WRITER_H

#include "core/status.h"

typedef struct npz_writer npz_writer;

enum { NPZ_DIMENSIONS = 4 };

typedef struct npz_array {
    const char *name; /* "images" */
    const char *type; /* NumPy's, little-endian: "|u1", "<i8", "<U12" */
    size_t item;      /* bytes of an element */
    size_t shape[NPZ_DIMENSIONS];
    int dimensions;
} npz_array;

/* Writes beside `path`, which is replaced at the end. */
pba_status npz_writer_open(const char *path, npz_writer **writer);
/* An array; its elements follow in C order, in pieces of any size, as many as its shape says. */
pba_status npz_writer_begin(npz_writer *writer, const npz_array *array);
pba_status npz_writer_add(npz_writer *writer, const void *data, size_t size);
/* Puts the file in its place; the writer is free then, also after a failure. */
pba_status npz_writer_close(npz_writer *writer);
/* Gives up: leaves nothing behind. NULL is allowed. */
void npz_writer_abandon(npz_writer *writer);

#endif
