/* SPDX-License-Identifier: MIT */
/* Lists of tasks, and the memory of the tasks: see task_list.h. */
#include "task_list.h"

#include <stdlib.h>
#include <string.h>

/* Small, because one task that runs for long keeps the whole slab. */
enum { SLAB_BYTES = 16384 };

struct task_slab {
    size_t references; /* its tasks, and 1 while it is being filled */
    size_t used, size; /* of `bytes`, in bytes */
    _Alignas(max_align_t) uint8_t bytes[];
};

void task_slab_close(struct task_slab *slab)
{
    if (slab && !--slab->references)
        free(slab);
}

static struct task_slab *slab_new(size_t bytes, size_t references)
{
    struct task_slab *slab = malloc(sizeof *slab + bytes);
    if (slab)
        *slab = (struct task_slab){.references = references, .size = bytes};
    return slab;
}

/* A slab with room for `size` more bytes. A large task gets one of its own. */
static struct task_slab *slab_with_room(struct task_slab **slab, size_t size)
{
    if (size > SLAB_BYTES / 4)
        return slab_new(size, 0);
    if (*slab && (*slab)->size - (*slab)->used >= size)
        return *slab;
    struct task_slab *fresh = slab_new(SLAB_BYTES, 1);
    if (fresh) {
        task_slab_close(*slab);
        *slab = fresh;
    }
    return fresh;
}

struct agent_task *agent_task_new(struct task_slab **slab, const struct message_task *task)
{
    size_t unit = _Alignof(max_align_t);
    size_t size = (sizeof(struct agent_task) + task->size + unit - 1) / unit * unit;
    struct task_slab *home = slab_with_room(slab, size);
    if (!home)
        return NULL;
    struct agent_task *copy = (struct agent_task *)(home->bytes + home->used);
    home->used += size;
    home->references++;
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
