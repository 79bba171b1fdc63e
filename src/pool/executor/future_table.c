/* SPDX-License-Identifier: MIT */
/* Finds futures by task id: see future_table.h. */
#include "future_table.h"

#include <stdlib.h>

void future_table_release(struct future_table *table)
{
    free(table->slots);
    *table = (struct future_table){0};
}

static int grow(struct future_table *table, struct mpp_error *error)
{
    uint32_t count = table->count ? 2 * table->count : 1024;
    struct future_slot *slots =
        count > table->count ? realloc(table->slots, count * sizeof *slots) : NULL;
    if (!slots)
        return mpp_error_set(error, "out of memory for %u tasks", count);
    for (uint32_t i = table->count; i < count; i++)
        slots[i] = (struct future_slot){.generation = 1, .next_free = i + 1 < count ? i + 2 : 0};
    table->free = table->count + 1;
    table->slots = slots;
    table->count = count;
    return 0;
}

int future_table_add(struct future_table *table, struct mpp_future *future, struct mpp_error *error)
{
    if (!table->free && grow(table, error))
        return -1;
    uint32_t at = table->free - 1;
    struct future_slot *slot = &table->slots[at];
    table->free = slot->next_free;
    slot->future = future;
    future->id = (uint64_t)slot->generation << 32 | at;
    future->in_table = true;
    return 0;
}

struct mpp_future *future_table_find(const struct future_table *table, uint64_t id)
{
    uint32_t at = (uint32_t)id;
    if (at >= table->count || table->slots[at].generation != id >> 32)
        return NULL;
    return table->slots[at].future;
}

struct mpp_future *future_table_remove(struct future_table *table, uint64_t id)
{
    uint32_t at = (uint32_t)id;
    struct future_slot *slot = &table->slots[at];
    struct mpp_future *future = slot->future;
    future->in_table = false;
    slot->future = NULL;
    slot->generation++;
    slot->next_free = table->free;
    table->free = at + 1;
    return future;
}
