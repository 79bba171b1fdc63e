/*
 * lifetime: when a run has to end before its work is done: signals, and a time limit.
 *
 * Signals are blocked in every thread and process of a run, and one thread on rank 0 waits for
 * them, so that nothing is ever interrupted, however often they come. SIGTERM, SIGINT and SIGUSR1
 * ask for the same: an end in order. A second SIGINT, a second or more after the first, is a person
 * who will not wait.
 */
#ifndef EARLY_STOP_H
#define EARLY_STOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "mpp_error.h"

struct early_stop_options {
    double limit_s;                                  /* from now; not above 0: none */
    double tick_s;                                   /* on_tick is called that often */
    void (*on_stop)(void *context, const char *why); /* once: hand out nothing more */
    void (*on_insist)(void *context);                /* end at once */
    void (*on_tick)(void *context);
    void *context;
};

struct early_stop {
    struct early_stop_options options;
    double begun_s; /* CLOCK_MONOTONIC */
    _Atomic uint64_t slowest_ns;
    atomic_bool ended;
    bool stopped;
    double interrupted_s; /* when the first SIGINT came; 0: none has */
    pthread_t thread;
};

/* Before any other thread or process is started. */
void early_stop_block_signals(void);

/* The calls come from a thread of its own. */
int early_stop_start(struct early_stop *lifetime, const struct early_stop_options *options,
                     struct mpp_error *error);
void early_stop_end(struct early_stop *lifetime); /* no call comes after this */

/* All is written: from now on a SIGINT ends the process, at once and with this status. The other
 * signals stay without effect. */
void early_stop_leave(int exit_status);

/* A task took so long. From any thread. */
void early_stop_note_task(struct early_stop *lifetime, double run_s);

/* How long before the limit nothing more is handed out, so that the slowest task seen so far could
 * still be done, and the journal be written. Pure. */
double early_stop_reserve_s(double limit_s, double slowest_s);

/* The seconds left until SLURM_JOB_END_TIME, given as that variable; 0: it does not say. Pure. */
double early_stop_left_s(const char *end_time, int64_t now_s);

#endif
