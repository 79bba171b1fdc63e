/* A pool in virtual time: see simulated_pool.h. */
#include "simulated_pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event_queue.h"
#include "scheduler.h"
#include "simulated_tasks.h"

/* As in rank_loop.c. */
enum {
    SLEEP_LEAST_NS = 20000,
    SLEEP_BUSY_NS = 1000000,
    SLEEP_IDLE_NS = 10000000,
    SLEEP_SHARE = 8,
    MESSAGES_A_STEP = 256,
};

enum what_happens {
    TASK_ENDS,         /* agent; what: the copy */
    AGENT_HEARS,       /* agent; what: the message */
    AGENT_FLUSHES,     /* agent; what: which of its timers */
    COORDINATOR_STEP,  /* rank 0 looks */
    COORDINATOR_HEARS, /* what: the message */
    AGENTS_VANISH,
    LOSS_IS_KNOWN, /* agent */
};

struct agent {
    struct copies queue, results;
    uint32_t running, low_water;
    uint32_t timer; /* counts flushes: an older timer does nothing */
    bool asked, gone;
    int64_t active_ns;  /* it last did something */
    int64_t sent_up_ns; /* arrival of the last message to rank 0, to other agents: order is kept */
    int64_t sent_across_ns;
    int64_t heard_down_ns; /* arrival of the last message from rank 0 */
};

struct world {
    const struct world_setup *setup;
    struct world_report report;
    struct event_queue future;
    int64_t now;
    struct draw tasks_draw, delays_draw;
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    struct scheduler_event *events; /* of rank 0's step */
    size_t event_count, event_capacity;
    struct agent *agents;
    uint64_t busy, alive_workers;
    struct stock stock;
    uint32_t inbox_head, inbox_tail;
    bool stepping, input_ended, finished;
    int64_t coordinator_active_ns;
    uint64_t pulled, accounted;
    uint32_t *generations; /* by slot */
    int64_t *run_ns;       /* by slot */
    uint32_t *free_slots;
    uint32_t free_slot_count, slot_count;
    double clock_ns; /* what looking at the clock takes */
};

/* ---- Messages ---- */

/* When a rank that last did something at `active` looks, after something has come for it. */
static int64_t look_at(struct world *w, int64_t arrives, int64_t active, int64_t most_ns)
{
    int64_t sleep = (arrives - active) / SLEEP_SHARE;
    sleep = sleep > most_ns ? most_ns : sleep < SLEEP_LEAST_NS ? SLEEP_LEAST_NS : sleep;
    return arrives + (int64_t)((double)sleep * draw_uniform(&w->delays_draw));
}

static int64_t arrival(struct world *w, int64_t at, uint32_t tasks, int64_t *last)
{
    int64_t arrives = at + w->setup->latency + tasks * w->setup->latency_task;
    if (arrives <= *last)
        arrives = *last + 1;
    return *last = arrives;
}

static void send_up(struct world *w, int from, struct message message)
{
    message.from = from;
    int64_t at = arrival(w, w->now, message.copies.count, &w->agents[from].sent_up_ns);
    event_queue_put(&w->future, (struct sim_event){.at_ns = at,
                                                   .type = COORDINATOR_HEARS,
                                                   .what = stock_new_message(&w->stock, message)});
}

static void send_to_agent(struct world *w, int64_t at, int to, int64_t *last,
                          struct message message)
{
    struct agent *agent = &w->agents[to];
    bool idle = !agent->running && !agent->queue.count;
    int64_t arrives = arrival(w, at, message.copies.count, last);
    int64_t seen = look_at(w, arrives, agent->active_ns, idle ? SLEEP_IDLE_NS : SLEEP_BUSY_NS);
    if (seen <= agent->heard_down_ns)
        seen = agent->heard_down_ns + 1;
    agent->heard_down_ns = seen;
    event_queue_put(&w->future, (struct sim_event){.at_ns = seen,
                                                   .type = AGENT_HEARS,
                                                   .agent = to,
                                                   .what = stock_new_message(&w->stock, message)});
}

