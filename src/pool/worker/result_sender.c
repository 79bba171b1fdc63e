/* SPDX-License-Identifier: MIT */
/* Sends the results of a worker process: see result_sender.h. */
#include "result_sender.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define WAKE_INTERVAL_NS 40000000

/* How much work of a worker is lost if it dies before its results are flushed, at most. */
#define HOLD_NS    20000000
#define HOLD_BYTES (1 << 20)

void result_sender_release(struct result_sender *sender)
{
    buf_release(&sender->out);
    buf_release(&sender->held);
}

/* ---- The socket ---- */

/* Writes everything, waiting for the agent to read it. Errors are ignored: when the agent has died,
 * the next read fails too. */
static void write_all(struct result_sender *sender, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    while (size) {
        ssize_t n = send(sender->fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return;
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
}

void result_sender_frame(struct result_sender *sender, const struct buf *message)
{
    struct buf head = BUF_INIT;
    buf_put_u32(&head, (uint32_t)message->size);
    if (!head.failed && !message->failed) {
        write_all(sender, head.data, head.size);
        write_all(sender, message->data, message->size);
    }
    buf_release(&head);
    atomic_store(&sender->slot->agent_woken, true);
}

void result_sender_wake(struct result_sender *sender, int64_t now_ns)
{
    static const uint8_t empty_frame[FRAME_HEAD_BYTES];
    sender->agent_woken_ns = now_ns;
    if (!atomic_exchange(&sender->slot->agent_woken, true))
        write_all(sender, empty_frame, sizeof empty_frame);
}

void result_sender_wake_sometimes(struct result_sender *sender, int64_t now_ns)
{
    if (now_ns - sender->agent_woken_ns > WAKE_INTERVAL_NS)
        result_sender_wake(sender, now_ns);
}

/* ---- Results ---- */

/* Returns whether it may have blocked: through the socket, until the agent reads it. */
static bool send_done(struct result_sender *sender, const struct buf *message)
{
    bool fits = result_ring_put(&sender->slot->results, message->data, message->size);
    if (!fits)
        result_sender_frame(sender, message);
    return !fits;
}

/* The failure that takes the place of a result for which there is no memory. */
static struct message_result without_memory(const struct message_result *result)
{
    static const char text[] = "out of memory for the result";
    struct message_result failure = *result;
    failure.status = TASK_FAILED_MEMORY;
    failure.size = sizeof text - 1;
    failure.data = text;
    return failure;
}

bool result_sender_send(struct result_sender *sender, const struct message_result *result)
{
    buf_clear(&sender->out);
    struct message_list done = message_begin_done(&sender->out, 0);
    message_put_result(&done, result);
    message_end(&done);
    if (sender->out.failed) {
        struct message_result failure = without_memory(result);
        buf_release(&sender->out);
        done = message_begin_done(&sender->out, 0);
        message_put_result(&done, &failure);
        message_end(&done);
    }
    return send_done(sender, &sender->out);
}

/* Sends all results that wait as failures with this text. */
static void fail_held(struct result_sender *sender, const char *text)
{
    struct reader fields;
    uint32_t replaced, count = 0;
    bool wants;
    message_open(sender->held.data, sender->held.size, &fields);
    message_get_done(&fields, &replaced, &wants, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct message_result result;
        message_get_result(&fields, &result);
        result.status = TASK_FAILED;
        result.size = (uint32_t)strlen(text);
        result.data = text;
        result_sender_send(sender, &result);
    }
}

void result_sender_flush(struct result_sender *sender)
{
    struct mpp_error error = {.text = "the flush failed without an error text"};
    if (!sender->held_list.count)
        return;
    message_end(&sender->held_list);
    if (sender->job->flush && sender->job->flush(sender->state, &error))
        fail_held(sender, error.text);
    else
        send_done(sender, &sender->held);
    sender->held_list.count = 0;
}

bool result_sender_hold(struct result_sender *sender, const struct mpp_job *job, void *state,
                        const struct message_result *result)
{
    bool flushes = sender->held_list.count && sender->job != job;
    if (flushes)
        result_sender_flush(sender);
    if (!sender->held_list.count) {
        buf_clear(&sender->held);
        sender->held_list = message_begin_done(&sender->held, 0);
        sender->job = job;
        sender->state = state;
        sender->held_since_ns = (int64_t)(result->ended_ns - result->run_ns);
    }
    size_t size = sender->held.size;
    message_put_result(&sender->held_list, result);
    if (sender->held.failed) { /* out of memory: without this result, which fails */
        struct message_result failure = without_memory(result);
        sender->held.failed = false;
        sender->held.size = size;
        sender->held_list.count--;
        return result_sender_send(sender, &failure);
    }
    if ((int64_t)result->ended_ns - sender->held_since_ns < HOLD_NS &&
        sender->held.size < HOLD_BYTES)
        return flushes;
    result_sender_flush(sender);
    return true;
}
