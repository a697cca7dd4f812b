/* SPDX-License-Identifier: Apache-2.0
 * The public augmenter: the same draws in any batch, on any thread, with any instruction set; the
 * schedule's policy of each epoch. */
#include "check.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "augment/kernels/kernels.h"
#include "core/memory.h"
#include "core/threads.h"
#include "schedule/policy.h"
#include "share.h"

enum { WIDTH = 19, HEIGHT = 14, BYTES = WIDTH * HEIGHT * 3, COUNT = 64, EPOCHS = 5 };

static void busy_policy(pba_policy *policy)
{
    policy->entries = 2 * SCHEDULE_PBA_OPS;
    for (int entry = 0; entry < policy->entries; entry++) {
        policy->values[2 * entry] = (uint8_t)(1 + entry % 10);
        policy->values[2 * entry + 1] = (uint8_t)((3 * entry + 1) % 10);
    }
}

typedef struct batch {
    pba_schedule *schedule;
    pba_augmenter *augmenter;
    pba_augmenter_options options;
    uint8_t *images;
    float *out;
} batch;

static batch open_batch(void)
{
    batch batch = {.options = {.baseline = "crop:2,flip,cutout:6",
                               .width = WIDTH,
                               .height = HEIGHT,
                               .channels = 3,
                               .mean = {0.4, 0.5, 0.6},
                               .deviation = {0.2, 0.3, 0.4},
                               .seed = 77}};
    pba_policy policy;
    busy_policy(&policy);
    assert_ok(pba_schedule_constant(&policy, schedule_pba_ops, SCHEDULE_PBA_OPS, EPOCHS,
                                    &batch.schedule));
    batch.options.schedule = batch.schedule;
    assert_ok(pba_augmenter_create(&batch.options, &batch.augmenter));
    batch.images = malloc(COUNT * BYTES);
    batch.out = malloc((COUNT * BYTES + 2) * sizeof(float));
    assert_true(batch.images && batch.out);
    for (int i = 0; i < COUNT * BYTES; i++) {
        batch.images[i] = (uint8_t)((unsigned)i * (unsigned)i / 50 + 13U * (unsigned)i);
    }
    return batch;
}

static void close_batch(batch *batch)
{
    pba_schedule_free(batch->schedule);
    pba_augmenter_free(batch->augmenter);
    free(batch->images);
    free(batch->out);
}

static void batches_may_be_split(void **state)
{
    batch batch = open_batch();
    float *single = malloc(BYTES * sizeof *single);
    uint32_t ids[COUNT];
    assert_non_null(single);
    batch.out[0] = batch.out[COUNT * BYTES + 1] = -77;
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 3, batch.out + 1));
    assert_true(batch.out[0] == -77 && batch.out[COUNT * BYTES + 1] == -77);
    for (uint32_t i = 0; i < COUNT; i++) {
        ids[i] = i;
    }
    for (int i = COUNT - 1; i >= 0; i--) {
        assert_ok(
            pba_augment_batch(batch.augmenter, batch.images + i * BYTES, &ids[i], 1, 3, single));
        assert_memory_equal(single, batch.out + 1 + i * BYTES, BYTES * sizeof *single);
    }
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, 0, 3, single));
    free(single);
    close_batch(&batch);
}

/* The linker sends the library's calls here (tests/meson.build): every allocation of a call comes
 * with an arena. */
static atomic_int arenas;
arena *__real_arena_create(void);
arena *__wrap_arena_create(void);

arena *__wrap_arena_create(void)
{
    arenas++;
    return __real_arena_create();
}

static void batches_allocate_nothing(void **state)
{
    batch batch = open_batch();
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 3, batch.out));
    assert_true(arenas > 1); /* the augmenter's own, and the first call's */
    int before = arenas;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, epoch, batch.out));
    }
    assert_int_equal(arenas, before);
    close_batch(&batch);
}

