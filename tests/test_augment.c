/* SPDX-License-Identifier: Apache-2.0
 * Operations one by one. Generic tests run over the registry, so that a new row is tested at once;
 * Pillow's results are in augment_checksums.txt, made by oracle_augment.py. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "augment/space.h"
#include "schedule/policy.h"

/* ------------------------------------------------------- the images of oracle_augment.py */

typedef uint8_t pixel_rule(int x, int y, int c);

static int wave(int t)
{
    t %= 510;
    return t <= 255 ? t : 510 - t;
}

static uint8_t texture(int x, int y, int c)
{
    int sum = wave(7 * x + 3 * y + 50 * c) + wave((x * x + 2 * y * y) / 8 + 90 * c);
    return (uint8_t)((sum + (x > y ? 60 : 0)) * 4 / 10);
}

static uint8_t flat(int x, int y, int c)
{
    return (uint8_t)(77 + 40 * c);
}

static uint8_t two_values(int x, int y, int c)
{
    return (uint8_t)(30 + 170 * ((x + y) & 1) + c);
}

static uint8_t full(int x, int y, int c)
{
    return 255;
}

static uint8_t holes(int x, int y, int c)
{
    return (x / 3 + y / 2) % 4 == 0 ? 0 : 255;
}

static uint8_t graded(int x, int y, int c)
{
    return (uint8_t)wave(40 * x + 23 * y);
}

typedef struct picture {
    pixel_rule *pixels, *mask; /* pixels NULL: noise */
    int width, height, channels;
} picture;

static const picture pictures[] = {
    {texture, full, 32, 32, 3},    {texture, holes, 32, 32, 3},     {texture, graded, 32, 32, 3},
    {texture, holes, 28, 28, 1},   {NULL, full, 32, 32, 3},         {NULL, graded, 17, 23, 3},
    {NULL, holes, 33, 19, 1},      {flat, full, 32, 32, 3},         {flat, holes, 9, 9, 1},
    {two_values, full, 31, 32, 3}, {two_values, graded, 16, 16, 1}, {NULL, full, 1, 37, 3},
    {texture, full, 41, 1, 3},     {NULL, holes, 1, 9, 1},          {NULL, full, 1, 1, 3},
    {texture, full, 1, 1, 1},      {NULL, full, 2, 2, 3},           {NULL, graded, 3, 3, 3},
    {NULL, full, 4, 5, 1},         {texture, full, 96, 64, 3},      {NULL, full, 70, 41, 3},
};
enum { PICTURES = sizeof pictures / sizeof *pictures };

static pba_image paint(const picture *picture)
{
    pba_image image = {NULL, NULL, picture->width, picture->height, picture->channels};
    uint32_t noise = 1000U * (uint32_t)image.width + (uint32_t)image.height;
    uint8_t *pixel = image.pixels = malloc(augment_bytes(&image));
    uint8_t *mask = image.mask = malloc(augment_pixels(&image));
    assert_true(pixel && mask);
    for (int y = 0; y < image.height; y++) {
        for (int x = 0; x < image.width; x++) {
            *mask++ = picture->mask(x, y, 0);
            for (int c = 0; c < image.channels; c++) {
                noise = noise * 1664525U + 1013904223U;
                *pixel++ = picture->pixels ? picture->pixels(x, y, c) : (uint8_t)(noise >> 24);
            }
        }
    }
    return image;
}

static void discard(pba_image *image)
{
    free(image->pixels);
    free(image->mask);
}

/* --------------------------------------------------------------------------- checksums */

static uint32_t checksum(const char *name, int level, int sign)
{
    uLong crc = crc32(0, NULL, 0);
    for (int i = 0; i < PICTURES; i++) {
        pba_image image = paint(&pictures[i]);
        assert_ok(pba_op_apply(&image, name, level, sign, 77U * (unsigned)level + 3));
        crc = crc32(crc, image.pixels, (uInt)augment_bytes(&image));
        crc = crc32(crc, image.mask, (uInt)augment_pixels(&image));
        discard(&image);
    }
    return (uint32_t)crc;
}

