/* SPDX-License-Identifier: Apache-2.0
 * Files of any format that libvips' trusted loaders read, as grey or sRGB bytes. The loaders get
 * bytes, never names: libvips reads options out of names. */
#include <stdlib.h>
#include <string.h>

#include "image/codec.h"
#include "image/vips.h"

enum { FITTED_MAX = 1 << 26 }; /* pixels that are resized, before the middle is cut out */

/* ----------------------------------------------------------------- opening */

/* Reads the header. `shrink`: JPEG decodes to 1/shrink of the size (1, 2, 4, 8). "memory": what
 * cannot be decoded row by row (WebP, interlaced PNG) lies there, not in a file, which no child may
 * write. */
static pba_status open_image(vips_steps *steps, const void *data, size_t size, int shrink)
{
    VipsSource *source = vips_source_new_from_memory(data, size);
    VipsImage *image = NULL;
    if (source && shrink == 1) {
        image = vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                           VIPS_FAIL_ON_TRUNCATED, "memory", TRUE, NULL);
    } else if (source) {
        image = vips_image_new_from_source(source, "", "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                                           VIPS_FAIL_ON_TRUNCATED, "memory", TRUE, "shrink", shrink,
                                           NULL);
    }
    if (source) {
        g_object_unref(source);
    }
    if (!image) {
        return vips_failed(PBA_FORMAT, steps->name, "is no image file that can be read");
    }
    *vips_steps_next(steps) = image;
    vips_steps_done(steps, 0);
    int64_t area = (int64_t)image->Xsize * image->Ysize;
    if (area > IMAGE_AREA_MAX) {
        return status_set(PBA_UNSUPPORTED, "%s: %d x %d pixels: more than %d are refused",
                          steps->name, image->Xsize, image->Ysize, IMAGE_AREA_MAX);
    }
    return PBA_OK;
}

/* Whether upright means to change width and height. */
static bool lies_down(VipsImage *image)
{
    return vips_image_get_orientation_swap(image);
}

static bool is_jpeg(VipsImage *image)
{
    const char *loader = NULL;
    return vips_image_get_typeof(image, VIPS_META_LOADER) &&
           vips_image_get_string(image, VIPS_META_LOADER, &loader) == 0 &&
           strncmp(loader, "jpegload", 8) == 0;
}

static int colour_bands(VipsImage *image)
{
    return image->Bands - (vips_image_hasalpha(image) ? 1 : 0);
}

static pba_status take_header(const vips_steps *steps, image_header *header)
{
    VipsImage *image = vips_steps_last(steps);
    bool swap = lies_down(image);
    *header = (image_header){.width = swap ? image->Ysize : image->Xsize,
                             .height = swap ? image->Xsize : image->Ysize,
                             .channels = colour_bands(image) == 1 ? 1 : 3};
    return PBA_OK;
}

pba_status image_read_header(const char *name, const void *data, size_t size, image_header *header)
{
    vips_steps steps;
    vips_steps_open(&steps, name);
    pba_status status = open_image(&steps, data, size, 1);
    if (status == PBA_OK) {
        status = take_header(&steps, header);
    }
    vips_steps_close(&steps);
    return status;
}

/* ----------------------------------------------------------------- colours */

/* 16 bits become 8 by their upper byte. */
static pba_status to_bytes(vips_steps *steps)
{
    VipsImage *image = vips_steps_last(steps);
    if (image->BandFmt == VIPS_FORMAT_UCHAR) {
        return PBA_OK;
    }
    if (image->BandFmt != VIPS_FORMAT_USHORT) {
        return status_set(PBA_UNSUPPORTED, "%s: its pixels are neither 8 nor 16 bit integers",
                          steps->name);
    }
    bool done = vips_steps_done(steps, vips_msb(image, vips_steps_next(steps), NULL));
    return done ? PBA_OK : vips_failed(PBA_FORMAT, steps->name, "cannot be reduced to 8 bit");
}

/* What the bytes mean once 16 bits are gone; libvips itself would round grey and cut colours. */
static VipsInterpretation of_bytes(VipsInterpretation kind)
{
    return kind == VIPS_INTERPRETATION_RGB16    ? VIPS_INTERPRETATION_sRGB
           : kind == VIPS_INTERPRETATION_GREY16 ? VIPS_INTERPRETATION_B_W
                                                : kind;
}

static pba_status convert(vips_steps *steps, VipsInterpretation from, VipsInterpretation to)
{
    VipsImage *image = vips_steps_last(steps);
    bool done = vips_steps_done(
        steps, vips_colourspace(image, vips_steps_next(steps), to, "source_space", from, NULL));
    return done ? PBA_OK
                : vips_failed(PBA_UNSUPPORTED, steps->name, "its colours cannot be converted");
}

