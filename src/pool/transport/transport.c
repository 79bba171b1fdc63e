/* SPDX-License-Identifier: MIT */
/* What all transports share: the queue of messages from a rank to itself. See transport.h. */
#include "transport.h"

#include <stdlib.h>

static int self_queue_put(struct transport_self_queue *queue, struct buf *bytes,
                          struct mpp_error *error)
{
    if (queue->count == queue->capacity && queue->next) {
        queue->count -= queue->next;
        for (size_t i = 0; i < queue->count; i++)
            queue->list[i] = queue->list[i + queue->next];
        queue->next = 0;
    }
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity ? 2 * queue->capacity : 16;
        struct buf *list = realloc(queue->list, capacity * sizeof *list);
        if (!list)
            return mpp_error_set(error, "out of memory for a message");
        queue->list = list;
        queue->capacity = capacity;
    }
    queue->list[queue->count++] = *bytes;
    *bytes = BUF_INIT;
    return 0;
}

static bool self_queue_take(struct transport_self_queue *queue, struct buf *bytes)
{
    if (queue->next == queue->count)
        return false;
    *bytes = queue->list[queue->next++];
    if (queue->next == queue->count)
        queue->next = queue->count = 0;
    return true;
}

int transport_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error)
{
    int failed;
    if (bytes->failed)
        failed = mpp_error_set(error, "out of memory for a message");
    else if (to == transport->rank)
        failed = self_queue_put(&transport->self_queue, bytes, error);
    else
        failed = transport->ops->send(transport, to, bytes, error);
    buf_release(bytes);
    return failed;
}

enum transport_status transport_poll(struct transport *transport, struct transport_message *message,
                                     struct mpp_error *error)
{
    if (self_queue_take(&transport->self_queue, &message->bytes)) {
        message->from = transport->rank;
        return TRANSPORT_MESSAGE;
    }
    return transport->ops->poll(transport, message, error);
}

int64_t transport_begin_wait(struct transport *transport, bool starving, int64_t now_ns)
{
    return transport->ops->begin_wait ? transport->ops->begin_wait(transport, starving, now_ns)
                                      : -1;
}

int transport_fill_pollfds(const struct transport *transport, struct pollfd *fds)
{
    return transport->ops->fill_pollfds ? transport->ops->fill_pollfds(transport, fds) : 0;
}

void transport_end_wait(struct transport *transport, const struct pollfd *fds)
{
    if (transport->ops->end_wait)
        transport->ops->end_wait(transport, fds);
}

int transport_next_lost(struct transport *transport)
{
    return transport->ops->next_lost ? transport->ops->next_lost(transport) : -1;
}

void transport_disconnect(struct transport *transport, int rank)
{
    if (transport->ops->disconnect)
        transport->ops->disconnect(transport, rank);
}

int transport_close(struct transport *transport, struct mpp_error *error)
{
    struct buf bytes;
    while (self_queue_take(&transport->self_queue, &bytes))
        buf_release(&bytes);
    free(transport->self_queue.list);
    transport->self_queue = (struct transport_self_queue){0};
    return transport->ops->close(transport, error);
}

void transport_abort(struct transport *transport, int status)
{
    transport->ops->abort(transport, status);
    abort();
}
