/*
 * agent: what every rank does for the pool. It keeps a queue of tasks, feeds its worker processes,
 * hands tasks to thieves, replaces workers that die, and reports to the coordinator on rank 0. It
 * never computes, so it answers at once; it never blocks.
 *
 * A worker gets frames of tasks sized by how long tasks have been taking lately, at most two frames
 * at a time: the second hides the way there and back. What a worker has not begun can still be
 * taken back.
 */
#ifndef AGENT_H
#define AGENT_H

#include <poll.h>
#include <stdbool.h>

#include "forkserver.h"
#include "mpp_error.h"
#include "transport.h"

struct agent;

/* workers: how many processes; both pointers must outlive the agent. NULL: out of memory. */
struct agent *agent_new(struct transport *transport, struct forkserver *forkserver, int workers,
                        struct mpp_error *error);
void agent_free(struct agent *agent);

/* Reports to the coordinator that this agent is here, and asks for the first workers. */
int agent_hello(struct agent *agent, struct mpp_error *error);

/* A message for an agent (TASKS, STEAL, STOP); any other is an error. */
int agent_message(struct agent *agent, int from, const struct buf *bytes, struct mpp_error *error);

/* Does all that can be done now: reads and writes sockets, assigns, reports. *progressed is set
 * when anything happened. */
int agent_step(struct agent *agent, bool *progressed, struct mpp_error *error);

/* Fills in what to poll for (at most MPP_WORKERS_MAX + 1 entries) and returns how many. */
int agent_poll_set(const struct agent *agent, struct pollfd *set);

bool agent_idle(const struct agent *agent); /* neither queued nor running tasks */
bool agent_said_bye(const struct agent *agent);

#endif