static pba_status augment_again(void *context, int index)
{
    batch *batch = context;
    float *out = malloc(COUNT * BYTES * sizeof *out);
    bool same = out &&
                pba_augment_batch(batch->augmenter, batch->images, NULL, COUNT, 1, out) == PBA_OK &&
                !memcmp(out, batch->out, COUNT * BYTES * sizeof *out);
    free(out);
    return same ? PBA_OK : PBA_INTERNAL;
}

static void threads_share_an_augmenter(void **state)
{
    batch batch = open_batch();
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 1, batch.out));
    assert_ok(threads_run(4, augment_again, &batch));
    close_batch(&batch);
}

static void sets_agree(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512vbmi"};
    batch batch = open_batch();
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 1, batch.out));
    for (int i = 0; i < 4; i++) {
        pba_augmenter *other = NULL, *own = batch.augmenter;
        setenv("PBA_ISA", sets[i], 1);
        pba_status status = pba_augmenter_create(&batch.options, &other);
        unsetenv("PBA_ISA");
        if (status == PBA_UNSUPPORTED) {
            continue;
        }
        assert_int_equal(status, PBA_OK);
        batch.augmenter = other;
        assert_ok(augment_again(&batch, 0));
        batch.augmenter = own;
        pba_augmenter_free(other);
    }
    close_batch(&batch);
}

/* CRC-32 of what a kind makes of the images: as network input, and as images with masks. */
static uint32_t sum_of(const char *kind, bool halves)
{
    batch batch = open_batch();
    pba_augmenter *augmenter;
    pba_augmenter_options options = batch.options;
    options.schedule = kind ? NULL : batch.schedule;
    options.augment = kind;
    options.interleaved = options.bf16 = halves;
    uint8_t *images = malloc(COUNT * BYTES), *masks = malloc(COUNT * WIDTH * HEIGHT);
    assert_true(images && masks);
    assert_ok(pba_augmenter_create(&options, &augmenter));
    assert_ok(pba_augment_batch(augmenter, batch.images, NULL, COUNT, 2, batch.out));
    assert_ok(pba_augment_images(augmenter, batch.images, NULL, COUNT, 2, images, masks));
    uLong crc = crc32(0, (const Bytef *)batch.out, COUNT * BYTES * (halves ? 2 : 4));
    crc = crc32(crc, images, COUNT * BYTES);
    crc = crc32(crc, masks, COUNT * WIDTH * HEIGHT);
    pba_augmenter_free(augmenter);
    free(images);
    free(masks);
    close_batch(&batch);
    return (uint32_t)crc;
}

/* The same in every build: written down here, whatever the compiler and its optimization. */
static void bytes_are_written_down(void **state)
{
    static const char *const sets[] = {"base", "avx2", "avx512", "avx512vbmi"};
    static const struct {
        const char *kind;
        uint32_t floats, halves;
    } rows[] = {{NULL, 0x24603be3, 0x08a18956},
                {"none", 0x8c23bf8a, 0xdd362260},
                {"baseline", 0x280bb05b, 0xaa69d9d0},
                {"random", 0x99f1cbd9, 0x2598ae54},
                {"cutout:8", 0x6a7065c9, 0x2ac94bf4},
                {"autoaugment:cifar10", 0x175dfbb6, 0x9ee63ef2},
                {"autoaugment:svhn", 0xab50691c, 0xddf7b876},
                {"autoaugment:imagenet", 0x9325c9cc, 0xf4a45fd1},
                {"randaugment:2,9", 0x20b73a77, 0x12a63b79},
                {"trivialaugment", 0x60708fc1, 0xe36aa8f6}};
    const augment_kernels *kernels;
    int others = 0;
    for (int set = 0; set < 4; set++) {
        setenv("PBA_ISA", sets[set], 1);
        bool present = augment_kernels_choose(&kernels) == PBA_OK;
        for (size_t i = 0; present && i < sizeof rows / sizeof *rows; i++) {
            uint32_t floats = sum_of(rows[i].kind, false), halves = sum_of(rows[i].kind, true);
            if (floats != rows[i].floats || halves != rows[i].halves) {
                print_error("%s: {\"%s\", 0x%08x, 0x%08x}\n", sets[set],
                            rows[i].kind ? rows[i].kind : "", floats, halves);
                others++;
            }
        }
        unsetenv("PBA_ISA");
    }
    assert_int_equal(others, 0);
}

