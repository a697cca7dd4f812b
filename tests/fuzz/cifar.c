/* SPDX-License-Identifier: Apache-2.0
 * CIFAR-10 and CIFAR-100: batch files and class names. */
#include "fuzz.h"

static const char *const names[] = {"data_batch_1.bin",     "data_batch_2.bin", "test_batch.bin",
                                    "batches.meta.txt",     "train.bin",        "test.bin",
                                    "fine_label_names.txt", "data_batch_1"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    data_source *source = fuzz_source(data, size, names, sizeof names / sizeof *names);
    fuzz_format(&data_cifar10, source);
    fuzz_format(&data_cifar100, source);
    data_source_free(source);
    return 0;
}
