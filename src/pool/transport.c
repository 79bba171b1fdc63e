/* What every transport has in common: messages to the own rank, and how a launcher is recognised.
 * See transport.h. */
#include "transport.h"

#include <stdlib.h>

static int own_put(struct transport_own *own, struct buf *bytes, struct mpp_error *error)
{
    if (own->count == own->capacity && own->next) {
        own->count -= own->next;
        for (size_t i = 0; i < own->count; i++)
            own->list[i] = own->list[i + own->next];
        own->next = 0;
    }
    if (own->count == own->capacity) {
        size_t capacity = own->capacity ? 2 * own->capacity : 16;
        struct buf *list = realloc(own->list, capacity * sizeof *list);
        if (!list)
            return mpp_error_set(error, "out of memory for a message");
        own->list = list;
        own->capacity = capacity;
    }
    own->list[own->count++] = *bytes;
    *bytes = BUF_INIT;
    return 0;
}

static bool own_take(struct transport_own *own, struct buf *bytes)
{
    if (own->next == own->count)
        return false;
    *bytes = own->list[own->next++];
    if (own->next == own->count)
        own->next = own->count = 0;
    return true;
}

int transport_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error)
{
    if (bytes->failed)
        return mpp_error_set(error, "out of memory for a message");
    if (to == transport->rank)
        return own_put(&transport->own, bytes, error);
    return transport->ops->send(transport, to, bytes, error);
}

enum transport_status transport_poll(struct transport *transport, struct transport_message *message,
                                     struct mpp_error *error)
{
    if (own_take(&transport->own, &message->bytes)) {
        message->from = transport->rank;
        return TRANSPORT_MESSAGE;
    }
    return transport->ops->poll(transport, message, error);
}

int transport_lost(struct transport *transport)
{
    return transport->ops->lost ? transport->ops->lost(transport) : -1;
}

void transport_forget(struct transport *transport, int rank)
{
    if (transport->ops->forget)
        transport->ops->forget(transport, rank);
}

int transport_close(struct transport *transport, struct mpp_error *error)
{
    struct buf bytes;
    while (own_take(&transport->own, &bytes))
        buf_release(&bytes);
    free(transport->own.list);
    transport->own = (struct transport_own){0};
    return transport->ops->close(transport, error);
}

void transport_abort(struct transport *transport, int status)
{
    transport->ops->abort(transport, status);
    abort();
}

bool transport_mpi_launched(void)
{
    /* Open MPI's mpirun, PMIx (srun --mpi=pmix), and the PMI of MPICH and its kin. */
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}
