/* SPDX-License-Identifier: Apache-2.0
 * The rules that every operation keeps to, tried on images of several shapes, grey and colour, at
 * every level. Buffers lie between guard zones; what is in zones, scratch and the result before
 * differs between two runs, so that what an operation reads or leaves out shows. */
#include "augment/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "augment/space.h"
#include "core/clock.h"
#include "core/memory.h"

/* FIRST and SECOND: what is in the result before two runs. */
enum { GUARD = 4096, CASES_MAX = 32, FIRST = 0x5A, SECOND = 0xA5 };
static const double SPEED_SECONDS = 0.05;

typedef enum pattern { NOISE, RAMP, FLAT } pattern;
typedef enum cover { FULL, HOLES, GRADED } cover;

static const struct shape {
    int width, height, channels;
    pattern pattern;
    cover cover;
} shapes[] = {
    {32, 32, 3, NOISE, FULL},   {32, 32, 3, RAMP, HOLES}, {28, 28, 1, RAMP, GRADED},
    {17, 23, 3, NOISE, GRADED}, {1, 37, 3, NOISE, HOLES}, {41, 1, 3, RAMP, FULL},
    {1, 9, 1, NOISE, FULL},     {9, 1, 1, RAMP, GRADED},  {1, 1, 3, NOISE, FULL},
    {1, 1, 1, FLAT, HOLES},     {2, 2, 3, NOISE, FULL},   {33, 19, 1, FLAT, FULL},
    {96, 64, 3, RAMP, FULL},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* An image between guard zones. */
typedef struct guarded {
    pba_image image;
    uint8_t *zones[2]; /* of the pixels, of the mask */
    size_t bytes[2];
} guarded;

/* What an operation is tried on, and what it gives. */
typedef struct desk {
    const augment_op *op;
    const augment_kernels *kernels;
    const struct shape *shape;
    guarded src, partner, dst;
    guarded kept_src, kept_partner; /* what they have to be afterwards */
    uint8_t *scratch;
    uint8_t *first; /* pixels, then mask, of an earlier run */
    size_t scratch_bytes;
    pba_op_report *report;
    char *place;
    double parameter;
} desk;

/* ------------------------------------------------------------------ buffers */

static bool guarded_create(guarded *all, const struct shape *shape)
{
    all->image =
        (pba_image){.width = shape->width, .height = shape->height, .channels = shape->channels};
    all->bytes[0] = augment_bytes(&all->image);
    all->bytes[1] = augment_pixels(&all->image);
    for (int i = 0; i < 2; i++) {
        all->zones[i] = memory_new(all->bytes[i] + 2 * GUARD, 1);
    }
    if (!all->zones[0] || !all->zones[1]) {
        return false;
    }
    all->image.pixels = all->zones[0] + GUARD;
    all->image.mask = all->zones[1] + GUARD;
    return true;
}

static void guarded_free(guarded *all)
{
    free(all->zones[0]);
    free(all->zones[1]);
}

static void fill_zones(guarded *all, uint8_t value)
{
    for (int i = 0; i < 2; i++) {
        memset(all->zones[i], value, GUARD);
        memset(all->zones[i] + GUARD + all->bytes[i], value, GUARD);
    }
}

static bool zones_are(const guarded *all, uint8_t value)
{
    for (int i = 0; i < 2; i++) {
        const uint8_t *before = all->zones[i], *behind = before + GUARD + all->bytes[i];
        for (int j = 0; j < GUARD; j++) {
            if (before[j] != value || behind[j] != value) {
                return false;
            }
        }
    }
    return true;
}

static bool same_content(const guarded *a, const guarded *b)
{
    return memcmp(a->image.pixels, b->image.pixels, a->bytes[0]) == 0 &&
           memcmp(a->image.mask, b->image.mask, a->bytes[1]) == 0;
}

static uint8_t value_of(pattern pattern, int x, int y, int c, uint32_t noise)
{
    return (uint8_t)(pattern == NOISE  ? (int)(noise >> 24)
                     : pattern == RAMP ? 7 * x + 3 * y + 50 * c + (int)(noise >> 29)
                                       : 77 + 40 * c);
}

static uint8_t cover_of(cover cover, int x, int y)
{
    return (uint8_t)(cover == FULL    ? 255
                     : cover == HOLES ? (x / 3 + y / 2) % 4 ? 255 : 0
                                      : 40 * x + 23 * y);
}

static void paint(guarded *all, const struct shape *shape, uint32_t noise)
{
    uint8_t *pixel = all->image.pixels, *mask = all->image.mask;
    for (int y = 0; y < shape->height; y++) {
        for (int x = 0; x < shape->width; x++) {
            *mask++ = cover_of(shape->cover, x, y);
            for (int c = 0; c < shape->channels; c++) {
                noise = noise * 1664525U + 1013904223U;
                *pixel++ = value_of(shape->pattern, x, y, c, noise);
            }
        }
    }
}

static void desk_clear(desk *desk)
{
    guarded *const all[] = {&desk->src, &desk->partner, &desk->dst, &desk->kept_src,
                            &desk->kept_partner};
    for (int i = 0; i < 5; i++) {
        guarded_free(all[i]);
        *all[i] = (guarded){0};
    }
    free(desk->scratch);
    free(desk->first);
    desk->scratch = desk->first = NULL;
}

static bool desk_set(desk *desk, const struct shape *shape)
{
    struct shape whole = *shape;
    whole.cover = FULL; /* partners have no mask */
    desk_clear(desk);
    desk->shape = shape;
    desk->scratch_bytes = augment_scratch_bytes(shape->width, shape->height);
    desk->scratch = memory_aligned(desk->scratch_bytes + GUARD, 1);
    if (!guarded_create(&desk->src, shape) || !guarded_create(&desk->partner, shape) ||
        !guarded_create(&desk->dst, shape) || !guarded_create(&desk->kept_src, shape) ||
        !guarded_create(&desk->kept_partner, shape) || !desk->scratch) {
        return false;
    }
    desk->first = memory_new(desk->dst.bytes[0] + desk->dst.bytes[1], 1);
    paint(&desk->src, shape, 1);
    paint(&desk->kept_src, shape, 1);
    paint(&desk->partner, &whole, 9);
    paint(&desk->kept_partner, &whole, 9);
    return desk->first != NULL;
}

/* ----------------------------------------------------------------- findings */

static void tell_place(desk *desk, const char *doing)
{
    const struct shape *shape = desk->shape;
    snprintf(desk->place, AUGMENT_PLACE, "operation %s (%s %.4g%s%s, %d x %d, %s%s)",
             desk->op->name, doing, desk->parameter, desk->op->parameter[0] ? " " : "",
             desk->op->parameter, shape->width, shape->height,
             shape->channels == 1 ? "grey" : "colour", shape->cover == FULL ? "" : ", with holes");
}

/* The first breach of a rule is kept. */
static void find(desk *desk, pba_op_check check, const char *what)
{
    pba_op_finding *finding = &desk->report->findings[check];
    if (finding->verdict != PBA_OP_FAILED) {
        const struct shape *shape = desk->shape;
        finding->verdict = PBA_OP_FAILED;
        snprintf(finding->detail, sizeof finding->detail, "%s: at %.4g%s%s on %d x %d, %s%s", what,
                 desk->parameter, desk->op->parameter[0] ? " " : "", desk->op->parameter,
                 shape->width, shape->height, shape->channels == 1 ? "grey" : "colour",
                 shape->cover == FULL ? "" : ", with holes");
    }
}

static void skip(desk *desk, pba_op_check check, const char *why)
{
    pba_op_finding *finding = &desk->report->findings[check];
    finding->verdict = PBA_OP_SKIPPED;
    snprintf(finding->detail, sizeof finding->detail, "%s", why);
}

/* --------------------------------------------------------------------- runs */

/* What lies around the images, other than what was in the result, so that the two can be told
 * apart. */
static uint8_t around(uint8_t before)
{
    return before ^ 0x0F;
}

static augment_context context_of(desk *desk, rng *rng, pba_image *partner)
{
    *partner = desk->partner.image;
    partner->mask = NULL;
    *rng = rng_at(9, RNG_AUGMENT, 0, 0, 0);
    return (augment_context){.kernels = desk->kernels,
                             .rng = rng,
                             .scratch = desk->scratch,
                             .partner = desk->op->flags & AUGMENT_PARTNER ? partner : NULL};
}

static void run(desk *desk, uint8_t before)
{
    rng rng;
    pba_image partner;
    augment_context context = context_of(desk, &rng, &partner);
    fill_zones(&desk->src, around(before));
    fill_zones(&desk->partner, around(before));
    fill_zones(&desk->dst, around(before));
    memset(desk->dst.image.pixels, before, desk->dst.bytes[0]);
    memset(desk->dst.image.mask, before, desk->dst.bytes[1]);
    memset(desk->scratch, around(before), desk->scratch_bytes + GUARD);
    augment_op_apply(desk->op, &desk->dst.image, &desk->src.image, desk->parameter, &context);
    desk->report->applications++;
}

static bool scratch_is_whole(const desk *desk, uint8_t value)
{
    for (size_t i = 0; i < GUARD; i++) {
        if (desk->scratch[desk->scratch_bytes + i] != value) {
            return false;
        }
    }
    return true;
}

static void check_bounds(desk *desk, uint8_t before)
{
    uint8_t value = around(before);
    if (!zones_are(&desk->dst, value) || !scratch_is_whole(desk, value)) {
        find(desk, PBA_OP_CHECK_BOUNDS, "writes outside the result");
    }
    if (!zones_are(&desk->src, value) || !same_content(&desk->src, &desk->kept_src)) {
        find(desk, PBA_OP_CHECK_BOUNDS, "writes to its source");
        paint(&desk->src, desk->shape, 1);
    }
    if (!zones_are(&desk->partner, value) || !same_content(&desk->partner, &desk->kept_partner)) {
        find(desk, PBA_OP_CHECK_BOUNDS, "writes to its partner");
        memcpy(desk->partner.image.pixels, desk->kept_partner.image.pixels, desk->partner.bytes[0]);
        memcpy(desk->partner.image.mask, desk->kept_partner.image.mask, desk->partner.bytes[1]);
    }
}

static void keep_result(desk *desk)
{
    memcpy(desk->first, desk->dst.image.pixels, desk->dst.bytes[0]);
    memcpy(desk->first + desk->dst.bytes[0], desk->dst.image.mask, desk->dst.bytes[1]);
}

static bool is_kept_result(const desk *desk)
{
    return memcmp(desk->first, desk->dst.image.pixels, desk->dst.bytes[0]) == 0 &&
           memcmp(desk->first + desk->dst.bytes[0], desk->dst.image.mask, desk->dst.bytes[1]) == 0;
}

/* What the second run, which began with other bytes everywhere, says about the first. Where the
 * result still has both, nothing was written; what else differs came from there. */
typedef enum second { SAME, PIXELS_UNWRITTEN, MASK_UNWRITTEN, READS } second;

static second compare_second(const desk *desk)
{
    for (int part = 0; part < 2; part++) {
        const uint8_t *before = desk->first + (part ? desk->dst.bytes[0] : 0);
        const uint8_t *after = part ? desk->dst.image.mask : desk->dst.image.pixels;
        for (size_t i = 0; i < desk->dst.bytes[part]; i++) {
            if (before[i] == FIRST && after[i] == SECOND) {
                return part ? MASK_UNWRITTEN : PIXELS_UNWRITTEN;
            }
            if (before[i] != after[i]) {
                return READS;
            }
        }
    }
    return SAME;
}

static void check_second(desk *desk)
{
    run(desk, SECOND);
    check_bounds(desk, SECOND);
    second found = compare_second(desk);
    if (found == SAME) {
        return;
    }
    run(desk, FIRST);
    if (!is_kept_result(desk)) {
        find(desk, PBA_OP_CHECK_DETERMINISM, "the result depends on earlier calls");
    } else if (found == READS) {
        find(desk, PBA_OP_CHECK_BOUNDS, "reads what is not its images'");
    } else {
        find(desk, PBA_OP_CHECK_COMPLETE,
             found == MASK_UNWRITTEN ? "leaves bytes of the mask unwritten"
                                     : "leaves pixels unwritten");
    }
}

static bool mask_is(const desk *desk, int value)
{
    for (size_t i = 0; i < desk->dst.bytes[1]; i++) {
        if (desk->dst.image.mask[i] != (value < 0 ? desk->src.image.mask[i] : value)) {
            return false;
        }
    }
    return true;
}

/* Of the built-in operations only those that are tables keep the mask for certain. */
static void check_mask(desk *desk)
{
    unsigned flags = desk->op->flags;
    bool keeps = desk->op->row ? !(flags & (AUGMENT_RESETS_MASK | AUGMENT_MASKS))
                               : desk->op->tables && !(flags & AUGMENT_RESETS_MASK);
    if (flags & AUGMENT_RESETS_MASK && !mask_is(desk, 255)) {
        find(desk, PBA_OP_CHECK_MASK, "must reset the mask and changes it otherwise");
    } else if (keeps && !mask_is(desk, -1)) {
        find(desk, PBA_OP_CHECK_MASK, "must keep the mask and changes it; PBA_OP_MASKS is missing");
    } else if (flags & AUGMENT_KEEPS_FULL && desk->shape->cover == FULL && !mask_is(desk, 255)) {
        find(desk, PBA_OP_CHECK_MASK, "must keep a full mask and does not");
    }
}

static void check_identity(desk *desk)
{
    bool same = memcmp(desk->dst.image.pixels, desk->src.image.pixels, desk->dst.bytes[0]) == 0;
    if (!same || (!(desk->op->flags & AUGMENT_RESETS_MASK) && !mask_is(desk, -1))) {
        find(desk, PBA_OP_CHECK_IDENTITY, same ? "changes the mask" : "changes pixels");
    }
}

static uint32_t sum_of(const desk *desk)
{
    uint32_t sum = 2166136261U;
    for (int part = 0; part < 2; part++) {
        const uint8_t *bytes = part ? desk->dst.image.mask : desk->dst.image.pixels;
        for (size_t i = 0; i < desk->dst.bytes[part]; i++) {
            sum = (sum ^ bytes[i]) * 16777619U;
        }
    }
    return sum;
}

/* --------------------------------------------------------------- parameters */

/* Of all levels, scaled as for the shape, both ways where there is a sign; the ends of the range;
 * the identity. */
static int list_parameters(const augment_op *op, const struct shape *shape, double *list)
{
    int shorter = shape->width < shape->height ? shape->width : shape->height, count = 0;
    augment_step step =
        augment_step_of(&augment_space_pba, op, (double)shorter / augment_space_pba.side);
    for (int level = 0; level < (op->parameter[0] ? AUGMENT_LEVELS : 1); level++) {
        list[count++] = step.parameter[level];
        if (op->flags & AUGMENT_SIGN) {
            list[count++] = -step.parameter[level];
        }
    }
    list[count++] = op->min;
    list[count++] = op->max;
    if (op->flags & AUGMENT_IDENTITY) {
        list[count++] = op->identity;
    }
    return count;
}

static void try_parameter(desk *desk, uint32_t *sum)
{
    tell_place(desk, "at");
    run(desk, FIRST);
    check_bounds(desk, FIRST);
    check_mask(desk);
    keep_result(desk);
    *sum = sum_of(desk);
    if (desk->op->flags & AUGMENT_IDENTITY && desk->parameter == desk->op->identity) {
        check_identity(desk);
    }
    run(desk, FIRST);
    if (!is_kept_result(desk)) {
        find(desk, PBA_OP_CHECK_DETERMINISM, "the same once more gives other bytes");
        return;
    }
    check_second(desk);
}

/* Back again: what an operation remembered of the calls before shows. */
static void try_shape(desk *desk)
{
    double list[CASES_MAX];
    uint32_t sums[CASES_MAX];
    int count = list_parameters(desk->op, desk->shape, list);
    for (int i = 0; i < count; i++) {
        desk->parameter = list[i];
        try_parameter(desk, &sums[i]);
    }
    for (int i = count - 1; i >= 0; i--) {
        desk->parameter = list[i];
        tell_place(desk, "at");
        run(desk, FIRST);
        if (sum_of(desk) != sums[i]) {
            find(desk, PBA_OP_CHECK_DETERMINISM, "the result depends on earlier calls");
        }
    }
}

/* ------------------------------------------------------- built-in operations */

static void try_sets(desk *desk)
{
    double list[CASES_MAX];
    int count = list_parameters(desk->op, desk->shape, list);
    const augment_kernels *chosen = desk->kernels, *other;
    for (int i = 0; i < count; i++) {
        desk->parameter = list[i];
        desk->kernels = chosen;
        run(desk, FIRST);
        keep_result(desk);
        for (size_t set = 0; (other = augment_kernels_at(set)); set++) {
            desk->kernels = other;
            run(desk, FIRST);
            if (!is_kept_result(desk)) {
                find(desk, PBA_OP_CHECK_SETS, other->name);
            }
        }
    }
    desk->kernels = chosen;
}

/* The desk's shape has one channel: the same image with three, and the first of them back. */
static bool grey_differs(const desk *grey, desk *colour)
{
    colour->parameter = grey->parameter;
    for (size_t i = 0; i < grey->src.bytes[0]; i++) {
        memset(colour->src.image.pixels + 3 * i, grey->src.image.pixels[i], 3);
        memset(colour->partner.image.pixels + 3 * i, grey->partner.image.pixels[i], 3);
    }
    run(colour, FIRST);
    for (size_t i = 0; i < grey->src.bytes[0]; i++) {
        if (colour->dst.image.pixels[3 * i] != grey->dst.image.pixels[i] ||
            colour->dst.image.mask[i] != grey->dst.image.mask[i]) {
            return true;
        }
    }
    return false;
}

static pba_status try_grey(desk *desk)
{
    struct shape shape = *desk->shape;
    struct desk colour = {
        .op = desk->op, .kernels = desk->kernels, .report = desk->report, .place = desk->place};
    double list[CASES_MAX];
    int count = list_parameters(desk->op, desk->shape, list);
    shape.channels = 3;
    bool ready = desk_set(&colour, &shape);
    for (int i = 0; ready && i < count; i++) {
        desk->parameter = list[i];
        run(desk, FIRST);
        if (grey_differs(desk, &colour)) {
            find(desk, PBA_OP_CHECK_GREY, "differs");
        }
    }
    desk_clear(&colour);
    return ready ? PBA_OK : PBA_MEMORY;
}

static pba_status try_built_in(desk *desk)
{
    try_sets(desk);
    return desk->shape->channels == 1 ? try_grey(desk) : PBA_OK;
}

/* -------------------------------------------------------------------- speed */

static void measure(desk *desk)
{
    rng rng;
    pba_image partner;
    augment_context context = context_of(desk, &rng, &partner);
    double start = clock_now(), seconds;
    int count = 0;
    desk->parameter = augment_space_pba.parameter(desk->op, 7);
    tell_place(desk, "measured at");
    do {
        for (int i = 0; i < 16; i++) {
            augment_op_apply(desk->op, &desk->dst.image, &desk->src.image, desk->parameter,
                             &context);
        }
        count += 16;
        seconds = clock_now() - start;
    } while (seconds < SPEED_SECONDS);
    desk->report->images_per_second = count / seconds;
}

/* ----------------------------------------------------------------- together */

void augment_check_name(pba_op_report *report)
{
    static const char *const texts[][2] = {
#define TEXTS(check, name, sentence) {name, sentence},
        PBA_OP_CHECK_LIST(TEXTS)
#undef TEXTS
    };
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        report->findings[i].name = texts[i][0];
        report->findings[i].sentence = texts[i][1];
    }
}

