/* SPDX-License-Identifier: MIT */
/* The transport of a pool of one rank, which needs no MPI. The rank's messages to itself are queued
 * in transport.c, so this implementation never carries one. See transport.h. */
#include "transport.h"

#include <stdlib.h>
#include <unistd.h>

static int single_rank_send(struct transport *transport, int to, struct buf *bytes,
                            struct mpp_error *error)
{
    (void)transport, (void)bytes;
    return mpp_error_set(error, "a message to rank %d in a pool of one rank", to);
}

static enum transport_status single_rank_poll(struct transport *transport,
                                              struct transport_message *message,
                                              struct mpp_error *error)
{
    (void)transport, (void)message, (void)error;
    return TRANSPORT_EMPTY;
}

static int single_rank_close(struct transport *transport, struct mpp_error *error)
{
    (void)error;
    free(transport);
    return 0;
}

static void single_rank_abort(struct transport *transport, int status)
{
    (void)transport;
    _exit(status);
}

struct transport *transport_single_rank_new(struct mpp_error *error)
{
    static const struct transport_ops ops = {.send = single_rank_send,
                                             .poll = single_rank_poll,
                                             .close = single_rank_close,
                                             .abort = single_rank_abort};
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport) {
        mpp_error_set(error, "out of memory for the transport");
        return NULL;
    }
    *transport = (struct transport){.ops = &ops, .rank = 0, .size = 1, .node_ranks = 1};
    return transport;
}
