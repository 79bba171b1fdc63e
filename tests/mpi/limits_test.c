/* SPDX-License-Identifier: MIT */
/*
 * limits_test SCENARIO: the options that limit tasks, each against a task that exceeds its limit.
 * Runs on any number of ranks. Tasks leave files in a directory that all ranks share. After each
 * scenario the pool must still run ordinary tasks. Rank 0 exits with 0, or prints the check that
 * failed and exits with 1.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mppool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "shared_directory.h"

enum { PENDING_TASKS = 1000000 };

static const char *scratch;

/* ---- Jobs ---- */

static void leave_file(const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

static bool file_exists(const char *name)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    return access(path, F_OK) == 0;
}

/* The result is the pid of the worker process. With a payload, the task takes some time. */
static int pid_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                   struct mpp_error *error)
{
    (void)state, (void)error;
    if (*(const char *)payload.data)
        usleep(50);
    int64_t pid = getpid();
    return mpp_context_set_result(context, &pid, sizeof pid);
}

/* Waits until the file named by the payload exists. */
static int gate_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)context, (void)error;
    while (!file_exists(payload.data))
        usleep(1000);
    return 0;
}

static int stubborn_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                        struct mpp_error *error)
{
    signal(SIGTERM, SIG_IGN);
    return gate_run(state, payload, context, error);
}

static int count_files(void)
{
    int count = 0;
    DIR *directory = opendir(scratch);
    for (struct dirent *entry; directory && (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    if (directory)
        closedir(directory);
    return count;
}

/* Forks, and returns in both processes. */
static int fork_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    if (fork() < 0)
        return mpp_error_set(error, "cannot fork: %s", strerror(errno));
    return pid_run(state, payload, context, error);
}

/* Makes a file "attempt.rank.pid" and crashes. */
static int crash_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    (void)state, (void)payload, (void)error;
    char name[64];
    snprintf(name, sizeof name, "%d.%d.%d", count_files(), mpp_context_rank(context),
             (int)getpid());
    leave_file(name);
    raise(SIGSEGV);
    return 0;
}

/* Allocates too much. Payload 'a': reports that it failed. 'u': uses the null pointer. */
static int allocate_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                        struct mpp_error *error)
{
    (void)state, (void)context;
    size_t size = (size_t)4 << 30;
    volatile char *memory = malloc(size);
    if (*(const char *)payload.data == 'a' && !memory)
        return mpp_error_set(error, "no memory for %zu bytes: %s", size, strerror(errno));
    memory[1] = 1;
    free((void *)memory);
    return 0;
}

