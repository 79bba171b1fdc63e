/* SPDX-License-Identifier: MIT */
/* Events in, scheduler, messages and ended futures out: see coordinator.h. */
#include "coordinator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "future_table.h"
#include "rank_clock.h"
#include "scheduler.h"

/* A chunk of tasks is sent in messages of about this size, so that large payloads do not all have
 * to be in memory twice. */
#define MESSAGE_BYTES (UINT32_C(1) << 20)

/* An agent, as the coordinator sees it. */
struct remote_agent {
    bool stopped, lost;
    uint32_t workers_replaced; /* as last reported */
    struct rank_clock clock;
};

struct coordinator {
    struct transport *transport;
    struct scheduler *scheduler;
    struct scheduler_actions actions; /* not performed yet */
    struct coordinator_options options;
    struct future_table futures;          /* of the tasks that have not ended */
    struct remote_agent *agents;          /* by rank */
    const struct message_result *current; /* the result whose event is being applied, */
    int64_t now_ns, wall_ns;              /* and when its message arrived: CLOCK_MONOTONIC and
                                             CLOCK_REALTIME */
    int64_t opened_ns;                    /* when the coordinator was made, CLOCK_MONOTONIC */
    char *broken_reason;                  /* malloc'd; NULL: the pool is not broken */
    uint64_t steals, tasks_stolen, retries;
    int agents_stopped, ranks_lost, ranks_polling;
    bool stop_sent, cancels_waiting;
};

/* ---- Tasks that end ---- */

static enum mpp_exception_kind exception_kind(enum task_status status)
{
    switch (status) {
    case TASK_CRASHED:
        return MPP_EXCEPTION_CRASH;
    case TASK_CRASHED_MEMORY:
    case TASK_FAILED_MEMORY:
        return MPP_EXCEPTION_MEMORY;
    case TASK_TIMED_OUT:
        return MPP_EXCEPTION_TIMEOUT;
    case TASK_FAILED:
    case TASK_DROPPED: /* not called for these two */
    case TASK_SUCCEEDED:
        break;
    }
    return MPP_EXCEPTION_JOB;
}

/* When the attempt ended, since 1970. Computed from its age, so that it is right if the date is
 * changed or the host sleeps during the run. */
static int64_t end_since_1970_ns(const struct coordinator *c, int rank,
                                 const struct message_result *result)
{
    int64_t end_ns = rank_clock_task_end(&c->agents[rank].clock, result->ended_ns, result->run_ns,
                                         c->opened_ns, c->now_ns);
    return c->wall_ns - (c->now_ns - end_ns);
}

/* Only this thread writes the counter, so it needs no atomic addition. */
static void add(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t sum = atomic_load_explicit(counter, memory_order_relaxed) + more;
    atomic_store_explicit(counter, sum, memory_order_relaxed);
}

/* Stores what the agent reported. */
static void store_end(struct coordinator *c, struct mpp_future *future,
                      const struct scheduler_action *action, const struct message_result *result)
{
    struct rank_info *info = &c->options.rank_info[action->agent];
    add(&info->tasks, 1);
    add(&info->busy_ns, result->run_ns);
    future->rank = action->agent;
    future->worker = (int16_t)result->worker;
    future->run_ns = result->run_ns;
    future->ended_ns = end_since_1970_ns(c, action->agent, result);
    future->attempts =
        (int)(action->type == SCHEDULER_GIVE_UP ? action->crashes : result->dispatch);
    if (result->status == TASK_SUCCEEDED) {
        future_set_result(future, result->data, result->size);
    } else {
        struct mpp_exception exception = {.kind = exception_kind(result->status),
                                          .signal = (int)result->signal,
                                          .rank = action->agent,
                                          .pid = result->pid,
                                          .attempts = future->attempts,
                                          .host = info->host,
                                          .message = result->data};
        future_set_exception(future, &exception, result->size);
    }
}

/* The task leaves the table. If a caller has cancelled it, it is already settled and published. */
static void complete(struct coordinator *c, const struct scheduler_action *action)
{
    struct mpp_future *future = future_table_remove(&c->futures, action->task);
    bool dropped = action->type == SCHEDULER_DROP || c->current->status == TASK_DROPPED;
    if (dropped) {
        if (!future_end_without_result(future, c->broken_reason))
            return;
    } else {
        if (!future_settle(future)) {
            future_unref(future);
            return;
        }
        store_end(c, future, action, c->current);
    }
    c->options.completed(c->options.context, future);
}

/* ---- Performing the scheduler's actions ---- */

/* Sends consecutive SEND actions for one agent as one message, from action `at` on. Returns the
 * index of the first action that was not sent, or -1. */
