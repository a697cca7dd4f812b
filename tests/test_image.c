/* SPDX-License-Identifier: Apache-2.0
 * Image files: what is written comes back; 16 bits, alpha, orientation, CMYK, grey and palettes are
 * read as pba.h says; damaged files are errors that name the file. Files that the library does not
 * write itself are made with libvips directly. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <vips/vips.h>

#include "core/file.h"
#include "core/rng.h"
#include "image/file.h"

static char folder[64], path[PBA_PATH_MAX];

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-test-image-XXXXXX");
    return mkdtemp(folder) && image_start() == PBA_OK ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *file(const char *name)
{
    assert_ok(file_join(path, folder, name));
    return path;
}

/* The bytes at `path`; file_write would wait for the disk each time. */
static void put(const void *data, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(data, 1, size, out), size);
    fclose(out);
}

static pba_image noise(int width, int height, int channels)
{
    pba_image image;
    assert_ok(pba_image_create(width, height, channels, &image));
    rng rng = rng_at(3, RNG_ORDER, 0, 0, (uint32_t)(width * height * channels));
    for (int i = 0; i < width * height * channels; i++) {
        image.pixels[i] = (uint8_t)rng_word(&rng);
    }
    for (int i = 0; i < width * height; i++) {
        image.mask[i] = rng_below(&rng, 3) ? 255 : 0;
    }
    return image;
}

static void assert_same(const pba_image *a, const pba_image *b, bool mask)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    size_t area = (size_t)a->width * (size_t)a->height;
    assert_memory_equal(a->pixels, b->pixels, area * (size_t)a->channels);
    for (size_t i = 0; i < area; i++) {
        assert_int_equal(b->mask[i], mask ? a->mask[i] : 255);
    }
}

static void refused(pba_status got, pba_status status, const char *part)
{
    if (got != status || !strstr(pba_error_message(), part) || !strstr(pba_error_message(), path) ||
        strchr(pba_error_message(), '\n')) {
        fail_msg("%s: %s", pba_status_name(got), pba_error_message());
    }
}

static void read_refused(pba_status status, const char *part)
{
    pba_image image;
    refused(pba_image_read(path, &image), status, part);
    assert_null(image.pixels);
}

/* ------------------------------------------------------------- round trips */

static void test_round_trips(void **state)
{
    const int sizes[][2] = {{1, 1}, {7, 3}, {1, 40}, {33, 32}};
    const char *names[] = {"a.png", "b.PNG", "c.tif", "d.tiff", "odd[page=2].png"};
    for (int s = 0; s < 4; s++) {
        for (int channels = 1; channels <= 3; channels += 2) {
            pba_image image = noise(sizes[s][0], sizes[s][1], channels), back;
            for (int n = 0; n < 5; n++) {
                for (int mask = 0; mask < 2; mask++) {
                    assert_ok(pba_image_write(file(names[n]), &image, mask));
                    assert_ok(pba_image_read(path, &back));
                    assert_same(&image, &back, mask);
                    pba_image_free(&back);
                }
            }
            pba_image_free(&image);
        }
    }
}

static void test_lossy(void **state)
{
    pba_image image, back;
    assert_ok(pba_image_create(40, 24, 3, &image));
    for (int i = 0; i < 40 * 24; i++) {
        memcpy(image.pixels + i * 3, ((uint8_t[]){200, (uint8_t)(i % 40 * 4), 30}), 3);
    }
    assert_ok(pba_image_write(file("a.jpg"), &image, false));
    assert_ok(pba_image_read(path, &back));
    assert_int_equal(back.channels, 3);
    for (int i = 0; i < 40 * 24 * 3; i++) {
        assert_in_range(back.pixels[i] + 8 - image.pixels[i], 0, 16);
    }
    pba_image_free(&back);
    refused(pba_image_write(path, &image, true), PBA_USAGE, "holds no alpha");
    pba_image_free(&image);
}

static void test_without_mask(void **state)
{
    pba_image image = noise(5, 4, 3), back;
    uint8_t *mask = image.mask;
    image.mask = NULL; /* a view of a data set's image */
    assert_ok(pba_image_write(file("a.png"), &image, true));
    image.mask = mask;
    assert_ok(pba_image_read(path, &back));
    assert_same(&image, &back, false);
    pba_image_free(&back);
    pba_image_free(&image);
}

/* ------------------------------------------------------- what others write */

static void write_with_vips(const void *data, size_t size, int width, int height, int bands,
                            VipsBandFormat format, VipsInterpretation kind, int orientation)
{
    VipsImage *image = vips_image_new_from_memory(data, size, width, height, bands, format), *copy;
    assert_non_null(image);
    assert_int_equal(vips_copy(image, &copy, "interpretation", kind, NULL), 0);
    if (orientation) {
        vips_image_set_int(copy, VIPS_META_ORIENTATION, orientation);
    }
    assert_int_equal(vips_image_write_to_file(copy, path, NULL), 0);
    g_object_unref(copy);
    g_object_unref(image);
}

