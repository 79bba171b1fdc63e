/* SPDX-License-Identifier: MIT */
/* The indexed max-heap of victims: see steal_heap.h. */
#include "steal_heap.h"

#include <stdlib.h>

int steal_heap_init(struct steal_heap *h, int agents)
{
    size_t count = (size_t)agents;
    *h = (struct steal_heap){.count = agents,
                             .heap = calloc(count, sizeof *h->heap),
                             .position = calloc(count, sizeof *h->position),
                             .key = calloc(count, sizeof *h->key)};
    if (!h->heap || !h->position || !h->key) {
        steal_heap_release(h);
        return -1;
    }
    for (int i = 0; i < agents; i++)
        h->heap[i] = h->position[i] = i;
    return 0;
}

void steal_heap_release(struct steal_heap *h)
{
    free(h->heap);
    free(h->position);
    free(h->key);
    *h = (struct steal_heap){0};
}

static void put(struct steal_heap *h, int place, int agent)
{
    h->heap[place] = agent;
    h->position[agent] = place;
}

void steal_heap_set(struct steal_heap *h, int agent, uint64_t key)
{
    if (h->key[agent] == key)
        return;
    h->key[agent] = key;
    int place = h->position[agent];
    while (place > 0 && h->key[h->heap[(place - 1) / 2]] < key) {
        put(h, place, h->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (;;) {
        int child = 2 * place + 1;
        if (child + 1 < h->count && h->key[h->heap[child + 1]] > h->key[h->heap[child]])
            child++;
        if (child >= h->count || h->key[h->heap[child]] <= key)
            break;
        put(h, place, h->heap[child]);
        place = child;
    }
    put(h, place, agent);
}

int steal_heap_top(const struct steal_heap *h, uint64_t *key)
{
    *key = h->key[h->heap[0]];
    return *key ? h->heap[0] : -1;
}

const char *steal_heap_check(const struct steal_heap *h)
{
    for (int place = 0; place < h->count; place++) {
        if (h->position[h->heap[place]] != place)
            return "the heap of victims has lost an agent";
        if (place && h->key[h->heap[(place - 1) / 2]] < h->key[h->heap[place]])
            return "the heap of victims is out of order";
    }
    return NULL;
}
