/* SPDX-License-Identifier: MIT */
/* Lists of tasks: see task_list.h. */
#include "task_list.h"

#include <string.h>

struct agent_task *agent_task_new(struct task_slab **slab, const struct message_task *task)
{
    struct task_slab *home;
    struct agent_task *copy = task_slab_take(slab, sizeof *copy + task->size, &home);
    if (!copy)
        return NULL;
    *copy = (struct agent_task){.slab = home,
                                .id = task->id,
                                .dispatch = task->dispatch,
                                .job = task->job,
                                .size = task->size};
    if (task->size)
        memcpy(copy->payload, task->payload, task->size);
    return copy;
}

void agent_task_free(struct agent_task *task)
{
    if (task)
        task_slab_close(task->slab);
}

struct message_task agent_task_message(const struct agent_task *task)
{
    return (struct message_task){.id = task->id,
                                 .dispatch = task->dispatch,
                                 .job = task->job,
                                 .size = task->size,
                                 .payload = task->payload};
}

void task_list_init(struct task_list *list)
{
    *list = (struct task_list){.last = &list->first};
}

void task_list_release(struct task_list *list)
{
    for (struct agent_task *task; (task = task_list_take(list));)
        agent_task_free(task);
}

void task_list_append(struct task_list *list, struct agent_task *task)
{
    task->next = NULL;
    *list->last = task;
    list->last = &task->next;
    list->count++;
}

static struct agent_task *unlink_at(struct task_list *list, struct agent_task **at)
{
    struct agent_task *task = *at;
    *at = task->next;
    if (list->last == &task->next)
        list->last = at;
    list->count--;
    task->next = NULL;
    return task;
}

struct agent_task *task_list_take(struct task_list *list)
{
    return list->first ? unlink_at(list, &list->first) : NULL;
}

struct agent_task *task_list_find(const struct task_list *list, uint64_t id)
{
    struct agent_task *task = list->first;
    while (task && task->id != id)
        task = task->next;
    return task;
}

struct agent_task *task_list_take_id(struct task_list *list, uint64_t id)
{
    for (struct agent_task **at = &list->first; *at; at = &(*at)->next)
        if ((*at)->id == id)
            return unlink_at(list, at);
    return NULL;
}

void task_list_move_tail(struct task_list *list, size_t count, struct task_list *to)
{
    if (count > list->count)
        count = list->count;
    if (!count)
        return;
    struct agent_task **at = &list->first;
    for (size_t keep = list->count - count; keep; keep--)
        at = &(*at)->next;
    *list->last = to->first;
    if (!to->first)
        to->last = list->last;
    to->first = *at;
    *at = NULL;
    list->last = at;
    list->count -= count;
    to->count += count;
}
