/* SPDX-License-Identifier: Apache-2.0
 * Folders of class folders with image files of any size and of any format that libvips' trusted
 * loaders read (image/codec.h): what lies where in folder_items.h, made equal in size here. First
 * all headers are read, so that sizes and memory are settled before anything is decoded. Each file
 * is announced before it is touched: should its decoder die or hang, it is known which one it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "core/threads.h"
#include "data/formats/folder_items.h"
#include "image/codec.h"

enum {
    FILE_MAX = 1 << 28, /* bytes */
    KEPT_MAX = 96,      /* side up to which images of one size stay as they are */
    SIDE = 64,          /* what others become where no size is given */
    AREA_MAX = 1 << 24, /* pixels of what they become */
    NAMED = 3           /* broken files that the notes name */
};

typedef struct reading {
    const data_source *source;
    const pba_dataset_options *options;
    folder_items items;
    image_target target;
    int bad;
    char bad_names[256];
} reading;

/* -------------------------------------------------------------- broken files */

static bool is_damage(pba_status status)
{
    return status == PBA_FORMAT || status == PBA_UNSUPPORTED || status == PBA_IO ||
           status == PBA_NOT_FOUND;
}

/* With skip_bad a file that cannot be read is left out; else the error says that it could be. */
static pba_status judge(reading *reading, folder_item *item, pba_status status)
{
    if (!is_damage(status)) {
        return status;
    }
    if (!reading->options->skip_bad) {
        char *message = memory_text(pba_error_message());
        if (message) {
            status_set(status, "%s; --skip-bad leaves such files out", message);
        }
        free(message);
        return status;
    }
    item->bad = true;
    if (reading->bad++ < NAMED) {
        char name[PBA_NAME_MAX];
        size_t used = strlen(reading->bad_names);
        folder_printable(item->name, name, sizeof name);
        snprintf(reading->bad_names + used, sizeof reading->bad_names - used, "%s%s",
                 used ? ", " : "", name);
    }
    return PBA_OK;
}

static pba_status check_classes(const reading *reading)
{
    const folder_items *items = &reading->items;
    bool *seen = memory_new((size_t)items->class_count, sizeof *seen);
    if (!seen) {
        return PBA_MEMORY;
    }
    for (int i = 0; i < items->count; i++) {
        seen[items->items[i].label] |= items->items[i].split == PBA_TRAIN && !items->items[i].bad;
    }
    pba_status status = PBA_OK;
    for (int i = 0; i < items->class_count && status == PBA_OK; i++) {
        if (!seen[i]) {
            char name[PBA_NAME_MAX];
            folder_printable(items->classes[i], name, sizeof name);
            status = status_set(PBA_FORMAT, "%s: all training images of class %s are broken (%s)",
                                data_source_path(reading->source), name, reading->bad_names);
        }
    }
    free(seen);
    return status;
}

/* ------------------------------------------------------------------ each file */

typedef struct file_work {
    const char *doing;
    pba_status (*work)(reading *reading, folder_item *item, const char *name, const char *data,
                       size_t size, void *out);
} file_work;

static pba_status announce(const reading *reading, const file_work *work, const char *name,
                           int index)
{
    pba_status status = data_announce(reading->options, name);
    return status == PBA_OK
               ? data_progress(reading->options, work->doing, index + 1, reading->items.count)
               : status;
}

static pba_status with_file(reading *reading, int index, const file_work *work, void *out)
{
    folder_item *item = &reading->items.items[index];
    char name[PBA_PATH_MAX], *data = NULL;
    size_t size = 0;
    data_source_describe(reading->source, item->name, name);
    pba_status status = announce(reading, work, name, index);
    if (status != PBA_OK) {
        return status;
    }
    status = data_source_read(reading->source, item->name, FILE_MAX, &data, &size);
    if (status == PBA_OK) {
        status = work->work(reading, item, name, data, size, out);
    }
    free(data);
    return judge(reading, item, status);
}

static pba_status look(reading *reading, folder_item *item, const char *name, const char *data,
                       size_t size, void *out)
{
    image_header header = {0};
    pba_status status = image_read_header(name, data, size, &header);
    item->width = header.width;
    item->height = header.height;
    item->channels = header.channels;
    return status;
}

static pba_status decode(reading *reading, folder_item *item, const char *name, const char *data,
                         size_t size, void *out)
{
    return image_decode_to(name, data, size, &reading->target, out);
}

/* All headers; what goes wrong next is no single file's doing. */
static pba_status read_headers(reading *reading)
{
    const file_work looking = {"headers of images", look};
    pba_status status = PBA_OK;
    for (int i = 0; i < reading->items.count && status == PBA_OK; i++) {
        status = with_file(reading, i, &looking, NULL);
    }
    if (status == PBA_OK) {
        status = data_announce(reading->options, data_source_path(reading->source));
    }
    return status == PBA_OK ? check_classes(reading) : status;
}

static pba_status decode_all(reading *reading, data_content *content)
{
    const file_work decoding = {"images", decode};
    pba_status status = PBA_OK;
    size_t stored = 0, bytes = data_image_bytes(content);
    for (int i = 0; i < reading->items.count && status == PBA_OK; i++) {
        const folder_item *item = &reading->items.items[i];
        if (item->bad) {
            continue;
        }
        status = with_file(reading, i, &decoding, content->pixels + stored * bytes);
        if (status == PBA_OK && !item->bad) {
            content->labels[stored++] = item->label;
            content->counts[item->split]++;
        }
    }
    return status == PBA_OK ? check_classes(reading) : status;
}

