/* SPDX-License-Identifier: Apache-2.0
 * The stream: messages of progress and of files that are about to be decoded, each followed by its
 * path; then one of the content's head, followed by names, labels and pixels. Both ends are the
 * same program, so structs travel as they are. */
#define _GNU_SOURCE
#include "data/isolate.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/child.h"
#include "core/clock.h"
#include "core/memory.h"
#include "core/printable.h"
#include "core/threads.h"

enum { SILENCE = 120, PROCESSOR = 24 * 3600, CHUNK = 4 << 20, CLASSES_MAX = UINT16_MAX + 1 };

typedef struct message {
    enum { MESSAGE_PROGRESS, MESSAGE_FILE, MESSAGE_CONTENT } kind;
    data_name what; /* progress: of what; content: the format's name */
    int64_t done, total;
    data_content content; /* pointers mean nothing on the other side */
} message;

typedef struct session {
    const char *path;
    char file[PBA_PATH_MAX];            /* in the caller: what errors name, announced or the path */
    const pba_dataset_options *options; /* the caller's */
    isolate_open open;
    void *context;
    data_content *content; /* the caller's */
    char *format;
    message progress;  /* in the caller: the newest */
    child_stream *out; /* in the child */
    double told;       /* in the child: when progress was told last */
} session;

/* -------------------------------------------------------------------- child */

static bool tell_file(session *session, const char *file)
{
    const message message = {.kind = MESSAGE_FILE};
    char path[PBA_PATH_MAX] = "";
    snprintf(path, sizeof path, "%s", file);
    return child_write(session->out, &message, sizeof message) == PBA_OK &&
           child_write(session->out, path, sizeof path) == PBA_OK;
}

/* Often enough for the eye and for the caller's patience. */
static bool tell_progress(void *user, const char *what, int64_t done, int64_t total)
{
    session *session = user;
    if (done == DATA_ANNOUNCED) {
        return tell_file(session, what);
    }
    double now = clock_now();
    if (now - session->told < 0.1) {
        return true;
    }
    session->told = now;
    message message = {.kind = MESSAGE_PROGRESS, .done = done, .total = total};
    snprintf(message.what, sizeof message.what, "%s", what);
    return child_write(session->out, &message, sizeof message) == PBA_OK;
}

/* What is sent is given back at once, so that the pixels are not held twice. */
static pba_status send_pixels(child_stream *out, uint8_t *pixels, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    pba_status status = PBA_OK;
    for (size_t at = 0; at < size && status == PBA_OK; at += CHUNK) {
        size_t piece = size - at < CHUNK ? size - at : CHUNK;
        status = child_write(out, pixels + at, piece);
        uintptr_t first = ((uintptr_t)(pixels + at) + page - 1) / page * page;
        uintptr_t last = (uintptr_t)(pixels + at + piece) / page * page;
        if (last > first) {
            madvise((void *)first, last - first, MADV_DONTNEED); /* a refusal does no harm */
        }
    }
    return status;
}

static pba_status send_content(child_stream *out, const char *format, const data_content *content)
{
    message message = {.kind = MESSAGE_CONTENT, .content = *content};
    size_t images = data_images(content);
    snprintf(message.what, sizeof message.what, "%s", format);
    pba_status status = child_write(out, &message, sizeof message);
    if (status == PBA_OK) {
        status =
            child_write(out, content->names, (size_t)content->classes * sizeof *content->names);
    }
    if (status == PBA_OK) {
        status = child_write(out, content->labels, images * sizeof *content->labels);
    }
    return status == PBA_OK ? send_pixels(out, content->pixels, images * data_image_bytes(content))
                            : status;
}

static pba_status work(void *context, child_stream *out)
{
    session *session = context;
    session->out = out;
    pba_dataset_options options = *session->options;
    options.progress = tell_progress;
    options.user = session;
    data_content content = {0};
    const char *format;
    pba_status status = session->open(session->context, &options, &content, &format);
    if (status == PBA_OK) {
        status = send_content(out, format, &content);
    }
    data_content_free(&content);
    return status;
}

/* ------------------------------------------------------------------- caller */

static pba_status distrust(const session *session, const char *what)
{
    return status_set(PBA_FORMAT, "%s: the decoder sent %s: the file is made to do harm; remove it",
                      session->path, what);
}

static void make_text(char *text, size_t size)
{
    text[size - 1] = 0;
    printable_make(text);
}

