/*
 * simulate: the production scheduler against thousands of agents that exist only as numbers.
 *
 * A clock and a network of this program's own drive scheduler.c as the coordinator does, and agents
 * that follow agent.c's rules: ask below the low-water mark, hand the tail of the queue to a thief,
 * report each end. Nothing is random but by the seed, and no time is real, so a result is the same
 * on every machine; only the cost of a scheduler event is measured, and printed beside.
 *
 *     simulate [--agents N] [--tasks-per-agent N] [--loss PERCENT] [--seed N] [--law NAME]
 * [--check]
 *
 * For each law of task times it prints the efficiency, which is the lower bound of the makespan
 * (total / agents, or the longest task) over the makespan; the same for an oracle: one queue that
 * all agents take from without any delay (Graham 1966), which no scheduler that does not know the
 * times beats by much; messages per task; rank 0's load; and the tail, from the first agent that
 * stays without work to the end. --check: exits 1 unless the efficiency is at least 98 % of the
 * bound, or 99 % of the oracle's where that is less.
 */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scheduler.h"

/* The network and rank 0, in nanoseconds. A rank that is busy looks for messages once a millisecond
 * (rank.c); rank 0's costs are above those measured by the benchmark of the pool. */
#define LATENCY_NS 5000
#define LOOK_NS    1000000
#define MESSAGE_NS 1000      /* rank 0, for each message in or out */
#define TASK_NS    400       /* and for each task in one */
#define NOTICE_NS  100000000 /* until the loss of an agent is noticed */
#define MEAN_NS    100000000.0
#define WINDOW     64 /* tasks pulled ahead for each agent, as by a map */
#define NONE_SLOT  UINT32_MAX

enum law { UNIFORM, LOG_NORMAL, PARETO, LAWS };
static const char *const law_names[LAWS] = {"uniform", "log-normal", "Pareto 1.5"};

static void *checked(void *memory)
{
    if (!memory) {
        fprintf(stderr, "simulate: out of memory\n");
        exit(70);
    }
    return memory;
}

/* ---- Task times, by number: the same for the scheduler and the oracle ---- */

