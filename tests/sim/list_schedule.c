/* The schedule that costs nothing: see list_schedule.h. */
#include "list_schedule.h"

#include <stdbool.h>
#include <stdlib.h>

#include "event_queue.h"

static int64_t bound_of(const struct greedy_setup *setup)
{
    struct draw draw = {setup->seed};
    double total = 0, all = (double)setup->agents * setup->workers;
    double left = (double)(setup->agents - setup->lost) * setup->workers;
    int64_t longest = 0;
    for (uint64_t i = 0; i < setup->tasks; i++) {
        int64_t ns = draw_task_ns(&draw, setup->distribution, setup->mean_ns);
        total += (double)ns;
        longest = ns > longest ? ns : longest;
    }
    double before = (double)setup->lost_at;
    double even = total / all <= before || !setup->lost ? total / all
                                                        : before + (total - all * before) / left;
    return (int64_t)even > longest ? (int64_t)even : longest;
}

struct greedy {
    const struct greedy_setup *setup;
    struct draw draw;
    uint64_t drawn;
    struct event_queue ends; /* agent: the worker; what: unused */
    int64_t *running;        /* by worker: the time its task takes; 0: none */
    int64_t *again;          /* tasks that a lost worker ran */
    uint64_t again_count;
};

static int64_t next_task(struct greedy *g)
{
    if (g->again_count)
        return g->again[--g->again_count];
    if (g->drawn++ < g->setup->tasks)
        return draw_task_ns(&g->draw, g->setup->distribution, g->setup->mean_ns);
    return 0;
}

static void begin(struct greedy *g, int worker, int64_t now)
{
    g->running[worker] = next_task(g);
    if (g->running[worker])
        event_queue_put(&g->ends,
                        (struct sim_event){.at_ns = now + g->running[worker], .agent = worker});
}

struct greedy_times greedy_run(const struct greedy_setup *setup)
{
    int workers = setup->agents * setup->workers;
    int first_lost = (setup->agents - setup->lost) * setup->workers;
    struct greedy g = {.setup = setup,
                       .draw = {setup->seed},
                       .running = must_realloc(NULL, (size_t)workers, sizeof *g.running),
                       .again = must_realloc(NULL, (size_t)workers, sizeof *g.again)};
    struct greedy_times times = {.bound_ns = bound_of(setup)};
    bool lost = setup->lost == 0;
    for (int i = 0; i < workers; i++)
        begin(&g, i, 0);
    for (struct sim_event end; event_queue_take(&g.ends, &end);) {
        if (!lost && end.at_ns >= setup->lost_at) {
            lost = true;
            for (int i = first_lost; i < workers; i++)
                if (g.running[i])
                    g.again[g.again_count++] = g.running[i];
        }
        if (lost && end.agent >= first_lost)
            continue;
        times.greedy_ns = end.at_ns;
        begin(&g, end.agent, end.at_ns);
    }
    event_queue_release(&g.ends);
    free(g.running);
    free(g.again);
    return times;
}
