/*
 * forkserver: a process that is forked before MPI_Init, never touches MPI, and forks the worker
 * processes.
 *
 * The rank asks for a worker and later gets its socket (by SCM_RIGHTS) and pid; when a worker ends
 * the rank is told how. The fork server dies with its rank, the workers die with the fork server
 * (PR_SET_PDEATHSIG), so nothing outlives a rank that is killed.
 *
 *     forkserver_start(&forkserver, &config, &error);
 *     forkserver_spawn(&forkserver, slot, &error);
 *     poll forkserver.fd; forkserver_next(...)         STARTED slot pid fd ... EXITED slot pid
 * status close the workers' sockets (they end), wait for their EXITED forkserver_stop(&forkserver)
 */
#ifndef FORKSERVER_H
#define FORKSERVER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "mpp_error.h"
#include "mppool.h"
#include "result_ring.h"

/* What a worker process and its agent share, in memory mapped before the fork. Tasks sent to one
 * worker process are numbered from 0; `next` is the first that nobody has claimed. The worker
 * claims task n by moving next from n to n + 1 and then runs it; the agent takes tasks back by
 * moving next past them. Whoever moved it owns them: a task is never both run and taken back.
 *
 * `running` is set before the claim, and cleared after the run unless the agent has condemned the
 * task by adding a bit: then the worker does nothing more, and the process is ended for that task
 * and no other. */
struct worker_slot {
    _Alignas(64) _Atomic uint64_t next;
    _Atomic uint64_t running;  /* number + 1 of the task in the job's code; 0: none */
    _Atomic uint64_t crashed;  /* number + 1 of the task whose load has crashed; 0: none */
    _Atomic uint64_t begun_ns; /* when that was set, on CLOCK_MONOTONIC */
    _Atomic bool bell;         /* the worker has written to its socket since the agent read it */
    _Atomic bool no_memory;    /* it crashed after an allocation had failed */
    int rank;                  /* the agent's; set before the worker is started */
    struct result_ring results;
};

#define WORKER_CONDEMNED (UINT64_C(1) << 63) /* in running */

struct worker_config {
    struct mpp_options options;
};

struct forkserver {
    int fd; /* control socket, to poll for input */
    pid_t pid;
    struct worker_slot *slots; /* MPP_WORKERS_MAX of them */
    const struct worker_config *config;
    int inner; /* not isolated: the other end of the control socket; otherwise -1 */
};

enum forkserver_event_type {
    FORKSERVER_NOTHING,
    FORKSERVER_STARTED, /* slot, pid, fd: now the caller's */
    FORKSERVER_EXITED,  /* slot, pid, wait_status: as from waitpid */
    FORKSERVER_FAILED,  /* slot, wait_status: the errno for which no worker could be started */
    FORKSERVER_GONE,    /* the fork server itself has ended */
};

struct forkserver_event {
    enum forkserver_event_type type;
    int slot;
    pid_t pid;
    int fd;
    int wait_status;
};

/* Forks. Call it before MPI_Init and before any thread is started. Where the jobs are not to be
 * isolated there is no process: the workers are threads of the rank. The config must outlive it. */
int forkserver_start(struct forkserver *forkserver, const struct worker_config *config,
                     struct mpp_error *error);

/* Asks for a worker process on this slot, which must be free; its numbers start from 0. Does not
 * block. */
int forkserver_spawn(struct forkserver *forkserver, int slot, struct mpp_error *error);

/* Sends a signal to the worker process on this slot, if it is still there. Does not block. */
void forkserver_kill(struct forkserver *forkserver, int slot, int signal);

/* The next thing it has to say; does not block. */
struct forkserver_event forkserver_next(struct forkserver *forkserver);

/* Ends it, and with it whatever workers there still are. Blocks until it is gone. */
void forkserver_stop(struct forkserver *forkserver);

#endif
