/* SPDX-License-Identifier: Apache-2.0
 * A checkpoint of 16 floats. Where the first byte is odd, the checksum is put right first, so that
 * what lies behind that check is reached: it agrees with train/checkpoint.c about its place. */
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "fuzz.h"

enum { FLOATS = 16, HEADER = 56, CHECKSUM = 12 };

static void put_right(char *bytes, size_t size)
{
    if (size >= HEADER) {
        uint32_t sum = 0;
        memset(bytes + CHECKSUM, 0, sizeof sum);
        sum = (uint32_t)crc32_z(0, (const Bytef *)bytes, size);
        memcpy(bytes + CHECKSUM, &sum, sizeof sum);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    float block[FLOATS];
    checkpoint_place place;
    if (!size) {
        return 0;
    }
    char *bytes = fuzz_text(data + 1, size - 1);
    if (data[0] & 1) {
        put_right(bytes, size - 1);
    }
    const char *path = fuzz_file((const uint8_t *)bytes, size - 1);
    if (fuzz_done(checkpoint_read(path, block, FLOATS, -1, &place))) {
        fuzz_check(place.round >= 0 && place.epoch >= 0 && place.step >= 0 && place.correct >= 0);
    }
    free(bytes);
    return 0;
}
