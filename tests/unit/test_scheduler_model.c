/* SPDX-License-Identifier: MIT */
/*
 * Compares the scheduler with a simple model of it, which has plain arrays of tasks and agents
 * instead of lists and a heap. Both get the same random events: likely ones, and impossible ones
 * (duplicates, unknown ids, old dispatches, late results, moves in any order, agents that are lost,
 * join again, or have no workers).
 *
 * After each event the scheduler's actions must be those of the model. After each decision its
 * actions must be permitted by the model, and it must not have left out anything. The scheduler's
 * own check runs, and its counts must be those of the model. In the end each sequence is brought to
 * its end, which must be reported once.
 *
 *     test_scheduler_model [SEQUENCES]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler.h"

enum { AGENTS = 4, SLOTS = 6, ATTEMPTS = 2, MOVES = 64, NO_AGENT = -1 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 16) % limit);
}

enum place { NOWHERE, QUEUED, RETRYING, HELD };

struct model_task {
    enum place place;
    uint32_t generation, dispatch, crashes, limit;
    uint64_t arrival; /* order in its queue */
    int holder, avoid;
    bool cancelled;
    struct {
        int from, to;
    } early[MOVES]; /* moves that were reported before the move to their first agent */
    int early_count;
};

struct model_agent {
    bool joined;
    uint32_t workers, wants;
    int stealing_from;
};

struct model {
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    struct model_task tasks[SLOTS];
    struct model_agent agents[AGENTS];
    uint64_t arrivals, ended;
    bool input_ended, finished;
};

/* ---- The model's state ---- */

static uint64_t id_of(const struct model *m, int slot)
{
    return (uint64_t)m->tasks[slot].generation << 32 | (uint32_t)slot;
}

static struct model_task *find(struct model *m, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    if (slot >= SLOTS || m->tasks[slot].place == NOWHERE || m->tasks[slot].generation != id >> 32)
        return NULL;
    return &m->tasks[slot];
}

static bool is_joined(const struct model *m, int agent)
{
    return agent >= 0 && agent < AGENTS && m->agents[agent].joined;
}

static bool has_thief(const struct model *m, int victim)
{
    for (int i = 0; i < AGENTS; i++)
        if (m->agents[i].stealing_from == victim)
            return true;
    return false;
}

static struct scheduler_counts count(const struct model *m)
{
    struct scheduler_counts counts = {.ended = m->ended};
    for (int i = 0; i < SLOTS; i++) {
        counts.queued += m->tasks[i].place == QUEUED || m->tasks[i].place == RETRYING;
        counts.held += m->tasks[i].place == HELD;
    }
    for (int i = 0; i < AGENTS; i++) {
        counts.agents += m->agents[i].joined;
        counts.workers += m->agents[i].joined ? (int)m->agents[i].workers : 0;
    }
    return counts;
}

static uint32_t held_by(const struct model *m, int agent)
{
    uint32_t held = 0;
    for (int i = 0; i < SLOTS; i++)
        held += m->tasks[i].place == HELD && m->tasks[i].holder == agent;
    return held;
}

static bool may_run_on(const struct model *m, const struct model_task *task, int agent)
{
    return task->avoid != agent || count(m).agents < 2;
}

/* ---- The actions that an event must cause ---- */

struct expected_actions {
    struct scheduler_action list[SLOTS];
    size_t count;
};

static void expect(struct expected_actions *expected, enum scheduler_action_type type, uint64_t id)
{
    expected->list[expected->count++] = (struct scheduler_action){.type = type, .task = id};
}

static void end(struct model *m, struct model_task *task)
{
    *task = (struct model_task){.generation = task->generation + 1};
    m->ended++;
}

