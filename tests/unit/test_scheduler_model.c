/*
 * The scheduler beside a model of it that is as plain as can be: arrays of tasks and of agents, no
 * lists, no heap. Random sequences of events, likely ones and impossible ones (duplicates, unknown
 * ids, stale handings-out, late results, moves in any order, agents lost, back, or without
 * workers), are given to both. After every event the scheduler's answer must be the one the model
 * foretells, after every decision what it decided must be permitted, and nothing it should have
 * done be left; the books are verified, and their counts compared. Every sequence is then led to
 * its end, which must be told once.
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

enum { AGENTS = 4, SLOTS = 6, ATTEMPTS = 2, MOVES = 64, NOBODY = -1 };

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
    uint32_t generation, handout, crashes, limit;
    uint64_t arrival; /* order in its queue */
    int holder, avoid;
    bool cancelled;
    struct {
        int from, to;
    } early[MOVES]; /* moves told before the one that led to their first agent */
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

/* ---- What is so ---- */

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

static bool there(const struct model *m, int agent)
{
    return agent >= 0 && agent < AGENTS && m->agents[agent].joined;
}

static bool robbed(const struct model *m, int victim)
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

static bool may_have(const struct model *m, const struct model_task *task, int agent)
{
    return task->avoid != agent || count(m).agents < 2;
}

/* ---- What must follow an event ---- */

struct answers {
    struct scheduler_action list[SLOTS];
    size_t count;
};

static void foretell(struct answers *answers, enum scheduler_action_type type, uint64_t id)
{
    answers->list[answers->count++] = (struct scheduler_action){.type = type, .task = id};
}

static void end(struct model *m, struct model_task *task)
{
    *task = (struct model_task){.generation = task->generation + 1};
    m->ended++;
}

/* It is with nobody: it waits again, or is not wanted any more. */
static void back(struct model *m, int slot, enum place place, struct answers *answers)
{
    struct model_task *task = &m->tasks[slot];
    foretell(answers, task->cancelled ? SCHEDULER_DROP : SCHEDULER_REQUEUE, id_of(m, slot));
    if (task->cancelled) {
        end(m, task);
        return;
    }
    task->place = place;
    task->holder = NOBODY;
    task->early_count = 0;
    task->arrival = m->arrivals++;
}

static void model_lost(struct model *m, int agent, struct answers *answers)
{
    if (!there(m, agent))
        return;
    m->agents[agent] = (struct model_agent){.stealing_from = NOBODY};
    for (int i = 0; i < AGENTS; i++)
        if (m->agents[i].stealing_from == agent)
            m->agents[i].stealing_from = NOBODY;
    for (int i = 0; i < SLOTS; i++)
        if (m->tasks[i].place == HELD && m->tasks[i].holder == agent)
            back(m, i, QUEUED, answers);
}

static void model_crashed(struct model *m, const struct scheduler_event *e, struct answers *answers)
{
    struct model_task *task = find(m, e->task);
    if (!task || task->place != HELD || task->handout != e->handout)
        return;
    task->crashes++;
    if (task->crashes == ATTEMPTS || task->cancelled) {
        foretell(answers, SCHEDULER_GIVE_UP, e->task);
        answers->list[0].agent = e->agent;
        answers->list[0].crashes = task->crashes;
        end(m, task);
        return;
    }
    task->avoid = e->agent;
    back(m, (int)(uint32_t)e->task, RETRYING, answers);
}