/* With the set of kernels that the environment names. */
static void compare_with_pillow(void)
{
    char path[PBA_PATH_MAX], line[256], name[PBA_NAME_MAX];
    const char *source = getenv("PBA_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/augment_checksums.txt", source ? source : ".");
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    int rows = 0;
    while (fgets(line, sizeof line, file)) {
        int level, sign;
        unsigned expected;
        if (*line == '#') {
            continue;
        }
        assert_int_equal(sscanf(line, "%63s %d %d %x", name, &level, &sign, &expected), 4);
        uint32_t found = checksum(name, level, sign);
        if (found != expected) {
            fail_msg("%s level %d sign %+d: %08x, Pillow %08x", name, level, sign, found, expected);
        }
        rows++;
    }
    fclose(file);
    int wanted = 0;
    for (size_t i = 0; i < augment_op_count(); i++) {
        wanted += AUGMENT_LEVELS * (augment_op_at(i)->flags & AUGMENT_SIGN ? 2 : 1);
    }
    assert_int_equal(rows, wanted); /* every operation of the registry is in the table */
}

static void results_are_pillows(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512vbmi"};
    const augment_kernels *kernels;
    for (int set = 0; set < 4; set++) {
        setenv("PBA_ISA", sets[set], 1);
        if (augment_kernels_choose(&kernels) == PBA_OK) {
            compare_with_pillow();
        }
        unsetenv("PBA_ISA");
    }
}

/* ---------------------------------------------------------------------------- registry */

static void rows_are_complete(void **state)
{
    for (size_t i = 0; i < augment_op_count(); i++) {
        const augment_op *op = augment_op_at(i);
        pba_op_info info;
        assert_true(*op->name && strlen(op->name) < PBA_NAME_MAX && *op->sentence && *op->source);
        assert_true(!op->apply != !op->tables);
        assert_ptr_equal(augment_op_find(op->name), op); /* no name twice */
        assert_true(*op->parameter ? op->min < op->max : op->min == 0 && op->max == 0);
        assert_ok(pba_op_get(i, &info));
        assert_string_equal(info.name, op->name);
        assert_int_equal(info.has_sign, !!(op->flags & AUGMENT_SIGN));
        assert_int_equal(info.pixels, !!(op->flags & AUGMENT_PIXELS));
    }
    pba_op_info info;
    assert_int_equal(pba_op_count(), augment_op_count());
    assert_int_equal(pba_op_get(pba_op_count(), &info), PBA_USAGE);
}

static void levels_stay_in_range(void **state)
{
    for (size_t i = 0; i < augment_op_count(); i++) {
        const augment_op *op = augment_op_at(i);
        for (int level = 0; level < AUGMENT_LEVELS; level++) {
            double p;
            assert_ok(pba_op_parameter(op->name, level, &p));
            assert_true(p >= op->min && p <= op->max);
            assert_true(!(op->flags & AUGMENT_SIGN) || -p >= op->min);
        }
    }
}

static void space_has_the_fifteen(void **state)
{
    int searched = 0;
    assert_int_equal(augment_space_pba.op_count, SCHEDULE_PBA_OPS);
    for (int i = 0; i < SCHEDULE_PBA_OPS; i++) {
        assert_string_equal(augment_space_pba.ops[i], schedule_pba_ops[i]);
        const augment_op *op = augment_op_find(schedule_pba_ops[i]);
        assert_non_null(op);
        assert_true(op->flags & AUGMENT_SEARCHED);
    }
    for (size_t i = 0; i < augment_op_count(); i++) {
        searched += !!(augment_op_at(i)->flags & AUGMENT_SEARCHED);
    }
    assert_int_equal(searched, SCHEDULE_PBA_OPS);
}

