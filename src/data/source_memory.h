/* SPDX-License-Identifier: Apache-2.0
 * What source.c and source_memory.c share; formats include data/source.h alone. */
#ifndef DATA_SOURCE_MEMORY_H
#define DATA_SOURCE_MEMORY_H

#include "data/source.h"

typedef enum data_source_kind {
    SOURCE_NOTHING,
    SOURCE_FOLDER,
    SOURCE_FILE,
    SOURCE_MEMORY
} data_source_kind;

typedef struct source_entry {
    char *name, *data;
    const char *shown; /* `name` behind what all entries share */
    size_t size;
    size_t order; /* of adding */
} source_entry;

enum { SOURCE_NOTES_MAX = 512 };

struct data_source {
    data_source_kind kind;
    char *path;
    source_entry *entries; /* in memory; sorted by `shown` once settled */
    size_t count, room;
    bool starved; /* a listing failed for want of memory */
    char notes[SOURCE_NOTES_MAX];
};

void source_memory_free(data_source *source);
const source_entry *source_memory_find(const data_source *source, const char *name);
bool source_memory_holds_folder(const data_source *source, const char *name);
pba_status source_memory_list(const data_source *source, const char *folder,
                              data_source_names *names);

/* The first `length` bytes of `name`, a '/' behind them where it is a folder. */
pba_status source_names_add(data_source_names *names, const char *name, size_t length, bool folder);

#endif
