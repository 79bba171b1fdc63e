/* SPDX-License-Identifier: MIT */
/*
 * simulate: runs the scheduler of the library with up to 65536 agents in virtual time
 * (simulated_pool.h), compares the run time with the ideal one (list_schedule.h), and reports how
 * busy rank 0 is. Prints a table. Started by scripts/simulate.
 *
 *     simulate [--agents N,...] [--times NAME,...] [--lost PERCENT,...] [--NUMBER N]...
 *     simulate --check     a small run; exit status 1 if it is less efficient than expected
 *
 * Numbers:
 *
 *     --tasks      tasks per worker
 *     --workers    workers per agent
 *     --mean       mean run time of a task, ms
 *     --window     largest number of tasks in the pool, per worker
 *     --hold       time between two messages with results of a busy agent, ns; -1: as in production
 *     --pull       tasks taken from the map in one step of rank 0
 *     --seed       of the random run times
 *
 * and the time that rank 0 needs, in ns:
 *
 *     --receive    to receive a message
 *     --send       to send a message
 *     --task       for each task in a message
 *     --event      in the scheduler, per event
 *
 * Columns of the table: "of bound" and "of greedy" compare the run time with the lower bound and
 * with list scheduling, "start" and "tail" are the times before and after at least 99 % of the
 * workers are busy, and "rank 0" is the share of the time in which rank 0 is busy.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "list_schedule.h"
#include "simulated_pool.h"

enum { LIST_MAX = 16 };

struct simulation_options {
    double agents[LIST_MAX], lost[LIST_MAX];
    int agent_counts, losts;
    bool times[DISTRIBUTIONS];
    double tasks, workers, mean_ms, window, hold, receive, send, task, event, seed, pull;
    bool check;
};

static const struct simulation_options defaults = {
    .agents = {16, 256, 4096, 65536},
    .agent_counts = 4,
    .lost = {0, 1},
    .losts = 2,
    .times = {true, true, true},
    .tasks = 100,
    .workers = 1,
    .mean_ms = 100,
    .window = 16,
    .hold = -1,
    .receive = 700, /* receive and send: measured by rank0_cost; task: by perf */
    .send = 200,
    .task = 30,
    .event = 150,
    .pull = 1024,
    .seed = 1,
};

/* ---- One run ---- */

struct figures {
    double efficiency, of_list_schedule, messages, load, start_ms, tail_ms, event_ns;
    struct simulated_pool_report report;
};

static struct figures simulate(const struct simulation_options *o, int agents,
                               enum distribution times, double lost_percent)
{
    double mean_ns = o->mean_ms * 1e6;
    int lost = (int)(agents * lost_percent / 100);
    if (lost_percent > 0 && lost == 0)
        lost = 1;
    struct simulated_pool_setup setup = {
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
        .pulled_per_step = (int)o->pull,
        .latency = 5000,
        .latency_task = 20,
        .hold = o->hold < 0 ? agent_results_interval_ns(agents) : (int64_t)o->hold,
        .costs = {(int64_t)o->receive, (int64_t)o->send, (int64_t)o->task, (int64_t)o->event}};
    if (setup.window < 65536) /* the window of mpp_map */
        setup.window = 65536;
    struct list_schedule_result ideal =
        list_schedule_run(&(struct list_schedule_setup){.agents = agents,
                                                        .workers = setup.workers,
                                                        .tasks = setup.tasks,
                                                        .distribution = times,
                                                        .mean_ns = mean_ns,
                                                        .seed = setup.seed,
                                                        .lost = lost,
                                                        .lost_at = setup.lost_at});
    struct simulated_pool_report r = simulated_pool_run(&setup);
    double end = (double)r.end_ns;
    double rank0_ns = (double)r.received * o->receive + (double)r.sent * o->send +
                      (double)r.coded * o->task + r.scheduler_ns;
    return (struct figures){.efficiency = 100 * (double)ideal.bound_ns / end,
                            .of_list_schedule = 100 * (double)ideal.schedule_ns / end,
                            .messages = (double)(r.received + r.sent + r.steal_messages) /
                                        (double)setup.tasks,
                            .load = 100 * rank0_ns / end,
                            .start_ms = (double)r.full_ns * 1e-6,
                            .tail_ms = (end - (double)r.last_ns) * 1e-6,
                            .event_ns = r.scheduler_ns / (double)r.events,
                            .report = r};
}

static void print_head(const struct simulation_options *o)
{
    printf("%g workers per agent, %g tasks per worker, mean run time of a task %g ms. Rank 0 needs "
           "%g ns to "
           "receive\n"
           "a message, %g ns to send one, and %g ns for each task in it.\n\n",
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
        agents, distribution_names[times], lost, f->efficiency, f->of_list_schedule, f->start_ms,
        f->tail_ms, (double)f->report.end_ns * 1e-9, f->messages, f->load, f->event_ns,
        (unsigned long long)f->report.steals, (unsigned long long)f->report.stolen);
    fflush(stdout);
}

static void print_table(const struct simulation_options *o)
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

/* Checks only virtual times, which are the same on all machines, and so never fails by chance. */
static int check(const struct simulation_options *o)
{
    int failed = 0;
    print_head(o);
    for (int agents = 16; agents <= 256; agents *= 16)
        for (int times = 0; times < DISTRIBUTIONS; times++)
            for (int lost = 0; lost <= 1; lost++) {
                struct figures f = simulate(o, agents, (enum distribution)times, lost);
                bool good = f.of_list_schedule >= 98;
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
    for (char *end; *text && count < LIST_MAX; text = *end ? end + 1 : end) {
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
        times[i] = strcasestr(text, distribution_names[i]);
        known += times[i];
    }
    return known ? known : -1;
}

static int parse_number(struct simulation_options *o, const char *name, const char *value)
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

static int parse(struct simulation_options *o, int argc, char **argv)
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
    struct simulation_options o = defaults;
    if (parse(&o, argc, argv)) {
        fprintf(stderr,
                "simulate: unknown option or value; tests/sim/simulate.c lists the options\n");
        return 2;
    }
    if (o.check)
        return check(&o);
    print_table(&o);
    return 0;
}