static void model_moved(struct model *m, const struct scheduler_event *e, struct answers *answers)
{
    struct model_task *task = find(m, e->task);
    if (!task || task->place != HELD || task->handout != e->handout || !there(m, e->agent) ||
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
    if (!there(m, task->holder)) {
        back(m, (int)(uint32_t)e->task, QUEUED, answers);
    } else if (task->cancelled) {
        foretell(answers, SCHEDULER_CANCEL, e->task);
        answers->list[0].agent = task->holder;
    }
}

static void model_cancelled(struct model *m, uint64_t id, struct answers *answers)
{
    struct model_task *task = find(m, id);
    if (!task || task->cancelled)
        return;
    if (task->place == HELD) {
        task->cancelled = true;
        foretell(answers, SCHEDULER_CANCEL, id);
        answers->list[0].agent = task->holder;
    } else {
        foretell(answers, SCHEDULER_DROP, id);
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
                                    .holder = NOBODY,
                                    .avoid = NOBODY};
}

static void model_apply(struct model *m, const struct scheduler_event *e, struct answers *answers)
{
    struct model_task *task;
    switch (e->type) {
    case SCHEDULER_AGENT_JOINED:
        if (e->agent >= 0 && e->agent < AGENTS && !there(m, e->agent) && e->count)
            m->agents[e->agent] =
                (struct model_agent){.joined = true, .workers = e->count, .stealing_from = NOBODY};
        break;
    case SCHEDULER_AGENT_WANTS:
        if (there(m, e->agent))
            m->agents[e->agent].wants++;
        break;
    case SCHEDULER_AGENT_LOST:
        model_lost(m, e->agent, answers);
        break;
    case SCHEDULER_TASK_ADDED:
        model_added(m, e);
        break;
    case SCHEDULER_TASK_CANCELLED:
        model_cancelled(m, e->task, answers);
        break;
    case SCHEDULER_TASK_DONE:
        task = find(m, e->task);
        if (task) {
            foretell(answers, SCHEDULER_ACCEPT, e->task);
            answers->list[0].agent = e->agent;
            end(m, task);
        }
        break;
    case SCHEDULER_TASK_CRASHED:
        model_crashed(m, e, answers);
        break;
    case SCHEDULER_TASK_MOVED:
        model_moved(m, e, answers);
        break;
    case SCHEDULER_STEAL_ENDED:
        if (there(m, e->other) && e->agent >= 0 && m->agents[e->other].stealing_from == e->agent) {
            m->agents[e->other].stealing_from = NOBODY;
            m->agents[e->other].wants -= e->count > 0;
        }
        break;
    case SCHEDULER_INPUT_ENDED:
        m->input_ended = true;
        break;
    }
}

/* ---- Both together ---- */

static void compare(const struct model *m)
{
    const char *wrong = scheduler_check(m->scheduler);
    if (wrong)
        fail_msg("%s", wrong);
    struct scheduler_counts is = scheduler_counts(m->scheduler), should = count(m);
    if (is.queued != should.queued || is.held != should.held || is.ended != should.ended ||
        is.agents != should.agents || is.workers != should.workers)
        fail_msg("the counts are not the model's");
}

static bool same(const struct scheduler_action *is, const struct scheduler_action *should)
{
    return is->type == should->type && is->task == should->task && is->agent == should->agent &&
           is->crashes == should->crashes;
}

static void tell(struct model *m, struct scheduler_event event)
{
    struct answers answers = {.count = 0};
    assert_int_equal(scheduler_apply(m->scheduler, &event, &m->actions), 0);
    model_apply(m, &event, &answers);
    if (m->actions.count != answers.count)
        fail_msg("event %d: %zu answers instead of %zu", (int)event.type, m->actions.count,
                 answers.count);
    for (size_t i = 0; i < answers.count; i++) { /* of a lost agent's tasks in any order */
        size_t j = 0;
        while (j < answers.count && !same(&m->actions.list[j], &answers.list[i]))
            j++;
        if (j == answers.count)
            fail_msg("event %d: no answer %d for task %llx", (int)event.type,
                     (int)answers.list[i].type, (unsigned long long)answers.list[i].task);
        /* the order in which they wait is the order in which they were put back */
        if (event.type == SCHEDULER_AGENT_LOST && answers.list[i].type == SCHEDULER_REQUEUE)
            m->tasks[(uint32_t)answers.list[i].task].arrival = m->arrivals + j;
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
                       unsigned *served)
{
    struct model_task *task = find(m, a->task);
    assert_true(there(m, a->agent));
    assert_true(task && task->place != HELD && task->place != NOWHERE && !task->cancelled);
    assert_true(may_have(m, task, a->agent));
    for (int i = 0; i < SLOTS; i++) { /* none that came before it, or goes before it, may be next */
        const struct model_task *other = &m->tasks[i];
        if ((other->place == task->place && other->arrival < task->arrival) ||
            (other->place == QUEUED && task->place == RETRYING))
            assert_false(may_have(m, other, a->agent));
    }
    if (chunk->agent != a->agent) {
        assert_false(*served & 1u << a->agent); /* one chunk a decision */
        assert_true(m->agents[a->agent].wants > 0 && m->agents[a->agent].stealing_from == NOBODY);
        m->agents[a->agent].wants--;
        *served |= 1u << a->agent;
        *chunk = (struct chunk){.agent = a->agent, .limit = UINT32_MAX};
    }
    if (task->limit && task->limit < chunk->limit)
        chunk->limit = task->limit;
    assert_true(++chunk->size <= chunk->limit);
    task->place = HELD;
    task->holder = a->agent;
    assert_int_equal(a->handout, ++task->handout);
    assert_int_equal(a->crashes, task->crashes);
}

static void check_steal(struct model *m, const struct scheduler_action *a)
{
    assert_true(there(m, a->agent) && there(m, a->other) && a->agent != a->other);
    struct model_agent *thief = &m->agents[a->other];
    assert_true(thief->wants > 0 && thief->stealing_from == NOBODY && !robbed(m, a->agent));
    uint32_t held = held_by(m, a->agent), workers = m->agents[a->agent].workers;
    assert_true(held > workers && a->count > 0 && a->count <= held - workers);
    thief->stealing_from = a->agent;
}

static void decide(struct model *m)
{
    struct chunk chunk = {.agent = NOBODY};
    unsigned served = 0;
    assert_int_equal(scheduler_decide(m->scheduler, &m->actions), 0);
    for (size_t i = 0; i < m->actions.count; i++) {
        const struct scheduler_action *a = &m->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            check_send(m, a, &chunk, &served);
            break;
        case SCHEDULER_STEAL:
            chunk.agent = NOBODY;
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
            fail_msg("action %d is no decision", (int)a->type);
        }
    }
    m->actions.count = 0;
    struct scheduler_counts counts = count(m);
    assert_int_equal(m->finished, m->input_ended && !counts.queued && !counts.held);
    for (int agent = 0; agent < AGENTS; agent++) /* nobody waits beside work it may have */
        for (int i = 0; i < SLOTS; i++)
            if (m->agents[agent].wants && m->agents[agent].stealing_from == NOBODY &&
                !(served & 1u << agent) && m->tasks[i].place != NOWHERE &&
                m->tasks[i].place != HELD)
                assert_false(may_have(m, &m->tasks[i], agent));
    compare(m);
}

/* ---- Sequences ---- */

/* Anything at all: numbers that fit together only by chance. */
static struct scheduler_event nonsense(const struct model *m)
{
    int slot = (int)random_below(SLOTS);
    struct scheduler_event event = {
        .type = (enum scheduler_event_type)random_below(SCHEDULER_INPUT_ENDED),
        .agent = (int)random_below(AGENTS + 2) - 1,
        .other = (int)random_below(AGENTS + 2) - 1,
        .count = random_below(3),
        .task = id_of(m, slot),
        .handout = random_below(3)};
    if (!random_below(4))
        event.task += UINT64_C(1) << 32;
    if (!random_below(8))
        event.task += SLOTS;
    if (event.type == SCHEDULER_TASK_ADDED)
        event.task = id_of(m, slot);
    return event;
}

/* What an agent that has this task may report of it. */
static struct scheduler_event likely(const struct model *m, int slot)
{
    const struct model_task *task = &m->tasks[slot];
    static const enum scheduler_event_type types[] = {SCHEDULER_TASK_DONE, SCHEDULER_TASK_CRASHED,
                                                      SCHEDULER_TASK_MOVED, SCHEDULER_TASK_MOVED};
    struct scheduler_event event = {.type = types[random_below(4)],
                                    .agent = task->holder,
                                    .other = (int)random_below(AGENTS),
                                    .task = id_of(m, slot),
                                    .handout = task->handout};
    if (event.type == SCHEDULER_TASK_MOVED && !random_below(3))
        event.agent = (int)random_below(AGENTS); /* who may have had it a moment later */
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
        event = likely(m, slot);
        break;
    case 5:
        event.agent = m->agents[agent].stealing_from;
        event.type = SCHEDULER_STEAL_ENDED;
        event.count = random_below(3);
        if (event.agent == NOBODY)
            return;
        break;
    case 6:
        event.type = random_below(3) ? SCHEDULER_AGENT_JOINED : SCHEDULER_TASK_CANCELLED;
        event.count = random_below(4);
        break;
    case 7:
        event = nonsense(m);
        break;
    }
    if (event.type != SCHEDULER_TASK_ADDED || !m->input_ended)
        tell(m, event);
}

