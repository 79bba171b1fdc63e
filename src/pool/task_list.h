/*
 * task_list: tasks as an agent keeps them, in its queue and with its workers.
 */
#ifndef TASK_LIST_H
#define TASK_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct task_slab;

/* A task as an agent keeps it, the payload behind the fields. Small ones share a slab of memory. */
struct agent_task {
    struct agent_task *next; /* in whichever list it is */
    struct task_slab *slab;
    uint64_t id;
    uint64_t number; /* with a worker: as worker_slot counts */
    uint32_t handout;
    uint32_t job;
    uint32_t size;
    uint8_t payload[];
};

/* *slab is where the last one went; NULL at first. It is the caller's, to be closed when no more
 * are made. NULL: out of memory. */
struct agent_task *agent_task_new(struct task_slab **slab, const struct message_task *task);
void task_slab_close(struct task_slab *slab);  /* its tasks stay; NULL is fine */
void agent_task_free(struct agent_task *task); /* NULL is fine */
struct message_task agent_task_message(const struct agent_task *task);

struct task_list {
    struct agent_task *first, **last; /* last: where the next one is linked */
    size_t count;
};

void task_list_init(struct task_list *list);
void task_list_release(struct task_list *list); /* frees the tasks; leaves an empty list */
void task_list_append(struct task_list *list, struct agent_task *task);

struct agent_task *task_list_find(const struct task_list *list, uint64_t id); /* NULL: not there */

/* Takes the first (NULL: none), or the one with this id. */
struct agent_task *task_list_take(struct task_list *list);
struct agent_task *task_list_take_id(struct task_list *list, uint64_t id);

/* Moves the last `count` tasks (at most those there are) to the front of another list, in their
 * order. */
void task_list_move_tail(struct task_list *list, size_t count, struct task_list *to);

#endif
