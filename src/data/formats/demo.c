/* SPDX-License-Identifier: Apache-2.0
 * The demo data set: digits as on house number plates, 32 x 32 pixels in colour, drawn by pen
 * strokes and generated anew each time, always the same. It is made so that the right augmentations
 * are known: training images are upright, centred, light on dark; validation and test images are
 * the same drawings rotated, sheared, shifted, relit, and a third of them inverted. Every one of
 * these changes is in the reach of PBA's operations. It shows that a search works, and nothing
 * about real images. Only +, -, *, / and square roots are used, which give the same bytes
 * everywhere. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/rng.h"
#include "data/format.h"
#include "data/formats/demo_glyphs.h"

enum {
    SIDE = 32,
    AREA = SIDE * SIDE,
    TRAINING = 2000,
    VALIDATION = 1000,
    TEST = 2000,
    SPAN_STEPS = 5 /* straight pieces between two points of a curve */
};
static const uint64_t demo_seed = 2019;

typedef struct point {
    double x, y;
} point;

/* out = matrix * in + shift, in pixels around the image's centre */
typedef struct affine {
    double xx, xy, yx, yy, x, y;
} affine;

/* How one image's digits are written, in pixels. */
typedef struct hand {
    double width, height, slant, thickness, jitter;
} hand;

typedef struct light {
    double brightness, contrast, colour;
    bool inverted;
} light;

static double between(rng *rng, double low, double high)
{
    return low + (high - low) * rng_unit(rng);
}

/* ------------------------------------------------------------------ drawing */

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static double distance(point p, point a, point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = clamp(t, 0, 1);
    double x = p.x - a.x - t * dx, y = p.y - a.y - t * dy;
    return sqrt(x * x + y * y);
}

/* Ink of a straight piece: 1 inside the pen's radius, falling to 0 over one pixel. */
static void draw_piece(double *ink, point a, point b, double radius)
{
    double reach = radius + 1;
    int left = (int)clamp(fmin(a.x, b.x) - reach, 0, SIDE);
    int top = (int)clamp(fmin(a.y, b.y) - reach, 0, SIDE);
    int right = (int)clamp(fmax(a.x, b.x) + reach, 0, SIDE);
    int bottom = (int)clamp(fmax(a.y, b.y) + reach, 0, SIDE);
    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            double far = distance((point){x + 0.5, y + 0.5}, a, b);
            double value = clamp(radius + 0.5 - far, 0, 1);
            ink[y * SIDE + x] = fmax(ink[y * SIDE + x], value);
        }
    }
}

static point catmull_rom(point a, point b, point c, point d, double t)
{
    double wa = t * (t * (2 - t) - 1), wb = t * t * (3 * t - 5) + 2;
    double wc = t * (t * (4 - 3 * t) + 1), wd = t * t * (t - 1);
    return (point){(wa * a.x + wb * b.x + wc * c.x + wd * d.x) / 2,
                   (wa * a.y + wb * b.y + wc * c.y + wd * d.y) / 2};
}

static void draw_stroke(double *ink, const point *points, int count, bool smooth, double radius)
{
    bool closed = points[0].x == points[count - 1].x && points[0].y == points[count - 1].y;
    for (int i = 0; i + 1 < count; i++) {
        if (!smooth) {
            draw_piece(ink, points[i], points[i + 1], radius);
            continue;
        }
        point before = i ? points[i - 1] : points[closed ? count - 2 : 0];
        point behind = i + 2 < count ? points[i + 2] : points[closed ? 1 : count - 1];
        point from = points[i];
        for (int step = 1; step <= SPAN_STEPS; step++) {
            point to =
                catmull_rom(before, points[i], points[i + 1], behind, (double)step / SPAN_STEPS);
            draw_piece(ink, from, to, radius);
            from = to;
        }
    }
}

static point apply(const affine *map, point p)
{
    return (point){map->xx * p.x + map->xy * p.y + map->x + SIDE / 2.0,
                   map->yx * p.x + map->yy * p.y + map->y + SIDE / 2.0};
}

/* A digit around (x, y), in some style of it, no two alike. */
static void draw_digit(double *ink, int digit, point centre, const hand *hand, const affine *map,
                       rng *rng)
{
    const glyph_set *set = &demo_glyphs[digit];
    const glyph *glyph = &set->style[rng_below(rng, (uint32_t)set->styles)];
    for (int s = 0; s < glyph->strokes; s++) {
        const glyph_stroke *stroke = &glyph->stroke[s];
        bool closed = stroke->count > 2 &&
                      memcmp(stroke->points[0], stroke->points[stroke->count - 1], 2) == 0;
        point points[GLYPH_POINTS];
        for (int i = 0; i < stroke->count; i++) {
            double x = (stroke->points[i][0] / 100.0 - 0.5) * hand->width;
            double y = (stroke->points[i][1] / 100.0 - 0.5) * hand->height;
            x += between(rng, -hand->jitter, hand->jitter) - hand->slant * y;
            y += between(rng, -hand->jitter, hand->jitter);
            points[i] = apply(map, (point){centre.x + x, centre.y + y});
        }
        if (closed) {
            points[stroke->count - 1] = points[0];
        }
        draw_stroke(ink, points, stroke->count, stroke->smooth, hand->thickness);
    }
}

