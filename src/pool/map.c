/*
 * map: pulls tasks from a source, keeps a bounded number of them in the pool, delivers outcomes to
 * a sink. It runs on the caller's thread; the pool goes on meanwhile on its own. See mppool.h.
 */
#include <stdlib.h>

#include "clock.h"
#include "executor.h"
#include "message.h"

enum {
    BUFFERSIZE = 65536,
    BATCH_TASKS = 256,  /* posted together, */
    BATCH_NS = 1000000, /* or after this time, when the source is slow */
    LATER_MS = 20,      /* between two looks at a source that has nothing yet */
};

struct map_run {
    struct mpp_executor *executor;
    const struct mpp_map *map;
    uint32_t job, chunk;
    bool ordered;
    size_t buffersize;
    uint64_t pulled, delivered;
    struct mpp_future **waiting; /* ordered: done, not yet due; by index modulo buffersize */
    struct completed *completed;
    double until_s; /* when the time is over; negative: never */
    bool ended;     /* nothing more is pulled */
    bool later;     /* the source has nothing right now */
    bool shut;      /* the executor takes no more: error is filled */
    bool failed;    /* error is filled: outcomes are dropped */
};

static void fail(struct map_run *run)
{
    run->failed = true;
    run->ended = true;
}

static struct mpp_future *new_task(struct map_run *run, const struct mpp_bytes *payload,
                                   struct mpp_error *error)
{
    struct mpp_future *future =
        future_new(run->executor, run->job, payload->data, payload->size, error);
    if (!future)
        return NULL;
    future->completed = run->completed;
    future->index = run->pulled++;
    future->chunk = run->chunk;
    return future;
}

/* Fills a batch from the source while the window has room. */
static void pull(struct map_run *run, struct future_list *batch, struct mpp_error *error)
{
    int64_t begun_ns = clock_now_ns(CLOCK_MONOTONIC_COARSE); /* a few ms of error do not matter */
    run->later = false;
    while (!run->ended && run->pulled - run->delivered < run->buffersize &&
           batch->count < BATCH_TASKS) {
        struct mpp_bytes payload = {0};
        struct mpp_future *future;
        switch (run->map->source(run->map->context, &payload, error)) {
        case MPP_SOURCE_ITEM:
            future = new_task(run, &payload, error);
            if (future)
                future_list_append(batch, future);
            else
                fail(run);
            break;
        case MPP_SOURCE_LATER:
            run->later = true;
            return;
        case MPP_SOURCE_END:
            run->ended = true;
            break;
        case MPP_SOURCE_ERROR:
            fail(run);
            break;
        }
        if (clock_now_ns(CLOCK_MONOTONIC_COARSE) - begun_ns > BATCH_NS)
            return;
    }
}

static void deliver(struct map_run *run, struct mpp_future *future, struct mpp_error *error)
{
    run->delivered++;
    const struct mpp_exception *exception = future->exception;
    if (exception && exception->kind == MPP_EXCEPTION_BROKEN && !run->failed) {
        mpp_error_set(error, "%s", exception->message);
        fail(run); /* once, and not as the outcome of every task there was */
    }
    struct mpp_outcome outcome = {
        .index = future->index,
        .payload = {.data = future->payload, .size = future->payload_size},
        .result = {.data = future->result, .size = future->result_size},
        .exception = exception,
        .rank = future->rank,
        .host = future->rank < 0 ? "" : run->executor->accounts[future->rank].host,
        .attempts = future->attempts,
        .run_s = (double)future->run_ns * 1e-9,
    };
    if (!run->failed && run->map->sink(run->map->context, &outcome, error))
        fail(run);
    future_drop(future);
}

static void deliver_all(struct map_run *run, struct future_list *done, struct mpp_error *error)
{
    for (struct mpp_future *future; (future = future_list_take(done));) {
        if (!run->ordered) {
            deliver(run, future, error);
            continue;
        }
        run->waiting[future->index % run->buffersize] = future;
        for (;;) {
            struct mpp_future **due = &run->waiting[run->delivered % run->buffersize];
            struct mpp_future *next = *due;
            if (!next)
                break;
            *due = NULL;
            deliver(run, next, error);
        }
    }
}

