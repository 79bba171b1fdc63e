/* SPDX-License-Identifier: MIT */
/* Decides which agent gets which task: see scheduler.h. The state of tasks and agents is kept in a
 * task_table; this file makes the decisions. */
#include "scheduler.h"

#include <stdlib.h>

#include "task_table.h"

/* A chunk is one message: a larger one would delay the messages after it. */
#define CHUNK_MAX 8192

/* An agent whose workers are all busy steals only from a victim that has at least this many more
 * unstarted tasks per worker than itself. An agent with an idle worker steals from any victim. */
#define EARLY_STEAL_MIN_PER_WORKER 4

/* How many agents in a row are refused before the others of the list are left alone. */
enum { REFUSALS_MAX = 8 };

struct scheduler {
    struct task_table table;
    uint32_t attempts;
    uint64_t decisions;
    bool input_ended;
    bool finished;
    struct scheduler_actions *actions; /* where the current call appends */
    bool failed;
};

void scheduler_actions_release(struct scheduler_actions *actions)
{
    free(actions->list);
    *actions = (struct scheduler_actions){0};
}

static void add_action(struct scheduler *s, struct scheduler_action action)
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

/* ---- Decisions ---- */

/* A task must not return to the agent whose worker it crashed, if there is another agent. */
static bool may_run_on(const struct scheduler *s, const struct task_record *task, int agent)
{
    return task->avoid != agent || s->table.counts.agents < 2;
}

/* Half of the agent's even share of the queue, at least one task per worker. Agents that have not
 * joined yet are expected to have the average number of workers: otherwise the first agents to join
 * would get too much. */
static uint64_t chunk_size(const struct scheduler *s, const struct agent_record *a)
{
    uint64_t all_workers = (uint64_t)s->table.counts.workers;
    all_workers += all_workers * (uint64_t)s->table.absent / (uint64_t)s->table.counts.agents;
    uint64_t chunk = s->table.counts.queued * a->workers / (2 * all_workers);
    if (chunk < a->workers)
        chunk = a->workers;
    return chunk < CHUNK_MAX ? chunk : CHUNK_MAX;
}

/* Sends up to `most` tasks of a queue to an agent. A task can limit the size of its chunk. Returns
 * the number of tasks sent. */
static uint64_t send_from_queue(struct scheduler *s, struct task_queue *queue, int agent,
                                uint64_t most)
{
    uint64_t given = 0;
    for (uint32_t slot = queue->head; slot != NO_SLOT && given < most;) {
        struct task_record *task = &s->table.tasks[slot];
        uint32_t next = task->next;
        if (may_run_on(s, task, agent)) {
            if (task->chunk && task->chunk < most)
                most = task->chunk > given ? task->chunk : given;
            if (given == most)
                break;
            task_table_dequeue(&s->table, task);
            task_table_assign(&s->table, task, agent);
            task->dispatch++;
            add_action(s, (struct scheduler_action){.type = SCHEDULER_SEND,
                                                    .agent = agent,
                                                    .task = task_table_id(&s->table, task),
                                                    .dispatch = task->dispatch,
                                                    .crashes = task->crashes});
            given++;
        }
        slot = next;
    }
    return given;
}

/* Sends a chunk of the queue, or else of the retries. False: there is no task that this agent may
 * run. */
static bool send_chunk(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->table.agents[agent];
    uint64_t chunk = chunk_size(s, a);
    uint64_t given = send_from_queue(s, &s->table.queue, agent, chunk);
    if (!given)
        given = send_from_queue(s, &s->table.retries, agent, chunk);
    if (!given)
        return false;
    a->open_requests--;
    a->last_chunk_decision = s->decisions;
    task_table_update_agent(&s->table, agent);
    return true;
}

static uint64_t unstarted(const struct agent_record *a)
{
    return a->held.count > a->workers ? a->held.count - a->workers : 0;
}

/* Starts a steal for this agent from the agent with the most unstarted tasks per worker. Both have
 * equally many per worker after it, so that none has a reason to steal them back. False: no agent
 * has enough of them. */
static bool start_steal(struct scheduler *s, int agent)
{
    struct agent_record *thief = &s->table.agents[agent];
    uint64_t surplus, own = unstarted(thief);
    int best = steal_heap_top(&s->table.victims, &surplus);
    uint64_t enough = thief->urgency == REQUEST_URGENT
                          ? 1
                          : own * 1024 / thief->workers + EARLY_STEAL_MIN_PER_WORKER * 1024;
    if (best == NONE || best == agent || surplus < enough)
        return false;
    struct agent_record *victim = &s->table.agents[best];
    uint64_t share = (unstarted(victim) * thief->workers - own * victim->workers) /
                     (thief->workers + victim->workers);
    victim->thief = agent;
    thief->stealing_from = best;
    task_table_update_agent(&s->table, best);
    task_table_update_agent(&s->table, agent);
    add_action(s, (struct scheduler_action){.type = SCHEDULER_STEAL,
                                            .agent = best,
                                            .other = agent,
                                            .count = share ? (uint32_t)share : 1});
    return true;
}

