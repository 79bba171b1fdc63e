/* SPDX-License-Identifier: MIT */
/*
 * transport: moves messages between ranks. A message is a run of bytes and arrives whole.
 *
 * One interface, a table of functions, has two implementations: MPI (transport_mpi.c) and a pool of
 * a single rank (transport_single_rank.c). Messages that a rank sends to itself are queued here and
 * never reach the implementation. Messages from one rank to another arrive in the order sent.
 *
 * Nothing blocks except transport_close. A transport may be used by different threads, but only by
 * one at a time.
 *
 * A rank that has nothing to do sleeps in poll(2) until one of the transport's descriptors becomes
 * readable, at most for the time that transport_begin_wait returns. Between ranks of one host a
 * descriptor says that a message has been sent; from other hosts messages come without a sign.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "mpp_error.h"

struct transport_message {
    int from;         /* rank of the sender */
    struct buf bytes; /* owned by the receiver, who releases it */
};

enum transport_status {
    TRANSPORT_MESSAGE, /* *message is filled */
    TRANSPORT_EMPTY,   /* no message has arrived */
    TRANSPORT_FAILED,  /* *error is filled; the transport cannot be used any more */
};

/* Messages from a rank to itself. */
struct transport_self_queue {
    struct buf *list;
    size_t count, next, capacity; /* list[next] to list[count - 1] are waiting */
};

struct transport;

/* What an implementation provides; the functions below describe the contracts. */
struct transport_ops {
    /* Takes *bytes only when it succeeds. `to` is never the own rank. */
    int (*send)(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error);
    enum transport_status (*poll)(struct transport *transport, struct transport_message *message,
                                  struct mpp_error *error);
    int (*close)(struct transport *transport, struct mpp_error *error);
    void (*abort)(struct transport *transport, int status);
    /* NULL for these three: there are no descriptors, and no reason to wake up. */
    int64_t (*begin_wait)(struct transport *transport, bool starving, int64_t now_ns);
    int (*fill_pollfds)(const struct transport *transport, struct pollfd *fds);
    void (*end_wait)(struct transport *transport, const struct pollfd *fds);
    int (*next_lost)(struct transport *transport);             /* NULL: ranks are never lost */
    void (*disconnect)(struct transport *transport, int rank); /* NULL likewise */
};

/* The fields are for reading, except exit_status; the implementation sets them. */
struct transport {
    const struct transport_ops *ops;
    int rank;        /* of this process */
    int size;        /* number of ranks */
    int node_ranks;  /* how many of them run on this host */
    size_t unsent;   /* messages that arrive only if this rank goes on calling transport_poll */
    int exit_status; /* for a process that cannot return from transport_close; 0 by default */
    bool polls_host; /* ranks of this host cannot wake each other: they look on a timer */
    struct transport_self_queue self_queue;
};

/* Starts to send a message and returns at once. Takes the bytes: *bytes is BUF_INIT afterwards,
 * also on failure. A buf that has run out of memory (`failed`) makes it fail. */
int transport_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error);

/* Receives the next message, if one has arrived. */
enum transport_status transport_poll(struct transport *transport, struct transport_message *message,
                                     struct mpp_error *error);

/* Before a rank sleeps: from now on others wake it. Returns how long to sleep at most before the
 * next transport_poll, in nanoseconds; -1: until a descriptor is readable. `starving`: workers of
 * this rank have nothing to do until a message arrives. */
int64_t transport_begin_wait(struct transport *transport, bool starving, int64_t now_ns);

/* The descriptors to poll(2) for, at most TRANSPORT_POLLFDS_MAX. Returns how many. */
enum { TRANSPORT_POLLFDS_MAX = 2 };
int transport_fill_pollfds(const struct transport *transport, struct pollfd *fds);

/* After it has slept: takes what poll(2) has set in these descriptors. */
void transport_end_wait(struct transport *transport, const struct pollfd *fds);

/* A rank that has died and has not been returned before; -1: there is none. Rank 0 is told of every
 * rank, other ranks only of rank 0. Cheap to call. */
int transport_next_lost(struct transport *transport);

/* Call this for a lost rank: messages to it, under way or still to come, are dropped. */
void transport_disconnect(struct transport *transport, int rank);

/* Collective, blocks: completes pending sends, calls MPI_Finalize if the transport called MPI_Init,
 * and frees the transport. No message to this rank may be under way any more. -1: *error is filled,
 * and the transport is freed as well. */
int transport_close(struct transport *transport, struct mpp_error *error);

/* Ends every rank of the run at once with this exit status. */
_Noreturn void transport_abort(struct transport *transport, int status);

/* The short name of the MPI library, such as "Open MPI 4.1.4", cut to size - 1 bytes. May be called
 * at any time, also before MPI_Init. */
void transport_mpi_library(char *name, size_t size);

/* Collective; calls MPI_Init_thread if the program has not. NULL: *error is filled. */
struct transport *transport_mpi_new(int *argc, char ***argv, struct mpp_error *error);
/* A pool of one rank without MPI. NULL: *error is filled. */
struct transport *transport_single_rank_new(struct mpp_error *error);

#endif
