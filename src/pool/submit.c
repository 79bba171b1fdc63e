/* One task and its future: submit, look, wait, cancel, call back. See mppool.h. */
#include <stdlib.h>

#include "executor.h"

struct mpp_future *mpp_submit(struct mpp_executor *executor, const char *job, const void *payload,
                              size_t size, struct mpp_error *error)
{
    int index = executor_find_job(executor, job, error);
    if (index < 0)
        return NULL;
    struct mpp_future *future = future_new(executor, (uint32_t)index, payload, size, error);
    if (!future)
        return NULL;
    atomic_fetch_add_explicit(&executor->references, 1, memory_order_relaxed);
    future_hold(future); /* one reference for the pool, one for the caller */
    struct future_list one;
    future_list_init(&one);
    future_list_append(&one, future);
    pthread_mutex_lock(&executor->lock);
    int failed = executor_post(executor, &one, error);
    executor_wake(executor);
    pthread_mutex_unlock(&executor->lock);
    if (!failed)
        return future;
    future_drop(future);
    future_drop(future);
    return NULL;
}

void mpp_future_free(struct mpp_future *future)
{
    future_drop(future);
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
    struct watch_list calls;
    struct mpp_executor *executor = future->executor;
    watch_list_init(&calls);
    if (future_is_done(future))
        return mpp_future_cancelled(future);
    pthread_mutex_lock(&executor->lock);
    if (future_settle(future)) {
        future_set_cancelled(future);
        future_hold(future); /* publishing takes one, */
        future_hold(future); /* the list of cancelled ones another */
        future_publish(future, &calls);
        future->next_cancelled = executor->cancelled;
        executor->cancelled = future;
        executor_wake(executor);
    }
    pthread_mutex_unlock(&executor->lock);
    future_call_back(&calls);
    return mpp_future_cancelled(future);
}

int mpp_future_add_done_callback(struct mpp_future *future,
                                 void (*callback)(struct mpp_future *future, void *context),
                                 void *context, struct mpp_error *error)
{
    if (!future_is_done(future)) {
        struct watch *watch = malloc(sizeof *watch);
        if (!watch)
            return mpp_error_set(error, "out of memory for a callback");
        *watch = (struct watch){.future = future, .callback = callback, .context = context};
        pthread_mutex_lock(&future->executor->lock);
        bool added = future_watch(future, watch);
        pthread_mutex_unlock(&future->executor->lock);
        if (added)
            return 0;
        free(watch);
    }
    callback(future, context);
    return 0;
}

/* ---- Waiting for one ---- */

static int wait_done(struct mpp_future *future, double timeout_s, struct mpp_error *error)
{
    if (future_is_done(future))
        return 0;
    struct mpp_executor *executor = future->executor;
    if (executor_is_progress(executor))
        return mpp_error_set(error, "a callback must not wait for a future");
    double until_s = executor_until(timeout_s);
    struct waiter waiter;
    struct watch watch = {.future = future, .waiter = &waiter};
    waiter_init(&waiter);
    pthread_mutex_lock(&executor->lock);
    if (future_watch(future, &watch)) {
        while (!waiter.ready.first)
            if (!executor_wait(executor, &waiter.news, until_s) && !waiter.ready.first)
                break;
        if (!waiter.ready.first)
            future_unwatch(future, &watch);
    }
    pthread_mutex_unlock(&executor->lock);
    waiter_release(&waiter);
    if (future_is_done(future))
        return 0;
    return mpp_error_set(error, "no result after %g s", timeout_s);
}

int mpp_future_result(struct mpp_future *future, double timeout_s, struct mpp_bytes *result,
                      struct mpp_error *error)
{
    if (wait_done(future, timeout_s, error))
        return -1;
    if (future->exception)
        return mpp_error_set(error, "%s", future->exception->message);
    *result = (struct mpp_bytes){.data = future->result, .size = future->result_size};
    return 0;
}

int mpp_future_exception(struct mpp_future *future, double timeout_s,
                         const struct mpp_exception **exception, struct mpp_error *error)
{
    if (wait_done(future, timeout_s, error))
        return -1;
    *exception = future->exception;
    return 0;
}
