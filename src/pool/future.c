/* A task on rank 0, from submit to its end: see future.h. */
#include "future.h"

#include <stdlib.h>
#include <string.h>

#include "executor.h"
#include "message.h"

/* ---- Lists ---- */

void watch_list_init(struct watch_list *list)
{
    *list = (struct watch_list){.last = &list->first};
}

void watch_list_append(struct watch_list *list, struct watch *watch)
{
    watch->next = NULL;
    *list->last = watch;
    list->last = &watch->next;
}

struct watch *watch_list_take(struct watch_list *list)
{
    struct watch *watch = list->first;
    if (!watch)
        return NULL;
    list->first = watch->next;
    if (!list->first)
        list->last = &list->first;
    return watch;
}

void future_list_init(struct future_list *list)
{
    *list = (struct future_list){.last = &list->first};
}

void future_list_append(struct future_list *list, struct mpp_future *future)
{
    future->next = NULL;
    *list->last = future;
    list->last = &future->next;
    list->count++;
}

struct mpp_future *future_list_take(struct future_list *list)
{
    struct mpp_future *future = list->first;
    if (!future)
        return NULL;
    list->first = future->next;
    if (!list->first)
        list->last = &list->first;
    list->count--;
    future->next = NULL;
    return future;
}

void future_list_move(struct future_list *list, struct future_list *to)
{
    if (!list->first)
        return;
    *to->last = list->first;
    to->last = list->last;
    to->count += list->count;
    future_list_init(list);
}

/* ---- Life ---- */

struct mpp_future *future_new(struct mpp_executor *executor, uint32_t job, const void *payload,
                              size_t size, struct mpp_error *error)
{
    if (size > MESSAGE_DATA_MAX) {
        mpp_error_set(error, "a payload of %zu bytes is too large: at most %u", size,
                      MESSAGE_DATA_MAX);
        return NULL;
    }
    struct mpp_future *future = malloc(sizeof *future + size);
    if (!future) {
        mpp_error_set(error, "out of memory for a task of %zu bytes", size);
        return NULL;
    }
    *future = (struct mpp_future){.executor = executor,
                                  .references = 1,
                                  .job = job,
                                  .rank = -1,
                                  .payload_size = (uint32_t)size};
    if (size)
        memcpy(future->payload, payload, size);
    return future;
}

void future_hold(struct mpp_future *future)
{
    atomic_fetch_add_explicit(&future->references, 1, memory_order_relaxed);
}

static const char no_memory[] = "failed, and no memory is left for the message";
static const struct mpp_exception cancelled = {
    .kind = MPP_EXCEPTION_CANCELLED, .rank = -1, .host = "", .message = "the task was cancelled"};
static const struct mpp_exception lost_result = {
    .kind = MPP_EXCEPTION_BROKEN, .rank = -1, .host = "", .message = no_memory};

void future_drop(struct mpp_future *future)
{
    if (!future || atomic_fetch_sub(&future->references, 1) != 1)
        return;
    if (!future->completed)
        executor_drop(future->executor);
    if (future->exception != &cancelled && future->exception != &lost_result)
        free((void *)future->exception);
    free(future->result);
    free(future);
}

/* ---- The end ---- */

bool future_is_done(const struct mpp_future *future)
{
    return atomic_load_explicit(&future->state, memory_order_acquire) == FUTURE_DONE;
}

bool future_settle(struct mpp_future *future)
{
    uint8_t state = atomic_load(&future->state);
    while (state == FUTURE_PENDING || state == FUTURE_RUNNING)
        if (atomic_compare_exchange_weak(&future->state, &state, FUTURE_SETTLED))
            return true;
    return false;
}

void future_set_result(struct mpp_future *future, const void *data, size_t size)
{
    if (!size)
        return;
    future->result = malloc(size);
    if (!future->result) {
        future->exception = &lost_result;
        return;
    }
    memcpy(future->result, data, size);
    future->result_size = (uint32_t)size;
}

void future_set_exception(struct mpp_future *future, const struct mpp_exception *exception,
                          size_t message_size)
{
    size_t host_size = strlen(exception->host) + 1;
    struct mpp_exception *copy = malloc(sizeof *copy + host_size + message_size + 1);
    if (!copy) {
        future->exception = &lost_result;
        return;
    }
    char *host = (char *)(copy + 1), *message = host + host_size;
    *copy = *exception;
    copy->host = memcpy(host, exception->host, host_size);
    copy->message = memcpy(message, exception->message, message_size);
    message[message_size] = '\0';
    future->exception = copy;
}

void future_set_cancelled(struct mpp_future *future)
{
    future->exception = &cancelled;
}

struct completed *completed_new(void)
{
    struct completed *completed = calloc(1, sizeof *completed);
    if (!completed)
        return NULL;
    future_list_init(&completed->list);
    executor_cond_init(&completed->news);
    return completed;
}

static void completed_free(struct completed *completed)
{
    pthread_cond_destroy(&completed->news);
    free(completed);
}

void completed_leave(struct completed *completed)
{
    for (struct mpp_future *future; (future = future_list_take(&completed->list));)
        future_drop(future);
    completed->abandoned = true;
    if (!completed->pending)
        completed_free(completed);
}

static void complete_in(struct completed *completed, struct mpp_future *future)
{
    completed->pending--;
    if (!completed->abandoned) {
        if (!completed->list.count)
            pthread_cond_signal(&completed->news);
        future_list_append(&completed->list, future);
        return;
    }
    future_drop(future);
    if (!completed->pending)
        completed_free(completed);
}

bool future_end(struct mpp_future *future, const char *broken_because)
{
    if (!future_settle(future)) {
        future_drop(future);
        return false;
    }
    if (broken_because)
        future_set_exception(
            future,
            &(struct mpp_exception){
                .kind = MPP_EXCEPTION_BROKEN, .rank = -1, .host = "", .message = broken_because},
            strlen(broken_because));
    else
        future_set_cancelled(future);
    return true;
}

void future_publish(struct mpp_future *future, struct watch_list *calls)
{
    atomic_store_explicit(&future->state, FUTURE_DONE, memory_order_release);
    if (future->completed) {
        complete_in(future->completed, future);
        return;
    }
    for (struct watch *watch; (watch = future->watches);) {
        future->watches = watch->next;
        if (watch->waiter) {
            watch_list_append(&watch->waiter->ready, watch);
            pthread_cond_signal(&watch->waiter->news);
        } else {
            future_hold(future);
            watch_list_append(calls, watch);
        }
    }
    future_drop(future);
}

void future_call_back(struct watch_list *calls)
{
    for (struct watch *watch; (watch = watch_list_take(calls));) {
        watch->callback(watch->future, watch->context);
        future_drop(watch->future);
        free(watch);
    }
}

/* ---- Watching ---- */

bool future_watch(struct mpp_future *future, struct watch *watch)
{
    if (future_is_done(future))
        return false;
    struct watch **last = &future->watches;
    while (*last)
        last = &(*last)->next;
    watch->next = NULL;
    *last = watch;
    return true;
}

void future_unwatch(struct mpp_future *future, struct watch *watch)
{
    for (struct watch **link = &future->watches; *link; link = &(*link)->next)
        if (*link == watch) {
            *link = watch->next;
            return;
        }
}

void waiter_init(struct waiter *waiter)
{
    executor_cond_init(&waiter->news);
    watch_list_init(&waiter->ready);
}

void waiter_release(struct waiter *waiter)
{
    pthread_cond_destroy(&waiter->news);
}
