/* SPDX-License-Identifier: MIT */
/*
 * progress_thread: the thread that drives the pool on rank 0. In each round it takes the callers'
 * requests from the executor, steps the rank, and publishes the futures that have ended.
 */
#ifndef PROGRESS_THREAD_H
#define PROGRESS_THREAD_H

#include "executor_state.h"

/* Makes the coordinator of the executor's rank and starts the thread. The thread ends once the
 * executor has been shut down and all agents have stopped, or when the pool fails; then it sets
 * executor->ended. `build` and `attempts` are those of struct coordinator_options. Returns -1 with
 * the error filled. */
int progress_thread_start(struct mpp_executor *executor, uint64_t build, uint32_t attempts,
                          struct mpp_error *error);

/* Blocks until the thread has ended. */
void progress_thread_join(struct mpp_executor *executor);

#endif
