/* Who gets which task: see scheduler.h. The heap that finds victims is victim_heap.h. */
#include "scheduler.h"

#include <stdlib.h>
#include <string.h>

#include "victim_heap.h"

enum { NONE = -1 };
#define NO_SLOT UINT32_MAX

/* A chunk is one message; more than this in one would delay the others behind it. */
#define CHUNK_MAX 8192

/* A thief that still has work for all its workers steals only from plenty: this many unstarted
 * tasks for each worker of the victim. One that has run dry takes anything. */
#define PLENTY_PER_WORKER 4

enum task_state { TASK_FREE, TASK_QUEUED, TASK_HELD };

struct task_record {
    uint32_t generation;
    uint32_t next, previous; /* slots, in the queue it waits in */
    int32_t holder;          /* TASK_HELD: the agent that has it by the books */
    int32_t avoid;           /* agent whose worker it crashed, or NONE */
    uint32_t handout;        /* how often it was handed out */
    uint16_t crashes;
    uint8_t state;
    bool retry; /* TASK_QUEUED: waits among the retries */
};

struct task_queue {
    uint32_t head, tail;
    uint64_t count;
};

enum hunger { SATED, HUNGRY, STARVING };

struct agent_record {
    uint32_t workers;
    uint32_t held;
    bool joined;        /* and not lost */
    uint32_t wants;     /* requests not granted: each is granted once, by a chunk or by a steal */
    enum hunger hunger; /* which hungry list it waits in */
    int next, previous; /* in that list */
    int stealing_from;  /* victim that was told to serve it, or NONE */
    bool robbed;        /* a thief was sent to it and has not come back */
    bool barren;        /* had nothing for its last thief: not asked again till its books change */
};

struct scheduler {
    struct task_record *tasks;
    size_t task_capacity;
    struct task_queue queue;
    struct task_queue retries;
    struct agent_record *agents;
    int agent_capacity;
    int hungry[3]; /* heads of lists, by enum hunger; SATED stays empty */
    struct victim_heap victims;
    struct scheduler_counts counts;
    uint32_t attempts;
    bool input_ended;
    bool finished;
    struct scheduler_actions *actions; /* of the call under way */
    bool failed;
};

/* ---- Actions and tasks --------------------------------------------------------------------------
 */

void scheduler_actions_release(struct scheduler_actions *actions)
{
    free(actions->list);
    *actions = (struct scheduler_actions){0};
}

static void act(struct scheduler *s, struct scheduler_action action)
{
    struct scheduler_actions *actions = s->actions;
    if (actions->count == actions->capacity) {
        size_t capacity = actions->capacity ? 2 * actions->capacity : 64;
        void *list = realloc(actions->list, capacity * sizeof *actions->list);
        if (!list) {
            s->failed = true;
            return;
        }
        actions->list = list;
        actions->capacity = capacity;
    }
    actions->list[actions->count++] = action;
}

static uint32_t slot_of(uint64_t id)
{
    return (uint32_t)id;
}

static uint64_t id_of(const struct scheduler *s, uint32_t slot)
{
    return (uint64_t)s->tasks[slot].generation << 32 | slot;
}

static struct task_record *find_task(struct scheduler *s, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot >= s->task_capacity)
        return NULL;
    struct task_record *task = &s->tasks[slot];
    return task->state != TASK_FREE && task->generation == (uint32_t)(id >> 32) ? task : NULL;
}

static struct task_record *new_task(struct scheduler *s, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot == NO_SLOT)
        return NULL;
    if (slot >= s->task_capacity) {
        size_t capacity = s->task_capacity ? s->task_capacity : 256;
        while (capacity <= slot)
            capacity *= 2;
        struct task_record *tasks = realloc(s->tasks, capacity * sizeof *tasks);
        if (!tasks) {
            s->failed = true;
            return NULL;
        }
        memset(tasks + s->task_capacity, 0, (capacity - s->task_capacity) * sizeof *tasks);
        s->tasks = tasks;
        s->task_capacity = capacity;
    }
    struct task_record *task = &s->tasks[slot];
    if (task->state != TASK_FREE)
        return NULL;
    *task = (struct task_record){.generation = (uint32_t)(id >> 32), .holder = NONE, .avoid = NONE};
    return task;
}

static void enqueue(struct scheduler *s, uint32_t slot, bool retry)
{
    struct task_queue *queue = retry ? &s->retries : &s->queue;
    struct task_record *task = &s->tasks[slot];
    task->state = TASK_QUEUED;
    task->retry = retry;
    task->next = NO_SLOT;
    task->previous = queue->tail;
    if (queue->tail == NO_SLOT)
        queue->head = slot;
    else
        s->tasks[queue->tail].next = slot;
    queue->tail = slot;
    queue->count++;
    s->counts.queued++;
}

