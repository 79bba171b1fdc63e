/*
 * result_ring: small results on their way from one worker process to its agent, in memory they
 * share. What a worker has put is there for the agent at once: it is not held back by a long task
 * that follows, nor lost with a worker that crashes.
 *
 * One writer, one reader, no lock (Lamport 1977): each advances its own counter. An entry is a size
 * and that many bytes, in one piece.
 */
#ifndef RESULT_RING_H
#define RESULT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULT_RING_BYTES (UINT32_C(1) << 16)

struct result_ring {
    _Alignas(64) _Atomic uint32_t written; /* bytes ever, modulo 2^32 */
    _Alignas(64) _Atomic uint32_t read;
    _Alignas(64) uint8_t bytes[RESULT_RING_BYTES];
};

void result_ring_reset(struct result_ring *ring); /* while nobody uses it */

/* False: there is no room for so much now, or ever. */
bool result_ring_put(struct result_ring *ring, const void *data, size_t size);

/* The oldest entry, in place until it is dropped; NULL: none, or (size set to SIZE_MAX) the writer
 * has damaged the ring. */
const void *result_ring_peek(struct result_ring *ring, size_t *size);
void result_ring_drop(struct result_ring *ring);

#endif
