/* SPDX-License-Identifier: Apache-2.0
 * Names of files in an archive, a line each: what they share is taken off, folders are listed. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void list(const data_source *source, const char *folder)
{
    data_source_names names;
    char described[PBA_PATH_MAX];
    if (!fuzz_done(data_source_list(source, folder, &names))) {
        return;
    }
    for (int i = 0; i < names.count; i++) {
        fuzz_check(*names.names[i]);
        fuzz_check(i == 0 || strcmp(names.names[i - 1], names.names[i]) != 0);
        data_source_describe(source, names.names[i], described);
    }
    data_source_names_free(&names);
}

static void look(const data_source *source, const char *name)
{
    char *data;
    size_t size;
    if (data_source_holds_folder(source, name)) {
        list(source, name);
    }
    if (data_source_holds(source, name)) {
        fuzz_check(data_source_read(source, name, 1 << 20, &data, &size) == PBA_OK);
        fuzz_check(data_source_view(source, name, &size));
        free(data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    data_source *source;
    char *text = fuzz_text(data, size), *copy = fuzz_text(data, size), *rest = NULL;
    fuzz_check(data_source_create("fuzz.tar", &source) == PBA_OK);
    for (char *name = strtok_r(text, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
        if (data_source_is_name(name)) {
            fuzz_check(data_source_add(source, name, calloc(1, 1), 0) == PBA_OK);
        }
    }
    data_source_settle(source);
    list(source, "");
    for (char *name = strtok_r(copy, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest)) {
        look(source, name);
    }
    data_source_free(source);
    free(text);
    free(copy);
    return 0;
}