/* Does what a hostile input might make a decoder do. The result is errno; 0: it succeeded. */
static int escape_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                      struct mpp_error *error)
{
    (void)state, (void)error;
    const char *what = payload.data;
    int fd = -1, number = 0;
    errno = 0;
    switch (*what) {
    case 'x':
        execl("/bin/true", "true", (char *)NULL); /* returns only on failure */
        number = errno;
        break;
    case 's':
        fd = socket(AF_INET, SOCK_STREAM, 0);
        break;
    case 'r':
        fd = open(what + 1, O_RDONLY | O_CLOEXEC);
        break;
    case 'w':
        fd = open(what + 1, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        break;
    }
    if (*what != 'x' && fd < 0)
        number = errno;
    if (fd >= 0)
        close(fd);
    return mpp_context_set_result(context, &number, sizeof number);
}

static const struct mpp_job pid_job = {.name = "pid", .run = pid_run};
static const struct mpp_job gate_job = {.name = "gate", .run = gate_run};
static const struct mpp_job stubborn_job = {.name = "stubborn", .run = stubborn_run};
static const struct mpp_job crash_job = {.name = "crash", .run = crash_run};
static const struct mpp_job allocate_job = {.name = "allocate", .run = allocate_run};
static const struct mpp_job escape_job = {.name = "escape", .run = escape_run};
static const struct mpp_job fork_job = {.name = "fork", .run = fork_run};
static const struct mpp_job *const jobs[] = {&pid_job,      &gate_job,   &stubborn_job, &crash_job,
                                             &allocate_job, &escape_job, &fork_job,     NULL};

/* ---- Helpers ---- */

static struct mpp_executor *executor;
static struct mpp_error error;

static struct mpp_future *submit(const char *job, const char *text)
{
    return mpp_submit(executor, job, text, strlen(text) + 1, &error);
}

/* Submits a task, waits for it and copies its exception, whose texts belong to the future. */
static struct mpp_future *run_to_exception(const char *job, const char *text,
                                           struct mpp_exception *exception)
{
    const struct mpp_exception *found = NULL;
    struct mpp_future *future = submit(job, text);
    *exception = (struct mpp_exception){.message = "nothing"};
    if (future && !mpp_future_exception(future, MPP_FOREVER, &found, &error) && found)
        *exception = *found;
    return future;
}

static int run_ordinary_tasks(void)
{
    for (int i = 0; i < 20; i++) {
        struct mpp_bytes result;
        struct mpp_future *future = submit("pid", "");
        CHECK(future && !mpp_future_result(future, MPP_FOREVER, &result, &error), "%s", error.text);
        mpp_future_free(future);
    }
    return 0;
}

/* ---- Scenarios ---- */

static int scenario_timeout(void)
{
    static const char *const names[] = {"gate", "stubborn"}; /* ended by SIGTERM, by SIGKILL */
    for (int i = 0; i < 2; i++) {
        struct mpp_exception exception;
        struct mpp_future *future = run_to_exception(names[i], "never", &exception);
        CHECK(exception.kind == MPP_EXCEPTION_TIMEOUT, "%d: %s", (int)exception.kind,
              exception.message);
        CHECK(exception.attempts == 1 && exception.pid > 0 && exception.host[0], "%d attempts",
              exception.attempts);
        CHECK(strstr(exception.message, "0.3 s"), "%s", exception.message);
        mpp_future_free(future);
    }
    struct mpp_stats stats;
    mpp_executor_stats(executor, &stats);
    CHECK(stats.retries == 0, "a task that took too long was tried again");
    return run_ordinary_tasks();
}

static int scenario_memory(void)
{
    struct mpp_exception exception;
    struct mpp_future *future = run_to_exception("allocate", "a", &exception);
    CHECK(exception.kind == MPP_EXCEPTION_MEMORY, "%d: %s", (int)exception.kind, exception.message);
    CHECK(strstr(exception.message, "no memory for") && exception.attempts == 1, "%s",
          exception.message);
    mpp_future_free(future);
    future = run_to_exception("allocate", "u", &exception);
    CHECK(exception.kind == MPP_EXCEPTION_MEMORY, "%d: %s", (int)exception.kind, exception.message);
    CHECK(strstr(exception.message, "could not get memory"), "%s", exception.message);
    mpp_future_free(future);
    future = run_to_exception("crash", "", &exception);
    CHECK(exception.kind == MPP_EXCEPTION_CRASH, "a crash was taken for lack of memory: %s",
          exception.message);
    mpp_future_free(future);
    return run_ordinary_tasks();
}

/* A task that always crashes: the exception is that of the last attempt, and consecutive attempts
 * are on different ranks if there are several. */
static int scenario_crash_always(void)
{
    struct mpp_exception exception;
    struct mpp_future *future = run_to_exception("crash", "", &exception);
    struct mpp_stats stats;
    char host[256] = "", last[64], prefix[64];
    gethostname(host, sizeof host - 1);
    CHECK(exception.kind == MPP_EXCEPTION_CRASH && exception.signal == SIGSEGV, "%s",
          exception.message);
    CHECK(exception.attempts == 3, "%d attempts", exception.attempts);
    CHECK(count_files() == 3, "%d attempts left a file", count_files());
    CHECK(!strcmp(exception.host, host), "host %s", exception.host);
    snprintf(last, sizeof last, "2.%d.%lld", exception.rank, (long long)exception.pid);
    CHECK(file_exists(last), "the last attempt was not %s", last);
    mpp_future_free(future);

    mpp_executor_stats(executor, &stats);
    size_t length = (size_t)snprintf(prefix, sizeof prefix, "1.%d.", exception.rank);
    DIR *directory = opendir(scratch);
    for (struct dirent *entry; (entry = readdir(directory));)
        CHECK(stats.ranks == 1 || strncmp(entry->d_name, prefix, length) != 0,
              "rank %d made two consecutive attempts", exception.rank);
    closedir(directory);
    return run_ordinary_tasks();
}

static int compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static int scenario_max_tasks(void)
{
    enum { TASKS = 60, TASKS_MAX = 3 };
    struct mpp_future *futures[TASKS];
    int64_t pids[TASKS];
    for (int i = 0; i < TASKS; i++)
        futures[i] = submit("pid", "");
    for (int i = 0; i < TASKS; i++) {
        struct mpp_bytes result;
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        memcpy(&pids[i], result.data, sizeof pids[i]);
        mpp_future_free(futures[i]);
    }
    qsort(pids, TASKS, sizeof *pids, compare);
    for (int i = TASKS_MAX; i < TASKS; i++)
        CHECK(pids[i] != pids[i - TASKS_MAX], "process %lld ran more than %d", (long long)pids[i],
              TASKS_MAX);
    struct mpp_stats stats;
    mpp_executor_stats(executor, &stats);
    CHECK(stats.workers_replaced == 0, "%llu were counted as crashed",
          (unsigned long long)stats.workers_replaced);
    return 0;
}

static int escape(const char *how, int *number)
{
    struct mpp_bytes result;
    struct mpp_future *future = submit("escape", how);
    CHECK(future && !mpp_future_result(future, MPP_FOREVER, &result, &error), "%s: %s", how,
          error.text);
    memcpy(number, result.data, sizeof *number);
    mpp_future_free(future);
    return 0;
}

static int scenario_confined(void)
{
    int number;
    char inside[PATH_MAX + 64];
    bool calls = strstr(mpp_confinement(), "seccomp"),
         paths = strstr(mpp_confinement(), "Landlock");
    printf("confined by %s\n", mpp_confinement());
    if (calls) {
        CHECK(!escape("x", &number) && number == EPERM, "exec: %s", strerror(number));
        CHECK(!escape("s", &number) && number == EPERM, "socket: %s", strerror(number));
    }
    if (paths) {
        CHECK(!escape("r/etc/passwd", &number) && number == EACCES, "read: %s", strerror(number));
        CHECK(!escape("w/tmp/limits_test.escaped", &number) && number == EACCES, "write: %s",
              strerror(number));
        CHECK(access("/tmp/limits_test.escaped", F_OK), "a file was written outside");
    }
    snprintf(inside, sizeof inside, "w%s/inside", scratch);
    CHECK(!escape(inside, &number) && number == 0, "writing an allowed file failed: %s",
          strerror(number));
    CHECK(file_exists("inside"), "nothing was written");
    return run_ordinary_tasks();
}

/* A result is delivered although a later task of the same chunk, at any position, has not ended. */
static int early_result(int before)
{
    enum { TASKS = 100 };
    char gate[16];
    struct mpp_future *futures[TASKS];
    struct mpp_bytes result;
    snprintf(gate, sizeof gate, "gate%d", before);
    for (int i = 0; i < TASKS; i++)
        futures[i] = i == before ? submit("gate", gate) : submit("pid", "wait");
    for (int i = 0; i < before; i++)
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
    CHECK(!mpp_future_done(futures[before]), "the gate was open");
    leave_file(gate);
    for (int i = 0; i < TASKS; i++) {
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        mpp_future_free(futures[i]);
    }
    return 0;
}

static int scenario_early_result(void)
{
    for (int before = 40; before < 60; before++)
        if (early_result(before))
            return -1;
    return 0;
}

/* A pending task costs rank 0 at most 256 bytes, as mppool.h promises. */
static int scenario_pending(void)
{
    size_t count = PENDING_TASKS;
    struct mpp_future **futures = malloc(count * sizeof *futures);
    struct rusage before, after;
    struct mpp_bytes result;
    CHECK(futures, "no memory for the test");
    memset(futures, 0, count * sizeof *futures);
    getrusage(RUSAGE_SELF, &before);
    for (size_t i = 0; i < count; i++)
        CHECK(futures[i] = submit(i ? "pid" : "gate", i ? "" : "gate"), "%s", error.text);
    CHECK(!mpp_future_done(futures[count - 1]), "nothing is pending");
    leave_file("gate");
    for (size_t i = 0; i < count; i++) {
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        mpp_future_free(futures[i]);
    }
    getrusage(RUSAGE_SELF, &after);
    double bytes = 1024.0 * (double)(after.ru_maxrss - before.ru_maxrss) / (double)count;
    printf("%zu pending tasks cost %.0f bytes each\n", count, bytes);
    CHECK(bytes <= 256, "%.0f bytes", bytes);
    free(futures);
    return 0;
}

/* A job that forks and returns in both processes does not confuse the pool: each task ends once. */
static int scenario_forks(void)
{
    enum { TASKS = 40 };
    struct mpp_future *futures[TASKS];
    for (int i = 0; i < TASKS; i++)
        futures[i] = submit(i % 2 ? "pid" : "fork", "");
    for (int i = 0; i < TASKS; i++) {
        struct mpp_bytes result;
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        mpp_future_free(futures[i]);
    }
    return run_ordinary_tasks();
}

static int scenario_not_isolated(void)
{
    bool own = false;
    struct mpp_stats stats;
    mpp_executor_stats(executor, &stats);
    for (int i = 0; i < 50; i++) {
        struct mpp_bytes result;
        int64_t pid;
        struct mpp_future *future = submit("pid", "");
        CHECK(!mpp_future_result(future, MPP_FOREVER, &result, &error), "%s", error.text);
        memcpy(&pid, result.data, sizeof pid);
        own |= pid == getpid();
        mpp_future_free(future);
    }
    CHECK(own || stats.ranks > 1, "no task ran in this process");
    return 0;
}

/* ---- main ---- */

static const char *writable[] = {NULL, NULL}; /* the scratch directory */
static const struct mpp_confine confinement = {
    .no_exec = true, .no_sockets = true, .paths = true, .writable = writable};

static const struct scenario {
    const char *name;
    int (*run)(void);
    struct mpp_options options;
} scenarios[] = {
    {"timeout", scenario_timeout, {.timeout_s = 0.3, .retries = 5}},
    {"memory", scenario_memory, {.memory_limit_bytes = (size_t)256 << 20}},
    {"crash_always", scenario_crash_always, {.retries = 2}},
    {"max_tasks", scenario_max_tasks, {.max_tasks_per_worker = 3}},
    {"confined", scenario_confined, {.confine = &confinement}},
    {"pending", scenario_pending, {.workers_per_rank = 1}},
    {"forks", scenario_forks, {0}},
    {"early_result", scenario_early_result, {.workers_per_rank = 1}},
    {"not_isolated", scenario_not_isolated, {.isolate = MPP_NOT_ISOLATED}},
};

static int run(const struct scenario *scenario, int *argc, char ***argv)
{
    struct mpp_options options = scenario->options;
    options.jobs = jobs;
    if (!options.workers_per_rank)
        options.workers_per_rank = 2;
    switch (mpp_open(argc, argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "limits_test: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = scenario->run();
    leave_file("never"); /* lets tasks that still wait for it end */
    if (mpp_close(executor, &error) && !failed) {
        fprintf(stderr, "limits_test: %s\n", error.text);
        failed = 1;
    }
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    const struct scenario *scenario = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(argv[1], scenarios[i].name))
            scenario = &scenarios[i];
    if (!scenario || !(scratch = shared_directory_make())) {
        fprintf(stderr, "usage: limits_test SCENARIO\n");
        return 2;
    }
    writable[0] = scratch;
    int failed = run(scenario, &argc, &argv);
    if (mpp_launch_rank() == 0)
        shared_directory_remove();
    return failed;
}
