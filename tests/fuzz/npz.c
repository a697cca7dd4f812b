/* SPDX-License-Identifier: Apache-2.0
 * The arrays of a .npz file, as they are once libarchive has unpacked them: pairs of images and
 * labels, class names. */
#include "data/formats/npz.h"
#include "fuzz.h"

static const char *const names[] = {"x_train.npy", "y_train.npy", "x_val.npy",
                                    "y_val.npy",   "x_test.npy",  "y_test.npy",
                                    "images.npy",  "labels.npy",  "class_names.npy"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    data_source *source = fuzz_source(data, size, names, sizeof names / sizeof *names);
    data_source *const archives[DATA_SPLITS] = {[PBA_TRAIN] = source};
    const pba_dataset_options options = {0};
    data_content content = {0};
    if (fuzz_done(npz_read(archives, &options, &content))) {
        fuzz_content(&data_npz, &content);
    } else {
        data_content_free(&content);
    }
    data_source_free(source);
    return 0;
}
