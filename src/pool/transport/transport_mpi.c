/* SPDX-License-Identifier: MIT */
/*
 * The transport over MPI: see transport.h. No other file includes <mpi.h>.
 *
 * Sending is MPI_Isend; the bytes are kept until the send completes. MPI_Send could deadlock: two
 * agents that send each other more than the eager limit would wait for each other forever.
 * Receiving is MPI_Iprobe, then MPI_Recv of the message that was found. Different
 * threads call MPI, but only one at a time (MPI_THREAD_SERIALIZED). Messages travel on a
 * duplicate of MPI_COMM_WORLD, so they never mix with the program's own.
 *
 * Lost ranks. Open MPI 5 started with `mpirun --with-ft ulfm` reports them (ULFM). Older versions
 * do not, but with `mpirun --enable-recovery` the other ranks of a host survive, and the kernel
 * reports the lost one through its pidfd (rank_liveness.h). A barrier at the end would wait for
 * lost ranks, so there is none: rank 0 sends END when no message is under way any more.
 */
#include "transport.h"

#include <limits.h>
#include <mpi.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "mpi_library_name.h"
#include "rank_liveness.h"
#ifdef OPEN_MPI
#include <mpi-ext.h>
#endif
#if defined(OMPI_HAVE_MPI_EXT_FTMPI) && OMPI_HAVE_MPI_EXT_FTMPI
#define HAVE_ULFM 1
#else
#define HAVE_ULFM 0
#endif

enum {
    MESSAGE_TAG = 1,
    LOST_CHECK_INTERVAL_NS = 20000000,
    WATCHDOG_INTERVAL_MS = 50,
};

/* How long MPI_Finalize may take after a rank has died; the living ranks need much less. */
#define FINALIZE_TIMEOUT_NS INT64_C(5000000000)

struct pending_send {
    MPI_Request request;
    int to;
    struct buf bytes;
};

struct mpi_transport {
    struct transport base;
    MPI_Comm comm;
    bool called_init;           /* this transport called MPI_Init, so it calls MPI_Finalize */
    struct pending_send *sends; /* base.unsent of them are in use */
    size_t send_capacity;
    bool *disconnected; /* by rank: it is lost, messages to it are dropped */
    bool any_disconnected;
    int64_t next_check_ns;          /* when to look for lost ranks again */
    struct rank_liveness *liveness; /* on rank 0 of all ranks; elsewhere of rank 0 */
    int ulfm_reported;              /* how many of the failed ranks in ULFM's list were returned */
};

/* Whether an error code means that the other rank has died. The message is dropped then;
 * mpi_next_lost reports the rank. */
static bool is_rank_failure(int code)
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

