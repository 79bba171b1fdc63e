/* SPDX-License-Identifier: MIT */
/*
 * task_table: the state that the scheduler decides on: where each task is, which tasks each agent
 * holds, and which agents ask for tasks. Each change keeps the counts, the queues, the lists of
 * requests and the heap of victims consistent. No decision is made here.
 */
#ifndef TASK_TABLE_H
#define TASK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler_counts.h"
#include "steal_heap.h"

enum { NONE = -1 };        /* in place of an agent */
#define NO_SLOT UINT32_MAX /* end of a list of tasks */

enum task_state { TASK_FREE, TASK_QUEUED, TASK_HELD };

struct task_record {
    uint32_t generation;
    uint32_t next, previous; /* slots; in its queue, or in the list of tasks of its holder */
    int32_t holder;          /* TASK_HELD: the agent that has it, as far as is known */
    int32_t avoid;           /* the agent whose worker it crashed, or NONE */
    uint32_t dispatch;       /* how often it was sent to an agent */
    uint32_t chunk;          /* how many tasks may be in one chunk with it; 0: any number */
    uint32_t crashes;        /* how many of its attempts have crashed */
    uint8_t state;           /* enum task_state */
    bool retry;              /* TASK_QUEUED: in `retries`, not in `queue` */
    bool cancelled;          /* TASK_HELD: it must not be queued again */
    bool early;              /* the list of early moves has some about it */
};

/* A doubly linked list of tasks. */
struct task_queue {
    uint32_t head, tail;
    uint64_t count;
};

/* A move that was reported too early. Reports from one agent arrive in order, those from two agents
 * may not: if a task moves from A to B and on to C, B's report can arrive before A's. It is kept
 * here until A's report arrives. */
struct early_move {
    uint64_t task;
    int from, to;
};

/* How urgently an agent needs tasks. */
enum request_urgency {
    REQUEST_NONE,   /* it has not asked for tasks, or is stealing some */
    REQUEST_EARLY,  /* it has asked, and has tasks for all its workers */
    REQUEST_URGENT, /* it has asked, and has fewer tasks than workers */
};

struct agent_record {
    uint32_t workers;
    struct task_queue held;       /* the tasks that it holds, in no particular order */
    bool known;                   /* it has joined or been lost at some time */
    bool joined;                  /* it has joined with workers, and is not lost */
    uint32_t open_requests;       /* requests not answered yet by a chunk or a steal */
    enum request_urgency urgency; /* the list of requests that it is in */
    int next, previous;           /* in that list */
    int stealing_from;            /* the victim of its steal in progress, or NONE */
    int thief;                    /* the agent that is stealing from it, or NONE */
    bool last_steal_failed; /* the last thief got nothing, and its tasks have not changed since */
    uint64_t last_chunk_decision; /* number of the decision that last sent it a chunk */
};

struct task_table {
    struct task_record *tasks; /* by slot */
    size_t task_capacity;
    struct task_queue queue;
    struct task_queue retries; /* tasks that crashed; sent when `queue` is empty */
    struct agent_record *agents;
    int agent_capacity;
    int absent;      /* agents that are not known yet */
    int requests[3]; /* heads of lists of agents, by urgency; that of REQUEST_NONE is empty */
    struct steal_heap victims; /* agents by their unstarted tasks per worker, times 1024 */
    struct early_move *early;  /* in the order of their arrival; usually empty */
    size_t early_count, early_capacity;
    struct scheduler_counts counts;
    bool failed; /* out of memory */
};

/* -1: out of memory. */
int task_table_init(struct task_table *table, int agents);
void task_table_release(struct task_table *table);

uint64_t task_table_id(const struct task_table *table, const struct task_record *task);

/* The record of a task; NULL: there is no such task, or it has ended. The record of an agent; NULL:
 * there is no such agent, it has not joined, or it is lost. */
struct task_record *task_table_find_task(struct task_table *table, uint64_t id);
struct agent_record *task_table_find_agent(struct task_table *table, int agent);

/* A new record, which the caller must enqueue. NULL: the slot is in use, or out of memory (then
 * table->failed is set). */
struct task_record *task_table_new_task(struct task_table *table, uint64_t id);

/* Moves of a task between the states:
 *
 *     new_task --> enqueue --> dequeue --> assign --> unassign --> enqueue or assign
 *                     |                      |
 *                     +------> remove <------+
 */
void task_table_enqueue(struct task_table *table, struct task_record *task, bool retry);
void task_table_dequeue(struct task_table *table, struct task_record *task);
void task_table_assign(struct task_table *table, struct task_record *task, int agent);
void task_table_unassign(struct task_table *table, struct task_record *task);

/* The task has ended: removes it from wherever it is, and frees its slot. */
void task_table_remove(struct task_table *table, struct task_record *task);

/* Adds a move whose first agent does not hold the task yet. */
void task_table_add_early_move(struct task_table *table, struct task_record *task, int from,
                               int to);

/* Removes the early move of the task from this agent and returns its destination. NONE: there is no
 * such move. */
int task_table_take_early_move(struct task_table *table, struct task_record *task, int from);

/* Updates the list of requests and the heap of victims after members of the agent have changed. */
void task_table_update_agent(struct task_table *table, int agent);

/* For tests: checks everything by a full scan. Returns NULL, or what is wrong. */
const char *task_table_check(const struct task_table *table);

#endif
