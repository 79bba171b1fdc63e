/* SPDX-License-Identifier: MIT */
/*
 * Tests the scheduler in random runs of a small pool: tasks are done, crash, move and are
 * cancelled, and agents are lost, in all orders in which messages can arrive. After each step the
 * scheduler's own check runs, and its actions are compared with the state of the pool: each task
 * ends exactly once, attempts are limited, nothing is sent to lost agents, cancelled tasks are not
 * sent, and the end is reported once.
 *
 *     test_scheduler_random [RUNS]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler.h"

enum { AGENTS = 4, TASKS = 8, INBOX = 512, ATTEMPTS = 3 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 16) % limit);
}

/* A message on its way. */
struct note {
    struct scheduler_event event;
    bool to_agent;
    enum { NOTE_TASK, NOTE_STEAL, NOTE_CANCEL, NOTE_REPORT } kind;
};

struct channel {
    struct note notes[INBOX];
    int first, last;
};

struct random_pool {
    struct scheduler *scheduler;
    int held_count[AGENTS];
    bool alive[AGENTS], asked[AGENTS];
    bool told_lost[AGENTS]; /* the scheduler was told; before that it still sends to them */
    int ends[TASKS], crashes[TASKS], sent[TASKS], added;
    bool cancelled[TASKS]; /* the scheduler was told */
    bool input_ended, finished;
    /* The members from here on are not cleared by memset for a new run. */
    struct channel down[AGENTS], up[AGENTS], across[AGENTS][AGENTS];
    struct scheduler_event held[AGENTS][TASKS * 8];
    struct scheduler_actions actions;
};

static void post(struct channel *channel, struct note note)
{
    assert_true(channel->last < INBOX);
    channel->notes[channel->last++] = note;
}

static void end_task(struct random_pool *pool, uint64_t task)
{
    pool->ends[task]++;
    assert_int_equal(pool->ends[task], 1);
}

static void carry_out(struct random_pool *pool)
{
    for (size_t i = 0; i < pool->actions.count; i++) {
        const struct scheduler_action *a = &pool->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            assert_false(pool->told_lost[a->agent] || pool->cancelled[a->task] ||
                         pool->ends[a->task]);
            pool->sent[a->task]++;
            assert_int_equal(a->dispatch, pool->sent[a->task]);
            post(&pool->down[a->agent],
                 (struct note){.kind = NOTE_TASK,
                               .event = {.task = a->task, .dispatch = a->dispatch}});
            break;
        case SCHEDULER_STEAL:
            assert_false(pool->told_lost[a->agent] || pool->told_lost[a->other]);
            assert_true(a->agent != a->other && a->count > 0);
            post(
                &pool->down[a->agent],
                (struct note){.kind = NOTE_STEAL, .event = {.other = a->other, .count = a->count}});
            break;
        case SCHEDULER_CANCEL:
            assert_false(pool->told_lost[a->agent] || pool->ends[a->task]);
            assert_true(pool->cancelled[a->task]);
            post(&pool->down[a->agent],
                 (struct note){.kind = NOTE_CANCEL, .event = {.task = a->task}});
            break;
        case SCHEDULER_DROP:
            assert_true(pool->cancelled[a->task]);
            end_task(pool, a->task);
            break;
        case SCHEDULER_GIVE_UP:
            assert_true(a->crashes == ATTEMPTS || pool->cancelled[a->task]);
            assert_true((int)a->crashes <= pool->crashes[a->task]);
            end_task(pool, a->task);
            break;
        case SCHEDULER_ACCEPT:
            end_task(pool, a->task);
            break;
        case SCHEDULER_REQUEUE:
            break;
        case SCHEDULER_FINISHED:
            assert_false(pool->finished);
            pool->finished = true;
            break;
        }
    }
    pool->actions.count = 0;
}

static void apply_event(struct random_pool *pool, struct scheduler_event event)
{
    assert_int_equal(scheduler_apply(pool->scheduler, &event, &pool->actions), 0);
    carry_out(pool);
    const char *wrong = scheduler_check(pool->scheduler);
    if (wrong)
        fail_msg("%s", wrong);
}

static void report(struct random_pool *pool, int agent, struct scheduler_event event)
{
    event.agent = agent;
    post(&pool->up[agent], (struct note){.kind = NOTE_REPORT, .event = event});
}

/* A cancelled task ends at its agent, unless the agent does not hold it any more. */
static void drop_held(struct random_pool *pool, int agent, uint64_t task)
{
    for (int i = 0; i < pool->held_count[agent]; i++) {
        if (pool->held[agent][i].task != task)
            continue;
        struct scheduler_event event = pool->held[agent][i];
        memmove(&pool->held[agent][i], &pool->held[agent][i + 1],
                (size_t)(--pool->held_count[agent] - i) * sizeof event);
        event.type = SCHEDULER_TASK_DONE;
        report(pool, agent, event);
        return;
    }
}

