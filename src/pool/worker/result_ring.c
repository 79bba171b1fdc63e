/* SPDX-License-Identifier: MIT */
/* A single-writer, single-reader ring buffer in shared memory: see result_ring.h. */
#include "result_ring.h"

#include <string.h>

/* The head in front of an entry holds its size. Entries are padded to a multiple of HEAD_BYTES, so
 * a head always fits before the end of the ring. */
enum { HEAD_BYTES = 8 };
#define SKIP UINT32_MAX /* a size that means: the next entry is at the beginning of the ring */

static uint32_t entry_bytes(size_t size)
{
    return (uint32_t)((HEAD_BYTES + size + HEAD_BYTES - 1) / HEAD_BYTES * HEAD_BYTES);
}

void result_ring_reset(struct result_ring *ring)
{
    atomic_store(&ring->written, 0);
    atomic_store(&ring->read, 0);
}

static void put_head(struct result_ring *ring, uint32_t at, uint32_t size)
{
    memcpy(ring->bytes + at, &size, sizeof size);
}

bool result_ring_put(struct result_ring *ring, const void *data, size_t size)
{
    if (size > RESULT_RING_BYTES / 2)
        return false;
    uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint32_t room =
        RESULT_RING_BYTES - (written - atomic_load_explicit(&ring->read, memory_order_acquire));
    uint32_t at = written % RESULT_RING_BYTES;
    uint32_t to_end = RESULT_RING_BYTES - at;
    uint32_t need = entry_bytes(size);
    uint32_t skipped = need > to_end ? to_end : 0;
    if (need + skipped > room)
        return false;
    if (skipped) {
        put_head(ring, at, SKIP);
        at = 0;
    }
    put_head(ring, at, (uint32_t)size);
    memcpy(ring->bytes + at + HEAD_BYTES, data, size);
    atomic_store_explicit(&ring->written, written + skipped + need, memory_order_release);
    return true;
}

const void *result_ring_peek(struct result_ring *ring, size_t *size)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint32_t filled = atomic_load_explicit(&ring->written, memory_order_acquire) - read;
    uint32_t at = read % RESULT_RING_BYTES;
    uint32_t head = 0;
    *size = 0;
    if (!filled)
        return NULL;
    if (filled <= RESULT_RING_BYTES && at % HEAD_BYTES == 0)
        memcpy(&head, ring->bytes + at, sizeof head);
    if (head == SKIP && RESULT_RING_BYTES - at < filled) {
        atomic_store_explicit(&ring->read, read + RESULT_RING_BYTES - at, memory_order_release);
        filled -= RESULT_RING_BYTES - at;
        at = 0;
        memcpy(&head, ring->bytes, sizeof head);
    }
    if (filled > RESULT_RING_BYTES || head > RESULT_RING_BYTES / 2 || entry_bytes(head) > filled ||
        entry_bytes(head) > RESULT_RING_BYTES - at) {
        *size = SIZE_MAX; /* a job has overwritten the ring */
        return NULL;
    }
    *size = head;
    return ring->bytes + at + HEAD_BYTES;
}

void result_ring_drop(struct result_ring *ring)
{
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint32_t head;
    memcpy(&head, ring->bytes + read % RESULT_RING_BYTES, sizeof head);
    atomic_store_explicit(&ring->read, read + entry_bytes(head), memory_order_release);
}
