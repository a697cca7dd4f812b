/* SPDX-License-Identifier: Apache-2.0
 * Tests of distributions. Behind check.h. */
#ifndef TESTS_SHARE_H
#define TESTS_SHARE_H

#include <math.h>

/* Whether `found` of `draws` is what probability p gives, within 4.5 standard deviations. */
static inline void assert_share(int found, int draws, double p)
{
    double deviation = sqrt(draws * p * (1 - p));
    if (fabs(found - draws * p) > 4.5 * deviation + 1e-9) {
        fail_msg("%d of %d, expected %g", found, draws, draws * p);
    }
}

#endif
