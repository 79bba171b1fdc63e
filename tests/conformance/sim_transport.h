/* SPDX-License-Identifier: MIT */
/*
 * sim_transport: a simulated network. The ranks are threads of one process. Each message is delayed
 * until its receiver has polled a random number of times, so messages of different senders overtake
 * each other. Between two ranks the order is kept, as MPI keeps it. The random numbers come from a
 * seed.
 */
#ifndef SIM_TRANSPORT_H
#define SIM_TRANSPORT_H

#include <stdint.h>

#include "executor_open.h"

struct sim_network;

/* NULL: out of memory. */
struct sim_network *sim_network_new(int ranks, uint64_t seed);
void sim_network_free(struct sim_network *network);

/* Starts a thread for each rank from 1 on, which serves, and opens the executor on rank 0. Returns
 * what mpp_open returns on rank 0. */
enum mpp_role sim_open(struct sim_network *network, const struct mpp_options *options,
                       struct mpp_executor **executor, struct mpp_error *error);

/* Waits for the threads of the other ranks. Call it after mpp_close. Returns 0, or -1 if a rank
 * failed. */
int sim_close(struct sim_network *network);

#endif
