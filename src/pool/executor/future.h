/* SPDX-License-Identifier: MIT */
/*
 * future: one task on rank 0, from its submission to its end, and the threads and callbacks that
 * wait for that end.
 *
 *     FUTURE_PENDING -> FUTURE_RUNNING -> FUTURE_SETTLED -> FUTURE_DONE
 *
 * A future ends once, although two threads may try to end it: the progress thread with a result,
 * and a caller that cancels it. The thread for which future_settle returns true stores the result
 * or the exception and then calls future_publish, which makes the future done and wakes the waiting
 * threads.
 *
 * Futures are reference counted: the pool holds one reference until the task is done, the caller of
 * mpp_submit another. Each future of mpp_submit in turn holds a reference to its executor (struct
 * future_owner), so that futures may outlive mpp_close.
 */
#ifndef FUTURE_H
#define FUTURE_H

#include <pthread.h>
#include <stdatomic.h>

#include "mppool.h"
#include "task_slab.h"

/* ---- The owner ---- */

/* The part of an executor that its futures use. The first member of struct mpp_executor. */
struct future_owner {
    pthread_mutex_t lock; /* guards the observers of all its futures */
    _Atomic int references;
    void (*free)(struct future_owner *owner); /* called when the last reference is dropped */
};

void future_owner_ref(struct future_owner *owner);
void future_owner_unref(struct future_owner *owner);

/* ---- Observers ---- */

/* What to notify when one future is done: a waiting thread or a callback. */
struct observer {
    struct observer *next; /* of the same future; once it is done, in a waiter's ready list or in a
                              list of callbacks to call */
    struct mpp_future *future;
    struct waiter *waiter; /* NULL: a callback, in malloc'd memory */
    void (*callback)(struct mpp_future *future, void *context);
    void *context;
};

struct observer_list {
    struct observer *first, **last; /* last: where the next one is linked */
};

void observer_list_init(struct observer_list *list);
void observer_list_append(struct observer_list *list, struct observer *observer);
struct observer *observer_list_take(struct observer_list *list); /* the first, or NULL */

/* A thread that waits for futures of one owner. Guarded by the owner's lock. */
struct waiter {
    pthread_cond_t not_empty;   /* ready has an observer; monotonic_wait.h */
    struct observer_list ready; /* of futures that are done */
};

void waiter_init(struct waiter *waiter);
void waiter_release(struct waiter *waiter);

/* ---- Futures ---- */

enum future_state { FUTURE_PENDING, FUTURE_RUNNING, FUTURE_SETTLED, FUTURE_DONE };

struct mpp_future {
    struct mpp_future *next;           /* in one future_list */
    struct mpp_future *next_cancelled; /* in the executor's list of cancelled futures */
    struct future_owner *owner;        /* a reference, except for futures of a map */
    struct task_slab *slab;            /* of the map, whose memory it uses; NULL: malloc'd */
    struct completion_queue *queue;    /* of the map that made it; NULL: made by mpp_submit */
    struct observer *observers;        /* guarded by the owner's lock */
    _Atomic int references;
    _Atomic uint8_t state;              /* enum future_state */
    bool in_table;                      /* in the coordinator's future_table: id is valid */
    int16_t worker;                     /* as in struct mpp_outcome */
    uint32_t job;                       /* index into mpp_options.jobs */
    uint32_t chunk;                     /* tasks that may be sent together with it; 0: any number */
    uint64_t id;                        /* of the task, for the scheduler and in messages */
    uint64_t index;                     /* position in its map */
    uint64_t run_ns;                    /* time in the job's run */
    int64_t ended_ns;                   /* since 1970; 0: it was cancelled */
    int rank, attempts;                 /* as in struct mpp_outcome */
    uint32_t payload_size, result_size; /* bytes */
    void *result;                       /* behind the payload if it is small, or malloc'd */
    const struct mpp_exception *exception; /* NULL: none; one malloc'd block with its texts */
    _Alignas(max_align_t) unsigned char payload[];
};

/* Copies the payload. The caller gets one reference. The owner's count is not changed: see
 * future_owner_ref. `slab` is for the futures of a map, see task_slab_take; NULL: malloc. Returns
 * NULL if the payload is too large or if out of memory. */
struct mpp_future *future_new(struct future_owner *owner, struct task_slab **slab, uint32_t job,
                              const void *payload, size_t size, struct mpp_error *error);
void future_ref(struct mpp_future *future);
void future_unref(struct mpp_future *future); /* NULL is allowed */

bool future_is_done(const struct mpp_future *future);

/* Returns true to exactly one caller, who must then store the result or exception and publish the
 * future. */
bool future_settle(struct mpp_future *future);

/* Store a copy of the result or the exception in a settled future. If there is no memory for it, an
 * exception that says so is stored instead. */
void future_set_result(struct mpp_future *future, const void *data, size_t size);
void future_set_exception(struct mpp_future *future, const struct mpp_exception *exception,
                          size_t message_size);
void future_set_cancelled(struct mpp_future *future);

/* Settles a future that gets no result: with an exception of kind CANCELLED, or of kind BROKEN if a
 * reason is given. Returns true if the caller must publish it. Returns false if it was settled
 * already; then the caller's reference is dropped. */
bool future_end_without_result(struct mpp_future *future, const char *broken_reason);

/* Makes a settled future done; call it with the owner's lock held. Wakes waiters, and appends
 * callbacks to *callbacks, for future_call_back without the lock. A future of a map goes to the
 * queue of the map with the caller's reference; otherwise that reference is dropped. */
void future_publish(struct mpp_future *future, struct observer_list *callbacks);

/* Calls the callbacks and empties the list. */
void future_call_back(struct observer_list *callbacks);

/* Call these with the owner's lock held. future_add_observer returns false if the future is already
 * done: then nothing was added. future_remove_observer has no effect if it is not there. */
bool future_add_observer(struct mpp_future *future, struct observer *observer);
void future_remove_observer(struct mpp_future *future, struct observer *observer);

/* ---- Lists of futures ---- */

struct future_list {
    struct mpp_future *first, **last; /* last: where the next one is linked */
    size_t count;
};

void future_list_init(struct future_list *list);
void future_list_append(struct future_list *list, struct mpp_future *future);
struct mpp_future *future_list_take(struct future_list *list);           /* the first, or NULL */
void future_list_move(struct future_list *list, struct future_list *to); /* all, to its end */

/* The futures of one map that are done. Guarded by the owner's lock. In malloc'd memory, because it
 * outlives a map that has failed: it is freed together with the last of its futures. */
struct completion_queue {
    struct future_list done;
    pthread_cond_t not_empty; /* monotonic_wait.h */
    size_t pending;           /* futures that were handed to the pool and are not done */
    bool abandoned;           /* the map has ended: futures that come now are dropped */
};

struct completion_queue *completion_queue_new(void); /* NULL: out of memory */

/* The map has ended. Call it with the owner's lock held. */
void completion_queue_abandon(struct completion_queue *queue);

#endif
