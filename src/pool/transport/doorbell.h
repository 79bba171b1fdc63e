/* SPDX-License-Identifier: MIT */
/*
 * doorbell: ranks of one host wake each other.
 *
 * MPI has no descriptor that a sleeping rank could wait on. So the ranks of a host share a piece of
 * memory, in which each counts the messages that it has posted to each other one, and says whether
 * it sleeps. A rank therefore knows how many messages are under way to it, and looks for them until
 * they have arrived: MPI_Iprobe finds a message eventually, not at the first call. Whoever posts a
 * message to a rank that sleeps also sends a datagram to its socket, the doorbell: a ring.
 *
 *   receiver                                   sender
 *   says that it sleeps                        posts the message
 *   are there messages? then it stays awake    counts it
 *   sleeps until its socket is readable        does the receiver sleep? then rings
 *
 * Each side first writes and then reads what the other one writes, so one of them always notices.
 * A rank rings another one at most once each time that one sleeps, so even a rank that is stopped
 * for ever takes the room of one datagram. If there is no room, the ring is repeated.
 *
 * The socket has an abstract name and the memory has none (memfd_create(2)): the first rank hands
 * it to the others through their sockets. So nothing is left behind, however a process ends, and a
 * rank has one descriptor for all others.
 */
#ifndef DOORBELL_H
#define DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

/* How others can reach a rank. Contains no pointers, so it can be sent as bytes. */
struct doorbell_id {
    uint64_t space;  /* namespace_id("net"): the names of sockets are its own; 0: no doorbell */
    uint64_t cookie; /* a secret: whoever knows it may hand over memory */
    char name[8];    /* of the socket */
    int64_t rank;
};

struct doorbell;

/* Makes the doorbell of this rank. NULL: no such socket can be made here, or out of memory. */
struct doorbell *doorbell_new(int rank);
void doorbell_free(struct doorbell *bell); /* NULL is allowed */

struct doorbell_id doorbell_id(const struct doorbell *bell);

/* Connects the ranks of a host in two steps; all of them must have succeeded in the first step when
 * one begins the second. `ids`: of `count` ranks, this one among them, in the same order on each;
 * all ranks are below rank_limit. In the first step the first rank hands the memory to all others;
 * in the second they take it. False: a rank cannot be reached, or out of memory or descriptors; no
 * rank may use its doorbell then. */
bool doorbell_offer(struct doorbell *bell, const struct doorbell_id *ids, int count,
                    int rank_limit);
bool doorbell_accept(struct doorbell *bell);

/* ---- Messages. These do nothing for ranks of other hosts. ---- */

/* date_ns: CLOCK_REALTIME. Ranks of one host may differ in CLOCK_MONOTONIC: time_namespaces(7). */

/* A message to this rank has been posted: counts it, and rings if the rank sleeps. False: it is a
 * rank of another host. */
bool doorbell_posted(struct doorbell *bell, int to, int64_t date_ns);

/* Rings again where there was no room. Returns whether there still is none: try again soon then. */
bool doorbell_retry(struct doorbell *bell);

/* A message from this rank has arrived. `by_backstop`: it was found although none was expected. */
void doorbell_received(struct doorbell *bell, int from, bool by_backstop);

/* Whether messages have been posted to this rank that have not arrived yet. */
bool doorbell_expects(const struct doorbell *bell);

/* Asks the senders of these messages to call MPI, and wakes them. MPI may need that to move a
 * message. doorbell_reminded returns whether this rank was asked to, since the last call. */
void doorbell_remind(struct doorbell *bell);
bool doorbell_reminded(struct doorbell *bell);

/* The rank has died: expects nothing from it and does not ring it any more. */
void doorbell_drop(struct doorbell *bell, int rank);

/* ---- Sleeping ---- */

int doorbell_fd(const struct doorbell *bell); /* readable when somebody has rung */

/* From now on others ring. False: there is a message or a reminder already, do not sleep. Call
 * doorbell_wake afterwards in any case. */
bool doorbell_sleep(struct doorbell *bell);

/* `rung`: the descriptor is readable. */
void doorbell_wake(struct doorbell *bell, bool rung, int64_t date_ns);

/* How many messages would have waited for ever if nobody had looked for them unasked: because they
 * were not counted, or because their sender did not ring. Always 0, if all is well. */
uint64_t doorbell_missed(const struct doorbell *bell);

#endif