static ptrdiff_t send_chunk(struct coordinator *c, size_t at, struct mpp_error *error)
{
    int agent = c->actions.list[at].agent;
    struct buf out = BUF_INIT;
    struct message_list tasks = message_begin_tasks(&out);
    for (; at < c->actions.count && out.size < MESSAGE_BYTES; at++) {
        const struct scheduler_action *action = &c->actions.list[at];
        if (action->type != SCHEDULER_SEND || action->agent != agent)
            break;
        const struct mpp_future *future = future_table_find(&c->futures, action->task);
        message_put_task(&tasks, &(struct message_task){.id = action->task,
                                                        .dispatch = action->dispatch,
                                                        .job = future->job,
                                                        .size = (uint32_t)future->payload_size,
                                                        .payload = future->payload});
    }
    message_end(&tasks);
    return transport_send(c->transport, agent, &out, error) ? -1 : (ptrdiff_t)at;
}

static int send_stop(struct coordinator *c, bool discard, struct mpp_error *error)
{
    c->stop_sent = true;
    for (int rank = 0; rank < c->transport->size; rank++) {
        struct buf out = BUF_INIT;
        if (c->agents[rank].lost)
            continue;
        message_put_stop(&out, discard);
        if (transport_send(c->transport, rank, &out, error))
            return -1;
    }
    return 0;
}

static int send_cancel(struct coordinator *c, const struct scheduler_action *action,
                       struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    message_put_cancel(&out, action->task);
    return transport_send(c->transport, action->agent, &out, error);
}

/* Gives an event to the scheduler and performs the actions that follow for its task. A result is
 * stored at once, because its bytes belong to the message. Sending tasks is left to
 * coordinator_flush, so that tasks of many events share a message. */
static int apply(struct coordinator *c, const struct scheduler_event *event,
                 struct mpp_error *error)
{
    if (scheduler_apply(c->scheduler, event, &c->actions))
        return mpp_error_set(error, "out of memory in the scheduler");
    for (size_t i = 0; i < c->actions.count; i++) {
        const struct scheduler_action *action = &c->actions.list[i];
        switch (action->type) {
        case SCHEDULER_ACCEPT:
        case SCHEDULER_GIVE_UP:
        case SCHEDULER_DROP:
            complete(c, action);
            break;
        case SCHEDULER_CANCEL:
            if (send_cancel(c, action, error))
                return -1;
            break;
        case SCHEDULER_REQUEUE:
            c->retries++;
            break;
        case SCHEDULER_SEND: /* only scheduler_decide gives these: see coordinator_flush */
        case SCHEDULER_STEAL:
        case SCHEDULER_FINISHED:
            break;
        }
    }
    c->actions.count = 0;
    return 0;
}

static int cancel_task(struct coordinator *c, uint64_t id, struct mpp_error *error)
{
    return apply(c, &(struct scheduler_event){.type = SCHEDULER_TASK_CANCELLED, .task = id}, error);
}

int coordinator_submit(struct coordinator *c, struct mpp_future *future, struct mpp_error *error)
{
    if (future_table_add(&c->futures, future, error))
        return -1;
    struct scheduler_event event = {
        .type = SCHEDULER_TASK_ADDED, .task = future->id, .count = future->chunk};
    if (!apply(c, &event, error) && (!c->broken_reason || !cancel_task(c, event.task, error)))
        return 0;
    future_table_remove(&c->futures, event.task); /* it stays with the caller */
    return -1;
}

int coordinator_cancel(struct coordinator *c, const struct mpp_future *future,
                       struct mpp_error *error)
{
    return cancel_task(c, future->id, error);
}

int coordinator_end_input(struct coordinator *c, struct mpp_error *error)
{
    return apply(c, &(struct scheduler_event){.type = SCHEDULER_INPUT_ENDED}, error);
}

/* Tasks that no agent has end here, without a message. */
static int cancel_queued(struct coordinator *c, struct mpp_error *error)
{
    for (uint32_t i = 0; i < c->futures.count; i++) {
        const struct mpp_future *future = c->futures.slots[i].future;
        if (future && scheduler_is_queued(c->scheduler, future->id) &&
            cancel_task(c, future->id, error))
            return -1;
    }
    return 0;
}

