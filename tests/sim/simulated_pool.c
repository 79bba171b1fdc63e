/* SPDX-License-Identifier: MIT */
/* A pool in virtual time, driven by an event_queue: see simulated_pool.h. This file has the model
 * of rank 0 and runs the simulation. */
#include "simulated_pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "event_queue.h"
#include "scheduler.h"
#include "simulated_agent.h"
#include "simulated_tasks.h"

/* ---- Rank 0 ---- */

static void wake_coordinator(struct simulated_pool *pool, int64_t at)
{
    if (pool->stepping)
        return;
    pool->stepping = true;
    event_queue_put(&pool->queue,
                    (struct sim_event){
                        .at_ns = poll_time(pool, at, pool->coordinator_active_ns, WAIT_MAX_BUSY_NS),
                        .type = COORDINATOR_STEP});
}

static void add_event(struct simulated_pool *pool, struct scheduler_event event)
{
    if (pool->event_count == pool->event_capacity) {
        pool->event_capacity = pool->event_capacity ? 2 * pool->event_capacity : 1024;
        pool->events = must_realloc(pool->events, pool->event_capacity, sizeof *pool->events);
    }
    pool->events[pool->event_count++] = event;
}

/* Turns a message into events for the scheduler. Returns the time that this takes. */
static int64_t handle_message(struct simulated_pool *pool, const struct simulated_message *m)
{
    const struct simulated_costs *costs = &pool->setup->costs;
    struct scheduler_event e = {.agent = m->from, .other = m->other, .count = m->copies.count};
    for (uint32_t copy = m->copies.head, i = 0; i < m->copies.count; i++) {
        e.type = m->type == DONE ? SCHEDULER_TASK_DONE : SCHEDULER_TASK_MOVED;
        e.task = pool->tasks.copies[copy].id;
        e.dispatch = pool->tasks.copies[copy].dispatch;
        add_event(pool, e);
        copy = pool->tasks.copies[copy].next;
    }
    if (m->type == WANT || m->wants) {
        e.type = SCHEDULER_AGENT_WANTS;
        add_event(pool, e);
    }
    if (m->type == MOVED) {
        e.type = SCHEDULER_STEAL_ENDED;
        add_event(pool, e);
        pool->report.steals += m->copies.count > 0;
        pool->report.stolen += m->copies.count;
    }
    pool->report.received++;
    pool->report.coded += m->copies.count;
    return costs->receive + m->copies.count * costs->task;
}

