/*
 * The scheduler in random worlds: a few agents with everything between them in flight, tasks that
 * are done, crash, move and are cancelled, agents that are lost, in every order that the channels
 * allow. After each step the books are verified and what has been decided is held against what the
 * world knows: each task ends exactly once, attempts are bounded, nothing is sent to the lost, what
 * is cancelled is not handed out, and the end is told once.
 *
 *     test_scheduler_random [WORLDS]
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

struct note { /* a message on its way */
    struct scheduler_event event;
    bool to_agent;
    enum { NOTE_TASK, NOTE_STEAL, NOTE_CANCEL, NOTE_REPORT } kind;
};

struct channel {
    struct note notes[INBOX];
    int first, last;
};

struct world {
    struct scheduler *scheduler;
    int held_count[AGENTS];
    bool alive[AGENTS], asked[AGENTS];
    bool told_lost[AGENTS]; /* the scheduler knows; dead ones it does not know of are still sent to
                             */
    int ends[TASKS], crashes[TASKS], sent[TASKS], added;
    bool cancelled[TASKS]; /* and the scheduler knows */
    bool input_ended, finished;
    /* From here on it is not cleared for a new world, or piece by piece. */
    struct channel down[AGENTS], up[AGENTS], across[AGENTS][AGENTS];
    struct scheduler_event held[AGENTS][TASKS * 8];
    struct scheduler_actions actions;
};

static void post(struct channel *channel, struct note note)
{
    assert_true(channel->last < INBOX);
    channel->notes[channel->last++] = note;
}

static void end_task(struct world *w, uint64_t task)
{
    w->ends[task]++;
    assert_int_equal(w->ends[task], 1);
}

static void carry_out(struct world *w)
{
    for (size_t i = 0; i < w->actions.count; i++) {
        const struct scheduler_action *a = &w->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            assert_false(w->told_lost[a->agent] || w->cancelled[a->task] || w->ends[a->task]);
            w->sent[a->task]++;
            assert_int_equal(a->handout, w->sent[a->task]);
            post(&w->down[a->agent],
                 (struct note){.kind = NOTE_TASK,
                               .event = {.task = a->task, .handout = a->handout}});
            break;
        case SCHEDULER_STEAL:
            assert_false(w->told_lost[a->agent] || w->told_lost[a->other]);
            assert_true(a->agent != a->other && a->count > 0);
            post(
                &w->down[a->agent],
                (struct note){.kind = NOTE_STEAL, .event = {.other = a->other, .count = a->count}});
            break;
        case SCHEDULER_CANCEL:
            assert_false(w->told_lost[a->agent] || w->ends[a->task]);
            assert_true(w->cancelled[a->task]);
            post(&w->down[a->agent],
                 (struct note){.kind = NOTE_CANCEL, .event = {.task = a->task}});
            break;
        case SCHEDULER_DROP:
            assert_true(w->cancelled[a->task]);
            end_task(w, a->task);
            break;
        case SCHEDULER_GIVE_UP:
            assert_true(a->crashes == ATTEMPTS || w->cancelled[a->task]);
            assert_true((int)a->crashes <= w->crashes[a->task]);
            end_task(w, a->task);
            break;
        case SCHEDULER_ACCEPT:
            end_task(w, a->task);
            break;
        case SCHEDULER_REQUEUE:
            break;
        case SCHEDULER_FINISHED:
            assert_false(w->finished);
            w->finished = true;
            break;
        }
    }
    w->actions.count = 0;
}

static void tell(struct world *w, struct scheduler_event event)
{
    assert_int_equal(scheduler_apply(w->scheduler, &event, &w->actions), 0);
    carry_out(w);
    const char *wrong = scheduler_check(w->scheduler);
    if (wrong)
        fail_msg("%s", wrong);
}

static void report(struct world *w, int agent, struct scheduler_event event)
{
    event.agent = agent;
    post(&w->up[agent], (struct note){.kind = NOTE_REPORT, .event = event});
}

/* As an agent does: it drops what it has not begun, or ends it; or it has it no longer. */
static void drop_held(struct world *w, int agent, uint64_t task)
{
    for (int i = 0; i < w->held_count[agent]; i++) {
        if (w->held[agent][i].task != task)
            continue;
        struct scheduler_event event = w->held[agent][i];
        memmove(&w->held[agent][i], &w->held[agent][i + 1],
                (size_t)(--w->held_count[agent] - i) * sizeof event);
        event.type = SCHEDULER_TASK_DONE;
        report(w, agent, event);
        return;
    }
}

