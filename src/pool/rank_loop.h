/*
 * rank: what one rank does between open and shutdown: takes messages, steps its agent and, on rank
 * 0, the coordinator, and sleeps when there is nothing to do. One thread drives it.
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
    struct coordinator *coordinator; /* NULL but on rank 0 */
    struct pollfd poll_set[MPP_WORKERS_MAX + 2];
    unsigned busy_steps;   /* that did something */
    int64_t look_at_ns;    /* when the agent wants to be stepped at the latest */
    int64_t idle_since_ns; /* when the first wait after the last event began; 0: none yet */
};

/* Does all that can be done now, without blocking. */
int rank_loop_step(struct rank_loop *rank, bool *progressed, struct mpp_error *error);

/* Sleeps until a worker, the fork server or wake_fd (-1: none) has something, or it is time to look
 * for messages again: MPI has no descriptor to wait on, so the wait grows from 20 us to a few
 * milliseconds. */
void rank_loop_wait(struct rank_loop *rank, int wake_fd);

#endif
