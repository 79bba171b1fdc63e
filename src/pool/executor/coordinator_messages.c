/* SPDX-License-Identifier: MIT */
/* What agents report, decoded: see coordinator_messages.h. */
#include "coordinator_messages.h"

static int take_hello(struct coordinator *c, int from, struct reader *fields,
                      struct mpp_error *error)
{
    struct message_hello hello;
    if (message_get_hello(fields, &hello))
        return mpp_error_set(error, "rank %d runs another build of the program or the library",
                             from);
    return coordinator_agent_joined(c, from, &hello, error);
}

static int take_clock(struct coordinator *c, int from, struct reader *fields,
                      struct mpp_error *error)
{
    int64_t clock_ns;
    if (message_get_clock(fields, &clock_ns))
        return mpp_error_set(error, "rank %d sent a damaged time", from);
    coordinator_agent_clock(c, from, clock_ns);
    return 0;
}

static int take_done(struct coordinator *c, int from, struct reader *fields,
                     struct mpp_error *error)
{
    uint32_t replaced, count;
    bool wants_tasks;
    if (message_get_done(fields, &replaced, &wants_tasks, &count))
        return mpp_error_set(error, "rank %d sent a damaged list of results", from);
    coordinator_results_arrive(c, from, replaced);
    for (uint32_t i = 0; i < count; i++) {
        struct message_result result;
        if (message_get_result(fields, &result))
            return mpp_error_set(error, "rank %d sent a damaged result", from);
        if (coordinator_task_ended(c, from, &result, error))
            return -1;
    }
    return wants_tasks ? coordinator_agent_wants_tasks(c, from, error) : 0;
}

static int take_moved(struct coordinator *c, int from, struct reader *fields,
                      struct mpp_error *error)
{
    uint32_t thief, count;
    if (message_get_moved(fields, &thief, &count) || thief >= (uint32_t)coordinator_rank_count(c))
        return mpp_error_set(error, "rank %d sent a damaged list of moved tasks", from);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id;
        uint32_t dispatch;
        if (message_get_moved_task(fields, &id, &dispatch))
            return mpp_error_set(error, "rank %d sent a damaged moved task", from);
        if (coordinator_task_moved(c, from, (int)thief, id, dispatch, error))
            return -1;
    }
    return coordinator_steal_ended(c, from, (int)thief, count, error);
}

static int take_running(struct coordinator *c, int from, struct reader *fields,
                        struct mpp_error *error)
{
    uint64_t id;
    uint32_t dispatch;
    if (message_get_running(fields, &id, &dispatch))
        return mpp_error_set(error, "rank %d sent a damaged report of a running task", from);
    coordinator_task_running(c, id);
    return 0;
}

static int take_broken(struct coordinator *c, int from, struct reader *fields,
                       struct mpp_error *error)
{
    const char *reason;
    uint32_t size;
    if (message_get_broken(fields, &reason, &size))
        return mpp_error_set(error, "rank %d sent a damaged report of a failure", from);
    return coordinator_break(c, from, reason, size, error);
}

bool coordinator_takes_message(const struct buf *message)
{
    struct reader fields;
    switch (message_open(message->data, message->size, &fields)) {
    case MESSAGE_HELLO:
    case MESSAGE_CLOCK:
    case MESSAGE_WANT:
    case MESSAGE_DONE:
    case MESSAGE_MOVED:
    case MESSAGE_RUNNING:
    case MESSAGE_BROKEN:
    case MESSAGE_BYE:
        return true;
    case MESSAGE_PING:
    case MESSAGE_TASKS:
    case MESSAGE_CANCEL:
    case MESSAGE_STEAL:
    case MESSAGE_STOP:
    case MESSAGE_LOST:
    case MESSAGE_END:
    case MESSAGE_BAD:
        break;
    }
    return false;
}

int coordinator_take_message(struct coordinator *c, int from, const struct buf *message,
                             struct mpp_error *error)
{
    struct reader fields;
    if (coordinator_is_rank_lost(c, from))
        return 0; /* sent before the rank died: its tasks have been given to others */
    switch (message_open(message->data, message->size, &fields)) {
    case MESSAGE_HELLO:
        return take_hello(c, from, &fields, error);
    case MESSAGE_CLOCK:
        return take_clock(c, from, &fields, error);
    case MESSAGE_WANT:
        return coordinator_agent_wants_tasks(c, from, error);
    case MESSAGE_DONE:
        return take_done(c, from, &fields, error);
    case MESSAGE_MOVED:
        return take_moved(c, from, &fields, error);
    case MESSAGE_RUNNING:
        return take_running(c, from, &fields, error);
    case MESSAGE_BROKEN:
        return take_broken(c, from, &fields, error);
    case MESSAGE_BYE:
        coordinator_agent_stopped(c, from);
        return 0;
    case MESSAGE_PING:
    case MESSAGE_TASKS:
    case MESSAGE_CANCEL:
    case MESSAGE_STEAL:
    case MESSAGE_STOP:
    case MESSAGE_LOST:
    case MESSAGE_END:
    case MESSAGE_BAD:
        break;
    }
    return mpp_error_set(error, "rank %d sent a message that is not for the coordinator", from);
}
