/* SPDX-License-Identifier: Apache-2.0
 * All of the library's allocations: zeroed, overflow-checked, NULL with PBA_MEMORY set. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include "core/status.h"

enum { MEMORY_ALIGNMENT = 64 };

/* count * size bytes, zeroed, for free(). Never returns NULL for a zero size. NULL: no memory, and
 * this thread's message is set (the caller returns PBA_MEMORY). */
void *memory_new(size_t count, size_t size);

/* The same, aligned to 64 bytes, for free(). */
void *memory_aligned(size_t count, size_t size);

/* Grows to count * size bytes; the old block stays valid where it fails. New bytes are not zeroed.
 */
void *memory_grow(void *old, size_t count, size_t size);

char *memory_text(const char *text); /* a copy, for free() */

/* An arena: many allocations with one lifetime, given back at once. Zeroed, 64-byte aligned. */
typedef struct arena arena;
arena *arena_create(void);
void *arena_new(arena *arena, size_t count, size_t size);
char *arena_text(arena *arena, const char *text);
void arena_free(arena *arena);

#endif
