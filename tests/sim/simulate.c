/*
 * The production scheduler with up to 65536 agents, in virtual time (simulated_pool.h): how near a run comes
 * to what is possible (list_schedule.h), and what it costs rank 0. Prints a table; started by
 * scripts/simulate.
 *
 *     simulate [--agents N,...] [--times NAME,...] [--lost PERCENT,...] [--NUMBER N]...
 *     simulate --check    a small one, whose exit status says whether it is as good as it should be
 *
 * Numbers: --tasks and --workers (of a worker, of an agent), --mean (of a task's time, ms),
 * --window (tasks in the pool at most, for each worker), --hold (how long an agent keeps results,
 * ns for each agent there is), --pull (tasks taken from the map in a step), --seed; and what rank
 * 0's work costs, in ns: --receive and --send (a message), --task (in one), --event (in the
 * scheduler).
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "list_schedule.h"
#include "simulated_pool.h"

enum { NAME_LIST_MAX = 16 };

struct options {
    double agents[NAME_LIST_MAX], lost[NAME_LIST_MAX];
    int agent_counts, losts;
    bool times[DISTRIBUTIONS];
    double tasks, workers, mean_ms, window, hold, receive, send, task, event, seed, pull;
    bool check;
};

static const struct options defaults = {
    .agents = {16, 256, 4096, 65536},
    .agent_counts = 4,
    .lost = {0, 1},
    .losts = 2,
    .times = {true, true, true},
    .tasks = 100,
    .workers = 1,
    .mean_ms = 100,
    .window = 16,
    .hold = AGENT_HOLD_NS_PER_RANK,
    .receive = 700, /* these two as rank0_cost measures them, the next by perf */
    .send = 200,
    .task = 30,
    .event = 150,
    .pull = 1024,
    .seed = 1,
};

/* ---- One run ---- */

struct figures {
    double efficiency, of_greedy, messages, load, start_ms, tail_ms, event_ns;
    struct world_report report;
};

static struct figures simulate(const struct options *o, int agents, enum distribution times,
                               double lost_percent)
{
    double mean_ns = o->mean_ms * 1e6;
    int lost = (int)(agents * lost_percent / 100);
    if (lost_percent > 0 && lost == 0)
        lost = 1;
    struct world_setup setup = {
        .agents = agents,
        .workers = (int)o->workers,
        .tasks = (uint64_t)(agents * o->workers * o->tasks),
        .window = (uint64_t)(agents * o->workers * o->window),
        .distribution = times,
        .mean_ns = mean_ns,
        .seed = (uint64_t)o->seed,
        .lost = lost,
        .lost_at = (int64_t)(o->tasks * mean_ns / 2),
        .lost_known_after = 100000000,
        .source = 300,
        .pulled_a_step = (int)o->pull,
        .latency = 5000,
        .latency_task = 20,
        .hold = (int64_t)(o->hold * agents),
        .costs = {(int64_t)o->receive, (int64_t)o->send, (int64_t)o->task, (int64_t)o->event}};
    if (setup.window < 65536) /* the map's own */
        setup.window = 65536;
    struct greedy_times greedy = greedy_run(&(struct greedy_setup){.agents = agents,
                                                                   .workers = setup.workers,
                                                                   .tasks = setup.tasks,
                                                                   .distribution = times,
                                                                   .mean_ns = mean_ns,
                                                                   .seed = setup.seed,
                                                                   .lost = lost,
                                                                   .lost_at = setup.lost_at});
    struct world_report r = world_run(&setup);
    double end = (double)r.end_ns;
    double rank0_ns = (double)r.received * o->receive + (double)r.sent * o->send +
                      (double)r.coded * o->task + r.scheduler_ns;
    return (struct figures){.efficiency = 100 * (double)greedy.bound_ns / end,
                            .of_greedy = 100 * (double)greedy.greedy_ns / end,
                            .messages =
                                (double)(r.received + r.sent + r.handed_over) / (double)setup.tasks,
                            .load = 100 * rank0_ns / end,
                            .start_ms = (double)r.full_ns * 1e-6,
                            .tail_ms = (end - (double)r.last_ns) * 1e-6,
                            .event_ns = r.scheduler_ns / (double)r.events,
                            .report = r};
}

