/*
 * message: what ranks, and an agent and its workers, say to each other.
 *
 * Every message is one type byte and fields in explicit little-endian; nothing is ever a raw
 * struct. Lists carry their count in front and are read with a reader, item by item, in place. A
 * decoder never trusts: what is short, too long or of an unknown type is MESSAGE_BAD.
 *
 *   coordinator -> agent    TASKS, STEAL, CANCEL, STOP, LOST, END
 *   agent -> coordinator    HELLO, WANT, RUNNING, DONE, MOVED, BROKEN, BYE
 *   victim -> thief         TASKS
 *   agent -> worker         TASKS          } the same bytes in a frame on a socket: worker.h
 *   worker -> agent         DONE, BROKEN   }
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* Spoken in HELLO: all ranks must run one program. */
#define MESSAGE_PROTOCOL 3

enum message_type {
    MESSAGE_BAD,
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
};

/* The type of an encoded message; *fields is left behind the type byte. */
enum message_type message_open(const void *bytes, size_t size, struct reader *fields);

struct message_hello {
    uint64_t build; /* the same for ranks of one version with the same jobs */
    uint32_t workers;
    char host[64];
};
void message_put_hello(struct buf *out, const struct message_hello *hello);
int message_get_hello(struct reader *fields, struct message_hello *hello); /* -1: malformed */

/* ---- TASKS: a list of tasks ---- */

struct message_task {
    uint64_t id;
    uint32_t handout; /* which handing-out of this task it is; goes back in DONE and MOVED */
    uint32_t job;     /* index into the table of jobs */
    uint32_t size;    /* of the payload, bytes */
    const void *payload;
};

/* ---- DONE: a list of results ---- */

enum task_status {
    TASK_SUCCEEDED,      /* data: the result */
    TASK_FAILED,         /* data: the message of the job's error */
    TASK_FAILED_MEMORY,  /* the same, of a job that was out of memory */
    TASK_CRASHED,        /* the worker process ended; data: how, as text */
    TASK_CRASHED_MEMORY, /* the same, for want of memory */
    TASK_TIMED_OUT,      /* its worker process was ended; data: as text */
    TASK_DROPPED,        /* cancelled: it did not run, or not to its end; no data */
};

struct message_result {
    uint64_t id;
    uint32_t handout;
    enum task_status status;
    uint32_t signal; /* TASK_CRASHED: what ended the worker, 0: it exited */
    uint32_t pid;    /* of the worker process */
    uint64_t run_ns; /* in the job's run */
    uint32_t size;   /* of data, bytes */
    const void *data;
};

/* Lists are built in place: begin, put any number, end. put does not check sizes against 32 bits:
 * the caller has (MESSAGE_DATA_MAX). */
#define MESSAGE_DATA_MAX (UINT32_C(1) << 30)

struct message_list {
    struct buf *out;
    size_t count_at; /* offset of the count */
    uint32_t count;
};

struct message_list message_begin_tasks(struct buf *out);
void message_put_task(struct message_list *list, const struct message_task *task);

/* workers_replaced: how many worker processes this agent has had to replace so far. The agent may
 * add to it that it wants more tasks, as long as it has not been sent. */
struct message_list message_begin_done(struct buf *out, uint32_t workers_replaced);
void message_add_want(const struct message_list *done);
void message_put_result(struct message_list *list, const struct message_result *result);

/* MOVED: ids and handouts of tasks that now are at `thief`; ends the steal even when there are
 * none. */
struct message_list message_begin_moved(struct buf *out, uint32_t thief);
void message_put_moved(struct message_list *list, uint64_t id, uint32_t handout);

void message_end(struct message_list *list);

/* Reading: get the head, then `count` times the item. -1: malformed. */
int message_get_tasks(struct reader *fields, uint32_t *count);
int message_get_task(struct reader *fields, struct message_task *task);
int message_get_done(struct reader *fields, uint32_t *workers_replaced, bool *wants,
                     uint32_t *count);
int message_get_result(struct reader *fields, struct message_result *result);
int message_get_moved(struct reader *fields, uint32_t *thief, uint32_t *count);
int message_get_moved_task(struct reader *fields, uint64_t *id, uint32_t *handout);

/* ---- The rest ---- */

void message_put_want(struct buf *out);

struct message_steal {
    uint32_t thief; /* rank to hand tasks to */
    uint32_t count; /* at most */
};
void message_put_steal(struct buf *out, const struct message_steal *steal);
int message_get_steal(struct reader *fields, struct message_steal *steal);

/* discard: unstarted tasks are dropped; otherwise there are none. Running ones are always finished.
 */
void message_put_stop(struct buf *out, bool discard);
int message_get_stop(struct reader *fields, bool *discard);

void message_put_bye(struct buf *out);

/* LOST: this rank is gone, and what is on its way to it is dropped. END: every rank that is there
 * has said BYE, and nothing is on its way any more. */
void message_put_lost(struct buf *out, uint32_t rank);
int message_get_lost(struct reader *fields, uint32_t *rank);
void message_put_end(struct buf *out);

/* RUNNING: one task that is seen in its job's run. CANCEL: one that is not wanted any more. */
void message_put_running(struct buf *out, uint64_t id, uint32_t handout);
int message_get_running(struct reader *fields, uint64_t *id, uint32_t *handout);
void message_put_cancel(struct buf *out, uint64_t id);
int message_get_cancel(struct reader *fields, uint64_t *id);

/* BROKEN: no task can run there, because of this. *text points into the message. */
void message_put_broken(struct buf *out, const char *text);
int message_get_broken(struct reader *fields, const char **text, uint32_t *size);

#endif
