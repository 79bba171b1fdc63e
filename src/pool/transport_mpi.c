/*
 * The transport over MPI: see transport.h. The only file that includes <mpi.h>.
 *
 * Sends are MPI_Isend with the bytes kept until the send completes: two agents that send each other
 * more than the eager limit would wait for ever in MPI_Send. Receiving is MPI_Iprobe, then MPI_Recv
 * of what is there. All calls after opening come from one thread at a time (MPI_THREAD_SERIALIZED).
 * Traffic runs on a duplicate of MPI_COMM_WORLD, so that a program's own messages never meet it.
 *
 * Ranks that are gone. Open MPI 5 under `mpirun --with-ft ulfm` tells of them (ULFM). Older ones do
 * not, but under `mpirun --enable-recovery` they leave the others alone on one host, and there the
 * kernel tells (a pidfd for each rank). A closing barrier would wait for the dead, so there is
 * none: rank 0's END comes when nothing is on its way any more.
 */
#include "transport.h"

#include <limits.h>
#include <mpi.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "rank_liveness.h"
#ifdef OPEN_MPI
#include <mpi-ext.h>
#endif
#if defined(OMPI_HAVE_MPI_EXT_FTMPI) && OMPI_HAVE_MPI_EXT_FTMPI
#define HAVE_ULFM 1
#else
#define HAVE_ULFM 0
#endif

enum { MESSAGE_TAG = 1, LOOK_NS = 20000000, GUARD_MS = 50 };

#define FINALIZE_NS INT64_C(5000000000) /* enough for whoever is alive */

struct pending_send {
    MPI_Request request;
    int to;
    struct buf bytes;
};

struct mpi_transport {
    struct transport base;
    MPI_Comm comm;
    bool began_mpi; /* MPI_Init was called here, so MPI_Finalize is too */
    struct pending_send *sends;
    size_t send_capacity; /* base.unsent of them are in use */
    bool *gone;           /* by rank */
    bool any_gone;
    int64_t look_ns;                /* when it is time to look for those that are gone */
    struct rank_liveness *liveness; /* of all ranks on rank 0; of rank 0 on the others */
    int told;                       /* ULFM: ranks that failed and were told of */
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* An error that says that the other side is gone: mpi_lost will tell, and the message is dropped.
 */
static bool is_loss(int code)
{
#if HAVE_ULFM
    int class = MPI_SUCCESS;
    MPI_Error_class(code, &class);
    return class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING;
#else
    (void)code;
    return false;
#endif
}

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
        bool dropped = code && is_loss(code);
        if (code && !dropped)
            failed = mpi_error(error, "MPI_Test", code);
        if (complete || dropped)
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
    if (t->gone[to]) {
        buf_release(bytes);
        return 0;
    }
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
    if (code && is_loss(code)) {
        buf_release(bytes);
        return 0;
    }
    if (code)
        return mpi_error(error, "MPI_Isend", code);
    send->to = to;
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
    if (code && !is_loss(code)) {
        mpi_error(error, "MPI_Iprobe", code);
        return TRANSPORT_FAILED;
    }
    if (code || !there)
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
        if (is_loss(code)) /* while it was sending */
            return TRANSPORT_EMPTY;
        mpi_error(error, "MPI_Recv", code);
        return TRANSPORT_FAILED;
    }
    message->bytes.size = (size_t)size;
    return TRANSPORT_MESSAGE;
}

/* ---- Ranks that are gone ---- */

static void mpi_forget(struct transport *transport, int rank)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    size_t kept = 0;
    t->gone[rank] = t->any_gone = true;
    for (size_t i = 0; i < t->base.unsent; i++) {
        if (t->sends[i].to != rank) {
            t->sends[kept++] = t->sends[i];
            continue;
        }
        /* Its bytes are never freed: MPI may still look at them. */
        MPI_Request_free(&t->sends[i].request);
    }
    t->base.unsent = kept;
}

#if HAVE_ULFM
/* The next rank that the launcher has told of. */
static int ulfm_lost(struct mpi_transport *t)
{
    MPI_Group failed, all;
    int count = 0, rank = -1;
    if (MPIX_Comm_get_failed(t->comm, &failed) != MPI_SUCCESS)
        return -1;
    MPI_Group_size(failed, &count);
    if (count > t->told) {
        MPI_Comm_group(t->comm, &all);
        MPI_Group_translate_ranks(failed, 1, &t->told, all, &rank);
        MPI_Group_free(&all);
        t->told++;
    }
    MPI_Group_free(&failed);
    return rank;
}
#else
static int ulfm_lost(struct mpi_transport *t)
{
    (void)t;
    return -1;
}
#endif

static int mpi_lost(struct transport *transport)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int64_t now = now_ns();
    int rank;
    if (now < t->look_ns)
        return -1;
    while ((rank = rank_liveness_gone(t->liveness)) >= 0 || (rank = ulfm_lost(t)) >= 0)
        if (!t->gone[rank] && (t->base.rank == 0 || rank == 0))
            return rank;
    t->look_ns = now + LOOK_NS;
    return -1;
}