/* Adds tasks from the map while there is room for them. Returns the time that this takes. */
static int64_t pull_tasks(struct simulated_pool *pool)
{
    const struct simulated_pool_setup *setup = pool->setup;
    uint64_t available = pool->now / setup->source < (int64_t)setup->tasks
                             ? (uint64_t)(pool->now / setup->source) + 1
                             : setup->tasks;
    int i = 0;
    for (; i < setup->pulled_per_step && pool->pulled < available && pool->free_slot_count;
         i++, pool->pulled++) {
        uint32_t slot = pool->free_slots[--pool->free_slot_count];
        pool->run_ns[slot] =
            random_times_task_ns(&pool->task_times, setup->distribution, setup->mean_ns);
        add_event(pool,
                  (struct scheduler_event){.type = SCHEDULER_TASK_ADDED,
                                           .task = (uint64_t)pool->generations[slot] << 32 | slot});
    }
    if (pool->pulled == setup->tasks && !pool->input_ended) {
        pool->input_ended = true;
        add_event(pool, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
    }
    pool->report.coded += (uint64_t)i;
    return i * setup->costs.task;
}

/* Passes the events to the scheduler and lets it decide; measures the real time that this takes. */
static void run_scheduler(struct simulated_pool *pool)
{
    int64_t begun_ns = monotonic_now_ns();
    int failed = 0;
    for (size_t i = 0; i < pool->event_count; i++)
        failed |= scheduler_apply(pool->scheduler, &pool->events[i], &pool->actions);
    failed |= scheduler_decide(pool->scheduler, &pool->actions);
    pool->report.scheduler_ns += (double)(monotonic_now_ns() - begun_ns) - pool->clock_ns;
    if (failed) {
        fprintf(stderr, "simulate: the scheduler is out of memory\n");
        exit(EXIT_FAILURE);
    }
}

/* Sends the chunk that begins with action `at`. Returns its length. */
static size_t send_chunk(struct simulated_pool *pool, size_t at, int64_t *when)
{
    const struct simulated_costs *costs = &pool->setup->costs;
    int agent = pool->actions.list[at].agent;
    struct copy_list tasks = {0};
    size_t i = at;
    for (; i < pool->actions.count; i++) {
        const struct scheduler_action *a = &pool->actions.list[i];
        if (a->type != SCHEDULER_SEND || a->agent != agent)
            break;
        uint32_t copy = simulated_tasks_new_copy(&pool->tasks);
        pool->tasks.copies[copy] = (struct task_copy){
            .id = a->task, .dispatch = a->dispatch, .run_ns = pool->run_ns[(uint32_t)a->task]};
        copy_list_append(&pool->tasks, &tasks, copy);
    }
    *when += costs->send + tasks.count * costs->task;
    pool->report.sent++;
    pool->report.coded += tasks.count;
    send_to_agent(pool, *when, agent, &pool->agents[agent].received_down_ns,
                  (struct simulated_message){.type = TASKS, .copies = tasks});
    return i - at;
}

/* Carries out the actions of the scheduler. Returns the time when rank 0 has done so. */
static int64_t carry_out(struct simulated_pool *pool, int64_t when)
{
    for (size_t i = 0; i < pool->actions.count; i++) {
        const struct scheduler_action *a = &pool->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            i += send_chunk(pool, i, &when) - 1;
            break;
        case SCHEDULER_STEAL:
            when += pool->setup->costs.send;
            pool->report.sent++;
            send_to_agent(pool, when, a->agent, &pool->agents[a->agent].received_down_ns,
                          (struct simulated_message){
                              .type = STEAL, .other = a->other, .steal_count = a->count});
            break;
        case SCHEDULER_REQUEUE:
            pool->report.requeued++;
            break;
        case SCHEDULER_ACCEPT: {
            uint32_t slot = (uint32_t)a->task;
            pool->generations[slot]++;
            pool->free_slots[pool->free_slot_count++] = slot;
            pool->ended++;
            break;
        }
        case SCHEDULER_FINISHED:
            pool->finished = true;
            pool->report.end_ns = when;
            break;
        case SCHEDULER_GIVE_UP: /* no task crashes or is cancelled here */
        case SCHEDULER_DROP:
        case SCHEDULER_CANCEL:
            assert(false);
        }
    }
    pool->actions.count = 0;
    return when;
}

static void coordinator_step(struct simulated_pool *pool)
{
    const struct simulated_pool_setup *setup = pool->setup;
    int64_t when = pool->now + pull_tasks(pool);
    for (int i = 0; i < MESSAGES_PER_STEP && pool->inbox_head != NIL; i++) {
        uint32_t message = pool->inbox_head;
        pool->inbox_head = pool->tasks.messages[message].next;
        if (pool->inbox_head == NIL)
            pool->inbox_tail = NIL;
        when += handle_message(pool, &pool->tasks.messages[message]);
        simulated_tasks_free_message(&pool->tasks, message);
    }
    if (!pool->event_count) {
        pool->stepping = false;
        if (pool->pulled < setup->tasks && pool->free_slot_count)
            wake_coordinator(pool, pool->now + setup->source);
        return;
    }
    run_scheduler(pool);
    when += (int64_t)pool->event_count * pool->setup->costs.event;
    pool->report.events += pool->event_count;
    pool->event_count = 0;
    when = carry_out(pool, when);
    pool->coordinator_active_ns = when;
    event_queue_put(&pool->queue, (struct sim_event){.at_ns = when, .type = COORDINATOR_STEP});
}

static void coordinator_receives(struct simulated_pool *pool, uint32_t message)
{
    if (pool->inbox_tail == NIL)
        pool->inbox_head = message;
    else
        pool->tasks.messages[pool->inbox_tail].next = message;
    pool->inbox_tail = message;
    wake_coordinator(pool, pool->now);
}

/* ---- A run ---- */

