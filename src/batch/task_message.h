/* SPDX-License-Identifier: MIT */
/*
 * task_message: what the pool carries between rank 0 and the workers for a batch: the payload, a
 * struct task_order, and the result, a struct task_report. Both are encoded field by field,
 * little-endian, and decoded in place: strings and bytes point into the message.
 */
#ifndef TASK_MESSAGE_H
#define TASK_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "mpbatch.h"
#include "result_ref.h"
#include "task_identity.h"

/* What the journal of an earlier run says about a task that is done. */
struct recorded_task {
    int64_t size_bytes, mtime_ns; /* of the input; size negative: unknown */
    uint64_t xxh3;                /* of the output file */
    struct result_ref result;
};

struct task_order {
    struct task_identity identity;
    struct mpp_bytes plan; /* from the job's plan function */
    uint32_t run;          /* number of the run, for the names of spool files */
    bool is_recorded;      /* an earlier run did the task, and `recorded` is valid */
    struct recorded_task recorded;
    uint32_t member_count;    /* of a stage's task */
    struct mpp_bytes members; /* their encoded references */
    struct result_ref shared; /* what all tasks of the stage get */
};

enum report_status {
    REPORT_DONE,
    REPORT_SKIPPED, /* text: why */
    REPORT_KEPT,    /* an earlier run has done it */
    REPORT_STOP,    /* this task and all others would fail; text: why */
};

/* A worker that cannot store results any more, because the disk is full, has no report left to say
 * REPORT_STOP: the results were complete before the sync failed. The error of its flush begins with
 * this byte. */
#define STOPPING_ERROR '\1'

struct task_report {
    enum report_status status;
    bool warned;
    const char *text, *line; /* "": none */
    int64_t size_bytes;      /* of the input; negative: unknown */
    int64_t mtime_ns;
    const char *output; /* "": none, and the next two are 0 */
    uint64_t output_bytes, xxh3;
    struct mpp_bytes fields; /* further members of the line in the journal */
    struct result_ref result;
};

/* Append to `to`; check `to->failed` afterwards. */
void task_order_put(struct buf *to, const struct task_order *order);
void task_report_put(struct buf *to, const struct task_report *report);

int task_order_get(struct mpp_bytes payload, struct task_order *order, struct mpp_error *error);
int task_report_get(struct mpp_bytes result, struct task_report *report, struct mpp_error *error);

#endif
