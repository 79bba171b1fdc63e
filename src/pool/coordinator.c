/* Rank 0's events, scheduler and messages: see coordinator.h. */
#include "coordinator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "future_table.h"
#include "message.h"
#include "scheduler.h"

/* A chunk is cut into messages of about this size, so that large payloads do not pile up in one. */
#define CHUNK_BYTES (UINT32_C(1) << 20)

struct peer {
    bool joined, stopped;
    bool lost;
    uint32_t replaced; /* workers, as last reported */
};

struct coordinator {
    struct transport *transport;
    struct scheduler *scheduler;
    struct scheduler_actions actions;
    coordinator_complete complete;
    void *context;
    struct future_table tasks;
    struct peer *peers;
    struct rank_account *accounts;
    int stopped;
    uint64_t build;
    char *broken; /* malloc'd: why no task can run; NULL: they can */
    uint64_t steals, stolen, retries;
    int lost;                             /* ranks */
    const struct message_result *current; /* the result whose event is being applied */
    bool stop_sent, discarding;
};

/* ---- Ends ---- */

static enum mpp_exception_kind kind_of(enum task_status status)
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
    case TASK_DROPPED: /* these two are no exceptions of the task's own */
    case TASK_SUCCEEDED:
        break;
    }
    return MPP_EXCEPTION_JOB;
}

/* Fills in what an agent has reported. */
static void fill_end(struct coordinator *c, struct mpp_future *future,
                     const struct scheduler_action *action, const struct message_result *result)
{
    struct rank_account *account = &c->accounts[action->agent];
    atomic_fetch_add_explicit(&account->tasks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&account->busy_ns, result->run_ns, memory_order_relaxed);
    future->rank = action->agent;
    future->run_ns = result->run_ns;
    future->attempts = (int)(action->type == SCHEDULER_GIVE_UP ? action->crashes : result->handout);
    if (result->status == TASK_SUCCEEDED) {
        future_set_result(future, result->data, result->size);
    } else {
        struct mpp_exception exception = {.kind = kind_of(result->status),
                                          .signal = (int)result->signal,
                                          .rank = action->agent,
                                          .pid = result->pid,
                                          .attempts = future->attempts,
                                          .host = c->accounts[action->agent].host,
                                          .message = result->data};
        future_set_exception(future, &exception, result->size);
    }
}

/* A task leaves the books. One that was cancelled by a caller is settled already. */
static void complete(struct coordinator *c, const struct scheduler_action *action)
{
    struct mpp_future *future = future_table_remove(&c->tasks, action->task);
    bool dropped = action->type == SCHEDULER_DROP || c->current->status == TASK_DROPPED;
    if (dropped) {
        if (!future_end(future, c->broken))
            return;
    } else {
        if (!future_settle(future)) {
            future_drop(future);
            return;
        }
        fill_end(c, future, action, c->current);
    }
    c->complete(c->context, future);
}

/* ---- Actions ---- */

