/* SPDX-License-Identifier: Apache-2.0
 * Image files: what is written comes back; 16 bits, alpha, orientation, CMYK, grey and palettes are
 * read as pba.h says; damaged files are errors that name the file. Files that the library does not
 * write itself are made with libvips directly, in children: here too it runs in no other place. */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vips/vips.h>

#include "core/file.h"
#include "core/rng.h"
#include "image/codec.h"
#include "image/file.h"
#include "image/shrink.h"

static char folder[64], path[PBA_PATH_MAX];

static int make_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/pba-test-image-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
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
            for (int n = 0; n < (s ? 1 : 5); n++) {
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

typedef struct drawing {
    const void *data;
    size_t size;
    int width, height, bands, orientation;
    VipsBandFormat format;
    VipsInterpretation kind;
} drawing;

static pba_status draw(void *context, child_stream *out)
{
    const drawing *plan = context;
    VipsImage *image, *copy;
    pba_status status = image_start();
    if (status != PBA_OK) {
        return status;
    }
    image = vips_image_new_from_memory(plan->data, plan->size, plan->width, plan->height,
                                       plan->bands, plan->format);
    if (!image || vips_copy(image, &copy, "interpretation", plan->kind, NULL) != 0) {
        return status_set(PBA_INTERNAL, "%s", vips_error_buffer());
    }
    if (plan->orientation) {
        vips_image_set_int(copy, VIPS_META_ORIENTATION, plan->orientation);
    }
    void *bytes;
    size_t size;
    int code = vips_image_write_to_buffer(copy, strrchr(path, '.'), &bytes, &size, NULL);
    g_object_unref(copy);
    g_object_unref(image);
    if (code != 0) {
        return status_set(PBA_INTERNAL, "%s", vips_error_buffer());
    }
    status = child_write(out, &size, sizeof size);
    return status == PBA_OK ? child_write(out, bytes, size) : status;
}

static pba_status save(void *context, child_stream *in)
{
    char bytes[1 << 16];
    size_t size;
    pba_status status = child_read(in, &size, sizeof size);
    if (status != PBA_OK || size > sizeof bytes) {
        return status == PBA_OK ? PBA_INTERNAL : status;
    }
    status = child_read(in, bytes, size);
    put(bytes, size);
    return status;
}

static pba_status nothing(void *context, child_stream *in)
{
    return PBA_OK;
}

static void in_child(pba_status (*work)(void *context, child_stream *out), void *context)
{
    const child_job job = {.what = "test",
                           .limits = image_limits,
                           .work = work,
                           .reader = nothing,
                           .context = context};
    assert_ok(child_run(&job));
}

static void write_with_vips(const void *data, size_t size, int width, int height, int bands,
                            VipsBandFormat format, VipsInterpretation kind, int orientation)
{
    drawing plan = {data, size, width, height, bands, orientation, format, kind};
    const child_job job = {
        .what = "test", .limits = image_limits, .work = draw, .reader = save, .context = &plan};
    assert_ok(child_run(&job));
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

/* A PNG header that claims 50,000 x 50,000 pixels, with a right checksum and nothing behind it. */
static void test_huge_claim(void **state)
{
    uint8_t png[] = {0x89, 'P', 'N', 'G',  13,   10, 26, 10,   0,    0,   0,   13, 'I', 'H', 'D',
                     'R',  0,   0,   0xc3, 0x50, 0,  0,  0xc3, 0x50, 8,   0,   0,  0,   0,   0,
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
    read_refused(PBA_UNSUPPORTED, "50000 x 50000 pixels");
}

/* WebP is decoded whole: into memory where libvips of itself would take a file on disk. */
static void test_decoded_in_memory(void **state)
{
    pba_image image = noise(24, 20, 3), back;
    assert_ok(pba_image_write(file("a.webp"), &image, false));
    assert_int_equal(setenv("VIPS_DISC_THRESHOLD", "1", 1), 0);
    pba_status status = pba_image_read(path, &back);
    unsetenv("VIPS_DISC_THRESHOLD");
    assert_ok(status);
    assert_same(&image, &back, false);
    pba_image_free(&back);
    pba_image_free(&image);
}

typedef struct damage {
    char *data;
    size_t size, tail;
} damage;

static pba_status decode_part(const damage *damage, size_t size, pba_status *result)
{
    pba_image back;
    *result = image_decode(path, damage->data, size, &back);
    bool sound = *result == PBA_OK ? back.pixels != NULL
                                   : back.pixels == NULL && strstr(pba_error_message(), path);
    pba_image_free(&back);
    return sound ? PBA_OK : status_set(PBA_INTERNAL, "%s", pba_error_message());
}

/* Cut off: an error. A byte flipped: an error or some picture, no crash. */
static pba_status cut_everywhere(void *context, child_stream *out)
{
    damage *damage = context;
    size_t size = damage->size, step = 1 + size / 97;
    pba_status status = image_start(), result;
    for (size_t cut = 0; status == PBA_OK && cut + damage->tail < size; cut += step) {
        status = decode_part(damage, cut, &result);
        if (status == PBA_OK && result != PBA_FORMAT) {
            status = status_set(PBA_INTERNAL, "cut at %zu of %zu passes", cut, size);
        }
    }
    for (size_t i = 0; status == PBA_OK && i < size; i += step) {
        damage->data[i] ^= 0x55;
        status = decode_part(damage, size, &result);
        damage->data[i] ^= 0x55;
    }
    return status;
}

static damage coded(const char *name, const pba_image *image, size_t tail)
{
    damage damage = {.tail = tail};
    assert_ok(pba_image_write(file(name), image, false));
    assert_ok(file_read(path, 1 << 20, &damage.data, &damage.size));
    return damage;
}

static void damage_one(const char *name, const pba_image *image, size_t tail)
{
    damage damage = coded(name, image, tail);
    in_child(cut_everywhere, &damage);
    free(damage.data);
}

static void test_damaged(void **state)
{
    pba_image image = noise(24, 20, 3);
    damage_one("a.png", &image, 16); /* the last chunks: nothing but a checksum and an end */
    damage_one("a.jpg", &image, 2);
    damage_one("a.tif", &image, 0);
    damage_one("a.webp", &image, 0);
    pba_image_free(&image);
}

/* A good file, for which there is no memory, is not called damaged. */
static pba_status decode_whole(void *context, child_stream *out)
{
    const damage *large = context;
    pba_image image;
    pba_status status = image_start();
    return status == PBA_OK ? image_decode(path, large->data, large->size, &image) : status;
}

static void test_short_of_memory(void **state)
{
#if SANITIZED
    skip(); /* the limit counts addresses, of which sanitizers take terabytes */
#endif
    pba_image image;
    assert_ok(pba_image_create(8000, 4000, 3, &image));
    damage large = coded("a.webp", &image, 0);
    pba_image_free(&image);
    child_job job = {.what = path, .work = decode_whole, .reader = nothing, .context = &large};
    job.limits = image_limits;
    job.limits.memory = 64 << 20;
    refused(child_run(&job), PBA_MEMORY, "out of memory");
    assert_null(strstr(pba_error_message(), "damaged"));
    free(large.data);
}

/* Found each time, not most times: libvips' threads once raced past it. */
static pba_status cut_off_every_time(void *context, child_stream *out)
{
    const damage *damage = context;
    const image_target target = {.width = 12, .height = 20, .channels = 3};
    uint8_t pixels[12 * 20 * 3];
    pba_status status = image_start(), result;
    for (int i = 0; status == PBA_OK && i < 1000; i++) {
        status = decode_part(damage, damage->size - 100, &result);
        if (status == PBA_OK &&
            (result != PBA_FORMAT || image_decode_to(path, damage->data, damage->size - 100,
                                                     &target, pixels) != PBA_FORMAT)) {
            status = status_set(PBA_INTERNAL, "time %d passes", i);
        }
    }
    return status;
}

static void test_cut_off_every_time(void **state)
{
    pba_image image = noise(24, 20, 3);
    damage damage = coded("a.jpg", &image, 0);
    in_child(cut_off_every_time, &damage);
    free(damage.data);
    pba_image_free(&image);
}

static bool be_host(void)
{
    VipsImage *image;
    double mean;
    pba_image read;
    if (vips_init("host") != 0) {
        return false;
    }
    vips_concurrency_set(3);
    int cache = vips_cache_get_max();
    bool good = vips_black(&image, 1000, 1000, NULL) == 0 && vips_avg(image, &mean, NULL) == 0;
    alarm(60); /* the library itself gives a decoder longer */
    good = good && pba_image_read(path, &read) == PBA_OK &&
           pba_image_write(path, &read, true) == PBA_OK;
    return good && vips_concurrency_get() == 3 && cache && vips_cache_get_max() == cache;
}

/* A host that uses libvips itself keeps its settings, and its idle threads, which no fork takes
 * along, keep nobody waiting. */
static void test_host(void **state)
{
    int code = 1;
    pba_image image = noise(9, 7, 3);
    assert_ok(pba_image_write(file("host.png"), &image, true));
    pba_image_free(&image);
    pid_t host = fork();
    if (host == 0) {
        _exit(be_host() ? 0 : 1);
    }
    assert_int_equal(waitpid(host, &code, 0), host);
    assert_int_equal(code, 0);
}

/* The process that reads and writes holds no thread but its own: a fork from it is safe. */
static void test_no_threads_left(void **state)
{
    pba_image image = noise(24, 20, 3);
    assert_ok(pba_image_write(file("a.png"), &image, false));
    pba_image_free(&image);
    assert_ok(pba_image_read(path, &image));
    pba_image_free(&image);
    DIR *threads = opendir("/proc/self/task");
    int count = 0;
    while (threads && readdir(threads)) {
        count++;
    }
    if (threads) {
        closedir(threads);
        assert_int_equal(count, 3); /* one, ".", ".." */
    }
}

/* --------------------------------------------------------------- to a size */

typedef struct fitting {
    const damage *file;
    image_target target;
    uint8_t *pixels;
} fitting;

static pba_status fit_there(void *context, child_stream *out)
{
    const fitting *fitting = context;
    const image_target *target = &fitting->target;
    pba_status status = image_start();
    if (status == PBA_OK) {
        status = image_decode_to(path, fitting->file->data, fitting->file->size, target,
                                 fitting->pixels);
    }
    size_t size = (size_t)(target->width * target->height * target->channels);
    return status == PBA_OK ? child_write(out, fitting->pixels, size) : status;
}

static pba_status take_fitted(void *context, child_stream *in)
{
    const fitting *fitting = context;
    const image_target *target = &fitting->target;
    return child_read(in, fitting->pixels,
                      (size_t)(target->width * target->height * target->channels));
}

static void fit(const damage *file, int width, int height, bool pad, uint8_t *pixels)
{
    fitting fitting = {file, {width, height, 3, pad}, pixels};
    const child_job job = {.what = "test",
                           .limits = image_limits,
                           .work = fit_there,
                           .reader = take_fitted,
                           .context = &fitting};
    assert_ok(child_run(&job));
}

/* Columns 0..79 red ramp, rows blue ramp: where a pixel comes from is its colour. */
static void test_fit(void **state)
{
    pba_image image;
    assert_ok(pba_image_create(80, 40, 3, &image));
    for (int i = 0; i < 80 * 40; i++) {
        memcpy(image.pixels + i * 3,
               ((uint8_t[]){(uint8_t)(i % 80 * 3), 255, (uint8_t)(i / 80 * 6)}), 3);
    }
    damage png = coded("a.png", &image, 0);
    uint8_t pixels[80 * 80 * 3];
    fit(&png, 80, 40, false, pixels); /* its own size: as it is */
    assert_memory_equal(pixels, image.pixels, 80 * 40 * 3);
    fit(&png, 40, 40, false, pixels); /* the middle */
    for (int i = 0; i < 40 * 40; i++) {
        assert_memory_equal(pixels + i * 3, image.pixels + (i / 40 * 80 + 20 + i % 40) * 3, 3);
    }
    fit(&png, 20, 20, false, pixels); /* half, and the middle: the mean of two columns, two rows */
    for (int i = 0; i < 20 * 20; i++) {
        int x = 20 + i % 20 * 2, y = i / 20 * 2;
        assert_in_range(pixels[i * 3] + 3 - (x * 3 + 1), 1, 5);
        assert_in_range(pixels[i * 3 + 2] + 4 - (y * 6 + 3), 1, 7);
    }
    fit(&png, 40, 40, true, pixels); /* 40 x 20 between two black bands of 10 */
    for (int i = 0; i < 40 * 40; i++) {
        bool black = i / 40 < 10 || i / 40 >= 30;
        assert_int_equal(pixels[i * 3 + 1], black ? 0 : 255);
    }
    fit(&png, 80, 80, true, pixels); /* no larger than it is: its own pixels */
    assert_memory_equal(pixels + 20 * 80 * 3, image.pixels, 80 * 40 * 3);
    free(png.data);
    pba_image_free(&image);
}

/* Every pair of sizes comes out: no rounding leaves a border (a white image stays white). */
static void test_fit_sizes(void **state)
{
    const int sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {97, 31}, {640, 479}, {333, 500}};
    uint8_t pixels[67 * 61 * 3];
    for (int s = 0; s < 6; s++) {
        pba_image image;
        assert_ok(pba_image_create(sizes[s][0], sizes[s][1], 1, &image));
        memset(image.pixels, 255, (size_t)image.width * (size_t)image.height);
        damage jpeg = coded("a.jpg", &image, 0);
        for (int side = 1; side <= 61; side += 20) {
            memset(pixels, 0, sizeof pixels);
            fit(&jpeg, side + 6, side, false, pixels);
            for (int i = 0; i < (side + 6) * side * 3; i++) {
                assert_true(pixels[i] > 250);
            }
        }
        free(jpeg.data);
        pba_image_free(&image);
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
    uint8_t pixels[] = {10, 20, 7, 30, 41, 9, 1, 2, 3};
    uint8_t mask[] = {255, 255, 0, 255, 255, 0, 0, 255, 255};
    pba_image image = {pixels, mask, .width = 3, .height = 3, .channels = 1}, small;
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

static void test_encode_all(void **state)
{
    pba_image images[] = {noise(5, 3, 3), noise(2, 7, 1)}, again;
    image_coded coded[2];
    assert_ok(image_encode_all("x.png", images, 2, true, coded));
    for (int i = 0; i < 2; i++) {
        assert_ok(file_write(file("memory.png"), coded[i].bytes, coded[i].size));
        assert_ok(pba_image_read(path, &again));
        size_t area = (size_t)(again.width * again.height);
        assert_memory_equal(again.pixels, images[i].pixels, area * (size_t)again.channels);
        assert_memory_equal(again.mask, images[i].mask, area);
        pba_image_free(&again);
        pba_image_free(&images[i]);
        free(coded[i].bytes);
    }
    assert_int_equal(image_encode_all("x.jpg", images, 0, true, coded), PBA_USAGE);
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
        cmocka_unit_test(test_short_of_memory),
        cmocka_unit_test(test_decoded_in_memory),
        cmocka_unit_test(test_create_refused),
        cmocka_unit_test(test_shrink),
        cmocka_unit_test(test_encode_all),
        cmocka_unit_test(test_no_threads_left),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_fit_sizes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
