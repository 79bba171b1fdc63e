/* SPDX-License-Identifier: MIT */
/*
 * concurrent_futures: checks, test by test, what users of Python's concurrent.futures rely on.
 * README.md lists the tests of mpi4py.futures and CPython that these follow.
 *
 *     conformance TEST            on one rank, without messages; or under mpirun
 *     conformance --sim N TEST    on N ranks in one process; messages between them are delayed
 *     conformance --list          prints the names of the tests
 *
 * TEST is a name from the list, or "shared" for all tests that can share one pool. Rank 0 exits
 * with 0, or prints the check that failed and exits with 1.
 *
 * No test depends on a duration. Where order matters, a task waits at a gate: until a file exists.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <mppool.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "shared_directory.h"
#include "sim_transport.h"

/* ---- Jobs ---- */

static const char *scratch; /* a directory; set before the pool is opened, so workers know it */

struct pair {
    double x, y;
};

static int set_number(struct mpp_context *context, double value, struct mpp_error *error)
{
    return mpp_context_set_result(context, &value, sizeof value)
               ? mpp_error_set(error, "out of memory")
               : 0;
}

static int pow_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                   struct mpp_error *error)
{
    (void)state;
    const struct pair *pair = payload.data;
    if (payload.size != sizeof *pair)
        return mpp_error_set(error, "pow: %zu bytes are not a pair", payload.size);
    return set_number(context, pow(pair->x, pair->y), error);
}

static int div_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                   struct mpp_error *error)
{
    (void)state;
    const struct pair *pair = payload.data;
    if (pair->y == 0)
        return mpp_error_set(error, "division by zero");
    return set_number(context, floor(pair->x / pair->y), error);
}

/* Waits at the gate that the payload names. If a '!' follows the name, the task then fails. All
 * gates are open once the scratch directory is removed. */
static int gate_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                    struct mpp_error *error)
{
    (void)state, (void)context;
    char path[160];
    const char *name = payload.data;
    size_t size = payload.size - 1;
    bool fails = size && name[size - 1] == '!';
    snprintf(path, sizeof path, "%s/%.*s", scratch, (int)(size - fails), name);
    while (access(path, F_OK) && !access(scratch, F_OK))
        usleep(500);
    return fails ? mpp_error_set(error, "told to fail") : 0;
}

static int global_run(void *state, struct mpp_bytes payload, struct mpp_context *context,
                      struct mpp_error *error)
{
    (void)payload;
    return set_number(context, *(double *)state, error);
}

static double initialized;

static int global_open(void **state, const void *initargs, struct mpp_error *error)
{
    (void)initargs, (void)error;
    *state = &initialized;
    return 0;
}

static int initializer(const void *initargs, struct mpp_error *error)
{
    (void)error;
    initialized = *(const double *)initargs;
    return 0;
}

static int failing_initializer(const void *initargs, struct mpp_error *error)
{
    (void)initargs;
    return mpp_error_set(error, "no licence for this host");
}

static const struct mpp_job pow_job = {.name = "pow", .run = pow_run};
static const struct mpp_job div_job = {.name = "div", .run = div_run};
static const struct mpp_job gate_job = {.name = "gate", .run = gate_run};
static const struct mpp_job global_job = {.name = "global", .open = global_open, .run = global_run};
static const struct mpp_job *const jobs[] = {&pow_job, &div_job, &gate_job, &global_job, NULL};

/* ---- Helpers ---- */

static struct mpp_executor *executor;
static struct mpp_error error;

static struct mpp_future *submit_pair(const char *job, double x, double y)
{
    struct pair pair = {x, y};
    return mpp_submit(executor, job, &pair, sizeof pair, &error);
}

static struct mpp_future *submit_gate(const char *name)
{
    return mpp_submit(executor, "gate", name, strlen(name) + 1, &error);
}

static void open_gate(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", scratch, name);
    close(open(path, O_CREAT | O_WRONLY, 0600));
}

/* The result of a task as a number; NAN, with `error` filled, if it failed. */
static double value_of(struct mpp_future *future)
{
    struct mpp_bytes bytes;
    double value;
    if (mpp_future_result(future, MPP_FOREVER, &bytes, &error) || bytes.size != sizeof value)
        return NAN;
    memcpy(&value, bytes.data, sizeof value);
    return value;
}

static int wait_for(struct mpp_future *future)
{
    const struct mpp_exception *exception;
    return mpp_future_exception(future, MPP_FOREVER, &exception, &error);
}

static void free_all(struct mpp_future **futures, size_t count)
{
    for (size_t i = 0; i < count; i++)
        mpp_future_free(futures[i]);
}

/* ---- Submit ---- */

static int test_submit(void)
{
    struct mpp_future *future = submit_pair("pow", 2, 8);
    CHECK(future, "%s", error.text);
    CHECK(value_of(future) == 256, "%s", error.text);
    CHECK(mpp_future_done(future) && !mpp_future_running(future) && !mpp_future_cancelled(future),
          "wrong state");
    mpp_future_free(future);
    return 0;
}

static int test_submit_cancel(void)
{
    struct mpp_future *blocked = submit_gate("cancel"), *queued[40];
    for (int i = 0; i < 40; i++)
        queued[i] = submit_gate("cancel");
    for (int i = 0; i < 40; i++)
        CHECK(mpp_future_cancel(queued[i]), "%d", i);
    CHECK(mpp_future_cancel(queued[7]) && mpp_future_cancelled(queued[7]), "cancelled twice");
    open_gate("cancel");
    CHECK(!wait_for(blocked) && !mpp_future_cancelled(blocked), "the other one");
    CHECK(!mpp_future_cancel(blocked), "done already");
    for (int i = 0; i < 40; i++) {
        struct mpp_bytes bytes;
        CHECK(mpp_future_done(queued[i]) && mpp_future_cancelled(queued[i]), "%d", i);
        CHECK(mpp_future_result(queued[i], 0, &bytes, &error) == MPP_WAIT_FAILED, "a result");
        CHECK(!strcmp(error.text, "the task was cancelled"), "%s", error.text);
    }
    free_all(queued, 40);
    mpp_future_free(blocked);
    return 0;
}

