/* SPDX-License-Identifier: Apache-2.0
 * Plug-ins that break one rule each, FAULT: test_plugin.c says what is to be said about them. Those
 * with FAULT 0 break none, and differ in what their levels mean, TOP. */
#include <pba.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef TOP
#define TOP 1
#endif

enum {
    NOTHING,
    OUTSIDE,
    OUTSIDE_MASK,
    SOURCE,
    UNWRITTEN,
    UNWRITTEN_MASK,
    READS,
    REMEMBERS,
    MASK,
    IDENTITY,
    CRASH,
    ABORT,
    LEAVE,
    LOADING,
    ABI,
    NAME,
    CLASH,
    RANGE,
    LEVELS,
    FLAGS,
    VERSION,
    TWICE
};

/* Far enough below the image, in every one, to be in its zone. */
static void outside(uint8_t *bytes)
{
    volatile uint8_t *place = bytes;
    place[-1] = 0;
}

static void apply(pba_image *dst, const pba_image *src, double parameter, pba_op_context *context)
{
    static int calls;
    size_t pixels = (size_t)src->width * (size_t)src->height;
    size_t bytes = pixels * (size_t)src->channels;
    memcpy(dst->pixels, src->pixels, FAULT == UNWRITTEN ? bytes - 1 : bytes);
    if (FAULT == OUTSIDE) {
        outside(dst->pixels);
    } else if (FAULT == OUTSIDE_MASK) {
        outside(dst->mask);
    } else if (FAULT == SOURCE) {
        src->pixels[0] = (uint8_t)(src->pixels[0] + 1);
    } else if (FAULT == READS) {
        dst->pixels[0] = src->pixels[bytes];
    } else if (FAULT == REMEMBERS) {
        dst->pixels[0] = (uint8_t)(calls++ / 7);
    } else if (FAULT == MASK) {
        dst->mask[0] = (uint8_t)(src->mask[0] + 1);
    } else if (FAULT == IDENTITY) {
        dst->pixels[0] = (uint8_t)(src->pixels[0] + 1);
    } else if (FAULT == CRASH && src->width == 1) {
        raise(SIGSEGV);
    } else if (FAULT == ABORT) {
        abort();
    } else if (FAULT == LEAVE) {
        _exit(0);
    }
    (void)parameter;
    (void)context;
}

__attribute__((constructor)) static void begin(void)
{
    if (FAULT == LOADING) {
        abort();
    }
}

#define OP(NAME)                                                                                   \
    {                                                                                              \
        .name = NAME, .sentence = "Does what it must not.", .parameter = "degrees",                \
        .min = FAULT == RANGE ? 2 : 0, .max = 1, .level_10 = FAULT == LEVELS ? 3 : TOP,            \
        .flags = FAULT == FLAGS            ? 512                                                   \
                 : FAULT == IDENTITY       ? PBA_OP_IDENTITY                                       \
                 : FAULT == UNWRITTEN_MASK ? PBA_OP_MASKS                                          \
                                           : 0,                                                    \
        .version = FAULT == VERSION ? 0 : 3, .apply = apply                                        \
    }

#if FAULT == 21
static const pba_plugin_op ops[] = {OP("Bad"), OP("Bad")};
#else
static const pba_plugin_op ops[] = {OP(FAULT == NAME    ? "Bad one"
                                       : FAULT == CLASH ? "Rotate"
                                                        : "Bad")};
#endif

extern PBA_API const pba_plugin pba_plugin_table;
const pba_plugin pba_plugin_table = {FAULT == ABI ? PBA_PLUGIN_ABI + 1 : PBA_PLUGIN_ABI,
                                     (int)(sizeof ops / sizeof *ops), "bad", ops};
