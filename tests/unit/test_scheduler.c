/*
 * The scheduler as arrays of events in, actions out; the books are verified after every step.
 *
 * Steps are written as text, one step a line: events separated by ';', then one decision. Tasks are
 * numbers: slot 7 of generation 0 is 7, slot 7 of generation 2 is 7g2. join A W | want A | lost A |
 * add T | done T A | crash T A H | moved T VICTIM THIEF H | ended V T N | end and the actions
 * expected, in order: send A T/H | steal V->T N | requeue T | accept T | giveup T | finished
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler.h"

static uint64_t parse_task(const char *text)
{
    unsigned slot = 0, generation = 0;
    sscanf(text, "%ug%u", &slot, &generation);
    return (uint64_t)generation << 32 | slot;
}

static void print_task(uint64_t id, char *text, size_t size)
{
    if (id >> 32)
        snprintf(text, size, "%ug%u", (unsigned)id, (unsigned)(id >> 32));
    else
        snprintf(text, size, "%u", (unsigned)id);
}

static struct scheduler_event parse_event(const char *text)
{
    static const struct {
        const char *name;
        enum scheduler_event_type type;
    } names[] = {
        {"join", SCHEDULER_AGENT_JOINED}, {"want", SCHEDULER_AGENT_WANTS},
        {"lost", SCHEDULER_AGENT_LOST},   {"add", SCHEDULER_TASK_ADDED},
        {"done", SCHEDULER_TASK_DONE},    {"crash", SCHEDULER_TASK_CRASHED},
        {"moved", SCHEDULER_TASK_MOVED},  {"ended", SCHEDULER_STEAL_ENDED},
        {"end", SCHEDULER_INPUT_ENDED},
    };
    char word[4][24] = {"", "", "", ""};
    char name[24] = "";
    sscanf(text, " %23s %23s %23s %23s %23s", name, word[0], word[1], word[2], word[3]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i].name, name))
            continue;
        struct scheduler_event event = {.type = names[i].type, .agent = atoi(word[0])};
        switch (event.type) {
        case SCHEDULER_AGENT_JOINED:
            event.count = (uint32_t)atoi(word[1]);
            break;
        case SCHEDULER_TASK_ADDED:
        case SCHEDULER_TASK_DONE:
        case SCHEDULER_TASK_CRASHED:
            event.task = parse_task(word[0]);
            event.agent = atoi(word[1]);
            event.handout = (uint32_t)atoi(word[2]);
            break;
        case SCHEDULER_TASK_MOVED:
            event.task = parse_task(word[0]);
            event.agent = atoi(word[1]);
            event.other = atoi(word[2]);
            event.handout = (uint32_t)atoi(word[3]);
            break;
        case SCHEDULER_STEAL_ENDED:
            event.other = atoi(word[1]);
            event.count = (uint32_t)atoi(word[2]);
            break;
        case SCHEDULER_AGENT_WANTS:
        case SCHEDULER_AGENT_LOST:
        case SCHEDULER_INPUT_ENDED:
            break;
        }
        return event;
    }
    fail_msg("no such event: %s", text);
    return (struct scheduler_event){0};
}

static void print_actions(const struct scheduler_actions *actions, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < actions->count; i++) {
        const struct scheduler_action *a = &actions->list[i];
        char task[32];
        print_task(a->task, task, sizeof task);
        const char *gap = i ? " | " : "";
        switch (a->type) {
        case SCHEDULER_SEND:
            used += (size_t)snprintf(text + used, size - used, "%ssend %d %s/%u", gap, a->agent,
                                     task, a->handout);
            break;
        case SCHEDULER_STEAL:
            used += (size_t)snprintf(text + used, size - used, "%ssteal %d->%d %u", gap, a->agent,
                                     a->other, a->count);
            break;
        case SCHEDULER_REQUEUE:
            used += (size_t)snprintf(text + used, size - used, "%srequeue %s", gap, task);
            break;
        case SCHEDULER_ACCEPT:
            used += (size_t)snprintf(text + used, size - used, "%saccept %s", gap, task);
            break;
        case SCHEDULER_GIVE_UP:
            used += (size_t)snprintf(text + used, size - used, "%sgiveup %s", gap, task);
            break;
        case SCHEDULER_FINISHED:
            used += (size_t)snprintf(text + used, size - used, "%sfinished", gap);
            break;
        }
    }
}

struct step {
    const char *events, *actions;
};

static void run_steps(int agents, uint32_t attempts, const struct step *steps, size_t count)
{
    struct scheduler *s = scheduler_new(agents, attempts);
    struct scheduler_actions actions = {0};
    assert_non_null(s);
    for (size_t i = 0; i < count; i++) {
        char events[512], text[1024];
        snprintf(events, sizeof events, "%s", steps[i].events);
        actions.count = 0;
        char *rest = events;
        for (char *one; (one = strsep(&rest, ";"));) {
            struct scheduler_event event = parse_event(one);
            assert_int_equal(scheduler_apply(s, &event, &actions), 0);
        }
        assert_int_equal(scheduler_decide(s, &actions), 0);
        print_actions(&actions, text, sizeof text);
        if (strcmp(text, steps[i].actions))
            fail_msg("step %zu '%s': got '%s', wanted '%s'", i, steps[i].events, text,
                     steps[i].actions);
        const char *wrong = scheduler_check(s);
        if (wrong)
            fail_msg("step %zu '%s': %s", i, steps[i].events, wrong);
    }
    scheduler_actions_release(&actions);
    scheduler_free(s);
}

#define RUN(agents, attempts, ...)                                                                 \
    do {                                                                                           \
        const struct step steps[] = {__VA_ARGS__};                                                 \
        run_steps(agents, attempts, steps, sizeof steps / sizeof *steps);                          \
    } while (0)

static void one_agent(void **state)
{
    (void)state;
    RUN(1, 2, {"join 0 1;want 0", ""}, {"add 0", "send 0 0/1"}, {"add 1;add 2;add 3", ""},
        {"done 0 0;want 0", "accept 0 | send 0 1/1"}, {"done 1 0;want 0", "accept 1 | send 0 2/1"},
        {"end", ""}, {"done 2 0;want 0", "accept 2 | send 0 3/1"},
        {"done 3 0;want 0", "accept 3 | finished"}, {"want 0", ""});
}

static void nothing_at_all(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;want 0", ""}, {"end", "finished"}, {"end", ""});
}

/* Half of an even share, one task a worker at least. */
static void guided_chunks(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 1", ""}, {"add 0;add 1;add 2;add 3;add 4;add 5;add 6;add 7", ""},
        {"want 0", "send 0 0/1 | send 0 1/1"}, {"want 1", "send 1 2/1"}, {"want 1", "send 1 3/1"},
        {"want 0;want 1", "send 1 4/1 | send 0 5/1"});
}