static double random_unit(uint64_t seed, uint64_t number)
{
    uint64_t x = seed + number * UINT64_C(0x9E3779B97F4A7C15); /* splitmix64, Steele 2014 */
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return ((double)((x ^ (x >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static int64_t task_time(enum law law, uint64_t seed, uint64_t number)
{
    double u = random_unit(seed, 2 * number), v = random_unit(seed, 2 * number + 1);
    switch (law) {
    case UNIFORM:
        return (int64_t)(2 * MEAN_NS * u);
    case LOG_NORMAL: { /* sigma 0.5 */
        double normal = sqrt(-2 * log(u)) * cos(2 * M_PI * v);
        return (int64_t)(MEAN_NS * exp(0.5 * normal - 0.125));
    }
    case PARETO:
        return (int64_t)(MEAN_NS / 3 * pow(u, -1 / 1.5));
    case LAWS:
        break;
    }
    return 0;
}

/* ---- Events, in a heap by time ---- */

enum event_type { TASKS_COME, STEAL_COMES, TASK_ENDS, REPORT_COMES, AGENTS_DIE, LOSS_NOTICED };

struct event {
    int64_t at_ns;
    uint32_t order; /* of making: equal times keep it */
    enum event_type type;
    int agent;
    struct scheduler_event report; /* REPORT_COMES; other and count of STEAL_COMES */
    uint32_t first;                /* slot: TASKS_COME, a chain; TASK_ENDS */
    uint32_t count;
};

struct heap {
    struct event *events;
    size_t count, capacity;
    uint32_t order;
};

static bool sooner(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : (int32_t)(a->order - b->order) < 0;
}

static void heap_push(struct heap *heap, struct event event)
{
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? 2 * heap->capacity : 1024;
        heap->events = checked(realloc(heap->events, heap->capacity * sizeof event));
    }
    event.order = heap->order++;
    size_t at = heap->count++;
    for (; at && sooner(&event, &heap->events[(at - 1) / 2]); at = (at - 1) / 2)
        heap->events[at] = heap->events[(at - 1) / 2];
    heap->events[at] = event;
}

static struct event heap_pop(struct heap *heap)
{
    struct event top = heap->events[0], last = heap->events[--heap->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && sooner(&heap->events[child + 1], &heap->events[child]))
            child++;
        if (!sooner(&heap->events[child], &last))
            break;
        heap->events[at] = heap->events[child];
    }
    heap->events[at] = last;
    return top;
}

/* ---- The world ---- */

struct task { /* by slot */
    uint64_t number;
    uint32_t generation, handout;
    uint32_t next, previous; /* in an agent's queue; next also in a chain on its way */
};

struct agent {
    uint32_t head, tail; /* the queue */
    uint32_t count;
    uint32_t running; /* slot; NONE_SLOT: none */
    uint32_t low_water;
    bool asked, dead;
    int64_t idle_since_ns; /* -1: it is not */
};

struct world {
    enum law law;
    uint64_t seed, tasks, pulled, done, messages;
    int agent_count;
    struct agent *agents;
    struct task *slots;
    uint32_t slot_count, *free_slots, free_count;
    struct heap heap;
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    int64_t now_ns, rank0_free_ns, rank0_busy_ns;
    uint64_t scheduler_calls, scheduler_ns, randoms;
    int64_t end_ns;
    bool finished;
};

static int64_t now_real_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Until a message is seen by a rank that sleeps between its looks. */
static int64_t journey_ns(struct world *w, uint32_t tasks)
{
    return LATENCY_NS + 50 * (int64_t)tasks +
           (int64_t)(random_unit(~w->seed, w->randoms++) * LOOK_NS);
}

static void report(struct world *w, int agent, struct scheduler_event event)
{
    event.agent = agent;
    heap_push(&w->heap, (struct event){.at_ns = w->now_ns + LATENCY_NS,
                                       .type = REPORT_COMES,
                                       .agent = agent,
                                       .report = event});
}

static void queue_append(struct world *w, struct agent *a, uint32_t slot)
{
    w->slots[slot].next = NONE_SLOT;
    w->slots[slot].previous = a->tail;
    if (a->tail == NONE_SLOT)
        a->head = slot;
    else
        w->slots[a->tail].next = slot;
    a->tail = slot;
    a->count++;
}

static uint32_t queue_take(struct world *w, struct agent *a, bool from_tail)
{
    uint32_t slot = from_tail ? a->tail : a->head;
    struct task *task = &w->slots[slot];
    if (task->previous == NONE_SLOT)
        a->head = task->next;
    else
        w->slots[task->previous].next = task->next;
    if (task->next == NONE_SLOT)
        a->tail = task->previous;
    else
        w->slots[task->next].previous = task->previous;
    a->count--;
    return slot;
}

/* agent_step: runs the next, asks for more. */
static void agent_step(struct world *w, int agent)
{
    struct agent *a = &w->agents[agent];
    if (a->running == NONE_SLOT && a->count) {
        a->running = queue_take(w, a, false);
        a->idle_since_ns = -1;
        heap_push(&w->heap,
                  (struct event){.at_ns = w->now_ns +
                                          task_time(w->law, w->seed, w->slots[a->running].number),
                                 .type = TASK_ENDS,
                                 .agent = agent,
                                 .first = a->running});
    }
    if (a->running == NONE_SLOT && a->idle_since_ns < 0)
        a->idle_since_ns = w->now_ns;
    if (!a->asked && a->count < a->low_water) {
        a->asked = true;
        report(w, agent, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS});
    }
}

static void take_tasks(struct world *w, const struct event *event)
{
    struct agent *a = &w->agents[event->agent];
    for (uint32_t slot = event->first, next; slot != NONE_SLOT; slot = next) {
        next = w->slots[slot].next;
        queue_append(w, a, slot);
    }
    a->asked = false;
    a->low_water = event->count / 2 > 1 ? event->count / 2 : 1;
    agent_step(w, event->agent);
}

static void hand_over(struct world *w, const struct event *event)
{
    struct agent *a = &w->agents[event->agent];
    int thief = event->report.other;
    uint32_t first = NONE_SLOT, count = 0;
    for (; count < event->report.count && a->count; count++) {
        uint32_t slot = queue_take(w, a, true);
        w->slots[slot].next = first;
        first = slot;
        struct task *task = &w->slots[slot];
        report(w, event->agent,
               (struct scheduler_event){.type = SCHEDULER_TASK_MOVED,
                                        .task = (uint64_t)task->generation << 32 | slot,
                                        .other = thief,
                                        .handout = task->handout});
    }
    if (count) {
        heap_push(&w->heap, (struct event){.at_ns = w->now_ns + journey_ns(w, count),
                                           .type = TASKS_COME,
                                           .agent = thief,
                                           .first = first,
                                           .count = count});
        w->messages++;
    }
    report(w, event->agent,
           (struct scheduler_event){.type = SCHEDULER_STEAL_ENDED, .other = thief, .count = count});
}

/* ---- Rank 0 ---- */

static void apply(struct world *w, struct scheduler_event event);

static void add_tasks(struct world *w)
{
    while (w->pulled < w->tasks && w->free_count) {
        uint32_t slot = w->free_slots[--w->free_count];
        w->slots[slot].number = w->pulled++;
        apply(w,
              (struct scheduler_event){.type = SCHEDULER_TASK_ADDED,
                                       .task = (uint64_t)w->slots[slot].generation << 32 | slot});
    }
    if (w->pulled == w->tasks) {
        w->pulled++; /* once */
        apply(w, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED});
    }
}

static void apply(struct world *w, struct scheduler_event event)
{
    int64_t begun = now_real_ns();
    if (scheduler_apply(w->scheduler, &event, &w->actions))
        checked(NULL);
    w->scheduler_ns += (uint64_t)(now_real_ns() - begun);
    w->scheduler_calls++;
    for (size_t i = 0; i < w->actions.count; i++) {
        const struct scheduler_action *action = &w->actions.list[i];
        if (action->type != SCHEDULER_ACCEPT)
            continue;
        uint32_t slot = (uint32_t)action->task;
        w->slots[slot].generation++;
        w->free_slots[w->free_count++] = slot;
        w->done++;
        w->end_ns = w->now_ns;
    }
    w->actions.count = 0;
}

/* Rank 0 works on one thing after the other: what it sends leaves when it is through. */
static void spend(struct world *w, int64_t ns)
{
    if (w->rank0_free_ns < w->now_ns)
        w->rank0_free_ns = w->now_ns;
    w->rank0_free_ns += ns;
    w->rank0_busy_ns += ns;
}

static size_t send_chunk(struct world *w, size_t at)
{
    int agent = w->actions.list[at].agent;
    uint32_t first = NONE_SLOT, last = NONE_SLOT, count = 0;
    for (; at < w->actions.count; at++, count++) {
        const struct scheduler_action *action = &w->actions.list[at];
        if (action->type != SCHEDULER_SEND || action->agent != agent)
            break;
        uint32_t slot = (uint32_t)action->task;
        w->slots[slot].handout = action->handout;
        w->slots[slot].next = NONE_SLOT;
        if (last == NONE_SLOT)
            first = slot;
        else
            w->slots[last].next = slot;
        last = slot;
    }
    spend(w, MESSAGE_NS + count * TASK_NS);
    w->messages++;
    heap_push(&w->heap, (struct event){.at_ns = w->rank0_free_ns + journey_ns(w, count),
                                       .type = TASKS_COME,
                                       .agent = agent,
                                       .first = first,
                                       .count = count});
    return at;
}

static void decide(struct world *w)
{
    int64_t begun = now_real_ns();
    if (scheduler_decide(w->scheduler, &w->actions))
        checked(NULL);
    w->scheduler_ns += (uint64_t)(now_real_ns() - begun);
    for (size_t at = 0; at < w->actions.count;) {
        const struct scheduler_action action = w->actions.list[at];
        if (action.type == SCHEDULER_SEND) {
            at = send_chunk(w, at);
            continue;
        }
        if (action.type == SCHEDULER_STEAL) {
            spend(w, MESSAGE_NS);
            w->messages++;
            heap_push(&w->heap,
                      (struct event){.at_ns = w->rank0_free_ns + journey_ns(w, 0),
                                     .type = STEAL_COMES,
                                     .agent = action.agent,
                                     .report = {.other = action.other, .count = action.count}});
        }
        w->finished |= action.type == SCHEDULER_FINISHED;
        at++;
    }
    w->actions.count = 0;
}

/* What an agent says together is one message. */
static void take_report(struct world *w, const struct event *event)
{
    bool with_others = event->report.type == SCHEDULER_TASK_MOVED;
    w->messages += !with_others;
    spend(w, (with_others ? 0 : MESSAGE_NS) + TASK_NS);
    apply(w, event->report);
    if (event->report.type == SCHEDULER_TASK_DONE)
        add_tasks(w);
    decide(w);
}

static void run(struct world *w, int64_t loss_at_ns, int lost)
{
    if (lost)
        heap_push(&w->heap, (struct event){.at_ns = loss_at_ns, .type = AGENTS_DIE});
    while (!w->finished && w->heap.count) {
        struct event event = heap_pop(&w->heap);
        struct agent *a = &w->agents[event.agent];
        w->now_ns = event.at_ns;
        switch (event.type) {
        case TASKS_COME:
            if (!a->dead)
                take_tasks(w, &event);
            break;
        case STEAL_COMES:
            if (!a->dead)
                hand_over(w, &event);
            break;
        case TASK_ENDS:
            if (a->dead)
                break;
            a->running = NONE_SLOT;
            report(w, event.agent,
                   (struct scheduler_event){
                       .type = SCHEDULER_TASK_DONE,
                       .task = (uint64_t)w->slots[event.first].generation << 32 | event.first,
                       .handout = w->slots[event.first].handout});
            agent_step(w, event.agent);
            break;
        case REPORT_COMES:
            take_report(w, &event);
            break;
        case AGENTS_DIE: /* the last ones, each noticed a little later */
            for (int i = w->agent_count - lost; i < w->agent_count; i++) {
                w->agents[i].dead = true;
                heap_push(&w->heap, (struct event){.at_ns = w->now_ns + NOTICE_NS,
                                                   .type = LOSS_NOTICED,
                                                   .agent = i});
            }
            break;
        case LOSS_NOTICED:
            apply(w, (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = event.agent});
            decide(w);
            break;
        }
    }
}

/* ---- The bounds, and a run ---- */

/* One queue, no delays: each next task begins where an agent is free first. */
static int64_t oracle(enum law law, uint64_t seed, uint64_t tasks, int agents)
{
    struct heap heap = {0};
    int64_t end_ns = 0;
    for (int i = 0; i < agents; i++)
        heap_push(&heap, (struct event){0});
    for (uint64_t i = 0; i < tasks; i++) {
        struct event event = heap_pop(&heap);
        event.at_ns += task_time(law, seed, i);
        if (event.at_ns > end_ns)
            end_ns = event.at_ns;
        heap_push(&heap, event);
    }
    free(heap.events);
    return end_ns;
}

static void world_init(struct world *w, enum law law, uint64_t seed, int agents, uint64_t tasks)
{
    *w = (struct world){.law = law,
                        .seed = seed,
                        .tasks = tasks,
                        .agent_count = agents,
                        .agents = checked(calloc((size_t)agents, sizeof *w->agents)),
                        .slot_count = (uint32_t)agents * WINDOW,
                        .scheduler = checked(scheduler_new(agents, 2))};
    w->slots = checked(calloc(w->slot_count, sizeof *w->slots));
    w->free_slots = checked(calloc(w->slot_count, sizeof *w->free_slots));
    for (uint32_t i = 0; i < w->slot_count; i++)
        w->free_slots[w->free_count++] = w->slot_count - 1 - i;
    for (int i = 0; i < agents; i++) {
        w->agents[i] = (struct agent){.head = NONE_SLOT,
                                      .tail = NONE_SLOT,
                                      .running = NONE_SLOT,
                                      .low_water = 1,
                                      .idle_since_ns = -1};
        apply(w, (struct scheduler_event){.type = SCHEDULER_AGENT_JOINED, .agent = i, .count = 1});
    }
    add_tasks(w);
    for (int i = 0; i < agents; i++)
        agent_step(w, i);
}

static void world_release(struct world *w)
{
    scheduler_free(w->scheduler);
    scheduler_actions_release(&w->actions);
    free(w->heap.events);
    free(w->free_slots);
    free(w->slots);
    free(w->agents);
}

static int64_t first_idle(const struct world *w)
{
    int64_t first = w->end_ns;
    for (int i = 0; i < w->agent_count; i++)
        if (!w->agents[i].dead && w->agents[i].idle_since_ns >= 0 &&
            w->agents[i].idle_since_ns < first)
            first = w->agents[i].idle_since_ns;
    return first;
}

/* False: it misses what is wanted. */
static bool simulate(enum law law, uint64_t seed, int agents, uint64_t tasks, double loss_percent)
{
    struct world w;
    double total_ns = 0, longest_ns = 0;
    for (uint64_t i = 0; i < tasks; i++) {
        double ns = (double)task_time(law, seed, i);
        total_ns += ns;
        longest_ns = fmax(longest_ns, ns);
    }
    int lost = (int)ceil(agents * loss_percent / 100);
    int64_t loss_at_ns = (int64_t)(0.4 * total_ns / agents);
    /* What the lost did until then is done; the rest is the others'. */
    double bound_ns =
        lost ? (total_ns - lost * (double)loss_at_ns) / (agents - lost) : total_ns / agents;
    bound_ns = fmax(bound_ns, longest_ns);

    world_init(&w, law, seed, agents, tasks);
    run(&w, loss_at_ns, lost);
    double efficiency = bound_ns / (double)w.end_ns;
    double best = lost ? 1 : bound_ns / (double)oracle(law, seed, tasks, agents);
    bool whole = w.finished && w.done == tasks;
    printf("%7d  %-10s  %4.1f %%  %6.2f %%  ", agents, law_names[law], 100.0 * lost / agents,
           100 * efficiency);
    if (lost)
        printf("       -  ");
    else
        printf("%6.2f %%  ", 100 * best);
    printf("%8.3f  %7.3f %%  %6.0f ns  %8.3f s  %8.3f s\n", (double)w.messages / (double)tasks,
           100.0 * (double)w.rank0_busy_ns / (double)w.end_ns,
           (double)w.scheduler_ns / (double)w.scheduler_calls,
           (double)(w.end_ns - first_idle(&w)) * 1e-9, (double)w.end_ns * 1e-9);
    if (!whole)
        printf("not all is done: %" PRIu64 " of %" PRIu64 "\n", w.done, tasks);
    fflush(stdout);
    world_release(&w);
    return whole && (efficiency >= 0.98 || efficiency >= 0.99 * best) &&
           w.rank0_busy_ns < w.end_ns / 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"agents", required_argument, NULL, 'a'},
        {"tasks-per-agent", required_argument, NULL, 't'},
        {"loss", required_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 's'},
        {"law", required_argument, NULL, 'w'},
        {"check", no_argument, NULL, 'c'},
        {0},
    };
    int agents = 256, per_agent = 100;
    double loss = 0;
    uint64_t seed = 1;
    const char *law = NULL;
    bool check = false, fine = true;
    for (int code; (code = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (code) {
        case 'a':
            agents = atoi(optarg);
            break;
        case 't':
            per_agent = atoi(optarg);
            break;
        case 'l':
            loss = atof(optarg);
            break;
        case 's':
            seed = strtoull(optarg, NULL, 10);
            break;
        case 'w':
            law = optarg;
            break;
        case 'c':
            check = true;
            break;
        default:
            return 2;
        }
    }
    if (agents < 2 || agents > 1 << 20 || per_agent < 1 || loss < 0 || loss > 50) {
        fprintf(stderr, "simulate: 2 to 2^20 agents, 1 task or more for each, 0 to 50 %% lost\n");
        return 2;
    }
    for (int i = 0; i < LAWS; i++)
        if (!law || !strncmp(law, law_names[i], strlen(law)))
            fine &=
                simulate((enum law)i, seed, agents, (uint64_t)agents * (uint64_t)per_agent, loss);
    return check && !fine ? 1 : 0;
}
