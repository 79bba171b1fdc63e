/* SPDX-License-Identifier: MIT */
/*
 * outcome_test SCENARIO [WORKERS]: which worker ran a task and when it ended, as outcomes tell it.
 * Runs on any number of ranks, whose hosts' clocks may differ. Rank 0 exits with 0, or prints the
 * check that failed and exits with 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mppool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "shared_directory.h"

enum { TASK_US = 20000, LIMIT_MS = 500, RANKS_MAX = 16, WORKERS_MAX = 8, TASKS_MAX = 1000 };

static const char *scratch;

static int64_t now_ms(void)
{
    return clock_now_ns(CLOCK_REALTIME) / 1000000;
}

/* ---- The job ---- */

/* Locks a file of this worker's number until the process ends. So the lock is taken if, and only
 * if, another process with the number lives. */
static int lock_number(const struct mpp_context *context, struct mpp_error *error)
{
    static int fd = -1;
    char path[PATH_MAX + 64];
    if (fd >= 0)
        return 0;
    snprintf(path, sizeof path, "%s/%d.%d", scratch, mpp_context_rank(context),
             mpp_context_worker(context));
    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    return fd < 0 || flock(fd, LOCK_EX | LOCK_NB)
               ? mpp_error_set(error, "%s: %s", path, strerror(errno))
               : 0;
}

/* Payload: 'r' runs and returns the number of its worker, 'c' crashes, 't' exceeds the time
 * limit. */
static int act_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                   struct mpp_error *error)
{
    (void)state;
    if (lock_number(context, error))
        return -1;
    if (*(const char *)payload.data == 'c')
        raise(SIGKILL);
    while (*(const char *)payload.data == 't')
        pause();
    usleep(TASK_US);
    int worker = mpp_context_worker(context);
    return mpp_context_set_result(context, &worker, sizeof worker);
}

static const struct mpp_job act_job = {.name = "act", .run = act_run};
static const struct mpp_job *const jobs[] = {&act_job, NULL};

/* ---- The map ---- */

/* The tasks that a worker has run to their ends. */
struct worker_tasks {
    int count;
    int64_t first_ms, last_ms; /* when one ended */
    double first_s, total_s;   /* they took */
};

struct tasks {
    struct mpp_executor *executor;
    const char *left; /* payloads, a byte each */
    int64_t pulled_ms[TASKS_MAX];
    int pulled;
    bool cancel; /* shut the pool down after the first outcome, and cancel tasks */
    int64_t opened_ms;
    int ended, cancelled, failed[MPP_EXCEPTION_BROKEN + 1];
    struct worker_tasks workers[RANKS_MAX][WORKERS_MAX];
};

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    (void)error;
    struct tasks *tasks = context;
    if (!*tasks->left)
        return MPP_SOURCE_END;
    tasks->pulled_ms[tasks->pulled++] = now_ms();
    *payload = (struct mpp_bytes){tasks->left++, 1};
    return MPP_SOURCE_ITEM;
}

static void note_end(struct worker_tasks *worker, const struct mpp_outcome *outcome)
{
    int64_t ended_ms = outcome->ended_ms;
    if (!worker->count++ || ended_ms < worker->first_ms) {
        worker->first_ms = ended_ms;
        worker->first_s = outcome->run_s;
    }
    if (ended_ms > worker->last_ms)
        worker->last_ms = ended_ms;
    worker->total_s += outcome->run_s;
}

static int check_outcome(struct tasks *tasks, const struct mpp_outcome *outcome)
{
    const struct mpp_exception *exception = outcome->exception;
    struct mpp_rank_stats rank;
    int worker = outcome->worker;
    if (exception && exception->kind == MPP_EXCEPTION_CANCELLED) {
        CHECK(worker == -1 && outcome->ended_ms == 0, "worker %d, ended %lld", worker,
              (long long)outcome->ended_ms);
        tasks->cancelled++;
        return 0;
    }
    CHECK(!mpp_executor_rank(tasks->executor, outcome->rank, &rank), "rank %d", outcome->rank);
    CHECK(worker >= 0 && worker < rank.workers && worker < WORKERS_MAX, "worker %d", worker);
    CHECK(outcome->ended_ms <= now_ms(), "%lld is in the future", (long long)outcome->ended_ms);
    /* Both times are rounded down. */
    CHECK((double)outcome->ended_ms + 1 - outcome->run_s * 1e3 >= (double)tasks->opened_ms,
          "a task of %g s ended %lld ms after the pool was opened", outcome->run_s,
          (long long)(outcome->ended_ms - tasks->opened_ms));
    /* The clock of rank 0 itself is exact. */
    bool timed_out = exception && exception->kind == MPP_EXCEPTION_TIMEOUT;
    int64_t earliest_ms = tasks->pulled_ms[outcome->index] + (timed_out ? LIMIT_MS : 0);
    CHECK(outcome->rank || outcome->ended_ms >= earliest_ms, "task %d ended %lld ms too early",
          (int)outcome->index, (long long)(earliest_ms - outcome->ended_ms));
    if (exception) {
        CHECK(exception->kind != MPP_EXCEPTION_JOB, "%s", exception->message);
        tasks->failed[exception->kind]++;
        return 0;
    }
    CHECK(outcome->result.size == sizeof worker &&
              !memcmp(outcome->result.data, &worker, sizeof worker),
          "the job saw another number than %d", worker);
    note_end(&tasks->workers[outcome->rank][worker], outcome);
    tasks->ended++;
    return 0;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct tasks *tasks = context;
    if (check_outcome(tasks, outcome))
        return mpp_error_set(error, "a check failed");
    return tasks->cancel ? mpp_shutdown(tasks->executor, false, true, error) : 0;
}

