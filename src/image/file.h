/* SPDX-License-Identifier: Apache-2.0
 * Image files in and out; libvips is used in this folder alone. Its functions are pba_image_* of
 * pba.h; here is what the folder shares. */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include "core/status.h"

enum { IMAGE_AREA_MAX = 1 << 28 }; /* pixels; larger images are refused before they are decoded */

/* Starts libvips once for the process: only its trusted loaders, no messages on standard error. */
pba_status image_start(void);

/* Draws one line of text, white on black antialiased, into a fresh 1-channel image, in a font of
 * `height` pixels. */
pba_status image_text(const char *text, int height, pba_image *image);

/* The image as a PNG file's bytes, for free(). `mask`: as for pba_image_write. */
pba_status image_png(const pba_image *image, bool mask, uint8_t **bytes, size_t *size);

/* A fresh image whose pixels are the means of factor x factor pixels (fewer at the right and the
 * bottom); what has no content does not count in a mean. factor 1: a copy. mask NULL: all is
 * content. */
pba_status image_shrink(const pba_image *image, int factor, pba_image *small);

#endif
