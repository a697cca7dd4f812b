/* SPDX-License-Identifier: Apache-2.0
 * The reference's log. What is read is written and read again. */
#include "schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { EPOCHS = 200 };

static void read_back(const pba_schedule *schedule)
{
    pba_schedule *again;
    char *text;
    size_t size;
    fuzz_check(schedule_log_write(schedule, &text, &size) == PBA_OK && strlen(text) == size);
    fuzz_check(schedule_log_read("again.txt", text, EPOCHS, &again) == PBA_OK);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        pba_policy one, other;
        fuzz_check(pba_schedule_at(schedule, epoch, &one) == PBA_OK);
        fuzz_check(pba_schedule_at(again, epoch, &other) == PBA_OK);
        fuzz_check(memcmp(&one, &other, sizeof one) == 0);
    }
    free(text);
    pba_schedule_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pba_schedule *schedule;
    char *text = fuzz_text(data, size);
    if (fuzz_done(schedule_log_read("fuzz.txt", text, EPOCHS, &schedule))) {
        fuzz_check(pba_schedule_epochs(schedule) == EPOCHS);
        read_back(schedule);
        pba_schedule_free(schedule);
    }
    free(text);
    return 0;
}
