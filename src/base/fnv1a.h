/* SPDX-License-Identifier: MIT */
/*
 * fnv1a: the 64-bit FNV-1a hash. Fast for short keys and the same on every machine; not for keys
 * that an attacker chooses.
 *
 *     uint64_t hash = fnv1a(FNV1A_INIT, bytes, size);
 *     hash = fnv1a(hash, more, more_size);      as if the two were one run of bytes
 *
 * Source: Fowler, Noll, Vo: The FNV Non-Cryptographic Hash Algorithm.
 */
#ifndef FNV1A_H
#define FNV1A_H

#include <stddef.h>
#include <stdint.h>

#define FNV1A_INIT UINT64_C(0xcbf29ce484222325)

static inline uint64_t fnv1a(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *next = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ next[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#endif