/* No agent holds the task any more: it is queued again, or dropped if it was cancelled. */
static void put_back(struct model *m, int slot, enum place place, struct expected_actions *expected)
{
    struct model_task *task = &m->tasks[slot];
    expect(expected, task->cancelled ? SCHEDULER_DROP : SCHEDULER_REQUEUE, id_of(m, slot));
    if (task->cancelled) {
        end(m, task);
        return;
    }
    task->place = place;
    task->holder = NO_AGENT;
    task->early_count = 0;
    task->arrival = m->arrivals++;
}

static void model_lost(struct model *m, int agent, struct expected_actions *expected)
{
    if (!is_joined(m, agent))
        return;
    m->agents[agent] = (struct model_agent){.stealing_from = NO_AGENT};
    for (int i = 0; i < AGENTS; i++)
        if (m->agents[i].stealing_from == agent)
            m->agents[i].stealing_from = NO_AGENT;
    for (int i = 0; i < SLOTS; i++)
        if (m->tasks[i].place == HELD && m->tasks[i].holder == agent)
            put_back(m, i, QUEUED, expected);
}

static void model_crashed(struct model *m, const struct scheduler_event *e,
                          struct expected_actions *expected)
{
    struct model_task *task = find(m, e->task);
    if (!task || task->place != HELD || task->dispatch != e->dispatch)
        return;
    task->crashes++;
    if (task->crashes == ATTEMPTS || task->cancelled) {
        expect(expected, SCHEDULER_GIVE_UP, e->task);
        expected->list[0].agent = e->agent;
        expected->list[0].crashes = task->crashes;
        end(m, task);
        return;
    }
    task->avoid = e->agent;
    put_back(m, (int)(uint32_t)e->task, RETRYING, expected);
}

static void model_moved(struct model *m, const struct scheduler_event *e,
                        struct expected_actions *expected)
{
    struct model_task *task = find(m, e->task);
    if (!task || task->place != HELD || task->dispatch != e->dispatch || !is_joined(m, e->agent) ||
        e->other < 0 || e->other >= AGENTS)
        return;
    if (task->holder != e->agent) {
        assert_true(task->early_count < MOVES);
        task->early[task->early_count].from = e->agent;
        task->early[task->early_count++].to = e->other;
        return;
    }
    task->holder = e->other;
    for (int i = 0; i < task->early_count;) {
        if (task->early[i].from != task->holder) {
            i++;
            continue;
        }
        task->holder = task->early[i].to;
        memmove(&task->early[i], &task->early[i + 1],
                (size_t)(--task->early_count - i) * sizeof *task->early);
        i = 0;
    }
    if (!is_joined(m, task->holder)) {
        put_back(m, (int)(uint32_t)e->task, QUEUED, expected);
    } else if (task->cancelled) {
        expect(expected, SCHEDULER_CANCEL, e->task);
        expected->list[0].agent = task->holder;
    }
}

static void model_cancelled(struct model *m, uint64_t id, struct expected_actions *expected)
{
    struct model_task *task = find(m, id);
    if (!task || task->cancelled)
        return;
    if (task->place == HELD) {
        task->cancelled = true;
        expect(expected, SCHEDULER_CANCEL, id);
        expected->list[0].agent = task->holder;
    } else {
        expect(expected, SCHEDULER_DROP, id);
        end(m, task);
    }
}

static void model_added(struct model *m, const struct scheduler_event *e)
{
    struct model_task *task = &m->tasks[(uint32_t)e->task];
    if (task->place == NOWHERE)
        *task = (struct model_task){.place = QUEUED,
                                    .generation = (uint32_t)(e->task >> 32),
                                    .arrival = m->arrivals++,
                                    .limit = e->count,
                                    .holder = NO_AGENT,
                                    .avoid = NO_AGENT};
}