/* ---------------------------------------------------------------------- sizes */

typedef struct range {
    int least_width, least_height, most_width, most_height, channels, images;
} range;

static range sizes(const folder_items *items)
{
    range range = {.least_width = INT32_MAX, .least_height = INT32_MAX, .channels = 1};
    for (int i = 0; i < items->count; i++) {
        const folder_item *item = &items->items[i];
        if (item->bad) {
            continue;
        }
        range.images++;
        range.least_width = item->width < range.least_width ? item->width : range.least_width;
        range.least_height = item->height < range.least_height ? item->height : range.least_height;
        range.most_width = item->width > range.most_width ? item->width : range.most_width;
        range.most_height = item->height > range.most_height ? item->height : range.most_height;
        range.channels = item->channels > range.channels ? item->channels : range.channels;
    }
    return range;
}

static void tell_resizing(const reading *reading, const range *range, data_content *content)
{
    const image_target *target = &reading->target;
    bool one_size =
        range->least_width == range->most_width && range->least_height == range->most_height;
    if (one_size && range->most_width == target->width && range->most_height == target->height) {
        return;
    }
    char stored[80];
    snprintf(stored, sizeof stored, "%d x %d", range->least_width, range->least_height);
    if (!one_size) {
        snprintf(stored, sizeof stored, "%d to %d by %d to %d", range->least_width,
                 range->most_width, range->least_height, range->most_height);
    }
    data_note(content, "images of %s pixels resized to %d x %d (--size), %s", stored, target->width,
              target->height,
              target->pad ? "with black borders where the shape differs"
                          : "their middle cut out where the shape differs (--fit)");
}

static pba_status settle_size(reading *reading, data_content *content)
{
    range range = sizes(&reading->items);
    image_target *target = &reading->target;
    bool keep = range.least_width == range.most_width && range.least_height == range.most_height &&
                range.most_width <= KEPT_MAX && range.most_height <= KEPT_MAX;
    *target = (image_target){.width = keep ? range.most_width : SIDE,
                             .height = keep ? range.most_height : SIDE,
                             .channels = range.channels,
                             .pad = strcmp(reading->options->fit, "pad") == 0};
    if (*reading->options->size) {
        data_parse_size(reading->options->size, &target->width, &target->height);
    }
    if ((int64_t)target->width * target->height > AREA_MAX) {
        return status_set(PBA_USAGE, "size %d x %d: more than %d pixels an image are not read",
                          target->width, target->height, AREA_MAX);
    }
    content->width = target->width;
    content->height = target->height;
    content->channels = target->channels;
    tell_resizing(reading, &range, content);
    /* below 2^31 images of 3 x 2^24 bytes: no overflow */
    uint64_t bytes = (uint64_t)range.images * data_image_bytes(content);
    pba_status status = threads_memory_check(bytes);
    return status == PBA_OK
               ? data_reserve(content, (size_t)range.images)
               : status_prefix(status, "%s: %d images of %d x %d (give a smaller --size)",
                               data_source_path(reading->source), range.images, target->width,
                               target->height);
}

/* ----------------------------------------------------------------------- row */

static pba_status take_names(const folder_items *items, data_content *content)
{
    content->names = memory_new((size_t)items->class_count, sizeof *content->names);
    if (!content->names) {
        return PBA_MEMORY;
    }
    content->classes = items->class_count;
    for (int i = 0; i < items->class_count; i++) {
        folder_printable(items->classes[i], content->names[i], sizeof *content->names);
    }
    return PBA_OK;
}

static void tell(const reading *reading, data_content *content)
{
    if (reading->bad) {
        data_note(content, "%d broken file%s left out: %s%s", reading->bad,
                  reading->bad == 1 ? "" : "s", reading->bad_names,
                  reading->bad > NAMED ? " ..." : "");
    }
    if (*reading->items.others) {
        data_note(content, "not read: %s%s", reading->items.others,
                  reading->items.more_others ? " ..." : "");
    }
}

static pba_status open_all(reading *reading, data_content *content)
{
    pba_status status = folder_items_find(reading->source, &reading->items);
    if (status == PBA_OK) {
        status = image_start();
    }
    if (status == PBA_OK) {
        status = read_headers(reading);
    }
    if (status == PBA_OK) {
        status = settle_size(reading, content);
    }
    if (status == PBA_OK) {
        status = decode_all(reading, content);
    }
    if (status == PBA_OK) {
        tell(reading, content);
        data_default_baseline(content, true);
        status = take_names(&reading->items, content);
    }
    return status == PBA_OK ? data_announce(reading->options, data_source_path(reading->source))
                            : status;
}

static pba_status open_folder(const data_source *source, const pba_dataset_options *options,
                              data_content *content)
{
    reading reading = {.source = source, .options = options};
    pba_status status = open_all(&reading, content);
    folder_items_free(&reading.items);
    return status;
}

const data_format data_folder = {.name = "folder",
                                 .sentence = "A folder of image files for each class.",
                                 .looks_for =
                                     "CLASS/*.jpg, or train/CLASS/*.jpg; also .png, .webp, "
                                     ".tif, .gif, .heic",
                                 .recognizes = folder_recognizes,
                                 .open = open_folder,
                                 .third_party = true,
                                 .resizes = true,
                                 .test_share = 6,
                                 .val_share = 5,
                                 .val_max = 5000};
