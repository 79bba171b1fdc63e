/* SPDX-License-Identifier: MIT */
/* The worker processes of an agent: see worker_set.h. */
#include "worker_set.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "oom_watch.h"
#include "worker_exit.h"
#include "worker_handle.h"

/* A frame holds about this much work: enough to hide the time that the socket takes, and little
 * enough that most tasks stay in the queue, where they can be stolen. */
#define FRAME_NS 16000000

/* With tasks longer than this the pause between two frames does not matter, so a worker gets only
 * one: a task that is not with a worker can be stolen at once. */
#define SECOND_FRAME_NS 20000000

/* How often a busy worker is checked. A task that runs longer than this is reported as running, and
 * the results of earlier tasks in the ring are fetched. More often, if tasks may run less long. */
#define CHECK_INTERVAL_NS     50000000
#define CHECK_INTERVAL_MIN_NS 5000000

/* From SIGTERM to SIGKILL. */
#define KILL_DELAY_NS 1000000000

/* How long a worker may take to end after its socket was closed; its job's close may hang. */
#define CLOSE_TIMEOUT_NS INT64_C(10000000000)

enum {
    FRAME_TASKS_MAX = 1024,
    STARTING_MAX = 32, /* requests to the fork server at a time: its socket must not fill up */
    EARLY_DEATHS_MAX = 8,
};

struct worker_set {
    struct forkserver *forkserver;
    struct worker_set_limits limits;
    struct worker_set_callbacks callbacks;
    struct worker_handle *workers; /* limits.workers of them */
    int starting;                  /* how many of them are WORKER_STARTING */
    bool broken;                   /* workers cannot start: no more are requested */
    bool forkserver_readable;
    double task_ns; /* moving average of the time a task runs; 0: not known yet */
    uint32_t replaced;
    int early_deaths; /* workers that died before their first task, since the last result */
    int64_t next_check_ns;
    struct oom_watch oom;
};

static bool is_isolated(const struct worker_set *set)
{
    return set->forkserver->config->options.isolate == MPP_ISOLATED;
}

static int64_t check_interval_ns(const struct worker_set *set)
{
    double limit_ns = set->limits.timeout_s > 0 ? set->limits.timeout_s * 1e9 : CHECK_INTERVAL_NS;
    return limit_ns < CHECK_INTERVAL_MIN_NS ? CHECK_INTERVAL_MIN_NS
           : limit_ns < CHECK_INTERVAL_NS   ? (int64_t)limit_ns
                                            : CHECK_INTERVAL_NS;
}

static void check_soon(struct worker_set *set)
{
    int64_t soon_ns = monotonic_now_ns() + check_interval_ns(set);
    if (soon_ns < set->next_check_ns)
        set->next_check_ns = soon_ns;
}

/* ---- Results and exits ---- */

static void take_result(void *context, struct agent_task *task, const struct message_result *result)
{
    struct worker_set *set = context;
    double run_ns = (double)result->run_ns;
    set->task_ns = set->task_ns > 0 ? 0.8 * set->task_ns + 0.2 * run_ns : run_ns;
    set->early_deaths = 0;
    set->callbacks.result(set->callbacks.context, result);
    agent_task_free(task);
}

static void take_broken(void *context, const char *text, uint32_t size)
{
    struct worker_set *set = context;
    if (!set->broken)
        set->callbacks.broken(set->callbacks.context, text, size);
    set->broken = true;
}

static int read_worker(struct worker_set *set, struct worker_handle *worker, bool *progressed,
                       struct mpp_error *error)
{
    struct worker_handle_callbacks callbacks = {
        .result = take_result, .broken = take_broken, .context = set};
    return worker_handle_read(worker, &callbacks, progressed, error);
}

