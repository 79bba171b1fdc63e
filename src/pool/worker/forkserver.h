/* SPDX-License-Identifier: MIT */
/*
 * forkserver: a process that forks the worker processes. It is forked before MPI_Init and never
 * uses MPI, because a process that uses MPI cannot safely fork.
 *
 *     rank (agent) --- control socket --- fork server
 *          |                                   | fork
 *          +-------- a socket each -------- worker processes
 *
 * The rank asks for a worker and later receives its pid and its socket (with SCM_RIGHTS). When a
 * worker ends, the rank receives its wait status. The fork server dies with its rank, and the
 * workers die with the fork server (PR_SET_PDEATHSIG), so that killing a rank leaves no process
 * behind.
 *
 *     forkserver_start(&forkserver, &config, &error);
 *     forkserver_spawn(&forkserver, slot, &error);
 *     poll(2) on forkserver.fd, then forkserver_next_event(&forkserver):
 *         FORKSERVER_STARTED    slot, pid, fd
 *         ...
 *         FORKSERVER_EXITED     slot, pid, wait status
 *     close the workers' sockets: they end; wait for each FORKSERVER_EXITED
 *     forkserver_stop(&forkserver);
 */
#ifndef FORKSERVER_H
#define FORKSERVER_H

#include <sys/types.h>

#include "mpp_error.h"
#include "mppool.h"
#include "worker_slot.h"

struct worker_config {
    struct mpp_options options;
};

struct forkserver {
    int fd;                    /* control socket; readable when there is an event */
    pid_t pid;                 /* of the fork server */
    struct worker_slot *slots; /* MPP_WORKERS_MAX of them, in shared memory */
    const struct worker_config *config;
    int thread_fd; /* workers are threads: the other end of the control socket; otherwise -1 */
};

enum forkserver_event_type {
    FORKSERVER_NOTHING, /* no event has arrived */
    FORKSERVER_STARTED, /* slot, pid, fd: the worker's socket, owned by the caller now */
    FORKSERVER_EXITED,  /* slot, pid, wait_status: as from waitpid(2) */
    FORKSERVER_FAILED,  /* slot, wait_status: the errno of the failed fork or socketpair */
    FORKSERVER_DIED,    /* the fork server itself has ended */
};

struct forkserver_event {
    enum forkserver_event_type type;
    int slot;
    pid_t pid;
    int fd;
    int wait_status;
};

/* Forks the fork server. Must be called before MPI_Init and before the program starts threads. With
 * options.isolate MPP_NOT_ISOLATED nothing is forked: workers will be threads of this process. The
 * config must outlive the fork server. */
int forkserver_start(struct forkserver *forkserver, const struct worker_config *config,
                     struct mpp_error *error);

/* Asks for a worker process on this slot, which must be free. The slot's task numbers restart from
 * 0. Does not block. */
int forkserver_spawn(struct forkserver *forkserver, int slot, struct mpp_error *error);

/* Sends a signal to the worker process on this slot, if there is one. No effect on a thread. Does
 * not block. */
void forkserver_kill(struct forkserver *forkserver, int slot, int signal);

/* Receives the next event. Does not block. */
struct forkserver_event forkserver_next_event(struct forkserver *forkserver);

/* Ends the fork server and all workers that are left. Blocks until the fork server has ended. */
void forkserver_stop(struct forkserver *forkserver);

#endif
