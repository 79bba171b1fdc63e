/* SPDX-License-Identifier: MIT */
/*
 * rank_loop: the event loop of one rank. A step takes messages and gives the agent and, on rank 0,
 * the coordinator a turn; when a step had nothing to do, the loop waits. One thread drives it: the
 * progress thread on rank 0, the thread that called mpp_open on other ranks.
 */
#ifndef RANK_LOOP_H
#define RANK_LOOP_H

#include <poll.h>
#include <stdbool.h>

#include "agent.h"
#include "coordinator.h"
#include "forkserver.h"
#include "transport.h"

struct rank_loop {
    struct transport *transport;
    struct forkserver forkserver;
    struct agent *agent;
    struct coordinator *coordinator; /* on rank 0; NULL on the others */
    struct pollfd poll_set[MPP_WORKERS_MAX + 2 + TRANSPORT_POLLFDS_MAX];
    unsigned busy_steps;  /* steps that did something */
    int64_t next_step_ns; /* when the agent must have a step even if nothing happens */
};

/* Does everything that can be done without blocking. Sets *progressed if it did anything. Returns
 * -1 with the error filled if this rank cannot go on. */
int rank_loop_step(struct rank_loop *rank, bool *progressed, struct mpp_error *error);

/* Blocks until a worker, the fork server, the transport or wake_fd (-1: none) is readable, or until
 * it is time for the transport to look for messages or for the agent to have a step. */
void rank_loop_wait(struct rank_loop *rank, int wake_fd);

/* Ends the agent and its worker processes. The transport stays open. */
void rank_loop_stop(struct rank_loop *rank);

#endif
