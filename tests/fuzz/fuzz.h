/* SPDX-License-Identifier: Apache-2.0
 * What the fuzz targets share. A target is a file here that defines LLVMFuzzerTestOneInput, a name
 * in meson.build and a folder of inputs in corpus/. libFuzzer drives it (meson -Dfuzz=true); in
 * every other build main.c runs the inputs of its folder through it, as a test. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "data/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold whatever the input is; ends the process, naming the place, where it does not. */
#define fuzz_check(condition) fuzz_require((condition), __FILE__, __LINE__, #condition)
void fuzz_require(bool condition, const char *file, int line, const char *what);

/* A call that may fail: where it did, there is a message of one line. */
bool fuzz_done(pba_status status);

/* The input with a 0 behind it, for free(). */
char *fuzz_text(const uint8_t *data, size_t size);

/* An input of several files: for each a byte that chooses its name, two with its length (the lower
 * one first), its bytes; what is left at the end is cut off. */
typedef struct fuzz_part {
    const char *name;
    const uint8_t *data;
    size_t size;
} fuzz_part;
bool fuzz_next(const uint8_t **data, size_t *size, const char *const *names, size_t count,
               fuzz_part *part);

/* The same as a source in memory. */
data_source *fuzz_source(const uint8_t *data, size_t size, const char *const *names, size_t count);

/* The source through a data format and, where that opens it, through splits and statistics. */
void fuzz_format(const data_format *format, const data_source *source);
/* The same of a content that was filled. Frees it. */
void fuzz_content(const data_format *format, data_content *content);

/* The path of a file in memory with these bytes, valid until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* A folder of the process, in memory where the system has such a place, and a file in it. */
const char *fuzz_folder(void);
void fuzz_put(const char *name, const void *data, size_t size);
void fuzz_clear(void); /* removes the files in it */

#endif
