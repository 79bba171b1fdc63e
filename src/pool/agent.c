/* What every rank does for the pool: see agent.h. */
#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "message.h"
#include "worker_link.h"

enum { COORDINATOR = 0 };

/* A frame holds about this much work: long enough to hide the socket, short enough to be stolen
 * back soon. */
#define FRAME_NS 1000000

/* With tasks longer than this the wait between two frames does not matter, so a worker has only
 * one: what is not with a worker can be stolen at once. */
#define SECOND_FRAME_NS 20000000

enum {
    FRAME_TASKS_MAX = 512,
    STARTING_MAX =
        32, /* requests for workers under way, so that the control socket never fills up */
};

struct agent {
    struct transport *transport;
    struct forkserver *forkserver;
    struct worker_link *workers;
    int worker_count;
    int starting;
    struct task_list queue;
    size_t low_water;   /* ask for more when the queue is shorter */
    bool asked;         /* and nothing has come since */
    double task_ns;     /* recent mean of a task's run; 0: none yet */
    uint32_t replaced;  /* workers */
    struct buf results; /* DONE being built */
    struct message_list done;
    bool stopping;   /* no more tasks will come */
    bool discarding; /* those that still do are dropped */
    bool said_bye;
};

/* ---- Talking to the coordinator ---- */

static int send_message(struct agent *agent, int to, struct buf *bytes, struct mpp_error *error)
{
    int failed = transport_send(agent->transport, to, bytes, error);
    buf_release(bytes);
    return failed;
}

int agent_hello(struct agent *agent, struct mpp_error *error)
{
    struct message_hello hello = {.workers = (uint32_t)agent->worker_count};
    if (gethostname(hello.host, sizeof hello.host - 1))
        snprintf(hello.host, sizeof hello.host, "unknown");
    struct buf out = BUF_INIT;
    message_put_hello(&out, &hello);
    return send_message(agent, COORDINATOR, &out, error);
}

static void report(struct agent *agent, const struct message_result *result)
{
    if (!agent->done.out)
        agent->done = message_begin_done(&agent->results, agent->replaced);
    message_put_result(&agent->done, result);
}

static int send_results(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (!agent->done.out)
        return 0;
    message_end(&agent->done);
    agent->done = (struct message_list){0};
    *progressed = true;
    return send_message(agent, COORDINATOR, &agent->results, error);
}

static int ask_for_more(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (agent->asked || agent->stopping || agent->queue.count >= agent->low_water)
        return 0;
    agent->asked = true;
    *progressed = true;
    struct buf out = BUF_INIT;
    message_put_want(&out);
    return send_message(agent, COORDINATOR, &out, error);
}

/* ---- Messages ---- */

static int take_tasks(struct agent *agent, struct reader *fields, struct mpp_error *error)
{
    uint32_t count;
    if (message_get_tasks(fields, &count))
        return mpp_error_set(error, "a damaged list of tasks");
    for (uint32_t i = 0; i < count; i++) {
        struct message_task fields_of_task;
        if (message_get_task(fields, &fields_of_task))
            return mpp_error_set(error, "a damaged task");
        struct agent_task *task = agent_task_new(&fields_of_task);
        if (!task)
            return mpp_error_set(error, "out of memory for a task of %u bytes",
                                 fields_of_task.size);
        task_list_append(&agent->queue, task);
    }
    if (agent->discarding)
        task_list_release(&agent->queue);
    agent->asked = false;
    /* Ask again when half of what came is gone: the next chunk then arrives while there is still
     * work. */
    size_t workers = (size_t)agent->worker_count;
    agent->low_water = count / 2 > workers ? count / 2 : workers;
    return 0;
}

/* Brings back what workers have not begun, so that it can go elsewhere. */
static void recall_unstarted(struct agent *agent)
{
    for (int i = agent->worker_count - 1; i >= 0; i--)
        worker_link_take_back(&agent->workers[i], &agent->queue);
}

