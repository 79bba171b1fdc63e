/*
 * greedy: what a run could take at least. The lower bound no schedule is below; and, as nobody
 * knows beforehand how long a task will take, list scheduling (Graham 1966): whoever is free takes
 * the next task in the order they come, and it costs nothing to ask.
 */
#ifndef LIST_SCHEDULE_H
#define LIST_SCHEDULE_H

#include <stdint.h>

#include "random_times.h"

struct greedy_setup {
    int agents, workers; /* workers: of each agent */
    uint64_t tasks;
    enum distribution distribution;
    double mean_ns;
    uint64_t seed;
    int lost;        /* agents: the last ones */
    int64_t lost_at; /* ns; what they run is begun anew elsewhere */
};

struct greedy_times {
    int64_t bound_ns; /* max(longest task, total over all workers that are there) */
    int64_t greedy_ns;
};

struct greedy_times greedy_run(const struct greedy_setup *setup);

#endif
