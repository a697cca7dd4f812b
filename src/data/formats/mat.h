/* SPDX-License-Identifier: Apache-2.0
 * Whether a MATLAB file is whole. matio does not tell: of a file that is cut off or damaged it
 * returns zeros, or whatever the damage decodes to, as success. */
#ifndef DATA_FORMATS_MAT_H
#define DATA_FORMATS_MAT_H

#include "core/status.h"

/* Level 5 files: every variable ends within the file, and every compressed one decodes to its
 * length and checksum. No variable has more than `*largest` bytes, whatever its header claims.
 * Other files pass, with UINT64_MAX (level 7.3 is HDF5, which checks itself). `what` is the name
 * for messages. */
pba_status mat_check(const char *what, const char *path, uint64_t *largest);

#endif