/* The tail of the queue goes straight to the thief; the coordinator learns what moved. */
static int hand_over(struct agent *agent, const struct message_steal *steal,
                     struct mpp_error *error)
{
    if (steal->thief >= (uint32_t)agent->transport->size)
        return mpp_error_set(error, "a steal for rank %u, which is not there", steal->thief);
    if (!agent->queue.count)
        recall_unstarted(agent);
    struct task_list stolen;
    task_list_init(&stolen);
    task_list_move_tail(&agent->queue, steal->count, &stolen);
    struct buf tasks_out = BUF_INIT, moved_out = BUF_INIT;
    struct message_list tasks = message_begin_tasks(&tasks_out);
    struct message_list moved = message_begin_moved(&moved_out, steal->thief);
    for (struct agent_task *task; (task = task_list_take(&stolen));) {
        struct message_task fields = agent_task_message(task);
        message_put_task(&tasks, &fields);
        message_put_moved(&moved, task->id, task->handout);
        free(task);
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

static void begin_stop(struct agent *agent, bool discard)
{
    agent->stopping = true;
    if (!discard)
        return;
    agent->discarding = true;
    recall_unstarted(agent);
    task_list_release(&agent->queue);
}

int agent_message(struct agent *agent, int from, const struct buf *bytes, struct mpp_error *error)
{
    struct reader fields;
    enum message_type type = message_open(bytes->data, bytes->size, &fields);
    struct message_steal steal;
    bool discard;
    switch (type) {
    case MESSAGE_TASKS:
        return take_tasks(agent, &fields, error);
    case MESSAGE_STEAL:
        if (message_get_steal(&fields, &steal))
            break;
        return hand_over(agent, &steal, error);
    case MESSAGE_STOP:
        if (message_get_stop(&fields, &discard))
            break;
        begin_stop(agent, discard);
        return 0;
    case MESSAGE_BAD:
    case MESSAGE_HELLO:
    case MESSAGE_WANT:
    case MESSAGE_DONE:
    case MESSAGE_MOVED:
    case MESSAGE_BYE:
        break;
    }
    return mpp_error_set(error,
                         "rank %d sent rank %d a message of type %d, damaged or out of place", from,
                         agent->transport->rank, (int)type);
}

/* ---- Workers ---- */

static void take_result(void *context, struct agent_task *task, const struct message_result *result)
{
    struct agent *agent = context;
    double run_ns = (double)result->run_ns;
    agent->task_ns = agent->task_ns > 0 ? 0.8 * agent->task_ns + 0.2 * run_ns : run_ns;
    report(agent, result);
    free(task);
}

static int signal_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
}

static void describe_exit(int wait_status, char *text, size_t size)
{
    int number = signal_of(wait_status);
    if (number) {
        const char *name = sigabbrev_np(number);
        snprintf(text, size, "the worker process was killed by signal %d (SIG%s)", number,
                 name ? name : "?");
    } else {
        snprintf(text, size, "the worker process exited with status %d", WEXITSTATUS(wait_status));
    }
}

/* A worker process is gone: report the task it died in, queue what else it had, start another. */
static int worker_exited(struct agent *agent, const struct forkserver_event *event,
                         struct mpp_error *error)
{
    struct worker_link *link = &agent->workers[event->slot];
    bool unused = false;
    if (worker_link_read(link, take_result, agent, &unused, error))
        return -1;
    struct agent_task *culprit = worker_link_culprit(link);
    if (culprit) {
        char text[96];
        describe_exit(event->wait_status, text, sizeof text);
        report(agent, &(struct message_result){.id = culprit->id,
                                               .handout = culprit->handout,
                                               .status = TASK_CRASHED,
                                               .signal = (uint32_t)signal_of(event->wait_status),
                                               .pid = (uint32_t)event->pid,
                                               .size = (uint32_t)strlen(text),
                                               .data = text});
        free(culprit);
    }
    task_list_move_tail(&link->tasks, link->tasks.count, &agent->queue);
    worker_link_release(link);
    if (!agent->stopping || agent->queue.count)
        agent->replaced++;
    else
        link->state = WORKER_CLOSED;
    return 0;
}

static int hear_forkserver(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    for (;;) {
        struct forkserver_event event = forkserver_next(agent->forkserver);
        if (event.type == FORKSERVER_NOTHING)
            return 0;
        *progressed = true;
        switch (event.type) {
        case FORKSERVER_STARTED:
            agent->starting--;
            worker_link_started(&agent->workers[event.slot], event.pid, event.fd);
            break;
        case FORKSERVER_EXITED:
            if (worker_exited(agent, &event, error))
                return -1;
            break;
        case FORKSERVER_FAILED:
            return mpp_error_set(error, "no worker process could be started: %s",
                                 strerror(event.wait_status));
        case FORKSERVER_GONE:
            return mpp_error_set(error, "the fork server of rank %d has died",
                                 agent->transport->rank);
        case FORKSERVER_NOTHING:
            break;
        }
    }
}

static int start_workers(struct agent *agent, struct mpp_error *error)
{
    bool wanted = !agent->stopping || agent->queue.count;
    for (int i = 0; wanted && i < agent->worker_count && agent->starting < STARTING_MAX; i++) {
        struct worker_link *link = &agent->workers[i];
        if (link->state != WORKER_ABSENT)
            continue;
        if (forkserver_spawn(agent->forkserver, i, error))
            return -1;
        link->state = WORKER_STARTING;
        agent->starting++;
    }
    return 0;
}

/* How many tasks the next frame gets: so much work, and no more than a fair share of the queue. */
static uint32_t frame_tasks(const struct agent *agent)
{
    double by_time = agent->task_ns > 0 ? FRAME_NS / agent->task_ns : 1;
    double by_share = (double)agent->queue.count / agent->worker_count;
    double tasks = by_time < by_share ? by_time : by_share;
    return tasks < 1 ? 1 : tasks > FRAME_TASKS_MAX ? FRAME_TASKS_MAX : (uint32_t)tasks;
}

static int feed(struct agent *agent, struct worker_link *link, bool *progressed,
                struct mpp_error *error)
{
    *progressed = true;
    return worker_link_assign(link, &agent->queue, frame_tasks(agent), error);
}

/* First every idle worker gets a frame; then, where tasks are short, one that is through half of
 * its frame gets another. */
static int assign(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    bool idle_left = false;
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker_link *link = &agent->workers[i];
        if (link->state != WORKER_READY || link->tasks.count)
            continue;
        if (!agent->queue.count) {
            idle_left = true;
            break;
        }
        if (feed(agent, link, progressed, error))
            return -1;
    }
    if (idle_left) {
        recall_unstarted(agent); /* another worker's second frame is this one's first */
        for (int i = 0; agent->queue.count && i < agent->worker_count; i++) {
            struct worker_link *link = &agent->workers[i];
            if (link->state == WORKER_READY && !link->tasks.count &&
                feed(agent, link, progressed, error))
                return -1;
        }
    }
    bool second = agent->task_ns > 0 && agent->task_ns < SECOND_FRAME_NS;
    for (int i = 0; second && agent->queue.count && i < agent->worker_count; i++) {
        struct worker_link *link = &agent->workers[i];
        if (link->state == WORKER_READY && link->tasks.count &&
            2 * worker_link_unstarted(link) < frame_tasks(agent) &&
            feed(agent, link, progressed, error))
            return -1;
    }
    return 0;
}