/* The first to come does not take what those still starting are due. */
static void chunk_counts_absent_agents(void **state)
{
    (void)state;
    RUN(4, 2, {"join 0 1", ""}, {"add 0;add 1;add 2;add 3;add 4;add 5;add 6;add 7", ""},
        {"want 0", "send 0 0/1"});
}

static void more_workers_more_tasks(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 3;join 1 1", ""}, {"add 0;add 1;add 2;add 3;add 4;add 5;add 6;add 7", ""},
        {"want 0", "send 0 0/1 | send 0 1/1 | send 0 2/1"}, {"want 1", "send 1 3/1"});
}

static void steal_half(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;want 0;add 0;add 1;add 2;add 3", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"want 0", "send 0 2/1"}, {"want 0", "send 0 3/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, /* half of the three that are not running */
        {"want 0", ""},                      /* the victim is busy being robbed; nothing is left */
        {"moved 3 0 1 1;ended 0 1 1", ""}, {"done 3 1;want 1", "accept 3 | steal 0->1 1"},
        {"moved 2 0 1 1;ended 0 1 1;end", ""}, {"done 0 0;done 1 0", "accept 0 | accept 1"},
        {"done 2 1", "accept 2 | finished"});
}

/* What is about to run is no prey; a victim that had nothing is left alone until its books change.
 */
static void steal_comes_back_empty(void **state)
{
    (void)state;
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"join 2 1;want 2", ""}, {"ended 0 1 0", ""},
        {"done 0 0", "accept 0"}, {"done 1 0", "accept 1"});
}

/* The thief's next request may overtake the victim's report: it is not lost. */
static void request_overtakes_report(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"done 1 1;want 1", "accept 1"},
        {"moved 1 0 1 1;ended 0 1 1", ""}, {"add 2", "send 1 2/1"});
}

static void crash_retried_elsewhere_then_given_up(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 1;want 0;add 0", "send 0 0/1"},
        {"crash 0 0 1;want 0", "requeue 0"}, /* not to the one whose worker it has killed */
        {"want 1", "send 1 0/2"}, {"crash 0 1 2;want 1", "giveup 0"}, {"end", "finished"});
}

static void crash_retried_here_when_alone(void **state)
{
    (void)state;
    RUN(1, 2, {"join 0 1;want 0;add 0", "send 0 0/1"},
        {"crash 0 0 1;want 0", "requeue 0 | send 0 0/2"}, {"done 0 0", "accept 0"});
}

static void retries_come_last(void **state)
{
    (void)state;
    RUN(1, 2, {"join 0 1;want 0;add 0;add 1;add 2", "send 0 0/1"},
        {"crash 0 0 1;want 0", "requeue 0 | send 0 1/1"},
        {"done 1 0;want 0", "accept 1 | send 0 2/1"}, {"done 2 0;want 0", "accept 2 | send 0 0/2"});
}

