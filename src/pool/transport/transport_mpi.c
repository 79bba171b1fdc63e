/* SPDX-License-Identifier: MIT */
/*
 * The transport over MPI: see transport.h. No other file includes <mpi.h>.
 *
 * Sending is MPI_Isend; the bytes are kept until the send completes. Receiving is MPI_Iprobe, then
 * MPI_Irecv of the message that was found, because a large one is not there yet: both sides have to
 * call MPI to move it. So nothing blocks, and two ranks may send each other large messages at once.
 * Different threads call MPI, but only one at a time (MPI_THREAD_SERIALIZED). Messages travel on a
 * duplicate of MPI_COMM_WORLD, so they never mix with the program's own. wakeup.h decides when MPI
 * has to be called for them.
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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "doorbell.h"
#include "finalize_watchdog.h"
#include "launcher.h"
#include "mpi_library_name.h"
#include "rank_liveness.h"
#include "wakeup.h"
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
    LOOKS = 2,            /* MPI_Iprobe may receive a message only after it has looked for one */
    SMALL_BYTES = 2048,   /* MPI delivers a message of this size without the sender's help */
    SMALL_SENDS_MAX = 64, /* that have completed, perhaps */
    TESTS_MAX = 16,       /* of sends at a time: MPI_Test takes time */
};

/* A message that is being sent or received. */
struct pending {
    MPI_Request request;
    int rank;     /* of the other side */
    bool counted; /* in base.unsent */
    struct buf bytes;
};

struct pending_list {
    struct pending *list;
    size_t count, capacity;
};

struct mpi_transport {
    struct transport base;
    MPI_Comm comm;
    bool called_init; /* this transport called MPI_Init, so it calls MPI_Finalize */
    struct pending_list sends;
    size_t next_test;             /* of a send: they take turns */
    struct pending_list receives; /* in the order in which the messages were found */
    struct wakeup wakeup;

    bool death_seen;    /* the descriptor of `liveness` is readable */
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
    bool failed = false;
#if HAVE_ULFM
    int class = MPI_SUCCESS;
    MPI_Error_class(code, &class);
    failed = class == MPIX_ERR_PROC_FAILED || class == MPIX_ERR_PROC_FAILED_PENDING;
#endif
    (void)code;
    return failed;
}

static int mpi_error(struct mpp_error *error, const char *what, int code)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int size = 0;
    MPI_Error_string(code, text, &size);
    return mpp_error_set(error, "%s failed: %s", what, text);
}

/* A new entry at the end, which is not in use before `count` grows. NULL: out of memory. */
static struct pending *pending_new(struct pending_list *pending, struct mpp_error *error)
{
    if (pending->count == pending->capacity) {
        size_t capacity = pending->capacity ? 2 * pending->capacity : 16;
        struct pending *list = realloc(pending->list, capacity * sizeof *list);
        if (!list) {
            mpp_error_set(error, "out of memory for a message");
            return NULL;
        }
        pending->list = list;
        pending->capacity = capacity;
    }
    return &pending->list[pending->count];
}

static void pending_remove(struct pending_list *pending, size_t at)
{
    pending->count--;
    memmove(&pending->list[at], &pending->list[at + 1],
            (pending->count - at) * sizeof *pending->list);
}

/* Forgets the messages of a lost rank. Their bytes are never freed, because MPI may still use
 * them. Returns how many of them were counted. */
static size_t pending_drop(struct pending_list *pending, int rank)
{
    size_t counted = 0;
    for (size_t i = pending->count; i-- > 0;)
        if (pending->list[i].rank == rank) {
            counted += pending->list[i].counted;
            MPI_Request_free(&pending->list[i].request);
            pending_remove(pending, i);
        }
    return counted;
}

/* ---- Sending ---- */

