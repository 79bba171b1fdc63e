/*
 * The progress thread of rank 0: takes what callers submit and cancel, steps the rank, makes known
 * what has come to its end. See executor.h.
 */
#include <string.h>
#include <unistd.h>

#include "executor.h"

/* A coordinator_complete: gathered, and made known once a round. */
void executor_gather(void *context, struct mpp_future *future)
{
    struct mpp_executor *executor = context;
    future_list_append(&executor->settled, future);
}

static void publish(struct mpp_executor *executor, struct watch_list *calls)
{
    for (struct mpp_future *future; (future = future_list_take(&executor->settled));)
        future_publish(future, calls);
}

/* No task can run any more, but the pool can still be ended in order. */
static void note_break(struct mpp_executor *executor)
{
    const char *reason = coordinator_broken(executor->rank.coordinator);
    if (!reason || executor->broken)
        return;
    executor->broken = true;
    mpp_error_set(&executor->broken_error, "%s", reason);
}

/* What the callers want of this round. */
struct wishes {
    struct future_list posted;
    struct mpp_future *cancelled;
    bool stop, discard;
    bool told_stop, told_discard;
};

/* One exchange with the callers. True when the thread may sleep, which it then has announced. */
static bool meet_callers(struct mpp_executor *executor, struct wishes *wishes, bool idle)
{
    struct watch_list calls;
    watch_list_init(&calls);
    pthread_mutex_lock(&executor->lock);
    publish(executor, &calls);
    if (!idle) {
        coordinator_stats(executor->rank.coordinator, &executor->stats);
        note_break(executor);
    }
    future_list_move(&executor->inbox, &wishes->posted);
    wishes->cancelled = executor->cancelled;
    executor->cancelled = NULL;
    bool news = wishes->posted.first || wishes->cancelled || executor->stop != wishes->stop ||
                executor->discard != wishes->discard || calls.first;
    wishes->stop = executor->stop;
    wishes->discard = executor->discard;
    executor->sleeping = idle && !news;
    bool may_sleep = executor->sleeping;
    pthread_mutex_unlock(&executor->lock);
    future_call_back(&calls);
    return may_sleep;
}

static void sleep_until_news(struct mpp_executor *executor)
{
    rank_loop_wait(&executor->rank, executor->wake_fd);
    uint64_t count;
    ssize_t ignored = read(executor->wake_fd, &count, sizeof count);
    (void)ignored;
}

/* So many a round, for so many messages (rank_loop.c): a flood of new tasks must not keep those waiting
 * who could run the first of them. */
enum { SUBMITS_A_ROUND = 1024 };

/* A future that was cancelled before it came here is dropped: nobody else knows of it. */
static int submit_all(struct coordinator *coordinator, struct future_list *posted,
                      struct mpp_error *error)
{
    struct mpp_future *future;
    for (int i = 0; i < SUBMITS_A_ROUND && (future = future_list_take(posted)); i++) {
        if (atomic_load(&future->state) >= FUTURE_SETTLED) {
            future_drop(future);
        } else if (coordinator_submit(coordinator, future, error)) {
            future_list_append(posted, future);
            return -1;
        }
    }
    return 0;
}

static int cancel_all(struct coordinator *coordinator, struct mpp_future **cancelled,
                      struct mpp_error *error)
{
    for (struct mpp_future *future; (future = *cancelled);) {
        *cancelled = future->next_cancelled;
        int failed = future->in_books ? coordinator_cancel(coordinator, future, error) : 0;
        future_drop(future);
        if (failed)
            return -1;
    }
    return 0;
}

static int grant(struct mpp_executor *executor, struct wishes *wishes, bool *progressed,
                 struct mpp_error *error)
{
    struct coordinator *coordinator = executor->rank.coordinator;
    if (wishes->posted.first || wishes->cancelled)
        *progressed = true;
    if (submit_all(coordinator, &wishes->posted, error) ||
        cancel_all(coordinator, &wishes->cancelled, error))
        return -1;
    if (wishes->stop && !wishes->told_stop) {
        wishes->told_stop = *progressed = true;
        if (coordinator_end_input(coordinator, error))
            return -1;
    }
    if (wishes->discard && !wishes->told_discard) {
        wishes->told_discard = *progressed = true;
        return coordinator_discard(coordinator, error);
    }
    return 0;
}

static int drive(struct mpp_executor *executor, struct wishes *wishes, struct mpp_error *error)
{
    bool idle = false;
    while (!coordinator_all_stopped(executor->rank.coordinator)) {
        if (meet_callers(executor, wishes, idle))
            sleep_until_news(executor);
        bool progressed = false;
        if (grant(executor, wishes, &progressed, error) ||
            rank_loop_step(&executor->rank, &progressed, error))
            return -1;
        idle = !progressed;
    }
    return coordinator_say_end(executor->rank.coordinator, error);
}

/* Whatever is left comes to its end here: broken with the pool, or cancelled. */
static void end_all(struct mpp_executor *executor, struct wishes *wishes, const char *reason)
{
    coordinator_stats(executor->rank.coordinator, &executor->stats);
    coordinator_free(executor->rank.coordinator, reason);
    executor->rank.coordinator = NULL;
    for (struct mpp_future *future; (future = future_list_take(&wishes->posted));)
        if (future_end(future, reason))
            executor_gather(executor, future);
}

static void drop_cancelled(struct mpp_future *cancelled)
{
    for (struct mpp_future *next; cancelled; cancelled = next) {
        next = cancelled->next_cancelled;
        future_drop(cancelled);
    }
}

void *executor_progress(void *argument)
{
    struct mpp_executor *executor = argument;
    struct wishes wishes = {0};
    struct watch_list calls;
    struct mpp_error error;
    future_list_init(&wishes.posted);
    watch_list_init(&calls);
    bool lost = drive(executor, &wishes, &error) != 0;

    pthread_mutex_lock(&executor->lock);
    executor->stop = true; /* nothing is posted any more */
    executor->lost = lost;
    if (lost) {
        executor->broken = true;
        executor->broken_error = error;
    } else {
        note_break(executor);
    }
    future_list_move(&executor->inbox, &wishes.posted);
    pthread_mutex_unlock(&executor->lock);
    end_all(executor, &wishes, executor->broken ? executor->broken_error.text : NULL);

    pthread_mutex_lock(&executor->lock);
    publish(executor, &calls);
    pthread_mutex_unlock(&executor->lock);
    future_call_back(&calls);

    pthread_mutex_lock(&executor->lock);
    struct mpp_future *cancelled = executor->cancelled;
    executor->cancelled = NULL;
    executor->ended = true;
    pthread_cond_broadcast(&executor->end);
    pthread_mutex_unlock(&executor->lock);
    drop_cancelled(wishes.cancelled);
    drop_cancelled(cancelled);
    return NULL;
}
