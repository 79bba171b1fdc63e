/* SPDX-License-Identifier: MIT */
/*
 * executor: the object behind struct mpp_executor, through which the callers of the library and the
 * progress thread exchange requests and ended futures.
 *
 *     callers: mpp_executor.c mpp_future.c mpp_wait.c mpp_map.c
 *         |  ^
 *         |  |  executor, under one lock: requests down, futures that are done up
 *         v  |
 *     progress_thread.c, which drives rank_loop.h
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <pthread.h>

#include "future.h"
#include "rank_loop.h"

struct mpp_executor {
    /* First, so that a future's owner is its executor. One reference belongs to the user, one to
     * each future of mpp_submit. Its lock guards what is marked so below. */
    struct future_owner owner;

    struct rank_loop rank; /* only the progress thread uses it until it has ended */
    int ranks;
    struct rank_info *rank_info; /* one for each rank; the coordinator writes it */
    struct worker_config config;
    pthread_t progress_thread;
    int wake_fd; /* an eventfd that ends the progress thread's wait */

    /* Requests to the progress thread; guarded by the lock. */
    struct future_list submitted;
    struct mpp_future *cancelled; /* futures that callers have cancelled and published */
    bool stop, cancel_waiting;    /* mpp_shutdown was called, with cancel_futures */
    bool sleeping;                /* the progress thread waits: write to wake_fd */

    /* Answers of the progress thread; guarded by the lock. */
    bool broken; /* no task can run any more, because of broken_error */
    struct mpp_error broken_error;
    bool aborted; /* the loop has failed: the other ranks may not answer any more */
    bool ended;   /* the progress thread uses the executor no longer */
    pthread_cond_t has_ended;
    struct mpp_stats stats;
};

/* The executor of a future. It exists as long as the future if the future came from mpp_submit. */
struct mpp_executor *executor_of(const struct mpp_future *future);

/* Initialises the parts that callers and the progress thread share, with one reference; the last
 * future_owner_unref frees them and the executor. Returns -1 with the error filled. */
int executor_init(struct mpp_executor *executor, struct mpp_error *error);

/* The index of a registered job, or -1 with the error filled. */
int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error);

/* Submits a list of futures and empties it. Returns -1, and leaves the list, if the executor is
 * shut down or broken. Call it with the lock held, and executor_wake after it. */
int executor_submit(struct mpp_executor *executor, struct future_list *futures,
                    struct mpp_error *error);

/* Ends the progress thread's wait if it is waiting. Call it with the lock held. */
void executor_wake(struct mpp_executor *executor);

/* Writes why the pool is broken into *error and returns -1. Call it with the lock held. */
int executor_report_broken(const struct mpp_executor *executor, struct mpp_error *error);

/* The calling thread is the progress thread, so it runs a callback. It must not wait for what only
 * itself can do. */
bool executor_in_callback(const struct mpp_executor *executor);

#endif