static void model_apply(struct model *m, const struct scheduler_event *e,
                        struct expected_actions *expected)
{
    struct model_task *task;
    switch (e->type) {
    case SCHEDULER_AGENT_JOINED:
        if (e->agent >= 0 && e->agent < AGENTS && !is_joined(m, e->agent) && e->count)
            m->agents[e->agent] = (struct model_agent){
                .joined = true, .workers = e->count, .stealing_from = NO_AGENT};
        break;
    case SCHEDULER_AGENT_WANTS:
        if (is_joined(m, e->agent))
            m->agents[e->agent].wants++;
        break;
    case SCHEDULER_AGENT_LOST:
        model_lost(m, e->agent, expected);
        break;
    case SCHEDULER_TASK_ADDED:
        model_added(m, e);
        break;
    case SCHEDULER_TASK_CANCELLED:
        model_cancelled(m, e->task, expected);
        break;
    case SCHEDULER_TASK_DONE:
        task = find(m, e->task);
        if (task) {
            expect(expected, SCHEDULER_ACCEPT, e->task);
            expected->list[0].agent = e->agent;
            end(m, task);
        }
        break;
    case SCHEDULER_TASK_CRASHED:
        model_crashed(m, e, expected);
        break;
    case SCHEDULER_TASK_MOVED:
        model_moved(m, e, expected);
        break;
    case SCHEDULER_STEAL_ENDED:
        if (is_joined(m, e->other) && e->agent >= 0 &&
            m->agents[e->other].stealing_from == e->agent) {
            m->agents[e->other].stealing_from = NO_AGENT;
            m->agents[e->other].wants -= e->count > 0;
        }
        break;
    case SCHEDULER_INPUT_ENDED:
        m->input_ended = true;
        break;
    }
}

/* ---- The comparison ---- */

static void compare(const struct model *m)
{
    const char *wrong = scheduler_check(m->scheduler);
    if (wrong)
        fail_msg("%s", wrong);
    struct scheduler_counts found = scheduler_counts(m->scheduler), wanted = count(m);
    if (found.queued != wanted.queued || found.held != wanted.held || found.ended != wanted.ended ||
        found.agents != wanted.agents || found.workers != wanted.workers)
        fail_msg("the counts differ from those of the model");
}

static bool same(const struct scheduler_action *found, const struct scheduler_action *wanted)
{
    return found->type == wanted->type && found->task == wanted->task &&
           found->agent == wanted->agent && found->crashes == wanted->crashes;
}

static void apply_event(struct model *m, struct scheduler_event event)
{
    struct expected_actions expected = {.count = 0};
    assert_int_equal(scheduler_apply(m->scheduler, &event, &m->actions), 0);
    model_apply(m, &event, &expected);
    if (m->actions.count != expected.count)
        fail_msg("event %d: %zu actions instead of %zu", (int)event.type, m->actions.count,
                 expected.count);
    for (size_t i = 0; i < expected.count; i++) { /* in any order after an agent is lost */
        size_t j = 0;
        while (j < expected.count && !same(&m->actions.list[j], &expected.list[i]))
            j++;
        if (j == expected.count)
            fail_msg("event %d: no action %d for task %llx", (int)event.type,
                     (int)expected.list[i].type, (unsigned long long)expected.list[i].task);
        /* Tasks wait in the order in which they were queued again. */
        if (event.type == SCHEDULER_AGENT_LOST && expected.list[i].type == SCHEDULER_REQUEUE)
            m->tasks[(uint32_t)expected.list[i].task].arrival = m->arrivals + j;
    }
    m->arrivals += SLOTS;
    m->actions.count = 0;
    compare(m);
}

/* ---- Decisions ---- */

struct chunk {
    int agent;
    uint32_t size, limit;
};

