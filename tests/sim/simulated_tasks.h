/*
 * stock: what is on its way or lies somewhere in a simulated pool: tasks, and messages that hold
 * some. All are numbers into two arrays that grow; what is given back is used again.
 */
#ifndef SIMULATED_TASKS_H
#define SIMULATED_TASKS_H

#include <stdbool.h>
#include <stdint.h>

#define NIL UINT32_MAX

/* A task as it is somewhere: in a message, in an agent's queue, with a worker. After a loss there
 * may be two of one task. */
struct copy {
    uint64_t id;
    int64_t run_ns;
    uint32_t handout;
    uint32_t next;
};

struct copies {
    uint32_t head, tail, count;
};

struct message {
    enum { TASKS, STEAL, WANT, DONE, MOVED } type;
    int from, other;
    uint32_t steal_count;
    bool wants; /* DONE: and asks for more */
    struct copies copies;
    uint32_t next; /* in rank 0's inbox, or free */
};

struct stock {
    struct copy *copies;
    uint32_t copy_capacity, free_copy;
    struct message *messages;
    uint32_t message_capacity, free_message;
};

#define STOCK_INIT                                                                                 \
    {                                                                                              \
        .free_copy = NIL, .free_message = NIL                                                      \
    }

uint32_t stock_new_copy(struct stock *s);
void copies_append(struct stock *s, struct copies *list, uint32_t copy);
uint32_t copies_take(struct stock *s, struct copies *list);
void copies_discard(struct stock *s, struct copies *list);
uint32_t stock_new_message(struct stock *s, struct message message);
void stock_free_message(struct stock *s, uint32_t index);
void stock_release(struct stock *s);

#endif
