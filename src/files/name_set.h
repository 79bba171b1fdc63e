/* SPDX-License-Identifier: MIT */
/*
 * name_set: a set of names that only tells whether a name has been added before. It stores 64-bit
 * fingerprints (SipHash-2-4) instead of the names.
 *
 * Memory: 8 bytes per slot of a table that is 3/8 to 3/4 full: 11 to 21 bytes per name.
 *
 * A name that was added is always recognised. Two different names can have the same fingerprint;
 * the probability that this happens in a set of n names is n*n/2^65: 3 in 10,000 at 10^8 names.
 */
#ifndef NAME_SET_H
#define NAME_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mpp_error.h"

struct name_set {
    uint64_t key[2]; /* any value; if it is secret, nobody can choose names that collide */
    uint64_t *slots; /* 0: free */
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void name_set_init(struct name_set *set, const uint64_t key[2]);
int name_set_init_random(struct name_set *set, struct mpp_error *error); /* with a secret key */
void name_set_release(struct name_set *set);

/* Sets *added to false if the name was in the set already. -1: out of memory. */
int name_set_add(struct name_set *set, const char *name, bool *added, struct mpp_error *error);

/* Adds a name that may be added again and again: *before is how often it was added in this way
 * before. A set is used with this function only or without it. -1: out of memory. */
int name_set_count(struct name_set *set, const char *name, uint64_t *before,
                   struct mpp_error *error);

/* Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. */
uint64_t name_set_siphash(const uint64_t key[2], const void *bytes, size_t size);

#endif
