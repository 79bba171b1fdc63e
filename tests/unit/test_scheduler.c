/* SPDX-License-Identifier: MIT */
/*
 * Tests of the scheduler: events in, actions out. After each step the scheduler's own check runs.
 *
 * A step is written as text: events separated by ';', which are followed by one decision, and the
 * expected actions in their order, separated by '|'. A (agent), W, T (task), D (dispatch number)
 * and N are numbers. Task 7 is slot 7 of generation 0, and 7g2 is slot 7 of generation 2.
 *
 *     join A W                    agent A joins with W workers
 *     want A                      agent A asks for tasks
 *     lost A                      agent A is lost
 *     add T [N]                   task T is added; at most N tasks in a chunk with it
 *     cancel T
 *     done T A
 *     crash T A D                 dispatch D of task T crashed its worker at agent A
 *     moved T VICTIM THIEF D
 *     ended VICTIM THIEF N        the steal has ended, N tasks moved
 *     end                         no more tasks will be added
 *
 *     send A T/D | steal VICTIM->THIEF N | requeue T | accept T | giveup T | drop T | cancel A T |
 *     finished
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
        {"end", SCHEDULER_INPUT_ENDED},   {"cancel", SCHEDULER_TASK_CANCELLED},
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
            event.task = parse_task(word[0]);
            event.count = (uint32_t)atoi(word[1]);
            break;
        case SCHEDULER_TASK_CANCELLED:
        case SCHEDULER_TASK_DONE:
        case SCHEDULER_TASK_CRASHED:
            event.task = parse_task(word[0]);
            event.agent = atoi(word[1]);
            event.dispatch = (uint32_t)atoi(word[2]);
            break;
        case SCHEDULER_TASK_MOVED:
            event.task = parse_task(word[0]);
            event.agent = atoi(word[1]);
            event.other = atoi(word[2]);
            event.dispatch = (uint32_t)atoi(word[3]);
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
                                     task, a->dispatch);
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
        case SCHEDULER_DROP:
            used += (size_t)snprintf(text + used, size - used, "%sdrop %s", gap, task);
            break;
        case SCHEDULER_CANCEL:
            used +=
                (size_t)snprintf(text + used, size - used, "%scancel %d %s", gap, a->agent, task);
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

static void no_tasks(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;want 0", ""}, {"end", "finished"}, {"end", ""});
}

/* A chunk is half of an even share, and at least one task per worker. */
static void guided_chunks(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 1", ""}, {"add 0;add 1;add 2;add 3;add 4;add 5;add 6;add 7", ""},
        {"want 0", "send 0 0/1 | send 0 1/1"}, {"want 1", "send 1 2/1"}, {"want 1", "send 1 3/1"},
        {"want 0;want 1", "send 1 4/1 | send 0 5/1"});
}

/* The first agent to join leaves tasks for those that have not joined yet. */
static void chunk_counts_absent_agents(void **state)
{
    (void)state;
    RUN(4, 2, {"join 0 1", ""}, {"add 0;add 1;add 2;add 3;add 4;add 5;add 6;add 7", ""},
        {"want 0", "send 0 0/1"});
}

static void agents_with_more_workers_get_more_tasks(void **state)
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
        {"join 1 1;want 1", "steal 0->1 1"}, /* half of the three that are not started */
        {"want 0", ""},                      /* the victim has a thief already */
        {"moved 3 0 1 1;ended 0 1 1", ""}, {"done 3 1;want 1", "accept 3 | steal 0->1 1"},
        {"moved 2 0 1 1;ended 0 1 1;end", ""}, {"done 0 0;done 1 0", "accept 0 | accept 1"},
        {"done 2 1", "accept 2 | finished"});
}

/* A task that the victim is about to run is not stolen. No other agent tries to steal from this
 * victim until its tasks change. */
static void steal_gets_nothing(void **state)
{
    (void)state;
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"join 2 1;want 2", ""}, {"ended 0 1 0", ""},
        {"done 0 0", "accept 0"}, {"done 1 0", "accept 1"});
}

/* The thief's next request can overtake the victim's report: it is not lost. */
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
        {"crash 0 0 1;want 0", "requeue 0"}, /* not sent to the agent whose worker it crashed */
        {"want 1", "send 1 0/2"}, {"crash 0 1 2;want 1", "giveup 0"}, {"end", "finished"});
}

static void crash_retried_on_the_only_agent(void **state)
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

