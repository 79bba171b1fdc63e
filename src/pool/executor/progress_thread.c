/* SPDX-License-Identifier: MIT */
/* The thread that drives the pool on rank 0: see progress_thread.h. */
#include "progress_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* How many submitted futures are given to the coordinator in a round. Without a limit, a flood of
 * new tasks would delay the sending of the first ones. */
enum { SUBMITS_PER_ROUND = 1024 };

/* State that only the thread uses. */
struct progress_thread {
    struct mpp_executor *executor;
    struct future_list submitted; /* taken from the executor, not yet given to the coordinator */
    struct mpp_future *cancelled; /* the same for futures that callers have cancelled */
    struct future_list ended;     /* settled, not yet published */
    bool stop, cancel_waiting;    /* requested by mpp_shutdown */
    bool input_ended, waiting_cancelled; /* and the coordinator was told */
};

/* The coordinator calls this for each settled future. They are published together, once in a round,
 * because that needs the lock. */
static void collect_ended(void *context, struct mpp_future *future)
{
    struct progress_thread *thread = context;
    future_list_append(&thread->ended, future);
}

/* ---- Exchange with the callers ---- */

static void publish_ended(struct progress_thread *thread, struct observer_list *callbacks)
{
    for (struct mpp_future *future; (future = future_list_take(&thread->ended));)
        future_publish(future, callbacks);
}

/* When the pool is broken no task can run, but it can still be shut down in an orderly way. */
static void note_broken(struct mpp_executor *executor)
{
    const char *reason = coordinator_broken_reason(executor->rank.coordinator);
    if (!reason || executor->broken)
        return;
    executor->broken = true;
    mpp_error_set(&executor->broken_error, "%s", reason);
}

/* Publishes what has ended, takes requests, and calls callbacks. Returns true if there is nothing
 * to do: the callers then know that the thread must be woken. `idle`: the last step did nothing. */
static bool exchange_with_callers(struct progress_thread *thread, bool idle)
{
    struct mpp_executor *executor = thread->executor;
    struct observer_list callbacks;
    observer_list_init(&callbacks);
    pthread_mutex_lock(&executor->owner.lock);
    publish_ended(thread, &callbacks);
    if (!idle) {
        coordinator_stats(executor->rank.coordinator, &executor->stats);
        note_broken(executor);
    }
    future_list_move(&executor->submitted, &thread->submitted);
    thread->cancelled = executor->cancelled;
    executor->cancelled = NULL;
    bool requests = thread->submitted.first || thread->cancelled ||
                    executor->stop != thread->stop ||
                    executor->cancel_waiting != thread->cancel_waiting;
    thread->stop = executor->stop;
    thread->cancel_waiting = executor->cancel_waiting;
    bool may_sleep = idle && !requests && !callbacks.first;
    executor->sleeping = may_sleep;
    pthread_mutex_unlock(&executor->owner.lock);
    future_call_back(&callbacks);
    return may_sleep;
}

static void sleep_until_woken(struct mpp_executor *executor)
{
    rank_loop_wait(&executor->rank, executor->wake_fd);
    uint64_t count;
    ssize_t ignored = read(executor->wake_fd, &count, sizeof count);
    (void)ignored;
}

/* ---- Requests to the coordinator ---- */

static int submit_futures(struct coordinator *coordinator, struct future_list *submitted,
                          struct mpp_error *error)
{
    struct mpp_future *future;
    for (int i = 0; i < SUBMITS_PER_ROUND && (future = future_list_take(submitted)); i++) {
        if (atomic_load(&future->state) >= FUTURE_SETTLED) {
            future_unref(future); /* cancelled already: it need not be sent to any rank */
        } else if (coordinator_submit(coordinator, future, error)) {
            future_list_append(submitted, future);
            return -1;
        }
    }
    return 0;
}

static int cancel_futures(struct coordinator *coordinator, struct mpp_future **cancelled,
                          struct mpp_error *error)
{
    for (struct mpp_future *future; (future = *cancelled);) {
        *cancelled = future->next_cancelled;
        int failed = future->in_table ? coordinator_cancel(coordinator, future, error) : 0;
        future_unref(future);
        if (failed)
            return -1;
    }
    return 0;
}

static int pass_requests(struct progress_thread *thread, bool *progressed, struct mpp_error *error)
{
    struct coordinator *coordinator = thread->executor->rank.coordinator;
    if (thread->submitted.first || thread->cancelled)
        *progressed = true;
    if (submit_futures(coordinator, &thread->submitted, error) ||
        cancel_futures(coordinator, &thread->cancelled, error))
        return -1;
    /* Only after the last submitted future: until then more tasks will come. */
    if (thread->stop && !thread->input_ended && !thread->submitted.first) {
        thread->input_ended = *progressed = true;
        if (coordinator_end_input(coordinator, error))
            return -1;
    }
    if (thread->cancel_waiting && !thread->waiting_cancelled) {
        thread->waiting_cancelled = *progressed = true;
        return coordinator_cancel_waiting(coordinator, error);
    }
    return 0;
}

