/* SPDX-License-Identifier: Apache-2.0
 * Reading and writing through libvips. A file is read into memory first, so that its name is
 * nothing but a name (libvips reads options out of names) and its size is bounded; what comes out
 * is written to memory, then to disk whole or not at all. */
#include "image/file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vips/vips.h>

#include "core/file.h"
#include "core/memory.h"

enum { FILE_LIMIT = 1 << 30 };

/* --------------------------------------------------------------- libvips */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int start_code;

static void silent(const char *domain, GLogLevelFlags level, const char *text, void *user)
{
}

static void start(void)
{
    start_code = vips_init("pba");
    if (start_code == 0) {
        g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE,
                          silent, NULL);
#if VIPS_MAJOR_VERSION > 8 || VIPS_MINOR_VERSION >= 13
        vips_block_untrusted_set(TRUE);
#endif
        vips_cache_set_max(0); /* its keys are addresses of buffers that we free */
    }
}

pba_status image_start(void)
{
    pthread_once(&once, start);
    return start_code == 0 ? PBA_OK : status_set(PBA_INTERNAL, "libvips does not start");
}

/* The last complaint of libvips, its first line. Its buffer is shared by all threads: good for a
 * detail, not for a decision. */
static pba_status failed(pba_status status, const char *path, const char *what)
{
    char *detail = vips_error_buffer_copy();
    detail[strcspn(detail, "\r\n")] = 0;
    status_set(status, "%s: %s%s%s%s", path, what, *detail ? " (" : "", detail, *detail ? ")" : "");
    g_free(detail);
    return status;
}

/* --------------------------------------------------------------- reading */

/* Intermediate images, released together: the slots belong to an object of libvips. */
typedef struct steps {
    const char *path;
    VipsImage *owner, **slots;
    int used;
} steps;

enum { STEPS = 12 };

static VipsImage *last(const steps *steps)
{
    return steps->slots[steps->used - 1];
}

/* Whether a call of libvips that fills the next slot succeeded. */
static bool step(steps *steps, int code)
{
    steps->used += code == 0;
    return code == 0;
}

static VipsImage **next(steps *steps)
{
    return &steps->slots[steps->used];
}

static pba_status open_image(steps *steps, const char *data, size_t size)
{
    VipsSource *source = vips_source_new_from_memory(data, size);
    VipsImage *image =
        source ? vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                            VIPS_FAIL_ON_TRUNCATED, NULL)
               : NULL;
    if (source) {
        g_object_unref(source);
    }
    if (!image) {
        return failed(PBA_FORMAT, steps->path, "is no image file that can be read");
    }
    *next(steps) = image;
    step(steps, 0);
    int64_t area = (int64_t)image->Xsize * image->Ysize;
    if (area > IMAGE_AREA_MAX) {
        return status_set(PBA_UNSUPPORTED, "%s: %d x %d pixels: more than %d are refused",
                          steps->path, image->Xsize, image->Ysize, IMAGE_AREA_MAX);
    }
    return PBA_OK;
}

/* All pixels into memory, by one thread: with several, libvips (8.14) may end a decoding without
 * waiting for the one that finds the damage, and a file that is cut off passes once in a thousand
 * times. Then upright. */
static pba_status load_pixels(steps *steps)
{
    bool done = step(steps, vips_copy(last(steps), next(steps), NULL));
    if (done) {
        vips_image_set_int(last(steps), VIPS_META_CONCURRENCY, 1);
        *next(steps) = vips_image_copy_memory(last(steps));
        done = step(steps, *next(steps) ? 0 : -1);
    }
    if (!done) {
        return failed(PBA_FORMAT, steps->path, "its pixels cannot be decoded; it is damaged");
    }
    done = step(steps, vips_autorot(last(steps), next(steps), NULL));
    return done ? PBA_OK : failed(PBA_FORMAT, steps->path, "cannot be turned upright");
}

/* 16 bits become 8 by their upper byte. */
static pba_status to_bytes(steps *steps)
{
    VipsImage *image = last(steps);
    if (image->BandFmt == VIPS_FORMAT_UCHAR) {
        return PBA_OK;
    }
    if (image->BandFmt != VIPS_FORMAT_USHORT) {
        return status_set(PBA_UNSUPPORTED, "%s: its pixels are neither 8 nor 16 bit integers",
                          steps->path);
    }
    bool done = step(steps, vips_msb(image, next(steps), NULL));
    return done ? PBA_OK : failed(PBA_FORMAT, steps->path, "cannot be reduced to 8 bit");
}

