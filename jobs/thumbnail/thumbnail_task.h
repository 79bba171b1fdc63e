/* SPDX-License-Identifier: MIT */
/*
 * thumbnail_task: what a worker process is told about one image. Rank 0 decides it when it plans
 * the task (thumbnail_plan.h); it travels as the plan of a struct mpb_task: a byte with the flags,
 * and the name of the output.
 */
#ifndef THUMBNAIL_TASK_H
#define THUMBNAIL_TASK_H

#include <string.h>

#include "buf.h"
#include "mpbatch.h"

enum thumbnail_flag {
    THUMBNAIL_WALKED = 1,     /* found in a directory: skip it if it is not an image */
    THUMBNAIL_LISTED = 2,     /* named in a list: refuse it if it is in the output directory */
    THUMBNAIL_NO_REPLACE = 4, /* the output could replace an input: replace no existing file */
    THUMBNAIL_SUFFIXED = 8,   /* its name ends like a thumbnail's: skip it if it fits the box */
};

struct thumbnail_task {
    unsigned flags;
    const char *source;
    const char *output; /* relative to the output directory, or to the source's directory */
};

static inline void thumbnail_task_put(struct buf *to, const struct thumbnail_task *task)
{
    buf_put_u8(to, (uint8_t)task->flags);
    buf_put(to, task->output, strlen(task->output) + 1);
}

/* The strings point into the batch's task. */
static inline struct thumbnail_task thumbnail_task_get(const struct mpb_task *task)
{
    const uint8_t *plan = task->plan.data;
    return (struct thumbnail_task){
        .flags = plan[0], .source = task->input, .output = (const char *)plan + 1};
}

#endif