static void test_sixteen_bits(void **state)
{
    const uint16_t pixels[2][4] = {{0x1234, 0xff00, 0x00ff, 0xffff}, {0x8000, 0x7fff, 0x0100, 0}};
    pba_image image;
    file("a.png");
    write_with_vips(pixels, sizeof pixels, 2, 1, 4, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
                    0);
    assert_ok(pba_image_read(path, &image));
    assert_int_equal(image.channels, 3);
    assert_memory_equal(image.pixels, ((uint8_t[]){0x12, 0xff, 0, 0x80, 0x7f, 1}), 6);
    assert_memory_equal(image.mask, ((uint8_t[]){255, 0}), 2);
    pba_image_free(&image);
    write_with_vips(pixels, sizeof pixels, 4, 2, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
                    0);
    assert_ok(pba_image_read(path, &image));
    assert_int_equal(image.channels, 1);
    assert_memory_equal(image.pixels, ((uint8_t[]){0x12, 0xff, 0, 0xff, 0x80, 0x7f, 1, 0}), 8);
    pba_image_free(&image);
}

/* A 16 x 8 image, left half white; orientation 6 turns it so that the top is white. */
static void test_orientation(void **state)
{
    uint8_t pixels[8][16];
    for (int y = 0; y < 8; y++) {
        memset(pixels[y], 255, 8);
        memset(pixels[y] + 8, 0, 8);
    }
    pba_image image;
    file("a.jpg");
    write_with_vips(pixels, sizeof pixels, 16, 8, 1, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W, 6);
    assert_ok(pba_image_read(path, &image));
    assert_int_equal(image.width, 8);
    assert_int_equal(image.height, 16);
    assert_int_equal(image.channels, 1);
    for (int i = 0; i < 128; i++) {
        assert_true(i < 64 ? image.pixels[i] > 250 : image.pixels[i] < 5);
    }
    pba_image_free(&image);
}

static void test_cmyk(void **state)
{
    uint8_t pixels[8 * 8][4];
    for (int i = 0; i < 64; i++) {
        memcpy(pixels[i], ((uint8_t[]){0, 255, 255, 0}), 4); /* red */
    }
    pba_image image;
    file("a.jpg");
    write_with_vips(pixels, sizeof pixels, 8, 8, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_CMYK, 0);
    assert_ok(pba_image_read(path, &image));
    assert_int_equal(image.channels, 3);
    assert_int_equal(image.mask[0], 255);
    assert_true(image.pixels[0] > 180 && image.pixels[1] < 80 && image.pixels[2] < 80);
    pba_image_free(&image);
}

static void test_unsupported_pixels(void **state)
{
    float reals[4] = {0};
    file("a.tif");
    write_with_vips(reals, sizeof reals, 2, 2, 1, VIPS_FORMAT_FLOAT, VIPS_INTERPRETATION_B_W, 0);
    read_refused(PBA_UNSUPPORTED, "neither 8 nor 16 bit");
    uint8_t bands[6] = {0};
    write_with_vips(bands, sizeof bands, 1, 1, 6, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_MULTIBAND,
                    0);
    read_refused(PBA_UNSUPPORTED, "");
}

/* ------------------------------------------------------------- bad input */

static void test_bad_files(void **state)
{
    file("absent.png");
    read_refused(PBA_NOT_FOUND, "cannot be opened");
    file("empty.png");
    put("", 0);
    read_refused(PBA_FORMAT, "is no image file");
    file("text.png");
    put("hello, world\n", 13);
    read_refused(PBA_FORMAT, "is no image file");
    snprintf(path, sizeof path, "%s", folder);
    read_refused(PBA_IO, "is not a plain file");
    const char *svg = "<svg xmlns='http://www.w3.org/2000/svg' width='4' height='4'></svg>";
    file("a.svg");
    put(svg, strlen(svg));
    read_refused(PBA_FORMAT, "is no image file"); /* not one of the trusted loaders */
}

/* A PNG header that claims 30,000 x 30,000 pixels, with a right checksum and nothing behind it. */
static void test_huge_claim(void **state)
{
    uint8_t png[] = {0x89, 'P', 'N', 'G',  13,   10, 26, 10,   0,    0,   0,   13, 'I', 'H', 'D',
                     'R',  0,   0,   0x75, 0x30, 0,  0,  0x75, 0x30, 8,   0,   0,  0,   0,   0,
                     0,    0,   0,   0,    0,    0,  0,  'I',  'D',  'A', 'T', 0,  0,   0,   0};
    guint32 crc = 0xffffffff;
    for (int i = 12; i < 29; i++) {
        crc ^= png[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
        }
    }
    for (int i = 0; i < 4; i++) {
        png[29 + i] = (uint8_t)(~crc >> (24 - 8 * i));
    }
    file("a.png");
    put(png, sizeof png);
    read_refused(PBA_UNSUPPORTED, "30000 x 30000 pixels");
}

