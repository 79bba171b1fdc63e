/*
 * The transport over MPI: see transport.h. The only file that includes <mpi.h>.
 *
 * Sends are MPI_Isend with the bytes kept until the send completes: two agents that send each other
 * more than the eager limit would wait for ever in MPI_Send. Receiving is MPI_Iprobe, then MPI_Recv
 * of what is there. All calls after opening come from one thread at a time (MPI_THREAD_SERIALIZED).
 * Traffic runs on a duplicate of MPI_COMM_WORLD, so that a program's own messages never meet it.
 */
#include "transport.h"

#include <limits.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum { MESSAGE_TAG = 1 };

struct pending_send {
    MPI_Request request;
    struct buf bytes;
};

struct mpi_transport {
    struct transport base;
    MPI_Comm comm;
    bool began_mpi; /* MPI_Init was called here, so MPI_Finalize is too */
    struct pending_send *sends;
    size_t send_capacity; /* base.unsent of them are in use */
};

static int mpi_error(struct mpp_error *error, const char *what, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int size = 0;
    MPI_Error_string(code, text, &size);
    return mpp_error_set(error, "%s failed: %s", what, text);
}

/* Frees the bytes of the sends that are through. */
static int reap_sends(struct mpi_transport *t, struct mpp_error *error)
{
    size_t kept = 0;
    int failed = 0;
    for (size_t i = 0; i < t->base.unsent; i++) {
        int complete = 0;
        int code = MPI_Test(&t->sends[i].request, &complete, MPI_STATUS_IGNORE);
        if (code)
            failed = mpi_error(error, "MPI_Test", code);
        if (complete)
            buf_release(&t->sends[i].bytes);
        else
            t->sends[kept++] = t->sends[i];
    }
    t->base.unsent = kept;
    return failed;
}

static int mpi_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    if (bytes->size > INT_MAX)
        return mpp_error_set(error, "a message of %zu bytes is too large for MPI", bytes->size);
    if (t->base.unsent == t->send_capacity) {
        size_t capacity = t->send_capacity ? 2 * t->send_capacity : 16;
        struct pending_send *sends = realloc(t->sends, capacity * sizeof *sends);
        if (!sends)
            return mpp_error_set(error, "out of memory for a message");
        t->sends = sends;
        t->send_capacity = capacity;
    }
    struct pending_send *send = &t->sends[t->base.unsent];
    int code = MPI_Isend(bytes->data, (int)bytes->size, MPI_BYTE, to, MESSAGE_TAG, t->comm,
                         &send->request);
    if (code)
        return mpi_error(error, "MPI_Isend", code);
    send->bytes = *bytes;
    *bytes = BUF_INIT;
    t->base.unsent++;
    return 0;
}

static enum transport_status mpi_poll(struct transport *transport,
                                      struct transport_message *message, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    if (t->base.unsent && reap_sends(t, error))
        return TRANSPORT_FAILED;

    int there = 0;
    MPI_Status status;
    int code = MPI_Iprobe(MPI_ANY_SOURCE, MESSAGE_TAG, t->comm, &there, &status);
    if (code) {
        mpi_error(error, "MPI_Iprobe", code);
        return TRANSPORT_FAILED;
    }
    if (!there)
        return TRANSPORT_EMPTY;
    int size = 0;
    MPI_Get_count(&status, MPI_BYTE, &size);
    message->from = status.MPI_SOURCE;
    message->bytes = BUF_INIT;
    uint8_t *to = buf_reserve(&message->bytes, (size_t)size);
    if (!to) {
        mpp_error_set(error, "out of memory for a message of %d bytes", size);
        return TRANSPORT_FAILED;
    }
    code = MPI_Recv(to, size, MPI_BYTE, status.MPI_SOURCE, MESSAGE_TAG, t->comm, MPI_STATUS_IGNORE);
    if (code) {
        buf_release(&message->bytes);
        mpi_error(error, "MPI_Recv", code);
        return TRANSPORT_FAILED;
    }
    message->bytes.size = (size_t)size;
    return TRANSPORT_MESSAGE;
}