static void handle_event(struct simulated_pool *pool, const struct sim_event *e)
{
    switch ((enum sim_event_type)e->type) {
    case TASK_ENDS:
        agent_task_ends(pool, e->agent, e->argument);
        break;
    case AGENT_RECEIVES:
        agent_receives(pool, e->agent, e->argument);
        break;
    case AGENT_FLUSHES:
        agent_flushes(pool, e->agent, e->argument);
        break;
    case COORDINATOR_STEP:
        coordinator_step(pool);
        break;
    case COORDINATOR_RECEIVES:
        coordinator_receives(pool, e->argument);
        break;
    case AGENTS_ARE_LOST:
        agents_are_lost(pool);
        break;
    case LOSS_IS_NOTICED:
        add_event(pool, (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = e->agent});
        wake_coordinator(pool, pool->now);
        break;
    }
}

/* All agents join and ask for tasks. */
static void open_pool(struct simulated_pool *pool)
{
    const struct simulated_pool_setup *setup = pool->setup;
    for (int i = 0; i < setup->agents; i++) {
        struct scheduler_event joined = {
            .type = SCHEDULER_AGENT_JOINED, .agent = i, .count = (uint32_t)setup->workers};
        struct scheduler_event wants = {.type = SCHEDULER_AGENT_WANTS, .agent = i};
        scheduler_apply(pool->scheduler, &joined, &pool->actions);
        scheduler_apply(pool->scheduler, &wants, &pool->actions);
        pool->agents[i].requested_more = true;
        pool->agents[i].low_water = (uint32_t)setup->workers;
    }
    pool->stepping = true;
    event_queue_put(&pool->queue, (struct sim_event){.type = COORDINATOR_STEP});
    if (setup->lost)
        event_queue_put(&pool->queue,
                        (struct sim_event){.at_ns = setup->lost_at, .type = AGENTS_ARE_LOST});
    int64_t begun_ns = monotonic_now_ns();
    for (int i = 0; i < 1000; i++)
        pool->clock_ns = (double)(monotonic_now_ns() - begun_ns) / 1000;
}

static void release(struct simulated_pool *pool)
{
    scheduler_free(pool->scheduler);
    scheduler_actions_release(&pool->actions);
    event_queue_release(&pool->queue);
    free(pool->events);
    free(pool->agents);
    simulated_tasks_release(&pool->tasks);
    free(pool->generations);
    free(pool->run_ns);
    free(pool->free_slots);
}

struct simulated_pool_report simulated_pool_run(const struct simulated_pool_setup *setup)
{
    uint32_t window = (uint32_t)(setup->window < setup->tasks ? setup->window : setup->tasks);
    size_t agents = (size_t)setup->agents;
    struct simulated_pool pool = {
        .setup = setup,
        .task_times = {setup->seed},
        .delay_times = {~setup->seed},
        .scheduler = scheduler_new(setup->agents, 2),
        .agents = must_realloc(NULL, agents, sizeof *pool.agents),
        .alive_workers = agents * (uint64_t)setup->workers,
        .tasks = SIMULATED_TASKS_INIT,
        .inbox_head = NIL,
        .inbox_tail = NIL,
        .slot_count = window,
        .generations = must_realloc(NULL, window, sizeof *pool.generations),
        .run_ns = must_realloc(NULL, window, sizeof *pool.run_ns),
        .free_slots = must_realloc(NULL, window, sizeof *pool.free_slots)};
    memset(pool.agents, 0, agents * sizeof *pool.agents);
    for (uint32_t i = window; i-- > 0; pool.generations[i] = 1)
        pool.free_slots[pool.free_slot_count++] = i;
    if (!pool.scheduler) {
        fprintf(stderr, "simulate: out of memory for %d agents\n", setup->agents);
        exit(EXIT_FAILURE);
    }
    open_pool(&pool);
    for (struct sim_event e; !pool.finished && event_queue_take(&pool.queue, &e);) {
        pool.now = e.at_ns;
        handle_event(&pool, &e);
    }
    if (!pool.finished || pool.ended != setup->tasks) {
        fprintf(stderr, "simulate: only %llu of %llu tasks were done\n",
                (unsigned long long)pool.ended, (unsigned long long)setup->tasks);
        exit(EXIT_FAILURE);
    }
    release(&pool);
    return pool.report;
}
