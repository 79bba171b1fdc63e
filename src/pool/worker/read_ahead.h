/* SPDX-License-Identifier: MIT */
/*
 * read_ahead: loads the data of a worker's next tasks while an earlier task runs. A job's `load`
 * function (mppool.h) fetches what a task needs, usually a file; on a slow file system the worker
 * would otherwise wait for each one.
 *
 * It lives in a worker process: reader threads run the loads; the worker's main thread begins loads
 * and takes the results, both in the order of the tasks' numbers (struct worker_slot).
 */
#ifndef READ_AHEAD_H
#define READ_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "mppool.h"

/* ---- One load ---- */

/* The outcome of a job's load for one task. */
struct task_load {
    void *data; /* what the job has loaded; belongs to the job's unload function; NULL on failure */
    bool failed;
    bool no_memory;         /* it failed with errno ENOMEM */
    struct mpp_error error; /* if failed */
    int64_t waited_ns;      /* time in which it waited for I/O instead of computing */
};

/* Runs the load on the calling thread and fills *load. */
void task_load_run(struct task_load *load, const struct mpp_job *job, const void *initargs,
                   struct mpp_bytes payload);

/* Passes the data to the job's unload function. */
void task_load_release(struct task_load *load, const struct mpp_job *job);

/* ---- Loads on other threads ---- */

struct read_ahead;

/* Up to `depth` tasks behind the running one can be loaded in advance. Threads, at most as many,
 * are started as they are needed. NULL: out of memory. */
struct read_ahead *read_ahead_new(int depth, const void *initargs);

/* Waits for loads that are in progress and unloads everything. NULL is allowed. */
void read_ahead_free(struct read_ahead *ahead);

/* Queues the load of a task; the payload is copied. Does not block. False: not possible now, the
 * caller loads it when the task runs. */
bool read_ahead_begin(struct read_ahead *ahead, uint64_t number, const struct mpp_job *job,
                      struct mpp_bytes payload);

/* Waits until the task's load has ended and moves the outcome to *load. False: its load was never
 * begun. */
bool read_ahead_take(struct read_ahead *ahead, uint64_t number, struct task_load *load);

/* If the calling thread is a reader thread and runs a load: the task's number + 1; otherwise 0.
 * Safe in a signal handler. */
uint64_t read_ahead_current(void);

#endif