/* Rank 0 learns who all ranks are, the others who rank 0 is. */
static int watch_ranks(struct mpi_transport *t, struct mpp_error *error)
{
    struct rank_liveness_id self = rank_liveness_self();
    int count = t->base.rank == 0 ? t->base.size : 1;
    struct rank_liveness_id *ids = calloc((size_t)count, sizeof *ids);
    t->gone = calloc((size_t)t->base.size, sizeof *t->gone);
    if (!ids || !t->gone) {
        free(ids);
        return mpp_error_set(error, "out of memory for %d ranks", t->base.size);
    }
    int code = MPI_Gather(&self, sizeof self, MPI_BYTE, ids, sizeof self, MPI_BYTE, 0, t->comm);
    if (t->base.rank == 0)
        ids[0] = self;
    if (!code) {
        struct rank_liveness_id root = t->base.rank == 0 ? self : (struct rank_liveness_id){0};
        code = MPI_Bcast(&root, sizeof root, MPI_BYTE, 0, t->comm);
        if (t->base.rank != 0)
            ids[0] = root;
    }
    t->liveness = code ? NULL : rank_liveness_new(ids, count);
    free(ids);
    if (code)
        return mpi_error(error, "MPI_Gather", code);
    return t->liveness ? 0 : mpp_error_set(error, "out of memory for %d ranks", t->base.size);
}

/* ---- Life ---- */

/* What was sent last is on its way still; whoever it is for is listening until it comes. */
static int end_traffic(struct mpi_transport *t, struct mpp_error *error)
{
    while (t->base.unsent) {
        if (reap_sends(t, error))
            return -1;
        for (int rank; (rank = mpi_lost(&t->base)) >= 0;)
            mpi_forget(&t->base, rank);
        sched_yield();
    }
    return 0;
}

/* MPI_Finalize of Open MPI 4 waits for ever for a rank that dies while the others are in it. All is
 * done by then. */
struct guard {
    struct mpi_transport *transport;
    int done_fd; /* an eventfd: readable when MPI_Finalize has come back */
    pthread_t thread;
};

static void *guard_finalize(void *argument)
{
    struct guard *guard = argument;
    struct mpi_transport *t = guard->transport;
    int64_t gone_ns = t->any_gone ? now_ns() : 0;
    struct pollfd done = {.fd = guard->done_fd, .events = POLLIN};
    while (poll(&done, 1, GUARD_MS) == 0) {
        if (!gone_ns && rank_liveness_gone(t->liveness) >= 0)
            gone_ns = now_ns();
        if (gone_ns && now_ns() - gone_ns > FINALIZE_NS)
            _exit(t->base.exit_status);
    }
    return NULL;
}

static int finalize(struct mpi_transport *t, struct mpp_error *error)
{
    struct guard guard = {.transport = t, .done_fd = eventfd(0, EFD_CLOEXEC)};
    bool guarded =
        guard.done_fd >= 0 && pthread_create(&guard.thread, NULL, guard_finalize, &guard) == 0;
    int code = MPI_Finalize();
    if (guarded) {
        eventfd_write(guard.done_fd, 1);
        pthread_join(guard.thread, NULL);
    }
    if (guard.done_fd >= 0)
        close(guard.done_fd);
    return code ? mpp_error_set(error, "MPI_Finalize failed with code %d", code) : 0;
}

static int mpi_close(struct transport *transport, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int result = end_traffic(t, error);
    for (size_t i = 0; i < t->base.unsent; i++)
        buf_release(&t->sends[i].bytes);
    free(t->sends);
    /* ULFM's MPI_Finalize waits for ever for a rank that was lost on another host, and its launcher
     * takes a plain exit as well. */
    bool finalizes = t->began_mpi && !(HAVE_ULFM && t->any_gone);
    if (!t->began_mpi && !t->any_gone)
        MPI_Comm_free(&t->comm); /* collective */
    if (finalizes && finalize(t, error))
        result = -1;
    rank_liveness_free(t->liveness);
    free(t->gone);
    free(t);
    return result;
}

static void mpi_abort(struct transport *transport, int status)
{
    (void)transport;
    if (!HAVE_ULFM) /* whose MPI_Abort may wait for a rank that is gone; a plain exit does the same
                     */
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
    static const struct transport_ops ops = {.send = mpi_send,
                                             .poll = mpi_poll,
                                             .close = mpi_close,
                                             .abort = mpi_abort,
                                             .lost = mpi_lost,
                                             .forget = mpi_forget};
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
    if (count_node_ranks(t, error) || watch_ranks(t, error))
        goto fail;
    return &t->base;

fail:
    free(t->gone);
    free(t);
    return NULL;
}
