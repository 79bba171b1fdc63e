/*
 * coordinator: rank 0's other half. Turns submitted futures and the agents' messages into events
 * for the scheduler, and its actions into messages and completed futures. Driven by the progress
 * thread alone.
 */
#ifndef COORDINATOR_H
#define COORDINATOR_H

#include <stdbool.h>

#include "future.h"
#include "mpp_error.h"
#include "transport.h"

struct coordinator;

/* Called for every future that has come to its end, filled in; the coordinator's reference goes
 * with it. */
typedef void (*coordinator_complete)(void *context, struct mpp_future *future);

/* attempts: as for scheduler_new. NULL: error says why. */
struct coordinator *coordinator_new(struct transport *transport, uint32_t attempts,
                                    coordinator_complete complete, void *context,
                                    struct mpp_error *error);

/* Frees; futures not at their end are completed as cancelled (or broken, with the reason). */
void coordinator_free(struct coordinator *coordinator, const char *broken_because);

/* Takes a submitted task and the pool's reference to it. */
int coordinator_submit(struct coordinator *coordinator, struct mpp_future *future,
                       struct mpp_error *error);

/* Is this message one for a coordinator? Otherwise it is the agent's. */
bool coordinator_wants(const struct buf *bytes);
int coordinator_message(struct coordinator *coordinator, int from, const struct buf *bytes,
                        struct mpp_error *error);

/* Sends what has been decided since the last time. Call it when a round of events is through. */
int coordinator_flush(struct coordinator *coordinator, bool *progressed, struct mpp_error *error);

/* No task will be submitted any more: when all are done, tells the agents to stop. discard: at
 * once. */
int coordinator_stop(struct coordinator *coordinator, bool discard, struct mpp_error *error);

/* Every agent has stopped. */
bool coordinator_all_stopped(const struct coordinator *coordinator);

void coordinator_stats(const struct coordinator *coordinator, struct mpp_stats *stats);

#endif