static void dequeue(struct scheduler *s, uint32_t slot)
{
    struct task_record *task = &s->tasks[slot];
    struct task_queue *queue = task->retry ? &s->retries : &s->queue;
    if (task->previous == NO_SLOT)
        queue->head = task->next;
    else
        s->tasks[task->previous].next = task->next;
    if (task->next == NO_SLOT)
        queue->tail = task->previous;
    else
        s->tasks[task->next].previous = task->previous;
    queue->count--;
    s->counts.queued--;
}

/* ---- Agents -------------------------------------------------------------------------------------
 */

static struct agent_record *find_agent(struct scheduler *s, int agent)
{
    return agent >= 0 && agent < s->agent_capacity && s->agents[agent].joined ? &s->agents[agent]
                                                                              : NULL;
}

static void unlink_hungry(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->agents[agent];
    if (a->hunger == SATED)
        return;
    if (a->previous == NONE)
        s->hungry[a->hunger] = a->next;
    else
        s->agents[a->previous].next = a->next;
    if (a->next != NONE)
        s->agents[a->next].previous = a->previous;
    a->hunger = SATED;
}

/* In front: the one that asked last was active last, looks for messages most often, and answers
 * first. */
static void link_hungry(struct scheduler *s, int agent, enum hunger hunger)
{
    struct agent_record *a = &s->agents[agent];
    int *head = &s->hungry[hunger];
    a->hunger = hunger;
    a->previous = NONE;
    a->next = *head;
    if (*head != NONE)
        s->agents[*head].previous = agent;
    *head = agent;
}

/* Puts the agent into the list and the place in the victim heap that its numbers call for. */
static void place_agent(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->agents[agent];
    enum hunger hunger = SATED;
    if (a->joined && a->wants && a->stealing_from == NONE)
        hunger = a->held < a->workers ? STARVING : HUNGRY;
    if (hunger != a->hunger) {
        unlink_hungry(s, agent);
        if (hunger != SATED)
            link_hungry(s, agent, hunger);
    }
    uint64_t surplus = 0;
    if (a->joined && !a->robbed && !a->barren && a->held > a->workers)
        surplus = (uint64_t)(a->held - a->workers) * 1024 / a->workers;
    victim_heap_set(&s->victims, agent, surplus);
}

static void hold(struct scheduler *s, struct task_record *task, int agent)
{
    task->state = TASK_HELD;
    task->holder = agent;
    s->counts.held++;
    s->agents[agent].held++;
    s->agents[agent].barren = false;
}

/* The books no longer place the task at its holder. */
static void let_go(struct scheduler *s, struct task_record *task)
{
    s->counts.held--;
    s->agents[task->holder].held--;
    s->agents[task->holder].barren = false;
    place_agent(s, task->holder);
    task->holder = NONE;
}

/* ---- Handing out --------------------------------------------------------------------------------
 */

static bool may_have(const struct scheduler *s, const struct task_record *task, int agent)
{
    return task->avoid != agent || s->counts.agents < 2;
}

/* Half of an even share of what waits, one task a worker at least. Agents that have not joined yet
 * are counted with the average number of workers: the first to come must not take it all. */
static uint64_t chunk_size(const struct scheduler *s, const struct agent_record *a)
{
    uint64_t all_workers = (uint64_t)s->counts.workers;
    if (s->counts.agents)
        all_workers = all_workers * (uint64_t)s->agent_capacity / (uint64_t)s->counts.agents;
    uint64_t chunk = s->counts.queued * a->workers / (2 * all_workers);
    if (chunk < a->workers)
        chunk = a->workers;
    return chunk < CHUNK_MAX ? chunk : CHUNK_MAX;
}

static uint64_t hand_out_from(struct scheduler *s, struct task_queue *queue, int agent,
                              uint64_t most)
{
    uint64_t given = 0;
    for (uint32_t slot = queue->head; slot != NO_SLOT && given < most;) {
        struct task_record *task = &s->tasks[slot];
        uint32_t next = task->next;
        if (may_have(s, task, agent)) {
            dequeue(s, slot);
            hold(s, task, agent);
            task->handout++;
            act(s, (struct scheduler_action){.type = SCHEDULER_SEND,
                                             .agent = agent,
                                             .task = id_of(s, slot),
                                             .handout = task->handout,
                                             .crashes = task->crashes});
            given++;
        }
        slot = next;
    }
    return given;
}

/* Serves from the queue; false when there is nothing this agent may have. */
static bool hand_out(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->agents[agent];
    uint64_t chunk = chunk_size(s, a);
    uint64_t given = hand_out_from(s, &s->queue, agent, chunk);
    if (!given)
        given = hand_out_from(s, &s->retries, agent, chunk);
    if (!given)
        return false;
    a->wants--;
    place_agent(s, agent);
    return true;
}