static void parameters_of_levels(void **state)
{
    static const struct {
        const char *op;
        int level;
        double expected;
    } rows[] = {
        {"Rotate", 3, 9},       {"Rotate", 10, 30},     {"TranslateX", 7, 7},
        {"TranslateY", 10, 10}, {"Brightness", 5, 1.0}, {"Color", 5, 1.0},
        {"Sharpness", 5, 1},    {"Contrast", 0, 0.1},   {"Contrast", 10, 1.9},
        {"Posterize", 0, 4},    {"Posterize", 2, 4},    {"Posterize", 3, 3},
        {"Posterize", 5, 2},    {"Posterize", 8, 1},    {"Posterize", 10, 0},
        {"ShearX", 10, 0.3},    {"ShearY", 0, 0},       {"Solarize", 0, 256},
        {"Solarize", 1, 231},   {"Solarize", 10, 0},    {"Cutout", 9, 18},
        {"CropBilinear", 4, 4}, {"Invert", 9, 0},       {"Equalize", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double p = -1;
        assert_ok(pba_op_parameter(rows[i].op, rows[i].level, &p));
        assert_true(fabs(p - rows[i].expected) < 1e-12);
        assert_true(rows[i].expected != 1.0 || p == 1.0); /* the enhancers' identity, exactly */
    }
}

/* ------------------------------------------------------------------ every op, every set */

enum { GUARD = 64 };

/* An image inside guard bytes, everything set to `value`. */
static pba_image guarded(const pba_image *shape, uint8_t value)
{
    pba_image image = *shape;
    size_t bytes = augment_bytes(shape) + 2 * GUARD, pixels = augment_pixels(shape) + 2 * GUARD;
    image.pixels = malloc(bytes);
    image.mask = malloc(pixels);
    assert_true(image.pixels && image.mask);
    memset(image.pixels, value, bytes);
    memset(image.mask, value, pixels);
    image.pixels += GUARD;
    image.mask += GUARD;
    return image;
}

static void check_guards(const pba_image *image, uint8_t value)
{
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(image->pixels[-1 - i], value);
        assert_int_equal(image->pixels[augment_bytes(image) + (size_t)i], value);
        assert_int_equal(image->mask[-1 - i], value);
        assert_int_equal(image->mask[augment_pixels(image) + (size_t)i], value);
    }
}

static void discard_guarded(pba_image *image)
{
    free(image->pixels - GUARD);
    free(image->mask - GUARD);
}

static void assert_same(const pba_image *a, const pba_image *b, const char *what)
{
    if (memcmp(a->pixels, b->pixels, augment_bytes(a)) ||
        memcmp(a->mask, b->mask, augment_pixels(a))) {
        fail_msg("%s: results differ", what);
    }
}

/* One run of an operation: guards whole, source untouched, scratch no larger than promised. */
static pba_image run_guarded(const augment_op *op, double parameter, const picture *picture,
                             const augment_kernels *kernels, uint8_t value)
{
    pba_image src = paint(picture), before = paint(picture), dst = guarded(&src, value);
    size_t bytes = augment_scratch_bytes(src.width, src.height);
    uint8_t *scratch = aligned_alloc(64, (bytes + 2 * GUARD) / 64 * 64 + 64);
    assert_non_null(scratch);
    memset(scratch + bytes, value, GUARD);
    rng rng = rng_at(9, RNG_AUGMENT, 0, 0, 0);
    augment_context context = {.kernels = kernels, .rng = &rng, .scratch = scratch};
    augment_op_apply(op, &dst, &src, parameter, &context);
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(scratch[bytes + (size_t)i], value);
    }
    check_guards(&dst, value);
    assert_same(&src, &before, op->name);
    free(scratch);
    discard(&src);
    discard(&before);
    return dst;
}