/* The option retries may be large. */
static void more_attempts_than_16_bits_count(void **state)
{
    (void)state;
    enum { ATTEMPTS = 70000 };
    struct scheduler *s = scheduler_new(1, ATTEMPTS);
    struct scheduler_actions actions = {0};
    assert_non_null(s);
    assert_int_equal(
        scheduler_apply(s, &(struct scheduler_event){SCHEDULER_AGENT_JOINED, .count = 1}, &actions),
        0);
    assert_int_equal(
        scheduler_apply(s, &(struct scheduler_event){SCHEDULER_TASK_ADDED, .task = 0}, &actions),
        0);
    for (uint32_t attempt = 1; attempt <= ATTEMPTS; attempt++) {
        struct scheduler_event wants = {SCHEDULER_AGENT_WANTS, .agent = 0};
        struct scheduler_event crashed = {SCHEDULER_TASK_CRASHED, .dispatch = attempt};
        actions.count = 0;
        assert_int_equal(scheduler_apply(s, &wants, &actions), 0);
        assert_int_equal(scheduler_decide(s, &actions), 0);
        assert_int_equal(scheduler_apply(s, &crashed, &actions), 0);
        assert_int_equal(actions.count, 2);
        assert_int_equal(actions.list[0].type, SCHEDULER_SEND);
        assert_int_equal(actions.list[1].type,
                         attempt < ATTEMPTS ? SCHEDULER_REQUEUE : SCHEDULER_GIVE_UP);
    }
    assert_int_equal(actions.list[1].crashes, ATTEMPTS);
    scheduler_actions_release(&actions);
    scheduler_free(s);
}

static void lost_agent(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 1;want 0;add 0;add 1;add 2", "send 0 0/1"},
        {"want 0", "send 0 1/1"}, {"lost 0", "requeue 0 | requeue 1"}, {"want 1", "send 1 2/1"},
        {"want 1", "send 1 0/2"}, {"want 1", "send 1 1/2"},
        {"done 0 0", "accept 0"}, /* a late result of the lost agent is the first, and counts */
        {"done 0 1", ""},         /* the second one does not count */
        {"want 0", ""}, {"done 1 1;done 2 1;end", "accept 1 | accept 2 | finished"});
}

static void lost_while_stealing(void **state)
{
    (void)state;
    /* The thief is lost: tasks sent to it are queued again. */
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"lost 1", ""}, {"moved 1 0 1 1", "requeue 1"},
        {"ended 0 1 1", ""}, {"join 2 1;want 2", "send 2 1/2"});
    /* The victim is lost: the thief can get tasks from others. */
    RUN(3, 2, {"join 0 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"join 1 1;want 1", "steal 0->1 1"}, {"lost 0", "requeue 0 | requeue 1 | send 1 0/2"});
}

static void stale_reports_change_nothing(void **state)
{
    (void)state;
    RUN(2, 3, {"join 0 1;join 1 1;want 0;add 0", "send 0 0/1"}, {"crash 0 0 1", "requeue 0"},
        {"want 1", "send 1 0/2"}, {"crash 0 0 1", ""}, /* counted before */
        {"moved 0 0 1 1", ""}, {"done 5 0", ""}, {"done 0g1 0", ""}, {"ended 0 1 3", ""},
        {"done 0 1", "accept 0"}, {"done 0 1", ""}, {"add 0g1", ""}, {"done 0 1", ""},
        {"want 1", "send 1 0g1/1"});
}

static void cancelled_in_the_queue(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;add 0;add 1;add 2;cancel 1", "drop 1"}, {"cancel 1", ""},
        {"want 0", "send 0 0/1"}, {"done 0 0;want 0", "accept 0 | send 0 2/1"},
        {"done 2 0;end", "accept 2 | finished"});
}

static void cancelled_at_an_agent(void **state)
{
    (void)state;
    RUN(2, 3, {"join 0 1;add 0;add 1;want 0", "send 0 0/1"}, {"cancel 0", "cancel 0 0"},
        {"cancel 0", ""}, {"cancel 9", ""},
        {"end;want 0", "send 0 1/1"}, /* not finished before both have ended */
        {"done 1 0", "accept 1"}, {"crash 0 0 1", "giveup 0 | finished"});
}

static void cancelled_while_being_stolen(void **state)
{
    (void)state;
    RUN(3, 2, {"join 0 1;join 1 1;want 0;add 0;add 1;add 2", "send 0 0/1"},
        {"want 0", "send 0 1/1"}, {"want 0", "send 0 2/1"}, {"want 1", "steal 0->1 1"},
        {"cancel 2", "cancel 0 2"}, {"moved 2 0 1 1;ended 0 1 1", "cancel 1 2"},
        {"done 2 1", "accept 2"});
    /* The thief is lost before it gets the task. */
    RUN(3, 2, {"join 0 1;join 1 1;want 0;add 0;add 1", "send 0 0/1"}, {"want 0", "send 0 1/1"},
        {"want 1", "steal 0->1 1"}, {"lost 1", ""}, {"cancel 1", "cancel 0 1"},
        {"moved 1 0 1 1", "drop 1"});
}

