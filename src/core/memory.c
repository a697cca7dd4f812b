/* SPDX-License-Identifier: Apache-2.0 */
#include "core/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *refuse(size_t count, size_t size)
{
    status_set(PBA_MEMORY, "out of memory: %zu x %zu bytes were asked for", count, size);
    return NULL;
}

/* count * size rounded up to the alignment, at least one unit; 0 where that overflows. */
static size_t padded(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - MEMORY_ALIGNMENT) {
        return 0;
    }
    bytes = (bytes + MEMORY_ALIGNMENT - 1) / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    return bytes ? bytes : MEMORY_ALIGNMENT;
}

void *memory_new(size_t count, size_t size)
{
    void *block = calloc(count ? count : 1, size ? size : 1);
    return block ? block : refuse(count, size);
}

enum { HUGE_PAGE = 1 << 21 };

/* Large blocks ask for huge pages: networks walk over hundreds of megabytes per step, and looking up
 * small pages cost a tenth of it. A system without them gives small ones. */
static void *aligned(size_t bytes)
{
    if (bytes < 2 * HUGE_PAGE) {
        return aligned_alloc(MEMORY_ALIGNMENT, bytes);
    }
    void *block = NULL;
    if (posix_memalign(&block, HUGE_PAGE, bytes) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return block;
}

void *memory_aligned(size_t count, size_t size)
{
    size_t bytes = padded(count, size);
    void *block = bytes ? aligned(bytes) : NULL;
    return block ? memset(block, 0, bytes) : refuse(count, size);
}

void *memory_grow(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return refuse(count, size);
    }
    void *block = realloc(old, bytes ? bytes : 1);
    return block ? block : refuse(count, size);
}

char *memory_text(const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = memory_new(bytes, 1);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    unsigned char *bytes;
} chunk;

struct arena {
    chunk *head;
};

enum { CHUNK_BYTES = 1 << 16 };

arena *arena_create(void)
{
    return memory_new(1, sizeof(arena));
}

static chunk *chunk_create(size_t bytes)
{
    chunk *fresh = memory_new(1, sizeof *fresh);
    if (!fresh) {
        return NULL;
    }
    fresh->size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    fresh->bytes = memory_aligned(fresh->size, 1);
    if (!fresh->bytes) {
        free(fresh);
        return NULL;
    }
    return fresh;
}

void *arena_new(arena *arena, size_t count, size_t size)
{
    size_t bytes = padded(count, size);
    if (!bytes) {
        return refuse(count, size);
    }
    if (!arena->head || arena->head->size - arena->head->used < bytes) {
        chunk *fresh = chunk_create(bytes);
        if (!fresh) {
            return NULL;
        }
        fresh->next = arena->head;
        arena->head = fresh;
    }
    void *block = arena->head->bytes + arena->head->used;
    arena->head->used += bytes;
    return block;
}

char *arena_text(arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = arena_new(arena, bytes, 1);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

void arena_free(arena *arena)
{
    if (!arena) {
        return;
    }
    for (chunk *each = arena->head, *next; each; each = next) {
        next = each->next;
        free(each->bytes);
        free(each);
    }
    free(arena);
}
