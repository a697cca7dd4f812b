/* SPDX-License-Identifier: Apache-2.0
 * A schedule: segments of a policy and its length in epochs, and where they came from. */
#ifndef SCHEDULE_SCHEDULE_H
#define SCHEDULE_SCHEDULE_H

#include "schedule/policy.h"

enum { SCHEDULE_EPOCHS_MAX = 1000000, SCHEDULE_FILE_MAX = 64 << 20 };

typedef struct schedule_segment {
    int epochs; /* 0 is possible */
    pba_policy policy;
} schedule_segment;

/* The copy that began a segment: `target`, in its epoch target_epoch, took over the weights and the
 * policy of `source`, in its epoch source_epoch, and explored from there. Names are texts, since
 * the published logs have names. */
typedef struct schedule_event {
    char target[PBA_NAME_MAX], source[PBA_NAME_MAX];
    int target_epoch, source_epoch;
} schedule_event;

/* The search that found it; empty or 0: not known. */
typedef struct schedule_source {
    bool known;
    char dataset[256], model[PBA_NAME_MAX];
    uint64_t seed;
    int population, interval;
    double pixel_scale; /* pixel parameters were scaled by this: min(width, height)/32 */
    double val_error;   /* of the best member; negative: not known */
} schedule_source;

/* Where an operation comes from that is not built in. */
typedef struct schedule_origin {
    char plugin[PBA_NAME_MAX];
    int version; /* 0: built in, or not told */
} schedule_origin;

struct pba_schedule {
    char (*names)[PBA_NAME_MAX]; /* of the operations */
    const char **ops;            /* the same as pointers */
    schedule_origin *origins;    /* of the operations */
    int op_count, copies;
    schedule_counts counts;
    int epochs; /* always the sum of the segments */
    schedule_segment *segments;
    schedule_event *lineage; /* event i began segment i + 1; NULL: no lineage known */
    int segment_count;
    schedule_source source;
};

/* The most bytes of a file of so many segments of a search, the policies of which have so many
 * entries. */
double schedule_file_most(double segments, int entries);

/* No segments yet. PBA_USAGE as schedule_ops_check says. */
pba_status schedule_create(const char *const *ops, int op_count, int copies,
                           pba_schedule **schedule);

/* The same operations, copies, counts, origins and source. */
pba_status schedule_create_like(const pba_schedule *model, pba_schedule **schedule);

/* Appends a segment. `event` is NULL for the first segment and for schedules without lineage; it
 * must begin where the segment does. PBA_USAGE otherwise, and for a policy that does not fit. */
pba_status schedule_append(pba_schedule *schedule, int epochs, const pba_policy *policy,
                           const schedule_event *event);

/* A name of a lineage: printable ASCII that needs no escaping in JSON or Python. */
bool schedule_event_name(const char *name);

/* json.c: schedule.json as text, for free(), and back; `path` is for the messages. */
pba_status schedule_json_write(const pba_schedule *schedule, char **text, size_t *size);
pba_status schedule_json_read(const char *path, const char *text, size_t size,
                              pba_schedule **schedule);

/* log.c: the reference implementation's text log. */
bool schedule_log_fits(const pba_schedule *schedule); /* a log can hold it */
pba_status schedule_log_write(const pba_schedule *schedule, char **text, size_t *size);
pba_status schedule_log_read(const char *path, const char *text, int epochs,
                             pba_schedule **schedule);

#endif
