/* SPDX-License-Identifier: MIT */
/* Fuzz target: messages between ranks and between an agent and its workers, with the orders and
 * reports of the batch engine in them. */
#include "fuzz_target.h"
#include "message.h"
#include "task_message.h"

/* The references to results that a stage's task is made of. */
static void read_members(const struct task_order *order)
{
    struct reader members = reader_over(order->members.data, order->members.size);
    struct result_ref ref;
    while (!members.failed && members.next < members.end)
        result_ref_get(&members, &ref);
}

static void read_tasks(struct reader *fields)
{
    struct message_task task;
    uint32_t count;
    if (message_get_tasks(fields, &count))
        return;
    for (uint32_t i = 0; i < count && message_get_task(fields, &task) == 0; i++) {
        struct task_order order;
        struct mpp_error error;
        if (!task_order_get((struct mpp_bytes){task.payload, task.size}, &order, &error))
            read_members(&order);
    }
}

static void read_results(struct reader *fields)
{
    struct message_result result;
    uint32_t replaced, count;
    bool wants;
    if (message_get_done(fields, &replaced, &wants, &count))
        return;
    for (uint32_t i = 0; i < count && message_get_result(fields, &result) == 0; i++) {
        struct task_report report;
        struct mpp_error error;
        task_report_get((struct mpp_bytes){result.data, result.size}, &report, &error);
    }
}

static void read_moved(struct reader *fields)
{
    uint32_t thief, count, dispatch;
    uint64_t id;
    if (message_get_moved(fields, &thief, &count))
        return;
    for (uint32_t i = 0; i < count && message_get_moved_task(fields, &id, &dispatch) == 0; i++)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader fields;
    struct message_hello hello;
    struct message_steal steal;
    const char *text;
    uint64_t id;
    int64_t clock_ns;
    uint32_t number;
    bool discard;
    switch (message_open(data, size, &fields)) {
    case MESSAGE_HELLO:
        message_get_hello(&fields, &hello);
        break;
    case MESSAGE_TASKS:
        read_tasks(&fields);
        break;
    case MESSAGE_DONE:
        read_results(&fields);
        break;
    case MESSAGE_MOVED:
        read_moved(&fields);
        break;
    case MESSAGE_STEAL:
        message_get_steal(&fields, &steal);
        break;
    case MESSAGE_STOP:
        message_get_stop(&fields, &discard);
        break;
    case MESSAGE_RUNNING:
        message_get_running(&fields, &id, &number);
        break;
    case MESSAGE_CANCEL:
        message_get_cancel(&fields, &id);
        break;
    case MESSAGE_BROKEN:
        message_get_broken(&fields, &text, &number);
        break;
    case MESSAGE_LOST:
        message_get_lost(&fields, &number);
        break;
    case MESSAGE_CLOCK:
        message_get_clock(&fields, &clock_ns);
        break;
    case MESSAGE_BAD:
    case MESSAGE_PING:
    case MESSAGE_WANT:
    case MESSAGE_BYE:
    case MESSAGE_END:
        break;
    }
    return 0;
}