static void draws_follow_seed_and_epoch(void **state)
{
    batch batch = open_batch();
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 1, batch.out));
    assert_ok(augment_again(&batch, 0));
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 2, batch.out));
    assert_int_equal(augment_again(&batch, 0), PBA_INTERNAL); /* another epoch, other draws */
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 1, batch.out));
    pba_augmenter_free(batch.augmenter);
    batch.options.seed++;
    assert_ok(pba_augmenter_create(&batch.options, &batch.augmenter));
    assert_int_equal(augment_again(&batch, 0), PBA_INTERNAL); /* another seed, other draws */
    close_batch(&batch);
}

static void images_are_the_same_draws(void **state)
{
    enum { PIXELS = WIDTH * HEIGHT };
    batch batch = open_batch();
    uint8_t *pixels = malloc(COUNT * BYTES), *mask = malloc(COUNT * PIXELS);
    uint8_t *again = malloc(COUNT * BYTES);
    assert_true(pixels && mask && again);
    assert_ok(pba_augment_batch(batch.augmenter, batch.images, NULL, COUNT, 4, batch.out));
    assert_ok(pba_augment_images(batch.augmenter, batch.images, NULL, COUNT, 4, pixels, mask));
    assert_ok(pba_augment_images(batch.augmenter, batch.images, NULL, COUNT, 4, again, NULL));
    assert_memory_equal(pixels, again, COUNT * BYTES);
    for (int i = 0; i < COUNT * PIXELS; i++) {
        for (int c = 0; c < 3; c++) {
            double v = pixels[3 * i + c] / 255.0;
            double expected = (v - batch.options.mean[c]) / batch.options.deviation[c];
            float found = batch.out[i / PIXELS * BYTES + c * PIXELS + i % PIXELS];
            assert_true(mask[i] ? fabs((double)found - expected) < 1e-5 : found == 0.0F);
        }
    }
    free(pixels);
    free(mask);
    free(again);
    close_batch(&batch);
}

static void epochs_have_their_policies(void **state)
{
    static const char *const text =
        "{\"format\": \"pba-schedule\", \"version\": 1, \"space\": \"pba\", \"ops\": [\"Invert\"],"
        " \"copies\": 1, \"epochs\": 3, \"segments\": [{\"epochs\": 1, \"policy\": [0, 0]},"
        " {\"epochs\": 0, \"policy\": [0, 0]}, {\"epochs\": 2, \"policy\": [10, 0]}]}";
    char path[] = "/tmp/pba-test-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    pba_augmenter_options options = {.width = 1, .height = 1, .channels = 1};
    pba_schedule *schedule;
    pba_augmenter *augmenter;
    assert_ok(pba_schedule_load(path, 0, &schedule));
    remove(path);
    options.schedule = schedule;
    assert_ok(pba_augmenter_create(&options, &augmenter));
    pba_schedule_free(schedule); /* the augmenter has its copy */
    for (int epoch = 0; epoch < 3; epoch++) {
        int inverted = 0;
        for (uint32_t id = 0; id < 200; id++) {
            uint8_t black = 0, out;
            assert_ok(pba_augment_images(augmenter, &black, &id, 1, epoch, &out, NULL));
            inverted += out == 255;
        }
        assert_share(inverted, 200, epoch == 0 ? 0.0 : 0.8);
    }
    float value;
    assert_int_equal(pba_augment_batch(augmenter, (uint8_t[]){0}, NULL, 1, 3, &value), PBA_USAGE);
    assert_int_equal(pba_augment_batch(augmenter, (uint8_t[]){0}, NULL, 1, -1, &value), PBA_USAGE);
    pba_augmenter_free(augmenter);
}