/* Sends the agent as a thief to the one with most; false when nobody has enough. */
static bool send_thief(struct scheduler *s, int agent)
{
    struct agent_record *thief = &s->agents[agent];
    uint64_t surplus;
    int best = victim_heap_top(&s->victims, &surplus);
    uint64_t enough = thief->hunger == STARVING ? 1 : PLENTY_PER_WORKER * 1024;
    if (best == NONE || best == agent || surplus < enough)
        return false;
    struct agent_record *victim = &s->agents[best];
    uint64_t share = (uint64_t)(victim->held - victim->workers) * thief->workers /
                     (thief->workers + victim->workers);
    victim->robbed = true;
    thief->stealing_from = best;
    place_agent(s, best);
    place_agent(s, agent);
    act(s, (struct scheduler_action){.type = SCHEDULER_STEAL,
                                     .agent = best,
                                     .other = agent,
                                     .count = share ? (uint32_t)share : 1});
    return true;
}

/* Gives every agent in one hungry list what there is. */
static void serve_list(struct scheduler *s, enum hunger hunger)
{
    for (int agent = s->hungry[hunger]; agent != NONE;) {
        int next = s->agents[agent].next;
        if (!(s->counts.queued && hand_out(s, agent)) && !send_thief(s, agent) && !s->counts.queued)
            return; /* nothing to hand out and nobody to rob: the ones behind fare no better */
        agent = next;
    }
}

int scheduler_decide(struct scheduler *s, struct scheduler_actions *actions)
{
    s->actions = actions;
    serve_list(s, STARVING);
    serve_list(s, HUNGRY);
    if (s->input_ended && !s->finished && !s->counts.queued && !s->counts.held) {
        s->finished = true;
        act(s, (struct scheduler_action){.type = SCHEDULER_FINISHED});
    }
    s->actions = NULL;
    return s->failed ? -1 : 0;
}

/* ---- Events -------------------------------------------------------------------------------------
 */

static void agent_joined(struct scheduler *s, int agent, uint32_t workers)
{
    if (agent < 0 || agent >= s->agent_capacity || s->agents[agent].joined || !workers)
        return;
    struct agent_record *a = &s->agents[agent];
    a->joined = true;
    a->workers = workers;
    s->counts.agents++;
    s->counts.workers += (int)workers;
}

static void agent_wants(struct scheduler *s, int agent)
{
    struct agent_record *a = find_agent(s, agent);
    if (a) {
        a->wants++;
        place_agent(s, agent);
    }
}

static void requeue(struct scheduler *s, struct task_record *task, bool retry)
{
    uint32_t slot = (uint32_t)(task - s->tasks);
    enqueue(s, slot, retry);
    act(s, (struct scheduler_action){.type = SCHEDULER_REQUEUE, .task = id_of(s, slot)});
}

static void agent_lost(struct scheduler *s, int agent)
{
    struct agent_record *a = find_agent(s, agent);
    if (!a)
        return;
    for (uint32_t slot = 0; slot < s->task_capacity; slot++) {
        struct task_record *task = &s->tasks[slot];
        if (task->state == TASK_HELD && task->holder == agent) {
            let_go(s, task);
            requeue(s, task, false);
        }
    }
    a->joined = false;
    a->wants = 0;
    s->counts.agents--;
    s->counts.workers -= (int)a->workers;
    place_agent(s, agent);
    if (a->stealing_from != NONE) {
        s->agents[a->stealing_from].robbed = false;
        place_agent(s, a->stealing_from);
        a->stealing_from = NONE;
    }
    for (int other = 0; a->robbed && other < s->agent_capacity; other++) {
        if (s->agents[other].stealing_from == agent) {
            s->agents[other].stealing_from = NONE;
            place_agent(s, other);
        }
    }
    a->robbed = false;
}

static void task_added(struct scheduler *s, uint64_t id)
{
    if (new_task(s, id))
        enqueue(s, slot_of(id), false);
}

/* The task is out of the books; its slot may be used again. */
static void forget(struct scheduler *s, struct task_record *task)
{
    if (task->state == TASK_HELD)
        let_go(s, task);
    else
        dequeue(s, (uint32_t)(task - s->tasks));
    task->state = TASK_FREE;
    s->counts.accounted++;
}

static void task_done(struct scheduler *s, uint64_t id, int agent)
{
    struct task_record *task = find_task(s, id);
    if (!task)
        return;
    forget(s, task);
    act(s, (struct scheduler_action){.type = SCHEDULER_ACCEPT, .task = id, .agent = agent});
}

