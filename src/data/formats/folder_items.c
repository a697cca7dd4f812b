/* SPDX-License-Identifier: Apache-2.0 */
#include "data/formats/folder_items.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "core/note.h"
#include "core/printable.h"

enum { DEPTH_MAX = 16, VISITS_MAX = 1000, CLASSES_MAX = UINT16_MAX };

/* --------------------------------------------------------------- recognition */

/* Endings are looked at for nothing else: a file is an image, or not, by its content. */
static bool looks_like_image(const char *name)
{
    static const char *const suffixes[] = {".jpg", ".jpeg", ".png",  ".gif",  ".webp",
                                           ".tif", ".tiff", ".heic", ".heif", ".avif"};
    const char *suffix = strrchr(name, '.');
    for (size_t i = 0; suffix && i < sizeof suffixes / sizeof *suffixes; i++) {
        if (strcasecmp(suffix, suffixes[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_folder(const char *listed)
{
    return listed[strlen(listed) - 1] == '/';
}

/* "folder/name" without the '/' that ends folders' names; false where it is too long. */
static bool join(char path[PBA_PATH_MAX], const char *folder, const char *name)
{
    int length = snprintf(path, PBA_PATH_MAX, "%s%s%s", folder, *folder ? "/" : "", name);
    if (length < 1 || length >= PBA_PATH_MAX) {
        return false;
    }
    if (path[length - 1] == '/') {
        path[length - 1] = 0;
    }
    return true;
}

/* Whether a file that looks like an image lies here or below; gives up after some folders. */
static bool holds_image(const data_source *source, const char *folder, int *visits)
{
    data_source_names names;
    bool found = false;
    if (++*visits > VISITS_MAX || data_source_list(source, folder, &names) != PBA_OK) {
        return false;
    }
    for (int i = 0; i < names.count && !found; i++) {
        found = !is_folder(names.names[i]) && looks_like_image(names.names[i]);
    }
    for (int i = 0; i < names.count && !found; i++) {
        char path[PBA_PATH_MAX];
        found = is_folder(names.names[i]) && join(path, folder, names.names[i]) &&
                holds_image(source, path, visits);
    }
    data_source_names_free(&names);
    return found;
}

bool folder_recognizes(const data_source *source)
{
    int visits = 0;
    return holds_image(source, "", &visits);
}

/* -------------------------------------------------------------------- layout */

static const struct {
    const char *name;
    pba_split split;
} split_names[] = {
    {"train", PBA_TRAIN},      {"training", PBA_TRAIN},        {"val", PBA_VALIDATION},
    {"valid", PBA_VALIDATION}, {"validation", PBA_VALIDATION}, {"test", PBA_TEST},
    {"testing", PBA_TEST},
};
enum { SPLIT_NAMES = sizeof split_names / sizeof *split_names };

/* Folders of the splits; "" where there is none. */
typedef struct layout {
    char roots[DATA_SPLITS][PBA_PATH_MAX];
    bool divided; /* into splits; else the top holds the classes */
} layout;

static int split_of(const char *listed)
{
    size_t length = strlen(listed) - 1;
    for (int i = 0; i < SPLIT_NAMES; i++) {
        if (strlen(split_names[i].name) == length &&
            strncasecmp(listed, split_names[i].name, length) == 0) {
            return (int)split_names[i].split;
        }
    }
    return -1;
}

/* A folder called "train" that holds images, and no folders, is a class of trains. */
static bool holds_folders(const data_source *source, const char *listed)
{
    char path[PBA_PATH_MAX];
    data_source_names names;
    bool found = false;
    if (!join(path, "", listed) || data_source_list(source, path, &names) != PBA_OK) {
        return false;
    }
    for (int i = 0; i < names.count && !found; i++) {
        found = is_folder(names.names[i]);
    }
    data_source_names_free(&names);
    return found;
}

static pba_status take_root(const data_source *source, const char *listed, layout *layout)
{
    int split = is_folder(listed) ? split_of(listed) : -1;
    if (split < 0 || !holds_folders(source, listed)) {
        return PBA_OK;
    }
    char *root = layout->roots[split];
    if (*root) {
        return status_set(PBA_FORMAT, "%s: holds both %s/ and %s; one of them can be read",
                          data_source_path(source), root, listed);
    }
    join(root, "", listed);
    layout->divided = true;
    return PBA_OK;
}

static void mention(folder_items *items, const char *listed)
{
    char text[PBA_NAME_MAX];
    folder_printable(listed, text, sizeof text);
    size_t used = strlen(items->others), room = sizeof items->others - used;
    if (strlen(text) + 2 < room) {
        snprintf(items->others + used, room, "%s%s", used ? ", " : "", text);
    } else {
        items->more_others = true;
    }
}

static void mention_others(const data_source_names *top, const layout *layout, folder_items *items)
{
    for (int i = 0; i < top->count; i++) {
        const char *listed = top->names[i];
        int split = is_folder(listed) ? split_of(listed) : -1;
        if (!is_folder(listed) || (layout->divided && (split < 0 || !*layout->roots[split]))) {
            mention(items, listed);
        }
    }
}

static pba_status find_layout(const data_source *source, const data_source_names *top,
                              layout *layout)
{
    bool folders = false;
    pba_status status = PBA_OK;
    for (int i = 0; i < top->count && status == PBA_OK; i++) {
        folders = folders || is_folder(top->names[i]);
        status = take_root(source, top->names[i], layout);
    }
    if (status == PBA_OK && !folders) {
        status = status_set(PBA_FORMAT,
                            "%s: holds images, but no class folders; put the images of each class "
                            "into a folder of its own, named after the class",
                            data_source_path(source));
    }
    if (status == PBA_OK && layout->divided && !*layout->roots[PBA_TRAIN]) {
        status = status_set(PBA_FORMAT, "%s: holds %s/, but no train/ with images to learn from",
                            data_source_path(source),
                            *layout->roots[PBA_TEST] ? layout->roots[PBA_TEST]
                                                     : layout->roots[PBA_VALIDATION]);
    }
    return status;
}

/* ------------------------------------------------------------------- classes */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const folder_item *)a)->name, ((const folder_item *)b)->name);
}

/* Files beside class folders are not read, but what cannot be looked at may be a class. */
static pba_status check_others(const data_source *source, const char *root,
                               const data_source_names *names)
{
    char path[PBA_PATH_MAX];
    for (int i = 0; i < names->count; i++) {
        if (!is_folder(names->names[i]) && join(path, root, names->names[i]) &&
            !data_source_holds(source, path)) {
            return data_source_absent(source, path);
        }
    }
    return PBA_OK;
}

/* No name is cut: two may differ at their ends alone. */
static pba_status check_name(const data_source *source, const char *name)
{
    char shown[PBA_NAME_MAX];
    if (strlen(name) < PBA_CLASS_MAX) {
        return PBA_OK;
    }
    folder_printable(name, shown, sizeof shown);
    return status_set(PBA_UNSUPPORTED,
                      "%s: the name of the class folder %s has %zu bytes; %d are possible: rename "
                      "it",
                      data_source_path(source), shown, strlen(name), PBA_CLASS_MAX - 1);
}

static pba_status add_class(const data_source *source, const char *listed, folder_items *items)
{
    char *name = memory_text(listed);
    if (!name) {
        return PBA_MEMORY;
    }
    name[strlen(name) - 1] = 0;
    items->classes[items->class_count++] = name;
    return check_name(source, name);
}

static pba_status take_classes(const data_source *source, const data_source_names *names,
                               folder_items *items)
{
    items->classes = memory_new((size_t)names->count, sizeof *items->classes);
    pba_status status = items->classes ? PBA_OK : PBA_MEMORY;
    for (int i = 0; i < names->count && status == PBA_OK; i++) {
        status = is_folder(names->names[i]) ? add_class(source, names->names[i], items) : PBA_OK;
    }
    if (status != PBA_OK) {
        return status;
    }
    if (items->class_count < 2 || items->class_count > CLASSES_MAX) {
        return status_set(PBA_FORMAT, "%s: holds %d class folders; 2 to %d can be told apart",
                          data_source_path(source), items->class_count, CLASSES_MAX);
    }
    qsort(items->classes, (size_t)items->class_count, sizeof *items->classes, by_text);
    return PBA_OK;
}

static pba_status find_classes(const data_source *source, const char *root, folder_items *items)
{
    data_source_names names;
    pba_status status = data_source_list(source, root, &names);
    if (status == PBA_OK) {
        status = check_others(source, root, &names);
    }
    if (status == PBA_OK) {
        status = take_classes(source, &names, items);
    }
    data_source_names_free(&names);
    return status;
}

/* --------------------------------------------------------------------- files */

static pba_status add_item(folder_items *items, const char *name, pba_split split, int label)
{
    if (items->count == INT32_MAX / 2) {
        return status_set(PBA_UNSUPPORTED, "%s: more files than a data set can hold", name);
    }
    if ((items->count & (items->count - 1)) == 0) { /* 0, 1, 2, 4 ...: doubled there */
        size_t room = items->count ? 2 * (size_t)items->count : 1;
        folder_item *grown = memory_grow(items->items, room, sizeof *grown);
        if (!grown) {
            return PBA_MEMORY;
        }
        items->items = grown;
    }
    char *copy = memory_text(name);
    if (!copy) {
        return PBA_MEMORY;
    }
    items->items[items->count++] =
        (folder_item){.name = copy, .split = (uint8_t)split, .label = (uint16_t)label};
    return PBA_OK;
}

typedef struct walk {
    const data_source *source;
    folder_items *items;
    pba_split split;
    int label;
} walk;

static pba_status walk_folder(const walk *walk, const char *folder, int depth)
{
    data_source_names names;
    char path[PBA_PATH_MAX];
    data_source_describe(walk->source, folder, path);
    if (depth > DEPTH_MAX) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: more than %d folders below a class; a link into "
                          "itself?",
                          path, DEPTH_MAX);
    }
    pba_status status = data_source_list(walk->source, folder, &names);
    for (int i = 0; status == PBA_OK && i < names.count; i++) {
        if (!join(path, folder, names.names[i])) {
            status = status_set(PBA_UNSUPPORTED, "%s: a name below it is too long", folder);
        } else if (is_folder(names.names[i])) {
            status = walk_folder(walk, path, depth + 1);
        } else {
            status = add_item(walk->items, path, walk->split, walk->label);
        }
    }
    data_source_names_free(&names);
    return status;
}

