/* SPDX-License-Identifier: MIT */
/* What every rank does for the pool: see agent.h. */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "message.h"

enum { COORDINATOR_RANK = 0 };

/* A CANCEL for a stolen task may arrive before the task. This many such ids are remembered. Older
 * ones can be forgotten: usually the CANCEL has arrived after the task was done. */
enum { EARLY_CANCELS_MAX = 64 };

/* Results are sent at once when they have this size together. */
enum { RESULTS_BYTES_MAX = 1 << 16 };

/* A list gets no further item when its message would become larger than this: MPI sends at most
 * INT_MAX bytes. A single item may be as large. */
#define MESSAGE_BYTES_MAX MESSAGE_DATA_MAX

struct agent {
    struct transport *transport;
    struct worker_set *workers;
    struct task_list queue;
    struct task_slab *slab;   /* of the tasks that came last */
    size_t low_water;         /* more tasks are requested when the queue is shorter */
    bool requested_more;      /* and no tasks have come since */
    struct buf results;       /* the DONE message that is being built */
    struct message_list done; /* its list; .out is NULL when there is none */
    int64_t results_sent_ns;  /* when the last one was sent */
    int64_t results_interval_ns;
    /* Ids of tasks; 0: unused, no task has the id 0. */
    uint64_t cancelled_before_arrival[EARLY_CANCELS_MAX];
    unsigned next_early_cancel;
    unsigned early_cancels;  /* how many are used */
    bool sent_from_callback; /* a callback of the workers has sent a message */
    bool send_failed;        /* or failed to */
    struct mpp_error error;  /* of that failure */
    bool stopping;           /* STOP has arrived: no more tasks will come */
    bool discarding;         /* tasks that no worker has begun are dropped */
    bool bye_sent;
    bool ended; /* END has arrived */
};

/* ---- Messages to the coordinator ---- */

int agent_send_hello(struct agent *agent, uint64_t build, struct mpp_error *error)
{
    struct message_hello hello = {.build = build,
                                  .workers = (uint32_t)worker_set_size(agent->workers),
                                  .clock_ns = monotonic_now_ns(),
                                  .polls_host = agent->transport->polls_host};
    if (gethostname(hello.host, sizeof hello.host - 1))
        snprintf(hello.host, sizeof hello.host, "unknown");
    struct buf out = BUF_INIT;
    message_put_hello(&out, &hello);
    return transport_send(agent->transport, COORDINATOR_RANK, &out, error);
}

static int send_clock(struct agent *agent, struct mpp_error *error)
{
    struct buf out = BUF_INIT;
    message_put_clock(&out, monotonic_now_ns());
    return transport_send(agent->transport, COORDINATOR_RANK, &out, error);
}

static int send_results(struct agent *agent, struct mpp_error *error)
{
    if (!agent->done.out)
        return 0;
    message_end(&agent->done);
    agent->done = (struct message_list){0};
    agent->results_sent_ns = monotonic_now_ns();
    return transport_send(agent->transport, COORDINATOR_RANK, &agent->results, error);
}

/* Adds a result to the next DONE message. If that would get too large, it is sent first. */
static void report(void *context, const struct message_result *result)
{
    struct agent *agent = context;
    if (agent->results.size + result->size > MESSAGE_BYTES_MAX) {
        agent->sent_from_callback = true;
        if (send_results(agent, &agent->error))
            agent->send_failed = true;
    }
    if (!agent->done.out)
        agent->done = message_begin_done(&agent->results, worker_set_replaced(agent->workers));
    message_put_result(&agent->done, result);
}

static void report_dropped(struct agent *agent, const struct agent_task *task)
{
    report(agent, &(struct message_result){
                      .id = task->id, .dispatch = task->dispatch, .status = TASK_DROPPED});
}

/* Sends the results if they are due. Otherwise lowers *wake_at_ns to the time when they are due. */
static int send_due_results(struct agent *agent, bool *progressed, int64_t *wake_at_ns,
                            struct mpp_error *error)
{
    if (!agent->done.out)
        return 0;
    bool idle = !agent->queue.count && worker_set_idle(agent->workers);
    int64_t due_ns = agent->results_sent_ns + agent->results_interval_ns;
    if (!idle && agent->results.size < RESULTS_BYTES_MAX &&
        monotonic_now_ns() < due_ns - agent->results_interval_ns / 2) {
        if (due_ns < *wake_at_ns)
            *wake_at_ns = due_ns;
        return 0;
    }
    *progressed = true;
    return send_results(agent, error);
}

/* Sends a message from a callback of the workers, at once. agent_step returns the error, if any. */
static void send_from_callback(struct agent *agent, struct buf *out)
{
    agent->sent_from_callback = true;
    if (transport_send(agent->transport, COORDINATOR_RANK, out, &agent->error))
        agent->send_failed = true;
}

static void report_running(void *context, const struct agent_task *task)
{
    struct buf out = BUF_INIT;
    message_put_running(&out, task->id, task->dispatch);
    send_from_callback(context, &out);
}

