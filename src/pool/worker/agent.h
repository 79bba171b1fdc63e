/* SPDX-License-Identifier: MIT */
/*
 * agent: what every rank does for the pool. An agent keeps a queue of tasks, has its worker
 * processes run them (worker_set.h), and sends the results to the coordinator on rank 0. On request
 * of the coordinator it sends tasks from the tail of its queue to another rank's agent (work
 * stealing).
 *
 *   coordinator --TASKS--> agent --> worker process --result ring--> agent --DONE--> coordinator
 *
 * An agent runs no tasks itself and never blocks, so it answers messages at once. rank_loop.h
 * drives it.
 */
#ifndef AGENT_H
#define AGENT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "forkserver.h"
#include "mpp_error.h"
#include "transport.h"
#include "worker_set.h"

struct agent;

/* How long a result waits at most while its agent has tasks, so that several share a message: one
 * costs this rank and rank 0 as much as many results. The more ranks there are, the longer: rank 0
 * gets a message about every 16 microseconds at most. An agent that is awake for another reason
 * sends them after half of this time. */
static inline int64_t agent_results_interval_ns(int ranks)
{
    int64_t min_ns = 20000000, by_ranks_ns = INT64_C(16000) * (ranks - 1);
    return by_ranks_ns > min_ns ? by_ranks_ns : min_ns;
}

/* The transport and the fork server must outlive the agent. Workers are started by agent_step.
 * NULL: out of memory. */
struct agent *agent_new(struct transport *transport, struct forkserver *forkserver,
                        const struct worker_set_limits *limits, struct mpp_error *error);
void agent_free(struct agent *agent); /* NULL is allowed */

/* Tells the coordinator that the agent has started. `build` identifies the program: see struct
 * message_hello. */
int agent_send_hello(struct agent *agent, uint64_t build, struct mpp_error *error);

/* Handles a message for an agent: PING, TASKS, STEAL, CANCEL, STOP, LOST or END. Any other is an
 * error. */
int agent_handle_message(struct agent *agent, int from, const struct buf *bytes,
                         struct mpp_error *error);

/* Does everything that can be done now: reads results, starts workers, assigns tasks, sends
 * messages. *progressed is set when anything happened. *wake_at_ns is set to the time when to call
 * it again even if nothing happens (monotonic_now_ns); INT64_MAX: no such time. -1: the rank cannot
 * go on. */
int agent_step(struct agent *agent, bool *progressed, int64_t *wake_at_ns, struct mpp_error *error);

/* The descriptors to poll(2) for before the next step: see worker_set_fill_pollfds. */
int agent_fill_pollfds(const struct agent *agent, struct pollfd *fds);
void agent_read_pollfds(struct agent *agent, const struct pollfd *fds);

bool agent_starves(const struct agent *agent); /* a worker has nothing to do, or there is none */
bool agent_ended(const struct agent *agent);   /* END has arrived: the transport can be closed */

#endif
