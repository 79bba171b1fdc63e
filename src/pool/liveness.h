/*
 * liveness: which processes on this machine are gone, told by the kernel (a pidfd for each), at
 * once and never by mistake. Those on other machines, or in other containers, are not watched.
 */
#ifndef LIVENESS_H
#define LIVENESS_H

#include <stdint.h>

/* Tells one process from all others; two that have the same place can watch each other. */
struct liveness_id {
    uint64_t place; /* this boot of this machine, this namespace of pids; 0: not known */
    int64_t pid;
};

struct liveness_id liveness_self(void);

struct liveness;

/* Watches `count` processes, all but the caller. NULL: out of memory. */
struct liveness *liveness_new(const struct liveness_id *ids, int count);
void liveness_free(struct liveness *liveness); /* NULL is fine */

/* The number of one that is gone and was not told of before; -1: none. Does not block. */
int liveness_gone(struct liveness *liveness);

#endif
