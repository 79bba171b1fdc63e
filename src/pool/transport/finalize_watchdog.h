/* SPDX-License-Identifier: MIT */
/*
 * finalize_watchdog: Open MPI 4's MPI_Finalize never returns when a rank dies inside it. By then
 * all results are delivered, so a thread ends this process with its exit status instead, some
 * seconds after a rank has died.
 */
#ifndef FINALIZE_WATCHDOG_H
#define FINALIZE_WATCHDOG_H

#include <pthread.h>
#include <stdbool.h>

#include "rank_liveness.h"

struct finalize_watchdog {
    struct rank_liveness *liveness;
    int exit_status;
    bool rank_died; /* before the watchdog was started */
    int done_fd;    /* an eventfd: readable once MPI_Finalize has returned */
    bool watches;
    pthread_t thread;
};

/* The first three fields are set. Nobody else may use `liveness` until the watchdog has ended. If
 * it cannot be started, nothing is watched. */
void finalize_watchdog_start(struct finalize_watchdog *watchdog);
void finalize_watchdog_end(struct finalize_watchdog *watchdog);

#endif
