/* SPDX-License-Identifier: MIT */
/*
 * pool_speed TEST N [CHUNK]: a benchmark of the pool with a job that does nothing. Prints one
 * number. Started by pool.py, which compares it with pools for Python (pool_python.py).
 *
 *     submit N        submit N tasks, then get all results: tasks/s
 *     map N [CHUNK]   mpp_map in order; without CHUNK with adaptive chunks: tasks/s
 *     trip N          submit a task to an idle pool and get its result, N times: median in us
 *
 * Each worker runs a task before the measurement. The environment variable POOL_WORKERS is the
 * number of workers per rank.
 */
#include <mppool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

static int do_nothing(void *state, struct mpp_bytes payload, struct mpp_context *context,
                      struct mpp_error *error)
{
    (void)state, (void)payload, (void)context, (void)error;
    return 0;
}

static const struct mpp_job empty_job = {
    .name = "empty", .summary = "does nothing", .run = do_nothing};
static const struct mpp_job *const jobs[] = {&empty_job, NULL};

struct empty_tasks {
    size_t left, done;
};

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    (void)error;
    struct empty_tasks *tasks = context;
    if (!tasks->left)
        return MPP_SOURCE_END;
    tasks->left--;
    *payload = (struct mpp_bytes){0};
    return MPP_SOURCE_ITEM;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct empty_tasks *tasks = context;
    if (outcome->exception)
        return mpp_error_set(error, "%s", outcome->exception->message);
    tasks->done++;
    return 0;
}

static int map(struct mpp_executor *executor, size_t count, size_t chunk, double *figure,
               struct mpp_error *error)
{
    struct empty_tasks tasks = {.left = count};
    struct mpp_map map = {.job = empty_job.name,
                          .source = source,
                          .sink = sink,
                          .context = &tasks,
                          .chunksize = chunk};
    double begun_s = monotonic_now_s();
    if (mpp_map(executor, &map, error))
        return -1;
    *figure = (double)count / (monotonic_now_s() - begun_s);
    return tasks.done == count ? 0 : mpp_error_set(error, "%zu outcomes", tasks.done);
}

static int await(struct mpp_future *future, struct mpp_error *error)
{
    struct mpp_bytes result;
    int failed = !future || mpp_future_result(future, MPP_FOREVER, &result, error);
    mpp_future_free(future);
    return failed ? -1 : 0;
}

static int submit(struct mpp_executor *executor, size_t count, double *figure,
                  struct mpp_error *error)
{
    struct mpp_future **futures = malloc(count * sizeof *futures);
    if (!futures)
        return mpp_error_set(error, "out of memory");
    int failed = 0;
    double begun_s = monotonic_now_s();
    for (size_t i = 0; i < count; i++)
        futures[i] = mpp_submit(executor, empty_job.name, "", 0, error);
    for (size_t i = 0; i < count; i++)
        failed |= await(futures[i], error);
    *figure = (double)count / (monotonic_now_s() - begun_s);
    free(futures);
    return failed;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The pause before each task lets the pool become idle. */
static int trip(struct mpp_executor *executor, size_t count, double *figure,
                struct mpp_error *error)
{
    double *times = malloc(count * sizeof *times);
    if (!times)
        return mpp_error_set(error, "out of memory");
    int failed = 0;
    for (size_t i = 0; i < count && !failed; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);
        double begun_s = monotonic_now_s();
        failed = await(mpp_submit(executor, empty_job.name, "", 0, error), error);
        times[i] = monotonic_now_s() - begun_s;
    }
    qsort(times, count, sizeof *times, compare);
    *figure = times[count / 2] * 1e6;
    free(times);
    return failed;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: pool_speed submit|map|trip N [CHUNK]\n");
        return 2;
    }
    const char *test = argv[1];
    size_t count = strtoul(argv[2], NULL, 10);
    size_t chunk = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    const char *workers = getenv("POOL_WORKERS");
    struct mpp_options options = {.jobs = jobs, .workers_per_rank = workers ? atoi(workers) : 0};
    struct mpp_executor *executor;
    struct mpp_error error;
    double figure = 0;
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "pool_speed: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = map(executor, 1000, 0, &figure, &error);
    if (!strcmp(test, "submit"))
        failed = failed || submit(executor, count, &figure, &error);
    else if (!strcmp(test, "map"))
        failed = failed || map(executor, count, chunk, &figure, &error);
    else if (!strcmp(test, "trip"))
        failed = failed || trip(executor, count, &figure, &error);
    else
        failed = mpp_error_set(&error, "the test must be submit, map or trip");
    if (mpp_close(executor, failed ? NULL : &error) || failed) {
        fprintf(stderr, "pool_speed: %s\n", error.text);
        return 1;
    }
    printf("%.1f\n", figure);
    return 0;
}
