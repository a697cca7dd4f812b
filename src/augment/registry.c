/* SPDX-License-Identifier: Apache-2.0
 * Gathers the rows of ops/ and, behind them, those of plug-ins. */
#include "augment/op.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const augment_ops *const families[] = {&augment_geometry, &augment_tone, &augment_histogram,
                                              &augment_enhance,  &augment_cut,  &augment_crop};
enum { FAMILIES = sizeof families / sizeof *families };

/* Of plug-ins: `count` is raised once the rows below it stand. */
enum { EXTRA_MAX = 256 };
static struct extra {
    pthread_mutex_t lock;
    atomic_size_t count;
    const augment_op *ops[EXTRA_MAX];
} extra = {.lock = PTHREAD_MUTEX_INITIALIZER};

void augment_registry_lock(void)
{
    pthread_mutex_lock(&extra.lock);
}

void augment_registry_unlock(void)
{
    pthread_mutex_unlock(&extra.lock);
}

pba_status augment_registry_add(const augment_op *ops, size_t count)
{
    size_t before = extra.count;
    if (count > EXTRA_MAX - before) {
        return status_set(PBA_UNSUPPORTED, "plug-ins have more than %d operations", EXTRA_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        const augment_op *known = augment_op_find(ops[i].name);
        if (known) {
            return status_set(PBA_EXISTS, "operation %s is there already: %s%s", ops[i].name,
                              known->plugin ? "from " : "built in",
                              known->plugin ? known->source : "");
        }
        extra.ops[before + i] = &ops[i];
    }
    extra.count = before + count;
    return PBA_OK;
}

static size_t built_in(void)
{
    size_t count = 0;
    for (int i = 0; i < FAMILIES; i++) {
        count += families[i]->count;
    }
    return count;
}

size_t augment_op_count(void)
{
    return built_in() + extra.count;
}

const augment_op *augment_op_at(size_t index)
{
    for (int i = 0; i < FAMILIES; i++) {
        if (index < families[i]->count) {
            return &families[i]->rows[index];
        }
        index -= families[i]->count;
    }
    return index < extra.count ? extra.ops[index] : NULL;
}

const augment_op *augment_op_find(const char *name)
{
    const augment_op *op = NULL;
    for (size_t i = 0; (op = augment_op_at(i)) && strcmp(op->name, name); i++) {
    }
    return op;
}

pba_status augment_op_require(const char *name, const augment_op **op)
{
    *op = augment_op_find(name);
    if (*op) {
        return PBA_OK;
    }
    char known[1024] = "";
    size_t used = 0;
    for (size_t i = 0; augment_op_at(i) && used < sizeof known; i++) {
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "",
                                 augment_op_at(i)->name);
    }
    return status_set(PBA_USAGE, "unknown operation '%.*s'; known are %s", PBA_NAME_MAX, name,
                      known);
}

/* CropBilinear asks for the most: 20 bytes a column, and a copy with alpha and one line more. A
 * plug-in: a mask, rounded up to 64 bytes, and an image. */
size_t augment_scratch_bytes(int width, int height)
{
    return 64 + (size_t)width * (20 + 4 * ((size_t)height + 1));
}

pba_status augment_check_shape(int width, int height, int channels)
{
    if (width < 1 || height < 1 || (int64_t)width * height > 1 << 30) {
        return status_set(PBA_USAGE,
                          "image of %d x %d pixels: sides of at least 1 and at most 2^30 "
                          "pixels are possible",
                          width, height);
    }
    if (channels != 1 && channels != 3) {
        return status_set(PBA_USAGE, "image of %d channels: 1 and 3 are possible", channels);
    }
    return PBA_OK;
}
