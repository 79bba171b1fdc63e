/*
 * name_set: has this name been seen? A set of 64-bit fingerprints (SipHash-2-4), not of names.
 *
 * Memory: 8 bytes a slot in a table that is between 3/8 and 3/4 full, so 11 to 21 bytes a name.
 * A name that was seen is always recognised; two different names are taken for one with a chance of
 * n*n/2^65 in a set of n: 3 in 10,000 at 10^8 names.
 */
#ifndef NAME_SET_H
#define NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

struct name_set {
    uint64_t key[2]; /* any value; a secret one keeps names from being chosen to collide */
    uint64_t *slots; /* 0: free */
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void name_set_init(struct name_set *set, const uint64_t key[2]);
void name_set_release(struct name_set *set);

/* *added is false when the name was there already. -1: out of memory. */
int name_set_add(struct name_set *set, const char *name, bool *added, struct mpp_error *error);

/* Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
uint64_t name_set_siphash(const uint64_t key[2], const void *bytes, size_t size);

#endif
