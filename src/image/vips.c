/* SPDX-License-Identifier: Apache-2.0 */
#include "image/vips.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>
#include <vips/vector.h>

#include "core/memory.h"
#include "image/codec.h"

enum { STEPS = 24 };

static void silent(const char *domain, GLogLevelFlags level, const char *text, void *user)
{
}

/* ------------------------------------------------------- threads of the host */

static void *ask(void *answered)
{
    VipsImage *image;
    double mean;
    if (vips_black(&image, 1, 1, NULL) == 0) {
        vips_avg(image, &mean, NULL);
        g_object_unref(image);
    }
    sem_post(answered);
    return NULL;
}

/* Whether an answer came in the time that one takes many times over. */
static bool ask_once(const pthread_attr_t *small, sem_t *answered)
{
    enum { PATIENCE = 20000000 }; /* nanoseconds */
    struct timespec until;
    pthread_t thread;
    if (pthread_create(&thread, small, ask, answered) != 0) {
        return true;
    }
    pthread_detach(thread);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += PATIENCE;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return sem_timedwait(answered, &until) == 0;
}

/* A host that uses libvips itself leaves a list of its idle threads, none of which came over the
 * fork: whoever is given one waits forever. So others ask for them first, until the list is used up
 * and a thread of this process answers. What they wait with is never freed. */
static pba_status forget_threads(void)
{
    enum { TRIES = 1024, STACK = 1 << 18 };
    pthread_attr_t small;
    sem_t *answered = memory_new(1, sizeof *answered);
    if (!answered) {
        return PBA_MEMORY;
    }
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    sem_init(answered, 0, 0);
    for (int i = 0; i < TRIES && !ask_once(&small, answered); i++) {
    }
    pthread_attr_destroy(&small);
    return PBA_OK;
}

/* -------------------------------------------------------------------- start */

/* One thread: with several, libvips (8.14) may end a decoding without waiting for the one that
 * finds the damage, and a file that is cut off passes once in a thousand times. */
pba_status image_start(void)
{
    if (vips_init("pba") != 0) {
        return status_set(PBA_INTERNAL, "libvips does not start");
    }
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_MESSAGE, silent,
                      NULL);
#if VIPS_MAJOR_VERSION > 8 || VIPS_MINOR_VERSION >= 13
    vips_block_untrusted_set(TRUE);
#endif
    vips_cache_set_max(0); /* its keys are addresses of buffers that we free */
    vips_concurrency_set(1);
    vips_vector_set_enabled(FALSE); /* compiled for each image anew, and less exact */
    return forget_threads();
}

pba_status vips_failed(pba_status status, const char *name, const char *what)
{
    char *detail = vips_error_buffer_copy();
    detail[strcspn(detail, "\r\n")] = 0;
    status_set(status, "%s: %s%s%s%s", name, what, *detail ? " (" : "", detail, *detail ? ")" : "");
    g_free(detail);
    return status;
}

void vips_steps_open(vips_steps *steps, const char *name)
{
    *steps = (vips_steps){.name = name, .owner = vips_image_new()};
    steps->slots = (VipsImage **)vips_object_local_array(VIPS_OBJECT(steps->owner), STEPS);
}

void vips_steps_close(vips_steps *steps)
{
    g_object_unref(steps->owner);
}

VipsImage *vips_steps_last(const vips_steps *steps)
{
    return steps->slots[steps->used - 1];
}

VipsImage **vips_steps_next(vips_steps *steps)
{
    return &steps->slots[steps->used];
}

bool vips_steps_done(vips_steps *steps, int code)
{
    steps->used += code == 0;
    return code == 0;
}