/* Tests some of the pending sends and frees the bytes of those that have completed. */
static int reap_sends(struct mpi_transport *t, struct mpp_error *error)
{
    int failed = 0;
    for (int tests = 0; t->sends.count && tests < TESTS_MAX; tests++) {
        size_t at = t->next_test++ % t->sends.count;
        struct pending *send = &t->sends.list[at];
        int complete = 0;
        int code = MPI_Test(&send->request, &complete, MPI_STATUS_IGNORE);
        bool dropped = code && is_rank_failure(code);
        if (code && !dropped)
            failed = mpi_error(error, "MPI_Test", code);
        if (!complete && !dropped)
            continue;
        t->base.unsent -= send->counted;
        buf_release(&send->bytes);
        pending_remove(&t->sends, at);
    }
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
    struct pending *send = pending_new(&t->sends, error);
    if (!send)
        return -1;
    int code = MPI_Isend(bytes->data, (int)bytes->size, MPI_BYTE, to, MESSAGE_TAG, t->comm,
                         &send->request);
    if (code && is_rank_failure(code)) {
        buf_release(bytes);
        return 0;
    }
    if (code)
        return mpi_error(error, "MPI_Isend", code);
    bool woken = wakeup_posted(&t->wakeup, to);
    send->counted = bytes->size > SMALL_BYTES || !woken;
    send->rank = to;
    send->bytes = *bytes;
    *bytes = BUF_INIT;
    t->base.unsent += send->counted;
    t->sends.count++;
    return 0;
}

/* ---- Receiving ---- */

/* Begins to receive the message that MPI_Iprobe has found. */
static int start_receive(struct mpi_transport *t, MPI_Status *found, struct mpp_error *error)
{
    int size = 0;
    MPI_Get_count(found, MPI_BYTE, &size);
    struct pending *receive = pending_new(&t->receives, error);
    if (!receive)
        return -1;
    *receive = (struct pending){.rank = found->MPI_SOURCE, .bytes = BUF_INIT};
    uint8_t *to = buf_reserve(&receive->bytes, (size_t)size);
    if (!to)
        return mpp_error_set(error, "out of memory for a message of %d bytes", size);
    int code =
        MPI_Irecv(to, size, MPI_BYTE, receive->rank, MESSAGE_TAG, t->comm, &receive->request);
    if (code) {
        buf_release(&receive->bytes);
        return is_rank_failure(code) ? 0 : mpi_error(error, "MPI_Irecv", code);
    }
    receive->bytes.size = (size_t)size;
    t->receives.count++;
    return 0;
}

/* Whether an earlier message of the same rank is still being received. */
static bool is_overtaking(const struct mpi_transport *t, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (t->receives.list[i].rank == t->receives.list[at].rank)
            return true;
    return false;
}

/* Takes a message that has been received completely. */
static enum transport_status
take_received(struct mpi_transport *t, struct transport_message *message, struct mpp_error *error)
{
    for (size_t i = 0; i < t->receives.count; i++) {
        struct pending *receive = &t->receives.list[i];
        int complete = 0;
        if (is_overtaking(t, i))
            continue;
        int code = MPI_Test(&receive->request, &complete, MPI_STATUS_IGNORE);
        if (!code && !complete)
            continue;
        *message = (struct transport_message){receive->rank, receive->bytes};
        pending_remove(&t->receives, i--);
        if (!code) {
            wakeup_received(&t->wakeup, message->from);
            return TRANSPORT_MESSAGE;
        }
        buf_release(&message->bytes);
        if (!is_rank_failure(code)) { /* otherwise the sender died while it was sending */
            mpi_error(error, "MPI_Test", code);
            return TRANSPORT_FAILED;
        }
    }
    return TRANSPORT_EMPTY;
}

/* Looks for a message, and begins to receive it. Returns 1 if there was one, 0 if not, or -1. */
static int look_for_message(struct mpi_transport *t, struct mpp_error *error)
{
    int there = 0;
    MPI_Status status;
    int code = MPI_Iprobe(MPI_ANY_SOURCE, MESSAGE_TAG, t->comm, &there, &status);
    if (code && !is_rank_failure(code))
        return mpi_error(error, "MPI_Iprobe", code);
    if (code || !there)
        return 0;
    return start_receive(t, &status, error) ? -1 : 1;
}

/* Whether MPI has to be called for messages to or from this rank. */
static bool is_under_way(const struct mpi_transport *t)
{
    return t->base.unsent || t->receives.count;
}