/* What the bytes mean once 16 bits are gone; libvips itself would round grey and cut colours. */
static VipsInterpretation of_bytes(VipsInterpretation kind)
{
    return kind == VIPS_INTERPRETATION_RGB16    ? VIPS_INTERPRETATION_sRGB
           : kind == VIPS_INTERPRETATION_GREY16 ? VIPS_INTERPRETATION_B_W
                                                : kind;
}

/* Colours as 1 or 3 bytes: grey stays grey, all else becomes sRGB. */
static pba_status to_colours(steps *steps, VipsInterpretation kind, int bands)
{
    VipsInterpretation target = bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    pba_status status = to_bytes(steps);
    if (status != PBA_OK) {
        return status;
    }
    if (of_bytes(kind) != target &&
        !step(steps, vips_colourspace(last(steps), next(steps), target, "source_space",
                                      of_bytes(kind), NULL))) {
        return failed(PBA_UNSUPPORTED, steps->path, "its colours cannot be converted");
    }
    if (last(steps)->Bands != (bands == 1 ? 1 : 3) || last(steps)->BandFmt != VIPS_FORMAT_UCHAR) {
        return status_set(PBA_UNSUPPORTED, "%s: has %d channels; 1, 3 and an alpha are read",
                          steps->path, last(steps)->Bands);
    }
    return PBA_OK;
}

static pba_status take_bytes(const steps *steps, uint8_t *out, size_t expected)
{
    size_t size = 0;
    void *bytes = vips_image_write_to_memory(last(steps), &size);
    if (!bytes || size != expected) {
        g_free(bytes);
        return failed(PBA_FORMAT, steps->path, "its pixels cannot be decoded; it is damaged");
    }
    memcpy(out, bytes, size);
    g_free(bytes);
    return PBA_OK;
}

static pba_status take_colours(steps *steps, VipsImage *source, int bands, pba_image *image)
{
    VipsInterpretation kind = vips_image_guess_interpretation(source);
    if (!step(steps, vips_extract_band(source, next(steps), 0, "n", bands, NULL))) {
        return failed(PBA_FORMAT, steps->path, "its colours cannot be taken");
    }
    pba_status status = to_colours(steps, kind, bands);
    if (status == PBA_OK) {
        status = pba_image_create(source->Xsize, source->Ysize, last(steps)->Bands, image);
    }
    size_t area = (size_t)source->Xsize * (size_t)source->Ysize;
    return status == PBA_OK ? take_bytes(steps, image->pixels, area * (size_t)image->channels)
                            : status;
}

static pba_status take_mask(steps *steps, VipsImage *source, int band, pba_image *image)
{
    if (!step(steps, vips_extract_band(source, next(steps), band, NULL))) {
        return failed(PBA_FORMAT, steps->path, "its alpha channel cannot be taken");
    }
    pba_status status = to_bytes(steps);
    size_t area = (size_t)source->Xsize * (size_t)source->Ysize;
    return status == PBA_OK ? take_bytes(steps, image->mask, area) : status;
}

static pba_status decode(steps *steps, const char *data, size_t size, pba_image *image)
{
    pba_status status = open_image(steps, data, size);
    if (status == PBA_OK) {
        status = load_pixels(steps);
    }
    if (status != PBA_OK) {
        return status;
    }
    VipsImage *source = last(steps);
    bool alpha = vips_image_hasalpha(source);
    int bands = source->Bands - (alpha ? 1 : 0);
    status = take_colours(steps, source, bands, image);
    return status == PBA_OK && alpha ? take_mask(steps, source, bands, image) : status;
}

pba_status pba_image_read(const char *path, pba_image *image)
{
    *image = (pba_image){0};
    char *data = NULL;
    size_t size = 0;
    pba_status status = image_start();
    if (status == PBA_OK) {
        status = file_read(path, FILE_LIMIT, &data, &size);
    }
    if (status != PBA_OK) {
        return status;
    }
    steps steps = {.path = path, .owner = vips_image_new()};
    steps.slots = (VipsImage **)vips_object_local_array(VIPS_OBJECT(steps.owner), STEPS);
    status = decode(&steps, data, size, image);
    if (status != PBA_OK) {
        pba_image_free(image);
    }
    g_object_unref(steps.owner);
    free(data);
    return status;
}

/* --------------------------------------------------------------- writing */

typedef struct writer {
    const char *suffix;
    const char *saver; /* the suffix with the options that keep pixels as they are, or nearly */
    bool alpha;
} writer;

static const writer writers[] = {
    {".png", ".png", true},  {".webp", ".webp[lossless]", true}, {".tif", ".tif", true},
    {".tiff", ".tif", true}, {".jpg", ".jpg[Q=95]", false},      {".jpeg", ".jpg[Q=95]", false},
};
enum { WRITERS = sizeof writers / sizeof *writers };

