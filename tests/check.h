/* SPDX-License-Identifier: Apache-2.0
 * cmocka with the headers that it wants before it, and what several tests share. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pba.h"

/* Sanitizers take terabytes of addresses, of which limits on memory know nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* With PBA_TEST_ONLY='a*' in the environment the tests of that name run alone. */
__attribute__((constructor)) static void choose_tests(void)
{
    cmocka_set_test_filter(getenv("PBA_TEST_ONLY"));
}

/* Fails with the library's message where the call did not succeed. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != PBA_OK) {                                                                    \
            fail_msg("%s: %s", #call, pba_error_message());                                        \
        }                                                                                          \
    } while (0)

#endif