/* ---- Agents ---- */

static void note_busy(struct world *w, int change)
{
    bool was_full = w->busy * 100 >= w->alive_workers * 99;
    w->busy += (uint64_t)(int64_t)change;
    bool full = w->busy * 100 >= w->alive_workers * 99;
    if (full && !w->report.full_ns)
        w->report.full_ns = w->now;
    if (was_full && !full)
        w->report.last_ns = w->now;
}

static void send_results(struct world *w, int at, bool wants)
{
    struct agent *agent = &w->agents[at];
    if (!agent->results.count)
        return;
    agent->timer++;
    send_up(w, at, (struct message){.type = DONE, .wants = wants, .copies = agent->results});
    agent->results = (struct copies){0};
}

/* agent_step: feeds the workers, sends results, asks for more. */
static void agent_step(struct world *w, int at)
{
    struct agent *agent = &w->agents[at];
    agent->active_ns = w->now;
    while (agent->queue.count && agent->running < (uint32_t)w->setup->workers) {
        uint32_t copy = copies_take(&w->stock, &agent->queue);
        agent->running++;
        note_busy(w, 1);
        event_queue_put(&w->future,
                        (struct sim_event){.at_ns = w->now + w->stock.copies[copy].run_ns,
                                           .type = TASK_ENDS,
                                           .agent = at,
                                           .what = copy});
    }
    if (!agent->asked && agent->queue.count < agent->low_water) {
        agent->asked = true;
        if (agent->results.count)
            send_results(w, at, true); /* one message says both */
        else
            send_up(w, at, (struct message){.type = WANT});
    }
    if (!w->setup->hold || (!agent->queue.count && !agent->running))
        send_results(w, at, false);
}

static void task_ends(struct world *w, int at, uint32_t copy)
{
    struct agent *agent = &w->agents[at];
    struct copies one = {0};
    copies_append(&w->stock, &one, copy);
    if (agent->gone) {
        copies_discard(&w->stock, &one);
        return;
    }
    agent->running--;
    note_busy(w, -1);
    copies_append(&w->stock, &agent->results, copy);
    if (w->setup->hold && agent->results.count == 1)
        event_queue_put(&w->future, (struct sim_event){.at_ns = w->now + w->setup->hold,
                                                       .type = AGENT_FLUSHES,
                                                       .agent = at,
                                                       .what = agent->timer});
    agent_step(w, at);
}

/* The tail of the queue goes straight to the thief; rank 0 learns what moved. */
static void hand_over(struct world *w, int at, const struct message *steal)
{
    struct agent *agent = &w->agents[at];
    send_results(w, at, false);
    uint32_t moved =
        steal->steal_count < agent->queue.count ? steal->steal_count : agent->queue.count;
    struct copies kept = {0}, tasks = {0}, told = {0};
    while (agent->queue.count > moved)
        copies_append(&w->stock, &kept, copies_take(&w->stock, &agent->queue));
    while (agent->queue.count) {
        uint32_t copy = copies_take(&w->stock, &agent->queue), tells = stock_new_copy(&w->stock);
        w->stock.copies[tells] = w->stock.copies[copy];
        copies_append(&w->stock, &told, tells);
        copies_append(&w->stock, &tasks, copy);
    }
    agent->queue = kept;
    if (moved) {
        w->report.handed_over++;
        send_to_agent(w, w->now, steal->other, &agent->sent_across_ns,
                      (struct message){.type = TASKS, .copies = tasks});
    }
    send_up(w, at, (struct message){.type = MOVED, .other = steal->other, .copies = told});
}

static void agent_hears(struct world *w, int at, uint32_t index)
{
    struct agent *agent = &w->agents[at];
    struct message *message = &w->stock.messages[index];
    if (!agent->gone) {
        if (message->type == STEAL) {
            struct message steal = *message;
            hand_over(w, at, &steal);
        } else {
            uint32_t workers = (uint32_t)w->setup->workers, half = message->copies.count / 2;
            while (message->copies.count)
                copies_append(&w->stock, &agent->queue, copies_take(&w->stock, &message->copies));
            agent->asked = false;
            agent->low_water = half > workers ? half : workers;
        }
        agent_step(w, at);
    }
    stock_free_message(&w->stock, index);
}

