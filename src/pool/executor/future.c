/* SPDX-License-Identifier: MIT */
/* One task on rank 0, its result, and the threads and callbacks that wait for it: see future.h. */
#include "future.h"

#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "monotonic_wait.h"

/* A result of at most this size needs no memory of its own. Few bytes, because each pending task
 * has them. */
enum { RESULT_ROOM_BYTES = 16 };

/* ---- Lists ---- */

void observer_list_init(struct observer_list *list)
{
    *list = (struct observer_list){.last = &list->first};
}

void observer_list_append(struct observer_list *list, struct observer *observer)
{
    observer->next = NULL;
    *list->last = observer;
    list->last = &observer->next;
}

struct observer *observer_list_take(struct observer_list *list)
{
    struct observer *observer = list->first;
    if (!observer)
        return NULL;
    list->first = observer->next;
    if (!list->first)
        list->last = &list->first;
    return observer;
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

/* ---- Reference counts ---- */

void future_owner_ref(struct future_owner *owner)
{
    atomic_fetch_add_explicit(&owner->references, 1, memory_order_relaxed);
}

void future_owner_unref(struct future_owner *owner)
{
    if (atomic_fetch_sub(&owner->references, 1) == 1)
        owner->free(owner);
}

/* The payload, padded so that the room for the result behind it is aligned for any type. */
static size_t padded(size_t payload_size)
{
    size_t unit = _Alignof(max_align_t);
    return (payload_size + unit - 1) / unit * unit;
}

static void *result_room(struct mpp_future *future)
{
    return future->payload + padded(future->payload_size);
}

struct mpp_future *future_new(struct future_owner *owner, struct task_slab **slab, uint32_t job,
                              const void *payload, size_t size, struct mpp_error *error)
{
    if (size > MESSAGE_DATA_MAX) {
        mpp_error_set(error, "a payload of %zu bytes is too large: at most %u", size,
                      MESSAGE_DATA_MAX);
        return NULL;
    }
    struct task_slab *home = NULL;
    size_t bytes = sizeof(struct mpp_future) + padded(size) + RESULT_ROOM_BYTES;
    struct mpp_future *future = slab ? task_slab_take(slab, bytes, &home) : malloc(bytes);
    if (!future) {
        mpp_error_set(error, "out of memory for a task of %zu bytes", size);
        return NULL;
    }
    *future = (struct mpp_future){.owner = owner,
                                  .slab = home,
                                  .references = 1,
                                  .job = job,
                                  .rank = -1,
                                  .worker = -1,
                                  .payload_size = (uint32_t)size};
    if (size)
        memcpy(future->payload, payload, size);
    return future;
}

void future_ref(struct mpp_future *future)
{
    atomic_fetch_add_explicit(&future->references, 1, memory_order_relaxed);
}

static const struct mpp_exception cancelled = {
    .kind = MPP_EXCEPTION_CANCELLED, .rank = -1, .host = "", .message = "the task was cancelled"};
static const struct mpp_exception no_memory = {.kind = MPP_EXCEPTION_BROKEN,
                                               .rank = -1,
                                               .host = "",
                                               .message = "out of memory for the result"};

void future_unref(struct mpp_future *future)
{
    if (!future || atomic_fetch_sub(&future->references, 1) != 1)
        return;
    if (!future->queue)
        future_owner_unref(future->owner);
    if (future->exception != &cancelled && future->exception != &no_memory)
        free((void *)future->exception);
    if (future->result != result_room(future))
        free(future->result);
    if (future->slab)
        task_slab_close(future->slab);
    else
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
    future->result = size <= RESULT_ROOM_BYTES ? result_room(future) : malloc(size);
    if (!future->result) {
        future->exception = &no_memory;
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
        future->exception = &no_memory;
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

bool future_end_without_result(struct mpp_future *future, const char *broken_reason)
{
    if (!future_settle(future)) {
        future_unref(future);
        return false;
    }
    if (broken_reason)
        future_set_exception(
            future,
            &(struct mpp_exception){
                .kind = MPP_EXCEPTION_BROKEN, .rank = -1, .host = "", .message = broken_reason},
            strlen(broken_reason));
    else
        future_set_cancelled(future);
    return true;
}

/* ---- Publishing the end ---- */

struct completion_queue *completion_queue_new(void)
{
    struct completion_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    future_list_init(&queue->done);
    monotonic_cond_init(&queue->not_empty);
    return queue;
}

static void queue_free(struct completion_queue *queue)
{
    pthread_cond_destroy(&queue->not_empty);
    free(queue);
}

void completion_queue_abandon(struct completion_queue *queue)
{
    for (struct mpp_future *future; (future = future_list_take(&queue->done));)
        future_unref(future);
    queue->abandoned = true;
    if (!queue->pending)
        queue_free(queue);
}

static void queue_add(struct completion_queue *queue, struct mpp_future *future)
{
    queue->pending--;
    if (!queue->abandoned) {
        if (!queue->done.count)
            pthread_cond_signal(&queue->not_empty);
        future_list_append(&queue->done, future);
        return;
    }
    future_unref(future);
    if (!queue->pending)
        queue_free(queue);
}

void future_publish(struct mpp_future *future, struct observer_list *callbacks)
{
    atomic_store_explicit(&future->state, FUTURE_DONE, memory_order_release);
    if (future->queue) {
        queue_add(future->queue, future);
        return;
    }
    for (struct observer *observer; (observer = future->observers);) {
        future->observers = observer->next;
        if (observer->waiter) {
            observer_list_append(&observer->waiter->ready, observer);
            pthread_cond_signal(&observer->waiter->not_empty);
        } else {
            future_ref(future);
            observer_list_append(callbacks, observer);
        }
    }
    future_unref(future);
}

void future_call_back(struct observer_list *callbacks)
{
    for (struct observer *observer; (observer = observer_list_take(callbacks));) {
        observer->callback(observer->future, observer->context);
        future_unref(observer->future);
        free(observer);
    }
}

/* ---- Observers ---- */

bool future_add_observer(struct mpp_future *future, struct observer *observer)
{
    if (future_is_done(future))
        return false;
    struct observer **last = &future->observers;
    while (*last)
        last = &(*last)->next;
    observer->next = NULL;
    *last = observer;
    return true;
}

void future_remove_observer(struct mpp_future *future, struct observer *observer)
{
    for (struct observer **link = &future->observers; *link; link = &(*link)->next)
        if (*link == observer) {
            *link = observer->next;
            return;
        }
}

void waiter_init(struct waiter *waiter)
{
    monotonic_cond_init(&waiter->not_empty);
    observer_list_init(&waiter->ready);
}

void waiter_release(struct waiter *waiter)
{
    pthread_cond_destroy(&waiter->not_empty);
}