static void begin_report(desk *desk)
{
    const augment_op *op = desk->op;
    pba_op_report *report = desk->report;
    *report = (pba_op_report){.version = op->row ? op->row->version : 0};
    augment_check_name(report);
    snprintf(report->name, sizeof report->name, "%s", op->name);
    snprintf(report->plugin, sizeof report->plugin, "%s", op->plugin ? op->plugin : "");
    if (!(op->flags & AUGMENT_IDENTITY)) {
        skip(desk, PBA_OP_CHECK_IDENTITY, "it has none");
    }
    if (op->row) {
        skip(desk, PBA_OP_CHECK_GREY, "plug-ins may do otherwise");
        skip(desk, PBA_OP_CHECK_SETS, "plug-ins have one");
    }
}

static pba_status try_all(desk *desk, bool timed)
{
    pba_status status = augment_kernels_choose(&desk->kernels);
    for (int i = 0; i < SHAPES && status == PBA_OK; i++) {
        if (!desk_set(desk, &shapes[i])) {
            return PBA_MEMORY;
        }
        try_shape(desk);
        status = desk->op->row ? PBA_OK : try_built_in(desk);
        if (timed && i == 0) {
            measure(desk);
        }
    }
    desk->report->passed = true;
    for (int i = 0; i < PBA_OP_CHECKS; i++) {
        desk->report->passed &= desk->report->findings[i].verdict != PBA_OP_FAILED;
    }
    return status;
}

pba_status augment_check(const augment_op *op, bool timed, char place[AUGMENT_PLACE],
                         pba_op_report *report)
{
    desk desk = {.op = op, .report = report, .place = place};
    begin_report(&desk);
    pba_status status = try_all(&desk, timed);
    desk_clear(&desk);
    return status;
}
