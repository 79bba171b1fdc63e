/* SPDX-License-Identifier: MIT */
/*
 * simulated_tasks: memory for the tasks and messages of a simulated pool. Both are identified by
 * indices into two growing arrays; freed entries are reused.
 */
#ifndef SIMULATED_TASKS_H
#define SIMULATED_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#define NIL UINT32_MAX /* no index */

/* A task in a message, in the queue of an agent or at a worker. After an agent was lost, there can
 * be two copies of a task. */
struct task_copy {
    uint64_t id;
    int64_t run_ns;
    uint32_t dispatch;
    uint32_t next;
};

/* A singly linked list of copies. */
struct copy_list {
    uint32_t head, tail, count;
};

struct simulated_message {
    enum { TASKS, STEAL, WANT, DONE, MOVED } type;
    int from, other;
    uint32_t steal_count;
    bool wants; /* DONE: the agent asks for more tasks, too */
    struct copy_list copies;
    uint32_t next; /* in the inbox of rank 0, or in the list of free messages */
};

struct simulated_tasks {
    struct task_copy *copies;
    uint32_t copy_capacity, free_copy;
    struct simulated_message *messages;
    uint32_t message_capacity, free_message;
};

#define SIMULATED_TASKS_INIT                                                                       \
    {                                                                                              \
        .free_copy = NIL, .free_message = NIL                                                      \
    }

uint32_t simulated_tasks_new_copy(struct simulated_tasks *s);
void copy_list_append(struct simulated_tasks *s, struct copy_list *list, uint32_t copy);
uint32_t copy_list_take(struct simulated_tasks *s, struct copy_list *list);
void copy_list_discard(struct simulated_tasks *s, struct copy_list *list);
uint32_t simulated_tasks_new_message(struct simulated_tasks *s, struct simulated_message message);
void simulated_tasks_free_message(struct simulated_tasks *s, uint32_t index);
void simulated_tasks_release(struct simulated_tasks *s);

#endif
