/* SPDX-License-Identifier: Apache-2.0
 *
 * Backends by name. The double oracle is no row: members' blocks are floats. */
#include "nn/backend.h"

#include <stdio.h>
#include <string.h>

static const nn_backend *const backends[] = {
    &nn_backend_onednn,
    &nn_backend_reference,
};

enum { BACKEND_COUNT = sizeof backends / sizeof backends[0] };

pba_status nn_backend_find(const char *name, const nn_backend **backend)
{
    char names[256] = "";
    size_t used = 0;
    for (int i = 0; i < BACKEND_COUNT; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            *backend = backends[i];
            return PBA_OK;
        }
        if (used < sizeof names) {
            int more = snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                backends[i]->name);
            used += more > 0 ? (size_t)more : 0;
        }
    }
    *backend = NULL;
    return status_set(PBA_USAGE, "backend %s: unknown; there are: %s", name, names);
}

static pba_status choose_bf16(const nn_backend **backend)
{
    const nn_backend *other = (*backend)->bf16;
    if (!other) {
        return status_set(PBA_USAGE, "precision bf16: the %s backend has none; use f32",
                          (*backend)->name);
    }
    pba_status status = other->available ? other->available() : PBA_OK;
    if (status == PBA_OK) {
        *backend = other;
    }
    return status;
}

pba_status nn_backend_choose(const char *name, const char *precision, const char **chosen,
                             const nn_backend **backend)
{
    pba_status status = nn_backend_find(name, backend);
    *chosen = "f32";
    if (status != PBA_OK || strcmp(precision, "f32") == 0) {
        return status;
    }
    bool either = strcmp(precision, "auto") == 0;
    if (!either && strcmp(precision, "bf16") != 0) {
        return status_set(PBA_USAGE, "precision %s: unknown; there are: f32, bf16, auto",
                          precision);
    }
    status = choose_bf16(backend);
    if (status == PBA_OK) {
        *chosen = "bf16";
    }
    return either ? PBA_OK : status;
}
