/*
 * worker_link: an agent's end of one worker process: its socket, the tasks that are with it, and
 * the claim word by which tasks that it has not begun are taken back. Does no scheduling and never
 * blocks.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "forkserver.h"
#include "message.h"
#include "mpp_error.h"
#include "task_list.h"

enum worker_state {
    WORKER_ABSENT,   /* to be asked for */
    WORKER_STARTING, /* asked for */
    WORKER_READY,
    WORKER_CLOSED, /* its socket is closed: it ends, or has ended and is waiting to be reaped */
};

/* Why the process of a worker is being ended. */
enum worker_doom { DOOM_NONE, DOOM_CANCELLED, DOOM_TIMED_OUT };

struct worker_link {
    enum worker_state state;
    int fd; /* -1: none */
    pid_t pid;
    struct worker_slot *slot;
    struct task_list tasks; /* with the worker, in the order sent */
    uint64_t sent;          /* number of the next task: counts all ever sent */
    struct buf out;         /* frames not written yet */
    size_t out_done;
    struct buf in;     /* bytes of a frame not whole yet */
    bool dismissed;    /* closed from this end: it is no loss */
    bool readable;     /* the socket has something, or has closed */
    uint64_t reported; /* what `running` was when it was reported; 0: nothing yet */
    enum worker_doom doom;
    int64_t kill_at_ns; /* when SIGKILL follows SIGTERM; 0: not, or it has been sent */
};

void worker_link_init(struct worker_link *link, struct worker_slot *slot);
void worker_link_release(struct worker_link *link); /* closes; frees the tasks */

void worker_link_started(struct worker_link *link, pid_t pid, int fd);

/* Appends one frame with the first `count` tasks of the list, which move to the worker. -1: out of
 * memory. */
int worker_link_assign(struct worker_link *link, struct task_list *list, uint32_t count,
                       struct mpp_error *error);

/* Tasks sent that the worker has not begun, as far as can be seen at this moment. */
uint32_t worker_link_unstarted(const struct worker_link *link);

/* Takes back every task that is not begun, to the front of the list; take_back does so only behind
 * a running one. */
void worker_link_recall(struct worker_link *link, struct task_list *to);
void worker_link_take_back(struct worker_link *link, struct task_list *to);

/* Writes what the socket takes. A closed socket is no error: the exit is reported elsewhere. */
void worker_link_write(struct worker_link *link, bool *progressed);

/* The task that is in its job's run, since when (CLOCK_MONOTONIC); NULL: none. */
struct agent_task *worker_link_running(const struct worker_link *link, int64_t *begun_ns);

/* The running task will not end by itself: from now on the worker does nothing more, and its
 * process is to be ended. False: it has just ended. */
bool worker_link_condemn(struct worker_link *link, const struct agent_task *task,
                         enum worker_doom doom);

/* Takes what is in the ring and, when readable, on the socket, and hands every result to the first
 * callback, which owns the task from then on; the second is told why a worker cannot start. -1: the
 * worker sent nonsense. */
struct worker_link_callbacks {
    void (*result)(void *context, struct agent_task *task, const struct message_result *result);
    void (*broken)(void *context, const char *text, uint32_t size);
    void *context;
};
int worker_link_read(struct worker_link *link, const struct worker_link_callbacks *callbacks,
                     bool *progressed, struct mpp_error *error);

/* After the worker process has ended: takes out the task it died in, or returns NULL. */
struct agent_task *worker_link_culprit(struct worker_link *link);

/* Closes the socket: a worker at rest ends. */
void worker_link_dismiss(struct worker_link *link);

#endif
