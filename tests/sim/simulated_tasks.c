/* Tasks and messages of a simulated pool: see simulated_tasks.h. */
#include "simulated_tasks.h"

#include <stdlib.h>

#include "event_queue.h"

uint32_t stock_new_copy(struct stock *s)
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

void copies_append(struct stock *s, struct copies *list, uint32_t copy)
{
    s->copies[copy].next = NIL;
    if (list->count++)
        s->copies[list->tail].next = copy;
    else
        list->head = copy;
    list->tail = copy;
}

uint32_t copies_take(struct stock *s, struct copies *list)
{
    uint32_t copy = list->head;
    list->head = s->copies[copy].next;
    list->count--;
    return copy;
}

void copies_discard(struct stock *s, struct copies *list)
{
    if (!list->count)
        return;
    s->copies[list->tail].next = s->free_copy;
    s->free_copy = list->head;
    *list = (struct copies){0};
}

uint32_t stock_new_message(struct stock *s, struct message message)
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

void stock_free_message(struct stock *s, uint32_t index)
{
    copies_discard(s, &s->messages[index].copies);
    s->messages[index].next = s->free_message;
    s->free_message = index;
}

void stock_release(struct stock *s)
{
    free(s->copies);
    free(s->messages);
}