/* Reports a task for which the worker has given no result. */
static void report(struct worker_set *set, const struct worker_handle *worker,
                   const struct agent_task *task, enum task_status status, int signal_number,
                   pid_t pid, const char *text)
{
    set->callbacks.result(set->callbacks.context,
                          &(struct message_result){.id = task->id,
                                                   .dispatch = task->dispatch,
                                                   .status = status,
                                                   .signal = (uint32_t)signal_number,
                                                   .pid = (uint32_t)pid,
                                                   .ended_ns = monotonic_now_ns(),
                                                   .worker = (uint16_t)(worker - set->workers),
                                                   .size = (uint32_t)strlen(text),
                                                   .data = text});
}

static struct worker_exit describe_exit(struct worker_set *set, const struct worker_handle *worker,
                                        int wait_status)
{
    return worker_exit_describe(wait_status, atomic_load(&worker->slot->no_memory), &set->oom);
}

/* Reports the task during which its worker process ended. */
static void report_interrupted(struct worker_set *set, const struct worker_handle *worker,
                               const struct agent_task *task, int wait_status)
{
    switch (worker->termination) {
    case TERMINATION_CANCELLED:
        report(set, worker, task, TASK_DROPPED, worker_exit_signal(wait_status), worker->pid, "");
        break;
    case TERMINATION_TIMED_OUT: {
        char text[160];
        snprintf(text, sizeof text, "it ran longer than the limit of %g s and was ended",
                 set->limits.timeout_s);
        report(set, worker, task, TASK_TIMED_OUT, worker_exit_signal(wait_status), worker->pid,
               text);
        break;
    }
    case TERMINATION_NONE: {
        struct worker_exit end = describe_exit(set, worker, wait_status);
        report(set, worker, task, end.status, end.signal, worker->pid, end.text);
        break;
    }
    }
}

/* A worker has died before its first task. Once may be an accident; if it happens several times in
 * a row, workers cannot run at all, and the pool is broken. */
static void count_early_death(struct worker_set *set, const struct worker_handle *worker,
                              int wait_status)
{
    char text[256];
    if (++set->early_deaths < EARLY_DEATHS_MAX)
        return;
    struct worker_exit end = describe_exit(set, worker, wait_status);
    snprintf(text, sizeof text, "%d worker processes have died before their first task: %s",
             set->early_deaths, end.text);
    take_broken(set, text, (uint32_t)strlen(text));
}

/* A worker process has ended. Its last results are read, the task during which it ended is
 * reported, and its other tasks go back to the queue. */
static int worker_exited(struct worker_set *set, struct task_list *queue,
                         const struct forkserver_event *event, struct mpp_error *error)
{
    struct worker_handle *worker = &set->workers[event->slot];
    bool unused = false;
    worker->readable = true;
    if (read_worker(set, worker, &unused, error))
        return -1;
    struct agent_task *interrupted = worker_handle_take_interrupted(worker);
    if (interrupted)
        report_interrupted(set, worker, interrupted, event->wait_status);
    else if (!worker->closed_by_agent && !atomic_load(&worker->slot->next))
        count_early_death(set, worker, event->wait_status);
    set->replaced += !worker->closed_by_agent;
    agent_task_free(interrupted);
    task_list_move_tail(&worker->tasks, worker->tasks.count, queue);
    worker_handle_release(worker);
    return 0;
}

static int receive_forkserver_events(struct worker_set *set, struct task_list *queue,
                                     bool *progressed, struct mpp_error *error)
{
    set->forkserver_readable = false;
    for (;;) {
        struct forkserver_event event = forkserver_next_event(set->forkserver);
        if (event.type == FORKSERVER_NOTHING)
            return 0;
        *progressed = true;
        switch (event.type) {
        case FORKSERVER_STARTED:
            set->starting--;
            worker_handle_started(&set->workers[event.slot], event.pid, event.fd);
            break;
        case FORKSERVER_EXITED:
            if (worker_exited(set, queue, &event, error))
                return -1;
            break;
        case FORKSERVER_FAILED:
            return mpp_error_set(error, "no worker process could be started: %s",
                                 strerror(event.wait_status));
        case FORKSERVER_DIED:
            return mpp_error_set(error, "the fork server has died");
        case FORKSERVER_NOTHING:
            break;
        }
    }
}

