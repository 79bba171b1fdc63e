/* SPDX-License-Identifier: MIT */
/*
 * executor_state: struct mpp_executor. The threads of the program and the progress thread exchange
 * data through it: the program submits and cancels futures, the progress thread completes them.
 *
 *     threads of the program: mpp_executor.c mpp_future.c mpp_wait.c mpp_map.c
 *         |  ^
 *         |  |  struct mpp_executor, under one lock: requests down, futures that are done up
 *         v  |
 *     progress thread: progress_thread.c, which drives rank_loop.h
 */
#ifndef EXECUTOR_STATE_H
#define EXECUTOR_STATE_H

#include <pthread.h>

#include "future.h"
#include "rank_loop.h"

struct mpp_executor {
    /* First, so that a pointer to it can be converted to one to the executor (executor_of). One
     * reference belongs to the user, one to each future of mpp_submit. Its lock guards the members
     * that are marked so below. */
    struct future_owner owner;

    struct rank_loop rank; /* until `ended`, only the progress thread uses it */
    int ranks;
    struct rank_info *rank_info; /* one for each rank; the coordinator writes it */
    struct worker_config config;
    pthread_t progress_thread;
    int wake_fd; /* an eventfd that ends the progress thread's wait */

    /* Requests to the progress thread; guarded by the lock. */
    struct future_list submitted;
    struct mpp_future *cancelled; /* futures that callers have cancelled and published */
    bool stop;                    /* mpp_shutdown was called, */
    bool cancel_waiting;          /* and with cancel_futures */
    bool sleeping;                /* the progress thread waits: write to wake_fd */

    /* Answers of the progress thread; guarded by the lock. */
    bool broken; /* no task can run any more; broken_error says why */
    struct mpp_error broken_error;
    bool aborted; /* the progress thread has failed; other ranks may not answer any more */
    bool ended;   /* the progress thread has stopped */
    pthread_cond_t has_ended; /* monotonic_wait.h */
    struct mpp_stats stats;
};

/* The executor of a future. It exists as long as the future if the future came from mpp_submit. */
struct mpp_executor *executor_of(const struct mpp_future *future);

/* Initialises the members that callers and the progress thread share. The caller gets one
 * reference; the last future_owner_unref frees the executor. Returns 0, or -1 with the error
 * filled. */
int executor_init(struct mpp_executor *executor, struct mpp_error *error);

/* The index of a registered job, or -1 with the error filled. */
int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error);

/* Submits a list of futures and empties it. Returns 0; or -1 with the error filled if the executor
 * is shut down or broken, and then the list is unchanged. Call it with the lock held, and then
 * executor_wake. */
int executor_submit(struct mpp_executor *executor, struct future_list *futures,
                    struct mpp_error *error);

/* Ends the progress thread's wait if it is waiting. Call it with the lock held. */
void executor_wake(struct mpp_executor *executor);

/* Writes why the pool is broken into *error and returns -1. Call it with the lock held. */
int executor_report_broken(const struct mpp_executor *executor, struct mpp_error *error);

/* Whether the calling thread is the progress thread: then the caller is a callback. It must not
 * wait, because the pool makes no progress meanwhile. */
bool executor_in_callback(const struct mpp_executor *executor);

#endif
