/* SPDX-License-Identifier: Apache-2.0
 * What files of images hold, and lines of text as images. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/memory.h"
#include "image/codec.h"
#include "image/vips.h"

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

static const writer *find_writer(const char *suffix)
{
    for (int i = 0; suffix && i < WRITERS; i++) {
        if (strcasecmp(suffix, writers[i].suffix) == 0) {
            return &writers[i];
        }
    }
    return NULL;
}

static const char *suffix_of(const char *name)
{
    const char *folder = strrchr(name, '/');
    return strrchr(folder ? folder : name, '.');
}

pba_status image_check_name(const char *name, bool mask)
{
    const char *suffix = suffix_of(name);
    const writer *writer = find_writer(suffix);
    if (!writer) {
        return status_set(PBA_USAGE,
                          "%s: its suffix names no format that is written; use .png, .webp, .tif "
                          "or .jpg",
                          name);
    }
    if (mask && !writer->alpha) {
        return status_set(PBA_USAGE, "%s: %s holds no alpha channel; use .png", name, suffix);
    }
    return PBA_OK;
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

static pba_status encode(const char *name, const pba_image *image, const uint8_t *bytes, int bands,
                         uint8_t **coded, size_t *coded_size)
{
    size_t size = (size_t)image->width * (size_t)image->height * (size_t)bands;
    VipsImage *plain = vips_image_new_from_memory(bytes, size, image->width, image->height, bands,
                                                  VIPS_FORMAT_UCHAR);
    if (!plain) {
        return vips_failed(PBA_MEMORY, name, "cannot be prepared");
    }
    plain->Type = image->channels == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    const char *saver = find_writer(suffix_of(name))->saver;
    int code = vips_image_write_to_buffer(plain, saver, (void **)coded, coded_size, NULL);
    g_object_unref(plain);
    return code == 0 ? PBA_OK : vips_failed(PBA_UNSUPPORTED, name, "cannot be encoded");
}

pba_status image_encode(const char *name, const pba_image *image, bool mask, uint8_t **coded,
                        size_t *size)
{
    int bands = image->channels + (mask ? 1 : 0);
    uint8_t *bytes = gather(image, (size_t)image->width * (size_t)image->height, bands);
    if (!bytes) {
        return PBA_MEMORY;
    }
    pba_status status = encode(name, image, bytes, bands, coded, size);
    free(bytes);
    return status;
}

pba_status image_text(const char *text, int height, pba_image *image)
{
    *image = (pba_image){0};
    char *escaped = g_markup_escape_text(text, -1), font[32];
    snprintf(font, sizeof font, "sans %d", height);
    VipsImage *drawn = NULL;
    int code = vips_text(&drawn, escaped, "font", font, "dpi", 72, NULL);
    g_free(escaped);
    if (code != 0) {
        return vips_failed(PBA_UNSUPPORTED, text, "the caption cannot be drawn");
    }
    size_t size = 0;
    void *ink = vips_image_write_to_memory(drawn, &size);
    pba_status status = pba_image_create(drawn->Xsize, drawn->Ysize, 1, image);
    if (status == PBA_OK && ink && size == (size_t)drawn->Xsize * (size_t)drawn->Ysize) {
        memcpy(image->pixels, ink, size);
    } else if (status == PBA_OK) {
        pba_image_free(image);
        status = vips_failed(PBA_UNSUPPORTED, text, "the caption cannot be drawn");
    }
    g_free(ink);
    g_object_unref(drawn);
    return status;
}
