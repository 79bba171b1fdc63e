/* SPDX-License-Identifier: MIT */
/*
 * mpp_map: reads tasks from a source, keeps a bounded number of them in the pool, and passes
 * outcomes to a sink, all on the caller's thread. See mppool.h.
 *
 *     source -> read_source -> batch -> exchange -> pool -> completion queue -> deliver -> sink
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "executor_state.h"
#include "monotonic_wait.h"

enum {
    BUFFERSIZE = 65536,
    BATCH_TASKS = 256,  /* tasks that are submitted together, */
    BATCH_NS = 1000000, /* or fewer after this time, if the source is slow */
    LATER_MS = 20,      /* until a source that has nothing yet is called again */
};

struct map_run {
    struct mpp_executor *executor;
    const struct mpp_map *map;
    uint32_t job, chunk;
    bool ordered;
    size_t buffersize;
    uint64_t pulled, delivered;     /* tasks read from the source, outcomes passed to the sink */
    struct mpp_future **early;      /* ordered: done before an earlier one; at the position index
                                       modulo buffersize */
    struct task_slab *slab;         /* of the tasks read last. The map's thread frees its tasks, and
                                       when the map has ended whoever holds the executor's lock */
    struct completion_queue *queue; /* tasks that are done */
    double deadline_s;              /* monotonic_wait.h */
    bool source_ended;              /* the source is not called any more */
    bool source_later;              /* the source has nothing right now */
    bool shut_down;                 /* the executor accepts no more tasks; the error is filled */
    bool stopped;                   /* the map ends now, and the error is filled */
    enum mpp_wait_status status;    /* if stopped: what the map returns */
};

/* Some milliseconds of precision are enough for a batch, and the coarse clock is cheap. */
static uint64_t coarse_now_ns(void)
{
    return (uint64_t)clock_now_ns(CLOCK_MONOTONIC_COARSE);
}

static void stop(struct map_run *run, enum mpp_wait_status status)
{
    run->status = status;
    run->stopped = true;
    run->source_ended = true;
}

static void stop_after_deadline(struct map_run *run, struct mpp_error *error)
{
    if (run->stopped || !monotonic_deadline_passed(run->deadline_s))
        return;
    mpp_error_set(error, "the map is not done after %g s", run->map->timeout_s);
    stop(run, MPP_WAIT_TIMEOUT);
}

static struct mpp_future *new_task(struct map_run *run, const struct mpp_bytes *payload,
                                   struct mpp_error *error)
{
    struct mpp_future *future = future_new(&run->executor->owner, &run->slab, run->job,
                                           payload->data, payload->size, error);
    if (!future)
        return NULL;
    future->queue = run->queue;
    future->index = run->pulled++;
    future->chunk = run->chunk;
    return future;
}

/* Fills a batch from the source, while fewer than buffersize tasks are between source and sink. */
static void read_source(struct map_run *run, struct future_list *batch, struct mpp_error *error)
{
    uint64_t begun_ns = coarse_now_ns();
    run->source_later = false;
    while (!run->source_ended && run->pulled - run->delivered < run->buffersize &&
           batch->count < BATCH_TASKS) {
        struct mpp_bytes payload = {0};
        struct mpp_future *future;
        switch (run->map->source(run->map->context, &payload, error)) {
        case MPP_SOURCE_ITEM:
            future = new_task(run, &payload, error);
            if (future)
                future_list_append(batch, future);
            else
                stop(run, MPP_WAIT_FAILED);
            break;
        case MPP_SOURCE_LATER:
            run->source_later = true;
            return;
        case MPP_SOURCE_END:
            run->source_ended = true;
            break;
        case MPP_SOURCE_ERROR:
            stop(run, MPP_WAIT_FAILED);
            break;
        }
        if (coarse_now_ns() - begun_ns > BATCH_NS)
            return;
    }
}

static void deliver(struct map_run *run, struct mpp_future *future, struct mpp_error *error)
{
    stop_after_deadline(run, error); /* the sink may be slow */
    run->delivered++;
    const struct mpp_exception *exception = future->exception;
    if (exception && exception->kind == MPP_EXCEPTION_BROKEN && !run->stopped) {
        mpp_error_set(error, "%s", exception->message);
        stop(run, MPP_WAIT_FAILED); /* reported once, not as the outcome of every task */
    }
    struct mpp_outcome outcome = {
        .index = future->index,
        .payload = {.data = future->payload, .size = future->payload_size},
        .result = {.data = future->result, .size = future->result_size},
        .exception = exception,
        .rank = future->rank,
        .host = future->rank < 0 ? "" : run->executor->rank_info[future->rank].host,
        .attempts = future->attempts,
        .run_s = (double)future->run_ns * 1e-9,
        .worker = future->worker,
        .ended_ms = future->ended_ns / 1000000,
    };
    if (!run->stopped && run->map->sink(run->map->context, &outcome, error))
        stop(run, MPP_WAIT_FAILED);
    future_unref(future);
}

static void deliver_all(struct map_run *run, struct future_list *done, struct mpp_error *error)
{
    for (struct mpp_future *future; (future = future_list_take(done));) {
        if (!run->ordered) {
            deliver(run, future, error);
            continue;
        }
        run->early[future->index % run->buffersize] = future;
        for (;;) {
            struct mpp_future **due = &run->early[run->delivered % run->buffersize];
            struct mpp_future *next = *due;
            if (!next)
                break;
            *due = NULL;
            deliver(run, next, error);
        }
    }
}