/* Receives and drops what still comes. A rank may have been sent something after it stopped
 * listening, and the sender of a long message waits until it is taken. */
static int drop_incoming(struct transport *transport, struct mpp_error *error)
{
    struct transport_message message;
    enum transport_status status = mpi_poll(transport, &message, error);
    if (status == TRANSPORT_MESSAGE)
        buf_release(&message.bytes);
    return status == TRANSPORT_FAILED ? -1 : 0;
}

/* Ends the traffic: the own sends first, then everybody's (a barrier that listens while it waits;
 * the consensus of Hoefler, Siebert and Lumsdaine 2010). */
static int end_traffic(struct mpi_transport *t, struct mpp_error *error)
{
    while (t->base.unsent)
        if (drop_incoming(&t->base, error))
            return -1;
    MPI_Request barrier;
    int code = MPI_Ibarrier(t->comm, &barrier);
    for (int complete = 0; !code && !complete;) {
        if (drop_incoming(&t->base, error))
            return -1;
        code = MPI_Test(&barrier, &complete, MPI_STATUS_IGNORE);
        if (!complete)
            sched_yield();
    }
    return code ? mpi_error(error, "MPI_Ibarrier", code) : 0;
}

static int mpi_close(struct transport *transport, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int result = end_traffic(t, error);
    for (size_t i = 0; i < t->base.unsent; i++)
        buf_release(&t->sends[i].bytes);
    free(t->sends);
    MPI_Comm_free(&t->comm);
    if (t->began_mpi) {
        int code = MPI_Finalize();
        if (code)
            result = mpp_error_set(error, "MPI_Finalize failed with code %d", code);
    }
    free(t);
    return result;
}

static void mpi_abort(struct transport *transport, int status)
{
    (void)transport;
    MPI_Abort(MPI_COMM_WORLD, status);
    _exit(status);
}

static int begin_mpi(struct mpi_transport *t, int *argc, char ***argv, struct mpp_error *error)
{
    int begun = 0, ended = 0;
    int level = MPI_THREAD_SINGLE;
    MPI_Finalized(&ended);
    if (ended)
        return mpp_error_set(error, "MPI has ended in this process and cannot begin again");
    MPI_Initialized(&begun);
    if (begun) {
        MPI_Query_thread(&level);
    } else {
        int code = MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
        if (code)
            return mpp_error_set(error, "MPI_Init_thread failed with code %d", code);
        t->began_mpi = true;
    }
    if (level < MPI_THREAD_SERIALIZED)
        return mpp_error_set(
            error, "this MPI gives thread level %d; MPI_THREAD_SERIALIZED is needed", level);
    return 0;
}

static int count_node_ranks(struct mpi_transport *t, struct mpp_error *error)
{
    MPI_Comm node;
    int code =
        MPI_Comm_split_type(t->comm, MPI_COMM_TYPE_SHARED, t->base.rank, MPI_INFO_NULL, &node);
    if (code)
        return mpi_error(error, "MPI_Comm_split_type", code);
    MPI_Comm_size(node, &t->base.node_ranks);
    MPI_Comm_free(&node);
    return 0;
}

struct transport *transport_mpi_new(int *argc, char ***argv, struct mpp_error *error)
{
    static const struct transport_ops ops = {mpi_send, mpi_poll, mpi_close, mpi_abort};
    struct mpi_transport *t = calloc(1, sizeof *t);
    if (!t) {
        mpp_error_set(error, "out of memory for the transport");
        return NULL;
    }
    t->base.ops = &ops;
    if (begin_mpi(t, argc, argv, error))
        goto fail;
    int code = MPI_Comm_dup(MPI_COMM_WORLD, &t->comm);
    if (code) {
        mpi_error(error, "MPI_Comm_dup", code);
        goto fail;
    }
    MPI_Comm_set_errhandler(t->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(t->comm, &t->base.rank);
    MPI_Comm_size(t->comm, &t->base.size);
    if (count_node_ranks(t, error))
        goto fail;
    return &t->base;

fail:
    free(t);
    return NULL;
}
