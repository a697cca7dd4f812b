/* SPDX-License-Identifier: Apache-2.0
 * Operations that move pixels, nearest neighbour: Pillow's Image.rotate, Image.transform(AFFINE)
 * and transpose. Maps run from output to input; what comes from outside is 0 without content. */
#include "augment/op.h"

#include <math.h>
#include <string.h>

static void copy_image(pba_image *dst, const pba_image *src)
{
    memcpy(dst->pixels, src->pixels, augment_bytes(src));
    augment_copy_mask(dst, src);
}

/* Pillow walks in 16.16 fixed point where all corners of the output map to less than 2^15. */
static bool fits_fixed(const double a[6], double x, double y)
{
    return fabs(x * a[0] + y * a[1] + a[2]) < 32768.0 && fabs(x * a[3] + y * a[4] + a[5]) < 32768.0;
}

static int64_t fixed(double value)
{
    return (int64_t)floor(value * 65536.0 + 0.5);
}

/* Where a walk is inside: the steps i of 0..count-1 with 0 <= at + i * step < end. */
typedef struct span {
    int from, to;
} span;

/* floor(a / b), b above 0: 64-bit division is slow, so by the reciprocal and a look at what is
 * left. a is below 2^48, which a double holds exactly. */
static int64_t floor_div(int64_t a, int64_t b, double reciprocal)
{
    int64_t quotient = (int64_t)((double)a * reciprocal);
    int64_t rest = a - quotient * b;
    return quotient + (rest >= b) - (rest < 0);
}

static int within(int64_t value, int count)
{
    return (int)(value < 0 ? 0 : value > count ? count : value);
}

static span span_inside(int64_t at, int64_t step, double reciprocal, int64_t end, int count)
{
    if (step == 0) {
        return (span){0, at >= 0 && at < end ? count : 0};
    }
    if (step < 0) { /* the same from the other side */
        at = end - 1 - at;
        step = -step;
        reciprocal = -reciprocal;
    }
    return (span){within(-floor_div(at, step, reciprocal), count),
                  within(floor_div(end - 1 - at, step, reciprocal) + 1, count)};
}

static void clear(pba_image *dst, size_t at, int count)
{
    if (count > 0) {
        size_t channels = (size_t)dst->channels;
        memset(dst->pixels + at * channels, 0, (size_t)count * channels);
        memset(dst->mask + at, 0, (size_t)count);
    }
}

static void copy_run(pba_image *dst, const pba_image *src, size_t to, size_t from, size_t count)
{
    size_t channels = (size_t)src->channels;
    memcpy(dst->pixels + to * channels, src->pixels + from * channels, count * channels);
    if (src->mask) {
        memcpy(dst->mask + to, src->mask + from, count);
    } else {
        memset(dst->mask + to, 255, count);
    }
}

enum { ONE = 1 << 16 }; /* a pixel in fixed point */

/* A row of the result, from what is inside the source. */
static void walk_row(pba_image *dst, const pba_image *src, int y, augment_walk walk,
                     const double reciprocal[2], const augment_kernels *kernels)
{
    size_t row = (size_t)y * (size_t)dst->width;
    span x = span_inside(walk.x, walk.step_x, reciprocal[0], (int64_t)src->width * ONE, dst->width);
    span inside =
        span_inside(walk.y, walk.step_y, reciprocal[1], (int64_t)src->height * ONE, dst->width);
    inside.from = x.from > inside.from ? x.from : inside.from;
    inside.to = x.to < inside.to ? x.to : inside.to;
    if (inside.from >= inside.to) {
        clear(dst, row, dst->width);
        return;
    }
    clear(dst, row, inside.from);
    clear(dst, row + (size_t)inside.to, dst->width - inside.to);
    walk.x += inside.from * walk.step_x;
    walk.y += inside.from * walk.step_y;
    size_t to = row + (size_t)inside.from, count = (size_t)(inside.to - inside.from);
    if (walk.step_x == ONE && walk.step_y == 0) {
        size_t from = (size_t)(walk.y / ONE) * (size_t)src->width + (size_t)(walk.x / ONE);
        copy_run(dst, src, to, from, count);
    } else {
        kernels->gather(dst->pixels + to * (size_t)dst->channels, dst->mask + to, count, src, walk);
    }
}