/* Whether the map can only wait for a task to end, or for the source to have something. */
static bool must_wait(const struct map_run *run)
{
    bool full = run->pulled - run->delivered >= run->buffersize;
    return run->source_later || ((run->source_ended || full) && run->pulled > run->delivered);
}

/* Blocks until a task is done, or for LATER_MS if the source has nothing yet. Call it with the
 * executor's lock held. */
static void wait_for_outcome(struct map_run *run)
{
    double deadline_s = run->deadline_s;
    double later_s = monotonic_deadline(LATER_MS * 1e-3);
    if (run->source_later && (deadline_s < 0 || later_s < deadline_s))
        deadline_s = later_s;
    while (must_wait(run) && !run->queue->done.count)
        if (!monotonic_cond_wait(&run->queue->not_empty, &run->executor->owner.lock, deadline_s))
            break;
}

/* The executor is shut down: the tasks of the batch are delivered as cancelled, and those already
 * in the pool with their own outcomes. */
static void end_early(struct map_run *run, struct future_list *batch, struct future_list *done)
{
    run->shut_down = run->source_ended = true;
    for (struct mpp_future *future; (future = future_list_take(batch));)
        if (future_end_without_result(future, NULL))
            future_list_append(done, future);
}

/* Submits the batch and takes the tasks that are done. Waits if there is nothing else to do. */
static void exchange(struct map_run *run, struct future_list *batch, struct future_list *done,
                     struct mpp_error *error)
{
    struct mpp_executor *executor = run->executor;
    size_t count = batch->count;
    pthread_mutex_lock(&executor->owner.lock);
    if (count && executor_submit(executor, batch, run->stopped ? NULL : error)) {
        if (executor->broken) {
            for (struct mpp_future *future; (future = future_list_take(batch));)
                future_unref(future);
            stop(run, MPP_WAIT_FAILED);
        } else {
            end_early(run, batch, done);
        }
    } else {
        run->queue->pending += count;
    }
    executor_wake(executor);
    if (!run->stopped && !done->count)
        wait_for_outcome(run);
    future_list_move(&run->queue->done, done);
    pthread_mutex_unlock(&executor->owner.lock);
}

static bool is_finished(const struct map_run *run)
{
    return run->stopped || (run->source_ended && run->delivered == run->pulled);
}

static void run_until_end(struct map_run *run, struct mpp_error *error)
{
    while (!is_finished(run)) {
        struct future_list batch, done;
        future_list_init(&batch);
        future_list_init(&done);
        read_source(run, &batch, error);
        exchange(run, &batch, &done, error);
        deliver_all(run, &done, error);
        if (!is_finished(run))
            stop_after_deadline(run, error);
    }
}

static enum mpp_wait_status map_run(struct mpp_executor *executor, const struct mpp_map *map,
                                    bool ordered, struct mpp_error *error)
{
    struct mpp_error unwanted;
    if (!error)
        error = &unwanted;
    int job = executor_find_job(executor, map->job, error);
    if (job < 0)
        return MPP_WAIT_FAILED;
    if (isnan(map->timeout_s)) {
        mpp_error_set(error, "timeout_s is nan; it must be a number of seconds, or 0 for no limit");
        return MPP_WAIT_FAILED;
    }
    if (executor_in_callback(executor)) {
        mpp_error_set(error, "a callback must not wait for a map");
        return MPP_WAIT_FAILED;
    }
    struct map_run run = {.executor = executor,
                          .map = map,
                          .job = (uint32_t)job,
                          .ordered = ordered,
                          .deadline_s =
                              monotonic_deadline(map->timeout_s > 0 ? map->timeout_s : -1),
                          .buffersize = map->buffersize ? map->buffersize : BUFFERSIZE,
                          .chunk = map->chunksize < UINT32_MAX ? (uint32_t)map->chunksize : 0};
    run.queue = completion_queue_new();
    run.early = ordered ? calloc(run.buffersize, sizeof *run.early) : NULL;
    if (!run.queue || (ordered && !run.early)) {
        free(run.queue);
        free(run.early);
        mpp_error_set(error, "out of memory for a buffer of %zu tasks", run.buffersize);
        return MPP_WAIT_FAILED;
    }
    run_until_end(&run, error);
    for (size_t i = 0; ordered && i < run.buffersize; i++)
        future_unref(run.early[i]); /* left over if the map was stopped */
    free(run.early);
    pthread_mutex_lock(&executor->owner.lock);
    completion_queue_abandon(run.queue);
    task_slab_close(run.slab);
    pthread_mutex_unlock(&executor->owner.lock);
    return run.stopped ? run.status : run.shut_down ? MPP_WAIT_FAILED : MPP_WAIT_OK;
}

enum mpp_wait_status mpp_map(struct mpp_executor *executor, const struct mpp_map *map,
                             struct mpp_error *error)
{
    return map_run(executor, map, true, error);
}

enum mpp_wait_status mpp_map_unordered(struct mpp_executor *executor, const struct mpp_map *map,
                                       struct mpp_error *error)
{
    return map_run(executor, map, false, error);
}