static void report_broken(void *context, const char *text, uint32_t size)
{
    char line[MPP_ERROR_SIZE];
    struct buf out = BUF_INIT;
    snprintf(line, sizeof line, "%.*s", (int)size, text);
    message_put_broken(&out, line);
    send_from_callback(context, &out);
}

static int request_more(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (agent->requested_more || agent->stopping || agent->queue.count >= agent->low_water)
        return 0;
    agent->requested_more = true;
    *progressed = true;
    if (agent->done.out) { /* one message for both */
        message_add_want(&agent->done);
        return send_results(agent, error);
    }
    struct buf out = BUF_INIT;
    message_put_want(&out);
    return transport_send(agent->transport, COORDINATOR_RANK, &out, error);
}

/* ---- Messages from the coordinator and other agents ---- */

/* Whether a CANCEL for this task came before the task; forgets it then. */
static bool take_early_cancel(struct agent *agent, uint64_t id)
{
    for (int i = 0; agent->early_cancels && i < EARLY_CANCELS_MAX; i++)
        if (agent->cancelled_before_arrival[i] == id && id) {
            agent->cancelled_before_arrival[i] = 0;
            agent->early_cancels--;
            return true;
        }
    return false;
}

static void drop_queue(struct agent *agent)
{
    for (struct agent_task *task; (task = task_list_take(&agent->queue)); agent_task_free(task))
        report_dropped(agent, task);
}

static int take_tasks(struct agent *agent, struct reader *fields, struct mpp_error *error)
{
    uint32_t count;
    if (message_get_tasks(fields, &count))
        return mpp_error_set(error, "a malformed list of tasks");
    for (uint32_t i = 0; i < count; i++) {
        struct message_task received;
        if (message_get_task(fields, &received))
            return mpp_error_set(error, "a malformed task");
        struct agent_task *task = agent_task_new(&agent->slab, &received);
        if (!task)
            return mpp_error_set(error, "out of memory for a task of %u bytes", received.size);
        if (take_early_cancel(agent, task->id)) {
            report_dropped(agent, task);
            agent_task_free(task);
        } else {
            task_list_append(&agent->queue, task);
        }
    }
    if (agent->discarding)
        drop_queue(agent);
    agent->requested_more = false;
    /* Request more when half of this chunk has been given to workers, so that the next one arrives
     * before the queue is empty. */
    size_t workers = (size_t)worker_set_size(agent->workers);
    agent->low_water = count / 2 > workers ? count / 2 : workers;
    return 0;
}

/* Sends tasks to the thief, in one message or, if they are large, several, and lists them in
 * `moved`. */
static int send_stolen(struct agent *agent, int thief, struct task_list *stolen,
                       struct message_list *moved, struct mpp_error *error)
{
    while (stolen->first) {
        struct buf out = BUF_INIT;
        struct message_list tasks = message_begin_tasks(&out);
        while (stolen->first &&
               (!tasks.count || out.size + stolen->first->size < MESSAGE_BYTES_MAX)) {
            struct agent_task *task = task_list_take(stolen);
            struct message_task fields = agent_task_message(task);
            message_put_task(&tasks, &fields);
            message_put_moved(moved, task->id, task->dispatch);
            agent_task_free(task);
        }
        message_end(&tasks);
        if (transport_send(agent->transport, thief, &out, error))
            return -1;
    }
    return 0;
}

/* Sends tasks from the tail of the queue directly to the thief, and tells the coordinator which. */
static int send_to_thief(struct agent *agent, const struct message_steal *steal,
                         struct mpp_error *error)
{
    if (steal->thief >= (uint32_t)agent->transport->size)
        return mpp_error_set(error, "a steal for rank %u, which does not exist", steal->thief);
    if (!agent->queue.count)
        worker_set_take_back(agent->workers, &agent->queue);
    if (send_results(agent, error))
        return -1;
    struct task_list stolen;
    task_list_init(&stolen);
    task_list_move_tail(&agent->queue, steal->count, &stolen);
    struct buf out = BUF_INIT;
    struct message_list moved = message_begin_moved(&out, steal->thief);
    if (send_stolen(agent, (int)steal->thief, &stolen, &moved, error)) {
        task_list_release(&stolen);
        buf_release(&out);
        return -1;
    }
    message_end(&moved);
    return transport_send(agent->transport, COORDINATOR_RANK, &out, error);
}

/* The task may be in the queue, with a worker, or not have arrived yet. */
static void cancel(struct agent *agent, uint64_t id)
{
    struct agent_task *task = task_list_take_id(&agent->queue, id);
    if (task) {
        report_dropped(agent, task);
        agent_task_free(task);
    } else if (!worker_set_cancel(agent->workers, &agent->queue, id)) {
        uint64_t *entry =
            &agent->cancelled_before_arrival[agent->next_early_cancel++ % EARLY_CANCELS_MAX];
        agent->early_cancels += !*entry;
        *entry = id;
    }
}

static void begin_stop(struct agent *agent, bool discard)
{
    agent->stopping = true;
    if (!discard)
        return;
    agent->discarding = true;
    worker_set_take_back(agent->workers, &agent->queue);
    drop_queue(agent);
}