/* Columns that move up and down as they are, neighbours together while they move alike: ShearY.
 * Runs are the same for every row. */
enum { RUNS = 16 };

static int next_runs(augment_run runs[RUNS], const augment_walk *walk, int x, int width)
{
    int count = 0;
    for (; count < RUNS && x < width; count++) {
        augment_run *run = &runs[count];
        run->x = x;
        run->dy = (int32_t)((walk->y + x * walk->step_y) >> 16);
        for (x++; x < width && (walk->y + x * walk->step_y) >> 16 == run->dy; x++) {
        }
        run->count = x - run->x;
    }
    return count;
}

static bool has_row(const pba_image *image, int64_t y)
{
    return y >= 0 && y < image->height;
}

/* Row y of some runs; dy grows or falls from run to run, so that those inside stand together. */
static void slide_row(pba_image *dst, const pba_image *src, int y, const augment_run *runs,
                      int count, const augment_kernels *kernels)
{
    size_t width = (size_t)dst->width, channels = (size_t)dst->channels, row = (size_t)y * width;
    int from = 0, to = count, end = runs[count - 1].x + runs[count - 1].count;
    while (from < to && !has_row(src, (int64_t)y + runs[from].dy)) {
        from++;
    }
    while (to > from && !has_row(src, (int64_t)y + runs[to - 1].dy)) {
        to--;
    }
    if (from == to) {
        clear(dst, row + (size_t)runs->x, end - runs->x);
        return;
    }
    int left = runs[from].x, right = runs[to - 1].x + runs[to - 1].count;
    size_t inside = (size_t)(to - from);
    clear(dst, row + (size_t)runs->x, left - runs->x);
    clear(dst, row + (size_t)right, end - right);
    kernels->slide(dst->pixels + row * channels, src->pixels + row * channels, width * channels,
                   runs + from, inside, channels);
    if (src->mask) {
        kernels->slide(dst->mask + row, src->mask + row, width, runs + from, inside, 1);
    } else {
        memset(dst->mask + row + left, 255, (size_t)(right - left));
    }
}

static void affine_slide(pba_image *dst, const pba_image *src, const augment_walk *walk,
                         const augment_kernels *kernels)
{
    augment_run runs[RUNS];
    for (int x = 0; x < dst->width;) {
        int count = next_runs(runs, walk, x, dst->width);
        for (int y = 0; y < dst->height; y++) {
            slide_row(dst, src, y, runs, count, kernels);
        }
        x = runs[count - 1].x + runs[count - 1].count;
    }
}

static void affine_fixed(pba_image *dst, const pba_image *src, const double a[6],
                         const augment_kernels *kernels)
{
    augment_walk walk = {.x = fixed(a[2] + a[0] * 0.5 + a[1] * 0.5),
                         .y = fixed(a[5] + a[3] * 0.5 + a[4] * 0.5),
                         .step_x = fixed(a[0]),
                         .step_y = fixed(a[3])};
    const double reciprocal[2] = {1.0 / (double)walk.step_x, 1.0 / (double)walk.step_y};
    int64_t down_x = fixed(a[1]), down_y = fixed(a[4]);
    if (walk.x >> 16 == 0 && walk.step_x == ONE && down_x == 0 && down_y == ONE) {
        affine_slide(dst, src, &walk, kernels);
        return;
    }
    for (int y = 0; y < dst->height; y++, walk.x += down_x, walk.y += down_y) {
        walk_row(dst, src, y, walk, reciprocal, kernels);
    }
}

