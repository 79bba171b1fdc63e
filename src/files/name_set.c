/* SPDX-License-Identifier: MIT */
/* A set of fingerprints, open addressing with linear probing: see name_set.h. */
#include "name_set.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void name_set_init(struct name_set *set, const uint64_t key[2])
{
    *set = (struct name_set){.key = {key[0], key[1]}};
}

void name_set_release(struct name_set *set)
{
    free(set->slots);
    *set = (struct name_set){0};
}

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_rounds(uint64_t v[4], int rounds)
{
    while (rounds--) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static uint64_t load_le(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint64_t name_set_siphash(const uint64_t key[2], const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint64_t v[4] = {
        key[0] ^ UINT64_C(0x736f6d6570736575),
        key[1] ^ UINT64_C(0x646f72616e646f6d),
        key[0] ^ UINT64_C(0x6c7967656e657261),
        key[1] ^ UINT64_C(0x7465646279746573),
    };
    uint64_t last = (uint64_t)size << 56;
    size_t left = size;
    for (; left >= 8; left -= 8, bytes += 8) {
        uint64_t word = load_le(bytes, 8);
        v[3] ^= word;
        sip_rounds(v, 2);
        v[0] ^= word;
    }
    last |= load_le(bytes, left);
    v[3] ^= last;
    sip_rounds(v, 2);
    v[0] ^= last;
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* False: the fingerprint is in the table already. */
static bool insert(uint64_t *slots, size_t capacity, uint64_t fingerprint)
{
    size_t at = (size_t)fingerprint & (capacity - 1);
    for (; slots[at]; at = (at + 1) & (capacity - 1))
        if (slots[at] == fingerprint)
            return false;
    slots[at] = fingerprint;
    return true;
}

static int grow(struct name_set *set, struct mpp_error *error)
{
    size_t capacity = set->capacity ? 2 * set->capacity : 1024;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return mpp_error_set(error, "out of memory for %zu names", set->count);
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i])
            insert(slots, capacity, set->slots[i]);
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return 0;
}

int name_set_init_random(struct name_set *set, struct mpp_error *error)
{
    uint64_t key[2];
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return mpp_error_set_errno(error, "cannot get random numbers");
    name_set_init(set, key);
    return 0;
}

static uint64_t fingerprint_of(const struct name_set *set, const char *name)
{
    return name_set_siphash(set->key, name, strlen(name));
}

static bool has(const struct name_set *set, uint64_t fingerprint)
{
    fingerprint = fingerprint ? fingerprint : 1;
    size_t at = (size_t)fingerprint & (set->capacity - 1);
    while (set->capacity && set->slots[at] && set->slots[at] != fingerprint)
        at = (at + 1) & (set->capacity - 1);
    return set->capacity && set->slots[at];
}

static int add(struct name_set *set, uint64_t fingerprint, bool *added, struct mpp_error *error)
{
    if (set->count >= set->capacity / 4 * 3 && grow(set, error))
        return -1;
    *added = insert(set->slots, set->capacity, fingerprint ? fingerprint : 1);
    set->count += *added;
    return 0;
}

int name_set_add(struct name_set *set, const char *name, bool *added, struct mpp_error *error)
{
    return add(set, fingerprint_of(set, name), added, error);
}

/* The fingerprint of the n-th occurrence of a name: a step by an odd number for each. */
static uint64_t numbered(uint64_t fingerprint, uint64_t number)
{
    return fingerprint + number * UINT64_C(0x9e3779b97f4a7c15);
}

int name_set_count(struct name_set *set, const char *name, uint64_t *before,
                   struct mpp_error *error)
{
    uint64_t fingerprint = fingerprint_of(set, name), there = 0, missing = 0;
    bool added;
    if (has(set, fingerprint))
        for (missing = 1; has(set, numbered(fingerprint, missing)); missing *= 2)
            there = missing;
    while (missing > there + 1) { /* by halves, because a name may repeat a million times */
        uint64_t middle = there + (missing - there) / 2;
        if (has(set, numbered(fingerprint, middle)))
            there = middle;
        else
            missing = middle;
    }
    *before = missing;
    return add(set, numbered(fingerprint, missing), &added, error);
}