/* ---- A step ---- */

bool agent_idle(const struct agent *agent)
{
    if (agent->queue.count || agent->done.out)
        return false;
    for (int i = 0; i < agent->worker_count; i++)
        if (agent->workers[i].tasks.count)
            return false;
    return true;
}

/* Once stopping and at rest: the workers are let go, and when the last is gone the coordinator is
 * told. */
static int finish(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    if (!agent->stopping || agent->said_bye || !agent_idle(agent) || agent->starting)
        return 0;
    bool all_gone = true;
    for (int i = 0; i < agent->worker_count; i++) {
        struct worker_link *link = &agent->workers[i];
        if (link->state == WORKER_READY)
            worker_link_close(link);
        if (link->pid)
            all_gone = false;
    }
    if (!all_gone)
        return 0;
    agent->said_bye = true;
    *progressed = true;
    struct buf out = BUF_INIT;
    message_put_bye(&out);
    return send_message(agent, COORDINATOR, &out, error);
}

int agent_step(struct agent *agent, bool *progressed, struct mpp_error *error)
{
    for (int i = 0; i < agent->worker_count; i++)
        if (worker_link_read(&agent->workers[i], take_result, agent, progressed, error))
            return -1;
    if (hear_forkserver(agent, progressed, error) || start_workers(agent, error) ||
        assign(agent, progressed, error))
        return -1;
    for (int i = 0; i < agent->worker_count; i++)
        worker_link_write(&agent->workers[i], progressed);
    if (send_results(agent, progressed, error) || ask_for_more(agent, progressed, error))
        return -1;
    return finish(agent, progressed, error);
}

int agent_poll_set(const struct agent *agent, struct pollfd *set)
{
    int count = 0;
    set[count++] = (struct pollfd){.fd = agent->forkserver->fd, .events = POLLIN};
    for (int i = 0; i < agent->worker_count; i++) {
        const struct worker_link *link = &agent->workers[i];
        if (link->fd < 0)
            continue;
        short events = POLLIN;
        if (link->out_done < link->out.size)
            events |= POLLOUT;
        set[count++] = (struct pollfd){.fd = link->fd, .events = events};
    }
    return count;
}

bool agent_said_bye(const struct agent *agent)
{
    return agent->said_bye;
}

struct agent *agent_new(struct transport *transport, struct forkserver *forkserver, int workers,
                        struct mpp_error *error)
{
    struct agent *agent = calloc(1, sizeof *agent);
    struct worker_link *links = calloc((size_t)workers, sizeof *links);
    if (!agent || !links) {
        free(agent);
        free(links);
        mpp_error_set(error, "out of memory for %d workers", workers);
        return NULL;
    }
    *agent = (struct agent){.transport = transport,
                            .forkserver = forkserver,
                            .workers = links,
                            .worker_count = workers,
                            .low_water = (size_t)workers};
    task_list_init(&agent->queue);
    for (int i = 0; i < workers; i++)
        worker_link_init(&links[i], &forkserver->slots[i]);
    return agent;
}

void agent_free(struct agent *agent)
{
    if (!agent)
        return;
    begin_stop(agent, true);
    for (int i = 0; i < agent->worker_count; i++)
        worker_link_release(&agent->workers[i]);
    buf_release(&agent->results);
    free(agent->workers);
    free(agent);
}
