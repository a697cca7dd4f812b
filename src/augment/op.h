/* SPDX-License-Identifier: Apache-2.0
 * An operation is one row of data. Pixel semantics are Pillow's on an RGBA image whose alpha is the
 * validity mask (docs name the Pillow function in `source`); one channel behaves as the red of the
 * grey image R = G = B. To add an operation: write its function and its row in a file of ops/, and,
 * for a new file, name its row array in registry.c. */
#ifndef AUGMENT_OP_H
#define AUGMENT_OP_H

#include "augment/kernels/kernels.h"
#include "core/rng.h"
#include "core/status.h"

/* Those that plug-ins may have are pba_op_flags, of the same values. */
typedef enum augment_flags {
    AUGMENT_SIGN = PBA_OP_SIGN,
    AUGMENT_SEARCHED = 2, /* by default: the fifteen of the PBA space, and those of plug-ins */
    AUGMENT_PIXELS = PBA_OP_PIXELS,
    AUGMENT_AFFINE = 8,                       /* moves pixels, computes none */
    AUGMENT_RESETS_MASK = PBA_OP_RESETS_MASK, /* (goes through RGB) */
    AUGMENT_DRAWS = 32,                       /* uses context->rng */
    AUGMENT_PARTNER = PBA_OP_PARTNER,
    AUGMENT_STATISTICS = 128, /* its tables depend on the pixels */
    AUGMENT_SCRATCH = 256,    /* uses context->scratch */
    AUGMENT_KEEPS_FULL = 512, /* where all is content, all of the result is */
    AUGMENT_MASKS = PBA_OP_MASKS,
    AUGMENT_IDENTITY = PBA_OP_IDENTITY
} augment_flags;

/* Where partners come from: the images of a data set, or of a call. */
typedef struct augment_partners {
    const uint8_t *const *images; /* the pixels of each; NULL: one behind the other in `block` */
    const uint8_t *block;
    const uint32_t *ids; /* numbers in the data set; NULL: 0, 1, 2 ... */
    size_t count;
} augment_partners;

/* What an operation may use beside its images. */
typedef struct augment_context {
    const augment_kernels *kernels;
    rng *rng;
    uint8_t
        *scratch; /* with AUGMENT_SCRATCH: augment_scratch_bytes(), 64-byte aligned, any contents */
    const pba_image *partner; /* another image of the same shape; NULL without AUGMENT_PARTNER */
    /* With AUGMENT_PARTNER, where `partner` is to be drawn from these; else NULL. */
    const augment_partners *partners;
    uint32_t id;          /* of the image that operations are applied to, never its own partner */
    const uint8_t *first; /* its pixels before all operations */
    uint8_t *room;        /* as many bytes, for where there is no other image */
    pba_image drawn;
} augment_context;

typedef struct augment_op {
    const char *name, *sentence;
    const char *parameter; /* what the number is: "degrees"; "" for none */
    double min, max;
    double identity; /* with AUGMENT_IDENTITY: the parameter that changes nothing */
    unsigned flags;
    const char *source;
    /* dst and src have the same shape, masks included, and share no byte; every byte of dst is
     * written. src->mask may be NULL: all of it is content. `parameter` is physical and already
     * signed and scaled. Cannot fail. */
    void (*apply)(pba_image *dst, const pba_image *src, double parameter, augment_context *context);
    /* Instead of `apply`, where what becomes of a value depends on the value alone: fills a table a
     * channel, or tables[0] for all of them, and returns how many. Reads the pixels only with
     * AUGMENT_STATISTICS. The mask is kept, or reset with AUGMENT_RESETS_MASK. */
    int (*tables)(uint8_t tables[3][256], const pba_image *src, double parameter,
                  augment_context *context);
    /* Instead of both, of a plug-in: its own row, and the name that schedules record. plugin.c */
    const pba_plugin_op *row;
    const char *plugin;
} augment_op;

/* The rows of one file. */
typedef struct augment_ops {
    const augment_op *rows;
    size_t count;
} augment_ops;

extern const augment_ops augment_tone, augment_histogram, augment_enhance, augment_geometry,
    augment_crop, augment_cut;

size_t augment_op_count(void);
const augment_op *augment_op_at(size_t index);       /* NULL behind the end */
const augment_op *augment_op_find(const char *name); /* NULL where there is none */
pba_status augment_op_require(const char *name, const augment_op **op); /* else PBA_USAGE */

/* What the process knows of plug-ins is the only global state: under this lock it grows, and is
 * read without one, since nothing of it is ever removed. `ops` stay the registry's. PBA_EXISTS for
 * a name that is there already. */
void augment_registry_lock(void);
void augment_registry_unlock(void);
pba_status augment_registry_add(const augment_op *ops, size_t count);

/* Bytes of context->scratch for images of this size. */
size_t augment_scratch_bytes(int width, int height);

/* PBA_USAGE where a side is below 1, the image has more than 2^30 pixels, or channels are not 1 or
 * 3. What passes here cannot overflow a size_t in the sums of this module. */
pba_status augment_check_shape(int width, int height, int channels);

/* dst(x, y) = src(x + dx, y + dy), no content where that lies outside. */
void augment_shift(pba_image *dst, const pba_image *src, int dx, int dy);

/* ops/cut.c: draws the square that Cutout removes, clipped; empty where right <= left or bottom <=
 * top. */
typedef struct augment_box {
    int left, right, top, bottom;
} augment_box;

augment_box augment_cut_box(rng *rng, double side, int width, int height);

static inline size_t augment_pixels(const pba_image *image)
{
    return (size_t)image->width * (size_t)image->height;
}

static inline size_t augment_bytes(const pba_image *image)
{
    return augment_pixels(image) * (size_t)image->channels;
}

/* What the row says, by `apply`, `tables` or the plug-in. Draws the partner first, where there are
 * `partners`. */
void augment_op_apply(const augment_op *op, pba_image *dst, const pba_image *src, double parameter,
                      augment_context *context);

/* partner.c: sets context->partner to another image than context->id, each as likely; where there
 * is none, to the image itself, turned by 180 degrees. `shape` is that of the images. */
void augment_partner_draw(augment_context *context, const pba_image *shape);

/* The pixels of `src`, last first: the image turned by 180 degrees. */
void augment_turn(uint8_t *dst, const uint8_t *src, const pba_image *shape);

/* plugin.c */
void augment_plugin_apply(const augment_op *op, pba_image *dst, const pba_image *src,
                          double parameter, augment_context *context);

/* A copy of src's mask, which may be NULL. */
void augment_copy_mask(pba_image *dst, const pba_image *src);

/* An image on its way through several operations: where it is now (at first the caller's own
 * bytes, which are never written), tables that are still to be applied to it, and two buffers to
 * alternate between. Tables wait so that several in a row become one, which costs a pass over the
 * pixels only once: frame.c. */
typedef struct augment_frame {
    pba_image now, spare[2]; /* now.mask NULL: all of it is content */
    int waiting;             /* tables: 0, 1 for all channels, or one a channel */
    uint8_t tables[3][256];
} augment_frame;

/* The buffer that `now` does not occupy. */
static inline pba_image *augment_frame_next(augment_frame *frame)
{
    return &frame->spare[frame->now.pixels == frame->spare[0].pixels];
}

void augment_frame_apply(augment_frame *frame, const augment_op *op, double parameter,
                         augment_context *context);

/* Applies the tables that wait. */
void augment_frame_settle(augment_frame *frame, const augment_kernels *kernels);

#endif