static pba_status empty_class(const data_source *source, const char *folder)
{
    char described[PBA_PATH_MAX];
    data_source_describe(source, folder, described);
    return status_set(PBA_FORMAT, "%s: a class without images to learn from; remove the folder",
                      described);
}

static pba_status find_in_class(const walk *walk, const char *root)
{
    char folder[PBA_PATH_MAX];
    int first = walk->items->count;
    if (!join(folder, root, walk->items->classes[walk->label])) {
        return status_set(PBA_UNSUPPORTED, "%s: a name below it is too long", root);
    }
    if (walk->split != PBA_TRAIN && !data_source_holds_folder(walk->source, folder)) {
        return PBA_OK;
    }
    pba_status status = walk_folder(walk, folder, 0);
    int found = walk->items->count - first;
    if (status == PBA_OK && found == 0 && walk->split == PBA_TRAIN) {
        status = empty_class(walk->source, folder);
    }
    if (found) {
        qsort(walk->items->items + first, (size_t)found, sizeof *walk->items->items, by_name);
    }
    return status;
}

/* Classes of another split must be training's. */
static pba_status check_classes(const data_source *source, const char *root, const char *training,
                                const folder_items *items)
{
    data_source_names names;
    pba_status status = data_source_list(source, root, &names);
    if (status == PBA_OK) {
        status = check_others(source, root, &names);
    }
    for (int i = 0; status == PBA_OK && i < names.count; i++) {
        char folder[PBA_PATH_MAX], *name = names.names[i];
        if (!is_folder(name)) {
            continue;
        }
        name[strlen(name) - 1] = 0;
        if (!bsearch(&name, items->classes, (size_t)items->class_count, sizeof *items->classes,
                     by_text)) {
            join(folder, root, name);
            status = status_set(PBA_FORMAT, "%s/%s: a class that is not in %s/",
                                data_source_path(source), folder, training);
        }
    }
    data_source_names_free(&names);
    return status;
}

