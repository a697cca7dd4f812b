/* SPDX-License-Identifier: Apache-2.0
 * What needs libvips, done in a child process (core/child.h) with limits: reading and writing image
 * files (pba_image_read and pba_image_write of pba.h) and drawing captions. Each of these starts
 * libvips afresh, about 15 ms; what wants many images at once uses image/codec.h in a child of its
 * own. */
#ifndef IMAGE_FILE_H
#define IMAGE_FILE_H

#include "core/child.h"

enum { IMAGE_FILE_LIMIT = 1 << 30 }; /* bytes of a file */

/* Of one image, read or written. */
extern const child_limits image_limits;

/* Draws `count` lines (image_text); images that have no pixels could not be drawn, such as where no
 * font is installed. The caller frees each, after a failure too. */
pba_status image_texts(const char *const *texts, int count, int height, pba_image *images);

/* Bytes of an image file. */
typedef struct image_coded {
    uint8_t *bytes;
    size_t size;
} image_coded;

/* What files of `name`'s suffix would hold, of `count` images, by one child. `mask`: as for
 * pba_image_write. The caller frees each, after a failure too. */
pba_status image_encode_all(const char *name, const pba_image *images, int count, bool mask,
                            image_coded *coded);

#endif
