/*
 * worker: the loop inside a worker process. Reads frames with TASKS from its socket, runs the jobs,
 * puts results into the ring it shares with its agent. A result too large for that goes back on the
 * socket, in a frame with DONE; an empty frame says that there is something in the ring.
 *
 * It knows no MPI and no other process. A frame is a length (four bytes, little-endian) and one
 * message.
 */
#ifndef WORKER_H
#define WORKER_H

#include "forkserver.h"

enum { FRAME_HEAD_BYTES = 4 };

/* Serves until the socket closes. */
void worker_main(int fd, struct worker_slot *slot, const struct mpp_options *options);

#endif