static void check_send(struct model *m, const struct scheduler_action *a, struct chunk *chunk,
                       unsigned *got_chunk)
{
    struct model_task *task = find(m, a->task);
    assert_true(is_joined(m, a->agent));
    assert_true(task && task->place != HELD && task->place != NOWHERE && !task->cancelled);
    assert_true(may_run_on(m, task, a->agent));
    for (int i = 0; i < SLOTS; i++) { /* tasks before it were not permitted for this agent */
        const struct model_task *other = &m->tasks[i];
        if ((other->place == task->place && other->arrival < task->arrival) ||
            (other->place == QUEUED && task->place == RETRYING))
            assert_false(may_run_on(m, other, a->agent));
    }
    if (chunk->agent != a->agent) {
        assert_false(*got_chunk & 1u << a->agent); /* one chunk per decision */
        assert_true(m->agents[a->agent].wants > 0 && m->agents[a->agent].stealing_from == NO_AGENT);
        m->agents[a->agent].wants--;
        *got_chunk |= 1u << a->agent;
        *chunk = (struct chunk){.agent = a->agent, .limit = UINT32_MAX};
    }
    if (task->limit && task->limit < chunk->limit)
        chunk->limit = task->limit;
    assert_true(++chunk->size <= chunk->limit);
    task->place = HELD;
    task->holder = a->agent;
    assert_int_equal(a->dispatch, ++task->dispatch);
    assert_int_equal(a->crashes, task->crashes);
}

static void check_steal(struct model *m, const struct scheduler_action *a)
{
    assert_true(is_joined(m, a->agent) && is_joined(m, a->other) && a->agent != a->other);
    struct model_agent *thief = &m->agents[a->other];
    assert_true(thief->wants > 0 && thief->stealing_from == NO_AGENT && !has_thief(m, a->agent));
    uint32_t held = held_by(m, a->agent), workers = m->agents[a->agent].workers;
    assert_true(held > workers && a->count > 0 && a->count <= held - workers);
    thief->stealing_from = a->agent;
}

static void decide(struct model *m)
{
    struct chunk chunk = {.agent = NO_AGENT};
    unsigned got_chunk = 0;
    assert_int_equal(scheduler_decide(m->scheduler, &m->actions), 0);
    for (size_t i = 0; i < m->actions.count; i++) {
        const struct scheduler_action *a = &m->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            check_send(m, a, &chunk, &got_chunk);
            break;
        case SCHEDULER_STEAL:
            chunk.agent = NO_AGENT;
            check_steal(m, a);
            break;
        case SCHEDULER_FINISHED:
            assert_true(m->input_ended && !m->finished);
            m->finished = true;
            break;
        case SCHEDULER_REQUEUE:
        case SCHEDULER_ACCEPT:
        case SCHEDULER_GIVE_UP:
        case SCHEDULER_DROP:
        case SCHEDULER_CANCEL:
            fail_msg("action %d is not an action of a decision", (int)a->type);
        }
    }
    m->actions.count = 0;
    struct scheduler_counts counts = count(m);
    assert_int_equal(m->finished, m->input_ended && !counts.queued && !counts.held);
    /* No agent is left waiting for a task that it may run. */
    for (int agent = 0; agent < AGENTS; agent++)
        for (int i = 0; i < SLOTS; i++)
            if (m->agents[agent].wants && m->agents[agent].stealing_from == NO_AGENT &&
                !(got_chunk & 1u << agent) && m->tasks[i].place != NOWHERE &&
                m->tasks[i].place != HELD)
                assert_false(may_run_on(m, &m->tasks[i], agent));
    compare(m);
}

/* ---- Sequences ---- */

/* Any event, with numbers that fit together only by chance. */
static struct scheduler_event random_event(const struct model *m)
{
    int slot = (int)random_below(SLOTS);
    struct scheduler_event event = {
        .type = (enum scheduler_event_type)random_below(SCHEDULER_INPUT_ENDED),
        .agent = (int)random_below(AGENTS + 2) - 1,
        .other = (int)random_below(AGENTS + 2) - 1,
        .count = random_below(3),
        .task = id_of(m, slot),
        .dispatch = random_below(3)};
    if (!random_below(4))
        event.task += UINT64_C(1) << 32;
    if (!random_below(8))
        event.task += SLOTS;
    if (event.type == SCHEDULER_TASK_ADDED)
        event.task = id_of(m, slot);
    return event;
}