static void task_crashed(struct scheduler *s, uint64_t id, int agent, uint32_t handout)
{
    struct task_record *task = find_task(s, id);
    if (!task || task->state != TASK_HELD || task->handout != handout)
        return;
    task->crashes++;
    if (task->crashes >= s->attempts) {
        uint32_t crashes = task->crashes;
        forget(s, task);
        act(s, (struct scheduler_action){
                   .type = SCHEDULER_GIVE_UP, .task = id, .agent = agent, .crashes = crashes});
        return;
    }
    task->avoid = agent;
    let_go(s, task);
    requeue(s, task, true);
}

static void task_moved(struct scheduler *s, const struct scheduler_event *event)
{
    struct task_record *task = find_task(s, event->task);
    if (!task || task->state != TASK_HELD || task->handout != event->handout ||
        task->holder != event->agent)
        return;
    let_go(s, task);
    if (find_agent(s, event->other)) {
        hold(s, task, event->other);
        place_agent(s, event->other);
    } else {
        requeue(s, task, false);
    }
}

static void steal_ended(struct scheduler *s, int agent, int other, uint32_t count)
{
    struct agent_record *thief = find_agent(s, other);
    struct agent_record *victim = find_agent(s, agent);
    if (!thief || thief->stealing_from != agent)
        return;
    thief->stealing_from = NONE;
    if (count)
        thief->wants--; /* there may be another already: messages from thief and victim race */
    place_agent(s, other);
    if (victim) {
        victim->robbed = false;
        victim->barren = !count;
        place_agent(s, agent);
    }
}

int scheduler_apply(struct scheduler *s, const struct scheduler_event *event,
                    struct scheduler_actions *actions)
{
    s->actions = actions;
    switch (event->type) {
    case SCHEDULER_AGENT_JOINED:
        agent_joined(s, event->agent, event->count);
        break;
    case SCHEDULER_AGENT_WANTS:
        agent_wants(s, event->agent);
        break;
    case SCHEDULER_AGENT_LOST:
        agent_lost(s, event->agent);
        break;
    case SCHEDULER_TASK_ADDED:
        task_added(s, event->task);
        break;
    case SCHEDULER_TASK_DONE:
        task_done(s, event->task, event->agent);
        break;
    case SCHEDULER_TASK_CRASHED:
        task_crashed(s, event->task, event->agent, event->handout);
        break;
    case SCHEDULER_TASK_MOVED:
        task_moved(s, event);
        break;
    case SCHEDULER_STEAL_ENDED:
        steal_ended(s, event->agent, event->other, event->count);
        break;
    case SCHEDULER_INPUT_ENDED:
        s->input_ended = true;
        break;
    }
    s->actions = NULL;
    return s->failed ? -1 : 0;
}

/* ---- Life and inspection ------------------------------------------------------------------------
 */

struct scheduler *scheduler_new(int agents, uint32_t attempts)
{
    struct scheduler *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->agents = calloc((size_t)agents, sizeof *s->agents);
    if (!s->agents || victim_heap_init(&s->victims, agents)) {
        scheduler_free(s);
        return NULL;
    }
    s->agent_capacity = agents;
    s->attempts = attempts;
    s->queue = s->retries = (struct task_queue){.head = NO_SLOT, .tail = NO_SLOT};
    for (int i = 0; i < 3; i++)
        s->hungry[i] = NONE;
    for (int i = 0; i < agents; i++)
        s->agents[i].stealing_from = NONE;
    return s;
}

void scheduler_free(struct scheduler *s)
{
    if (!s)
        return;
    free(s->tasks);
    free(s->agents);
    victim_heap_release(&s->victims);
    free(s);
}

struct scheduler_counts scheduler_counts(const struct scheduler *s)
{
    return s->counts;
}

uint32_t scheduler_held(const struct scheduler *s, int agent)
{
    return s->agents[agent].held;
}

const char *scheduler_check(const struct scheduler *s)
{
    uint64_t held = 0, queued = 0, by_agents = 0;
    for (uint32_t slot = 0; slot < s->task_capacity; slot++) {
        const struct task_record *task = &s->tasks[slot];
        held += task->state == TASK_HELD;
        queued += task->state == TASK_QUEUED;
        if (task->state == TASK_HELD && (task->holder < 0 || !s->agents[task->holder].joined))
            return "a task is held by nobody who is there";
        if (task->state != TASK_FREE && task->crashes >= s->attempts)
            return "a task has crashed too often and is still in the books";
    }
    for (int i = 0; i < s->agent_capacity; i++) {
        const struct agent_record *a = &s->agents[i];
        by_agents += a->held;
        if (!a->joined && (a->held || a->hunger != SATED))
            return "an agent that is not there holds or wants something";
    }
    if (held != s->counts.held || held != by_agents || queued != s->counts.queued ||
        queued != s->queue.count + s->retries.count)
        return "the counts do not agree with the tasks";
    if (s->finished && (held || queued))
        return "finished although tasks are left";
    return victim_heap_check(&s->victims);
}