static enum transport_status mpi_poll(struct transport *transport,
                                      struct transport_message *message, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    if ((t->base.unsent || t->sends.count >= SMALL_SENDS_MAX) && reap_sends(t, error))
        return TRANSPORT_FAILED;
    if (!wakeup_must_look(&t->wakeup, is_under_way(t)))
        return TRANSPORT_EMPTY;
    enum transport_status status = take_received(t, message, error);
    for (int looks = 0; status == TRANSPORT_EMPTY && looks < LOOKS; looks++) {
        int found = look_for_message(t, error);
        if (found < 0)
            return TRANSPORT_FAILED;
        if (found)
            status = take_received(t, message, error);
    }
    if (status == TRANSPORT_EMPTY)
        wakeup_found_none(&t->wakeup);
    return status;
}

/* ---- Waking up ---- */

static int64_t mpi_begin_wait(struct transport *transport, bool starving, int64_t now_ns)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    return wakeup_begin_wait(&t->wakeup, is_under_way(t), starving, now_ns);
}

static int mpi_fill_pollfds(const struct transport *transport, struct pollfd *fds)
{
    const struct mpi_transport *t = (const struct mpi_transport *)transport;
    int fd = t->wakeup.bell ? doorbell_fd(t->wakeup.bell) : -1; /* poll(2) ignores -1 */
    fds[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = rank_liveness_fd(t->liveness), .events = POLLIN};
    return 2;
}

static void mpi_end_wait(struct transport *transport, const struct pollfd *fds)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    wakeup_end_wait(&t->wakeup, fds[0].revents != 0);
    t->death_seen = fds[1].revents != 0;
    if (t->death_seen)
        wakeup_look_soon(&t->wakeup); /* the dead rank may not have rung for its last message */
}

/* ---- Lost ranks ---- */

static void mpi_disconnect(struct transport *transport, int rank)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    t->disconnected[rank] = t->any_disconnected = true;
    t->base.unsent -= pending_drop(&t->sends, rank);
    pending_drop(&t->receives, rank);
    if (t->wakeup.bell)
        doorbell_drop(t->wakeup.bell, rank);
    wakeup_look_soon(&t->wakeup);
}

/* The next failed rank that the launcher has reported; -1: none. */
static int ulfm_next_lost(struct mpi_transport *t)
{
    int rank = -1;
#if HAVE_ULFM
    MPI_Group failed, all;
    int count = 0;
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
#else
    (void)t;
#endif
    return rank;
}

static int mpi_next_lost(struct transport *transport)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int64_t now = monotonic_now_ns();
    int rank;
    if (now < t->next_check_ns && !t->death_seen)
        return -1;
    while ((rank = rank_liveness_next_dead(t->liveness)) >= 0 || (rank = ulfm_next_lost(t)) >= 0)
        if (!t->disconnected[rank] && (t->base.rank == 0 || rank == 0))
            return rank;
    t->next_check_ns = now + LOST_CHECK_INTERVAL_NS;
    t->death_seen = false;
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
    if (!code)
        code = MPI_Bcast(ids, sizeof self, MPI_BYTE, 0, t->comm); /* the first: of rank 0 */
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
    while (t->sends.count || wakeup_rings_due(&t->wakeup)) {
        if (reap_sends(t, error))
            return -1;
        for (int rank; (rank = mpi_next_lost(&t->base)) >= 0;)
            mpi_disconnect(&t->base, rank);
        poll(NULL, 0, t->sends.count || wakeup_rings_due(&t->wakeup));
    }
    return 0;
}

static int finalize(const struct mpi_transport *t, struct mpp_error *error)
{
    struct finalize_watchdog watchdog = {.liveness = t->liveness,
                                         .exit_status = t->base.exit_status,
                                         .rank_died = t->any_disconnected};
    finalize_watchdog_start(&watchdog);
    int code = MPI_Finalize();
    finalize_watchdog_end(&watchdog);
    return code ? mpp_error_set(error, "MPI_Finalize failed with code %d", code) : 0;
}