/* No mask is a mask that is all content. */
static void check_maskless(const augment_op *op, double parameter, const picture *picture,
                           const augment_kernels *kernels)
{
    pba_image src = paint(picture), a = guarded(&src, 1), b = guarded(&src, 2);
    uint8_t *mask = src.mask, *scratch = aligned_alloc(64, (1 << 20));
    assert_non_null(scratch);
    assert_true(augment_scratch_bytes(src.width, src.height) <= 1 << 20);
    for (int pass = 0; pass < 2; pass++) {
        rng rng = rng_at(9, RNG_AUGMENT, 0, 0, 0);
        augment_context context = {.kernels = kernels, .rng = &rng, .scratch = scratch};
        memset(mask, 255, augment_pixels(&src));
        src.mask = pass ? NULL : mask;
        augment_op_apply(op, pass ? &b : &a, &src, parameter, &context);
    }
    assert_same(&a, &b, op->name);
    for (size_t i = 0; op->flags & AUGMENT_KEEPS_FULL && i < augment_pixels(&b); i++) {
        assert_int_equal(b.mask[i], 255);
    }
    src.mask = mask;
    free(scratch);
    discard(&src);
    discard_guarded(&a);
    discard_guarded(&b);
}

static void check_run(const augment_op *op, double parameter, const picture *picture,
                      const augment_kernels *base, const augment_kernels *kernels)
{
    pba_image a = run_guarded(op, parameter, picture, base, 0x55);
    pba_image b = run_guarded(op, parameter, picture, kernels, 0xAA);
    assert_same(&a, &b, op->name); /* the same from every set, and no byte left unwritten */
    if (op->flags & AUGMENT_RESETS_MASK) {
        for (size_t i = 0; i < augment_pixels(&a); i++) {
            assert_int_equal(a.mask[i], 255);
        }
    }
    discard_guarded(&a);
    discard_guarded(&b);
}

static const augment_kernels *forced(const char *set)
{
    const augment_kernels *kernels = NULL;
    setenv("PBA_ISA", set, 1);
    pba_status status = augment_kernels_choose(&kernels);
    unsetenv("PBA_ISA");
    assert_true(status == PBA_OK || status == PBA_UNSUPPORTED);
    return kernels;
}

static void check_set(const augment_kernels *base, const augment_kernels *kernels)
{
    for (size_t i = 0; i < augment_op_count(); i++) {
        const augment_op *op = augment_op_at(i);
        for (int p = 0; p < PICTURES; p++) {
            for (int level = 0; level < AUGMENT_LEVELS; level += 3) {
                double parameter = augment_space_pba.parameter(op, level);
                check_run(op, parameter, &pictures[p], base, kernels);
                check_maskless(op, parameter, &pictures[p], kernels);
                if (op->flags & AUGMENT_SIGN) {
                    check_run(op, -parameter, &pictures[p], base, kernels);
                }
            }
            check_run(op, op->min, &pictures[p], base, kernels);
            check_run(op, op->max, &pictures[p], base, kernels);
        }
    }
}

static void every_set_gives_the_same(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512vbmi"};
    const augment_kernels *base = forced("base");
    assert_non_null(base);
    for (int i = 0; i < 4; i++) {
        const augment_kernels *kernels = forced(sets[i]);
        if (kernels) {
            assert_string_equal(kernels->name, sets[i]);
            check_set(base, kernels);
        }
    }
}

static void unknown_set(void **state)
{
    const augment_kernels *kernels;
    setenv("PBA_ISA", "mmx", 1);
    assert_int_equal(augment_kernels_choose(&kernels), PBA_USAGE);
    unsetenv("PBA_ISA");
    assert_non_null(strstr(pba_error_message(), "mmx"));
    assert_ok(augment_kernels_choose(&kernels));
}

/* ------------------------------------------------------------------------- the rest */

