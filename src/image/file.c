/* SPDX-License-Identifier: Apache-2.0
 * The caller's half of each job: files are read and written here, whole, so that their names are
 * nothing but names; the child gets bytes, and what it sends is believed only after a check. */
#include "image/file.h"

#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "image/codec.h"

/* An image of IMAGE_AREA_MAX pixels in 16 bit RGBA is held up to twice. */
const child_limits image_limits = {.memory = (size_t)5 << 30, .silence = 120, .processor = 120};

/* A child's job on one image, without libvips in this process; `job` lacks the limits. */
static pba_status run(child_job job)
{
    job.limits = image_limits;
    return child_run(&job);
}

/* ---------------------------------------------------------- across the pipe */

typedef struct packet {
    int32_t width, height, channels; /* all 0: no image */
} packet;

static size_t area_of(const pba_image *image)
{
    return (size_t)image->width * (size_t)image->height;
}

static pba_status send_image(child_stream *out, const pba_image *image)
{
    packet packet = {image->width, image->height, image->channels};
    pba_status status = child_write(out, &packet, sizeof packet);
    if (status == PBA_OK && image->pixels) {
        status = child_write(out, image->pixels, area_of(image) * (size_t)image->channels);
    }
    if (status == PBA_OK && image->pixels) {
        status = child_write(out, image->mask, area_of(image));
    }
    return status;
}

/* pba_image_create checks the sizes. */
static pba_status receive_image(child_stream *in, pba_image *image)
{
    packet packet;
    *image = (pba_image){0};
    pba_status status = child_read(in, &packet, sizeof packet);
    if (status != PBA_OK || (!packet.width && !packet.height && !packet.channels)) {
        return status;
    }
    status = pba_image_create(packet.width, packet.height, packet.channels, image);
    if (status == PBA_OK) {
        status = child_read(in, image->pixels, area_of(image) * (size_t)image->channels);
    }
    if (status == PBA_OK) {
        status = child_read(in, image->mask, area_of(image));
    }
    if (status != PBA_OK) {
        pba_image_free(image);
    }
    return status;
}

/* ----------------------------------------------------------------- reading */

typedef struct reading {
    const char *path;
    char *data;
    size_t size;
    pba_image *image;
} reading;

static pba_status decode_there(void *context, child_stream *out)
{
    reading *reading = context;
    pba_image image;
    pba_status status = image_start();
    if (status == PBA_OK) {
        status = image_decode(reading->path, reading->data, reading->size, &image);
    }
    if (status == PBA_OK) {
        status = send_image(out, &image);
        pba_image_free(&image);
    }
    return status;
}

static pba_status take_image(void *context, child_stream *in)
{
    reading *reading = context;
    pba_status status = receive_image(in, reading->image);
    if (status == PBA_OK && !reading->image->pixels) {
        status = status_set(PBA_INTERNAL, "%s: no image came out of it", reading->path);
    }
    return status;
}

pba_status pba_image_read(const char *path, pba_image *image)
{
    if (!path || !image) {
        return status_null(__func__);
    }
    *image = (pba_image){0};
    reading reading = {.path = path, .image = image};
    pba_status status = file_read(path, IMAGE_FILE_LIMIT, &reading.data, &reading.size);
    if (status == PBA_OK) {
        status = run((child_job){
            .what = path, .work = decode_there, .reader = take_image, .context = &reading});
        free(reading.data);
    }
    if (status != PBA_OK) {
        pba_image_free(image);
    }
    return status;
}

/* ----------------------------------------------------------------- writing */

typedef struct writing {
    const char *name;
    const pba_image *images;
    int count;
    bool mask;
    image_coded *coded;
} writing;

static pba_status encode_one(const writing *writing, int index, child_stream *out)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    pba_status status =
        image_encode(writing->name, &writing->images[index], writing->mask, &bytes, &length);
    uint64_t size = length;
    if (status == PBA_OK) {
        status = child_write(out, &size, sizeof size);
    }
    if (status == PBA_OK) {
        status = child_write(out, bytes, length);
    }
    free(bytes);
    return status;
}

