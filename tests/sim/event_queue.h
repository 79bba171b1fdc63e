/*
 * event_queue: what will happen in a simulated world, by time and then by the order in which it was
 * foreseen, so that a run is the same every time.
 *
 * A 4-ary heap in one array: half the levels of a binary one, and the four children lie in two
 * cache lines.
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
    uint32_t what; /* depends on the type */
    uint32_t type;
};

struct event_queue { /* zero is an empty one */
    struct sim_event *list;
    size_t count, capacity;
    uint32_t order;
};

void event_queue_release(struct event_queue *queue);
void event_queue_put(struct event_queue *queue, struct sim_event event); /* sets its order */
bool event_queue_take(struct event_queue *queue, struct sim_event *event);

/* malloc and realloc for a program that cannot go on without. */
void *must_realloc(void *old, size_t count, size_t size);

#endif
