/* Where each task is and what each agent has and wants: see task_table.h. */
#include "task_table.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY_QUEUE                                                                                \
    {                                                                                              \
        .head = NO_SLOT, .tail = NO_SLOT                                                           \
    }

/* ---- Tasks ---- */

static uint32_t slot_of(uint64_t id)
{
    return (uint32_t)id;
}

uint64_t task_table_id(const struct task_table *b, const struct task_record *task)
{
    return (uint64_t)task->generation << 32 | (uint32_t)(task - b->tasks);
}

struct task_record *task_table_find_task(struct task_table *b, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot >= b->task_capacity)
        return NULL;
    struct task_record *task = &b->tasks[slot];
    return task->state != TASK_FREE && task->generation == (uint32_t)(id >> 32) ? task : NULL;
}

struct task_record *task_table_new_task(struct task_table *b, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot == NO_SLOT)
        return NULL;
    if (slot >= b->task_capacity) {
        size_t capacity = b->task_capacity ? b->task_capacity : 16;
        while (capacity <= slot)
            capacity *= 2;
        struct task_record *tasks = realloc(b->tasks, capacity * sizeof *tasks);
        if (!tasks) {
            b->failed = true;
            return NULL;
        }
        memset(tasks + b->task_capacity, 0, (capacity - b->task_capacity) * sizeof *tasks);
        b->tasks = tasks;
        b->task_capacity = capacity;
    }
    struct task_record *task = &b->tasks[slot];
    if (task->state != TASK_FREE)
        return NULL;
    *task = (struct task_record){.generation = (uint32_t)(id >> 32), .holder = NONE, .avoid = NONE};
    return task;
}

static void append(struct task_table *b, struct task_queue *list, struct task_record *task)
{
    uint32_t slot = (uint32_t)(task - b->tasks);
    task->next = NO_SLOT;
    task->previous = list->tail;
    if (list->tail == NO_SLOT)
        list->head = slot;
    else
        b->tasks[list->tail].next = slot;
    list->tail = slot;
    list->count++;
}

static void take_out(struct task_table *b, struct task_queue *list, struct task_record *task)
{
    if (task->previous == NO_SLOT)
        list->head = task->next;
    else
        b->tasks[task->previous].next = task->next;
    if (task->next == NO_SLOT)
        list->tail = task->previous;
    else
        b->tasks[task->next].previous = task->previous;
    list->count--;
}

/* ---- Early moves ---- */

void task_table_note_early_move(struct task_table *b, struct task_record *task, int from, int to)
{
    if (b->early_count == b->early_capacity) {
        size_t capacity = b->early_capacity ? 2 * b->early_capacity : 16;
        void *early = realloc(b->early, capacity * sizeof *b->early);
        if (!early) {
            b->failed = true;
            return;
        }
        b->early = early;
        b->early_capacity = capacity;
    }
    task->early = true;
    b->early[b->early_count++] =
        (struct early_move){.task = task_table_id(b, task), .from = from, .to = to};
}

static void remove_early_move(struct task_table *b, size_t at)
{
    b->early_count--;
    memmove(b->early + at, b->early + at + 1, (b->early_count - at) * sizeof *b->early);
}

int task_table_take_early_move(struct task_table *b, struct task_record *task, int from)
{
    uint64_t id = task_table_id(b, task);
    for (size_t i = 0; task->early && i < b->early_count; i++) {
        if (b->early[i].task != id || b->early[i].from != from)
            continue;
        int to = b->early[i].to;
        remove_early_move(b, i);
        return to;
    }
    return NONE;
}

/* The task begins anew or ends: what is still said of this handing-out does not matter. */
static void forget_early_moves(struct task_table *b, struct task_record *task)
{
    uint64_t id = task_table_id(b, task);
    for (size_t i = b->early_count; task->early && i-- > 0;)
        if (b->early[i].task == id)
            remove_early_move(b, i);
    task->early = false;
}

/* ---- Where a task is ---- */

void task_table_enqueue(struct task_table *b, struct task_record *task, bool retry)
{
    forget_early_moves(b, task);
    task->state = TASK_QUEUED;
    task->retry = retry;
    append(b, retry ? &b->retries : &b->queue, task);
    b->counts.queued++;
}

void task_table_dequeue(struct task_table *b, struct task_record *task)
{
    take_out(b, task->retry ? &b->retries : &b->queue, task);
    b->counts.queued--;
}

/* ---- Agents ---- */

struct agent_record *task_table_find_agent(struct task_table *b, int agent)
{
    return agent >= 0 && agent < b->agent_capacity && b->agents[agent].joined ? &b->agents[agent]
                                                                              : NULL;
}

static void unlink_hungry(struct task_table *b, int agent)
{
    struct agent_record *a = &b->agents[agent];
    if (a->hunger == SATED)
        return;
    if (a->previous == NONE)
        b->hungry[a->hunger] = a->next;
    else
        b->agents[a->previous].next = a->next;
    if (a->next != NONE)
        b->agents[a->next].previous = a->previous;
    a->hunger = SATED;
}

/* In front: the one that asked last was active last, looks for messages most often, and answers
 * first. */
static void link_hungry(struct task_table *b, int agent, enum hunger hunger)
{
    struct agent_record *a = &b->agents[agent];
    int *head = &b->hungry[hunger];
    a->hunger = hunger;
    a->previous = NONE;
    a->next = *head;
    if (*head != NONE)
        b->agents[*head].previous = agent;
    *head = agent;
}

