/*
 * future: a task on rank 0, from submit to its end, and whoever waits for that.
 *
 * Reference counted: one reference for the pool, one for the user. Its end is settled once: whoever
 * wins future_settle (the progress thread with a result, or a thread that cancels) fills it in and
 * then publishes it with the executor's lock held, which wakes the waiters.
 */
#ifndef FUTURE_H
#define FUTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "mppool.h"

struct mpp_executor;
struct waiter;

/* One interest in the end of one future: a waiter's, or a callback to be called. */
struct watch {
    struct watch
        *next; /* of the same future; later in a waiter's ready list or among the calls due */
    struct mpp_future *future;
    struct waiter *waiter; /* NULL: a callback, malloc'd */
    void (*callback)(struct mpp_future *future, void *context);
    void *context;
};

struct watch_list {
    struct watch *first, **last;
};

void watch_list_init(struct watch_list *list);
void watch_list_append(struct watch_list *list, struct watch *watch);
struct watch *watch_list_take(struct watch_list *list); /* the first, or NULL */

/* A thread that waits for futures; all below its executor's lock. */
struct waiter {
    pthread_cond_t news; /* something is ready */
    struct watch_list ready;
};

enum future_state { FUTURE_PENDING, FUTURE_RUNNING, FUTURE_SETTLED, FUTURE_DONE };

struct mpp_future {
    struct mpp_future *next; /* in the executor's inbox, or in a map's list of completed ones */
    struct mpp_future *next_cancelled; /* in the executor's list of those to be cancelled */
    struct mpp_executor *executor;     /* a reference, but of a map's futures */
    struct completed *completed;       /* the map it belongs to; NULL: none */
    struct watch *watches;             /* under the executor's lock */
    _Atomic int references;
    _Atomic uint8_t state; /* enum future_state */
    bool in_books;         /* the coordinator's: id is valid */
    uint32_t job;
    uint64_t id;
    uint64_t index; /* position in its map */
    uint64_t run_ns;
    int rank, attempts;
    uint32_t chunk; /* tasks to travel with it at most; 0: as many as suit */
    uint32_t payload_size, result_size;
    void *result;                          /* malloc'd */
    const struct mpp_exception *exception; /* NULL: none; in one block with its texts */
    _Alignas(max_align_t) unsigned char payload[];
};

struct future_list {
    struct mpp_future *first, **last;
    size_t count;
};

/* Where a map's futures go when they are done; under the executor's lock. malloc'd: it outlives a
 * map that has failed, and goes with the last of its futures. */
struct completed {
    struct future_list list;
    pthread_cond_t news;
    size_t pending; /* posted and not done */
    bool abandoned; /* by its map: futures that get here are dropped */
};

struct completed *completed_new(void);             /* NULL: out of memory */
void completed_leave(struct completed *completed); /* with the lock held: its map has ended */

void future_list_init(struct future_list *list);
void future_list_append(struct future_list *list, struct mpp_future *future);
struct mpp_future *future_list_take(struct future_list *list);           /* the first, or NULL */
void future_list_move(struct future_list *list, struct future_list *to); /* all, to its end */

/* One reference for the pool; NULL: error says why (too large, out of memory). */
struct mpp_future *future_new(struct mpp_executor *executor, uint32_t job, const void *payload,
                              size_t size, struct mpp_error *error);
void future_hold(struct mpp_future *future);
void future_drop(struct mpp_future *future); /* NULL is fine */

/* True for the one caller that may fill in the end. */
bool future_settle(struct mpp_future *future);

/* Fill in the end. An exception that no memory is left for is replaced by a fixed one. */
void future_set_result(struct mpp_future *future, const void *data, size_t size);
void future_set_exception(struct mpp_future *future, const struct mpp_exception *exception,
                          size_t message_size);
void future_set_cancelled(struct mpp_future *future);

/* Ends one that no rank has anything to say of any more: cancelled, or broken with the pool for
 * this reason. True: settled and filled in; false: it was settled already, and the reference has
 * been dropped. */
bool future_end(struct mpp_future *future, const char *broken_because);

/* With the executor's lock held: it is done. Waiters are woken; callbacks are appended to `calls`,
 * to be called without the lock. Takes the caller's reference: it goes to the map, or to the calls
 * (their last drops it), or is dropped. */
void future_publish(struct mpp_future *future, struct watch_list *calls);
void future_call_back(struct watch_list *calls);

bool future_is_done(const struct mpp_future *future);

/* With the executor's lock held. False: it is done already, and nothing was added. */
bool future_watch(struct mpp_future *future, struct watch *watch);
void future_unwatch(struct mpp_future *future, struct watch *watch); /* not there: no effect */

void waiter_init(struct waiter *waiter);
void waiter_release(struct waiter *waiter);

#endif
