/*
 * future: a task on rank 0, from submit to its result. The progress thread owns it until it is
 * completed; then whoever holds the reference. Reference counted: one for the pool, one for the
 * user.
 */
#ifndef FUTURE_H
#define FUTURE_H

#include <stdatomic.h>

#include "mppool.h"

struct executor_wait; /* executor.c */
struct mpp_executor;

struct mpp_future {
    struct mpp_future *next; /* in the executor's inbox, or in a map's list of completed ones */
    struct mpp_executor *executor;
    struct future_list
        *completed; /* where it goes when it is done; NULL: nowhere, somebody may wait */
    _Atomic int references;
    _Atomic bool done;
    bool failed; /* exception is filled */
    uint32_t job;
    uint64_t index; /* position in its map */
    int rank, attempts;
    uint64_t run_ns;
    size_t payload_size, result_size;
    void *result; /* malloc'd; for a failure the message, with a zero behind it */
    struct mpp_exception exception;
    _Alignas(max_align_t) unsigned char payload[];
};

struct future_list {
    struct mpp_future *first, **last;
    size_t count;
};

void future_list_init(struct future_list *list);
void future_list_append(struct future_list *list, struct mpp_future *future);
struct mpp_future *future_list_take(struct future_list *list); /* the first, or NULL */

struct mpp_future *future_new(struct mpp_executor *executor, uint32_t job, const void *payload,
                              size_t size);  /* two references; NULL: out of memory */
void future_drop(struct mpp_future *future); /* one reference */

/* Fill in the end; the caller makes it known (done) afterwards. A message that no memory is left
 * for is replaced by a fixed one. */
void future_set_result(struct mpp_future *future, const void *data, size_t size);
void future_set_exception(struct mpp_future *future, const struct mpp_exception *exception,
                          const char *message, size_t size);

#endif