static void affine_double_row(pba_image *dst, const pba_image *src, const double a[6], int row,
                              double x, double y)
{
    size_t channels = (size_t)src->channels, to = (size_t)row * (size_t)dst->width;
    for (int i = 0; i < dst->width; i++, to++, x += a[0], y += a[3]) {
        bool inside = x >= 0 && x < src->width && y >= 0 && y < src->height;
        size_t from = inside ? (size_t)y * (size_t)src->width + (size_t)x : 0;
        dst->mask[to] = !inside ? 0 : src->mask ? src->mask[from] : 255;
        for (size_t c = 0; c < channels; c++) {
            dst->pixels[to * channels + c] = inside ? src->pixels[from * channels + c] : 0;
        }
    }
}

/* What Pillow does with images too large for its fixed point. */
static void affine_double(pba_image *dst, const pba_image *src, const double a[6])
{
    double x = a[2] + a[0] * 0.5 + a[1] * 0.5, y = a[5] + a[3] * 0.5 + a[4] * 0.5;
    for (int row = 0; row < dst->height; row++, x += a[1], y += a[4]) {
        affine_double_row(dst, src, a, row, x, y);
    }
}

static void affine(pba_image *dst, const pba_image *src, const double a[6],
                   const augment_context *context)
{
    double w = src->width, h = src->height;
    if (fits_fixed(a, 0, 0) && fits_fixed(a, w, 0) && fits_fixed(a, 0, h) && fits_fixed(a, w, h)) {
        affine_fixed(dst, src, a, context->kernels);
    } else {
        affine_double(dst, src, a);
    }
}

/* To 15 decimals, so that a quarter turn has a cosine of 0. */
static double round15(double value)
{
    return nearbyint(value * 1e15) / 1e15;
}

static void rotate(pba_image *dst, const pba_image *src, double degrees, augment_context *context)
{
    double angle = fmod(degrees, 360.0);
    if (angle == 0.0) {
        copy_image(dst, src);
        return;
    }
    double radians = -((angle < 0.0 ? angle + 360.0 : angle) * 3.14159265358979323846 / 180.0);
    double cosine = round15(cos(radians)), sine = round15(sin(radians));
    double x = src->width / 2.0, y = src->height / 2.0; /* the centre stays where it is */
    double a[6] = {cosine, sine, cosine * -x + sine * -y, -sine, cosine, -sine * -x + cosine * -y};
    a[2] += x;
    a[5] += y;
    affine(dst, src, a, context);
}

static void shear_x(pba_image *dst, const pba_image *src, double slope, augment_context *context)
{
    affine(dst, src, (const double[6]){1, slope, 0, 0, 1, 0}, context);
}

static void shear_y(pba_image *dst, const pba_image *src, double slope, augment_context *context)
{
    affine(dst, src, (const double[6]){1, 0, 0, slope, 1, 0}, context);
}

static int at_most(int value, int limit)
{
    return value < limit ? value : limit;
}

void augment_shift(pba_image *dst, const pba_image *src, int dx, int dy)
{
    int width = src->width, height = src->height;
    int left = at_most(dx < 0 ? -dx : 0, width), right = width - at_most(dx > 0 ? dx : 0, width);
    int top = at_most(dy < 0 ? -dy : 0, height), bottom = height - at_most(dy > 0 ? dy : 0, height);
    if (left >= right || top >= bottom) {
        clear(dst, 0, width * height);
        return;
    }
    clear(dst, 0, top * width);
    clear(dst, (size_t)bottom * (size_t)width, (height - bottom) * width);
    for (int y = top; y < bottom; y++) {
        size_t row = (size_t)y * (size_t)width;
        clear(dst, row, left);
        copy_run(dst, src, row + (size_t)left,
                 (size_t)(y + dy) * (size_t)width + (size_t)(left + dx), (size_t)(right - left));
        clear(dst, row + (size_t)right, width - right);
    }
}

