/* SPDX-License-Identifier: MIT */
/* The state of all tasks and agents: see task_table.h. */
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

uint64_t task_table_id(const struct task_table *table, const struct task_record *task)
{
    return (uint64_t)task->generation << 32 | (uint32_t)(task - table->tasks);
}

struct task_record *task_table_find_task(struct task_table *table, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot >= table->task_capacity)
        return NULL;
    struct task_record *task = &table->tasks[slot];
    return task->state != TASK_FREE && task->generation == (uint32_t)(id >> 32) ? task : NULL;
}

struct task_record *task_table_new_task(struct task_table *table, uint64_t id)
{
    uint32_t slot = slot_of(id);
    if (slot == NO_SLOT)
        return NULL;
    if (slot >= table->task_capacity) {
        size_t capacity = table->task_capacity ? table->task_capacity : 16;
        while (capacity <= slot)
            capacity *= 2;
        struct task_record *tasks = realloc(table->tasks, capacity * sizeof *tasks);
        if (!tasks) {
            table->failed = true;
            return NULL;
        }
        memset(tasks + table->task_capacity, 0, (capacity - table->task_capacity) * sizeof *tasks);
        table->tasks = tasks;
        table->task_capacity = capacity;
    }
    struct task_record *task = &table->tasks[slot];
    if (task->state != TASK_FREE)
        return NULL;
    *task = (struct task_record){.generation = (uint32_t)(id >> 32), .holder = NONE, .avoid = NONE};
    return task;
}

static void queue_append(struct task_table *table, struct task_queue *list,
                         struct task_record *task)
{
    uint32_t slot = (uint32_t)(task - table->tasks);
    task->next = NO_SLOT;
    task->previous = list->tail;
    if (list->tail == NO_SLOT)
        list->head = slot;
    else
        table->tasks[list->tail].next = slot;
    list->tail = slot;
    list->count++;
}

static void queue_remove(struct task_table *table, struct task_queue *list,
                         struct task_record *task)
{
    if (task->previous == NO_SLOT)
        list->head = task->next;
    else
        table->tasks[task->previous].next = task->next;
    if (task->next == NO_SLOT)
        list->tail = task->previous;
    else
        table->tasks[task->next].previous = task->previous;
    list->count--;
}

/* ---- Early moves ---- */

void task_table_add_early_move(struct task_table *table, struct task_record *task, int from, int to)
{
    if (table->early_count == table->early_capacity) {
        size_t capacity = table->early_capacity ? 2 * table->early_capacity : 16;
        void *early = realloc(table->early, capacity * sizeof *table->early);
        if (!early) {
            table->failed = true;
            return;
        }
        table->early = early;
        table->early_capacity = capacity;
    }
    task->early = true;
    table->early[table->early_count++] =
        (struct early_move){.task = task_table_id(table, task), .from = from, .to = to};
}

static void remove_early_move(struct task_table *table, size_t at)
{
    table->early_count--;
    memmove(table->early + at, table->early + at + 1,
            (table->early_count - at) * sizeof *table->early);
}

int task_table_take_early_move(struct task_table *table, struct task_record *task, int from)
{
    uint64_t id = task_table_id(table, task);
    for (size_t i = 0; task->early && i < table->early_count; i++) {
        if (table->early[i].task != id || table->early[i].from != from)
            continue;
        int to = table->early[i].to;
        remove_early_move(table, i);
        return to;
    }
    return NONE;
}

/* The task is queued again or ends: moves of the current dispatch do not matter any more. */
static void forget_early_moves(struct task_table *table, struct task_record *task)
{
    uint64_t id = task_table_id(table, task);
    for (size_t i = table->early_count; task->early && i-- > 0;)
        if (table->early[i].task == id)
            remove_early_move(table, i);
    task->early = false;
}

/* ---- Queues ---- */

void task_table_enqueue(struct task_table *table, struct task_record *task, bool retry)
{
    forget_early_moves(table, task);
    task->state = TASK_QUEUED;
    task->retry = retry;
    queue_append(table, retry ? &table->retries : &table->queue, task);
    table->counts.queued++;
}

void task_table_dequeue(struct task_table *table, struct task_record *task)
{
    queue_remove(table, task->retry ? &table->retries : &table->queue, task);
    table->counts.queued--;
}

/* ---- Agents ---- */

struct agent_record *task_table_find_agent(struct task_table *table, int agent)
{
    return agent >= 0 && agent < table->agent_capacity && table->agents[agent].joined
               ? &table->agents[agent]
               : NULL;
}

static void remove_request(struct task_table *table, int agent)
{
    struct agent_record *a = &table->agents[agent];
    if (a->urgency == REQUEST_NONE)
        return;
    if (a->previous == NONE)
        table->requests[a->urgency] = a->next;
    else
        table->agents[a->previous].next = a->next;
    if (a->next != NONE)
        table->agents[a->next].previous = a->previous;
    a->urgency = REQUEST_NONE;
}

/* Adds at the front: an agent that asked recently polls for messages more often, and so gets its
 * tasks sooner, than one that has been waiting. */
static void add_request(struct task_table *table, int agent, enum request_urgency urgency)
{
    struct agent_record *a = &table->agents[agent];
    int *head = &table->requests[urgency];
    a->urgency = urgency;
    a->previous = NONE;
    a->next = *head;
    if (*head != NONE)
        table->agents[*head].previous = agent;
    *head = agent;
}

