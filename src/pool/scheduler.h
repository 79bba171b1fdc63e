/*
 * scheduler: who gets which task. A pure state machine: events in, actions out.
 *
 * It holds ids and counts: no payloads, no clock, no messages, no randomness. The coordinator feeds
 * it what the agents report and carries out what it answers; tests feed it arrays of events.
 *
 *   - Tasks wait in one queue in the order they came. An agent that wants work gets a chunk of it,
 * smaller as the queue drains (guided self-scheduling, Polychronopoulos and Kuck 1987: half of an
 * even share).
 *   - When the queue is empty, the agent with most unstarted tasks for each of its workers is the
 * victim: it is told to hand a share of them straight to the one that wants.
 *   - A task whose worker crashed waits until the queue is empty and goes to another agent where
 * there is one. A task of a lost agent is handed out anew.
 *   - A cancelled task leaves the queue; where an agent has it, the agent is told, and its end is
 * awaited.
 *   - The books say at every moment where each task is. The first result of a task wins; what comes
 * later for the same id is ignored.
 *
 * A task's id is (generation << 32 | slot): slots are dense and reused, the generation tells an old
 * id.
 */
#ifndef SCHEDULER_H
#define SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scheduler_event_type {
    SCHEDULER_AGENT_JOINED,   /* agent, count: its workers */
    SCHEDULER_AGENT_WANTS,    /* agent: fell below its low-water mark; asks once until it is given
                                 something */
    SCHEDULER_AGENT_LOST,     /* agent: nothing will be heard of it again */
    SCHEDULER_TASK_ADDED,     /* task: a fresh id; count: tasks to go out with it at most, 0: any */
    SCHEDULER_TASK_CANCELLED, /* task: it is not wanted any more */
    SCHEDULER_TASK_DONE,      /* task, agent: it has a result or an exception of its own */
    SCHEDULER_TASK_CRASHED,   /* task, agent, handout: this attempt ended with its worker process */
    SCHEDULER_TASK_MOVED,     /* task, agent: the victim, other: the thief, handout */
    SCHEDULER_STEAL_ENDED,    /* agent: the victim, other: the thief, count: how many moved */
    SCHEDULER_INPUT_ENDED,    /* no task will be added any more */
};

struct scheduler_event {
    enum scheduler_event_type type;
    int agent;
    int other;
    uint32_t count;
    uint64_t task;
    uint32_t handout;
};

enum scheduler_action_type {
    SCHEDULER_SEND, /* task to agent, as this handout; consecutive ones for one agent are a chunk */
    SCHEDULER_STEAL,    /* tell agent (the victim) to hand up to count unstarted tasks to other */
    SCHEDULER_REQUEUE,  /* task goes back into the queue: nothing to do, for the statistics */
    SCHEDULER_ACCEPT,   /* task: this was its first result, deliver it; the id is free again */
    SCHEDULER_GIVE_UP,  /* task: its last permitted attempt crashed; the id is free again */
    SCHEDULER_DROP,     /* task: cancelled, and with no agent; the id is free again */
    SCHEDULER_CANCEL,   /* task was cancelled: agent has it, and will report an end of it */
    SCHEDULER_FINISHED, /* input ended and every task is accounted for; given once */
};

struct scheduler_action {
    enum scheduler_action_type type;
    int agent;
    int other;
    uint32_t count;
    uint64_t task;
    uint32_t handout; /* SEND: which handing-out of the task this is, from 1 */
    uint32_t crashes; /* SEND, GIVE_UP: attempts that crashed so far */
};

struct scheduler_actions {
    struct scheduler_action *list; /* appended to; emptied by setting count to 0 */
    size_t count;
    size_t capacity;
};

void scheduler_actions_release(struct scheduler_actions *actions);

struct scheduler;

/* agents: how many there may be, numbered from 0; they count once they have joined. attempts: how
 * often a task may crash its worker before it is given up, at least 1. NULL: out of memory. */
struct scheduler *scheduler_new(int agents, uint32_t attempts);
void scheduler_free(struct scheduler *scheduler);

/* Enters one event into the books and appends what follows for its task: ACCEPT, GIVE_UP or
 * REQUEUE. Events that contradict the books (an unknown id, a lost agent) change nothing. -1 when
 * memory is out; the scheduler is then not to be used any more, here and below. */
int scheduler_apply(struct scheduler *scheduler, const struct scheduler_event *event,
                    struct scheduler_actions *actions);

/* Decides who gets what, after any number of events: SEND, STEAL, FINISHED. */
int scheduler_decide(struct scheduler *scheduler, struct scheduler_actions *actions);

/* Does this task wait here, so that no agent has it? */
bool scheduler_waits(const struct scheduler *scheduler, uint64_t id);

struct scheduler_counts {
    uint64_t queued;    /* waiting here, retries included */
    uint64_t held;      /* at agents */
    uint64_t accounted; /* accepted, given up or dropped */
    int agents;         /* joined with workers, and not lost */
    int workers;        /* theirs */
};

struct scheduler_counts scheduler_counts(const struct scheduler *scheduler);

/* Verifies every invariant of the books by a full scan; for tests. NULL, or what is wrong. */
const char *scheduler_check(const struct scheduler *scheduler);

#endif
