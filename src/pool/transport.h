/*
 * transport: moves whole messages between ranks. Two kinds stand behind one table of functions: MPI
 * (transport_mpi.c) and a pool of one rank (transport_local.c). A message to the own rank never
 * leaves the process. Between two ranks order is kept. Not thread-safe: one thread at a time.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <stdbool.h>

#include "buf.h"
#include "mpp_error.h"

struct transport_message {
    int from;         /* rank */
    struct buf bytes; /* the receiver's, to be released */
};

enum transport_status {
    TRANSPORT_MESSAGE, /* *message is filled */
    TRANSPORT_EMPTY,
    TRANSPORT_FAILED, /* error is filled; the transport is of no more use */
};

struct transport_own { /* messages to the own rank */
    struct buf *list;
    size_t count, next, capacity;
};

struct transport;

struct transport_ops {
    int (*send)(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error);
    enum transport_status (*poll)(struct transport *transport, struct transport_message *message,
                                  struct mpp_error *error);
    int (*close)(struct transport *transport, struct mpp_error *error);
    void (*abort)(struct transport *transport, int status);
    int (*lost)(struct transport *transport); /* NULL: ranks of this kind are not lost */
    void (*forget)(struct transport *transport, int rank);
};

struct transport {
    const struct transport_ops *ops;
    int rank;
    int size;        /* ranks */
    int node_ranks;  /* how many of them share this host */
    size_t unsent;   /* messages on their way out that want polling to get on */
    int exit_status; /* of the process, where closing cannot come back */
    struct transport_own own;
};

/* Returns at once; takes the bytes (leaves BUF_INIT) and sends them when the other side is ready.
 */
int transport_send(struct transport *transport, int to, struct buf *bytes, struct mpp_error *error);

/* The next message, if one has come; does not block. */
enum transport_status transport_poll(struct transport *transport, struct transport_message *message,
                                     struct mpp_error *error);

/* A rank that is gone and was not told of before; -1: none. Rank 0 learns of all that can be known
 * of, the others of rank 0. Cheap. */
int transport_lost(struct transport *transport);

/* What is on its way to a rank that is gone is dropped, and what will be sent to it. */
void transport_forget(struct transport *transport, int rank);

/* Collective: completes what was sent, ends MPI where the transport began it, and frees. Nothing
 * may be on its way to this rank any more. Blocks. */
int transport_close(struct transport *transport, struct mpp_error *error);

/* Ends every rank of the run at once, with this exit status. */
_Noreturn void transport_abort(struct transport *transport, int status);

/* Was this process started by an MPI launcher? Told by its environment, before MPI_Init. */
bool transport_mpi_launched(void);

/* NULL: error says why. */
struct transport *transport_mpi_new(int *argc, char ***argv, struct mpp_error *error);
struct transport *transport_local_new(struct mpp_error *error);

#endif