/* Is there nothing to do but to wait for what is in the pool? */
static bool must_wait(const struct map_run *run)
{
    bool full = run->pulled - run->delivered >= run->buffersize;
    return run->later || ((run->ended || full) && run->pulled > run->delivered);
}

/* Sleeps until something is done, or, where the source has nothing yet, for a moment. */
static void wait_for_news(struct map_run *run, struct mpp_error *error)
{
    double until_s = run->until_s;
    double moment_s = executor_until(LATER_MS * 1e-3);
    if (run->later && (until_s < 0 || moment_s < until_s))
        until_s = moment_s;
    while (must_wait(run) && !run->completed->list.count)
        if (!executor_wait(run->executor, &run->completed->news, until_s))
            break;
    if (run->until_s >= 0 && must_wait(run) && !run->completed->list.count &&
        executor_until(0) >= run->until_s) {
        mpp_error_set(error, "the map is not done after %g s", run->map->timeout_s);
        fail(run);
    }
}

/* The pool takes no more: what it has is delivered still, and the batch as cancelled. */
static void end_early(struct map_run *run, struct future_list *batch, struct future_list *done)
{
    run->shut = run->ended = true;
    for (struct mpp_future *future; (future = future_list_take(batch));)
        if (future_end(future, NULL))
            future_list_append(done, future);
}

/* Posts the batch and takes what is done; waits for something where there is nothing else to do. */
static void exchange(struct map_run *run, struct future_list *batch, struct future_list *done,
                     struct mpp_error *error)
{
    struct mpp_executor *executor = run->executor;
    size_t count = batch->count;
    pthread_mutex_lock(&executor->lock);
    if (count && executor_post(executor, batch, run->failed ? NULL : error)) {
        if (executor->broken) {
            for (struct mpp_future *future; (future = future_list_take(batch));)
                future_drop(future);
            fail(run);
        } else {
            end_early(run, batch, done);
        }
    } else {
        run->completed->pending += count;
    }
    executor_wake(executor);
    if (!run->failed && !done->count)
        wait_for_news(run, error);
    future_list_move(&run->completed->list, done);
    pthread_mutex_unlock(&executor->lock);
}

static void run_to_the_end(struct map_run *run, struct mpp_error *error)
{
    while (!run->failed && (!run->ended || run->delivered < run->pulled)) {
        struct future_list batch, done;
        future_list_init(&batch);
        future_list_init(&done);
        pull(run, &batch, error);
        exchange(run, &batch, &done, error);
        deliver_all(run, &done, error);
    }
}

static int map_run(struct mpp_executor *executor, const struct mpp_map *map, bool ordered,
                   struct mpp_error *error)
{
    struct mpp_error unwanted;
    if (!error)
        error = &unwanted;
    int job = executor_find_job(executor, map->job, error);
    if (job < 0)
        return -1;
    if (executor_is_progress(executor))
        return mpp_error_set(error, "a callback must not wait for a map");
    struct map_run run = {.executor = executor,
                          .map = map,
                          .job = (uint32_t)job,
                          .ordered = ordered,
                          .until_s = executor_until(map->timeout_s > 0 ? map->timeout_s : -1),
                          .buffersize = map->buffersize ? map->buffersize : BUFFERSIZE,
                          .chunk = map->chunksize < UINT32_MAX ? (uint32_t)map->chunksize : 0};
    run.completed = completed_new();
    run.waiting = ordered ? calloc(run.buffersize, sizeof *run.waiting) : NULL;
    if (!run.completed || (ordered && !run.waiting)) {
        free(run.completed);
        return mpp_error_set(error, "out of memory for a buffer of %zu tasks", run.buffersize);
    }
    run_to_the_end(&run, error);
    for (size_t i = 0; ordered && i < run.buffersize; i++)
        future_drop(run.waiting[i]); /* those of a map that failed */
    free(run.waiting);
    pthread_mutex_lock(&executor->lock);
    completed_leave(run.completed);
    pthread_mutex_unlock(&executor->lock);
    return run.failed || run.shut ? -1 : 0;
}

int mpp_map(struct mpp_executor *executor, const struct mpp_map *map, struct mpp_error *error)
{
    return map_run(executor, map, true, error);
}

int mpp_map_unordered(struct mpp_executor *executor, const struct mpp_map *map,
                      struct mpp_error *error)
{
    return map_run(executor, map, false, error);
}
