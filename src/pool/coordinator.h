/*
 * coordinator: rank 0's other half. Turns submitted futures and the agents' messages into events
 * for the scheduler, and its actions into messages and completed futures. Driven by the progress
 * thread alone.
 */
#ifndef COORDINATOR_H
#define COORDINATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "future.h"
#include "mpp_error.h"
#include "transport.h"

struct coordinator;

/* Called for every future whose end it has settled and filled in; the pool's reference goes with
 * it. */
typedef void (*coordinator_complete)(void *context, struct mpp_future *future);

/* What is known of a rank, for whoever asks: the coordinator writes it, any thread reads it. */
struct rank_account {
    char host[64]; /* before any result of the rank is made known */
    _Atomic int workers;
    _Atomic uint64_t tasks, busy_ns;
};

struct coordinator_options {
    uint32_t attempts; /* as for scheduler_new */
    uint64_t build;    /* what every rank must say in its HELLO */
    coordinator_complete complete;
    void *context;
    struct rank_account *accounts; /* of all ranks; zero */
};

/* NULL: error says why. */
struct coordinator *coordinator_new(struct transport *transport,
                                    const struct coordinator_options *options,
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

/* The task of a settled future that is in the books is not wanted any more. */
int coordinator_cancel(struct coordinator *coordinator, const struct mpp_future *future,
                       struct mpp_error *error);

/* No task will be submitted any more: when all are done, tells the agents to stop. */
int coordinator_end_input(struct coordinator *coordinator, struct mpp_error *error);

/* The same, and those that do not run yet are cancelled. */
int coordinator_discard(struct coordinator *coordinator, struct mpp_error *error);

/* Why no task can run (an initializer failed); NULL: they can. All futures then end as broken. */
const char *coordinator_broken(const struct coordinator *coordinator);

/* A rank is gone, and nothing will be heard of it again: others take over its tasks. */
int coordinator_lost(struct coordinator *coordinator, int rank, struct mpp_error *error);

/* Every agent that is there has stopped. */
bool coordinator_all_stopped(const struct coordinator *coordinator);

/* Tells the others so; after that nothing is sent any more. */
int coordinator_say_end(struct coordinator *coordinator, struct mpp_error *error);

void coordinator_stats(const struct coordinator *coordinator, struct mpp_stats *stats);

#endif