static void wrong_usage(void **state)
{
    pba_image image = paint(&pictures[0]);
    double p;
    assert_int_equal(pba_op_apply(&image, "Rotat", 1, 1, 0), PBA_USAGE);
    assert_non_null(strstr(pba_error_message(), "'Rotat'"));
    assert_non_null(strstr(pba_error_message(), "CropBilinear")); /* the last of the known ones */
    assert_int_equal(pba_op_apply(&image, "Rotate", 11, 1, 0), PBA_USAGE);
    assert_int_equal(pba_op_apply(&image, "Rotate", -1, 1, 0), PBA_USAGE);
    assert_int_equal(pba_op_apply(&image, "Rotate", 1, 0, 0), PBA_USAGE);
    assert_int_equal(pba_op_apply(&image, "Invert", 1, -1, 0), PBA_USAGE);
    assert_int_equal(pba_op_parameter("Rotate", 11, &p), PBA_USAGE);
    assert_int_equal(pba_op_parameter("", 1, &p), PBA_USAGE);
    pba_image shape = image;
    shape.channels = 4;
    assert_int_equal(pba_op_apply(&shape, "Invert", 1, 1, 0), PBA_USAGE);
    shape = image;
    shape.width = 0;
    assert_int_equal(pba_op_apply(&shape, "Invert", 1, 1, 0), PBA_USAGE);
    shape.width = shape.height = 1 << 20;
    assert_int_equal(pba_op_apply(&shape, "Invert", 1, 1, 0), PBA_USAGE);
    pba_image same = paint(&pictures[0]);
    assert_same(&image, &same, "refused calls");
    discard(&image);
    discard(&same);
}

static void image_without_mask(void **state)
{
    pba_image with = paint(&pictures[0]), without = paint(&pictures[0]);
    uint8_t *mask = without.mask;
    without.mask = NULL;
    assert_ok(pba_op_apply(&with, "Cutout", 8, 1, 4));
    assert_ok(pba_op_apply(&without, "Cutout", 8, 1, 4));
    assert_memory_equal(with.pixels, without.pixels, augment_bytes(&with));
    without.mask = mask;
    discard(&with);
    discard(&without);
}

/* Many images at once are the same as one by one, whatever of the masks is given. */
static void images_in_one_call(void **state)
{
    enum { N = 3, W = 19, H = 11 };
    static const picture shape = {NULL, holes, W, H * N, 3};
    pba_image all = paint(&shape), first = all, out = guarded(&all, 0x55);
    first.height = H;
    for (size_t i = 0; i < augment_op_count(); i++) {
        const augment_op *op = augment_op_at(i);
        double parameter = augment_space_pba.parameter(op, 7);
        assert_ok(pba_op_apply_images(op->name, parameter, &first, N, 5, out.pixels, out.mask));
        check_guards(&out, 0x55);
        for (size_t n = 0; n < N; n++) {
            pba_image one = {all.pixels + n * W * H * 3, all.mask + n * W * H, W, H, 3};
            pba_image alone = guarded(&one, 0);
            rng rng = rng_at(5, RNG_AUGMENT, 0, 0, (uint32_t)n);
            uint8_t *scratch = malloc(augment_scratch_bytes(W, H));
            augment_context context = {.rng = &rng, .scratch = scratch};
            assert_ok(augment_kernels_choose(&context.kernels));
            augment_op_apply(op, &alone, &one, parameter, &context);
            assert_memory_equal(alone.pixels, out.pixels + n * W * H * 3, W * H * 3);
            assert_memory_equal(alone.mask, out.mask + n * W * H, W * H);
            free(scratch);
            discard_guarded(&alone);
        }
    }
    first.mask = NULL;
    assert_ok(pba_op_apply_images("Invert", 0, &first, N, 5, out.pixels, NULL));
    for (size_t i = 0; i < augment_bytes(&all); i++) {
        assert_int_equal(out.pixels[i], 255 - all.pixels[i]);
    }
    assert_int_equal(pba_op_apply_images("Invert", 1, &first, N, 5, out.pixels, NULL), PBA_USAGE);
    assert_int_equal(pba_op_apply_images("Posterize", (double)NAN, &first, N, 5, out.pixels, NULL),
                     PBA_USAGE);
    assert_int_equal(pba_op_apply_images("TranslateX", 33, &first, N, 5, out.pixels, NULL),
                     PBA_USAGE);
    discard(&all);
    discard_guarded(&out);
}

