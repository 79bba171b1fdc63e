/*
 * books: what the scheduler knows: where each task is, what each agent has and wants. Every change
 * keeps the counts, the queues, the lists of hungry agents and the heap of victims in step; no
 * decision is made here.
 */
#ifndef TASK_TABLE_H
#define TASK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler.h"
#include "steal_heap.h"

enum { NONE = -1 }; /* no agent */
#define NO_SLOT UINT32_MAX

enum task_state { TASK_FREE, TASK_QUEUED, TASK_HELD };

struct task_record {
    uint32_t generation;
    uint32_t next, previous; /* slots, in the queue it waits in or among those its holder has */
    int32_t holder;          /* TASK_HELD: the agent that has it by the books */
    int32_t avoid;           /* agent whose worker it crashed, or NONE */
    uint32_t handout;        /* how often it was handed out */
    uint32_t chunk;          /* tasks that are handed out with it at most; 0: as many as suit */
    uint16_t crashes;
    uint8_t state;
    bool retry;     /* TASK_QUEUED: waits among the retries */
    bool cancelled; /* TASK_HELD: it is not handed out again */
    bool early;     /* some of its moves are among the early ones */
};

struct task_queue {
    uint32_t head, tail;
    uint64_t count;
};

/* Reports of one agent come in order, those of two do not: that a task went on from `from` may be
 * known before it is known to have come there. */
struct early_move {
    uint64_t task;
    int from, to;
};

enum hunger { SATED, HUNGRY, STARVING };

struct agent_record {
    uint32_t workers;
    struct task_queue held; /* in no particular order */
    bool known;             /* has joined or been lost at some time */
    bool joined;            /* with workers, and not lost */
    uint32_t wants;     /* requests not granted: each is granted once, by a chunk or by a steal */
    enum hunger hunger; /* which hungry list it waits in */
    int next, previous; /* in that list */
    int stealing_from;  /* victim that was told to serve it, or NONE */
    int robbed_by;      /* thief that was sent to it and has not come back, or NONE */
    bool barren;        /* had nothing for its last thief: not asked again till its books change */
    uint64_t served;    /* the decision that last gave it a chunk */
};

struct task_table {
    struct task_record *tasks; /* by slot */
    size_t task_capacity;
    struct task_queue queue;
    struct task_queue retries;
    struct agent_record *agents;
    int agent_capacity;
    int absent;    /* agents that are not known yet */
    int hungry[3]; /* heads of lists, by enum hunger; SATED stays empty */
    struct steal_heap victims;
    struct early_move *early; /* in the order they came; most often none */
    size_t early_count, early_capacity;
    struct scheduler_counts counts;
    bool failed; /* memory ran out */
};

int task_table_init(struct task_table *books, int agents); /* -1: out of memory */
void task_table_release(struct task_table *books);

uint64_t task_table_id(const struct task_table *books, const struct task_record *task);

/* The record of a task that is in the books, or of an agent that is there; NULL: no such. */
struct task_record *task_table_find_task(struct task_table *books, uint64_t id);
struct agent_record *task_table_find_agent(struct task_table *books, int agent);

/* A fresh record, to be enqueued; NULL: its slot is taken, or memory is out (failed). */
struct task_record *task_table_new_task(struct task_table *books, uint64_t id);

void task_table_enqueue(struct task_table *books, struct task_record *task, bool retry);
void task_table_dequeue(struct task_table *books, struct task_record *task);
void task_table_hold(struct task_table *books, struct task_record *task, int agent);
void task_table_let_go(struct task_table *books,
                       struct task_record *task); /* held no longer, and nowhere else */
void task_table_forget(struct task_table *books,
                       struct task_record *task); /* wherever it was; counted as accounted */

/* The task went from one agent to another, but is not held by the first yet. */
void task_table_note_early_move(struct task_table *books, struct task_record *task, int from,
                                int to);
/* Where it went on to from this agent, NONE: it stayed. Takes the note out. */
int task_table_take_early_move(struct task_table *books, struct task_record *task, int from);

/* Puts the agent into the list and the place in the heap that its fields call for; after changing
 * them. */
void task_table_place_agent(struct task_table *books, int agent);

/* Verifies everything by a full scan; for tests. NULL, or what is wrong. */
const char *task_table_check(const struct task_table *books);

#endif
