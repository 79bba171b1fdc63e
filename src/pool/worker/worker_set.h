/* SPDX-License-Identifier: MIT */
/*
 * worker_set: all worker processes of one agent. It starts them through the fork server, gives them
 * tasks from the agent's queue, collects results, kills workers at the time limit or on
 * cancellation, and replaces those that die.
 *
 * A worker gets tasks in frames. A frame holds some milliseconds of work, estimated from how long
 * recent tasks have run. If tasks are short, a worker gets a second frame before the first is done,
 * so that it never waits for the agent. Tasks that a worker has not begun can be taken back.
 *
 * Nothing blocks. The agent calls, in each of its steps: receive, start, assign, check_running.
 */
#ifndef WORKER_SET_H
#define WORKER_SET_H

#include <poll.h>
#include <stdbool.h>

#include "forkserver.h"
#include "message.h"
#include "mpp_error.h"
#include "task_list.h"

struct worker_set_limits {
    int workers;                   /* number of worker processes; may be 0 */
    uint32_t max_tasks_per_worker; /* after which a worker process is replaced; 0: no limit */
    double timeout_s;              /* for one run of one task; 0: no limit */
};

/* What the set reports to its agent. Pointers are valid during the call only. */
struct worker_set_callbacks {
    /* A task has ended; every task that was assigned is reported once, or goes back to the
     * queue. */
    void (*result)(void *context, const struct message_result *result);
    /* A task has been running for some milliseconds; called at most once for a run. */
    void (*running)(void *context, const struct agent_task *task);
    /* Workers cannot start; `text`, of `size` bytes, says why. No more are started. */
    void (*broken)(void *context, const char *text, uint32_t size);
    void *context;
};

struct worker_set;

/* The fork server must outlive the set. `rank` is what jobs get from mpp_context_rank. No worker is
 * started yet. NULL: out of memory. */
struct worker_set *worker_set_new(struct forkserver *forkserver,
                                  const struct worker_set_limits *limits, int rank,
                                  const struct worker_set_callbacks *callbacks,
                                  struct mpp_error *error);
void worker_set_free(struct worker_set *set); /* NULL is allowed; does not wait for the processes */

int worker_set_size(const struct worker_set *set); /* limits.workers */

/* How many worker processes have crashed or were killed so far. */
uint32_t worker_set_replaced(const struct worker_set *set);

/* Reads results from workers and events from the fork server. Unfinished tasks of a worker that has
 * died go to the front of the queue, except the task during which it died: that is reported. -1: no
 * worker can be started any more, or one has sent malformed data. */
int worker_set_receive(struct worker_set *set, struct task_list *queue, bool *progressed,
                       struct mpp_error *error);

/* Requests the worker processes that are missing. -1: the fork server has died. */
int worker_set_start(struct worker_set *set, struct mpp_error *error);

/* Gives tasks from the queue to workers that can take some, and writes to their sockets. -1: out of
 * memory. */
int worker_set_assign(struct worker_set *set, struct task_list *queue, bool *progressed,
                      struct mpp_error *error);

/* Reports tasks that have begun to run and kills workers whose task has reached the time limit.
 * Cheap when called too early. Returns when to call it again (monotonic_now_ns); INT64_MAX: not
 * before a task is assigned. */
int64_t worker_set_check_running(struct worker_set *set, int64_t now_ns);

/* Takes tasks that workers have not begun back to the front of the queue. A worker that is just
 * about to begin its first task keeps its tasks. */
void worker_set_take_back(struct worker_set *set, struct task_list *queue);

/* Cancels a task that is with a worker. If it has not begun, it is reported as TASK_DROPPED at
 * once; if it runs, its worker is killed, and it is reported when the process has ended. False: no
 * worker has it. */
bool worker_set_cancel(struct worker_set *set, struct task_list *queue, uint64_t id);

bool worker_set_idle(const struct worker_set *set); /* no worker has a task */

/* A worker has no task, or there are no workers. */
bool worker_set_starves(const struct worker_set *set);

/* Lets all workers end; to be called when the set is idle, repeatedly until it returns true: all
 * have ended. A worker that does not end within ten seconds is killed. */
bool worker_set_close(struct worker_set *set);

/* Fills in the descriptors to poll(2) for, at most MPP_WORKERS_MAX + 1, and returns how many. After
 * the poll pass the same entries to read_pollfds, before any other call. */
int worker_set_fill_pollfds(const struct worker_set *set, struct pollfd *fds);
void worker_set_read_pollfds(struct worker_set *set, const struct pollfd *fds);

#endif
