/* SPDX-License-Identifier: MIT */
/*
 * task_list: linked lists of the tasks that an agent holds: its queue, and the tasks that are with
 * each worker.
 */
#ifndef TASK_LIST_H
#define TASK_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "task_slab.h"

/* An agent's copy of a task. It is a member of at most one list. */
struct agent_task {
    struct agent_task *next;
    struct task_slab *slab; /* whose memory it uses */
    uint64_t id;
    uint64_t number; /* once sent to a worker: its number there, see struct worker_slot */
    uint32_t dispatch;
    uint32_t job;
    uint32_t size; /* of the payload, in bytes */
    uint8_t payload[];
};

/* Copies a decoded task, its payload included, into the slab that is being filled: see
 * task_slab_take. NULL: out of memory. */
struct agent_task *agent_task_new(struct task_slab **slab, const struct message_task *task);
void agent_task_free(struct agent_task *task); /* NULL is allowed */

/* The task in the form in which it is sent; its payload points into `task`. */
struct message_task agent_task_message(const struct agent_task *task);

/* A list owns its tasks. */
struct task_list {
    struct agent_task *first, **last; /* last: the link at the end, to which the next is appended */
    size_t count;
};

void task_list_init(struct task_list *list);
void task_list_release(struct task_list *list); /* frees the tasks; the list is empty afterwards */
void task_list_append(struct task_list *list, struct agent_task *task);

/* The task with this id, which stays in the list. NULL: it is not in the list. */
struct agent_task *task_list_find(const struct task_list *list, uint64_t id);

/* Remove and return the first task, or the task with this id. The caller owns it. NULL: there is
 * none. */
struct agent_task *task_list_take(struct task_list *list);
struct agent_task *task_list_take_id(struct task_list *list, uint64_t id);

/* Moves the last `count` tasks, or all if there are fewer, to the front of another list. They keep
 * their order. */
void task_list_move_tail(struct task_list *list, size_t count, struct task_list *to);

#endif