/* ---- The loop ---- */

static int drive(struct progress_thread *thread, struct mpp_error *error)
{
    struct rank_loop *rank = &thread->executor->rank;
    bool idle = false;
    while (!coordinator_all_stopped(rank->coordinator)) {
        if (exchange_with_callers(thread, idle))
            sleep_until_woken(thread->executor);
        bool progressed = false;
        if (pass_requests(thread, &progressed, error) || rank_loop_step(rank, &progressed, error))
            return -1;
        idle = !progressed;
    }
    return coordinator_send_end(rank->coordinator, error);
}

/* Refuses further tasks, and takes those that were submitted since the last round. */
static void close_submissions(struct progress_thread *thread, bool aborted,
                              const struct mpp_error *error)
{
    struct mpp_executor *executor = thread->executor;
    pthread_mutex_lock(&executor->owner.lock);
    executor->stop = true;
    executor->aborted = aborted;
    if (aborted) {
        executor->broken = true;
        executor->broken_error = *error;
    } else {
        note_broken(executor);
    }
    future_list_move(&executor->submitted, &thread->submitted);
    pthread_mutex_unlock(&executor->owner.lock);
}

/* Ends the tasks that are left: as broken with the pool, or as cancelled. */
static void end_remaining(struct progress_thread *thread)
{
    struct mpp_executor *executor = thread->executor;
    const char *reason = executor->broken ? executor->broken_error.text : NULL;
    struct mpp_stats stats;
    coordinator_stats(executor->rank.coordinator, &stats);
    coordinator_free(executor->rank.coordinator, reason);
    executor->rank.coordinator = NULL;
    for (struct mpp_future *future; (future = future_list_take(&thread->submitted));)
        if (future_end_without_result(future, reason))
            collect_ended(thread, future);

    struct observer_list callbacks;
    observer_list_init(&callbacks);
    pthread_mutex_lock(&executor->owner.lock);
    executor->stats = stats;
    publish_ended(thread, &callbacks);
    pthread_mutex_unlock(&executor->owner.lock);
    future_call_back(&callbacks);
}

static void unref_cancelled(struct mpp_future *cancelled)
{
    for (struct mpp_future *next; cancelled; cancelled = next) {
        next = cancelled->next_cancelled;
        future_unref(cancelled);
    }
}

static void *run(void *argument)
{
    struct progress_thread *thread = argument;
    struct mpp_executor *executor = thread->executor;
    struct mpp_error error;
    bool aborted = drive(thread, &error) != 0;
    close_submissions(thread, aborted, &error);
    end_remaining(thread);

    pthread_mutex_lock(&executor->owner.lock);
    struct mpp_future *cancelled = executor->cancelled;
    executor->cancelled = NULL;
    executor->ended = true;
    pthread_cond_broadcast(&executor->has_ended);
    pthread_mutex_unlock(&executor->owner.lock);
    unref_cancelled(thread->cancelled);
    unref_cancelled(cancelled);
    free(thread);
    return NULL;
}

/* ---- Start and join ---- */

static struct progress_thread *new_thread(struct mpp_executor *executor)
{
    struct progress_thread *thread = calloc(1, sizeof *thread);
    if (!thread)
        return NULL;
    thread->executor = executor;
    future_list_init(&thread->submitted);
    future_list_init(&thread->ended);
    return thread;
}

int progress_thread_start(struct mpp_executor *executor, uint64_t build, uint32_t attempts,
                          struct mpp_error *error)
{
    struct rank_loop *rank = &executor->rank;
    struct progress_thread *thread = new_thread(executor);
    if (!thread)
        return mpp_error_set(error, "out of memory for the progress thread");
    struct coordinator_options options = {.attempts = attempts,
                                          .build = build,
                                          .completed = collect_ended,
                                          .context = thread,
                                          .rank_info = executor->rank_info};
    rank->coordinator = coordinator_new(rank->transport, &options, error);
    if (!rank->coordinator) {
        free(thread);
        return -1;
    }
    coordinator_stats(rank->coordinator, &executor->stats);
    errno = pthread_create(&executor->progress_thread, NULL, run, thread);
    if (!errno)
        return 0;
    mpp_error_set_errno(error, "cannot start the progress thread");
    coordinator_free(rank->coordinator, NULL);
    rank->coordinator = NULL;
    free(thread);
    return -1;
}

void progress_thread_join(struct mpp_executor *executor)
{
    pthread_join(executor->progress_thread, NULL);
}
