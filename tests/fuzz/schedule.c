/* SPDX-License-Identifier: Apache-2.0
 * schedule.json. What is read is written and read again to the same bytes, in every length. */
#include "schedule/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void read_back(const pba_schedule *schedule, const char *text, size_t size)
{
    pba_schedule *again;
    char *copy;
    size_t length;
    fuzz_check(schedule_json_read("again.json", text, size, &again) == PBA_OK);
    fuzz_check(pba_schedule_epochs(again) == pba_schedule_epochs(schedule));
    fuzz_check(schedule_json_write(again, &copy, &length) == PBA_OK);
    fuzz_check(length == size && memcmp(copy, text, size) == 0);
    free(copy);
    pba_schedule_free(again);
}

static void stretch(const pba_schedule *schedule)
{
    static const int lengths[] = {1, 7, 200, SCHEDULE_EPOCHS_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        pba_schedule *one, *other;
        pba_policy policy;
        fuzz_check(pba_schedule_stretch(schedule, lengths[i], &one) == PBA_OK);
        fuzz_check(pba_schedule_stretch_reference(schedule, lengths[i], &other) == PBA_OK);
        fuzz_check(pba_schedule_epochs(one) == lengths[i]);
        fuzz_check(pba_schedule_epochs(other) == lengths[i]);
        fuzz_check(pba_schedule_at(one, lengths[i] - 1, &policy) == PBA_OK);
        pba_schedule_free(one);
        pba_schedule_free(other);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pba_schedule *schedule;
    char *text = fuzz_text(data, size), *written;
    size_t length;
    if (fuzz_done(schedule_json_read("fuzz.json", text, size, &schedule))) {
        fuzz_check(schedule_json_write(schedule, &written, &length) == PBA_OK);
        read_back(schedule, written, length);
        free(written);
        stretch(schedule);
        pba_schedule_free(schedule);
    }
    free(text);
    return 0;
}
