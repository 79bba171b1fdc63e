/* SPDX-License-Identifier: MIT */
/* The public functions for one future: its state, cancelling, callbacks, waiting. See mppool.h. */
#include <stdlib.h>

#include "executor_state.h"
#include "monotonic_wait.h"

void mpp_future_free(struct mpp_future *future)
{
    future_unref(future);
}

bool mpp_future_done(struct mpp_future *future)
{
    return future_is_done(future);
}

bool mpp_future_running(struct mpp_future *future)
{
    return atomic_load(&future->state) == FUTURE_RUNNING;
}

bool mpp_future_cancelled(struct mpp_future *future)
{
    return future_is_done(future) && future->exception &&
           future->exception->kind == MPP_EXCEPTION_CANCELLED;
}

bool mpp_future_cancel(struct mpp_future *future)
{
    if (future_is_done(future))
        return mpp_future_cancelled(future);
    struct mpp_executor *executor = executor_of(future);
    struct observer_list callbacks;
    observer_list_init(&callbacks);
    pthread_mutex_lock(&executor->owner.lock);
    if (future_settle(future)) {
        future_set_cancelled(future);
        future_ref(future); /* future_publish drops one reference, */
        future_ref(future); /* the progress thread another */
        future_publish(future, &callbacks);
        future->next_cancelled = executor->cancelled;
        executor->cancelled = future;
        executor_wake(executor);
    }
    pthread_mutex_unlock(&executor->owner.lock);
    future_call_back(&callbacks);
    return mpp_future_cancelled(future);
}

int mpp_future_add_done_callback(struct mpp_future *future,
                                 void (*callback)(struct mpp_future *future, void *context),
                                 void *context, struct mpp_error *error)
{
    if (!future_is_done(future)) {
        struct observer *observer = malloc(sizeof *observer);
        if (!observer)
            return mpp_error_set(error, "out of memory for a callback");
        *observer = (struct observer){.future = future, .callback = callback, .context = context};
        pthread_mutex_lock(&future->owner->lock);
        bool added = future_add_observer(future, observer);
        pthread_mutex_unlock(&future->owner->lock);
        if (added)
            return 0;
        free(observer);
    }
    callback(future, context);
    return 0;
}

/* ---- Waiting ---- */

static enum mpp_wait_status wait_done(struct mpp_future *future, double timeout_s,
                                      struct mpp_error *error)
{
    if (future_is_done(future))
        return MPP_WAIT_OK;
    struct mpp_executor *executor = executor_of(future);
    if (monotonic_may_block(timeout_s) && executor_in_callback(executor)) {
        mpp_error_set(error, "a callback must not wait for a future");
        return MPP_WAIT_FAILED;
    }
    double deadline_s = monotonic_deadline(timeout_s);
    struct waiter waiter;
    struct observer observer = {.future = future, .waiter = &waiter};
    waiter_init(&waiter);
    pthread_mutex_lock(&executor->owner.lock);
    if (future_add_observer(future, &observer)) {
        while (!waiter.ready.first &&
               monotonic_cond_wait(&waiter.not_empty, &executor->owner.lock, deadline_s))
            ;
        if (!waiter.ready.first)
            future_remove_observer(future, &observer);
    }
    pthread_mutex_unlock(&executor->owner.lock);
    waiter_release(&waiter);
    if (future_is_done(future))
        return MPP_WAIT_OK;
    mpp_error_set(error, "no result after %g s", timeout_s);
    return MPP_WAIT_TIMEOUT;
}

enum mpp_wait_status mpp_future_result(struct mpp_future *future, double timeout_s,
                                       struct mpp_bytes *result, struct mpp_error *error)
{
    enum mpp_wait_status status = wait_done(future, timeout_s, error);
    if (status)
        return status;
    if (future->exception) {
        mpp_error_set(error, "%s", future->exception->message);
        return MPP_WAIT_FAILED;
    }
    if (result)
        *result = (struct mpp_bytes){.data = future->result, .size = future->result_size};
    return MPP_WAIT_OK;
}

enum mpp_wait_status mpp_future_exception(struct mpp_future *future, double timeout_s,
                                          const struct mpp_exception **exception,
                                          struct mpp_error *error)
{
    enum mpp_wait_status status = wait_done(future, timeout_s, error);
    if (status)
        return status;
    *exception = future->exception;
    return MPP_WAIT_OK;
}
