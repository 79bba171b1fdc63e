/* SPDX-License-Identifier: MIT */
/*
 * pool_test SCENARIO [WORKERS [SECONDS]]: what the pool does, one scenario each, on any number of
 * ranks, with or without mpirun. WORKERS is the option workers_per_rank. Rank 0 exits with 0, or
 * prints the check that failed and exits with 1.
 *
 * The scenarios steal and busy also print measurements for scripts/bench. No duration is asserted.
 * SECONDS is how long the task of busy takes.
 */
#include <errno.h>
#include <mppool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

/* ---- Jobs ---- */

static int echo_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state;
    if (mpp_context_set_result(context, payload.data, payload.size))
        return mpp_error_set(error, "out of memory");
    return 0;
}

static int fail_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)context;
    if (!payload.size)
        return -1; /* without a message */
    return mpp_error_set(error, "told to fail: %.*s", (int)payload.size,
                         (const char *)payload.data);
}

static int sleep_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    (void)state, (void)context, (void)error;
    int us;
    memcpy(&us, payload.data, sizeof us);
    usleep((useconds_t)us);
    return 0;
}

/* Payload: how many seconds. */
static int spin_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state;
    enum { STEPS = 100000 };
    double begun = monotonic_now_s(), now, rounds = 0, length_s;
    memcpy(&length_s, payload.data, sizeof length_s);
    do {
        for (unsigned i = 0; i < STEPS; i++)
            __asm__ volatile("" : : "r"(i)); /* keeps the loop */
        rounds++;
        now = monotonic_now_s();
    } while (now < begun + length_s);
    rounds /= now - begun;
    if (mpp_context_set_result(context, &rounds, sizeof rounds))
        return mpp_error_set(error, "no memory");
    return 0;
}

/* Payload: 's' and a signal number, 'e' and an exit status, or anything else, which is echoed. */
static int crash_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    const unsigned char *how = payload.data;
    if (payload.size == 2 && how[0] == 's')
        raise(how[1]);
    if (payload.size == 2 && how[0] == 'e')
        _exit(how[1]);
    return echo_run(state, payload, context, error);
}

/* Payload: a path. If it does not exist, makes it and crashes; so the second attempt succeeds. */
static int crash_once_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                          struct mpp_error *error)
{
    if (mkdir(payload.data, 0700) == 0)
        raise(SIGKILL);
    return echo_run(state, payload, context, error);
}

static int counter_open(void **state, const void *initargs, struct mpp_error *error)
{
    int *counter = malloc(sizeof *counter);
    if (!counter)
        return mpp_error_set(error, "no memory");
    *counter = *(const int *)initargs;
    *state = counter;
    return 0;
}

static int counter_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                       struct mpp_error *error)
{
    (void)payload, (void)error;
    int *counter = state;
    ++*counter;
    return mpp_context_set_result(context, counter, sizeof *counter);
}

static void counter_close(void *state)
{
    free(state);
}

static int failing_open(void **state, const void *initargs, struct mpp_error *error)
{
    (void)state, (void)initargs;
    return mpp_error_set(error, "open failed as told");
}

static int print_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                     struct mpp_error *error)
{
    (void)state, (void)payload, (void)context, (void)error;
    printf("in a task\n");
    return 0;
}

static const struct mpp_job jobs_table[] = {
    {.name = "echo", .run = echo_run},
    {.name = "fail", .run = fail_run},
    {.name = "sleep", .run = sleep_run},
    {.name = "crash", .run = crash_run},
    {.name = "crash_once", .run = crash_once_run},
    {.name = "counter", .open = counter_open, .run = counter_run, .close = counter_close},
    {.name = "failing open", .open = failing_open, .run = echo_run},
    {.name = "spin", .run = spin_run},
    {.name = "print", .run = print_run},
};
static const struct mpp_job *const jobs[] = {
    &jobs_table[0], &jobs_table[1], &jobs_table[2], &jobs_table[3], &jobs_table[4],
    &jobs_table[5], &jobs_table[6], &jobs_table[7], &jobs_table[8], NULL};

/* ---- Scenarios: submit and futures ---- */