static void agents_vanish(struct world *w)
{
    const struct world_setup *setup = w->setup;
    for (int i = setup->agents - setup->lost; i < setup->agents; i++) {
        w->agents[i].gone = true;
        w->alive_workers -= (uint64_t)setup->workers;
        note_busy(w, -(int)w->agents[i].running);
        copies_discard(&w->stock, &w->agents[i].queue);
        copies_discard(&w->stock, &w->agents[i].results);
        event_queue_put(&w->future, (struct sim_event){.at_ns = w->now + setup->lost_known_after,
                                                       .type = LOSS_IS_KNOWN,
                                                       .agent = i});
    }
}

/* ---- Rank 0 ---- */

static double real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void wake_coordinator(struct world *w, int64_t at)
{
    if (w->stepping)
        return;
    w->stepping = true;
    event_queue_put(&w->future, (struct sim_event){.at_ns = look_at(w, at, w->coordinator_active_ns,
                                                                    SLEEP_BUSY_NS),
                                                   .type = COORDINATOR_STEP});
}

static void event(struct world *w, struct scheduler_event event)
{
    if (w->event_count == w->event_capacity) {
        w->event_capacity = w->event_capacity ? 2 * w->event_capacity : 1024;
        w->events = must_realloc(w->events, w->event_capacity, sizeof *w->events);
    }
    w->events[w->event_count++] = event;
}

/* Takes in a message; returns what that costs without the scheduler. */
static int64_t take_message(struct world *w, const struct message *m)
{
    const struct world_costs *costs = &w->setup->costs;
    struct scheduler_event e = {.agent = m->from, .other = m->other, .count = m->copies.count};
    for (uint32_t copy = m->copies.head, i = 0; i < m->copies.count; i++) {
        e.type = m->type == DONE ? SCHEDULER_TASK_DONE : SCHEDULER_TASK_MOVED;
        e.task = w->stock.copies[copy].id;
        e.handout = w->stock.copies[copy].handout;
        event(w, e);
        copy = w->stock.copies[copy].next;
    }
    if (m->type == WANT || m->wants) {
        e.type = SCHEDULER_AGENT_WANTS;
        event(w, e);
    }
    if (m->type == MOVED) {
        e.type = SCHEDULER_STEAL_ENDED;
        event(w, e);
        w->report.steals += m->copies.count > 0;
        w->report.stolen += m->copies.count;
    }
    w->report.received++;
    w->report.coded += m->copies.count;
    return costs->receive + m->copies.count * costs->task;
}

