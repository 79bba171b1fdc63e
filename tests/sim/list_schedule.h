/* SPDX-License-Identifier: MIT */
/*
 * list_schedule: two ideal run times to compare a simulated run with.
 *
 *   - A lower bound: no schedule can be shorter.
 *   - List scheduling (Graham 1966) without any overhead: each idle worker takes the next task in
 *     the order of arrival. This is the best that can be expected of a scheduler that does not know
 *     beforehand how long each task takes.
 */
#ifndef LIST_SCHEDULE_H
#define LIST_SCHEDULE_H

#include <stdint.h>

#include "random_times.h"

struct list_schedule_setup {
    int agents, workers; /* workers: per agent */
    uint64_t tasks;
    enum distribution distribution;
    double mean_ns;
    uint64_t seed;
    int lost;        /* number of agents that are lost; those with the largest numbers */
    int64_t lost_at; /* ns; the tasks that they run are started again on other agents */
};

struct list_schedule_result {
    int64_t bound_ns; /* max(longest task, total run time / number of workers) */
    int64_t schedule_ns;
};

struct list_schedule_result list_schedule_run(const struct list_schedule_setup *setup);

#endif