static int scenario_submit(struct mpp_executor *executor)
{
    enum { TASKS = 300 };
    struct mpp_future *futures[TASKS];
    struct mpp_error error;
    for (int i = 0; i < TASKS; i++) {
        futures[i] = mpp_submit(executor, "echo", &i, sizeof i, &error);
        CHECK(futures[i], "%s", error.text);
    }
    for (int i = TASKS - 1; i >= 0; i--) {
        struct mpp_bytes result;
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        CHECK(mpp_future_done(futures[i]), "a future with a result is not done");
        CHECK(result.size == sizeof i && !memcmp(result.data, &i, sizeof i), "task %d", i);
        mpp_future_free(futures[i]);
    }
    return 0;
}

static int scenario_exception(struct mpp_executor *executor)
{
    struct mpp_error error;
    struct mpp_bytes result;
    const struct mpp_exception *exception;
    struct mpp_future *future = mpp_submit(executor, "fail", "x y", 3, &error);
    CHECK(mpp_future_result(future, MPP_FOREVER, &result, &error), "a failed task has a result");
    CHECK(!strcmp(error.text, "told to fail: x y"), "%s", error.text);
    CHECK(!mpp_future_exception(future, MPP_FOREVER, &exception, &error), "%s", error.text);
    CHECK(exception && exception->kind == MPP_EXCEPTION_JOB && exception->attempts == 1,
          "the exception is wrong");
    CHECK(exception->pid > 0 && exception->rank >= 0 && exception->host[0],
          "the exception does not say where");
    mpp_future_free(future);

    future = mpp_submit(executor, "fail", "", 0, &error);
    CHECK(mpp_future_result(future, MPP_FOREVER, &result, &error), "a failed task has a result");
    CHECK(error.text[0], "a failure without a message has an empty one");
    mpp_future_free(future);

    future = mpp_submit(executor, "failing open", "", 0, &error);
    CHECK(mpp_future_result(future, MPP_FOREVER, &result, &error),
          "a task ran although open failed");
    CHECK(!strcmp(error.text, "open failed as told"), "%s", error.text);
    mpp_future_free(future);

    CHECK(!mpp_submit(executor, "nonesuch", "", 0, &error), "an unknown job was accepted");
    CHECK(strstr(error.text, "nonesuch"), "%s", error.text);

    future = mpp_submit(executor, "echo", "fine", 4, &error);
    CHECK(!mpp_future_exception(future, MPP_FOREVER, &exception, &error) && !exception,
          "a task that succeeded has an exception");
    mpp_future_free(future);
    return 0;
}

static int scenario_timeout(struct mpp_executor *executor)
{
    struct mpp_error error;
    struct mpp_bytes result;
    int us = 300000;
    struct mpp_future *future = mpp_submit(executor, "sleep", &us, sizeof us, &error);
    CHECK(mpp_future_result(future, 0.0, &result, &error) == MPP_WAIT_TIMEOUT, "no timeout");
    CHECK(strstr(error.text, "no result"), "%s", error.text);
    CHECK(!mpp_future_done(future), "a sleeping task is done");
    CHECK(!mpp_future_result(future, 3600.0, &result, &error), "%s", error.text);
    mpp_future_free(future);
    return 0;
}

static int scenario_free_early(struct mpp_executor *executor)
{
    struct mpp_error error;
    for (int i = 0; i < 100; i++)
        mpp_future_free(mpp_submit(executor, "echo", &i, sizeof i, &error));
    return scenario_submit(executor);
}

static int scenario_initializer(struct mpp_executor *executor)
{
    struct mpp_error error;
    struct mpp_bytes result;
    for (int i = 0; i < 50; i++) {
        struct mpp_future *future = mpp_submit(executor, "counter", "", 0, &error);
        CHECK(!mpp_future_result(future, MPP_FOREVER, &result, &error), "%s", error.text);
        int counted;
        memcpy(&counted, result.data, sizeof counted);
        CHECK(counted > 1000 && counted <= 1050, "a worker counted to %d", counted);
        mpp_future_free(future);
    }
    return 0;
}

static int scenario_large(struct mpp_executor *executor)
{
    size_t size = 64u << 20;
    unsigned char *bytes = malloc(size);
    CHECK(bytes, "no memory for the test");
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 24);
    struct mpp_error error;
    struct mpp_bytes result;
    struct mpp_future *futures[3];
    for (int i = 0; i < 3; i++)
        futures[i] = mpp_submit(executor, "echo", bytes, size - (size_t)i, &error);
    for (int i = 0; i < 3; i++) {
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        CHECK(result.size == size - (size_t)i && !memcmp(result.data, bytes, result.size),
              "64 MB were changed on the way");
        mpp_future_free(futures[i]);
    }
    free(bytes);
    return 0;
}