static void receive_note(struct random_pool *pool, int agent, const struct note *note)
{
    if (note->kind == NOTE_TASK) {
        pool->held[agent][pool->held_count[agent]++] = note->event;
        pool->asked[agent] = false;
        return;
    }
    if (note->kind == NOTE_CANCEL) {
        drop_held(pool, agent, note->event.task);
        return;
    }
    int thief = note->event.other;
    uint32_t moved = 0;
    for (; moved < note->event.count && pool->held_count[agent] > 1; moved++) {
        struct scheduler_event task = pool->held[agent][--pool->held_count[agent]];
        post(&pool->across[agent][thief], (struct note){.kind = NOTE_TASK, .event = task});
        task.type = SCHEDULER_TASK_MOVED;
        task.other = thief;
        report(pool, agent, task);
    }
    report(pool, agent,
           (struct scheduler_event){.type = SCHEDULER_STEAL_ENDED, .other = thief, .count = moved});
}

static bool next_note(struct channel *channel, struct note *note)
{
    if (channel->first == channel->last)
        return false;
    *note = channel->notes[channel->first++];
    return true;
}

static void run_one_task(struct random_pool *pool, int agent)
{
    if (!pool->held_count[agent])
        return;
    struct scheduler_event task = pool->held[agent][0];
    memmove(pool->held[agent], pool->held[agent] + 1,
            (size_t)--pool->held_count[agent] * sizeof *pool->held[agent]);
    task.type = random_below(8) ? SCHEDULER_TASK_DONE : SCHEDULER_TASK_CRASHED;
    if (task.type == SCHEDULER_TASK_CRASHED)
        pool->crashes[task.task]++;
    report(pool, agent, task);
}

static void step_pool(struct random_pool *pool, int step)
{
    if (random_below(3)) { /* several events can precede a decision */
        assert_int_equal(scheduler_decide(pool->scheduler, &pool->actions), 0);
        carry_out(pool);
    }
    int agent = (int)random_below(AGENTS);
    struct note note;
    switch (random_below(8)) {
    case 0:
        if (pool->added < TASKS)
            apply_event(pool, (struct scheduler_event){.type = SCHEDULER_TASK_ADDED,
                                                       .task = (uint64_t)pool->added++});
        else if (!pool->input_ended) {
            pool->input_ended = true;
            apply_event(pool, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
        }
        break;
    case 1:
        if (pool->alive[agent] && next_note(&pool->down[agent], &note))
            receive_note(pool, agent, &note);
        break;
    case 2:
        if (next_note(&pool->up[agent], &note))
            apply_event(pool, note.event);
        break;
    case 3:
        for (int from = 0; from < AGENTS; from++)
            if (next_note(&pool->across[from][agent], &note) && pool->alive[agent])
                receive_note(pool, agent, &note);
        break;
    case 4:
        if (pool->alive[agent])
            run_one_task(pool, agent);
        break;
    case 5:
        if (pool->alive[agent] && !pool->asked[agent] && pool->held_count[agent] < 2) {
            pool->asked[agent] = true;
            report(pool, agent, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS});
        }
        break;
    case 7:
        if (pool->added && !random_below(10)) {
            uint64_t task = random_below((uint32_t)pool->added);
            pool->cancelled[task] = true;
            apply_event(pool,
                        (struct scheduler_event){.type = SCHEDULER_TASK_CANCELLED, .task = task});
            if (!random_below(4)) /* an unknown id: must have no effect */
                apply_event(pool, (struct scheduler_event){.type = SCHEDULER_TASK_DONE,
                                                           .agent = agent,
                                                           .task = task | UINT64_C(1) << 40});
        }
        break;
    case 6: /* lose an agent other than agent 0; some of its last messages still arrive */
        if (agent && pool->alive[agent] && step > 20 && !random_below(60)) {
            pool->alive[agent] = false;
            while (random_below(4) && next_note(&pool->up[agent], &note))
                apply_event(pool, note.event);
            pool->up[agent].first = pool->up[agent].last;
            pool->told_lost[agent] = true;
            apply_event(pool,
                        (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = agent});
        }
        break;
    }
}

static void run_pool(struct random_pool *pool, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
    memset(pool, 0, offsetof(struct random_pool, down));
    for (int i = 0; i < AGENTS; i++) {
        pool->down[i].first = pool->down[i].last = pool->up[i].first = pool->up[i].last = 0;
        for (int j = 0; j < AGENTS; j++)
            pool->across[i][j].first = pool->across[i][j].last = 0;
    }
    pool->scheduler = scheduler_new(AGENTS, ATTEMPTS);
    assert_non_null(pool->scheduler);
    for (int i = 0; i < AGENTS; i++) {
        pool->alive[i] = true;
        apply_event(pool, (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED,
                                                   .agent = i,
                                                   .count = 1 + (uint32_t)i % 2});
    }
    int step = 0;
    for (; !pool->finished && step < 200000; step++)
        step_pool(pool, step);
    if (!pool->finished)
        fail_msg("run %d does not end", (int)seed);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(pool->ends[i], 1);
    assert_int_equal(scheduler_decide(pool->scheduler, &pool->actions), 0);
    assert_int_equal(pool->actions.count, 0); /* FINISHED is given once */
    scheduler_free(pool->scheduler);
}

static void random_runs(void **state)
{
    struct random_pool *pool = calloc(1, sizeof *pool);
    assert_non_null(pool);
    for (long seed = 1; seed <= *(long *)*state; seed++)
        run_pool(pool, (uint64_t)seed);
    scheduler_actions_release(&pool->actions);
    free(pool);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 10000;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(random_runs, &count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
