/* SPDX-License-Identifier: MIT */
/*
 * load_test SCENARIO: jobs with a load function, called in line or ahead of the running task. Runs
 * on any number of ranks. Loads and runs are counted in memory that the workers of a rank share.
 * Rank 0 exits with 0, or prints the check that failed and exits with 1.
 */
#include <mppool.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { TASKS = 200 };

static struct counts {
    atomic_int loads_begun, loads_made, unloads, runs;
    atomic_int overlaps; /* runs during which the load of a later task began */
} * counts;

struct load_task {
    int number;
    char what; /* 'f': the load fails, 'c': it crashes; ' ': neither */
};

static void wait_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

/* Takes as long as reading a file from a slow file system. */
static int slow_load(const void *initargs, struct mpp_bytes payload, void **loaded,
                     struct mpp_error *error)
{
    (void)initargs;
    struct load_task task;
    memcpy(&task, payload.data, sizeof task);
    atomic_fetch_add(&counts->loads_begun, 1);
    wait_ms(1);
    if (task.what == 'c')
        raise(SIGSEGV);
    if (task.what == 'f')
        return mpp_error_set(error, "nothing at %d", task.number);
    int *made = malloc(sizeof *made);
    if (!made)
        return mpp_error_set(error, "out of memory");
    *made = task.number;
    *loaded = made;
    atomic_fetch_add(&counts->loads_made, 1);
    return 0;
}

static void slow_unload(void *loaded)
{
    free(loaded);
    atomic_fetch_add(&counts->unloads, 1);
}

/* The result is what was loaded. */
static int slow_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)payload, (void)error;
    atomic_fetch_add(&counts->runs, 1);
    return mpp_context_set_result(context, mpp_context_loaded(context), sizeof(int));
}

/* Waits up to 0.1 s for the load of another task to begin, until that was seen once. */
static int watching_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                        struct mpp_error *error)
{
    int before = atomic_load(&counts->loads_begun);
    for (int i = 0; i < 100 && !atomic_load(&counts->overlaps); i++) {
        if (atomic_load(&counts->loads_begun) > before)
            atomic_fetch_add(&counts->overlaps, 1);
        else
            wait_ms(1);
    }
    return slow_run(state, payload, context, error);
}

static const struct mpp_job slow_job = {
    .name = "slow", .load = slow_load, .unload = slow_unload, .run = slow_run};
static const struct mpp_job watching_job = {
    .name = "watching", .load = slow_load, .unload = slow_unload, .run = watching_run};
static const struct mpp_job *const jobs[] = {&slow_job, &watching_job, NULL};

static struct mpp_executor *executor;
static struct mpp_error error;

/* Submits TASKS tasks, one in `bad_every` of them with `what` (0: none), and checks all outcomes.
 */
static int check_all(const char *job, int bad_every, char what, enum mpp_exception_kind kind)
{
    struct mpp_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++) {
        struct load_task task = {.number = i, .what = bad_every && i % bad_every == 3 ? what : ' '};
        futures[i] = mpp_submit(executor, job, &task, sizeof task, &error);
        CHECK(futures[i], "%s", error.text);
    }
    for (int i = 0; i < TASKS; i++) {
        struct mpp_bytes result;
        const struct mpp_exception *exception = NULL;
        bool bad = bad_every && i % bad_every == 3;
        CHECK(mpp_future_exception(futures[i], MPP_FOREVER, &exception, &error) == 0, "%s",
              error.text);
        CHECK(bad == !!exception, "task %d: %s", i,
              exception ? exception->message : "it succeeded");
        if (bad) {
            char text[32];
            snprintf(text, sizeof text, "nothing at %d", i);
            CHECK(exception->kind == kind, "kind %d", exception->kind);
            CHECK(what == 'c' || !strcmp(exception->message, text), "%s", exception->message);
            CHECK(exception->attempts == 1, "%d attempts of task %d", exception->attempts, i);
        } else {
            CHECK(mpp_future_result(futures[i], MPP_FOREVER, &result, &error) == 0, "%s",
                  error.text);
            CHECK(result.size == sizeof i && !memcmp(result.data, &i, sizeof i),
                  "task %d got the load of another", i);
        }
        mpp_future_free(futures[i]);
    }
    return 0;
}