/* The input ends, and whoever is left does what there is. */
static void bring_to_an_end(struct model *m)
{
    tell(m, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
    tell(m, (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED, .agent = 0, .count = 1});
    tell(m, (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED, .agent = 1, .count = 1});
    for (int round = 0; !m->finished; round++) {
        assert_true(round < 10 * SLOTS);
        for (int i = 0; i < AGENTS; i++) {
            struct scheduler_event ended = {.type = SCHEDULER_STEAL_ENDED, .other = i};
            ended.agent = m->agents[i].stealing_from;
            if (ended.agent != NOBODY)
                tell(m, ended);
            tell(m, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS, .agent = i});
        }
        decide(m);
        for (int i = 0; i < SLOTS; i++) {
            struct scheduler_event event = likely(m, i);
            if (event.type == SCHEDULER_TASK_MOVED)
                event.type = SCHEDULER_TASK_DONE;
            if (m->tasks[i].place == HELD)
                tell(m, event);
        }
    }
    decide(m); /* it is told once */
}

static void run(struct model *m, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
    struct scheduler_actions actions = m->actions;
    *m = (struct model){.actions = actions, .scheduler = scheduler_new(AGENTS, ATTEMPTS)};
    assert_non_null(m->scheduler);
    for (int i = 0; i < AGENTS; i++)
        m->agents[i].stealing_from = NOBODY;
    uint32_t steps = 4 + random_below(40);
    for (uint32_t i = 0; i < steps; i++) {
        step(m);
        if (random_below(2))
            decide(m);
    }
    bring_to_an_end(m);
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
