/* SPDX-License-Identifier: Apache-2.0
 * A source in memory: entries sorted by name, folders being what names have in common. */
#include "data/source_memory.h"

#include <stdlib.h>
#include <string.h>

#include "core/memory.h"

static void entry_free(source_entry *entry)
{
    free(entry->name);
    free(entry->data);
}

void source_memory_free(data_source *source)
{
    for (size_t i = 0; i < source->count; i++) {
        entry_free(&source->entries[i]);
    }
    free(source->entries);
}

static pba_status make_room(data_source *source)
{
    if (source->count < source->room) {
        return PBA_OK;
    }
    size_t room = source->room ? 2 * source->room : 64;
    source_entry *grown = memory_grow(source->entries, room, sizeof *grown);
    if (!grown) {
        return PBA_MEMORY;
    }
    source->entries = grown;
    source->room = room;
    return PBA_OK;
}

pba_status data_source_add(data_source *source, const char *name, char *data, size_t size)
{
    char *copy = memory_text(name);
    if (!copy || make_room(source) != PBA_OK) {
        free(copy);
        free(data);
        return PBA_MEMORY;
    }
    source->entries[source->count] = (source_entry){
        .name = copy, .data = data, .shown = copy, .size = size, .order = source->count};
    source->count++;
    return PBA_OK;
}

/* Takes the first folder off all names where they have it in common. */
static bool take_off_folder(data_source *source)
{
    size_t length = source->count ? strcspn(source->entries[0].shown, "/") + 1 : 0;
    for (size_t i = 0; i < source->count; i++) {
        const source_entry *entry = &source->entries[i];
        if (strlen(entry->shown) < length || entry->shown[length - 1] != '/' ||
            strncmp(entry->shown, source->entries[0].shown, length) != 0) {
            return false;
        }
    }
    for (size_t i = 0; i < source->count; i++) {
        source->entries[i].shown += length;
    }
    return source->count > 0;
}

static int by_name(const void *a, const void *b)
{
    const source_entry *left = a, *right = b;
    int order = strcmp(left->shown, right->shown);
    return order ? order : (left->order > right->order) - (left->order < right->order);
}

void data_source_settle(data_source *source)
{
    while (take_off_folder(source)) {
    }
    if (source->count) {
        qsort(source->entries, source->count, sizeof *source->entries, by_name);
    }
    size_t kept = 0;
    for (size_t i = 0; i < source->count; i++) {
        bool again = i + 1 < source->count &&
                     strcmp(source->entries[i].shown, source->entries[i + 1].shown) == 0;
        if (again) {
            entry_free(&source->entries[i]);
        } else {
            source->entries[kept++] = source->entries[i];
        }
    }
    source->count = kept;
}

/* The first entry that does not come before `name`. */
static size_t lower_bound(const data_source *source, const char *name)
{
    size_t low = 0, high = source->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(source->entries[middle].shown, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const source_entry *source_memory_find(const data_source *source, const char *name)
{
    size_t at = lower_bound(source, name);
    bool found = at < source->count && strcmp(source->entries[at].shown, name) == 0;
    return found ? &source->entries[at] : NULL;
}

static bool within(const char *name, const char *folder)
{
    size_t length = strlen(folder);
    return !length || (strncmp(name, folder, length) == 0 && name[length] == '/');
}

bool source_memory_holds_folder(const data_source *source, const char *name)
{
    if (!*name) {
        return true;
    }
    /* "name-x" and the like stand between "name" and "name/y". */
    for (size_t i = lower_bound(source, name); i < source->count; i++) {
        const char *shown = source->entries[i].shown;
        if (within(shown, name)) {
            return true;
        }
        if (strncmp(shown, name, strlen(name)) != 0) {
            return false;
        }
    }
    return false;
}

static bool listed(const data_source_names *names, const char *part, size_t length)
{
    const char *last = names->count ? names->names[names->count - 1] : NULL;
    return last && strncmp(last, part, length) == 0 && last[length] == '/' && !last[length + 1];
}

pba_status source_memory_list(const data_source *source, const char *folder,
                              data_source_names *names)
{
    size_t skip = *folder ? strlen(folder) + 1 : 0;
    pba_status status = PBA_OK;
    for (size_t i = lower_bound(source, folder); i < source->count && status == PBA_OK; i++) {
        const char *shown = source->entries[i].shown;
        if (strncmp(shown, folder, strlen(folder)) != 0) {
            break;
        }
        if (within(shown, folder)) {
            const char *part = shown + skip;
            size_t length = strcspn(part, "/");
            bool is_folder = part[length] == '/';
            if (!is_folder || !listed(names, part, length)) {
                status = source_names_add(names, part, length, is_folder);
            }
        }
    }
    return status;
}