/* A report that the holder of this task could send. */
static struct scheduler_event likely_event(const struct model *m, int slot)
{
    const struct model_task *task = &m->tasks[slot];
    static const enum scheduler_event_type types[] = {SCHEDULER_TASK_DONE, SCHEDULER_TASK_CRASHED,
                                                      SCHEDULER_TASK_MOVED, SCHEDULER_TASK_MOVED};
    struct scheduler_event event = {.type = types[random_below(4)],
                                    .agent = task->holder,
                                    .other = (int)random_below(AGENTS),
                                    .task = id_of(m, slot),
                                    .dispatch = task->dispatch};
    if (event.type == SCHEDULER_TASK_MOVED && !random_below(3))
        event.agent = (int)random_below(AGENTS); /* a later holder, whose report arrives first */
    return event;
}

static void step(struct model *m)
{
    int slot = (int)random_below(SLOTS), agent = (int)random_below(AGENTS);
    struct scheduler_event event = {.agent = agent, .other = agent, .task = id_of(m, slot)};
    switch (random_below(8)) {
    case 0:
    case 1:
        event.type = SCHEDULER_TASK_ADDED;
        event.count = random_below(2) * random_below(4);
        break;
    case 2:
    case 3:
        event.type = SCHEDULER_AGENT_WANTS;
        break;
    case 4:
        if (m->tasks[slot].place != HELD)
            return;
        event = likely_event(m, slot);
        break;
    case 5:
        event.agent = m->agents[agent].stealing_from;
        event.type = SCHEDULER_STEAL_ENDED;
        event.count = random_below(3);
        if (event.agent == NO_AGENT)
            return;
        break;
    case 6:
        event.type = random_below(3) ? SCHEDULER_AGENT_JOINED : SCHEDULER_TASK_CANCELLED;
        event.count = random_below(4);
        break;
    case 7:
        event = random_event(m);
        break;
    }
    if (event.type != SCHEDULER_TASK_ADDED || !m->input_ended)
        apply_event(m, event);
}

/* Ends the input, and lets the agents do all remaining tasks. */
static void run_to_the_end(struct model *m)
{
    apply_event(m, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
    apply_event(m,
                (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED, .agent = 0, .count = 1});
    apply_event(m,
                (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED, .agent = 1, .count = 1});
    for (int round = 0; !m->finished; round++) {
        assert_true(round < 10 * SLOTS);
        for (int i = 0; i < AGENTS; i++) {
            struct scheduler_event ended = {.type = SCHEDULER_STEAL_ENDED, .other = i};
            ended.agent = m->agents[i].stealing_from;
            if (ended.agent != NO_AGENT)
                apply_event(m, ended);
            apply_event(m, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS, .agent = i});
        }
        decide(m);
        for (int i = 0; i < SLOTS; i++) {
            struct scheduler_event event = likely_event(m, i);
            if (event.type == SCHEDULER_TASK_MOVED)
                event.type = SCHEDULER_TASK_DONE;
            if (m->tasks[i].place == HELD)
                apply_event(m, event);
        }
    }
    decide(m); /* FINISHED is given once */
}

static void run(struct model *m, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
    struct scheduler_actions actions = m->actions;
    *m = (struct model){.actions = actions, .scheduler = scheduler_new(AGENTS, ATTEMPTS)};
    assert_non_null(m->scheduler);
    for (int i = 0; i < AGENTS; i++)
        m->agents[i].stealing_from = NO_AGENT;
    uint32_t steps = 4 + random_below(40);
    for (uint32_t i = 0; i < steps; i++) {
        step(m);
        if (random_below(2))
            decide(m);
    }
    run_to_the_end(m);
    scheduler_free(m->scheduler);
}

static void random_sequences(void **state)
{
    struct model m = {.ended = 0};
    for (long seed = 1; seed <= *(long *)*state; seed++)
        run(&m, (uint64_t)seed);
    scheduler_actions_release(&m.actions);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 10000;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(random_sequences, &count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
