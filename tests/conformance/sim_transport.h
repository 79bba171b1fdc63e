/*
 * sim_transport: ranks that are threads of one process, with a network between them that delays
 * messages: each becomes visible after a random number of looks, so that those of different senders
 * overtake each other; between two ranks order is kept, as MPI keeps it. The numbers come from a
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

/* Serves the ranks from 1 on in threads, and opens the executor on rank 0. Returns as mpp_open. */
enum mpp_role sim_open(struct sim_network *network, const struct mpp_options *options,
                       struct mpp_executor **executor, struct mpp_error *error);

/* After mpp_close: waits for the other ranks' threads. -1: one of them has failed. */
int sim_close(struct sim_network *network);

#endif