/* Whole pixels; a shift by more than the image is one by the image. */
static int whole(double pixels, int side)
{
    return (int)lround(fmax(-side, fmin(side, pixels)));
}

static void translate_x(pba_image *dst, const pba_image *src, double pixels,
                        augment_context *context)
{
    augment_shift(dst, src, whole(pixels, src->width), 0);
}

static void translate_y(pba_image *dst, const pba_image *src, double pixels,
                        augment_context *context)
{
    augment_shift(dst, src, 0, whole(pixels, src->height));
}

static void flip_left_right(pba_image *dst, const pba_image *src, double unused,
                            augment_context *context)
{
    size_t width = (size_t)src->width, channels = (size_t)src->channels;
    for (size_t row = 0; row < augment_pixels(src); row += width) {
        context->kernels->mirror(dst->pixels + row * channels, src->pixels + row * channels, width,
                                 src->channels);
        if (src->mask) {
            context->kernels->mirror(dst->mask + row, src->mask + row, width, 1);
        }
    }
    if (!src->mask) {
        augment_copy_mask(dst, src);
    }
}

static void flip_up_down(pba_image *dst, const pba_image *src, double unused,
                         augment_context *context)
{
    size_t width = (size_t)src->width, height = (size_t)src->height;
    for (size_t y = 0; y < height; y++) {
        copy_run(dst, src, y * width, (height - 1 - y) * width, width);
    }
}

static const augment_op rows[] = {
    {.name = "Rotate",
     .sentence = "Turns about the centre, counter-clockwise where positive.",
     .parameter = "degrees",
     .min = -180,
     .max = 180,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_SIGN | AUGMENT_AFFINE,
     .source = "Pillow Image.rotate",
     .apply = rotate},
    {.name = "TranslateX",
     .sentence = "Moves the content sideways, to the left where positive.",
     .parameter = "pixels",
     .min = -32,
     .max = 32,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_SIGN | AUGMENT_AFFINE | AUGMENT_PIXELS,
     .source = "Pillow Image.transform, AFFINE (1, 0, p, 0, 1, 0)",
     .apply = translate_x},
    {.name = "TranslateY",
     .sentence = "Moves the content up or down, up where positive.",
     .parameter = "pixels",
     .min = -32,
     .max = 32,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_SIGN | AUGMENT_AFFINE | AUGMENT_PIXELS,
     .source = "Pillow Image.transform, AFFINE (1, 0, 0, 0, 1, p)",
     .apply = translate_y},
    {.name = "ShearX",
     .sentence = "Slants sideways about the top-left corner.",
     .parameter = "slope",
     .min = -1,
     .max = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_SIGN | AUGMENT_AFFINE,
     .source = "Pillow Image.transform, AFFINE (1, s, 0, 0, 1, 0)",
     .apply = shear_x},
    {.name = "ShearY",
     .sentence = "Slants up or down about the top-left corner.",
     .parameter = "slope",
     .min = -1,
     .max = 1,
     .flags = AUGMENT_IDENTITY | AUGMENT_SEARCHED | AUGMENT_SIGN | AUGMENT_AFFINE,
     .source = "Pillow Image.transform, AFFINE (1, 0, 0, s, 1, 0)",
     .apply = shear_y},
    {.name = "FlipLR",
     .sentence = "Mirrors left and right.",
     .parameter = "",
     .flags = AUGMENT_AFFINE | AUGMENT_KEEPS_FULL,
     .source = "Pillow Image.transpose, FLIP_LEFT_RIGHT",
     .apply = flip_left_right},
    {.name = "FlipUD",
     .sentence = "Mirrors top and bottom.",
     .parameter = "",
     .flags = AUGMENT_AFFINE | AUGMENT_KEEPS_FULL,
     .source = "Pillow Image.transpose, FLIP_TOP_BOTTOM",
     .apply = flip_up_down},
};

const augment_ops augment_geometry = {rows, sizeof rows / sizeof *rows};