int worker_set_receive(struct worker_set *set, struct task_list *queue, bool *progressed,
                       struct mpp_error *error)
{
    for (int i = 0; i < set->limits.workers; i++)
        if (read_worker(set, &set->workers[i], progressed, error))
            return -1;
    return set->forkserver_readable ? receive_forkserver_events(set, queue, progressed, error) : 0;
}

/* ---- Starting workers and assigning tasks ---- */

int worker_set_start(struct worker_set *set, struct mpp_error *error)
{
    for (int i = 0; i < set->limits.workers && set->starting < STARTING_MAX; i++) {
        struct worker_handle *worker = &set->workers[i];
        if (worker->state != WORKER_ABSENT || set->broken)
            continue;
        if (forkserver_spawn(set->forkserver, i, error))
            return -1;
        worker->state = WORKER_STARTING;
        set->starting++;
    }
    return 0;
}

/* How many tasks the next frame gets: FRAME_NS of work or enough for reading ahead, whichever is
 * more, but at most one worker's share of the queue. */
static uint32_t frame_tasks(const struct worker_set *set, const struct task_list *queue)
{
    double by_time = set->task_ns > 0 ? FRAME_NS / set->task_ns : 1;
    double by_share = (double)queue->count / set->limits.workers;
    double ahead = 1 + 2 * set->forkserver->config->options.read_ahead;
    by_time = by_time > ahead ? by_time : ahead;
    double tasks = by_time < by_share ? by_time : by_share;
    return tasks < 1 ? 1 : tasks > FRAME_TASKS_MAX ? FRAME_TASKS_MAX : (uint32_t)tasks;
}

/* Whether the worker may get more tasks. One that has had max_tasks_per_worker is closed once it
 * has none left. */
static bool accepts_tasks(const struct worker_set *set, struct worker_handle *worker)
{
    uint32_t max_tasks = set->limits.max_tasks_per_worker;
    if (worker->state != WORKER_READY)
        return false;
    if (!max_tasks || worker->sent < max_tasks)
        return true;
    if (!worker->tasks.count)
        worker_handle_close(worker);
    return false;
}

static int assign_frame(struct worker_set *set, struct worker_handle *worker,
                        struct task_list *queue, bool *progressed, struct mpp_error *error)
{
    uint32_t tasks = frame_tasks(set, queue);
    uint32_t max_tasks = set->limits.max_tasks_per_worker;
    if (max_tasks && tasks > max_tasks - worker->sent)
        tasks = (uint32_t)(max_tasks - worker->sent);
    *progressed = true;
    return worker_handle_assign(worker, queue, tasks, error);
}

/* Gives every idle worker a frame. *queue_ran_out is set when there was none for one of them. */
static int assign_to_idle(struct worker_set *set, struct task_list *queue, bool *queue_ran_out,
                          bool *progressed, struct mpp_error *error)
{
    for (int i = 0; i < set->limits.workers; i++) {
        struct worker_handle *worker = &set->workers[i];
        if (!accepts_tasks(set, worker) || worker->tasks.count)
            continue;
        if (!queue->count) {
            *queue_ran_out = true;
            return 0;
        }
        if (assign_frame(set, worker, queue, progressed, error))
            return -1;
    }
    return 0;
}

/* If tasks are short, gives a second frame to every worker that has at most one frame's worth of
 * tasks to begin. A worker wakes the agent at the end of a frame, so it need not wait for the next
 * one. */
static int assign_second_frames(struct worker_set *set, struct task_list *queue, bool *progressed,
                                struct mpp_error *error)
{
    if (!(set->task_ns > 0 && set->task_ns < SECOND_FRAME_NS))
        return 0;
    for (int i = 0; queue->count && i < set->limits.workers; i++) {
        struct worker_handle *worker = &set->workers[i];
        if (accepts_tasks(set, worker) && worker->tasks.count &&
            worker_handle_unstarted(worker) <= frame_tasks(set, queue) &&
            assign_frame(set, worker, queue, progressed, error))
            return -1;
    }
    return 0;
}

