/* SPDX-License-Identifier: MIT */
/*
 * result_sender: how a worker process hands results to its agent: through the ring in shared
 * memory, or through its socket in a frame with a DONE message if they do not fit. An empty frame
 * only wakes the agent, which then reads the ring. Results can wait for their job's flush (struct
 * mpp_job), so that short tasks share one.
 *
 * A frame is the size of a message (four bytes, little-endian) and the message (message.h).
 */
#ifndef RESULT_SENDER_H
#define RESULT_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#include "message.h"
#include "mppool.h"
#include "worker_slot.h"

enum { FRAME_HEAD_BYTES = 4 };

struct result_sender {
    int fd; /* socket of the worker */
    struct worker_slot *slot;
    struct buf out; /* a result being encoded */

    /* A DONE message of the results that wait. It is not ended yet; list.count 0: none waits. */
    struct buf held;
    struct message_list held_list;
    const struct mpp_job *job; /* theirs */
    void *state;
    int64_t held_since_ns; /* when the first of their tasks began */

    int64_t agent_woken_ns; /* when the agent was last woken */
};

void result_sender_release(struct result_sender *sender); /* sends nothing more */

/* Sends a result. Returns whether it may have blocked. */
bool result_sender_send(struct result_sender *sender, const struct message_result *result);

/* Lets a result wait for the job's flush; flushes if the first result has waited for 20 ms of work.
 * Returns whether it may have blocked. */
bool result_sender_hold(struct result_sender *sender, const struct mpp_job *job, void *state,
                        const struct message_result *result);

/* Flushes the job of the results that wait, if any, and sends them; may block. */
void result_sender_flush(struct result_sender *sender);

/* Writes a message as a frame on the socket; may block until the agent reads it. */
void result_sender_frame(struct result_sender *sender, const struct buf *message);

/* Wakes the agent for the results in the ring, unless it has an unread frame already. */
void result_sender_wake(struct result_sender *sender, int64_t now_ns);

/* The same, but only some milliseconds after the last time: the agent reads the ring whenever it is
 * awake, and waking it for every result would cost more than the results. */
void result_sender_wake_sometimes(struct result_sender *sender, int64_t now_ns);

#endif
