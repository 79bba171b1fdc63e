/* SPDX-License-Identifier: MIT */
/*
 * task_identity: what makes a task the same task in every run: the stage, a key, and the number of
 * earlier tasks with the same stage and key. Resuming, --retry-failed and --verify go by it. The
 * key is the name of the input; in a stage it is computed from the results that the task is made
 * of.
 */
#ifndef TASK_IDENTITY_H
#define TASK_IDENTITY_H

#include <stdint.h>
#include <string.h>
#include <xxhash.h>

struct task_identity {
    const char *key;
    uint32_t stage;      /* 0: made from an input */
    uint64_t occurrence; /* 0: the first task with this key */
};

/* A 128-bit hash of the identity, for tables in memory. hash[0] is never 0. */
static inline void task_identity_hash(const struct task_identity *identity, uint64_t hash[2])
{
    uint64_t seed = (uint64_t)identity->stage << 48 ^ identity->occurrence;
    XXH128_hash_t value =
        XXH3_128bits_withSeed(identity->key, strlen(identity->key), (XXH64_hash_t)seed);
    hash[0] = value.low64 | 1;
    hash[1] = value.high64;
}

#endif
