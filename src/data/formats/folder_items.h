/* SPDX-License-Identifier: Apache-2.0
 * Which files of a folder are images of which class and split, from names alone. Two layouts:
 *   CLASS/...               a class folder each; the splits are drawn
 *   train/CLASS/...         with test/CLASS/... or val/CLASS/... beside it, or both
 * Files count wherever they lie below their class folder. Classes, and the files of a class, are in
 * bytewise order, so that a data set is the same on every machine. */
#ifndef DATA_FORMATS_FOLDER_ITEMS_H
#define DATA_FORMATS_FOLDER_ITEMS_H

#include "data/format.h"

typedef struct folder_item {
    char *name; /* in the source */
    uint16_t label;
    uint8_t split;
    bool bad;                    /* to be left out */
    int width, height, channels; /* as its header says */
} folder_item;

typedef struct folder_items {
    folder_item *items; /* training's, validation's, test's; by class; by name */
    int count;
    char **classes; /* names of their folders */
    int class_count;
    char others[256]; /* what lies at the top and is not read; "": nothing */
    bool more_others; /* than fit there */
} folder_items;

bool folder_recognizes(const data_source *source);

/* Every class has a training image then. Freed by folder_items_free, after a failure too. */
pba_status folder_items_find(const data_source *source, folder_items *items);
void folder_items_free(folder_items *items);

/* A file's or folder's name for people: no control characters, valid UTF-8, at most size - 1 bytes;
 * what is not is shown as '?', and "..." where it is longer (size: 4 at least). */
void folder_printable(const char *name, char *text, size_t size);

#endif