static pba_status find_writer(const char *path, bool mask, const writer **found)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *suffix = strrchr(name, '.');
    for (int i = 0; suffix && i < WRITERS; i++) {
        if (g_ascii_strcasecmp(suffix, writers[i].suffix) != 0) {
            continue;
        }
        if (mask && !writers[i].alpha) {
            return status_set(PBA_USAGE, "%s: %s holds no alpha channel; use .png", path, suffix);
        }
        *found = &writers[i];
        return PBA_OK;
    }
    return status_set(PBA_USAGE,
                      "%s: its suffix names no format that is written; use .png, .webp, .tif or "
                      ".jpg",
                      path);
}

/* channels, and the mask behind them if asked for, interleaved */
static uint8_t *gather(const pba_image *image, size_t area, int bands)
{
    uint8_t *bytes = memory_new(area, (size_t)bands);
    size_t channels = (size_t)image->channels;
    for (size_t i = 0; bytes && i < area; i++) {
        uint8_t *pixel = bytes + i * (size_t)bands;
        memcpy(pixel, image->pixels + i * channels, channels);
        if ((size_t)bands > channels) {
            pixel[channels] = image->mask ? image->mask[i] : 255;
        }
    }
    return bytes;
}

/* `path` is for the messages. The bytes are for g_free. */
static pba_status encode_bytes(const char *path, const writer *writer, const pba_image *image,
                               const uint8_t *bytes, int bands, void **coded, size_t *coded_size)
{
    size_t size = (size_t)image->width * (size_t)image->height * (size_t)bands;
    VipsImage *plain = vips_image_new_from_memory(bytes, size, image->width, image->height, bands,
                                                  VIPS_FORMAT_UCHAR);
    if (!plain) {
        return failed(PBA_MEMORY, path, "cannot be prepared");
    }
    plain->Type = image->channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    int code = vips_image_write_to_buffer(plain, writer->saver, coded, coded_size, NULL);
    g_object_unref(plain);
    return code == 0 ? PBA_OK : failed(PBA_UNSUPPORTED, path, "cannot be encoded");
}

static pba_status encode(const char *path, const writer *writer, const pba_image *image, bool mask,
                         void **coded, size_t *coded_size)
{
    pba_status status = image_start();
    if (status != PBA_OK) {
        return status;
    }
    int bands = image->channels + (mask ? 1 : 0);
    uint8_t *bytes = gather(image, (size_t)image->width * (size_t)image->height, bands);
    if (!bytes) {
        return PBA_MEMORY;
    }
    status = encode_bytes(path, writer, image, bytes, bands, coded, coded_size);
    free(bytes);
    return status;
}

pba_status pba_image_write(const char *path, const pba_image *image, bool mask)
{
    const writer *writer = NULL;
    void *coded = NULL;
    size_t size;
    pba_status status = find_writer(path, mask, &writer);
    if (status == PBA_OK) {
        status = encode(path, writer, image, mask, &coded, &size);
    }
    if (status == PBA_OK) {
        status = file_write(path, coded, size);
        g_free(coded);
    }
    return status;
}

pba_status image_png(const pba_image *image, bool mask, uint8_t **bytes, size_t *size)
{
    void *coded = NULL;
    *bytes = NULL;
    pba_status status = encode("image.png", &writers[0], image, mask, &coded, size);
    if (status != PBA_OK) {
        return status;
    }
    *bytes = memory_new(*size, 1);
    if (*bytes) {
        memcpy(*bytes, coded, *size);
    }
    g_free(coded);
    return *bytes ? PBA_OK : PBA_MEMORY;
}

/* ------------------------------------------------------------------ text */

pba_status image_text(const char *text, int height, pba_image *image)
{
    *image = (pba_image){0};
    pba_status status = image_start();
    if (status != PBA_OK) {
        return status;
    }
    char *escaped = g_markup_escape_text(text, -1), font[32];
    snprintf(font, sizeof font, "sans %d", height);
    VipsImage *drawn = NULL;
    int code = vips_text(&drawn, escaped, "font", font, "dpi", 72, NULL);
    g_free(escaped);
    if (code != 0) {
        return failed(PBA_UNSUPPORTED, text, "the caption cannot be drawn");
    }
    steps steps = {.path = text, .slots = &drawn, .used = 1};
    status = pba_image_create(drawn->Xsize, drawn->Ysize, 1, image);
    if (status == PBA_OK) {
        status = take_bytes(&steps, image->pixels, (size_t)drawn->Xsize * (size_t)drawn->Ysize);
    }
    if (status != PBA_OK) {
        pba_image_free(image);
    }
    g_object_unref(drawn);
    return status;
}
