/* SPDX-License-Identifier: Apache-2.0
 * What the files that call libvips share. All of them run in children alone (core/child.h): its
 * threads, settings and error buffer belong to a process, and its decoders meet untrusted bytes. */
#ifndef IMAGE_VIPS_H
#define IMAGE_VIPS_H

#include <vips/vips.h>

#include "core/status.h"

/* The last complaint of libvips, its first line, behind "NAME: WHAT". PBA_MEMORY in place of
 * `status` where it says that memory, or a thread, could not be had: then the file is not at fault.
 */
pba_status vips_failed(pba_status status, const char *name, const char *what);

/* Intermediate images, released together: the slots belong to an object of libvips. */
typedef struct vips_steps {
    const char *name; /* of the file, for messages */
    VipsImage *owner, **slots;
    int used;
} vips_steps;

void vips_steps_open(vips_steps *steps, const char *name);
void vips_steps_close(vips_steps *steps);
VipsImage *vips_steps_last(const vips_steps *steps);
VipsImage **vips_steps_next(vips_steps *steps);    /* the slot that the next call fills */
bool vips_steps_done(vips_steps *steps, int code); /* whether it did */

#endif
