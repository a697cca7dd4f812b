/* SPDX-License-Identifier: Apache-2.0
 * Augments a batch of images by a schedule and says what came out.
 *
 *     augment_batch [SCHEDULE [EPOCHS]]
 *
 * SCHEDULE is a schedule.json, or a log of the reference implementation together with the number
 * of EPOCHS that its search had. Without arguments a constant policy is made up. Only pba.h is
 * used: this is what a training loop does for every batch. */
#include <pba.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 32, CHANNELS = 3, BYTES = SIDE * SIDE * CHANNELS, BATCH = 64 };

static int fail(const char *what)
{
    fprintf(stderr, "augment_batch: %s: %s\n", what, pba_error_message());
    return 1;
}

/* Rotate by up to 15 degrees in 4 of 10 images that it comes to, stronger contrast in 7 of 10. */
static pba_status made_up_schedule(pba_schedule **schedule)
{
    static const char *const ops[] = {"Rotate", "Contrast"};
    const pba_policy policy = {.entries = 2, .values = {4, 5, 7, 8}};
    return pba_schedule_constant(&policy, ops, 2, 10, schedule);
}

/* Coloured rings, of another size and hue in every image. */
static void paint(uint8_t *images)
{
    for (int i = 0; i < BATCH; i++) {
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                int distance = (x - 16) * (x - 16) + (y - 16) * (y - 16);
                for (int c = 0; c < CHANNELS; c++) {
                    *images++ = (uint8_t)(distance * (i + 2) / 16 + 80 * c);
                }
            }
        }
    }
}

/* The mean of the network's input, and the share of it that holds no content. */
static void describe(int epoch, const float *batch)
{
    double sum = 0;
    int empty = 0;
    for (int i = 0; i < BATCH * BYTES; i++) {
        sum += (double)batch[i];
        empty += batch[i] == 0.0F;
    }
    printf("epoch %3d: mean %+.4f, %.1f %% without content\n", epoch, sum / (BATCH * BYTES),
           100.0 * empty / (BATCH * BYTES));
}

static int run(const pba_schedule *schedule, const uint8_t *images, float *batch)
{
    const pba_augmenter_options options = {.schedule = schedule,
                                           .baseline = "crop:4,flip,cutout:16",
                                           .width = SIDE,
                                           .height = SIDE,
                                           .channels = CHANNELS,
                                           .mean = {0.5, 0.5, 0.5},
                                           .deviation = {0.25, 0.25, 0.25},
                                           .seed = 1};
    pba_augmenter *augmenter;
    if (pba_augmenter_create(&options, &augmenter) != PBA_OK) {
        return fail("augmenter");
    }
    int result = 0, epochs = pba_schedule_epochs(schedule);
    for (int epoch = 0; epoch < epochs && !result; epoch += epochs > 5 ? epochs / 5 : 1) {
        if (pba_augment_batch(augmenter, images, NULL, BATCH, epoch, batch) != PBA_OK) {
            result = fail("batch");
        } else {
            describe(epoch, batch);
        }
    }
    pba_augmenter_free(augmenter);
    return result;
}

int main(int argc, char **argv)
{
    pba_schedule *schedule;
    pba_status status = argc > 1
                            ? pba_schedule_load(argv[1], argc > 2 ? atoi(argv[2]) : 0, &schedule)
                            : made_up_schedule(&schedule);
    if (status != PBA_OK) {
        return fail("schedule");
    }
    uint8_t *images = malloc(BATCH * BYTES);
    float *batch = malloc(BATCH * BYTES * sizeof *batch);
    int result = 1;
    if (images && batch) {
        paint(images);
        result = run(schedule, images, batch);
    }
    free(images);
    free(batch);
    pba_schedule_free(schedule);
    return result;
}
