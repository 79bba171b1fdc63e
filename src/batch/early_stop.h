/* SPDX-License-Identifier: MIT */
/*
 * early_stop: stops a run before its work is done, when a signal arrives or a time limit is near.
 *
 * Signals. SIGTERM, SIGINT and SIGUSR1 each request an orderly stop. They are blocked in all
 * threads and processes of the run. A thread on rank 0 waits for them with sigtimedwait, so signals
 * never interrupt a system call of the run, and repeated signals do no harm. The thread calls
 * on_stop once. If a SIGINT arrives one second or more after the first SIGINT, the user does not
 * want to wait any longer, and the thread calls on_second_sigint.
 *
 * MPICH's launcher, hydra, sends SIGUSR1 to all other ranks when a rank dies (mpiexec
 * -disable-auto-cleanup), and passes on a user's SIGUSR1 in the same way: both come from the parent
 * of the rank. With hydra_reports_deaths, a SIGUSR1 from the parent requests a stop only after
 * EARLY_STOP_DEATH_S, and none if a rank is lost within this time before or after the signal. A
 * SIGUSR1 from any other process requests a stop at once.
 *
 * Time limit. The same thread calls on_stop when no more than early_stop_reserve_s is left before
 * the limit.
 *
 * All callbacks are called from that thread. It also calls on_tick at regular intervals.
 */
#ifndef EARLY_STOP_H
#define EARLY_STOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mpp_error.h"

#define EARLY_STOP_DEATH_S 2.0

struct early_stop_options {
    double limit_s; /* counted from early_stop_start; 0 or less: no limit */
    double tick_s;  /* time between two calls of on_tick */
    void (*on_stop)(void *context, const char *why); /* start no more tasks */
    void (*on_second_sigint)(void *context);         /* end the process at once */
    void (*on_tick)(void *context);
    bool hydra_reports_deaths;        /* by SIGUSR1: see above */
    int (*lost_ranks)(void *context); /* the ranks lost so far; NULL if hydra reports no deaths */
    void *context;
};

struct early_stop {
    struct early_stop_options options;
    double begun_s; /* CLOCK_MONOTONIC */
    _Atomic uint64_t slowest_ns;
    atomic_bool ended;
    bool stopped;
    double interrupted_s; /* when the first SIGINT arrived; 0: none has */
    double usr1_s;        /* when hydra sent a SIGUSR1 whose meaning is not known yet; 0: none */
    double lost_s;        /* when lost_count rose; 0: never */
    int lost_count;
    pthread_t thread;
};

/* Call it before the run starts any thread or process: they inherit the blocked signals. */
void early_stop_block_signals(void);

/* Starts the thread. */
int early_stop_start(struct early_stop *stop, const struct early_stop_options *options,
                     struct mpp_error *error);

/* Ends the thread. No callback is called after this. */
void early_stop_end(struct early_stop *stop);

/* From now on SIGINT ends the process at once with this exit status; SIGTERM and SIGUSR1 stay
 * blocked. Call it after all files are written. */
void early_stop_exit_on_sigint(int exit_status);

/* Records the run time of a finished task, for early_stop_reserve_s. Only one thread may call this;
 * it need not be the one that called early_stop_start. */
void early_stop_note_task(struct early_stop *stop, double run_s);

/* How long before the time limit the last task may start: 1.5 times the slowest task so far, plus
 * the smaller of 10 s and 5 % of the limit for the rest of the work; at most half of the limit.
 * Pure. */
double early_stop_reserve_s(double limit_s, double slowest_s);

/* Whether the launcher of this process is hydra. */
bool early_stop_launched_by_hydra(void);

/* Seconds from now_s until end_time, which is the text of SLURM_JOB_END_TIME (seconds since 1970).
 * 0: end_time is NULL or not such a number. A time in the past gives 1 ms. Pure. */
double early_stop_remaining_s(const char *end_time, int64_t now_s);

#endif
