/* SPDX-License-Identifier: MIT */
/*
 * future_table: finds the future of a task by the id that the scheduler uses: (generation << 32 |
 * slot). A future is in it from when the scheduler gets the task until the scheduler frees the id.
 * The table does not own the futures.
 */
#ifndef FUTURE_TABLE_H
#define FUTURE_TABLE_H

#include "future.h"

struct future_slot {
    uint32_t generation;       /* from 1 */
    uint32_t next_free;        /* index of the next free slot, plus 1; 0: none */
    struct mpp_future *future; /* NULL: free */
};

/* A zero struct is an empty table. */
struct future_table {
    struct future_slot *slots;
    uint32_t count;
    uint32_t free; /* index of the first free slot, plus 1; 0: none */
};

void future_table_release(struct future_table *table);

/* Adds a future and sets its id. Returns 0, or -1 with the error filled if out of memory. */
int future_table_add(struct future_table *table, struct mpp_future *future,
                     struct mpp_error *error);

/* NULL: the task has ended, or the id never existed. */
struct mpp_future *future_table_find(const struct future_table *table, uint64_t id);

/* Removes a future that is in the table and returns it. */
struct mpp_future *future_table_remove(struct future_table *table, uint64_t id);

#endif
