/*
 * worker: the loop inside a worker process. Reads frames with TASKS from its socket, runs the jobs,
 * writes frames with DONE. It knows no MPI and no other process.
 *
 * A frame is a length (four bytes, little-endian) and one message.
 */
#ifndef WORKER_H
#define WORKER_H

#include "forkserver.h"

enum { FRAME_HEAD_BYTES = 4 };

/* Serves until the socket closes; ends the process. */
_Noreturn void worker_main(int fd, struct worker_slot *slot, const struct worker_config *config);

#endif
