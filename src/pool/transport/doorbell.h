/* SPDX-License-Identifier: MIT */
/*
 * doorbell: ranks of one host wake each other.
 *
 * MPI has no descriptor that a sleeping rank could wait on. So every rank has an abstract Unix
 * datagram socket, its doorbell, and whoever has posted an MPI message to it also sends a small
 * datagram, a ring. A ring says how many messages its sender has posted to this rank since the
 * start. The receiver therefore knows whether a message is still under way, and looks for it until
 * it has arrived: MPI_Iprobe finds a message eventually, not at the first call.
 *
 * No ring gets lost. If a socket is full, the ring is kept and repeated later. A rank rings another
 * one at most 8 times without an answer: so a rank that is stopped cannot fill the socket buffer
 * from which the sender rings others. An answer is a ring, too.
 *
 * A doorbell is one descriptor, however many ranks there are. An abstract socket has no file, so
 * nothing is left behind, however the process ends.
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

/* How others can ring. Contains no pointers, so it can be sent as bytes. */
struct doorbell_id {
    uint64_t space;  /* namespace_id("net"): the names of sockets are its own; 0: no doorbell */
    uint64_t cookie; /* every ring must carry it; others are ignored */
    char name[8];    /* of the socket */
    int64_t rank;
};

struct doorbell;

/* Makes the doorbell of this rank. NULL: no such socket can be made here, or out of memory. */
struct doorbell *doorbell_new(int rank);
void doorbell_free(struct doorbell *bell); /* NULL is allowed */

struct doorbell_id doorbell_id(const struct doorbell *bell);

/* Makes the ranks of this host known to each other: ids of `count` ranks, among them this one; all
 * ranks are below rank_limit. Tries to ring each of them. False: one of them cannot be reached, or
 * out of memory; the doorbell is useless then. */
bool doorbell_connect(struct doorbell *bell, const struct doorbell_id *ids, int count,
                      int rank_limit);

int doorbell_fd(const struct doorbell *bell); /* readable when somebody has rung */

/* The functions below do nothing for ranks of other hosts. */

/* A message to this rank has been posted: rings. False: it is a rank of another host. */
bool doorbell_posted(struct doorbell *bell, int to);

/* Reads all rings that have arrived. Returns whether one was a reminder: MPI has to be called. */
bool doorbell_listen(struct doorbell *bell);

/* Rings again where a socket was full. Returns whether one still is: try again soon then. */
bool doorbell_retry(struct doorbell *bell);

/* A message from this rank has been found. `by_backstop`: although none was expected. */
void doorbell_received(struct doorbell *bell, int from, bool by_backstop);

/* Whether messages have been announced that were not found yet. */
bool doorbell_expects(const struct doorbell *bell);

/* Rings the senders of these messages, because their MPI may have to be called to move them. */
void doorbell_remind(struct doorbell *bell);

/* The rank has died: expects nothing from it and does not ring it any more. */
void doorbell_drop(struct doorbell *bell, int rank);

/* How many messages were found by the backstop and have not been announced since. */
uint64_t doorbell_missed(const struct doorbell *bell);

#endif
