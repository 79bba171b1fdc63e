/* SPDX-License-Identifier: MIT */
/*
 * rank_liveness: detects that processes of other ranks on this host have died. The kernel reports
 * it through a pidfd for each process (pidfd_open(2)), at once and without false alarms. Processes
 * on other hosts or in other PID namespaces cannot be watched this way and are ignored.
 *
 * The MPI transport exchanges the identities of all ranks when it opens and then polls
 * rank_liveness_next_dead.
 */
#ifndef RANK_LIVENESS_H
#define RANK_LIVENESS_H

#include <stdint.h>

/* Identifies a process among all processes of all hosts. Contains no pointers, so it can be sent as
 * bytes. */
struct rank_liveness_id {
    uint64_t pid_space; /* namespace_id("pid"): processes with the same value can watch each other;
                           0: not known */
    int64_t pid;
};

/* The identity of the calling process. */
struct rank_liveness_id rank_liveness_self(void);

struct rank_liveness;

/* Begins to watch `count` processes; the caller's own entry is ignored. The ids are copied. NULL:
 * out of memory or of descriptors. */
struct rank_liveness *rank_liveness_new(const struct rank_liveness_id *ids, int count);
void rank_liveness_free(struct rank_liveness *liveness); /* NULL is allowed */

/* A descriptor that is readable when rank_liveness_next_dead has something to return; not for
 * processes that were dead already. */
int rank_liveness_fd(const struct rank_liveness *liveness);

/* The index, in `ids`, of a process that has died; each is returned once. -1: there is none. Does
 * not block. */
int rank_liveness_next_dead(struct rank_liveness *liveness);

#endif
