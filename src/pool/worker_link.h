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

/* A task as an agent keeps it: one block of memory, the payload behind the fields. */
struct agent_task {
    struct agent_task *next; /* in whichever list it is */
    uint64_t id;
    uint64_t number; /* with a worker: as worker_slot counts */
    uint32_t handout;
    uint32_t job;
    uint32_t size;
    uint8_t payload[];
};

struct agent_task *agent_task_new(const struct message_task *task); /* NULL: out of memory */
struct message_task agent_task_message(const struct agent_task *task);

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
    struct agent_task *first, **last; /* with the worker, in the order sent */
    uint32_t count;                   /* of them */
    uint64_t sent;                    /* number of the next task: counts all ever sent */
    struct buf out;                   /* frames not written yet */
    size_t out_done;
    struct buf in; /* bytes of a frame not whole yet */
};

void worker_link_init(struct worker_link *link, struct worker_slot *slot);
void worker_link_release(struct worker_link *link); /* closes; frees the tasks */

void worker_link_started(struct worker_link *link, pid_t pid, int fd);

/* Appends one frame with the first `count` tasks of *list, which move to the worker. -1: out of
 * memory. */
int worker_link_assign(struct worker_link *link, struct agent_task **list, uint32_t count,
                       struct mpp_error *error);

/* Tasks sent that the worker has not begun, as far as can be seen at this moment. */
uint32_t worker_link_unstarted(const struct worker_link *link);

/* Takes back every task that waits behind a running one; they are the caller's, in order. NULL:
 * none. */
struct agent_task *worker_link_take_back(struct worker_link *link);

/* Writes what the socket takes. A closed socket is no error: the exit is reported elsewhere. */
void worker_link_write(struct worker_link *link, bool *progressed);

/* Reads what is there and hands every result to the callback, which owns the task from then on. -1:
 * the worker sent nonsense. */
typedef void (*worker_link_result)(void *context, struct agent_task *task,
                                   const struct message_result *result);
int worker_link_read(struct worker_link *link, worker_link_result callback, void *context,
                     bool *progressed, struct mpp_error *error);

/* After the worker process has ended: unlinks and returns the task it died in, or NULL. */
struct agent_task *worker_link_culprit(struct worker_link *link);

/* Takes all tasks that are left with a dead worker. */
struct agent_task *worker_link_take_all(struct worker_link *link);

/* Closes the socket: a worker at rest ends. */
void worker_link_close(struct worker_link *link);

#endif