int worker_set_assign(struct worker_set *set, struct task_list *queue, bool *progressed,
                      struct mpp_error *error)
{
    bool queue_ran_out = false, assigned = false;
    if (assign_to_idle(set, queue, &queue_ran_out, &assigned, error))
        return -1;
    if (queue_ran_out) {
        worker_set_take_back(set, queue); /* other workers' second frames go to the idle ones */
        if (queue->count && assign_to_idle(set, queue, &queue_ran_out, &assigned, error))
            return -1;
    }
    if (queue->count && assign_second_frames(set, queue, &assigned, error))
        return -1;
    for (int i = 0; i < set->limits.workers; i++)
        worker_handle_write(&set->workers[i], progressed);
    if (assigned) {
        *progressed = true;
        check_soon(set);
    }
    return 0;
}

/* ---- Checking running tasks ---- */

/* Kills the worker process that runs this task. */
static void terminate(struct worker_set *set, struct worker_handle *worker,
                      const struct agent_task *task, enum worker_termination why)
{
    if (!is_isolated(set) || !worker_handle_mark_terminated(worker, task, why))
        return; /* a thread cannot be killed; or the task has just ended */
    forkserver_kill(set->forkserver, (int)(worker - set->workers), SIGTERM);
    worker->kill_at_ns = monotonic_now_ns() + KILL_DELAY_NS;
    check_soon(set);
}

static void set_min(int64_t *ns, int64_t candidate_ns)
{
    if (candidate_ns < *ns)
        *ns = candidate_ns;
}

/* Checks one worker. *next_ns is lowered to the time of its next check. */
static void check_worker(struct worker_set *set, struct worker_handle *worker, int64_t now_ns,
                         int64_t *next_ns)
{
    int64_t begun_ns, interval_ns = check_interval_ns(set);
    struct agent_task *task = worker_handle_running(worker, &begun_ns);
    if (worker->kill_at_ns) {
        if (now_ns >= worker->kill_at_ns) {
            forkserver_kill(set->forkserver, (int)(worker - set->workers), SIGKILL);
            worker->kill_at_ns = 0;
        } else {
            set_min(next_ns, worker->kill_at_ns);
        }
        return;
    }
    if (!worker->tasks.count || worker->termination != TERMINATION_NONE)
        return;
    if (!task || worker->reported_running == task->number + 1) {
        /* No task runs, or it was reported already. Check again to fetch the results of its other
         * tasks. */
        if (!task || worker->tasks.count > 1)
            set_min(next_ns, now_ns + interval_ns);
    } else if (now_ns - begun_ns < interval_ns) {
        set_min(next_ns, now_ns + interval_ns);
    } else {
        worker->reported_running = task->number + 1;
        set->callbacks.running(set->callbacks.context, task);
        if (worker->tasks.count > 1)
            set_min(next_ns, now_ns + interval_ns);
    }
    if (!task || set->limits.timeout_s <= 0)
        return;
    double limit_ns = set->limits.timeout_s * 1e9;
    if ((double)(now_ns - begun_ns) >= limit_ns)
        terminate(set, worker, task, TERMINATION_TIMED_OUT);
    else if (limit_ns < 9e18 - (double)begun_ns)
        set_min(next_ns, begun_ns + (int64_t)limit_ns + 1);
}

int64_t worker_set_check_running(struct worker_set *set, int64_t now_ns)
{
    /* An agent that is awake for another reason checks early, and need not wake up for it. */
    if (now_ns < set->next_check_ns - check_interval_ns(set) / 2)
        return set->next_check_ns;
    int64_t next_ns = INT64_MAX;
    set->next_check_ns = INT64_MAX;
    for (int i = 0; i < set->limits.workers; i++)
        check_worker(set, &set->workers[i], now_ns, &next_ns);
    set_min(&set->next_check_ns, next_ns); /* terminate may have lowered it */
    return set->next_check_ns;
}

/* ---- Taking back and cancelling ---- */

void worker_set_take_back(struct worker_set *set, struct task_list *queue)
{
    for (int i = set->limits.workers - 1; i >= 0; i--)
        worker_handle_take_back(&set->workers[i], queue);
}