static pba_status check_head(const session *session, const data_content *head)
{
    bool sized = head->width >= 1 && head->width <= UINT16_MAX && head->height >= 1 &&
                 head->height <= UINT16_MAX && (head->channels == 1 || head->channels == 3);
    int64_t images = 0;
    for (int split = 0; split < DATA_SPLITS; split++) {
        if (head->counts[split] < 0) {
            return distrust(session, "a negative number of images");
        }
        images += head->counts[split];
    }
    if (!sized || images > INT32_MAX || head->classes < 1 || head->classes > CLASSES_MAX) {
        return distrust(session, "impossible sizes");
    }
    return PBA_OK;
}

static pba_status receive_names(const session *session, child_stream *in, data_content *content)
{
    pba_status status = data_number_names(content, content->classes);
    if (status == PBA_OK) {
        status = child_read(in, content->names, (size_t)content->classes * sizeof *content->names);
    }
    for (int i = 0; i < content->classes && status == PBA_OK; i++) {
        make_text(content->names[i], sizeof content->names[i]);
    }
    return status;
}

static pba_status receive_images(const session *session, child_stream *in, data_content *content)
{
    size_t images = data_images(content);
    pba_status status = child_read(in, content->labels, images * sizeof *content->labels);
    for (size_t i = 0; i < images && status == PBA_OK; i++) {
        if (content->labels[i] >= content->classes) {
            status = distrust(session, "a label of no class");
        }
    }
    return status == PBA_OK ? child_read(in, content->pixels, images * data_image_bytes(content))
                            : status;
}

static pba_status receive_content(session *session, child_stream *in, message *message)
{
    data_content *content = session->content;
    const data_content *head = &message->content;
    pba_status status = check_head(session, head);
    if (status != PBA_OK) {
        return status;
    }
    *content = (data_content){.width = head->width,
                              .height = head->height,
                              .channels = head->channels,
                              .classes = head->classes};
    memcpy(content->notes, head->notes, sizeof content->notes);
    memcpy(content->baseline, head->baseline, sizeof content->baseline);
    memcpy(session->format, message->what, PBA_NAME_MAX);
    make_text(content->notes, sizeof content->notes);
    make_text(content->baseline, sizeof content->baseline);
    make_text(session->format, PBA_NAME_MAX);
    size_t images = data_images(head);
    status = receive_names(session, in, content);
    if (status == PBA_OK) {
        status = data_reserve(content, images);
    }
    if (status == PBA_OK) {
        memcpy(content->counts, head->counts, sizeof content->counts);
        status = receive_images(session, in, content);
    }
    return status;
}

static pba_status tell(session *session)
{
    const message *progress = &session->progress;
    return data_progress(session->options, progress->what, progress->done, progress->total);
}

static pba_status receive_file(session *session, child_stream *in)
{
    pba_status status = child_read(in, session->file, sizeof session->file);
    make_text(session->file, sizeof session->file);
    return status;
}

static pba_status receive_progress(session *session, message *message)
{
    make_text(message->what, sizeof message->what);
    session->progress = *message;
    return tell(session);
}

static pba_status read_messages(void *context, child_stream *in)
{
    session *session = context;
    for (;;) {
        message message;
        pba_status status = child_read(in, &message, sizeof message);
        if (status != PBA_OK) {
            return status;
        }
        if (message.kind == MESSAGE_CONTENT) {
            return receive_content(session, in, &message);
        }
        status = message.kind == MESSAGE_FILE ? receive_file(session, in)
                                              : receive_progress(session, &message);
        if (status != PBA_OK) {
            return status;
        }
    }
}

/* Progress that stands still is told as well: whoever listens may want to stop. */
static bool wants_stop(void *context)
{
    return tell(context) != PBA_OK;
}

pba_status isolate_run(const char *path, const pba_dataset_options *options, isolate_open open,
                       void *context, data_content *content, char format[PBA_NAME_MAX])
{
    session session = {.path = path,
                       .options = options,
                       .open = open,
                       .context = context,
                       .content = content,
                       .format = format};
    snprintf(session.file, sizeof session.file, "%s", path);
    int64_t room = threads_memory_limit() - threads_memory_used();
    const int64_t least = 512 << 20;
    const child_job job = {.what = session.file,
                           .limits = {.memory = (size_t)(room > least ? room : least),
                                      .silence = SILENCE,
                                      .processor = PROCESSOR,
                                      .files = true},
                           .work = work,
                           .reader = read_messages,
                           .stop = wants_stop,
                           .context = &session};
    return child_run(&job);
}