static void take_note(struct world *w, int agent, const struct note *note)
{
    if (note->kind == NOTE_TASK) {
        w->held[agent][w->held_count[agent]++] = note->event;
        w->asked[agent] = false;
        return;
    }
    if (note->kind == NOTE_CANCEL) {
        drop_held(w, agent, note->event.task);
        return;
    }
    int thief = note->event.other;
    uint32_t moved = 0;
    for (; moved < note->event.count && w->held_count[agent] > 1; moved++) {
        struct scheduler_event task = w->held[agent][--w->held_count[agent]];
        post(&w->across[agent][thief], (struct note){.kind = NOTE_TASK, .event = task});
        task.type = SCHEDULER_TASK_MOVED;
        task.other = thief;
        report(w, agent, task);
    }
    report(w, agent,
           (struct scheduler_event){.type = SCHEDULER_STEAL_ENDED, .other = thief, .count = moved});
}

static bool next_note(struct channel *channel, struct note *note)
{
    if (channel->first == channel->last)
        return false;
    *note = channel->notes[channel->first++];
    return true;
}

static void run_one(struct world *w, int agent)
{
    if (!w->held_count[agent])
        return;
    struct scheduler_event task = w->held[agent][0];
    memmove(w->held[agent], w->held[agent] + 1,
            (size_t)--w->held_count[agent] * sizeof *w->held[agent]);
    task.type = random_below(8) ? SCHEDULER_TASK_DONE : SCHEDULER_TASK_CRASHED;
    if (task.type == SCHEDULER_TASK_CRASHED)
        w->crashes[task.task]++;
    report(w, agent, task);
}

static void step_world(struct world *w, int step)
{
    if (random_below(3)) { /* several events may come before a decision */
        assert_int_equal(scheduler_decide(w->scheduler, &w->actions), 0);
        carry_out(w);
    }
    int agent = (int)random_below(AGENTS);
    struct note note;
    switch (random_below(8)) {
    case 0:
        if (w->added < TASKS)
            tell(w, (struct scheduler_event){.type = SCHEDULER_TASK_ADDED,
                                             .task = (uint64_t)w->added++});
        else if (!w->input_ended) {
            w->input_ended = true;
            tell(w, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
        }
        break;
    case 1:
        if (w->alive[agent] && next_note(&w->down[agent], &note))
            take_note(w, agent, &note);
        break;
    case 2:
        if (next_note(&w->up[agent], &note))
            tell(w, note.event);
        break;
    case 3:
        for (int from = 0; from < AGENTS; from++)
            if (next_note(&w->across[from][agent], &note) && w->alive[agent])
                take_note(w, agent, &note);
        break;
    case 4:
        if (w->alive[agent])
            run_one(w, agent);
        break;
    case 5:
        if (w->alive[agent] && !w->asked[agent] && w->held_count[agent] < 2) {
            w->asked[agent] = true;
            report(w, agent, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS});
        }
        break;
    case 7:
        if (w->added && !random_below(10)) {
            uint64_t task = random_below((uint32_t)w->added);
            w->cancelled[task] = true;
            tell(w, (struct scheduler_event){.type = SCHEDULER_TASK_CANCELLED, .task = task});
            if (!random_below(4)) /* nonsense that must change nothing */
                tell(w, (struct scheduler_event){.type = SCHEDULER_TASK_DONE,
                                                 .agent = agent,
                                                 .task = task | UINT64_C(1) << 40});
        }
        break;
    case 6: /* agent 0 lives; the others are lost now and then, their last words still arriving or
               not */
        if (agent && w->alive[agent] && step > 20 && !random_below(60)) {
            w->alive[agent] = false;
            while (random_below(4) && next_note(&w->up[agent], &note))
                tell(w, note.event);
            w->up[agent].first = w->up[agent].last;
            w->told_lost[agent] = true;
            tell(w, (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = agent});
        }
        break;
    }
}

static void live(struct world *w, uint64_t seed)
{
    random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
    memset(w, 0, offsetof(struct world, down));
    for (int i = 0; i < AGENTS; i++) {
        w->down[i].first = w->down[i].last = w->up[i].first = w->up[i].last = 0;
        for (int j = 0; j < AGENTS; j++)
            w->across[i][j].first = w->across[i][j].last = 0;
    }
    w->scheduler = scheduler_new(AGENTS, ATTEMPTS);
    assert_non_null(w->scheduler);
    for (int i = 0; i < AGENTS; i++) {
        w->alive[i] = true;
        tell(w, (struct scheduler_event){
                    .type = SCHEDULER_AGENT_JOINED, .agent = i, .count = 1 + (uint32_t)i % 2});
    }
    int step = 0;
    for (; !w->finished && step < 200000; step++)
        step_world(w, step);
    if (!w->finished)
        fail_msg("world %d does not come to an end", (int)seed);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(w->ends[i], 1);
    assert_int_equal(scheduler_decide(w->scheduler, &w->actions), 0);
    assert_int_equal(w->actions.count, 0); /* it is given once */
    scheduler_free(w->scheduler);
}

static void random_worlds(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (long seed = 1; seed <= *(long *)*state; seed++)
        live(w, (uint64_t)seed);
    scheduler_actions_release(&w->actions);
    free(w);
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 10000;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(random_worlds, &count)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
