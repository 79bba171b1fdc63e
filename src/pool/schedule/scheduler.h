/* SPDX-License-Identifier: MIT */
/*
 * scheduler: decides which agent gets which task. A pure state machine: events in, actions out.
 *
 * It knows ids and counts, but no payloads, no clock and no messages, and uses no random numbers.
 * The coordinator on rank 0 tells it what the agents report and carries out its actions; tests and
 * the simulator give it events of their own.
 *
 * How it works:
 *
 *   - Tasks wait in one queue, first come, first served. An agent that asks for tasks gets a chunk
 *     of the queue. The chunk size is half of the agent's even share, so that chunks get smaller as
 *     the queue drains (guided self-scheduling, Polychronopoulos and Kuck 1987).
 *   - When the queue is empty, tasks are stolen: the agent with the most unstarted tasks per worker
 *     (the victim) is told to send some of them directly to the agent that asks (the thief). Both
 *     have equally many per worker after that: otherwise tasks would be stolen back and forth.
 *   - A task whose worker crashed waits until the queue is empty, and then goes to a different
 *     agent if there is one. The tasks of a lost agent are queued again.
 *   - A cancelled task is removed from the queue. If an agent holds it, the agent is told, and the
 *     task ends when the agent reports it.
 *   - The scheduler knows at all times where each task is. The first result of a task counts; all
 *     later reports about the same id are ignored.
 *
 * A task's id is (generation << 32 | slot). Slots are small numbers that are reused; the generation
 * tells a new task in a slot from an old one.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "scheduler_counts.h"

/* The comments name the members of struct scheduler_event that are used. */
enum scheduler_event_type {
    /* agent, count: the agent has joined and has `count` workers. */
    SCHEDULER_AGENT_JOINED,
    /* agent: it has few tasks left and requests more. It sends one request, and the next one only
     * after it has got tasks. */
    SCHEDULER_AGENT_WANTS,
    /* agent: it is lost and will report nothing more. */
    SCHEDULER_AGENT_LOST,
    /* task: a new id. count: how many tasks may be in one chunk with it; 0: any number. */
    SCHEDULER_TASK_ADDED,
    /* task: it was cancelled, its result is not needed. */
    SCHEDULER_TASK_CANCELLED,
    /* task, agent: it has ended with a result or an exception. */
    SCHEDULER_TASK_DONE,
    /* task, agent, dispatch: its worker process died. */
    SCHEDULER_TASK_CRASHED,
    /* task, agent (the victim), other (the thief), dispatch: the victim sent it to the thief. */
    SCHEDULER_TASK_MOVED,
    /* agent (the victim), other (the thief), count: the steal is over; `count` tasks were
     * moved. */
    SCHEDULER_STEAL_ENDED,
    /* No more tasks will be added. */
    SCHEDULER_INPUT_ENDED,
};

struct scheduler_event {
    enum scheduler_event_type type;
    int agent;
    int other;
    uint32_t count;
    uint64_t task;
    uint32_t dispatch; /* the number from SCHEDULER_SEND, to recognise late reports */
};

enum scheduler_action_type {
    /* Send task to agent with this dispatch number. Consecutive actions for the same agent are one
     * chunk, that is, one message. */
    SCHEDULER_SEND,
    /* Tell agent (the victim) to send up to count unstarted tasks to other (the thief). */
    SCHEDULER_STEAL,
    /* task was queued again. For statistics only. */
    SCHEDULER_REQUEUE,
    /* Deliver the result of task, which is its first one. The id is free. */
    SCHEDULER_ACCEPT,
    /* task has failed, because its last permitted attempt crashed. The id is free. */
    SCHEDULER_GIVE_UP,
    /* task was cancelled and no agent holds it. The id is free. */
    SCHEDULER_DROP,
    /* Tell agent that task was cancelled. The agent will report it as done or crashed. */
    SCHEDULER_CANCEL,
    /* All tasks have ended and no more will be added. Given once. */
    SCHEDULER_FINISHED,
};

struct scheduler_action {
    enum scheduler_action_type type;
    int agent;
    int other;
    uint32_t count;
    uint64_t task;
    uint32_t dispatch; /* SEND: how often the task has been sent to an agent, from 1 */
    uint32_t crashes;  /* SEND, GIVE_UP: how many attempts have crashed */
};

/* Actions are appended. The caller empties the list by setting count to 0. */
struct scheduler_actions {
    struct scheduler_action *list;
    size_t count;
    size_t capacity;
};

void scheduler_actions_release(struct scheduler_actions *actions);

struct scheduler;

/* agents: the largest number of agents; they are numbered from 0, and used after they have joined.
 * attempts: how often a task may crash its worker before it is given up, at least 1. NULL: out of
 * memory. */
struct scheduler *scheduler_new(int agents, uint32_t attempts);
void scheduler_free(struct scheduler *scheduler);

/* Records an event and appends the actions that follow for its task: ACCEPT, GIVE_UP, REQUEUE, DROP
 * or CANCEL. Ignores events that cannot be true (an unknown id, a lost agent). -1: out of memory;
 * the scheduler must not be used any more. */
int scheduler_apply(struct scheduler *scheduler, const struct scheduler_event *event,
                    struct scheduler_actions *actions);

/* Decides who gets which tasks and appends SEND, STEAL and FINISHED. Call it after one or more
 * events. -1 as above. */
int scheduler_decide(struct scheduler *scheduler, struct scheduler_actions *actions);

/* True if the task waits in the queue: no agent holds it. */
bool scheduler_is_queued(const struct scheduler *scheduler, uint64_t id);

struct scheduler_counts scheduler_counts(const struct scheduler *scheduler);

/* For tests: checks all invariants by a full scan. Returns NULL, or what is wrong. */
const char *scheduler_check(const struct scheduler *scheduler);

#endif
