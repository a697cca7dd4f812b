/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <math.h>
#include <pthread.h>
#include <sys/resource.h>

#include "core/rng.h"
#include "core/status.h"
#include "core/text.h"
#include "core/threads.h"

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

enum { MANY = 200 };

static pba_status wait_for_all(void *context, int index)
{
    pthread_barrier_wait(context);
    return PBA_OK;
}

/* Threads that wait for each other do not wait for one that could not be started. */
static void threads_all_or_none(void **state)
{
#if SANITIZED
    skip(); /* its own memory breaks the limit */
#endif
    pthread_barrier_t barrier;
    struct rlimit before;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, MANY), 0);
    assert_ok(threads_run(MANY, wait_for_all, &barrier));
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    struct rlimit less = {.rlim_cur = 1 << 30, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &less), 0);
    pba_status status = threads_run(MANY, wait_for_all, &barrier);
    setrlimit(RLIMIT_AS, &before);
    pthread_barrier_destroy(&barrier);
    assert_int_equal(status, PBA_MEMORY);
    assert_string_equal(pba_error_message(), "a thread could not be started");
}

static void utf8_is_known(void **state)
{
    const struct {
        const char *text;
        bool is;
    } rows[] = {{"", true},
                {"plain", true},
                {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", true},
                {"\xf4\x8f\xbf\xbf\xef\xbf\xbf", true},
                {"a\xff", false},
                {"\x80", false},
                {"\xc3", false},
                {"\xc3 ", false},
                {"\xe2\x82", false},
                {"\xc0\xaf", false},         /* overlong */
                {"\xe0\x9f\xbf", false},     /* overlong */
                {"\xed\xa0\x80", false},     /* a surrogate */
                {"\xf4\x90\x80\x80", false}, /* behind the last one */
                {"\xf5\x80\x80\x80", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(text_is_utf8(rows[i].text), rows[i].is);
    }
}

static void text_grows(void **state)
{
    text_buffer out = {0};
    char *text;
    size_t size;
    assert_ok(text_end(&out, "nothing", &text, &size));
    assert_string_equal(text, "");
    assert_int_equal(size, 0);
    free(text);
    for (int i = 0; i < 1000; i++) {
        text_add(&out, "%03d", i);
        text_add_letter(&out, ' ');
        text_add_bytes(&out, "\0x", 2);
    }
    assert_ok(text_end(&out, "much", &text, &size));
    assert_int_equal(size, 6000);
    assert_memory_equal(text, "000 \0x001 \0x", 12);
    assert_memory_equal(text + size - 6, "999 \0x", 7);
    free(text);
    assert_null(out.data);
    out.failed = true;
    text_add(&out, "more");
    assert_int_equal(text_end(&out, "a thing", &text, &size), PBA_MEMORY);
    assert_string_equal(pba_error_message(), "a thing: out of memory");
    assert_null(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_known_answers), cmocka_unit_test(below_is_uniform),
        cmocka_unit_test(streams_differ),       cmocka_unit_test(message_travels),
        cmocka_unit_test(threads_all_or_none),  cmocka_unit_test(text_grows),
        cmocka_unit_test(utf8_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
