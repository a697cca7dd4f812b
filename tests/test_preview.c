/* SPDX-License-Identifier: Apache-2.0
 * Contact sheets: their geometry, and that they show what the augmenter gives. PBA_TEST_KEEP names
 * a folder that keeps the pictures, to be looked at. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/sheet.h"

static char folder[PBA_PATH_MAX - 32], path[PBA_PATH_MAX];
static pba_dataset *dataset;
static const char *ops[] = {"Rotate", "Invert"};

static int set_up(void **state)
{
    const char *keep = getenv("PBA_TEST_KEEP");
    snprintf(folder, sizeof folder, "%s", keep ? keep : "/tmp/pba-test-preview-XXXXXX");
    bool ready = keep || mkdtemp(folder);
    return ready && pba_dataset_open("demo", &dataset) == PBA_OK &&
                   pba_dataset_split(dataset, 0, 0, 0) == PBA_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    pba_dataset_free(dataset);
    char command[PBA_PATH_MAX + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return getenv("PBA_TEST_KEEP") ? 0 : system(command);
}

static const char *file(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A schedule of one policy: both operations certain, at this level. */
static pba_schedule *certain(int level, int epochs)
{
    pba_policy policy = {.entries = 4};
    for (int i = 0; i < 4; i++) {
        policy.values[2 * i] = 10;
        policy.values[2 * i + 1] = (uint8_t)level;
    }
    pba_schedule *schedule;
    assert_ok(pba_schedule_constant(&policy, ops, 2, epochs, &schedule));
    return schedule;
}

static bool has_ink(const pba_image *sheet, int left, int top, int width, int height)
{
    for (int y = top; y < top + height; y++) {
        for (int x = left; x < left + width; x++) {
            if (sheet->pixels[(y * sheet->width + x) * 3] < 128) {
                return true;
            }
        }
    }
    return false;
}

/* Demo images are enlarged to 64 x 64 and lie 4 pixels apart. */
static void assert_cell(const pba_image *sheet, int left, int top, const pba_image *image)
{
    for (int y = 0; y < 64; y++) {
        for (int x = 0; x < 64; x++) {
            int from = y / 2 * 32 + x / 2;
            const uint8_t *shown = sheet->pixels + ((top + y) * sheet->width + left + x) * 3;
            if (image->mask && !image->mask[from]) {
                assert_true(shown[0] == 144 || shown[0] == 176);
                assert_true(shown[0] == shown[1] && shown[0] == shown[2]);
            } else {
                assert_memory_equal(shown, image->pixels + from * 3, 3);
            }
        }
    }
}

static void test_data_sheet(void **state)
{
    pba_image sheet, view;
    assert_ok(pba_preview_write(dataset, NULL, file("data.png"), 23, 0, 1));
    assert_ok(pba_image_read(path, &sheet));
    assert_int_equal(sheet.width, 4 + 10 * 68);
    assert_int_equal(sheet.height, 4 + 3 * (68 + SHEET_LINE));
    for (int i = 0; i < 23; i++) { /* demo's training images come in the classes' turn already */
        int label, left = 4 + i % 10 * 68, top = 4 + i / 10 * (68 + SHEET_LINE);
        assert_ok(pba_dataset_image(dataset, PBA_TRAIN, i, &view, &label));
        assert_cell(&sheet, left, top, &view);
    }
    assert_true(has_ink(&sheet, 4, 70, 64, SHEET_LINE - 4)); /* "0" */
    pba_image_free(&sheet);
}

static void test_schedule_sheet(void **state)
{
    enum { IMAGES = 6, LEFT = 4 + SHEET_FONT * 2 / 3 + 8, TOP = 4 + SHEET_LINE };
    pba_schedule *schedule = certain(7, 9);
    pba_image sheet, view;
    int label;
    assert_ok(pba_preview_write(dataset, schedule, file("schedule.png"), IMAGES, 3, 5));
    assert_ok(pba_image_read(path, &sheet));
    assert_int_equal(sheet.width, LEFT + 4 * 68);
    assert_int_equal(sheet.height, TOP + IMAGES * 68);
    pba_dataset_info info;
    assert_ok(pba_dataset_describe(dataset, &info));
    pba_augmenter_options options = {.schedule = schedule,
                                     .baseline = info.baseline,
                                     .width = 32,
                                     .height = 32,
                                     .channels = 3,
                                     .scale_pixels = true,
                                     .seed = 5};
    pba_augmenter *augmenter;
    assert_ok(pba_augmenter_create(&options, &augmenter));
    for (uint32_t i = 0; i < IMAGES; i++) {
        int top = TOP + (int)i * 68;
        assert_ok(pba_dataset_image(dataset, PBA_TRAIN, (int)i, &view, &label));
        assert_cell(&sheet, LEFT, top, &view);
        for (int column = 0; column < 3; column++) {
            uint8_t pixels[3072], mask[1024];
            pba_image drawn = {pixels, mask, 32, 32, 3};
            assert_ok(pba_augment_images(augmenter, view.pixels, &i, 1, column * 4, pixels, mask));
            assert_cell(&sheet, LEFT + (column + 1) * 68, top, &drawn);
        }
        assert_true(has_ink(&sheet, 4, top, LEFT - 8, 64));
    }
    for (int column = 0; column < 4; column++) {
        assert_true(has_ink(&sheet, LEFT + column * 68, 4, 64, SHEET_LINE));
    }
    pba_augmenter_free(augmenter);
    pba_schedule_free(schedule);
    pba_image_free(&sheet);
}

static void test_grey_and_large(void **state)
{
    sheet sheet = {.rows = 1, .columns = 1, .width = 70, .height = 80, .zoom = sheet_zoom(70, 80)};
    assert_int_equal(sheet.zoom, 1);
    assert_int_equal(sheet_zoom(8, 100), 8);
    pba_image grey;
    assert_ok(pba_image_create(70, 80, 1, &grey));
    memset(grey.pixels, 77, 70 * 80);
    assert_ok(sheet_create(&sheet));
    sheet_place(&sheet, 0, 0, &grey);
    assert_memory_equal(sheet.canvas.pixels + (4 * sheet.canvas.width + 4) * 3,
                        ((uint8_t[]){77, 77, 77}), 3);
    pba_image_free(&sheet.canvas);
    pba_image_free(&grey);
    sheet.columns = 1000;
    assert_int_equal(sheet_create(&sheet), PBA_USAGE);
}

static void test_refused(void **state)
{
    file("a.png");
    assert_int_equal(pba_preview_write(dataset, NULL, path, 0, 5, 1), PBA_USAGE);
    assert_int_equal(pba_preview_write(dataset, NULL, path, 5, -1, 1), PBA_USAGE);
    assert_int_equal(pba_preview_write(dataset, NULL, path, 5, 101, 1), PBA_USAGE);
    assert_int_equal(pba_preview_write(dataset, NULL, file("a.doc"), 5, 5, 1), PBA_USAGE);
    assert_int_equal(pba_preview_write(dataset, NULL, file("no/a.png"), 5, 5, 1), PBA_NOT_FOUND);
    pba_dataset *fresh;
    assert_ok(pba_dataset_open("demo", &fresh));
    assert_int_equal(pba_preview_write(fresh, NULL, file("a.png"), 5, 5, 1), PBA_USAGE);
    assert_int_not_equal(access(path, F_OK), 0);
    pba_dataset_free(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_sheet),
        cmocka_unit_test(test_schedule_sheet),
        cmocka_unit_test(test_grey_and_large),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