/* The worker process of a running task is ended; the pool and the other tasks go on. */
static int test_cancel_running(void)
{
    struct mpp_future *never = submit_gate("never");
    while (!mpp_future_running(never))
        usleep(500);
    CHECK(!mpp_future_done(never), "done too early");
    CHECK(mpp_future_cancel(never) && mpp_future_cancelled(never), "not cancelled");
    CHECK(!mpp_future_running(never), "still running");
    struct mpp_future *next[8];
    for (int i = 0; i < 8; i++)
        next[i] = submit_pair("pow", i, 2);
    for (int i = 0; i < 8; i++)
        CHECK(value_of(next[i]) == i * i, "%s", error.text);
    free_all(next, 8);
    mpp_future_free(never);
    return 0;
}

static int test_payloads(void)
{
    struct mpp_future *bad = mpp_submit(executor, "pow", "odd", 3, &error);
    const struct mpp_exception *exception;
    CHECK(bad && !mpp_future_exception(bad, MPP_FOREVER, &exception, &error), "%s", error.text);
    CHECK(exception && exception->kind == MPP_EXCEPTION_JOB, "no exception");
    CHECK(!strcmp(exception->message, "pow: 3 bytes are not a pair"), "%s", exception->message);
    mpp_future_free(bad);
    CHECK(!mpp_submit(executor, "nothing", NULL, 0, &error), "an unknown job");
    CHECK(strstr(error.text, "no job named 'nothing'"), "%s", error.text);
    CHECK(!mpp_submit(executor, "pow", "", SIZE_MAX, &error), "a payload too large");
    CHECK(strstr(error.text, "too large"), "%s", error.text);
    return test_submit();
}

static void *submit_many(void *argument)
{
    int base = *(int *)argument;
    struct mpp_future *futures[128];
    for (int i = 0; i < 128; i++)
        futures[i] = submit_pair("pow", base + i, 1);
    for (int i = 0; i < 128; i++)
        if (value_of(futures[i]) != base + i)
            return argument;
    free_all(futures, 128);
    return NULL;
}

static int test_shared_by_threads(void)
{
    enum { THREADS = 16 };
    pthread_t threads[THREADS];
    int bases[THREADS];
    for (int i = 0; i < THREADS; i++) {
        bases[i] = 1000 * i;
        CHECK(!pthread_create(&threads[i], NULL, submit_many, &bases[i]), "no thread");
    }
    int failed = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failed += !!result;
    }
    CHECK(!failed, "%d threads got wrong results", failed);
    return 0;
}

/* ---- wait ---- */

static int test_first_completed(void)
{
    struct mpp_future *futures[] = {submit_gate("first"), submit_pair("pow", 21, 1)};
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_FIRST_COMPLETED, &error), "%s", error.text);
    CHECK(!mpp_future_done(futures[0]) && mpp_future_done(futures[1]), "the wrong one is done");
    open_gate("first");
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    free_all(futures, 2);
    return 0;
}

static int test_first_completed_some_already(void)
{
    struct mpp_future *futures[] = {submit_gate("already"), submit_pair("pow", 1, 1)};
    CHECK(!wait_for(futures[1]), "%s", error.text);
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_FIRST_COMPLETED, &error), "%s", error.text);
    CHECK(!mpp_future_done(futures[0]), "it waited for both");
    open_gate("already");
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    free_all(futures, 2);
    return 0;
}

