/*
 * victim_heap: agents by how much can be stolen from them; the richest is on top.
 *
 * An indexed binary max-heap (Sedgewick, Algorithms, 2.4): every agent is always in it, its key
 * changes in O(log agents), most often in no step at all.
 */
#ifndef VICTIM_HEAP_H
#define VICTIM_HEAP_H

#include <stdint.h>

struct victim_heap {
    int count;
    int *heap;     /* agents, heap[0] with the largest key */
    int *position; /* of an agent in heap */
    uint64_t *key; /* of an agent */
};

int victim_heap_init(struct victim_heap *heap, int agents); /* -1: out of memory */
void victim_heap_release(struct victim_heap *heap);

void victim_heap_set(struct victim_heap *heap, int agent, uint64_t key);

/* The agent with the largest key (*key), or -1 when that is 0. */
int victim_heap_top(const struct victim_heap *heap, uint64_t *key);

const char *
victim_heap_check(const struct victim_heap *heap); /* for tests: NULL, or what is wrong */

#endif
