/* SPDX-License-Identifier: Apache-2.0
 * Making images with a mask smaller, for looking at. */
#ifndef IMAGE_SHRINK_H
#define IMAGE_SHRINK_H

#include "core/status.h"

/* A fresh image whose pixels are the means of factor x factor pixels (fewer at the right and the
 * bottom); what has no content does not count in a mean. factor 1: a copy. mask NULL: all is
 * content. */
pba_status image_shrink(const pba_image *image, int factor, pba_image *small);

#endif
