/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>

#include "core/rng.h"
#include "core/status.h"

/* Known answers of the Random123 distribution (kat_vectors), philox4x32 10 rounds. */
static void philox_known_answers(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t out[4];
        rng_philox(rows[i].counter, rows[i].key, out);
        assert_memory_equal(out, rows[i].expected, sizeof out);
    }
}

static void below_is_uniform(void **state)
{
    enum { BOUND = 7, DRAWS = 70000 };
    int counts[BOUND] = {0};
    rng stream = rng_at(1, RNG_SPLIT, 0, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        counts[rng_below(&stream, BOUND)]++;
    }
    double square = 0;
    for (int i = 0; i < BOUND; i++) {
        square += pow(counts[i] - DRAWS / BOUND, 2) / (DRAWS / BOUND);
    }
    assert_true(square < 22.5); /* chi-square, 6 degrees of freedom, p = 0.001 */
}

static void streams_differ(void **state)
{
    rng a = rng_at(1, RNG_ORDER, 2, 3, 4), b = rng_at(1, RNG_ORDER, 2, 3, 5);
    rng c = rng_at(1, RNG_ORDER, 2, 3, 4);
    uint32_t first = rng_word(&a);
    assert_int_not_equal(first, rng_word(&b));
    assert_int_equal(first, rng_word(&c));
}

static void message_travels(void **state)
{
    status_set(PBA_IO, "file %d", 7);
    assert_int_equal(status_prefix(PBA_IO, "reading"), PBA_IO);
    assert_string_equal(pba_error_message(), "reading: file 7");
    assert_string_equal(pba_status_name(PBA_IO), "PBA_IO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers),
        cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(streams_differ),
        cmocka_unit_test(message_travels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