/* Tests the pending sends and frees the bytes of those that have completed. */
static int reap_sends(struct mpi_transport *t, struct mpp_error *error)
{
    size_t kept = 0;
    int failed = 0;
    for (size_t i = 0; i < t->base.unsent; i++) {
        int complete = 0;
        int code = MPI_Test(&t->sends[i].request, &complete, MPI_STATUS_IGNORE);
        bool dropped = code && is_rank_failure(code);
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
    if (t->disconnected[to]) {
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
    if (code && is_rank_failure(code)) {
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
    if (code && !is_rank_failure(code)) {
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
        if (is_rank_failure(code)) /* the sender died while it was sending */
            return TRANSPORT_EMPTY;
        mpi_error(error, "MPI_Recv", code);
        return TRANSPORT_FAILED;
    }
    message->bytes.size = (size_t)size;
    return TRANSPORT_MESSAGE;
}

/* ---- Lost ranks ---- */

static void mpi_disconnect(struct transport *transport, int rank)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    size_t kept = 0;
    t->disconnected[rank] = t->any_disconnected = true;
    for (size_t i = 0; i < t->base.unsent; i++) {
        if (t->sends[i].to != rank) {
            t->sends[kept++] = t->sends[i];
            continue;
        }
        /* Its bytes are never freed, because MPI may still read them. */
        MPI_Request_free(&t->sends[i].request);
    }
    t->base.unsent = kept;
}

#if HAVE_ULFM
/* The next failed rank that the launcher has reported; -1: none. */
static int ulfm_next_lost(struct mpi_transport *t)
{
    MPI_Group failed, all;
    int count = 0, rank = -1;
    if (MPIX_Comm_get_failed(t->comm, &failed) != MPI_SUCCESS)
        return -1;
    MPI_Group_size(failed, &count);
    if (count > t->ulfm_reported) {
        MPI_Comm_group(t->comm, &all);
        MPI_Group_translate_ranks(failed, 1, &t->ulfm_reported, all, &rank);
        MPI_Group_free(&all);
        t->ulfm_reported++;
    }
    MPI_Group_free(&failed);
    return rank;
}
#else
static int ulfm_next_lost(struct mpi_transport *t)
{
    (void)t;
    return -1;
}
#endif

static int mpi_next_lost(struct transport *transport)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int64_t now = monotonic_now_ns();
    int rank;
    if (now < t->next_check_ns)
        return -1;
    while ((rank = rank_liveness_next_dead(t->liveness)) >= 0 || (rank = ulfm_next_lost(t)) >= 0)
        if (!t->disconnected[rank] && (t->base.rank == 0 || rank == 0))
            return rank;
    t->next_check_ns = now + LOST_CHECK_INTERVAL_NS;
    return -1;
}

/* Exchanges process identities: rank 0 watches all ranks, the others watch rank 0. */
static int watch_ranks(struct mpi_transport *t, struct mpp_error *error)
{
    struct rank_liveness_id self = rank_liveness_self();
    int count = t->base.rank == 0 ? t->base.size : 1;
    struct rank_liveness_id *ids = calloc((size_t)count, sizeof *ids);
    t->disconnected = calloc((size_t)t->base.size, sizeof *t->disconnected);
    if (!ids || !t->disconnected) {
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

/* ---- Opening and closing ---- */

/* Waits until every pending send has completed. The receivers poll until then. */
static int complete_sends(struct mpi_transport *t, struct mpp_error *error)
{
    while (t->base.unsent) {
        if (reap_sends(t, error))
            return -1;
        for (int rank; (rank = mpi_next_lost(&t->base)) >= 0;)
            mpi_disconnect(&t->base, rank);
        sched_yield();
    }
    return 0;
}

/* Open MPI 4's MPI_Finalize never returns when a rank dies inside it. All results are delivered by
 * then, so the watchdog thread ends this process with its exit status instead. */
struct finalize_watchdog {
    struct mpi_transport *transport;
    int done_fd; /* an eventfd: readable once MPI_Finalize has returned */
    pthread_t thread;
};

static void *watch_finalize(void *argument)
{
    struct finalize_watchdog *watchdog = argument;
    struct mpi_transport *t = watchdog->transport;
    int64_t lost_ns = t->any_disconnected ? monotonic_now_ns() : 0;
    struct pollfd done = {.fd = watchdog->done_fd, .events = POLLIN};
    while (poll(&done, 1, WATCHDOG_INTERVAL_MS) == 0) {
        if (!lost_ns && rank_liveness_next_dead(t->liveness) >= 0)
            lost_ns = monotonic_now_ns();
        if (lost_ns && monotonic_now_ns() - lost_ns > FINALIZE_TIMEOUT_NS)
            _exit(t->base.exit_status);
    }
    return NULL;
}

static int finalize(struct mpi_transport *t, struct mpp_error *error)
{
    struct finalize_watchdog watchdog = {.transport = t, .done_fd = eventfd(0, EFD_CLOEXEC)};
    bool watched =
        watchdog.done_fd >= 0 && !pthread_create(&watchdog.thread, NULL, watch_finalize, &watchdog);
    int code = MPI_Finalize();
    if (watched) {
        eventfd_write(watchdog.done_fd, 1);
        pthread_join(watchdog.thread, NULL);
    }
    if (watchdog.done_fd >= 0)
        close(watchdog.done_fd);
    return code ? mpp_error_set(error, "MPI_Finalize failed with code %d", code) : 0;
}

static int mpi_close(struct transport *transport, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int result = complete_sends(t, error);
    for (size_t i = 0; i < t->base.unsent; i++)
        buf_release(&t->sends[i].bytes);
    free(t->sends);
    /* With ULFM, MPI_Finalize waits forever for a rank that was lost on another host; its launcher
     * accepts an exit without MPI_Finalize. */
    bool finalizes = t->called_init && !(HAVE_ULFM && t->any_disconnected);
    if (!t->called_init && !t->any_disconnected)
        MPI_Comm_free(&t->comm); /* collective */
    if (finalizes && finalize(t, error))
        result = -1;
    rank_liveness_free(t->liveness);
    free(t->disconnected);
    free(t);
    return result;
}

static void mpi_abort(struct transport *transport, int status)
{
    (void)transport;
    /* With ULFM, MPI_Abort may wait for a lost rank; there the launcher ends the run when one
     * process exits without MPI_Finalize. */
    if (!HAVE_ULFM)
        MPI_Abort(MPI_COMM_WORLD, status);
    _exit(status);
}

static int init_mpi(struct mpi_transport *t, int *argc, char ***argv, struct mpp_error *error)
{
    int initialized = 0, finalized = 0;
    int level = MPI_THREAD_SINGLE;
    MPI_Finalized(&finalized);
    if (finalized)
        return mpp_error_set(error,
                             "MPI is finalized in this process and cannot be initialized again");
    MPI_Initialized(&initialized);
    if (initialized) {
        MPI_Query_thread(&level);
    } else {
        int code = MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
        if (code)
            return mpp_error_set(error, "MPI_Init_thread failed with code %d", code);
        t->called_init = true;
    }
    if (level < MPI_THREAD_SERIALIZED)
        return mpp_error_set(
            error, "MPI provides thread level %d, but MPI_THREAD_SERIALIZED is needed", level);
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

void transport_mpi_library(char *name, size_t size)
{
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    MPI_Get_library_version(version, &length);
    mpi_library_name(version, name, size);
}

struct transport *transport_mpi_new(int *argc, char ***argv, struct mpp_error *error)
{
    static const struct transport_ops ops = {.send = mpi_send,
                                             .poll = mpi_poll,
                                             .close = mpi_close,
                                             .abort = mpi_abort,
                                             .next_lost = mpi_next_lost,
                                             .disconnect = mpi_disconnect};
    struct mpi_transport *t = calloc(1, sizeof *t);
    if (!t) {
        mpp_error_set(error, "out of memory for the transport");
        return NULL;
    }
    t->base.ops = &ops;
    if (init_mpi(t, argc, argv, error))
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
    free(t->disconnected);
    free(t);
    return NULL;
}