static int mpi_close(struct transport *transport, struct mpp_error *error)
{
    struct mpi_transport *t = (struct mpi_transport *)transport;
    int result = complete_sends(t, error);
    for (size_t i = 0; i < t->sends.count; i++)
        buf_release(&t->sends.list[i].bytes);
    free(t->sends.list);
    free(t->receives.list);
    wakeup_release(&t->wakeup, t->base.rank);
    /* With ULFM, MPI_Finalize waits forever for a rank that was lost on another host; its launcher
     * accepts an exit without MPI_Finalize. */
    if (t->called_init && !(HAVE_ULFM && t->any_disconnected))
        result |= finalize(t, error);
    else if (!t->called_init && !t->any_disconnected)
        MPI_Comm_free(&t->comm); /* collective */
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
    int initialized = 0, finalized = 0, level = MPI_THREAD_SINGLE;
    MPI_Finalized(&finalized);
    if (finalized)
        return mpp_error_set(error, "MPI is finalized here and cannot be initialized again");
    MPI_Initialized(&initialized);
    if (initialized) {
        MPI_Query_thread(&level);
    } else {
        int code = MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &level);
        if (code)
            return mpp_error_set(error, "MPI_Init_thread failed with code %d", code);
        t->called_init = true;
    }
    return level >= MPI_THREAD_SERIALIZED
               ? 0
               : mpp_error_set(error, "MPI's thread level is %d, below MPI_THREAD_SERIALIZED",
                               level);
}

/* Makes the doorbells of this host's ranks known to each other. If one of them cannot be reached,
 * none is used. */
static int connect_doorbells(struct mpi_transport *t, MPI_Comm host, struct mpp_error *error)
{
    int ranks = t->base.node_ranks;
    struct doorbell *bell = doorbell_new(t->base.rank);
    struct doorbell_id own = bell ? doorbell_id(bell) : (struct doorbell_id){0};
    struct doorbell_id *ids = calloc((size_t)ranks, sizeof *ids);
    if (!ids) {
        doorbell_free(bell);
        return mpp_error_set(error, "out of memory for %d ranks", ranks);
    }
    int code = MPI_Allgather(&own, sizeof own, MPI_BYTE, ids, sizeof own, MPI_BYTE, host);
    int done = bell && !code && doorbell_offer(bell, ids, ranks, t->base.size);
    int all_done = 0;
    if (!code)
        code = MPI_Allreduce(&done, &all_done, 1, MPI_INT, MPI_MIN, host);
    done = all_done && doorbell_accept(bell);
    if (!code)
        code = MPI_Allreduce(&done, &all_done, 1, MPI_INT, MPI_MIN, host);
    free(ids);
    if (code || !all_done) {
        doorbell_free(bell);
        bell = NULL;
    }
    t->wakeup.bell = bell;
    t->wakeup.all_ring = bell && ranks == t->base.size;
    t->base.polls_host = !bell;
    return code ? mpi_error(error, "MPI_Allgather", code) : 0;
}

static int meet_host_ranks(struct mpi_transport *t, struct mpp_error *error)
{
    MPI_Comm host;
    int code =
        MPI_Comm_split_type(t->comm, MPI_COMM_TYPE_SHARED, t->base.rank, MPI_INFO_NULL, &host);
    if (code)
        return mpi_error(error, "MPI_Comm_split_type", code);
    MPI_Comm_size(host, &t->base.node_ranks);
    t->wakeup.all_ring = t->base.size == 1;
    int failed = t->base.node_ranks > 1 ? connect_doorbells(t, host, error) : 0;
    MPI_Comm_free(&host);
    return failed;
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
                                             .fill_pollfds = mpi_fill_pollfds,
                                             .begin_wait = mpi_begin_wait,
                                             .end_wait = mpi_end_wait,
                                             .next_lost = mpi_next_lost,
                                             .disconnect = mpi_disconnect};
    char library[LIBRARY_NAME_SIZE];
    struct mpi_transport *t = calloc(1, sizeof *t);
    if (!t) {
        mpp_error_set(error, "out of memory for the transport");
        return NULL;
    }
    t->base.ops = &ops;
    if (init_mpi(t, argc, argv, error))
        goto fail;
    int code = MPI_Comm_dup(MPI_COMM_WORLD, &t->comm);
    if (code && mpi_error(error, "MPI_Comm_dup", code))
        goto fail;
    MPI_Comm_set_errhandler(t->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(t->comm, &t->base.rank);
    MPI_Comm_size(t->comm, &t->base.size);
    transport_mpi_library(library, sizeof library);
    if (launcher_check(t->base.size, library, error) || meet_host_ranks(t, error) ||
        watch_ranks(t, error))
        goto fail;
    return &t->base;

fail:
    wakeup_release(&t->wakeup, t->base.rank);
    free(t->disconnected);
    free(t);
    return NULL;
}
