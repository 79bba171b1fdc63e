/* SPDX-License-Identifier: MIT */
/*
 * result_ring: a ring buffer in shared memory, through which a worker process passes small results
 * to its agent. A result is visible to the agent as soon as it is put: a long task behind it does
 * not delay it, and a crash of the worker does not lose it.
 *
 * One writer and one reader, without a lock (Lamport 1977): each changes only its own counter. An
 * entry is a size and that many contiguous bytes. The reader trusts nothing in the ring, because a
 * faulty job may have overwritten it.
 */
#ifndef RESULT_RING_H
#define RESULT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_RING_BYTES (UINT32_C(1) << 16)

struct result_ring {
    _Alignas(64) _Atomic uint32_t written; /* total bytes written, modulo 2^32 */
    _Alignas(64) _Atomic uint32_t read;    /* total bytes read, modulo 2^32 */
    _Alignas(64) uint8_t bytes[RESULT_RING_BYTES];
};

/* Empties the ring. Neither reader nor writer may be active. */
void result_ring_reset(struct result_ring *ring);

/* Writer: appends an entry. False: there is not enough room now, or the entry is larger than half
 * of the ring. */
bool result_ring_put(struct result_ring *ring, const void *data, size_t size);

/* Reader: the oldest entry. It stays in place until result_ring_drop removes it. NULL with *size 0:
 * the ring is empty. NULL with *size SIZE_MAX: the ring is damaged. */
const void *result_ring_peek(struct result_ring *ring, size_t *size);
void result_ring_drop(struct result_ring *ring);

#endif
