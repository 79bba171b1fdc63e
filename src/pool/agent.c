/* What every rank does for the pool: see agent.h. */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

enum { COORDINATOR = 0 };

/* Cancelled tasks that have not come yet: a thief may hear of the cancelling before the victim's
 * tasks arrive. Old ones are forgotten: most were done when the message came. */
enum { FOREKNOWN = 64 };

/* So many bytes of results do not wait for more. */
enum { RESULTS_BYTES = 1 << 16 };

struct agent {
    struct transport *transport;
    struct worker_set *crew;
    struct task_list queue;
    struct task_slab *slab; /* of the tasks that came last */
    size_t low_water;       /* ask for more when the queue is shorter */
    bool asked;             /* and nothing has come since */
    struct buf results;     /* DONE being built */
    struct message_list done;
    int64_t send_at_ns;            /* when they are sent at the latest */
    uint64_t foreknown[FOREKNOWN]; /* ids; 0 is none: generations start at 1 */
    unsigned foreknown_next;
    bool spoke;      /* the crew had news, which were sent */
    bool failed;     /* or could not be */
    bool stopping;   /* no more tasks will come */
    bool discarding; /* those that still do are dropped */
    bool said_bye;
    bool ended;             /* nothing is to be heard any more */
    struct mpp_error error; /* why it failed */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* ---- Talking to the coordinator ---- */

static int send_message(struct agent *agent, int to, struct buf *bytes, struct mpp_error *error)
{
    int failed = transport_send(agent->transport, to, bytes, error);
    buf_release(bytes);
    return failed;
}

int agent_hello(struct agent *agent, uint64_t build, struct mpp_error *error)
{
    struct message_hello hello = {.build = build,
                                  .workers = (uint32_t)worker_set_size(agent->crew)};
    if (gethostname(hello.host, sizeof hello.host - 1))
        snprintf(hello.host, sizeof hello.host, "unknown");
    struct buf out = BUF_INIT;
    message_put_hello(&out, &hello);
    return send_message(agent, COORDINATOR, &out, error);
}

static void report(void *context, const struct message_result *result)
{
    struct agent *agent = context;
    if (!agent->done.out) {
        agent->done = message_begin_done(&agent->results, worker_set_replaced(agent->crew));
        agent->send_at_ns = now_ns() + (int64_t)AGENT_HOLD_NS_A_RANK * (agent->transport->size - 1);
    }
    message_put_result(&agent->done, result);
}

static void report_dropped(struct agent *agent, const struct agent_task *task)
{
    report(agent, &(struct message_result){
                      .id = task->id, .handout = task->handout, .status = TASK_DROPPED});
}

static int send_results(struct agent *agent, struct mpp_error *error)
{
    if (!agent->done.out)
        return 0;
    message_end(&agent->done);
    agent->done = (struct message_list){0};
    return send_message(agent, COORDINATOR, &agent->results, error);
}

/* Sends them when it is time; otherwise they wait, and *look_at_ns says how long at most. */
static int send_results_due(struct agent *agent, bool *progressed, int64_t *look_at_ns,
                            struct mpp_error *error)
{
    if (!agent->done.out)
        return 0;
    bool idle = !agent->queue.count && worker_set_idle(agent->crew);
    if (!idle && agent->results.size < RESULTS_BYTES && now_ns() < agent->send_at_ns) {
        if (agent->send_at_ns < *look_at_ns)
            *look_at_ns = agent->send_at_ns;
        return 0;
    }
    *progressed = true;
    return send_results(agent, error);
}

/* The crew's other news go out at once; a failure is told by the step they come from. */
static void send_news(struct agent *agent, struct buf *out)
{
    agent->spoke = true;
    if (send_message(agent, COORDINATOR, out, &agent->error))
        agent->failed = true;
}

static void report_running(void *context, const struct agent_task *task)
{
    struct buf out = BUF_INIT;
    message_put_running(&out, task->id, task->handout);
    send_news(context, &out);
}

static void report_broken(void *context, const char *text, uint32_t size)
{
    char line[MPP_ERROR_SIZE];
    struct buf out = BUF_INIT;
    snprintf(line, sizeof line, "%.*s", (int)size, text);
    message_put_broken(&out, line);
    send_news(context, &out);
}

static int ask_for_more(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (agent->asked || agent->stopping || agent->queue.count >= agent->low_water)
        return 0;
    agent->asked = true;
    *progressed = true;
    if (agent->done.out) { /* one message says both */
        message_add_want(&agent->done);
        return send_results(agent, error);
    }
    struct buf out = BUF_INIT;
    message_put_want(&out);
    return send_message(agent, COORDINATOR, &out, error);
}

/* ---- Messages ---- */

static bool is_foreknown(struct agent *agent, uint64_t id)
{
    for (int i = 0; i < FOREKNOWN; i++)
        if (agent->foreknown[i] == id && id) {
            agent->foreknown[i] = 0;
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
        return mpp_error_set(error, "a damaged list of tasks");
    for (uint32_t i = 0; i < count; i++) {
        struct message_task fields_of_task;
        if (message_get_task(fields, &fields_of_task))
            return mpp_error_set(error, "a damaged task");
        struct agent_task *task = agent_task_new(&agent->slab, &fields_of_task);
        if (!task)
            return mpp_error_set(error, "out of memory for a task of %u bytes",
                                 fields_of_task.size);
        if (is_foreknown(agent, task->id)) {
            report_dropped(agent, task);
            agent_task_free(task);
        } else {
            task_list_append(&agent->queue, task);
        }
    }
    if (agent->discarding)
        drop_queue(agent);
    agent->asked = false;
    /* Ask again when half of what came is gone: the next chunk then arrives while there is still
     * work. */
    size_t workers = (size_t)worker_set_size(agent->crew);
    agent->low_water = count / 2 > workers ? count / 2 : workers;
    return 0;
}

/* The tail of the queue goes straight to the thief; the coordinator learns what moved. */
static int hand_over(struct agent *agent, const struct message_steal *steal,
                     struct mpp_error *error)
{
    if (steal->thief >= (uint32_t)agent->transport->size)
        return mpp_error_set(error, "a steal for rank %u, which is not there", steal->thief);
    if (!agent->queue.count)
        worker_set_recall(agent->crew, &agent->queue);
    if (send_results(agent, error))
        return -1;
    struct task_list stolen;
    task_list_init(&stolen);
    task_list_move_tail(&agent->queue, steal->count, &stolen);
    struct buf tasks_out = BUF_INIT, moved_out = BUF_INIT;
    struct message_list tasks = message_begin_tasks(&tasks_out);
    struct message_list moved = message_begin_moved(&moved_out, steal->thief);
    for (struct agent_task *task; (task = task_list_take(&stolen)); agent_task_free(task)) {
        struct message_task fields = agent_task_message(task);
        message_put_task(&tasks, &fields);
        message_put_moved(&moved, task->id, task->handout);
    }
    message_end(&tasks);
    if (tasks.count && send_message(agent, (int)steal->thief, &tasks_out, error)) {
        buf_release(&moved_out);
        return -1;
    }
    buf_release(&tasks_out);
    message_end(&moved);
    return send_message(agent, COORDINATOR, &moved_out, error);
}

/* Wherever the task is: in the queue, with a worker, or on its way here. */
static void cancel(struct agent *agent, uint64_t id)
{
    struct agent_task *task = task_list_take_id(&agent->queue, id);
    if (task) {
        report_dropped(agent, task);
        agent_task_free(task);
    } else if (!worker_set_cancel(agent->crew, &agent->queue, id)) {
        agent->foreknown[agent->foreknown_next++ % FOREKNOWN] = id;
    }
}

static void begin_stop(struct agent *agent, bool discard)
{
    agent->stopping = true;
    if (!discard)
        return;
    agent->discarding = true;
    worker_set_recall(agent->crew, &agent->queue);
    drop_queue(agent);
}

int agent_message(struct agent *agent, int from, const struct buf *bytes, struct mpp_error *error)
{
    struct reader fields;
    enum message_type type = message_open(bytes->data, bytes->size, &fields);
    struct message_steal steal;
    uint64_t id;
    uint32_t rank;
    bool discard;
    switch (type) {
    case MESSAGE_TASKS:
        return take_tasks(agent, &fields, error);
    case MESSAGE_STEAL:
        if (message_get_steal(&fields, &steal))
            break;
        return hand_over(agent, &steal, error);
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
        transport_forget(agent->transport, (int)rank);
        return 0;
    case MESSAGE_END:
        agent->ended = true;
        return 0;
    case MESSAGE_BAD:
    case MESSAGE_HELLO:
    case MESSAGE_WANT:
    case MESSAGE_RUNNING:
    case MESSAGE_DONE:
    case MESSAGE_MOVED:
    case MESSAGE_BROKEN:
    case MESSAGE_BYE:
        break;
    }
    return mpp_error_set(error,
                         "rank %d sent rank %d a message of type %d, damaged or out of place", from,
                         agent->transport->rank, (int)type);
}

/* ---- A step ---- */

bool agent_idle(const struct agent *agent)
{
    return !agent->queue.count && !agent->done.out && worker_set_idle(agent->crew);
}

/* Once stopping and at rest: the workers are let go, and when the last is gone, and all that was
 * sent has arrived, the coordinator is told. */
static int finish(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (!agent->stopping || agent->said_bye || !agent_idle(agent) ||
        !worker_set_dismiss(agent->crew) || agent->transport->unsent)
        return 0;
    agent->said_bye = true;
    *progressed = true;
    struct buf out = BUF_INIT;
    message_put_bye(&out);
    return send_message(agent, COORDINATOR, &out, error);
}

int agent_step(struct agent *agent, bool *progressed, int64_t *look_at_ns, struct mpp_error *error)
{
    if (worker_set_hear(agent->crew, &agent->queue, progressed, error))
        return -1;
    if (agent->discarding)
        drop_queue(agent); /* a worker that died has given some back */
    if ((!agent->stopping || agent->queue.count) && worker_set_start(agent->crew, error))
        return -1;
    if (worker_set_feed(agent->crew, &agent->queue, progressed, error))
        return -1;
    *look_at_ns = worker_set_look(agent->crew, now_ns());
    if (agent->failed) {
        *error = agent->error;
        return -1;
    }
    if (agent->spoke)
        *progressed = true; /* on rank 0 the coordinator is to hear it */
    agent->spoke = false;
    if (ask_for_more(agent, progressed, error) ||
        send_results_due(agent, progressed, look_at_ns, error))
        return -1;
    return finish(agent, progressed, error);
}

int agent_poll_set(const struct agent *agent, struct pollfd *set)
{
    return worker_set_poll_set(agent->crew, set);
}

void agent_polled(struct agent *agent, const struct pollfd *set)
{
    worker_set_polled(agent->crew, set);
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
    struct worker_set_events events = {
        .result = report, .running = report_running, .broken = report_broken, .context = agent};
    *agent =
        (struct agent){.transport = transport,
                       .low_water = (size_t)limits->workers,
                       .crew = worker_set_new(forkserver, limits, transport->rank, &events, error)};
    task_list_init(&agent->queue);
    if (agent->crew)
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
    worker_set_free(agent->crew);
    buf_release(&agent->results);
    free(agent);
}