/* Serves all agents in one list of requests. An agent gets at most one chunk per decision, because
 * two consecutive chunks for one agent would become one message. */
static void serve_requests(struct scheduler *s, enum request_urgency urgency)
{
    int refused = 0;
    for (int agent = s->table.requests[urgency]; agent != NONE && refused < REFUSALS_MAX;) {
        int next = s->table.agents[agent].next;
        if (s->table.agents[agent].last_chunk_decision != s->decisions &&
            !(s->table.counts.queued && send_chunk(s, agent)) && !start_steal(s, agent) &&
            !s->table.counts.queued)
            refused++; /* the next one may have fewer tasks, and so more right to steal */
        agent = next;
    }
}

int scheduler_decide(struct scheduler *s, struct scheduler_actions *actions)
{
    s->actions = actions;
    s->decisions++;
    serve_requests(s, REQUEST_URGENT);
    serve_requests(s, REQUEST_EARLY);
    if (s->input_ended && !s->finished && !s->table.counts.queued && !s->table.counts.held) {
        s->finished = true;
        add_action(s, (struct scheduler_action){.type = SCHEDULER_FINISHED});
    }
    s->actions = NULL;
    return s->failed || s->table.failed ? -1 : 0;
}

/* ---- Events ---- */

static struct agent_record *mark_known(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->table.agents[agent];
    s->table.absent -= !a->known;
    a->known = true;
    return a;
}

static void agent_joined(struct scheduler *s, int agent, uint32_t workers)
{
    if (agent < 0 || agent >= s->table.agent_capacity || s->table.agents[agent].joined)
        return;
    struct agent_record *a = mark_known(s, agent);
    if (!workers)
        return; /* it is known, but never gets tasks */
    a->joined = true;
    a->last_steal_failed = false;
    a->workers = workers;
    s->table.counts.agents++;
    s->table.counts.workers += (int)workers;
}

static void agent_wants(struct scheduler *s, int agent)
{
    struct agent_record *a = task_table_find_agent(&s->table, agent);
    if (a) {
        a->open_requests++;
        task_table_update_agent(&s->table, agent);
    }
}

static void drop(struct scheduler *s, struct task_record *task)
{
    uint64_t id = task_table_id(&s->table, task);
    task_table_remove(&s->table, task);
    add_action(s, (struct scheduler_action){.type = SCHEDULER_DROP, .task = id});
}

/* Queues a task that its agent does not hold any more. If it was cancelled, it ends instead. */
static void requeue(struct scheduler *s, struct task_record *task, bool retry)
{
    if (task->cancelled) {
        drop(s, task);
        return;
    }
    task_table_unassign(&s->table, task);
    task_table_enqueue(&s->table, task, retry);
    add_action(s, (struct scheduler_action){.type = SCHEDULER_REQUEUE,
                                            .task = task_table_id(&s->table, task)});
}

/* Clears the link between thief and victim. */
static void end_steal(struct scheduler *s, int thief, int victim)
{
    s->table.agents[thief].stealing_from = NONE;
    s->table.agents[victim].thief = NONE;
    task_table_update_agent(&s->table, thief);
    task_table_update_agent(&s->table, victim);
}

static void agent_lost(struct scheduler *s, int agent)
{
    if (agent < 0 || agent >= s->table.agent_capacity)
        return;
    struct agent_record *a = mark_known(s, agent);
    if (!a->joined)
        return;
    while (a->held.head != NO_SLOT)
        requeue(s, &s->table.tasks[a->held.head], false);
    a->joined = false;
    a->open_requests = 0;
    s->table.counts.agents--;
    s->table.counts.workers -= (int)a->workers;
    task_table_update_agent(&s->table, agent);
    if (a->stealing_from != NONE)
        end_steal(s, agent, a->stealing_from);
    if (a->thief != NONE)
        end_steal(s, a->thief, agent);
}

static void task_added(struct scheduler *s, uint64_t id, uint32_t chunk)
{
    struct task_record *task = task_table_new_task(&s->table, id);
    if (!task)
        return;
    task->chunk = chunk;
    task_table_enqueue(&s->table, task, false);
}

