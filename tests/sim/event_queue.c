/* SPDX-License-Identifier: MIT */
/* The heap of future events: see event_queue.h. */
#include "event_queue.h"

#include <stdio.h>
#include <stdlib.h>

void *must_realloc(void *old, size_t count, size_t size)
{
    void *new = reallocarray(old, count, size);
    if (!new) {
        fprintf(stderr, "simulate: out of memory for %zu times %zu bytes\n", count, size);
        exit(EXIT_FAILURE);
    }
    return new;
}

void event_queue_release(struct event_queue *q)
{
    free(q->list);
    *q = (struct event_queue){0};
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

void event_queue_put(struct event_queue *q, struct sim_event event)
{
    if (q->count == q->capacity) {
        q->capacity = q->capacity ? 2 * q->capacity : 1024;
        q->list = must_realloc(q->list, q->capacity, sizeof *q->list);
    }
    event.order = q->order++;
    size_t place = q->count++;
    while (place > 0 && before(&event, &q->list[(place - 1) / 4])) {
        q->list[place] = q->list[(place - 1) / 4];
        place = (place - 1) / 4;
    }
    q->list[place] = event;
}

bool event_queue_take(struct event_queue *q, struct sim_event *event)
{
    if (!q->count)
        return false;
    *event = q->list[0];
    struct sim_event last = q->list[--q->count];
    size_t place = 0;
    for (size_t child; (child = 4 * place + 1) < q->count;) {
        size_t end = child + 4 < q->count ? child + 4 : q->count;
        size_t first = child;
        while (++child < end)
            if (before(&q->list[child], &q->list[first]))
                first = child;
        if (!before(&q->list[first], &last))
            break;
        q->list[place] = q->list[first];
        place = first;
    }
    q->list[place] = last;
    return true;
}
