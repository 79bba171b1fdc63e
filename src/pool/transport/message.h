/* SPDX-License-Identifier: MIT */
/*
 * message: the encoding of every message between ranks, and between an agent and its workers.
 *
 *   coordinator -> agent    PING, TASKS, STEAL, CANCEL, STOP, LOST, END
 *   agent -> coordinator    HELLO, CLOCK, WANT, RUNNING, DONE, MOVED, BROKEN, BYE
 *   victim -> thief         TASKS (both are agents)
 *   agent -> worker         TASKS         } in a frame on a socket, see result_sender.h
 *   worker -> agent         DONE, BROKEN  }
 *
 * A message is one byte for its type and then its fields as little-endian integers; a struct is
 * never copied as it is. A list is a count and that many items. Lists are written and read item by
 * item without an intermediate array.
 *
 * message_put_X appends a message of type X to a buf; memory failures are recorded in the buf (see
 * buf.h). message_get_X reads the fields after message_open; it returns -1 for a message that is
 * truncated or holds values out of range. Pointers that it returns point into the message.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Sent in HELLO, so that ranks that run different programs are detected. */
#define MESSAGE_PROTOCOL 5

enum message_type {
    MESSAGE_BAD, /* never sent: an empty message or an unknown type */
    MESSAGE_HELLO,
    MESSAGE_TASKS,
    MESSAGE_WANT,
    MESSAGE_DONE,
    MESSAGE_STEAL,
    MESSAGE_MOVED,
    MESSAGE_STOP,
    MESSAGE_BYE,
    MESSAGE_RUNNING,
    MESSAGE_CANCEL,
    MESSAGE_BROKEN,
    MESSAGE_LOST,
    MESSAGE_END,
    MESSAGE_PING,
    MESSAGE_CLOCK,
};

/* The type of an encoded message. *fields is set to read the bytes behind the type. */
enum message_type message_open(const void *bytes, size_t size, struct reader *fields);

/* ---- HELLO: the agent of a rank has started ---- */

struct message_hello {
    uint64_t build;   /* equal on ranks that run the same version with the same jobs */
    uint32_t workers; /* worker processes that the agent will run */
    int64_t clock_ns; /* the rank's CLOCK_MONOTONIC */
    bool polls_host;  /* the ranks of its host cannot wake each other */
    char host[64];
};
void message_put_hello(struct buf *out, const struct message_hello *hello);
/* Also fails for another MESSAGE_PROTOCOL. */
int message_get_hello(struct reader *fields, struct message_hello *hello);

/* PING, to an agent: answer at once with CLOCK, the rank's CLOCK_MONOTONIC. */
void message_put_ping(struct buf *out);
void message_put_clock(struct buf *out, int64_t clock_ns);
int message_get_clock(struct reader *fields, int64_t *clock_ns);

/* ---- Lists: TASKS, DONE and MOVED ---- */

/* To write a list: begin, put any number of items, end. To read it: get the head with the count,
 * then get that many items. A payload or result must not exceed MESSAGE_DATA_MAX bytes; the caller
 * has checked that. */
#define MESSAGE_DATA_MAX (UINT32_C(1) << 30)

struct message_list {
    struct buf *out; /* NULL: no list has been begun */
    size_t count_at; /* offset of the count in `out` */
    uint32_t count;
};

void message_end(struct message_list *list); /* writes the count */

/* ---- TASKS: run these tasks ---- */

struct message_task {
    uint64_t id;
    /* How often the coordinator has sent the task to an agent, from 1. DONE and MOVED repeat it, so
     * that a late report about an earlier dispatch is recognised. */
    uint32_t dispatch;
    uint32_t job;  /* index into the table of jobs */
    uint32_t size; /* of the payload, in bytes */
    const void *payload;
};

struct message_list message_begin_tasks(struct buf *out);
void message_put_task(struct message_list *list, const struct message_task *task);
int message_get_tasks(struct reader *fields, uint32_t *count);
int message_get_task(struct reader *fields, struct message_task *task);

/* ---- DONE: results of tasks ---- */

