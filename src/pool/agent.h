/*
 * agent: what every rank does for the pool. It keeps a queue of tasks, lets its crew of worker
 * processes run them, hands tasks to thieves, and reports to the coordinator on rank 0. It never
 * computes, so it answers at once; it never blocks.
 */
#ifndef AGENT_H
#define AGENT_H

#include <poll.h>
#include <stdbool.h>

#include "forkserver.h"
#include "mpp_error.h"
#include "transport.h"
#include "worker_set.h"

struct agent;

/* Results wait for others to share a message with, so long for each rank of the run that rank 0
 * gets one message every few microseconds however many ranks there are; not where the agent has
 * nothing else to do, nor before anything else it says. */
#define AGENT_HOLD_NS_A_RANK 16000

/* Transport and fork server must outlive the agent. NULL: out of memory. */
struct agent *agent_new(struct transport *transport, struct forkserver *forkserver,
                        const struct worker_set_limits *limits, struct mpp_error *error);
void agent_free(struct agent *agent);

/* Reports to the coordinator that this agent is here, running such a build, and asks for the first
 * workers. */
int agent_hello(struct agent *agent, uint64_t build, struct mpp_error *error);

/* A message for an agent (TASKS, STEAL, CANCEL, STOP, LOST, END); any other is an error. */
int agent_message(struct agent *agent, int from, const struct buf *bytes, struct mpp_error *error);

/* Does all that can be done now: reads and writes sockets, assigns, reports. *progressed is set
 * when anything happened; *look_at_ns to the time when it wants to be called at the latest
 * (CLOCK_MONOTONIC; INT64_MAX: when something happens). */
int agent_step(struct agent *agent, bool *progressed, int64_t *look_at_ns, struct mpp_error *error);

/* What to poll for, and what was found: see worker_set.h. */
int agent_poll_set(const struct agent *agent, struct pollfd *set);
void agent_polled(struct agent *agent, const struct pollfd *set);

bool agent_idle(const struct agent *agent);  /* neither queued nor running tasks */
bool agent_ended(const struct agent *agent); /* rank 0 has said END */

#endif
