/* SPDX-License-Identifier: MIT */
/*
 * batch_context: struct mpb_context, in which a run function of a job gathers the report on its
 * task (see mpbatch.h). A worker process has one and uses it again for each task.
 */
#ifndef BATCH_CONTEXT_H
#define BATCH_CONTEXT_H

#include "buf.h"
#include "mpbatch.h"
#include "spool.h"
#include "task_message.h"

struct mpb_context {
    const char *spool_directory; /* NULL: the job has no results */
    struct mpp_context *pool;
    const struct task_order *order;
    void *loaded; /* by the job */
    struct task_report report;

    /* The memory of the report. */
    struct buf text, line, output, fields, result;

    struct spool_writer *spool; /* NULL: not opened yet */
    bool spooling;              /* the current result goes there */
    bool disk_full;             /* so full or read-only that other tasks would fail, too */

    struct spool_reader *reader; /* of members; NULL: not opened yet */
    struct reader members;       /* stands at the reference of member `member_next` */
    size_t member_next;
    struct buf member; /* the bytes of the last member that was read */
    struct buf shared; /* the bytes of shared_ref */
    struct result_ref shared_ref;
};

/* Begins a task. */
void batch_context_begin(struct mpb_context *context, struct mpp_context *pool,
                         const struct task_order *order, void *loaded);

/* Ends a task: the report is complete and valid until the next task. -1: the result could not be
 * stored. */
int batch_context_finish(struct mpb_context *context, struct mpp_error *error);

/* Waits until the results of finished tasks are on disk. */
int batch_context_flush(struct mpb_context *context, struct mpp_error *error);

/* Ends a task that has failed: forgets its result. */
void batch_context_drop(struct mpb_context *context);

void batch_context_release(struct mpb_context *context);

#endif
