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

struct worker_link {
    enum worker_state state;
    int fd; /* -1: none */
    pid_t pid;
    struct worker_slot *slot;
    struct task_list tasks; /* with the worker, in the order sent */
    uint64_t sent;          /* number of the next task: counts all ever sent */
    struct buf out;         /* frames not written yet */
    size_t out_done;
    struct buf in; /* bytes of a frame not whole yet */
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

/* Takes back every task that waits behind a running one, to the front of the list. */
void worker_link_take_back(struct worker_link *link, struct task_list *to);

/* Writes what the socket takes. A closed socket is no error: the exit is reported elsewhere. */
void worker_link_write(struct worker_link *link, bool *progressed);

/* Reads what is there and hands every result to the callback, which owns the task from then on. -1:
 * the worker sent nonsense. */
typedef void (*worker_link_result)(void *context, struct agent_task *task,
                                   const struct message_result *result);
int worker_link_read(struct worker_link *link, worker_link_result callback, void *context,
                     bool *progressed, struct mpp_error *error);

/* After the worker process has ended: takes out the task it died in, or returns NULL. */
struct agent_task *worker_link_culprit(struct worker_link *link);

/* Closes the socket: a worker at rest ends. */
void worker_link_close(struct worker_link *link);

#endif
