/* SPDX-License-Identifier: MIT */
/*
 * simulated_agent: the model of an agent and of the messages to and from agents. Used only by
 * simulated_pool.c, which also has the model of rank 0; both share struct simulated_pool.
 */
#ifndef SIMULATED_AGENT_H
#define SIMULATED_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "event_queue.h"
#include "scheduler.h"
#include "simulated_pool.h"
#include "simulated_tasks.h"

/* How long ranks sleep between polls, and how many messages they take in a step: as in
 * rank_loop.c. */
enum {
    WAIT_MIN_NS = 20000,
    WAIT_MAX_BUSY_NS = 1000000,
    WAIT_MAX_IDLE_NS = 10000000,
    WAIT_FRACTION = 8,
    MESSAGES_PER_STEP = 256,
};

enum sim_event_type {
    TASK_ENDS,            /* agent; argument: the task copy */
    AGENT_RECEIVES,       /* agent; argument: the message */
    AGENT_FLUSHES,        /* agent; argument: number of its timer */
    COORDINATOR_STEP,     /* rank 0 works */
    COORDINATOR_RECEIVES, /* argument: the message */
    AGENTS_ARE_LOST,
    LOSS_IS_NOTICED, /* agent */
};

struct simulated_agent {
    struct copy_list queue, results;
    uint32_t running, low_water;
    uint32_t timer; /* number of flushes so far: an older timer has no effect */
    bool requested_more, lost;
    int64_t active_ns;      /* when it last did something */
    int64_t results_due_ns; /* when results may be sent although there are tasks */
    /* When the last message arrives at rank 0, at other agents, and from rank 0: messages keep
     * their order. */
    int64_t sent_up_ns;
    int64_t sent_across_ns;
    int64_t received_down_ns;
};

struct simulated_pool {
    const struct simulated_pool_setup *setup;
    struct simulated_pool_report report;
    struct event_queue queue;
    int64_t now;
    struct random_times task_times, delay_times;
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    struct scheduler_event *events; /* of the current step of rank 0 */
    size_t event_count, event_capacity;
    struct simulated_agent *agents;
    uint64_t busy, alive_workers;
    struct simulated_tasks tasks;
    uint32_t inbox_head, inbox_tail;
    bool stepping, input_ended, finished;
    int64_t coordinator_active_ns;
    uint64_t pulled, ended;
    uint32_t *generations; /* by slot */
    int64_t *run_ns;       /* by slot */
    uint32_t *free_slots;
    uint32_t free_slot_count, slot_count;
    double clock_ns; /* cost of reading the real clock */
};

/* When a rank sees a message that arrives at `arrives`: it sleeps between polls, the longer it has
 * been inactive the longer, up to most_ns. `active` is when it was last active. */
int64_t poll_time(struct simulated_pool *pool, int64_t arrives, int64_t active, int64_t most_ns);

/* Sends a message at time `at`. *last: when the last message of this sender to its agents arrives;
 * updated. */
void send_to_agent(struct simulated_pool *pool, int64_t at, int to, int64_t *last,
                   struct simulated_message message);

/* Handlers of the events of agent `id`. */
void agent_task_ends(struct simulated_pool *pool, int id, uint32_t copy);
void agent_receives(struct simulated_pool *pool, int id, uint32_t message);
void agent_flushes(struct simulated_pool *pool, int id, uint32_t timer);
void agents_are_lost(struct simulated_pool *pool);

#endif
