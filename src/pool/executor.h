/*
 * executor: what the public calls share. On rank 0 a progress thread drives the rank; it and the
 * callers meet under one lock, over an inbox of submitted futures, those to be cancelled, and the
 * ends that have become known.
 *
 *     executor.c  open, shut down, close      progress_thread.c  the progress thread
 *     submit.c    one future                  wait.c      many futures            map.c
 */
#ifndef EXECUTOR_H
#define EXECUTOR_H

#include <pthread.h>

#include "future.h"
#include "rank_loop.h"

struct mpp_executor {
    struct rank_loop rank; /* the progress thread's */
    int ranks;
    struct rank_account *accounts; /* of all ranks; the progress thread writes them */
    struct worker_config config;
    int wake_fd;
    pthread_t thread;
    _Atomic int references; /* the user's, and one for each future */

    pthread_mutex_t lock; /* guards all below */
    struct future_list inbox;
    struct mpp_future *cancelled; /* settled by a caller: the rank is to be told */
    bool sleeping;                /* the progress thread: wake_fd must be written */
    bool stop, discard;           /* asked for by mpp_shutdown */
    bool broken;                  /* no task can run any more, because of this: */
    struct mpp_error broken_error;
    bool lost;  /* and the other ranks may not answer any more */
    bool ended; /* the progress thread does nothing more */
    pthread_cond_t end;
    struct mpp_stats stats;

    struct future_list settled; /* the progress thread's: at their end, not yet published */
};

/* How a rank gets to the others, once it has forked its fork server. */
struct executor_link {
    struct transport *(*connect)(void *context, struct mpp_error *error);
    void *context;
};

/* As mpp_open, over any transport; several ranks may be threads of one process. */
enum mpp_role executor_open(const struct executor_link *link, const struct mpp_options *options,
                            struct mpp_executor **executor, struct mpp_error *error);

/* The index of a registered job; -1 with the error filled. */
int executor_find_job(const struct mpp_executor *executor, const char *name,
                      struct mpp_error *error);

/* Hands a list of new futures to the progress thread and empties the list; -1 when the executor is
 * shut down or broken. Call it with the lock held, and wake after that. */
int executor_post(struct mpp_executor *executor, struct future_list *futures,
                  struct mpp_error *error);
void executor_wake(struct mpp_executor *executor);

/* Drops a reference; the last frees it. */
void executor_drop(struct mpp_executor *executor);

/* Is this the progress thread, in a callback? It must not wait for itself. */
bool executor_is_progress(const struct mpp_executor *executor);

/* Initialises a condition whose time is CLOCK_MONOTONIC, and waits for it with the lock held: until
 * `until_s` on that clock, negative: for ever. False: the time is over. */
void executor_cond_init(pthread_cond_t *condition);
bool executor_wait(struct mpp_executor *executor, pthread_cond_t *condition, double until_s);

/* The time at which a timeout is over, as executor_wait takes it. */
double executor_until(double timeout_s);

/* The progress thread: drives the rank until the pool has ended. Its coordinator gives the futures
 * that have come to their end to executor_gather. */
void *executor_progress(void *executor);
void executor_gather(void *executor, struct mpp_future *future);

#endif