static void task_cancelled(struct scheduler *s, uint64_t id)
{
    struct task_record *task = task_table_find_task(&s->table, id);
    if (!task || task->cancelled)
        return;
    if (task->state == TASK_QUEUED) {
        drop(s, task);
        return;
    }
    task->cancelled = true;
    add_action(
        s, (struct scheduler_action){.type = SCHEDULER_CANCEL, .agent = task->holder, .task = id});
}

static void task_done(struct scheduler *s, uint64_t id, int agent)
{
    struct task_record *task = task_table_find_task(&s->table, id);
    if (!task)
        return;
    task_table_remove(&s->table, task);
    add_action(s, (struct scheduler_action){.type = SCHEDULER_ACCEPT, .task = id, .agent = agent});
}

static void task_crashed(struct scheduler *s, uint64_t id, int agent, uint32_t dispatch)
{
    struct task_record *task = task_table_find_task(&s->table, id);
    if (!task || task->state != TASK_HELD || task->dispatch != dispatch)
        return;
    task->crashes++;
    if (task->crashes >= s->attempts || task->cancelled) {
        uint32_t crashes = task->crashes;
        task_table_remove(&s->table, task);
        add_action(s,
                   (struct scheduler_action){
                       .type = SCHEDULER_GIVE_UP, .task = id, .agent = agent, .crashes = crashes});
        return;
    }
    task->avoid = agent;
    requeue(s, task, true);
}

static void task_moved(struct scheduler *s, const struct scheduler_event *event)
{
    struct task_record *task = task_table_find_task(&s->table, event->task);
    if (!task || task->state != TASK_HELD || task->dispatch != event->dispatch ||
        !task_table_find_agent(&s->table, event->agent) || event->other < 0 ||
        event->other >= s->table.agent_capacity)
        return;
    if (task->holder != event->agent) {
        task_table_add_early_move(&s->table, task, event->agent, event->other);
        return;
    }
    int to = event->other;
    for (int next = to; next != NONE; next = task_table_take_early_move(&s->table, task, to))
        to = next;
    if (!task_table_find_agent(&s->table, to)) {
        requeue(s, task, false);
        return;
    }
    task_table_unassign(&s->table, task);
    task_table_assign(&s->table, task, to);
    task_table_update_agent(&s->table, to);
    if (task->cancelled)
        add_action(s, (struct scheduler_action){
                          .type = SCHEDULER_CANCEL, .agent = to, .task = event->task});
}

static void steal_ended(struct scheduler *s, int agent, int other, uint32_t count)
{
    struct agent_record *thief = task_table_find_agent(&s->table, other);
    if (!thief || agent == NONE || thief->stealing_from != agent)
        return;
    if (count)
        thief->open_requests--; /* not = 0: its next request may have overtaken this report */
    s->table.agents[agent].last_steal_failed = !count;
    end_steal(s, other, agent);
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
        task_added(s, event->task, event->count);
        break;
    case SCHEDULER_TASK_CANCELLED:
        task_cancelled(s, event->task);
        break;
    case SCHEDULER_TASK_DONE:
        task_done(s, event->task, event->agent);
        break;
    case SCHEDULER_TASK_CRASHED:
        task_crashed(s, event->task, event->agent, event->dispatch);
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
    return s->failed || s->table.failed ? -1 : 0;
}

/* ---- Creation and inspection ---- */

struct scheduler *scheduler_new(int agents, uint32_t attempts)
{
    struct scheduler *s = calloc(1, sizeof *s);
    if (s && task_table_init(&s->table, agents)) {
        free(s);
        return NULL;
    }
    if (s)
        s->attempts = attempts;
    return s;
}

void scheduler_free(struct scheduler *s)
{
    if (s)
        task_table_release(&s->table);
    free(s);
}

bool scheduler_is_queued(const struct scheduler *s, uint64_t id)
{
    const struct task_record *task = task_table_find_task((struct task_table *)&s->table, id);
    return task && task->state == TASK_QUEUED;
}

struct scheduler_counts scheduler_counts(const struct scheduler *s)
{
    return s->table.counts;
}

const char *scheduler_check(const struct scheduler *s)
{
    const struct task_table *table = &s->table;
    for (uint32_t slot = 0; slot < table->task_capacity; slot++)
        if (table->tasks[slot].state != TASK_FREE && table->tasks[slot].crashes >= s->attempts)
            return "a task has used all its attempts and has not ended";
    if (s->finished && (table->counts.held || table->counts.queued))
        return "finished although some tasks have not ended";
    return task_table_check(table);
}
