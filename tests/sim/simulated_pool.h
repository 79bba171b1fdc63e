/* SPDX-License-Identifier: MIT */
/*
 * simulated_pool: a pool in virtual time: the real scheduler of the library, with models of all
 * other parts around it.
 *
 *   - Rank 0 works in steps. In each step it takes the messages that have arrived, at most 256,
 *     passes their events to the scheduler, lets it decide once, and sends messages. Each of these
 *     takes time, one after the other.
 *   - Agents behave as in agent.c: an agent asks for tasks when it has fewer than its low-water
 *     mark, one request at a time; each worker has one task (tasks are assumed to be long enough
 *     for that); a thief gets the end of the victim's queue directly from the victim; results are
 *     held back for a while so that several share a message.
 *   - Messages take time. A rank that sleeps sees a message when it polls next, as in rank_loop.c.
 *   - Tasks come from a map, which keeps a bounded number of tasks in the pool.
 *
 * The result does not depend on the speed of the machine. Only scheduler_ns in the report is
 * measured.
 */
#ifndef SIMULATED_POOL_H
#define SIMULATED_POOL_H

#include <stdint.h>

#include "random_times.h"

/* The time that rank 0 needs for its work, in ns. */
struct simulated_costs {
    int64_t receive; /* to receive a message */
    int64_t send;    /* to send a message */
    int64_t task;    /* to accept a task from the map, to encode it, or to complete it */
    int64_t event;   /* in the scheduler, per event: an assumption, see scheduler_ns below */
};

struct simulated_pool_setup {
    int agents, workers; /* workers: per agent */
    uint64_t tasks;
    uint64_t window;     /* largest number of tasks in the pool */
    int pulled_per_step; /* largest number of tasks taken from the map in one step of rank 0 */
    int64_t source;      /* time that the map needs for one task, ns */
    enum distribution distribution;
    double mean_ns;
    uint64_t seed;
    int lost;                 /* number of agents that are lost; those with the largest numbers */
    int64_t lost_at;          /* ns */
    int64_t lost_known_after; /* time until rank 0 notices, ns */
    int64_t latency;          /* of a message, ns */
    int64_t latency_task;     /* in addition for each task in it, ns */
    struct simulated_costs costs;
    int64_t hold; /* time between two messages with results of a busy agent, ns */
};

struct simulated_pool_report {
    int64_t end_ns;          /* when rank 0 knows that all tasks are done */
    int64_t full_ns;         /* when 99 % of the workers are busy for the first time */
    int64_t last_ns;         /* when 99 % of the workers are busy for the last time */
    uint64_t received, sent; /* messages, by rank 0 */
    uint64_t steal_messages; /* messages from victims to thieves */
    uint64_t coded;          /* tasks accepted, encoded or completed by rank 0 */
    uint64_t events;         /* passed to the scheduler */
    double scheduler_ns;     /* measured time in all calls of the scheduler */
    uint64_t steals, stolen, requeued;
};

struct simulated_pool_report simulated_pool_run(const struct simulated_pool_setup *setup);

#endif
