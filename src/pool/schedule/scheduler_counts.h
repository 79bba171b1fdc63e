/* SPDX-License-Identifier: MIT */
/* scheduler_counts: how many tasks and agents the scheduler has, by state. task_table keeps the
 * counts, and the scheduler reports them. */
#ifndef SCHEDULER_COUNTS_H
#define SCHEDULER_COUNTS_H

#include <stdint.h>

struct scheduler_counts {
    uint64_t queued; /* tasks in the queue, including those that wait for a retry */
    uint64_t held;   /* tasks at agents */
    uint64_t ended;  /* tasks that have ended: accepted, given up or dropped */
    int agents;      /* agents with workers that have joined and are not lost */
    int workers;     /* workers of these agents */
};

#endif