/* ---- Scenarios: crashes ---- */

static int check_crash(struct mpp_executor *executor, const char *payload, int signal_number,
                       const char *expected)
{
    struct mpp_error error;
    struct mpp_bytes result;
    const struct mpp_exception *exception;
    struct mpp_future *future = mpp_submit(executor, "crash", payload, 2, &error);
    CHECK(mpp_future_result(future, MPP_FOREVER, &result, &error), "a crash has a result");
    CHECK(strstr(error.text, expected), "'%s' lacks '%s'", error.text, expected);
    CHECK(!mpp_future_exception(future, MPP_FOREVER, &exception, &error), "%s", error.text);
    CHECK(exception->kind == MPP_EXCEPTION_CRASH && exception->signal == signal_number,
          "kind %d, signal %d", exception->kind, exception->signal);
    CHECK(exception->attempts == 2, "%d attempts", exception->attempts);
    mpp_future_free(future);
    return 0;
}

static int scenario_crash(struct mpp_executor *executor)
{
    struct mpp_stats stats;
    if (check_crash(executor, (char[]){'s', SIGSEGV}, SIGSEGV, "SIGSEGV") ||
        check_crash(executor, (char[]){'s', SIGKILL}, SIGKILL, "SIGKILL") ||
        check_crash(executor, (char[]){'s', SIGABRT}, SIGABRT, "SIGABRT") ||
        check_crash(executor, (char[]){'e', 0}, 0, "exited with status 0") ||
        check_crash(executor, (char[]){'e', 7}, 0, "exited with status 7"))
        return -1;
    mpp_executor_stats(executor, &stats);
    CHECK(stats.retries == 5, "%llu retries", (unsigned long long)stats.retries);
    return scenario_submit(executor);
}

static int scenario_crash_once(struct mpp_executor *executor)
{
    enum { TASKS = 40 };
    char directory[] = "/tmp/pool_test_XXXXXX";
    CHECK(mkdtemp(directory), "no temporary directory");
    struct mpp_future *futures[TASKS];
    struct mpp_error error;
    char path[TASKS][64];
    for (int i = 0; i < TASKS; i++) {
        snprintf(path[i], sizeof path[i], "%s/%d", directory, i);
        futures[i] = mpp_submit(executor, i % 4 ? "echo" : "crash_once", path[i],
                                strlen(path[i]) + 1, &error);
    }
    for (int i = 0; i < TASKS; i++) {
        struct mpp_bytes result;
        CHECK(!mpp_future_result(futures[i], MPP_FOREVER, &result, &error), "%s", error.text);
        CHECK(!strcmp(result.data, path[i]), "task %d", i);
        mpp_future_free(futures[i]);
        rmdir(path[i]);
    }
    rmdir(directory);
    struct mpp_stats stats;
    mpp_executor_stats(executor, &stats);
    CHECK(stats.retries == TASKS / 4, "%llu retries", (unsigned long long)stats.retries);
    return 0;
}

/* ---- Scenarios: map ---- */

struct counting {
    uint64_t count, next, delivered, sum;
    uint64_t later_until; /* below that, every second call of the source gives MPP_SOURCE_LATER */
    bool ordered, gave_later;
    uint64_t fail_source_at, fail_sink_at;
    uint64_t max_ahead, limit;
};

static enum mpp_source_status counting_source(void *context, struct mpp_bytes *payload,
                                              struct mpp_error *error)
{
    struct counting *c = context;
    if (c->fail_source_at && c->next == c->fail_source_at) {
        mpp_error_set(error, "the source is broken");
        return MPP_SOURCE_ERROR;
    }
    if (c->next < c->later_until && !c->gave_later) {
        c->gave_later = true;
        return MPP_SOURCE_LATER;
    }
    c->gave_later = false;
    if (c->next == c->count)
        return MPP_SOURCE_END;
    static uint64_t value;
    value = c->next++;
    if (c->next - c->delivered > c->max_ahead)
        c->max_ahead = c->next - c->delivered;
    *payload = (struct mpp_bytes){&value, sizeof value};
    return MPP_SOURCE_ITEM;
}

