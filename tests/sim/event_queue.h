/* SPDX-License-Identifier: MIT */
/*
 * event_queue: the future events of a simulation, sorted by time. Events at the same time are taken
 * in the order in which they were put, so that each run gives the same result.
 *
 * A 4-ary heap in one array: it has half as many levels as a binary heap, and the four children of
 * a node are in at most two or three cache lines.
 */
#ifndef EVENT_QUEUE_H
#define EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_event {
    int64_t at_ns;
    uint32_t order;
    int32_t agent;
    uint32_t argument; /* its meaning depends on the type */
    uint32_t type;
};

/* A zero struct is an empty queue. */
struct event_queue {
    struct sim_event *list;
    size_t count, capacity;
    uint32_t order;
};

void event_queue_release(struct event_queue *queue);
void event_queue_put(struct event_queue *queue, struct sim_event event); /* sets event.order */

/* Removes the next event. False: the queue is empty. */
bool event_queue_take(struct event_queue *queue, struct sim_event *event);

/* Like reallocarray, but exits with a message when out of memory. */
void *must_realloc(void *old, size_t count, size_t size);

#endif
