/* SPDX-License-Identifier: MIT */
/*
 * worker_process: the main loop of a worker process. The fork server calls it in each process it
 * forks; the agent is at the other end of the socket.
 *
 * The worker reads frames with TASKS messages from the socket, runs the jobs, and puts the results
 * into the result ring that it shares with the agent. A result that does not fit into the ring goes
 * through the socket in a frame with a DONE message. An empty frame only wakes the agent, which
 * then reads the ring. If the initializer fails or the worker cannot be confined, it sends BROKEN
 * and ends.
 *
 * A frame is the size of a message (four bytes, little-endian) and the message (message.h). A
 * worker does not use MPI and knows no process except its agent.
 */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

#include "mppool.h"
#include "worker_slot.h"

enum { FRAME_HEAD_BYTES = 4 };

/* Runs tasks until the agent closes the socket. The descriptor stays the caller's. */
void worker_main(int fd, struct worker_slot *slot, const struct mpp_options *options);

#endif