static int counting_sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct counting *c = context;
    uint64_t value = 0;
    if (outcome->exception || outcome->result.size != sizeof value)
        return mpp_error_set(error, "task %llu has no result", (unsigned long long)outcome->index);
    memcpy(&value, outcome->result.data, sizeof value);
    if (value != outcome->index || memcmp(outcome->payload.data, &value, sizeof value))
        return mpp_error_set(error, "task %llu has the result of another",
                             (unsigned long long)outcome->index);
    if (c->ordered && value != c->delivered)
        return mpp_error_set(error, "task %llu came instead of %llu", (unsigned long long)value,
                             (unsigned long long)c->delivered);
    c->delivered++;
    c->sum += value;
    if (c->fail_sink_at && c->delivered == c->fail_sink_at)
        return mpp_error_set(error, "the sink is broken");
    return 0;
}

static int run_counting(struct mpp_executor *executor, struct counting *c, size_t buffersize)
{
    struct mpp_error error;
    struct mpp_map map = {.job = "echo",
                          .source = counting_source,
                          .sink = counting_sink,
                          .context = c,
                          .buffersize = buffersize};
    int failed =
        c->ordered ? mpp_map(executor, &map, &error) : mpp_map_unordered(executor, &map, &error);
    if (c->fail_source_at || c->fail_sink_at) {
        CHECK(failed, "the map succeeded");
        CHECK(strstr(error.text, "is broken"), "%s", error.text);
        return 0;
    }
    CHECK(!failed, "%s", error.text);
    CHECK(c->delivered == c->count && c->sum == c->count * (c->count - 1) / 2, "%llu of %llu came",
          (unsigned long long)c->delivered, (unsigned long long)c->count);
    CHECK(!buffersize || c->max_ahead <= buffersize, "%llu pulled ahead",
          (unsigned long long)c->max_ahead);
    return 0;
}

static int scenario_map(struct mpp_executor *executor)
{
    return run_counting(executor, &(struct counting){.count = 20000, .ordered = true}, 0) ||
                   run_counting(executor, &(struct counting){.count = 20000}, 0) ||
                   run_counting(executor, &(struct counting){.count = 500, .ordered = true}, 7) ||
                   run_counting(executor, &(struct counting){.count = 500}, 1) ||
                   run_counting(executor, &(struct counting){.count = 1}, 0) ||
                   run_counting(executor, &(struct counting){.count = 40, .later_until = 20}, 0)
               ? -1
               : 0;
}

static int scenario_map_empty(struct mpp_executor *executor)
{
    struct counting c = {.count = 0};
    struct mpp_error error;
    struct mpp_map map = {
        .job = "echo", .source = counting_source, .sink = counting_sink, .context = &c};
    CHECK(!mpp_map(executor, &map, &error) && !c.delivered, "an empty map delivered outcomes");
    map.job = "nonesuch";
    CHECK(mpp_map(executor, &map, &error), "an unknown job was accepted");
    return 0;
}

static int scenario_map_broken(struct mpp_executor *executor)
{
    return run_counting(executor, &(struct counting){.count = 900, .fail_source_at = 300}, 0) ||
                   run_counting(executor, &(struct counting){.count = 900, .fail_sink_at = 100},
                                50) ||
                   scenario_submit(executor)
               ? -1
               : 0;
}

/* The source shuts the pool down in the middle of the map. Every task read so far is delivered
 * once, done or cancelled, and no further task is read. */
struct interrupted_map {
    struct mpp_executor *executor;
    int pulled, stop_at;
    int done, cancelled;
    unsigned char seen[4096];
};

static enum mpp_source_status shut_source(void *context, struct mpp_bytes *payload,
                                          struct mpp_error *error)
{
    (void)error;
    struct interrupted_map *s = context;
    if (s->pulled == (int)sizeof s->seen)
        return MPP_SOURCE_END;
    if (s->pulled == s->stop_at) /* so the task of this call cannot be submitted */
        mpp_shutdown(s->executor, false, true, NULL);
    s->pulled++;
    *payload = (struct mpp_bytes){"x", 1};
    return MPP_SOURCE_ITEM;
}