/* The colours of `source` as 1 or 3 bytes: grey stays grey, all else becomes sRGB. */
static pba_status to_colours(vips_steps *steps, VipsImage *source)
{
    int bands = colour_bands(source);
    VipsInterpretation kind = of_bytes(vips_image_guess_interpretation(source));
    VipsInterpretation target = bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (!vips_steps_done(steps,
                         vips_extract_band(source, vips_steps_next(steps), 0, "n", bands, NULL))) {
        return vips_failed(PBA_FORMAT, steps->name, "its colours cannot be taken");
    }
    pba_status status = to_bytes(steps);
    if (status == PBA_OK && kind != target) {
        status = convert(steps, kind, target);
    }
    if (status != PBA_OK) {
        return status;
    }
    VipsImage *colours = vips_steps_last(steps);
    if (colours->Bands != (bands == 1 ? 1 : 3) || colours->BandFmt != VIPS_FORMAT_UCHAR) {
        return status_set(PBA_UNSUPPORTED, "%s: has %d channels; 1, 3 and an alpha are read",
                          steps->name, colours->Bands);
    }
    return PBA_OK;
}

static pba_status to_mask(vips_steps *steps, VipsImage *source)
{
    bool done = vips_steps_done(
        steps, vips_extract_band(source, vips_steps_next(steps), source->Bands - 1, NULL));
    return done ? to_bytes(steps)
                : vips_failed(PBA_FORMAT, steps->name, "its alpha channel cannot be taken");
}

/* All pixels into memory; here a file shows that it is damaged. */
static pba_status load_pixels(vips_steps *steps)
{
    VipsImage *memory = vips_image_copy_memory(vips_steps_last(steps));
    *vips_steps_next(steps) = memory;
    return vips_steps_done(steps, memory ? 0 : -1)
               ? PBA_OK
               : vips_failed(PBA_FORMAT, steps->name,
                             "its pixels cannot be decoded; it is damaged");
}

static pba_status turn_upright(vips_steps *steps)
{
    bool done =
        vips_steps_done(steps, vips_autorot(vips_steps_last(steps), vips_steps_next(steps), NULL));
    return done ? PBA_OK : vips_failed(PBA_FORMAT, steps->name, "cannot be turned upright");
}

static pba_status take_bytes(const vips_steps *steps, uint8_t *out, size_t expected)
{
    size_t size = 0;
    void *bytes = vips_image_write_to_memory(vips_steps_last(steps), &size);
    if (!bytes || size != expected) {
        g_free(bytes);
        return vips_failed(PBA_FORMAT, steps->name, "its pixels cannot be decoded; it is damaged");
    }
    memcpy(out, bytes, size);
    g_free(bytes);
    return PBA_OK;
}

/* ------------------------------------------------------------- as it stands */

static pba_status take_colours(vips_steps *steps, VipsImage *source, pba_image *image)
{
    pba_status status = to_colours(steps, source);
    int channels = vips_steps_last(steps)->Bands;
    if (status == PBA_OK) {
        status = pba_image_create(source->Xsize, source->Ysize, channels, image);
    }
    size_t area = (size_t)source->Xsize * (size_t)source->Ysize;
    return status == PBA_OK ? take_bytes(steps, image->pixels, area * (size_t)channels) : status;
}

static pba_status take_mask(vips_steps *steps, VipsImage *source, pba_image *image)
{
    pba_status status = to_mask(steps, source);
    size_t area = (size_t)source->Xsize * (size_t)source->Ysize;
    return status == PBA_OK ? take_bytes(steps, image->mask, area) : status;
}

static pba_status decode(vips_steps *steps, const void *data, size_t size, pba_image *image)
{
    pba_status status = open_image(steps, data, size, 1);
    if (status == PBA_OK) {
        status = load_pixels(steps);
    }
    if (status == PBA_OK) {
        status = turn_upright(steps);
    }
    if (status != PBA_OK) {
        return status;
    }
    VipsImage *source = vips_steps_last(steps);
    status = take_colours(steps, source, image);
    return status == PBA_OK && vips_image_hasalpha(source) ? take_mask(steps, source, image)
                                                           : status;
}

pba_status image_decode(const char *name, const void *data, size_t size, pba_image *image)
{
    vips_steps steps;
    *image = (pba_image){0};
    vips_steps_open(&steps, name);
    pba_status status = decode(&steps, data, size, image);
    if (status != PBA_OK) {
        pba_image_free(image);
    }
    vips_steps_close(&steps);
    return status;
}

/* --------------------------------------------------------------- to a size */

/* The size of the whole image that covers the target or lies within it; sides keep their ratio to
 * half a pixel. */
static image_header fitted_size(int width, int height, const image_target *target)
{
    int64_t w = target->width, h = target->height;
    bool wide = w * height >= h * width; /* the width decides when covering */
    if (wide != target->pad) {
        h = ((int64_t)height * w + width / 2) / width;
    } else {
        w = ((int64_t)width * h + height / 2) / height;
    }
    int64_t limit = INT32_MAX / 2;
    return (image_header){.width = (int)(w < 1       ? 1
                                         : w > limit ? limit
                                                     : w),
                          .height = (int)(h < 1       ? 1
                                          : h > limit ? limit
                                                      : h),
                          .channels = target->channels};
}

