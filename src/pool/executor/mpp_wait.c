/* SPDX-License-Identifier: MIT */
/* The public functions for several futures: mpp_as_completed, and mpp_wait, which is built on it.
 * See mppool.h. */
#include <stdlib.h>

#include "executor_state.h"
#include "monotonic_wait.h"

struct mpp_as_completed {
    struct mpp_executor *executor; /* a reference; NULL: all futures were done from the start */
    struct waiter waiter;
    size_t left;                 /* futures that have not been returned */
    size_t count;                /* of observers */
    struct observer observers[]; /* in the order of the caller's list; future is NULL for a repeated
                                    one, and once it has been returned */
};

/* ---- New and free ---- */

/* A future of the caller's list, to find repeated ones by sorting. */
struct listed_future {
    struct mpp_future *future;
    size_t position;
};

static int compare_listed(const void *left, const void *right)
{
    const struct listed_future *a = left, *b = right;
    if (a->future != b->future)
        return (uintptr_t)a->future < (uintptr_t)b->future ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

/* Initialises the observers and counts the different futures. */
static int init_observers(struct mpp_as_completed *iterator, struct mpp_future *const *futures,
                          size_t count)
{
    struct listed_future *sorted = malloc((count ? count : 1) * sizeof *sorted);
    if (!sorted)
        return -1;
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct listed_future){futures[i], i};
    qsort(sorted, count, sizeof *sorted, compare_listed);
    for (size_t i = 0; i < count; i++) {
        bool repeated = i > 0 && sorted[i].future == sorted[i - 1].future;
        iterator->observers[sorted[i].position] = (struct observer){
            .future = repeated ? NULL : sorted[i].future, .waiter = &iterator->waiter};
        iterator->left += !repeated;
    }
    free(sorted);
    return 0;
}

static struct mpp_executor *find_executor(struct mpp_future *const *futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!future_is_done(futures[i]))
            return executor_of(futures[i]);
    return NULL;
}

struct mpp_as_completed *mpp_as_completed(struct mpp_future *const *futures, size_t count,
                                          struct mpp_error *error)
{
    struct mpp_as_completed *iterator =
        calloc(1, sizeof *iterator + count * sizeof *iterator->observers);
    if (!iterator || init_observers(iterator, futures, count)) {
        free(iterator);
        mpp_error_set(error, "out of memory for waiting for %zu futures", count);
        return NULL;
    }
    iterator->count = count;
    iterator->executor = find_executor(futures, count);
    waiter_init(&iterator->waiter);
    if (iterator->executor) {
        future_owner_ref(&iterator->executor->owner);
        pthread_mutex_lock(&iterator->executor->owner.lock);
    }
    for (size_t i = 0; i < count; i++) {
        struct observer *observer = &iterator->observers[i];
        if (!observer->future)
            continue;
        if (!iterator->executor || !future_add_observer(observer->future, observer))
            observer_list_append(&iterator->waiter.ready, observer);
    }
    if (iterator->executor)
        pthread_mutex_unlock(&iterator->executor->owner.lock);
    return iterator;
}

void mpp_as_completed_free(struct mpp_as_completed *iterator)
{
    if (!iterator)
        return;
    if (iterator->executor) {
        pthread_mutex_lock(&iterator->executor->owner.lock);
        for (size_t i = 0; i < iterator->count; i++)
            if (iterator->observers[i].future)
                future_remove_observer(iterator->observers[i].future, &iterator->observers[i]);
        pthread_mutex_unlock(&iterator->executor->owner.lock);
        future_owner_unref(&iterator->executor->owner);
    }
    waiter_release(&iterator->waiter);
    free(iterator);
}

/* ---- Waiting ---- */

/* The observer of a future that is done; NULL: the deadline has passed. */
static struct observer *take_ready(struct mpp_as_completed *iterator, double deadline_s)
{
    struct mpp_executor *executor = iterator->executor;
    struct waiter *waiter = &iterator->waiter;
    if (!executor)
        return observer_list_take(&waiter->ready);
    pthread_mutex_lock(&executor->owner.lock);
    while (!waiter->ready.first &&
           monotonic_cond_wait(&waiter->not_empty, &executor->owner.lock, deadline_s))
        ;
    struct observer *observer = observer_list_take(&waiter->ready);
    pthread_mutex_unlock(&executor->owner.lock);
    return observer;
}

/* Like mpp_as_completed_next, but with a deadline that has been computed from timeout_s before. */
static enum mpp_wait_status next_before(struct mpp_as_completed *iterator, double timeout_s,
                                        double deadline_s, struct mpp_future **future,
                                        struct mpp_error *error)
{
    *future = NULL;
    if (!iterator->left)
        return MPP_WAIT_OK;
    bool must_not_wait = monotonic_may_block(timeout_s) && iterator->executor &&
                         executor_in_callback(iterator->executor);
    struct observer *observer = take_ready(iterator, must_not_wait ? 0 : deadline_s);
    if (observer) {
        iterator->left--;
        *future = observer->future;
        observer->future = NULL; /* the caller may free the future now */
        return MPP_WAIT_OK;
    }
    if (must_not_wait) {
        mpp_error_set(error, "a callback must not wait for a future");
        return MPP_WAIT_FAILED;
    }
    mpp_error_set(error, "%zu %s not done after %g s", iterator->left,
                  iterator->left == 1 ? "future is" : "futures are", timeout_s);
    return MPP_WAIT_TIMEOUT;
}

enum mpp_wait_status mpp_as_completed_next(struct mpp_as_completed *iterator, double timeout_s,
                                           struct mpp_future **future, struct mpp_error *error)
{
    return next_before(iterator, timeout_s, monotonic_deadline(timeout_s), future, error);
}

static bool is_enough(struct mpp_future *future, enum mpp_return_when when)
{
    switch (when) {
    case MPP_ALL_COMPLETED:
        return false;
    case MPP_FIRST_COMPLETED:
        return true;
    case MPP_FIRST_EXCEPTION:
        return future->exception && future->exception->kind != MPP_EXCEPTION_CANCELLED;
    }
    return false;
}

enum mpp_wait_status mpp_wait(struct mpp_future *const *futures, size_t count, double timeout_s,
                              enum mpp_return_when when, struct mpp_error *error)
{
    struct mpp_as_completed *iterator = mpp_as_completed(futures, count, error);
    if (!iterator)
        return MPP_WAIT_FAILED;
    double deadline_s = monotonic_deadline(timeout_s);
    enum mpp_wait_status status;
    struct mpp_future *future;
    do
        status = next_before(iterator, timeout_s, deadline_s, &future, error);
    while (!status && future && !is_enough(future, when));
    mpp_as_completed_free(iterator);
    return status;
}
