/* SPDX-License-Identifier: MIT */
/* A ring of results that wait for their turn: see collector.h. */
#include "collector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64, MALLOC_OVERHEAD = 16 };

struct waiting_result {
    struct result_ref ref;
    size_t size;  /* of this entry in memory */
    char bytes[]; /* of an inline result; the name of the input */
};

/* Stands for all tasks without a result. */
static const struct waiting_result no_result = {.ref = {.place = RESULT_NONE}};

void collector_init(struct collector *collector,
                    int (*deliver)(void *context, const char *input, const struct result_ref *ref,
                                   struct mpp_error *error),
                    void *context)
{
    *collector = (struct collector){.deliver = deliver, .context = context};
}

/* Removes the entry of a number from the ring. */
static void drop_entry(struct collector *collector, size_t index)
{
    const struct waiting_result *entry = collector->ring[index];
    collector->ring[index] = NULL;
    if (!entry || entry == &no_result)
        return;
    collector->bytes -= entry->size;
    free((void *)entry);
}

void collector_release(struct collector *collector)
{
    for (size_t i = 0; i < collector->capacity; i++)
        drop_entry(collector, i);
    free(collector->ring);
    *collector = (struct collector){0};
}

/* Makes room for the numbers from `next` to `number`. */
static int grow(struct collector *collector, uint64_t number, struct mpp_error *error)
{
    size_t capacity = collector->capacity ? collector->capacity : CAPACITY_MIN;
    while (capacity <= number - collector->next && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity == collector->capacity)
        return 0;
    const struct waiting_result **ring =
        capacity > number - collector->next ? calloc(capacity, sizeof(*ring)) : NULL;
    if (!ring)
        return mpp_error_set(error, "out of memory");
    for (uint64_t i = collector->next; i < collector->end; i++)
        ring[i & (capacity - 1)] = collector->ring[i & (collector->capacity - 1)];
    free(collector->ring);
    collector->ring = ring;
    collector->capacity = capacity;
    return 0;
}

static int keep(struct collector *collector, uint64_t number, const char *input,
                const struct result_ref *ref, struct mpp_error *error)
{
    const struct waiting_result *kept = &no_result;
    if (grow(collector, number, error))
        return -1;
    if (ref) {
        size_t inline_size = ref->place == RESULT_INLINE ? ref->bytes.size : 0;
        size_t name_size = strlen(input) + 1, size;
        if (!size_add(sizeof *kept + name_size, inline_size, &size))
            return mpp_error_set(error, "out of memory");
        struct waiting_result *entry = malloc(size);
        if (!entry)
            return mpp_error_set(error, "out of memory");
        entry->ref = *ref;
        entry->size = size + MALLOC_OVERHEAD;
        if (inline_size)
            memcpy(entry->bytes, ref->bytes.data, inline_size);
        memcpy(entry->bytes + inline_size, input, name_size);
        if (ref->place == RESULT_INLINE)
            entry->ref.bytes.data = entry->bytes;
        collector->bytes += entry->size;
        kept = entry;
    }
    collector->ring[number & (collector->capacity - 1)] = kept;
    if (collector->end <= number)
        collector->end = number + 1;
    return 0;
}

/* Delivers the results that waited for the one just delivered. */
static int deliver_waiting(struct collector *collector, struct mpp_error *error)
{
    while (collector->next < collector->end) {
        size_t index = (size_t)(collector->next & (collector->capacity - 1));
        const struct waiting_result *entry = collector->ring[index];
        if (!entry)
            return 0;
        if (entry != &no_result) {
            size_t inline_size = entry->ref.place == RESULT_INLINE ? entry->ref.bytes.size : 0;
            if (collector->deliver(collector->context, entry->bytes + inline_size, &entry->ref,
                                   error))
                return -1;
        }
        drop_entry(collector, index);
        collector->next++;
    }
    return 0;
}

int collector_put(struct collector *collector, uint64_t number, const char *input,
                  const struct result_ref *ref, struct mpp_error *error)
{
    if (ref && ref->place == RESULT_NONE)
        ref = NULL;
    if (number < collector->next ||
        (number < collector->end && collector->ring[number & (collector->capacity - 1)]))
        return mpp_error_set(error, "task %" PRIu64 " has ended twice", number);
    if (number > collector->next)
        return keep(collector, number, input, ref, error);
    if (ref && collector->deliver(collector->context, input, ref, error))
        return -1;
    collector->next++;
    return deliver_waiting(collector, error);
}

bool collector_is_full(const struct collector *collector)
{
    return collector->bytes > COLLECTOR_BYTES_MAX ||
           (collector->end > collector->next &&
            collector->end - collector->next > COLLECTOR_NUMBERS_MAX);
}
