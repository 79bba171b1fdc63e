/* Who gets which task: see scheduler.h. What is known of tasks and agents is kept in task_table.h. */
#include "scheduler.h"

#include <stdlib.h>

#include "task_table.h"

/* A chunk is one message; more than this in one would delay the others behind it. */
#define CHUNK_MAX 8192

/* A thief that still has work for all its workers steals only from plenty: this many unstarted
 * tasks for each worker of the victim. One that has run dry takes anything. */
#define PLENTY_PER_WORKER 4

struct scheduler {
    struct task_table books;
    uint32_t attempts;
    uint64_t decisions;
    bool input_ended;
    bool finished;
    struct scheduler_actions *actions; /* of the call under way */
    bool failed;
};

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

/* ---- Handing out ---- */

static bool may_have(const struct scheduler *s, const struct task_record *task, int agent)
{
    return task->avoid != agent || s->books.counts.agents < 2;
}

/* Half of an even share of what waits, one task a worker at least. Agents that are not known yet
 * are counted with the average number of workers: the first to come must not take it all. */
static uint64_t chunk_size(const struct scheduler *s, const struct agent_record *a)
{
    uint64_t all_workers = (uint64_t)s->books.counts.workers;
    all_workers += all_workers * (uint64_t)s->books.absent / (uint64_t)s->books.counts.agents;
    uint64_t chunk = s->books.counts.queued * a->workers / (2 * all_workers);
    if (chunk < a->workers)
        chunk = a->workers;
    return chunk < CHUNK_MAX ? chunk : CHUNK_MAX;
}

