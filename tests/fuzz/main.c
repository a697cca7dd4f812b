/* SPDX-License-Identifier: Apache-2.0
 * Without libFuzzer: every file of the folders given, cut short and changed at places that depend
 * on nothing but the file's size, through the target. Inputs that once broke something lie there
 * too. Usage: fuzz_NAME FOLDER... */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/rng.h"

enum { INPUT_MAX = 1 << 24, CUTS = 8, CHANGES = 64 };

/* In memory of its own, so that a byte behind the end is seen. */
static void run(const char *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    fuzz_check(copy);
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void run_changed(const char *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    fuzz_check(copy);
    for (size_t i = 0; i < CUTS; i++) {
        run(data, size * i / CUTS);
    }
    for (uint32_t i = 0; i < CHANGES && size; i++) {
        rng rng = rng_at(size, RNG_DEMO, 0, 0, i);
        memcpy(copy, data, size);
        for (uint32_t changes = 1 + rng_below(&rng, 3); changes; changes--) {
            copy[rng_below(&rng, (uint32_t)size)] ^= (char)(1 + rng_below(&rng, 255));
        }
        run(copy, size);
    }
    free(copy);
}

static int run_folder(const char *folder)
{
    char path[PBA_PATH_MAX], *data;
    size_t size;
    int inputs = 0;
    DIR *listing = opendir(folder);
    fuzz_check(listing);
    for (struct dirent *each; (each = readdir(listing));) {
        if (*each->d_name == '.') {
            continue;
        }
        fuzz_check(file_join(path, folder, each->d_name) == PBA_OK &&
                   file_read(path, INPUT_MAX, &data, &size) == PBA_OK);
        run(data, size);
        run_changed(data, size);
        free(data);
        inputs++;
    }
    closedir(listing);
    return inputs;
}

int main(int argc, char **argv)
{
    int inputs = 0;
    run("", 0);
    for (int i = 1; i < argc; i++) {
        inputs += run_folder(argv[i]);
    }
    printf("%d inputs, each as it is, cut %d times, changed %d times\n", inputs, CUTS, CHANGES);
    return inputs ? 0 : 1;
}