static pba_status encode_there(void *context, child_stream *out)
{
    writing *writing = context;
    pba_status status = image_start();
    for (int i = 0; i < writing->count && status == PBA_OK; i++) {
        status = encode_one(writing, i, out);
    }
    return status;
}

static pba_status take_one(const writing *writing, int index, child_stream *in)
{
    const pba_image *image = &writing->images[index];
    size_t plain = area_of(image) * (size_t)(image->channels + 1);
    uint64_t size;
    pba_status status = child_read(in, &size, sizeof size);
    if (status != PBA_OK) {
        return status;
    }
    if (size > 2 * (uint64_t)plain + (1 << 20)) { /* no format needs as much */
        return status_set(PBA_INTERNAL, "%s: its encoding is far too long", writing->name);
    }
    image_coded *coded = &writing->coded[index];
    coded->size = (size_t)size;
    coded->bytes = memory_new(coded->size, 1);
    return coded->bytes ? child_read(in, coded->bytes, coded->size) : PBA_MEMORY;
}

static pba_status take_coded(void *context, child_stream *in)
{
    writing *writing = context;
    pba_status status = PBA_OK;
    for (int i = 0; i < writing->count && status == PBA_OK; i++) {
        status = take_one(writing, i, in);
    }
    return status;
}

pba_status image_encode_all(const char *name, const pba_image *images, int count, bool mask,
                            image_coded *coded)
{
    writing writing = {name, images, count, mask, coded};
    memset(coded, 0, (size_t)count * sizeof *coded);
    pba_status status = image_check_name(name, mask);
    const child_job job = {.what = name,
                           .who = "the encoder",
                           .advice = "choose another format",
                           .work = encode_there,
                           .reader = take_coded,
                           .context = &writing};
    return status == PBA_OK ? run(job) : status;
}

pba_status pba_image_write(const char *path, const pba_image *image, bool mask)
{
    if (!path || !image || !image->pixels) {
        return status_null(__func__);
    }
    image_coded coded = {0};
    pba_status status = image_check_sizes(image->width, image->height, image->channels);
    if (status == PBA_OK) {
        status = image_encode_all(path, image, 1, mask, &coded);
    }
    if (status == PBA_OK) {
        status = file_write(path, coded.bytes, coded.size);
    }
    free(coded.bytes);
    return status;
}

/* ------------------------------------------------------------------- texts */

typedef struct captions {
    const char *const *texts;
    int count, height;
    pba_image *images;
} captions;

static pba_status draw_there(void *context, child_stream *out)
{
    captions *captions = context;
    pba_status status = image_start();
    for (int i = 0; i < captions->count && status == PBA_OK; i++) {
        pba_image image;
        status = image_text(captions->texts[i], captions->height, &image);
        if (status == PBA_OK || status == PBA_UNSUPPORTED) { /* without pixels: no font */
            status = send_image(out, &image);
            pba_image_free(&image);
        }
    }
    return status;
}

static pba_status take_texts(void *context, child_stream *in)
{
    captions *captions = context;
    pba_status status = PBA_OK;
    for (int i = 0; i < captions->count && status == PBA_OK; i++) {
        status = receive_image(in, &captions->images[i]);
        if (status == PBA_OK && captions->images[i].pixels && captions->images[i].channels != 1) {
            status = status_set(PBA_INTERNAL, "a caption is not grey");
        }
    }
    return status;
}

pba_status image_texts(const char *const *texts, int count, int height, pba_image *images)
{
    captions captions = {texts, count, height, images};
    memset(images, 0, (size_t)count * sizeof *images);
    return run((child_job){.what = "captions",
                           .who = "the drawing of text",
                           .advice = "see to the fonts of this machine (fc-list)",
                           .work = draw_there,
                           .reader = take_texts,
                           .context = &captions});
}