int coordinator_flush(struct coordinator *c, bool *progressed, struct mpp_error *error)
{
    /* A task that crashed is queued for its next attempt, but stopped agents accept no tasks. */
    if (c->cancels_waiting && scheduler_counts(c->scheduler).queued && cancel_queued(c, error))
        return -1;
    if (scheduler_decide(c->scheduler, &c->actions))
        return mpp_error_set(error, "out of memory in the scheduler");
    for (size_t at = 0; at < c->actions.count;) {
        const struct scheduler_action *action = &c->actions.list[at];
        struct buf out = BUF_INIT;
        switch (action->type) {
        case SCHEDULER_SEND: {
            ptrdiff_t next = send_chunk(c, at, error);
            if (next < 0)
                return -1;
            at = (size_t)next;
            continue;
        }
        case SCHEDULER_STEAL:
            message_put_steal(&out, &(struct message_steal){.thief = (uint32_t)action->other,
                                                            .count = action->count});
            if (transport_send(c->transport, action->agent, &out, error))
                return -1;
            break;
        case SCHEDULER_FINISHED:
            if (!c->stop_sent && send_stop(c, false, error))
                return -1;
            break;
        case SCHEDULER_REQUEUE: /* only scheduler_apply gives these: see apply */
        case SCHEDULER_ACCEPT:
        case SCHEDULER_GIVE_UP:
        case SCHEDULER_DROP:
        case SCHEDULER_CANCEL:
            break;
        }
        at++;
    }
    if (c->actions.count)
        *progressed = true;
    c->actions.count = 0;
    return 0;
}

/* Agents drop the tasks that do not run, and report them as dropped. */
int coordinator_cancel_waiting(struct coordinator *c, struct mpp_error *error)
{
    c->cancels_waiting = true;
    if (cancel_queued(c, error))
        return -1;
    return c->stop_sent ? 0 : send_stop(c, true, error);
}

/* ---- Events of the agents ---- */

/* Begins to measure the offset of the rank's clock; that of rank 0 itself is 0. An agent that was
 * told to stop is not pinged, because it must send nothing after BYE. */
static int measure_clock(struct coordinator *c, int rank, int64_t clock_ns, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    if (!rank)
        return 0;
    rank_clock_start(&c->agents[rank].clock, clock_ns, monotonic_now_ns());
    if (c->stop_sent)
        return 0;
    message_put_ping(&out);
    return transport_send(c->transport, rank, &out, error);
}

void coordinator_agent_clock(struct coordinator *c, int rank, int64_t clock_ns)
{
    rank_clock_answer(&c->agents[rank].clock, clock_ns, monotonic_now_ns());
}

int coordinator_agent_joined(struct coordinator *c, int rank, const struct message_hello *hello,
                             struct mpp_error *error)
{
    if (hello->build != c->options.build)
        return mpp_error_set(error, "rank %d runs another build of the program or the library",
                             rank);
    struct rank_info *info = &c->options.rank_info[rank];
    memcpy(info->host, hello->host, sizeof hello->host);
    info->workers = (int)hello->workers;
    c->ranks_polling += hello->polls_host;
    if (measure_clock(c, rank, hello->clock_ns, error))
        return -1;
    return apply(c,
                 &(struct scheduler_event){
                     .type = SCHEDULER_AGENT_JOINED, .agent = rank, .count = hello->workers},
                 error);
}

int coordinator_agent_wants_tasks(struct coordinator *c, int rank, struct mpp_error *error)
{
    return apply(c, &(struct scheduler_event){.type = SCHEDULER_AGENT_WANTS, .agent = rank}, error);
}

int coordinator_task_ended(struct coordinator *c, int rank, const struct message_result *result,
                           struct mpp_error *error)
{
    bool crashed = result->status == TASK_CRASHED || result->status == TASK_CRASHED_MEMORY;
    struct scheduler_event event = {.type = crashed ? SCHEDULER_TASK_CRASHED : SCHEDULER_TASK_DONE,
                                    .agent = rank,
                                    .task = result->id,
                                    .dispatch = result->dispatch};
    c->current = result;
    int failed = apply(c, &event, error);
    c->current = NULL;
    return failed;
}

int coordinator_task_moved(struct coordinator *c, int victim, int thief, uint64_t id,
                           uint32_t dispatch, struct mpp_error *error)
{
    struct scheduler_event event = {.type = SCHEDULER_TASK_MOVED,
                                    .agent = victim,
                                    .other = thief,
                                    .task = id,
                                    .dispatch = dispatch};
    return apply(c, &event, error);
}

int coordinator_steal_ended(struct coordinator *c, int victim, int thief, uint32_t count,
                            struct mpp_error *error)
{
    struct scheduler_event event = {
        .type = SCHEDULER_STEAL_ENDED, .agent = victim, .other = thief, .count = count};
    c->steals += count > 0;
    c->tasks_stolen += count;
    return apply(c, &event, error);
}

void coordinator_task_running(struct coordinator *c, uint64_t id)
{
    struct mpp_future *future = future_table_find(&c->futures, id);
    uint8_t pending = FUTURE_PENDING;
    if (future)
        atomic_compare_exchange_strong(&future->state, &pending, FUTURE_RUNNING);
}

/* The date is read last: if the thread is interrupted in between, ends of tasks come out later by
 * that time, but not later than now. */
