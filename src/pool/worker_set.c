/* The worker processes of one agent: see worker_set.h. */
#include "worker_set.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "oom_watch.h"
#include "worker_link.h"

/* A frame holds about this much work: long enough to hide the socket, short enough to be stolen
 * back soon. */
#define FRAME_NS 8000000

/* With tasks longer than this the wait between two frames does not matter, so a worker has only
 * one: what is not with a worker can be stolen at once. */
#define SECOND_FRAME_NS 20000000

/* How soon a running task is looked at: what runs so long is reported as running, and results that
 * lie in the ring while it does are fetched. */
#define LOOK_NS 5000000

/* From SIGTERM to SIGKILL. */
#define GRACE_NS 1000000000

/* How long a worker that was told to end may take. */
#define DISMISS_NS INT64_C(10000000000)

enum {
    FRAME_TASKS_MAX = 512,
    STARTING_MAX = 32, /* requests under way, so that the control socket never fills up */
    DIED_AT_START_MAX = 8,
};

struct worker_set {
    struct forkserver *forkserver;
    struct worker_set_limits limits;
    struct worker_set_events events;
    struct worker_link *workers;
    int starting;
    bool cannot_start; /* a worker could not be prepared: the pool is breaking */
    bool forkserver_readable;
    double task_ns; /* recent mean of a task's run; 0: none yet */
    uint32_t replaced;
    int died_at_start; /* workers, one after the other */
    int64_t look_at_ns;
    struct oom_watch oom;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool is_isolated(const struct worker_set *crew)
{
    return crew->forkserver->config->options.isolate == MPP_ISOLATED;
}

static void look_soon(struct worker_set *crew)
{
    int64_t soon = now_ns() + LOOK_NS;
    if (soon < crew->look_at_ns)
        crew->look_at_ns = soon;
}

/* ---- Ends ---- */

static void take_result(void *context, struct agent_task *task, const struct message_result *result)
{
    struct worker_set *crew = context;
    double run_ns = (double)result->run_ns;
    crew->task_ns = crew->task_ns > 0 ? 0.8 * crew->task_ns + 0.2 * run_ns : run_ns;
    crew->died_at_start = 0;
    crew->events.result(crew->events.context, result);
    agent_task_free(task);
}

static void take_broken(void *context, const char *text, uint32_t size)
{
    struct worker_set *crew = context;
    if (!crew->cannot_start)
        crew->events.broken(crew->events.context, text, size);
    crew->cannot_start = true;
}

static int read_worker(struct worker_set *crew, struct worker_link *link, bool *progressed,
                       struct mpp_error *error)
{
    struct worker_link_callbacks callbacks = {
        .result = take_result, .broken = take_broken, .context = crew};
    return worker_link_read(link, &callbacks, progressed, error);
}

/* Reports a task that has no result of its own: `text` says why. */
static void report(struct worker_set *crew, const struct agent_task *task, enum task_status status,
                   int signal_number, pid_t pid, const char *text)
{
    crew->events.result(crew->events.context,
                        &(struct message_result){.id = task->id,
                                                 .handout = task->handout,
                                                 .status = status,
                                                 .signal = (uint32_t)signal_number,
                                                 .pid = (uint32_t)pid,
                                                 .size = (uint32_t)strlen(text),
                                                 .data = text});
}

static enum task_status describe_exit(struct worker_set *crew, const struct worker_link *link,
                                      int wait_status, int number, char *text, size_t size)
{
    if (!number) {
        snprintf(text, size, "the worker process exited with status %d", WEXITSTATUS(wait_status));
        return TASK_CRASHED;
    }
    const char *name = sigabbrev_np(number);
    bool killed_for_memory = number == SIGKILL && oom_watch_again(&crew->oom);
    bool no_memory = killed_for_memory || atomic_load(&link->slot->no_memory);
    snprintf(text, size, "the worker process was killed by signal %d (SIG%s)%s", number,
             name ? name : "?",
             killed_for_memory ? ", for the machine is out of memory"
             : no_memory       ? ", after it could not get memory"
                               : "");
    return no_memory ? TASK_CRASHED_MEMORY : TASK_CRASHED;
}

static void report_culprit(struct worker_set *crew, const struct worker_link *link,
                           const struct agent_task *culprit, int wait_status)
{
    char text[160];
    int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    switch (link->doom) {
    case DOOM_CANCELLED:
        report(crew, culprit, TASK_DROPPED, number, link->pid, "");
        break;
    case DOOM_TIMED_OUT:
        snprintf(text, sizeof text, "it ran longer than the limit of %g s and was ended",
                 crew->limits.timeout_s);
        report(crew, culprit, TASK_TIMED_OUT, number, link->pid, text);
        break;
    case DOOM_NONE: {
        enum task_status status = describe_exit(crew, link, wait_status, number, text, sizeof text);
        report(crew, culprit, status, number, link->pid, text);
        break;
    }
    }
}

/* Some may have bad luck; when that goes on, no worker will ever live to its first task. */
static void died_at_start(struct worker_set *crew, const struct worker_link *link, int wait_status)
{
    char text[160], whole[256];
    int number = WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
    if (++crew->died_at_start < DIED_AT_START_MAX)
        return;
    describe_exit(crew, link, wait_status, number, text, sizeof text);
    snprintf(whole, sizeof whole, "%d worker processes have died before their first task: %s",
             crew->died_at_start, text);
    take_broken(crew, whole, (uint32_t)strlen(whole));
}

/* A worker process is gone: report the task it died in, queue what else it had. */
static int worker_exited(struct worker_set *crew, struct task_list *queue,
                         const struct forkserver_event *event, struct mpp_error *error)
{
    struct worker_link *link = &crew->workers[event->slot];
    bool unused = false;
    link->readable = true;
    if (read_worker(crew, link, &unused, error))
        return -1;
    struct agent_task *culprit = worker_link_culprit(link);
    if (culprit)
        report_culprit(crew, link, culprit, event->wait_status);
    else if (!link->dismissed && !atomic_load(&link->slot->next))
        died_at_start(crew, link, event->wait_status);
    crew->replaced += !link->dismissed;
    agent_task_free(culprit);
    task_list_move_tail(&link->tasks, link->tasks.count, queue);
    worker_link_release(link);
    return 0;
}

static int hear_forkserver(struct worker_set *crew, struct task_list *queue, bool *progressed,
                           struct mpp_error *error)
{
    crew->forkserver_readable = false;
    for (;;) {
        struct forkserver_event event = forkserver_next(crew->forkserver);
        if (event.type == FORKSERVER_NOTHING)
            return 0;
        *progressed = true;
        switch (event.type) {
        case FORKSERVER_STARTED:
            crew->starting--;
            worker_link_started(&crew->workers[event.slot], event.pid, event.fd);
            break;
        case FORKSERVER_EXITED:
            if (worker_exited(crew, queue, &event, error))
                return -1;
            break;
        case FORKSERVER_FAILED:
            return mpp_error_set(error, "no worker process could be started: %s",
                                 strerror(event.wait_status));
        case FORKSERVER_GONE:
            return mpp_error_set(error, "the fork server has died");
        case FORKSERVER_NOTHING:
            break;
        }
    }
}

int worker_set_hear(struct worker_set *crew, struct task_list *queue, bool *progressed,
                    struct mpp_error *error)
{
    for (int i = 0; i < crew->limits.workers; i++)
        if (read_worker(crew, &crew->workers[i], progressed, error))
            return -1;
    return crew->forkserver_readable ? hear_forkserver(crew, queue, progressed, error) : 0;
}

/* ---- Starting and feeding ---- */

int worker_set_start(struct worker_set *crew, struct mpp_error *error)
{
    for (int i = 0; i < crew->limits.workers && crew->starting < STARTING_MAX; i++) {
        struct worker_link *link = &crew->workers[i];
        if (link->state != WORKER_ABSENT || crew->cannot_start)
            continue;
        if (forkserver_spawn(crew->forkserver, i, error))
            return -1;
        link->state = WORKER_STARTING;
        crew->starting++;
    }
    return 0;
}

/* How many tasks the next frame gets: so much work, or as many as are to be read ahead, and no more
 * than a fair share of the queue. */
static uint32_t frame_tasks(const struct worker_set *crew, const struct task_list *queue)
{
    double by_time = crew->task_ns > 0 ? FRAME_NS / crew->task_ns : 1;
    double by_share = (double)queue->count / crew->limits.workers;
    double ahead = 1 + 2 * crew->forkserver->config->options.read_ahead;
    by_time = by_time > ahead ? by_time : ahead;
    double tasks = by_time < by_share ? by_time : by_share;
    return tasks < 1 ? 1 : tasks > FRAME_TASKS_MAX ? FRAME_TASKS_MAX : (uint32_t)tasks;
}

/* May it get tasks? One that has had its number of them is let go when it is through. */
static bool is_fit(const struct worker_set *crew, struct worker_link *link)
{
    uint32_t most = crew->limits.max_tasks_per_worker;
    if (link->state != WORKER_READY)
        return false;
    if (!most || link->sent < most)
        return true;
    if (!link->tasks.count)
        worker_link_dismiss(link);
    return false;
}

static int feed_one(struct worker_set *crew, struct worker_link *link, struct task_list *queue,
                    bool *progressed, struct mpp_error *error)
{
    uint32_t tasks = frame_tasks(crew, queue);
    uint32_t most = crew->limits.max_tasks_per_worker;
    if (most && tasks > most - link->sent)
        tasks = (uint32_t)(most - link->sent);
    *progressed = true;
    return worker_link_assign(link, queue, tasks, error);
}

/* Every idle worker gets a frame; *hungry: there was none left for one of them. */
static int feed_idle(struct worker_set *crew, struct task_list *queue, bool *hungry,
                     bool *progressed, struct mpp_error *error)
{
    for (int i = 0; i < crew->limits.workers; i++) {
        struct worker_link *link = &crew->workers[i];
        if (!is_fit(crew, link) || link->tasks.count)
            continue;
        if (!queue->count) {
            *hungry = true;
            return 0;
        }
        if (feed_one(crew, link, queue, progressed, error))
            return -1;
    }
    return 0;
}

/* Where tasks are short, a worker that is through half of its frame gets another. */
static int feed_second(struct worker_set *crew, struct task_list *queue, bool *progressed,
                       struct mpp_error *error)
{
    if (!(crew->task_ns > 0 && crew->task_ns < SECOND_FRAME_NS))
        return 0;
    for (int i = 0; queue->count && i < crew->limits.workers; i++) {
        struct worker_link *link = &crew->workers[i];
        if (is_fit(crew, link) && link->tasks.count &&
            2 * worker_link_unstarted(link) < frame_tasks(crew, queue) &&
            feed_one(crew, link, queue, progressed, error))
            return -1;
    }
    return 0;
}

int worker_set_feed(struct worker_set *crew, struct task_list *queue, bool *progressed,
                    struct mpp_error *error)
{
    bool hungry = false, fed = false;
    if (feed_idle(crew, queue, &hungry, &fed, error))
        return -1;
    if (hungry) {
        worker_set_recall(crew, queue); /* another worker's second frame is this one's first */
        if (queue->count && feed_idle(crew, queue, &hungry, &fed, error))
            return -1;
    }
    if (queue->count && feed_second(crew, queue, &fed, error))
        return -1;
    for (int i = 0; i < crew->limits.workers; i++)
        worker_link_write(&crew->workers[i], progressed);
    if (fed) {
        *progressed = true;
        look_soon(crew);
    }
    return 0;
}

/* ---- Watching ---- */

static void doom(struct worker_set *crew, struct worker_link *link, const struct agent_task *task,
                 enum worker_doom why)
{
    if (!is_isolated(crew) || !worker_link_condemn(link, task, why))
        return; /* a thread cannot be ended; or its result is on the way */
    forkserver_kill(crew->forkserver, (int)(link - crew->workers), SIGTERM);
    link->kill_at_ns = now_ns() + GRACE_NS;
    look_soon(crew);
}

static void soonest(int64_t *at_ns, int64_t candidate_ns)
{
    if (candidate_ns < *at_ns)
        *at_ns = candidate_ns;
}

/* Looks at one worker; *next_ns is when that is to be done again at the latest. */
static void look_at(struct worker_set *crew, struct worker_link *link, int64_t now,
                    int64_t *next_ns)
{
    int64_t begun_ns;
    struct agent_task *task = worker_link_running(link, &begun_ns);
    if (link->kill_at_ns) {
        if (now >= link->kill_at_ns) {
            forkserver_kill(crew->forkserver, (int)(link - crew->workers), SIGKILL);
            link->kill_at_ns = 0;
        } else {
            soonest(next_ns, link->kill_at_ns);
        }
        return;
    }
    if (!link->tasks.count || link->doom != DOOM_NONE)
        return;
    if (!task || link->reported == task->number + 1) {
        /* Between two tasks, or known to run: results of others behind it want fetching too. */
        if (!task || link->tasks.count > 1)
            soonest(next_ns, now + LOOK_NS);
    } else if (now - begun_ns < LOOK_NS) {
        soonest(next_ns, now + LOOK_NS);
    } else {
        link->reported = task->number + 1;
        crew->events.running(crew->events.context, task);
        if (link->tasks.count > 1)
            soonest(next_ns, now + LOOK_NS);
    }
    if (!task || crew->limits.timeout_s <= 0)
        return;
    double limit_ns = crew->limits.timeout_s * 1e9;
    if ((double)(now - begun_ns) >= limit_ns)
        doom(crew, link, task, DOOM_TIMED_OUT);
    else if (limit_ns < 9e18 - (double)begun_ns)
        soonest(next_ns, begun_ns + (int64_t)limit_ns + 1);
}

int64_t worker_set_look(struct worker_set *crew, int64_t now)
{
    if (now < crew->look_at_ns)
        return crew->look_at_ns;
    int64_t next_ns = INT64_MAX;
    crew->look_at_ns = INT64_MAX;
    for (int i = 0; i < crew->limits.workers; i++)
        look_at(crew, &crew->workers[i], now, &next_ns);
    soonest(&crew->look_at_ns, next_ns); /* it may have become sooner meanwhile */
    return crew->look_at_ns;
}

/* ---- Taking back ---- */

void worker_set_recall(struct worker_set *crew, struct task_list *queue)
{
    for (int i = crew->limits.workers - 1; i >= 0; i--)
        worker_link_take_back(&crew->workers[i], queue);
}

bool worker_set_cancel(struct worker_set *crew, struct task_list *queue, uint64_t id)
{
    for (int i = 0; i < crew->limits.workers; i++) {
        struct worker_link *link = &crew->workers[i];
        struct agent_task *task = task_list_find(&link->tasks, id);
        if (!task)
            continue;
        worker_link_recall(link, queue);
        task = task_list_take_id(queue, id);
        if (task) {
            report(crew, task, TASK_DROPPED, 0, 0, "");
            agent_task_free(task);
        } else {
            doom(crew, link, task_list_find(&link->tasks, id), DOOM_CANCELLED);
        }
        return true;
    }
    return false;
}

bool worker_set_idle(const struct worker_set *crew)
{
    for (int i = 0; i < crew->limits.workers; i++)
        if (crew->workers[i].tasks.count)
            return false;
    return true;
}

bool worker_set_dismiss(struct worker_set *crew)
{
    bool gone = !crew->starting;
    for (int i = 0; i < crew->limits.workers; i++) {
        struct worker_link *link = &crew->workers[i];
        if (link->state == WORKER_READY) {
            worker_link_dismiss(link);
            if (is_isolated(crew)) {
                link->kill_at_ns = now_ns() + DISMISS_NS; /* it may hang in its job's close */
                look_soon(crew);
            }
        }
        if (link->pid)
            gone = false;
    }
    return gone;
}

/* ---- Polling ---- */

int worker_set_poll_set(const struct worker_set *crew, struct pollfd *set)
{
    int count = 0;
    set[count++] = (struct pollfd){.fd = crew->forkserver->fd, .events = POLLIN};
    for (int i = 0; i < crew->limits.workers; i++) {
        const struct worker_link *link = &crew->workers[i];
        if (link->fd < 0)
            continue;
        short events = POLLIN;
        if (link->out_done < link->out.size)
            events |= POLLOUT;
        set[count++] = (struct pollfd){.fd = link->fd, .events = events};
    }
    return count;
}

void worker_set_polled(struct worker_set *crew, const struct pollfd *set)
{
    crew->forkserver_readable = set++->revents != 0;
    for (int i = 0; i < crew->limits.workers; i++) {
        struct worker_link *link = &crew->workers[i];
        if (link->fd >= 0)
            link->readable = (set++->revents & ~POLLOUT) != 0;
    }
}

/* ---- Life ---- */

int worker_set_size(const struct worker_set *crew)
{
    return crew->limits.workers;
}

uint32_t worker_set_replaced(const struct worker_set *crew)
{
    return crew->replaced;
}

struct worker_set *worker_set_new(struct forkserver *forkserver,
                                  const struct worker_set_limits *limits, int rank,
                                  const struct worker_set_events *events, struct mpp_error *error)
{
    struct worker_set *crew = calloc(1, sizeof *crew);
    struct worker_link *workers = calloc((size_t)limits->workers + 1, sizeof *workers);
    if (!crew || !workers) {
        free(crew);
        free(workers);
        mpp_error_set(error, "out of memory for %d workers", limits->workers);
        return NULL;
    }
    *crew = (struct worker_set){.forkserver = forkserver,
                                .limits = *limits,
                                .events = *events,
                                .workers = workers,
                                .look_at_ns = INT64_MAX};
    oom_watch_init(&crew->oom);
    for (int i = 0; i < limits->workers; i++) {
        worker_link_init(&workers[i], &forkserver->slots[i]);
        forkserver->slots[i].rank = rank;
    }
    return crew;
}

void worker_set_free(struct worker_set *crew)
{
    if (!crew)
        return;
    for (int i = 0; i < crew->limits.workers; i++)
        worker_link_release(&crew->workers[i]);
    free(crew->workers);
    free(crew);
}
