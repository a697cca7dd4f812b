/* SPDX-License-Identifier: Apache-2.0
 * What is looked at of a MATLAB file before matio sees it. */
#include "data/formats/mat.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t largest;
    fuzz_done(mat_check("x.mat", fuzz_file(data, size), &largest));
    return 0;
}
