/* SPDX-License-Identifier: MIT */
/*
 * steal_heap: finds the agent from which most can be stolen.
 *
 * An indexed binary max-heap (Sedgewick, Algorithms, 2.4). All agents are always in the heap. To
 * change a key takes O(log agents) steps, usually none.
 */
#ifndef STEAL_HEAP_H
#define STEAL_HEAP_H

#include <stdint.h>

struct steal_heap {
    int count;
    int *heap;     /* agents; heap[0] has the largest key */
    int *position; /* by agent: its index in heap */
    uint64_t *key; /* by agent: how much can be stolen from it */
};

/* All keys are 0. -1: out of memory. */
int steal_heap_init(struct steal_heap *heap, int agents);
void steal_heap_release(struct steal_heap *heap);

void steal_heap_set(struct steal_heap *heap, int agent, uint64_t key);

/* Returns the agent with the largest key and sets *key, or -1 if all keys are 0. */
int steal_heap_top(const struct steal_heap *heap, uint64_t *key);

/* For tests: NULL, or what is wrong. */
const char *steal_heap_check(const struct steal_heap *heap);

#endif