static void print_head(const struct options *o)
{
    printf(
        "%g workers an agent, %g tasks a worker, %g ms a task on average; rank 0: %g ns to "
        "receive\n"
        "a message, %g ns to send one, %g ns for a task in it, and the scheduler as measured.\n\n",
        o->workers, o->tasks, o->mean_ms, o->receive, o->send, o->task);
    printf(
        "agents  times       lost    of bound  of greedy  start ms  tail ms  run s  messages/task  "
        "rank 0  ns/event    steals    stolen\n");
}

static void print_figures(int agents, enum distribution times, double lost, const struct figures *f)
{
    printf(
        "%6d  %-10s %4g%%  %9.2f%%  %8.2f%%  %8.1f  %7.1f  %5.2f  %13.3f  %5.1f%%  %8.0f  %8llu  "
        "%8llu\n",
        agents, distribution_names[times], lost, f->efficiency, f->of_greedy, f->start_ms,
        f->tail_ms, (double)f->report.end_ns * 1e-9, f->messages, f->load, f->event_ns,
        (unsigned long long)f->report.steals, (unsigned long long)f->report.stolen);
    fflush(stdout);
}

static void table(const struct options *o)
{
    print_head(o);
    for (int i = 0; i < o->agent_counts; i++)
        for (int times = 0; times < DISTRIBUTIONS; times++)
            for (int j = 0; o->times[times] && j < o->losts; j++) {
                struct figures f =
                    simulate(o, (int)o->agents[i], (enum distribution)times, o->lost[j]);
                print_figures((int)o->agents[i], (enum distribution)times, o->lost[j], &f);
            }
}

/* Virtual time is the same everywhere: what is measured is left out, so this never fails by chance.
 */
static int check(const struct options *o)
{
    int failed = 0;
    print_head(o);
    for (int agents = 16; agents <= 256; agents *= 16)
        for (int times = 0; times < DISTRIBUTIONS; times++)
            for (int lost = 0; lost <= 1; lost++) {
                struct figures f = simulate(o, agents, (enum distribution)times, lost);
                bool good = f.of_greedy >= 98;
                print_figures(agents, (enum distribution)times, lost, &f);
                if (!good)
                    printf("below 98 %% of greedy\n");
                failed |= !good;
            }
    return failed;
}

/* ---- Arguments ---- */

static int parse_list(const char *text, double *list)
{
    int count = 0;
    for (char *end; *text && count < NAME_LIST_MAX; text = *end ? end + 1 : end) {
        list[count++] = strtod(text, &end);
        if (end == text)
            return -1;
    }
    return count;
}

static int parse_times(const char *text, bool *times)
{
    int known = 0;
    for (int i = 0; i < DISTRIBUTIONS; i++) {
        times[i] = strcasestr(text, distribution_names[i]) != NULL;
        known += times[i];
    }
    return known ? known : -1;
}

static int parse_number(struct options *o, const char *name, const char *value)
{
    const struct {
        const char *name;
        double *number;
    } numbers[] = {{"--tasks", &o->tasks},   {"--workers", &o->workers}, {"--mean", &o->mean_ms},
                   {"--window", &o->window}, {"--hold", &o->hold},       {"--receive", &o->receive},
                   {"--send", &o->send},     {"--task", &o->task},       {"--event", &o->event},
                   {"--seed", &o->seed},     {"--pull", &o->pull}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char *end;
        if (strcmp(numbers[i].name, name))
            continue;
        *numbers[i].number = strtod(value, &end);
        return *end || end == value ? -1 : 0;
    }
    return -1;
}

static int parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--check")) {
            o->check = true;
            continue;
        }
        if (i + 1 == argc)
            return -1;
        const char *name = argv[i], *value = argv[++i];
        int bad = 0;
        if (!strcmp(name, "--agents"))
            bad = (o->agent_counts = parse_list(value, o->agents)) <= 0;
        else if (!strcmp(name, "--lost"))
            bad = (o->losts = parse_list(value, o->lost)) <= 0;
        else if (!strcmp(name, "--times"))
            bad = parse_times(value, o->times) < 0;
        else
            bad = parse_number(o, name, value);
        if (bad)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = defaults;
    if (parse(&o, argc, argv)) {
        fprintf(stderr, "simulate: see scripts/simulate for the options\n");
        return 2;
    }
    if (o.check)
        return check(&o);
    table(&o);
    return 0;
}
