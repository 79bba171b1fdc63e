/*
 * victim_heap: agents by how much can be stolen from them; the richest is on top.
 *
 * An indexed binary max-heap (Sedgewick, Algorithms, 2.4): every agent is always in it, its key
 * changes in O(log agents), most often in no step at all.
 */
#ifndef STEAL_HEAP_H
#define STEAL_HEAP_H

#include <stdint.h>

struct steal_heap {
    int count;
    int *heap;     /* agents, heap[0] with the largest key */
    int *position; /* of an agent in heap */
    uint64_t *key; /* of an agent */
};

int steal_heap_init(struct steal_heap *heap, int agents); /* -1: out of memory */
void steal_heap_release(struct steal_heap *heap);

void steal_heap_set(struct steal_heap *heap, int agent, uint64_t key);

/* The agent with the largest key (*key), or -1 when that is 0. */
int steal_heap_top(const struct steal_heap *heap, uint64_t *key);

const char *steal_heap_check(const struct steal_heap *heap); /* for tests: NULL, or what is wrong */

#endif
