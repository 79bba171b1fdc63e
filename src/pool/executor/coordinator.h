/* SPDX-License-Identifier: MIT */
/*
 * coordinator: assigns the tasks of a pool to its ranks. There is one, on rank 0.
 *
 *     submitted futures,   events               actions   messages to agents,
 *     messages of agents  -------->  scheduler  ------->  futures that end
 *
 * The scheduler decides and knows ids only. The coordinator keeps the futures behind those ids and
 * performs the scheduler's actions. It never blocks. It is not thread-safe: on rank 0 only the
 * progress thread calls it.
 *
 * Functions that return int return 0, or -1 with the error filled. The pool cannot go on then.
 */
#ifndef COORDINATOR_H
#define COORDINATOR_H

#include <stdatomic.h>
#include <stdbool.h>

#include "future.h"
#include "message.h"
#include "mpp_error.h"
#include "transport.h"

struct coordinator;

/* Facts about a rank. The coordinator writes them, and any thread may read them. */
struct rank_info {
    char host[64];       /* valid once workers is not 0 or a result of the rank was published */
    _Atomic int workers; /* worker processes; 0: the rank has not joined */
    _Atomic uint64_t tasks, busy_ns;
};

struct coordinator_options {
    uint32_t attempts; /* as for scheduler_new */
    uint64_t build;    /* the HELLO of every rank must contain this value */

    /* Called for each future that the coordinator has settled. It takes over the pool's reference
     * and must publish the future. */
    void (*completed)(void *context, struct mpp_future *future);
    void *context;

    struct rank_info *rank_info; /* the caller's, one for each rank, zeroed; outlives the
                                    coordinator */
};

/* The transport must outlive the coordinator. NULL: out of memory, and the error is filled. */
struct coordinator *coordinator_new(struct transport *transport,
                                    const struct coordinator_options *options,
                                    struct mpp_error *error);

/* Tasks that have not ended are ended as cancelled, or as broken if a reason is given. */
void coordinator_free(struct coordinator *coordinator, const char *broken_reason);

/* ---- Requests of the program ---- */

/* Takes over the pool's reference to the future. On -1 it stays with the caller. */
int coordinator_submit(struct coordinator *coordinator, struct mpp_future *future,
                       struct mpp_error *error);

/* The future was cancelled by a caller and is still in the table: an agent that has the task is
 * told to drop it. */
int coordinator_cancel(struct coordinator *coordinator, const struct mpp_future *future,
                       struct mpp_error *error);

/* No more tasks will be submitted. When all have ended, the agents are told to stop. */
int coordinator_end_input(struct coordinator *coordinator, struct mpp_error *error);

/* Cancels all tasks that do not run yet, and tells the agents to stop after the running ones. */
int coordinator_cancel_waiting(struct coordinator *coordinator, struct mpp_error *error);

/* ---- Events of the agents, as coordinator_messages decodes them ---- */

int coordinator_agent_joined(struct coordinator *coordinator, int rank,
                             const struct message_hello *hello, struct mpp_error *error);
int coordinator_agent_wants_tasks(struct coordinator *coordinator, int rank,
                                  struct mpp_error *error);
int coordinator_task_ended(struct coordinator *coordinator, int rank,
                           const struct message_result *result, struct mpp_error *error);
int coordinator_task_moved(struct coordinator *coordinator, int victim, int thief, uint64_t id,
                           uint32_t dispatch, struct mpp_error *error);
int coordinator_steal_ended(struct coordinator *coordinator, int victim, int thief, uint32_t count,
                            struct mpp_error *error);
void coordinator_task_running(struct coordinator *coordinator, uint64_t id);

/* Results of this rank follow. `workers_replaced` is that of message_begin_done. */
void coordinator_results_arrive(struct coordinator *coordinator, int rank,
                                uint32_t workers_replaced);

/* The agent has answered a PING with its CLOCK_MONOTONIC. */
void coordinator_agent_clock(struct coordinator *coordinator, int rank, int64_t clock_ns);

/* No task can run any more, for the reason that this rank gives (such as its initializer failed):
 * all tasks end as broken. */
int coordinator_break(struct coordinator *coordinator, int rank, const char *reason, uint32_t size,
                      struct mpp_error *error);

/* The agent has stopped, as it was told. */
void coordinator_agent_stopped(struct coordinator *coordinator, int rank);

/* The rank is dead: other ranks get its tasks. */
int coordinator_rank_lost(struct coordinator *coordinator, int rank, struct mpp_error *error);

/* ---- Progress ---- */

/* Assigns tasks and sends the messages that result from all events since the last call. Sets
 * *progressed if it did anything. */
int coordinator_flush(struct coordinator *coordinator, bool *progressed, struct mpp_error *error);

/* Tells the other ranks that the pool has ended. Nothing may be sent after that. */
int coordinator_send_end(struct coordinator *coordinator, struct mpp_error *error);

/* ---- State ---- */

int coordinator_rank_count(const struct coordinator *coordinator);
bool coordinator_is_rank_lost(const struct coordinator *coordinator, int rank);

/* Every agent that still lives has stopped. */
bool coordinator_all_stopped(const struct coordinator *coordinator);

/* Why no task can run; NULL: the pool is not broken. */
const char *coordinator_broken_reason(const struct coordinator *coordinator);

void coordinator_stats(const struct coordinator *coordinator, struct mpp_stats *stats);

#endif