int agent_handle_message(struct agent *agent, int from, const struct buf *bytes,
                         struct mpp_error *error)
{
    struct reader fields;
    enum message_type type = message_open(bytes->data, bytes->size, &fields);
    struct message_steal steal;
    uint64_t id;
    uint32_t rank;
    bool discard;
    switch (type) {
    case MESSAGE_PING:
        return send_clock(agent, error);
    case MESSAGE_TASKS:
        return take_tasks(agent, &fields, error);
    case MESSAGE_STEAL:
        if (message_get_steal(&fields, &steal))
            break;
        return send_to_thief(agent, &steal, error);
    case MESSAGE_CANCEL:
        if (message_get_cancel(&fields, &id))
            break;
        cancel(agent, id);
        return 0;
    case MESSAGE_STOP:
        if (message_get_stop(&fields, &discard))
            break;
        begin_stop(agent, discard);
        return 0;
    case MESSAGE_LOST:
        if (message_get_lost(&fields, &rank) || rank >= (uint32_t)agent->transport->size)
            break;
        transport_disconnect(agent->transport, (int)rank);
        return 0;
    case MESSAGE_END:
        agent->ended = true;
        return 0;
    case MESSAGE_BAD:
    case MESSAGE_HELLO:
    case MESSAGE_CLOCK:
    case MESSAGE_WANT:
    case MESSAGE_RUNNING:
    case MESSAGE_DONE:
    case MESSAGE_MOVED:
    case MESSAGE_BROKEN:
    case MESSAGE_BYE:
        break;
    }
    return mpp_error_set(
        error, "rank %d sent rank %d a message of type %d that is malformed or unexpected", from,
        agent->transport->rank, (int)type);
}

/* ---- Steps ---- */

bool agent_starves(const struct agent *agent)
{
    return !agent->queue.count && worker_set_starves(agent->workers);
}

/* No task and no unsent result. */
static bool agent_idle(const struct agent *agent)
{
    return !agent->queue.count && !agent->done.out && worker_set_idle(agent->workers);
}

/* After STOP, when no tasks are left: lets the workers end and, once they have ended and all
 * messages are sent, sends BYE. */
static int finish(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (!agent->stopping || agent->bye_sent || !agent_idle(agent) ||
        !worker_set_close(agent->workers) || agent->transport->unsent)
        return 0;
    agent->bye_sent = true;
    *progressed = true;
    struct buf out = BUF_INIT;
    message_put_bye(&out);
    return transport_send(agent->transport, COORDINATOR_RANK, &out, error);
}

int agent_step(struct agent *agent, bool *progressed, int64_t *wake_at_ns, struct mpp_error *error)
{
    if (worker_set_receive(agent->workers, &agent->queue, progressed, error))
        return -1;
    if (agent->discarding)
        drop_queue(agent); /* tasks of a worker that died are back in it */
    if ((!agent->stopping || agent->queue.count) && worker_set_start(agent->workers, error))
        return -1;
    if (worker_set_assign(agent->workers, &agent->queue, progressed, error))
        return -1;
    *wake_at_ns = worker_set_check_running(agent->workers, monotonic_now_ns());
    if (agent->send_failed) {
        *error = agent->error;
        return -1;
    }
    if (agent->sent_from_callback)
        *progressed = true; /* on rank 0 the message is for the coordinator of this process */
    agent->sent_from_callback = false;
    if (request_more(agent, progressed, error) ||
        send_due_results(agent, progressed, wake_at_ns, error))
        return -1;
    return finish(agent, progressed, error);
}

int agent_fill_pollfds(const struct agent *agent, struct pollfd *fds)
{
    return worker_set_fill_pollfds(agent->workers, fds);
}

void agent_read_pollfds(struct agent *agent, const struct pollfd *fds)
{
    worker_set_read_pollfds(agent->workers, fds);
}

bool agent_ended(const struct agent *agent)
{
    return agent->ended;
}

struct agent *agent_new(struct transport *transport, struct forkserver *forkserver,
                        const struct worker_set_limits *limits, struct mpp_error *error)
{
    struct agent *agent = calloc(1, sizeof *agent);
    if (!agent) {
        mpp_error_set(error, "out of memory for the agent");
        return NULL;
    }
    struct worker_set_callbacks callbacks = {
        .result = report, .running = report_running, .broken = report_broken, .context = agent};
    *agent = (struct agent){
        .transport = transport,
        .low_water = (size_t)limits->workers,
        /* Rank 0 sends no messages to itself. */
        .results_interval_ns = transport->rank ? agent_results_interval_ns(transport->size) : 0,
        .workers = worker_set_new(forkserver, limits, transport->rank, &callbacks, error)};
    task_list_init(&agent->queue);
    if (agent->workers)
        return agent;
    free(agent);
    return NULL;
}

void agent_free(struct agent *agent)
{
    if (!agent)
        return;
    task_list_release(&agent->queue);
    task_slab_close(agent->slab);
    worker_set_free(agent->workers);
    buf_release(&agent->results);
    free(agent);
}