/* JPEG's own shrinking is a plain mean: a factor of two is left to the better kernel. */
static int load_shrink(VipsImage *image, const image_header *fitted)
{
    if (!is_jpeg(image)) {
        return 1;
    }
    int x = image->Xsize / fitted->width, y = image->Ysize / fitted->height;
    int factor = x < y ? x : y;
    return factor >= 16 ? 8 : factor >= 8 ? 4 : factor >= 4 ? 2 : 1;
}

/* Alpha over black. */
static pba_status to_opaque(vips_steps *steps, VipsImage *source)
{
    pba_status status = to_colours(steps, source);
    if (status != PBA_OK || !vips_image_hasalpha(source)) {
        return status;
    }
    VipsImage *colours = vips_steps_last(steps);
    status = to_mask(steps, source);
    if (status != PBA_OK) {
        return status;
    }
    VipsImage *mask = vips_steps_last(steps);
    bool done =
        vips_steps_done(steps, vips_bandjoin2(colours, mask, vips_steps_next(steps), NULL)) &&
        vips_steps_done(steps, vips_flatten(vips_steps_last(steps), vips_steps_next(steps),
                                            "max_alpha", 255.0, NULL));
    return done ? PBA_OK : vips_failed(PBA_FORMAT, steps->name, "its alpha cannot be applied");
}

static pba_status resize(vips_steps *steps, const image_header *fitted)
{
    VipsImage *image = vips_steps_last(steps);
    if (image->Xsize == fitted->width && image->Ysize == fitted->height) {
        return PBA_OK;
    }
    double x = fitted->width / (double)image->Xsize, y = fitted->height / (double)image->Ysize;
    bool done =
        vips_steps_done(steps, vips_resize(image, vips_steps_next(steps), x, "vscale", y, NULL));
    return done ? PBA_OK : vips_failed(PBA_FORMAT, steps->name, "cannot be resized");
}

/* The middle, or black around it; grey as three channels where the target has three. */
static pba_status frame(vips_steps *steps, const image_target *target)
{
    VipsImage *image = vips_steps_last(steps);
    int left = (target->width - image->Xsize) / 2, top = (target->height - image->Ysize) / 2;
    bool done = vips_steps_done(steps, vips_embed(image, vips_steps_next(steps), left, top,
                                                  target->width, target->height, NULL));
    if (!done) {
        return vips_failed(PBA_FORMAT, steps->name, "its middle cannot be cut out");
    }
    return image->Bands < target->channels
               ? convert(steps, VIPS_INTERPRETATION_B_W, VIPS_INTERPRETATION_sRGB)
               : PBA_OK;
}

/* Opens again, with what JPEG can shrink by itself. */
static pba_status open_to_fit(vips_steps *steps, const void *data, size_t size,
                              const image_target *target, image_header *fitted)
{
    pba_status status = open_image(steps, data, size, 1);
    if (status != PBA_OK) {
        return status;
    }
    VipsImage *image = vips_steps_last(steps);
    image_target stored = *target;
    if (lies_down(image)) {
        stored.width = target->height;
        stored.height = target->width;
    }
    *fitted = fitted_size(image->Xsize, image->Ysize, &stored);
    if ((int64_t)fitted->width * fitted->height > FITTED_MAX) {
        return status_set(PBA_UNSUPPORTED,
                          "%s: %d x %d pixels are too long and narrow to cover %d x %d",
                          steps->name, image->Xsize, image->Ysize, stored.width, stored.height);
    }
    int shrink = load_shrink(image, fitted);
    return shrink > 1 ? open_image(steps, data, size, shrink) : PBA_OK;
}

static pba_status decode_to(vips_steps *steps, const void *data, size_t size,
                            const image_target *target, uint8_t *out)
{
    image_header fitted;
    pba_status status = open_to_fit(steps, data, size, target, &fitted);
    if (status == PBA_OK) {
        status = to_opaque(steps, vips_steps_last(steps));
    }
    if (status == PBA_OK) {
        status = resize(steps, &fitted);
    }
    if (status == PBA_OK) {
        status = load_pixels(steps);
    }
    if (status == PBA_OK) {
        status = turn_upright(steps);
    }
    if (status == PBA_OK) {
        status = frame(steps, target);
    }
    size_t area = (size_t)target->width * (size_t)target->height;
    return status == PBA_OK ? take_bytes(steps, out, area * (size_t)target->channels) : status;
}

pba_status image_decode_to(const char *name, const void *data, size_t size,
                           const image_target *target, uint8_t *out)
{
    vips_steps steps;
    vips_steps_open(&steps, name);
    pba_status status = decode_to(&steps, data, size, target, out);
    vips_steps_close(&steps);
    return status;
}
