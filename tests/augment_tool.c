/* SPDX-License-Identifier: Apache-2.0
 * Applies operations to raw images for oracle_augment.py and oracle_torchvision.py. Jobs come on
 * standard input: a line
 *     level NAME LEVEL SIGN SEED WIDTH HEIGHT CHANNELS      (pba_op_apply)
 *     value NAME PARAMETER SEED WIDTH HEIGHT CHANNELS       (any physical parameter)
 *     draw KIND SEED ID WIDTH HEIGHT CHANNELS               (a kind of policy, no baseline)
 * then the pixels and the mask (of a draw: ignored). Pixels and mask of the result go to standard
 * output. Two jobs without an image are answered by lines of text, an empty one at the end:
 *     ranges autoaugment|randaugment|trivialaugment LEVELS WIDTH HEIGHT
 *     table cifar10|svhn|imagenet */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/pipeline.h"
#include "augment/ranges.h"

typedef struct job {
    char name[PBA_NAME_MAX], kind[16];
    int level, sign;
    unsigned id;
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

static void print_ranges(const char *name, const char *line)
{
    const augment_ranges *ranges = !strcmp(name, "autoaugment")   ? &augment_ranges_autoaugment
                                   : !strcmp(name, "randaugment") ? &augment_ranges_randaugment
                                                                  : &augment_ranges_trivialaugment;
    int levels;
    augment_canvas canvas = {0};
    if (sscanf(line, "%d %d %d", &levels, &canvas.width, &canvas.height) != 3) {
        die("ranges without levels and size");
    }
    for (int row = 0; row < ranges->count; row++) {
        for (int level = 0; level < levels; level++) {
            augment_shot shot = augment_shot_of(ranges, row, level, levels, &canvas);
            printf("%s %d %.17g %.17g\n", shot.op ? shot.op->name : "Identity", level, shot.centre,
                   shot.swing);
        }
    }
}

static void print_table(const char *name)
{
    const augment_sub_policy *table = augment_autoaugment_table(name);
    for (int i = 0; table && i < 2 * AUGMENT_SUB_POLICIES; i++) {
        const augment_entry *entry = &table[i / 2][i % 2];
        printf("%s %d %d\n", entry->op, entry->tenths, entry->level);
    }
}

/* Whether that was a job without an image. */
static bool print_text(const job *job, const char *line)
{
    bool ranges = !strcmp(job->kind, "ranges"), table = !strcmp(job->kind, "table");
    if (ranges) {
        print_ranges(job->name, line);
    } else if (table) {
        print_table(job->name);
    }
    if (ranges || table) {
        puts("");
        fflush(stdout);
    }
    return ranges || table;
}

static bool read_job(job *job)
{
    char line[512];
    int used;
    do {
        used = 0;
        if (!fgets(line, sizeof line, stdin)) {
            return false;
        }
        if (sscanf(line, "%15s %63s %n", job->kind, job->name, &used) != 2) {
            die("a line without a name");
        }
    } while (print_text(job, line + used));
    pba_image *image = &job->image;
    int read = !strcmp(job->kind, "level")
                   ? sscanf(line + used, "%d %d %llu %d %d %d", &job->level, &job->sign, &job->seed,
                            &image->width, &image->height, &image->channels)
               : !strcmp(job->kind, "draw")
                   ? 1 + sscanf(line + used, "%llu %u %d %d %d", &job->seed, &job->id,
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
    augment_op_apply(op, &result, &job->image, job->parameter, &context);
    free(context.scratch);
    free(job->image.pixels);
    free(job->image.mask);
    job->image = result;
    return PBA_OK;
}

static pba_status draw(job *job)
{
    pba_image *image = &job->image;
    augment_choice choice;
    pipeline *pipeline = NULL;
    pipeline_scratch *scratch = NULL;
    pba_status status = augment_choice_parse(job->name, &choice);
    if (status != PBA_OK) {
        return status;
    }
    pipeline_options options = {.width = image->width,
                                .height = image->height,
                                .channels = image->channels,
                                .deviation = {1, 1, 1},
                                .choice = &choice,
                                .scale_pixels = true};
    status = pipeline_create(&options, &pipeline);
    if (status == PBA_OK) {
        status = pipeline_scratch_create(pipeline, &scratch);
    }
    if (status == PBA_OK) {
        uint8_t *result = bytes_new(augment_bytes(image));
        pipeline_draw(pipeline, scratch, NULL, (pipeline_key){.seed = job->seed}, image->pixels,
                      job->id, result, image->mask);
        free(image->pixels);
        image->pixels = result;
    }
    pipeline_scratch_free(scratch);
    pipeline_free(pipeline);
    augment_choice_free(&choice);
    return status;
}

static pba_status run(job *job)
{
    return !strcmp(job->kind, "level")
               ? pba_op_apply(&job->image, job->name, job->level, job->sign, job->seed)
           : !strcmp(job->kind, "draw") ? draw(job)
                                        : apply_value(job);
}

int main(void)
{
    job job;
    while (read_job(&job)) {
        pba_status status = run(&job);
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