/* Puts the agent into the list and the place in the victim heap that its numbers call for. */
void task_table_place_agent(struct task_table *b, int agent)
{
    struct agent_record *a = &b->agents[agent];
    enum hunger hunger = SATED;
    if (a->joined && a->wants && a->stealing_from == NONE)
        hunger = a->held.count < a->workers ? STARVING : HUNGRY;
    if (hunger != a->hunger) {
        unlink_hungry(b, agent);
        if (hunger != SATED)
            link_hungry(b, agent, hunger);
    }
    uint64_t surplus = 0;
    if (a->joined && a->robbed_by == NONE && !a->barren && a->held.count > a->workers)
        surplus = (a->held.count - a->workers) * 1024 / a->workers;
    steal_heap_set(&b->victims, agent, surplus);
}

void task_table_hold(struct task_table *b, struct task_record *task, int agent)
{
    task->state = TASK_HELD;
    task->holder = agent;
    b->counts.held++;
    append(b, &b->agents[agent].held, task);
    b->agents[agent].barren = false;
}

/* The books no longer place the task at its holder. */
void task_table_let_go(struct task_table *b, struct task_record *task)
{
    b->counts.held--;
    take_out(b, &b->agents[task->holder].held, task);
    b->agents[task->holder].barren = false;
    task_table_place_agent(b, task->holder);
    task->holder = NONE;
}

/* The task is out of the books; its slot may be used again. */
void task_table_forget(struct task_table *b, struct task_record *task)
{
    if (task->state == TASK_HELD)
        task_table_let_go(b, task);
    else
        task_table_dequeue(b, task);
    forget_early_moves(b, task);
    task->state = TASK_FREE;
    b->counts.accounted++;
}

/* ---- Life and inspection ---- */

int task_table_init(struct task_table *b, int agents)
{
    *b = (struct task_table){.agent_capacity = agents,
                             .absent = agents,
                             .queue = EMPTY_QUEUE,
                             .retries = EMPTY_QUEUE,
                             .hungry = {NONE, NONE, NONE},
                             .agents = calloc((size_t)agents, sizeof *b->agents)};
    if (!b->agents || steal_heap_init(&b->victims, agents)) {
        task_table_release(b);
        return -1;
    }
    for (int i = 0; i < agents; i++)
        b->agents[i] =
            (struct agent_record){.held = EMPTY_QUEUE, .stealing_from = NONE, .robbed_by = NONE};
    return 0;
}

void task_table_release(struct task_table *b)
{
    free(b->tasks);
    free(b->agents);
    free(b->early);
    steal_heap_release(&b->victims);
    *b = (struct task_table){0};
}

/* How many tasks are linked in the list, of those that belong there; -1: one does not, or the links
 * do not fit. */
static int64_t count_linked(const struct task_table *b, const struct task_queue *list,
                            enum task_state state, int holder, bool retry)
{
    int64_t count = 0;
    uint32_t previous = NO_SLOT;
    for (uint32_t slot = list->head; slot != NO_SLOT; slot = b->tasks[slot].next) {
        const struct task_record *task = &b->tasks[slot];
        if (task->state != state || task->previous != previous ||
            (state == TASK_HELD ? task->holder != holder : task->retry != retry) ||
            (uint64_t)++count > list->count)
            return -1;
        previous = slot;
    }
    return list->tail == previous && (uint64_t)count == list->count ? count : -1;
}

/* What an agent's record says of itself and of those it has to do with. */
static const char *check_agent(const struct task_table *b, int agent)
{
    const struct agent_record *a = &b->agents[agent];
    if (count_linked(b, &a->held, TASK_HELD, agent, false) < 0)
        return "an agent's list of tasks is broken";
    if (!a->joined && (a->held.count || a->hunger != SATED || a->wants))
        return "an agent that is not there holds or wants something";
    if (a->stealing_from != NONE && (!a->joined || b->agents[a->stealing_from].robbed_by != agent))
        return "a thief's victim does not know of it";
    if (a->robbed_by != NONE && (!a->joined || b->agents[a->robbed_by].stealing_from != agent))
        return "a victim's thief does not know of it";
    return NULL;
}

const char *task_table_check(const struct task_table *b)
{
    uint64_t held = 0, queued = 0, by_agents = 0;
    int agents = 0, workers = 0;
    for (uint32_t slot = 0; slot < b->task_capacity; slot++) {
        const struct task_record *task = &b->tasks[slot];
        held += task->state == TASK_HELD;
        queued += task->state == TASK_QUEUED;
        if (task->state == TASK_HELD && (task->holder < 0 || !b->agents[task->holder].joined))
            return "a task is held by nobody who is there";
    }
    for (int i = 0; i < b->agent_capacity; i++) {
        const struct agent_record *a = &b->agents[i];
        by_agents += a->held.count;
        agents += a->joined;
        workers += a->joined ? (int)a->workers : 0;
        const char *wrong = check_agent(b, i);
        if (wrong)
            return wrong;
    }
    if (agents != b->counts.agents || workers != b->counts.workers)
        return "the counts do not agree with the agents";
    if (count_linked(b, &b->queue, TASK_QUEUED, NONE, false) < 0 ||
        count_linked(b, &b->retries, TASK_QUEUED, NONE, true) < 0)
        return "a queue is broken";
    if (held != b->counts.held || held != by_agents || queued != b->counts.queued ||
        queued != b->queue.count + b->retries.count)
        return "the counts do not agree with the tasks";
    for (size_t i = 0; i < b->early_count; i++) {
        const struct task_record *task =
            task_table_find_task((struct task_table *)b, b->early[i].task);
        if (!task || task->state != TASK_HELD || !task->early)
            return "a move is remembered of a task that nobody has";
    }
    return steal_heap_check(&b->victims);
}
