/* SPDX-License-Identifier: MIT */
/* Ideal run times: see list_schedule.h. */
#include "list_schedule.h"

#include <stdbool.h>
#include <stdlib.h>

#include "event_queue.h"

static int64_t bound_of(const struct list_schedule_setup *setup)
{
    struct random_times times = {setup->seed};
    double total = 0, all = (double)setup->agents * setup->workers;
    double left = (double)(setup->agents - setup->lost) * setup->workers;
    int64_t longest = 0;
    for (uint64_t i = 0; i < setup->tasks; i++) {
        int64_t ns = random_times_task_ns(&times, setup->distribution, setup->mean_ns);
        total += (double)ns;
        longest = ns > longest ? ns : longest;
    }
    double before = (double)setup->lost_at;
    double even = total / all <= before || !setup->lost ? total / all
                                                        : before + (total - all * before) / left;
    return (int64_t)even > longest ? (int64_t)even : longest;
}

struct list_schedule {
    const struct list_schedule_setup *setup;
    struct random_times times;
    uint64_t started;
    struct event_queue ends; /* ends of running tasks; agent: index of the worker */
    int64_t *running;        /* by worker: the run time of its task; 0: none */
    int64_t *again;          /* run times of tasks that lost workers ran */
    uint64_t again_count;
};

static int64_t next_task(struct list_schedule *g)
{
    if (g->again_count)
        return g->again[--g->again_count];
    if (g->started++ < g->setup->tasks)
        return random_times_task_ns(&g->times, g->setup->distribution, g->setup->mean_ns);
    return 0;
}

static void start_next_task(struct list_schedule *g, int worker, int64_t now)
{
    g->running[worker] = next_task(g);
    if (g->running[worker])
        event_queue_put(&g->ends,
                        (struct sim_event){.at_ns = now + g->running[worker], .agent = worker});
}

struct list_schedule_result list_schedule_run(const struct list_schedule_setup *setup)
{
    int workers = setup->agents * setup->workers;
    int first_lost = (setup->agents - setup->lost) * setup->workers;
    struct list_schedule g = {.setup = setup,
                              .times = {setup->seed},
                              .running = must_realloc(NULL, (size_t)workers, sizeof *g.running),
                              .again = must_realloc(NULL, (size_t)workers, sizeof *g.again)};
    struct list_schedule_result times = {.bound_ns = bound_of(setup)};
    bool lost = setup->lost == 0;
    for (int i = 0; i < workers; i++)
        start_next_task(&g, i, 0);
    for (struct sim_event end; event_queue_take(&g.ends, &end);) {
        if (!lost && end.at_ns >= setup->lost_at) {
            lost = true;
            for (int i = first_lost; i < workers; i++)
                if (g.running[i])
                    g.again[g.again_count++] = g.running[i];
        }
        if (lost && end.agent >= first_lost)
            continue;
        times.schedule_ns = end.at_ns;
        start_next_task(&g, end.agent, end.at_ns);
    }
    event_queue_release(&g.ends);
    free(g.running);
    free(g.again);
    return times;
}