static void cut_everywhere(const char *name, pba_image *image, size_t tail)
{
    assert_ok(pba_image_write(file(name), image, false));
    char *data;
    size_t size;
    assert_ok(file_read(path, 1 << 20, &data, &size));
    for (size_t cut = 0; cut + tail < size; cut += 1 + size / 97) {
        put(data, cut);
        read_refused(PBA_FORMAT, "");
    }
    for (size_t i = 0; i < size; i += 1 + size / 97) { /* an error or some picture, no crash */
        data[i] ^= 0x55;
        put(data, size);
        pba_image back;
        pba_status status = pba_image_read(path, &back);
        assert_true(status == PBA_OK || back.pixels == NULL);
        pba_image_free(&back);
        data[i] ^= 0x55;
    }
    free(data);
}

static void test_damaged(void **state)
{
    pba_image image = noise(24, 20, 3);
    cut_everywhere("a.png", &image,
                   16); /* the last chunks hold nothing but a checksum and an end */
    cut_everywhere("a.jpg", &image, 2);
    cut_everywhere("a.tif", &image, 0);
    pba_image_free(&image);
}

/* Found each time, not most times: libvips' threads once raced past it. */
static void test_cut_off_every_time(void **state)
{
    pba_image image = noise(24, 20, 3);
    assert_ok(pba_image_write(file("a.jpg"), &image, false));
    pba_image_free(&image);
    char *data;
    size_t size;
    assert_ok(file_read(path, 1 << 20, &data, &size));
    put(data, size - 100);
    free(data);
    for (int i = 0; i < 1000; i++) {
        read_refused(PBA_FORMAT, "damaged");
    }
}

static void test_bad_output(void **state)
{
    pba_image image = noise(2, 2, 1);
    refused(pba_image_write(file("plain"), &image, false), PBA_USAGE, "suffix");
    refused(pba_image_write(file("a.xyz"), &image, false), PBA_USAGE, ".png");
    file("below");
    put("x", 1);
    snprintf(path, sizeof path, "%s/below/a.png", folder);
    refused(pba_image_write(path, &image, false), PBA_IO, "a.png");
    pba_image_free(&image);
}

static void test_create_refused(void **state)
{
    pba_image image;
    assert_int_equal(pba_image_create(0, 1, 1, &image), PBA_USAGE);
    assert_int_equal(pba_image_create(1, -1, 1, &image), PBA_USAGE);
    assert_int_equal(pba_image_create(1, 1, 2, &image), PBA_USAGE);
    assert_int_equal(pba_image_create(INT32_MAX, INT32_MAX, 3, &image), PBA_UNSUPPORTED);
    assert_null(image.pixels);
}

/* A column and a row are left over; what has no content counts in the mask's mean alone. */
static void test_shrink(void **state)
{
    uint8_t pixels[] = {10, 20, 7, 30, 41, 9, 1, 2, 3},
            mask[] = {255, 255, 0, 255, 255, 0, 0, 255, 255};
    pba_image image = {.pixels = pixels, .mask = mask, .width = 3, .height = 3, .channels = 1},
              small;
    assert_ok(image_shrink(&image, 2, &small));
    assert_int_equal(small.width, 2);
    assert_int_equal(small.height, 2);
    assert_memory_equal(small.pixels, ((uint8_t[]){25, 0, 2, 3}), 4);
    assert_memory_equal(small.mask, ((uint8_t[]){255, 0, 128, 255}), 4);
    pba_image_free(&small);
    assert_ok(image_shrink(&image, 1, &small));
    assert_memory_equal(small.mask, mask, 9);
    pba_image_free(&small);
}

static void test_png(void **state)
{
    uint8_t pixels[] = {1, 2, 3, 4, 5, 6}, *bytes;
    pba_image image = {.pixels = pixels, .width = 2, .height = 1, .channels = 3}, again;
    size_t size;
    assert_ok(image_png(&image, false, &bytes, &size));
    assert_ok(file_write(file("memory.png"), bytes, size));
    free(bytes);
    assert_ok(pba_image_read(file("memory.png"), &again));
    assert_memory_equal(again.pixels, pixels, sizeof pixels);
    pba_image_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_lossy),
        cmocka_unit_test(test_without_mask),
        cmocka_unit_test(test_sixteen_bits),
        cmocka_unit_test(test_orientation),
        cmocka_unit_test(test_cmyk),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_unsupported_pixels),
        cmocka_unit_test(test_huge_claim),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_bad_output),
        cmocka_unit_test(test_cut_off_every_time),
        cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_png),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
