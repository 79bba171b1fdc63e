/* SPDX-License-Identifier: MIT */
/*
 * worker_handle: the agent's handle on one worker process: its socket, the tasks that it has, and
 * the shared memory through which unstarted tasks are taken back and results arrive. worker_set
 * decides which tasks a worker gets and when it is killed; this file carries it out.
 *
 * Nothing blocks.
 */
#ifndef WORKER_HANDLE_H
#define WORKER_HANDLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "message.h"
#include "mpp_error.h"
#include "task_list.h"
#include "worker_slot.h"

enum worker_state {
    WORKER_ABSENT,   /* there is no process; one may be requested */
    WORKER_STARTING, /* requested from the fork server */
    WORKER_READY,    /* runs, and its socket is open */
    WORKER_CLOSED,   /* its socket is closed; the fork server has not reported its exit yet */
};

/* Why the agent is killing a worker process. */
enum worker_termination { TERMINATION_NONE, TERMINATION_CANCELLED, TERMINATION_TIMED_OUT };

struct worker_handle {
    enum worker_state state;
    int fd;    /* socket; -1: none */
    pid_t pid; /* 0: no process */
    struct worker_slot *slot;
    struct task_list tasks; /* those that the worker has, in the order sent */
    uint64_t sent;          /* how many tasks were sent to this process: the next task's number */
    struct buf out;         /* frames to write */
    size_t out_done;        /* how many bytes of them are written */
    struct buf in;          /* the beginning of a frame that has not arrived completely */
    bool closed_by_agent;   /* so its exit is expected */
    bool readable;          /* poll(2) said that the socket has data or is closed */
    uint64_t reported_running; /* number + 1 of the last task reported as running; 0: none */
    enum worker_termination termination;
    int64_t kill_at_ns; /* when SIGKILL is due, monotonic_now_ns(); 0: not */
};

void worker_handle_init(struct worker_handle *worker, struct worker_slot *slot);

/* Closes the socket and frees the tasks; the handle is as after init and can be used for the next
 * process on the slot. */
void worker_handle_release(struct worker_handle *worker);

/* The fork server has started the process. Takes over the descriptor. */
void worker_handle_started(struct worker_handle *worker, pid_t pid, int fd);

/* Closes the socket: a worker without tasks ends. */
void worker_handle_close(struct worker_handle *worker);

/* ---- Tasks ---- */

/* Moves the first `count` tasks of a list, fewer if they are very large, to the worker, as one
 * frame. -1: out of memory. */
int worker_handle_assign(struct worker_handle *worker, struct task_list *list, uint32_t count,
                         struct mpp_error *error);

/* Writes as much as the socket accepts. A closed socket is not an error: the fork server will
 * report the worker's exit. */
void worker_handle_write(struct worker_handle *worker, bool *progressed);

/* How many tasks the worker has that it has not begun. It may begin one at any moment. */
uint32_t worker_handle_unstarted(const struct worker_handle *worker);

/* Take back all tasks that the worker has not begun, to the front of the list, in their order. The
 * second function does nothing while the worker has not begun any of its tasks: a task that is
 * taken back again and again would never run. */
void worker_handle_take_back_all(struct worker_handle *worker, struct task_list *to);
void worker_handle_take_back(struct worker_handle *worker, struct task_list *to);

/* The task that the worker is running, and the time when it began (monotonic_now_ns). NULL:
 * none. */
struct agent_task *worker_handle_running(const struct worker_handle *worker, int64_t *begun_ns);

/* ---- Results ---- */

struct worker_handle_callbacks {
    /* The task has left the worker and belongs to the callee. */
    void (*result)(void *context, struct agent_task *task, const struct message_result *result);
    /* The worker cannot run tasks; `text`, of `size` bytes, says why. */
    void (*broken)(void *context, const char *text, uint32_t size);
    void *context;
};

/* Reads the result ring, and the socket if it is readable, and calls back for each result. -1: the
 * worker has sent malformed data. */
int worker_handle_read(struct worker_handle *worker,
                       const struct worker_handle_callbacks *callbacks, bool *progressed,
                       struct mpp_error *error);

/* ---- Ends ---- */

/* Marks the worker for termination because of the task that it is running; the caller then kills
 * the process. From now on the worker begins no other task and gives no result for this one. False:
 * the task has just ended, and nothing is marked. */
bool worker_handle_mark_terminated(struct worker_handle *worker, const struct agent_task *task,
                                   enum worker_termination termination);

/* After the process has ended: removes and returns the task during which it ended. NULL: it was not
 * running one. */
struct agent_task *worker_handle_take_interrupted(struct worker_handle *worker);

#endif
