/* SPDX-License-Identifier: Apache-2.0
 * Errors: a code travels as the return value, its detail in a buffer of the calling thread. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include "pba.h"

/* Remembers the message for pba_error_message() on this thread and returns `status`. */
pba_status status_set(pba_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "context: " in front of this thread's message. */
pba_status status_prefix(pba_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A public function was called with NULL where it needs an object: PBA_USAGE. `call` is its name.
 */
pba_status status_null(const char *call);

#endif
