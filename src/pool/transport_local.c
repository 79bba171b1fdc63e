/* The transport of a pool of one rank: every message is one to itself, so nothing is left to do
 * here. See transport.h. */
#include "transport.h"

#include <stdlib.h>
#include <unistd.h>

static int local_send(struct transport *transport, int to, struct buf *bytes,
                      struct mpp_error *error)
{
    (void)transport, (void)bytes;
    return mpp_error_set(error, "a message to rank %d in a pool of one rank", to);
}

static enum transport_status local_poll(struct transport *transport,
                                        struct transport_message *message, struct mpp_error *error)
{
    (void)transport, (void)message, (void)error;
    return TRANSPORT_EMPTY;
}

static int local_close(struct transport *transport, struct mpp_error *error)
{
    (void)error;
    free(transport);
    return 0;
}

static void local_abort(struct transport *transport, int status)
{
    (void)transport;
    _exit(status);
}

struct transport *transport_local_new(struct mpp_error *error)
{
    static const struct transport_ops ops = {
        .send = local_send, .poll = local_poll, .close = local_close, .abort = local_abort};
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport) {
        mpp_error_set(error, "out of memory for the transport");
        return NULL;
    }
    *transport = (struct transport){.ops = &ops, .rank = 0, .size = 1, .node_ranks = 1};
    return transport;
}
