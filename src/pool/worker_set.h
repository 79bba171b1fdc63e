/*
 * crew: the worker processes of one agent: starts, feeds, watches, ends and replaces them.
 *
 * A worker gets frames of tasks sized by how long tasks have been taking lately, at most two frames
 * at a time: the second hides the way there and back. What a worker has not begun can still be
 * taken back. Never blocks.
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
    int workers;                   /* processes; 0 is possible */
    uint32_t max_tasks_per_worker; /* 0: no limit */
    double timeout_s;              /* of one run; 0: none */
};

/* What the agent is told. The task's memory is the crew's. */
struct worker_set_events {
    void (*result)(void *context, const struct message_result *result);
    void (*running)(void *context, const struct agent_task *task); /* seen in its run, once */
    void (*broken)(void *context, const char *text, uint32_t size);
    void *context;
};

struct worker_set;

/* The fork server must outlive the crew. NULL: out of memory. */
struct worker_set *worker_set_new(struct forkserver *forkserver,
                                  const struct worker_set_limits *limits, int rank,
                                  const struct worker_set_events *events, struct mpp_error *error);
void worker_set_free(struct worker_set *crew);

int worker_set_size(const struct worker_set *crew);
uint32_t worker_set_replaced(const struct worker_set *crew); /* worker processes, so far */

/* Takes in results, starts, ends and crashes of workers. What a lost worker had not begun goes to
 * the front of the queue. */
int worker_set_hear(struct worker_set *crew, struct task_list *queue, bool *progressed,
                    struct mpp_error *error);

/* Asks for the workers that are missing. */
int worker_set_start(struct worker_set *crew, struct mpp_error *error);

/* Gives tasks of the queue to workers that can take some, and writes what can be written. */
int worker_set_feed(struct worker_set *crew, struct task_list *queue, bool *progressed,
                    struct mpp_error *error);

/* Looks after running tasks when it is time for it: tells of them once, ends those that run too
 * long. Returns when it is time again (CLOCK_MONOTONIC; INT64_MAX: never). */
int64_t worker_set_look(struct worker_set *crew, int64_t now_ns);

/* Brings back what workers have not begun, to the front of the queue. */
void worker_set_recall(struct worker_set *crew, struct task_list *queue);

/* Ends the task where it is with a worker: true. One that has not begun is dropped and reported as
 * such; one that runs is reported when its worker process has ended. */
bool worker_set_cancel(struct worker_set *crew, struct task_list *queue, uint64_t id);

bool worker_set_idle(const struct worker_set *crew); /* no task is with a worker */

/* Lets the workers go that are at rest; true when none is left. */
bool worker_set_dismiss(struct worker_set *crew);

/* Fills in what to poll for (at most MPP_WORKERS_MAX + 1 entries) and returns how many; and takes
 * the answers, from the same entries, before anything else has happened. */
int worker_set_poll_set(const struct worker_set *crew, struct pollfd *set);
void worker_set_polled(struct worker_set *crew, const struct pollfd *set);

#endif