/* The digit in the middle, and what its neighbours on the plate show at the sides. */
static void draw_plate(double *ink, int digit, const affine *map, rng *rng)
{
    hand hand = {.height = between(rng, 17, 21),
                 .slant = between(rng, -0.08, 0.08),
                 .thickness = between(rng, 0.8, 1.5),
                 .jitter = between(rng, 0.2, 0.7)};
    hand.width = hand.height * between(rng, 0.5, 0.66);
    point centre = {between(rng, -1, 1), between(rng, -1, 1)};
    draw_digit(ink, digit, centre, &hand, map, rng);
    for (int side = -1; side <= 1; side += 2) {
        int other = (int)rng_below(rng, GLYPH_DIGITS);
        double step = hand.width + between(rng, 4.5, 7);
        if (rng_unit(rng) < 0.7) {
            point beside = {centre.x + side * step, centre.y + between(rng, -1, 1)};
            draw_digit(ink, other, beside, &hand, map, rng);
        }
    }
}

/* ------------------------------------------------------------------- colour */

/* Light ink on a darker ground whose shade changes slightly across. */
static void paint(const double *ink, double *colours, rng *rng)
{
    double ground[3], pen[3], slope[2];
    for (int c = 0; c < 3; c++) {
        ground[c] = between(rng, 15, 105);
        pen[c] = between(rng, 165, 250);
    }
    slope[0] = between(rng, -20, 20);
    slope[1] = between(rng, -20, 20);
    for (int i = 0; i < AREA; i++) {
        double shade =
            slope[0] * (i % SIDE / (double)SIDE - 0.5) + slope[1] * (i / SIDE / (double)SIDE - 0.5);
        for (int c = 0; c < 3; c++) {
            colours[i * 3 + c] = ground[c] + shade + ink[i] * (pen[c] - ground[c]);
        }
    }
}

static double luma(const double *colour)
{
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
}

static void relight(double *colours, const light *light)
{
    double mean = 0;
    for (int i = 0; i < AREA; i++) {
        mean += luma(colours + i * 3) / AREA;
    }
    for (int i = 0; i < AREA; i++) {
        double grey = luma(colours + i * 3);
        for (int c = 0; c < 3; c++) {
            double value = grey + light->colour * (colours[i * 3 + c] - grey);
            value = mean + light->contrast * (value - mean);
            value = clamp(light->brightness * value, 0, 255);
            colours[i * 3 + c] = light->inverted ? 255 - value : value;
        }
    }
}

/* Rounded, with noise of up to 5 either way: the sum of two small draws out of one word. */
static void develop(const double *colours, uint8_t *pixels, rng *rng)
{
    for (int i = 0; i < AREA * 3; i++) {
        uint32_t word = rng_word(rng);
        double noise = ((word & 0xffff) + (word >> 16)) / 65535.0 - 1;
        pixels[i] = (uint8_t)(clamp(colours[i] + 5 * noise, 0, 255) + 0.5);
    }
}

/* --------------------------------------------------------------- the splits */

static const affine upright = {.xx = 1, .yy = 1};
static const light daylight = {1, 1, 1, false};

/* Shear in x, then rotation, then shift. The series is exact to 1e-9 for these angles. */
static affine distorted(rng *rng)
{
    const double degree = 3.14159265358979323846 / 180;
    double angle = between(rng, -25, 25) * degree, square = angle * angle;
    double sine = angle * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)));
    double cosine = sqrt(1 - sine * sine), shear = between(rng, -0.25, 0.25);
    return (affine){.xx = cosine,
                    .xy = cosine * shear - sine,
                    .yx = sine,
                    .yy = sine * shear + cosine,
                    .x = between(rng, -5, 5),
                    .y = between(rng, -5, 5)};
}

static light relit(rng *rng)
{
    return (light){.brightness = between(rng, 0.45, 1.5),
                   .contrast = between(rng, 0.45, 1.5),
                   .colour = between(rng, 0.1, 1.8),
                   .inverted = rng_below(rng, 3) == 0};
}

static void generate(uint32_t number, int digit, bool clean, uint8_t *pixels)
{
    rng rng = rng_at(demo_seed, RNG_DEMO, 0, 0, number);
    double ink[AREA] = {0}, colours[AREA * 3];
    affine map = clean ? upright : distorted(&rng);
    light light = clean ? daylight : relit(&rng);
    draw_plate(ink, digit, &map, &rng);
    paint(ink, colours, &rng);
    relight(colours, &light);
    develop(colours, pixels, &rng);
}

static bool recognizes(const data_source *source)
{
    return strcmp(data_source_path(source), "demo") == 0;
}

static pba_status open_demo(const data_source *source, const pba_dataset_options *options,
                            data_content *content)
{
    content->width = content->height = SIDE;
    content->channels = 3;
    pba_status status = data_reserve(content, TRAINING + VALIDATION + TEST);
    if (status != PBA_OK) {
        return status;
    }
    content->counts[PBA_TRAIN] = TRAINING;
    content->counts[PBA_VALIDATION] = VALIDATION;
    content->counts[PBA_TEST] = TEST;
    for (uint32_t i = 0; i < TRAINING + VALIDATION + TEST; i++) {
        content->labels[i] = i % GLYPH_DIGITS;
        generate(i, (int)(i % GLYPH_DIGITS), i < TRAINING, content->pixels + i * AREA * 3);
    }
    snprintf(content->baseline, sizeof content->baseline, "crop:2,cutout:8");
    data_note(content,
              "generated digits: %d training images upright and clean; %d validation and %d test "
              "images rotated (up to 25 degrees), sheared (0.25), shifted (5 pixels), relit, a "
              "third inverted; made so that the right augmentations are known, no stand-in for "
              "real images",
              TRAINING, VALIDATION, TEST);
    return data_number_names(content, GLYPH_DIGITS);
}

const data_format data_demo = {.name = "demo",
                               .sentence = "Generated digits whose test images are distorted.",
                               .looks_for = "the word demo, which stands for generated digits",
                               .recognizes = recognizes,
                               .open = open_demo,
                               .test_share = 6,
                               .val_share = 5,
                               .val_max = 5000};