static int shut_sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct interrupted_map *s = context;
    bool cancelled = outcome->exception && outcome->exception->kind == MPP_EXCEPTION_CANCELLED;
    if (outcome->index >= sizeof s->seen || s->seen[outcome->index]++)
        return mpp_error_set(error, "task %d came twice", (int)outcome->index);
    if (outcome->exception && !cancelled)
        return mpp_error_set(error, "%s", outcome->exception->message);
    s->done += !cancelled;
    s->cancelled += cancelled;
    return 0;
}

static int scenario_shut_map(struct mpp_executor *executor)
{
    struct interrupted_map s = {.executor = executor, .stop_at = 1500};
    struct mpp_error error;
    struct mpp_map map = {
        .job = "echo", .source = shut_source, .sink = shut_sink, .context = &s, .buffersize = 1024};
    CHECK(mpp_map_unordered(executor, &map, &error), "the map succeeded");
    CHECK(strstr(error.text, "shut down"), "%s", error.text);
    CHECK(s.done + s.cancelled == s.pulled, "%d done, %d cancelled of %d", s.done, s.cancelled,
          s.pulled);
    CHECK(s.done && s.cancelled && s.pulled < (int)sizeof s.seen, "%d done, %d cancelled of %d",
          s.done, s.cancelled, s.pulled);
    return 0;
}

/* ---- Scenarios: load balance ---- */

/* The tasks of the first half take 100 times as long as the others. */
struct lopsided {
    int count, next;
    int slow_us;
    int ranks_seen[1024];
    double busy_s;
};

static enum mpp_source_status lopsided_source(void *context, struct mpp_bytes *payload,
                                              struct mpp_error *error)
{
    (void)error;
    struct lopsided *l = context;
    static int us;
    if (l->next == l->count)
        return MPP_SOURCE_END;
    us = l->next++ < l->count / 2 ? l->slow_us : l->slow_us / 100;
    *payload = (struct mpp_bytes){&us, sizeof us};
    return MPP_SOURCE_ITEM;
}

static int lopsided_sink(void *context, const struct mpp_outcome *outcome, struct mpp_error *error)
{
    struct lopsided *l = context;
    if (outcome->exception)
        return mpp_error_set(error, "%s", outcome->exception->message);
    l->ranks_seen[outcome->rank]++;
    l->busy_s += outcome->run_s;
    return 0;
}

/* The ideal time is the measured time in tasks, divided by the workers: the machine decides how
 * long a sleep takes. */
static int scenario_steal(struct mpp_executor *executor)
{
    struct lopsided l = {.count = 1600, .slow_us = 50000};
    struct mpp_map map = {
        .job = "sleep", .source = lopsided_source, .sink = lopsided_sink, .context = &l};
    struct mpp_error error;
    double begun = monotonic_now_s();
    CHECK(!mpp_map_unordered(executor, &map, &error), "%s", error.text);
    double wall_s = monotonic_now_s() - begun;
    struct mpp_stats stats;
    mpp_executor_stats(executor, &stats);
    double ideal_s = l.busy_s / stats.workers;
    printf("steal: %d ranks, %d workers: %.3f s, ideal %.3f s (%.1f %% over), %llu steals of %llu "
           "tasks\n",
           stats.ranks, stats.workers, wall_s, ideal_s, 100 * (wall_s / ideal_s - 1),
           (unsigned long long)stats.steals, (unsigned long long)stats.tasks_stolen);
    for (int rank = 0; rank < stats.ranks; rank++)
        CHECK(l.ranks_seen[rank] > 0, "rank %d did nothing", rank);
    CHECK(stats.ranks == 1 || stats.steals > 0, "nothing was stolen");
    return 0;
}

static double busy_s = 2;

/* Prints how many rounds of arithmetic one task does per second while all other workers are idle.
 * The benchmark compares this for several numbers of ranks. */
static int scenario_busy(struct mpp_executor *executor)
{
    struct mpp_error error;
    struct mpp_bytes result;
    double rounds;
    struct mpp_future *future = mpp_submit(executor, "spin", &busy_s, sizeof busy_s, &error);
    CHECK(!mpp_future_result(future, MPP_FOREVER, &result, &error), "%s", error.text);
    memcpy(&rounds, result.data, sizeof rounds);
    printf("busy: %.0f rounds/s\n", rounds);
    mpp_future_free(future);
    return 0;
}

/* ---- Shutdown without waiting ---- */

static struct mpp_future *left_pending[200];

