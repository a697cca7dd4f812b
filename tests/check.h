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

#include "core/sanitized.h"
#include "pba.h"

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
