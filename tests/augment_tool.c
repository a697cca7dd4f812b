/* SPDX-License-Identifier: Apache-2.0
 * Applies operations to raw images for oracle_augment.py. Jobs come on standard input: a line
 *     level NAME LEVEL SIGN SEED WIDTH HEIGHT CHANNELS      (pba_op_apply)
 *     value NAME PARAMETER SEED WIDTH HEIGHT CHANNELS       (any physical parameter)
 * then the pixels and the mask. Pixels and mask of the result go to standard output. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/op.h"

typedef struct job {
    char name[PBA_NAME_MAX];
    bool by_level;
    int level, sign;
    double parameter;
    unsigned long long seed;
    pba_image image;
} job;

static void die(const char *what)
{
    fprintf(stderr, "augment_tool: %s\n", what);
    exit(1);
}

static void *bytes_new(size_t count)
{
    void *bytes = aligned_alloc(64, (count + 63) / 64 * 64 + 64);
    if (!bytes) {
        die("no memory");
    }
    return bytes;
}

static bool read_job(job *job)
{
    char line[512], kind[16];
    if (!fgets(line, sizeof line, stdin)) {
        return false;
    }
    pba_image *image = &job->image;
    int used = 0;
    if (sscanf(line, "%15s %63s %n", kind, job->name, &used) != 2) {
        die("a line without a name");
    }
    job->by_level = !strcmp(kind, "level");
    int read = job->by_level
                   ? sscanf(line + used, "%d %d %llu %d %d %d", &job->level, &job->sign, &job->seed,
                            &image->width, &image->height, &image->channels)
                   : 1 + sscanf(line + used, "%lf %llu %d %d %d", &job->parameter, &job->seed,
                                &image->width, &image->height, &image->channels);
    if (read != 6 || augment_check_shape(image->width, image->height, image->channels) != PBA_OK) {
        die("a line that is no job");
    }
    image->pixels = bytes_new(augment_bytes(image));
    image->mask = bytes_new(augment_pixels(image));
    if (fread(image->pixels, 1, augment_bytes(image), stdin) != augment_bytes(image) ||
        fread(image->mask, 1, augment_pixels(image), stdin) != augment_pixels(image)) {
        die("an image that ends early");
    }
    return true;
}

static pba_status apply_value(job *job)
{
    const augment_op *op;
    augment_context context = {0};
    pba_status status = augment_op_require(job->name, &op);
    if (status == PBA_OK) {
        status = augment_kernels_choose(&context.kernels);
    }
    if (status != PBA_OK) {
        return status;
    }
    pba_image result = job->image;
    rng rng = rng_at(job->seed, RNG_AUGMENT, 0, 0, 0);
    context.rng = &rng;
    context.scratch = bytes_new(augment_scratch_bytes(result.width, result.height));
    result.pixels = bytes_new(augment_bytes(&result));
    result.mask = bytes_new(augment_pixels(&result));
    op->apply(&result, &job->image, job->parameter, &context);
    free(context.scratch);
    free(job->image.pixels);
    free(job->image.mask);
    job->image = result;
    return PBA_OK;
}

int main(void)
{
    job job;
    while (read_job(&job)) {
        pba_status status = job.by_level
                                ? pba_op_apply(&job.image, job.name, job.level, job.sign, job.seed)
                                : apply_value(&job);
        if (status != PBA_OK) {
            die(pba_error_message());
        }
        fwrite(job.image.pixels, 1, augment_bytes(&job.image), stdout);
        fwrite(job.image.mask, 1, augment_pixels(&job.image), stdout);
        fflush(stdout);
        free(job.image.pixels);
        free(job.image.mask);
    }
    return 0;
}