void coordinator_results_arrive(struct coordinator *c, int rank, uint32_t workers_replaced)
{
    c->agents[rank].workers_replaced = workers_replaced;
    c->now_ns = monotonic_now_ns();
    c->wall_ns = clock_now_ns(CLOCK_REALTIME);
}

/* If one agent cannot start its workers, no agent can: every task fails. */
int coordinator_break(struct coordinator *c, int rank, const char *reason, uint32_t size,
                      struct mpp_error *error)
{
    if (c->broken_reason)
        return 0;
    if (asprintf(&c->broken_reason, "%.*s (rank %d on %s)", (int)size, reason, rank,
                 c->options.rank_info[rank].host) < 0) {
        c->broken_reason = NULL;
        return mpp_error_set(error, "%.*s", (int)size, reason);
    }
    for (uint32_t i = 0; i < c->futures.count; i++) {
        const struct mpp_future *future = c->futures.slots[i].future;
        if (future && cancel_task(c, future->id, error))
            return -1;
    }
    return coordinator_cancel_waiting(c, error);
}

void coordinator_agent_stopped(struct coordinator *c, int rank)
{
    c->agents_stopped += !c->agents[rank].stopped;
    c->agents[rank].stopped = true;
}

/* Sends a copy of the message to all other ranks that are not lost. */
static int send_to_others(struct coordinator *c, const struct buf *message, struct mpp_error *error)
{
    for (int rank = 1; rank < c->transport->size; rank++) {
        struct buf out = BUF_INIT;
        if (c->agents[rank].lost)
            continue;
        buf_put(&out, message->data, message->size);
        if (transport_send(c->transport, rank, &out, error))
            return -1;
    }
    return 0;
}

int coordinator_rank_lost(struct coordinator *c, int rank, struct mpp_error *error)
{
    struct remote_agent *agent = &c->agents[rank];
    struct buf out = BUF_INIT;
    if (agent->lost)
        return 0;
    c->ranks_lost += !agent->stopped;
    coordinator_agent_stopped(c, rank);
    agent->lost = true;
    transport_disconnect(c->transport, rank);
    message_put_lost(&out, (uint32_t)rank);
    int failed = send_to_others(c, &out, error);
    buf_release(&out);
    return failed ? -1
                  : apply(c, &(struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = rank},
                          error);
}

int coordinator_send_end(struct coordinator *c, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    message_put_end(&out);
    int failed = send_to_others(c, &out, error);
    buf_release(&out);
    return failed;
}

/* ---- State ---- */

int coordinator_rank_count(const struct coordinator *c)
{
    return c->transport->size;
}

bool coordinator_is_rank_lost(const struct coordinator *c, int rank)
{
    return c->agents[rank].lost;
}

bool coordinator_all_stopped(const struct coordinator *c)
{
    return c->agents_stopped == c->transport->size;
}

const char *coordinator_broken_reason(const struct coordinator *c)
{
    return c->broken_reason;
}

void coordinator_stats(const struct coordinator *c, struct mpp_stats *stats)
{
    struct scheduler_counts counts = scheduler_counts(c->scheduler);
    *stats = (struct mpp_stats){.ranks = c->transport->size,
                                .workers = counts.workers,
                                .tasks_done = counts.ended,
                                .steals = c->steals,
                                .tasks_stolen = c->tasks_stolen,
                                .retries = c->retries,
                                .ranks_lost = c->ranks_lost,
                                .ranks_polling = c->ranks_polling};
    for (int rank = 0; rank < c->transport->size; rank++)
        stats->workers_replaced += c->agents[rank].workers_replaced;
}

/* ---- New and free ---- */

struct coordinator *coordinator_new(struct transport *transport,
                                    const struct coordinator_options *options,
                                    struct mpp_error *error)
{
    struct coordinator *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct coordinator){.transport = transport,
                                  .options = *options,
                                  .opened_ns = monotonic_now_ns(),
                                  .agents = calloc((size_t)transport->size, sizeof *c->agents),
                                  .scheduler = scheduler_new(transport->size, options->attempts)};
        if (c->agents && c->scheduler)
            return c;
        coordinator_free(c, NULL);
    }
    mpp_error_set(error, "out of memory for the coordinator");
    return NULL;
}

void coordinator_free(struct coordinator *c, const char *broken_reason)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->futures.count; i++) {
        struct mpp_future *future = c->futures.slots[i].future;
        if (future && future_end_without_result(future, broken_reason))
            c->options.completed(c->options.context, future);
    }
    scheduler_actions_release(&c->actions);
    scheduler_free(c->scheduler);
    free(c->broken_reason);
    future_table_release(&c->futures);
    free(c->agents);
    free(c);
}