static int test_first_exception(void)
{
    struct mpp_future *futures[] = {submit_pair("pow", 2, 21), submit_gate("fail!"),
                                    submit_gate("later")};
    CHECK(!wait_for(futures[0]), "%s", error.text);
    open_gate("fail");
    CHECK(!mpp_wait(futures, 3, MPP_FOREVER, MPP_FIRST_EXCEPTION, &error), "%s", error.text);
    CHECK(mpp_future_done(futures[1]) && !mpp_future_done(futures[2]), "the wrong one is done");
    open_gate("later");
    CHECK(!mpp_wait(futures, 3, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    free_all(futures, 3);
    return 0;
}

static int test_first_exception_some_already(void)
{
    struct mpp_future *futures[] = {submit_gate("cancelled"), submit_pair("div", 21, 0),
                                    submit_gate("open")};
    CHECK(mpp_future_cancel(futures[0]), "not cancelled");
    CHECK(!wait_for(futures[1]), "%s", error.text);
    CHECK(!mpp_wait(futures, 3, MPP_FOREVER, MPP_FIRST_EXCEPTION, &error), "%s", error.text);
    CHECK(!mpp_future_done(futures[2]), "it waited for all");
    open_gate("open");
    CHECK(!mpp_wait(futures, 3, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    /* A cancelled task does not count as an exception, so this waits for both. */
    struct mpp_future *fine[] = {futures[0], futures[2]};
    CHECK(!mpp_wait(fine, 2, 0, MPP_FIRST_EXCEPTION, &error), "%s", error.text);
    free_all(futures, 3);
    return 0;
}

static int test_all_completed(void)
{
    struct mpp_future *futures[] = {submit_pair("div", 2, 0), submit_pair("pow", 2, 21)};
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    CHECK(mpp_future_done(futures[0]) && mpp_future_done(futures[1]), "not all are done");
    CHECK(!mpp_wait(NULL, 0, 0, MPP_ALL_COMPLETED, &error), "nothing to wait for");
    free_all(futures, 2);
    return 0;
}

static int test_wait_timeout(void)
{
    struct mpp_future *futures[] = {submit_pair("pow", 6, 7), submit_gate("timeout")};
    CHECK(!wait_for(futures[0]), "%s", error.text);
    CHECK(mpp_wait(futures, 2, 0.01, MPP_ALL_COMPLETED, &error) == MPP_WAIT_TIMEOUT, "no timeout");
    CHECK(strstr(error.text, "after 0.01 s"), "%s", error.text);
    CHECK(mpp_future_done(futures[0]) && !mpp_future_done(futures[1]), "the wrong one is done");
    open_gate("timeout");
    CHECK(!mpp_wait(futures, 2, MPP_FOREVER, MPP_ALL_COMPLETED, &error), "%s", error.text);
    free_all(futures, 2);
    return 0;
}

/* A task that failed and a task that is not done are told apart. */
static int test_failed_or_timeout(void)
{
    struct mpp_future *failed = submit_pair("div", 1, 0), *pending = submit_gate("pending");
    const struct mpp_exception *exception = NULL;
    struct mpp_bytes bytes;
    CHECK(mpp_future_result(failed, MPP_FOREVER, &bytes, &error) == MPP_WAIT_FAILED, "no failure");
    CHECK(!strcmp(error.text, "division by zero"), "%s", error.text);
    CHECK(mpp_future_result(failed, 0, &bytes, &error) == MPP_WAIT_FAILED, "no failure at once");
    CHECK(mpp_future_exception(failed, 0, &exception, &error) == MPP_WAIT_OK && exception,
          "no exception");

    CHECK(mpp_future_result(pending, 0, &bytes, &error) == MPP_WAIT_TIMEOUT, "no timeout at once");
    CHECK(mpp_future_result(pending, 0.01, &bytes, &error) == MPP_WAIT_TIMEOUT, "no timeout");
    CHECK(!strcmp(error.text, "no result after 0.01 s"), "%s", error.text);
    CHECK(mpp_future_result(pending, NAN, &bytes, &error) == MPP_WAIT_TIMEOUT, "NaN is not 0");
    CHECK(mpp_wait(&pending, 1, NAN, MPP_ALL_COMPLETED, &error) == MPP_WAIT_TIMEOUT,
          "NaN is not 0");
    exception = NULL;
    CHECK(mpp_future_exception(pending, 0.01, &exception, &error) == MPP_WAIT_TIMEOUT && !exception,
          "no timeout");
    open_gate("pending");
    CHECK(mpp_future_result(pending, MPP_FOREVER, &bytes, &error) == MPP_WAIT_OK, "%s", error.text);
    CHECK(mpp_future_result(pending, 0, NULL, &error) == MPP_WAIT_OK, "%s", error.text);
    mpp_future_free(failed);
    mpp_future_free(pending);
    return 0;
}

/* ---- as_completed ---- */

static int test_as_completed(void)
{
    struct mpp_future *futures[12], *future;
    bool seen[12] = {false};
    futures[0] = submit_gate("last");
    for (int i = 1; i < 12; i++)
        futures[i] = i % 3 ? submit_pair("pow", i, 2) : submit_pair("div", i, 0);
    struct mpp_as_completed *iterator = mpp_as_completed(futures, 12, &error);
    CHECK(iterator, "%s", error.text);
    for (int given = 1; given <= 12; given++) {
        CHECK(!mpp_as_completed_next(iterator, MPP_FOREVER, &future, &error), "%s", error.text);
        int which = 0;
        while (which < 12 && futures[which] != future)
            which++;
        CHECK(which < 12 && !seen[which] && mpp_future_done(future), "%d", which);
        CHECK((which == 0) == (given == 12), "the gate is open already");
        seen[which] = true;
        if (given == 11)
            open_gate("last");
    }
    CHECK(!mpp_as_completed_next(iterator, 0, &future, &error) && !future, "there are more");
    mpp_as_completed_free(iterator);
    free_all(futures, 12);
    return 0;
}

static int test_as_completed_timeout(void)
{
    struct mpp_future *futures[] = {submit_pair("pow", 1, 1), submit_gate("zero")}, *future;
    CHECK(!wait_for(futures[0]), "%s", error.text);
    struct mpp_as_completed *iterator = mpp_as_completed(futures, 2, &error);
    CHECK(iterator, "%s", error.text);
    CHECK(!mpp_as_completed_next(iterator, 0, &future, &error) && future == futures[0],
          "the one that is done comes first");
    CHECK(mpp_as_completed_next(iterator, 0, &future, &error) == MPP_WAIT_TIMEOUT && !future,
          "no timeout at once");
    CHECK(mpp_as_completed_next(iterator, 0.01, &future, &error) == MPP_WAIT_TIMEOUT && !future,
          "no timeout");
    CHECK(!strcmp(error.text, "1 future is not done after 0.01 s"), "%s", error.text);
    mpp_as_completed_free(iterator); /* before all have come */
    open_gate("zero");
    CHECK(!wait_for(futures[1]), "%s", error.text);
    free_all(futures, 2);
    return 0;
}

static int test_duplicate_futures(void)
{
    struct mpp_future *one = submit_gate("twice"), *future;
    struct mpp_future *futures[] = {one, one, one};
    struct mpp_as_completed *iterator = mpp_as_completed(futures, 3, &error);
    open_gate("twice");
    CHECK(!mpp_as_completed_next(iterator, MPP_FOREVER, &future, &error) && future == one, "first");
    CHECK(!mpp_as_completed_next(iterator, MPP_FOREVER, &future, &error) && !future, "again");
    mpp_as_completed_free(iterator);
    CHECK(!mpp_wait(futures, 3, 0, MPP_ALL_COMPLETED, &error), "%s", error.text);
    mpp_future_free(one);
    return 0;
}

/* ---- map ---- */

struct sequence {
    struct pair next;
    double step_y;
    int count, pulled;
    const char *gate_after; /* the last item is this gate; NULL: none */
    double values[64];
    uint64_t indices[64];
    int delivered, exceptions;
    int stop_at; /* the sink refuses this one; 0: none */
};

static enum mpp_source_status next_pair(void *context, struct mpp_bytes *payload,
                                        struct mpp_error *why)
{
    (void)why;
    struct sequence *sequence = context;
    if (sequence->pulled == sequence->count)
        return MPP_SOURCE_END;
    if (sequence->pulled++) {
        sequence->next.x++;
        sequence->next.y += sequence->step_y;
    }
    *payload = (struct mpp_bytes){&sequence->next, sizeof sequence->next};
    return MPP_SOURCE_ITEM;
}

static int note_outcome(void *context, const struct mpp_outcome *outcome, struct mpp_error *why)
{
    struct sequence *sequence = context;
    if (sequence->stop_at && sequence->delivered + 1 == sequence->stop_at)
        return mpp_error_set(why, "enough");
    sequence->indices[sequence->delivered] = outcome->index;
    if (outcome->exception)
        sequence->exceptions++;
    else
        memcpy(&sequence->values[sequence->delivered], outcome->result.data, sizeof(double));
    sequence->delivered++;
    return 0;
}

static struct mpp_map map_of(const char *job, struct sequence *sequence)
{
    return (struct mpp_map){
        .job = job, .source = next_pair, .sink = note_outcome, .context = sequence};
}

static int test_map(void)
{
    static const size_t chunks[] = {0, 6, 40, 50}, buffers[] = {0, 1, 3, 40};
    for (int i = 0; i < 16; i++) {
        struct sequence sequence = {.next = {0, 2}, .count = 40};
        struct mpp_map map = map_of("pow", &sequence);
        map.chunksize = chunks[i % 4];
        map.buffersize = buffers[i / 4];
        CHECK(!mpp_map(executor, &map, &error), "%s", error.text);
        CHECK(sequence.delivered == 40, "%d", sequence.delivered);
        for (int j = 0; j < 40; j++)
            CHECK(sequence.indices[j] == (uint64_t)j && sequence.values[j] == j * j, "%d", j);
    }
    return 0;
}

static int test_map_unordered(void)
{
    static const size_t chunks[] = {0, 6, 40, 50};
    for (int i = 0; i < 4; i++) {
        struct sequence sequence = {.next = {0, 2}, .count = 40};
        struct mpp_map map = map_of("pow", &sequence);
        bool seen[40] = {false};
        map.chunksize = chunks[i];
        CHECK(!mpp_map_unordered(executor, &map, &error), "%s", error.text);
        CHECK(sequence.delivered == 40, "%d", sequence.delivered);
        for (int j = 0; j < 40; j++) {
            uint64_t index = sequence.indices[j];
            CHECK(!seen[index] && sequence.values[j] == (double)(index * index), "%d", j);
            seen[index] = true;
        }
    }
    return 0;
}

static int test_map_exception(void)
{
    struct sequence sequence = {.next = {6, 2}, .step_y = -1, .count = 4}; /* 6/2 7/1 8/0 9/-1 */
    struct mpp_map map = map_of("div", &sequence);
    CHECK(!mpp_map(executor, &map, &error), "%s", error.text);
    CHECK(sequence.delivered == 4 && sequence.exceptions == 1, "%d", sequence.exceptions);
    CHECK(sequence.values[0] == 3 && sequence.values[1] == 7 && sequence.values[3] == -9, "values");
    struct sequence stopped = {.next = {1, 1}, .count = 40, .stop_at = 3};
    map = map_of("pow", &stopped);
    CHECK(mpp_map(executor, &map, &error) == MPP_WAIT_FAILED, "the sink did not stop the map");
    CHECK(!strcmp(error.text, "enough"), "%s", error.text);
    CHECK(stopped.delivered == 2, "%d", stopped.delivered);
    return test_submit(); /* the pool still works */
}

struct gates {
    int pulled, count, delivered;
};

static enum mpp_source_status next_gate(void *context, struct mpp_bytes *payload,
                                        struct mpp_error *why)
{
    (void)why;
    struct gates *gates = context;
    static const char open[] = "map-open", closed[] = "map-closed";
    if (gates->pulled == gates->count)
        return MPP_SOURCE_END;
    gates->pulled++;
    *payload = gates->pulled < gates->count ? (struct mpp_bytes){open, sizeof open}
                                            : (struct mpp_bytes){closed, sizeof closed};
    return MPP_SOURCE_ITEM;
}

static int count_gate(void *context, const struct mpp_outcome *outcome, struct mpp_error *why)
{
    (void)outcome, (void)why;
    ((struct gates *)context)->delivered++;
    return 0;
}

static enum mpp_source_status next_slowly(void *context, struct mpp_bytes *payload,
                                          struct mpp_error *why)
{
    static const struct pair pair = {2, 3};
    (void)why;
    usleep(((struct gates *)context)->count ? 0 : 500);
    *payload = (struct mpp_bytes){&pair, sizeof pair};
    return MPP_SOURCE_ITEM;
}

static int take_slowly(void *context, const struct mpp_outcome *outcome, struct mpp_error *why)
{
    usleep(((struct gates *)context)->count ? 500 : 0);
    return count_gate(context, outcome, why);
}

/* The source never ends, and the map never has to wait: the source or the sink is slow. */
static int test_map_timeout_without_wait(void)
{
    for (int slow_sink = 0; slow_sink < 2; slow_sink++) {
        struct gates gates = {.count = slow_sink};
        struct mpp_map map = {.job = "pow",
                              .source = next_slowly,
                              .sink = take_slowly,
                              .context = &gates,
                              .timeout_s = 0.3};
        CHECK(mpp_map(executor, &map, &error) == MPP_WAIT_TIMEOUT, "no timeout");
        CHECK(mpp_map_unordered(executor, &map, &error) == MPP_WAIT_TIMEOUT, "no timeout");
    }
    return test_submit();
}

static int test_map_timeout(void)
{
    open_gate("map-open");
    for (int ordered = 0; ordered < 2; ordered++) {
        struct gates gates = {.count = 3};
        struct mpp_map map = {.job = "gate",
                              .source = next_gate,
                              .sink = count_gate,
                              .context = &gates,
                              .timeout_s = 0.3};
        enum mpp_wait_status status =
            ordered ? mpp_map(executor, &map, &error) : mpp_map_unordered(executor, &map, &error);
        CHECK(status == MPP_WAIT_TIMEOUT && strstr(error.text, "after 0.3 s"), "status %d: %s",
              (int)status, error.text);
        CHECK(gates.delivered <= 2, "%d", gates.delivered);
    }
    open_gate("map-closed");
    struct gates gates = {.count = 3};
    struct mpp_map map = {.job = "gate",
                          .source = next_gate,
                          .sink = count_gate,
                          .context = &gates,
                          .timeout_s = 3600};
    CHECK(!mpp_map(executor, &map, &error) && gates.delivered == 3, "%s", error.text);
    return 0;
}

/* NaN is refused. Taken for "no limit" it would hide a miscalculation in the program. */
static int test_map_timeout_not_a_number(void)
{
    for (int ordered = 0; ordered < 2; ordered++) {
        struct gates gates = {.count = 0};
        struct mpp_map map = {.job = "gate",
                              .source = next_gate,
                              .sink = count_gate,
                              .context = &gates,
                              .timeout_s = NAN};
        enum mpp_wait_status status =
            ordered ? mpp_map(executor, &map, &error) : mpp_map_unordered(executor, &map, &error);
        CHECK(status == MPP_WAIT_FAILED, "status %d", (int)status);
        CHECK(strstr(error.text, "timeout_s is nan"), "%s", error.text);
    }
    return 0;
}

/* ---- Callbacks ---- */

struct calls {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count, order[8];
    struct mpp_future *chained;
    bool was_done, submit_failed;
};

static void note_call(struct calls *calls, struct mpp_future *future, int number)
{
    pthread_mutex_lock(&calls->lock);
    calls->was_done = mpp_future_done(future);
    calls->order[calls->count++] = number;
    pthread_cond_signal(&calls->changed);
    pthread_mutex_unlock(&calls->lock);
}

static void call_one(struct mpp_future *future, void *context)
{
    note_call(context, future, 1);
}

static void call_two(struct mpp_future *future, void *context)
{
    note_call(context, future, 2);
}

/* Submits the next task of a chain, and adds itself to its future, until the result is 5. */
static void call_chain(struct mpp_future *future, void *context)
{
    struct calls *calls = context;
    double value = value_of(future);
    if (value < 5) {
        struct mpp_future *next = submit_pair("pow", value + 1, 1);
        if (next)
            mpp_future_add_done_callback(next, call_chain, calls, NULL);
        mpp_future_free(next); /* the callback is still called */
        return;
    }
    note_call(calls, future, (int)value);
}

static void wait_for_calls(struct calls *calls, int count)
{
    pthread_mutex_lock(&calls->lock);
    while (calls->count < count)
        pthread_cond_wait(&calls->changed, &calls->lock);
    pthread_mutex_unlock(&calls->lock);
}

static int count_calls(struct calls *calls)
{
    pthread_mutex_lock(&calls->lock);
    int count = calls->count;
    pthread_mutex_unlock(&calls->lock);
    return count;
}

#define CALLS_INIT                                                                                 \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }

static int test_callbacks(void)
{
    struct calls calls = CALLS_INIT;
    struct mpp_future *future = submit_gate("called");
    CHECK(!mpp_future_add_done_callback(future, call_one, &calls, &error), "%s", error.text);
    CHECK(!mpp_future_add_done_callback(future, call_two, &calls, &error), "%s", error.text);
    CHECK(count_calls(&calls) == 0, "called too early");
    open_gate("called");
    wait_for_calls(&calls, 2);
    CHECK(calls.order[0] == 1 && calls.order[1] == 2 && calls.was_done, "the order");
    CHECK(!mpp_future_add_done_callback(future, call_one, &calls, &error), "%s", error.text);
    CHECK(count_calls(&calls) == 3, "a future that is done did not call back at once");
    mpp_future_free(future);
    return 0;
}

static int test_callback_of_failure_and_cancel(void)
{
    struct calls calls = CALLS_INIT;
    struct mpp_future *failed = submit_pair("div", 1, 0), *cancelled = submit_gate("nobody");
    CHECK(!mpp_future_add_done_callback(cancelled, call_two, &calls, &error), "%s", error.text);
    CHECK(mpp_future_cancel(cancelled) && calls.count == 1,
          "not called by the thread that cancels");
    CHECK(!mpp_future_add_done_callback(failed, call_one, &calls, &error), "%s", error.text);
    wait_for_calls(&calls, 2);
    mpp_future_free(failed);
    mpp_future_free(cancelled);
    return 0;
}

static int test_callback_that_submits(void)
{
    struct calls calls = CALLS_INIT;
    struct mpp_future *first = submit_pair("pow", 1, 1);
    CHECK(!mpp_future_add_done_callback(first, call_chain, &calls, &error), "%s", error.text);
    wait_for_calls(&calls, 1);
    CHECK(calls.order[0] == 5, "%d", calls.order[0]);
    mpp_future_free(first);
    return 0;
}

/* A source that would never end. */
static enum mpp_source_status nothing_yet(void *context, struct mpp_bytes *payload,
                                          struct mpp_error *why)
{
    (void)context, (void)payload, (void)why;
    return MPP_SOURCE_LATER;
}

/* Counts how many of the calls that wait are refused. With a timeout of 0 or NaN they only
 * look. */
static void call_waiting(struct mpp_future *future, void *context)
{
    struct mpp_future *other = submit_gate("unopened"), *next;
    struct mpp_as_completed *iterator = mpp_as_completed(&other, 1, NULL);
    const struct mpp_exception *exception;
    struct mpp_bytes bytes;
    struct mpp_error why;
    struct mpp_map map = {.job = "pow", .source = nothing_yet};
    int refused = (mpp_future_result(other, MPP_FOREVER, &bytes, &why) == MPP_WAIT_FAILED) +
                  (mpp_future_exception(other, 1, &exception, &why) == MPP_WAIT_FAILED) +
                  (mpp_as_completed_next(iterator, 1, &next, &why) == MPP_WAIT_FAILED) +
                  (mpp_wait(&other, 1, MPP_FOREVER, MPP_ALL_COMPLETED, &why) == MPP_WAIT_FAILED) +
                  (mpp_map(executor, &map, &why) == MPP_WAIT_FAILED) +
                  !!mpp_shutdown(executor, true, false, &why) + !!mpp_close(executor, &why);
    int looked = (mpp_future_result(other, 0, &bytes, &why) == MPP_WAIT_TIMEOUT) +
                 (mpp_as_completed_next(iterator, 0, &next, &why) == MPP_WAIT_TIMEOUT) +
                 (mpp_future_result(other, NAN, &bytes, &why) == MPP_WAIT_TIMEOUT) +
                 (mpp_as_completed_next(iterator, NAN, &next, &why) == MPP_WAIT_TIMEOUT);
    mpp_as_completed_free(iterator);
    mpp_future_cancel(other);
    mpp_future_free(other);
    note_call(context, future, 10 * refused + looked);
}

static int test_callback_must_not_wait(void)
{
    struct calls calls = CALLS_INIT;
    struct mpp_future *future = submit_gate("go");
    CHECK(!mpp_future_add_done_callback(future, call_waiting, &calls, &error), "%s", error.text);
    open_gate("go");
    wait_for_calls(&calls, 1);
    CHECK(calls.order[0] == 74, "%d calls were refused, %d looked", calls.order[0] / 10,
          calls.order[0] % 10);
    mpp_future_free(future);
    return 0;
}

/* ---- Opening and closing; each of these needs a pool of its own ---- */

static void call_submitting(struct mpp_future *future, void *context)
{
    struct calls *calls = context;
    calls->submit_failed = !submit_pair("pow", 1, 1);
    note_call(calls, future, 1);
}

static int test_run_after_shutdown(void)
{
    struct calls calls = CALLS_INIT;
    struct mpp_future *pending = submit_gate("shut");
    struct sequence sequence = {.count = 1};
    struct mpp_map map = map_of("pow", &sequence);
    CHECK(!mpp_future_add_done_callback(pending, call_submitting, &calls, &error), "callback");
    CHECK(!mpp_shutdown(executor, false, false, &error), "%s", error.text);
    CHECK(!submit_pair("pow", 2, 5), "it accepted a task");
    CHECK(!strcmp(error.text, "the executor is shut down"), "%s", error.text);
    CHECK(mpp_map(executor, &map, &error) == MPP_WAIT_FAILED, "it accepted a map");
    CHECK(!mpp_future_done(pending), "it waited");
    open_gate("shut");
    CHECK(!mpp_shutdown(executor, true, false, &error), "%s", error.text);
    CHECK(mpp_future_done(pending) && !mpp_future_cancelled(pending), "it was not finished");
    CHECK(count_calls(&calls) == 1 && calls.submit_failed, "a callback after shutdown can submit");
    CHECK(!mpp_shutdown(executor, true, true, &error), "a third time: %s", error.text);
    mpp_future_free(pending);
    return 0;
}

static int test_hang_issue12364(void)
{
    struct mpp_future *futures[50];
    for (int i = 0; i < 50; i++)
        futures[i] = submit_pair("pow", i, 1);
    CHECK(!mpp_shutdown(executor, true, false, &error), "%s", error.text);
    for (int i = 0; i < 50; i++)
        CHECK(value_of(futures[i]) == i, "%d: %s", i, error.text);
    free_all(futures, 50);
    return 0;
}

static int test_shutdown_cancels(void)
{
    struct mpp_future *futures[60];
    for (int i = 0; i < 60; i++)
        futures[i] = submit_gate("quit");
    while (!mpp_future_running(futures[0]))
        usleep(500);
    CHECK(!mpp_shutdown(executor, false, true, &error), "%s", error.text);
    CHECK(!mpp_future_done(futures[0]), "it did not leave the running one alone");
    CHECK(!wait_for(futures[59]) && mpp_future_cancelled(futures[59]), "the last one");
    open_gate("quit");
    CHECK(!mpp_shutdown(executor, true, false, &error), "%s", error.text);
    CHECK(!mpp_future_cancelled(futures[0]), "the running one was cancelled");
    for (int i = 0; i < 60; i++)
        CHECK(mpp_future_done(futures[i]), "%d", i);
    free_all(futures, 60);
    return 0;
}

static atomic_bool blocked, unblocked;

static void block(struct mpp_future *future, void *context)
{
    (void)future, (void)context;
    atomic_store(&blocked, true);
    while (!atomic_load(&unblocked))
        usleep(500);
}

/* The task behind many cancelled ones runs, although the shutdown was requested before the
 * library looked at any of them. A callback holds up the library's thread until then. */
static int test_shutdown_after_cancels(void)
{
    enum { CANCELLED = 600000 };
    static struct mpp_future *futures[CANCELLED];
    struct mpp_future *first = submit_gate("hold-up");
    CHECK(!mpp_future_add_done_callback(first, block, NULL, &error), "%s", error.text);
    open_gate("hold-up");
    while (!atomic_load(&blocked))
        usleep(500);
    for (int i = 0; i < CANCELLED; i++) {
        futures[i] = submit_pair("pow", 1, 1);
        CHECK(futures[i] && mpp_future_cancel(futures[i]), "%d: %s", i, error.text);
    }
    struct mpp_future *last = submit_pair("pow", 2, 8);
    CHECK(!mpp_shutdown(executor, false, false, &error), "%s", error.text);
    atomic_store(&unblocked, true);
    CHECK(value_of(last) == 256, "%s", error.text);
    free_all(futures, CANCELLED);
    mpp_future_free(first);
    mpp_future_free(last);
    return 0;
}

static int test_close_without_shutdown(void)
{
    struct mpp_future *future = submit_pair("pow", 3, 3);
    CHECK(future, "%s", error.text);
    CHECK(!mpp_close(executor, &error), "%s", error.text);
    executor = NULL;
    CHECK(value_of(future) == 27, "%s", error.text); /* futures outlive the pool */
    mpp_future_free(future);
    return 0;
}

static int test_scoped(void)
{
    struct mpp_future *future;
    {
        MPP_SCOPED struct mpp_executor *scoped = executor;
        future = mpp_submit(scoped, "pow", &(struct pair){2, 10}, sizeof(struct pair), &error);
        CHECK(future, "%s", error.text);
    }
    executor = NULL;
    CHECK(mpp_future_done(future) && value_of(future) == 1024, "it was not waited for");
    mpp_future_free(future);
    return 0;
}

static int test_open_twice(void)
{
    struct mpp_executor *second;
    CHECK(mpp_open(NULL, NULL, &(struct mpp_options){.jobs = jobs}, &second, &error) == MPP_FAILED,
          "a second pool");
    CHECK(strstr(error.text, "has an open pool already") && !second, "%s", error.text);
    return test_submit();
}

static int test_initializer(void)
{
    for (int i = 0; i < 20; i++) {
        struct mpp_future *future = mpp_submit(executor, "global", NULL, 0, &error);
        CHECK(value_of(future) == 42, "%s", error.text);
        mpp_future_free(future);
    }
    return 0;
}

static int test_failing_initializer(void)
{
    struct mpp_future *future = submit_pair("pow", 1, 1);
    const struct mpp_exception *exception;
    /* It may have broken before this. */
    if (future) {
        CHECK(!mpp_future_exception(future, MPP_FOREVER, &exception, &error), "%s", error.text);
        CHECK(exception && exception->kind == MPP_EXCEPTION_BROKEN, "no exception");
        CHECK(strstr(exception->message, "no licence for this host"), "%s", exception->message);
        mpp_future_free(future);
    }
    CHECK(mpp_shutdown(executor, true, false, &error), "it is not broken");
    CHECK(!submit_pair("pow", 1, 1), "it accepted a task");
    CHECK(strstr(error.text, "no licence for this host"), "%s", error.text);
    CHECK(mpp_close(executor, &error), "it is not broken");
    executor = NULL;
    return 0;
}

static int test_bad_options(void)
{
    struct mpp_executor *none;
    static const struct mpp_job another_pow_job = {.name = "pow", .run = div_run};
    static const struct mpp_job *const same_names[] = {&pow_job, &div_job, &another_pow_job, NULL};
    static const struct mpp_options wrong[] = {
        {.jobs = NULL},
        {.jobs = jobs, .max_workers = -1},
        {.jobs = jobs, .workers_per_rank = -1},
        {.jobs = jobs, .workers_per_rank = MPP_WORKERS_MAX + 1},
        {.jobs = jobs, .max_tasks_per_worker = -1},
        {.jobs = jobs, .timeout_s = -1},
        {.jobs = jobs, .timeout_s = NAN},
        {.jobs = same_names},
        {.jobs = jobs, .isolate = (enum mpp_isolation)7},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct executor_link link = {0};
        CHECK(executor_open(&link, &wrong[i], &none, &error) == MPP_FAILED, "%zu", i);
        CHECK(!strncmp(error.text, "mpp_open: ", 10) && !none, "%s", error.text);
    }
    return 0;
}

/* ---- All tests ---- */

enum pool_kind { SHARED, OWN }; /* may the test share a pool with others? */

static double forty_two = 42;

static const struct test {
    const char *name;
    int (*run)(void);
    enum pool_kind kind;
    struct mpp_options options;
} tests[] = {
    {"submit", test_submit, SHARED, {0}},
    {"submit_cancel", test_submit_cancel, SHARED, {0}},
    {"cancel_running", test_cancel_running, SHARED, {0}},
    {"payloads", test_payloads, SHARED, {0}},
    {"shared_by_threads", test_shared_by_threads, SHARED, {0}},
    {"first_completed", test_first_completed, SHARED, {0}},
    {"first_completed_some_already", test_first_completed_some_already, SHARED, {0}},
    {"first_exception", test_first_exception, SHARED, {0}},
    {"first_exception_some_already", test_first_exception_some_already, SHARED, {0}},
    {"all_completed", test_all_completed, SHARED, {0}},
    {"wait_timeout", test_wait_timeout, SHARED, {0}},
    {"failed_or_timeout", test_failed_or_timeout, SHARED, {0}},
    {"as_completed", test_as_completed, SHARED, {0}},
    {"as_completed_timeout", test_as_completed_timeout, SHARED, {0}},
    {"duplicate_futures", test_duplicate_futures, SHARED, {0}},
    {"map", test_map, SHARED, {0}},
    {"map_unordered", test_map_unordered, SHARED, {0}},
    {"map_exception", test_map_exception, SHARED, {0}},
    {"map_timeout", test_map_timeout, SHARED, {0}},
    {"map_timeout_without_wait", test_map_timeout_without_wait, SHARED, {0}},
    {"map_timeout_not_a_number", test_map_timeout_not_a_number, SHARED, {0}},
    {"callbacks", test_callbacks, SHARED, {0}},
    {"callback_of_failure_and_cancel", test_callback_of_failure_and_cancel, SHARED, {0}},
    {"callback_that_submits", test_callback_that_submits, SHARED, {0}},
    {"callback_must_not_wait", test_callback_must_not_wait, SHARED, {0}},
    {"bad_options", test_bad_options, SHARED, {0}},
    {"run_after_shutdown", test_run_after_shutdown, OWN, {0}},
    {"hang_issue12364", test_hang_issue12364, OWN, {0}},
    {"shutdown_cancels", test_shutdown_cancels, OWN, {0}},
    {"shutdown_after_cancels", test_shutdown_after_cancels, OWN, {0}},
    {"close_without_shutdown", test_close_without_shutdown, OWN, {0}},
    {"scoped", test_scoped, OWN, {0}},
    {"open_twice", test_open_twice, OWN, {0}},
    {"one_worker", test_submit, OWN, {.max_workers = 1}},
    {"many_workers", test_map, OWN, {.workers_per_rank = 40}},
    {"initializer", test_initializer, OWN, {.initializer = initializer, .initargs = &forty_two}},
    {"failing_initializer", test_failing_initializer, OWN, {.initializer = failing_initializer}},
};

enum { TESTS = sizeof tests / sizeof *tests };

static enum mpp_role open_pool(struct sim_network *network, int *argc, char ***argv,
                               const struct mpp_options *options)
{
    return network ? sim_open(network, options, &executor, &error)
                   : mpp_open(argc, argv, options, &executor, &error);
}

/* Runs one test, or for "shared" all that can share a pool. Returns the exit status. */
static int run_in_pool(const char *name, int sim_ranks, uint64_t seed, int *argc, char ***argv)
{
    bool all = !strcmp(name, "shared");
    size_t first = 0;
    while (!all && first < TESTS && strcmp(tests[first].name, name) != 0)
        first++;
    if (first == TESTS) {
        fprintf(stderr, "no test is named '%s'\n", name);
        return 2;
    }
    struct mpp_options options = tests[first].options;
    options.jobs = jobs;
    if (!options.workers_per_rank)
        options.workers_per_rank = 2;
    struct sim_network *network = sim_ranks ? sim_network_new(sim_ranks, seed) : NULL;
    switch (open_pool(network, argc, argv, &options)) {
    case MPP_FAILED:
        fprintf(stderr, "%s\n", error.text);
        return 1;
    case MPP_SERVED:
        return 0;
    case MPP_EXECUTOR:
        break;
    }
    int failed = 0;
    for (size_t i = first; !failed && i < TESTS && (all ? tests[i].kind == SHARED : i == first);
         i++)
        if (tests[i].run()) {
            fprintf(stderr, "test %s failed\n", tests[i].name);
            failed = 1;
            shared_directory_remove(); /* its tasks may still wait at gates */
        }
    if (executor && mpp_close(executor, &error)) {
        fprintf(stderr, "%s\n", error.text);
        failed = 1;
    }
    if (network && sim_close(network)) {
        fprintf(stderr, "a simulated rank failed\n");
        failed = 1;
    }
    sim_network_free(network);
    return failed;
}

int main(int argc, char **argv)
{
    int sim_ranks = 0;
    char **word = argv + 1;
    if (*word && !strcmp(*word, "--list")) {
        for (size_t i = 0; i < TESTS; i++)
            printf("%s\n", tests[i].name);
        return 0;
    }
    if (*word && !strcmp(*word, "--sim") && word[1]) {
        sim_ranks = atoi(word[1]);
        word += 2;
    }
    if (!*word || sim_ranks > 64) {
        fprintf(stderr, "usage: conformance [--sim RANKS] TEST\n");
        return 2;
    }
    scratch = shared_directory_make();
    if (!scratch)
        return 1;
    int failed = run_in_pool(*word, sim_ranks, 1 + (uint64_t)getpid(), &argc, &argv);
    if (mpp_launch_rank() == 0)
        shared_directory_remove();
    return failed;
}