static uint64_t hand_out_from(struct scheduler *s, struct task_queue *queue, int agent,
                              uint64_t most)
{
    uint64_t given = 0;
    for (uint32_t slot = queue->head; slot != NO_SLOT && given < most;) {
        struct task_record *task = &s->books.tasks[slot];
        uint32_t next = task->next;
        if (may_have(s, task, agent)) {
            if (task->chunk && task->chunk < most)
                most = task->chunk > given ? task->chunk : given;
            if (given == most)
                break;
            task_table_dequeue(&s->books, task);
            task_table_hold(&s->books, task, agent);
            task->handout++;
            act(s, (struct scheduler_action){.type = SCHEDULER_SEND,
                                             .agent = agent,
                                             .task = task_table_id(&s->books, task),
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
    struct agent_record *a = &s->books.agents[agent];
    uint64_t chunk = chunk_size(s, a);
    uint64_t given = hand_out_from(s, &s->books.queue, agent, chunk);
    if (!given)
        given = hand_out_from(s, &s->books.retries, agent, chunk);
    if (!given)
        return false;
    a->wants--;
    a->served = s->decisions;
    task_table_place_agent(&s->books, agent);
    return true;
}

/* Sends the agent as a thief to the one with most; false when nobody has enough. */
static bool send_thief(struct scheduler *s, int agent)
{
    struct agent_record *thief = &s->books.agents[agent];
    uint64_t surplus;
    int best = steal_heap_top(&s->books.victims, &surplus);
    uint64_t enough = thief->hunger == STARVING ? 1 : PLENTY_PER_WORKER * 1024;
    if (best == NONE || best == agent || surplus < enough)
        return false;
    struct agent_record *victim = &s->books.agents[best];
    uint64_t share = (victim->held.count - victim->workers) * thief->workers /
                     (thief->workers + victim->workers);
    victim->robbed_by = agent;
    thief->stealing_from = best;
    task_table_place_agent(&s->books, best);
    task_table_place_agent(&s->books, agent);
    act(s, (struct scheduler_action){.type = SCHEDULER_STEAL,
                                     .agent = best,
                                     .other = agent,
                                     .count = share ? (uint32_t)share : 1});
    return true;
}

/* Gives every agent in one hungry list what there is, but one chunk a decision at most: two in a
 * row would be one message, and so one chunk. */
static void serve_list(struct scheduler *s, enum hunger hunger)
{
    for (int agent = s->books.hungry[hunger]; agent != NONE;) {
        int next = s->books.agents[agent].next;
        if (s->books.agents[agent].served != s->decisions &&
            !(s->books.counts.queued && hand_out(s, agent)) && !send_thief(s, agent) &&
            !s->books.counts.queued)
            return; /* nothing to hand out and nobody to rob: the ones behind fare no better */
        agent = next;
    }
}

int scheduler_decide(struct scheduler *s, struct scheduler_actions *actions)
{
    s->actions = actions;
    s->decisions++;
    serve_list(s, STARVING);
    serve_list(s, HUNGRY);
    if (s->input_ended && !s->finished && !s->books.counts.queued && !s->books.counts.held) {
        s->finished = true;
        act(s, (struct scheduler_action){.type = SCHEDULER_FINISHED});
    }
    s->actions = NULL;
    return s->failed || s->books.failed ? -1 : 0;
}

/* ---- Events ---- */

static struct agent_record *make_known(struct scheduler *s, int agent)
{
    struct agent_record *a = &s->books.agents[agent];
    s->books.absent -= !a->known;
    a->known = true;
    return a;
}

static void agent_joined(struct scheduler *s, int agent, uint32_t workers)
{
    if (agent < 0 || agent >= s->books.agent_capacity || s->books.agents[agent].joined)
        return;
    struct agent_record *a = make_known(s, agent);
    if (!workers)
        return; /* it is there, but never to be reckoned with */
    a->joined = true;
    a->barren = false;
    a->workers = workers;
    s->books.counts.agents++;
    s->books.counts.workers += (int)workers;
}

static void agent_wants(struct scheduler *s, int agent)
{
    struct agent_record *a = task_table_find_agent(&s->books, agent);
    if (a) {
        a->wants++;
        task_table_place_agent(&s->books, agent);
    }
}

static void drop(struct scheduler *s, struct task_record *task)
{
    uint64_t id = task_table_id(&s->books, task);
    task_table_forget(&s->books, task);
    act(s, (struct scheduler_action){.type = SCHEDULER_DROP, .task = id});
}

/* A task that has left its holder waits again; a cancelled one ends. */
static void requeue(struct scheduler *s, struct task_record *task, bool retry)
{
    if (task->cancelled) {
        drop(s, task);
        return;
    }
    task_table_let_go(&s->books, task);
    task_table_enqueue(&s->books, task, retry);
    act(s, (struct scheduler_action){.type = SCHEDULER_REQUEUE,
                                     .task = task_table_id(&s->books, task)});
}

/* The thief and the victim have nothing to do with each other any more. */
static void part(struct scheduler *s, int thief, int victim)
{
    s->books.agents[thief].stealing_from = NONE;
    s->books.agents[victim].robbed_by = NONE;
    task_table_place_agent(&s->books, thief);
    task_table_place_agent(&s->books, victim);
}

static void agent_lost(struct scheduler *s, int agent)
{
    if (agent < 0 || agent >= s->books.agent_capacity)
        return;
    struct agent_record *a = make_known(s, agent);
    if (!a->joined)
        return;
    while (a->held.head != NO_SLOT)
        requeue(s, &s->books.tasks[a->held.head], false);
    a->joined = false;
    a->wants = 0;
    s->books.counts.agents--;
    s->books.counts.workers -= (int)a->workers;
    task_table_place_agent(&s->books, agent);
    if (a->stealing_from != NONE)
        part(s, agent, a->stealing_from);
    if (a->robbed_by != NONE)
        part(s, a->robbed_by, agent);
}

static void task_added(struct scheduler *s, uint64_t id, uint32_t chunk)
{
    struct task_record *task = task_table_new_task(&s->books, id);
    if (!task)
        return;
    task->chunk = chunk;
    task_table_enqueue(&s->books, task, false);
}

static void task_cancelled(struct scheduler *s, uint64_t id)
{
    struct task_record *task = task_table_find_task(&s->books, id);
    if (!task || task->cancelled)
        return;
    if (task->state == TASK_QUEUED) {
        drop(s, task);
        return;
    }
    task->cancelled = true;
    act(s, (struct scheduler_action){.type = SCHEDULER_CANCEL, .agent = task->holder, .task = id});
}

static void task_done(struct scheduler *s, uint64_t id, int agent)
{
    struct task_record *task = task_table_find_task(&s->books, id);
    if (!task)
        return;
    task_table_forget(&s->books, task);
    act(s, (struct scheduler_action){.type = SCHEDULER_ACCEPT, .task = id, .agent = agent});
}

static void task_crashed(struct scheduler *s, uint64_t id, int agent, uint32_t handout)
{
    struct task_record *task = task_table_find_task(&s->books, id);
    if (!task || task->state != TASK_HELD || task->handout != handout)
        return;
    task->crashes++;
    if (task->crashes >= s->attempts || task->cancelled) {
        uint32_t crashes = task->crashes;
        task_table_forget(&s->books, task);
        act(s, (struct scheduler_action){
                   .type = SCHEDULER_GIVE_UP, .task = id, .agent = agent, .crashes = crashes});
        return;
    }
    task->avoid = agent;
    requeue(s, task, true);
}

static void task_moved(struct scheduler *s, const struct scheduler_event *event)
{
    struct task_record *task = task_table_find_task(&s->books, event->task);
    if (!task || task->state != TASK_HELD || task->handout != event->handout ||
        !task_table_find_agent(&s->books, event->agent) || event->other < 0 ||
        event->other >= s->books.agent_capacity)
        return;
    if (task->holder != event->agent) {
        task_table_note_early_move(&s->books, task, event->agent, event->other);
        return;
    }
    int to = event->other;
    for (int next = to; next != NONE; next = task_table_take_early_move(&s->books, task, to))
        to = next;
    if (!task_table_find_agent(&s->books, to)) {
        requeue(s, task, false);
        return;
    }
    task_table_let_go(&s->books, task);
    task_table_hold(&s->books, task, to);
    task_table_place_agent(&s->books, to);
    if (task->cancelled)
        act(s,
            (struct scheduler_action){.type = SCHEDULER_CANCEL, .agent = to, .task = event->task});
}

static void steal_ended(struct scheduler *s, int agent, int other, uint32_t count)
{
    struct agent_record *thief = task_table_find_agent(&s->books, other);
    if (!thief || agent == NONE || thief->stealing_from != agent)
        return;
    if (count)
        thief->wants--; /* there may be another already: messages from thief and victim race */
    s->books.agents[agent].barren = !count;
    part(s, other, agent);
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
    return s->failed || s->books.failed ? -1 : 0;
}

/* ---- Life and inspection ---- */

struct scheduler *scheduler_new(int agents, uint32_t attempts)
{
    struct scheduler *s = calloc(1, sizeof *s);
    if (s && task_table_init(&s->books, agents)) {
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
        task_table_release(&s->books);
    free(s);
}

bool scheduler_waits(const struct scheduler *s, uint64_t id)
{
    const struct task_record *task = task_table_find_task((struct task_table *)&s->books, id);
    return task && task->state == TASK_QUEUED;
}

struct scheduler_counts scheduler_counts(const struct scheduler *s)
{
    return s->books.counts;
}

const char *scheduler_check(const struct scheduler *s)
{
    const struct task_table *b = &s->books;
    for (uint32_t slot = 0; slot < b->task_capacity; slot++)
        if (b->tasks[slot].state != TASK_FREE && b->tasks[slot].crashes >= s->attempts)
            return "a task has crashed too often and is still in the books";
    if (s->finished && (b->counts.held || b->counts.queued))
        return "finished although tasks are left";
    return task_table_check(b);
}
