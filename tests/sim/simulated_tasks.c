/* SPDX-License-Identifier: MIT */
/* Memory for the tasks and messages of a simulated pool: see simulated_tasks.h. */
#include "simulated_tasks.h"

#include <stdlib.h>

#include "event_queue.h"

uint32_t simulated_tasks_new_copy(struct simulated_tasks *s)
{
    if (s->free_copy == NIL) {
        uint32_t old = s->copy_capacity;
        s->copy_capacity = old ? 2 * old : 1024;
        s->copies = must_realloc(s->copies, s->copy_capacity, sizeof *s->copies);
        for (uint32_t i = s->copy_capacity; i-- > old; s->free_copy = i)
            s->copies[i].next = s->free_copy;
    }
    uint32_t copy = s->free_copy;
    s->free_copy = s->copies[copy].next;
    return copy;
}

void copy_list_append(struct simulated_tasks *s, struct copy_list *list, uint32_t copy)
{
    s->copies[copy].next = NIL;
    if (list->count++)
        s->copies[list->tail].next = copy;
    else
        list->head = copy;
    list->tail = copy;
}

uint32_t copy_list_take(struct simulated_tasks *s, struct copy_list *list)
{
    uint32_t copy = list->head;
    list->head = s->copies[copy].next;
    list->count--;
    return copy;
}

void copy_list_discard(struct simulated_tasks *s, struct copy_list *list)
{
    if (!list->count)
        return;
    s->copies[list->tail].next = s->free_copy;
    s->free_copy = list->head;
    *list = (struct copy_list){0};
}

uint32_t simulated_tasks_new_message(struct simulated_tasks *s, struct simulated_message message)
{
    if (s->free_message == NIL) {
        uint32_t old = s->message_capacity;
        s->message_capacity = old ? 2 * old : 1024;
        s->messages = must_realloc(s->messages, s->message_capacity, sizeof *s->messages);
        for (uint32_t i = s->message_capacity; i-- > old; s->free_message = i)
            s->messages[i].next = s->free_message;
    }
    uint32_t index = s->free_message;
    s->free_message = s->messages[index].next;
    message.next = NIL;
    s->messages[index] = message;
    return index;
}

void simulated_tasks_free_message(struct simulated_tasks *s, uint32_t index)
{
    copy_list_discard(s, &s->messages[index].copies);
    s->messages[index].next = s->free_message;
    s->free_message = index;
}

void simulated_tasks_release(struct simulated_tasks *s)
{
    free(s->copies);
    free(s->messages);
}