static void refused_augmenters(void **state)
{
    pba_policy policy = {.entries = 1};
    pba_augmenter_options options = {.width = 4, .height = 4, .channels = 3};
    pba_augmenter *augmenter;
    pba_schedule *schedule;
    assert_ok(pba_schedule_constant(&policy, (const char *[]){"Rotat"}, 1, 2, &schedule));
    options.schedule = schedule;
    assert_int_equal(pba_augmenter_create(&options, &augmenter), PBA_FORMAT);
    assert_non_null(strstr(pba_error_message(), "'Rotat'"));
    pba_schedule_free(schedule);
    options.schedule = NULL;
    options.mean[0] = 0.5; /* and deviation 0 */
    assert_int_equal(pba_augmenter_create(&options, &augmenter), PBA_USAGE);
    options.mean[0] = 0;
    options.baseline = "flop";
    assert_int_equal(pba_augmenter_create(&options, &augmenter), PBA_USAGE);
    assert_null(augmenter);
    pba_augmenter_free(NULL);
}

/* Without numbers the output is value / 255; without a schedule any epoch will do. */
static void plain_augmenter(void **state)
{
    pba_augmenter_options options = {.width = 16, .height = 16, .channels = 1};
    pba_augmenter *augmenter;
    uint8_t image[256];
    float out[256];
    for (int i = 0; i < 256; i++) {
        image[i] = (uint8_t)i;
    }
    assert_ok(pba_augmenter_create(&options, &augmenter));
    assert_ok(pba_augment_batch(augmenter, image, NULL, 1, 123456, out));
    for (int i = 0; i < 256; i++) {
        assert_true(fabs((double)out[i] - i / 255.0) < 1e-6);
    }
    pba_augmenter_free(augmenter);
}

/* The content's shift under TranslateX at level 4 in an image of 64 x 48 pixels. */
static int shift_seen(bool scaled)
{
    enum { W = 64, H = 48 };
    pba_policy policy = {.entries = 1, .values = {10, 4}};
    pba_augmenter_options options = {.width = W, .height = H, .channels = 1};
    pba_augmenter *augmenter;
    pba_schedule *schedule;
    static uint8_t image[W * H], out[W * H], mask[W * H];
    int most = 0;
    assert_ok(pba_schedule_constant(&policy, (const char *[]){"TranslateX"}, 1, 1, &schedule));
    options.schedule = schedule;
    options.scale_pixels = scaled;
    assert_ok(pba_augmenter_create(&options, &augmenter));
    for (uint32_t id = 0; id < 20; id++) {
        int gone = 0;
        assert_ok(pba_augment_images(augmenter, image, &id, 1, 0, out, mask));
        for (int x = 0; x < W; x++) {
            gone += !mask[x];
        }
        most = gone > most ? gone : most;
    }
    pba_schedule_free(schedule);
    pba_augmenter_free(augmenter);
    return most;
}

static void lengths_scale(void **state)
{
    assert_int_equal(shift_seen(false), 4);
    assert_int_equal(shift_seen(true), 6); /* min(64, 48) / 32 = 1.5 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_may_be_split),
        cmocka_unit_test(batches_allocate_nothing),
        cmocka_unit_test(threads_share_an_augmenter),
        cmocka_unit_test(sets_agree),
        cmocka_unit_test(bytes_are_written_down),
        cmocka_unit_test(draws_follow_seed_and_epoch),
        cmocka_unit_test(images_are_the_same_draws),
        cmocka_unit_test(epochs_have_their_policies),
        cmocka_unit_test(refused_augmenters),
        cmocka_unit_test(plain_augmenter),
        cmocka_unit_test(lengths_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
