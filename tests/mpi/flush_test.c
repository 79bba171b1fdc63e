/* SPDX-License-Identifier: MIT */
/*
 * flush_test SCENARIO [WORKERS]: jobs with a flush: results are reported after it, and only then.
 * Runs on any number of ranks. Rank 0 exits with 0, or prints the check that failed and exits with
 * 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mppool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "shared_directory.h"

enum { TASKS = 1000, CRASHING_TASK = 500 };

/* What a worker process writes into the file of its pid when it flushes, and a task returns. */
struct flush_progress {
    int pid, tasks, flushes;
};

static const char *scratch, *scenario;
static struct flush_progress progress; /* of this worker process */

/* Opens a file in the shared directory. */
static int open_named(int number, const char *what, int flags)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s.%d", scratch, what, number);
    return open(path, flags | O_CLOEXEC, 0600);
}

/* ---- The job ---- */

static int run(void *state, struct mpp_bytes payload, struct mpp_context *context,
               struct mpp_error *error)
{
    (void)state;
    int task = *(const int *)payload.data;
    progress.pid = (int)getpid();
    progress.tasks++;
    if (strcmp(scenario, "crash") == 0 && task == CRASHING_TASK) {
        int fd = open_named(task, "crashed", O_CREAT | O_EXCL | O_WRONLY);
        if (fd >= 0)
            raise(SIGKILL); /* once */
    }
    if (task % 3 == 1 && strcmp(scenario, "mixed") == 0)
        return mpp_error_set(error, "task %d fails", task);
    if (task % 3 != 2 || strcmp(scenario, "mixed") != 0)
        mpp_context_await_flush(context);
    return mpp_context_set_result(context, &progress, sizeof progress);
}

static int flush(void *state, struct mpp_error *error)
{
    (void)state;
    if (strcmp(scenario, "failing") == 0)
        return mpp_error_set(error, "the disk is full");
    progress.flushes++;
    int fd = open_named((int)getpid(), "flushed", O_CREAT | O_WRONLY);
    if (fd < 0 || pwrite(fd, &progress, sizeof progress, 0) != sizeof progress)
        return mpp_error_set_errno(error, "cannot write");
    close(fd);
    return 0;
}

static const struct mpp_job job = {.name = "job", .run = run, .flush = flush};
static const struct mpp_job *const jobs[] = {&job, NULL};

/* ---- The map ---- */

struct tasks {
    int pulled, done, failed;
    int flushes; /* the highest number of a worker */
};

static enum mpp_source_status source(void *context, struct mpp_bytes *payload,
                                     struct mpp_error *error)
{
    (void)error;
    static int task;
    struct tasks *tasks = context;
    if (tasks->pulled == TASKS)
        return MPP_SOURCE_END;
    task = tasks->pulled++;
    *payload = (struct mpp_bytes){&task, sizeof task};
    return MPP_SOURCE_ITEM;
}

static int check_flushed(struct tasks *tasks, const struct mpp_outcome *outcome)
{
    struct flush_progress reported, flushed = {0};
    CHECK(outcome->result.size == sizeof reported, "%zu bytes", outcome->result.size);
    memcpy(&reported, outcome->result.data, sizeof reported);
    bool waits = strcmp(scenario, "mixed") != 0 || outcome->index % 3 != 2;
    int fd = open_named(reported.pid, "flushed", O_RDONLY);
    bool known = fd >= 0 && read(fd, &flushed, sizeof flushed) == sizeof flushed;
    if (fd >= 0)
        close(fd);
    CHECK(!waits || (known && flushed.tasks >= reported.tasks),
          "task %d of its worker was reported after %d were flushed", reported.tasks,
          flushed.tasks);
    if (flushed.flushes > tasks->flushes)
        tasks->flushes = flushed.flushes;
    return 0;
}

static int sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct tasks *tasks = context;
    const struct mpp_exception *exception = outcome->exception;
    if (!exception) {
        tasks->done++;
        return check_flushed(tasks, outcome) ? mpp_error_set(error, "a check failed") : 0;
    }
    tasks->failed++;
    bool flush_failed = strcmp(exception->message, "the disk is full") == 0;
    return exception->kind == MPP_EXCEPTION_JOB &&
                   flush_failed == (strcmp(scenario, "failing") == 0)
               ? 0
               : mpp_error_set(error, "kind %d: %s", exception->kind, exception->message);
}

static int check_all(struct mpp_executor *executor)
{
    struct mpp_error error = {.text = ""};
    struct tasks tasks = {0};
    struct mpp_map map = {.job = "job", .source = source, .sink = sink, .context = &tasks};
    CHECK(mpp_map_unordered(executor, &map, &error) == MPP_WAIT_OK, "%s", error.text);
    int failed = strcmp(scenario, "failing") == 0 ? TASKS
                 : strcmp(scenario, "mixed") == 0 ? TASKS / 3
                                                  : 0;
    CHECK(tasks.failed == failed && tasks.done == TASKS - failed, "%d done, %d failed", tasks.done,
          tasks.failed);
    CHECK(tasks.flushes < TASKS / 2, "%d flushes for %d tasks", tasks.flushes, TASKS);
    return 0;
}

int main(int argc, char **argv)
{
    struct mpp_executor *executor;
    struct mpp_error error;
    scenario = argc > 1 ? argv[1] : "";
    scratch = shared_directory_make();
    if (!scratch)
        return 1;
    struct mpp_options options = {.jobs = jobs, .workers_per_rank = argc > 2 ? atoi(argv[2]) : 0};
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "%s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = check_all(executor);
    if (mpp_close(executor, &error)) {
        fprintf(stderr, "%s\n", error.text);
        failed = -1;
    }
    shared_directory_remove();
    return failed ? 1 : 0;
}
