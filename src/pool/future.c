/* A task on rank 0, from submit to its result: see future.h. */
#include "future.h"

#include <stdlib.h>
#include <string.h>

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

struct mpp_future *future_new(struct mpp_executor *executor, uint32_t job, const void *payload,
                              size_t size)
{
    struct mpp_future *future = malloc(sizeof *future + size);
    if (!future)
        return NULL;
    *future = (struct mpp_future){
        .executor = executor, .references = 2, .job = job, .rank = -1, .payload_size = size};
    if (size)
        memcpy(future->payload, payload, size);
    return future;
}

void future_drop(struct mpp_future *future)
{
    if (future && atomic_fetch_sub(&future->references, 1) == 1) {
        free(future->result);
        free(future);
    }
}

void future_set_exception(struct mpp_future *future, const struct mpp_exception *exception,
                          const char *message, size_t size)
{
    char *text = malloc(size + 1);
    if (text) {
        memcpy(text, message, size);
        text[size] = '\0';
    }
    future->result = text;
    future->failed = true;
    future->exception = *exception;
    future->exception.message = text ? text : "failed, and no memory is left for the message";
}

void future_set_result(struct mpp_future *future, const void *data, size_t size)
{
    if (!size)
        return;
    future->result = malloc(size);
    if (!future->result) {
        static const char message[] = "no memory is left on rank 0 for the result";
        future_set_exception(future,
                             &(struct mpp_exception){.kind = MPP_EXCEPTION_BROKEN,
                                                     .rank = future->rank,
                                                     .attempts = future->attempts},
                             message, sizeof message - 1);
        return;
    }
    memcpy(future->result, data, size);
    future->result_size = size;
}
