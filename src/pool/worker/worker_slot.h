/* SPDX-License-Identifier: MIT */
/*
 * worker_slot: the memory that a worker process and its agent share. The rank maps it before it
 * forks the fork server. The worker that replaces another one uses the same slot.
 *
 * Tasks sent to a worker process are numbered from 0. `next` is the first task that is not claimed.
 * The worker claims task n by changing `next` from n to n + 1 and then runs it. The agent takes
 * tasks back by advancing `next` past them. Both use atomic operations, so a task is never both run
 * and taken back.
 *
 * `running` is set before the claim. After the run the worker clears it. To kill the worker because
 * of its task, the agent first sets the bit WORKER_TERMINATING in `running`; the worker then cannot
 * clear it and does nothing more, so that the kill affects this task and no other.
 */
#ifndef WORKER_SLOT_H
#define WORKER_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "result_ring.h"

struct worker_slot {
    _Alignas(64) _Atomic uint64_t next;
    _Atomic uint64_t running;      /* number + 1 of the task that runs; 0: none */
    _Atomic uint64_t crashed_load; /* number + 1 of the task whose load has crashed; 0: none */
    _Atomic int64_t begun_ns;      /* when the task in `running` began, monotonic_now_ns() */
    _Atomic bool agent_woken; /* the worker has written to its socket since the agent read it */
    _Atomic bool no_memory;   /* the worker crashed after an allocation had failed */
    int rank;                 /* of the agent; set before the worker is started, */
    int worker;               /* and so is the slot's number on its rank, from 0 */
    struct result_ring results;
};

#define WORKER_TERMINATING (UINT64_C(1) << 63)

#endif
