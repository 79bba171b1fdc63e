/* SPDX-License-Identifier: MIT */
/*
 * collector: brings the results of tasks, which end in any order, into the order of the tasks. Rank
 * 0 only.
 *
 * A result whose turn has not come is kept as its reference: small results with their bytes, large
 * ones stay in their spool file. The memory for them is bounded: while collector_is_full, the
 * caller begins no more tasks; it still accepts the results of those that have begun.
 */
#ifndef COLLECTOR_H
#define COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"
#include "result_ref.h"

#define COLLECTOR_BYTES_MAX ((size_t)16 << 20) /* of results that wait */
#define COLLECTOR_NUMBERS_MAX                                                                      \
    (UINT64_C(1) << 20) /* from the next task to the last one that ended */

struct waiting_result;

struct collector {
    /* Called for each task that has a result, in the order of the tasks' numbers. */
    int (*deliver)(void *context, const char *input, const struct result_ref *ref,
                   struct mpp_error *error);
    void *context;
    uint64_t next;                      /* the number of the task that is delivered next */
    uint64_t end;                       /* above the numbers of all tasks in the ring */
    const struct waiting_result **ring; /* results of later tasks, by number modulo capacity */
    size_t capacity;                    /* a power of two, or 0 */
    size_t bytes;                       /* that waiting results take */
};

void collector_init(struct collector *collector,
                    int (*deliver)(void *context, const char *input, const struct result_ref *ref,
                                   struct mpp_error *error),
                    void *context);
void collector_release(struct collector *collector); /* drops results that wait */

/* The task with this number has ended; each number comes once, from 0. ref NULL or RESULT_NONE:
 * without a result. Delivers all results whose turn it is. -1: out of memory, or the error of
 * `deliver`, after which nothing more is delivered. */
int collector_put(struct collector *collector, uint64_t number, const char *input,
                  const struct result_ref *ref, struct mpp_error *error);

/* More than COLLECTOR_BYTES_MAX or COLLECTOR_NUMBERS_MAX wait. */
bool collector_is_full(const struct collector *collector);

#endif
