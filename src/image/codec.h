/* SPDX-License-Identifier: Apache-2.0
 * Images from and to the bytes of files, in memory, through libvips. Only in a child process
 * (core/child.h), after image_start: the process of the caller never starts libvips. */
#ifndef IMAGE_CODEC_H
#define IMAGE_CODEC_H

#include "core/status.h"

enum { IMAGE_AREA_MAX = 1 << 28 }; /* pixels; larger images are refused before they are decoded */

/* What any image of ours may be: PBA_USAGE, PBA_UNSUPPORTED for too large a one. */
pba_status image_check_sizes(int width, int height, int channels);

/* Starts libvips: its trusted loaders only, one thread, no messages on standard error. */
pba_status image_start(void);

typedef struct image_header {
    int width, height; /* upright, as EXIF says */
    int channels;      /* 1 or 3 */
} image_header;

/* `name` is what messages call the file. Reads the header alone. */
pba_status image_read_header(const char *name, const void *data, size_t size, image_header *header);

/* As pba_image_read says. */
pba_status image_decode(const char *name, const void *data, size_t size, pba_image *image);

/* How an image of any size becomes one of this size. */
typedef struct image_target {
    int width, height, channels; /* channels 1: only for images that have one */
    bool pad;                    /* black borders around the whole image, not the middle cut out */
} image_target;

/* Upright, alpha over black, resized (box to twice the size, then Lanczos; JPEG is shrunk while
 * it is decoded), into height x width x channels bytes. One that has the target's size already
 * keeps its pixels. */
pba_status image_decode_to(const char *name, const void *data, size_t size,
                           const image_target *target, uint8_t *out);

/* What the file `name` is to hold, by its suffix, for free(). PBA_USAGE for a suffix that is not
 * written, or that cannot hold the mask (image_check_name, which needs no libvips). */
pba_status image_check_name(const char *name, bool mask);
pba_status image_encode(const char *name, const pba_image *image, bool mask, uint8_t **coded,
                        size_t *size);

/* Draws one line of text, white on black antialiased, into a fresh 1-channel image, in a font of
 * `height` pixels. */
pba_status image_text(const char *text, int height, pba_image *image);

#endif
