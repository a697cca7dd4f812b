/* SPDX-License-Identifier: Apache-2.0
 * IDX: images and labels, plain and gzip, in one folder. */
#include "fuzz.h"

static const char *const names[] = {"train-images-idx3-ubyte",    "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte",     "t10k-labels-idx1-ubyte",
                                    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                    "t10k-images-idx3-ubyte.gz",  "t10k-labels-idx1-ubyte.gz"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    data_source *source = fuzz_source(data, size, names, sizeof names / sizeof *names);
    fuzz_format(&data_idx, source);
    data_source_free(source);
    return 0;
}
