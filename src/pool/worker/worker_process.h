/* SPDX-License-Identifier: MIT */
/*
 * worker_process: the main loop of a worker process. The fork server calls it in each process it
 * forks; the agent is at the other end of the socket.
 *
 * The worker reads frames with TASKS messages from the socket, runs the jobs, and hands the results
 * to its agent (result_sender.h). If the initializer fails or the worker cannot be confined, it
 * sends BROKEN and ends. A worker does not use MPI and knows no process except its agent.
 */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

#include "mppool.h"
#include "worker_slot.h"

/* Runs tasks until the agent closes the socket. The descriptor stays the caller's. */
void worker_main(int fd, struct worker_slot *slot, const struct mpp_options *options);

#endif
