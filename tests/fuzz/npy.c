/* SPDX-License-Identifier: Apache-2.0
 * One NumPy array: its header, and every element read. */
#include "fuzz.h"

#include <string.h>

#include "data/formats/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    npy_array array;
    char text[PBA_NAME_MAX], shape[NPY_SHAPE_TEXT];
    if (!fuzz_done(npy_parse("x.npy", data, size, &array))) {
        return 0;
    }
    npy_shape(&array, shape);
    fuzz_check(array.dimensions <= NPY_DIMENSIONS);
    fuzz_check(!array.count || array.data + array.count * array.item == data + size);
    for (size_t i = 0; i < array.count && array.item; i++) {
        if (strchr("biu", array.kind)) {
            npy_integer(&array, i);
        } else if (strchr("SU", array.kind)) {
            npy_text(&array, i, text, sizeof text);
            fuzz_check(strlen(text) < sizeof text);
        }
    }
    return 0;
}