/* Takes what the map's thread has pulled from the source, while the window has room. */
static int64_t pull(struct world *w)
{
    const struct world_setup *setup = w->setup;
    uint64_t there = w->now / setup->source < (int64_t)setup->tasks
                         ? (uint64_t)(w->now / setup->source) + 1
                         : setup->tasks;
    int i = 0;
    for (; i < setup->pulled_a_step && w->pulled < there && w->free_slot_count; i++, w->pulled++) {
        uint32_t slot = w->free_slots[--w->free_slot_count];
        w->run_ns[slot] = draw_task_ns(&w->tasks_draw, setup->distribution, setup->mean_ns);
        event(w, (struct scheduler_event){.type = SCHEDULER_TASK_ADDED,
                                          .task = (uint64_t)w->generations[slot] << 32 | slot});
    }
    if (w->pulled == setup->tasks && !w->input_ended) {
        w->input_ended = true;
        event(w, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
    }
    w->report.coded += (uint64_t)i;
    return i * setup->costs.task;
}

static void consult(struct world *w)
{
    double begun = real_ns();
    int failed = 0;
    for (size_t i = 0; i < w->event_count; i++)
        failed |= scheduler_apply(w->scheduler, &w->events[i], &w->actions);
    failed |= scheduler_decide(w->scheduler, &w->actions);
    w->report.scheduler_ns += real_ns() - begun - w->clock_ns;
    if (failed) {
        fprintf(stderr, "simulate: the scheduler is out of memory\n");
        exit(EXIT_FAILURE);
    }
}

/* Sends the run of SEND actions that begins here; returns its length. */
static size_t send_chunk(struct world *w, size_t at, int64_t *when)
{
    const struct world_costs *costs = &w->setup->costs;
    int agent = w->actions.list[at].agent;
    struct copies tasks = {0};
    size_t i = at;
    for (; i < w->actions.count; i++) {
        const struct scheduler_action *a = &w->actions.list[i];
        if (a->type != SCHEDULER_SEND || a->agent != agent)
            break;
        uint32_t copy = stock_new_copy(&w->stock);
        w->stock.copies[copy] = (struct copy){
            .id = a->task, .handout = a->handout, .run_ns = w->run_ns[(uint32_t)a->task]};
        copies_append(&w->stock, &tasks, copy);
    }
    *when += costs->send + tasks.count * costs->task;
    w->report.sent++;
    w->report.coded += tasks.count;
    send_to_agent(w, *when, agent, &w->agents[agent].heard_down_ns,
                  (struct message){.type = TASKS, .copies = tasks});
    return i - at;
}

/* Does what the scheduler has decided; returns when rank 0 is through with it. */
static int64_t carry_out(struct world *w, int64_t when)
{
    for (size_t i = 0; i < w->actions.count; i++) {
        const struct scheduler_action *a = &w->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            i += send_chunk(w, i, &when) - 1;
            break;
        case SCHEDULER_STEAL:
            when += w->setup->costs.send;
            w->report.sent++;
            send_to_agent(
                w, when, a->agent, &w->agents[a->agent].heard_down_ns,
                (struct message){.type = STEAL, .other = a->other, .steal_count = a->count});
            break;
        case SCHEDULER_REQUEUE:
            w->report.requeued++;
            break;
        case SCHEDULER_ACCEPT: {
            uint32_t slot = (uint32_t)a->task;
            w->generations[slot]++;
            w->free_slots[w->free_slot_count++] = slot;
            w->accounted++;
            break;
        }
        case SCHEDULER_FINISHED:
            w->finished = true;
            w->report.end_ns = when;
            break;
        case SCHEDULER_GIVE_UP: /* nothing crashes or is cancelled here */
        case SCHEDULER_DROP:
        case SCHEDULER_CANCEL:
            assert(false);
        }
    }
    w->actions.count = 0;
    return when;
}

static void coordinator_step(struct world *w)
{
    const struct world_setup *setup = w->setup;
    int64_t when = w->now + pull(w);
    for (int i = 0; i < MESSAGES_A_STEP && w->inbox_head != NIL; i++) {
        uint32_t message = w->inbox_head;
        w->inbox_head = w->stock.messages[message].next;
        if (w->inbox_head == NIL)
            w->inbox_tail = NIL;
        when += take_message(w, &w->stock.messages[message]);
        stock_free_message(&w->stock, message);
    }
    if (!w->event_count) {
        w->stepping = false;
        if (w->pulled < setup->tasks && w->free_slot_count)
            wake_coordinator(w, w->now + setup->source);
        return;
    }
    consult(w);
    when += (int64_t)w->event_count * w->setup->costs.event;
    w->report.events += w->event_count;
    w->event_count = 0;
    when = carry_out(w, when);
    w->coordinator_active_ns = when;
    event_queue_put(&w->future, (struct sim_event){.at_ns = when, .type = COORDINATOR_STEP});
}

static void coordinator_hears(struct world *w, uint32_t message)
{
    if (w->inbox_tail == NIL)
        w->inbox_head = message;
    else
        w->stock.messages[w->inbox_tail].next = message;
    w->inbox_tail = message;
    wake_coordinator(w, w->now);
}

/* ---- A run ---- */