/* Sends the run of SEND actions that begins at `at`; returns where it ends, or -1. */
static ptrdiff_t send_chunk(struct coordinator *c, size_t at, struct mpp_error *error)
{
    int agent = c->actions.list[at].agent;
    struct buf out = BUF_INIT;
    struct message_list tasks = message_begin_tasks(&out);
    for (; at < c->actions.count && out.size < CHUNK_BYTES; at++) {
        const struct scheduler_action *action = &c->actions.list[at];
        if (action->type != SCHEDULER_SEND || action->agent != agent)
            break;
        const struct mpp_future *future = future_table_find(&c->tasks, action->task);
        message_put_task(&tasks, &(struct message_task){.id = action->task,
                                                        .handout = action->handout,
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
        if (c->peers[rank].lost)
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

/* Enters an event; delivers an end at once, while the result's bytes are there. Handing out waits
 * for coordinator_flush, so that a chunk is one message however many events made it. */
static int apply(struct coordinator *c, struct scheduler_event event, struct mpp_error *error)
{
    if (scheduler_apply(c->scheduler, &event, &c->actions))
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
        case SCHEDULER_SEND: /* these come of deciding only: see coordinator_flush */
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
    return apply(c, (struct scheduler_event){.type = SCHEDULER_TASK_CANCELLED, .task = id}, error);
}

int coordinator_submit(struct coordinator *c, struct mpp_future *future, struct mpp_error *error)
{
    if (future_table_add(&c->tasks, future, error))
        return -1;
    struct scheduler_event event = {
        .type = SCHEDULER_TASK_ADDED, .task = future->id, .count = future->chunk};
    if (apply(c, event, error))
        return -1;
    return c->broken ? cancel_task(c, event.task, error) : 0;
}

int coordinator_cancel(struct coordinator *c, const struct mpp_future *future,
                       struct mpp_error *error)
{
    return cancel_task(c, future->id, error);
}

int coordinator_end_input(struct coordinator *c, struct mpp_error *error)
{
    return apply(c, (struct scheduler_event){.type = SCHEDULER_INPUT_ENDED}, error);
}

/* What waits here ends here. */
static int cancel_waiting(struct coordinator *c, struct mpp_error *error)
{
    for (uint32_t i = 0; i < c->tasks.count; i++) {
        const struct mpp_future *future = c->tasks.slots[i].future;
        if (future && scheduler_is_queued(c->scheduler, future->id) &&
            cancel_task(c, future->id, error))
            return -1;
    }
    return 0;
}

int coordinator_flush(struct coordinator *c, bool *progressed, struct mpp_error *error)
{
    /* After a crash a task waits to be tried again, but no agent takes any more. */
    if (c->discarding && scheduler_counts(c->scheduler).queued && cancel_waiting(c, error))
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
        case SCHEDULER_REQUEUE: /* these come with an event only: see apply */
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

/* What the agents hold, they drop and report where it does not run. */
int coordinator_discard(struct coordinator *c, struct mpp_error *error)
{
    c->discarding = true;
    if (cancel_waiting(c, error))
        return -1;
    return c->stop_sent ? 0 : send_stop(c, true, error);
}

/* An agent's workers cannot start: so it will be everywhere, and what is asked for cannot be done.
 */
static int break_pool(struct coordinator *c, int from, const char *text, uint32_t size,
                      struct mpp_error *error)
{
    if (c->broken)
        return 0;
    if (asprintf(&c->broken, "%.*s (rank %d on %s)", (int)size, text, from,
                 c->accounts[from].host) < 0) {
        c->broken = NULL;
        return mpp_error_set(error, "%.*s", (int)size, text);
    }
    for (uint32_t i = 0; i < c->tasks.count; i++) {
        const struct mpp_future *future = c->tasks.slots[i].future;
        if (future && cancel_task(c, future->id, error))
            return -1;
    }
    return coordinator_discard(c, error);
}

const char *coordinator_broken(const struct coordinator *c)
{
    return c->broken;
}

/* ---- Messages ---- */

static int take_hello(struct coordinator *c, int from, struct reader *fields,
                      struct mpp_error *error)
{
    struct message_hello hello;
    if (message_get_hello(fields, &hello) || hello.build != c->build)
        return mpp_error_set(error, "rank %d runs another build of the program or the library",
                             from);
    struct peer *peer = &c->peers[from];
    peer->joined = true;
    c->accounts[from].workers = (int)hello.workers;
    memcpy(c->accounts[from].host, hello.host, sizeof hello.host);
    return apply(c,
                 (struct scheduler_event){
                     .type = SCHEDULER_AGENT_JOINED, .agent = from, .count = hello.workers},
                 error);
}

static int take_want(struct coordinator *c, int from, struct mpp_error *error)
{
    return apply(c, (struct scheduler_event){.type = SCHEDULER_AGENT_WANTS, .agent = from}, error);
}

static int take_done(struct coordinator *c, int from, struct reader *fields,
                     struct mpp_error *error)
{
    uint32_t count;
    bool wants;
    if (message_get_done(fields, &c->peers[from].replaced, &wants, &count))
        return mpp_error_set(error, "rank %d sent a damaged list of results", from);
    for (uint32_t i = 0; i < count; i++) {
        struct message_result result;
        if (message_get_result(fields, &result))
            return mpp_error_set(error, "rank %d sent a damaged result", from);
        bool crashed = result.status == TASK_CRASHED || result.status == TASK_CRASHED_MEMORY;
        c->current = &result;
        int failed = apply(
            c,
            (struct scheduler_event){.type = crashed ? SCHEDULER_TASK_CRASHED : SCHEDULER_TASK_DONE,
                                     .agent = from,
                                     .task = result.id,
                                     .handout = result.handout},
            error);
        c->current = NULL;
        if (failed)
            return -1;
    }
    return wants ? take_want(c, from, error) : 0;
}

static int take_moved(struct coordinator *c, int from, struct reader *fields,
                      struct mpp_error *error)
{
    uint32_t thief, count;
    if (message_get_moved(fields, &thief, &count) || thief >= (uint32_t)c->transport->size)
        return mpp_error_set(error, "rank %d sent a damaged list of moved tasks", from);
    struct scheduler_event event = {
        .type = SCHEDULER_TASK_MOVED, .agent = from, .other = (int)thief, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        if (message_get_moved_task(fields, &event.task, &event.handout))
            return mpp_error_set(error, "rank %d sent a damaged moved task", from);
        if (apply(c, event, error))
            return -1;
    }
    c->steals += count > 0;
    c->stolen += count;
    event.type = SCHEDULER_STEAL_ENDED;
    return apply(c, event, error);
}

static int take_running(struct coordinator *c, int from, struct reader *fields,
                        struct mpp_error *error)
{
    uint64_t id;
    uint32_t handout;
    if (message_get_running(fields, &id, &handout))
        return mpp_error_set(error, "rank %d sent damaged news of a running task", from);
    struct mpp_future *future = future_table_find(&c->tasks, id);
    uint8_t pending = FUTURE_PENDING;
    if (future)
        atomic_compare_exchange_strong(&future->state, &pending, FUTURE_RUNNING);
    return 0;
}

static int take_broken(struct coordinator *c, int from, struct reader *fields,
                       struct mpp_error *error)
{
    const char *text;
    uint32_t size;
    if (message_get_broken(fields, &text, &size))
        return mpp_error_set(error, "rank %d sent a damaged report", from);
    return break_pool(c, from, text, size, error);
}

bool coordinator_wants(const struct buf *bytes)
{
    struct reader fields;
    switch (message_open(bytes->data, bytes->size, &fields)) {
    case MESSAGE_HELLO:
    case MESSAGE_WANT:
    case MESSAGE_DONE:
    case MESSAGE_MOVED:
    case MESSAGE_RUNNING:
    case MESSAGE_BROKEN:
    case MESSAGE_BYE:
        return true;
    case MESSAGE_TASKS:
    case MESSAGE_CANCEL:
    case MESSAGE_STEAL:
    case MESSAGE_STOP:
    case MESSAGE_LOST:
    case MESSAGE_END:
    case MESSAGE_BAD:
        break;
    }
    return false;
}

int coordinator_message(struct coordinator *c, int from, const struct buf *bytes,
                        struct mpp_error *error)
{
    struct reader fields;
    if (c->peers[from].lost)
        return 0; /* it was on its way when the rank was lost: others do it */
    switch (message_open(bytes->data, bytes->size, &fields)) {
    case MESSAGE_HELLO:
        return take_hello(c, from, &fields, error);
    case MESSAGE_WANT:
        return take_want(c, from, error);
    case MESSAGE_DONE:
        return take_done(c, from, &fields, error);
    case MESSAGE_MOVED:
        return take_moved(c, from, &fields, error);
    case MESSAGE_RUNNING:
        return take_running(c, from, &fields, error);
    case MESSAGE_BROKEN:
        return take_broken(c, from, &fields, error);
    case MESSAGE_BYE:
        c->stopped += !c->peers[from].stopped;
        c->peers[from].stopped = true;
        return 0;
    case MESSAGE_TASKS:
    case MESSAGE_CANCEL:
    case MESSAGE_STEAL:
    case MESSAGE_STOP:
    case MESSAGE_LOST:
    case MESSAGE_END:
    case MESSAGE_BAD:
        break;
    }
    return mpp_error_set(error, "rank %d sent the coordinator something it does not take", from);
}

bool coordinator_all_stopped(const struct coordinator *c)
{
    return c->stopped == c->transport->size;
}

/* A message of one type byte and perhaps a rank, to all other ranks that are there. */
static int tell_others(struct coordinator *c, const struct buf *message, struct mpp_error *error)
{
    for (int rank = 1; rank < c->transport->size; rank++) {
        struct buf out = BUF_INIT;
        if (c->peers[rank].lost)
            continue;
        buf_put(&out, message->data, message->size);
        if (transport_send(c->transport, rank, &out, error))
            return -1;
    }
    return 0;
}

int coordinator_lost(struct coordinator *c, int rank, struct mpp_error *error)
{
    struct peer *peer = &c->peers[rank];
    struct buf out = BUF_INIT;
    if (peer->lost)
        return 0;
    c->stopped += !peer->stopped;
    c->lost += !peer->stopped;
    peer->lost = peer->stopped = true;
    transport_disconnect(c->transport, rank);
    message_put_lost(&out, (uint32_t)rank);
    int failed = tell_others(c, &out, error);
    buf_release(&out);
    return failed ? -1
                  : apply(c, (struct scheduler_event){.type = SCHEDULER_AGENT_LOST, .agent = rank},
                          error);
}

int coordinator_say_end(struct coordinator *c, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    message_put_end(&out);
    int failed = tell_others(c, &out, error);
    buf_release(&out);
    return failed;
}

void coordinator_stats(const struct coordinator *c, struct mpp_stats *stats)
{
    struct scheduler_counts counts = scheduler_counts(c->scheduler);
    *stats = (struct mpp_stats){.ranks = c->transport->size,
                                .workers = counts.workers,
                                .tasks_done = counts.ended,
                                .steals = c->steals,
                                .tasks_stolen = c->stolen,
                                .retries = c->retries,
                                .ranks_lost = c->lost};
    for (int rank = 0; rank < c->transport->size; rank++)
        stats->workers_replaced += c->peers[rank].replaced;
}

/* ---- Life ---- */

struct coordinator *coordinator_new(struct transport *transport,
                                    const struct coordinator_options *options,
                                    struct mpp_error *error)
{
    struct coordinator *c = calloc(1, sizeof *c);
    if (c) {
        *c = (struct coordinator){.transport = transport,
                                  .build = options->build,
                                  .complete = options->complete,
                                  .accounts = options->accounts,
                                  .context = options->context,
                                  .peers = calloc((size_t)transport->size, sizeof *c->peers),
                                  .scheduler = scheduler_new(transport->size, options->attempts)};
        if (c->peers && c->scheduler)
            return c;
        coordinator_free(c, NULL);
    }
    mpp_error_set(error, "out of memory for the coordinator");
    return NULL;
}

void coordinator_free(struct coordinator *c, const char *broken_because)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->tasks.count; i++) {
        struct mpp_future *future = c->tasks.slots[i].future;
        if (future && future_end(future, broken_because))
            c->complete(c->context, future);
    }
    scheduler_actions_release(&c->actions);
    scheduler_free(c->scheduler);
    free(c->broken);
    future_table_release(&c->tasks);
    free(c->peers);
    free(c);
}