bool worker_set_cancel(struct worker_set *set, struct task_list *queue, uint64_t id)
{
    for (int i = 0; i < set->limits.workers; i++) {
        struct worker_handle *worker = &set->workers[i];
        struct agent_task *task = task_list_find(&worker->tasks, id);
        if (!task)
            continue;
        worker_handle_take_back_all(worker, queue);
        task = task_list_take_id(queue, id);
        if (task) {
            report(set, worker, task, TASK_DROPPED, 0, 0, "");
            agent_task_free(task);
        } else {
            terminate(set, worker, task_list_find(&worker->tasks, id), TERMINATION_CANCELLED);
        }
        return true;
    }
    return false;
}

bool worker_set_idle(const struct worker_set *set)
{
    for (int i = 0; i < set->limits.workers; i++)
        if (set->workers[i].tasks.count)
            return false;
    return true;
}

bool worker_set_starves(const struct worker_set *set)
{
    for (int i = 0; i < set->limits.workers; i++)
        if (!set->workers[i].tasks.count)
            return true;
    return !set->limits.workers;
}

bool worker_set_close(struct worker_set *set)
{
    bool all_ended = !set->starting;
    for (int i = 0; i < set->limits.workers; i++) {
        struct worker_handle *worker = &set->workers[i];
        if (worker->state == WORKER_READY) {
            worker_handle_close(worker);
            if (is_isolated(set)) {
                worker->kill_at_ns = monotonic_now_ns() + CLOSE_TIMEOUT_NS;
                check_soon(set);
            }
        }
        if (worker->pid)
            all_ended = false;
    }
    return all_ended;
}

/* ---- Polling ---- */

int worker_set_fill_pollfds(const struct worker_set *set, struct pollfd *fds)
{
    int count = 0;
    fds[count++] = (struct pollfd){.fd = set->forkserver->fd, .events = POLLIN};
    for (int i = 0; i < set->limits.workers; i++) {
        const struct worker_handle *worker = &set->workers[i];
        if (worker->fd < 0)
            continue;
        short events = POLLIN;
        if (worker->out_done < worker->out.size)
            events |= POLLOUT;
        fds[count++] = (struct pollfd){.fd = worker->fd, .events = events};
    }
    return count;
}

void worker_set_read_pollfds(struct worker_set *set, const struct pollfd *fds)
{
    set->forkserver_readable = fds++->revents != 0;
    for (int i = 0; i < set->limits.workers; i++) {
        struct worker_handle *worker = &set->workers[i];
        if (worker->fd >= 0)
            worker->readable = (fds++->revents & ~POLLOUT) != 0;
    }
}

/* ---- Construction ---- */

int worker_set_size(const struct worker_set *set)
{
    return set->limits.workers;
}

uint32_t worker_set_replaced(const struct worker_set *set)
{
    return set->replaced;
}

struct worker_set *worker_set_new(struct forkserver *forkserver,
                                  const struct worker_set_limits *limits, int rank,
                                  const struct worker_set_callbacks *callbacks,
                                  struct mpp_error *error)
{
    struct worker_set *set = calloc(1, sizeof *set);
    struct worker_handle *workers = calloc((size_t)limits->workers + 1, sizeof *workers);
    if (!set || !workers) {
        free(set);
        free(workers);
        mpp_error_set(error, "out of memory for %d workers", limits->workers);
        return NULL;
    }
    *set = (struct worker_set){.forkserver = forkserver,
                               .limits = *limits,
                               .callbacks = *callbacks,
                               .workers = workers,
                               .next_check_ns = INT64_MAX};
    oom_watch_init(&set->oom);
    for (int i = 0; i < limits->workers; i++) {
        worker_handle_init(&workers[i], &forkserver->slots[i]);
        forkserver->slots[i].rank = rank;
        forkserver->slots[i].worker = i;
    }
    return set;
}

void worker_set_free(struct worker_set *set)
{
    if (!set)
        return;
    for (int i = 0; i < set->limits.workers; i++)
        worker_handle_release(&set->workers[i]);
    free(set->workers);
    free(set);
}
