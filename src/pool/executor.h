/*
 * executor: what the public calls share. On rank 0 a progress thread drives the rank; it and the
 * callers meet under one lock, over an inbox of submitted futures and the futures that have come to
 * their end.
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <pthread.h>

#include "future.h"
#include "rank.h"

struct mpp_executor {
    struct rank rank; /* the progress thread's */
    struct worker_config config;
    int wake_fd;
    pthread_t thread;

    pthread_mutex_t lock;   /* guards all below */
    pthread_cond_t changed; /* a future is done, a map's list has grown, the pool has broken */
    struct future_list inbox;
    bool sleeping; /* the progress thread: wake_fd must be written */
    bool stop, discard;
    bool broken;
    struct mpp_error broken_error;
    struct mpp_stats stats;

    struct future_list ended; /* the progress thread's: at their end, not yet made known */
};

/* The index of a registered job; -1 with the error filled. */
int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error);

/* Hands a list of new futures to the progress thread. Call it with the lock held; empties the list.
 */
void executor_post(struct mpp_executor *executor, struct future_list *futures);

/* Waits for a change with the lock held; timeout as in mppool.h, counted anew at each call. False:
 * time over. */
bool executor_wait(struct mpp_executor *executor, double timeout_s);

#endif
