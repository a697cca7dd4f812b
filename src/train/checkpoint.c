/* SPDX-License-Identifier: Apache-2.0
 * Checkpoints: a fixed header, then the block as it is in memory. The checksum covers both, its own
 * field counting as 0. Numbers are in the machine's order; another one's magic does not match. */
#include "train/checkpoint.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/file.h"

static const uint64_t magic = 0x0a544b4341425089; /* "\x89PBACKT\n" */
enum { VERSION = 2 };

typedef struct header {
    uint64_t magic;
    uint32_t version, checksum;
    int32_t round, epoch;
    uint64_t floats;
    int64_t step, correct;
    double loss_sum;
} header;
_Static_assert(sizeof(header) == 56, "the header has no holes");

static uint32_t checksum(header header, const void *block)
{
    header.checksum = 0;
    uLong sum = crc32_z(0, (const Bytef *)&header, sizeof header);
    return (uint32_t)crc32_z(sum, block, header.floats * sizeof(float));
}

pba_status checkpoint_write(const char *path, const char *before, const float *block, size_t floats,
                            const checkpoint_place *place)
{
    header header = {.magic = magic,
                     .version = VERSION,
                     .round = place->round,
                     .epoch = place->epoch,
                     .floats = floats,
                     .step = place->step,
                     .correct = place->correct,
                     .loss_sum = place->loss_sum};
    header.checksum = checksum(header, block);
    const file_part parts[] = {{&header, sizeof header}, {block, floats * sizeof *block}};
    return file_write_keeping(path, before, parts, 2);
}

/* `size`: bytes of the file. */
static pba_status check_header(const char *path, const header *header, size_t size, size_t floats)
{
    if (size < sizeof *header || header->magic != magic) {
        return status_set(PBA_FORMAT, "%s: is no checkpoint; its first bytes are others", path);
    }
    if (header->version != VERSION) {
        return status_set(PBA_FORMAT,
                          "%s: checkpoint format %u, this build reads %d; use the build that wrote "
                          "it",
                          path, header->version, VERSION);
    }
    if (header->floats != floats) {
        return status_set(PBA_FORMAT, "%s: holds %llu numbers, the network has %zu", path,
                          (unsigned long long)header->floats, floats);
    }
    size_t expected = sizeof *header + floats * sizeof(float);
    if (size != expected) {
        return status_set(PBA_FORMAT, "%s: has %zu bytes instead of %zu: it is damaged", path, size,
                          expected);
    }
    return PBA_OK;
}

static pba_status check_content(const char *path, const header *header, const void *block,
                                int round)
{
    if (checksum(*header, block) != header->checksum) {
        return status_set(PBA_FORMAT, "%s: its checksum does not fit: it is damaged", path);
    }
    /* The checksum holds against accidents, not against somebody who writes his own. */
    if (header->round < 0 || header->epoch < 0 || header->step < 0 || header->step > INT32_MAX ||
        header->correct < 0) {
        return status_set(PBA_FORMAT, "%s: says that it stands where no network can: it is damaged",
                          path);
    }
    if (round >= 0 && header->round != round) {
        return status_set(PBA_FORMAT, "%s: is of round %d, not %d", path, header->round, round);
    }
    return PBA_OK;
}

static checkpoint_place place_of(const header *header)
{
    return (checkpoint_place){.round = header->round,
                              .epoch = header->epoch,
                              .step = (int)header->step,
                              .correct = header->correct,
                              .loss_sum = header->loss_sum};
}

pba_status checkpoint_peek(const char *path, checkpoint_place *place)
{
    header header;
    size_t got;
    pba_status status = file_read_start(path, &header, sizeof header, &got);
    if (status != PBA_OK) {
        return status;
    }
    if (got < sizeof header || header.magic != magic || header.version != VERSION) {
        return status_set(PBA_FORMAT, "%s: is no checkpoint that this build reads", path);
    }
    *place = place_of(&header);
    return PBA_OK;
}

pba_status checkpoint_read(const char *path, float *block, size_t floats, int round,
                           checkpoint_place *place)
{
    char *data;
    size_t size, most = sizeof(header) + floats * sizeof *block;
    pba_status status = file_read(path, most, &data, &size);
    if (status != PBA_OK) {
        return status;
    }
    header header = {0};
    memcpy(&header, data, size < sizeof header ? size : sizeof header);
    const char *content = data + sizeof header;
    status = check_header(path, &header, size, floats);
    if (status == PBA_OK) {
        status = check_content(path, &header, content, round);
    }
    if (status == PBA_OK) {
        memcpy(block, content, floats * sizeof *block);
        *place = place_of(&header);
    }
    free(data);
    return status;
}