/* Operations in a row, tables joined, are the operations one after another. */
static void check_row(const augment_op *const ops[3], const picture *picture)
{
    pba_image at = paint(picture), next = guarded(&at, 0), start = paint(picture);
    pba_image spare[2] = {guarded(&at, 3), guarded(&at, 4)};
    uint8_t *scratch = aligned_alloc(64, 1 << 20);
    assert_non_null(scratch);
    rng a = rng_at(9, RNG_AUGMENT, 0, 0, 0), b = a;
    augment_context context = {.rng = &a, .scratch = scratch};
    augment_frame frame = {.now = start, .spare = {spare[0], spare[1]}};
    assert_ok(augment_kernels_choose(&context.kernels));
    for (int i = 0; i < 3; i++) {
        double parameter = augment_space_pba.parameter(ops[i], 4 + 2 * i);
        context.rng = &a;
        augment_op_apply(ops[i], &next, &at, parameter, &context);
        memcpy(at.pixels, next.pixels, augment_bytes(&at));
        memcpy(at.mask, next.mask, augment_pixels(&at));
        context.rng = &b;
        augment_frame_apply(&frame, ops[i], parameter, &context);
    }
    augment_frame_settle(&frame, context.kernels);
    augment_copy_mask(&next, &frame.now);
    frame.now.mask = next.mask;
    assert_same(&at, &frame.now, ops[2]->name);
    free(scratch);
    discard(&at);
    discard(&start);
    discard_guarded(&next);
    discard_guarded(&spare[0]);
    discard_guarded(&spare[1]);
}

static void rows_of_operations(void **state)
{
    static const picture some[] = {{texture, holes, 32, 32, 3}, {NULL, graded, 16, 5, 1}};
    size_t count = augment_op_count();
    for (size_t i = 0; i < count * count * count; i++) {
        const augment_op *const ops[3] = {augment_op_at(i % count),
                                          augment_op_at(i / count % count),
                                          augment_op_at(i / count / count)};
        check_row(ops, &some[i % 2]);
    }
}

/* One channel behaves as the red of the grey image with three. */
static void grey_is_red(void **state)
{
    static const picture grey = {NULL, holes, 23, 17, 1};
    for (size_t i = 0; i < augment_op_count(); i++) {
        pba_image one = paint(&grey), three = {NULL, NULL, 23, 17, 3};
        three.pixels = malloc(augment_bytes(&three));
        three.mask = malloc(augment_pixels(&three));
        assert_true(three.pixels && three.mask);
        for (size_t p = 0; p < augment_pixels(&one); p++) {
            memset(three.pixels + 3 * p, one.pixels[p], 3);
        }
        memcpy(three.mask, one.mask, augment_pixels(&one));
        assert_ok(pba_op_apply(&one, augment_op_at(i)->name, 7, 1, 5));
        assert_ok(pba_op_apply(&three, augment_op_at(i)->name, 7, 1, 5));
        for (size_t p = 0; p < augment_pixels(&one); p++) {
            assert_int_equal(one.pixels[p], three.pixels[3 * p]);
            assert_int_equal(one.mask[p], three.mask[p]);
        }
        discard(&one);
        discard(&three);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_pillows),  cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(levels_stay_in_range), cmocka_unit_test(space_has_the_fifteen),
        cmocka_unit_test(parameters_of_levels), cmocka_unit_test(every_set_gives_the_same),
        cmocka_unit_test(unknown_set),          cmocka_unit_test(wrong_usage),
        cmocka_unit_test(image_without_mask),   cmocka_unit_test(grey_is_red),
        cmocka_unit_test(images_in_one_call),   cmocka_unit_test(rows_of_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