static void cancelled_with_a_lost_agent(void **state)
{
    (void)state;
    RUN(3, 2, {"join 0 1;join 1 1;add 0;want 0", "send 0 0/1"}, {"cancel 0", "cancel 0 0"},
        {"lost 0", "drop 0"}, {"done 0 0", ""}, {"end", "finished"});
}

static void chunks_are_limited(void **state)
{
    (void)state;
    RUN(1, 2, {"join 0 4;add 0 2;add 1 2;add 2;add 3;add 4;want 0", "send 0 0/1 | send 0 1/1"},
        {"want 0", "send 0 2/1 | send 0 3/1 | send 0 4/1"},
        {"add 5;add 6 1;add 7;want 0", "send 0 5/1"}, {"want 0", "send 0 6/1"},
        {"want 0", "send 0 7/1"});
}

/* It gets no tasks, and is not counted when chunk sizes are computed. */
static void an_agent_without_workers_gets_nothing(void **state)
{
    (void)state;
    RUN(2, 2, {"join 0 1;join 1 0;add 0;want 1", ""}, {"lost 1", ""}, {"want 0", "send 0 0/1"},
        {"add 1;add 2;add 3;add 4;want 0", "send 0 1/1 | send 0 2/1"});
    RUN(2, 2, {"lost 1;join 0 1;add 0;add 1;add 2;add 3;want 0", "send 0 0/1 | send 0 1/1"});
    RUN(2, 2, {"join 0 1;join 1 0;want 0;add 0", "send 0 0/1"},
        {"crash 0 0 1;want 0", "requeue 0 | send 0 0/2"}, {"moved 0 0 1 2", "requeue 0"});
}

static void two_requests_get_two_chunks(void **state)
{
    (void)state;
    RUN(1, 2, {"join 0 1;want 0;want 0;add 0 1;add 1 1", "send 0 0/1"}, {"cancel 9", "send 0 1/1"},
        {"add 2", ""});
}

/* A task is stolen twice, and the report of the second steal arrives first. */
static void moves_reported_in_reverse_order(void **state)
{
    (void)state;
    RUN(4, 2, {"join 0 1;join 1 1;join 2 1;want 0;add 0", "send 0 0/1"}, {"moved 0 1 2 1", ""},
        {"moved 0 0 1 1", ""}, {"lost 1", ""}, {"cancel 0", "cancel 2 0"}, {"lost 2", "drop 0"});
    RUN(4, 2, {"join 0 1;join 1 1;join 2 1;join 3 1;want 0;add 0", "send 0 0/1"},
        {"moved 0 2 3 1;moved 0 1 2 1", ""}, {"lost 3", ""}, {"moved 0 0 1 1", "requeue 0"},
        {"want 1", "send 1 0/2"}, {"moved 0 1 2 2", ""}, {"lost 2", "requeue 0"});
    /* Reports about an earlier dispatch, and reports from a lost agent, have no effect. */
    RUN(3, 3, {"join 0 1;join 1 1;join 2 1;want 0;add 0", "send 0 0/1"},
        {"moved 0 1 2 1;crash 0 2 1", "requeue 0"}, {"want 0", "send 0 0/2"}, {"moved 0 0 1 2", ""},
        {"lost 2", ""}, {"moved 0 2 0 2;lost 1", "requeue 0"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_agent),
        cmocka_unit_test(no_tasks),
        cmocka_unit_test(guided_chunks),
        cmocka_unit_test(chunk_counts_absent_agents),
        cmocka_unit_test(agents_with_more_workers_get_more_tasks),
        cmocka_unit_test(steal_half),
        cmocka_unit_test(steal_gets_nothing),
        cmocka_unit_test(request_overtakes_report),
        cmocka_unit_test(crash_retried_elsewhere_then_given_up),
        cmocka_unit_test(crash_retried_on_the_only_agent),
        cmocka_unit_test(retries_come_last),
        cmocka_unit_test(one_attempt_only),
        cmocka_unit_test(more_attempts_than_16_bits_count),
        cmocka_unit_test(lost_agent),
        cmocka_unit_test(lost_while_stealing),
        cmocka_unit_test(stale_reports_change_nothing),
        cmocka_unit_test(cancelled_in_the_queue),
        cmocka_unit_test(cancelled_at_an_agent),
        cmocka_unit_test(cancelled_while_being_stolen),
        cmocka_unit_test(cancelled_with_a_lost_agent),
        cmocka_unit_test(chunks_are_limited),
        cmocka_unit_test(an_agent_without_workers_gets_nothing),
        cmocka_unit_test(two_requests_get_two_chunks),
        cmocka_unit_test(moves_reported_in_reverse_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