static pba_status find_files(const data_source *source, const layout *layout, folder_items *items)
{
    pba_status status = PBA_OK;
    for (int split = 0; split < DATA_SPLITS && status == PBA_OK; split++) {
        const char *root = layout->roots[split];
        if (split != PBA_TRAIN && !*root) {
            continue;
        }
        if (split != PBA_TRAIN) {
            status = check_classes(source, root, layout->roots[PBA_TRAIN], items);
        }
        for (int label = 0; label < items->class_count && status == PBA_OK; label++) {
            walk walk = {source, items, (pba_split)split, label};
            status = find_in_class(&walk, root);
        }
    }
    return status;
}

pba_status folder_items_find(const data_source *source, folder_items *items)
{
    *items = (folder_items){0};
    layout *layout = memory_new(1, sizeof *layout);
    if (!layout) {
        return PBA_MEMORY;
    }
    data_source_names top;
    pba_status status = data_source_list(source, "", &top);
    if (status == PBA_OK) {
        status = find_layout(source, &top, layout);
        mention_others(&top, layout, items);
        data_source_names_free(&top);
    }
    if (status == PBA_OK) {
        status = find_classes(source, layout->roots[PBA_TRAIN], items);
    }
    if (status == PBA_OK) {
        status = find_files(source, layout, items);
    }
    free(layout);
    return status;
}

void folder_items_free(folder_items *items)
{
    for (int i = 0; i < items->count; i++) {
        free(items->items[i].name);
    }
    for (int i = 0; i < items->class_count; i++) {
        free(items->classes[i]);
    }
    free(items->items);
    free(items->classes);
    *items = (folder_items){0};
}

/* --------------------------------------------------------------------- names */

void folder_printable(const char *name, char *text, size_t size)
{
    size_t used = 0;
    for (const char *at = name; *at;) {
        size_t length = printable_character(at), shown = length ? length : 1;
        if (used + shown >= size) {
            text[used] = 0;
            note_cut(text, size);
            return;
        }
        memcpy(text + used, length ? (const char *)at : "?", shown);
        used += shown;
        at += shown;
    }
    text[used] = 0;
}