/* ---- Scenarios ---- */

static int scenario_ahead(void)
{
    if (check_all("watching", 0, ' ', MPP_EXCEPTION_JOB))
        return -1;
    CHECK(atomic_load(&counts->overlaps) > 0, "no load began while a task ran");
    return 0;
}

static int scenario_in_line(void)
{
    return check_all("slow", 0, ' ', MPP_EXCEPTION_JOB);
}

static int scenario_failing(void)
{
    return check_all("slow", 10, 'f', MPP_EXCEPTION_JOB);
}

/* A crash also loses the loads of other tasks, but counts as an attempt of one task only. */
static int scenario_crashing(void)
{
    return check_all("slow", 50, 'c', MPP_EXCEPTION_CRASH);
}

static int scenario_cancelled(void)
{
    struct mpp_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++) {
        struct load_task task = {.number = i, .what = ' '};
        futures[i] = mpp_submit(executor, "slow", &task, sizeof task, &error);
        CHECK(futures[i], "%s", error.text);
    }
    struct mpp_bytes first;
    CHECK(mpp_future_result(futures[TASKS / 4], MPP_FOREVER, &first, &error) == 0, "%s",
          error.text); /* others are loaded by now */
    CHECK(mpp_shutdown(executor, true, true, &error) == 0, "%s", error.text);
    for (int i = 0; i < TASKS; i++) {
        struct mpp_bytes result;
        if (mpp_future_result(futures[i], MPP_FOREVER, &result, &error) == 0)
            CHECK(!memcmp(result.data, &i, sizeof i), "task %d got the load of another", i);
        else
            CHECK(mpp_future_cancelled(futures[i]), "task %d: %s", i, error.text);
        mpp_future_free(futures[i]);
    }
    return 0;
}

static const struct scenario {
    const char *name;
    int (*run)(void);
    struct mpp_options options;
} scenarios[] = {
    {"ahead", scenario_ahead, {.read_ahead = 4, .workers_per_rank = 1}},
    {"in_line", scenario_in_line, {.read_ahead = 0}},
    {"not_isolated", scenario_in_line, {.read_ahead = 4, .isolate = MPP_NOT_ISOLATED}},
    {"failing", scenario_failing, {.read_ahead = 8}},
    {"crashing", scenario_crashing, {.read_ahead = 8, .retries = -1}},
    {"cancelled", scenario_cancelled, {.read_ahead = 8}},
};

static int run(const struct scenario *scenario, int *argc, char ***argv)
{
    struct mpp_options options = scenario->options;
    options.jobs = jobs;
    if (!options.workers_per_rank)
        options.workers_per_rank = 2;
    switch (mpp_open(argc, argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "load_test: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = scenario->run();
    if (mpp_close(executor, &error) && !failed) {
        fprintf(stderr, "load_test: %s\n", error.text);
        failed = 1;
    }
    return failed ? 1 : 0;
}

/* On every rank, after its workers have ended without a crash. */
static int check_counts(void)
{
    int made = atomic_load(&counts->loads_made), unloads = atomic_load(&counts->unloads);
    CHECK(made == unloads, "%d loads, %d unloads", made, unloads);
    CHECK(atomic_load(&counts->runs) <= made, "%d runs", atomic_load(&counts->runs));
    return 0;
}

int main(int argc, char **argv)
{
    const struct scenario *scenario = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(argv[1], scenarios[i].name))
            scenario = &scenarios[i];
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (!scenario || counts == MAP_FAILED) {
        fprintf(stderr, "usage: load_test SCENARIO\n");
        return 2;
    }
    int failed = run(scenario, &argc, &argv);
    if (!failed && strcmp(scenario->name, "crashing") != 0 && check_counts())
        failed = 1;
    return failed;
}