static void happen(struct world *w, const struct sim_event *e)
{
    switch ((enum what_happens)e->type) {
    case TASK_ENDS:
        task_ends(w, e->agent, e->what);
        break;
    case AGENT_HEARS:
        agent_hears(w, e->agent, e->what);
        break;
    case AGENT_FLUSHES:
        if (w->agents[e->agent].timer == e->what && !w->agents[e->agent].gone)
            send_results(w, e->agent, false);
        break;
    case COORDINATOR_STEP:
        coordinator_step(w);
        break;
    case COORDINATOR_HEARS:
        coordinator_hears(w, e->what);
        break;
    case AGENTS_VANISH:
        agents_vanish(w);
        break;
    case LOSS_IS_KNOWN:
        event(w, (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = e->agent});
        wake_coordinator(w, w->now);
        break;
    }
}

/* The pool is open: the agents have joined and asked for work. */
static void open_pool(struct world *w)
{
    const struct world_setup *setup = w->setup;
    for (int i = 0; i < setup->agents; i++) {
        struct scheduler_event joined = {
            .type = SCHEDULER_AGENT_JOINED, .agent = i, .count = (uint32_t)setup->workers};
        struct scheduler_event wants = {.type = SCHEDULER_AGENT_WANTS, .agent = i};
        scheduler_apply(w->scheduler, &joined, &w->actions);
        scheduler_apply(w->scheduler, &wants, &w->actions);
        w->agents[i].asked = true;
        w->agents[i].low_water = (uint32_t)setup->workers;
    }
    w->stepping = true;
    event_queue_put(&w->future, (struct sim_event){.type = COORDINATOR_STEP});
    if (setup->lost)
        event_queue_put(&w->future,
                        (struct sim_event){.at_ns = setup->lost_at, .type = AGENTS_VANISH});
    double begun = real_ns();
    for (int i = 0; i < 1000; i++)
        w->clock_ns = (real_ns() - begun) / 1000;
}

static void release(struct world *w)
{
    scheduler_free(w->scheduler);
    scheduler_actions_release(&w->actions);
    event_queue_release(&w->future);
    free(w->events);
    free(w->agents);
    stock_release(&w->stock);
    free(w->generations);
    free(w->run_ns);
    free(w->free_slots);
}

struct world_report world_run(const struct world_setup *setup)
{
    uint32_t window = (uint32_t)(setup->window < setup->tasks ? setup->window : setup->tasks);
    size_t agents = (size_t)setup->agents;
    struct world w = {.setup = setup,
                      .tasks_draw = {setup->seed},
                      .delays_draw = {~setup->seed},
                      .scheduler = scheduler_new(setup->agents, 2),
                      .agents = must_realloc(NULL, agents, sizeof *w.agents),
                      .alive_workers = agents * (uint64_t)setup->workers,
                      .stock = STOCK_INIT,
                      .inbox_head = NIL,
                      .inbox_tail = NIL,
                      .slot_count = window,
                      .generations = must_realloc(NULL, window, sizeof *w.generations),
                      .run_ns = must_realloc(NULL, window, sizeof *w.run_ns),
                      .free_slots = must_realloc(NULL, window, sizeof *w.free_slots)};
    memset(w.agents, 0, agents * sizeof *w.agents);
    for (uint32_t i = window; i-- > 0; w.generations[i] = 1)
        w.free_slots[w.free_slot_count++] = i;
    if (!w.scheduler) {
        fprintf(stderr, "simulate: no memory for %d agents\n", setup->agents);
        exit(EXIT_FAILURE);
    }
    open_pool(&w);
    for (struct sim_event e; !w.finished && event_queue_take(&w.future, &e);) {
        w.now = e.at_ns;
        happen(&w, &e);
    }
    if (!w.finished || w.accounted != setup->tasks) {
        fprintf(stderr, "simulate: only %llu of %llu tasks were done\n",
                (unsigned long long)w.accounted, (unsigned long long)setup->tasks);
        exit(EXIT_FAILURE);
    }
    release(&w);
    return w.report;
}