static void one_attempt_only(void **state)
{
    (void)state;
    RUN(1, 1, {"join 0 1;want 0;add 0", "send 0 0/1"}, {"crash 0 0 1", "giveup 0"});
}

static void lost_agent(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 1;want 0;add 0;add 1;add 2", "send 0 0/1"},
        {"want 0", "send 0 1/1"}, {"lost 0", "requeue 0 | requeue 1"}, {"want 1", "send 1 2/1"},
        {"want 1", "send 1 0/2"}, {"want 1", "send 1 1/2"},
        {"done 0 0", "accept 0"}, /* a late result of the lost one counts: it is the first */
        {"done 0 1", ""},         /* and the second does not */
        {"want 0", ""}, {"done 1 1;done 2 1;end", "accept 1 | accept 2 | finished"});
}

static void lost_while_stealing(void **state)
{
    (void)state;
    /* the thief is lost: what was on its way to it comes back */
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"lost 1", ""}, {"moved 1 0 1 1", "requeue 1"},
        {"ended 0 1 1", ""}, {"join 2 1;want 2", "send 2 1/2"});
    /* the victim is lost: the thief may be served by others */
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"lost 0", "requeue 0 | requeue 1 | send 1 0/2"});
}

static void stale_reports_change_nothing(void **state)
{
    (void)state;
    RUN(2, 3, {"join 0 1;join 1 1;want 0;add 0", "send 0 0/1"}, {"crash 0 0 1", "requeue 0"},
        {"want 1", "send 1 0/2"}, {"crash 0 0 1", ""}, /* an attempt already counted */
        {"moved 0 0 1 1", ""}, {"done 5 0", ""}, {"done 0g1 0", ""}, {"ended 0 1 3", ""},
        {"done 0 1", "accept 0"}, {"done 0 1", ""}, {"add 0g1", ""}, {"done 0 1", ""},
        {"want 1", "send 1 0g1/1"});
}

/* ---- Random worlds ---- */

enum { AGENTS = 5, TASKS = 60, INBOX = 4096 };

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
    enum { NOTE_TASK, NOTE_STEAL, NOTE_REPORT } kind;
};

struct channel {
    struct note notes[INBOX];
    int first, last;
};

struct world {
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    struct channel down[AGENTS], up[AGENTS], across[AGENTS][AGENTS];
    struct scheduler_event held[AGENTS][TASKS * 8];
    int held_count[AGENTS];
    bool alive[AGENTS], asked[AGENTS];
    bool told_lost[AGENTS]; /* the scheduler knows; dead ones it does not know of are still sent to
                             */
    int ends[TASKS], crashes[TASKS], added;
    bool input_ended, finished;
};

static void post(struct channel *channel, struct note note)
{
    assert_true(channel->last < INBOX);
    channel->notes[channel->last++] = note;
}

static void carry_out(struct world *w)
{
    for (size_t i = 0; i < w->actions.count; i++) {
        const struct scheduler_action *a = &w->actions.list[i];
        switch (a->type) {
        case SCHEDULER_SEND:
            assert_false(w->told_lost[a->agent]);
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
        case SCHEDULER_ACCEPT:
        case SCHEDULER_GIVE_UP:
            w->ends[a->task]++;
            assert_int_equal(w->ends[a->task], 1);
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

static void take_note(struct world *w, int agent, const struct note *note)
{
    if (note->kind == NOTE_TASK) {
        w->held[agent][w->held_count[agent]++] = note->event;
        w->asked[agent] = false;
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
    switch (random_below(7)) {
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
    case 6: /* agent 0 lives; the others are lost now and then, their last words still arriving or
               not */
        if (agent && w->alive[agent] && step > 50 && !random_below(150)) {
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

static void random_worlds(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof *w);
    assert_non_null(w);
    for (uint64_t seed = 1; seed <= 300; seed++) {
        random_state = seed * UINT64_C(0x9E3779B97F4A7C15);
        memset(w, 0, sizeof *w);
        w->scheduler = scheduler_new(AGENTS, 3);
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
        scheduler_actions_release(&w->actions);
        scheduler_free(w->scheduler);
    }
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_agent),
        cmocka_unit_test(nothing_at_all),
        cmocka_unit_test(guided_chunks),
        cmocka_unit_test(chunk_counts_absent_agents),
        cmocka_unit_test(more_workers_more_tasks),
        cmocka_unit_test(steal_half),
        cmocka_unit_test(steal_comes_back_empty),
        cmocka_unit_test(request_overtakes_report),
        cmocka_unit_test(crash_retried_elsewhere_then_given_up),
        cmocka_unit_test(crash_retried_here_when_alone),
        cmocka_unit_test(retries_come_last),
        cmocka_unit_test(one_attempt_only),
        cmocka_unit_test(lost_agent),
        cmocka_unit_test(lost_while_stealing),
        cmocka_unit_test(stale_reports_change_nothing),
        cmocka_unit_test(random_worlds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