enum task_status {
    TASK_SUCCEEDED,     /* data: the result */
    TASK_FAILED,        /* the job returned an error; data: its text */
    TASK_FAILED_MEMORY, /* the job returned an error because it was out of memory; data: its text */
    TASK_CRASHED,       /* the worker process died; data: a text that says how */
    TASK_CRASHED_MEMORY, /* the worker process died because memory ran out; data: a text */
    TASK_TIMED_OUT,      /* the worker process was killed at the time limit; data: a text */
    TASK_DROPPED,        /* cancelled before it ran to its end; no data */
};

struct message_result {
    uint64_t id;
    uint32_t dispatch;
    enum task_status status;
    uint32_t signal; /* that ended the worker process; 0: none */
    uint32_t pid;    /* of the worker process; 0: none */
    uint64_t run_ns; /* time in the job's run function */
    /* When the attempt ended, or when the agent noticed it, on the rank's CLOCK_MONOTONIC. */
    int64_t ended_ns;
    uint16_t worker; /* number of the worker process on its rank, below MPP_WORKERS_MAX */
    uint32_t size;   /* of data, in bytes */
    const void *data;
};

/* workers_replaced: how many worker processes the agent has had to replace since it started. */
struct message_list message_begin_done(struct buf *out, uint32_t workers_replaced);
void message_put_result(struct message_list *list, const struct message_result *result);
/* Adds to a DONE that the agent wants more tasks, which saves a WANT. May be called at any time
 * after message_begin_done, until the message is sent. */
void message_add_want(const struct message_list *done);
int message_get_done(struct reader *fields, uint32_t *workers_replaced, bool *wants,
                     uint32_t *count);
int message_get_result(struct reader *fields, struct message_result *result);

/* ---- Work stealing ---- */

/* STEAL, to the victim: send tasks from the tail of your queue to the thief. */
struct message_steal {
    uint32_t thief; /* rank */
    uint32_t count; /* tasks to send at most */
};
void message_put_steal(struct buf *out, const struct message_steal *steal);
int message_get_steal(struct reader *fields, struct message_steal *steal);

/* MOVED, the victim's answer: a list of the tasks that it has sent to the thief, possibly empty. */
struct message_list message_begin_moved(struct buf *out, uint32_t thief);
void message_put_moved(struct message_list *list, uint64_t id, uint32_t dispatch);
int message_get_moved(struct reader *fields, uint32_t *thief, uint32_t *count);
int message_get_moved_task(struct reader *fields, uint64_t *id, uint32_t *dispatch);

/* WANT: the agent's queue is short, send it more tasks. */
void message_put_want(struct buf *out);

/* ---- One task ---- */

/* RUNNING: this task has been running for some milliseconds. */
void message_put_running(struct buf *out, uint64_t id, uint32_t dispatch);
int message_get_running(struct reader *fields, uint64_t *id, uint32_t *dispatch);

/* CANCEL: drop this task, or kill the worker process that runs it. */
void message_put_cancel(struct buf *out, uint64_t id);
int message_get_cancel(struct reader *fields, uint64_t *id);

/* ---- Shutdown and failures ---- */

/* STOP: no more tasks will be submitted; finish, then send BYE. discard: drop the tasks that no
 * worker has begun; without it there are none. A task that is running is always finished. */
void message_put_stop(struct buf *out, bool discard);
int message_get_stop(struct reader *fields, bool *discard);

/* BYE: all workers of this agent have ended, and it will send nothing more. */
void message_put_bye(struct buf *out);

/* END: every living rank has sent BYE and no message is under way; close the transport. */
void message_put_end(struct buf *out);

/* LOST: this rank has died; drop messages to it. */
void message_put_lost(struct buf *out, uint32_t rank);
int message_get_lost(struct reader *fields, uint32_t *rank);

/* BROKEN: the agent cannot run any task, because its workers cannot start. `text` says why; it is
 * not terminated when read. */
void message_put_broken(struct buf *out, const char *text);
int message_get_broken(struct reader *fields, const char **text, uint32_t *size);

#endif
