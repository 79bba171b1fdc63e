/*
 * world: a pool in virtual time. The production scheduler, and around it models of the rest:
 *
 *   - rank 0 takes what has come, at most 256 messages a step, enters the events, lets the
 * scheduler decide once, and sends. Each of these costs it time, and it does one thing after the
 * other.
 *   - agents do what agent.c does: one request at a time, below the low-water mark; one task with
 * each worker (tasks are long enough for that); a thief gets the tail of the queue straight from
 * the victim; results wait a while for more.
 *   - messages take a while. A rank that sleeps sees them at its next look, as rank_loop.c has it.
 *   - a map feeds it, with a bounded number of tasks in the pool.
 *
 * Nothing depends on the machine: the measured cost of the scheduler's calls is reported beside.
 */
#ifndef SIMULATED_POOL_H
#define SIMULATED_POOL_H

#include <stdint.h>

#include "random_times.h"

struct world_costs { /* ns of rank 0's time */
    int64_t receive; /* a message */
    int64_t send;    /* a message */
    int64_t task;    /* to take in, to pack, or to complete one task */
    int64_t event;   /* in the scheduler: assumed, see world_report for what was measured */
};

struct world_setup {
    int agents, workers; /* workers: of each agent */
    uint64_t tasks;
    uint64_t window;   /* tasks in the pool at most */
    int pulled_a_step; /* taken from the map at most, before messages are looked at again */
    int64_t source;    /* ns in which the map's thread pulls one */
    enum distribution distribution;
    double mean_ns;
    uint64_t seed;
    int lost;        /* agents: the last ones vanish */
    int64_t lost_at; /* ns */
    int64_t lost_known_after;
    int64_t latency; /* of a message, and for each task in it: ns */
    int64_t latency_task;
    struct world_costs costs;
    int64_t hold; /* ns for which an agent that has work keeps its results: 0 is not at all */
};

struct world_report {
    int64_t end_ns;          /* rank 0 knows that all is done */
    int64_t full_ns;         /* 99 % of the workers are busy for the first time, */
    int64_t last_ns;         /* and for the last */
    uint64_t received, sent; /* messages, as rank 0 sees it */
    uint64_t handed_over;    /* messages from victim to thief */
    uint64_t coded;          /* tasks taken in, packed or completed by rank 0 */
    uint64_t events;         /* that the scheduler was given */
    double scheduler_ns;     /* real time in its calls, all together */
    uint64_t steals, stolen, requeued;
};

struct world_report world_run(const struct world_setup *setup);

#endif
