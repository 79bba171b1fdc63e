/*
 * liveness: which processes on this machine are gone, told by the kernel (a pidfd for each), at
 * once and never by mistake. Those on other machines, or in other containers, are not watched.
 */
#ifndef RANK_LIVENESS_H
#define RANK_LIVENESS_H

#include <stdint.h>

/* Tells one process from all others; two that have the same place can watch each other. */
struct rank_liveness_id {
    uint64_t place; /* this boot of this machine, this namespace of pids; 0: not known */
    int64_t pid;
};

struct rank_liveness_id rank_liveness_self(void);

struct rank_liveness;

/* Watches `count` processes, all but the caller. NULL: out of memory. */
struct rank_liveness *rank_liveness_new(const struct rank_liveness_id *ids, int count);
void rank_liveness_free(struct rank_liveness *liveness); /* NULL is fine */

/* The number of one that is gone and was not told of before; -1: none. Does not block. */
int rank_liveness_gone(struct rank_liveness *liveness);

#endif