static int scenario_cancel(struct mpp_executor *executor)
{
    struct mpp_error error;
    int us = 50000;
    for (int i = 0; i < 200; i++) {
        left_pending[i] = mpp_submit(executor, "sleep", &us, sizeof us, &error);
        CHECK(left_pending[i], "%s", error.text);
    }
    return 0;
}

static int check_cancelled(void)
{
    int done = 0, cancelled = 0;
    for (int i = 0; i < 200; i++) {
        const struct mpp_exception *exception;
        struct mpp_error error;
        CHECK(mpp_future_done(left_pending[i]), "a future is pending after the shutdown");
        CHECK(!mpp_future_exception(left_pending[i], MPP_FOREVER, &exception, &error), "%s",
              error.text);
        CHECK(!exception || exception->kind == MPP_EXCEPTION_CANCELLED, "%s", exception->message);
        done += !exception;
        cancelled += !!exception;
        mpp_future_free(left_pending[i]);
    }
    CHECK(cancelled > 0, "all %d tasks ran despite the shutdown", done);
    return 0;
}

/* ---- Output is printed once ---- */

static char printed_path[] = "/tmp/pool_test_XXXXXX";

static int begin_print(void)
{
    int fd = mkstemp(printed_path);
    CHECK(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0, "no temporary file");
    close(fd);
    printf("before\n"); /* still in the buffer when the workers are forked */
    return 0;
}

static int scenario_print(struct mpp_executor *executor)
{
    for (int i = 0; i < 10; i++) {
        struct mpp_error error;
        struct mpp_bytes result;
        struct mpp_future *future = mpp_submit(executor, "print", "", 0, &error);
        CHECK(!mpp_future_result(future, MPP_FOREVER, &result, &error), "%s", error.text);
        mpp_future_free(future);
    }
    return 0;
}

static int check_printed(void)
{
    fflush(stdout);
    FILE *file = fopen(printed_path, "r");
    CHECK(file, "the output is missing");
    char line[64];
    int before = 0, tasks = 0;
    while (fgets(line, sizeof line, file)) {
        before += !strcmp(line, "before\n");
        tasks += !strcmp(line, "in a task\n");
    }
    fclose(file);
    unlink(printed_path);
    CHECK(before == 1 && tasks == 10, "%d times before, %d times in a task", before, tasks);
    return 0;
}

/* ---- main ---- */

static const struct scenario {
    const char *name;
    int (*run)(struct mpp_executor *executor);
} scenarios[] = {
    {"submit", scenario_submit},
    {"exception", scenario_exception},
    {"timeout", scenario_timeout},
    {"free_early", scenario_free_early},
    {"initializer", scenario_initializer},
    {"large", scenario_large},
    {"crash", scenario_crash},
    {"crash_once", scenario_crash_once},
    {"map", scenario_map},
    {"map_empty", scenario_map_empty},
    {"map_broken", scenario_map_broken},
    {"shut_map", scenario_shut_map},
    {"steal", scenario_steal},
    {"busy", scenario_busy},
    {"print", scenario_print},
    {"cancel", scenario_cancel},
};

int main(int argc, char **argv)
{
    const struct scenario *scenario = NULL;
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
        if (!strcmp(argv[1], scenarios[i].name))
            scenario = &scenarios[i];
    if (!scenario) {
        fprintf(stderr, "usage: pool_test SCENARIO [WORKERS [SECONDS]]\n");
        return 2;
    }
    bool cancel = scenario->run == scenario_cancel;
    bool print = scenario->run == scenario_print;
    if (print && begin_print())
        return 1;
    int initial = 1000;
    struct mpp_options options = {.jobs = jobs, .initargs = &initial};
    if (argc > 2)
        options.workers_per_rank = atoi(argv[2]);
    if (argc > 3)
        busy_s = atof(argv[3]);
    struct mpp_error error;
    struct mpp_executor *executor;
    switch (mpp_open(&argc, &argv, &options, &executor, &error)) {
    case MPP_FAILED:
        fprintf(stderr, "pool_test: %s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = scenario->run(executor);
    if (cancel && mpp_shutdown(executor, false, true, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    if (mpp_close(executor, &error)) {
        fprintf(stderr, "pool_test: %s\n", error.text);
        failed = 1;
    }
    if (cancel && !failed)
        failed = check_cancelled();
    if (print && !failed)
        failed = check_printed();
    return failed ? 1 : 0;
}