void task_table_update_agent(struct task_table *table, int agent)
{
    struct agent_record *a = &table->agents[agent];
    enum request_urgency urgency = REQUEST_NONE;
    if (a->joined && a->open_requests && a->stealing_from == NONE)
        urgency = a->held.count < a->workers ? REQUEST_URGENT : REQUEST_EARLY;
    if (urgency != a->urgency) {
        remove_request(table, agent);
        if (urgency != REQUEST_NONE)
            add_request(table, agent, urgency);
    }
    uint64_t surplus = 0;
    if (a->joined && a->thief == NONE && !a->last_steal_failed && a->held.count > a->workers)
        surplus = (a->held.count - a->workers) * 1024 / a->workers;
    steal_heap_set(&table->victims, agent, surplus);
}

void task_table_assign(struct task_table *table, struct task_record *task, int agent)
{
    task->state = TASK_HELD;
    task->holder = agent;
    table->counts.held++;
    queue_append(table, &table->agents[agent].held, task);
    table->agents[agent].last_steal_failed = false;
}

void task_table_unassign(struct task_table *table, struct task_record *task)
{
    table->counts.held--;
    queue_remove(table, &table->agents[task->holder].held, task);
    table->agents[task->holder].last_steal_failed = false;
    task_table_update_agent(table, task->holder);
    task->holder = NONE;
}

void task_table_remove(struct task_table *table, struct task_record *task)
{
    if (task->state == TASK_HELD)
        task_table_unassign(table, task);
    else
        task_table_dequeue(table, task);
    forget_early_moves(table, task);
    task->state = TASK_FREE;
    table->counts.ended++;
}

/* ---- Creation and inspection ---- */

int task_table_init(struct task_table *table, int agents)
{
    *table = (struct task_table){.agent_capacity = agents,
                                 .absent = agents,
                                 .queue = EMPTY_QUEUE,
                                 .retries = EMPTY_QUEUE,
                                 .requests = {NONE, NONE, NONE},
                                 .agents = calloc((size_t)agents, sizeof *table->agents)};
    if (!table->agents || steal_heap_init(&table->victims, agents)) {
        task_table_release(table);
        return -1;
    }
    for (int i = 0; i < agents; i++)
        table->agents[i] =
            (struct agent_record){.held = EMPTY_QUEUE, .stealing_from = NONE, .thief = NONE};
    return 0;
}

void task_table_release(struct task_table *table)
{
    free(table->tasks);
    free(table->agents);
    free(table->early);
    steal_heap_release(&table->victims);
    *table = (struct task_table){0};
}

/* The number of tasks linked in a list. -1: a task does not belong there, or links or count are
 * wrong. */
static int64_t count_linked(const struct task_table *table, const struct task_queue *list,
                            enum task_state state, int holder, bool retry)
{
    int64_t count = 0;
    uint32_t previous = NO_SLOT;
    for (uint32_t slot = list->head; slot != NO_SLOT; slot = table->tasks[slot].next) {
        const struct task_record *task = &table->tasks[slot];
        if (task->state != state || task->previous != previous ||
            (state == TASK_HELD ? task->holder != holder : task->retry != retry) ||
            (uint64_t)++count > list->count)
            return -1;
        previous = slot;
    }
    return list->tail == previous && (uint64_t)count == list->count ? count : -1;
}

/* Checks an agent's record, and its thief and victim. */
static const char *check_agent(const struct task_table *table, int agent)
{
    const struct agent_record *a = &table->agents[agent];
    if (count_linked(table, &a->held, TASK_HELD, agent, false) < 0)
        return "an agent's list of tasks is broken";
    if (!a->joined && (a->held.count || a->urgency != REQUEST_NONE || a->open_requests))
        return "an agent that is lost or has not joined holds or requests tasks";
    if (a->stealing_from != NONE && (!a->joined || table->agents[a->stealing_from].thief != agent))
        return "the victim of a thief has another thief or none";
    if (a->thief != NONE && (!a->joined || table->agents[a->thief].stealing_from != agent))
        return "the thief of a victim has another victim or none";
    return NULL;
}

const char *task_table_check(const struct task_table *table)
{
    uint64_t held = 0, queued = 0, by_agents = 0;
    int agents = 0, workers = 0;
    for (uint32_t slot = 0; slot < table->task_capacity; slot++) {
        const struct task_record *task = &table->tasks[slot];
        held += task->state == TASK_HELD;
        queued += task->state == TASK_QUEUED;
        if (task->state == TASK_HELD && (task->holder < 0 || !table->agents[task->holder].joined))
            return "a task is held by an agent that is lost or has not joined";
    }
    for (int i = 0; i < table->agent_capacity; i++) {
        const struct agent_record *a = &table->agents[i];
        by_agents += a->held.count;
        agents += a->joined;
        workers += a->joined ? (int)a->workers : 0;
        const char *wrong = check_agent(table, i);
        if (wrong)
            return wrong;
    }
    if (agents != table->counts.agents || workers != table->counts.workers)
        return "the counts do not agree with the agents";
    if (count_linked(table, &table->queue, TASK_QUEUED, NONE, false) < 0 ||
        count_linked(table, &table->retries, TASK_QUEUED, NONE, true) < 0)
        return "a queue is broken";
    if (held != table->counts.held || held != by_agents || queued != table->counts.queued ||
        queued != table->queue.count + table->retries.count)
        return "the counts do not agree with the tasks";
    for (size_t i = 0; i < table->early_count; i++) {
        const struct task_record *task =
            task_table_find_task((struct task_table *)table, table->early[i].task);
        if (!task || task->state != TASK_HELD || !task->early)
            return "an early move is kept for a task that no agent holds";
    }
    return steal_heap_check(&table->victims);
}
