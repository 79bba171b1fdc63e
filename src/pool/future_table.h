/*
 * future_table: the futures of the tasks that are in the books, by the scheduler's ids: (generation
 * << 32 | slot).
 */
#ifndef FUTURE_TABLE_H
#define FUTURE_TABLE_H

#include "future.h"

struct future_slot {
    uint32_t generation;       /* from 1; 0: never used */
    uint32_t next_free;        /* a slot + 1; 0: none */
    struct mpp_future *future; /* NULL: free */
};

struct future_table { /* zero is an empty one */
    struct future_slot *slots;
    uint32_t count;
    uint32_t free; /* a slot + 1; 0: none */
};

void future_table_release(struct future_table *table); /* not the futures */

/* Gives the future its id. */
int future_table_add(struct future_table *table, struct mpp_future *future,
                     struct mpp_error *error);

/* The future of a task in the books; NULL: its end has come already. */
struct mpp_future *future_table_find(const struct future_table *table, uint64_t id);

/* The same of one that is there; its id is free again. */
struct mpp_future *future_table_remove(struct future_table *table, uint64_t id);

#endif