static struct mpp_map map_of(struct tasks *tasks)
{
    return (struct mpp_map){.job = act_job.name, .source = source, .sink = sink, .context = tasks};
}

/* ---- Scenarios ---- */

/* A worker runs one task after the other. So from the end of its first task to that of its last
 * one, at least the time of all but the first passes. Half of it is left for the error of a rank's
 * clock; without corrected clocks, the ends on some rank would all be near one moment. */
static int check_order(const struct tasks *tasks)
{
    for (int rank = 0; rank < RANKS_MAX; rank++)
        for (int i = 0; i < WORKERS_MAX; i++) {
            const struct worker_tasks *worker = &tasks->workers[rank][i];
            double span_s = (double)(worker->last_ms - worker->first_ms + 1) * 1e-3;
            CHECK(span_s >= (worker->total_s - worker->first_s) / 2,
                  "rank %d, worker %d: %d tasks of %g s ended within %g s", rank, i, worker->count,
                  worker->total_s, span_s);
        }
    return 0;
}

static int scenario_ends(struct tasks *tasks)
{
    enum { COUNT = 100 };
    struct mpp_error error;
    char payloads[COUNT + 1] = {0};
    memset(payloads, 'r', COUNT);
    payloads[10] = payloads[50] = 'c';
    payloads[30] = payloads[70] = 't';
    tasks->left = payloads;
    struct mpp_map map = map_of(tasks);
    CHECK(!mpp_map_unordered(tasks->executor, &map, &error), "%s", error.text);
    CHECK(tasks->ended == COUNT - 4 && tasks->failed[MPP_EXCEPTION_CRASH] == 2 &&
              tasks->failed[MPP_EXCEPTION_TIMEOUT] == 2,
          "%d tasks ended, %d crashed, %d took too long", tasks->ended,
          tasks->failed[MPP_EXCEPTION_CRASH], tasks->failed[MPP_EXCEPTION_TIMEOUT]);
    return check_order(tasks);
}

static int scenario_cancelled(struct tasks *tasks)
{
    enum { COUNT = TASKS_MAX };
    struct mpp_error error;
    char payloads[COUNT + 1] = {0};
    memset(payloads, 'r', COUNT);
    tasks->left = payloads;
    tasks->cancel = true;
    struct mpp_map map = map_of(tasks);
    mpp_map(tasks->executor, &map, &error); /* fails if the source was not read to its end */
    CHECK(tasks->ended > 0 && tasks->cancelled > 0, "%d ended, %d were cancelled: %s", tasks->ended,
          tasks->cancelled, error.text);
    return 0;
}

static int run(const char *scenario, int workers, int *argc, char ***argv)
{
    struct mpp_options options = {.jobs = jobs,
                                  .workers_per_rank = workers,
                                  .max_tasks_per_worker = 5,
                                  .timeout_s = LIMIT_MS * 1e-3};
    struct mpp_error error;
    struct tasks tasks = {.opened_ms = now_ms()};
    switch (mpp_open(argc, argv, &options, &tasks.executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "outcome_test: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = strcmp(scenario, "ends") ? scenario_cancelled(&tasks) : scenario_ends(&tasks);
    if (mpp_close(tasks.executor, &error) && !failed) {
        fprintf(stderr, "outcome_test: %s\n", error.text);
        failed = 1;
    }
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    const char *scenario = argc > 1 ? argv[1] : "";
    int workers = argc > 2 ? atoi(argv[2]) : 1;
    if ((strcmp(scenario, "ends") && strcmp(scenario, "cancelled")) || workers < 1 ||
        workers > WORKERS_MAX || !(scratch = shared_directory_make())) {
        fprintf(stderr, "usage: outcome_test ends|cancelled [WORKERS]\n");
        return 2;
    }
    int failed = run(scenario, workers, &argc, &argv);
    if (mpp_launch_rank() == 0)
        shared_directory_remove();
    return failed;
}
