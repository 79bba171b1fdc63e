/* SPDX-License-Identifier: MIT */
/*
 * pareto [TASKS_PER_WORKER [MEAN_MS [SEED]]]: a benchmark of scheduling. Runs sleeping tasks whose
 * times have a Pareto distribution (alpha 1.5) on all ranks, with one worker per rank.
 *
 * Prints the run time as a percentage of the lower bound max(total / N, longest task), which is
 * computed from the measured times of the tasks. The bound is often out of reach, because a long
 * task can come late. So it also prints what percentage of the bound list scheduling without
 * overhead would reach ("greedy", ../sim/list_schedule.h). Started by spread.py.
 */
#include <mppool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "list_schedule.h"
#include "random_times.h"

static int sleep_run(void *state, struct mpp_bytes payload, struct mpp_context *result,
                     struct mpp_error *error)
{
    (void)state, (void)result, (void)error;
    int64_t ns;
    memcpy(&ns, payload.data, sizeof ns);
    nanosleep(&(struct timespec){.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}, NULL);
    return 0;
}

static const struct mpp_job sleep_job = {.name = "sleep", .run = sleep_run};
static const struct mpp_job *const jobs[] = {&sleep_job, NULL};

struct sleepers {
    struct random_times times;
    double mean_ns;
    uint64_t left;
    int64_t ns; /* payload of the current task */
    double total_s, longest_s;
};

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    (void)error;
    struct sleepers *sleepers = context;
    if (!sleepers->left)
        return MPP_SOURCE_END;
    sleepers->left--;
    sleepers->ns = random_times_task_ns(&sleepers->times, PARETO, sleepers->mean_ns);
    *payload = (struct mpp_bytes){&sleepers->ns, sizeof sleepers->ns};
    return MPP_SOURCE_ITEM;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct sleepers *sleepers = context;
    if (outcome->exception)
        return mpp_error_set(error, "%s", outcome->exception->message);
    sleepers->total_s += outcome->run_s;
    if (outcome->run_s > sleepers->longest_s)
        sleepers->longest_s = outcome->run_s;
    return 0;
}

static int measure(struct mpp_executor *executor, struct sleepers *sleepers,
                   const struct list_schedule_setup *setup, struct mpp_error *error)
{
    struct mpp_map map = {.job = "sleep", .source = source, .sink = sink, .context = sleepers};
    double begun_s = monotonic_now_s();
    if (mpp_map_unordered(executor, &map, error))
        return -1;
    double wall_s = monotonic_now_s() - begun_s;
    double bound_s = sleepers->total_s / setup->agents;
    if (sleepers->longest_s > bound_s)
        bound_s = sleepers->longest_s;
    struct list_schedule_result greedy = list_schedule_run(setup);
    printf("%.3f s, bound %.3f s: %.1f %%; greedy %.1f %%\n", wall_s, bound_s,
           100 * bound_s / wall_s, 100 * (double)greedy.bound_ns / (double)greedy.schedule_ns);
    return 0;
}

/* Runs tasks until all ranks have joined, so that start-up is not measured. */
static int await_workers(struct mpp_executor *executor, int *workers, struct mpp_error *error)
{
    struct mpp_stats stats;
    do {
        struct sleepers once = {.times = {1}, .mean_ns = 1e6, .left = 1};
        struct mpp_map map = {.job = "sleep", .source = source, .sink = sink, .context = &once};
        if (mpp_map_unordered(executor, &map, error))
            return -1;
        mpp_executor_stats(executor, &stats);
    } while (stats.workers < stats.ranks);
    *workers = stats.workers;
    return 0;
}

int main(int argc, char **argv)
{
    double tasks = argc > 1 ? atof(argv[1]) : 300, mean_ms = argc > 2 ? atof(argv[2]) : 20;
    uint64_t seed = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    struct mpp_options options = {.jobs = jobs, .workers_per_rank = 1};
    struct mpp_executor *executor;
    struct mpp_error error;
    int workers;
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "pareto: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = await_workers(executor, &workers, &error);
    if (!failed) {
        uint64_t all = (uint64_t)(tasks * workers);
        struct sleepers sleepers = {.times = {seed}, .mean_ns = mean_ms * 1e6, .left = all};
        struct list_schedule_setup setup = {.agents = workers,
                                            .workers = 1,
                                            .tasks = all,
                                            .distribution = PARETO,
                                            .mean_ns = sleepers.mean_ns,
                                            .seed = seed};
        failed = measure(executor, &sleepers, &setup, &error);
    }
    if (mpp_close(executor, failed ? NULL : &error) || failed) {
        fprintf(stderr, "pareto: %s\n", error.text);
        return 1;
    }
    return 0;
}
